/* trends_text.c - trends as a table for a terminal: LANGUAGE.md 5.2. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "../runner/base/duration.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "say.h"
#include "trends.h"

#define DAY_NS (86400 * NS_PER_S)

enum { CELLS = 10, SHOWN = 24, MEDIAN_FROM = 6 };

struct Cells {
    struct Buf at[CELLS];
};

static void put_recovery(struct Buf *out, int64_t ns)
{
    char text[32];
    if (ns == NS_NEVER) {
        buf_put(out, "never");
        return;
    }
    duration_say(ns, text);
    buf_put(out, text);
}

static const char *dash(struct TextStyle style)
{
    return style.unicode ? "–" : "-";
}

/* Marks of one behaviour at a time, so that each is drawn on its own scale and a bar stands
 * between. */
static void put_sparkline(const struct TrendRow *row, struct TextStyle style, struct Buf *out)
{
    int64_t values[SHOWN];
    size_t count = 0, from = row->point_count > SHOWN ? row->point_count - SHOWN : 0;
    for (size_t n = from; n < row->point_count; n++) {
        const struct Past *past = row->points[n].past;
        if (row->points[n].after_change && n > from) {
            buf_sparkline(out, values, count, style.unicode);
            buf_char(out, '|');
            count = 0;
        }
        if (past->censored) {
            buf_sparkline(out, values, count, style.unicode);
            buf_char(out, 'x');
            count = 0;
        } else if (!past->unaffected && past->recovery_high_ns >= 0) {
            values[count++] = past->recovery_high_ns;
        }
    }
    buf_sparkline(out, values, count, style.unicode);
}

static void put_within(const struct TrendRow *row, struct Buf *out)
{
    if (row->limit_ns < 0 || row->affected == 0)
        return;
    buf_printf(out, "%zu of %zu", row->within, row->affected);
    if (row->affected >= MEDIAN_FROM)
        return;
    buf_put(out, ", worst ");
    put_recovery(out, row->most_ns);
    buf_put(out, " of ");
    put_recovery(out, row->limit_ns);
}

static void put_change(const struct TrendRow *row, struct Buf *out)
{
    char date[32];
    buf_put(out, trend_change_name(row->change));
    if (row->change == TREND_SLOWER || row->change == TREND_FASTER) {
        wall_utc(row->since, date);
        buf_printf(out, " %+.0f %% since %.5s", row->percent, date + 5);
    }
}

static void fill(const struct TrendRow *row, struct TextStyle style, struct Cells *cells)
{
    const struct RunRecord run = {.environment = row->environment,
                                  .is_protected = row->is_protected};
    char text[64];
    say_outside(&cells->at[0], row->scenario);
    say_environment(&run, &cells->at[1]);
    say_outside(&cells->at[2], row->probe);
    buf_printf(&cells->at[3], "%zu", row->runs);
    if (row->last_ns >= 0)
        put_recovery(&cells->at[4], row->last_ns);
    if (row->median_ns >= 0)
        put_recovery(&cells->at[5], row->median_ns);
    else
        buf_put(&cells->at[5], dash(style));
    if (row->affected > 0 && row->most_ns != NS_NEVER) {
        span_say(row->least_ns, row->most_ns, text);
        buf_put(&cells->at[6], text);
    } else if (row->affected > 0) {
        put_recovery(&cells->at[6], row->least_ns);
        buf_put(&cells->at[6], row->least_ns == NS_NEVER ? "" : " to never");
    }
    if (row->limit_ns >= 0)
        put_recovery(&cells->at[7], row->limit_ns);
    put_within(row, &cells->at[8]);
    if (row->affected >= 2)
        put_sparkline(row, style, &cells->at[9]);
    if (row->change != TREND_TOO_FEW)
        buf_put(&cells->at[9], "  ");
    put_change(row, &cells->at[9]);
    if (row->unaffected > 0)
        buf_printf(&cells->at[9], "%s%zu unaffected", cells->at[9].size > 0 ? "  " : "",
                   row->unaffected);
}

static void add_row(struct Table *table, const struct TrendRow *row, struct TextStyle style)
{
    struct Cells cells;
    const char *texts[CELLS];
    for (size_t n = 0; n < CELLS; n++)
        cells.at[n] = BUF(500);
    fill(row, style, &cells);
    for (size_t n = 0; n < CELLS; n++)
        texts[n] = cells.at[n].text;
    table_row(table, texts);
    for (size_t n = 0; n < CELLS; n++)
        buf_free(&cells.at[n]);
}

static void put_finding(const struct TrendRow *row, struct Buf *out)
{
    char date[32];
    const struct Past *failed = row->finding.failed, *passed = row->finding.passed;
    if (failed == NULL)
        return;
    wall_utc(failed->started, date);
    buf_put(out, passed == NULL ? "open: " : "repaired: ");
    say_outside(out, row->scenario);
    buf_char(out, ' ');
    say_outside(out, row->environment);
    buf_char(out, ' ');
    say_outside(out, row->probe);
    if (failed->lost > 0 && (passed == NULL || passed->lost >= 0)) {
        buf_printf(out, " lost %lld writes", (long long)failed->lost);
        if (passed != NULL)
            buf_printf(out, ", then %lld", (long long)passed->lost);
    } else if (failed->censored || failed->recovery_high_ns >= 0) {
        buf_char(out, ' ');
        put_recovery(out, failed->censored ? NS_NEVER : failed->recovery_high_ns);
        if (passed != NULL && passed->recovery_high_ns >= 0) {
            buf_put(out, " -> ");
            put_recovery(out, passed->recovery_high_ns);
        }
    }
    if (passed != NULL)
        wall_utc(passed->started, date);
    buf_printf(out, ", %.10s", date);
    bool both = failed->advice != NULL && failed->owner != NULL;
    if (passed == NULL && (failed->advice != NULL || failed->owner != NULL)) {
        buf_put(out, " (");
        say_outside(out, failed->advice != NULL ? failed->advice : "");
        buf_put(out, both ? "; " : "");
        say_outside(out, failed->owner != NULL ? failed->owner : "");
        buf_char(out, ')');
    }
    buf_char(out, '\n');
}

static void put_count(struct Buf *out, size_t count, const char *what, bool *any)
{
    if (count == 0)
        return;
    buf_printf(out, "%s%zu %s", *any ? ", " : "not in the figures: ", count, what);
    *any = true;
}

static void put_counts(const struct TrendCounts *counts, struct Buf *out)
{
    bool any = false;
    put_count(out, counts->inconclusive, "inconclusive", &any);
    put_count(out, counts->halted, "halted", &any);
    put_count(out, counts->refused, "refused", &any);
    put_count(out, counts->not_ready, "not ready", &any);
    put_count(out, counts->not_undone, "not undone", &any);
    put_count(out, counts->own_failure, "own failures", &any);
    if (any)
        buf_char(out, '\n');
}

static void put_due(const struct Trends *trends, struct Buf *out)
{
    const struct TrendDue *overdue = trends->overdue.items, *never = trends->never_run.items;
    for (size_t n = 0; n < trends->overdue.count; n++) {
        buf_put(out, n == 0 ? "overdue: " : ", ");
        say_outside(out, overdue[n].scenario);
        buf_printf(out, " (%lld d, %s)", (long long)(overdue[n].since_ns / DAY_NS),
                   overdue[n].schedule);
    }
    buf_put(out, trends->overdue.count > 0 ? "\n" : "");
    for (size_t n = 0; n < trends->never_run.count; n++) {
        buf_put(out, n == 0 ? "scheduled, never run: " : ", ");
        say_outside(out, never[n].scenario);
        buf_printf(out, " (%s)", never[n].schedule);
    }
    buf_put(out, trends->never_run.count > 0 ? "\n" : "");
}

void trends_text(const struct Trends *trends, struct TextStyle style, struct Buf *out)
{
    static const char *const heads[CELLS] = {"",     "",      "",      "runs",   "last",
                                             "MTTR", "range", "limit", "within", ""};
    bool changed = false;
    if (trends->row_count == 0) {
        buf_put(out, "no run yet from which a recovery could be told\n");
        put_counts(&trends->counts, out);
        put_due(trends, out);
        return;
    }
    buf_put(out, "MTTR: the median recovery time of one drill, from 6 runs on "
                 "(each mark a run, newest right; limits as now)\n");
    struct Table *table = table_new(CELLS);
    for (size_t n = 3; n <= 7; n++)
        table_right(table, n);
    table_row(table, heads);
    for (size_t n = 0; n < trends->row_count; n++) {
        add_row(table, &trends->rows[n], style);
        changed |= trends->rows[n].changed;
    }
    table_write(table, out);
    table_free(table);
    if (changed)
        buf_put(out, "| scenario changed: not compared across the bar\n");
    for (size_t n = 0; n < trends->row_count; n++)
        put_finding(&trends->rows[n], out);
    put_counts(&trends->counts, out);
    put_due(trends, out);
}
