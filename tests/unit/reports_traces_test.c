/* reports_traces_test.c - thousands of runs whose truth is known: no figure lies. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/analyse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../fakes/run_sample.h"

#define MS NS_PER_MS

static const int64_t intervals[] = {20 * MS, 50 * MS, 100 * MS, 250 * MS};
static const int64_t unders[] = {0, 300 * MS, 800 * MS};

static int64_t draw(struct RunSample *run, int64_t from, int64_t to)
{
    return from + (int64_t)run_sample_random(run, (uint64_t)(to - from));
}

static struct RunSample *new_run(struct Arena *arena, uint64_t seed)
{
    struct RunSample *run = run_sample_new(arena, seed);
    run->record.mono_ended.ns = SAMPLE_BEGAN_NS + 50 * NS_PER_S;
    run->record.observing_ended.ns = SAMPLE_BEGAN_NS + 40 * NS_PER_S;
    struct RunProbe *probe = run_sample_probe(run, "shop", "http");
    probe->interval_ns = intervals[run_sample_random(run, 4)];
    probe->timeout_ns = draw(run, 500 * MS, 2500 * MS);
    probe->under_ns = unders[run_sample_random(run, 3)];
    struct RunFault *fault = run_sample_fault(run, draw(run, 15000 * MS, 15100 * MS), 40000 * MS);
    fault->t0.high = mono_add(fault->t0.low, draw(run, 5 * MS, 80 * MS));
    return run;
}

static int64_t since(struct Mono t0, int64_t ns)
{
    return SAMPLE_BEGAN_NS + ns - t0.ns;
}

/* The outage begins between sent and proven; its end counted from either lies within the bounds. */
static void check_outage(struct Arena *arena, uint64_t seed)
{
    struct RunSample *run = new_run(arena, seed);
    const struct RunFault *fault = run->faults.items;
    const struct RunProbe *probe = run->probes.items;
    int64_t sent = fault->t0.low.ns - SAMPLE_BEGAN_NS, proven = fault->t0.high.ns - SAMPLE_BEGAN_NS;
    struct Outage down = {.from_ns = draw(run, sent, proven),
                          .how = (enum Down)run_sample_random(run, 3)};
    down.to_ns = down.from_ns + draw(run, 3000 * MS, 12000 * MS);
    run_sample_attempts(run, 0, &down, 1);
    struct Report report;

    analyse(run_sample_done(run), NULL, 0, arena, &report);

    const struct ProbeResult *shop = &report.probes[0];
    int64_t t0_width = mono_since(fault->t0.low, fault->t0.high);
    int64_t late = probe->under_ns > 0 && probe->under_ns < probe->timeout_ns ? probe->under_ns
                                                                              : probe->timeout_ns;
    int64_t width = probe->interval_ns + 20 * MS + t0_width;
    assert_false(shop->unaffected || shop->censored);
    assert_true(shop->recovered.low_ns <= since(fault->t0.high, down.to_ns));
    assert_true(shop->recovered.high_ns >= since(fault->t0.low, down.to_ns));
    assert_true(shop->outage.low_ns <= down.to_ns - down.from_ns);
    assert_true(shop->outage.high_ns >= down.to_ns - down.from_ns);
    assert_true(shop->down.low_ns <= since(fault->t0.high, down.from_ns) || shop->down.low_ns == 0);
    assert_true(shop->down.high_ns >= since(fault->t0.low, down.from_ns));
    assert_int_equal(shop->silent, down.how != DOWN_REFUSED);
    assert_true(shop->recovered.high_ns - shop->recovered.low_ns <=
                width + (down.how != DOWN_REFUSED ? late : 0));
}

static void test_a_thousand_outages_lie_within_their_bounds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct Arena *arena = arena_new("trace", 64 << 20);
        check_outage(arena, seed);
        arena_free(arena);
    }
}

/* Up for less than `hold`, down for some seconds, again and again: it never recovers. */
static void check_flapping(struct Arena *arena, uint64_t seed)
{
    struct RunSample *run = new_run(arena, seed);
    struct RunProbe *probe = run->probes.items;
    struct Outage downs[64];
    size_t count = 0;
    probe->interval_ns = 250 * MS;
    probe->timeout_ns = draw(run, 500 * MS, 2000 * MS); /* each outage is longer than one attempt */
    probe->hold_ns = draw(run, 2000 * MS, 5000 * MS);
    for (int64_t from = 15100 * MS; from < 48 * NS_PER_S && count < 64; count++) {
        int64_t to = from + draw(run, 2600 * MS, 4000 * MS);
        downs[count] = (struct Outage){from, to, (enum Down)run_sample_random(run, 3)};
        from = to + draw(run, 100 * MS, probe->hold_ns - 1);
    }
    run_sample_attempts(run, 0, downs, count);
    struct Report report;

    analyse(run_sample_done(run), NULL, 0, arena, &report);

    assert_true(report.probes[0].censored);
    assert_int_equal(report.probes[0].recovered.high_ns, NS_NEVER);
}

static void test_ten_thousand_flapping_services_never_recover(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10000; seed++) {
        struct Arena *arena = arena_new("trace", 64 << 20);
        check_flapping(arena, seed);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_outages_lie_within_their_bounds),
        cmocka_unit_test(test_ten_thousand_flapping_services_never_recover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
