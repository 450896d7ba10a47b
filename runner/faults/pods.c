/* pods.c - pods are ended by their cluster's API; their controller makes others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "pods.h"

#include <inttypes.h>

#define LOOK_S 20 /* kubectl and whatever logs it in take a second or two to begin */

/* Deleted without a grace period, a pod is gone for the API before its kubelet has said so: on a
 * node that hangs, the old one and the new one of the same name would be there at once. */
static bool check(const struct ServiceConfig *config, bool kill, const struct PlanInput *input,
                  struct Err *err)
{
    const struct Where where = input->target->where;
    const char *name = input->target->name;
    if (config->unit != NULL || config->process != NULL || config->only_main != 0)
        return err_set(err, ERR_RULE, where, "pod '%s' is ended as a whole, or not at all", name);
    if (input->hold_ns >= 0) {
        err_set(err, ERR_RULE, where,
                "pod '%s' cannot be kept down: its controller makes another one at once", name);
        return err_hint(err, "Leave out `for`: how long that takes is what is measured.");
    }
    if (!input->facts->engine_starts)
        return err_set(err, ERR_NO_UNDO, where,
                       "nobody would make another pod: '%s' has no controller", name);
    if (kill && input->facts->pod_has_name) {
        err_set(err, ERR_NO_UNDO, where,
                "pod '%s' is of a StatefulSet: killed, there might be two of it for a while", name);
        return err_hint(err, "Use `restart`, which waits until the old one has ended.");
    }
    return true;
}

bool pods_plan(const struct ServiceConfig *config, bool kill, const struct PlanInput *input,
               struct Arena *arena, struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    const struct Pods *pods = input->role->service.pods;
    if (!check(config, kill, input, err))
        return false;
    const char *ready = arena_printf(arena, "%" PRId64, input->facts->pods_ready);
    const struct {
        struct Commands *part;
        const char *what, *verb;
    } rows[] = {
        {&procedure.save, "it is there, by its uid, ready, and has a controller", "save"},
        {&procedure.apply,
         kill ? "delete the pod of that uid, without a grace period"
              : "delete the pod of that uid, with its own grace period",
         kill ? "kill" : "restart"},
        {&procedure.in_place, "its uid is gone, or its containers were started anew", "gone"},
        {&procedure.all_clear, arena_printf(arena, "%s of the role's pods are ready", ready),
         "back"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        commands_add(rows[i].part, arena, rows[i].what, LOOK_S, "sh", "pods", rows[i].verb,
                     pods->context, pods->space, pods->selector, input->target->name,
                     input->target->uid, ready, NULL);
    commands_add(&procedure.undo, arena, "nothing: its controller makes another one", LOOK_S,
                 "true", NULL);
    procedure.once = true;
    *out = procedure;
    return true;
}
