/* reports_statistics_test.c - TV8 and TV12 of MEASURING.md C.11. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const double tv8_x[] = {.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46};
static const double tv8_y[] = {1.15, .88, .90, .74, 1.21};

static void assert_near(double is, double wanted)
{
    if (fabs(is - wanted) > 5e-8)
        fail_msg("%.9f is not %.9f", is, wanted);
}

static void test_mann_whitney_is_that_of_the_test_vector(void **state)
{
    (void)state;

    struct MannWhitney test = mann_whitney(tv8_x, 10, tv8_y, 5);

    assert_near(test.u, 35);
    assert_true(test.exact);
    assert_near(test.p_two_sided, 0.2544122544);
    assert_near(mann_whitney(tv8_y, 5, tv8_x, 10).p_two_sided, test.p_two_sided);
}

static void test_ties_take_the_normal_approximation(void **state)
{
    (void)state;
    const double x[] = {1, 2, 2, 3, 4}, y[] = {2, 5, 6, 7, 7};

    struct MannWhitney test = mann_whitney(x, 5, y, 5);

    assert_false(test.exact);
    assert_near(test.u, 3);
    assert_true(test.p_two_sided > 0.05 && test.p_two_sided < 0.06);
}

static void test_the_smallest_p_of_few_runs_is_known(void **state)
{
    (void)state;
    const double low[] = {1, 2, 3, 4, 5}, high[] = {11, 12, 13, 14, 15};

    assert_near(mann_whitney(low, 3, high, 3).p_two_sided, 0.1);
    assert_near(mann_whitney(low, 4, high, 4).p_two_sided, 2.0 / 70);
    assert_near(mann_whitney(low, 5, high, 5).p_two_sided, 2.0 / 252);
}

static void test_hodges_lehmann_is_that_of_the_test_vector(void **state)
{
    (void)state;
    struct Shift shift;

    assert_true(hodges_lehmann(tv8_x, 10, tv8_y, 5, 0.95, &shift));

    assert_near(shift.shift, 0.305);
    assert_int_equal(shift.rank, 9);
    assert_near(shift.low, -0.15);
    assert_near(shift.high, 0.76);
    assert_false(hodges_lehmann(tv8_x, 3, tv8_y, 3, 0.95, &shift));
}

static void test_the_null_stays_exact_for_fifty_a_side(void **state)
{
    (void)state;
    double x[50], y[50];
    for (int n = 0; n < 50; n++) {
        x[n] = 2 * n;
        y[n] = 2 * n + 1;
    }

    struct MannWhitney test = mann_whitney(x, 50, y, 50);

    assert_true(test.exact);
    assert_true(test.p_two_sided > 0.8 && test.p_two_sided <= 1);
}

struct Coverage {
    size_t count, rank;
    double coverage;
};

static void test_median_intervals_have_the_ranks_of_the_test_vector(void **state)
{
    (void)state;
    static const struct Coverage rows[] = {{6, 1, .96875}, {9, 2, .9609}, {10, 2, .979},
                                           {12, 3, .961},  {15, 4, .965}, {17, 5, .9510},
                                           {20, 6, .959}};
    double values[20];
    struct MedianInterval interval;
    for (int n = 0; n < 20; n++)
        values[n] = 20 - n;

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        assert_true(median_interval(values, rows[n].count, 0.95, &interval));
        assert_int_equal(interval.rank, rows[n].rank);
        assert_true(fabs(interval.coverage - rows[n].coverage) < 6e-4);
    }
    assert_near(interval.low, 6);
    assert_near(interval.high, 15);
    assert_false(median_interval(values, 5, 0.95, &interval));
}

static void test_a_median_is_the_middle(void **state)
{
    (void)state;
    const double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2};

    assert_near(median_of(odd, 3), 3);
    assert_near(median_of(even, 4), 2.5);
    assert_true(isnan(median_of(odd, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mann_whitney_is_that_of_the_test_vector),
        cmocka_unit_test(test_ties_take_the_normal_approximation),
        cmocka_unit_test(test_the_smallest_p_of_few_runs_is_known),
        cmocka_unit_test(test_hodges_lehmann_is_that_of_the_test_vector),
        cmocka_unit_test(test_the_null_stays_exact_for_fifty_a_side),
        cmocka_unit_test(test_median_intervals_have_the_ranks_of_the_test_vector),
        cmocka_unit_test(test_a_median_is_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
