/* store.h - the one SQLite database: undo log, events, samples, history. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_STORE_STORE_H
#define FD_STORE_STORE_H

#include "../model/plan.h"

/* Conductor only. WAL, synchronous=FULL: durable when a call returns, but for samples, census and
 * found, which go in batches (every 50 ms by store_flush, or 1,000). Folder 0700, file 0600. Schema
 * versions migrate forward; an old database opens for ever, a newer one is refused. Another process
 * may read and write it at the same time (status, halt, a second run in another environment): busy
 * timeout 5 s. After an error of the disk nothing more is written through this Store: a sync that
 * failed once is never trusted again. A full disk is no such error: later calls may succeed. */
struct Store;
struct Store *store_open(const char *state_dir, struct Err *err) MUST_CHECK;
void store_close(struct Store *store); /* accepts NULL */
/* Drawn when it was made; no two have the same, but for copies of the folder. */
bool store_identity(struct Store *store, char id[33], struct Err *err) MUST_CHECK;

/* ---- Lock: one run per environment. ---- */
/* ERR_LOCKED names the holder (run, who, host, pid, since) and the command that mends it. A row
 * whose process is dead on this machine (pid and start time) and whose run has nothing left to undo
 * is set aside. Atomic among processes. */
struct LockRow {
    const char *environment, *run, *who;
};
bool store_lock(struct Store *store, const struct LockRow *lock, struct Err *err) MUST_CHECK;
/* Whether store_lock would succeed now, with nothing taken; the same words where not. */
bool store_is_free(struct Store *store, const char *environment, struct Err *err) MUST_CHECK;
bool store_unlock(struct Store *store, const char *run, struct Err *err) MUST_CHECK;
/* Who holds an environment, and from where. */
struct LockHeld {
    const char *environment, *run, *who, *machine;
    struct Wall since;
    int64_t pid;
    enum Known alive; /* its process, as far as can be seen from here */
    int64_t open_faults;
};
bool store_locks(struct Store *store, struct Arena *arena, struct List *out,
                 struct Err *err) MUST_CHECK; /* of struct LockHeld, by environment */

/* ---- A run. ---- */
struct RunBegin {
    const struct Plan
        *plan; /* its token is the run's id: a plan is run once, a second time is ERR_REFUSED */
    const char *who, *version; /* version: of faildrill */
    struct Mono now;
    struct Wall wall;
    int64_t boottime_ns;
    struct Cycle cycle;
};
bool store_run_begin(struct Store *store, const struct RunBegin *begin, struct Err *err) MUST_CHECK;
/* Marks of the timeline: "baseline", "steps", "observing_ended", "undo_began", "settled". */
bool store_run_mark(struct Store *store, const char *mark, struct Mono at,
                    struct Err *err) MUST_CHECK;
struct RunEnd {
    enum Verdict ended_as;
    const char *why;
    bool not_steady;
    struct Mono now;
    struct Wall wall;
    int64_t suspended_ns;
};
/* Flushes first. Where samples could not be stored it is OWN FAILURE, whatever `ended_as` says: a
 * series with a hole must not be judged. */
bool store_run_end(struct Store *store, const struct RunEnd *end, struct Err *err) MUST_CHECK;
/* The judged verdict and, per probe, what trends need; written after analyse(). */
bool store_run_judged(struct Store *store, const struct Report *report, struct Err *err) MUST_CHECK;
bool store_event(struct Store *store, struct Mono at, const char *subject, const char *text,
                 struct Err *err) MUST_CHECK;
bool store_system(struct Store *store, const struct RunSystem *system,
                  struct Err *err) MUST_CHECK; /* replaces the role's row */
/* of struct RunMove, all of one role */
bool store_moves(struct Store *store, const struct List *moves, struct Err *err) MUST_CHECK;
/* The later one of a role stands in the place of the earlier. */
bool store_switch_back(struct Store *store, const struct RunSwitchBack *back,
                       struct Err *err) MUST_CHECK;
bool store_figure(struct Store *store, const struct RunFigure *figure, struct Err *err) MUST_CHECK;
bool store_read_back(struct Store *store, uint32_t probe, enum Known complete,
                     struct Err *err) MUST_CHECK;

void store_sample(struct Store *store, const struct Sample *sample);
void store_census(struct Store *store, const struct Census *census);
void store_found(struct Store *store, const struct Found *found);
bool store_flush(struct Store *store, struct Err *err) MUST_CHECK;

/* ---- Undo log (DESIGN.md 6). Each call is one synced transaction. ----
 * States only go forward, along the list below; CLEAR is the end, from UNKNOWN an undo may be tried
 * again (UNDOING, CLEAR, UNKNOWN). Anything else is ERR_OWN and changes nothing. A fault that has
 * no row is PLANNED. */
enum FaultState {
    FAULT_PLANNED,
    FAULT_ARMING,
    FAULT_ARMED,
    FAULT_INJECTING,
    FAULT_IN_EFFECT,
    FAULT_UNDOING,
    FAULT_CLEAR,
    FAULT_UNKNOWN
};
const char *fault_state_name(enum FaultState state);
/* From ARMING on the row holds all that undo needs without scenario or version: the host (name,
 * address, reach and its config, host key), token, number, class, undo and all_clear texts, boot
 * id, cap. */
struct Arming {
    const struct PlannedFault *fault;
    const char *seat; /* where its guard lies on this machine; NULL: on the host, or nowhere */
    const struct Token *token;
    const char *boot_id;
    struct Mono at;
    struct Wall wall; /* acts_by = wall + cap; reckoned anew from `armed`, which comes after the
                         guard began */
};
bool undolog_arming(struct Store *store, const struct Arming *arming, struct Err *err) MUST_CHECK;
/* boot_id: in which the guard began, where the host has booted since `arming`; NULL leaves it. */
bool undolog_armed(struct Store *store, uint32_t number, const char *boot_id, struct Mono at,
                   struct Wall wall, struct Err *err) MUST_CHECK;
/* Proof that INJECTING is on disk and that a guard lives. In the store's own memory until the run
 * ends. */
struct Armed;
struct Guarded;
const struct Armed *undolog_injecting(struct Store *store, uint32_t number,
                                      const struct Guarded *guarded, struct Mono at,
                                      struct Err *err) MUST_CHECK;
const struct Guarded *armed_guard(const struct Armed *armed); /* for the executor */
bool undolog_in_effect(struct Store *store, uint32_t number, struct Moment t0,
                       struct Err *err) MUST_CHECK;
bool undolog_ended_early(struct Store *store, uint32_t number, struct Mono at,
                         struct Err *err) MUST_CHECK;
bool undolog_undoing(struct Store *store, uint32_t number, struct Mono at,
                     struct Err *err) MUST_CHECK;
bool undolog_clear(struct Store *store, uint32_t number, struct Moment undone,
                   struct Err *err) MUST_CHECK;
bool undolog_unknown(struct Store *store, uint32_t number, const char *why, struct Mono at,
                     struct Err *err) MUST_CHECK;

/* What may still be in effect: every row from ARMING on that is not CLEAR, of one run, or of all
 * (run NULL). */
struct OpenFault {
    const char *run, *environment, *scenario, *host;
    uint32_t number;
    enum FaultState state;
    struct Target target; /* enough to reach it again; kinds are looked up by name; reach NULL where
                             this version does not know the kind or its config: `reach` and
                             `reach_text` say what was stored */
    const char *reach, *reach_text;
    const char *step; /* "isolate" */
    enum FaultClass ends_by;
    const char *undo, *all_clear, *boot_id;
    /* Of a fault that took the whole host: where its undo and all_clear belong on this machine
     * (NULL: it has none), and what the host says once it is back (NULL: no such fault). */
    const char *seat, *returned;
    bool strikes; /* what was sent to the host may still arrive, until acts_by and a minute */
    struct Wall acts_by; /* when its guard acts at the latest */
};
bool undolog_open(struct Store *store, const struct Kinds *kinds, const char *run,
                  struct Arena *arena, struct List *out, struct Err *err) MUST_CHECK;
/* A host where a kept run had a fault or a lock, as its newest run reached it. */
struct KeptHost {
    struct Target target; /* as OpenFault.target */
    const char *reach, *reach_text;
    const char *run;     /* the newest */
    int64_t open_faults; /* of all its runs */
};
/* Each once, by name and address, the newest of a name first; no pods. */
bool undolog_hosts(struct Store *store, const struct Kinds *kinds, const char *environment,
                   struct Arena *arena, struct List *out, struct Err *err) MUST_CHECK;
/* The same transitions for a run of another process, by `undo`: CLEAR, or UNKNOWN with the reason.
 */
struct ByHand {
    const char *run;
    uint32_t number;
    bool clear;
    const char *why;
    struct Wall at;
};
bool undolog_close_by_hand(struct Store *store, const struct ByHand *closed,
                           struct Err *err) MUST_CHECK;

/* ---- What people noted. ---- */
struct Note {
    const char *who, *type, *text; /* type: "note", "declared", "acknowledged", "mitigated", "go" */
    struct Wall low, high;         /* it was between these two */
    struct Wall made;              /* written down */
};
/* By another process than the run's, or after its end. */
bool store_note(struct Store *store, const char *run, const struct Note *note,
                struct Err *err) MUST_CHECK;
/* *who said go to this run, `since` or later; NULL = nobody so far. */
bool store_go_said(struct Store *store, const char *run, struct Wall since, struct Arena *arena,
                   const char **who, struct Err *err) MUST_CHECK;

/* ---- Game days: their drills are runs like any other. ---- */
struct DayRow {
    const char *id, *name, *environment, *who, *hash; /* hash: of its file */
    struct Wall started, ended;
    bool finished;
    enum Known alive; /* its process; KNOWN_NO once finished */
    enum Verdict verdict;
    const char *why;
};
struct DayDrillRow {
    const char *scenario, *owner;
    const char *state;         /* "waiting", "begun", "done", "left_out" */
    const char *run, *earlier; /* earlier: the run before it, whose runner died; or NULL */
    enum Verdict verdict;      /* of what is done or left out */
    const char *why;
};
/* ERR_LOCKED where another day goes on in that environment. `drills`: of struct DayDrillRow. */
bool store_day_begin(struct Store *store, const struct DayRow *day, const struct List *drills,
                     struct Err *err) MUST_CHECK;
/* A day whose process died is from here on ours. */
bool store_day_adopt(struct Store *store, const struct DayRow *day, struct Err *err) MUST_CHECK;
/* number: from 1 */
bool store_day_drill(struct Store *store, const char *id, uint32_t number,
                     const struct DayDrillRow *row, struct Err *err) MUST_CHECK;
bool store_day_end(struct Store *store, const char *id, enum Verdict as, const char *why,
                   struct Wall at, struct Err *err) MUST_CHECK;
/* Newest first; environment NULL = of all. */
bool store_days(struct Store *store, const char *environment, struct Arena *arena, struct List *out,
                struct Err *err) MUST_CHECK; /* of struct DayRow */
bool store_day_drills(struct Store *store, const char *id, struct Arena *arena, struct List *out,
                      struct Err *err) MUST_CHECK; /* of struct DayDrillRow, in order */
/* Between two drills; and all of the day, those of its runs too, in order of time. */
bool store_day_note(struct Store *store, const char *id, const struct Note *note,
                    struct Err *err) MUST_CHECK;
bool store_day_notes(struct Store *store, const char *id, struct Arena *arena, struct List *out,
                     struct Err *err) MUST_CHECK; /* of struct Note */

/* ---- History. ---- */
struct History {                        /* what is asked for; zeroed = everything */
    const char *environment, *scenario; /* NULL = any */
    struct Wall since;
    size_t most; /* 0 = all */
};
/* RUN: an id, a unique end of it, "last", "last~1" (of `of`; NULL = of all). */
bool store_find_run(struct Store *store, const char *run, const struct History *of,
                    struct Arena *arena, const char **id, struct Err *err) MUST_CHECK;
/* Whether a run of this very id is known; UNKNOWN, with *err, where the store cannot say. */
enum Known store_was_run(struct Store *store, const char *id, struct Err *err) MUST_CHECK;
/* Everything of a run; a run whose process died comes with finished = false, and ends at the last
 * that was heard of it. */
bool store_read_run(struct Store *store, const char *id, struct Arena *arena, struct RunRecord *out,
                    struct Err *err) MUST_CHECK;
struct RunRow {
    const char *id, *scenario, *environment, *who, *text_hash;
    struct Wall started, ended;
    bool finished, judged, unaffected;
    enum Verdict verdict; /* judged, else as it ended */
    uint32_t open_faults;
    bool alive;  /* its process still runs on this machine */
    bool pauses; /* a cycle that has ended; the process of its repeat still runs */
    struct Cycle cycle;
    bool gone; /* it did not end, and its process is surely no more */
    int64_t pid;
};
bool store_runs(struct Store *store, const struct History *of, struct Arena *arena,
                struct List *out, struct Err *err) MUST_CHECK; /* of struct RunRow, newest first */
/* Past results of judged runs for trends: series by series (scenario, environment, probe,
 * behaviour), oldest first within each; a repeat is one. Censored: low = the time observed, high =
 * -1. */
bool store_past(struct Store *store, const struct History *of, struct Arena *arena,
                struct List *out, struct Err *err) MUST_CHECK; /* of struct Past */
/* The results of one repeat, cycle by cycle, as they are. */
bool store_cycles(struct Store *store, const char *first, struct Arena *arena, struct List *out,
                  struct Err *err) MUST_CHECK; /* of struct Past */
/* `canonical`: of its scenario, for "changed since". */
struct PassRow {
    const char *run, *text_hash, *canonical;
    struct Wall ended;
    bool unaffected;
};
bool store_passes(struct Store *store, const struct History *of, struct Arena *arena,
                  struct List *out, struct Err *err)
    MUST_CHECK; /* of struct PassRow, newest first: judged PASS and nothing left undone; of a repeat
                   its last cycle, where all of them are so */
/* When each host last had a fault of a run in this environment, for `rotate`. */
bool store_drilled(struct Store *store, const char *environment, struct Arena *arena,
                   struct List *out, struct Err *err) MUST_CHECK; /* of struct LastDrilled */

/* ---- Plans and requests between processes. ---- */
/* STATE/plans/TOKEN.json, whole or not at all. */
bool store_plan_save(struct Store *store, const struct Plan *plan, const char *text,
                     struct Err *err) MUST_CHECK;
/* ERR_NOT_FOUND where the run has ended or its process is gone: then there is nobody to halt, only
 * `undo`. A cycle that has ended, while its repeat goes on, may be halted: no other one begins. */
bool store_request_halt(struct Store *store, const char *run, const char *reason, const char *who,
                        struct Err *err) MUST_CHECK;
/* The conductor asks each 200 ms: a halt asked for this run? reason in arena. */
bool store_halt_asked(struct Store *store, const char *run, struct Arena *arena,
                      const char **reason, struct Err *err) MUST_CHECK;

/* A hash chain over events, undo-log rows, end and verdict: the number of the first broken row, 0 =
 * none. */
bool store_verify(struct Store *store, const char *run, uint64_t *broken,
                  struct Err *err) MUST_CHECK;

#endif
