/* engine_states_test.c - the state machine of a run: every way out leads through UNDOING. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../runner/engine/run.h"
#include "../fakes/track.h"

static const enum RunSignal SIGNALS[] = {EVENT_BEGIN,    EVENT_STEADY, EVENT_STEPS_DONE,
                                         EVENT_OBSERVED, EVENT_UNDONE, EVENT_SETTLED,
                                         EVENT_OVER,     EVENT_ABORT,  EVENT_NOT_UNDONE};
static const enum RunState BEFORE_UNDOING[] = {RUN_PLANNED, RUN_BASELINE, RUN_STEPS, RUN_OBSERVING};

static void test_every_abort_leads_to_undoing(void **state)
{
    (void)state;
    for (size_t at = 0; at < COUNT_OF(BEFORE_UNDOING); at++)
        assert_int_equal(run_state_next(BEFORE_UNDOING[at], EVENT_ABORT), RUN_UNDOING);
}

static void test_nothing_leaves_undoing_but_a_look(void **state)
{
    (void)state;
    for (size_t at = 0; at < COUNT_OF(SIGNALS); at++) {
        enum RunState next = run_state_next(RUN_UNDOING, SIGNALS[at]);
        if (SIGNALS[at] == EVENT_UNDONE)
            assert_int_equal(next, RUN_SETTLING);
        else if (SIGNALS[at] == EVENT_NOT_UNDONE)
            assert_int_equal(next, RUN_ALWAYS);
        else
            assert_int_equal(next, RUN_UNDOING);
    }
}

static void test_nothing_ends_but_past_always(void **state)
{
    (void)state;
    for (int from = RUN_PLANNED; from < RUN_ALWAYS; from++)
        for (size_t at = 0; at < COUNT_OF(SIGNALS); at++)
            assert_true(run_state_next((enum RunState)from, SIGNALS[at]) <= RUN_ALWAYS);
    assert_int_equal(run_state_next(RUN_ALWAYS, EVENT_OVER), RUN_FINISHED);
    assert_int_equal(run_state_next(RUN_ALWAYS, EVENT_NOT_UNDONE), RUN_DIRTY);
    assert_int_equal(run_state_next(RUN_ALWAYS, EVENT_ABORT), RUN_ALWAYS);
}

static void test_a_run_passes_undoing_before_it_ends(void **state)
{
    (void)state;
    for (size_t from = 0; from < COUNT_OF(BEFORE_UNDOING); from++)
        for (size_t at = 0; at < COUNT_OF(SIGNALS); at++) {
            enum RunState next = run_state_next(BEFORE_UNDOING[from], SIGNALS[at]);
            assert_true(next <= RUN_UNDOING);
        }
}

static void test_a_run_that_ended_stays_so(void **state)
{
    (void)state;
    for (size_t at = 0; at < COUNT_OF(SIGNALS); at++) {
        assert_int_equal(run_state_next(RUN_FINISHED, SIGNALS[at]), RUN_FINISHED);
        assert_int_equal(run_state_next(RUN_DIRTY, SIGNALS[at]), RUN_DIRTY);
    }
}

static void test_the_table_is_printed_as_it_is(void **state)
{
    (void)state;
    struct Buf out = BUF(4096);
    run_states_write(&out);
    assert_non_null(strstr(out.text, "STEPS      abort       UNDOING\n"));
    assert_non_null(strstr(out.text, "UNDOING    not undone  ALWAYS\n"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACK("litmus-go 239", test_every_abort_leads_to_undoing),
        TRACK("krkn 1461", test_nothing_leaves_undoing_but_a_look),
        TRACK("chaostoolkit 195", test_a_run_passes_undoing_before_it_ends),
        cmocka_unit_test(test_nothing_ends_but_past_always),
        cmocka_unit_test(test_a_run_that_ended_stays_so),
        cmocka_unit_test(test_the_table_is_printed_as_it_is),
    };
    return cmocka_run_group_tests_name("engine_states", tests, NULL, NULL);
}
