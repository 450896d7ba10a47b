/* scenario_params.c - parameters: declared in the file, given on the command line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "node_edit.h"

static const struct ParamValue *given(const struct ScenarioBuild *build, const char *name)
{
    for (size_t i = build->input->param_count; i > 0; i--)
        if (text_equal(build->input->params[i - 1].name, name))
            return &build->input->params[i - 1];
    return NULL;
}

/* The number that a text means for this type; *why says what is wrong. */
static bool number_of(int type, const char *text, int64_t *number, const char **why)
{
    if (type == PARAM_INT)
        return int_parse(text, number, why);
    if (type == PARAM_DURATION)
        return duration_parse(text, number, why);
    return share_parse(text, number, why);
}

static bool has_number(int type)
{
    return type == PARAM_INT || type == PARAM_DURATION || type == PARAM_SHARE;
}

static bool in_list(const struct List *of, const char *text)
{
    const char *const *names = of->items;
    for (size_t i = 0; i < of->count; i++)
        if (text_equal(names[i], text))
            return true;
    return false;
}

/* Says what is wrong with a value, if anything. `where` is the declaration, or nowhere for -p. */
static void check_value(struct ScenarioBuild *build, const struct ParamFields *param,
                        const char *text, struct Where where)
{
    const char *why = "";
    int64_t value = 0, limit = 0;
    if (reference_present(text)) {
        err_hint(scenario_say(build, ERR_PARAM, where,
                              "the value of parameter `%s` cannot refer to another", param->name),
                 "a default may be one whole ${param.NAME} that stands above");
        return;
    }
    if (has_number(param->type) && !number_of(param->type, text, &value, &why)) {
        err_at(scenario_say(build, ERR_PARAM, where, "'%s' does not fit parameter `%s`", text,
                            param->name),
               "%s", why);
        return;
    }
    if (has_number(param->type) && param->least != NULL &&
        number_of(param->type, param->least, &limit, &why) && value < limit)
        err_at(scenario_say(build, ERR_PARAM, where, "%s is too little for parameter `%s`", text,
                            param->name),
               "%s at least", param->least);
    if (has_number(param->type) && param->most != NULL &&
        number_of(param->type, param->most, &limit, &why) && value > limit)
        err_at(scenario_say(build, ERR_PARAM, where, "%s is too much for parameter `%s`", text,
                            param->name),
               "%s at most", param->most);
    if (param->type == PARAM_BOOL && !text_equal(text, "true") && !text_equal(text, "false"))
        err_at(scenario_say(build, ERR_PARAM, where, "'%s' does not fit parameter `%s`", text,
                            param->name),
               "true or false");
    if (param->type != PARAM_CHOICE || in_list(&param->of, text))
        return;
    struct Err *err = scenario_say(build, ERR_PARAM, where, "'%s' does not fit parameter `%s`",
                                   text, param->name);
    for (size_t i = 0; i < param->of.count; i++)
        err_allow(err, ((const char *const *)param->of.items)[i]);
}

/* The declaration itself: limits that are numbers, an enum with values. */
static void check_declaration(struct ScenarioBuild *build, const struct ParamFields *param)
{
    const char *const limits[] = {param->least, param->most};
    const char *const keys[] = {"min", "max"};
    int64_t unused;
    const char *why = "";
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        if (limits[i] == NULL)
            continue;
        struct Where where = node_get(param->node, keys[i])->where;
        if (!has_number(param->type))
            err_hint(scenario_say(build, ERR_RULE, where, "`%s` belongs to numbers", keys[i]),
                     "say type: int, duration or share");
        else if (!number_of(param->type, limits[i], &unused, &why))
            err_at(scenario_say(build, ERR_PARAM, where, "'%s' is no limit for parameter `%s`",
                                limits[i], param->name),
                   "%s", why);
    }
    if (param->type == PARAM_CHOICE && param->of.count == 0)
        err_hint(scenario_say(build, ERR_RULE, param->node->where,
                              "parameter `%s` has nothing to choose from", param->name),
                 "of: [fast, slow]");
    if (param->type != PARAM_CHOICE && param->of.count > 0)
        err_hint(scenario_say(build, ERR_RULE, node_get(param->node, "of")->where,
                              "`of` belongs to an enum"),
                 "say type: enum");
}

/* A default may be one whole other parameter, that stands above: its value, checked as this one's.
 */
static const char *default_of(struct ScenarioBuild *build, const struct ParamFields *param)
{
    const struct ParamSpec *above = build->scenario->params.items;
    if (param->fallback == NULL || !reference_is_whole(param->fallback, "param"))
        return param->fallback;
    for (size_t i = 0; i < build->scenario->params.count; i++)
        if (text_equal(param->fallback, arena_printf(build->arena, "${param.%s}", above[i].name)))
            return above[i].value;
    return param->fallback;
}

static void read_param(struct ScenarioBuild *build, const struct ParamFields *param)
{
    const char *otherwise = default_of(build, param);
    const struct ParamValue *value = given(build, param->name);
    const struct Node *fallback = node_get(param->node, "default");
    struct ParamSpec *spec = list_add(&build->scenario->params, build->arena, sizeof *spec);
    *spec = (struct ParamSpec){.name = param->name, .value = "", .where = param->node->where};
    check_declaration(build, param);
    if (fallback != NULL && otherwise != NULL)
        check_value(build, param, otherwise, fallback->where);
    if (value != NULL) {
        spec->value = arena_text(build->arena, value->value);
        check_value(build, param, spec->value, NOWHERE);
    } else if (otherwise != NULL) {
        spec->value = otherwise;
    } else {
        err_hint(scenario_say(build, ERR_PARAM, param->node->where, "parameter `%s` has no value",
                              param->name),
                 "give it: -p %s=VALUE, or write a default", param->name);
    }
}

static void check_given(struct ScenarioBuild *build)
{
    const struct ParamSpec *specs = build->scenario->params.items;
    for (size_t i = 0; i < build->input->param_count; i++) {
        const struct ParamValue *value = &build->input->params[i];
        const struct Node *params = node_get(build->root, "params");
        if (params != NULL && node_get(params, value->name) != NULL)
            continue;
        struct Err *err = scenario_say(build, ERR_PARAM, NOWHERE,
                                       "-p %s: the scenario has no such parameter", value->name);
        for (size_t k = 0; k < build->scenario->params.count; k++)
            err_allow(err, specs[k].name);
    }
}

/* Parameters come first: everything else may refer to them. What is wrong in their own tables is
 * said when the whole file is decoded, so problems of this decoding are thrown away. */
void scenario_read_params(struct ScenarioBuild *build)
{
    const struct Node *params = node_get(build->root, "params");
    struct Problems *said_later = problems_new();
    struct Decode decode = build->decode;
    decode.reference = NULL;
    decode.problems = said_later;
    for (size_t i = 0; params != NULL && params->type == NODE_MAP && i < params->count; i++) {
        const struct Node *one = node_single(params->keys[i]->text, params->items[i], build->arena);
        struct List list = {.items = NULL};
        if (decode_record(&decode, node_single("params", one, build->arena), &PARAMS_RECORD, &list))
            read_param(build, list.items);
    }
    problems_free(said_later);
    check_given(build);
}
