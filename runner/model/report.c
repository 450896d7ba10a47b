/* report.c - the verdicts: their names, their exit status, and which is worse. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

/* As DESIGN.md 9 says them. The names are stored: a database keeps them for ever. */
struct VerdictRow {
    const char *name;
    int status;
    int badness;
};

static const struct VerdictRow rows[] = {
    [VERDICT_PASS] = {.name = "PASS", .status = 0, .badness = 0},
    [VERDICT_FAIL] = {.name = "FAIL", .status = 1, .badness = 2},
    [VERDICT_NOT_READY] = {.name = "NOT READY", .status = 3, .badness = 3},
    [VERDICT_REFUSED] = {.name = "REFUSED", .status = 4, .badness = 4},
    [VERDICT_HALTED] = {.name = "HALTED", .status = 5, .badness = 5},
    [VERDICT_INCONCLUSIVE] = {.name = "INCONCLUSIVE", .status = 7, .badness = 1},
    [VERDICT_OWN_FAILURE] = {.name = "OWN FAILURE", .status = 8, .badness = 6},
    [VERDICT_NOT_UNDONE] = {.name = "NOT UNDONE", .status = 6, .badness = 7},
};

static const struct VerdictRow *row_of(enum Verdict verdict)
{
    if ((size_t)verdict >= COUNT_OF(rows))
        bug("no such verdict: %d", (int)verdict);
    return &rows[verdict];
}

const char *verdict_name(enum Verdict verdict)
{
    return row_of(verdict)->name;
}

int verdict_status(enum Verdict verdict)
{
    return row_of(verdict)->status;
}

/* An INCONCLUSIVE expectation yields to a FAIL. An INCONCLUSIVE run does not: whoever judges runs
 * decides that before it asks about expectations. */
enum Verdict verdict_worst(enum Verdict a, enum Verdict b)
{
    return row_of(a)->badness >= row_of(b)->badness ? a : b;
}
