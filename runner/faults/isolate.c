/* isolate.c - a machine that hears nobody and that nobody hears, but for our ssh. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "network.h"

struct IsolateConfig {
    const struct Node *target;
};

static bool isolate_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);

static const struct Field isolate_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct IsolateConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = NULL}};

const struct FaultKind isolate_fault = {
    .name = "isolate",
    .summary = "a machine hears nobody but our ssh: its loss, as if its power were cut",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_filter = true,
    .partitions = true,
    .config = {.name = "isolate",
               .doc = "The loss of a machine: silence. Our ssh stays; ends by a kernel timer.",
               .size = sizeof(struct IsolateConfig),
               .fields = isolate_fields},
    .plan = isolate_plan,
};

/* Other hosts cannot be asked to drop what comes from here, so it is dropped on the way out: local
 * UDP senders get EPERM, as they would not on a dead machine. Neighbour discovery and ARP stay, or
 * our own path would go with them. */
static bool isolate_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    struct NetFault fault = {.what = "drop all packets from and to everybody but our ssh"};
    (void)config;
    const struct NetVerdict drop = {.nft = "counter drop", .chains = "-j DROP"};
    return network_catch(&fault, (struct NetWhich){.direction = DIRECTION_BOTH}, drop, arena,
                         err) &&
           network_plan(&fault, input, arena, out, err);
}
