/* run_steps.c - the steps of a drill: one after the other, side by side, or each at its time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"
#include "run_parts.h"

#include <string.h>

#include "../base/duration.h"

static bool under_way(const struct Run *run)
{
    return run->state == RUN_STEPS || run->state == RUN_ALWAYS;
}

struct StepCall *step_call(struct StepRun *step)
{
    struct StepCall *call = arena_zero(step->run->arena, 1, sizeof *call);
    *call = (struct StepCall){.step = step};
    return call;
}

bool step_stands(const struct StepRun *step)
{
    return under_way(step->run) && step->state == STEP_UNDER_WAY;
}

enum Verdict step_verdict(const struct Run *run)
{
    return run->any_sent || run->fault_count == 0 ? VERDICT_FAIL : VERDICT_NOT_READY;
}

void step_cannot(struct StepRun *step, const char *why)
{
    step_fail(step, step->run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY, why);
}

static void step_begin(struct StepRun *step)
{
    struct Run *run = step->run;
    const struct StepSpec *spec = step->spec;
    step->state = STEP_UNDER_WAY;
    if (run->state == RUN_STEPS &&
        !run_gate_holds(run, spec->kind != NULL ? step_planned_ns(run->scenario, step->index) : 0))
        return;
    step->began = mono_now(); /* the gate's look may take seconds */
    run_event(run, "step", "%u %s", step->index + 1, spec->name);
    if (!under_way(run)) /* it could not be written down, which halts */
        return;
    figures_step_begins(step);
    switch (spec->type) {
    case STEP_FAULT:
    case STEP_RUN:
        step_hosts_begin(step);
        return;
    case STEP_FAILOVER:
        step_failover_begin(step);
        return;
    case STEP_REQUEST:
        step_request_begin(step);
        return;
    case STEP_SQL:
        step_sql_begin(step);
        return;
    case STEP_WAIT:
    case STEP_STEADY:
    case STEP_NOTE:
    case STEP_ASK:
        step_pause_begin(step);
        return;
    }
}

void steps_begin(struct Run *run)
{
    const struct StepSpec *specs = run->scenario->steps.items;
    size_t count = run->scenario->steps.count;
    run->steps = arena_zero(run->arena, count + 1, sizeof *run->steps);
    for (uint32_t at = 0; at < count; at++)
        run->steps[at] = (struct StepRun){.run = run, .spec = &specs[at], .index = at};
    run->clocks_began =
        arena_zero(run->arena, run->scenario->figures.count + 1, sizeof *run->clocks_began);
}

/* What is answered from here on is for nobody. */
void steps_close(struct Run *run)
{
    run->resolving = NULL;
    for (size_t at = run->first; at < run->end; at++) {
        until_close(&run->steps[at]);
        statement_close(&run->steps[at]);
        step_failover_close(&run->steps[at]);
        run->steps[at].state = STEP_OVER;
    }
    run->first = run->end;
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
    run->first = run->end = run->scenario->always;
}

void step_over(struct StepRun *step)
{
    struct Run *run = step->run;
    if (run->resolving == step)
        run->resolving = NULL;
    step->ended = mono_now();
    figures_step_over(step);
    until_close(step);
    statement_close(step);
    step->state = STEP_OVER;
    run->steps_ended = step->ended;
}

static void step_tick(struct StepRun *step, struct Mono now)
{
    const struct StepSpec *spec = step->spec;
    if (step->until != NULL) {
        if (until_good(step))
            step_over(step);
    } else if (spec->type == STEP_FAILOVER)
        step_failover_tick(step, now);
    else if (spec->type != STEP_FAULT)
        step_pause_tick(step, now);
    else if (step_in_effect(step))
        step_hold(step, now);
    if (step_stands(step) && (spec->type != STEP_WAIT || spec->until != NULL) &&
        mono_since(step->began, now) > step_longest_ns(spec) - spec->within_ns)
        step_late(step);
}

/* Its turn has come; it begins when its `when` is good. */
static void step_await(struct StepRun *step, struct Mono now)
{
    char within[32];
    step->asked = now;
    step->state = STEP_AWAITED;
    duration_say(step->spec->within_ns, within);
    run_event(step->run, "when", "step %u waits for it, %s at most", step->index + 1, within);
    if (under_way(step->run))
        (void)when_open(step);
}

static void when_tick(struct StepRun *step, struct Mono now)
{
    char text[300], within[32];
    if (until_good(step)) {
        until_close(step);
        step->state = STEP_TO_COME;
        step->asked = now;
        return;
    }
    if (step->state != STEP_AWAITED || mono_since(step->asked, now) <= step->spec->within_ns)
        return;
    duration_say(step->spec->within_ns, within);
    snprintf(text, sizeof text, "step %u: its `when` was not good within %s: %.150s",
             step->index + 1, within, until_lacks(step));
    step_fail(step, step_verdict(step->run), text);
}

/* Who leads is asked by one step at a time; the other one's answer would be lost. */
static bool may_begin(const struct StepRun *step, struct Mono now)
{
    const struct Run *run = step->run;
    return !mono_before(now, mono_add(run->together, step->spec->at_ns)) &&
           (run->resolving == NULL || !step_asks_ranks(step));
}

/* A second signal under `always` means this step, not the next. */
static void hurry(struct Run *run)
{
    run->hurry = false;
    for (size_t at = run->first; at < run->end; at++)
        if (run->steps[at].state == STEP_UNDER_WAY || run->steps[at].state == STEP_AWAITED)
            step_fail(&run->steps[at], VERDICT_FAIL, "a step under `always` was not awaited");
}

/* False where the last of them is over. */
static bool open_next(struct Run *run, struct Mono now)
{
    bool last = run->state == RUN_ALWAYS;
    if (run->end >= (last ? run->scenario->steps.count : run->scenario->always))
        return false;
    run->first = run->end;
    run->end = steps_together(run->scenario, run->first);
    run->together = now;
    run->hurry = false; /* no step was under way that it could mean */
    return true;
}

void steps_tick(struct Run *run)
{
    struct Mono now = mono_now();
    enum RunState state = run->state;
    bool last = state == RUN_ALWAYS;
    if (!last && run->first == run->end && !run_gate_knows(run))
        return;
    if (run->first == run->end && !open_next(run, now)) {
        run_enter(run, !last ? EVENT_STEPS_DONE : run->not_undone ? EVENT_NOT_UNDONE : EVENT_OVER);
        return;
    }
    bool over = true;
    for (size_t at = run->first; at < run->end && run->state == state; at++) {
        struct StepRun *step = &run->steps[at];
        if (step->state == STEP_UNDER_WAY)
            step_tick(step, now);
        else if (step->state == STEP_AWAITED)
            when_tick(step, now);
        else if (step->state == STEP_TO_COME && may_begin(step, now)) {
            if (step->spec->when != NULL && step->asked.ns == 0)
                step_await(step, now);
            else
                step_begin(step);
        }
        over = over && step->state == STEP_OVER;
    }
    if (run->state != state)
        return;
    if (last && run->hurry)
        hurry(run);
    if (over)
        run->first = run->end;
}
