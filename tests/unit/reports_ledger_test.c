/* reports_ledger_test.c - lost writes are counted exactly, and only they. */
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

static struct Mono at(int64_t ns)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ns};
}

/* redis-1 acknowledged all until it was killed at 15 s, redis-2 from 20 s on. */
static struct RunSample *drill(struct Arena *arena, uint64_t seed)
{
    static const struct Outage down = {15030 * MS, 20000 * MS, DOWN_REFUSED};
    struct RunSample *run = run_sample_new(arena, seed);
    struct RunProbe *probe = run_sample_probe(run, "writes", "ledger");
    probe->role = "redis";
    struct RunFault *fault = run_sample_fault(run, 15000 * MS, 75000 * MS);
    fault->kind = "kill";
    fault->host = "redis-1";
    fault->role = "redis";
    run_sample_host(run, "redis-1");
    run_sample_host(run, "redis-2");
    run_sample_attempts(run, 0, &down, 1);
    run_sample_by(run, 0, 1, 0, 16000 * MS);
    run_sample_by(run, 0, 2, 16000 * MS, 100000 * MS);
    run_sample_expect(run, "writes", "max_lost", 0);
    return run;
}

static struct Report analysed(struct RunSample *run)
{
    struct Report report;
    analyse(run_sample_done(run), NULL, 0, run->arena, &report);
    return report;
}

struct Rig {
    struct RunSample *run;
    uint64_t per_mille, count;
};

static bool is_rigged(const struct Sample *sample, void *data)
{
    struct Rig *rig = data;
    (void)sample;
    bool lost = run_sample_random(rig->run, 1000) < rig->per_mille;
    rig->count += lost ? 1 : 0;
    return lost;
}

static void test_rigged_losses_are_counted_exactly(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct Arena *arena = arena_new("trace", 64 << 20);
        struct RunSample *run = drill(arena, seed);
        struct Rig rig = {.run = run, .per_mille = 1 + seed % 50};
        run_sample_found(run, 0, is_rigged, &rig);

        struct Report report = analysed(run);

        const struct LedgerResult *ledger = &report.ledgers[0];
        assert_int_equal(ledger->lost, rig.count);
        assert_int_equal(ledger->lost_before + ledger->lost_inside + ledger->lost_after, rig.count);
        assert_int_equal(report.verdict, rig.count > 0 ? VERDICT_FAIL : VERDICT_PASS);
        arena_free(arena);
    }
}

static void test_a_thousand_clean_runs_lose_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct Arena *arena = arena_new("trace", 64 << 20);
        struct RunSample *run = drill(arena, seed);
        run_sample_found(run, 0, NULL, NULL);

        struct Report report = analysed(run);

        assert_int_equal(report.ledgers[0].lost, 0);
        assert_int_equal(report.judged[0].verdict, VERDICT_PASS);
        assert_false(report.ledgers[0].holes);
        arena_free(arena);
    }
}

static bool last_ones(const struct Sample *sample, void *data)
{
    (void)data;
    return sample->ended.ns >= at(14500 * MS).ns && sample->ended.ns < at(16000 * MS).ns;
}

static void test_a_tail_of_the_old_primary_is_no_hole(void **state)
{
    struct RunSample *run = drill(*state, 5);
    run_sample_found(run, 0, last_ones, NULL);

    struct Report report = analysed(run);

    const struct LedgerResult *ledger = &report.ledgers[0];
    assert_true(ledger->lost > 8);
    assert_false(ledger->holes);
    assert_int_equal(ledger->lost_by, 1);
    assert_true(ledger->loss_age_ns > 500 * MS && ledger->loss_age_ns <= 540 * MS);
    assert_int_equal(ledger->zombie_ns, -1);
    assert_int_equal(ledger->lost_span.low_ns, ledger->lost_span.high_ns);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
    assert_non_null(strstr(report.judged[0].note, "acknowledged by redis-1"));
}

static bool one_early(const struct Sample *sample, void *data)
{
    (void)data;
    return sample->number == 42;
}

static void test_a_loss_with_later_survivors_is_a_hole_and_always_fails(void **state)
{
    struct RunSample *run = drill(*state, 5);
    run_sample_expect(run, "writes", "max_lost", 100);
    run_sample_found(run, 0, one_early, NULL);

    struct Report report = analysed(run);

    assert_true(report.ledgers[0].holes);
    assert_int_equal(report.judged[1].verdict, VERDICT_FAIL);
}

static bool after_the_fault(const struct Sample *sample, void *data)
{
    (void)data;
    return sample->ended.ns >= at(21000 * MS).ns && sample->ended.ns < at(24000 * MS).ns;
}

static void test_a_loss_is_worth_the_time_between_its_acknowledgements(void **state)
{
    struct RunSample *run = drill(*state, 5);
    run_sample_expect(run, "writes", "max_lost", 3 * NS_PER_S);
    struct RunExpectation *expectations = run->expectations.items;
    expectations[1].limit_is_duration = true;
    run_sample_by(run, 0, 1, 21000 * MS, 24000 * MS); /* the old one went on */
    run_sample_found(run, 0, after_the_fault, NULL);

    struct Report report = analysed(run);

    const struct LedgerResult *ledger = &report.ledgers[0];
    assert_int_equal(ledger->lost_after, ledger->lost);
    assert_true(ledger->zombie_ns > 2900 * MS && ledger->zombie_ns <= 3000 * MS);
    assert_int_equal(ledger->zombie_ns, ledger->lost_span.low_ns);
    assert_int_equal(report.judged[1].verdict, VERDICT_PASS);
}

static void test_a_read_back_that_was_cut_short_says_unknown(void **state)
{
    struct RunSample *run = drill(*state, 5);
    run_sample_found(run, 0, NULL, NULL);
    ((enum Known *)run->read_back.items)[0] = KNOWN_NO;
    run->found.count -= 10;

    struct Report report = analysed(run);

    assert_int_equal(report.judged[0].verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(report.judged[0].measured, "unknown");
    assert_int_equal(report.verdict, VERDICT_INCONCLUSIVE);
}

/* The writer stood elsewhere: "nothing was lost" shows nothing, but a loss stands. */
static void test_no_acknowledgement_by_the_target_makes_no_loss_inconclusive(void **state)
{
    struct RunSample *run = drill(*state, 5);
    run_sample_by(run, 0, 2, 0, 16000 * MS);
    run_sample_found(run, 0, NULL, NULL);

    struct Report report = analysed(run);

    assert_int_equal(report.judged[0].verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(report.judged[0].measured, "0");
    assert_string_equal(report.judged[0].note,
                        "the host that was hit acknowledged nothing in the second before");

    struct RunSample *lossy = drill(*state, 5);
    run_sample_by(lossy, 0, 2, 0, 16000 * MS);
    run_sample_found(lossy, 0, last_ones, NULL);
    assert_int_equal(analysed(lossy).judged[0].verdict, VERDICT_FAIL);
}

/* The replica is hit: it acknowledges nothing, and need not. */
static void test_a_hit_replica_need_not_have_acknowledged(void **state)
{
    struct RunSample *run = drill(*state, 5);
    struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
    *system = (struct RunSystem){.role = "redis", .primary_before = "redis-2"};
    run_sample_by(run, 0, 2, 0, 16000 * MS);
    run_sample_found(run, 0, NULL, NULL);

    assert_int_equal(analysed(run).judged[0].verdict, VERDICT_PASS);
}

static void add_found(struct RunSample *run, uint32_t host, uint64_t number)
{
    struct Found *found = list_add(&run->found, run->arena, sizeof(*found));
    *found = (struct Found){.host = host, .writer = 1, .number = number};
}

static void test_ghosts_duplicates_and_strangers_are_counted_apart(void **state)
{
    struct RunSample *run = drill(*state, 5);
    struct Sample *samples = run->samples.items;
    run_sample_expect(run, "writes", "max_duplicated", 0);
    samples[10].outcome = OUTCOME_TIMEOUT;
    samples[11].outcome = OUTCOME_FAILED;
    samples[11].failure = FAILURE_READ_ONLY;
    samples[12].outcome = OUTCOME_FAILED;
    samples[12].failure = FAILURE_SLOW; /* acknowledged, late */
    run_sample_found(run, 0, NULL, NULL);
    add_found(run, 0, samples[10].number);
    add_found(run, 0, samples[11].number);
    add_found(run, 0, samples[13].number);
    add_found(run, 0, 999999);
    add_found(run, 2, samples[12].number);

    struct Report report = analysed(run);

    const struct LedgerResult *ledger = &report.ledgers[0];
    assert_int_equal(ledger->ghosts, 1);
    assert_int_equal(ledger->refused_but_there, 1);
    assert_int_equal(ledger->duplicated, 1);
    assert_int_equal(ledger->unexpected, 1);
    assert_int_equal(ledger->lost, 1);
    assert_int_equal(ledger->lost_found_elsewhere, 1);
    assert_int_equal(report.judged[1].verdict, VERDICT_FAIL);
}

/* ---- Who leads ---- */

static void look(struct RunSample *run, int64_t when_ns, uint32_t host, enum Rank rank)
{
    struct Census *census = list_add(&run->census, run->arena, sizeof(*census));
    *census = (struct Census){.host = host,
                              .asked = at(when_ns),
                              .answered = at(when_ns + 2 * MS),
                              .rank = (int32_t)rank,
                              .identity = "run"};
}

static struct RunSample *led(struct Arena *arena, int64_t old_until, int64_t old_back,
                             int64_t old_back_until)
{
    struct RunSample *run = run_sample_new(arena, 1);
    struct RunProbe *probe = run_sample_probe(run, "redis", "primary");
    probe->role = "redis";
    probe->interval_ns = 250 * MS;
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_attempts(run, 0, NULL, 0);
    for (int64_t when = 100 * MS; when < 95000 * MS; when += 250 * MS) {
        bool leads = when < old_until || (when >= old_back && when < old_back_until);
        bool silent = when >= old_until && when < 76000 * MS;
        look(run, when, 0, leads ? RANK_PRIMARY : silent ? RANK_UNKNOWN : RANK_REPLICA);
        look(run, when + 1 * MS, 1, when < 20000 * MS ? RANK_REPLICA : RANK_PRIMARY);
    }
    return run;
}

static void test_failover_is_bracketed_by_two_looks(void **state)
{
    struct Report report = analysed(led(*state, 15000 * MS, 0, 0));

    const struct PrimaryResult *redis = &report.primaries[0];
    assert_true(redis->failover.low_ns >= 4700 * MS && redis->failover.high_ns <= 5200 * MS);
    assert_int_equal(redis->split.high_ns, 0);
    assert_true(redis->seen);
}

static void test_two_primaries_after_the_undo_are_seen(void **state)
{
    struct RunSample *run = led(*state, 15000 * MS, 76000 * MS, 86000 * MS);
    run_sample_expect(run, "redis", "max_split", 5 * NS_PER_S);

    struct Report report = analysed(run);

    const struct PrimaryResult *redis = &report.primaries[0];
    assert_true(redis->split.low_ns <= 10000 * MS && redis->split.high_ns >= 9700 * MS);
    assert_int_equal(redis->split_after_undo.high_ns, redis->split.high_ns);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
}

static void test_a_clean_change_is_no_split(void **state)
{
    struct RunSample *run = led(*state, 20000 * MS, 0, 0);
    run_sample_expect(run, "redis", "max_split", 0);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].split.high_ns, 0);
    assert_int_equal(report.judged[0].verdict, VERDICT_PASS);
}

static void test_nobody_is_asked_once_settled(void **state)
{
    struct RunSample *run = led(*state, 76000 * MS, 0, 0); /* asked without a gap until 95 s */
    run->record.mono_ended = at(400000 * MS);              /* `always` took minutes */
    run->record.settled = (struct Mono){0};
    assert_true(analysed(run).primaries[0].unasked_ns > 300000 * MS);

    run = led(*state, 76000 * MS, 0, 0);
    run->record.mono_ended = at(400000 * MS);
    run->record.settled = at(95000 * MS);

    assert_int_equal(analysed(run).primaries[0].unasked_ns, 0);
}

static void test_no_new_primary_misses_its_bound(void **state)
{
    struct RunSample *run = led(*state, 95000 * MS, 0, 0);
    run->census.count = 20;
    run_sample_expect(run, "redis", "failover_within", 12 * NS_PER_S);
    run_sample_expect(run, "redis", "detected_within", 12 * NS_PER_S);

    struct Report report = analysed(run);

    assert_string_equal(report.judged[0].measured, "no new primary");
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
    assert_int_equal(report.judged[1].verdict, VERDICT_FAIL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_rigged_losses_are_counted_exactly),
        TEST(test_a_thousand_clean_runs_lose_nothing),
        TEST(test_a_tail_of_the_old_primary_is_no_hole),
        TEST(test_a_loss_with_later_survivors_is_a_hole_and_always_fails),
        TEST(test_a_loss_is_worth_the_time_between_its_acknowledgements),
        TEST(test_a_read_back_that_was_cut_short_says_unknown),
        TEST(test_no_acknowledgement_by_the_target_makes_no_loss_inconclusive),
        TEST(test_a_hit_replica_need_not_have_acknowledged),
        TEST(test_ghosts_duplicates_and_strangers_are_counted_apart),
        TEST(test_failover_is_bracketed_by_two_looks),
        TEST(test_two_primaries_after_the_undo_are_seen),
        TEST(test_a_clean_change_is_no_split),
        TEST(test_nobody_is_asked_once_settled),
        TEST(test_no_new_primary_misses_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
