/* kill.c - SIGKILL to all processes of a service: a crash. Once, or kept down for a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/system.h"
#include "commands.h"
#include "kinds.h"
#include "pods.h"

static bool kill_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err);

const struct FaultKind kill_fault = {
    .name = "kill",
    .summary = "SIGKILL to all processes of a service: a crash",
    .reversal = REVERSAL_UNDO,
    .needs_service = true,
    .on_pods = true,
    .stops_service = true,
    .config = {.name = "kill",
               .doc = "A crash: clients get a reset. Without `for` it is killed once and whoever "
                      "restarts it is measured; with `for` it is kept down.",
               .size = sizeof(struct ServiceConfig),
               .fields = service_fields_only},
    .plan = kill_plan,
};

/* The stop cancels Restart= (also RestartSec=0), runs no ExecStop and takes no unit along that
 * requires this one. `mask --runtime` does nothing for a unit file in /etc. */
static const char keep_down[] = "systemctl kill -s KILL \"$1\"; "
                                "systemctl --job-mode=ignore-dependencies stop \"$1\"";

static void add_apply(const struct Subject *subject, bool kept, struct Arena *arena,
                      struct Commands *apply)
{
    if (!subject->is_unit) {
        subject_add(subject, apply, arena, "SIGKILL to all its processes", "kill");
        return;
    }
    subject_add(subject, apply, arena, "see that it is the service that was recorded", "record");
    if (kept)
        commands_add(apply, arena, "SIGKILL to all its processes, and cancel every restart", 30,
                     "sh", "-c", keep_down, "keep-down", subject->name, NULL);
    else if (subject->only_main)
        commands_add(apply, arena, "SIGKILL to its main process", 10, "systemctl", "kill", "-s",
                     "KILL", "--kill-who=main", subject->name, NULL);
    else
        commands_add(apply, arena, "SIGKILL to all its processes", 10, "systemctl", "kill", "-s",
                     "KILL", subject->name, NULL);
}

/* Where nobody demotes who comes back, what is said of it (`restart: never`) is looked at all the
 * time. */
static bool is_to_stay_dead(const struct ServiceConfig *config, const struct Role *role)
{
    return config->unit == NULL && config->process == NULL && role->service.stays_dead &&
           role->system != NULL && role->system->never_demotes;
}

static bool kill_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err)
{
    if (input->role->service.pods != NULL)
        return pods_plan(config, true, input, arena, out, err);
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    struct Subject subject;
    bool kept = input->hold_ns >= 0, down = kept || is_to_stay_dead(config, input->role);
    if (!subject_make(config, input, arena, &subject, err) ||
        !subject_can_start(&subject, input, err))
        return false;
    if (kept && subject.only_main) {
        err_set(err, ERR_RULE, input->target->where, "a main process alone cannot be kept down");
        return err_hint(err, "Leave out `for`, or `only: main`.");
    }
    subject_save(&subject, input, &procedure.save, arena);
    add_apply(&subject, kept, arena, &procedure.apply);
    if (down)
        subject_add(&subject, &procedure.in_place, arena, "no process of the service", "down");
    else
        subject_add(&subject, &procedure.in_place, arena, "none of those recorded lives", "gone");
    if (input->leave_stopped) {
        subject_add(&subject, &procedure.undo, arena, "nothing of it stays stopped half-way",
                    "thaw");
        procedure.stays = subject_stays_down(&subject, input, arena);
    } else {
        subject_add(&subject, &procedure.undo, arena, "start the service if it is down", "start");
        subject_add(&subject, &procedure.all_clear, arena, "the service runs", "up");
    }
    subject_add(&subject, &procedure.all_clear, arena, "no process of it is stopped", "moving");
    procedure.once = !down;
    *out = procedure;
    return true;
}
