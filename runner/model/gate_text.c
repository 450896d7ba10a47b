/* gate_text.c - the rules of the gate that a scenario can break before any host is asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/duration.h"

static bool check_verbs(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    const struct StepSpec *steps = input->scenario->steps.items;
    for (size_t at = 0; at < input->scenario->steps.count; at++) {
        const char *verb = step_verb(&steps[at]);
        if (verb == NULL || !gate_lists(&input->environment->limits.forbidden_faults, verb))
            continue;
        gate_add_rule(rules, arena, "forbid", false,
                      arena_printf(arena, "%s is forbidden here", verb));
        return false;
    }
    return true;
}

bool gate_check_text(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    int64_t limit = input->environment->limits.longest_ns;
    int64_t longest = scenario_longest_ns(input->scenario);
    bool allowed = check_verbs(input, arena, rules);
    if (limit == 0 || longest <= limit)
        return allowed;
    char lasts[32], most[32];
    duration_say(longest, lasts);
    duration_say(limit, most);
    gate_add_rule(rules, arena, "longest_fault", false,
                  arena_printf(arena, "a fault lasts %s with its grace, at most %s", lasts, most));
    return false;
}
