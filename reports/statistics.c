/* statistics.c - what can be said of a handful of runs without assuming how they are spread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../runner/base/arena.h"

static int compare_reals(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double *sorted_copy(const double *values, size_t count)
{
    double *copy = mem_zero(count + 1, sizeof(*copy));
    if (count > 0)
        memcpy(copy, values, count * sizeof(*copy));
    if (count > 1)
        qsort(copy, count, sizeof(*copy), compare_reals);
    return copy;
}

static double middle(const double *sorted, size_t count)
{
    if (count == 0)
        return NAN;
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double median_of(const double *values, size_t count)
{
    double *sorted = sorted_copy(values, count);
    double median = middle(sorted, count);
    mem_free(sorted);
    return median;
}

/* Coverage of [x_(k), x_(n+1-k)]: 1 - 2 sum_{i<k} C(n,i) / 2^n. */
static double coverage(size_t count, size_t rank)
{
    double term = pow(0.5, (double)count), below = 0;
    for (size_t i = 0; i < rank; i++) {
        below += term;
        term *= (double)(count - i) / (double)(i + 1);
    }
    return 1 - 2 * below;
}

bool median_interval(const double *values, size_t count, double level, struct MedianInterval *out)
{
    size_t rank = 0;
    while (rank + 1 <= count / 2 && coverage(count, rank + 1) >= level)
        rank++;
    if (rank == 0)
        return false;
    double *sorted = sorted_copy(values, count);
    *out = (struct MedianInterval){.low = sorted[rank - 1],
                                   .high = sorted[count - rank],
                                   .coverage = coverage(count, rank),
                                   .rank = rank};
    mem_free(sorted);
    return true;
}

/* ---- Mann-Whitney ---- */

/* P(U = u) for u = 0..mn under the null, without ties. The number of ways in which m of m+n ranks
 * sum to u above their least is the Gaussian binomial; each factor (1 - q^(n+i)) / (1 - q^i) is
 * multiplied in and divided by its number of ways, so that nothing overflows. */
static double *null_of_u(size_t m, size_t n)
{
    size_t most = m * n;
    double *share = mem_zero(most + 1, sizeof(*share));
    share[0] = 1;
    for (size_t i = 1; i <= m; i++) {
        for (size_t u = most; u >= n + i && u <= most; u--)
            share[u] -= share[u - n - i];
        for (size_t u = i; u <= most; u++)
            share[u] += share[u - i];
        double ways = (double)(n + i) / (double)i;
        for (size_t u = 0; u <= most; u++)
            share[u] /= ways;
    }
    return share;
}

static bool has_ties(const double *x, size_t x_count, const double *y, size_t y_count)
{
    double *all = mem_zero(x_count + y_count + 1, sizeof(*all));
    memcpy(all, x, x_count * sizeof(*all));
    memcpy(all + x_count, y, y_count * sizeof(*all));
    qsort(all, x_count + y_count, sizeof(*all), compare_reals);
    bool ties = false;
    for (size_t i = 1; i < x_count + y_count; i++)
        ties |= !(all[i] > all[i - 1]);
    mem_free(all);
    return ties;
}

static double u_of(const double *x, size_t x_count, const double *y, size_t y_count)
{
    double u = 0;
    for (size_t i = 0; i < x_count; i++) {
        for (size_t j = 0; j < y_count; j++)
            u += x[i] > y[j] ? 1 : x[i] < y[j] ? 0 : 0.5;
    }
    return u;
}

static double exact_p(double u, size_t m, size_t n)
{
    double *share = null_of_u(m, n);
    double low = u < (double)(m * n) - u ? u : (double)(m * n) - u;
    double below = 0;
    for (size_t i = 0; (double)i <= low; i++)
        below += share[i];
    mem_free(share);
    return 2 * below < 1 ? 2 * below : 1;
}

/* sigma^2 = mn/12 ((N+1) - sum(t^3 - t) / (N(N-1))) */
static double normal_p(double u, const double *x, size_t m, const double *y, size_t n)
{
    size_t count = m + n;
    double *all = mem_zero(count + 1, sizeof(*all));
    memcpy(all, x, m * sizeof(*all));
    memcpy(all + m, y, n * sizeof(*all));
    qsort(all, count, sizeof(*all), compare_reals);
    double ties = 0;
    for (size_t i = 0, j; i < count; i = j) {
        for (j = i + 1; j < count && !(all[j] > all[i]); j++)
            continue;
        double t = (double)(j - i);
        ties += t * t * t - t;
    }
    mem_free(all);
    double all_count = (double)count;
    double variance = (double)(m * n) / 12 * (all_count + 1 - ties / (all_count * (all_count - 1)));
    double distance = fabs(u - (double)(m * n) / 2) - 0.5;
    if (variance <= 0 || distance <= 0)
        return 1;
    return erfc(distance / sqrt(variance) / sqrt(2));
}

struct MannWhitney mann_whitney(const double *x, size_t x_count, const double *y, size_t y_count)
{
    if (x_count == 0 || y_count == 0)
        return (struct MannWhitney){.p_two_sided = 1};
    struct MannWhitney out = {.u = u_of(x, x_count, y, y_count)};
    out.exact = x_count <= EXACT_MAX && y_count <= EXACT_MAX && !has_ties(x, x_count, y, y_count);
    out.p_two_sided =
        out.exact ? exact_p(out.u, x_count, y_count) : normal_p(out.u, x, x_count, y, y_count);
    return out;
}

/* q = the smallest u with P(U <= u) >= (1 - level) / 2, as R's qwilcox; 0 = the counts are too
 * small. */
static size_t shift_rank(size_t m, size_t n, double level)
{
    double *share = null_of_u(m, n);
    double below = 0;
    size_t rank = 0;
    for (size_t u = 0; u <= m * n; u++) {
        below += share[u];
        if (below >= (1 - level) / 2 - 1e-12) {
            rank = u;
            break;
        }
    }
    mem_free(share);
    return rank;
}

bool hodges_lehmann(const double *x, size_t x_count, const double *y, size_t y_count, double level,
                    struct Shift *out)
{
    if (x_count == 0 || y_count == 0 || x_count > EXACT_MAX || y_count > EXACT_MAX)
        return false;
    size_t rank = shift_rank(x_count, y_count, level);
    if (rank == 0)
        return false;
    size_t count = x_count * y_count;
    double *differences = mem_zero(count, sizeof(*differences));
    for (size_t i = 0; i < x_count; i++) {
        for (size_t j = 0; j < y_count; j++)
            differences[i * y_count + j] = x[i] - y[j];
    }
    qsort(differences, count, sizeof(*differences), compare_reals);
    *out = (struct Shift){.shift = middle(differences, count),
                          .low = differences[rank - 1],
                          .high = differences[count - rank],
                          .rank = rank};
    mem_free(differences);
    return true;
}
