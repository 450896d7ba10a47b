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

/* Who leads is what `leading` says, by control plane and itself alike, at once. */
static const struct Target *leading;

static void told(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    (void)system;
    (void)deadline;
    done(data, &(struct Standing){.host = leading, .rank = RANK_PRIMARY});
}

static void stands(void *system, const struct Target *host, struct Mono deadline, StandingFn *done,
                   void *data)
{
    (void)system;
    (void)deadline;
    struct Standing standing = {.host = host,
                                .rank = host == leading ? RANK_PRIMARY : RANK_REPLICA,
                                .answered = mono_now()};
    done(data, &standing);
}

static void is_whole(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    (void)system;
    (void)deadline;
    done(data, &(struct Redundancy){.complete = KNOWN_YES});
}

static const struct SystemKind QUICK = {.name = "quick",
                                        .open = system_open,
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_asks_anew_gets_no_earlier_answer),
        cmocka_unit_test(test_every_change_is_seen_with_its_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
