/* store_verdict_test.c - verdicts have one exit status each, and the worst one wins. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runner/store/inside.h"

static void test_names_and_statuses_are_those_of_the_design(void **state)
{
    (void)state;
    static const struct {
        enum Verdict verdict;
        const char *name;
        int status;
    } rows[] = {
        {VERDICT_PASS, "PASS", 0},
        {VERDICT_FAIL, "FAIL", 1},
        {VERDICT_NOT_READY, "NOT READY", 3},
        {VERDICT_REFUSED, "REFUSED", 4},
        {VERDICT_HALTED, "HALTED", 5},
        {VERDICT_NOT_UNDONE, "NOT UNDONE", 6},
        {VERDICT_INCONCLUSIVE, "INCONCLUSIVE", 7},
        {VERDICT_OWN_FAILURE, "OWN FAILURE", 8},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(verdict_name(rows[i].verdict), rows[i].name);
        assert_int_equal(verdict_status(rows[i].verdict), rows[i].status);
        assert_int_equal(verdict_stored(rows[i].name), rows[i].verdict);
    }
}

static void test_the_worse_of_two_wins_whichever_comes_first(void **state)
{
    (void)state;
    static const enum Verdict best_first[] = {
        VERDICT_PASS,    VERDICT_INCONCLUSIVE, VERDICT_FAIL,        VERDICT_NOT_READY,
        VERDICT_REFUSED, VERDICT_HALTED,       VERDICT_OWN_FAILURE, VERDICT_NOT_UNDONE};
    for (size_t a = 0; a < COUNT_OF(best_first); a++) {
        for (size_t b = 0; b < COUNT_OF(best_first); b++)
            assert_int_equal(verdict_worst(best_first[a], best_first[b]),
                             best_first[a > b ? a : b]);
    }
}

static void test_a_stored_word_of_a_later_version_is_never_a_pass(void **state)
{
    (void)state;

    assert_int_equal(verdict_stored("SPLENDID"), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_stored(NULL), VERDICT_INCONCLUSIVE);
    assert_int_equal(state_stored("GONE"), FAULT_UNKNOWN);
    assert_int_equal(state_stored(NULL), FAULT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_statuses_are_those_of_the_design),
        cmocka_unit_test(test_the_worse_of_two_wins_whichever_comes_first),
        cmocka_unit_test(test_a_stored_word_of_a_later_version_is_never_a_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
