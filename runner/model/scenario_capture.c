/* scenario_capture.c - what steps measure and read, and where both may stand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include <regex.h>
#include <stddef.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "bound.h"
#include "node_edit.h"

/* ---- One capture as a file says it. ---- */

static void capture_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct CaptureFields *capture = record;
    int sources = (capture->out != NULL) + (capture->json != NULL) + (capture->regex != NULL) +
                  (capture->column != NULL);
    regex_t compiled;
    char why[120];
    if (sources != 1) {
        problems_say(decode->problems, ERR_REQUIRED, node->where, NULL,
                     "`%s` says %s it is read from", capture->name,
                     sources == 0 ? "not what" : "twice what");
        err_hint(problems_last(decode->problems),
                 "one of {stdout: int}, {json: PATH}, {regex: \"size ([0-9]+)\"} and, of an sql, "
                 "{column: NAME}");
    }
    if (capture->out != NULL && capture->as != NULL)
        problems_say(decode->problems, ERR_RULE, node_get(node, "as")->where, NULL,
                     "`stdout: %s` says already what it is", capture->out);
    if (capture->regex == NULL || reference_present(capture->regex))
        return;
    for (const char *at = strchr(capture->regex, '\\'); at != NULL && at[1] != '\0';
         at = strchr(at + 2, '\\'))
        if (at[1] >= '1' && at[1] <= '9') {
            problems_say(decode->problems, ERR_VALUE, node_get(node, "regex")->where, NULL,
                         "'%s' refers back, which may take for ever", capture->regex);
            return;
        }
    int failed = regcomp(&compiled, capture->regex, REG_EXTENDED);
    if (failed != 0)
        regerror(failed, &compiled, why, sizeof why);
    if (failed == 0) {
        regfree(&compiled);
        return;
    }
    problems_say(decode->problems, ERR_VALUE, node_get(node, "regex")->where, NULL,
                 "'%s' is no regular expression", capture->regex);
    err_at(problems_last(decode->problems), "%s", why);
}

#define AT(member) .offset = offsetof(struct CaptureFields, member)

static const struct Choice AS[] = {
    {"text", FIGURE_TEXT, "A text, without the ends of its last line."},
    {"int", FIGURE_INT, "A whole number."},
    {"seconds", FIGURE_SECONDS, "A number of seconds, which bounds judge as a duration."},
    {.name = NULL},
};
static const struct Field CAPTURE_FIELDS[] = {
    {.name = "", .type = FIELD_NAME, AT(name), .flags = FIELD_SNAKE},
    {.name = "stdout",
     .type = FIELD_TEXT,
     AT(out),
     .choices = AS,
     .example = "int",
     .doc = "The whole output, and what it is."},
    {.name = "json",
     .type = FIELD_TEXT,
     AT(json),
     .example = "0.backup.-1.label",
     .doc = "The path to a value in JSON output: names and indices, -1 for the last."},
    {.name = "regex",
     .type = FIELD_TEXT,
     AT(regex),
     .example = "\"size ([0-9]+)\"",
     .doc = "An extended regular expression; its first group, or all that it matches."},
    {.name = "column",
     .type = FIELD_TEXT,
     AT(column),
     .example = "orders",
     .doc = "Of an `sql`: the column of its first row."},
    {.name = "as",
     .type = FIELD_TEXT,
     AT(as),
     .choices = AS,
     .example = "int",
     .doc = "What the value of json, regex or column is; default: a text."},
    {.name = "", .type = FIELD_NODE, AT(node)},
    {.name = NULL},
};
const struct Record CAPTURE_RECORD = {
    .name = "capture",
    .doc = "A value read from the output of a step; later ones know it as ${capture.NAME}.",
    .size = sizeof(struct CaptureFields),
    .fields = CAPTURE_FIELDS,
    .check = capture_check,
};

/* ---- From fields to values. ---- */

const struct FigureSpec *scenario_figure(const struct Scenario *scenario, const char *name)
{
    const struct FigureSpec *figures = scenario->figures.items;
    for (size_t i = 0; i < scenario->figures.count; i++)
        if (text_equal(figures[i].name, name))
            return &figures[i];
    return NULL;
}

static void say_taken(struct ScenarioBuild *build, const char *name, struct Where where)
{
    const struct FigureSpec *other = scenario_figure(build->scenario, name);
    if (other != NULL)
        err_note(scenario_say(build, ERR_DUPLICATE_KEY, where, "`%s` is measured already", name),
                 "on line %u", other->where.line);
    if (node_get(node_get(build->root, "probes"), name) != NULL)
        scenario_say(build, ERR_DUPLICATE_KEY, where, "`%s` is the name of a probe", name);
}

static void add_figure(struct ScenarioBuild *build, const struct FigureSpec *figure)
{
    say_taken(build, figure->name, figure->where);
    *(struct FigureSpec *)list_add(&build->scenario->figures, build->arena, sizeof *figure) =
        *figure;
}

static enum FigureType type_of(const struct CaptureFields *fields)
{
    const char *word = fields->out != NULL ? fields->out : fields->as;
    for (const struct Choice *choice = AS; word != NULL && choice->name != NULL; choice++)
        if (text_equal(choice->name, word))
            return (enum FigureType)choice->value;
    return FIGURE_TEXT;
}

void scenario_captures(struct ScenarioBuild *build, const struct StepFields *fields,
                       struct StepSpec *step)
{
    const struct CaptureFields *captures = fields->capture.items;
    for (size_t i = 0; i < fields->capture.count; i++) {
        if (captures[i].node == NULL)
            continue;
        struct CaptureSpec *spec = list_add(&step->captures, build->arena, sizeof *spec);
        *spec = (struct CaptureSpec){.name = captures[i].name,
                                     .type = type_of(&captures[i]),
                                     .json = captures[i].json,
                                     .regex = captures[i].regex,
                                     .column = captures[i].column};
        add_figure(build, &(struct FigureSpec){.name = spec->name,
                                               .type = spec->type,
                                               .where = captures[i].node->where});
    }
    const char *const *clocks = fields->measure.items;
    step->measures = fields->measure;
    for (size_t i = 0; i < fields->measure.count; i++) {
        const struct FigureSpec *known =
            clocks[i] != NULL ? scenario_figure(build->scenario, clocks[i]) : NULL;
        if (clocks[i] != NULL && (known == NULL || known->type != FIGURE_CLOCK))
            add_figure(build,
                       &(struct FigureSpec){.name = clocks[i],
                                            .type = FIGURE_CLOCK,
                                            .where = node_get(fields->node, "measure")->where});
    }
}

/* ---- What judges them. ---- */

static bool fits(enum BoundWord word, enum FigureType type)
{
    if (type == FIGURE_CLOCK)
        return word == BOUND_MAX || word == BOUND_MIN;
    return type != FIGURE_TEXT || word == BOUND_EQUALS;
}

/* The limit as its figure's type reads it; what is wrong is said by scenario_check_figures. */
bool scenario_limit(const struct Scenario *scenario, struct Expectation *bound, const char **why)
{
    const struct FigureSpec *figure = scenario_figure(scenario, bound->probe);
    *why = NULL;
    if (figure == NULL || figure->type == FIGURE_TEXT || reference_present(bound->text))
        return true;
    bound->limit_is_duration = figure->type != FIGURE_INT;
    return bound->limit_is_duration ? duration_parse(bound->text, &bound->limit, why)
                                    : int_parse(bound->text, &bound->limit, why);
}

static void check_bound(struct ScenarioBuild *build, const struct Expectation *bound)
{
    static const char *const TYPES[] = {"a clock", "a text", "a whole number", "seconds"};
    const struct FigureSpec *figure = scenario_figure(build->scenario, bound->probe);
    struct Where where = bound->when == WHEN_ALL
                             ? bound_place(build, "expect", bound->probe, bound->word)
                             : bound->where;
    bool of_figure = bound_row(bound->word)->needs == BOUND_NEEDS_FIGURE;
    struct Expectation parsed = *bound;
    const char *why = NULL;
    if (figure == NULL && of_figure && scenario_probe(build->scenario, bound->probe) != NULL)
        err_hint(scenario_say(build, ERR_RULE, where, "`%s` does not fit probe `%s`",
                              bound_name(bound->word), bound->probe),
                 "max, min and equals are asked of what a step measures or captures");
    else if (figure != NULL && (!of_figure || !fits(bound->word, figure->type)))
        err_at(scenario_say(build, ERR_RULE, where, "`%s` does not fit `%s`",
                            bound_name(bound->word), bound->probe),
               "it is %s, for %s", TYPES[figure->type],
               figure->type == FIGURE_TEXT    ? "`equals`"
               : figure->type == FIGURE_CLOCK ? "`max` and `min`"
                                              : "`max`, `min` and `equals`");
    else if (figure != NULL && !scenario_limit(build->scenario, &parsed, &why))
        err_at(scenario_say(build, ERR_VALUE, bound->where, "'%s' is no limit of `%s`", bound->text,
                            bound->probe),
               "%s", why);
}

/* ---- Where ${capture.NAME} may stand. ---- */

struct Captures {
    struct ScenarioBuild *build;
    const struct Node *scalar;
    size_t step; /* those of earlier steps are known; 0 = none is */
    bool allowed;
};

static bool captured_before(const struct Captures *captures, const char *name)
{
    const struct StepSpec *steps = captures->build->scenario->steps.items;
    for (size_t i = 0; i < captures->step; i++) {
        const struct CaptureSpec *specs = steps[i].captures.items;
        const struct StepSpec *step = &steps[captures->step];
        if (step->timed || (step->together != 0 && steps[i].together == step->together))
            continue; /* it may not be over by then */
        for (size_t k = 0; k < steps[i].captures.count; k++)
            if (text_equal(specs[k].name, name))
                return true;
    }
    return false;
}

static void look_at(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Captures *captures = data;
    (void)start;
    (void)size;
    if (!text_equal(ns, "capture") || (captures->allowed && captured_before(captures, name)))
        return;
    struct Err *err = scenario_say(captures->build, ERR_REFERENCE, captures->scalar->where,
                                   captures->allowed ? "`${capture.%s}` is captured by a later step"
                                                     : "there is no `${capture.%s}` here",
                                   name);
    err_hint(err,
             "the text of a `run`, its `undo` and `proof`, or of a `note`, after it was captured");
}

static void look(void *data, const struct Node *scalar)
{
    struct Captures *captures = data;
    captures->scalar = scalar;
    reference_each(scalar->text, look_at, captures);
}

/* A fault's own shell texts: filled in when it is armed. */
static bool fills_late(const struct StepSpec *step, const char *key)
{
    if (step->kind == NULL || !step->kind->fills_late)
        return false;
    bool own = text_equal(key, step->kind->name);
    const struct Field *field = step->kind->config.fields;
    for (; field->name != NULL; field++)
        if (own ? (field->flags & FIELD_SUBJECT) != 0 : text_equal(field->name, key))
            return (field->flags & FIELD_SCRIPT) != 0;
    return false;
}

/* Rows have columns, and nothing else has. */
static void check_columns(struct ScenarioBuild *build, const struct StepSpec *step,
                          const struct Node *node)
{
    const struct CaptureSpec *specs = step->captures.items;
    for (size_t i = 0; i < step->captures.count; i++) {
        bool of_rows = step->type == STEP_SQL;
        const struct Node *one = node_get(node_get(node, "capture"), specs[i].name);
        if ((specs[i].column != NULL) == of_rows || one == NULL)
            continue;
        err_hint(
            scenario_say(build, ERR_RULE, one->where,
                         of_rows ? "`%s` is read from no column" : "`%s` is read from a column",
                         specs[i].name),
            of_rows ? "an `sql` has rows: {column: NAME, as: int}"
                    : "only an `sql` has rows: stdout, json or regex");
    }
}

static void check_step(struct ScenarioBuild *build, size_t index)
{
    const struct Node *node = scenario_step_node(build, index);
    const struct StepSpec *step = (const struct StepSpec *)build->scenario->steps.items + index;
    const char *key = step->type == STEP_RUN ? "run" : step->type == STEP_NOTE ? "note" : "";
    for (size_t i = 0; node->type == NODE_MAP && i < node->count; i++) {
        struct Captures captures = {.build = build, .step = index};
        captures.allowed =
            text_equal(node->keys[i]->text, key) || fills_late(step, node->keys[i]->text);
        node_each_scalar(node->items[i], look, &captures);
    }
    bool captures = step->captures.count > 0;
    bool one = step->type == STEP_REQUEST || step->type == STEP_SQL ||
               (step->target != NULL && step->target->pick.type == PICK_COUNT &&
                step->target->pick.value == 1);
    check_columns(build, step, node);
    if (captures && step->type != STEP_RUN && step->type != STEP_REQUEST && step->type != STEP_SQL)
        err_hint(scenario_say(build, ERR_RULE, node_key(node, "capture")->where,
                              "`%s` has no output to capture", step->name),
                 "`run` and `http` that are no faults have, and `sql`");
    else if (captures && !one)
        err_hint(scenario_say(build, ERR_RULE, node_key(node, "capture")->where,
                              "`%s` may run on several hosts: whose output is captured?",
                              step->name),
                 "pick: 1");
}

void scenario_check_figures(struct ScenarioBuild *build)
{
    const struct Expectation *bounds = build->scenario->expectations.items;
    const struct Node *root = build->root;
    for (size_t i = 0; i < build->scenario->expectations.count; i++)
        check_bound(build, &bounds[i]);
    for (size_t i = 0; i < root->count; i++)
        if (!text_equal(root->keys[i]->text, "steps") && !text_equal(root->keys[i]->text, "always"))
            node_each_scalar(root->items[i], look, &(struct Captures){.build = build});
    for (size_t i = 0; i < build->scenario->steps.count; i++)
        check_step(build, i);
}
