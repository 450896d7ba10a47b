/* model_stretch_test.c - failing stretches open, close and are bounded as MEASURING.md B.8 says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runner/model/stretch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS NS_PER_MS

static const struct StretchRules RULES = {
    .interval_ns = 100 * MS, .timeout_ns = 2000 * MS, .gap_ns = 1000 * MS, .hold_ns = 3000 * MS};

struct Fixture {
    struct Arena *arena;
    struct StretchMachine *machine;
};

static int setup(void **state)
{
    static struct Fixture fixture;
    fixture.arena = arena_new("test", 64 << 20);
    fixture.machine = stretch_new(fixture.arena, &RULES);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct Fixture *fixture = *state;
    arena_free(fixture->arena);
    return 0;
}

static struct Sample sample(uint32_t sequence, int64_t started_ms, int64_t ended_ms, bool ok)
{
    struct Mono started = {.ns = started_ms * MS};
    return (struct Sample){.sequence = sequence,
                           .intended = started,
                           .started = started,
                           .ended = {.ns = ended_ms * MS},
                           .outcome = ok ? OUTCOME_OK : OUTCOME_FAILED,
                           .failure = ok ? FAILURE_NONE : FAILURE_REFUSED};
}

static unsigned feed(struct StretchMachine *machine, struct Sample one)
{
    return stretch_feed(machine, &one);
}

/* Attempts from sequence `first` to before `end`, 100 ms apart, each 4 ms long. */
static unsigned feed_many(struct StretchMachine *machine, uint32_t first, uint32_t end, bool ok)
{
    unsigned change = 0;
    for (uint32_t n = first; n < end; n++)
        change |= feed(machine, sample(n, 100 * (n + 1), 100 * (n + 1) + 4, ok));
    return change;
}

/* TV14 of MEASURING.md C.11. */
static void test_bounds_of_a_stretch_are_those_of_the_test_vector(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    uint32_t n = 0;
    feed(machine, sample(n++, 9900, 9905, true));
    for (int64_t at = 10000; at <= 15900; at += 100)
        feed(machine, sample(n++, at, at + 1, false));
    for (int64_t at = 16000; at <= 20000; at += 100)
        feed(machine, sample(n++, at, at + 4, true));

    assert_int_equal(stretch_count(machine), 1);
    const struct Stretch *stretch = stretch_at(machine, 0);
    assert_false(stretch->open);
    assert_int_equal(stretch->length.low_ns, 5899 * MS);
    assert_int_equal(stretch->length.high_ns, 6104 * MS);
    assert_int_equal(stretch->last_bad_started.ns, 15900 * MS);
    assert_int_equal(stretch->first_good_ended.ns, 16004 * MS);
    assert_int_equal(stretch->attempts, 60);
    assert_int_equal(stretch->failures[FAILURE_REFUSED], 60);
}

static void test_an_ok_shorter_than_gap_belongs_to_the_stretch(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    feed_many(machine, 10, 20, false);

    unsigned change = feed_many(machine, 20, 30, true); /* 0.9 s */

    assert_int_equal(change & STRETCH_CLOSED, 0);
    assert_int_equal(feed_many(machine, 30, 31, false) & STRETCH_OPENED, 0);
    assert_int_equal(stretch_count(machine), 1);
}

static void test_an_ok_longer_than_gap_closes_the_stretch_at_its_first(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    assert_true(feed_many(machine, 10, 20, false) & STRETCH_OPENED);

    assert_true(feed_many(machine, 20, 32, true) & STRETCH_CLOSED);

    assert_int_equal(stretch_at(machine, 0)->first_good_ended.ns, 2104 * MS);
    assert_true(feed_many(machine, 32, 33, false) & STRETCH_OPENED);
    assert_int_equal(stretch_count(machine), 2);
}

static void test_recovered_wants_hold_and_three_samples(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    feed_many(machine, 10, 20, false);

    assert_int_equal(feed_many(machine, 20, 50, true) & STRETCH_HELD, 0); /* 2.9 s */
    assert_true(feed_many(machine, 50, 52, true) & STRETCH_HELD);

    struct Arena *arena = ((struct Fixture *)*state)->arena;
    struct StretchRules rules = RULES;
    rules.gap_ns = 0;
    rules.hold_ns = 0;
    struct StretchMachine *quick = stretch_new(arena, &rules);
    feed_many(quick, 0, 1, false);
    assert_int_equal(feed_many(quick, 1, 3, true) & STRETCH_HELD, 0);
    assert_true(feed_many(quick, 3, 4, true) & STRETCH_HELD);
}

static void test_skipped_and_broken_count_for_nothing(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    struct Sample broken = sample(10, 1100, 1101, false);
    broken.outcome = OUTCOME_BROKEN;
    struct Sample skipped = sample(11, 1200, 1200, false);
    skipped.outcome = OUTCOME_SKIPPED;

    feed(machine, broken);
    feed(machine, skipped);

    assert_int_equal(stretch_count(machine), 0);
    struct StretchNow now;
    stretch_now(machine, (struct Mono){0}, (struct Mono){2000 * MS}, &now);
    assert_int_equal(now.recent.counted, 10);
}

/* The one sent at 1.1 s hangs for 2 s while all that were sent after it were refused at once. */
static void test_late_ends_count_in_the_order_in_which_they_were_sent(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    for (uint32_t n = 11; n < 21; n++)
        assert_int_equal(feed(machine, sample(n, 100 * (n + 1), 100 * (n + 1) + 1, false)), 0);

    struct StretchNow now;
    stretch_now(machine, (struct Mono){0}, (struct Mono){2200 * MS}, &now);
    assert_true(now.failing);
    assert_int_equal(now.outage_ns, 1000 * MS); /* known without the one that hangs */

    struct Sample late = sample(10, 1100, 3100, false);
    late.outcome = OUTCOME_TIMEOUT;
    assert_true(feed(machine, late) & STRETCH_OPENED);
    assert_int_equal(stretch_at(machine, 0)->first_bad_started.ns, 1100 * MS);
    assert_int_equal(stretch_at(machine, 0)->first_bad_ended.ns, 1201 * MS);
    assert_int_equal(stretch_at(machine, 0)->attempts, 11);
}

static void test_a_sample_that_never_comes_is_waited_for_no_longer_than_its_timeout(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);

    unsigned change = 0;
    for (uint32_t n = 11; n < 60; n++)
        change |= feed(machine, sample(n, 100 * (n + 1), 100 * (n + 1) + 1, false));

    assert_true(change & STRETCH_OPENED);
    assert_int_equal(stretch_at(machine, 0)->first_bad_started.ns, 1200 * MS);
    assert_int_equal(feed(machine, sample(10, 1100, 1101, true)) & STRETCH_CLOSED, 0);
}

static void test_flush_takes_what_waits(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    feed(machine, sample(12, 1300, 1301, false));

    assert_int_equal(stretch_count(machine), 0);
    assert_true(stretch_flush(machine) & STRETCH_OPENED);

    assert_int_equal(stretch_count(machine), 1);
}

/* Sent while the service was silent, answered late: its start proves no ok. */
static void test_a_late_answer_does_not_stretch_the_ok_before_its_end(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    feed_many(machine, 0, 10, true);
    feed_many(machine, 10, 20, false);

    unsigned change = 0;
    for (uint32_t n = 20; n < 35; n++) /* sent from 2.1 to 3.5 s, all answered at 3.55 s */
        change |= feed(machine, sample(n, 100 * (n + 1), 3550, true));

    assert_int_equal(change & STRETCH_CLOSED, 0);
    assert_true(feed_many(machine, 35, 47, true) & STRETCH_CLOSED);
    assert_int_equal(stretch_at(machine, 0)->first_good_ended.ns, 3550 * MS);
    assert_int_equal(stretch_at(machine, 0)->last_bad_started.ns, 2000 * MS);
}

static void test_now_says_what_halt_rules_ask(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    struct StretchNow now;
    feed_many(machine, 0, 400, true);
    feed_many(machine, 400, 500, false);

    stretch_now(machine, (struct Mono){40100 * MS}, (struct Mono){50100 * MS}, &now);

    assert_true(now.failing && now.open);
    assert_int_equal(now.outage_ns, 10000 * MS);
    assert_int_equal(now.downtime_ns, 10000 * MS);
    assert_int_equal(now.recent.counted, 300);
    assert_int_equal(now.recent.failed, 100);
    assert_int_equal(now.recent.p99_ns, 4 * MS);
    assert_int_equal(now.failed, 100);

    feed_many(machine, 500, 520, true);
    stretch_now(machine, (struct Mono){0}, (struct Mono){52100 * MS}, &now);
    assert_false(now.failing || now.open);
    assert_int_equal(now.outage_ns, 0);
    assert_int_equal(now.longest_ns, 10004 * MS);
    assert_int_equal(now.ok_count, 20);
    stretch_now(machine, (struct Mono){51000 * MS}, (struct Mono){52100 * MS}, &now);
    assert_int_equal(now.stretches, 0);
}

static void test_nobody_answered_is_no_latency(void **state)
{
    struct StretchMachine *machine = ((struct Fixture *)*state)->machine;
    struct StretchNow now;
    feed_many(machine, 0, 5, false);

    stretch_now(machine, (struct Mono){0}, (struct Mono){600 * MS}, &now);

    assert_int_equal(now.recent.p50_ns, -1);
    assert_int_equal(now.latency_ns, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_bounds_of_a_stretch_are_those_of_the_test_vector),
        TEST(test_an_ok_shorter_than_gap_belongs_to_the_stretch),
        TEST(test_an_ok_longer_than_gap_closes_the_stretch_at_its_first),
        TEST(test_recovered_wants_hold_and_three_samples),
        TEST(test_skipped_and_broken_count_for_nothing),
        TEST(test_late_ends_count_in_the_order_in_which_they_were_sent),
        TEST(test_a_sample_that_never_comes_is_waited_for_no_longer_than_its_timeout),
        TEST(test_flush_takes_what_waits),
        TEST(test_a_late_answer_does_not_stretch_the_ok_before_its_end),
        TEST(test_now_says_what_halt_rules_ask),
        TEST(test_nobody_answered_is_no_latency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
