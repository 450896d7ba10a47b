/* restart.c - restarts a service as an operator does; it ends by itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"

static bool restart_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);

const struct FaultKind restart_fault = {
    .name = "restart",
    .summary = "restarts a service: what a planned restart costs",
    .reversal = REVERSAL_SELF,
    .needs_service = true,
    .config = {.name = "restart",
               .doc =
                   "A planned restart; proven once the old processes are gone, over once it runs.",
               .size = sizeof(struct ServiceConfig),
               .fields = service_fields},
    .plan = restart_plan,
};

static bool restart_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    struct Subject subject;
    if (!subject_make(config, input, arena, &subject, err) ||
        !subject_can_start(&subject, input, err))
        return false;
    subject_add(&subject, &procedure.save, arena, "record all processes of the service", "save");
    if (subject.is_unit) {
        subject_add(&subject, &procedure.apply, arena,
                    "see that it is the service that was recorded", "record");
        commands_add(&procedure.apply, arena, "restart the service", 10, "systemctl", "restart",
                     "--no-block", subject.name, NULL);
    } else {
        subject_add(&subject, &procedure.apply, arena, "stop the service, start it", "restart");
    }
    subject_add(&subject, &procedure.in_place, arena, "none of those recorded lives", "gone");
    subject_add(&subject, &procedure.undo, arena, "start the service if it is down", "start");
    subject_add(&subject, &procedure.all_clear, arena, "the service runs", "up");
    procedure.once = true;
    *out = procedure;
    return true;
}
