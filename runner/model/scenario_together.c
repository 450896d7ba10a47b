/* scenario_together.c - steps side by side (`parallel`), and each at its time (`at`). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include <stddef.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "plan.h"

static const struct Field PARALLEL_FIELDS[] = {
    {.name = "steps",
     .type = FIELD_LIST,
     .offset = offsetof(struct ParallelFields, steps),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .min = 2,
     .max = 20,
     .of = &STEP_RECORD,
     .example = "[{isolate: victim, for: 60s}, {cpu_load: other, share: 80%, for: 60s}]",
     .doc =
         "Faults, run, http, note and wait for a time. Their faults are armed one and all, then "
         "fired together: one T0, from the first sent to the last proven, from which every `for` "
         "counts. One that fails undoes all; it is over when all are."},
    {.name = NULL},
};
const struct Record PARALLEL_RECORD = {
    .name = "parallel",
    .doc = "Steps that begin together.",
    .size = sizeof(struct ParallelFields),
    .fields = PARALLEL_FIELDS,
};

static const struct List *beside(const struct StepFields *fields)
{
    const struct Chosen *chosen = &fields->kind;
    if (chosen->variant == NULL || chosen->variant->record != &PARALLEL_RECORD)
        return NULL;
    return &((const struct ParallelFields *)chosen->config)->steps;
}

size_t scenario_count_steps(const struct List *fields)
{
    const struct StepFields *rows = fields->items;
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        const struct List *inner = beside(&rows[i]);
        count += inner != NULL ? scenario_count_steps(inner) : 1;
    }
    return count;
}

/* A step beside others has what it says; of all of them there is nothing to say. */
static void check_alone(struct ScenarioBuild *build, const struct StepFields *fields)
{
    const struct Node *node = fields->node;
    for (size_t i = 0; node->type == NODE_MAP && i < node->count; i++)
        if (!text_equal(node->keys[i]->text, "parallel"))
            err_hint(scenario_say(build, ERR_RULE, node->keys[i]->where,
                                  "`%s` has no meaning for `parallel`", node->keys[i]->text),
                     "say it of the steps that stand in it");
}

static void place(struct ScenarioBuild *build, const struct StepFields *fields, uint32_t together,
                  struct List *out)
{
    if (fields->kind.variant == NULL || fields->node == NULL)
        return;
    const struct List *inner = beside(fields);
    if (inner == NULL) {
        *(struct PlacedStep *)list_add(out, build->arena, sizeof(struct PlacedStep)) =
            (struct PlacedStep){.fields = fields, .together = together};
        return;
    }
    if (together != 0) {
        err_hint(scenario_say(build, ERR_RULE, fields->kind.where,
                              "`parallel` cannot stand in `parallel`"),
                 "its steps begin together all the same: put them into the outer one");
        return;
    }
    check_alone(build, fields);
    const struct StepFields *rows = inner->items;
    uint32_t number = (uint32_t)out->count + 1;
    for (size_t i = 0; i < inner->count; i++)
        place(build, &rows[i], number, out);
}

/* By time; those of one time as they stand. */
static void sort_by_time(struct List *placed)
{
    struct PlacedStep *rows = placed->items;
    for (size_t i = 1; i < placed->count; i++) {
        struct PlacedStep step = rows[i];
        size_t at = i;
        for (; at > 0 && rows[at - 1].fields->at_ns > step.fields->at_ns; at--)
            rows[at] = rows[at - 1];
        rows[at] = step;
    }
}

static bool all_timed(const struct List *placed)
{
    const struct PlacedStep *rows = placed->items;
    for (size_t i = 0; i < placed->count; i++)
        if (rows[i].fields->at_ns == FIELD_NOT_GIVEN || rows[i].together != 0)
            return false;
    return placed->count > 0;
}

struct List scenario_place_steps(struct ScenarioBuild *build, const struct List *fields)
{
    const struct StepFields *rows = fields->items;
    struct List placed = {.items = NULL};
    for (size_t i = 0; i < fields->count; i++)
        place(build, &rows[i], 0, &placed);
    if (all_timed(&placed))
        sort_by_time(&placed);
    return placed;
}

/* ---- Rules ---- */

static void check_beside(struct ScenarioBuild *build, const struct StepSpec *step, bool last)
{
    bool may = step->type == STEP_FAULT || step->type == STEP_RUN || step->type == STEP_REQUEST ||
               step->type == STEP_SQL || step->type == STEP_NOTE || step->type == STEP_WAIT;
    if (step->together != 0 && last)
        err_hint(
            scenario_say(build, ERR_RULE, step->where, "`parallel` has no meaning under `always`"),
            "they come one after the other, each whatever became of the one before");
    else if (step->together != 0 && !may)
        err_hint(
            scenario_say(build, ERR_RULE, step->where, "`%s` cannot stand beside others",
                         step->name),
            "faults, run, http, sql, note and wait for a time can: put it before or after them");
    if (step->timed &&
        (step->type == STEP_ASK || step->type == STEP_WAIT || step->type == STEP_STEADY))
        err_hint(
            scenario_say(build, ERR_RULE, step->where, "`%s` has no time to begin at", step->name),
            "where steps say `at`, none waits for another one");
}

static const struct Node *at_key(const struct ScenarioBuild *build, size_t index)
{
    return node_key(scenario_step_node(build, index), "at");
}

static void check_times(struct ScenarioBuild *build)
{
    const struct Scenario *scenario = build->scenario;
    const struct StepSpec *steps = scenario->steps.items;
    size_t timed = 0, plain = SIZE_MAX, first = SIZE_MAX;
    for (size_t i = 0; i < scenario->always; i++) {
        timed += steps[i].timed ? 1 : 0;
        if (steps[i].timed && first == SIZE_MAX)
            first = i;
        if (!steps[i].timed && plain == SIZE_MAX)
            plain = i;
    }
    for (size_t i = 0; i < scenario->steps.count; i++)
        if (steps[i].timed && (steps[i].together != 0 || i >= scenario->always))
            err_hint(scenario_say(build, ERR_RULE, at_key(build, i)->where,
                                  "`at` has no meaning %s",
                                  steps[i].together != 0 ? "in `parallel`" : "under `always`"),
                     steps[i].together != 0 ? "its steps begin together"
                                            : "they come one after the other");
    if (timed == 0)
        return;
    if (plain != SIZE_MAX && steps[plain].together == 0)
        err_hint(scenario_say(build, ERR_RULE, steps[plain].where, "`%s` does not say `at`",
                              steps[plain].name),
                 "every step says it, or none: then they come top to bottom");
    else if (plain != SIZE_MAX)
        err_hint(scenario_say(build, ERR_RULE, at_key(build, first)->where,
                              "`at` cannot stand with `parallel`"),
                 "steps of the same time begin together");
    else if (steps[0].at_ns != 0)
        err_hint(scenario_say(build, ERR_RULE, at_key(build, 0)->where, "no step begins at 0s"),
                 "times count from the first step: at: 0s");
}

void scenario_check_together(struct ScenarioBuild *build)
{
    const struct StepSpec *steps = build->scenario->steps.items;
    for (size_t i = 0; i < build->scenario->steps.count; i++)
        check_beside(build, &steps[i], i >= build->scenario->always);
    check_times(build);
}
