/* repeat.h - the cycles of `repeat:` and `--times`: runs one after the other, judged as one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_REPEAT_H
#define FD_CLI_REPEAT_H

#include "drill.h"

/* What the cycles share; `cycle` is that of the run to come. */
struct Repeat {
    struct Cli *cli;
    void *data; /* of who calls repeat_run */
    struct Cycle cycle;
    int64_t pause_ns;
    int64_t waits_ns; /* said by a run that was not begun: so long a system is in its cool-down */
    uint64_t seed;    /* of the first: the same hosts again */
    const char *confirmed; /* asked once */
    const char *scenario, *environment, *text_hash, *environment_hash, *who;
    bool is_protected;
    const char *begun; /* the id of the run that was begun last; NULL: none of this cycle */
    struct List ran;   /* of struct RanCycle */
    const char
        *not_undone; /* what a run has left, and the way by hand: the last word; NULL: none */
};

/* Calls `once` for each cycle, as long as the last one was a PASS or a FAIL; between them the
 * pause, which a signal and `halt` end. Returns the exit status of all of them. */
int repeat_run(struct Cli *cli, int (*once)(struct Cli *cli, struct Repeat *repeat), void *data);
/* Once the files are read. The first cycle fixes what the others must find: false with *err where a
 * file has changed since. */
bool repeat_loaded(struct Repeat *repeat, const struct Drill *drill, struct Err *err) MUST_CHECK;
/* Once it is planned: false where this cycle has to wait, and is to be tried again. */
bool repeat_planned(struct Repeat *repeat, const struct Plan *plan);
/* Right before the run: it is one of the cycles. */
struct Cycle repeat_begins(struct Repeat *repeat, const struct Plan *plan);

#endif
