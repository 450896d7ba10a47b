/* trends.h - recovery over many runs: what may be said of them, and no more. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_TRENDS_H
#define FD_REPORTS_TRENDS_H

#include "../runner/model/report.h"
#include "kinds.h"

/* One recovery of one probe. Unaffected ones are marks too, but have no time. */
struct TrendPoint {
    const struct Past *past;
    bool after_change; /* the behaviour changed before this run: nothing is compared across it */
};
enum TrendChange { TREND_TOO_FEW, TREND_CANNOT_TELL, TREND_SAME, TREND_SLOWER, TREND_FASTER };
struct TrendFinding { /* the last FAIL, and whether a later run has passed since */
    const struct Past *failed, *passed; /* NULL = none */
};
/* One probe of one scenario in one environment. Counts and figures are of the newest behaviour
 * only: PASS and FAIL runs that were finished. */
struct TrendRow {
    const char *scenario, *environment, *probe;
    bool is_protected;
    const struct TrendPoint *points;
    size_t point_count; /* all behaviours, oldest first */
    bool changed;       /* some of them are of an older behaviour */
    size_t runs, unaffected, affected, censored;
    int64_t last_ns;   /* of the last affected run; NS_NEVER = not recovered; -1 = none */
    int64_t median_ns; /* from 6 affected runs on, else -1; NS_NEVER = half did not recover */
    int64_t least_ns, most_ns; /* -1 = none; most NS_NEVER = one did not recover */
    int64_t limit_ns;          /* of the newest run; -1 = none */
    size_t within;             /* affected runs within that limit */
    enum TrendChange change;   /* the last runs against those before them */
    double percent;            /* of the change, + slower */
    double p;                  /* Mann-Whitney, two-sided, not adjusted */
    size_t recent, previous;   /* how many were compared */
    struct Wall since;         /* the first of the last ones */
    struct TrendFinding finding;
};
/* A drill whose file says when it is due. */
struct TrendDue {
    const char *scenario, *schedule;
    struct Wall last; /* its last run that broke something, anywhere; 0 = none */
    struct Wall due;  /* the first date after that */
    int64_t since_ns; /* since the last */
};
/* Runs, each counted once however many probes it had. */
struct TrendCounts {
    size_t passed, failed, inconclusive, halted, refused, not_ready, not_undone, own_failure;
};
struct Trends {
    const struct TrendRow *rows;
    size_t row_count; /* least margin to its limit first */
    struct TrendCounts counts;
    /* The caller's to fill: of struct TrendDue, whose date has passed; and without a run so far. */
    struct List overdue, never_run;
};
const char *trend_change_name(enum TrendChange change); /* "cannot tell" */

/* Pure; `past` oldest first, of any scenarios and environments; it outlives the result. */
void trends_make(const struct Past *past, size_t past_count, struct Arena *arena,
                 struct Trends *out);
void trends_text(const struct Trends *trends, struct TextStyle style, struct Buf *out);
void trends_json(const struct Trends *trends, struct Buf *out);
bool trends_html(const struct Trends *trends, const char *version, struct Buf *out,
                 struct Err *err) MUST_CHECK;

#endif
