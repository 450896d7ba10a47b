/* follow_look.h - how a run of another process stands, as far as the store knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_FOLLOW_LOOK_H
#define FD_CLI_FOLLOW_LOOK_H

#include "../../reports/live.h"
#include "../model/report.h"
#include "../store/store.h"

/* What happened, and which it was of all such: by that it is known again at the next look. */
struct Line {
    struct Mono at;
    uint64_t number;
    const char *subject;
    char text[200];
};
/* One look: everything in its arena. */
struct Look {
    struct Arena *arena; /* set by the caller */
    struct RunRecord run;
    struct StretchMachine **machines;
    struct Mono now;   /* as the runner's clock says */
    struct List lines; /* of struct Line, in order of time */
    struct LiveState state;
};
/* False where the store cannot say. */
bool follow_look(struct Store *store, const char *run, struct Look *look,
                 struct Err *err) MUST_CHECK;

#endif
