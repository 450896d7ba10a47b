/* run_steps.c - the steps of a drill, top to bottom. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "edging.h"
#include "planner.h"
#include "run_parts.h"

#include <string.h>

#include "../base/text.h"

#define RANKS_TIMEOUT_NS (3 * NS_PER_S)
#define SNAPSHOT_TIMEOUT_NS (60 * NS_PER_S)

static const struct StepSpec *step_now(const struct Run *run)
{
    return (const struct StepSpec *)run->scenario->steps.items + run->step;
}

const struct Drawn *step_drawn(const struct Run *run)
{
    const struct TargetSpec *target = step_now(run)->target;
    return target != NULL ? plan_drawn(run->in.plan, target->name) : NULL;
}

static bool under_way(const struct Run *run)
{
    return run->state == RUN_STEPS || run->state == RUN_ALWAYS;
}

struct StepCall *step_call(struct Run *run)
{
    struct StepCall *call = arena_zero(run->arena, 1, sizeof *call);
    *call = (struct StepCall){.run = run, .turn = run->turn};
    return call;
}

bool step_call_stands(const struct StepCall *call)
{
    const struct Run *run = call->run;
    return under_way(run) && run->step_started && run->turn == call->turn;
}

static bool is_among(const struct List *hosts, const struct Target *host)
{
    const struct Target *const *rows = hosts->items;
    for (size_t at = 0; at < hosts->count; at++)
        if (rows[at] == host)
            return true;
    return false;
}

static void group_of(struct Run *run, const struct List *hosts)
{
    run->group_count = 0;
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].planned->step_index == run->step &&
            is_among(hosts, run->faults[at].planned->target))
            run->group[run->group_count++] = &run->faults[at];
}

static void snapshot_done(void *data, enum Known saved, const char *why)
{
    struct Run *run = data;
    if (run->state != RUN_STEPS)
        return;
    if (saved == KNOWN_YES) {
        run_event(run, "snapshot", "on disk");
        group_arm(run);
        return;
    }
    char text[200];
    snprintf(text, sizeof text, "the snapshot before the kill was not taken: %s",
             why ? why : "no answer");
    run_abort(run, run->any_sent ? VERDICT_FAIL : VERDICT_NOT_READY, text);
}

/* DESIGN.md 12.2 was asked of the primary of the plan; another one may lead by now. */
static bool leads_unforeseen(const struct Run *run)
{
    const struct Foresight *rows = run->in.plan->foresights.items;
    for (size_t member = 0; member < run->group_count; member++) {
        const struct PlannedFault *fault = run->group[member]->planned;
        for (size_t at = 0; at < run->in.plan->foresights.count; at++)
            if (rows[at].role == fault->role && rows[at].primary != fault->target &&
                sight_primary(run->sight, fault->role) == fault->target)
                return true;
    }
    return false;
}

/* A primary that has snapshots alone is saved right before it is killed, where the scenario says
 * so. */
static void group_begin(struct Run *run)
{
    const struct StepSpec *step = step_now(run);
    if (run->group_count == 0) {
        run_abort(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY,
                  "the step has no host");
        return;
    }
    const struct Role *role = run->group[0]->planned->role;
    if (step->kind->stops_service && leads_unforeseen(run)) {
        run_abort(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY,
                  "the host leads its role by now, and what its disk gives back was not looked at");
        return;
    }
    if (run->scenario->snapshot_first && step->kind->stops_service && role->system != NULL &&
        run->group_count == 1)
        sight_snapshot(run->sight, role, run->group[0]->planned->target,
                       mono_add(mono_now(), SNAPSHOT_TIMEOUT_NS), snapshot_done, run);
    else
        group_arm(run);
}

/* The ranks are those of now: a primary may have moved since the plan. */
static void ranks_done(void *data)
{
    struct StepCall *call = data;
    struct Run *run = call->run;
    const struct Drawn *drawn = step_drawn(run);
    struct List hosts = {0};
    struct Err err;
    if (!step_call_stands(call))
        return;
    struct Draw draw = plan_draw(run->in.plan, drawn, run->step_ranks);
    if (!target_draw(&draw, run->arena, &hosts, &err)) {
        step_fail(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY, err.message);
        return;
    }
    if (step_now(run)->type == STEP_RUN) {
        step_run_on(run, &hosts);
        return;
    }
    group_of(run, &hosts);
    if (run->group_count != hosts.count)
        run_abort(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY,
                  "the host that the target means now is not in the plan");
    else
        group_begin(run);
}

static void step_begin(struct Run *run)
{
    const struct StepSpec *step = step_now(run);
    run->step_started = true;
    run->step_failed = false;
    run->group_count = 0;
    run->turn++;
    if (run->state == RUN_STEPS &&
        !run_gate_holds(run, step->kind != NULL ? step_planned_ns(run->scenario, run->step) : 0))
        return;
    run->step_began = mono_now(); /* the gate's look may take seconds */
    run_event(run, "step", "%u %s", run->step + 1, step->name);
    if (!under_way(run)) /* it could not be written down, which halts */
        return;
    figures_step_begins(run);
    if (step->type == STEP_FAILOVER) {
        step_failover_begin(run);
    } else if (step->type == STEP_REQUEST) {
        step_request_begin(run);
    } else if (step->type != STEP_FAULT && step->type != STEP_RUN) {
        step_pause_begin(run);
    } else if (step_has_edges(step)) {
        step_edges_begin(run);
    } else if (step->target->is != RANK_UNKNOWN) {
        const struct Role *role = step_drawn(run)->role;
        run->step_ranks = arena_zero(run->arena, role->host_count, sizeof *run->step_ranks);
        sight_ranks(run->sight, role, mono_add(mono_now(), RANKS_TIMEOUT_NS), run->step_ranks,
                    ranks_done, step_call(run));
    } else {
        const struct Drawn *drawn = step_drawn(run);
        struct List hosts = {.items = (void *)(uintptr_t)drawn->hosts, .count = drawn->count};
        if (step->type == STEP_RUN) {
            step_run_on(run, &hosts);
            return;
        }
        group_of(run, &hosts);
        group_begin(run);
    }
}

void steps_begin(struct Run *run)
{
    run->step = 0;
    run->step_started = false;
    run->group = arena_zero(run->arena, run->fault_count + 1, sizeof(void *));
    run->clocks_began =
        arena_zero(run->arena, run->scenario->figures.count + 1, sizeof *run->clocks_began);
}

/* Once anything was done, and not before: a run that was refused touches nothing. */
bool always_due(const struct Run *run)
{
    return (run->any_begun || run->any_sent) && run->scenario->always < run->scenario->steps.count;
}

/* Said before the last steps, which may take minutes. */
static void say_left(struct Run *run)
{
    struct Buf left = BUF(4000);
    run_left(run, &left);
    for (char *line = left.text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        run_event(run, "NOT UNDONE", "%s", line);
    }
    buf_free(&left);
}

/* The probes may have gone by now, and the gate has no say: these steps clean up. */
void always_begin(struct Run *run, bool not_undone)
{
    run->not_undone = not_undone;
    if (not_undone)
        say_left(run);
    run->step = (uint32_t)run->scenario->always;
    run->step_started = false;
}

void step_over(struct Run *run)
{
    run->step_ended = mono_now();
    until_close(run);
    figures_step_over(run);
    run->step++;
    run->step_started = false;
}

enum Verdict step_verdict(const struct Run *run)
{
    return run->any_sent || run->fault_count == 0 ? VERDICT_FAIL : VERDICT_NOT_READY;
}

/* A group with `for`: undone when its time has come; over when all of it is clear. */
static void group_hold(struct Run *run, struct Mono now)
{
    bool all_clear = true;
    for (size_t at = 0; at < run->group_count; at++) {
        struct FaultRun *fault = run->group[at];
        all_clear = all_clear && fault->state == FAULT_CLEAR && !fault->undo_busy;
        if (fault->given_up) {
            run_abort(run, VERDICT_INCONCLUSIVE, "an undo could not be proven");
            return;
        }
        if (!fault_counts(fault) || fault->undo_busy || mono_before(now, fault->until))
            continue;
        if (fault->undo_tries == 0 || !mono_before(now, fault->undo_again))
            undo_begin(fault);
    }
    if (all_clear)
        step_over(run);
}

void steps_tick(struct Run *run)
{
    struct Mono now = mono_now();
    bool last = run->state == RUN_ALWAYS;
    if (run->step >= (last ? run->scenario->steps.count : run->scenario->always)) {
        run_enter(run, !last ? EVENT_STEPS_DONE : run->not_undone ? EVENT_NOT_UNDONE : EVENT_OVER);
        return;
    }
    const struct StepSpec *step = step_now(run);
    if (!last && !run->step_started && !run_gate_knows(run))
        return;
    if (!run->step_started) {
        run->hurry = false; /* no step was under way that it could mean */
        step_begin(run);
    } else if (run->until != NULL) {
        until_tick(run);
    } else if (step->type == STEP_FAILOVER) {
        step_failover_tick(run, now);
    } else if (step->type != STEP_FAULT) {
        step_pause_tick(run, now);
    } else if (step->kind != NULL && run->group_count > 0 && run->group[0]->until.ns != 0) {
        group_hold(run, now);
    }
    if (last && run->step_started && run->hurry) { /* a second signal: this one, not the next */
        run->hurry = false;
        step_fail(run, VERDICT_FAIL, "a step under `always` was not awaited");
        return;
    }
    if (under_way(run) && run->step_started && (step->type != STEP_WAIT || step->until != NULL) &&
        mono_since(run->step_began, now) > step_longest_ns(step))
        step_late(run);
}
