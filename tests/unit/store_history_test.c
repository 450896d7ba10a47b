/* store_history_test.c - runs are found and listed, and trends get what they need. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "store_fixture.h"

struct Made {
    const char *token, *scenario, *environment;
    int64_t started;
    enum Verdict ended_as;
};

/* A run that is over; the store that wrote it is closed. */
static void make_run(struct Fixture *f, const struct Made *made)
{
    struct Store *store = fixture_store(f);
    fixture_plan(f, made->token);
    f->scenario.name = made->scenario;
    f->environment.name = made->environment;
    struct RunBegin begin = {.plan = &f->plan,
                             .who = "ana",
                             .version = "0.1.0",
                             .now = {FIXTURE_MONO},
                             .wall = {made->started}};
    struct RunEnd end = {
        .ended_as = made->ended_as, .now = {FIXTURE_MONO + 9}, .wall = {made->started + 9}};
    must(f, store_run_begin(store, &begin, &f->err) && store_run_end(store, &end, &f->err));
    store_close(store);
}

static const struct Made made[] = {
    {"01aaaaxx", "kill", "staging", 100, VERDICT_PASS},
    {"01bbbbxx", "kill", "production", 200, VERDICT_HALTED},
    {"01ccccyx", "cut", "staging", 300, VERDICT_PASS},
    {"01ddddzz", "kill", "staging", 400, VERDICT_PASS},
};

static void make_runs(struct Fixture *f)
{
    fixture_open(f);
    for (size_t i = 0; i < COUNT_OF(made); i++)
        make_run(f, &made[i]);
}

static const char *find(struct Fixture *f, const char *run, const struct History *of)
{
    const char *id = NULL;
    struct Store *store = fixture_store(f);
    if (!store_find_run(store, run, of, f->arena, &id, &f->err))
        assert_int_equal(f->err.code, ERR_NOT_FOUND);
    store_close(store);
    return id != NULL ? id : "none";
}

static void test_a_run_is_found_by_its_end_and_by_its_age(void **state)
{
    (void)state;
    struct Fixture f;
    make_runs(&f);
    struct History staging = {.environment = "staging"};
    struct History kills = {.environment = "staging", .scenario = "kill"};

    assert_string_equal(find(&f, "01bbbbxx", NULL), "01bbbbxx");
    assert_string_equal(find(&f, "zz", NULL), "01ddddzz");
    assert_string_equal(find(&f, "YX", NULL), "01ccccyx");
    assert_string_equal(find(&f, "last", NULL), "01ddddzz");
    assert_string_equal(find(&f, "last~0", NULL), "01ddddzz");
    assert_string_equal(find(&f, "last~3", NULL), "01aaaaxx");
    assert_string_equal(find(&f, "last~1", &staging), "01ccccyx");
    assert_string_equal(find(&f, "last~1", &kills), "01aaaaxx");
    assert_string_equal(find(&f, "last~4", NULL), "none");
    assert_string_equal(find(&f, "last~-1", NULL), "none");
    assert_string_equal(find(&f, "", NULL), "none");
    assert_string_equal(find(&f, "%", NULL), "none");
    assert_string_equal(find(&f, "nope", NULL), "none");
    assert_string_equal(f.err.message, "there is no run 'nope'");
    assert_string_equal(find(&f, "xx", &staging), "01aaaaxx");
    fixture_close(&f);
}

static void test_an_end_that_several_runs_have_is_refused_with_their_names(void **state)
{
    (void)state;
    struct Fixture f;
    make_runs(&f);

    assert_string_equal(find(&f, "x", NULL), "none");

    assert_string_equal(f.err.message, "'x' is the end of more than one run");
    assert_string_equal(f.err.allowed, "01ccccyx, 01bbbbxx, 01aaaaxx");
    assert_string_equal(f.err.hint, "Give more of it.");
    fixture_close(&f);
}

static struct List list_runs(struct Fixture *f, const struct History *of)
{
    struct List list;
    struct Store *store = fixture_store(f);
    must(f, store_runs(store, of, f->arena, &list, &f->err));
    store_close(store);
    return list;
}

static void test_runs_are_listed_newest_first(void **state)
{
    (void)state;
    struct Fixture f;
    make_runs(&f);

    struct List list = list_runs(&f, &(struct History){.most = 3});

    const struct RunRow *rows = list.items;
    assert_int_equal(list.count, 3);
    assert_string_equal(rows[0].id, "01ddddzz");
    assert_string_equal(rows[0].scenario, "kill");
    assert_string_equal(rows[0].environment, "staging");
    assert_string_equal(rows[0].who, "ana");
    assert_string_equal(rows[0].text_hash, "aaaa");
    assert_int_equal(rows[0].started.ns, 400);
    assert_int_equal(rows[0].ended.ns, 409);
    assert_true(rows[0].finished);
    assert_false(rows[0].judged);
    assert_false(rows[0].alive);
    assert_int_equal(rows[0].pid, getpid());
    assert_int_equal(rows[0].verdict, VERDICT_PASS);
    assert_int_equal(rows[2].verdict, VERDICT_HALTED);
    assert_int_equal(list_runs(&f, NULL).count, 4);
    assert_int_equal(list_runs(&f, &(struct History){.scenario = "cut"}).count, 1);
    assert_int_equal(list_runs(&f, &(struct History){.environment = "staging"}).count, 3);
    assert_int_equal(list_runs(&f, &(struct History){.since = {200}}).count, 3);
    fixture_close(&f);
}

static void test_a_run_under_way_is_alive_and_one_that_left_faults_is_not_undone(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run") && fixture_arm(&f, store, 1));

    struct List list = list_runs(&f, NULL);
    const struct RunRow *row = list.items;
    assert_true(row->alive);
    assert_false(row->finished);
    assert_int_equal(row->open_faults, 1);
    assert_int_equal(row->verdict, VERDICT_INCONCLUSIVE);

    must(&f, fixture_end(&f, store, VERDICT_HALTED));
    list = list_runs(&f, NULL);
    row = list.items;
    assert_false(row->alive);
    assert_int_equal(row->verdict, VERDICT_NOT_UNDONE);
    store_close(store);
    fixture_close(&f);
}

/* ---- Judged ---- */

struct Judging {
    struct RunRecord run;
    struct ProbeResult probes[2];
    struct LedgerResult ledger;
    struct Report report;
};

static void judge(struct Fixture *f, struct Judging *j, enum Verdict verdict)
{
    j->run = fixture_read(f);
    j->probes[0] = (struct ProbeResult){.probe = &j->run.probes[0], .recovered = {1000, 2000}};
    j->probes[1] = (struct ProbeResult){.probe = &j->run.probes[1], .unaffected = true};
    j->ledger = (struct LedgerResult){.probe = &j->run.probes[1], .lost = 4, .complete = KNOWN_YES};
    j->report = (struct Report){.run = &j->run,
                                .verdict = verdict,
                                .why = "as measured",
                                .probes = j->probes,
                                .probe_count = 2,
                                .ledgers = &j->ledger,
                                .ledger_count = 1};
    struct Store *store = fixture_store(f);
    must(f, store_run_judged(store, &j->report, &f->err));
    store_close(store);
}

static struct List list_past(struct Fixture *f, const struct History *of)
{
    struct List list;
    struct Store *store = fixture_store(f);
    must(f, store_past(store, of, f->arena, &list, &f->err));
    store_close(store);
    return list;
}

static void test_trends_get_each_series_oldest_first(void **state)
{
    (void)state;
    struct Fixture f;
    struct Judging j;
    fixture_open(&f);
    make_run(&f, &made[3]);
    judge(&f, &j, VERDICT_PASS);
    make_run(&f, &made[0]);
    judge(&f, &j, VERDICT_FAIL);
    make_run(&f, &made[2]); /* not judged */

    struct List list = list_past(&f, NULL);

    const struct Past *past = list.items;
    assert_int_equal(list.count, 4);
    assert_string_equal(past[0].id, "01aaaaxx");
    assert_string_equal(past[0].scenario, "kill");
    assert_string_equal(past[0].environment, "staging");
    assert_string_equal(past[0].behaviour_hash, "bbbb");
    assert_string_equal(past[0].why, "as measured");
    assert_int_equal(past[0].started.ns, 100);
    assert_int_equal(past[0].verdict, VERDICT_FAIL);
    assert_true(past[0].finished);
    assert_string_equal(past[0].probe, "api");
    assert_int_equal(past[0].recovery_low_ns, 1000);
    assert_int_equal(past[0].recovery_high_ns, 2000);
    assert_int_equal(past[0].limit_ns, 30 * NS_PER_S);
    assert_int_equal(past[0].lost, -1);
    assert_string_equal(past[1].id, "01ddddzz");
    assert_int_equal(past[1].verdict, VERDICT_PASS);
    assert_string_equal(past[2].id, "01aaaaxx");
    assert_string_equal(past[2].probe, "writes");
    assert_true(past[2].unaffected);
    assert_int_equal(past[2].recovery_high_ns, -1);
    assert_int_equal(past[2].limit_ns, -1);
    assert_int_equal(past[2].lost, 4);
    assert_string_equal(past[3].probe, "writes");
    assert_int_equal(list_past(&f, &(struct History){.scenario = "kill"}).count, 4);
    assert_int_equal(list_past(&f, &(struct History){.scenario = "cut"}).count, 0);
    assert_int_equal(list_past(&f, &(struct History){.environment = "staging"}).count, 4);
    assert_int_equal(list_past(&f, &(struct History){.environment = "lab"}).count, 0);
    assert_int_equal(list_past(&f, &(struct History){.scenario = "kill", .since = {101}}).count, 2);
    fixture_close(&f);
}

static void test_a_censored_recovery_has_the_time_observed_and_no_end(void **state)
{
    (void)state;
    struct Fixture f;
    struct Judging j;
    fixture_open(&f);
    make_run(&f, &made[0]);
    judge(&f, &j, VERDICT_PASS);
    j.probes[0].censored = true;
    j.probes[0].recovered = (struct Span){9000, NS_NEVER};
    j.ledger.complete = KNOWN_NO;
    struct Store *store = fixture_store(&f);
    must(&f, store_run_judged(store, &j.report, &f.err)); /* again: it replaces */
    store_close(store);

    struct List list = list_past(&f, NULL);

    const struct Past *past = list.items;
    assert_int_equal(list.count, 2);
    assert_true(past[0].censored);
    assert_int_equal(past[0].recovery_low_ns, 9000);
    assert_int_equal(past[0].recovery_high_ns, -1);
    assert_int_equal(past[1].lost, -1); /* not read back whole: unknown, never 0 */
    fixture_close(&f);
}

static struct List list_passes(struct Fixture *f, const struct History *of)
{
    struct List list;
    struct Store *store = fixture_store(f);
    must(f, store_passes(store, of, f->arena, &list, &f->err));
    store_close(store);
    return list;
}

static void test_only_a_judged_and_clean_pass_opens_the_gate(void **state)
{
    (void)state;
    struct Fixture f;
    struct Judging j;
    fixture_open(&f);
    make_run(&f, &made[0]);
    assert_int_equal(list_passes(&f, NULL).count, 0); /* not judged */
    judge(&f, &j, VERDICT_FAIL);
    assert_int_equal(list_passes(&f, NULL).count, 0);
    judge(&f, &j, VERDICT_PASS);
    make_run(&f, &made[1]);
    judge(&f, &j, VERDICT_PASS); /* it was halted */
    make_run(&f, &made[3]);
    judge(&f, &j, VERDICT_PASS);

    struct List list = list_passes(&f, &(struct History){.environment = "staging"});

    const struct PassRow *passes = list.items;
    assert_int_equal(list.count, 2);
    assert_string_equal(passes[0].run, "01ddddzz");
    assert_string_equal(passes[0].text_hash, "aaaa");
    assert_string_equal(passes[0].canonical, "{\"scenario\":\"primary_dies\"}");
    assert_int_equal(passes[0].ended.ns, 409);
    assert_false(passes[0].unaffected);
    assert_string_equal(passes[1].run, "01aaaaxx");
    assert_int_equal(list_passes(&f, &(struct History){.environment = "production"}).count, 0);
    fixture_close(&f);
}

static void test_a_pass_with_a_fault_left_open_does_not_count(void **state)
{
    (void)state;
    struct Fixture f;
    struct Judging j;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run") && fixture_arm(&f, store, 1) &&
                 fixture_end(&f, store, VERDICT_PASS));
    judge(&f, &j, VERDICT_PASS);

    assert_int_equal(list_passes(&f, NULL).count, 0);

    must(&f, undolog_clear(store, 1, (struct Moment){{1}, {2}}, &f.err));
    assert_int_equal(list_passes(&f, NULL).count, 1);
    store_close(store);
    fixture_close(&f);
}

/* A judged cycle of the repeat that 01aaaa began. */
static void make_cycle(struct Fixture *f, const char *token, uint32_t number, enum Verdict verdict)
{
    struct Judging j;
    struct Store *store = fixture_store(f);
    fixture_plan(f, token);
    f->scenario.name = "kill";
    struct RunBegin begin = {.plan = &f->plan,
                             .who = "ana",
                             .version = "0.1.0",
                             .now = {FIXTURE_MONO},
                             .wall = {100 * number},
                             .cycle = {"01aaaaxx", number, 2}};
    struct RunEnd end = {.now = {FIXTURE_MONO + 9}, .wall = {100 * number + 9}};
    must(f, store_run_begin(store, &begin, &f->err) && store_run_end(store, &end, &f->err));
    store_close(store);
    judge(f, &j, verdict);
}

static void test_a_repeat_is_one_point_for_trends_and_its_cycles_are_kept(void **state)
{
    (void)state;
    struct Fixture f;
    struct List cycles = {.items = NULL};
    fixture_open(&f);
    make_cycle(&f, "01aaaaxx", 1, VERDICT_PASS);
    make_cycle(&f, "01bbbbxx", 2, VERDICT_FAIL);

    struct List list = list_past(&f, NULL);
    struct Store *store = fixture_store(&f);
    must(&f, store_cycles(store, "01aaaaxx", f.arena, &cycles, &f.err));
    store_close(store);

    const struct Past *past = list.items, *cycle = cycles.items;
    assert_int_equal(list.count, 2); /* one a probe */
    assert_string_equal(past[0].id, "01bbbbxx");
    assert_int_equal(past[0].verdict, VERDICT_FAIL);
    assert_int_equal(past[0].recovery_count, 2);
    assert_int_equal(past[0].recoveries[1], 2000);
    assert_int_equal(cycles.count, 4);
    assert_string_equal(cycle[0].id, "01aaaaxx");
    assert_string_equal(cycle[0].scenario, "kill");
    assert_int_equal(cycle[3].cycle.number, 2);
    fixture_close(&f);
}

static void test_a_repeat_opens_the_gate_only_as_a_whole(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    make_cycle(&f, "01aaaaxx", 1, VERDICT_PASS);
    assert_int_equal(list_passes(&f, NULL).count, 0);
    make_cycle(&f, "01bbbbxx", 2, VERDICT_PASS);

    struct List list = list_passes(&f, NULL);

    assert_int_equal(list.count, 1);
    assert_string_equal(((const struct PassRow *)list.items)->run, "01bbbbxx");
    fixture_close(&f);
    fixture_open(&f);
    make_cycle(&f, "01aaaaxx", 1, VERDICT_FAIL);
    make_cycle(&f, "01bbbbxx", 2, VERDICT_PASS);
    assert_int_equal(list_passes(&f, NULL).count, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_is_found_by_its_end_and_by_its_age),
        cmocka_unit_test(test_an_end_that_several_runs_have_is_refused_with_their_names),
        cmocka_unit_test(test_runs_are_listed_newest_first),
        cmocka_unit_test(test_a_run_under_way_is_alive_and_one_that_left_faults_is_not_undone),
        cmocka_unit_test(test_trends_get_each_series_oldest_first),
        cmocka_unit_test(test_a_censored_recovery_has_the_time_observed_and_no_end),
        cmocka_unit_test(test_only_a_judged_and_clean_pass_opens_the_gate),
        cmocka_unit_test(test_a_pass_with_a_fault_left_open_does_not_count),
        cmocka_unit_test(test_a_repeat_is_one_point_for_trends_and_its_cycles_are_kept),
        cmocka_unit_test(test_a_repeat_opens_the_gate_only_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
