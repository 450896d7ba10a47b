/* restart.c - restarts a service as an operator does: once, which ends by itself, or in a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"
#include "pods.h"

struct RestartConfig {
    struct ServiceConfig service;
    int64_t every_ns; /* 0: once */
};

static bool restart_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);

static const struct Field restart_fields[] = {
    SERVICE_FIELDS,
    {.name = "every",
     .type = FIELD_DURATION,
     .offset = offsetof(struct RestartConfig, every_ns),
     .min = NS_PER_S,
     .max = 3600 * NS_PER_S,
     .example = "10s",
     .doc = "Again and again, this long from one to the next; without it once."},
    {.name = NULL}};

const struct FaultKind restart_fault = {
    .name = "restart",
    .summary = "restarts a service: what a planned restart costs",
    .reversal = REVERSAL_SELF,
    .needs_service = true,
    .on_pods = true,
    .config = {.name = "restart",
               .doc = "A planned restart; proven once the old processes are gone, over once it "
                      "runs. With `every` a loop of them.",
               .size = sizeof(struct RestartConfig),
               .fields = restart_fields},
    .plan = restart_plan,
};

static void plan_once(const struct Subject *subject, struct Procedure *procedure,
                      struct Arena *arena)
{
    if (subject->is_unit) {
        subject_add(subject, &procedure->apply, arena,
                    "see that it is the service that was recorded", "record");
        commands_add(&procedure->apply, arena, "restart the service", 10, "systemctl", "restart",
                     "--no-block", subject->name, NULL);
    } else {
        subject_add(subject, &procedure->apply, arena, "stop the service, start it", "restart");
    }
    subject_add(subject, &procedure->in_place, arena, "none of those recorded lives", "gone");
    subject_add(subject, &procedure->undo, arena, "start the service if it is down", "start");
    subject_add(subject, &procedure->all_clear, arena, "the service runs", "up");
    procedure->once = true;
}

/* A holder on the host does it (holder_restart.sh). Not class P: where it dies between a stop and a
 * start somebody has to start the service. */
static void plan_loop(const struct Subject *subject, int64_t every_ns, struct Procedure *procedure,
                      struct Arena *arena)
{
    struct Commands turn = {.count = 0};
    subject_add(subject, &turn, arena, "stop whoever is the service now, start it", "turn");
    commands_add(&procedure->save, arena, "write down what a restart is", 10, "sh", "-c",
                 "printf %s \"$1\" >turn", "save", commands_shell(&turn, arena), NULL);
    const char *every = arena_printf(arena, "%lld", every_ns / (NS_PER_S / 100));
    const struct {
        struct Commands *part;
        const char *what, *verb;
        int64_t timeout_s;
    } rows[] = {
        {&procedure->apply, "restart the service, and from then on in a rhythm", "take", 120},
        {&procedure->in_place, "who restarts it lives, and is at it", "held", 10},
        {&procedure->undo, "end who restarts it", "free", 20},
        {&procedure->all_clear, "nobody restarts it", "freed", 10},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        commands_add(rows[i].part, arena, rows[i].what, rows[i].timeout_s, "sh", "hold",
                     rows[i].verb, "restart", "every", every, NULL);
    subject_add(subject, &procedure->undo, arena, "start the service if it is down", "start");
    subject_add(subject, &procedure->all_clear, arena, "the service runs, and stays", "settled");
}

static bool restart_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    const struct RestartConfig *restart = config;
    if (input->role->service.pods != NULL && restart->every_ns > 0)
        return err_set(err, ERR_RULE, input->target->where,
                       "pod '%s' is restarted once: another one takes its place",
                       input->target->name);
    if (input->role->service.pods != NULL)
        return pods_plan(&restart->service, false, input, arena, out, err);
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    struct Subject subject;
    if (!subject_make(&restart->service, input, arena, &subject, err) ||
        !subject_can_start(&subject, input, err))
        return false;
    subject_add(&subject, &procedure.save, arena, "record all processes of the service", "save");
    if (restart->every_ns > 0)
        plan_loop(&subject, restart->every_ns, &procedure, arena);
    else
        plan_once(&subject, &procedure, arena);
    *out = procedure;
    return true;
}
