/* scenario_until.c - the probe that says when a step is over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"
#include "file_rules.h"
#include "node_edit.h"

const struct ProbeSpec *scenario_until(struct ScenarioBuild *build,
                                       const struct ProbeFields *fields)
{
    if (fields == NULL || fields->kind.variant == NULL || fields->node == NULL)
        return NULL;
    struct ProbeSpec *probe = arena_zero(build->arena, 1, sizeof *probe);
    probe_spec(fields, probe);
    probe->name = "until";
    return probe;
}

struct Looking {
    struct ScenarioBuild *build;
    const struct StepSpec *step;
    const struct Node *scalar;
};

static void look_at(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    const struct Looking *looking = data;
    const struct TargetSpec *target = looking->step->target;
    bool one = looking->step->type == STEP_RUN && target != NULL &&
               target->pick.type == PICK_COUNT && target->pick.value == 1;
    (void)name;
    (void)start;
    (void)size;
    if (text_equal(ns, "host") && !one)
        err_hint(scenario_say(looking->build, ERR_REFERENCE, looking->scalar->where,
                              "`%s` does not mean one host: whose address is it?",
                              looking->step->name),
                 "pick: 1, or ${target.NAME.address}");
}

static void look(void *data, const struct Node *scalar)
{
    struct Looking *looking = data;
    looking->scalar = scalar;
    reference_each(scalar->text, look_at, looking);
}

/* It is asked from here, for as long as the step lasts; its samples are kept nowhere. */
void scenario_check_until(struct ScenarioBuild *build, const struct StepSpec *step, size_t index)
{
    static const char *const WORDS[] = {"from", "control", "hold", "gap"};
    const struct ProbeSpec *until = step->until;
    if (until == NULL)
        return;
    const struct Node *node = node_get(scenario_step_node(build, index), "until");
    bool alone = true;
    if (step->type != STEP_RUN && step->type != STEP_REQUEST && step->type != STEP_WAIT)
        err_hint(scenario_say(build, ERR_RULE, node->where, "`%s` cannot be ended by `until`",
                              step->name),
                 "run and http that are no faults can, and wait for a time: let one follow");
    if (until->kind->needs_role)
        err_hint(scenario_say(build, ERR_RULE, until->where,
                              "`%s` names a role, which `until` cannot", until->kind->name),
                 "ask an address: http, or tcp");
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        const struct Node *key = node_key(node, WORDS[i]);
        if (key != NULL)
            scenario_say(build, ERR_RULE, key->where, "`%s` means nothing for `until`", WORDS[i]);
    }
    node_each_scalar(node, look, &(struct Looking){.build = build, .step = step});
    secret_stands_alone(node, build->problems, &alone);
}
