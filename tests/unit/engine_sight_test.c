/* engine_sight_test.c - who is asked for ranks while earlier answers are awaited. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../runner/engine/sight.h"

enum { HOSTS = 2, QUESTIONS = 8 };

/* A system that answers when the test says so, and what was cancelled never. */
struct Question {
    StandingFn *done;
    void *data;
};
static struct Question questions[QUESTIONS];
static size_t asked;

static void *system_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err)
{
    (void)config;
    (void)role;
    (void)loop;
    (void)err;
    asked = 0;
    return questions;
}

static void ask_standing(void *system, const struct Target *host, struct Mono deadline,
                         StandingFn *done, void *data)
{
    (void)system;
    (void)host;
    (void)deadline;
    assert_true(asked < QUESTIONS);
    questions[asked++] = (struct Question){done, data};
}

static void cancel(void *system)
{
    (void)system;
    for (size_t at = 0; at < asked; at++)
        questions[at].done = NULL;
}

static void system_close(void *system)
{
    (void)system;
}

static const struct SystemKind KIND = {.name = "slow",
                                       .open = system_open,
                                       .ask_standing = ask_standing,
                                       .cancel = cancel,
                                       .close = system_close};

static void answer(size_t at, enum Rank rank)
{
    struct Standing standing = {.rank = rank};
    if (questions[at].done != NULL)
        questions[at].done(questions[at].data, &standing);
}

static void count(void *data)
{
    ++*(int *)data;
}

static void test_who_asks_anew_gets_no_earlier_answer(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1 << 20);
    struct Target first = {.name = "a"}, second = {.name = "b"};
    struct Target *hosts[HOSTS] = {&first, &second};
    struct Role role = {
        .name = "role", .system = &KIND, .hosts = (void *)hosts, .host_count = HOSTS};
    struct Environment environment = {.roles = {.items = &role, .count = 1}};
    struct Foresight foresight = {.role = &role};
    struct Plan plan = {.environment = &environment,
                        .foresights = {.items = &foresight, .count = 1}};
    struct Err err;
    struct Sight *sight = sight_open(&plan, NULL, arena, &err);
    enum Rank before[HOSTS], now[HOSTS];
    int before_done = 0, now_done = 0;
    assert_non_null(sight);

    sight_ranks(sight, &role, mono_now(), before, count, &before_done);
    sight_ranks(sight, &role, mono_now(), now, count, &now_done);
    for (size_t at = 0; at < HOSTS; at++)
        answer(at, RANK_REPLICA);
    assert_int_equal(now[0], RANK_UNKNOWN);
    assert_int_equal(now_done, 0);
    answer(HOSTS, RANK_PRIMARY);
    answer(HOSTS + 1, RANK_REPLICA);

    assert_int_equal(now[0], RANK_PRIMARY);
    assert_int_equal(now[1], RANK_REPLICA);
    assert_int_equal(now_done, 1);
    assert_int_equal(before_done, 0);
    sight_close(sight);
    arena_free(arena);
}

/* Who leads is what `leading` says, by control plane and itself alike, at once; of a role that is
 * called "other" it is `other_leading`. */
static const struct Target *leading, *other_leading;
static enum Known complete = KNOWN_YES;
static struct Mono answered_at; /* 0: now */

static void *quick_open(const void *config, const struct Role *role, struct Loop *loop,
                        struct Err *err)
{
    (void)config;
    (void)loop;
    (void)err;
    return role->name[0] == 'o' ? &other_leading : &leading;
}

static void told(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    (void)deadline;
    done(data, &(struct Standing){.host = *(const struct Target **)system, .rank = RANK_PRIMARY});
}

static void stands(void *system, const struct Target *host, struct Mono deadline, StandingFn *done,
                   void *data)
{
    (void)deadline;
    bool leads = host == *(const struct Target **)system;
    struct Standing standing = {.host = host,
                                .rank = leads ? RANK_PRIMARY : RANK_REPLICA,
                                .answered = answered_at.ns != 0 ? answered_at : mono_now()};
    done(data, &standing);
}

static void is_whole(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    (void)system;
    (void)deadline;
    done(data, &(struct Redundancy){.complete = complete});
}

static const struct SystemKind QUICK = {.name = "quick",
                                        .open = quick_open,
                                        .ask_control = told,
                                        .ask_standing = stands,
                                        .ask_redundancy = is_whole,
                                        .cancel = cancel,
                                        .close = system_close};

static void test_every_change_is_seen_with_its_times(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1 << 20);
    struct Target first = {.name = "a"}, second = {.name = "b"};
    struct Target *hosts[HOSTS] = {&first, &second};
    struct Role role = {
        .name = "role", .system = &QUICK, .hosts = (void *)hosts, .host_count = HOSTS};
    struct Environment environment = {.roles = {.items = &role, .count = 1}};
    struct Foresight foresight = {.role = &role};
    struct Plan plan = {.environment = &environment,
                        .foresights = {.items = &foresight, .count = 1}};
    const struct Target *const leads[] = {&first, &first, &second, &second, &first, &second};
    struct Err err;
    struct Sight *sight = sight_open(&plan, NULL, arena, &err);
    struct Mono begun = mono_now();
    assert_non_null(sight);

    for (int64_t at = 0; at < (int64_t)COUNT_OF(leads); at++) {
        struct Mono now = mono_add(begun, at * NS_PER_S);
        leading = leads[at];
        if (at == 1)
            sight_fault(sight, mono_add(now, -NS_PER_MS));
        sight_tick(sight, now);
    }

    const struct List *moves = sight_moves(sight, 0);
    const struct RunMove *row = moves->items;
    assert_int_equal(moves->count, 3);
    assert_string_equal(row[0].host, "b");
    assert_int_equal(mono_since(begun, row[0].low), 1 * NS_PER_S);
    assert_string_equal(row[1].host, "a");
    assert_int_equal(mono_since(begun, row[1].low), 3 * NS_PER_S);
    assert_string_equal(row[2].host, "b");
    assert_int_equal(mono_since(begun, row[2].low), 4 * NS_PER_S);
    struct RunSystem seen = sight_system(sight, 0);
    assert_string_equal(seen.primary_before, "a");
    assert_string_equal(seen.primary_after, "b");
    assert_int_equal(seen.failed_over_low.ns, row[0].low.ns);
    assert_int_equal(seen.failed_over_high.ns, row[0].high.ns);
    sight_close(sight);
    arena_free(arena);
}

/* A role that is given back is no change of the drill's: what was seen before stays as it is. */
static void test_a_switch_back_changes_nothing_that_was_seen(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1 << 20);
    struct Target first = {.name = "a"}, second = {.name = "b"};
    struct Target *hosts[HOSTS] = {&first, &second};
    struct Role role = {
        .name = "role", .system = &QUICK, .hosts = (void *)hosts, .host_count = HOSTS};
    struct Environment environment = {.roles = {.items = &role, .count = 1}};
    struct Foresight foresight = {.role = &role};
    struct Plan plan = {.environment = &environment,
                        .foresights = {.items = &foresight, .count = 1}};
    const struct Target *const leads[] = {&first, &second, &second, &second, &first, &first};
    struct CameBack came;
    struct Err err;
    struct Sight *sight = sight_open(&plan, NULL, arena, &err);
    struct Mono begun = mono_now();
    assert_non_null(sight);

    for (int64_t at = 0; at < (int64_t)COUNT_OF(leads); at++) {
        struct Mono now = mono_add(begun, at * NS_PER_S);
        leading = leads[at];
        answered_at = mono_add(now, 100 * NS_PER_MS);
        if (at == 1) {
            sight_fault(sight, mono_add(now, -NS_PER_MS));
            sight_undo(sight, mono_add(now, -NS_PER_MS));
        }
        if (at == 3) {
            assert_true(sight_redundant(sight, &role));
            assert_ptr_equal(sight_before(sight, &role), &first);
            sight_back(sight, &role, mono_add(now, -NS_PER_MS));
            assert_false(sight_redundant(sight, &role));
        }
        sight_tick(sight, now);
        assert_int_equal(sight_came_back(sight, &role, &came), at >= 4);
    }

    assert_int_equal(sight_moves(sight, 0)->count, 1);
    assert_int_equal(mono_since(begun, came.leads.low), 3 * NS_PER_S);
    assert_true(came.whole.high.ns != 0);
    assert_int_equal(came.whole.low.ns, came.leads.low.ns); /* it may have been so at once */
    assert_int_equal(came.lost_again, 0);
    assert_true(sight_whole(sight));
    answered_at = (struct Mono){0};
    struct RunSystem seen = sight_system(sight, 0);
    assert_string_equal(seen.primary_before, "a");
    assert_string_equal(seen.primary_after, "b");
    assert_ptr_equal(sight_primary(sight, &role), &first);
    sight_close(sight);
    arena_free(arena);
}

/* Two roles, of which `role` is given back at 3 s; both moved at 1 s. */
struct Two {
    struct Arena *arena;
    struct Target first, second;
    const struct Target *hosts[HOSTS];
    struct Role roles[2];
    struct Environment environment;
    struct Foresight foresights[2];
    struct Plan plan;
    struct Sight *sight;
    struct Mono begun;
};

static void two_open(struct Two *two)
{
    struct Err err;
    *two = (struct Two){.arena = arena_new("test", 1 << 20),
                        .first = {.name = "a"},
                        .second = {.name = "b"},
                        .begun = mono_now()};
    two->hosts[0] = &two->first;
    two->hosts[1] = &two->second;
    for (int n = 0; n < 2; n++) {
        two->roles[n] = (struct Role){.name = n == 0 ? "role" : "other",
                                      .system = &QUICK,
                                      .hosts = two->hosts,
                                      .host_count = HOSTS};
        two->foresights[n] = (struct Foresight){.role = &two->roles[n]};
    }
    two->environment.roles = (struct List){.items = two->roles, .count = 2};
    two->plan = (struct Plan){.environment = &two->environment,
                              .foresights = {.items = two->foresights, .count = 2}};
    two->sight = sight_open(&two->plan, NULL, two->arena, &err);
    assert_non_null(two->sight);
}

static void two_close(struct Two *two)
{
    complete = KNOWN_YES;
    sight_close(two->sight);
    arena_free(two->arena);
}

static struct CameBack two_tick(struct Two *two, int64_t at, const struct Target *one,
                                const struct Target *other)
{
    struct Mono now = mono_add(two->begun, at * NS_PER_S);
    struct CameBack came;
    leading = one;
    other_leading = other;
    if (at == 1) {
        sight_fault(two->sight, mono_add(now, -NS_PER_MS));
        sight_undo(two->sight, mono_add(now, -NS_PER_MS));
    }
    if (at == 3)
        sight_back(two->sight, &two->roles[0], mono_add(now, -NS_PER_MS));
    sight_tick(two->sight, now);
    (void)sight_came_back(two->sight, &two->roles[0], &came);
    return came;
}

static void test_another_role_goes_on_while_one_is_given_back(void **state)
{
    (void)state;
    struct Two two;
    two_open(&two);
    const struct Target *a = &two.first, *b = &two.second;

    (void)two_tick(&two, 0, a, a);
    (void)two_tick(&two, 1, b, b);
    (void)two_tick(&two, 2, b, b);
    (void)two_tick(&two, 3, b, b);
    (void)two_tick(&two, 4, a, a);
    struct CameBack came = two_tick(&two, 5, a, a), other;

    assert_true(came.leads.high.ns != 0 && came.whole.high.ns != 0);
    assert_false(sight_came_back(two.sight, &two.roles[1], &other));
    assert_int_equal(sight_moves(two.sight, 0)->count, 1);
    assert_int_equal(sight_moves(two.sight, 1)->count, 2);
    assert_string_equal(sight_system(two.sight, 0).primary_after, "b");
    assert_string_equal(sight_system(two.sight, 1).primary_after, "a");
    assert_true(sight_redundant(two.sight, &two.roles[1]));
    two_close(&two);
}

static void test_who_loses_it_again_before_all_is_whole_has_not_come_back(void **state)
{
    (void)state;
    struct Two two;
    two_open(&two);
    const struct Target *a = &two.first, *b = &two.second;

    for (int64_t at = 0; at < 4; at++)
        (void)two_tick(&two, at, at == 0 ? a : b, a);
    complete = KNOWN_NO;
    assert_true(two_tick(&two, 4, a, a).leads.high.ns != 0);
    struct CameBack came = two_tick(&two, 5, b, a);
    assert_int_equal(came.leads.high.ns, 0);
    assert_int_equal(came.lost_again, 1);
    complete = KNOWN_YES;
    came = two_tick(&two, 6, b, a);
    assert_int_equal(came.whole.high.ns, 0); /* all follow, but another one */
    (void)two_tick(&two, 7, a, a);
    came = two_tick(&two, 8, a, a);

    assert_true(came.whole.high.ns != 0);
    assert_int_equal(mono_since(two.begun, came.leads.low), 6 * NS_PER_S);
    assert_int_equal(came.lost_again, 1);
    two_close(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_asks_anew_gets_no_earlier_answer),
        cmocka_unit_test(test_every_change_is_seen_with_its_times),
        cmocka_unit_test(test_a_switch_back_changes_nothing_that_was_seen),
        cmocka_unit_test(test_another_role_goes_on_while_one_is_given_back),
        cmocka_unit_test(test_who_loses_it_again_before_all_is_whole_has_not_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
