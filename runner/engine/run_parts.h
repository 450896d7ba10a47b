/* run_parts.h - what the files of a run share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_RUN_PARTS_H
#define FD_ENGINE_RUN_PARTS_H

#include "../../probes/engine.h"
#include "../clients/http.h"
#include "../model/halt.h"
#include "../model/reign.h"
#include "run.h"
#include "sight.h"

#define TICK_NS (50 * NS_PER_MS)
#define OPEN_TIMEOUT_NS (10 * NS_PER_S)

/* A fault that takes the whole host. Its guard lives here, on the runner's machine: `seat` is that,
 * as a host of its own; NULL where no provider is named, and nothing could be done from here. */
struct Machine {
    const struct Target *seat;
    struct Firing *strike; /* stands ready on the host */
    char boot_id[64];      /* before */
    bool struck;           /* it may have got the line */
    bool awaited;          /* what proves the fault is looked for: no answer, or another boot */
    bool returning;        /* its return is waited for */
    bool asking, answered; /* a look is under way; the last one got an answer */
    char now_id[64];       /* that it got */
    struct Mono asked, heard, lost; /* heard: still the boot of before; lost: no answer since */
    struct Mono due;                /* until then it may be struck late */
    struct Mono again;              /* when the host is to be looked for once more; 0 = not */
};

/* Faults that are armed, then fired together: those of a step, or of all steps of a `parallel`. */
enum VolleyPhase { VOLLEY_ARM, VOLLEY_READY, VOLLEY_FIRE };
struct Volley {
    struct Run *run;
    struct FaultRun **faults;
    size_t count;
    size_t awaited; /* steps whose hosts are not known yet */
    int phase;      /* the one that comes when all have ended the one under way */
    uint32_t pending;
    bool failed;
    struct Err err;
};

/* One step while the run goes on. Each begins once. */
enum StepState { STEP_TO_COME, STEP_AWAITED, STEP_UNDER_WAY, STEP_OVER };
struct StepCall;
struct Until;
struct Statement;
struct StepRun {
    struct Run *run;
    const struct StepSpec *spec;
    uint32_t index;
    enum StepState state;
    struct Mono asked; /* its `when`, from then on */
    struct Mono began, ended;
    struct Mono ended_low;        /* it may have been over by then */
    struct Volley *volley;        /* its faults'; NULL: it is no fault of a kind */
    const struct Target *primary; /* who led when a failover was asked for */
    enum Rank *ranks;
    struct List roles, rankings; /* whose ranks decide; of struct Ranking, as asked */
    const struct StepCall *call; /* plain work that was begun; NULL: none */
    struct Statement *statement; /* an `sql` that is not answered yet */
    struct Until *until;         /* its `when`; or it has done its work, and this is awaited */
    struct Mono until_from;      /* it was not good yet, as far as is known */
};

/* One planned fault while the run goes on. Its worker-side members (firing, effect, err ...) belong
 * to the job under way; the conductor reads them after `done`. */
struct FaultRun {
    struct Run *run;
    struct Volley *volley; /* NULL: its step has not begun, or means another host */
    const struct PlannedFault *planned;
    enum FaultState state;
    const struct Guarded *guarded;
    const struct Armed *armed;
    struct Firing *firing;
    enum Effect effect;
    struct Moment t0, undone;
    struct Mono until; /* planned undo; 0 = at the end */
    struct Mono arming;
    struct Mono cap; /* when its guard has acted at the latest; 0 = not armed */
    struct Mono watched, renewed;
    struct Wall acts_by; /* when its guard acts at the latest; 0 = not armed */
    bool fire_awaited;   /* the answer to its "go" */
    bool looking;
    bool watching; /* a look is under way */
    bool ended_early;
    bool answered; /* of a failover: its system said how it goes */
    struct GuardState look;
    char noted[160]; /* what it last noted of itself while it was there: how much it has taken */
    uint32_t missed; /* looks in a row without an answer */
    bool renewing;
    bool undo_busy, given_up, waits_for_cap;
    uint32_t undo_tries;
    struct Machine machine; /* of a fault that takes the whole host */
    struct Mono undo_began, undo_again, undo_deadline;
    enum Known clear;
    char detail[200];
};

/* One host's lock. asked: it may be ours, and has to be given back. */
struct LockAsk {
    struct Run *run;
    size_t at;
    bool asked;
};

/* The way back of a role. */
enum BackState { BACK_DUE, BACK_UNDER_WAY, BACK_OVER };
struct SwitchBack {
    struct Run *run;
    const struct StepSpec *spec; /* the first of the role that says so */
    const struct Role *role;
    enum BackState state;
    struct Mono until; /* it is awaited; or that it could be asked for; 0 = not yet */
    struct Mono looked;
    bool looking;
    enum Known fit; /* it could be asked for: at the last look */
    char lacks[300];
    struct RunSwitchBack row;
};

/* How long a probe has been ok, for BASELINE and SETTLING. */
struct OkStretch {
    struct Mono since, last;
    uint32_t count;
};

struct Forwarded {
    const struct Target *from;
    const char *host;
    uint16_t port, local;
    struct Forward *forward;
};

/* Whom a target meant at its first use. */
struct KeptHosts {
    const char *target;
    struct List hosts; /* of const struct Target * */
};
/* Of a probe whose max_split may halt. */
struct SplitSoFar {
    struct Reigns *reigns; /* NULL: none */
    int64_t longest_ns;    /* since the first fault, as far as it is proven */
};
struct Run {
    struct RunAsk in;
    const struct Scenario *scenario;
    struct Arena *arena;
    enum RunState state;
    struct Timer *tick;
    struct Mono began, state_began, state_until;
    struct Wall wall_began;
    int64_t boottime_drift_ns; /* at the start */
    uint32_t ticks;
    struct Mono ticked, ticked_before; /* when the tick that goes on began, and the one before */
    bool ended, stored, env_locked, not_steady;

    enum Verdict ended_as;
    char why[400];
    bool halt_heard;
    bool aborted, hurry; /* hurry: a second signal ends the wait in SETTLING */
    bool halted;         /* asked for, also while it undoes: nothing is begun any more */

    struct FaultRun *faults;
    size_t fault_count;
    struct StepRun *steps;     /* as many as the scenario has */
    size_t first, end;         /* those that go on together; first == end: none */
    struct Mono together;      /* they began */
    struct Mono steps_ended;   /* the last one that did */
    struct List kept;          /* of struct KeptHosts */
    struct StepRun *resolving; /* asks who is meant: one at a time */
    bool asking;               /* a person */
    struct Wall asked;         /* when */
    enum Known answer;         /* which was given */
    bool begin_failed;         /* a lock or a forward */
    struct Err begin_err;

    const struct Target **lock_hosts;
    struct List captured;      /* of struct TextPair */
    struct Mono *clocks_began; /* by figure; 0 = not yet */

    struct PlannedFault *lock_rows;
    struct LockAsk *lock_asks;
    size_t lock_count, locked, locking, unlocking; /* locked: that many were asked for */

    struct Prober *prober;
    struct HttpClient *http;     /* of plain requests; NULL until the first */
    struct OnlyIf *only_if;      /* NULL: the environment has none */
    struct FreezeSwitch *freeze; /* NULL: the environment has none */
    struct Mono times_asked;     /* windows and freeze were looked at */
    struct Silence *silence;     /* NULL until it is asked for */
    bool silenced;
    struct Sight *sight; /* what the systems of the roles say */
    struct StretchMachine **machines;
    struct HaltRule *halt_rules; /* as many as the scenario has */
    struct SplitSoFar *splits;   /* per probe */
    struct SwitchBack *backs;
    size_t back_count;
    struct OkStretch *oks;
    char (*details)[120]; /* per probe: what the last failure that had one said */
    struct List forwards; /* of struct Forwarded */
    size_t read_backs;    /* under way */
    bool tidied;          /* then the ledgers were asked to delete what they wrote */
    struct Mono reading_until;
    struct Mono undo_last;  /* the last undo was sent; 0 = none */
    struct Mono first_sent; /* right before the first fault */
    bool any_sent;          /* a fault counts as having been present */
    bool any_begun;         /* plain work or a request was sent */
    bool not_undone;        /* ends DIRTY, after `always` */
    bool reading;           /* the ledgers are being read back */
    struct FaultView *fault_views;
    struct ProbeView *probe_views;
};

/* run.c */
/* A line for those who watch; what the store can tell by itself (states, proofs, stretches) is not
 * kept twice. */
void run_say(struct Run *run, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* And kept. */
void run_event(struct Run *run, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void run_enter(struct Run *run, enum RunSignal event);
/* A step that failed: UNDOING; under `always` the next step, and FAIL in the place of PASS. */
void step_fail(struct StepRun *step, enum Verdict as, const char *why);
/* A store that failed: own failure, and on to UNDOING. Returns ok. */
void note_sent(struct Run *run); /* from here on a fault counts as present */
void run_take_flights(struct Run *run);
void run_hear_halt(struct Run *run); /* one that was asked for elsewhere */
bool run_stored(struct Run *run, bool ok, const struct Err *err);
/* run_begin.c: locks, forwards, prober */
void begin_locks(struct Run *run);
bool begin_probes(struct Run *run);
int64_t run_longest(const struct Run *run); /* until when it may need its locks */
void run_over(struct Run *run);             /* gives everything back, then stops the loop */
void run_lock_given(struct Run *run);       /* one of those that run_over waits for */
/* run_steps.c */
void steps_begin(struct Run *run);
void steps_tick(struct Run *run);
void steps_close(struct Run *run); /* those under way are no longer awaited */
void step_over(struct StepRun *step);
void always_begin(struct Run *run, bool not_undone);
bool always_due(const struct Run *run);
/* Nothing of it was done yet: NOT_READY, or INCONCLUSIVE once a fault was sent. */
void step_cannot(struct StepRun *step, const char *why);
/* A fault that is in effect keeps the role's service on this host down. */
bool run_keeps_down(const struct Run *run, const struct Role *role, const struct Target *host);
/* What is asked of others for a step; its answer may come when the step is over. */
struct StepCall {
    struct StepRun *step;
    uint32_t pending;
    bool failed;
    struct Err err;
};
struct StepCall *step_call(struct StepRun *step);
bool step_stands(const struct StepRun *step); /* it is still under way */
/* FAIL; NOT_READY before the first fault of a drill that has one. */
enum Verdict step_verdict(const struct Run *run);
/* run_hosts.c: whom a step means now; goes on to the volley, or to the work on them */
bool step_asks_ranks(const struct StepRun *step);
void step_hosts_begin(struct StepRun *step);
void step_faults_begin(struct StepRun *step, struct FaultRun **faults, size_t count);
/* run_until.c: its work is done; over now, or when its `until` is good. host: where, or NULL */
void step_done(struct StepRun *step, const struct Target *host);
bool when_open(struct StepRun *step);  /* false, and it has failed, where it cannot be asked */
bool until_good(struct StepRun *step); /* since it was asked last */
void until_close(struct StepRun *step);
const char *until_lacks(const struct StepRun *step); /* for people */
/* run_figures.c: clocks, captures */
void figures_step_begins(const struct StepRun *step);
void figures_step_over(struct StepRun *step);
/* False, and the run goes to UNDOING, where a value is not there. */
bool figures_capture(struct StepRun *step, const struct Buf *output);
/* The same of values that are there by their columns; NULL: there is none, or it is NULL. */
bool figures_capture_row(struct StepRun *step, const char *(*named)(void *data, const char *column),
                         void *data);
/* A text with what is known by now in the place of its references; NULL, and aborted, where not. */
const char *figures_fill(struct StepRun *step, const char *text);
/* The fault goes on with its captures filled in, before anything of it is stored or armed; false,
 * and aborted, where that cannot be. */
bool figures_fill_fault(struct StepRun *step, struct FaultRun *fault);
/* run_work.c: plain work on hosts */
void step_run_on(struct StepRun *step, const struct List *hosts); /* of const struct Target * */
/* run_step_kinds.c: a step that is no fault of a kind */
/* Patroni answers that it does not know after 2 * max(10, loop_wait) s. */
#define FAILOVER_TIMEOUT_NS (65 * NS_PER_S)
void step_request_begin(struct StepRun *step);
void step_failover_begin(struct StepRun *step);
void step_failover_tick(struct StepRun *step, struct Mono now);
void step_failover_close(struct StepRun *step); /* what its system has not begun is not begun */
/* run_sql.c: a statement, once */
void step_sql_begin(struct StepRun *step);
void statement_close(struct StepRun *step); /* it is no longer awaited; or there was none */
/* run_pauses.c: a step that waits, notes or asks; and any that is late */
void step_pause_begin(struct StepRun *step);
void step_pause_tick(struct StepRun *step, struct Mono now);
void step_late(struct StepRun *step);
void step_unask(struct Run *run);
/* run_edges.c: a step between hosts */
void step_edges_begin(struct StepRun *step);
/* run_volley.c: all of them armed, then the radius, then all of them fired */
struct Volley *volley_of(struct StepRun *step); /* of all steps that fire with it */
/* Its hosts are known; the last one of them begins the volley. */
void volley_join(struct Volley *volley, struct FaultRun **faults, size_t count);
void volley_ready(struct Volley *volley); /* once armed, and the radius was looked at again */
void volley_job_ended(struct FaultRun *fault, bool ok, const struct Err *err);
bool step_in_effect(const struct StepRun *step); /* its faults with `for` are held */
void step_hold(struct StepRun *step, struct Mono now);
/* run_radius.c: goes on to volley_ready, or aborts */
void radius_begin(struct Volley *volley);
/* run_faults.c: arm, fire, watch */
void faults_watch(struct Run *run, struct Mono now);
bool log_arming(struct FaultRun *fault, struct Err *err) MUST_CHECK;
bool fault_counts(const struct FaultRun *fault); /* from ARMING on and not CLEAR */
void fault_ended_early(struct FaultRun *fault, const char *how);
/* A runner that slept, or a host that did not answer, for a lease: its guard undoes it now. */
bool lease_ran_out(const struct FaultRun *fault, struct Mono now);
bool guard_came_first(const struct FaultRun *fault, struct Mono now);
/* On whichever host has its guard; ends in volley_job_ended. */
void fault_begin_job(struct FaultRun *fault, enum VolleyPhase phase);
const char *fault_boot_id(const struct FaultRun *fault); /* of the plan */
void fault_armed(struct FaultRun *fault);
void fault_proven(struct FaultRun *fault);
/* run_machine.c: what goes to the host itself before, and what comes of it after */
bool machine_open(struct FaultRun *fault, const char *boot_id, struct Err *err) MUST_CHECK;
void machine_begin_job(struct FaultRun *fault, enum VolleyPhase phase);
void machine_fired(struct FaultRun *fault, bool ok, const struct Err *err);
void machine_tick(struct Run *run, struct Mono now);
void machine_return(struct FaultRun *fault);
/* run_undo.c */
/* Its link is cut by intent, and the cap has yet to end it: nothing can be sent. */
bool fault_out_of_reach(const struct FaultRun *fault, struct Mono now);
/* Its guard, which counts from the arming, may have ended it by now. */
bool fault_cap_is_near(const struct FaultRun *fault);
void undo_begin(struct FaultRun *fault);
void undo_proven(struct FaultRun *fault, const struct HostCall *call);
void undo_failed(struct FaultRun *fault, const struct HostCall *call);
void undo_tick(struct Run *run, struct Mono now);
/* run_settle.c */
int64_t run_steady_within(const struct Run *run);
void settle_begin(struct Run *run);
void settle_tick(struct Run *run, struct Mono now);
const char *settle_lacks(struct Run *run); /* why no role is given back now: for people */
void settle_end(struct Run *run);          /* what was seen until now is what is judged */
void baseline_tick(struct Run *run, struct Mono now);
void settle_sample(struct Run *run, const struct Sample *sample);
struct StretchMachine *settle_machine(struct Run *run, const struct ProbeSpec *spec);
const char *unsteady_what(const struct Run *run); /* for people */
bool probes_steady(const struct Run *run, int64_t hold_ns, bool after_undo);
/* run_gate.c */
bool run_gate_open(struct Run *run, struct Err *err) MUST_CHECK;
void run_gate_close(struct Run *run);
bool run_gate_knows(const struct Run *run); /* false: the first answer is still awaited */
/* False, and aborted, where a fault of this length may not begin now. */
bool run_gate_holds(struct Run *run, int64_t lasts_ns);
void run_gate_tick(struct Run *run, struct Mono now); /* until the undo, or the switch back */
/* What may last so long may begin; KNOWN_UNKNOWN: an answer is still awaited. *why: of KNOWN_NO; in
 * the arena or until a tick. */
enum Known run_gate_lets_back(struct Run *run, int64_t lasts_ns, const char **why);
/* run_back.c: who led at the start is given the role back, once all is as before the fault */
bool back_is_due(struct Run *run); /* one is still to come */
/* True: settling has to wait for it. steady: redundancy, and the probes. */
bool back_tick(struct Run *run, struct Mono now, bool steady);
void back_leave(struct Run *run, const char *why); /* those to come are not asked for */
bool back_was_asked(const struct Run *run);
void back_close(struct Run *run); /* none is awaited; who leads now is kept */
/* run_silence.c */
bool silence_stands(struct Run *run);    /* or none is asked for; false: not yet, or aborted */
bool silence_take_back(struct Run *run); /* true: run_lock_given comes once that was answered */
void silence_forget(struct Run *run);
/* run_halt.c */
void halt_begin(struct Run *run); /* before the prober */
void halt_census(struct Run *run, const struct Census *look);
void halt_tick(struct Run *run, struct Mono now);

#endif
