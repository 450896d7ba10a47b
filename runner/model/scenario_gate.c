/* scenario_gate.c - rules of the gate that stand in no environment, and how they are written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_fields.h"
#include "gate.h"
#include "scenario_build.h"

#include "../base/text.h"

/* What is spelt wrong would forbid nothing. */
static bool check_verbs(const struct ForbidFields *forbid, const struct Kinds *kinds,
                        struct Problems *problems)
{
    bool good = true;
    const char *const *words = forbid->faults.items;
    for (size_t i = 0; i < forbid->faults.count; i++) {
        if (kinds_has_verb(kinds, words[i]))
            continue;
        problems_say(problems, ERR_VALUE, node_get(forbid->node, "faults")->where, NULL,
                     "there is no verb '%s'", words[i]);
        err_hint(problems_last(problems), "faildrill explain steps");
        good = false;
    }
    return good;
}

bool gate_check_more(const struct GateFields *gate, const struct Kinds *kinds, struct Arena *arena,
                     struct Problems *problems)
{
    struct GateTimes times = {.zone = NULL};
    bool timely = gate_times_read(gate, arena, problems, &times);
    return (gate->forbid == NULL || check_verbs(gate->forbid, kinds, problems)) && timely;
}

void scenario_check_gate(struct ScenarioBuild *build)
{
    const struct GateFields *gate = build->fields.gate;
    if (gate == NULL)
        return;
    (void)gate_check_more(gate, build->input->kinds, build->arena, build->problems);
    if (gate->forbid != NULL && gate->forbid->hosts.count > 0)
        err_hint(scenario_say(build, ERR_RULE, node_key(gate->forbid->node, "hosts")->where,
                              "a scenario knows no hosts"),
                 "forbid faults or classes here, hosts in the environment");
}
