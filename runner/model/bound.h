/* bound.h - what the words of expect and halt measure, and of which probes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_BOUND_H
#define FD_MODEL_BOUND_H

#include "../schema/field.h"
#include "scenario.h"

/* What kind of probe a word can be asked of. */
enum BoundNeeds {
    BOUND_NEEDS_NOTHING, /* every probe */
    BOUND_NEEDS_LEDGER,  /* one that writes numbers and reads them back */
    BOUND_NEEDS_PRIMARY, /* one that asks who leads: its role has a system */
    BOUND_NEEDS_NOTICE,  /* that, or one that asks whether an alert fires */
    BOUND_NEEDS_STATUS,  /* one whose answers have an HTTP status */
    BOUND_NEEDS_FIGURE   /* no probe, but what a step measures or captures */
};
struct BoundRow {
    const char *name;    /* "recover_within" */
    enum FieldType type; /* FIELD_DURATION, _SHARE, _INT, _LOSS or _BOOL: what its limit is; _TEXT:
                            the figure says it */
    enum BoundNeeds needs;
    bool wants_event;     /* missed when the thing never comes; the others are met by a probe that
                             never failed */
    const char *measures; /* the word of reports: "recovery" */
};
/* The row of a word; never NULL. bound_name() is in scenario.h. */
const struct BoundRow *bound_row(enum BoundWord word);
/* The word of a name; false where there is none. */
bool bound_find(const char *name, enum BoundWord *word);
/* Whether it may stand under `before`, `during` and `after`. */
bool bound_has_phases(enum BoundWord word);

/* Whether it is measured from a fault, or from its undo: without one it is of nothing. */
bool bound_counts_from_fault(enum BoundWord word);

/* "before", "during", "after"; "" of WHEN_ALL. */
const char *when_name(enum When when);
/* As runs keep them: "recover_within", "during.max_p95". False where this version knows none. */
void bound_write(enum When when, enum BoundWord word, char out[48]);
bool bound_read(const char *text, enum When *when, enum BoundWord *word);

/* The limit of min_rate: "20/s", or "95% of before". */
struct RateLimit {
    bool of_before;
    int64_t value; /* nanoseconds between two answers, or millionths of the baseline's rate */
};
bool rate_limit_parse(const char *text, struct RateLimit *out, const char **why);
enum { STATUSES_MOST = 20 };
/* The codes of status_only, "200, 503"; how many, at most `room`; 0 where one is none. */
size_t status_list_parse(const char *text, int *codes, size_t room);

#endif
