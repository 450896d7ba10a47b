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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_asks_anew_gets_no_earlier_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
