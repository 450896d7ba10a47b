/* undo.h - brings back what earlier runs left; finds what no store knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_UNDO_H
#define FD_ENGINE_UNDO_H

#include "../store/store.h"
#include "hosts.h"

/* How one open fault ended. In the arena. */
struct UndoneFault {
    struct OpenFault fault;
    enum Known clear; /* KNOWN_YES: all_clear said so, just now */
    const char *why;  /* for the other two */
    const char *note; /* what it found that is not ours; "" or NULL: nothing */
    bool rebooted;    /* the host answers in another boot than the one it was armed in */
};
struct UndoAsk {
    struct Store *store;
    const struct Kinds *kinds;
    struct Loop *loop;
    struct Hosts *hosts;
    const char *run;   /* NULL: every run with something open */
    const char *host;  /* NULL: every host */
    struct List alive; /* of const char *: runs whose process lives; theirs is left to them */
};
/* Conductor; runs the loop. Hosts side by side, on one host newest first. Safe to repeat and to run
 * twice at once. False where the store failed; `out`: struct UndoneFault, those that are clear too.
 */
bool undo_open_faults(const struct UndoAsk *input, struct Arena *arena, struct List *out,
                      struct Err *err) MUST_CHECK;

/* What a scan found on one host, or why it could not be asked. In the arena. */
struct Scanned {
    const struct Target *target;
    bool answered;
    const char *why;
    struct List traces; /* of struct Trace */
};
/* targets: of const struct Target *; out: of struct Scanned, in their order. */
void undo_scan(struct Hosts *hosts, struct Loop *loop, const struct List *targets,
               struct Arena *arena, struct List *out);

#endif
