/* crash.c - the kernel of a machine panics; it boots by itself, or by its power provider. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "machine.h"

struct CrashConfig {
    const struct Node *target;
};

static bool crash_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Procedure *out, struct Err *err);

static const struct Field crash_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct CrashConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = NULL}};

const struct FaultKind crash_fault = {
    .name = "crash",
    .summary = "the kernel of a machine panics",
    .reversal = REVERSAL_SELF,
    .takes_machine = true,
    .stops_service = true,
    .config = {.name = "crash",
               .doc = "What was not on its disks is lost. Only where the kernel then boots by "
                      "itself (kernel.panic above 0) or `power` is named, which switches it off "
                      "and on.",
               .size = sizeof(struct CrashConfig),
               .fields = crash_fields},
    .plan = crash_plan,
};

static bool crash_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = machine_procedure(input, arena);
    (void)config;
    if (!machine_may_sysrq(input, err))
        return false;
    procedure.hangs = input->facts->panic_s <= 0;
    procedure.once = !procedure.hangs;
    if (procedure.hangs && input->power.up == NULL) {
        err_set(err, ERR_NO_UNDO, input->target->where,
                "host '%s' would hang: its kernel.panic is not above 0, and it has no `power`",
                input->target->name);
        return err_hint(err, "There: sysctl -w kernel.panic=10; or give it, its role or the "
                             "environment `power: {down, up, status}`.");
    }
    machine_add_sysrq("its kernel panics, nothing is written to its disks",
                      procedure.hangs ? "c" : "C", arena, &procedure);
    machine_add_power(input, procedure.hangs, arena, &procedure);
    *out = procedure;
    return true;
}
