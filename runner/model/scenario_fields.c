/* scenario_fields.c - every key of a scenario file but those of bounds and kinds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_fields.h"

#include "../base/text.h"
#include "node_edit.h"
#include <stddef.h>

#define HOUR_NS (3600 * NS_PER_S)
#define AT(record, member) .offset = offsetof(struct record, member)

static const struct Choice PARAM_TYPES[] = {
    {"int", PARAM_INT, "A whole number."},
    {"str", PARAM_TEXT, "Any text."},
    {"duration", PARAM_DURATION, "A duration, like 30s."},
    {"share", PARAM_SHARE, "A share, like 34%."},
    {"enum", PARAM_CHOICE, "One of the texts under `of`."},
    {"bool", PARAM_BOOL, "true or false."},
    {.name = NULL},
};
static const struct Field PARAM_FIELDS[] = {
    {.name = "", .type = FIELD_NAME, AT(ParamFields, name), .flags = FIELD_SNAKE},
    {.name = "type", .type = FIELD_CHOICE, AT(ParamFields, type), .fallback = "str",
     .choices = PARAM_TYPES, .example = "int", .doc = "What its values are."},
    {.name = "of", .type = FIELD_LIST, AT(ParamFields, of), .example = "[fast, slow]",
     .doc = "The values of an enum."},
    {.name = "default", .type = FIELD_TEXT, AT(ParamFields, fallback), .example = "1",
     .doc = "The value where the command line gives none; without it -p must."},
    {.name = "min", .type = FIELD_TEXT, AT(ParamFields, least), .example = "1",
     .doc = "The least value, for int, duration and share."},
    {.name = "max", .type = FIELD_TEXT, AT(ParamFields, most), .example = "2",
     .doc = "The greatest value, for int, duration and share."},
    {.name = "", .type = FIELD_NODE, AT(ParamFields, node)},
    {.name = NULL},
};
const struct Record PARAM_RECORD = {
    .name = "param", .doc = "A value that the command line may change; ${param.NAME} stands for it.",
    .size = sizeof(struct ParamFields), .fields = PARAM_FIELDS,
};

static const struct Choice RANKS[] = {
    {"primary", RANK_PRIMARY, "Who leads its system at the moment of use."},
    {"replica", RANK_REPLICA, "Who follows at the moment of use."},
    {.name = NULL},
};
static const struct Field TARGET_FIELDS[] = {
    {.name = "", .type = FIELD_NAME, AT(TargetFields, name), .flags = FIELD_SNAKE},
    {.name = "role", .type = FIELD_TEXT, AT(TargetFields, role), .flags = FIELD_REQUIRED | FIELD_SNAKE,
     .example = "redis", .doc = "The role of the environment whose hosts are meant."},
    {.name = "is", .type = FIELD_CHOICE, AT(TargetFields, is), .choices = RANKS, .example = "primary",
     .doc = "Only hosts of this rank, asked again before each use."},
    {.name = "pick", .type = FIELD_PICK, AT(TargetFields, pick), .fallback = "1", .example = "34%",
     .doc = "How many: a number, a share (rounded down) or all."},
    {.name = "seed", .type = FIELD_INT, AT(TargetFields, seed), .flags = FIELD_UNSET, .min = 0,
     .max = INT64_MAX, .example = "41", .doc = "Draws the same hosts each time; default: drawn by `plan`."},
    {.name = "", .type = FIELD_NODE, AT(TargetFields, node)},
    {.name = NULL},
};
const struct Record TARGET_RECORD = {
    .name = "target", .doc = "Whom a step means: hosts of a role.",
    .size = sizeof(struct TargetFields), .fields = TARGET_FIELDS,
};

static const struct Choice CONNECTIONS[] = {
    {"fresh", 0, "A new connection for each attempt, as a new client makes it."},
    {"keep", 1, "One connection for many attempts, as a pool keeps it."},
    {.name = NULL},
};
static const struct Field PROBE_FIELDS[] = {
    {.name = "", .type = FIELD_NAME, AT(ProbeFields, name), .flags = FIELD_SNAKE},
    {.name = "every", .type = FIELD_DURATION, AT(ProbeFields, interval_ns), .fallback = "1s",
     .min = NS_PER_MS, .max = HOUR_NS, .example = "50ms",
     .doc = "The time between two attempts, kept also when answers are late."},
    {.name = "timeout", .type = FIELD_DURATION, AT(ProbeFields, timeout_ns), .fallback = "2s",
     .min = NS_PER_MS, .max = 60 * NS_PER_S, .example = "500ms",
     .doc = "When an attempt without an answer has failed."},
    {.name = "hold", .type = FIELD_DURATION, AT(ProbeFields, hold_ns), .flags = FIELD_UNSET,
     .min = NS_PER_MS, .max = HOUR_NS, .example = "10s",
     .doc = "How long answers must be good to count as recovered; default: the scenario's."},
    {.name = "gap", .type = FIELD_DURATION, AT(ProbeFields, gap_ns), .flags = FIELD_UNSET, .min = 0,
     .max = HOUR_NS, .example = "1s",
     .doc = "A shorter good stretch does not end a failing one; default: the scenario's."},
    {.name = "control", .type = FIELD_BOOL, AT(ProbeFields, control), .fallback = "false",
     .example = "true", .doc = "On a path that the fault must not touch: where it fails, the run is inconclusive."},
    {.name = "from", .type = FIELD_TEXT, AT(ProbeFields, from), .flags = FIELD_SNAKE, .example = "primary",
     .doc = "A target: measures from beside its host, through our own connection."},
    {.name = "connection", .type = FIELD_CHOICE, AT(ProbeFields, connection), .fallback = "fresh",
     .choices = CONNECTIONS, .example = "keep", .doc = "A new connection for each attempt, or one that is kept."},
    {.name = "", .type = FIELD_NODE, AT(ProbeFields, node)},
    {.name = NULL},
};
static const struct Record PROBE_RECORD = {
    .name = "probe", .doc = "A question asked at its own pace from before the fault to the end.",
    .size = sizeof(struct ProbeFields), .fields = PROBE_FIELDS, .variants = "probe",
    .variant_offset = offsetof(struct ProbeFields, kind),
};

static const struct Field STEP_FIELDS[] = {
    {.name = "name", .type = FIELD_TEXT, AT(StepFields, name), .example = "\"lose the primary\"",
     .doc = "What plan and report call the step."},
    {.name = "for", .type = FIELD_DURATION, AT(StepFields, hold_ns), .flags = FIELD_UNSET,
     .min = NS_PER_S, .max = 24 * HOUR_NS, .example = "60s",
     .doc = "How long the fault is held, from proven; without it until the end of the drill."},
    {.name = "timeout", .type = FIELD_DURATION, AT(StepFields, timeout_ns), .fallback = "5m",
     .min = NS_PER_S, .max = 24 * HOUR_NS, .example = "2m",
     .doc = "When a step that has not come to its end has failed, `for` not counted."},
    {.name = "accept_no_undo", .type = FIELD_BOOL, AT(StepFields, accept_no_undo), .fallback = "false",
     .example = "true", .doc = "Accepts a fault that nothing can put back."},
    {.name = "", .type = FIELD_NODE, AT(StepFields, node)},
    {.name = NULL},
};
static const struct Record STEP_RECORD = {
    .name = "step", .doc = "A sentence: verb, whom, for how long.",
    .size = sizeof(struct StepFields), .fields = STEP_FIELDS, .variants = "step",
    .variant_offset = offsetof(struct StepFields, kind),
};

static const struct Field FAILOVER_FIELDS[] = {
    {.name = "role", .type = FIELD_TEXT, AT(FailoverFields, role),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED | FIELD_SNAKE, .example = "redis",
     .doc = "The role whose system is asked to move its primary."},
    {.name = NULL},
};
const struct Record FAILOVER_RECORD = {
    .name = "failover", .doc = "A planned failover, as an operator would ask for it; the primary stays moved.",
    .size = sizeof(struct FailoverFields), .fields = FAILOVER_FIELDS,
};

static const struct Field STEADY_FIELDS[] = {
    {.name = "for", .type = FIELD_DURATION, AT(SteadyFields, for_ns), .fallback = "10s", .min = NS_PER_MS,
     .max = HOUR_NS, .example = "5s", .doc = "How long every probe must be good before the first fault."},
    {.name = "within", .type = FIELD_DURATION, AT(SteadyFields, within_ns), .fallback = "60s",
     .min = NS_PER_S, .max = 24 * HOUR_NS, .example = "60s",
     .doc = "How long to wait for that; then the run is NOT READY."},
    {.name = NULL},
};
static const struct Record STEADY_RECORD = {
    .name = "steady", .doc = "What must hold before the first fault.",
    .size = sizeof(struct SteadyFields), .fields = STEADY_FIELDS,
};

static const struct Choice LEAVES[] = {
    {"started", 0, "The undo starts what was stopped."},
    {"stopped", 1, "A former primary that has no safe way back is left down."},
    {.name = NULL},
};
static const struct Field UNDO_FIELDS[] = {
    {.name = "lease", .type = FIELD_DURATION, AT(UndoFields, lease_ns), .fallback = "30s",
     .min = 2 * NS_PER_S, .max = HOUR_NS, .example = "30s",
     .doc = "The host undoes by itself when it hears nothing of the runner for so long."},
    {.name = "grace", .type = FIELD_DURATION, AT(UndoFields, grace_ns), .fallback = "15s",
     .min = NS_PER_S, .max = HOUR_NS, .example = "15s",
     .doc = "The host undoes by itself at the latest so long after the planned undo."},
    {.name = "within", .type = FIELD_DURATION, AT(UndoFields, within_ns), .fallback = "60s",
     .min = NS_PER_S, .max = HOUR_NS, .example = "60s",
     .doc = "When an undo that is not proven makes the run NOT UNDONE."},
    {.name = "leave", .type = FIELD_CHOICE, AT(UndoFields, leave), .fallback = "started",
     .choices = LEAVES, .example = "stopped", .doc = "What becomes of a former primary."},
    {.name = NULL},
};
static const struct Record UNDO_RECORD = {
    .name = "undo", .doc = "How faults are put back.",
    .size = sizeof(struct UndoFields), .fields = UNDO_FIELDS,
};

static const struct Field HALT_ALSO_FIELDS[] = {
    {.name = "any_host_lost", .type = FIELD_BOOL, AT(HaltAlsoFields, any_host_lost), .fallback = "false",
     .example = "true", .doc = "Halts when a host that should be reachable is not."},
    {.name = "after", .type = FIELD_DURATION, AT(HaltAlsoFields, after_ns), .flags = FIELD_UNSET,
     .min = NS_PER_S, .max = 24 * HOUR_NS, .example = "20m",
     .doc = "Halts when the run has taken so long, whatever the probes say."},
    {.name = NULL},
};
static const struct Record HALT_ALSO_RECORD = {
    .name = "halt_also", .doc = "What else stops the drill at once.",
    .size = sizeof(struct HaltAlsoFields), .fields = HALT_ALSO_FIELDS,
};

static const struct Field SCENARIO_FIELDS[] = {
    {.name = "scenario", .type = FIELD_TEXT, AT(ScenarioFields, name), .flags = FIELD_REQUIRED | FIELD_SNAKE,
     .example = "redis_primary_dies", .doc = "The name, the same as the file's."},
    {.name = "hypothesis", .type = FIELD_TEXT, AT(ScenarioFields, hypothesis), .flags = FIELD_PROSE,
     .example = "Users hardly notice when one API machine vanishes.", .doc = "What is believed, as a sentence."},
    {.name = "owner", .type = FIELD_TEXT, AT(ScenarioFields, owner), .flags = FIELD_PROSE,
     .example = "team-data", .doc = "Who answers for the drill."},
    {.name = "runbook", .type = FIELD_TEXT, AT(ScenarioFields, runbook), .flags = FIELD_PROSE,
     .example = "https://wiki.example.net/redis", .doc = "Where it says what to do."},
    {.name = "tags", .type = FIELD_LIST, AT(ScenarioFields, tags), .flags = FIELD_PROSE, .max = 50,
     .example = "[redis, weekly]", .doc = "Words to find runs by."},
    {.name = "params", .type = FIELD_MAP, AT(ScenarioFields, params), .flags = FIELD_PROSE, .max = 100,
     .of = &PARAM_RECORD, .example = "{machines: {type: int, default: 1, max: 2}}",
     .doc = "Values that the command line may change with -p; a scalar is a default."},
    {.name = "targets", .type = FIELD_MAP, AT(ScenarioFields, targets), .max = 100, .of = &TARGET_RECORD,
     .example = "{victim: {role: api, pick: 1}}", .doc = "Whom steps mean, by name."},
    {.name = "probes", .type = FIELD_MAP, AT(ScenarioFields, probes), .flags = FIELD_REQUIRED, .min = 1,
     .max = 100, .of = &PROBE_RECORD, .example = "{shop: {http: \"${endpoint.api}/healthz\"}}",
     .doc = "What is measured; each stands in expect or halt, or is a control."},
    {.name = "steady", .type = FIELD_RECORD, AT(ScenarioFields, steady), .flags = FIELD_ALWAYS,
     .of = &STEADY_RECORD, .example = "{for: 10s, within: 60s}", .doc = "What must hold before the first fault."},
    {.name = "steps", .type = FIELD_LIST, AT(ScenarioFields, steps), .flags = FIELD_REQUIRED, .min = 1,
     .max = 100, .of = &STEP_RECORD, .example = "[{isolate: victim, for: 60s}]",
     .doc = "What is done, top to bottom."},
    {.name = "observe", .type = FIELD_DURATION, AT(ScenarioFields, observe_ns), .flags = FIELD_UNSET,
     .min = 0, .max = 24 * HOUR_NS, .example = "30s",
     .doc = "How long to look after the last step; default: the longest recover_within, failover_within or "
            "detected_within, and hold."},
    {.name = "settle", .type = FIELD_DURATION, AT(ScenarioFields, settle_ns), .flags = FIELD_UNSET,
     .min = NS_PER_S, .max = 24 * HOUR_NS, .example = "2m",
     .doc = "How long all may take to be steady after the last undo; default: 2m, or the longest "
            "redundant_within and hold where that is longer."},
    {.name = "hold", .type = FIELD_DURATION, AT(ScenarioFields, hold_ns), .fallback = "10s",
     .min = NS_PER_MS, .max = HOUR_NS, .example = "10s",
     .doc = "How long a probe must be good, for 3 samples at least, to count as recovered."},
    {.name = "gap", .type = FIELD_DURATION, AT(ScenarioFields, gap_ns), .fallback = "1s", .min = 0,
     .max = HOUR_NS, .example = "1s", .doc = "A shorter good stretch does not end a failing one."},
    {.name = "undo", .type = FIELD_RECORD, AT(ScenarioFields, undo), .flags = FIELD_ALWAYS,
     .of = &UNDO_RECORD, .example = "{lease: 30s, grace: 15s}", .doc = "How faults are put back."},
    {.name = "halt", .type = FIELD_MAP, AT(ScenarioFields, halt), .flags = FIELD_JUDGE, .of = &HALT_RECORD,
     .example = "{shop: {max_outage: 45s}}", .doc = "Bounds that stop the drill and undo at once, by probe."},
    {.name = "halt_also", .type = FIELD_RECORD, AT(ScenarioFields, halt_also),
     .flags = FIELD_JUDGE | FIELD_ALWAYS, .of = &HALT_ALSO_RECORD, .example = "{after: 20m}",
     .doc = "What else stops the drill at once."},
    {.name = "expect", .type = FIELD_MAP, AT(ScenarioFields, expect), .flags = FIELD_JUDGE | FIELD_REQUIRED,
     .min = 1, .max = 100, .of = &EXPECT_RECORD, .example = "{shop: {recover_within: 20s}}",
     .doc = "Bounds that judge at the end, by probe."},
    {.name = "", .type = FIELD_NODE, AT(ScenarioFields, node)},
    {.name = NULL},
};
const struct Record SCENARIO_RECORD = {
    .name = "scenario", .doc = "A drill: what is broken, what is measured, what must hold.",
    .size = sizeof(struct ScenarioFields), .fields = SCENARIO_FIELDS,
};

const struct Node *scenario_long_form(const struct Node *root, struct Arena *arena)
{
    const struct Node *params = node_get(root, "params");
    if (params == NULL || params->type != NODE_MAP)
        return root;
    struct NodeEdit edit = node_edit_map(params, arena);
    for (size_t i = 0; i < params->count; i++) {
        const struct Node *param = params->items[i];
        if (param->type == NODE_SCALAR)
            param = node_single("default", param, arena);
        node_edit_put(&edit, params->keys[i], param);
    }
    return node_replace(root, "params", node_edit_end(&edit), arena);
}
