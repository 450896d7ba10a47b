/* plan.h - a scenario bound to an environment: who, with which exact commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_PLAN_H
#define FD_MODEL_PLAN_H

#include "environment.h"
#include "radius.h"
#include "scenario.h"

/* Who a target means: for `is:` as of now, asked again before each use. */
struct Drawn {
    const struct TargetSpec *spec;
    const struct Role *role;
    const struct Target *const *hosts;
    size_t count;
    const struct Target *const *order; /* of all hosts of the role, as drawn in `plan` */
};

/* `to` stops hearing `from`. */
struct Edge {
    const struct Target *from, *to;
};

/* One fault on one host that may be chosen. */
struct PlannedFault {
    const struct StepSpec *step;
    uint32_t step_index;
    const struct Target *target;
    const struct Role *role;
    uint32_t number;   /* from 1; traces carry TOKEN_NUMBER */
    bool candidate;    /* `is:` decides at the time of use among the candidates of the step */
    bool chosen;       /* who it would be now */
    struct List edges; /* of struct Edge: whom it is between; none = everybody */
    struct Procedure procedure;
};
struct BoundProbe {
    const struct ProbeSpec *spec;
    const struct Role *role;   /* or NULL */
    const struct Target *from; /* or NULL */
};
/* What the faults do to a role's primary, by FAILOVER.md B.14. OPEN: nobody can tell. */
enum Course { COURSE_OPEN, COURSE_MOVES, COURSE_STAYS, COURSE_OVER_BEFORE };
/* What a step would do to the rank, foreseen: DESIGN.md 12.2. Texts in the plan's arena. */
struct Foresight {
    const struct Role *role;
    const struct Target *primary; /* as of the plan; NULL = unknown */
    struct Span failover;
    enum Course course;
    bool cut_off;             /* the primary runs on, and hears nobody */
    int64_t lasts_ns;         /* the fault on it; NS_NEVER: nothing ends it */
    struct Forecast forecast; /* of the settings as read; acked.high KNOB_UNKNOWN: of none */
    struct List knobs;        /* of struct Knob */
    /* Each a line for people, or NULL. */
    const char *why, *twins, *acked, *loss, *returns, *stays, *given_back;
};
/* ERR_REFUSED (exit 4): it would do harm. ERR_NOT_READY (exit 3): a host or system is not as it
 * must be. */
struct Obstacle {
    enum ErrCode code;
    const char *text, *help;
};
struct Plan {
    const struct Scenario *scenario;
    const struct Environment *environment;
    struct Token token;
    uint64_t seed;
    char hash[65];
    char bytes_hash[65]; /* of all procedures of all candidates: the very bytes that run on hosts */
    struct List faults;  /* of struct PlannedFault */
    struct List probes;  /* of struct BoundProbe, in the scenario's order */
    struct List facts;   /* of struct HostFacts, touched hosts */
    struct List drawn;   /* of struct Drawn: who each target means now */
    struct List healths; /* of struct RoleHealth, of every role that a fault may touch */
    struct List foresights; /* of struct Foresight */
    struct List
        obstacles; /* of struct Obstacle: why it may not run (the gate's own rules are in gate.h) */
    int64_t cool_down_ns; /* the longest of a system, which is an obstacle too; 0 = none */
    struct Wall made;
    struct Arena *arena;
};

/* Hosts in the order of SHA-256(seed, target's name, host's name) (LANGUAGE.md rule 11); out has
 * room for role->host_count. */
void target_order(uint64_t seed, const char *target, const struct Role *role,
                  const struct Target **out);
/* When a host last had a fault in this environment. */
struct LastDrilled {
    const char *host;
    struct Wall at;
};
/* Puts the least recently drilled first, those never drilled before them; else the order stays. */
void target_rotate(const struct List *drilled, size_t count, const struct Target **order);
/* How many of n a pick means; a share rounds down; 0 is the caller's error. */
size_t pick_count(const struct Pick *pick, size_t n);
/* What a script's ${ns.name} stand for: NULL where nothing is known yet (host: no host). */
struct ScriptInput {
    const struct Scenario *scenario;
    const struct Environment *environment;
    const struct Target *host;   /* ${host.name}, ${host.address} */
    const char *run;             /* ${run.id}: the token */
    const struct List *captured; /* of struct TextPair: ${capture.NAME}; NULL = none yet */
    const struct Token *marks;   /* then a mark stands for it (procedure_fill.h); NULL: no value */
    /* ${target.NAME.name} and .address: the host drawn for it; NULL where none is. */
    const struct Target *(*drawn)(void *data, const char *target);
    void *drawn_data;
};
/* LANGUAGE.md rule 10: every ${ns.name} becomes a shell variable. *out is the text with
 * "${fd_param_x}" in their place, `variables` (of struct TextPair) what to set before it; a
 * secret's value is its reference still. Without `variables`, the values stand in their place. */
bool script_fill(const struct ScriptInput *input, const char *script, struct Arena *arena,
                 const char **out, struct List *variables, struct Err *err) MUST_CHECK;
/* The step's config for one host, for FaultKind.plan: a copy in which every shell text has its
 * variables set, quoted, before it, and every other text its values. The config itself where there
 * is nothing to fill in. */
bool step_config(const struct ScriptInput *input, const struct StepSpec *step, struct Arena *arena,
                 const void **out, struct Err *err) MUST_CHECK;
/* The same of the probe that ends a step. */
bool probe_config(const struct ScriptInput *input, const struct ProbeSpec *probe,
                  struct Arena *arena, const void **out, struct Err *err) MUST_CHECK;

/* What the touched host is known to have; NULL where nothing is. */
const struct HostFacts *plan_facts(const struct Plan *plan, const struct Target *host);
/* Hosts that are under a fault while this step's is: its own, as chosen now, those of earlier steps
 * without `for`, of steps beside it in a `parallel`, and of those that by their `at` and `for` are
 * not over yet. Appends const struct Target *. */
void plan_touched(const struct Plan *plan, uint32_t step_index, struct Arena *arena,
                  struct List *out);
/* Whether the scenario itself says that all of a role may go: by `pick: all`, since it names a
 * role of one host, or since a `cut` names all of it. */
bool scenario_spends(const struct Scenario *scenario, const struct Role *role);

/* The longest that a fault of this step lasts as planned, from its `for` or from what follows it.
 */
int64_t step_planned_ns(const struct Scenario *scenario, size_t step_index);
/* Steps that go on together from this one on: itself, all of its `parallel`, all that say `at`.
 * Returns the first after them. */
size_t steps_together(const struct Scenario *scenario, size_t from);
/* The longest that all steps take, those under `always` too. */
int64_t scenario_steps_ns(const struct Scenario *scenario);
/* Until a switch back may be asked for: who streams again may take a round of its coordinator's
 * until it may lead, and the gate may have yet to answer. */
#define SWITCH_BACK_FIT_NS (60 * NS_PER_S)
/* How long all of its switches back may take, until they are asked for and the service has settled
 * after them; 0: none. */
int64_t scenario_back_ns(const struct Scenario *scenario);

#endif
