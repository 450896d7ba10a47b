/* run.h - one run: from the locks to the last look, whatever happens. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_RUN_H
#define FD_ENGINE_RUN_H

#include "../model/plan.h"
#include "../model/stretch.h"
#include "../store/store.h"
#include "hosts.h"

/* Conductor. Every abort leads to UNDOING; UNDOING that cannot prove all_clear ends DIRTY. The
 * table of transitions is in run_states.c. */
enum RunState {
    RUN_PLANNED,
    RUN_BASELINE,
    RUN_STEPS,
    RUN_OBSERVING,
    RUN_UNDOING,
    RUN_SETTLING,
    RUN_ALWAYS,
    RUN_FINISHED,
    RUN_DIRTY
};
enum RunSignal {
    EVENT_BEGIN,
    EVENT_STEADY,
    EVENT_STEPS_DONE,
    EVENT_OBSERVED,
    EVENT_UNDONE,
    EVENT_SETTLED,
    EVENT_OVER,
    EVENT_ABORT,
    EVENT_NOT_UNDONE
};
const char *run_state_name(enum RunState state);
/* The state after `event`; the same state where the event means nothing there. */
enum RunState run_state_next(enum RunState state, enum RunSignal event);
/* Every row of the table as text, "BASELINE  steady  STEPS", for README and tests. */
void run_states_write(struct Buf *out);

struct Run;
/* What others may look at while a run goes on; borrowed, valid until the next call into the run. */
struct FaultView {
    const char *step, *host;
    uint32_t number;
    enum FaultState state;
    struct Moment t0, undone;
    struct Mono until; /* planned undo; 0 = at the end of the drill */
};
struct ProbeView {
    const char *name, *kind;
    const struct StretchMachine *machine;
};
struct RunView {
    const struct Plan *plan;
    enum RunState state;
    struct Mono now, began, state_began, state_until; /* until: 0 = unknown */
    const struct FaultView *faults;
    size_t fault_count;
    const struct ProbeView *probes;
    size_t probe_count;
};
struct RunWatch {
    void (*event)(void *data, struct Mono at, const char *subject, const char *text);
    void (*tick)(void *data, const struct RunView *view); /* five times a second */
    void *data;
    /* The question of a step, NULL to take it back; must not wait: run_answer() may follow. */
    void (*ask)(void *ask_data, const char *question);
    void *ask_data;
};
struct RunAsk {
    const struct Plan *plan;
    const struct Kinds *kinds;
    struct Loop *loop;
    struct Hosts *hosts;
    struct Store *store;
    const char *who, *version;
    const char *state; /* the folder of the store; a guard on this machine lies beside it */
    struct Cycle cycle;
    /* Why nothing may begin any more, or NULL: asked at the last moment before the first thing is
     * done, when a wait for a steady state may be over. May take seconds. NULL: nobody is asked. */
    const char *(*forbids)(void *forbids_data);
    void *forbids_data;
    int64_t steady_ns, steady_within_ns; /* where more than the scenario says */
    struct RunWatch watch;
};
/* Arguments outlive it. */
struct Run *run_new(const struct RunAsk *input);
/* Takes the locks and goes; runs the loop until the run has ended. Never fails: how it ended is
 * below. */
void run_go(struct Run *run);
/* Goes to UNDOING, never past it; a second call changes nothing but the wait in SETTLING, which it
 * ends. Any time. */
void run_abort(struct Run *run, enum Verdict as, const char *reason);
/* To the question of a step `ask`; when none is put, nothing happens. */
void run_answer(struct Run *run, bool yes);
/* A line of others for its timeline; false: it has ended. */
bool run_note(struct Run *run, const char *subject, const char *text);
enum Verdict run_ended_as(const struct Run *run, const char **why);
bool run_tidies_up(const struct Run *run);  /* the steps under `always` */
bool run_was_stored(const struct Run *run); /* false: refused before anything was written */
/* What may still be in effect, one line each for people; "" = nothing. */
void run_left(const struct Run *run, struct Buf *out);
void run_free(struct Run *run); /* accepts NULL */

#endif
