/* judge_parts.h - what the files that judge share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_JUDGE_PARTS_H
#define FD_REPORTS_JUDGE_PARTS_H

#include "analyse_parts.h"

/* One expectation, and all that it can be judged by. */
struct Case {
    const struct Analysis *analysis;
    const struct RunExpectation *expectation;
    const struct BoundRow *row;
    enum BoundWord word;
    const struct ProbeResult *probe;
    const struct LedgerResult *ledger; /* NULL: the probe is none */
    const struct PrimaryResult *primary;
    const struct RunFigure *figure; /* NULL: none of that name was measured */
    struct Judged *out;
};

void case_measured(const struct Case *of, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void case_note(const struct Case *of, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void case_unclear(const struct Case *of, const char *why); /* INCONCLUSIVE */
void case_met(const struct Case *of, bool met);            /* PASS or FAIL */
/* Upper bound <= limit is met, lower bound > limit is missed; between them nobody knows. `open` is
 * the note where the span has no end. */
void case_span(const struct Case *of, struct Span span, const char *open);

/* judge_figures.c */
void judge_max(const struct Case *of);
void judge_min(const struct Case *of);
void judge_equals(const struct Case *of);
const struct RunFigure *figure_of(const struct RunRecord *run, const char *name);

/* judge_data.c */
void judge_lost(const struct Case *of);
void judge_duplicated(const struct Case *of);
void judge_split(const struct Case *of);
void judge_failover(const struct Case *of);
void judge_detected(const struct Case *of);
void judge_redundant(const struct Case *of);

#endif
