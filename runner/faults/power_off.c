/* power_off.c - cuts the power of a machine by its provider, and gives it back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "machine.h"

struct PowerOffConfig {
    const struct Node *target;
};

static bool power_off_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err);

static const struct Field power_off_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct PowerOffConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = NULL}};

const struct FaultKind power_off_fault = {
    .name = "power_off",
    .summary = "cuts the power of a machine, by the provider that the environment names",
    .reversal = REVERSAL_UNDO,
    .takes_machine = true,
    .needs_power = true,
    .stops_service = true,
    .config = {.name = "power_off",
               .doc = "The loss of a machine with all that it had in memory; over once it has "
                      "booted anew and its services run. A watcher on this machine gives the power "
                      "back where the runner cannot.",
               .size = sizeof(struct PowerOffConfig),
               .fields = power_off_fields},
    .plan = power_off_plan,
};

static bool power_off_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = machine_procedure(input, arena);
    (void)config;
    if (input->power.up == NULL) {
        err_set(err, ERR_NO_UNDO, input->target->where,
                "nobody can give '%s' its power back: it has no `power`", input->target->name);
        return err_hint(err, "Give it, its role or the environment `power: {down, up, status}`.");
    }
    machine_add_power(input, false, arena, &procedure);
    machine_add_down(input, arena, &procedure);
    *out = procedure;
    return true;
}
