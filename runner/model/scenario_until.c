/* scenario_until.c - the probes that say when a step begins and when it is over. */
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
    bool before; /* its host is not drawn yet */
    const struct Node *scalar;
};

static void look_at(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    const struct Looking *looking = data;
    const struct TargetSpec *target = looking->step->target;
    bool one = !looking->before && looking->step->type == STEP_RUN && target != NULL &&
               target->pick.type == PICK_COUNT && target->pick.value == 1;
    (void)name;
    (void)start;
    (void)size;
    if (text_equal(ns, "host") && looking->before)
        err_hint(scenario_say(looking->build, ERR_REFERENCE, looking->scalar->where,
                              "`when` comes before a host is drawn"),
                 "${target.NAME.address}, or the address itself");
    else if (text_equal(ns, "host") && !one)
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
static void check_probe(struct ScenarioBuild *build, const struct StepSpec *step, const char *word,
                        const struct Node *node)
{
    static const char *const WORDS[] = {"from", "control", "hold", "gap"};
    bool before = text_equal(word, "when"), alone = true;
    const struct ProbeSpec *probe = before ? step->when : step->until;
    if (probe->kind->needs_role && probe->role != NULL)
        err_hint(scenario_say(build, ERR_RULE, probe->where, "`%s` names a role, which `%s` cannot",
                              probe->kind->name, word),
                 "ask an address: http, or tcp");
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        const struct Node *key = node_key(node, WORDS[i]);
        if (key != NULL)
            scenario_say(build, ERR_RULE, key->where, "`%s` means nothing for `%s`", WORDS[i],
                         word);
    }
    node_each_scalar(node, look, &(struct Looking){.build = build, .step = step, .before = before});
    secret_stands_alone(node, build->problems, &alone);
}

static void check_when(struct ScenarioBuild *build, const struct StepSpec *step,
                       const struct Node *node)
{
    const struct Node *within = node_key(node, "within");
    if (step->when == NULL && within != NULL)
        err_hint(scenario_say(build, ERR_RULE, within->where, "`within` has no meaning alone"),
                 "it says how long `when` may take; `timeout` is that of the step");
    if (step->when == NULL)
        return;
    if (step->together != 0)
        err_hint(scenario_say(build, ERR_RULE, node_key(node, "when")->where,
                              "`when` has no meaning in `parallel`"),
                 "its steps begin together: say it of a step before it, such as a note");
    check_probe(build, step, "when", node_get(node, "when"));
}

void scenario_check_until(struct ScenarioBuild *build, const struct StepSpec *step, size_t index)
{
    const struct Node *node = scenario_step_node(build, index);
    check_when(build, step, node);
    if (step->until == NULL)
        return;
    const struct Node *until = node_get(node, "until");
    if (step->type != STEP_RUN && step->type != STEP_REQUEST && step->type != STEP_SQL &&
        step->type != STEP_WAIT)
        err_hint(scenario_say(build, ERR_RULE, until->where, "`%s` cannot be ended by `until`",
                              step->name),
                 "run and http that are no faults can, sql, and wait for a time: let one follow");
    check_probe(build, step, "until", until);
}
