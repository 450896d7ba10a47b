/* io_loop_test.c - the loop's timers, watches and posts keep their promises. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/io/loop.h"

struct Seen {
    struct Loop *loop;
    struct Timer *timers[4];
    int order[16], count;
    struct Mono at[16];
    int fds[2];
};

static void stop(void *data, int events)
{
    (void)events;
    loop_stop(data);
}

static void note(struct Seen *seen, int what)
{
    assert_true(seen->count < 16);
    seen->at[seen->count] = mono_now();
    seen->order[seen->count++] = what;
}

static void first(void *data, int events)
{
    (void)events;
    note(data, 1);
}

static void second(void *data, int events)
{
    (void)events;
    note(data, 2);
}

static void third_and_stop(void *data, int events)
{
    (void)events;
    struct Seen *seen = data;
    note(seen, 3);
    loop_stop(seen->loop);
}

static void test_timers_fire_in_order_of_time_and_never_early(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    struct Mono now = mono_now();
    struct Timer *late = loop_timer(seen.loop, third_and_stop, &seen);
    struct Timer *early = loop_timer(seen.loop, first, &seen);
    struct Timer *middle = loop_timer(seen.loop, second, &seen);
    struct Timer *never = loop_timer(seen.loop, second, &seen);

    loop_timer_at(late, mono_add(now, 9 * NS_PER_MS));
    loop_timer_at(middle, mono_add(now, 60 * NS_PER_S));
    loop_timer_at(early, mono_add(now, 3 * NS_PER_MS));
    loop_timer_at(never, mono_add(now, 1 * NS_PER_MS));
    loop_timer_at(middle, mono_add(now, 6 * NS_PER_MS)); /* replaces */
    loop_timer_off(never);
    loop_run(seen.loop);

    assert_int_equal(seen.count, 3);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(seen.order[n], n + 1);
        assert_true(mono_since(now, seen.at[n]) >= 3 * NS_PER_MS * (n + 1));
    }
    loop_timer_free(late);
    loop_timer_free(early);
    loop_timer_free(middle);
    loop_timer_free(never);
    loop_free(seen.loop);
}

static void test_equal_times_fire_as_they_were_set(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    struct Mono past = mono_add(mono_now(), -NS_PER_S);
    LoopFn *fns[] = {first, second, third_and_stop};
    for (int n = 0; n < 3; n++) {
        seen.timers[n] = loop_timer(seen.loop, fns[n], &seen);
        loop_timer_at(seen.timers[n], past);
    }

    loop_run(seen.loop);

    assert_int_equal(seen.count, 3);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(seen.order[n], n + 1);
        loop_timer_free(seen.timers[n]);
    }
    loop_free(seen.loop);
}

static void again(void *data, int events)
{
    (void)events;
    struct Seen *seen = data;
    if (seen->count == 15)
        return;
    note(seen, 4);
    loop_timer_at(seen->timers[0], (struct Mono){.ns = 1});
}

/* A timer that always sets itself to the past may not keep a post from running. */
static void test_a_busy_timer_starves_nothing(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    seen.timers[0] = loop_timer(seen.loop, again, &seen);
    loop_timer_at(seen.timers[0], (struct Mono){.ns = 1});
    loop_post(seen.loop, third_and_stop, &seen);

    loop_run(seen.loop);

    assert_true(seen.count < 15);
    loop_timer_free(seen.timers[0]);
    loop_free(seen.loop);
}

static void read_byte(void *data, int events)
{
    struct Seen *seen = data;
    char byte = 0;
    assert_int_equal(events, LOOP_READ);
    assert_int_equal(read(seen->fds[0], &byte, 1), 1);
    note(seen, byte);
    loop_watch(seen->loop, seen->fds[0], 0, NULL, NULL);
    close(seen->fds[0]);
    close(seen->fds[1]);
    seen->fds[0] = -1;
    if (seen->count == 3) {
        loop_stop(seen->loop);
        return;
    }
    /* The same number again, at once. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, seen->fds), 0);
    loop_watch(seen->loop, seen->fds[0], LOOP_READ, read_byte, seen);
    char next = (char)(byte + 1);
    assert_int_equal(write(seen->fds[1], &next, 1), 1);
}

static void test_a_number_used_again_is_another_watch(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, seen.fds), 0);
    loop_watch(seen.loop, seen.fds[0], LOOP_READ, read_byte, &seen);
    assert_int_equal(write(seen.fds[1], "a", 1), 1);

    loop_run(seen.loop);

    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.order[2], 'c');
    loop_free(seen.loop);
}

static void forget_both(void *data, int events)
{
    (void)events;
    struct Seen *seen = data;
    note(seen, 1);
    for (int n = 0; n < 2; n++)
        loop_watch(seen->loop, seen->fds[n], 0, NULL, NULL);
    loop_post(seen->loop, stop, seen->loop);
}

static void test_a_forgotten_watch_is_silent_in_the_same_turn(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, seen.fds), 0);
    loop_watch(seen.loop, seen.fds[0], LOOP_WRITE, forget_both, &seen);
    loop_watch(seen.loop, seen.fds[1], LOOP_WRITE, forget_both, &seen);

    loop_run(seen.loop);

    assert_int_equal(seen.count, 1);
    close(seen.fds[0]);
    close(seen.fds[1]);
    loop_free(seen.loop);
}

static void broken(void *data, int events)
{
    struct Seen *seen = data;
    note(seen, events);
    if (seen->count == 2) {
        loop_watch(seen->loop, seen->fds[1], 0, NULL, NULL);
        loop_stop(seen->loop);
    }
}

/* libuv stops a poll whose descriptor is in error; ours goes on like any level-triggered one. */
static void test_an_error_is_told_again_while_it_lasts(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    assert_int_equal(pipe(seen.fds), 0);
    close(seen.fds[0]);
    loop_watch(seen.loop, seen.fds[1], LOOP_WRITE, broken, &seen);

    loop_run(seen.loop);

    assert_int_equal(seen.order[0], LOOP_READ | LOOP_WRITE);
    assert_int_equal(seen.count, 2);
    close(seen.fds[1]);
    loop_free(seen.loop);
}

static void *post_three(void *data)
{
    struct Seen *seen = data;
    loop_post(seen->loop, first, seen);
    loop_post(seen->loop, second, seen);
    loop_post(seen->loop, third_and_stop, seen);
    return NULL;
}

static void test_posts_of_another_thread_come_in_order(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_three, &seen), 0);

    loop_run(seen.loop);

    pthread_join(thread, NULL);
    assert_int_equal(seen.count, 3);
    for (int n = 0; n < 3; n++)
        assert_int_equal(seen.order[n], n + 1);
    loop_free(seen.loop);
}

static void test_what_was_posted_is_run_when_the_loop_goes(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    loop_post(seen.loop, first, &seen);

    loop_free(seen.loop);

    assert_int_equal(seen.count, 1);
}

static void got_signal(void *data, int number)
{
    struct Seen *seen = data;
    note(seen, number);
    loop_stop(seen->loop);
}

static void test_a_signal_is_an_event(void **state)
{
    (void)state;
    struct Seen seen = {.loop = loop_new()};
    loop_signals(seen.loop, got_signal, &seen);
    assert_int_equal(raise(SIGTERM), 0);

    loop_run(seen.loop);

    assert_int_equal(seen.order[0], SIGTERM);
    loop_signals(seen.loop, NULL, NULL);
    loop_free(seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_order_of_time_and_never_early),
        cmocka_unit_test(test_equal_times_fire_as_they_were_set),
        cmocka_unit_test(test_a_busy_timer_starves_nothing),
        cmocka_unit_test(test_a_number_used_again_is_another_watch),
        cmocka_unit_test(test_a_forgotten_watch_is_silent_in_the_same_turn),
        cmocka_unit_test(test_an_error_is_told_again_while_it_lasts),
        cmocka_unit_test(test_posts_of_another_thread_come_in_order),
        cmocka_unit_test(test_what_was_posted_is_run_when_the_loop_goes),
        cmocka_unit_test(test_a_signal_is_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
