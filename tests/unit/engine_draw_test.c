/* engine_draw_test.c - who a target is: seeded, by rank, and never nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/engine/planner.h"

static const struct Target HOSTS[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
static const struct Target *const ROLE_HOSTS[] = {&HOSTS[0], &HOSTS[1], &HOSTS[2]};
static const struct Role ROLE = {.name = "redis", .hosts = ROLE_HOSTS, .host_count = 3};

static struct List draw(struct TargetSpec spec, const enum Rank *ranks, uint64_t seed, bool good,
                        struct Arena *arena, struct Err *err)
{
    struct List out = {0};
    spec.name = "victim";
    struct Draw asked = {.spec = &spec, .role = &ROLE, .seed = seed, .ranks = ranks};
    assert_int_equal(target_draw(&asked, arena, &out, err), good);
    return out;
}

static const char *first(const struct List *list)
{
    return (*(const struct Target *const *)list->items)->name;
}

static void test_one_seed_draws_one_order(void **state)
{
    struct Err err;
    struct TargetSpec spec = {.pick = {PICK_COUNT, 1}};
    size_t seen[3] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct List once = draw(spec, NULL, seed, true, *state, &err);
        struct List again = draw(spec, NULL, seed, true, *state, &err);
        assert_int_equal(once.count, 1);
        assert_string_equal(first(&once), first(&again));
        seen[first(&once)[0] - 'a']++;
    }
    for (size_t at = 0; at < 3; at++)
        assert_true(seen[at] > 5); /* each host is drawn by some seeds */
}

static void test_is_primary_means_the_one_that_says_so_now(void **state)
{
    struct Err err;
    struct TargetSpec spec = {.is = RANK_PRIMARY, .pick = {PICK_COUNT, 1}};
    const enum Rank before[] = {RANK_REPLICA, RANK_PRIMARY, RANK_UNKNOWN};
    const enum Rank after[] = {RANK_REPLICA, RANK_REPLICA, RANK_PRIMARY};
    struct List drawn = draw(spec, before, 7, true, *state, &err);
    assert_string_equal(first(&drawn), "b");
    drawn = draw(spec, after, 7, true, *state, &err);
    assert_string_equal(first(&drawn), "c");
}

static void test_nobody_is_an_error(void **state)
{
    struct Err err;
    struct TargetSpec spec = {.is = RANK_PRIMARY, .pick = {PICK_COUNT, 1}};
    const enum Rank silent[] = {RANK_UNKNOWN, RANK_UNKNOWN, RANK_UNKNOWN};
    draw(spec, silent, 7, false, *state, &err);
    assert_int_equal(err.code, ERR_NOT_READY);
    draw(spec, NULL, 7, false, *state, &err);
}

static void test_a_share_that_rounds_to_nobody_is_an_error(void **state)
{
    struct Err err;
    struct TargetSpec spec = {.pick = {PICK_SHARE, 330000}};
    draw(spec, NULL, 7, false, *state, &err);
    assert_int_equal(err.code, ERR_RULE);
    spec.pick.value = 340000;
    assert_int_equal(draw(spec, NULL, 7, true, *state, &err).count, 1);
}

static void test_more_than_there_are_is_an_error(void **state)
{
    struct Err err;
    struct TargetSpec spec = {.pick = {PICK_COUNT, 4}};
    draw(spec, NULL, 7, false, *state, &err);
}

static int setup(void **state)
{
    *state = arena_new("test", 1U << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_seed_draws_one_order),
        cmocka_unit_test(test_is_primary_means_the_one_that_says_so_now),
        cmocka_unit_test(test_nobody_is_an_error),
        cmocka_unit_test(test_a_share_that_rounds_to_nobody_is_an_error),
        cmocka_unit_test(test_more_than_there_are_is_an_error),
    };
    return cmocka_run_group_tests_name("engine_draw", tests, setup, teardown);
}
