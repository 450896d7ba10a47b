/* scenario_refs.c - what ${ns.name} stands for in a scenario. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"
#include "file_rules.h"
#include "node_edit.h"
#include <string.h>

static const char *const HOST_WORDS[] = {"name", "address"};
static const char *const RUN_WORDS[] = {"id"};

static void add_name(struct List *names, struct Arena *arena, const char *name)
{
    const char **slot = list_add(names, arena, sizeof *slot);
    *slot = name;
}

static enum RefAnswer unknown(const struct List *found, const char *const **names, size_t *count)
{
    *names = found->items;
    *count = found->count;
    return REF_UNKNOWN;
}

static enum RefAnswer answer_param(struct ScenarioBuild *build, const char *name,
                                   const char **value, const char *const **names, size_t *count)
{
    const struct ParamSpec *params = build->scenario->params.items;
    struct List found = {.items = NULL};
    for (size_t i = 0; i < build->scenario->params.count; i++) {
        add_name(&found, build->arena, params[i].name);
        if (!text_equal(params[i].name, name))
            continue;
        *value = params[i].value;
        return REF_VALUE;
    }
    return unknown(&found, names, count);
}

static enum RefAnswer answer_pairs(struct ScenarioBuild *build, const struct List *pairs,
                                   const char *name, const char **value, const char *const **names,
                                   size_t *count)
{
    const struct TextPair *pair = pairs->items;
    struct List found = {.items = NULL};
    for (size_t i = 0; i < pairs->count; i++) {
        add_name(&found, build->arena, pair[i].name);
        if (!text_equal(pair[i].name, name))
            continue;
        *value = pair[i].value;
        return build->resolve ? REF_VALUE : REF_LATER;
    }
    return unknown(&found, names, count);
}

static enum RefAnswer answer_secret(struct ScenarioBuild *build, const char *name,
                                    const char *const **names, size_t *count)
{
    const struct List *secrets = &build->input->environment->secrets;
    const struct SecretSpec *secret = secrets->items;
    struct List found = {.items = NULL};
    for (size_t i = 0; i < secrets->count; i++) {
        if (text_equal(secret[i].name, name))
            return REF_LATER;
        add_name(&found, build->arena, secret[i].name);
    }
    return unknown(&found, names, count);
}

/* target.NAME.address: the host that was drawn, once it was. */
static enum RefAnswer answer_target(struct ScenarioBuild *build, const char *name,
                                    const char **value, const char *const **names, size_t *count)
{
    const struct Node *targets = node_get(build->root, "targets");
    struct List found = {.items = NULL};
    for (size_t i = 0; targets != NULL && targets->type == NODE_MAP && i < targets->count; i++) {
        const char *target = targets->keys[i]->text;
        const char *full = arena_printf(build->arena, "%s.address", target);
        add_name(&found, build->arena, full);
        if (!text_equal(full, name))
            continue;
        const char *address = NULL;
        if (build->resolve && build->input->target_address != NULL)
            address = build->input->target_address(build->input->target_data, target);
        *value = address;
        return address != NULL ? REF_VALUE : REF_LATER;
    }
    return unknown(&found, names, count);
}

/* True where one of the steps, or of those beside each other among them, captures it. */
static bool find_capture(struct ScenarioBuild *build, const struct Node *steps, const char *name,
                         struct List *found)
{
    for (size_t i = 0; steps != NULL && steps->type == NODE_LIST && i < steps->count; i++) {
        const struct Node *captures = node_get(steps->items[i], "capture");
        if (find_capture(build, node_get(steps->items[i], "parallel"), name, found))
            return true;
        if (captures == NULL || captures->type != NODE_MAP)
            continue;
        for (size_t k = 0; k < captures->count; k++) {
            if (text_equal(captures->keys[k]->text, name))
                return true;
            add_name(found, build->arena, captures->keys[k]->text);
        }
    }
    return false;
}

/* Known by name; where one may stand is looked at once all is decoded. */
static enum RefAnswer answer_capture(struct ScenarioBuild *build, const char *name,
                                     const char *const **names, size_t *count)
{
    struct List found = {.items = NULL};
    if (find_capture(build, node_get(build->root, "steps"), name, &found))
        return REF_LATER;
    return unknown(&found, names, count);
}

static enum RefAnswer answer_word(const char *const *words, size_t word_count, const char *name,
                                  const char *const **names, size_t *count)
{
    for (size_t i = 0; i < word_count; i++)
        if (text_equal(words[i], name))
            return REF_LATER;
    *names = words;
    *count = word_count;
    return REF_UNKNOWN;
}

enum RefAnswer scenario_answer(void *data, const char *ns, const char *name, const char **value,
                               const char *const **names, size_t *count)
{
    struct ScenarioBuild *build = data;
    const struct Environment *environment = build->input->environment;
    if (text_equal(ns, "param"))
        return answer_param(build, name, value, names, count);
    if (text_equal(ns, "target"))
        return answer_target(build, name, value, names, count);
    if (text_equal(ns, "host"))
        return answer_word(HOST_WORDS, COUNT_OF(HOST_WORDS), name, names, count);
    if (text_equal(ns, "run"))
        return answer_word(RUN_WORDS, COUNT_OF(RUN_WORDS), name, names, count);
    if (text_equal(ns, "capture"))
        return answer_capture(build, name, names, count);
    bool is_endpoint = text_equal(ns, "endpoint"), is_secret = text_equal(ns, "secret");
    if (!is_endpoint && !is_secret && !text_equal(ns, "env"))
        return REF_NO_SPACE;
    if (environment == NULL)
        return REF_LATER;
    if (is_secret)
        return answer_secret(build, name, names, count);
    const struct List *pairs = is_endpoint ? &environment->endpoints : &environment->vars;
    return answer_pairs(build, pairs, name, value, names, count);
}

/* ---- Where a reference may stand. ---- */
struct Looking {
    struct ScenarioBuild *build;
    const char *what, *help;
    const struct Node *scalar;
};

static void look_at(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    const struct Looking *looking = data;
    (void)start;
    (void)size;
    if (text_equal(ns, "host") || text_equal(ns, "run"))
        err_hint(scenario_say(looking->build, ERR_REFERENCE, looking->scalar->where,
                              "there is no `${%s.%s}` in %s", ns, name, looking->what),
                 "%s", looking->help);
}

static void look(void *data, const struct Node *scalar)
{
    struct Looking *looking = data;
    looking->scalar = scalar;
    reference_each(scalar->text, look_at, looking);
}

static void check_part(struct ScenarioBuild *build, const char *key, const char *what,
                       const char *help)
{
    bool unused = true;
    const struct Node *part = node_get(build->root, key);
    struct Looking looking = {.build = build, .what = what, .help = help};
    node_each_scalar(part, look, &looking);
    secret_stands_alone(part, build->problems, &unused);
}

void scenario_check_references(struct ScenarioBuild *build)
{
    check_part(build, "probes", "a probe",
               "a probe asks from here: name a target, ${target.NAME.address}");
    check_part(build, "notify", "`notify`", "who is told stands in the file, or is a secret");
}
