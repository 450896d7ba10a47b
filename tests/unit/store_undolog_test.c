/* store_undolog_test.c - faults only go forward, and can be undone from the log alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "store_fixture.h"
#include "../fakes/track.h"

/* Only its address counts here. */
static const int guard;
#define GUARD ((const struct Guarded *)(const void *)&guard)

static bool take_step(struct Fixture *f, struct Store *store, enum FaultState to)
{
    struct Mono at = {FIXTURE_MONO + 100 + to};
    struct Moment moment = {{at.ns - 1}, at};
    switch (to) {
    case FAULT_PLANNED:
        return false;
    case FAULT_ARMING:
        return fixture_arm(f, store, 1);
    case FAULT_ARMED:
        return undolog_armed(store, 1, "boot-now", at, (struct Wall){FIXTURE_WALL + 20}, &f->err);
    case FAULT_INJECTING:
        return undolog_injecting(store, 1, GUARD, at, &f->err) != NULL;
    case FAULT_IN_EFFECT:
        return undolog_in_effect(store, 1, moment, &f->err);
    case FAULT_UNDOING:
        return undolog_undoing(store, 1, at, &f->err);
    case FAULT_CLEAR:
        return undolog_clear(store, 1, moment, &f->err);
    case FAULT_UNKNOWN:
        return undolog_unknown(store, 1, "no answer", at, &f->err);
    }
    return false;
}

/* The shortest way from PLANNED to a state. */
static void bring_to(struct Fixture *f, struct Store *store, enum FaultState state)
{
    if (state >= FAULT_ARMING)
        must(f, take_step(f, store, FAULT_ARMING));
    if (state >= FAULT_CLEAR || state == FAULT_PLANNED) {
        if (state != FAULT_PLANNED)
            must(f, take_step(f, store, state));
        return;
    }
    for (int next = FAULT_ARMED; next <= (int)state; next++)
        must(f, take_step(f, store, (enum FaultState)next));
}

static void test_only_forward_steps_are_taken(void **state)
{
    (void)state;
    /* A row a state, a letter a step to PLANNED, ARMING ... UNKNOWN. */
    static const char *const allowed[] = {
        [FAULT_PLANNED] = ".x......",   [FAULT_ARMING] = "..x..xxx",
        [FAULT_ARMED] = "...x.xxx",     [FAULT_INJECTING] = "....xxxx",
        [FAULT_IN_EFFECT] = ".....xxx", [FAULT_UNDOING] = "......xx",
        [FAULT_CLEAR] = "........",     [FAULT_UNKNOWN] = ".....xxx",
    };
    struct Fixture f;
    fixture_open(&f);
    for (int from = FAULT_PLANNED; from <= FAULT_UNKNOWN; from++) {
        for (int to = FAULT_ARMING; to <= FAULT_UNKNOWN; to++) {
            char token[32];
            snprintf(token, sizeof(token), "run%d%d", from, to);
            struct Store *store = fixture_store(&f);
            must(&f, fixture_begin(&f, store, token));
            bring_to(&f, store, (enum FaultState)from);

            bool taken = take_step(&f, store, (enum FaultState)to);

            if (taken != (allowed[from][to] == 'x'))
                fail_msg("%s -> %s: %d", fault_state_name((enum FaultState)from),
                         fault_state_name((enum FaultState)to), taken);
            if (!taken)
                assert_int_equal(f.err.code, ERR_OWN);
            store_close(store);
        }
    }
    fixture_close(&f);
}

static void test_a_step_back_says_so_and_changes_nothing(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_CLEAR);

    assert_null(undolog_injecting(store, 1, GUARD, (struct Mono){5}, &f.err));

    assert_string_equal(f.err.message, "fault 1 is CLEAR and cannot become INJECTING");
    assert_true(fixture_read(&f).faults[0].clear);
    assert_false(undolog_armed(store, 2, NULL, (struct Mono){5}, (struct Wall){5}, &f.err));
    assert_string_equal(f.err.message, "fault 2 is PLANNED and cannot become ARMED");
    assert_false(fixture_arm(&f, store, 1));
    assert_string_equal(f.err.message, "fault 1 of this run was armed before");
    store_close(store);
    fixture_close(&f);
}

static void test_armed_carries_the_guard_that_was_proven(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_ARMED);

    const struct Armed *armed = undolog_injecting(store, 1, GUARD, (struct Mono){7}, &f.err);

    assert_non_null(armed);
    assert_ptr_equal(armed_guard(armed), GUARD);
    store_close(store);
    fixture_close(&f);
}

static struct List read_open(struct Fixture *f, const char *run)
{
    struct List list;
    struct Store *store = fixture_store(f);
    must(f, undolog_open(store, &fake_kinds, run, f->arena, &list, &f->err));
    store_close(store);
    return list;
}

static void test_hosts_of_kept_runs_are_known_as_the_newest_reached_them(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_CLEAR);
    must(&f, fixture_arm(&f, store, 2));
    store_close(store);
    store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "02run"));
    f.hosts[0].address = "10.0.0.9";
    bring_to(&f, store, FAULT_CLEAR);
    struct List staging, other;

    must(&f, undolog_hosts(store, &fake_kinds, "staging", f.arena, &staging, &f.err));
    must(&f, undolog_hosts(store, &fake_kinds, "production", f.arena, &other, &f.err));

    const struct KeptHost *host = staging.items;
    assert_int_equal(staging.count, 3);
    assert_int_equal(other.count, 0);
    assert_string_equal(host[0].target.name, "db-1");
    assert_string_equal(host[0].target.address, "10.0.0.9");
    assert_string_equal(host[0].run, "02run");
    assert_int_equal(host[0].open_faults, 0);
    assert_ptr_equal(host[0].target.reach, &fake_reach);
    assert_string_equal(host[1].target.name, "db-1"); /* where it was before */
    assert_string_equal(host[1].run, "01run");
    assert_string_equal(host[2].target.name, "db-2");
    assert_string_equal(host[2].run, "01run");
    assert_int_equal(host[2].open_faults, 1);
    store_close(store);
    fixture_close(&f);
}

static void test_an_open_fault_can_be_undone_without_scenario_or_environment(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_INJECTING);
    store_close(store);

    struct List list = read_open(&f, NULL);

    assert_int_equal(list.count, 1);
    const struct OpenFault *fault = list.items;
    assert_string_equal(fault->run, "01run");
    assert_string_equal(fault->environment, "staging");
    assert_string_equal(fault->scenario, "primary_dies");
    assert_string_equal(fault->host, "db-1");
    assert_int_equal(fault->number, 1);
    assert_int_equal(fault->state, FAULT_INJECTING);
    assert_string_equal(fault->step, "isolate victim");
    assert_int_equal(fault->ends_by, CLASS_KERNEL);
    assert_string_equal(fault->boot_id, "boot-now"); /* that of the guard */
    assert_int_equal(fault->acts_by.ns, FIXTURE_WALL + 20 + 60 * NS_PER_S);
    assert_string_equal(fault->undo, commands_shell(&f.faults[0].procedure.undo, f.arena));
    assert_string_equal(fault->all_clear,
                        commands_shell(&f.faults[0].procedure.all_clear, f.arena));
    assert_string_equal(fault->target.name, "db-1");
    assert_string_equal(fault->target.address, "10.0.0.1");
    assert_string_equal(fault->target.host_key, "SHA256:abc");
    assert_ptr_equal(fault->target.reach, &fake_reach);
    const struct FakeReach *config = fault->target.reach_config;
    assert_string_equal(config->user, "o'ps");
    assert_string_equal(config->key, "/k: [é]");
    assert_int_equal(config->port, 2222);
    fixture_close(&f);
}

static void test_a_way_that_this_version_does_not_know_is_listed_all_the_same(void **state)
{
    (void)state;
    static const struct TransportKind *const none[] = {NULL};
    struct Kinds kinds = {.transports = none};
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_ARMING);

    struct List list;
    must(&f, undolog_open(store, &kinds, "01run", f.arena, &list, &f.err));

    const struct OpenFault *fault = list.items;
    assert_int_equal(list.count, 1);
    assert_null(fault->target.reach);
    assert_string_equal(fault->reach, "fake");
    assert_string_equal(fault->reach_text, "{\"key\":\"/k: [é]\",\"port\":2222,\"user\":\"o'ps\"}");
    store_close(store);
    fixture_close(&f);
}

static void test_every_state_from_arming_on_is_open_until_clear(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    for (int at = FAULT_PLANNED; at <= FAULT_UNKNOWN; at++) {
        struct Store *store = fixture_store(&f);
        char token[32];
        snprintf(token, sizeof(token), "run%d", at);
        must(&f, fixture_begin(&f, store, token));
        bring_to(&f, store, (enum FaultState)at);
        store_close(store);

        struct List list = read_open(&f, token);

        assert_int_equal(list.count, at != FAULT_PLANNED && at != FAULT_CLEAR);
        if (list.count > 0)
            assert_int_equal(((const struct OpenFault *)list.items)->state, at);
    }
    assert_int_equal(read_open(&f, NULL).count, 6);
    assert_int_equal(read_open(&f, "nope").count, 0);
    fixture_close(&f);
}

static void test_times_and_texts_of_a_fault_reach_the_report(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_IN_EFFECT);
    must(&f, undolog_ended_early(store, 1, (struct Mono){77}, &f.err));
    must(&f, undolog_undoing(store, 1, (struct Mono){78}, &f.err));
    must(&f, undolog_clear(store, 1, (struct Moment){{79}, {80}}, &f.err));

    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.fault_count, 1);
    const struct RunFault *fault = run.faults;
    assert_int_equal(fault->number, 1);
    assert_string_equal(fault->step, "isolate victim");
    assert_string_equal(fault->kind, "isolate");
    assert_string_equal(fault->host, "db-1");
    assert_string_equal(fault->role, "db");
    assert_int_equal(fault->t0.low.ns, FIXTURE_MONO + 100 + FAULT_IN_EFFECT - 1);
    assert_int_equal(fault->t0.high.ns, FIXTURE_MONO + 100 + FAULT_IN_EFFECT);
    assert_int_equal(fault->undone.low.ns, 79);
    assert_int_equal(fault->undone.high.ns, 80);
    assert_int_equal(fault->ended_early.ns, 77);
    assert_int_equal(fault->class_letter, 'K');
    assert_true(fault->clear);
    assert_string_equal(fault->proof, "table loaded, no answer");
    assert_string_equal(fault->apply_text, commands_shell(&f.faults[0].procedure.apply, f.arena));
    assert_string_equal(fault->undo_text, commands_shell(&f.faults[0].procedure.undo, f.arena));
    assert_string_equal(fault->stays, "the primary moved");
    store_close(store);
    fixture_close(&f);
}

static void test_a_fault_that_was_sent_but_not_proven_has_half_a_t0(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));

    bring_to(&f, store, FAULT_ARMED);
    assert_int_equal(fixture_read(&f).faults[0].t0.low.ns, 0);
    must(&f, take_step(&f, store, FAULT_INJECTING));

    struct RunRecord run = fixture_read(&f);
    assert_int_equal(run.faults[0].t0.low.ns, FIXTURE_MONO + 100 + FAULT_INJECTING);
    assert_int_equal(run.faults[0].t0.high.ns, 0);
    assert_false(run.faults[0].clear);
    store_close(store);
    fixture_close(&f);
}

static void test_undo_closes_the_faults_of_a_run_that_died(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    bring_to(&f, store, FAULT_IN_EFFECT);
    store_close(store);
    store = fixture_store(&f);
    struct ByHand closed = {.run = "01run", .number = 1, .why = "host gone", .at = {FIXTURE_WALL}};

    must(&f, undolog_close_by_hand(store, &closed, &f.err));
    assert_int_equal(read_open(&f, NULL).count, 1);
    must(&f, undolog_close_by_hand(store, &closed, &f.err));
    closed.clear = true;
    must(&f, undolog_close_by_hand(store, &closed, &f.err));
    assert_int_equal(read_open(&f, NULL).count, 0);

    must(&f, undolog_close_by_hand(store, &closed, &f.err)); /* two `undo` at once */
    assert_int_equal(read_open(&f, NULL).count, 0);
    closed.clear = false;
    assert_false(undolog_close_by_hand(store, &closed, &f.err));
    assert_string_equal(f.err.message, "fault 1 is CLEAR and cannot become UNKNOWN");
    closed.run = "nope";
    assert_false(undolog_close_by_hand(store, &closed, &f.err));
    assert_int_equal(f.err.code, ERR_NOT_FOUND);
    store_close(store);
    fixture_close(&f);
}

static void test_a_lock_on_a_host_is_open_but_no_fault_of_the_record(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    struct StepSpec lock = {.name = "lock"};
    struct StepSpec failover = {.name = "failover db", .type = STEP_FAILOVER};
    struct Procedure none = {.ends_by = CLASS_REBOOT};
    f.faults[0].step = &lock;
    f.faults[1].step = &failover;
    f.faults[0].procedure = f.faults[1].procedure = none;

    must(&f, fixture_arm(&f, store, 1) && fixture_arm(&f, store, 2));

    assert_int_equal(read_open(&f, "01run").count, 2);
    struct RunRecord run = fixture_read(&f);
    assert_int_equal(run.fault_count, 1);
    assert_string_equal(run.faults[0].kind, "failover");
    assert_string_equal(run.faults[0].undo_text, "");
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_forward_steps_are_taken),
        cmocka_unit_test(test_a_step_back_says_so_and_changes_nothing),
        cmocka_unit_test(test_armed_carries_the_guard_that_was_proven),
        cmocka_unit_test(test_hosts_of_kept_runs_are_known_as_the_newest_reached_them),
        TRACK("chaos-mesh 3454", test_an_open_fault_can_be_undone_without_scenario_or_environment),
        cmocka_unit_test(test_a_way_that_this_version_does_not_know_is_listed_all_the_same),
        TRACK("chaosd 147", test_every_state_from_arming_on_is_open_until_clear),
        cmocka_unit_test(test_times_and_texts_of_a_fault_reach_the_report),
        cmocka_unit_test(test_a_fault_that_was_sent_but_not_proven_has_half_a_t0),
        TRACK("jepsen 602", test_undo_closes_the_faults_of_a_run_that_died),
        cmocka_unit_test(test_a_lock_on_a_host_is_open_but_no_fault_of_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
