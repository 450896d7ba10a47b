/* reports_failover_test.c - of several failovers each is counted from its own fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/analyse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/model/system.h"
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

static struct Mono at_ms(int64_t ms)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ms * MS};
}

static void look(struct RunSample *run, int64_t ms, uint32_t host, bool leads)
{
    struct Census *census = list_add(&run->census, run->arena, sizeof(*census));
    *census = (struct Census){.host = host,
                              .asked = at_ms(ms),
                              .answered = at_ms(ms + 2),
                              .rank = leads ? RANK_PRIMARY : RANK_REPLICA,
                              .identity = "run"};
}

static struct RunFault *ask_for(struct RunSample *run, int64_t ms)
{
    struct RunFault *fault = run_sample_fault(run, ms * MS, 0);
    fault->kind = "failover";
    fault->step = ms < 40000 ? "failover db" : "failover db back";
    fault->role = "db";
    fault->undone = fault->t0;
    return fault;
}

/* db-1 leads until `there` ms, db-2 until `back` ms, and then db-1 again; asked each 250 ms. */
static struct RunSample *led(struct Arena *arena, int64_t there, int64_t back)
{
    struct RunSample *run = run_sample_new(arena, 1);
    struct RunProbe *probe = run_sample_probe(run, "db", "primary");
    probe->role = "db";
    probe->interval_ns = 250 * MS;
    run_sample_expect(run, "db", "failover_within", 10 * NS_PER_S);
    run_sample_attempts(run, 0, NULL, 0);
    struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
    *system = (struct RunSystem){.role = "db",
                                 .system = "patroni",
                                 .primary_before = "db-1",
                                 .failed_over_low = at_ms(there - 200),
                                 .failed_over_high = at_ms(there)};
    for (int64_t ms = 100; ms < 95000; ms += 250) {
        look(run, ms, 0, ms < there || ms >= back);
        look(run, ms + 1, 1, ms >= there && ms < back);
    }
    return run;
}

static void moved(struct RunSample *run, const char *host, int64_t ms)
{
    size_t count = run->record.move_count;
    struct RunMove *moves = arena_zero(run->arena, count + 1, sizeof(*moves));
    if (count > 0)
        memcpy(moves, run->record.moves, count * sizeof(*moves));
    moves[count] =
        (struct RunMove){.role = "db", .host = host, .low = at_ms(ms - 200), .high = at_ms(ms)};
    run->record.moves = moves;
    run->record.move_count = count + 1;
}

static struct Report analysed(struct RunSample *run)
{
    struct Report report;
    analyse(run_sample_done(run), NULL, 0, run->arena, &report);
    return report;
}

static void test_the_way_back_is_counted_from_its_own_begin(void **state)
{
    struct RunSample *run = led(*state, 25000, 52000);
    ask_for(run, 20000);
    ask_for(run, 50000);
    moved(run, "db-2", 25000);
    moved(run, "db-1", 52000);

    struct Report report = analysed(run);

    const struct PrimaryResult *db = &report.primaries[0];
    assert_int_equal(db->failover_count, 2);
    assert_true(db->failover.low_ns >= 4500 * MS && db->failover.high_ns <= 5300 * MS);
    assert_int_equal(db->failover_t0.low.ns, at_ms(20000).ns);
    assert_int_equal(report.judged[0].verdict, VERDICT_PASS);
    assert_string_equal(report.judged[0].note, "the slowest of 2");
}

static void test_the_slowest_is_judged(void **state)
{
    struct RunSample *run = led(*state, 25000, 65000);
    ask_for(run, 20000);
    ask_for(run, 50000);
    moved(run, "db-2", 25000);
    moved(run, "db-1", 65000);

    struct Report report = analysed(run);

    assert_true(report.primaries[0].failover.low_ns >= 14500 * MS);
    assert_true(report.primaries[0].failover.high_ns <= 15300 * MS);
    assert_int_equal(report.primaries[0].failover_t0.low.ns, at_ms(50000).ns);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
}

static void test_one_that_never_came_misses_the_bound(void **state)
{
    struct RunSample *run = led(*state, 25000, 99000);
    ask_for(run, 20000);
    ask_for(run, 50000);
    moved(run, "db-2", 25000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 2);
    assert_true(report.primaries[0].failover.high_ns == NS_NEVER);
    assert_string_equal(report.judged[0].measured, "no new primary");
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
}

/* As long as nobody took over, it is the first fault that is waited for. */
static void test_without_a_change_between_them_the_first_fault_counts(void **state)
{
    struct RunSample *run = led(*state, 28000, 99000);
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    run_sample_fault(run, 26000 * MS, 60000 * MS)->step = "another";
    moved(run, "db-2", 28000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.low_ns >= 7500 * MS);
}

/* What strikes another host before has no part in it. */
static void test_it_counts_from_the_fault_that_struck_who_led(void **state)
{
    struct RunSample *run = led(*state, 35000, 99000);
    run_sample_fault(run, 20000 * MS, 60000 * MS)->host = "db-3";
    struct RunFault *kill = run_sample_fault(run, 30000 * MS, 60000 * MS);
    kill->step = "another", kill->host = "db-1";
    moved(run, "db-2", 35000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_int_equal(report.primaries[0].failover_t0.low.ns, at_ms(30000).ns);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
}

/* Undone, the first one leads again: that is no failover of what struck another host meanwhile. */
static void test_who_comes_back_after_its_undo_did_not_fail_over(void **state)
{
    struct RunSample *run = led(*state, 25000, 61000);
    run_sample_fault(run, 20000 * MS, 60000 * MS)->host = "db-1";
    struct RunFault *beside = run_sample_fault(run, 40000 * MS, 80000 * MS);
    beside->step = "another", beside->host = "db-3";
    moved(run, "db-2", 25000);
    moved(run, "db-1", 61000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
}

/* It went to and fro after one fault: the second time nobody had asked for. */
static void test_a_change_without_a_fault_of_its_own_is_none(void **state)
{
    struct RunSample *run = led(*state, 25000, 90000);
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    moved(run, "db-2", 25000);
    moved(run, "db-1", 90000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
}

/* Versions before this one wrote down the first change alone. */
static void test_an_old_run_has_its_first_change(void **state)
{
    struct RunSample *run = led(*state, 25000, 52000);
    ask_for(run, 20000);
    ask_for(run, 50000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
    assert_string_equal(report.judged[0].note, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_way_back_is_counted_from_its_own_begin),
        TEST(test_the_slowest_is_judged),
        TEST(test_one_that_never_came_misses_the_bound),
        TEST(test_without_a_change_between_them_the_first_fault_counts),
        TEST(test_it_counts_from_the_fault_that_struck_who_led),
        TEST(test_who_comes_back_after_its_undo_did_not_fail_over),
        TEST(test_a_change_without_a_fault_of_its_own_is_none),
        TEST(test_an_old_run_has_its_first_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
