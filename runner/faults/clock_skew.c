/* clock_skew.c - a clock is wrong: set ahead or back, and right again by the time since boot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "holding.h"
#include "kinds.h"

struct ClockSkewConfig {
    const struct Node *target;
    int64_t by_ns;
    int back;
};

static bool clock_skew_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                            struct Procedure *out, struct Err *err);

static const struct Choice direction_choices[] = {
    {"ahead", 0, "The clock is fast."},
    {"back", 1, "The clock is slow: times that were come again."},
    {.name = NULL},
};

static const struct Field clock_skew_fields[] = {
    HOLDING_TARGET("Whose clock: the name of a target, or a target written in place."),
    {.name = "by",
     .type = FIELD_DURATION,
     .offset = offsetof(struct ClockSkewConfig, by_ns),
     .flags = FIELD_REQUIRED,
     .min = 10 * NS_PER_S,
     .max = 30 * 86400 * NS_PER_S,
     .example = "5m",
     .doc = "How wrong it is, in whole seconds; logs, TLS and Kerberos will see it too."},
    {.name = "direction",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct ClockSkewConfig, back),
     .choices = direction_choices,
     .fallback = "ahead",
     .example = "back",
     .doc = "Which way it is wrong."},
    {.name = NULL}};

const struct FaultKind clock_skew_fault = {
    .name = "clock_skew",
    .summary = "a clock is wrong",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "clock_skew",
               .doc = "A wrong clock; what keeps the time is paused. Never where the clock is "
                      "shared with others.",
               .size = sizeof(struct ClockSkewConfig),
               .fields = clock_skew_fields},
    .plan = clock_skew_plan,
};

static bool clock_skew_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                            struct Procedure *out, struct Err *err)
{
    const struct ClockSkewConfig *skew = config;
    struct Holding holding = {.kind = "clock_skew",
                              .checking = "the clock is its own, and may be set",
                              .taking = "pause what keeps the time, and set the clock",
                              .proving = "the clock is as it was set",
                              .ending =
                                  "set it by the time since boot, if it still is as we set it",
                              .clearing = "the clock is not as we set it, and what kept it runs"};
    int64_t seconds = skew->by_ns / NS_PER_S;
    (void)err;
    holding_say(&holding, "by",
                arena_printf(arena, "%" PRId64, skew->back != 0 ? -seconds : seconds));
    *out = holding_plan(&holding, input, arena);
    out->ends_by = CLASS_STICKY;
    return true;
}
