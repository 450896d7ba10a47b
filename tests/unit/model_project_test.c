/* model_project_test.c - the project is the nearest folder upwards, and a name finds its file. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "model_case.h"

#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runner/base/text.h"
#include "../../runner/model/project.h"

/* A folder of its own; one stands in it. */
struct Place {
    char folder[PATH_MAX], before[PATH_MAX];
    struct Arena *arena;
    struct Problems *problems;
    struct List documents;
    struct Project project;
};

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    return remove(path);
}

static struct Place place_open(void)
{
    struct Place place = {.arena = arena_new("test", 16u << 20), .problems = problems_new()};
    char made[] = "/tmp/fd_project_XXXXXX";
    assert_non_null(getcwd(place.before, sizeof place.before));
    assert_non_null(mkdtemp(made));
    assert_non_null(realpath(made, place.folder));
    assert_int_equal(chdir(place.folder), 0);
    return place;
}

static void place_close(struct Place *place)
{
    assert_int_equal(chdir(place->before), 0);
    assert_int_equal(nftw(place->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    problems_free(place->problems);
    arena_free(place->arena);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_folders(void)
{
    assert_int_equal(mkdir("scenarios", 0755), 0);
    assert_int_equal(mkdir("scenarios/deep", 0755), 0);
    assert_int_equal(mkdir("scenarios/environments", 0755), 0);
}

static bool find(struct Place *place)
{
    return project_find(".", place->arena, &place->documents, place->problems, &place->project);
}

static void test_the_nearest_project_file_upwards_counts(void **state)
{
    (void)state;
    struct Place place = place_open();
    make_folders();
    write_file("faildrill.yaml", "project: shop\nstate: kept\n");
    assert_int_equal(chdir("scenarios/deep"), 0);

    assert_true(find(&place));

    assert_string_equal(place.project.name, "shop");
    assert_string_equal(place.project.dir, place.folder);
    assert_string_equal(project_state(&place.project, NULL, place.arena),
                        arena_printf(place.arena, "%s/kept", place.folder));
    place_close(&place);
}

static void test_the_project_file_may_begin_with_a_dot(void **state)
{
    (void)state;
    struct Place place = place_open();
    write_file(".faildrill.yaml", "project: shop\n");
    assert_true(find(&place));
    assert_string_equal(place.project.name, "shop");
    assert_string_equal(project_state(&place.project, NULL, place.arena),
                        arena_printf(place.arena, "%s/.faildrill", place.folder));
    place_close(&place);
}

static void test_the_search_ends_at_the_git_root(void **state)
{
    (void)state;
    struct Place place = place_open();
    write_file("faildrill.yaml", "project: outer\n");
    assert_int_equal(mkdir("inner", 0755), 0);
    assert_int_equal(mkdir("inner/.git", 0755), 0);
    assert_int_equal(chdir("inner"), 0);

    assert_true(find(&place));

    assert_null(place.project.path);
    assert_null(place.project.name);
    place_close(&place);
}

static void test_state_is_asked_for_in_order(void **state)
{
    (void)state;
    struct Place place = place_open();
    assert_true(find(&place));

    setenv("XDG_STATE_HOME", "/xdg", 1);
    const char *by_xdg = project_state(&place.project, NULL, place.arena);
    setenv("FAILDRILL_STATE", "/by/variable", 1);
    const char *by_variable = project_state(&place.project, NULL, place.arena);
    const char *by_option = project_state(&place.project, "here", place.arena);
    unsetenv("FAILDRILL_STATE");

    assert_string_equal(by_xdg, "/xdg/faildrill");
    assert_string_equal(by_variable, "/by/variable");
    assert_string_equal(by_option, arena_printf(place.arena, "%s/here", place.folder));
    place_close(&place);
}

static void test_dashes_and_underscores_are_equal_in_names(void **state)
{
    (void)state;
    struct Place place = place_open();
    const char *path;
    struct Err err;
    make_folders();
    write_file("faildrill.yaml", "project: shop\n");
    write_file("scenarios/redis-dies.yaml", "scenario: redis_dies\n");
    write_file("scenarios/environments/staging.yaml", "environment: staging\n");
    assert_true(find(&place));

    assert_true(project_scenario(&place.project, "redis_dies", place.arena, &path, &err));
    assert_string_equal(path, "scenarios/redis-dies.yaml");
    assert_true(project_environment(&place.project, "staging", place.arena, &path, &err));
    assert_string_equal(path, "scenarios/environments/staging.yaml");
    place_close(&place);
}

static void test_a_name_that_is_none_gets_the_nearest(void **state)
{
    (void)state;
    struct Place place = place_open();
    const char *path;
    struct Err err;
    make_folders();
    write_file("scenarios/redis_dies.yaml", "scenario: redis_dies\n");
    assert_true(find(&place));

    assert_false(project_scenario(&place.project, "redis_died", place.arena, &path, &err));

    assert_string_equal(err.message, "there is no scenario 'redis_died'");
    assert_string_equal(err.allowed, "redis_dies");
    assert_string_equal(err.hint, "did you mean `redis_dies`?");
    place_close(&place);
}

static void test_a_broken_project_file_is_an_error(void **state)
{
    (void)state;
    struct Place place = place_open();
    write_file("faildrill.yaml", "project: shop\nscenarioz: [a]\n");
    assert_false(find(&place));
    assert_int_equal(problems_errors(place.problems), 1);
    assert_string_equal(problems_at(place.problems, 0)->message, "unknown key `scenarioz`");
    place_close(&place);
}

int main(void)
{
    unsetenv("FAILDRILL_STATE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_nearest_project_file_upwards_counts),
        cmocka_unit_test(test_the_project_file_may_begin_with_a_dot),
        cmocka_unit_test(test_the_search_ends_at_the_git_root),
        cmocka_unit_test(test_state_is_asked_for_in_order),
        cmocka_unit_test(test_dashes_and_underscores_are_equal_in_names),
        cmocka_unit_test(test_a_name_that_is_none_gets_the_nearest),
        cmocka_unit_test(test_a_broken_project_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
