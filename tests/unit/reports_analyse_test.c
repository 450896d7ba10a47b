/* reports_analyse_test.c - recovery, verdicts and what spoils a run. */
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

static struct Report analysed(struct RunSample *run)
{
    struct Report report;
    analyse(run_sample_done(run), NULL, 0, run->arena, &report);
    return report;
}

static struct Mono at(int64_t ns)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ns};
}

/* One probe "shop", isolated from 15 to 75 s. */
static struct RunSample *drill(void **state, const struct Outage *outages, size_t count)
{
    struct RunSample *run = run_sample_new(*state, 3);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_expect(run, "shop", "recover_within", 20 * NS_PER_S);
    run_sample_attempts(run, 0, outages, count);
    return run;
}

/* ---- TV14 of MEASURING.md C.11 ---- */

static void add(struct RunSample *run, int64_t started_ms, int64_t ended_ms, bool ok)
{
    uint32_t sequence = (uint32_t)run->samples.count;
    struct Sample *sample = list_add(&run->samples, run->arena, sizeof(*sample));
    *sample = (struct Sample){.sequence = sequence,
                              .intended = at(started_ms * MS),
                              .started = at(started_ms * MS),
                              .ended = at(ended_ms * MS),
                              .outcome = ok ? OUTCOME_OK : OUTCOME_FAILED,
                              .failure = ok ? FAILURE_NONE : FAILURE_REFUSED};
}

static struct RunSample *vector14(struct Arena *arena)
{
    struct RunSample *run = run_sample_new(arena, 1);
    struct RunProbe *probe = run_sample_probe(run, "shop", "http");
    probe->interval_ns = 100 * MS;
    struct RunFault *fault = run_sample_fault(run, 9950 * MS, 75000 * MS);
    fault->t0.high = at(9960 * MS);
    run->record.steps_began = at(9950 * MS);
    for (int64_t n = 100; n <= 9800; n += 100)
        add(run, n, n + 5, true);
    add(run, 9900, 9905, true);
    for (int64_t n = 10000; n <= 15900; n += 100)
        add(run, n, n + 1, false);
    for (int64_t n = 16000; n < 99900; n += 100)
        add(run, n, n + 4, true);
    return run;
}

static enum Verdict verdict14(struct Arena *arena, int64_t limit_ns)
{
    struct RunSample *run = vector14(arena);
    run_sample_expect(run, "shop", "recover_within", limit_ns);
    return analysed(run).judged[0].verdict;
}

static void test_the_arithmetic_is_that_of_the_test_vector(void **state)
{
    struct RunSample *run = vector14(*state);

    struct Report report = analysed(run);

    const struct ProbeResult *shop = &report.probes[0];
    assert_int_equal(shop->recovered.low_ns, 5940 * MS);
    assert_int_equal(shop->recovered.high_ns, 6054 * MS);
    assert_int_equal(shop->outage.low_ns, 5899 * MS);
    assert_int_equal(shop->outage.high_ns, 6104 * MS);
    assert_int_equal(shop->downtime.high_ns, 6104 * MS);
    assert_int_equal(verdict14(*state, 6000 * MS), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict14(*state, 6100 * MS), VERDICT_PASS);
    assert_int_equal(verdict14(*state, 5900 * MS), VERDICT_FAIL);
}

/* ---- Recovery ---- */

static void test_recovery_ends_where_the_truth_lies(void **state)
{
    static const struct Outage down = {15100 * MS, 19300 * MS, DOWN_REFUSED};
    struct Report report = analysed(drill(state, &down, 1));

    const struct ProbeResult *shop = &report.probes[0];
    assert_true(shop->recovered.low_ns <= 4260 * MS && shop->recovered.high_ns >= 4300 * MS);
    assert_true(shop->recovered.high_ns - shop->recovered.low_ns <= 110 * MS);
    assert_int_equal(report.verdict, VERDICT_PASS);
    assert_false(shop->unaffected || shop->censored);
    assert_int_equal(shop->windows, 1);
}

static void test_flapping_recovers_after_its_last_stretch(void **state)
{
    static const struct Outage down[] = {{15100 * MS, 17000 * MS, DOWN_REFUSED},
                                         {22000 * MS, 24000 * MS, DOWN_REFUSED},
                                         {40000 * MS, 41000 * MS, DOWN_REFUSED}};
    struct Report report = analysed(drill(state, down, 3));

    const struct ProbeResult *shop = &report.probes[0];
    assert_true(shop->recovered.high_ns >= 26000 * MS && shop->recovered.high_ns < 26200 * MS);
    assert_true(shop->first_recovered.high_ns >= 9000 * MS &&
                shop->first_recovered.high_ns < 9200 * MS); /* 17.0 to 22.0 s does not hold */
    assert_int_equal(shop->windows, 3);
    assert_int_equal(report.verdict, VERDICT_FAIL);
}

static void test_what_the_undo_mends_is_no_recovery(void **state)
{
    static const struct Outage down = {15100 * MS, 75020 * MS, DOWN_REFUSED};
    struct Report report = analysed(drill(state, &down, 1));

    const struct ProbeResult *shop = &report.probes[0];
    assert_true(shop->censored);
    assert_int_equal(shop->recovered.high_ns, NS_NEVER);
    assert_true(shop->recovered.low_ns > 59800 * MS);
    assert_true(shop->healed.high_ns > 0 && shop->healed.high_ns < 100 * MS);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
    assert_string_equal(report.judged[0].measured, "> 59.9 s");
}

/* Its row is closed with the moment it was asked for: what follows is its doing, not an undo's. */
static void test_what_a_planned_failover_breaks_is_its_recovery(void **state)
{
    struct RunSample *run = vector14(*state);
    struct RunFault *fault = run->faults.items;
    fault->kind = "failover";
    fault->undone = fault->t0;

    struct Report report = analysed(run);

    const struct ProbeResult *shop = &report.probes[0];
    assert_false(shop->unaffected);
    assert_int_equal(shop->recovered.low_ns, 5940 * MS);
    assert_int_equal(shop->recovered.high_ns, 6054 * MS);
    assert_int_equal(shop->healed.high_ns, 0);
    assert_int_equal(report.undone_count, 1);
}

static void test_what_the_undo_breaks_is_healing(void **state)
{
    static const struct Outage down = {75000 * MS, 76500 * MS, DOWN_REFUSED};
    struct Report report = analysed(drill(state, &down, 1));

    const struct ProbeResult *shop = &report.probes[0];
    assert_false(shop->unaffected || shop->censored);
    assert_int_equal(shop->recovered.low_ns, NS_NEVER);
    assert_true(shop->healed.low_ns < 1500 * MS && shop->healed.high_ns > 1500 * MS);
    assert_int_equal(report.judged[0].verdict, VERDICT_PASS);
}

static void test_ok_too_short_before_the_undo_is_no_recovery(void **state)
{
    static const struct Outage down[] = {{15100 * MS, 70000 * MS, DOWN_REFUSED},
                                         {75000 * MS, 76000 * MS, DOWN_REFUSED}};
    struct RunSample *run = drill(state, down, 2);
    run_sample_expect(run, "shop", "recover_within", 58 * NS_PER_S);
    struct Report report = analysed(run);

    assert_true(report.probes[0].censored);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
    assert_int_equal(report.judged[1].verdict, VERDICT_INCONCLUSIVE);
}

static void test_two_faults_have_a_recovery_each_and_the_slower_speaks(void **state)
{
    static const struct Outage down[] = {{15100 * MS, 17000 * MS, DOWN_REFUSED},
                                         {45100 * MS, 52000 * MS, DOWN_REFUSED}};
    struct RunSample *run = run_sample_new(*state, 3);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, 40000 * MS);
    run_sample_fault(run, 45000 * MS, 75000 * MS);
    run_sample_attempts(run, 0, down, 2);

    struct Report report = analysed(run);

    const struct ProbeResult *shop = &report.probes[0];
    assert_int_equal(report.cause_count, 2);
    assert_true(shop->causes[0].recovered.high_ns < 2200 * MS);
    assert_true(shop->causes[1].recovered.high_ns > 6900 * MS);
    assert_int_equal(shop->recovered.high_ns, shop->causes[1].recovered.high_ns);
}

static void test_hosts_of_one_step_are_one_cause(void **state)
{
    struct RunSample *run = run_sample_new(*state, 3);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_fault(run, 15010 * MS, 75010 * MS);
    run_sample_attempts(run, 0, NULL, 0);

    struct Report report = analysed(run);

    assert_int_equal(report.cause_count, 1);
    assert_int_equal(report.t0.low.ns, at(15000 * MS).ns);
    assert_int_equal(report.t0.high.ns, at(15050 * MS).ns);
    assert_int_equal(report.undone.high.ns, at(75070 * MS).ns);
}

/* Two of one `parallel` from 15 s, undone at `first_ms` and `last_ms` (0: not). */
static struct RunSample *pair(void **state, int64_t first_ms, int64_t last_ms, struct Outage down)
{
    struct RunSample *run = run_sample_new(*state, 3);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, first_ms * MS)->together = 1;
    struct RunFault *last = run_sample_fault(run, 15000 * MS, last_ms * MS);
    last->together = 1;
    last->step = "slow disk";
    if (last_ms == 0)
        last->undone = (struct Moment){{0}, {0}};
    run_sample_expect(run, "shop", "recover_within", 20 * NS_PER_S);
    run_sample_expect(run, "shop", "during.max_errors", 100000);
    run_sample_attempts(run, 0, &down, 1);
    return run;
}

static void test_a_parallel_is_there_until_its_last_undo(void **state)
{
    static const struct Outage down = {30000 * MS, 74000 * MS, DOWN_REFUSED};
    struct Report report = analysed(pair(state, 25000, 75000, down));

    const struct ProbeResult *shop = &report.probes[0];
    assert_int_equal(report.cause_count, 1);
    assert_true(shop->censored); /* the first undo may have had a part in it */
    assert_true(shop->recovered.low_ns > 58000 * MS);
    assert_int_equal(shop->healed.high_ns, 0);
    assert_int_equal(shop->during_attempts, 1200);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
    assert_int_equal(report.judged[1].verdict, VERDICT_FAIL);

    report = analysed(pair(state, 25000, 0, down));
    assert_true(report.probes[0].censored);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
}

static void test_what_the_first_undo_of_a_parallel_mends_is_no_recovery(void **state)
{
    static const struct Outage own = {15100 * MS, 20000 * MS, DOWN_REFUSED};
    static const struct Outage mended = {15100 * MS, 25020 * MS, DOWN_REFUSED};

    assert_int_equal(analysed(pair(state, 25000, 75000, own)).judged[0].verdict, VERDICT_PASS);
    struct Report report = analysed(pair(state, 25000, 75000, mended));
    assert_true(report.probes[0].censored);
    assert_int_equal(report.judged[0].verdict, VERDICT_INCONCLUSIVE);
}

static void test_silence_widens_the_interval_by_under(void **state)
{
    static const struct Outage down = {15100 * MS, 25000 * MS, DOWN_FROZEN};
    struct RunSample *run = run_sample_new(*state, 3);
    struct RunProbe *probe = run_sample_probe(run, "shop", "http");
    probe->under_ns = 500 * MS;
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_attempts(run, 0, &down, 1);

    struct Report report = analysed(run);

    const struct ProbeResult *shop = &report.probes[0];
    assert_true(shop->silent);
    assert_true(shop->froze);
    assert_true(shop->resolution_ns >= 500 * MS && shop->resolution_ns < 620 * MS);
    int64_t width = shop->recovered.high_ns - shop->recovered.low_ns;
    assert_true(width <= 50 * MS + 20 * MS + 40 * MS + 500 * MS);
    assert_non_null(strstr(report.findings[0].text, "TCP still connects"));
}

/* ---- Verdicts ---- */

static void test_nobody_noticed_is_a_pass_with_its_resolution(void **state)
{
    struct RunSample *run = drill(state, NULL, 0);
    run_sample_expect(run, "shop", "max_outage", 1);

    struct Report report = analysed(run);

    assert_int_equal(report.verdict, VERDICT_PASS);
    assert_true(report.unaffected && report.probes[0].unaffected);
    assert_string_equal(report.judged[0].measured, "no outage of 60 ms or more seen");
    assert_int_equal(report.judged[1].verdict, VERDICT_PASS);
    assert_int_equal(report.probes[0].recovered.low_ns, NS_NEVER);
}

/* Every answer came, but some came after 1.4 s of silence: so much may hide between two of them. */
static void test_a_silence_that_no_attempt_failed_in_widens_what_was_not_seen(void **state)
{
    static const struct Outage down = {15100 * MS, 16500 * MS, DOWN_FROZEN};
    struct Report report = analysed(drill(state, &down, 1));

    assert_true(report.probes[0].unaffected);
    assert_string_equal(report.judged[0].measured, "no outage of 1.5 s or more seen");
}

static void test_bounds_that_ask_for_an_event_are_missed_without_one(void **state)
{
    struct RunSample *run = drill(state, NULL, 0);
    run_sample_expect(run, "shop", "recover_not_before", NS_PER_S);
    run_sample_expect(run, "shop", "must_notice", 1);

    struct Report report = analysed(run);

    assert_int_equal(report.judged[1].verdict, VERDICT_FAIL);
    assert_int_equal(report.judged[2].verdict, VERDICT_INCONCLUSIVE);
}

static void test_errors_count_while_the_fault_was_in_effect(void **state)
{
    static const struct Outage down[] = {{15100 * MS, 18100 * MS, DOWN_REFUSED},
                                         {76000 * MS, 79000 * MS, DOWN_REFUSED}};
    struct RunSample *run = drill(state, down, 2);
    run_sample_expect(run, "shop", "max_errors", 50000);
    run_sample_expect(run, "shop", "max_errors", 49000);

    struct Report report = analysed(run);

    assert_int_equal(report.probes[0].during_attempts, 1200);
    assert_int_equal(report.probes[0].during_failed, 60);
    assert_int_equal(report.judged[1].verdict, VERDICT_PASS);
    assert_int_equal(report.judged[2].verdict, VERDICT_FAIL);
    assert_string_equal(report.judged[1].note,
                        "60 of 1 200 requests while the fault was in effect");
}

static void test_not_undone_outranks_everything(void **state)
{
    struct RunSample *run = drill(state, NULL, 0);
    run->record.ended_as = VERDICT_HALTED;
    ((struct RunFault *)run->faults.items)[0].clear = false;

    struct Report report = analysed(run);

    assert_int_equal(report.verdict, VERDICT_NOT_UNDONE);
    assert_string_equal(report.why, "0 of 1 undone: the isolate may still be in effect on api-2");
}

static void test_a_refusal_is_not_judged(void **state)
{
    struct RunSample *run = run_sample_new(*state, 3);
    run_sample_probe(run, "shop", "http");
    run_sample_expect(run, "shop", "recover_within", NS_PER_S);
    run->record.ended_as = VERDICT_REFUSED;
    run->record.why = "staging has not passed this text yet";
    run->record.steps_began = run->record.observing_ended = (struct Mono){0};

    struct Report report = analysed(run);

    assert_int_equal(report.verdict, VERDICT_REFUSED);
    assert_string_equal(report.why, "staging has not passed this text yet");
    assert_int_equal(report.judged_count, 0);
}

static void test_not_steady_after_the_undo_fails(void **state)
{
    struct RunSample *run = drill(state, NULL, 0);
    run->record.not_steady = true;

    assert_int_equal(analysed(run).verdict, VERDICT_FAIL);
}

/* ---- What spoils a run ---- */

enum Spoil {
    SPOIL_UNPROVEN,
    SPOIL_EARLY,
    SPOIL_SKIPPED,
    SPOIL_BROKEN,
    SPOIL_SUSPENDED,
    SPOIL_CONTROL,
    SPOIL_DIED,
    SPOIL_LOST_SAMPLES,
    SPOIL_COUNT
};

static void spoil(struct RunSample *run, enum Spoil how)
{
    static const struct Outage down = {30000 * MS, 31000 * MS, DOWN_REFUSED};
    struct RunFault *fault = run->faults.items;
    struct Sample *samples = run->samples.items;
    switch (how) {
    case SPOIL_UNPROVEN:
        fault->t0.high = (struct Mono){0};
        return;
    case SPOIL_EARLY:
        fault->ended_early = at(40000 * MS);
        return;
    case SPOIL_SKIPPED:
    case SPOIL_BROKEN:
        for (size_t n = 400; n < 425; n++)
            samples[n].outcome = how == SPOIL_SKIPPED ? OUTCOME_SKIPPED : OUTCOME_BROKEN;
        return;
    case SPOIL_SUSPENDED:
        run->record.suspended_ns = 3 * NS_PER_S;
        return;
    case SPOIL_CONTROL:
        run_sample_probe(run, "gateway", "tcp")->control = true;
        run_sample_attempts(run, 1, &down, 1);
        return;
    case SPOIL_DIED:
        run->record.finished = false;
        return;
    case SPOIL_LOST_SAMPLES:
        for (size_t n = 400; n < run->samples.count; n++)
            samples[n].sequence += 30;
        return;
    case SPOIL_COUNT:
        return;
    }
}

static void test_every_spoiled_run_is_inconclusive_and_says_why(void **state)
{
    static const struct Outage down = {15100 * MS, 19300 * MS, DOWN_REFUSED};
    static const char *const why[SPOIL_COUNT] = {
        "the isolate on api-2 was not proven",
        "the isolate on api-2 ended before its undo was sent",
        "1.9 % of the attempts of probe shop were skipped or broken",
        "1.9 % of the attempts of probe shop were skipped or broken",
        "the runner's machine was suspended for 3 s",
        "control probe gateway failed: the way to the service was bad, not only the service",
        "the runner was cut off before the run had ended",
        "30 samples of probe shop were lost on their way",
    };
    for (int how = 0; how < SPOIL_COUNT; how++) {
        struct RunSample *run = drill(state, &down, 1);
        run_sample_expect(run, "shop", "max_outage", NS_PER_S); /* missed: still not FAIL */
        spoil(run, (enum Spoil)how);

        struct Report report = analysed(run);

        assert_int_equal(report.verdict, VERDICT_INCONCLUSIVE);
        assert_string_equal(report.why, why[how]);
    }
}

static void test_one_percent_skipped_is_not_spoiled(void **state)
{
    struct RunSample *run = drill(state, NULL, 0);
    struct Sample *samples = run->samples.items;
    for (size_t n = 400; n < 413; n++)
        samples[n].outcome = OUTCOME_SKIPPED;

    assert_int_equal(analysed(run).verdict, VERDICT_PASS);
}

static void test_a_record_of_nothing_is_taken(void **state)
{
    struct RunRecord record = {.id = "x", .why = "", .ended_as = VERDICT_PASS};
    struct Report report;

    analyse(&record, NULL, 0, *state, &report);

    assert_int_equal(report.verdict, VERDICT_INCONCLUSIVE);
}

/* ---- An alert ---- */

static void tell(struct RunSample *run, int64_t started_ms, enum Outcome outcome)
{
    uint32_t sequence = (uint32_t)run->samples.count;
    struct Sample *sample = list_add(&run->samples, run->arena, sizeof(*sample));
    *sample =
        (struct Sample){.sequence = sequence,
                        .intended = at(started_ms * MS),
                        .started = at(started_ms * MS),
                        .ended = at((started_ms + 5) * MS),
                        .outcome = (uint16_t)outcome,
                        .failure = outcome == OUTCOME_FAILED ? FAILURE_CONTENT : FAILURE_NONE};
}

/* Asked each second; isolated from 15 to 75 s; it fires from `from` to `to`, in seconds. */
static struct Report told(void **state, int64_t from, int64_t to, int64_t limit_ns)
{
    struct RunSample *run = run_sample_new(*state, 3);
    struct RunProbe *probe = run_sample_probe(run, "told", "alert");
    probe->interval_ns = NS_PER_S;
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_expect(run, "told", "detected_within", limit_ns);
    for (int64_t s = 0; s < 100; s++)
        tell(run, s * 1000, s >= from && s < to ? OUTCOME_FAILED : OUTCOME_OK);
    return analysed(run);
}

static void test_an_alert_is_detected_from_the_fault_to_its_firing(void **state)
{
    struct Report report = told(state, 40, 200, 30 * NS_PER_S);

    assert_string_equal(report.judged[0].measured, "23.9-25.1 s");
    assert_int_equal(report.judged[0].verdict, VERDICT_PASS);
    assert_int_equal(report.verdict, VERDICT_PASS);
    assert_int_equal(report.finding_count, 0); /* that it is over heals nobody */
    assert_int_equal(told(state, 40, 200, 20 * NS_PER_S).verdict, VERDICT_FAIL);
    assert_int_equal(told(state, 40, 200, 24500 * MS).verdict, VERDICT_INCONCLUSIVE);
    /* Also after the undo, and where it is over by then. */
    assert_int_equal(told(state, 77, 200, 65 * NS_PER_S).verdict, VERDICT_PASS);
    assert_int_equal(told(state, 40, 41, 30 * NS_PER_S).verdict, VERDICT_PASS);
}

static void test_an_alert_that_never_fires_is_a_miss(void **state)
{
    struct Report report = told(state, 200, 200, 30 * NS_PER_S);

    assert_string_equal(report.judged[0].measured, "never fired");
    assert_int_equal(report.verdict, VERDICT_FAIL);
    assert_int_equal(told(state, 200, 200, 90 * NS_PER_S).judged[0].verdict, VERDICT_INCONCLUSIVE);
}

static void test_an_alert_that_fired_before_says_nothing(void **state)
{
    struct Report report = told(state, 10, 200, 30 * NS_PER_S);

    assert_int_equal(report.judged[0].verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(report.judged[0].note, "it fired already when the fault was sent");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_arithmetic_is_that_of_the_test_vector),
        TEST(test_recovery_ends_where_the_truth_lies),
        TEST(test_flapping_recovers_after_its_last_stretch),
        TEST(test_what_the_undo_mends_is_no_recovery),
        TEST(test_what_a_planned_failover_breaks_is_its_recovery),
        TEST(test_what_the_undo_breaks_is_healing),
        TEST(test_ok_too_short_before_the_undo_is_no_recovery),
        TEST(test_two_faults_have_a_recovery_each_and_the_slower_speaks),
        TEST(test_hosts_of_one_step_are_one_cause),
        TEST(test_a_parallel_is_there_until_its_last_undo),
        TEST(test_what_the_first_undo_of_a_parallel_mends_is_no_recovery),
        TEST(test_silence_widens_the_interval_by_under),
        TEST(test_nobody_noticed_is_a_pass_with_its_resolution),
        TEST(test_a_silence_that_no_attempt_failed_in_widens_what_was_not_seen),
        TEST(test_bounds_that_ask_for_an_event_are_missed_without_one),
        TEST(test_errors_count_while_the_fault_was_in_effect),
        TEST(test_not_undone_outranks_everything),
        TEST(test_a_refusal_is_not_judged),
        TEST(test_not_steady_after_the_undo_fails),
        TEST(test_every_spoiled_run_is_inconclusive_and_says_why),
        TEST(test_one_percent_skipped_is_not_spoiled),
        TEST(test_a_record_of_nothing_is_taken),
        TEST(test_an_alert_is_detected_from_the_fault_to_its_firing),
        TEST(test_an_alert_that_never_fires_is_a_miss),
        TEST(test_an_alert_that_fired_before_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
