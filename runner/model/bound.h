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

#endif
