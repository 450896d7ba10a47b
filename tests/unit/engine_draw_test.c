/* engine_draw_test.c - who a target is: seeded, by rank, and never nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/engine/planner.h"
#include "../fakes/track.h"

static const struct Target HOSTS[] = {{.name = "a", .zone = "west"},
                                      {.name = "b", .zone = "east", .address = "10.0.0.2"},
                                      {.name = "c"}};
static const struct Target *const ROLE_HOSTS[] = {&HOSTS[0], &HOSTS[1], &HOSTS[2]};
static const struct Role ROLE = {.name = "redis", .hosts = ROLE_HOSTS, .host_count = 3};

static struct List draw(struct TargetSpec spec, const enum Rank *ranks, uint64_t seed, bool good,
                        struct Arena *arena, struct Err *err)
{
    struct List out = {0};
    const struct Target *order[3];
    spec.name = "victim";
    target_order(seed, spec.name, &ROLE, order);
    struct Draw asked = {.spec = &spec, .role = &ROLE, .order = order, .ranks = ranks};
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

static void test_zone_and_not_leave_hosts_out(void **state)
{
    struct Err err;
    const struct Target *const taken[] = {&HOSTS[1]};
    const struct TargetSpec other = {.name = "other"};
    const struct Drawn apart = {.spec = &other, .hosts = taken, .count = 1};
    struct TargetSpec spec = {
        .name = "victim", .pick = {PICK_COUNT, 1}, .zone = "east", .apart = "other"};
    struct Draw asked = {.spec = &spec, .role = &ROLE, .order = ROLE_HOSTS};
    struct List out = {0};
    assert_true(target_draw(&asked, *state, &out, &err));
    assert_string_equal(first(&out), "b"); /* a is west, c nowhere */
    asked.apart = &apart;
    assert_false(target_draw(&asked, *state, &out, &err));
    assert_string_equal(
        err.message,
        "target 'victim' is nobody: no host of role 'redis' in zone east is left (not: other)");
    spec.zone = NULL;
    spec.pick = (struct Pick){PICK_ALL, 0};
    out = (struct List){0};
    assert_true(target_draw(&asked, *state, &out, &err));
    assert_int_equal(out.count, 2);
    assert_true(draw_leaves_out(&asked, &HOSTS[1]));
    struct Target other_name = {.name = "b-as-well", .address = "10.0.0.2"};
    assert_true(draw_leaves_out(&asked, &other_name));
    assert_false(draw_leaves_out(&asked, &HOSTS[0]));
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

static void test_a_forbidden_host_is_never_drawn(void **state)
{
    struct Arena *arena = *state;
    const char *names[] = {"b"};
    const struct Target *hosts[] = {&HOSTS[0], &HOSTS[1], &HOSTS[2]};
    struct Environment environment = {.hosts = {hosts, 3},
                                      .limits = {.forbidden_hosts = {names, 1}}};
    struct TargetSpec spec = {.name = "victim", .pick = {PICK_COUNT, 1}};
    struct Err err;
    for (uint64_t seed = 0; seed < 30; seed++) {
        const struct Target *order[3];
        struct List out = {0};
        target_order(seed, "victim", &ROLE, order);
        struct Draw asked = {
            .spec = &spec, .role = &ROLE, .order = order, .environment = &environment};
        assert_true(target_draw(&asked, arena, &out, &err));
        assert_string_not_equal(first(&out), "b");
        spec.pick = (struct Pick){PICK_ALL, 0};
        assert_false(target_draw(&asked, arena, &out, &err));
        assert_int_equal(err.code, ERR_REFUSED);
        assert_string_equal(err.message, "target 'victim' picks all of role 'redis', and "
                                         "gate.forbid.hosts keeps 'b' out of every drill");
        spec.pick = (struct Pick){PICK_COUNT, 1};
    }
    const enum Rank ranks[] = {RANK_REPLICA, RANK_PRIMARY, RANK_REPLICA};
    struct List out = {0};
    spec.is = RANK_PRIMARY;
    struct Draw asked = {.spec = &spec,
                         .role = &ROLE,
                         .order = ROLE_HOSTS,
                         .environment = &environment,
                         .ranks = ranks};
    assert_false(target_draw(&asked, arena, &out, &err));
    assert_int_equal(err.code, ERR_REFUSED);
}

static void test_rotation_takes_whom_no_drill_had_for_longest(void **state)
{
    (void)state;
    const struct LastDrilled rows[] = {{"a", {300}}, {"c", {200}}};
    struct List drilled = {(void *)(uintptr_t)rows, 2};
    const struct Target *order[] = {&HOSTS[0], &HOSTS[1], &HOSTS[2]};
    target_rotate(&drilled, 3, order);
    assert_string_equal(order[0]->name, "b");
    assert_string_equal(order[1]->name, "c");
    assert_string_equal(order[2]->name, "a");
    struct List none = {0};
    target_rotate(&none, 3, order); /* nobody was drilled: as it was */
    assert_string_equal(order[0]->name, "b");
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
        cmocka_unit_test(test_zone_and_not_leave_hosts_out),
        TRACK("pumba PR 151", test_nobody_is_an_error),
        cmocka_unit_test(test_a_share_that_rounds_to_nobody_is_an_error),
        cmocka_unit_test(test_more_than_there_are_is_an_error),
        cmocka_unit_test(test_a_forbidden_host_is_never_drawn),
        cmocka_unit_test(test_rotation_takes_whom_no_drill_had_for_longest),
    };
    return cmocka_run_group_tests_name("engine_draw", tests, setup, teardown);
}
