/* foresee_promotion.c - where nobody demotes: what may leave two primaries for ever. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "foresee.h"

const struct StepSpec *foresee_failover(const struct Plan *plan, const struct Role *role)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (size_t at = 0; at < plan->scenario->steps.count; at++)
        if (steps[at].type == STEP_FAILOVER && text_equal(steps[at].role, role->name))
            return &steps[at];
    return NULL;
}

const struct StepSpec *foresee_last_failover(const struct Plan *plan, const struct Role *role)
{
    const struct StepSpec *steps = plan->scenario->steps.items, *last = NULL;
    for (size_t at = 0; at < plan->scenario->steps.count; at++)
        if (steps[at].type == STEP_FAILOVER && text_equal(steps[at].role, role->name))
            last = &steps[at];
    return last;
}

bool foresee_switch_back(const struct Plan *plan, const struct Role *role)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (size_t at = 0; at < plan->scenario->steps.count; at++)
        if (steps[at].switch_back && text_equal(steps[at].role, role->name))
            return true;
    return false;
}

bool foresee_is_hit(const struct PlannedFault *fault, const struct SurveyRole *role)
{
    const struct StepSpec *step = fault->step;
    bool on_host = fault->target == role->primary;
    for (size_t n = 0; role->primary == NULL && n < role->role->host_count; n++)
        on_host = on_host || fault->target == role->role->hosts[n];
    if (step->kind == NULL || !fault->chosen)
        return false;
    if (fault->role == role->role)
        return role->primary == NULL || on_host;
    return on_host && (step->kind->takes_machine || step_names_service(step));
}

/* Restart= of a unit that is killed and not kept down; "" where nothing brings it back. */
static const char *revived_by(const struct Plan *plan, const struct PlannedFault *fault)
{
    const struct HostFacts *rows = plan->facts.items;
    if (!text_equal(fault->step->kind->name, "kill") || fault->step->hold_ns >= 0)
        return "";
    for (size_t at = 0; at < plan->facts.count; at++)
        if (rows[at].host == fault->target && !text_equal(rows[at].restart, "no"))
            return rows[at].restart;
    return "";
}

/* What supervisord, monit and the like do is known to nobody here, and no kill outlasts it. */
static bool may_be_revived(const struct PlannedFault *fault)
{
    const struct Service *service = &fault->role->service;
    return text_equal(fault->step->kind->name, "kill") &&
           (step_names_service(fault->step) || (service->unit == NULL && !service->stays_dead));
}

/* It would run by the time of the undo, which leaves it as it is then. */
static void judge_revival(const struct Plan *plan, const struct PlannedFault *fault,
                          const char *left_as, struct Obstacle *out)
{
    const char *name = fault->target->name, *restart = revived_by(plan, fault);
    bool supervised = may_be_revived(fault) && !step_names_service(fault->step);
    if (restart[0] == '\0' && !supervised)
        return;
    *out = (struct Obstacle){.code = ERR_REFUSED};
    out->text = restart[0] != '\0'
                    ? arena_printf(plan->arena,
                                   "Restart=%s on host '%s' may start the killed primary before "
                                   "the undo does: %s",
                                   restart, name, left_as)
                    : arena_printf(plan->arena,
                                   "a supervisor on host '%s' may start the killed primary before "
                                   "the undo does: %s",
                                   name, left_as);
    out->help = "Say `stop:` in place of `kill:`; or `service: {restart: never}` at its role, "
                "where nobody restarts it.";
}

/* What this fault would make of the primary while, or after, another is promoted. */
static void judge_fault(const struct Plan *plan, const struct PlannedFault *fault,
                        struct Obstacle *out)
{
    const struct StepSpec *step = fault->step;
    const char *name = fault->target->name, *restart = revived_by(plan, fault);
    bool by_name = step_names_service(step) && !plan->scenario->leave_stopped;
    out->code = ERR_REFUSED;
    if (step->kind->takes_machine) {
        out->text = arena_printf(plan->arena,
                                 "host '%s' would boot as a second primary beside the one that is "
                                 "promoted, and nobody demotes it",
                                 name);
        out->help = "Isolate it, and stop its service before another is promoted, as "
                    "postgres_primary_lost does.";
    } else if (text_equal(step->kind->name, "restart") || (step->kind->stops_service && by_name)) {
        out->text = arena_printf(plan->arena,
                                 "`%s` may start '%s' as it is, a second primary beside the one "
                                 "that is promoted",
                                 step->name, name);
        out->help = "Kill or stop the role's own service, which comes back as a replica; drill "
                    "another service on these hosts without `failover:`.";
    } else if (restart[0] != '\0') {
        out->text = arena_printf(plan->arena,
                                 "Restart=%s on host '%s' may bring the killed primary back beside "
                                 "the one that is promoted",
                                 restart, name);
        out->help = "Say `stop:` in place of `kill:`, which cancels the restart.";
    } else if (may_be_revived(fault)) {
        out->text = arena_printf(plan->arena,
                                 "a supervisor on host '%s' may bring the killed primary back "
                                 "beside the one that is promoted",
                                 name);
        out->help = "Say `stop:` in place of `kill:`; or `service: {restart: never}` at its role, "
                    "where nobody restarts it.";
    }
}

/* Its undo asks the others who leads, so it would wait for the end of one that comes after it. */
static bool keeps_waiting(const struct Plan *plan, const struct Role *role)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (faults[at].role == role && faults[at].step->kind != NULL &&
            faults[at].step->kind->partitions && faults[at].step->hold_ns < 0)
            return true;
    return false;
}

/* It keeps the old primary down until the end of the drill, and is proven before the next step. */
static bool fences(const struct PlannedFault *fault, const struct StepSpec *failover)
{
    const struct StepSpec *step = fault->step;
    return step->kind->stops_service && !step->kind->takes_machine && step < failover &&
           (step->together == 0 || step->timed) && step->hold_ns < 0 && !step_names_service(step) &&
           !fault->procedure.once;
}

/* Who leads since the first one is proven stopped by nothing. */
static bool is_forced_again(const struct Plan *plan, const struct StepSpec *first)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (size_t at = 0; at < plan->scenario->steps.count; at++)
        if (steps[at].type == STEP_FAILOVER && steps[at].forced && &steps[at] != first &&
            text_equal(steps[at].role, first->role))
            return true;
    return false;
}

static void judge_forced(const struct Plan *plan, const struct Role *role, struct Obstacle *out)
{
    *out = (struct Obstacle){
        .code = ERR_REFUSED,
        .text = arena_printf(plan->arena,
                             "a forced failover of role '%s' may leave two primaries, and nobody "
                             "demotes the old one",
                             role->name),
        .help = "Put a `stop:` of the old primary before it, without `for`; `stays: true` at its "
                "target means the same host all through. Only a role's first failover may be "
                "forced."};
}

static bool is_host_of(const struct Role *role, const struct Target *host)
{
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] == host ||
            (host->address != NULL && text_equal(role->hosts[n]->address, host->address)))
            return true;
    return false;
}

/* It leaves a server of its host running that may no longer answer whoever looks for it. */
static bool may_silence(const struct FaultKind *kind)
{
    static const char *const words[] = {"exhaust", "memory_fill",       "disk_fill",
                                        "dns_cut", "override",          "replace_file",
                                        "sysctl",  "expire_certificate"};
    for (size_t n = 0; n < COUNT_OF(words); n++)
        if (text_equal(kind->name, words[n]))
            return true;
    return kind->hangs_service;
}

/* It leaves the role's servers running and may keep one from hearing another, or takes its machine
 * by another role's name, so that nobody plans its return. A fault between them and others alone
 * does not. */
bool foresee_hides(const struct PlannedFault *fault, const struct Role *role)
{
    const struct FaultKind *kind = fault->step->kind;
    const struct Edge *edges = fault->edges.items;
    if (kind == NULL || fault->target == NULL || !is_host_of(role, fault->target))
        return false;
    if (may_silence(kind) || (kind->takes_machine && fault->role != role))
        return true;
    if (!kind->partitions && !kind->needs_filter)
        return false;
    for (size_t n = 0; n < fault->edges.count; n++)
        if (is_host_of(role, edges[n].from) && is_host_of(role, edges[n].to))
            return true;
    return fault->edges.count == 0;
}

bool foresee_keeps_down(const struct PlannedFault *fault, const struct Role *role)
{
    return fault->role == role && fault->step->kind != NULL && fault->step->kind->stops_service &&
           !fault->step->kind->takes_machine && !step_names_service(fault->step) &&
           !fault->procedure.once;
}

/* A step before it keeps its server down; whether it does by then is asked again before it begins.
 */
static bool is_stopped_before(const struct Plan *plan, const struct PlannedFault *hides,
                              const struct Role *role)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (hides->role == role && faults[at].target == hides->target &&
            faults[at].step < hides->step && foresee_keeps_down(&faults[at], role))
            return true;
    return false;
}

bool foresee_hidden(const struct Plan *plan, const struct Role *role, struct Obstacle *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    if (role->system == NULL || !role->system->never_demotes)
        return false;
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (!foresee_hides(&faults[at], role) || is_stopped_before(plan, &faults[at], role))
            continue;
        *out = (struct Obstacle){
            .code = ERR_REFUSED,
            .text = arena_printf(plan->arena,
                                 "`%s` on host '%s' may leave two primaries of role '%s': another "
                                 "is promoted beside one that runs, and %s demotes nobody",
                                 faults[at].step->name, faults[at].target->name, role->name,
                                 role->system->name),
            .help =
                "Put a `stop:` of the same hosts (`stays: true`), or a `kill:` that stays dead, "
                "before it, as repmgr_primary_lost does; or cut the primary from its clients "
                "alone."};
        return true;
    }
    return false;
}

static bool is_down_by(const struct Plan *plan, const struct SurveyRole *role,
                       const struct StepSpec *failover)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (foresee_is_hit(&faults[at], role) && fences(&faults[at], failover))
            return true;
    return false;
}

/* Once the other server is told there is no limit: one that is cut off, or hangs, then leaves a
 * role without a primary when the drill has ended. */
static bool may_hang(const struct Plan *plan, const struct SurveyRole *role, struct Obstacle *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct StepSpec *failover = foresee_failover(plan, role->role);
    if (role->prospect.handover.high_ns == 0 || failover == NULL ||
        is_down_by(plan, role, failover))
        return false;
    for (size_t at = 0; at < plan->faults.count; at++) {
        const struct StepSpec *step = faults[at].step;
        if (!foresee_hides(&faults[at], role->role) ||
            (step > failover && step->together == 0 && !step->timed))
            continue;
        *out = (struct Obstacle){
            .code = ERR_REFUSED,
            .text =
                arena_printf(plan->arena,
                             "`%s` on host '%s' may cut off or hang a server of role '%s' while "
                             "its primary hands over, which has no limit then",
                             step->name, faults[at].target->name, role->role->name),
            .help = "Put the `failover:` before it; or a `stop:` of the primary before both: a "
                    "replica is promoted then."};
        return true;
    }
    return false;
}

bool foresee_promotion(const struct Plan *plan, const struct SurveyRole *role, struct Obstacle *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct StepSpec *failover = foresee_failover(plan, role->role);
    const struct SystemKind *system = role->role->system;
    bool fenced = false, stops = false, stay_two = system->unwatched || system->never_demotes;
    bool moves = failover != NULL || system->never_demotes;
    *out = (struct Obstacle){.text = NULL};
    if (foresee_hidden(plan, role->role, out) || may_hang(plan, role, out))
        return true;
    for (size_t at = 0; stay_two && at < plan->faults.count; at++) {
        if (!foresee_is_hit(&faults[at], role))
            continue;
        stops = stops || faults[at].step->kind->stops_service;
        fenced = fenced || (failover != NULL && fences(&faults[at], failover));
        if (moves && out->text == NULL)
            judge_fault(plan, &faults[at], out);
        if (system->left_as != NULL && out->text == NULL)
            judge_revival(plan, &faults[at], system->left_as, out);
    }
    if (out->text == NULL && stops && keeps_waiting(plan, role->role))
        *out = (struct Obstacle){
            .code = ERR_REFUSED,
            .text = arena_printf(plan->arena,
                                 "the undo of role '%s' asks its hosts who leads, and they would "
                                 "still be cut off from each other",
                                 role->role->name),
            .help = "Give the partition a `for:` that ends before the drill does."};
    if (out->text == NULL && role->role->system->unwatched && failover != NULL &&
        (is_forced_again(plan, failover) || (failover->forced && !fenced)))
        judge_forced(plan, role->role, out);
    return out->text != NULL;
}

/* Another may lead by then. */
static bool comes_first(const struct Plan *plan, const struct StepSpec *step)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (const struct StepSpec *at = steps; at < step; at++)
        if (at->kind != NULL || (at->type == STEP_FAILOVER && text_equal(at->role, step->role)))
            return false;
    return true;
}

static const char *unfit(const struct Plan *plan, const struct Survey *survey,
                         const struct SurveyRole *role, const struct StepSpec *step)
{
    const struct Target *host = role_host(role->role, step->promoted);
    const struct SurveyHost *found = host != NULL ? survey_host(survey, role->role, host) : NULL;
    bool first = comes_first(plan, step);
    if (host == NULL)
        return "it has no such host";
    if (host == role->primary)
        return first ? "it leads already" : NULL;
    if (first && (found == NULL || found->standing.rank != RANK_REPLICA))
        return "it is not known to follow the primary";
    if (first && role->redundancy.complete != KNOWN_YES)
        return arena_printf(plan->arena, "whether it follows is not proven: %s",
                            role->redundancy.why != NULL && role->redundancy.why[0] != '\0'
                                ? role->redundancy.why
                                : "redundancy is not whole");
    return NULL;
}

bool foresee_promoted(const struct Plan *plan, const struct Survey *survey,
                      const struct SurveyRole *role, struct Obstacle *out)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (size_t at = 0; at < plan->scenario->steps.count; at++) {
        if (steps[at].promoted == NULL || !text_equal(steps[at].role, role->role->name))
            continue;
        const char *why = unfit(plan, survey, role, &steps[at]);
        if (why == NULL)
            continue;
        *out = (struct Obstacle){
            .code = ERR_REFUSED,
            .text = arena_printf(plan->arena, "'%s' cannot be made primary of role '%s': %s",
                                 steps[at].promoted, role->role->name, why),
            .help = "Name another host at `to`, or leave it out: the system chooses then."};
        return true;
    }
    return false;
}
