/* memory_fill.c - memory gets short: held by processes that the kernel takes first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "holding.h"
#include "kinds.h"

static bool memory_fill_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                             struct Procedure *out, struct Err *err);

static const struct Field memory_fill_fields[] = {
    HOLDING_TARGET("Whose memory: the name of a target, or a target written in place."),
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct HoldingConfig, share),
     .flags = FIELD_UNSET,
     .min = 10000,
     .max = 1000000,
     .example = "90%",
     .doc = "How full it gets; a twentieth and 64 MiB at least stay available."},
    {.name = "leave",
     .type = FIELD_SIZE,
     .offset = offsetof(struct HoldingConfig, leave),
     .flags = FIELD_UNSET,
     .min = 64 << 20,
     .max = INT64_MAX,
     .example = "200MiB",
     .doc = "How much stays available, instead of a share."},
    {.name = NULL}};

const struct FaultKind memory_fill_fault = {
    .name = "memory_fill",
    .summary = "memory gets short",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "memory_fill",
               .doc = "Little memory: where it runs out, the kernel ends what fills it, before "
                      "anything else.",
               .size = sizeof(struct HoldingConfig),
               .fields = memory_fill_fields,
               .check = holding_check},
    .plan = memory_fill_plan,
};

static bool memory_fill_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                             struct Procedure *out, struct Err *err)
{
    struct Holding holding = {.kind = "memory_fill",
                              .taking = "fill memory by copies that are never read"};
    (void)err;
    holding_say_amount(&holding, config, arena);
    *out = holding_plan(&holding, input, arena);
    return true;
}
