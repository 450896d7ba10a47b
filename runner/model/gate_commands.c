/* gate_commands.c - the gate about probes that run commands on the runner's own machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/text.h"

static bool runs(const struct ProbeSpec *probe)
{
    return probe != NULL && probe->kind->runs_command;
}

/* The first probe of the scenario that runs one, or NULL. */
static const char *who_runs(const struct Scenario *scenario)
{
    const struct ProbeSpec *probes = scenario->probes.items;
    const struct StepSpec *steps = scenario->steps.items;
    for (size_t at = 0; at < scenario->probes.count; at++)
        if (runs(&probes[at]))
            return probes[at].name;
    for (size_t at = 0; at < scenario->steps.count; at++)
        if (runs(steps[at].when) || runs(steps[at].until))
            return steps[at].name;
    return NULL;
}

const char *gate_command_closed(const struct Plan *plan, struct Arena *arena)
{
    const char *who = who_runs(plan->scenario);
    if (who == NULL)
        return NULL;
    return arena_printf(arena, "%s runs a command on this machine, which no host's file can allow",
                        who);
}

const char *gate_command_forbidden(const struct Plan *plan, struct Arena *arena)
{
    const struct Target *const *hosts = plan->environment->hosts.items;
    const char *who = who_runs(plan->scenario);
    for (size_t at = 0; who != NULL && at < plan->environment->hosts.count; at++)
        if (hosts[at]->reach != NULL && text_equal(hosts[at]->reach->name, "local") &&
            machine_forbidden(plan->environment, hosts[at]))
            return arena_printf(arena, "host %s is forbidden here, and %s runs a command on it",
                                hosts[at]->name, who);
    return NULL;
}
