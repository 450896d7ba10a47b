/* run_pauses.c - steps that wait, note or ask: nothing of them is on a host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

static const struct StepSpec *step_now(const struct Run *run)
{
    return (const struct StepSpec *)run->scenario->steps.items + run->step;
}

void step_pause_begin(struct Run *run)
{
    const struct StepSpec *step = step_now(run);
    if (step->type == STEP_NOTE) {
        const char *text = figures_fill(run, step->said);
        if (text == NULL)
            return;
        run_event(run, "note", "%s", text);
        step_over(run);
    } else if (step->type == STEP_ASK) {
        run->answer = KNOWN_UNKNOWN;
        run->asking = true;
        run_event(run, "ask", "%s", step->said);
        if (run->in.watch.ask != NULL)
            run->in.watch.ask(run->in.watch.ask_data, step->said);
    } else if (step->type == STEP_STEADY) {
        for (size_t at = 0; at < run->scenario->probes.count; at++)
            run->oks[at].count = 0; /* what was good before says nothing of now */
    }
}

static void ask_tick(struct Run *run)
{
    char text[300];
    if (run->answer == KNOWN_UNKNOWN)
        return;
    if (run->answer == KNOWN_YES) {
        run_event(run, "ask", "%s said yes", run->in.who);
        step_over(run);
        return;
    }
    snprintf(text, sizeof text, "halted: %s said no to \"%.180s\"", run->in.who,
             step_now(run)->said);
    run_abort(run, VERDICT_HALTED, text);
}

void step_pause_tick(struct Run *run, struct Mono now)
{
    const struct StepSpec *step = step_now(run);
    if (step->type == STEP_ASK)
        ask_tick(run);
    else if (step->type == STEP_WAIT && mono_since(run->step_began, now) >= step->wait_ns)
        step_done(run, NULL);
    else if (step->type == STEP_STEADY && probes_steady(run, run->scenario->steady_ns, false) &&
             sight_whole(run->sight))
        step_over(run);
}

void step_late(struct Run *run)
{
    const struct StepSpec *step = step_now(run);
    char text[300];
    if (step->type == STEP_FAULT || step->type == STEP_FAILOVER) {
        run_abort(run, VERDICT_INCONCLUSIVE, "a step did not end within its timeout");
        return;
    }
    if (step->type == STEP_ASK)
        snprintf(text, sizeof text, "step %u: nobody answered within its timeout", run->step + 1);
    else if (step->type == STEP_STEADY)
        snprintf(text, sizeof text, "step %u: not steady within its timeout: %.200s", run->step + 1,
                 unsteady_what(run));
    else if (run->until != NULL)
        snprintf(text, sizeof text, "step %u: its `until` was not good within its timeout: %.150s",
                 run->step + 1, until_lacks(run));
    else
        snprintf(text, sizeof text, "step %u did not end within its timeout", run->step + 1);
    step_fail(run, step_verdict(run), text);
}

void run_answer(struct Run *run, bool yes)
{
    if (!run->asking)
        return;
    run->answer = yes ? KNOWN_YES : KNOWN_NO;
    run->asking = false;
}

void step_unask(struct Run *run)
{
    if (run->asking && run->in.watch.ask != NULL)
        run->in.watch.ask(run->in.watch.ask_data, NULL);
    run->asking = false;
}
