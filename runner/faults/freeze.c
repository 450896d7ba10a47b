/* freeze.c - SIGSTOP to all processes of a service: it keeps its sockets and answers nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"

static bool freeze_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err);

const struct FaultKind freeze_fault = {
    .name = "freeze",
    .summary = "SIGSTOP to all processes of a service: the gray failure",
    .reversal = REVERSAL_UNDO,
    .needs_service = true,
    .config = {.name = "freeze",
               .doc =
                   "The gray failure: sockets stay open, connections are accepted, nobody answers.",
               .size = sizeof(struct ServiceConfig),
               .fields = service_fields_only},
    .plan = freeze_plan,
};

static bool freeze_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    struct Subject subject;
    if (!subject_make(config, input, arena, &subject, err))
        return false;
    subject_add(&subject, &procedure.save, arena, "record all processes of the service", "save");
    subject_add(&subject, &procedure.apply, arena, "SIGSTOP until none of them runs", "freeze");
    subject_add(&subject, &procedure.in_place, arena, "all of them are stopped", "frozen");
    subject_add(&subject, &procedure.undo, arena, "SIGCONT to every one recorded", "thaw");
    subject_add(&subject, &procedure.all_clear, arena, "no process of it is stopped", "moving");
    *out = procedure;
    return true;
}
