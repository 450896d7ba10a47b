/* reports_phases_test.c - bounds of a phase, rates against the baseline, statuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/analyse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/run_sample.h"

#define MS NS_PER_MS

static int setup(void **state)
{
    *state = arena_new("test", (size_t)1 << 30);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct Mono at(int64_t ns)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ns};
}

/* One probe "shop" each 50 ms over 100 s; isolated from 20 s (proven at 20.04) to 60 s (undone at
 * 60.06); the truth is two outages: 20.1 to 24.1 s, and 70 to 71 s. */
static struct RunSample *drill(void **state)
{
    static const struct Outage down[] = {{20100 * MS, 24100 * MS, DOWN_REFUSED},
                                         {70000 * MS, 71000 * MS, DOWN_REFUSED}};
    struct RunSample *run = run_sample_new(*state, 7);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    run_sample_attempts(run, 0, down, COUNT_OF(down));
    return run;
}

static void expect(struct RunSample *run, const char *word, int64_t limit, const char *text)
{
    run_sample_expect(run, "shop", word, limit);
    struct RunExpectation *expectations = run->expectations.items;
    expectations[run->expectations.count - 1].text = text;
}

static struct Judged judged(struct RunSample *run)
{
    struct Report report;
    analyse(run_sample_done(run), NULL, 0, run->arena, &report);
    assert_int_equal(report.judged_count, run->expectations.count);
    return report.judged[report.judged_count - 1];
}

static enum Verdict verdict_of(struct RunSample *run, const char *word, int64_t limit,
                               const char *text)
{
    expect(run, word, limit, text);
    return judged(run).verdict;
}

/* ---- Shares ---- */
static void test_each_phase_counts_its_own_requests(void **state)
{
    struct RunSample *run = drill(state);

    /* 4 of 40 s failed during: 80 of 800; 1 of 40 s afterwards: 20 of 800; none before. */
    assert_int_equal(verdict_of(run, "before.max_errors", 10000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.max_errors", 95000, NULL), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "during.max_errors", 105000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "after.max_errors", 20000, NULL), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "after.max_errors", 30000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.min_success", 895000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.min_success", 905000, NULL), VERDICT_FAIL);
    assert_string_equal(judged(run).measures, "success during");
}

static void test_too_few_requests_prove_no_share(void **state)
{
    struct RunSample *run = drill(state);

    /* 300 requests before the first step: one more would have been 0.33 %. */
    expect(run, "before.max_errors", 1000, NULL);
    struct Judged one = judged(run);

    assert_int_equal(one.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(one.note, "too few to tell"));
    assert_int_equal(verdict_of(run, "before.max_errors", 0, NULL), VERDICT_PASS);
}

/* An attempt across the end of a phase belongs to it, or does not. */
static void test_a_limit_between_both_answers_is_inconclusive(void **state)
{
    struct RunSample *run = run_sample_new(*state, 7);
    struct RunProbe *probe = run_sample_probe(run, "shop", "http");
    probe->interval_ns = 1000 * MS;
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    for (int64_t n = 0; n < 100; n++) {
        struct Sample *sample = list_add(&run->samples, run->arena, sizeof(*sample));
        bool across = n == 59; /* sent at 59.5 s, refused at 60.4 s: the undo came in between */
        *sample = (struct Sample){.sequence = (uint32_t)n,
                                  .intended = at(n * 1000 * MS + 500 * MS),
                                  .started = at(n * 1000 * MS + 500 * MS),
                                  .ended = at(n * 1000 * MS + (across ? 1400 : 505) * MS),
                                  .outcome = across ? OUTCOME_FAILED : OUTCOME_OK,
                                  .failure = across ? FAILURE_RESET : FAILURE_NONE};
    }

    /* 0 of 39, or 1 of 40. */
    assert_int_equal(verdict_of(run, "during.max_errors", 0, NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "during.min_success", 980000, NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "during.min_success", 970000, NULL), VERDICT_PASS);
}

/* ---- Outages and latencies ---- */
static void test_an_outage_counts_in_the_phase_that_it_lies_in(void **state)
{
    struct RunSample *run = drill(state);

    assert_int_equal(verdict_of(run, "before.max_outage", 0, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.max_outage", 3900 * MS, NULL), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "during.max_outage", 4000 * MS, NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "during.max_outage", 4200 * MS, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "after.max_outage", 800 * MS, NULL), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "after.max_downtime", 1200 * MS, NULL), VERDICT_PASS);
}

/* It began under the fault and reached past the undo: each phase has its part. */
static void test_an_outage_over_the_undo_is_cut_there(void **state)
{
    static const struct Outage down = {55000 * MS, 62000 * MS, DOWN_REFUSED};
    struct RunSample *run = run_sample_new(*state, 7);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    run_sample_attempts(run, 0, &down, 1);

    assert_int_equal(verdict_of(run, "during.max_outage", 4900 * MS, NULL), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "during.max_outage", 5100 * MS, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "after.max_outage", 1800 * MS, NULL), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "after.max_outage", 2100 * MS, NULL), VERDICT_PASS);
}

static void test_a_percentile_needs_answers_enough(void **state)
{
    struct RunSample *run = drill(state);

    assert_int_equal(verdict_of(run, "before.max_p99", 9 * MS, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "before.max_p50", 1 * MS, NULL), VERDICT_FAIL);
    run->record.baseline_began = at(14500 * MS); /* 10 answers */
    assert_int_equal(verdict_of(run, "before.max_p50", 9 * MS, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "before.max_p95", 9 * MS, NULL), VERDICT_INCONCLUSIVE);
}

/* ---- Rates ---- */
static void test_a_rate_is_compared_with_the_run_s_own_baseline(void **state)
{
    struct RunSample *run = drill(state);

    /* 36 of 40 s were good: 90 % of 20/s. */
    assert_int_equal(verdict_of(run, "during.min_rate", 0, "88% of before"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.min_rate", 0, "90% of before"), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "during.min_rate", 0, "95% of before"), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "during.min_rate", 0, "17/s"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.min_rate", 0, "19/s"), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "before.min_rate", 0, "19/s"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "min_rate", 0, "15/s"), VERDICT_PASS);
    assert_string_equal(judged(run).limit, "15/s");
}

static void test_a_short_baseline_is_none_to_compare_with(void **state)
{
    struct RunSample *run = drill(state);
    run->record.baseline_began = at(14800 * MS);

    expect(run, "during.min_rate", 0, "50% of before");
    struct Judged one = judged(run);

    assert_int_equal(one.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(one.note, "good answers before the fault: too few to tell"));
}

/* Up again at the undo: 800 that hung since the fault are answered soon after it. */
static void test_what_hung_before_a_phase_is_not_its_rate(void **state)
{
    struct RunSample *run = run_sample_new(*state, 7);
    run_sample_probe(run, "shop", "http")->timeout_ns = 90 * NS_PER_S;
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    run_sample_attempts(run, 0, NULL, 0);
    struct Sample *samples = run->samples.items;
    for (size_t n = 0; n < run->samples.count; n++) {
        bool hung = !mono_before(samples[n].started, at(20000 * MS)) &&
                    mono_before(samples[n].started, at(60000 * MS));
        if (hung)
            samples[n].ended = at(61000 * MS + (int64_t)n * MS);
        else if (n % 2 == 1 && !mono_before(samples[n].started, at(60000 * MS)))
            samples[n].outcome = OUTCOME_FAILED; /* half of the rate */
    }

    assert_int_equal(verdict_of(run, "after.min_rate", 0, "95% of before"), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "after.min_rate", 0, "45% of before"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "after.min_rate", 0, "12/s"), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "after.min_rate", 0, "9/s"), VERDICT_PASS);
}

/* Down for the first 10 of the 20 s before the first step: 20/s were there, not 10. */
static void test_the_wait_for_steadiness_is_no_baseline(void **state)
{
    static const struct Outage down[] = {{0, 10000 * MS, DOWN_REFUSED},
                                         {20100 * MS, 40100 * MS, DOWN_REFUSED}};
    struct RunSample *run = run_sample_new(*state, 7);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    run->record.steps_began = at(20000 * MS);
    run_sample_attempts(run, 0, down, COUNT_OF(down));

    assert_int_equal(verdict_of(run, "during.min_rate", 0, "60% of before"), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "during.min_rate", 0, "45% of before"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "before.max_errors", 10000, NULL), VERDICT_FAIL);
    struct Sample *samples = run->samples.items;
    samples[392].outcome = OUTCOME_FAILED; /* at 19.6 s: 7 answers until the fault */
    expect(run, "during.min_rate", 0, "45% of before");
    struct Judged one = judged(run);
    assert_int_equal(one.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(one.note, "good answers before the fault: too few to tell"));
}

/* ---- Status ---- */
static void test_one_answer_of_another_status_breaks_it(void **state)
{
    struct RunSample *run = drill(state);

    assert_int_equal(verdict_of(run, "before.status_only", 0, "200"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "before.status_only", 0, "204, 503"), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "during.status_only", 0, "200, 111"), VERDICT_FAIL);
    struct Sample *samples = run->samples.items;
    samples[100].outcome = OUTCOME_FAILED;
    samples[100].failure = FAILURE_UNAVAILABLE;
    samples[100].code = 503;
    assert_int_equal(verdict_of(run, "before.status_only", 0, "200"), VERDICT_FAIL);
    assert_int_equal(verdict_of(run, "before.status_only", 0, "200, 503"), VERDICT_PASS);
    samples[100].failure = FAILURE_SLOW; /* the right one, too late */
    assert_int_equal(verdict_of(run, "before.status_only", 0, "200, 503"), VERDICT_FAIL);
}

/* Sent at 14.9 s and `ended` with 503; all else is good. */
static enum Verdict with_one(void **state, const char *word, int64_t ended_ms)
{
    struct RunSample *run = run_sample_new(*state, 7);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, 60000 * MS);
    run_sample_attempts(run, 0, NULL, 0);
    struct Sample *sample = &((struct Sample *)run->samples.items)[298];
    assert_true(mono_before(sample->started, at(15000 * MS)));
    sample->ended = at(ended_ms * MS);
    sample->outcome = OUTCOME_FAILED;
    sample->failure = FAILURE_UNAVAILABLE;
    sample->code = 503;
    return verdict_of(run, word, 0, "200");
}

static void test_another_status_across_an_end_is_no_pass(void **state)
{
    assert_int_equal(with_one(state, "status_only", 14990), VERDICT_PASS);
    assert_int_equal(with_one(state, "status_only", 15020), VERDICT_INCONCLUSIVE);
    assert_int_equal(with_one(state, "status_only", 16000), VERDICT_FAIL);
    assert_int_equal(with_one(state, "status_only", 81000), VERDICT_INCONCLUSIVE);
    assert_int_equal(with_one(state, "before.status_only", 16000), VERDICT_INCONCLUSIVE);
    assert_int_equal(with_one(state, "during.status_only", 16000), VERDICT_INCONCLUSIVE);
    assert_int_equal(with_one(state, "after.status_only", 16000), VERDICT_PASS);
}

/* ---- A failover ---- */
/* Asked for at `sent_ms`; the new primary came `after_ms` later, or was not seen (0). */
static void fail_over(struct RunSample *run, int64_t sent_ms, int64_t after_ms)
{
    struct RunFault *fault = run_sample_fault(run, sent_ms * MS, 0);
    fault->kind = "failover";
    fault->step = "failover db";
    fault->role = "db";
    fault->undone = fault->t0; /* its row is closed with that */
    struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
    *system = (struct RunSystem){.role = "db", .system = "patroni"};
    if (after_ms > 0) {
        system->failed_over_low = at((sent_ms + after_ms - 500) * MS);
        system->failed_over_high = at((sent_ms + after_ms) * MS);
    }
}

static struct RunSample *served(void **state, int64_t from_ms, int64_t to_ms)
{
    struct RunSample *run = run_sample_new(*state, 7);
    const struct Outage down = {from_ms * MS, to_ms * MS, DOWN_REFUSED};
    run_sample_probe(run, "shop", "http");
    run_sample_attempts(run, 0, &down, 1);
    return run;
}

static void test_a_failover_is_over_when_the_new_primary_is_there(void **state)
{
    struct RunSample *run = served(state, 20100, 24000);
    fail_over(run, 20000, 5000);
    assert_int_equal(verdict_of(run, "after.min_rate", 0, "90% of before"), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "after.max_errors", 10000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.max_errors", 900000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "during.max_errors", 500000, NULL), VERDICT_FAIL);

    run = served(state, 20100, 40000);
    fail_over(run, 20000, 5000);
    assert_int_equal(verdict_of(run, "after.min_rate", 0, "90% of before"), VERDICT_FAIL);

    run = served(state, 20100, 24000);
    fail_over(run, 20000, 0);
    expect(run, "after.min_rate", 0, "90% of before");
    struct Judged one = judged(run);
    assert_int_equal(one.verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(one.note, "no new primary was seen");
    assert_int_equal(verdict_of(run, "during.max_errors", 900000, NULL), VERDICT_INCONCLUSIVE);
}

static void test_a_failover_beside_a_fault_keeps_no_phase_open(void **state)
{
    for (int64_t after_ms = 0; after_ms <= 5000; after_ms += 5000) {
        struct RunSample *run = served(state, 50100, 54000);
        run_sample_fault(run, 20000 * MS, 40000 * MS);
        fail_over(run, 50000, after_ms);
        /* Not seen to end: what it broke counts, rather than nothing. */
        assert_int_equal(verdict_of(run, "after.max_errors", 10000, NULL),
                         after_ms == 0 ? VERDICT_FAIL : VERDICT_PASS);
        assert_int_equal(verdict_of(run, "during.max_errors", 200000, NULL), VERDICT_PASS);
        struct RunFault *fault = run->faults.items;
        fault->undone.high = (struct Mono){0};
        assert_int_equal(verdict_of(run, "after.max_errors", 10000, NULL), VERDICT_INCONCLUSIVE);
    }
}

/* 503 all through the fault; one that was sent just before the undo waited for it, and is good. */
static void test_a_good_answer_across_the_undo_is_not_of_the_phase(void **state)
{
    struct RunSample *run = run_sample_new(*state, 7);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, 60000 * MS);
    run_sample_attempts(run, 0, NULL, 0);
    struct Sample *samples = run->samples.items, *last = NULL;
    for (size_t n = 0; n < run->samples.count; n++) {
        if (mono_before(samples[n].started, at(15000 * MS)) ||
            !mono_before(samples[n].started, at(60000 * MS)))
            continue;
        last = &samples[n];
        last->outcome = OUTCOME_FAILED;
        last->failure = FAILURE_UNAVAILABLE;
        last->code = 503;
    }
    assert_non_null(last);
    last->ended = at(60100 * MS);
    last->code = 500;
    assert_int_equal(verdict_of(run, "during.status_only", 0, "503"), VERDICT_INCONCLUSIVE);
    last->outcome = OUTCOME_OK;
    last->code = 200;
    assert_int_equal(verdict_of(run, "during.status_only", 0, "503"), VERDICT_PASS);
}

/* ---- What is missing ---- */
static void test_a_phase_that_never_came_is_no_pass(void **state)
{
    struct RunSample *run = drill(state);
    struct RunFault *fault = run->faults.items;

    fault->undone.high = (struct Mono){0};
    assert_int_equal(verdict_of(run, "after.max_errors", 1000000, NULL), VERDICT_INCONCLUSIVE);
    fault->t0.high = (struct Mono){0};
    assert_int_equal(verdict_of(run, "during.max_errors", 1000000, NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "before.max_errors", 50000, NULL), VERDICT_PASS);
    assert_int_equal(verdict_of(run, "before.max_wonder", 0, NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "once.max_errors", 0, NULL), VERDICT_INCONCLUSIVE);
}

static void test_a_run_that_died_is_not_good_afterwards(void **state)
{
    struct RunSample *run = drill(state);
    run->record.finished = false;

    assert_int_equal(verdict_of(run, "after.max_errors", 50000, NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(run, "after.max_errors", 10000, NULL), VERDICT_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_phase_counts_its_own_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_few_requests_prove_no_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_limit_between_both_answers_is_inconclusive, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_outage_counts_in_the_phase_that_it_lies_in, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_outage_over_the_undo_is_cut_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_percentile_needs_answers_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_rate_is_compared_with_the_run_s_own_baseline, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_short_baseline_is_none_to_compare_with, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_hung_before_a_phase_is_not_its_rate, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_wait_for_steadiness_is_no_baseline, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_one_answer_of_another_status_breaks_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_another_status_across_an_end_is_no_pass, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_failover_is_over_when_the_new_primary_is_there,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_failover_beside_a_fault_keeps_no_phase_open, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_good_answer_across_the_undo_is_not_of_the_phase,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_phase_that_never_came_is_no_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_run_that_died_is_not_good_afterwards, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
