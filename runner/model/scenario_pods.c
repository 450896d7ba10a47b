/* scenario_pods.c - what may be done to a role that is the pods of a cluster. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"

static bool side_names(const struct SideSpec *side, const struct Scenario *scenario,
                       const char *role)
{
    const char *const *names = side != NULL ? side->names.items : NULL;
    for (size_t i = 0; side != NULL && i < side->names.count; i++) {
        const struct TargetSpec *target = scenario_target(scenario, names[i]);
        if (text_equal(target != NULL ? target->role : names[i], role))
            return true;
    }
    return false;
}

static void check_steps(struct ScenarioBuild *build, const struct Role *role)
{
    const struct StepSpec *steps = build->scenario->steps.items;
    for (size_t i = 0; i < build->scenario->steps.count; i++) {
        const struct StepSpec *step = &steps[i];
        bool meets = step_meets_role(step, build->scenario, role->name) ||
                     text_equal(step->role, role->name) ||
                     side_names(step->to, build->scenario, role->name);
        bool known = step->type == STEP_FAULT && step->kind != NULL && step->kind->on_pods;
        if (!meets || known)
            continue;
        struct Err *err = scenario_say(build, ERR_RULE, step->where,
                                       "`%s` cannot: role `%s` is pods, which only their cluster "
                                       "reaches",
                                       step->name, role->name);
        err_hint(err, "pods know kill and restart; what is done inside a pod or to its network is "
                      "for tools inside the cluster");
        err_note(err, "defined in %s:%u", build->input->environment->path, role->where.line);
    }
}

static void check_from(struct ScenarioBuild *build, const struct Role *role)
{
    const struct ProbeSpec *probes = build->scenario->probes.items;
    for (size_t i = 0; i < build->scenario->probes.count; i++) {
        const struct TargetSpec *from = scenario_target(build->scenario, probes[i].from);
        if (from != NULL && text_equal(from->role, role->name))
            err_hint(scenario_say(build, ERR_RULE, probes[i].where,
                                  "probe `%s` cannot measure from a pod", probes[i].name),
                     "leave out `from:`, or name a host of another role");
    }
}

void scenario_check_pods(struct ScenarioBuild *build)
{
    const struct Environment *environment = build->input->environment;
    const struct Role *roles = environment != NULL ? environment->roles.items : NULL;
    for (size_t i = 0; environment != NULL && i < environment->roles.count; i++) {
        if (roles[i].service.pods == NULL)
            continue;
        check_steps(build, &roles[i]);
        check_from(build, &roles[i]);
    }
}
