/* model_halt_test.c - halt rules by rate, code and split hold and break as computed by hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runner/model/halt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define MS NS_PER_MS

static const struct StretchRules RULES = {
    .interval_ns = 100 * MS, .timeout_ns = 2000 * MS, .gap_ns = 1000 * MS, .hold_ns = 3000 * MS};

static int setup(void **state)
{
    *state = arena_new("test", 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void feed_one(struct StretchMachine *machine, uint32_t sequence, enum Outcome outcome,
                     enum Failure failure, int code)
{
    struct Mono started = {.ns = 100 * MS * (sequence + 1)};
    stretch_feed(machine, &(struct Sample){.sequence = sequence,
                                           .intended = started,
                                           .started = started,
                                           .ended = mono_add(started, 4 * MS),
                                           .outcome = (uint16_t)outcome,
                                           .failure = (uint16_t)failure,
                                           .code = code});
}

/* Attempts from sequence `first` to before `end`: the n-th is sent at (n + 1) * 100 ms and ends
 * 4 ms later. */
static void feed(struct StretchMachine *machine, uint32_t first, uint32_t end, enum Outcome outcome)
{
    for (uint32_t n = first; n < end; n++)
        feed_one(machine, n, outcome, FAILURE_NONE, 200);
}

static struct Mono at(int64_t ms)
{
    return (struct Mono){.ns = ms * MS};
}

static bool broken(struct StretchMachine *machine, enum BoundWord word, const char *text,
                   int64_t since_ms, int64_t now_ms, const char **why)
{
    struct HaltRule rule;
    struct Expectation bound = {.probe = "shop", .word = word, .text = text};
    halt_rule_read(&bound, &rule);
    return halt_broken(
        &rule, &(struct HaltSeen){.machine = machine, .since = at(since_ms), .now = at(now_ms)},
        why);
}

static bool below(struct StretchMachine *machine, const char *text, int64_t now_ms)
{
    const char *why = NULL;
    bool is_broken = broken(machine, BOUND_MIN_RATE, text, 40050, now_ms, &why);
    assert_null(why);
    return is_broken;
}

static void assert_near(double value, double wanted)
{
    assert_true(value > wanted - 1e-6 && value < wanted + 1e-6);
}

/* 300 attempts in 30 s, of which 200 were good: (200 - 1) / 30 to (200 + 1) / 30; before, 300 of
 * 300: 299 / 30 to 301 / 30. 201 / 299 = 67.2 %. */
static void test_a_rate_breaks_where_none_that_may_be_reaches_it(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    struct RateNow rate;
    feed(machine, 0, 400, OUTCOME_OK);
    assert_true(recents_rate(stretch_recents(machine), at(0), at(40100), false, &rate));
    assert_near(rate.low, 299.0 / 30);
    assert_near(rate.high, 301.0 / 30);
    assert_false(below(machine, "100% of before", 40100));
    assert_false(below(machine, "10/s", 40100));

    feed(machine, 400, 500, OUTCOME_FAILED);

    assert_true(recents_rate(stretch_recents(machine), at(0), at(50100), false, &rate));
    assert_int_equal(rate.counted, 300);
    assert_int_equal(rate.good, 200);
    assert_near(rate.low, 199.0 / 30);
    assert_near(rate.high, 201.0 / 30);
    assert_false(below(machine, "67% of before", 50100));
    assert_true(below(machine, "68% of before", 50100));
    assert_false(below(machine, "6.6/s", 50100));
    assert_true(below(machine, "6.8/s", 50100));
}

/* The baseline is read once, up to the fault: later it is out of reach. */
static void test_the_baseline_stays_that_of_before(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    const char *why = NULL;
    struct HaltRule rule;
    struct Expectation bound = {.probe = "shop", .word = BOUND_MIN_RATE, .text = "68% of before"};
    struct HaltSeen seen = {.machine = machine, .since = at(40050), .now = at(40100)};
    halt_rule_read(&bound, &rule);
    feed(machine, 0, 400, OUTCOME_OK);
    assert_false(halt_broken(&rule, &seen, &why));

    feed(machine, 400, 1000, OUTCOME_FAILED);

    seen.now = at(100100);
    assert_true(halt_broken(&rule, &seen, &why));
    assert_null(why);
}

/* One second good after the last failure, which ended at 1.004 s: 10 answers in 1.046 s. */
static void test_a_baseline_begins_after_the_last_failure(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    struct RateNow rate;
    feed(machine, 0, 10, OUTCOME_FAILED);
    feed(machine, 10, 30, OUTCOME_OK);

    assert_true(recents_rate(stretch_recents(machine), at(0), at(2050), true, &rate));

    assert_int_equal(rate.good, 10);
    assert_near(rate.low, 9 / 1.046);
    assert_near(rate.high, 11 / 1.046);
}

/* 19 s of failures, 11 s of good answers, the fault: the service is as it was. */
static void test_what_failed_before_the_fault_breaks_nothing(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    const char *why = NULL;
    feed(machine, 0, 190, OUTCOME_FAILED);
    feed(machine, 190, 310, OUTCOME_OK);

    assert_false(broken(machine, BOUND_MIN_RATE, "70% of before", 30050, 31050, &why));
    assert_false(broken(machine, BOUND_MIN_RATE, "5/s", 30050, 31050, &why));
    feed(machine, 310, 510, OUTCOME_FAILED);
    assert_true(broken(machine, BOUND_MIN_RATE, "70% of before", 30050, 51050, &why));
    assert_true(broken(machine, BOUND_MIN_RATE, "5/s", 30050, 51050, &why));
    assert_null(why);
}

/* So it is for a share: 19 s of failures leave 120 good answers, and 60 failures since are a third
 * of what counts. */
static void test_a_share_counts_no_failure_from_before_the_fault(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    const struct Expectation errors = {.word = BOUND_MAX_ERRORS, .limit = 333332};
    const struct Expectation success = {.word = BOUND_MIN_SUCCESS, .limit = 666668};
    const struct Expectation *const bounds[] = {&errors, &success};
    struct HaltRule rules[2];
    struct HaltSeen seen = {.machine = machine, .since = at(31050), .now = at(31060)};
    const char *why = NULL;
    feed(machine, 0, 190, OUTCOME_FAILED);
    feed(machine, 190, 310, OUTCOME_OK);
    for (size_t n = 0; n < 2; n++) {
        halt_rule_read(bounds[n], &rules[n]);
        assert_false(halt_broken(&rules[n], &seen, &why));
    }
    feed(machine, 310, 369, OUTCOME_FAILED);
    seen.now = at(37000);
    for (size_t n = 0; n < 2; n++)
        assert_false(halt_broken(&rules[n], &seen, &why));

    feed(machine, 369, 370, OUTCOME_FAILED);

    seen.now = at(37050);
    for (size_t n = 0; n < 2; n++)
        assert_true(halt_broken(&rules[n], &seen, &why));
}

static void test_what_was_not_asked_may_have_been_good(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    struct RateNow rate;
    feed(machine, 0, 400, OUTCOME_OK);
    feed(machine, 400, 450, OUTCOME_SKIPPED);
    feed(machine, 450, 500, OUTCOME_BROKEN);

    assert_true(recents_rate(stretch_recents(machine), at(0), at(50100), false, &rate));

    assert_int_equal(rate.unsure, 100);
    assert_near(rate.low, 199.0 / 30);
    assert_near(rate.high, 301.0 / 30);
    assert_false(below(machine, "10/s", 50100));
}

static void test_a_window_without_attempts_has_no_rate(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    struct RateNow rate;
    assert_false(recents_rate(stretch_recents(machine), at(0), at(100), false, &rate));
    feed(machine, 0, 2, OUTCOME_OK);
    assert_false(recents_rate(stretch_recents(machine), at(0), at(250), false, &rate));
    feed(machine, 2, 400, OUTCOME_OK);
    feed(machine, 400, 800, OUTCOME_SKIPPED);

    assert_false(recents_rate(stretch_recents(machine), at(0), at(80100), false, &rate));

    assert_false(below(machine, "10/s", 80100));
}

static void test_a_rate_of_an_unknown_baseline_breaks_and_says_why(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    const char *why = NULL;
    feed(machine, 0, 399, OUTCOME_FAILED);
    feed(machine, 399, 450, OUTCOME_OK);

    assert_true(broken(machine, BOUND_MIN_RATE, "1% of before", 40050, 45100, &why));

    assert_string_equal(why, "too few good answers before the fault");
}

static bool other(struct StretchMachine *machine, const char *codes, int64_t since_ms,
                  int64_t now_ms)
{
    const char *why = NULL;
    return broken(machine, BOUND_STATUS_ONLY, codes, since_ms, now_ms, &why);
}

static void test_every_answer_since_the_fault_has_one_of_the_codes(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    feed(machine, 0, 10, OUTCOME_FAILED); /* before the fault: sent until 1.0 s */
    feed(machine, 10, 20, OUTCOME_OK);
    assert_false(other(machine, "200", 1050, 2100));
    assert_true(other(machine, "204", 1050, 2100));

    feed_one(machine, 20, OUTCOME_FAILED, FAILURE_UNAVAILABLE, 503); /* sent at 2.1 s */

    assert_true(other(machine, "200", 1050, 2200));
    assert_false(other(machine, "200, 503", 1050, 2200));
    assert_false(other(machine, "200", 2150, 2200)); /* sent before the fault */
    assert_true(other(machine, "200", 1050, 32104)); /* the end of it is 30 s ago */
    assert_false(other(machine, "200", 1050, 32105));
}

static void test_refused_and_late_ones_have_no_code(void **state)
{
    static const struct {
        enum Outcome outcome;
        enum Failure failure;
        bool breaks;
    } CASES[] = {
        {OUTCOME_OK, FAILURE_NONE, false},        {OUTCOME_FAILED, FAILURE_CONTENT, false},
        {OUTCOME_FAILED, FAILURE_REFUSED, true},  {OUTCOME_FAILED, FAILURE_SLOW, true},
        {OUTCOME_TIMEOUT, FAILURE_TIMEOUT, true}, {OUTCOME_SKIPPED, FAILURE_NONE, false},
        {OUTCOME_BROKEN, FAILURE_NONE, false},
    };
    for (size_t n = 0; n < sizeof(CASES) / sizeof(CASES[0]); n++) {
        struct StretchMachine *machine = stretch_new(*state, &RULES);
        feed(machine, 0, 10, OUTCOME_OK);
        feed_one(machine, 10, CASES[n].outcome, CASES[n].failure, 200);

        assert_int_equal(other(machine, "200", 50, 1200), CASES[n].breaks);
    }
}

static void test_shares_and_stretches_break_over_their_limit(void **state)
{
    struct StretchMachine *machine = stretch_new(*state, &RULES);
    const char *why = NULL;
    struct HaltSeen seen = {.machine = machine, .since = at(40050), .now = at(50100)};
    feed(machine, 0, 400, OUTCOME_OK);
    feed(machine, 400, 500, OUTCOME_FAILED); /* 100 of 300, and 10 s until now */
    static const struct {
        enum BoundWord word;
        int64_t limit;
        bool breaks;
    } CASES[] = {
        {BOUND_MAX_OUTAGE, 10000 * MS, false}, {BOUND_MAX_OUTAGE, 9999 * MS, true},
        {BOUND_MAX_ERRORS, 333333, false},     {BOUND_MAX_ERRORS, 333332, true},
        {BOUND_MIN_SUCCESS, 666667, false},    {BOUND_MIN_SUCCESS, 666668, true},
        {BOUND_MAX_P50, 4 * MS, false},        {BOUND_MAX_P50, 4 * MS - 1, true},
    };
    for (size_t n = 0; n < sizeof(CASES) / sizeof(CASES[0]); n++) {
        struct Expectation bound = {.word = CASES[n].word, .limit = CASES[n].limit};
        struct HaltRule rule;
        halt_rule_read(&bound, &rule);
        assert_int_equal(halt_broken(&rule, &seen, &why), CASES[n].breaks);
    }
}

static void test_a_split_breaks_over_its_limit(void **state)
{
    const char *why = NULL;
    struct Expectation bound = {.word = BOUND_MAX_SPLIT, .limit = 0};
    struct HaltSeen seen = {.machine = stretch_new(*state, &RULES), .split_ns = 0};
    struct HaltRule rule;
    halt_rule_read(&bound, &rule);
    assert_false(halt_broken(&rule, &seen, &why));

    seen.split_ns = 1;

    assert_true(halt_broken(&rule, &seen, &why));
}

static void test_a_limit_is_said_as_it_was_written(void **state)
{
    (void)state;
    char text[64];
    halt_limit_say(&(struct Expectation){.word = BOUND_MIN_RATE, .text = "95% of before"}, text,
                   sizeof text);
    assert_string_equal(text, "95% of before");
    halt_limit_say(&(struct Expectation){.word = BOUND_MAX_ERRORS, .limit = 500000}, text,
                   sizeof text);
    assert_string_equal(text, "50 %");
    halt_limit_say(&(struct Expectation){.word = BOUND_MAX_SPLIT, .limit = 2 * NS_PER_S}, text,
                   sizeof text);
    assert_string_equal(text, "2 s");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_rate_breaks_where_none_that_may_be_reaches_it),
        TEST(test_the_baseline_stays_that_of_before),
        TEST(test_a_baseline_begins_after_the_last_failure),
        TEST(test_what_failed_before_the_fault_breaks_nothing),
        TEST(test_a_share_counts_no_failure_from_before_the_fault),
        TEST(test_what_was_not_asked_may_have_been_good),
        TEST(test_a_window_without_attempts_has_no_rate),
        TEST(test_a_rate_of_an_unknown_baseline_breaks_and_says_why),
        TEST(test_every_answer_since_the_fault_has_one_of_the_codes),
        TEST(test_refused_and_late_ones_have_no_code),
        TEST(test_shares_and_stretches_break_over_their_limit),
        TEST(test_a_split_breaks_over_its_limit),
        TEST(test_a_limit_is_said_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
