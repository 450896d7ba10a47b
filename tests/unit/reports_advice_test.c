/* reports_advice_test.c - a FAIL names the setting that explains it, and only that. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../reports/analyse.h"
#include "../../reports/kinds.h"
#include "../../runner/base/text.h"
#include "../../runner/model/system.h"
#include "../../runner/systems/kinds.h"
#include "../fakes/run_sample.h"

#define MS NS_PER_MS
#define S NS_PER_S
#define SENTINEL_KNOBS                                                                             \
    "down-after-milliseconds 30000, quorum 2 of 3 Sentinels, min-replicas-to-write 0, "            \
    "min-replicas-max-lag 10 s"

/* redis-1 leads until a fault at 15 s; its clients are back at `back_ns`, another leads from
 * `led_ns` on (0: nobody); the fault is undone at `undo_ns`. */
struct Drilled {
    const char *fault, *knobs;
    struct Span expected;
    int64_t back_ns, led_ns, undo_ns;
};

static struct Mono at(int64_t ns)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ns};
}

static bool since_the_cut(const struct Sample *sample, void *data)
{
    (void)data;
    return sample->ended.ns > at(15 * S).ns && sample->ended.ns < at(75 * S).ns;
}

static struct RunSample *drilled(struct Arena *arena, const struct Drilled *of)
{
    const struct Outage down = {15030 * MS, of->back_ns, DOWN_REFUSED};
    struct RunSample *run = run_sample_new(arena, 11);
    run_sample_probe(run, "writes", "ledger")->role = "redis";
    run_sample_probe(run, "redis", "primary")->role = "redis";
    struct RunProbe *stranded = run_sample_probe(run, "stranded", "ledger");
    stranded->role = "redis";
    stranded->from = "redis-1";
    struct RunFault *fault = run_sample_fault(run, 15 * S, of->undo_ns);
    fault->kind = of->fault;
    fault->host = "redis-1";
    fault->role = "redis";
    run_sample_host(run, "redis-1");
    struct RunSystem *system = list_add(&run->systems, arena, sizeof(*system));
    *system = (struct RunSystem){.role = "redis",
                                 .system = "redis_sentinel",
                                 .table = redis_sentinel_system.knobs,
                                 .knobs = of->knobs,
                                 .expected = of->expected,
                                 .primary_before = "redis-1",
                                 .primary_after = "redis-3"};
    if (of->led_ns > 0) {
        system->detected_low = at(of->led_ns - 1200 * MS);
        system->detected_high = at(of->led_ns - 1000 * MS);
        system->failed_over_low = at(of->led_ns - 200 * MS);
        system->failed_over_high = at(of->led_ns);
    }
    run_sample_attempts(run, 0, &down, 1);
    run_sample_attempts(run, 1, NULL, 0);
    run_sample_attempts(run, 2, NULL, 0);
    run_sample_by(run, 0, 1, 0, 100 * S);
    run_sample_by(run, 2, 1, 0, 100 * S);
    run_sample_found(run, 0, NULL, NULL);
    run_sample_found(run, 2, text_equal(of->fault, "isolate") ? since_the_cut : NULL, NULL);
    return run;
}

/* What is advised: "KNOB TODAY -> VALUE; ..." */
static const char *advised(struct RunSample *run, struct Report *report)
{
    struct Buf text = BUF(1000);
    analyse(run_sample_done(run), NULL, 0, run->arena, report);
    for (size_t n = 0; n < report->advice_count; n++)
        buf_printf(&text, "%s%s %s -> %s", n > 0 ? "; " : "", report->advice[n].knob,
                   report->advice[n].today, report->advice[n].value);
    const char *copy = arena_text(run->arena, text.text);
    buf_free(&text);
    return copy;
}

static void test_a_failover_as_slow_as_its_settings_names_them(void **state)
{
    const struct Drilled slow = {"kill",     SENTINEL_KNOBS, {29 * S, 35 * S},
                                 46500 * MS, 46 * S,         75 * S};
    struct RunSample *run = drilled(*state, &slow);
    struct Report report;
    run_sample_expect(run, "writes", "recover_within", 15 * S);
    run_sample_expect(run, "redis", "failover_within", 12 * S);

    const char *said = advised(run, &report);

    assert_int_equal(report.verdict, VERDICT_FAIL);
    assert_string_equal(said, "down-after-milliseconds 30000 -> 5000");
    assert_string_equal(report.advice[0].line,
                        "SENTINEL SET <master> down-after-milliseconds 5000");
    assert_string_equal(report.advice[0].gain, "failover in 4.0-10.0 s instead of 29.0-35.0 s");
    struct Buf text = BUF(4000);
    report_text_style(&report, (struct TextStyle){.unicode = true}, &text);
    assert_non_null(strstr(text.text,
                           "\nlook at: redis down-after-milliseconds 30000: SENTINEL SET "
                           "<master> down-after-milliseconds 5000\n"
                           "  failover in 4.0-10.0 s instead of 29.0-35.0 s\n"
                           "  today: detection 29.7-30.0 s"));
    buf_free(&text);
    assert_string_equal(report.phases,
                        "detection 29.7-30.0 s, election 0.7-1.3 s, reconnection 417-753 ms");
}

static void test_one_slower_than_its_settings_names_none(void **state)
{
    const struct Drilled slow = {"kill", SENTINEL_KNOBS, {29 * S, 35 * S}, 70 * S, 69 * S, 75 * S};
    struct RunSample *run = drilled(*state, &slow);
    struct Report report;
    run_sample_expect(run, "redis", "failover_within", 12 * S);

    assert_string_equal(advised(run, &report), "");
    assert_int_equal(report.verdict, VERDICT_FAIL);
    assert_null(report.phases);
}

static void test_a_fault_that_was_over_before_names_what_is_too_long(void **state)
{
    const struct Drilled over = {"kill", SENTINEL_KNOBS, {29 * S, 35 * S}, 36 * S, 0, 35 * S};
    struct RunSample *run = drilled(*state, &over);
    struct Report report;
    run->record.observing_ended = run->record.undo_began = at(35 * S);
    run_sample_expect(run, "writes", "recover_within", 15 * S);

    assert_string_equal(advised(run, &report), "down-after-milliseconds 30000 -> 7000");
}

static void test_losses_of_a_cut_off_primary_name_what_bounds_them(void **state)
{
    const struct Drilled cut = {"isolate", SENTINEL_KNOBS, {4 * S, 10 * S}, 22 * S, 21 * S, 75 * S};
    struct RunSample *run = drilled(*state, &cut);
    struct Report report;
    run_sample_expect(run, "stranded", "max_lost", 15 * S);
    ((struct RunExpectation *)run->expectations.items)[0].limit_is_duration = true;

    const char *said = advised(run, &report);

    assert_int_equal(report.verdict, VERDICT_FAIL);
    assert_string_equal(said, "min-replicas-to-write 0 -> 1");
    bool told = false;
    for (size_t n = 0; n < report.finding_count; n++)
        told = told ||
               strstr(report.findings[n].text, "went on, as predicted (60.0 s or more).") != NULL;
    assert_true(told);
    assert_string_equal(report.advice[0].gain, "cut off, it acknowledges for 12 s at most");
}

/* People stopped it while it was cut off: that it went on for less than it could says nothing. */
static void test_a_fence_is_no_shorter_span_than_foreseen(void **state)
{
    const struct Drilled cut = {"isolate", SENTINEL_KNOBS, {4 * S, 10 * S}, 22 * S, 21 * S, 75 * S};
    struct RunSample *run = drilled(*state, &cut);
    struct Report report;
    struct RunFault *fence = run_sample_fault(run, 30 * S, 75 * S);
    fence->kind = "stop";
    fence->host = "redis-1";
    fence->role = "redis";
    run_sample_expect(run, "stranded", "max_lost", 0);

    (void)advised(run, &report);

    for (size_t n = 0; n < report.finding_count; n++)
        assert_null(strstr(report.findings[n].text, "went on,"));
}

/* Asynchronous replication: no setting of Redis promises that nothing is lost. */
static void test_losses_that_nothing_prevents_name_nothing(void **state)
{
    const struct Drilled cut = {"isolate", SENTINEL_KNOBS, {4 * S, 10 * S}, 22 * S, 21 * S, 75 * S};
    struct RunSample *run = drilled(*state, &cut);
    struct Report report;
    run_sample_expect(run, "stranded", "max_lost", 0);

    assert_string_equal(advised(run, &report), "");
    assert_int_equal(report.verdict, VERDICT_FAIL);
}

static void test_what_passed_is_advised_nothing(void **state)
{
    const struct Drilled slow = {"kill",     SENTINEL_KNOBS, {29 * S, 35 * S},
                                 46500 * MS, 46 * S,         75 * S};
    struct RunSample *run = drilled(*state, &slow);
    struct Report report;
    run_sample_expect(run, "writes", "recover_within", 40 * S);
    run_sample_expect(run, "redis", "failover_within", 40 * S);

    assert_string_equal(advised(run, &report), "");
    assert_int_equal(report.verdict, VERDICT_PASS);
}

static void test_a_fault_that_struck_another_host_names_nothing(void **state)
{
    const struct Drilled slow = {"kill",     SENTINEL_KNOBS, {29 * S, 35 * S},
                                 46500 * MS, 46 * S,         75 * S};
    struct RunSample *run = drilled(*state, &slow);
    struct Report report;
    ((struct RunFault *)run->faults.items)->host = "redis-2";
    run_sample_expect(run, "redis", "failover_within", 12 * S);

    assert_string_equal(advised(run, &report), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failover_as_slow_as_its_settings_names_them),
        cmocka_unit_test(test_one_slower_than_its_settings_names_none),
        cmocka_unit_test(test_a_fault_that_was_over_before_names_what_is_too_long),
        cmocka_unit_test(test_losses_of_a_cut_off_primary_name_what_bounds_them),
        cmocka_unit_test(test_a_fence_is_no_shorter_span_than_foreseen),
        cmocka_unit_test(test_losses_that_nothing_prevents_name_nothing),
        cmocka_unit_test(test_what_passed_is_advised_nothing),
        cmocka_unit_test(test_a_fault_that_struck_another_host_names_nothing),
    };
    struct Arena *arena = arena_new("advice", (size_t)1 << 30);
    for (size_t n = 0; n < COUNT_OF(tests); n++)
        ((struct CMUnitTest *)(uintptr_t)&tests[n])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
