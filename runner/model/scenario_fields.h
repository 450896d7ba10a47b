/* scenario_fields.h - a scenario file as its tables decode it; scenario.c makes values of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_SCENARIO_FIELDS_H
#define FD_MODEL_SCENARIO_FIELDS_H

#include "calendar.h"
#include "scenario.h"

enum ParamType { PARAM_TEXT, PARAM_INT, PARAM_DURATION, PARAM_SHARE, PARAM_CHOICE, PARAM_BOOL };
struct IncludeFields {
    const char *file;
    struct List with; /* of struct TextPair */
    const struct Node *node;
};
struct ParamFields {
    const char *name;
    int type; /* enum ParamType, -1 = not given */
    struct List of;
    const char *fallback, *least, *most, *ask;
    const struct Node *node;
};
struct TargetFields {
    const char *name, *role, *zone, *apart;
    int is; /* enum Rank */
    struct Pick pick;
    int64_t seed;
    bool rotate, stays;
    const struct Node *node;
};
struct ProbeFields {
    const char *name, *from;
    int64_t interval_ns, timeout_ns, hold_ns, gap_ns;
    bool control;
    int connection;     /* 1 = keep */
    struct Chosen kind; /* of the set "probe" */
    const struct Node *node;
};
struct StepFields {
    const char *name;
    int64_t hold_ns, at_ns, within_ns, timeout_ns;
    const struct Flap *flap;
    int link; /* 1 = cut */
    bool accept_no_undo;
    const struct ProbeFields *when, *until;
    struct List capture; /* of struct CaptureFields */
    struct List measure; /* of const char * */
    struct Chosen kind;  /* of the set "step" */
    const struct Node *node;
};
struct CaptureFields {
    const char *name, *out, *json, *regex, *column, *as;
    const struct Node *node;
};
struct DefaultsFields {
    const struct Node *target;
    int64_t timeout_ns;
};
struct SteadyFields {
    int64_t for_ns, within_ns;
};
struct RepeatFields {
    int64_t times, pause_ns;
};
struct UndoFields {
    int64_t lease_ns, grace_ns, within_ns;
    int leave; /* 1 = stopped */
    bool snapshot;
};
/* Bounds of one probe, or of one phase of it: FIELD_NOT_GIVEN where a word is not there. */
struct BoundFields {
    const char *probe;
    int64_t limit[BOUND_COUNT];
    struct Loss max_lost;
    bool must_notice;
    const char *most, *least, *equals; /* of figures */
    const char *least_rate;
    struct List statuses;                              /* of const char * */
    const struct BoundFields *before, *during, *after; /* without names */
    const struct Node *node;
};
struct HaltAlsoFields {
    bool any_host_lost;
    int64_t after_ns;
};
struct ScenarioFields {
    const char *name, *hypothesis, *owner, *runbook, *schedule, *needs;
    struct List tags, include, params, targets, probes, steps, always, expect, halt;
    const struct DefaultsFields *defaults; /* they stand in the steps already */
    const struct SteadyFields *steady;
    const struct RepeatFields *repeat;
    const struct UndoFields *undo;
    const struct HaltAlsoFields *halt_also;
    const struct GateFields *gate;
    const struct NotifyFields *notify;
    int64_t observe_ns, settle_ns, hold_ns, gap_ns;
    const struct Node *node;
};
/* `failover: ROLE`, which is no fault kind: the role's system does it. */
struct FailoverFields {
    const char *role, *to;
    bool forced, switch_back;
};

extern const struct Record SCENARIO_RECORD, PARAM_RECORD, TARGET_RECORD, PROBE_RECORD, STEP_RECORD;
extern const struct Record CAPTURE_RECORD, FRAGMENT_RECORD;
/* `wait`, `note` and `ask`: no fault kinds either. */
struct PauseFields {
    const char *text;
};
/* `parallel`: steps, which go on side by side. */
struct ParallelFields {
    struct List steps; /* of struct StepFields */
};
extern const struct Record PARALLEL_RECORD, DEFAULTS_RECORD;
/* scenario_course.c: how a drill goes. */
extern const struct Record STEADY_RECORD, UNDO_RECORD, REPEAT_RECORD, HALT_ALSO_RECORD;
extern const struct Record FAILOVER_RECORD, WAIT_RECORD, NOTE_RECORD, ASK_RECORD;
extern const struct Record PARAMS_RECORD;              /* struct List of ParamFields */
extern const struct Record INCLUDES_RECORD;            /* struct List of IncludeFields */
extern const struct Record EXPECT_RECORD, HALT_RECORD; /* struct BoundFields */
/* `halt` takes fewer words than `expect`. */
bool bound_may_halt(enum BoundWord word);

#endif
