/* run_silence.c - alerts are silent around a drill, where the environment says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "silence.h"

#define MOMENT_NS (20 * NS_PER_S)

/* Until the last guard has acted, and the service had its time to settle. What arms and proves
 * takes a moment; one that takes longer finds the alerts awake. */
static int64_t lasts_ns(const struct Run *run)
{
    const struct Scenario *scenario = run->scenario;
    const struct StepSpec *steps = scenario->steps.items;
    int64_t ns = scenario->observe_ns + scenario->grace_ns + scenario->settle_ns +
                 scenario_back_ns(scenario);
    for (size_t at = 0; at < scenario->always; at++) {
        bool held = steps[at].type == STEP_FAULT;
        ns += !held ? step_longest_ns(&steps[at])
                    : MOMENT_NS + (steps[at].hold_ns > 0 ? steps[at].hold_ns : 0);
    }
    return ns;
}

static void say_made(struct Run *run, const char *id)
{
    char until[48];
    wall_local((struct Wall){wall_now().ns + lasts_ns(run)}, until);
    run->silenced = true;
    run_event(run, "silence", "%s: alerts of this environment are silent, until %s at the latest",
              id, until);
}

bool silence_stands(struct Run *run)
{
    const struct Environment *environment = run->in.plan->environment;
    const char *said = "";
    struct Err err;
    if (environment->silence == NULL || run->fault_count == 0 || run->silenced)
        return true;
    if (run->silence == NULL)
        run->silence = silence_open(run->in.loop, &err);
    if (run->silence == NULL) {
        run_abort(run, VERDICT_NOT_READY, err.message);
        return false;
    }
    struct SilenceAsk ask = {.spec = environment->silence,
                             .who = run->in.who,
                             .scenario = run->scenario->name,
                             .run = run->in.plan->token.text,
                             .lasts_ns = lasts_ns(run)};
    switch (silence_made(run->silence, &ask, &said)) {
    case KNOWN_UNKNOWN:
        return false;
    case KNOWN_YES:
        say_made(run, said);
        return true;
    case KNOWN_NO:
        break;
    }
    char text[300];
    snprintf(text, sizeof text, "no silence could be made: %s", said);
    run_abort(run, VERDICT_NOT_READY, text);
    return false;
}

static void ended(void *data, const char *why)
{
    struct Run *run = data;
    if (why != NULL)
        run_event(run, "silence", "not ended, so it goes on until its own end: %s", why);
    else if (run->silenced)
        run_event(run, "silence", "ended");
    run_lock_given(run);
}

bool silence_take_back(struct Run *run)
{
    if (run->silence == NULL)
        return false;
    silence_end(run->silence, ended, run);
    return true;
}

void silence_forget(struct Run *run)
{
    silence_close(run->silence);
    run->silence = NULL;
}
