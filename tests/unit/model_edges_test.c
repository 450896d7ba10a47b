/* model_edges_test.c - sides and shapes become edges: who stops hearing whom. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../runner/model/edges.h"

enum { HOSTS_MOST = 12 };

struct Scene {
    struct Arena *arena;
    char names[HOSTS_MOST][8];
    struct Target targets[HOSTS_MOST];
    const struct Target *order[HOSTS_MOST];
    struct List edges;
    size_t count;
};

static void scene_open(struct Scene *scene, size_t count)
{
    *scene = (struct Scene){.arena = arena_new("test", 1 << 20), .count = count};
    for (size_t i = 0; i < count; i++) {
        snprintf(scene->names[i], sizeof scene->names[i], "%c", (char)('a' + i));
        scene->targets[i].name = scene->names[i];
        scene->order[i] = &scene->targets[i];
    }
}

static struct HostList hosts_of(const struct Scene *scene, size_t first, size_t count)
{
    return (struct HostList){.at = scene->order + first, .count = count};
}

static bool shape(struct Scene *scene, enum CutShape kind, const struct Target *leader)
{
    scene->edges = (struct List){.items = NULL};
    return edges_shape(kind, hosts_of(scene, 0, scene->count), leader, scene->arena, &scene->edges);
}

static bool is_cut(const struct Scene *scene, size_t from, size_t to)
{
    const struct Edge *edges = scene->edges.items;
    for (size_t i = 0; i < scene->edges.count; i++)
        if (edges[i].from == scene->order[from] && edges[i].to == scene->order[to])
            return true;
    return false;
}

/* A row a host, as it hears the others: '.' heard, 'x' not. */
static void hears(const struct Scene *scene, const char *want)
{
    char text[HOSTS_MOST * (HOSTS_MOST + 1) + 1];
    size_t used = 0;
    for (size_t to = 0; to < scene->count; to++) {
        for (size_t from = 0; from < scene->count; from++)
            text[used++] = is_cut(scene, from, to) ? 'x' : '.';
        text[used++] = ' ';
    }
    text[used - 1] = '\0';
    assert_string_equal(text, want);
}

static void test_shapes_of_five(void **state)
{
    (void)state;
    struct Scene scene;
    scene_open(&scene, 5);
    assert_true(shape(&scene, SHAPE_HALVES, NULL));
    hears(&scene, "..xxx ..xxx xx... xx... xx...");
    assert_true(shape(&scene, SHAPE_MINORITY, scene.order[3]));
    hears(&scene, ".xx.x x..x. x..x. .xx.x x..x.");
    assert_true(shape(&scene, SHAPE_MAJORITY, scene.order[0]));
    hears(&scene, ".xx.. x..xx x..xx .xx.. .xx..");
    assert_true(shape(&scene, SHAPE_RING, NULL));
    hears(&scene, "..xx. ...xx x...x xx... .xx..");
    assert_true(shape(&scene, SHAPE_BRIDGE, NULL));
    hears(&scene, "...xx ...xx ..... xx... xx...");
    arena_free(scene.arena);
}

static void test_a_minority_is_less_than_half_and_a_majority_has_who_leads(void **state)
{
    (void)state;
    for (size_t n = 3; n < HOSTS_MOST; n++)
        for (size_t leader = 0; leader < n; leader++) {
            struct Scene scene;
            scene_open(&scene, n);
            size_t few = (n - 1) / 2;
            assert_true(shape(&scene, SHAPE_MINORITY, scene.order[leader]));
            assert_int_equal(scene.edges.count, 2 * few * (n - few));
            size_t heard = 0;
            for (size_t i = 0; i < n; i++)
                heard += is_cut(&scene, i, leader) ? 0 : 1;
            assert_int_equal(heard, few);
            assert_true(shape(&scene, SHAPE_MAJORITY, scene.order[leader]));
            heard = 0;
            for (size_t i = 0; i < n; i++)
                heard += is_cut(&scene, i, leader) ? 0 : 1;
            assert_int_equal(heard, n - few);
            arena_free(scene.arena);
        }
}

/* Each hears a majority, both ways, and no two hear the same. */
static void test_a_ring_is_of_majorities(void **state)
{
    (void)state;
    for (size_t n = 4; n < HOSTS_MOST; n++) {
        struct Scene scene;
        scene_open(&scene, n);
        assert_true(shape(&scene, SHAPE_RING, NULL));
        assert_true(scene.edges.count > 0);
        for (size_t i = 0; i < n; i++) {
            size_t heard = 0;
            for (size_t k = 0; k < n; k++) {
                heard += is_cut(&scene, k, i) ? 0 : 1;
                assert_int_equal(is_cut(&scene, k, i), is_cut(&scene, i, k));
            }
            assert_true(heard > n / 2);
            for (size_t other = 0; other < i; other++) {
                bool same = true;
                for (size_t k = 0; k < n; k++)
                    same = same && is_cut(&scene, k, i) == is_cut(&scene, k, other);
                assert_false(same);
            }
        }
        arena_free(scene.arena);
    }
}

static void test_the_bridge_alone_hears_all(void **state)
{
    (void)state;
    for (size_t n = 3; n < HOSTS_MOST; n++) {
        struct Scene scene;
        size_t whole = 0;
        scene_open(&scene, n);
        assert_true(shape(&scene, SHAPE_BRIDGE, NULL));
        for (size_t i = 0; i < n; i++) {
            size_t cut = 0;
            for (size_t k = 0; k < n; k++)
                cut += is_cut(&scene, k, i) || is_cut(&scene, i, k) ? 1 : 0;
            whole += cut == 0 ? 1 : 0;
        }
        assert_int_equal(whole, 1);
        arena_free(scene.arena);
    }
}

static void test_too_few_hosts_have_no_shape(void **state)
{
    (void)state;
    static const struct {
        enum CutShape kind;
        size_t least;
    } rows[] = {{SHAPE_HALVES, 2},
                {SHAPE_MAJORITY, 3},
                {SHAPE_MINORITY, 3},
                {SHAPE_RING, 4},
                {SHAPE_BRIDGE, 3}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < rows[i].least + 1; n++) {
            struct Scene scene;
            scene_open(&scene, n);
            assert_int_equal(shape(&scene, rows[i].kind, NULL), n >= rows[i].least);
            assert_int_equal(scene.edges.count > 0, n >= rows[i].least);
            arena_free(scene.arena);
        }
}

static void test_an_edge_stands_once_and_nobody_is_cut_from_himself(void **state)
{
    (void)state;
    struct Scene scene;
    scene_open(&scene, 3);
    edges_one_way(hosts_of(&scene, 0, 2), hosts_of(&scene, 1, 2), scene.arena, &scene.edges);
    edges_one_way(hosts_of(&scene, 0, 2), hosts_of(&scene, 1, 2), scene.arena, &scene.edges);
    hears(&scene, "... x.. xx.");
    arena_free(scene.arena);
}

static void test_a_host_has_the_edges_of_its_direction(void **state)
{
    (void)state;
    static const struct {
        enum Direction direction;
        size_t count;
    } rows[] = {{DIRECTION_IN, 1}, {DIRECTION_OUT, 2}, {DIRECTION_BOTH, 3}};
    struct Scene scene;
    scene_open(&scene, 3);
    edges_one_way(hosts_of(&scene, 0, 1), hosts_of(&scene, 1, 2), scene.arena, &scene.edges);
    edges_one_way(hosts_of(&scene, 2, 1), hosts_of(&scene, 0, 1), scene.arena, &scene.edges);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct List mine = {.items = NULL};
        edges_of(&scene.edges, scene.order[0], rows[i].direction, scene.arena, &mine);
        assert_int_equal(mine.count, rows[i].count);
    }
    arena_free(scene.arena);
}

static void test_sorted_lists_are_equal_whatever_came_first(void **state)
{
    (void)state;
    struct Scene scene;
    struct List other = {.items = NULL};
    scene_open(&scene, 4);
    edges_one_way(hosts_of(&scene, 0, 2), hosts_of(&scene, 2, 2), scene.arena, &scene.edges);
    edges_one_way(hosts_of(&scene, 1, 1), hosts_of(&scene, 2, 2), scene.arena, &other);
    edges_one_way(hosts_of(&scene, 0, 1), hosts_of(&scene, 2, 2), scene.arena, &other);
    assert_false(edges_equal(&scene.edges, &other));
    edges_sort(&scene.edges);
    edges_sort(&other);
    assert_true(edges_equal(&scene.edges, &other));
    edges_one_way(hosts_of(&scene, 2, 1), hosts_of(&scene, 0, 1), scene.arena, &other);
    assert_false(edges_equal(&scene.edges, &other));
    arena_free(scene.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_of_five),
        cmocka_unit_test(test_a_minority_is_less_than_half_and_a_majority_has_who_leads),
        cmocka_unit_test(test_a_ring_is_of_majorities),
        cmocka_unit_test(test_the_bridge_alone_hears_all),
        cmocka_unit_test(test_too_few_hosts_have_no_shape),
        cmocka_unit_test(test_an_edge_stands_once_and_nobody_is_cut_from_himself),
        cmocka_unit_test(test_a_host_has_the_edges_of_its_direction),
        cmocka_unit_test(test_sorted_lists_are_equal_whatever_came_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
