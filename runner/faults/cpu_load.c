/* cpu_load.c - processors are busy: loops that ask for a share of all there are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "holding.h"
#include "kinds.h"

static bool cpu_load_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Procedure *out, struct Err *err);

static const struct Field cpu_load_fields[] = {
    HOLDING_TARGET("Whose processors: the name of a target, or a target written in place."),
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct HoldingConfig, share),
     .flags = FIELD_REQUIRED,
     .min = 10000,
     .max = 1000000,
     .example = "80%",
     .doc = "How much of all its processors is asked for; others still get their part."},
    {.name = NULL}};

const struct FaultKind cpu_load_fault = {
    .name = "cpu_load",
    .summary = "processors are busy",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "cpu_load",
               .doc = "Busy processors: loops that ask for a share of all that the host has.",
               .size = sizeof(struct HoldingConfig),
               .fields = cpu_load_fields},
    .plan = cpu_load_plan,
};

static bool cpu_load_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Procedure *out, struct Err *err)
{
    struct HoldingConfig load = *(const struct HoldingConfig *)config;
    struct Holding holding = {.kind = "cpu_load", .taking = "keep processors busy by loops"};
    (void)err;
    load.leave = FIELD_NOT_GIVEN;
    holding_say_amount(&holding, &load, arena);
    *out = holding_plan(&holding, input, arena);
    return true;
}
