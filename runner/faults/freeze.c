/* freeze.c - all processes of a service stop: it keeps its sockets and answers nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"

static bool freeze_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err);

const struct FaultKind freeze_fault = {
    .name = "freeze",
    .summary = "stops all processes of a service where they are: the gray failure",
    .reversal = REVERSAL_UNDO,
    .needs_service = true,
    .hangs_service = true,
    .config = {.name = "freeze",
               .doc =
                   "The gray failure: sockets stay open, connections are accepted, nobody answers.",
               .size = sizeof(struct ServiceConfig),
               .fields = service_fields_only},
    .plan = freeze_plan,
};

/* Whoever waits for a child learns of SIGSTOP, and a child born meanwhile may be missed: so by the
 * freezer, where the service has a control group of its own. */
static bool freeze_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_REBOOT);
    struct Subject subject;
    if (!subject_make(config, input, arena, &subject, err))
        return false;
    int64_t version = input->named != NULL ? input->named->freezer : input->facts->freezer;
    bool grouped = version > 0 && !subject.only_main;
    if (grouped)
        subject.freezer = version == 1 ? "1" : "2";
    subject_add(&subject, &procedure.save, arena, "record all processes of the service", "save");
    subject_add(&subject, &procedure.apply, arena,
                grouped ? "freeze its control group" : "SIGSTOP until none of them runs", "freeze");
    subject_add(&subject, &procedure.in_place, arena,
                grouped ? "all of the group is frozen" : "all of them are stopped", "frozen");
    subject_add(&subject, &procedure.undo, arena,
                grouped ? "thaw the group, if it still is the one that we froze"
                        : "SIGCONT to every one recorded",
                "thaw");
    subject_add(&subject, &procedure.all_clear, arena,
                grouped ? "the group is not frozen, no process stopped"
                        : "no process of it is stopped",
                "moving");
    *out = procedure;
    return true;
}
