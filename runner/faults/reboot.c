/* reboot.c - boots a machine anew: by its systemd as an operator does, or at once by the kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "machine.h"

struct RebootConfig {
    const struct Node *target;
    int by_sysrq;
};

static bool reboot_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err);

static const struct Choice by_choices[] = {
    {"systemctl", 0, "Its services are stopped and its disks written: a planned reboot."},
    {"sysrq", 1, "The kernel boots at once: nothing is stopped, nothing written."},
    {.name = NULL},
};

static const struct Field reboot_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct RebootConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = "by",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct RebootConfig, by_sysrq),
     .choices = by_choices,
     .fallback = "systemctl",
     .example = "sysrq",
     .doc = "What boots it; sysrq never in a container, which shares its kernel with others."},
    {.name = NULL}};

const struct FaultKind reboot_fault = {
    .name = "reboot",
    .summary = "boots a machine anew",
    .reversal = REVERSAL_SELF,
    .takes_machine = true,
    .stops_service = true,
    .config = {.name = "reboot",
               .doc = "Proven by its new boot id, over once its services run. Who does not come "
                      "back ends NOT UNDONE; `timeout` says how long that is waited for.",
               .size = sizeof(struct RebootConfig),
               .fields = reboot_fields},
    .plan = reboot_plan,
};

static bool reboot_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err)
{
    const struct RebootConfig *reboot = config;
    struct Procedure procedure = machine_procedure(input, arena);
    if (reboot->by_sysrq) {
        if (!machine_may_sysrq(input, err))
            return false;
        machine_add_sysrq("reboot at once, nothing is written to its disks", "b", arena,
                          &procedure);
    } else {
        if (!input->facts->systemd) {
            err_set(err, ERR_NOT_READY, input->target->where,
                    "host '%s' has no systemd that could reboot it", input->target->name);
            return err_hint(err, "Say `by: sysrq` where it has a kernel of its own.");
        }
        commands_add(&procedure.strike, arena, "reboot, by its systemd", 30, "systemctl", "reboot",
                     NULL);
    }
    machine_add_power(input, false, arena, &procedure);
    procedure.once = true;
    *out = procedure;
    return true;
}
