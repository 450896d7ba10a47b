/* run_until.c - a step that is over when a probe is good: asked from the end of its work on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"
#include "run_parts.h"

/* A prober of its own; its samples are kept nowhere. */
struct Until {
    struct Plan plan; /* of this probe alone */
    struct ProbeSpec spec;
    struct Prober *prober;
    char detail[120]; /* of the last failure */
};

void until_close(struct Run *run)
{
    if (run->until != NULL)
        prober_stop(run->until->prober);
    run->until = NULL;
}

void step_done(struct Run *run, const struct Target *host)
{
    const struct StepSpec *step = (const struct StepSpec *)run->scenario->steps.items + run->step;
    struct Err err;
    if (step->until == NULL) {
        step_over(run);
        return;
    }
    struct Until *until = arena_zero(run->arena, 1, sizeof *until);
    struct ScriptInput values = plan_script_input(run->in.plan, host);
    until->spec = *step->until;
    until->plan = (struct Plan){.environment = run->in.plan->environment,
                                .made = run->in.plan->made,
                                .token = run->in.plan->token};
    *(struct BoundProbe *)list_add(&until->plan.probes, run->arena, sizeof(struct BoundProbe)) =
        (struct BoundProbe){.spec = &until->spec};
    if (probe_config(&values, step->until, run->arena, &until->spec.config, &err))
        until->prober = prober_start(&(struct ProberInput){.plan = &until->plan}, &err);
    if (until->prober == NULL) {
        step_fail(run, step_verdict(run), err.message);
        return;
    }
    run->until = until;
    run->until_from = mono_now();
}

/* Good at some time since the last attempt that was not. */
void until_tick(struct Run *run)
{
    struct Flight flight;
    while (prober_take(run->until->prober, &flight)) {
        if (flight.type == FLIGHT_DETAIL)
            snprintf(run->until->detail, sizeof run->until->detail, "%s", flight.detail.text);
        if (flight.type != FLIGHT_SAMPLE || flight.sample.outcome == OUTCOME_BROKEN ||
            flight.sample.outcome == OUTCOME_SKIPPED)
            continue;
        if (flight.sample.outcome == OUTCOME_OK) {
            run_event(run, "until", "step %u: %s is good", run->step + 1,
                      run->until->spec.kind->name);
            step_over(run);
            return;
        }
        run->until_from = flight.sample.started;
    }
}

const char *until_lacks(const struct Run *run)
{
    return run->until->detail[0] != '\0' ? run->until->detail : "no good answer";
}
