/* scenario_course.c - what must hold before, how often a drill goes, how it is undone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_fields.h"

#include <stddef.h>

#define HOUR_NS (3600 * NS_PER_S)
#define AT(record, member) .offset = offsetof(struct record, member)

static const struct Field STEADY_FIELDS[] = {
    {.name = "for",
     .type = FIELD_DURATION,
     AT(SteadyFields, for_ns),
     .fallback = "10s",
     .min = NS_PER_MS,
     .max = HOUR_NS,
     .example = "5s",
     .doc = "How long every probe must be good before the first fault."},
    {.name = "within",
     .type = FIELD_DURATION,
     AT(SteadyFields, within_ns),
     .fallback = "60s",
     .min = NS_PER_S,
     .max = 24 * HOUR_NS,
     .example = "60s",
     .doc = "How long to wait for that; then the run is NOT READY."},
    {.name = NULL},
};
const struct Record STEADY_RECORD = {
    .name = "steady",
    .doc = "What must hold before the first fault.",
    .size = sizeof(struct SteadyFields),
    .fields = STEADY_FIELDS,
};

static const struct Choice LEAVES[] = {
    {"started", 0, "The undo starts what was stopped."},
    {"stopped", 1, "A former primary that has no safe way back is left down."},
    {.name = NULL},
};
static const struct Field UNDO_FIELDS[] = {
    {.name = "lease",
     .type = FIELD_DURATION,
     AT(UndoFields, lease_ns),
     .fallback = "30s",
     .min = 2 * NS_PER_S,
     .max = HOUR_NS,
     .example = "30s",
     .doc = "The host undoes by itself when it hears nothing of the runner for so long."},
    {.name = "grace",
     .type = FIELD_DURATION,
     AT(UndoFields, grace_ns),
     .fallback = "15s",
     .min = NS_PER_S,
     .max = HOUR_NS,
     .example = "15s",
     .doc = "The host undoes by itself at the latest so long after the planned undo."},
    {.name = "within",
     .type = FIELD_DURATION,
     AT(UndoFields, within_ns),
     .fallback = "60s",
     .min = NS_PER_S,
     .max = HOUR_NS,
     .example = "60s",
     .doc = "When an undo that is not proven makes the run NOT UNDONE."},
    {.name = "leave",
     .type = FIELD_CHOICE,
     AT(UndoFields, leave),
     .fallback = "started",
     .choices = LEAVES,
     .example = "stopped",
     .doc = "What becomes of a former primary."},
    {.name = "snapshot",
     .type = FIELD_BOOL,
     AT(UndoFields, snapshot),
     .fallback = "false",
     .example = "true",
     .doc = "A primary whose disk has snapshots alone saves one right before it is killed."},
    {.name = NULL},
};
const struct Record UNDO_RECORD = {
    .name = "undo",
    .doc = "How faults are put back.",
    .size = sizeof(struct UndoFields),
    .fields = UNDO_FIELDS,
};

static const struct Field REPEAT_FIELDS[] = {
    {.name = "times",
     .type = FIELD_INT,
     AT(RepeatFields, times),
     .flags = FIELD_REQUIRED,
     .min = 2,
     .max = 100,
     .example = "3",
     .doc = "How many cycles."},
    {.name = "pause",
     .type = FIELD_DURATION,
     AT(RepeatFields, pause_ns),
     .fallback = "0s",
     .min = 0,
     .max = 24 * HOUR_NS,
     .example = "2m",
     .doc = "Between two of them, after the first has settled; longer where a system is still in "
            "its cool-down."},
    {.name = NULL},
};
const struct Record REPEAT_RECORD = {
    .name = "repeat",
    .doc = "The whole drill several times: each cycle is planned, asked of the gate, run and kept "
           "as a run of its own. The worst is judged; trends get the median. What is neither PASS "
           "nor FAIL ends it.",
    .size = sizeof(struct RepeatFields),
    .fields = REPEAT_FIELDS,
};

static const struct Field HALT_ALSO_FIELDS[] = {
    {.name = "any_host_lost",
     .type = FIELD_BOOL,
     AT(HaltAlsoFields, any_host_lost),
     .fallback = "false",
     .example = "true",
     .doc = "Halts when a host that should be reachable is not."},
    {.name = "after",
     .type = FIELD_DURATION,
     AT(HaltAlsoFields, after_ns),
     .flags = FIELD_UNSET,
     .min = NS_PER_S,
     .max = 24 * HOUR_NS,
     .example = "20m",
     .doc = "Halts when the run has taken so long, whatever the probes say."},
    {.name = NULL},
};
const struct Record HALT_ALSO_RECORD = {
    .name = "halt_also",
    .doc = "What else stops the drill at once.",
    .size = sizeof(struct HaltAlsoFields),
    .fields = HALT_ALSO_FIELDS,
};
