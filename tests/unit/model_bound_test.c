/* model_bound_test.c - the words of `expect` have names, and names have words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runner/model/bound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_every_word_has_a_row_that_is_found_by_its_name(void **state)
{
    (void)state;

    for (int n = 0; n < BOUND_COUNT; n++) {
        enum BoundWord word = (enum BoundWord)n;
        enum BoundWord found = BOUND_COUNT;

        assert_non_null(bound_name(word));
        assert_non_null(bound_row(word)->measures);
        assert_true(bound_find(bound_name(word), &found));
        assert_int_equal(found, word);
    }
}

static void test_an_unknown_name_is_no_word(void **state)
{
    (void)state;
    enum BoundWord word = BOUND_MAX_LOST;

    assert_false(bound_find("max_losses", &word));

    assert_int_equal(word, BOUND_MAX_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_word_has_a_row_that_is_found_by_its_name),
        cmocka_unit_test(test_an_unknown_name_is_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
