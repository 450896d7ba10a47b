/* base_core_test.c - errors, problems, arenas, clocks and queues keep their contracts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runner/base/arena.h"
#include "../../runner/base/clock.h"
#include "../../runner/base/err.h"
#include "../../runner/base/queue.h"

static const struct Where here = {.file = "f.yaml", .line = 3, .column = 5};

static void test_an_error_carries_what_was_said(void **state)
{
    (void)state;
    struct Err err;
    assert_false(err_set(&err, ERR_TARGET, here, "cannot reach '%s'", "api-1"));
    assert_false(err_hint(&err, "start it"));
    assert_false(err_at(&err, "here"));
    assert_false(err_note(&err, "there"));
    assert_string_equal(err.message, "cannot reach 'api-1'");
    assert_string_equal(err.hint, "start it");
    assert_string_equal(err.at, "here");
    assert_string_equal(err.note, "there");
    assert_int_equal(err.where.line, 3);

    assert_false(err_set(&err, ERR_TARGET, here, "on x: %s", err.message));
    assert_string_equal(err.message, "on x: cannot reach 'api-1'");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.at, "");
    assert_string_equal(err.note, "");
}

static void test_a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    struct Err err;
    char text[1000] = "";
    for (size_t n = 0; n + 2 < sizeof(text); n += 2)
        memcpy(text + n, "\xc3\xbc", 3);
    err_set(&err, ERR_OWN, NOWHERE, "%s", text);
    assert_int_equal(strlen(err.message), 399);
    assert_string_equal(err.message + 394, "\xc3\xbc...");
    err_set(&err, ERR_OWN, NOWHERE, "x%s", text);
    assert_string_equal(err.message + 393, "\xc3\xbc...");
}

static void test_what_is_allowed_is_a_list_that_ends(void **state)
{
    (void)state;
    struct Err err;
    err_set(&err, ERR_UNKNOWN_KEY, here, "unknown key");
    err_allow(&err, "a");
    err_allow(&err, "b");
    assert_string_equal(err.allowed, "a, b");
    for (int n = 0; n < 100; n++)
        err_allow(&err, "a_longer_name");
    assert_true(strlen(err.allowed) < sizeof(err.allowed));
    assert_string_equal(err.allowed + strlen(err.allowed) - 7, "me, ...");
}

static void test_every_code_has_a_number_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < ERR_COUNT; a++) {
        assert_int_equal(strlen(err_number((enum ErrCode)a)), 4);
        assert_int_equal(err_number((enum ErrCode)a)[0] == 'W', err_status((enum ErrCode)a) == 0);
        assert_string_equal(err_doc((enum ErrCode)a) + strlen(err_doc((enum ErrCode)a)) - 1, ".");
        for (int b = 0; b < a; b++)
            assert_string_not_equal(err_number((enum ErrCode)a), err_number((enum ErrCode)b));
    }
}

static void say_at(struct Problems *problems, enum ErrCode code, const char *file, uint32_t line,
                   uint32_t column, const char *message)
{
    problems_say(problems, code, (struct Where){.file = file, .line = line, .column = column}, NULL,
                 "%s", message);
}

static void test_problems_are_sorted_by_place_and_number(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    say_at(problems, ERR_VALUE, "b", 1, 1, "6");
    say_at(problems, ERR_VALUE, "a", 10, 1, "5");
    say_at(problems, ERR_VALUE, "a", 2, 7, "3");
    say_at(problems, ERR_VALUE, "a", 2, 7, "4");
    say_at(problems, ERR_TYPE, "a", 2, 7, "2");
    say_at(problems, ERR_VALUE, "a", 2, 3, "1");
    say_at(problems, ERR_VALUE, NULL, 0, 0, "0");

    problems_sort(problems);

    assert_int_equal(problems_count(problems), 7);
    for (size_t n = 0; n < 7; n++)
        assert_int_equal(problems_at(problems, n)->message[0], '0' + (int)n);
    problems_free(problems);
}

static void test_warnings_are_no_errors(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    problems_say(problems, ERR_W_PROBE_RATE, here, "faster", "slow");
    assert_int_equal(problems_errors(problems), 0);
    assert_int_equal(problems_warnings(problems), 1);
    assert_int_equal(problems_status(problems), 0);
    assert_string_equal(problems_last(problems)->hint, "faster");
    problems_free(problems);
    problems_free(NULL);
}

static void test_the_worst_status_counts(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    assert_int_equal(problems_status(problems), 0);
    problems_say(problems, ERR_SYNTAX, here, NULL, "x");
    assert_int_equal(problems_status(problems), 2);
    problems_say(problems, ERR_REFUSED, here, NULL, "x");
    assert_int_equal(problems_status(problems), 4);
    problems_say(problems, ERR_OWN, here, NULL, "x");
    assert_int_equal(problems_status(problems), 8);
    problems_say(problems, ERR_NOT_UNDONE, here, NULL, "x");
    assert_int_equal(problems_status(problems), 6);
    problems_free(problems);
}

static void test_an_arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1u << 20);
    for (size_t n = 1; n < 300; n++) {
        unsigned char *memory = arena_zero(arena, n, 3);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t at = 0; at < n * 3; at++)
            assert_int_equal(memory[at], 0);
        memset(memory, 0xff, n * 3);
    }
    assert_null(arena_text(arena, NULL));
    assert_string_equal(arena_text(arena, "abc"), "abc");
    assert_string_equal(arena_bytes(arena, "abc", 2), "ab");
    assert_string_equal(arena_bytes(arena, NULL, 0), "");
    assert_string_equal(arena_printf(arena, "%s-%d", "a", 7), "a-7");
    memset(arena_zero(arena, 1, 100000), 1, 100000);
    arena_free(arena);
    arena_free(NULL);
}

/* Whether `work` ends the program by abort(), in a child of its own. */
static bool aborts(void (*work)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        work();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void overfill(void)
{
    struct Arena *arena = arena_new("test", 1000);
    arena_zero(arena, 1, 1001);
}

static void overflow(void)
{
    arena_zero(arena_new("test", 1000), SIZE_MAX / 2, 3);
}

static void test_past_its_limit_an_arena_stops_the_program(void **state)
{
    (void)state;
    assert_true(aborts(overfill));
    assert_true(aborts(overflow));
}

static void test_a_list_keeps_what_it_was_given(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1u << 20);
    struct List list = {.count = 0};
    for (int n = 0; n < 1000; n++)
        *(int *)list_add(&list, arena, sizeof(int)) = n;
    assert_int_equal(list.count, 1000);
    for (int n = 0; n < 1000; n++)
        assert_int_equal(((int *)list.items)[n], n);
    arena_free(arena);
}

static void test_times_never_wrap(void **state)
{
    (void)state;
    struct Mono now = {.ns = 5}, last = {.ns = NS_NEVER};
    assert_true(mono_add(now, NS_NEVER).ns == NS_NEVER);
    assert_true(mono_add(last, 1).ns == NS_NEVER);
    assert_true(mono_add((struct Mono){.ns = -5}, INT64_MIN).ns == INT64_MIN);
    assert_true(mono_since((struct Mono){.ns = -5}, last) == NS_NEVER);
    assert_true(mono_since(now, (struct Mono){.ns = 2}) == -3);
    assert_true(mono_before(now, last) && !mono_before(last, now) && !mono_before(now, now));
    assert_true(mono_min(now, last).ns == 5 && mono_min(last, now).ns == 5);
    struct Mono before = mono_now();
    assert_false(mono_before(mono_now(), before));
    assert_true(wall_now().ns > 0 && boottime_now_ns() > 0);
}

static void test_utc_is_written_and_read_back(void **state)
{
    (void)state;
    char text[32];
    struct Wall wall = {.ns = 1794825002114999999}, back = {.ns = 0};
    wall_utc(wall, text);
    assert_string_equal(text, "2026-11-16T10:30:02.114Z");
    assert_true(wall_parse(text, &back));
    assert_true(back.ns == 1794825002114000000);
    assert_true(wall_parse("1970-01-01T00:00:01Z", &back) && back.ns == NS_PER_S);
    assert_true(wall_parse("1970-01-01T00:00:00.000000001Z", &back) && back.ns == 1);
    wall_utc((struct Wall){.ns = -1}, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

static void test_what_is_no_utc_is_not_read(void **state)
{
    static const char *const bad[] = {"",
                                      "2026-11-16",
                                      "2026-11-16T10:30:02",
                                      "2026-11-16T10:30:02+01:00",
                                      "2026-13-16T10:30:02Z",
                                      "2026-02-29T10:30:02Z",
                                      "2026-11-16T24:30:02Z",
                                      "2026-11-16 10:30:02Z",
                                      "2026-11-16T10:30:02.Z",
                                      "2026-11-16T10:30:02Zx",
                                      "26-11-16T1:2:3Z"};
    (void)state;
    struct Wall wall = {.ns = 7};
    for (size_t n = 0; n < COUNT_OF(bad); n++)
        assert_false(wall_parse(bad[n], &wall));
    assert_true(wall.ns == 7);
}

static void test_local_time_names_its_zone(void **state)
{
    (void)state;
    char text[48];
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    wall_local((struct Wall){.ns = 1794825002114000000}, text);
    assert_string_equal(text, "2026-11-16 11:30:02.114 CET");
    setenv("TZ", "UTC0", 1);
    wall_local((struct Wall){.ns = 1794825002114000000}, text);
    assert_string_equal(text, "2026-11-16 10:30:02.114 UTC");
}

static void test_a_queue_is_bounded_and_in_order(void **state)
{
    (void)state;
    struct Queue *queue = queue_new(sizeof(int), 3);
    int item = 0;
    assert_false(queue_take(queue, &item));
    for (int round = 0; round < 5; round++) {
        for (int n = 0; n < 3; n++)
            assert_true(queue_put(queue, &n));
        assert_false(queue_put(queue, &item));
        for (int n = 0; n < 3; n++) {
            assert_true(queue_take(queue, &item));
            assert_int_equal(item, n);
        }
    }
    assert_int_equal(queue_lost(queue), 5);
    queue_free(queue);
    queue_free(NULL);
}

enum { ITEMS = 200000 };
struct Pair {
    uint64_t number, twice;
};

static void *write_items(void *data)
{
    struct Queue *queue = data;
    for (uint64_t n = 0; n < ITEMS; n++) {
        struct Pair pair = {.number = n, .twice = 2 * n};
        while (!queue_put(queue, &pair))
            sched_yield();
    }
    return NULL;
}

static void test_two_threads_lose_nothing(void **state)
{
    (void)state;
    struct Queue *queue = queue_new(sizeof(struct Pair), 64);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_items, queue), 0);
    for (uint64_t n = 0; n < ITEMS; n++) {
        struct Pair pair = {.number = 0};
        while (!queue_take(queue, &pair))
            sched_yield();
        if (pair.number != n || pair.twice != 2 * n)
            fail_msg("item %llu", (unsigned long long)n);
    }
    pthread_join(writer, NULL);
    queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_carries_what_was_said),
        cmocka_unit_test(test_a_long_message_is_cut_between_characters),
        cmocka_unit_test(test_what_is_allowed_is_a_list_that_ends),
        cmocka_unit_test(test_every_code_has_a_number_of_its_own),
        cmocka_unit_test(test_problems_are_sorted_by_place_and_number),
        cmocka_unit_test(test_warnings_are_no_errors),
        cmocka_unit_test(test_the_worst_status_counts),
        cmocka_unit_test(test_an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(test_past_its_limit_an_arena_stops_the_program),
        cmocka_unit_test(test_a_list_keeps_what_it_was_given),
        cmocka_unit_test(test_times_never_wrap),
        cmocka_unit_test(test_utc_is_written_and_read_back),
        cmocka_unit_test(test_what_is_no_utc_is_not_read),
        cmocka_unit_test(test_local_time_names_its_zone),
        cmocka_unit_test(test_a_queue_is_bounded_and_in_order),
        cmocka_unit_test(test_two_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
