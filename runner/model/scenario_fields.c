/* scenario_fields.c - the keys of a scenario file itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_fields.h"

#include "../base/text.h"
#include "environment_fields.h"
#include "needs.h"
#include <stddef.h>

#define HOUR_NS (3600 * NS_PER_S)
#define AT(record, member) .offset = offsetof(struct record, member)

static const struct Field INCLUDE_FIELDS[] = {
    {.name = "file",
     .type = FIELD_TEXT,
     AT(IncludeFields, file),
     .flags = FIELD_REQUIRED | FIELD_ALONE,
     .example = "fragments/watch_the_shop.yaml",
     .doc = "Where it lies, from this file on; inside the project, or below this file's folder."},
    {.name = "with",
     .type = FIELD_TEXTS,
     AT(IncludeFields, with),
     .example = "{pace: 100ms, machines: \"${param.machines}\"}",
     .doc = "Values for its parameters: texts, or one whole ${param.NAME} of this file each."},
    {.name = "", .type = FIELD_NODE, AT(IncludeFields, node)},
    {.name = NULL},
};
static const struct Record INCLUDE_RECORD = {
    .name = "include",
    .doc = "A fragment whose parts become parts of this file.",
    .size = sizeof(struct IncludeFields),
    .fields = INCLUDE_FIELDS,
};

/* What a fragment may say as well: a scenario need not say again what it includes. */
#define INCLUDE_ROW(offset_of)                                                                     \
    {                                                                                              \
        .name = "include", .type = FIELD_LIST, .offset = (offset_of),                              \
        .flags = FIELD_PROSE | FIELD_SCALARS, .max = 32, .of = &INCLUDE_RECORD,                    \
        .example = "[fragments/watch_the_shop.yaml]",                                              \
        .doc =                                                                                     \
            "Fragments. Their targets, probes, steps and bounds come first, in the order of the "  \
            "list, then the file's own; a name that stands twice is an error. A fragment's "       \
            "parameter `pace` is ${param.FRAGMENT_pace} outside of it."                            \
    }
#define PARAMS_ROW                                                                                 \
    {                                                                                              \
        .name = "params", .type = FIELD_MAP, AT(ScenarioFields, params),                           \
        .flags = FIELD_PROSE | FIELD_SCALARS, .max = 100, .of = &PARAM_RECORD,                     \
        .example = "{machines: {type: int, default: 1, max: 2}}",                                  \
        .doc = "Values that the command line may change with -p; a scalar is a default."           \
    }
#define TARGETS_ROW                                                                                \
    {                                                                                              \
        .name = "targets", .type = FIELD_MAP, AT(ScenarioFields, targets), .max = 100,             \
        .of = &TARGET_RECORD, .example = "{victim: {role: api, pick: 1}}",                         \
        .doc = "Whom steps mean, by name."                                                         \
    }
#define PROBES_ROW                                                                                 \
    {                                                                                              \
        .name = "probes", .type = FIELD_MAP, AT(ScenarioFields, probes), .max = 100,               \
        .of = &PROBE_RECORD, .example = "{shop: {http: \"${endpoint.api}/healthz\"}}",             \
        .doc =                                                                                     \
            "What is measured; each stands in expect or halt, or is a control. Only a drill that " \
            "breaks "                                                                              \
            "nothing may have none."                                                               \
    }
#define STEPS_ROW(needed)                                                                          \
    {                                                                                              \
        .name = "steps", .type = FIELD_LIST, AT(ScenarioFields, steps), .flags = (needed),         \
        .min = 1, .max = 100, .of = &STEP_RECORD, .example = "[{isolate: victim, for: 60s}]",      \
        .doc = "What is done, top to bottom."                                                      \
    }
#define ALWAYS_ROW                                                                                 \
    {                                                                                              \
        .name = "always", .type = FIELD_LIST, AT(ScenarioFields, always), .max = 100,              \
        .of = &STEP_RECORD, .example = "[{run: rm -rf /tmp/restore, target: lab}]",                \
        .doc =                                                                                     \
            "Steps that come last, after the undo, whatever happened: each of them, once the "     \
            "drill has done anything; they break nothing. One that fails makes a PASS a FAIL; "    \
            "the next comes all the same. A runner that is killed with -9 comes to none of them, " \
            "nor does `undo` after it."                                                            \
    }
#define HALT_ROW                                                                                   \
    {                                                                                              \
        .name = "halt", .type = FIELD_MAP, AT(ScenarioFields, halt), .flags = FIELD_JUDGE,         \
        .of = &HALT_RECORD, .example = "{shop: {max_outage: 45s}}",                                \
        .doc = "Bounds that stop the drill and undo at once, by probe."                            \
    }
#define HALT_ALSO_ROW                                                                              \
    {                                                                                              \
        .name = "halt_also", .type = FIELD_RECORD, AT(ScenarioFields, halt_also),                  \
        .flags = FIELD_JUDGE | FIELD_ALWAYS, .of = &HALT_ALSO_RECORD, .example = "{after: 20m}",   \
        .doc = "What else stops the drill at once."                                                \
    }
#define EXPECT_ROW(needed)                                                                         \
    {                                                                                              \
        .name = "expect", .type = FIELD_MAP, AT(ScenarioFields, expect),                           \
        .flags = FIELD_JUDGE | (needed), .min = 1, .max = 100, .of = &EXPECT_RECORD,               \
        .example = "{shop: {recover_within: 20s}}",                                                \
        .doc = "Bounds that judge at the end, by probe."                                           \
    }

static const struct Field SCENARIO_FIELDS[] = {
    {.name = "scenario",
     .type = FIELD_TEXT,
     AT(ScenarioFields, name),
     .flags = FIELD_REQUIRED | FIELD_SNAKE,
     .example = "redis_primary_dies",
     .doc = "The name, the same as the file's."},
    {.name = "hypothesis",
     .type = FIELD_TEXT,
     AT(ScenarioFields, hypothesis),
     .flags = FIELD_PROSE,
     .example = "Users hardly notice when one API machine vanishes.",
     .doc = "What is believed, as a sentence."},
    {.name = "owner",
     .type = FIELD_TEXT,
     AT(ScenarioFields, owner),
     .flags = FIELD_PROSE,
     .example = "team-data",
     .doc = "Who answers for the drill."},
    {.name = "runbook",
     .type = FIELD_TEXT,
     AT(ScenarioFields, runbook),
     .flags = FIELD_PROSE,
     .example = "https://wiki.example.net/redis",
     .doc = "Where it says what to do."},
    {.name = "tags",
     .type = FIELD_LIST,
     AT(ScenarioFields, tags),
     .flags = FIELD_PROSE,
     .max = 50,
     .example = "[redis, weekly]",
     .doc = "Words to find runs by."},
    SCHEDULE_ROW(offsetof(struct ScenarioFields, schedule)),
    NEEDS_ROW(offsetof(struct ScenarioFields, needs)),
    INCLUDE_ROW(offsetof(struct ScenarioFields, include)),
    PARAMS_ROW,
    TARGETS_ROW,
    PROBES_ROW,
    {.name = "defaults",
     .type = FIELD_RECORD,
     AT(ScenarioFields, defaults),
     .flags = FIELD_PROSE,
     .of = &DEFAULTS_RECORD,
     .example = "{target: lab, timeout: 2m}",
     .doc = "What every step says that does not say it itself."},
    {.name = "steady",
     .type = FIELD_RECORD,
     AT(ScenarioFields, steady),
     .flags = FIELD_ALWAYS,
     .of = &STEADY_RECORD,
     .example = "{for: 10s, within: 60s}",
     .doc = "What must hold before the first fault."},
    STEPS_ROW(FIELD_REQUIRED | FIELD_ELSEWHERE),
    ALWAYS_ROW,
    {.name = "observe",
     .type = FIELD_DURATION,
     AT(ScenarioFields, observe_ns),
     .flags = FIELD_UNSET,
     .min = 0,
     .max = 24 * HOUR_NS,
     .example = "30s",
     .doc = "How long to look after the last step; default: the longest recover_within, "
            "failover_within or "
            "detected_within, and hold."},
    {.name = "settle",
     .type = FIELD_DURATION,
     AT(ScenarioFields, settle_ns),
     .flags = FIELD_UNSET,
     .min = NS_PER_S,
     .max = 24 * HOUR_NS,
     .example = "2m",
     .doc = "How long all may take to be steady after the last undo; default: 2m, or the longest "
            "redundant_within and hold where that is longer."},
    {.name = "hold",
     .type = FIELD_DURATION,
     AT(ScenarioFields, hold_ns),
     .fallback = "10s",
     .min = NS_PER_MS,
     .max = HOUR_NS,
     .example = "10s",
     .doc = "How long a probe must be good, for 3 samples at least, to count as recovered."},
    {.name = "gap",
     .type = FIELD_DURATION,
     AT(ScenarioFields, gap_ns),
     .fallback = "1s",
     .min = 0,
     .max = HOUR_NS,
     .example = "1s",
     .doc = "A shorter good stretch does not end a failing one."},
    {.name = "repeat",
     .type = FIELD_RECORD,
     AT(ScenarioFields, repeat),
     .of = &REPEAT_RECORD,
     .example = "{times: 3, pause: 2m}",
     .doc = "Runs the whole drill so often: a median instead of an anecdote."},
    {.name = "undo",
     .type = FIELD_RECORD,
     AT(ScenarioFields, undo),
     .flags = FIELD_ALWAYS,
     .of = &UNDO_RECORD,
     .example = "{lease: 30s, grace: 15s}",
     .doc = "How faults are put back."},
    HALT_ROW,
    HALT_ALSO_ROW,
    {.name = "gate",
     .type = FIELD_RECORD,
     AT(ScenarioFields, gate),
     .flags = FIELD_JUDGE,
     .of = &MORE_GATE_RECORD,
     .example = "{longest_fault: 2m, windows: [\"Mon..Fri 09:00-17:00\"]}",
     .doc = "Rules on top of those of the environment: what would loosen one is refused."},
    EXPECT_ROW(FIELD_REQUIRED | FIELD_ELSEWHERE),
    {.name = "notify",
     .type = FIELD_RECORD,
     AT(ScenarioFields, notify),
     .flags = FIELD_PROSE,
     .of = &MORE_NOTIFY_RECORD,
     .example = "{slack: {url: \"${secret.slack_of_data}\", when: [halt, end]}}",
     .doc = "Who is told of this drill besides those of environment and project."},
    {.name = "", .type = FIELD_NODE, AT(ScenarioFields, node)},
    {.name = NULL},
};
const struct Record SCENARIO_RECORD = {
    .name = "scenario",
    .doc = "A drill: what is broken, what is measured, what must hold.",
    .size = sizeof(struct ScenarioFields),
    .fields = SCENARIO_FIELDS,
};

static const struct Field FRAGMENT_FIELDS[] = {
    {.name = "fragment",
     .type = FIELD_TEXT,
     AT(ScenarioFields, name),
     .flags = FIELD_REQUIRED | FIELD_SNAKE,
     .example = "watch_the_shop",
     .doc = "The name, the same as the file's."},
    INCLUDE_ROW(offsetof(struct ScenarioFields, include)),
    PARAMS_ROW,
    TARGETS_ROW,
    PROBES_ROW,
    STEPS_ROW(0),
    ALWAYS_ROW,
    HALT_ROW,
    HALT_ALSO_ROW,
    EXPECT_ROW(0),
    {.name = NULL},
};
const struct Record FRAGMENT_RECORD = {
    .name = "fragment",
    .doc = "Parts of scenarios, for files that include them.",
    .size = sizeof(struct ScenarioFields),
    .fields = FRAGMENT_FIELDS,
};

/* `params:` alone: they are read before everything else, which may refer to them. */
static const struct Field PARAMS_FIELDS[] = {
    {.name = "params",
     .type = FIELD_MAP,
     .flags = FIELD_SCALARS,
     .of = &PARAM_RECORD,
     .example = "{path: /healthz}",
     .doc = "Values that the command line may change with -p."},
    {.name = NULL},
};
const struct Record PARAMS_RECORD = {
    .name = "params",
    .doc = "Values that the command line may change with -p.",
    .size = sizeof(struct List),
    .fields = PARAMS_FIELDS,
};

/* `include:` alone: it is followed before the rest is read. */
static const struct Field INCLUDES_FIELDS[] = {
    INCLUDE_ROW(0),
    {.name = NULL},
};
const struct Record INCLUDES_RECORD = {
    .name = "includes",
    .doc = "Fragments that are parts of this file.",
    .size = sizeof(struct List),
    .fields = INCLUDES_FIELDS,
};
