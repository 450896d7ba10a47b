/* scenario.h - what a scenario file says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_SCENARIO_H
#define FD_MODEL_SCENARIO_H

#include "../schema/decode.h"
#include "probe.h"
#include "kinds.h"
#include "sides.h"

/* All in the scenario's arena; owns all of it. Names of roles and hosts are text: a scenario knows
 * no environment until plan_make binds them. */
struct ParamSpec {
    const char *name;
    const char *value;
    struct Where where; /* as text, checked against its type */
};

struct TargetSpec {
    const char *name; /* under `targets:`, or "step N" for an inline one */
    const char *role;
    enum Rank is; /* RANK_UNKNOWN = not asked */
    struct Pick pick;
    bool seed_given, rotate;
    bool stays; /* with `is`: the hosts of its first use, whatever they are by then */
    int64_t seed;
    const char *zone;  /* only hosts of it; NULL: of any */
    const char *apart; /* `not`: the target whose hosts are never meant, or NULL; without `is` */
    struct Where where, role_where, zone_where, apart_where;
};

struct ProbeSpec {
    const char *name;
    const struct ProbeKind *kind;
    const void *config;                        /* decoded by kind->config */
    const char *role;                          /* kind->needs_role: its role's name; else NULL */
    const char *from;                          /* target's name, or NULL */
    int64_t interval_ns, timeout_ns, under_ns; /* under: 0 = none */
    int64_t hold_ns, gap_ns;
    bool control; /* on a path that the fault must not touch */
    bool keep;    /* connection: keep */
    struct Where where;
};

/* What is measured or read by steps, and judged by name as probes are. */
enum FigureType { FIGURE_CLOCK, FIGURE_TEXT, FIGURE_INT, FIGURE_SECONDS };
struct FigureSpec {
    const char *name;
    enum FigureType type;
    struct Where where;
};
/* A value from the output of a step; neither json nor regex: all of it. */
struct CaptureSpec {
    const char *name;
    enum FigureType type;
    const char *json, *regex, *column; /* column: of the first row of an `sql` */
};

enum StepType {
    STEP_FAULT,
    STEP_FAILOVER, /* of the role's system */
    STEP_RUN,      /* plain work on hosts */
    STEP_REQUEST,  /* plain work of our own */
    STEP_SQL,      /* the same: a statement; its config is that of the `sql` probe */
    STEP_WAIT,     /* for `wait_ns` */
    STEP_STEADY,   /* until all is as before the first fault */
    STEP_NOTE,
    STEP_ASK
};
struct StepSpec {
    const char *name; /* "isolate victim", or as `name:` says */
    enum StepType type;
    const struct FaultKind *kind; /* of a STEP_FAULT; else NULL */
    const void *config;
    const struct TargetSpec *target;   /* NULL for failover, which has the role, and for `cut` */
    const struct BetweenSpec *between; /* `cut`; else NULL */
    const struct SideSpec *to;         /* the other end of a network fault; NULL = everybody */
    enum Direction direction;          /* of what goes between the target and `to` */
    const char *role;                  /* failover */
    const char *asked;                 /* sql: the role whose primary it is sent to, or NULL */
    bool forced;                       /* failover: also where it may lose writes */
    bool switch_back;                  /* failover: at the end who led at the start leads again */
    const char *promoted;              /* failover: `to`, who is to lead; NULL: anybody */
    struct Where promoted_where;
    const char *script;                 /* plain run */
    const char *said;                   /* the text of a note, the question of an ask */
    int64_t wait_ns;                    /* STEP_WAIT; 0 where the environment says it */
    const struct PlainRequest *request; /* plain http: no target, no fault; NULL for all others */
    const struct ProbeSpec *when;       /* it begins when this is good; or NULL */
    const struct ProbeSpec *until;      /* it is over when this is good; or NULL */
    int64_t within_ns;                  /* the longest that `when` may take; 0 without */
    struct List captures;               /* of struct CaptureSpec */
    struct List measures;               /* of const char *: clocks that run during it */
    uint32_t together; /* of a `parallel`: its number, from 1; those of one stand side by side */
    bool timed;        /* `at`: all steps have one, or none */
    int64_t at_ns;     /* after the first; in order of time */
    int64_t hold_ns, timeout_ns; /* hold = `for`; -1 = not given */
    struct Flap flap;
    bool cuts_link; /* `link: cut` */
    bool accept_no_undo;
    struct Where where, for_where, whom_where; /* of the verb, `for`, the target or role */
};

/* How long it may take in all, its `when` and its `for` included. */
int64_t step_longest_ns(const struct StepSpec *step);
/* The step's own `unit:` and `process:`, or NULL. */
const char *step_unit(const struct StepSpec *step);
const char *step_process(const struct StepSpec *step);
/* It is about another service than its role's: `unit:` or `process:`. */
bool step_names_service(const struct StepSpec *step);
/* As `forbid: {faults: [...]}` says it: the kind's name, "failover", "http" of a plain request;
 * NULL for all others. */
const char *step_verb(const struct StepSpec *step);
/* A request that is signed for AWS: whether it changes something there, only its author knows, so
 * it counts as if it did. */
bool step_is_signed(const struct StepSpec *step);
/* A fault, a failover, or a request that is signed. */
bool step_breaks(const struct StepSpec *step);

/* Words of `expect` and `halt`; one row each in bound.c with type, meaning and what it needs. */
enum BoundWord {
    BOUND_MAX_OUTAGE,
    BOUND_MAX_DOWNTIME,
    BOUND_MAX_ERRORS,
    BOUND_MAX_LOST,
    BOUND_MAX_DUPLICATED,
    BOUND_MAX_STALE,
    BOUND_MAX_SPLIT,
    BOUND_MAX_P50,
    BOUND_MAX_P95,
    BOUND_MAX_P99,
    BOUND_RECOVER_WITHIN,
    BOUND_RECOVER_NOT_BEFORE,
    BOUND_FAILOVER_WITHIN,
    BOUND_REDUNDANT_WITHIN,
    BOUND_DETECTED_WITHIN,
    BOUND_MIN_SUCCESS,
    BOUND_MIN_RATE,
    BOUND_STATUS_ONLY,
    BOUND_MUST_NOTICE,
    BOUND_MAX, /* these three of figures */
    BOUND_MIN,
    BOUND_EQUALS,
    BOUND_COUNT
};
/* The phase that a bound is about (DESIGN.md 11.5): BASELINE, proven to undo sent, undone to the
 * end; WHEN_ALL: T0 to the end of OBSERVING. */
enum When { WHEN_ALL, WHEN_BEFORE, WHEN_DURING, WHEN_AFTER };
struct Expectation {
    const char *probe; /* or figure */
    enum When when;
    enum BoundWord word;
    int64_t limit;          /* ns, millionths, count, or 1 for must_notice */
    bool limit_is_duration; /* max_lost: 12s */
    const char *text;       /* of a figure, min_rate, status_only: as written; else NULL */
    struct Where where;
};
const char *bound_name(enum BoundWord word);

struct GateFields;
struct NotifyFields;
struct Scenario {
    const char *name, *hypothesis, *owner, *runbook, *path;
    const char *schedule;                   /* a calendar_parse() that succeeds, or NULL */
    struct List tags;                       /* of const char * */
    char text_hash[65], behaviour_hash[65]; /* SHA-256, hex: DESIGN.md 13 */
    struct List params;                     /* of struct ParamSpec, values filled in */
    struct List targets;                    /* of struct TargetSpec; inline ones too */
    struct List probes, steps;              /* of struct ProbeSpec, StepSpec */
    size_t always;                          /* the steps from this one on stand under `always` */
    struct List figures;                    /* of struct FigureSpec, in the steps' order */
    struct List expectations, halts;        /* of struct Expectation */
    const struct GateFields *gate;          /* rules that it adds, as written; NULL: none */
    const struct NotifyFields *notify;      /* environment_notify.h; NULL: nobody else is told */
    bool halt_any_host_lost;
    int64_t halt_after_ns; /* -1 = none */
    int64_t steady_ns, steady_within_ns, observe_ns, settle_ns, hold_ns, gap_ns;
    int64_t lease_ns, grace_ns, undo_within_ns;
    uint32_t cycles;  /* of `repeat`; 1 without */
    int64_t pause_ns; /* between them */
    bool leave_stopped;
    bool snapshot_first;   /* undo: {snapshot: true}: a BGSAVE before a primary is killed */
    const char *text;      /* the file as read; expanded where it includes fragments */
    const char *canonical; /* canonical JSON, the bytes of text_hash; for "changed since" */
    struct Arena *arena;
};

struct ParamValue {
    const char *name, *value;
}; /* -p name=value */
struct ScenarioInput {
    const struct Document *document; /* expanded (include.h); in a longer-lived arena */
    const struct Kinds *kinds;
    const struct Environment
        *environment; /* NULL: `validate` without one; references to it stay as written */
    const struct ParamValue *params;
    size_t param_count;
    /* `${target.NAME.address}` once targets are drawn (plan); NULL before: stays as written. */
    const char *(*target_address)(void *data, const char *name);
    void *target_data;
};
/* Decodes and checks all; every problem is added. NULL where any was an error. The hashes are those
 * of the text with parameters filled in and references to the environment as written, whatever was
 * given. */
struct Scenario *scenario_new(const struct ScenarioInput *input, struct Problems *problems);
void scenario_free(struct Scenario *scenario); /* accepts NULL */

#endif
