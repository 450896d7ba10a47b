/* run_hosts.c - whom a step means at the moment of its use: a primary may have moved. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "edging.h"
#include "foresee.h"
#include "planner.h"
#include "run_parts.h"

#define RANKS_TIMEOUT_NS (3 * NS_PER_S)
#define SNAPSHOT_TIMEOUT_NS (60 * NS_PER_S)

static const struct Drawn *drawn_of(const struct StepRun *step)
{
    return plan_drawn(step->run->in.plan, step->spec->target->name);
}

bool step_asks_ranks(const struct StepRun *step)
{
    const struct StepSpec *spec = step->spec;
    bool on_hosts = spec->type == STEP_FAULT || spec->type == STEP_RUN;
    return on_hosts && (step_has_edges(spec) || spec->kind != NULL ||
                        (spec->target != NULL && spec->target->is != RANK_UNKNOWN));
}

/* ---- Faults ---- */

struct Joining {
    struct StepRun *step;
    struct FaultRun **faults;
    size_t count;
};

static void join(const struct Joining *joining)
{
    joining->step->run->resolving = NULL;
    volley_join(joining->step->volley, joining->faults, joining->count);
}

static void snapshot_done(void *data, enum Known saved, const char *why)
{
    const struct Joining *joining = data;
    struct Run *run = joining->step->run;
    if (!step_stands(joining->step))
        return;
    if (saved == KNOWN_YES) {
        run_event(run, "snapshot", "on disk");
        join(joining);
        return;
    }
    char text[200];
    snprintf(text, sizeof text, "the snapshot before the kill was not taken: %s",
             why ? why : "no answer");
    run_abort(run, run->any_sent ? VERDICT_FAIL : VERDICT_NOT_READY, text);
}

/* DESIGN.md 12.2 was asked of the primary of the plan; another one may lead by now. */
static bool leads_unforeseen(const struct Run *run, struct FaultRun *const *faults, size_t count)
{
    const struct Foresight *rows = run->in.plan->foresights.items;
    for (size_t member = 0; member < count; member++) {
        const struct PlannedFault *fault = faults[member]->planned;
        for (size_t at = 0; at < run->in.plan->foresights.count; at++)
            if (rows[at].role == fault->role && rows[at].primary != fault->target &&
                sight_primary(run->sight, fault->role) == fault->target)
                return true;
    }
    return false;
}

/* The plan saw a step before that keeps it down; it may not have come to that, or be over. */
static bool hides_one_that_runs(const struct Run *run, struct FaultRun *const *faults, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        const struct PlannedFault *fault = faults[at]->planned;
        const struct Role *role = fault->role;
        if (role->system != NULL && role->system->never_demotes && foresee_hides(fault, role) &&
            !run_keeps_down(run, role, fault->target))
            return true;
    }
    return false;
}

/* A primary that has snapshots alone is saved right before it is killed, where the scenario says
 * so. */
void step_faults_begin(struct StepRun *step, struct FaultRun **faults, size_t count)
{
    struct Run *run = step->run;
    const struct StepSpec *spec = step->spec;
    if (count == 0) {
        step_cannot(step, "the step has no host");
        return;
    }
    const struct Role *role = faults[0]->planned->role;
    if (spec->kind->stops_service && leads_unforeseen(run, faults, count)) {
        step_cannot(step, "the host leads its role by now, and what its disk gives back was not "
                          "looked at");
        return;
    }
    if (hides_one_that_runs(run, faults, count)) {
        step_cannot(step, "its server is not proven stopped, and hidden from the others it could "
                          "be a second primary");
        return;
    }
    for (size_t at = 0; at < count; at++)
        if (!figures_fill_fault(step, faults[at]))
            return;
    struct Joining *joining = arena_zero(run->arena, 1, sizeof *joining);
    *joining = (struct Joining){.step = step, .faults = faults, .count = count};
    if (run->scenario->snapshot_first && spec->kind->stops_service && role->system != NULL &&
        count == 1)
        sight_snapshot(run->sight, role, faults[0]->planned->target,
                       mono_add(mono_now(), SNAPSHOT_TIMEOUT_NS), snapshot_done, joining);
    else
        join(joining);
}

static bool is_among(const struct List *hosts, const struct Target *host)
{
    const struct Target *const *rows = hosts->items;
    for (size_t at = 0; at < hosts->count; at++)
        if (rows[at] == host)
            return true;
    return false;
}

static void faults_on(struct StepRun *step, const struct List *hosts)
{
    struct Run *run = step->run;
    struct FaultRun **faults = arena_zero(run->arena, run->fault_count + 1, sizeof(void *));
    size_t count = 0;
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].planned->step_index == step->index &&
            is_among(hosts, run->faults[at].planned->target))
            faults[count++] = &run->faults[at];
    if (count != hosts->count)
        step_cannot(step, "the host that the target means now is not in the plan");
    else
        step_faults_begin(step, faults, count);
}

/* ---- Hosts ---- */

static void take_hosts(struct StepRun *step, const struct List *hosts)
{
    if (step->spec->type != STEP_RUN) {
        faults_on(step, hosts);
        return;
    }
    if (step->run->resolving == step)
        step->run->resolving = NULL;
    step_run_on(step, hosts);
}

/* `stays`: the hosts that the target meant first, NULL before. */
static const struct List *kept_hosts(const struct Run *run, const struct TargetSpec *target)
{
    const struct KeptHosts *rows = run->kept.items;
    for (size_t at = 0; at < run->kept.count; at++)
        if (target->stays && text_equal(rows[at].target, target->name))
            return &rows[at].hosts;
    return NULL;
}

/* The ranks are those of now. */
static void ranks_done(void *data)
{
    struct StepRun *step = data;
    struct Run *run = step->run;
    struct List hosts = {0};
    struct Err err;
    if (!step_stands(step))
        return;
    struct Draw draw = plan_draw(run->in.plan, drawn_of(step), step->ranks);
    if (!target_draw(&draw, run->arena, &hosts, &err)) {
        step_cannot(step, err.message);
        return;
    }
    *(struct KeptHosts *)list_add(&run->kept, run->arena, sizeof(struct KeptHosts)) =
        (struct KeptHosts){.target = step->spec->target->name, .hosts = hosts};
    take_hosts(step, &hosts);
}

void step_hosts_begin(struct StepRun *step)
{
    struct Run *run = step->run;
    const struct StepSpec *spec = step->spec;
    if (spec->type == STEP_FAULT)
        step->volley = volley_of(step);
    if (step_asks_ranks(step))
        run->resolving = step;
    if (step_has_edges(spec)) {
        step_edges_begin(step);
        return;
    }
    const struct Drawn *drawn = drawn_of(step);
    const struct List *kept = kept_hosts(run, spec->target);
    if (kept != NULL) {
        take_hosts(step, kept);
        return;
    }
    if (spec->target->is != RANK_UNKNOWN) {
        step->ranks = arena_zero(run->arena, drawn->role->host_count, sizeof *step->ranks);
        sight_ranks(run->sight, drawn->role, mono_add(mono_now(), RANKS_TIMEOUT_NS), step->ranks,
                    ranks_done, step);
        return;
    }
    struct List hosts = {.items = (void *)(uintptr_t)drawn->hosts, .count = drawn->count};
    take_hosts(step, &hosts);
}
