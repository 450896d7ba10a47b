/* environment_gate.c - the keys under `gate:` of an environment file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_fields.h"
#include "scenario_fields.h"

#include "../base/clock.h"
#include <stddef.h>

#define DAY_NS (24 * 3600 * NS_PER_S)

static const struct Field PASSED_IN_FIELDS[] = {
    {.name = "environment",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PassedInFields, environment),
     .flags = FIELD_REQUIRED,
     .example = "staging",
     .doc = "The environment in which the same text must have passed."},
    {.name = "within",
     .type = FIELD_DURATION,
     .offset = offsetof(struct PassedInFields, within_ns),
     .fallback = "14d",
     .min = NS_PER_S,
     .max = 3650 * DAY_NS,
     .example = "14d",
     .doc = "How long ago a pass may be."},
    {.name = "times",
     .type = FIELD_INT,
     .offset = offsetof(struct PassedInFields, times),
     .fallback = "1",
     .min = 1,
     .max = 100,
     .example = "1",
     .doc = "How many passes are wanted."},
    {.name = "signed_by",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PassedInFields, signed_by),
     .example = "staging_box.signers",
     .doc = "A file of allowed signers (NAME KEYTYPE KEY a line) beside the project file: receipts "
            "that they signed count as passes too."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct PassedInFields, node)},
    {.name = NULL},
};
static const struct Record PASSED_IN_RECORD = {
    .name = "passed_in",
    .doc = "The same scenario text must have passed elsewhere first.",
    .size = sizeof(struct PassedInFields),
    .fields = PASSED_IN_FIELDS,
};

static const struct Field APPROVALS_FIELDS[] = {
    {.name = "need",
     .type = FIELD_INT,
     .offset = offsetof(struct ApprovalsFields, need),
     .fallback = "1",
     .min = 1,
     .max = 20,
     .example = "1",
     .doc = "How many people must sign the plan; neither who made it nor who runs it counts."},
    {.name = "from",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ApprovalsFields, from),
     .flags = FIELD_REQUIRED,
     .example = "approvers.signers",
     .doc =
         "A file of allowed signers (NAME KEYTYPE KEY a line) beside the project file; NAME is a "
         "login name, with or without @ and more."},
    {.name = "valid_for",
     .type = FIELD_DURATION,
     .offset = offsetof(struct ApprovalsFields, valid_ns),
     .min = 60 * NS_PER_S,
     .max = 30 * DAY_NS,
     .example = "4h",
     .doc = "How long after it was made a plan may be run; default: as the plan says."},
    {.name = NULL},
};
static const struct Record APPROVALS_RECORD = {
    .name = "approvals",
    .doc = "Only a saved plan runs, and only signed by others: faildrill approve PLAN.",
    .size = sizeof(struct ApprovalsFields),
    .fields = APPROVALS_FIELDS,
};

static const struct Field RECEIPTS_FIELDS[] = {
    {.name = "sign_with",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ReceiptsFields, sign_with),
     .flags = FIELD_REQUIRED,
     .example = "/etc/faildrill/receipt_ed25519",
     .doc = "The private ssh key that signs, or a public one whose other half the agent has."},
    {.name = NULL},
};
const struct Record RECEIPTS_RECORD = {
    .name = "receipts",
    .doc = "Each pass is written as a signed file, which opens `passed_in` elsewhere.",
    .size = sizeof(struct ReceiptsFields),
    .fields = RECEIPTS_FIELDS,
};

static const struct Field BLAST_RADIUS_FIELDS[] = {
    {.name = "hosts",
     .type = FIELD_INT,
     .offset = offsetof(struct BlastRadiusFields, hosts),
     .min = 1,
     .max = 500,
     .example = "1",
     .doc = "How many machines may be under a fault at once."},
    {.name = "of_role",
     .type = FIELD_SHARE,
     .offset = offsetof(struct BlastRadiusFields, of_role),
     .min = 1,
     .max = 1000000,
     .example = "34%",
     .doc = "How much of any role on them, whether the drill names that role or not."},
    {.name = NULL},
};
static const struct Record BLAST_RADIUS_RECORD = {
    .name = "blast_radius",
    .doc = "How much may be under a fault at once; every role on a touched machine counts.",
    .size = sizeof(struct BlastRadiusFields),
    .fields = BLAST_RADIUS_FIELDS,
};

static const struct Field KEEP_FIELDS[] = {
    {.name = "",
     .type = FIELD_NAME,
     .offset = offsetof(struct KeepFields, role),
     .flags = FIELD_SNAKE},
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct KeepFields, count),
     .flags = FIELD_REQUIRED | FIELD_ALONE,
     .min = 0,
     .max = 500,
     .example = "2",
     .doc = "How many of its hosts must be healthy beside those that are touched; 0: all may go."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct KeepFields, node)},
    {.name = NULL},
};
static const struct Record KEEP_RECORD = {
    .name = "keep_healthy",
    .doc = "What must be left of a role while a fault is in effect.",
    .size = sizeof(struct KeepFields),
    .fields = KEEP_FIELDS,
};

static const struct Choice CLASSES[] = {
    {"K", 0, "Ended by the kernel's own timer."},
    {"P", 1, "Ended with one process."},
    {"R", 2, "Ended by a reboot."},
    {"S", 3, "Ended by an explicit undo alone."},
    {.name = NULL},
};
static const struct Field FORBID_FIELDS[] = {
    {.name = "hosts",
     .type = FIELD_LIST,
     .offset = offsetof(struct ForbidFields, hosts),
     .example = "[pg-3]",
     .doc = "Hosts that no step may touch, nor any other on their machine: they are never drawn."},
    {.name = "faults",
     .type = FIELD_LIST,
     .offset = offsetof(struct ForbidFields, faults),
     .example = "[kill]",
     .doc = "Verbs that no step may have."},
    {.name = "classes",
     .type = FIELD_LIST,
     .offset = offsetof(struct ForbidFields, classes),
     .choices = CLASSES,
     .example = "[S]",
     .doc = "Classes of faults, by what ends them: K, P, R or S."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct ForbidFields, node)},
    {.name = NULL},
};
static const struct Record FORBID_RECORD = {
    .name = "forbid",
    .doc = "What no drill does here.",
    .size = sizeof(struct ForbidFields),
    .fields = FORBID_FIELDS,
};

static const struct Field GATE_FIELDS[] = {
    {.name = "windows",
     .type = FIELD_LIST,
     .offset = offsetof(struct GateFields, windows),
     .example = "[\"Tue..Thu 10:00-15:00\"]",
     .doc = "When faults may be in effect, by the clocks of `timezone:`; a fault that may last "
            "longer than its window is refused, and one that does is undone."},
    {.name = "freeze",
     .type = FIELD_LIST,
     .offset = offsetof(struct GateFields, freeze),
     .example = "[\"2026-12-18..2027-01-04\"]",
     .doc = "Days without drills, by the calendar of `timezone:`; both ends belong to it."},
    {.name = "freeze_switch",
     .type = FIELD_TEXT,
     .offset = offsetof(struct GateFields, freeze_switch),
     .example = "\"https://status.example.net/freeze\"",
     .doc = "An absolute path or a URL that must say `off`; anything else, or no answer, counts as "
            "frozen. Asked each second: a drill that goes on is halted and undone."},
    {.name = "only_if",
     .type = FIELD_MAP,
     .offset = offsetof(struct GateFields, only_if),
     .max = 50,
     .of = &PROBE_RECORD,
     .example = "{no_incident: {http: \"https://status.example.net/open\", ok: {body: \"[]\"}}}",
     .doc = "Probes that must be good before a run and all through it: one bad answer halts and "
            "undoes."},
    {.name = "from_git",
     .type = FIELD_TEXT,
     .offset = offsetof(struct GateFields, from_git),
     .example = "main",
     .doc = "The branch of which the files of scenario and environment, and the project's lists of "
            "signers, must be, byte for byte: as last fetched from the remote `origin` where the "
            "repository has one, else the local branch; never a tag."},
    {.name = "passed_in",
     .type = FIELD_RECORD,
     .offset = offsetof(struct GateFields, passed_in),
     .of = &PASSED_IN_RECORD,
     .example = "{environment: staging, within: 14d}",
     .doc = "The same scenario text must have passed elsewhere first."},
    {.name = "approvals",
     .type = FIELD_RECORD,
     .offset = offsetof(struct GateFields, approvals),
     .of = &APPROVALS_RECORD,
     .example = "{need: 1, from: approvers.signers, valid_for: 4h}",
     .doc = "Only a saved plan runs, and only signed by others."},
    {.name = "blast_radius",
     .type = FIELD_RECORD,
     .offset = offsetof(struct GateFields, blast_radius),
     .of = &BLAST_RADIUS_RECORD,
     .example = "{hosts: 1, of_role: 34%}",
     .doc = "How much may be under a fault at once."},
    {.name = "keep_healthy",
     .type = FIELD_MAP,
     .offset = offsetof(struct GateFields, keep_healthy),
     .flags = FIELD_SCALARS,
     .of = &KEEP_RECORD,
     .example = "{api: 2, redis: 2}",
     .doc = "How many hosts of a role must be left healthy; 1 for each role that is not named."},
    {.name = "longest_fault",
     .type = FIELD_DURATION,
     .offset = offsetof(struct GateFields, longest_ns),
     .min = NS_PER_S,
     .max = DAY_NS,
     .example = "5m",
     .doc = "The longest that a fault may last before its host undoes it by itself."},
    {.name = "max_per_day",
     .type = FIELD_INT,
     .offset = offsetof(struct GateFields, per_day),
     .min = 1,
     .max = 1000,
     .example = "2",
     .doc = "How many runs may break something here in one day of `timezone:`."},
    {.name = "forbid",
     .type = FIELD_RECORD,
     .offset = offsetof(struct GateFields, forbid),
     .of = &FORBID_RECORD,
     .example = "{hosts: [pg-3], classes: [S]}",
     .doc = "What no drill does here."},
    {.name = "wait_steady",
     .type = FIELD_DURATION,
     .offset = offsetof(struct GateFields, wait_steady_ns),
     .min = NS_PER_S,
     .max = DAY_NS,
     .example = "30m",
     .doc =
         "How long a run waits for the steady state before its first fault, where that is longer "
         "than its scenario says."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct GateFields, node)},
    {.name = NULL},
};
const struct Record GATE_RECORD = {
    .name = "gate",
    .doc = "The rules that must hold before a run may begin.",
    .size = sizeof(struct GateFields),
    .fields = GATE_FIELDS,
};
