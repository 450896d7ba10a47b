/* scenario_defaults.c - `defaults:`, what every step says that does not say it itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "../base/text.h"
#include "node_edit.h"
#include "scenario_build.h"

#define AT(member) .offset = offsetof(struct DefaultsFields, member)

static const struct Field DEFAULTS_FIELDS[] = {
    {.name = "target",
     .type = FIELD_ANY,
     AT(target),
     .example = "lab",
     .doc = "On which hosts a `run`, or an `http` with fault: true, works that names none."},
    {.name = "timeout",
     .type = FIELD_DURATION,
     AT(timeout_ns),
     .flags = FIELD_UNSET,
     .min = NS_PER_S,
     .max = 24 * 3600 * NS_PER_S,
     .example = "2m",
     .doc = "The `timeout` of every step that has none."},
    {.name = NULL},
};
const struct Record DEFAULTS_RECORD = {
    .name = "defaults",
    .doc = "What steps say that do not say it themselves; of included ones too.",
    .size = sizeof(struct DefaultsFields),
    .fields = DEFAULTS_FIELDS,
};

struct Filling {
    const struct VariantSet *verbs;
    const struct Node *target, *timeout;
    struct Arena *arena;
};

static const struct Node *fill_list(const struct Filling *of, const struct Node *steps);

static const struct Variant *verb_of(const struct Filling *of, const struct Node *step)
{
    for (size_t i = 0; i < of->verbs->count; i++)
        if (node_get(step, of->verbs->at[i].name) != NULL)
            return &of->verbs->at[i];
    return NULL;
}

/* Of the verbs that say whom beside, not behind, their own key. */
static bool wants_target(const struct Variant *verb, const struct Node *step)
{
    const struct Field *field = record_field(verb->record, "target");
    const struct Node *fault = node_get(step, "fault");
    bool breaks = fault != NULL && fault->type == NODE_SCALAR && text_equal(fault->text, "true");
    return field != NULL && (field->flags & FIELD_SUBJECT) == 0 &&
           ((field->flags & FIELD_REQUIRED) != 0 || breaks);
}

static const struct Node *with_key(const struct Filling *of, const struct Node *step,
                                   const char *key, const struct Node *value)
{
    if (value == NULL || node_get(step, key) != NULL)
        return step;
    return node_joined(step, node_single(key, value, of->arena), of->arena);
}

static const struct Node *fill(const struct Filling *of, const struct Node *step)
{
    const struct Variant *verb = step->type == NODE_MAP ? verb_of(of, step) : NULL;
    if (verb == NULL)
        return step; /* what is wrong with it is said by its table */
    if (verb->record == &PARALLEL_RECORD)
        return node_with(step, verb->name, fill_list(of, node_get(step, verb->name)), of->arena);
    if (wants_target(verb, step))
        step = with_key(of, step, "target", of->target);
    return with_key(of, step, "timeout", of->timeout);
}

/* A single step needs no brackets. */
static const struct Node *fill_list(const struct Filling *of, const struct Node *steps)
{
    if (steps->type != NODE_LIST)
        return fill(of, steps);
    struct Node *copy = arena_zero(of->arena, 1, sizeof *copy);
    const struct Node **items = arena_zero(of->arena, steps->count + 1, sizeof *items);
    *copy = *steps;
    copy->items = items;
    for (size_t i = 0; i < steps->count; i++)
        items[i] = fill(of, steps->items[i]);
    return copy;
}

const struct Node *scenario_with_defaults(struct ScenarioBuild *build, const struct Node *root)
{
    static const char *const LISTS[] = {"steps", "always"};
    const struct Node *defaults = node_get(root, "defaults");
    struct Filling of = {.verbs = decode_set(&build->decode, STEP_RECORD.variants),
                         .target = node_get(defaults, "target"),
                         .timeout = node_get(defaults, "timeout"),
                         .arena = build->arena};
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        const struct Node *steps = node_get(root, LISTS[i]);
        if (steps != NULL && (of.target != NULL || of.timeout != NULL))
            root = node_with(root, LISTS[i], fill_list(&of, steps), build->arena);
    }
    return root;
}
