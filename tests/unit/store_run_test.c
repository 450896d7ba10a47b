/* store_run_test.c - a run is read back as it was written, whoever reads it and whenever. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "store_fixture.h"

static void test_a_run_is_read_back_as_it_was_begun(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);

    must(&f, fixture_begin(&f, store, "01run"));
    must(&f, fixture_end(&f, store, VERDICT_HALTED));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_string_equal(run.id, "01run");
    assert_string_equal(run.scenario, "primary_dies");
    assert_string_equal(run.environment, "staging");
    assert_string_equal(run.hypothesis, "It comes back.");
    assert_string_equal(run.owner, "ana");
    assert_null(run.runbook);
    assert_string_equal(run.who, "ana@drillbox");
    assert_string_equal(run.version, "0.1.0");
    assert_string_equal(run.tags, "db, weekly");
    assert_false(run.is_protected);
    assert_int_equal(run.started.ns, FIXTURE_WALL);
    assert_int_equal(run.ended.ns, FIXTURE_WALL + 1000);
    assert_int_equal(run.mono_started.ns, FIXTURE_MONO);
    assert_int_equal(run.mono_ended.ns, FIXTURE_MONO + 1000);
    assert_int_equal(run.suspended_ns, 3);
    assert_string_equal(run.text, "scenario: primary_dies\n");
    assert_string_equal(run.text_hash, "aaaa");
    assert_string_equal(run.behaviour_hash, "bbbb");
    assert_string_equal(run.plan_hash, "cccc");
    assert_string_equal(run.bytes_hash, "dddd");
    assert_true(run.seed == UINT64_MAX - 1);
    assert_int_equal(run.ended_as, VERDICT_HALTED);
    assert_string_equal(run.why, "because");
    assert_true(run.finished);
    assert_int_equal(run.host_count, 2);
    assert_string_equal(run.hosts[1], "db-2");
    fixture_close(&f);
}

static void test_probes_and_expectations_come_in_the_order_of_the_scenario(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);

    must(&f, fixture_begin(&f, store, "01run"));
    must(&f, store_read_back(store, 1, KNOWN_YES, &f.err));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.probe_count, 2);
    assert_string_equal(run.probes[0].name, "api");
    assert_string_equal(run.probes[0].kind, "http");
    assert_string_equal(run.probes[0].asks, "GET http://api/healthz");
    assert_null(run.probes[0].role);
    assert_string_equal(run.probes[0].from, "db-2");
    assert_int_equal(run.probes[0].interval_ns, 100 * NS_PER_MS);
    assert_int_equal(run.probes[0].timeout_ns, NS_PER_S);
    assert_int_equal(run.probes[0].under_ns, 5);
    assert_int_equal(run.probes[0].hold_ns, 7);
    assert_int_equal(run.probes[0].gap_ns, 9);
    assert_true(run.probes[0].control);
    assert_false(run.probes[0].is_ledger);
    assert_string_equal(run.probes[1].role, "db");
    assert_true(run.probes[1].is_ledger);
    assert_int_equal(run.expectation_count, 2);
    assert_string_equal(run.expectations[0].probe, "api");
    assert_string_equal(run.expectations[0].word, "recover_within");
    assert_int_equal(run.expectations[0].limit, 30 * NS_PER_S);
    assert_int_equal(run.read_back[0], KNOWN_UNKNOWN);
    assert_int_equal(run.read_back[1], KNOWN_YES);
    fixture_close(&f);
}

static void test_marks_and_events_are_kept(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    static const char *const marks[] = {"baseline", "steps", "observing_ended", "undo_began",
                                        "settled"};

    must(&f, fixture_begin(&f, store, "01run"));
    for (int i = 0; i < 5; i++)
        must(&f, store_run_mark(store, marks[i], (struct Mono){FIXTURE_MONO + i}, &f.err));
    must(&f, store_event(store, (struct Mono){FIXTURE_MONO + 7}, "db-1", "it's gone\n", &f.err));
    must(&f, store_event(store, (struct Mono){FIXTURE_MONO + 8}, NULL, "", &f.err));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.baseline_began.ns, FIXTURE_MONO);
    assert_int_equal(run.steps_began.ns, FIXTURE_MONO + 1);
    assert_int_equal(run.observing_ended.ns, FIXTURE_MONO + 2);
    assert_int_equal(run.undo_began.ns, FIXTURE_MONO + 3);
    assert_int_equal(run.settled.ns, FIXTURE_MONO + 4);
    assert_int_equal(run.event_count, 2);
    assert_int_equal(run.events[0].at.ns, FIXTURE_MONO + 7);
    assert_string_equal(run.events[0].subject, "db-1");
    assert_string_equal(run.events[0].text, "it's gone\n");
    assert_string_equal(run.events[1].subject, "");
    fixture_close(&f);
}

static void test_a_role_has_the_newest_row_of_its_system(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct RunSystem system = {.role = "db",
                               .system = "redis_sentinel",
                               .detected_low = {1},
                               .detected_high = {2},
                               .failed_over_low = {3},
                               .failed_over_high = {4},
                               .redundant_low = {5},
                               .redundant_high = {6},
                               .redundancy_was_whole = true,
                               .primary_before = "db-1",
                               .expected = {7, NS_NEVER},
                               .knobs = "quorum 2"};

    must(&f, fixture_begin(&f, store, "01run"));
    must(&f, store_system(store, &system, &f.err));
    system.primary_after = "db-2";
    must(&f, store_system(store, &system, &f.err));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.system_count, 1);
    assert_string_equal(run.systems[0].system, "redis_sentinel");
    assert_int_equal(run.systems[0].detected_low.ns, 1);
    assert_int_equal(run.systems[0].redundant_high.ns, 6);
    assert_true(run.systems[0].redundancy_was_whole);
    assert_string_equal(run.systems[0].primary_before, "db-1");
    assert_string_equal(run.systems[0].primary_after, "db-2");
    assert_true(run.systems[0].expected.high_ns == NS_NEVER);
    assert_string_equal(run.systems[0].knobs, "quorum 2");
    fixture_close(&f);
}

static void test_every_change_of_who_leads_is_kept(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct RunMove rows[] = {{.role = "db", .host = "db-2", .low = {1}, .high = {2}},
                             {.role = "db", .host = "db-1", .low = {3}, .high = {4}}};
    struct List moves = {rows, COUNT_OF(rows)}, none = {.items = NULL};

    must(&f, fixture_begin(&f, store, "01run"));
    must(&f, store_moves(store, &none, &f.err));
    must(&f, store_moves(store, &moves, &f.err));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.move_count, 2);
    assert_string_equal(run.moves[0].host, "db-2");
    assert_string_equal(run.moves[1].role, "db");
    assert_string_equal(run.moves[1].host, "db-1");
    assert_int_equal(run.moves[1].low.ns, 3);
    assert_int_equal(run.moves[1].high.ns, 4);
    fixture_close(&f);
}

static void test_a_switch_back_is_kept_as_it_ended(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct RunSwitchBack back = {
        .role = "db", .to = "db-1", .asked = {5}, .why = "its end was not seen"};

    must(&f, fixture_begin(&f, store, "01run"));
    must(&f, store_switch_back(store, &back, &f.err));
    back.leads = (struct Moment){{6}, {7}};
    back.whole = (struct Moment){{8}, {9}};
    back.why = "";
    back.lost_again = 2;
    back.last = "db-1";
    must(&f, store_switch_back(store, &back, &f.err));
    must(&f, store_switch_back(store,
                               &(struct RunSwitchBack){.role = "kv", .refused = true, .why = "no"},
                               &f.err));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.switch_back_count, 2);
    assert_string_equal(run.switch_backs[0].to, "db-1");
    assert_int_equal(run.switch_backs[0].asked.ns, 5);
    assert_int_equal(run.switch_backs[0].leads.high.ns, 7);
    assert_int_equal(run.switch_backs[0].whole.low.ns, 8);
    assert_string_equal(run.switch_backs[0].why, "");
    assert_int_equal(run.switch_backs[0].lost_again, 2);
    assert_string_equal(run.switch_backs[0].last, "db-1");
    assert_null(run.switch_backs[1].last);
    assert_true(run.switch_backs[1].refused);
    assert_string_equal(run.switch_backs[1].why, "no");
    fixture_close(&f);
}

static void test_a_plan_is_run_once(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct Store *other = fixture_store(&f);

    must(&f, fixture_begin(&f, store, "01run"));

    assert_false(fixture_begin(&f, other, "01run"));
    assert_int_equal(f.err.code, ERR_REFUSED);
    assert_string_equal(f.err.message, "the plan 01run was run already");
    store_close(other);
    store_close(store);
    fixture_close(&f);
}

static void test_a_run_whose_writer_died_is_not_finished(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);

    must(&f, fixture_begin(&f, store, "01run"));
    must(&f, store_event(store, (struct Mono){FIXTURE_MONO + 70}, "", "the last of it", &f.err));
    store_close(store);
    struct RunRecord run = fixture_read(&f);

    assert_false(run.finished);
    assert_int_equal(run.ended_as, VERDICT_INCONCLUSIVE);
    assert_int_equal(run.mono_ended.ns, FIXTURE_MONO + 70);
    assert_int_equal(run.ended.ns, FIXTURE_WALL + 70);
    fixture_close(&f);
}

static void test_a_run_that_is_not_there_is_said_so(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct RunRecord run = {.id = "untouched"};

    assert_false(store_read_run(store, "nope", f.arena, &run, &f.err));

    assert_int_equal(f.err.code, ERR_NOT_FOUND);
    assert_string_equal(f.err.message, "there is no run 'nope'");
    assert_string_equal(f.err.hint, "`faildrill runs` lists them.");
    assert_string_equal(run.id, "untouched");
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_is_read_back_as_it_was_begun),
        cmocka_unit_test(test_probes_and_expectations_come_in_the_order_of_the_scenario),
        cmocka_unit_test(test_marks_and_events_are_kept),
        cmocka_unit_test(test_a_role_has_the_newest_row_of_its_system),
        cmocka_unit_test(test_every_change_of_who_leads_is_kept),
        cmocka_unit_test(test_a_switch_back_is_kept_as_it_ended),
        cmocka_unit_test(test_a_plan_is_run_once),
        cmocka_unit_test(test_a_run_whose_writer_died_is_not_finished),
        cmocka_unit_test(test_a_run_that_is_not_there_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
