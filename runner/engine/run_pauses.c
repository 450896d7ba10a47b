/* run_pauses.c - steps that wait, note or ask: nothing of them is on a host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#define GO_EVERY 4 /* ticks */

void step_pause_begin(struct StepRun *step)
{
    struct Run *run = step->run;
    const struct StepSpec *spec = step->spec;
    if (spec->type == STEP_NOTE) {
        const char *text = figures_fill(step, spec->said);
        if (text == NULL)
            return;
        run_event(run, "note", "%s", text);
        step_over(step);
    } else if (spec->type == STEP_ASK) {
        run->answer = KNOWN_UNKNOWN;
        run->asking = true;
        run->asked = wall_now();
        run_event(run, "ask", "%s", spec->said);
        if (run->in.watch.ask != NULL)
            run->in.watch.ask(run->in.watch.ask_data, spec->said);
    } else if (spec->type == STEP_STEADY) {
        for (size_t at = 0; at < run->scenario->probes.count; at++)
            run->oks[at].count = 0; /* what was good before says nothing of now */
    }
}

/* From another terminal: `note --go`. */
static void look_for_go(struct StepRun *step)
{
    struct Run *run = step->run;
    const char *who = NULL;
    struct Err err;
    if (run->ticks % GO_EVERY != 0 || !run->stored ||
        !store_go_said(run->in.store, run->in.plan->token.text, run->asked, run->arena, &who,
                       &err) ||
        who == NULL)
        return;
    step_unask(run);
    run_event(run, "ask", "%s said go", who);
    step_over(step);
}

static void ask_tick(struct StepRun *step)
{
    struct Run *run = step->run;
    char text[300];
    if (run->answer == KNOWN_UNKNOWN) {
        look_for_go(step);
        return;
    }
    if (run->answer == KNOWN_YES) {
        run_event(run, "ask", "%s said yes", run->in.who);
        step_over(step);
        return;
    }
    snprintf(text, sizeof text, "halted: %s said no to \"%.180s\"", run->in.who, step->spec->said);
    run_abort(run, VERDICT_HALTED, text);
}

void step_pause_tick(struct StepRun *step, struct Mono now)
{
    const struct StepSpec *spec = step->spec;
    const struct Run *run = step->run;
    if (spec->type == STEP_ASK)
        ask_tick(step);
    else if (spec->type == STEP_WAIT && mono_since(step->began, now) >= spec->wait_ns)
        step_done(step, NULL);
    else if (spec->type == STEP_STEADY && probes_steady(run, run->scenario->steady_ns, false) &&
             sight_whole(run->sight))
        step_over(step);
}

void step_late(struct StepRun *step)
{
    struct Run *run = step->run;
    const struct StepSpec *spec = step->spec;
    uint32_t number = step->index + 1;
    char text[300];
    if (spec->type == STEP_FAULT || spec->type == STEP_FAILOVER) {
        run_abort(run, VERDICT_INCONCLUSIVE, "a step did not end within its timeout");
        return;
    }
    if (step_is_signed(spec)) {
        snprintf(text, sizeof text,
                 "step %u: no answer within its timeout; it was sent, and what AWS did is not "
                 "known",
                 number);
        step_fail(step, VERDICT_INCONCLUSIVE, text);
        return;
    }
    if (spec->type == STEP_ASK)
        snprintf(text, sizeof text, "step %u: nobody answered within its timeout", number);
    else if (spec->type == STEP_STEADY)
        snprintf(text, sizeof text, "step %u: not steady within its timeout: %.200s", number,
                 unsteady_what(run));
    else if (step->until != NULL)
        snprintf(text, sizeof text, "step %u: its `until` was not good within its timeout: %.150s",
                 number, until_lacks(step));
    else
        snprintf(text, sizeof text, "step %u did not end within its timeout", number);
    step_fail(step, step_verdict(run), text);
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
