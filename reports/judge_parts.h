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
    enum When when;
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

/* judge_phase.c: words in one phase; the rate and the status, in a phase or not. */
void judge_phase(const struct Case *of);
void judge_rate(const struct Case *of);
void judge_status(const struct Case *of);

/* phases.c */
struct Phase {
    const struct ProbeResult *probe;
    struct Moment *times; /* in order, apart from each other */
    size_t count;
    int64_t length_ns; /* of all, as far as the probe asked */
    bool whole;        /* nothing cut it off */
    const char *lacks; /* why there are none, or NULL */
};
void phase_read(const struct Case *of, enum When when, struct Phase *out);
/* Where an attempt lies: wholly in the phase, across one of its ends, or outside. */
enum Lies { LIES_OUTSIDE, LIES_ACROSS, LIES_INSIDE };
enum Lies phase_has(const struct Phase *phase, const struct Sample *sample);

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
