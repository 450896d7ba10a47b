/* cycles.h - what the runs of a repeat come to. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_CYCLES_H
#define FD_REPORTS_CYCLES_H

#include "../runner/model/report.h"
#include "kinds.h"

struct RanCycle {
    const char *run; /* NULL: it was not begun */
    enum Verdict verdict;
};
struct CyclesReport {
    const char *scenario, *environment;
    bool is_protected;
    struct Cycle cycle;         /* of the last */
    bool halted;                /* between two of them */
    const struct RanCycle *ran; /* in order of time */
    size_t ran_count;
    const struct Past *rows; /* what each left for trends, cycle by cycle */
    size_t row_count;
};
/* The worst of them; INCONCLUSIVE where they are fewer than was wanted. */
enum Verdict cycles_verdict(const struct CyclesReport *report);
void cycles_text(const struct CyclesReport *report, struct TextStyle style, struct Buf *out);
void cycles_json(const struct CyclesReport *report, struct Buf *out);

/* "3 cycles: 7.9 s  8.4 s  9.1 s": of one probe, with what this run's report says; nothing where it
 * is a run of its own. */
void cycles_note(const struct Report *report, const char *probe, struct Buf *out);

#endif
