/* engine_back_test.c - when a role is asked to be given back, when not, and to whom it went. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/engine/run_parts.h"
#include "store_fixture.h"

/* A system whose primary is `leading`, all of it whole, and which obeys at once. */
static const struct Target *leading, *wanted;
static int sent, dropped;

static void *system_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err)
{
    (void)config;
    (void)loop;
    (void)err;
    return (void *)(uintptr_t)role;
}

static void told(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    (void)system;
    (void)deadline;
    done(data, &(struct Standing){.host = leading, .rank = RANK_PRIMARY});
}

static void stands(void *system, const struct Target *host, struct Mono deadline, StandingFn *done,
                   void *data)
{
    (void)system;
    (void)deadline;
    done(data, &(struct Standing){.host = host,
                                  .rank = host == leading ? RANK_PRIMARY : RANK_REPLICA,
                                  .answered = mono_now()});
}

static void is_whole(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    (void)system;
    (void)deadline;
    done(data, &(struct Redundancy){.complete = KNOWN_YES});
}

static void hand_over(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    (void)system;
    (void)deadline;
    sent++;
    wanted = wish->to;
    done(data, KNOWN_YES, "");
}

static void drop(void *system)
{
    (void)system;
    dropped++;
}

static void system_close(void *system)
{
    (void)system;
}

static const struct SystemKind QUICK = {.name = "quick",
                                        .open = system_open,
                                        .ask_control = told,
                                        .ask_standing = stands,
                                        .ask_redundancy = is_whole,
                                        .failover = hand_over,
                                        .cancel = drop,
                                        .close = system_close};

/* db-1 led, db-2 leads since the fault, which is undone. */
struct Moved {
    struct Fixture f;
    struct Store *store;
    struct StepSpec steps[1];
    struct Foresight foresight;
    struct Run *run;
    struct Mono now;
};

static void moved_tick(struct Moved *m, const struct Target *leads)
{
    leading = leads;
    m->now = mono_add(m->now, NS_PER_S);
    sight_tick(m->run->sight, m->now);
}

static void moved_open(struct Moved *m)
{
    struct Err err;
    sent = dropped = 0;
    wanted = NULL;
    fixture_open(&m->f);
    m->store = fixture_store(&m->f);
    must(&m->f, fixture_begin(&m->f, m->store, "01run"));
    m->steps[0] = (struct StepSpec){.name = "move it",
                                    .type = STEP_FAILOVER,
                                    .role = "db",
                                    .switch_back = true,
                                    .timeout_ns = 60 * NS_PER_S};
    m->f.role.system = &QUICK;
    m->f.faults[0].step = m->f.faults[1].step = m->steps;
    m->f.scenario.steps = (struct List){.items = m->steps, .count = 1};
    m->f.scenario.always = 1;
    m->f.scenario.probes = (struct List){.items = NULL};
    m->f.plan.probes = (struct List){.items = NULL};
    m->f.environment.roles = (struct List){.items = &m->f.role, .count = 1};
    m->foresight = (struct Foresight){.role = &m->f.role};
    m->f.plan.foresights = (struct List){.items = &m->foresight, .count = 1};
    m->run = run_new(&(struct RunAsk){.plan = &m->f.plan, .store = m->store});
    m->run->stored = m->run->any_sent = true;
    m->run->state = RUN_UNDOING;
    m->run->sight = sight_open(&m->f.plan, NULL, m->run->arena, &err);
    assert_non_null(m->run->sight);
    m->now = mono_now();
    moved_tick(m, &m->f.hosts[0]);
    sight_fault(m->run->sight, mono_add(m->now, NS_PER_MS));
    sight_undo(m->run->sight, mono_add(m->now, NS_PER_MS));
    moved_tick(m, &m->f.hosts[1]);
}

static void moved_close(struct Moved *m)
{
    sight_close(m->run->sight);
    run_free(m->run);
    store_close(m->store);
    fixture_close(&m->f);
}

static struct RunSwitchBack kept(struct Moved *m)
{
    struct RunRecord record = fixture_read(&m->f);
    assert_int_equal(record.switch_back_count, 1);
    return record.switch_backs[0];
}

static void test_who_led_is_asked_once_all_is_whole(void **state)
{
    (void)state;
    struct Moved m;
    moved_open(&m);
    m.run->state = RUN_SETTLING;

    assert_false(back_tick(m.run, m.now, false));
    assert_int_equal(sent, 0);
    assert_true(back_tick(m.run, m.now, true));
    assert_int_equal(sent, 1);
    assert_ptr_equal(wanted, &m.f.hosts[0]);
    assert_string_equal(kept(&m).why, "its end was not seen");
    moved_tick(&m, &m.f.hosts[0]);
    moved_tick(&m, &m.f.hosts[0]);
    assert_true(back_tick(m.run, m.now, true));
    back_close(m.run);

    assert_int_equal(sent, 1);
    assert_string_equal(kept(&m).why, "");
    assert_string_equal(kept(&m).last, "db-1");
    assert_true(kept(&m).whole.high.ns != 0);
    moved_close(&m);
}

static void test_after_a_halt_while_it_undoes_nobody_is_asked(void **state)
{
    (void)state;
    struct Moved m;
    moved_open(&m);

    run_abort(m.run, VERDICT_HALTED, "halted by Ctrl-C");
    m.run->state = RUN_SETTLING;
    assert_false(back_tick(m.run, m.now, true));

    assert_int_equal(sent, 0);
    assert_string_equal(kept(&m).why, "the drill was stopped before its end");
    assert_int_equal(kept(&m).asked.ns, 0);
    moved_close(&m);
}

/* It is looked for a few times a second, and once more right before. */
static void test_a_halt_from_elsewhere_is_heard_right_before(void **state)
{
    (void)state;
    struct Moved m;
    moved_open(&m);
    m.run->state = RUN_SETTLING;

    must(&m.f, store_request_halt(m.store, "01run", "", "ana", &m.f.err));
    (void)back_tick(m.run, m.now, true);
    assert_false(back_tick(m.run, m.now, true));

    assert_int_equal(sent, 0);
    assert_string_equal(kept(&m).why, "the drill was stopped before its end");
    moved_close(&m);
}

static void test_who_leads_already_is_not_asked(void **state)
{
    (void)state;
    struct Moved m;
    moved_open(&m);
    m.run->state = RUN_SETTLING;
    moved_tick(&m, &m.f.hosts[0]);

    assert_true(back_tick(m.run, m.now, true));

    assert_int_equal(sent, 0);
    assert_int_equal(kept(&m).asked.ns, 0);
    assert_true(kept(&m).leads.high.ns != 0);
    assert_string_equal(kept(&m).why, "");
    moved_close(&m);
}

static void test_why_nobody_is_asked_is_what_is_lacking(void **state)
{
    (void)state;
    struct Moved m;
    struct OkStretch oks[2] = {{.count = 0}};
    moved_open(&m);

    assert_string_equal(settle_lacks(m.run), "redundancy was not proven after the undo");
    m.f.plan.probes = (struct List){.items = m.f.bound, .count = 1};
    m.run->oks = oks;
    assert_string_equal(settle_lacks(m.run), "the probes were not steady after the undo");

    moved_close(&m);
}

/* The system is to hand over to db-2, and db-1 led. */
static void lead(struct Moved *m, const char *named)
{
    static struct StepRun step;
    step = (struct StepRun){.run = m->run, .spec = m->steps, .primary = &m->f.hosts[0]};
    m->steps[0].promoted = named;
    m->run->state = RUN_STEPS;
    m->run->faults[0].state = FAULT_IN_EFFECT;
    m->run->steps = &step;
    m->run->end = 1;
    step.state = STEP_UNDER_WAY;
    step_failover_tick(&step, m->now);
}

static void test_another_who_leads_than_who_is_named_fails_the_drill(void **state)
{
    (void)state;
    struct Moved m;
    const char *why = NULL;
    moved_open(&m);

    lead(&m, "db-3");

    assert_int_equal(run_ended_as(m.run, &why), VERDICT_FAIL);
    assert_string_equal(why, "db-2 leads instead of the named db-3");
    moved_close(&m);
}

static void test_who_is_named_and_leads_ends_the_step(void **state)
{
    (void)state;
    struct Moved m;
    const char *why = NULL;
    moved_open(&m);

    lead(&m, "db-2");

    assert_int_equal(run_ended_as(m.run, &why), VERDICT_PASS);
    assert_int_equal(m.run->steps[0].state, STEP_OVER);
    moved_close(&m);
}

static void test_what_is_not_begun_as_the_steps_end_is_not_begun(void **state)
{
    (void)state;
    struct Moved m;
    struct StepRun step;
    moved_open(&m);
    for (int answered = 0; answered < 2; answered++) {
        step = (struct StepRun){.run = m.run, .spec = m.steps, .state = STEP_UNDER_WAY};
        m.run->steps = &step;
        m.run->first = 0;
        m.run->end = 1;
        m.run->faults[0].state = FAULT_INJECTING;
        m.run->faults[0].answered = answered == 1;
        steps_close(m.run);
        assert_int_equal(step.state, STEP_OVER);
        assert_int_equal(dropped, 1); /* the first time */
    }
    moved_close(&m);
}

static void test_who_does_not_wait_any_more_asks_for_nothing_more(void **state)
{
    (void)state;
    struct Moved m;
    moved_open(&m);
    m.run->state = RUN_SETTLING;
    assert_true(back_tick(m.run, m.now, true));
    assert_int_equal(sent, 1);

    m.run->hurry = true;
    assert_true(back_tick(m.run, m.now, true));

    assert_int_equal(dropped, 1);
    assert_string_equal(kept(&m).why, "it was not awaited, and may still come");
    moved_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_led_is_asked_once_all_is_whole),
        cmocka_unit_test(test_after_a_halt_while_it_undoes_nobody_is_asked),
        cmocka_unit_test(test_a_halt_from_elsewhere_is_heard_right_before),
        cmocka_unit_test(test_who_leads_already_is_not_asked),
        cmocka_unit_test(test_why_nobody_is_asked_is_what_is_lacking),
        cmocka_unit_test(test_another_who_leads_than_who_is_named_fails_the_drill),
        cmocka_unit_test(test_who_is_named_and_leads_ends_the_step),
        cmocka_unit_test(test_what_is_not_begun_as_the_steps_end_is_not_begun),
        cmocka_unit_test(test_who_does_not_wait_any_more_asks_for_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
