/* foresee_return.c - what becomes of a primary that a drill takes away. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "foresee.h"

/* By the name of a unit or process, of whichever role; or by a restart. */
static bool starts_again(const struct Plan *plan, const struct PlannedFault *fault)
{
    const struct FaultKind *kind = fault->step->kind;
    return text_equal(kind->name, "restart") ||
           (kind->stops_service && !fault->procedure.from_here && step_names_service(fault->step) &&
            !plan->scenario->leave_stopped);
}

bool foresee_starts_plainly(const struct Plan *plan, const struct SurveyRole *role)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (role->role->system->left_as != NULL && foresee_is_hit(&faults[at], role) &&
            starts_again(plan, &faults[at]))
            return true;
        if (faults[at].role != role->role || faults[at].step->kind == NULL || !faults[at].chosen ||
            (role->primary != NULL && faults[at].target != role->primary))
            continue;
        if (starts_again(plan, &faults[at]))
            return true;
    }
    return false;
}

/* DESIGN.md 12.2: nothing is promoted as an undo, nor by the start that it is. */
bool foresee_return(const struct Plan *plan, const struct SurveyRole *role, bool machine,
                    struct Obstacle *out)
{
    const struct SystemKind *system = role->role->system;
    const char *host = role->primary ? role->primary->name : "unknown";
    bool plainly = !machine && foresee_starts_plainly(plan, role);
    if (system->returns_safely == NULL ||
        system->returns_safely(role->role->system_config, machine || plainly) ||
        (!machine && !plainly && plan->scenario->leave_stopped))
        return false;
    *out = (struct Obstacle){.code = ERR_REFUSED};
    if (system->left_as != NULL) {
        out->text =
            arena_printf(plan->arena,
                         "role '%s': %s would start its primary '%s' as it "
                         "is: %s",
                         role->role->name, machine ? "its boot" : "a step", host, system->left_as);
        out->help = "Kill or stop the role's own service, without `unit` or `process`: only there "
                    "it is given back its writes, or follows; or `isolate` it.";
    } else if (machine) {
        out->text = arena_printf(plan->arena,
                                 "role '%s': the boot of its primary '%s' may start a second one",
                                 role->role->name, host);
        out->help = "Say `plain_start: safe` at its system where its boot brings it back as a "
                    "replica; or `isolate` it instead.";
    } else if (plainly) {
        out->text = arena_printf(plan->arena,
                                 "role '%s': a step would start its primary '%s' as it is, which "
                                 "may make a second one",
                                 role->role->name, host);
        out->help = "Kill or stop the role's own service, without `unit` or `process`: only there "
                    "`rejoin:` is asked; or say `plain_start: safe` at its system.";
    } else {
        out->text = arena_printf(plan->arena,
                                 "role '%s': the undo would start its primary '%s' as it is, which "
                                 "may make a second one",
                                 role->role->name, host);
        out->help = "Say at its system how it is brought back (`rejoin:`, or `plain_start: safe`); "
                    "or `undo: {leave: stopped}`, and start it by hand.";
    }
    return true;
}

const char *foresee_how_it_returns(const struct Plan *plan, const struct SurveyRole *role,
                                   bool machine)
{
    const char *durable = role->prospect.durable != NULL ? role->prospect.durable : "?";
    if (!machine && plan->scenario->leave_stopped && role->primary != NULL)
        return arena_printf(plan->arena, "%s (%s) stays down until somebody starts it",
                            role->primary->name, durable);
    if (machine && role->role->system->left_as != NULL)
        return role->role->system->left_as;
    if (role->role->system->unwatched && foresee_failover(plan, role->role) == NULL)
        return "it returns as the primary that it was, unless somebody promotes another";
    if (machine && role->role->system->returns_safely == NULL)
        return "its boot starts it as a primary: for a while there may be two, and what the "
               "old one acknowledges then is lost";
    if (role->primary == NULL)
        return NULL;
    return arena_printf(plan->arena, "%s (%s) returns as a replica of the new primary",
                        role->primary->name, durable);
}
