/* live.h - a run while it goes on: one screen on a terminal, one line per event in a log. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_LIVE_H
#define FD_REPORTS_LIVE_H

#include "../runner/base/buf.h"
#include "../runner/model/stretch.h"

/* Pure renderers: state in, text out. Whoever runs the drill fills the state and redraws; all texts
 * are borrowed for the call and made visible here. */

/* One second of a probe, oldest first. Fed from stretch_now() at any rate of a second or faster. */
enum { LIVE_CELLS = 60 };
struct LiveHistory {
    struct LiveCell {
        int64_t latency_ns;
        bool failing, fault;
    } cells[LIVE_CELLS];
    size_t count;
    struct Mono cell_began;
};
/* `fault`: one was sent in this second; it is marked below the line. */
void live_history_add(struct LiveHistory *history, const struct StretchNow *seen, bool fault,
                      struct Mono now);

struct LiveFault {
    uint32_t number;
    const char *step, *host, *state; /* state: "armed", "in effect", "undoing", "clear" ... */
    struct Mono proven;              /* 0 = not yet */
    struct Mono undo_at;             /* planned; 0 = at the end of the drill */
    const char *ends_by;             /* "kernel timer armed"; NULL = nothing to say */
    bool undo_unknown;               /* whoever looks on does not know the plan */
    bool in_effect, clear;
};
struct LiveProbe {
    const char *name;
    struct StretchNow seen;
    const struct LiveHistory *history; /* may be NULL */
    int64_t halt_outage_ns;            /* the max_outage of `halt`; -1 = none */
};
struct LiveEvent {
    struct Mono at;
    const char *subject, *text;
};
struct LiveState {
    const char *scenario, *environment, *id; /* id: the whole one; its end is shown */
    bool is_protected;
    const char *phase; /* "baseline", "fault in effect", "observing", "undoing" ... */
    struct Mono phase_began, phase_until; /* until 0 = unknown */
    struct Mono now, mono_began;
    struct Wall wall_began; /* the same instant as mono_began */
    const char *hint;       /* "Ctrl-C halts and undoes" */
    const struct LiveFault *faults;
    size_t fault_count;
    const struct LiveProbe *probes;
    size_t probe_count;
    const struct LiveEvent *events; /* oldest first */
    size_t event_count;
};
struct LiveStyle {
    unsigned rows, columns; /* of the terminal */
    bool unicode, color;
};
/* At most `rows` lines of at most `columns`, each with its newline; no cursor movement. What there
 * is no room for goes: first events, then probes and faults from the end, with a line that says how
 * many. */
void live_view(const struct LiveState *state, const struct LiveStyle *style, struct Buf *out);
/* "10:43:07.112 fault    isolate api-2 proven" */
void live_event(const struct LiveState *state, const struct LiveEvent *event, struct Buf *out);
/* "10:43:37.000 alive    fault in effect 00:30 of 01:00, shop ok": for logs, each half minute. */
void live_alive(const struct LiveState *state, struct Buf *out);

#endif
