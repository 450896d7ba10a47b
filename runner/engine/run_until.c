/* run_until.c - a step that begins, or is over, when a probe is good: asked until then. */
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

void until_close(struct StepRun *step)
{
    if (step->until != NULL)
        prober_stop(step->until->prober);
    step->until = NULL;
}

static bool open_until(struct StepRun *step, const struct ProbeSpec *spec,
                       const struct Target *host)
{
    struct Run *run = step->run;
    struct Err err;
    struct Until *until = arena_zero(run->arena, 1, sizeof *until);
    struct ScriptInput values = plan_script_input(run->in.plan, host);
    until->spec = *spec;
    until->plan = (struct Plan){.environment = run->in.plan->environment,
                                .made = run->in.plan->made,
                                .token = run->in.plan->token};
    *(struct BoundProbe *)list_add(&until->plan.probes, run->arena, sizeof(struct BoundProbe)) =
        (struct BoundProbe){.spec = &until->spec};
    if (probe_config(&values, spec, run->arena, &until->spec.config, &err))
        until->prober = prober_start(&(struct ProberInput){.plan = &until->plan}, &err);
    if (until->prober == NULL) {
        step_fail(step, step_verdict(run), err.message);
        return false;
    }
    step->until = until;
    step->until_from = mono_now();
    return true;
}

bool when_open(struct StepRun *step)
{
    return open_until(step, step->spec->when, NULL);
}

void step_done(struct StepRun *step, const struct Target *host)
{
    if (step->spec->until == NULL)
        step_over(step);
    else
        (void)open_until(step, step->spec->until, host);
}

/* Good at some time since the last attempt that was not. */
bool until_good(struct StepRun *step)
{
    struct Flight flight;
    while (prober_take(step->until->prober, &flight)) {
        if (flight.type == FLIGHT_DETAIL)
            snprintf(step->until->detail, sizeof step->until->detail, "%s", flight.detail.text);
        if (flight.type != FLIGHT_SAMPLE || flight.sample.outcome == OUTCOME_BROKEN ||
            flight.sample.outcome == OUTCOME_SKIPPED)
            continue;
        if (flight.sample.outcome == OUTCOME_OK) {
            run_event(step->run, step->state == STEP_AWAITED ? "when" : "until",
                      "step %u: %s is good", step->index + 1, step->until->spec.kind->name);
            return true;
        }
        step->until_from = flight.sample.started;
    }
    return false;
}

const char *until_lacks(const struct StepRun *step)
{
    return step->until->detail[0] != '\0' ? step->until->detail : "no good answer";
}
