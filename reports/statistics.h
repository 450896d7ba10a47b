/* statistics.h - what can be said of a handful of runs without assuming how they are spread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_STATISTICS_H
#define FD_REPORTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

/* Pure. Inputs are left alone. Counts are small: at most 50 a side where a test is exact. */

/* NAN of none. */
double median_of(const double *values, size_t count);

/* [x_(k), x_(n+1-k)] with the largest k whose coverage is `level` or more; false below the smallest
 * count that can reach it (6 at 95 %). MEASURING.md C.8. */
struct MedianInterval {
    double low, high, coverage;
    size_t rank; /* k */
};
bool median_interval(const double *values, size_t count, double level, struct MedianInterval *out);

/* Mann-Whitney: U = how often an x is above a y, ties half. Exact without ties and up to 50 a side,
 * else normal with tie correction and half a continuity step. */
struct MannWhitney {
    double u, p_two_sided;
    bool exact;
};
enum { EXACT_MAX = 50 };
struct MannWhitney mann_whitney(const double *x, size_t x_count, const double *y, size_t y_count);

/* Hodges-Lehmann: the median of all x - y, and its interval of `level` or more from the exact null
 * (where there are no ties among the x and y it has that level). False where the counts cannot
 * reach it. */
struct Shift {
    double shift, low, high;
    size_t rank; /* q: the interval is [D_(q), D_(mn+1-q)] */
};
bool hodges_lehmann(const double *x, size_t x_count, const double *y, size_t y_count, double level,
                    struct Shift *out);

#endif
