/* trends.c - recovery over many runs: what may be said of them, and no more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "trends.h"

#include <math.h>
#include <stdlib.h>

#include "../runner/base/text.h"
#include "statistics.h"

enum {
    MEDIAN_FROM = 6,
    COMPARE_FROM = 8,
    COMPARED_MAX = 10
}; /* MEASURING.md C.9: 4 + 4 at least */

#define LEAST_EFFECT 1.2 /* a change below 20 % is none */
#define ALPHA 0.05

const char *trend_change_name(enum TrendChange change)
{
    switch (change) {
    case TREND_TOO_FEW:
        return "";
    case TREND_CANNOT_TELL:
        return "cannot tell";
    case TREND_SAME:
        return "same";
    case TREND_SLOWER:
        return "slower";
    case TREND_FASTER:
        return "faster";
    }
    return "";
}

/* A run that was spoiled, halted or refused has no recovery time. */
static bool is_judged(const struct Past *past)
{
    return past->finished && (past->verdict == VERDICT_PASS || past->verdict == VERDICT_FAIL);
}

static bool is_affected(const struct Past *past)
{
    return !past->unaffected && (past->censored || past->recovery_high_ns >= 0);
}

static int64_t recovery_of(const struct Past *past)
{
    return past->censored ? NS_NEVER : past->recovery_high_ns;
}

/* ---- Rows ---- */

static bool belongs(const struct TrendRow *row, const struct Past *past)
{
    return text_equal(row->scenario, past->scenario) &&
           text_equal(row->environment, past->environment) && text_equal(row->probe, past->probe);
}

static struct TrendRow *row_of(struct List *rows, struct Arena *arena, const struct Past *past)
{
    struct TrendRow *at = rows->items;
    for (size_t n = 0; n < rows->count; n++) {
        if (belongs(&at[n], past))
            return &at[n];
    }
    struct TrendRow *row = list_add(rows, arena, sizeof(*row));
    *row = (struct TrendRow){.scenario = past->scenario,
                             .environment = past->environment,
                             .probe = past->probe,
                             .is_protected = past->is_protected};
    return row;
}

static void fill_points(struct TrendRow *row, const struct Past *past, size_t count,
                        struct Arena *arena)
{
    struct List points = {0};
    const char *behaviour = NULL;
    for (size_t n = 0; n < count; n++) {
        if (!belongs(row, &past[n]) || !is_judged(&past[n]))
            continue;
        struct TrendPoint *point = list_add(&points, arena, sizeof(*point));
        point->past = &past[n];
        point->after_change = behaviour != NULL && !text_equal(behaviour, past[n].behaviour_hash);
        row->changed |= point->after_change;
        behaviour = past[n].behaviour_hash;
    }
    row->points = points.items;
    row->point_count = points.count;
}

/* The newest behaviour begins here. */
static size_t first_comparable(const struct TrendRow *row)
{
    for (size_t n = row->point_count; n > 0; n--) {
        if (row->points[n - 1].after_change)
            return n - 1;
    }
    return 0;
}

static double real_of(int64_t ns)
{
    return ns == NS_NEVER ? INFINITY : (double)ns;
}

static void summarize(struct TrendRow *row, const double *values, size_t count)
{
    row->median_ns = row->least_ns = row->most_ns = -1;
    for (size_t n = 0; n < count; n++) {
        int64_t ns = isinf(values[n]) ? NS_NEVER : (int64_t)values[n];
        if (row->least_ns < 0 || ns < row->least_ns)
            row->least_ns = ns;
        if (ns > row->most_ns)
            row->most_ns = ns;
        if (row->limit_ns >= 0 && ns <= row->limit_ns)
            row->within++;
    }
    if (count >= MEDIAN_FROM) {
        double median = median_of(values, count);
        row->median_ns = isinf(median) ? NS_NEVER : (int64_t)median;
    }
}

/* On the logarithm: recovery times differ by factors. */
static void compare(struct TrendRow *row, const double *values, size_t count)
{
    double logs[2 * COMPARED_MAX];
    size_t recent = count / 2 < COMPARED_MAX ? count / 2 : COMPARED_MAX;
    size_t previous = count - recent < COMPARED_MAX ? count - recent : COMPARED_MAX;
    struct Shift shift;
    row->change = TREND_TOO_FEW;
    if (count < COMPARE_FROM)
        return;
    row->change = TREND_CANNOT_TELL;
    row->recent = recent;
    row->previous = previous;
    for (size_t n = 0; n < recent + previous; n++) {
        double value = values[count - recent - previous + n];
        if (isinf(value) || value <= 0)
            return; /* one that did not recover has no ratio */
        logs[n] = log(value);
    }
    const double *before = logs, *after = logs + previous;
    row->p = mann_whitney(after, recent, before, previous).p_two_sided;
    if (!hodges_lehmann(after, recent, before, previous, 1 - ALPHA, &shift))
        return;
    row->percent = (exp(shift.shift) - 1) * 100;
    bool clear = row->p < ALPHA && (shift.low > 0 || shift.high < 0);
    if (clear && shift.shift >= log(LEAST_EFFECT))
        row->change = TREND_SLOWER;
    else if (clear && shift.shift <= -log(LEAST_EFFECT))
        row->change = TREND_FASTER;
    else if (shift.low > -log(LEAST_EFFECT) && shift.high < log(LEAST_EFFECT))
        row->change = TREND_SAME;
}

static void fill_since(struct TrendRow *row)
{
    size_t left = row->recent;
    for (size_t n = row->point_count; n > 0 && left > 0; n--) {
        if (!is_affected(row->points[n - 1].past))
            continue;
        row->since = row->points[n - 1].past->started;
        left--;
    }
}

static void fill_finding(struct TrendRow *row)
{
    for (size_t n = 0; n < row->point_count; n++) {
        const struct Past *past = row->points[n].past;
        if (past->verdict == VERDICT_FAIL)
            row->finding = (struct TrendFinding){.failed = past};
        else if (row->finding.failed != NULL && row->finding.passed == NULL)
            row->finding.passed = past;
    }
}

static void fill_row(struct TrendRow *row, struct Arena *arena)
{
    double *values = arena_zero(arena, row->point_count + 1, sizeof(*values));
    size_t count = 0;
    row->last_ns = row->limit_ns = -1;
    for (size_t n = first_comparable(row); n < row->point_count; n++) {
        const struct Past *past = row->points[n].past;
        row->runs++;
        row->limit_ns = past->limit_ns;
        row->unaffected += past->unaffected ? 1 : 0;
        if (!is_affected(past))
            continue;
        row->affected++;
        row->censored += past->censored ? 1 : 0;
        row->last_ns = recovery_of(past);
        values[count++] = real_of(row->last_ns);
    }
    summarize(row, values, count);
    compare(row, values, count);
    fill_since(row);
    fill_finding(row);
}

/* ---- Order and counts ---- */

static double used_of_limit(const struct TrendRow *row)
{
    int64_t worst =
        row->median_ns >= 0 && row->median_ns > row->last_ns ? row->median_ns : row->last_ns;
    return worst < 0 || row->limit_ns <= 0 ? -1 : real_of(worst) / (double)row->limit_ns;
}

static int by_margin(const void *a, const void *b)
{
    const struct TrendRow *left = a, *right = b;
    double l = used_of_limit(left), r = used_of_limit(right);
    if (l < r || l > r)
        return l > r ? -1 : 1;
    return (left->points > right->points) - (left->points < right->points);
}

static void count_run(struct TrendCounts *counts, const struct Past *past)
{
    if (!past->finished && past->verdict != VERDICT_NOT_UNDONE) {
        counts->inconclusive++;
        return;
    }
    switch (past->verdict) {
    case VERDICT_PASS:
        counts->passed++;
        return;
    case VERDICT_FAIL:
        counts->failed++;
        return;
    case VERDICT_NOT_READY:
        counts->not_ready++;
        return;
    case VERDICT_REFUSED:
        counts->refused++;
        return;
    case VERDICT_HALTED:
        counts->halted++;
        return;
    case VERDICT_INCONCLUSIVE:
        counts->inconclusive++;
        return;
    case VERDICT_OWN_FAILURE:
        counts->own_failure++;
        return;
    case VERDICT_NOT_UNDONE:
        counts->not_undone++;
        return;
    }
}

/* Never hurt, or beside a probe of the same drill that is promised to recover and speaks for it. */
static bool is_idle(const struct List *rows, const struct TrendRow *row)
{
    const struct TrendRow *at = rows->items;
    if (row->point_count == 0)
        return true;
    if (row->limit_ns >= 0)
        return false;
    for (size_t n = 0; n < rows->count; n++) {
        if (at[n].limit_ns >= 0 && text_equal(at[n].scenario, row->scenario) &&
            text_equal(at[n].environment, row->environment))
            return true;
    }
    return row->affected == 0;
}

void trends_make(const struct Past *past, size_t past_count, struct Arena *arena,
                 struct Trends *out)
{
    struct List rows = {0};
    *out = (struct Trends){.row_count = 0};
    for (size_t n = 0; n < past_count; n++) {
        row_of(&rows, arena, &past[n]);
        if (n == 0 || !text_equal(past[n].id, past[n - 1].id))
            count_run(&out->counts, &past[n]);
    }
    struct TrendRow *at = rows.items;
    for (size_t n = 0; n < rows.count; n++) {
        fill_points(&at[n], past, past_count, arena);
        fill_row(&at[n], arena);
    }
    struct TrendRow *shown = arena_zero(arena, rows.count + 1, sizeof(*shown));
    for (size_t n = 0; n < rows.count; n++) {
        if (!is_idle(&rows, &at[n]))
            shown[out->row_count++] = at[n];
    }
    if (out->row_count > 1)
        qsort(shown, out->row_count, sizeof(*shown), by_margin);
    out->rows = shown;
}
