/* stop.c - stops a service as an operator does: a planned outage. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"

static bool stop_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err);

const struct FaultKind stop_fault = {
    .name = "stop",
    .summary = "stops a service cleanly: a planned outage",
    .reversal = REVERSAL_UNDO,
    .needs_service = true,
    .stops_service = true,
    .config = {.name = "stop",
               .doc = "A planned outage: the service is stopped as an operator does.",
               .size = sizeof(struct ServiceConfig),
               .fields = service_fields},
    .plan = stop_plan,
};

static bool stop_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    struct Subject subject;
    if (!subject_make(config, input, arena, &subject, err) ||
        !subject_can_start(&subject, input, err))
        return false;
    subject_save(&subject, input, &procedure.save, arena);
    if (subject.is_unit)
        commands_add(&procedure.apply, arena, "stop the service", 90, "systemctl", "stop",
                     subject.name, NULL);
    else
        subject_add(&subject, &procedure.apply, arena, "stop the service", "stop");
    subject_add(&subject, &procedure.in_place, arena, "no process of the service", "down");
    if (input->leave_stopped) {
        subject_add(&subject, &procedure.all_clear, arena, "no process of it is stopped half-way",
                    "moving");
        subject_add(&subject, &procedure.undo, arena, "nothing of it stays stopped half-way",
                    "thaw");
        procedure.stays = subject_stays_down(&subject, input, arena);
    } else {
        subject_add(&subject, &procedure.undo, arena, "start the service if it is down", "start");
        subject_add(&subject, &procedure.all_clear, arena, "the service runs, enabled as before",
                    "unchanged");
    }
    *out = procedure;
    return true;
}
