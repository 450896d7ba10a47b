/* foresee_moves.c - what only a primary can take back is over before the primary moves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "edging.h"
#include "foresee.h"

static bool stands_in(const struct Target *host, const struct Role *role)
{
    for (size_t at = 0; at < role->host_count; at++)
        if (role->hosts[at] == host)
            return true;
    return false;
}

/* By itself, or since somebody who watches promotes another. */
static bool may_move(const struct Plan *plan, uint32_t index, const struct SurveyRole *role)
{
    const struct StepSpec *step = (const struct StepSpec *)plan->scenario->steps.items + index;
    const struct FaultKind *kind = step->kind;
    if (kind == NULL)
        return step->type == STEP_FAILOVER && text_equal(step->role, role->role->name);
    if (kind->partitions && step_has_edges(step) && foresee_touches(plan, step, role->role))
        return true;
    if (!kind->partitions && !kind->stops_service && !kind->hangs_service && !kind->takes_machine &&
        !text_equal(kind->name, "restart"))
        return false;
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (faults[at].step_index == index && foresee_is_hit(&faults[at], role))
            return true;
    return false;
}

bool foresee_is_over_before(const struct PlannedFault *fault, uint32_t index)
{
    return fault->step_index < index && fault->step->hold_ns >= 0 && fault->step->together == 0 &&
           !fault->step->timed;
}

bool foresee_ends_on_primary(const struct Plan *plan, const struct SurveyRole *role,
                             struct Obstacle *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++) {
        const struct PlannedFault *fault = &faults[at];
        if (!fault->procedure.ends_on_primary || !stands_in(fault->target, role->role))
            continue;
        for (uint32_t other = 0; other < plan->scenario->steps.count; other++) {
            const struct StepSpec *steps = plan->scenario->steps.items;
            if (other == fault->step_index || foresee_is_over_before(fault, other) ||
                !may_move(plan, other, role))
                continue;
            *out = (struct Obstacle){
                .code = ERR_REFUSED,
                .text =
                    arena_printf(plan->arena,
                                 "`%s` may move the primary of role '%s', and what `%s` changed "
                                 "there might stay behind on another host",
                                 steps[other].name, role->role->name, fault->step->name),
                .help =
                    "Give it a `for:` and put it before that step; `lock_row` may lock a row of "
                    "your own by `query:`, which leaves nothing."};
            return true;
        }
    }
    return false;
}
