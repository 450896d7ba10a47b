/* plan_script.c - shell text of a scenario: references become variables, never pasted text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "../base/text.h"
#include "procedure_fill.h"
#include <string.h>

enum { SCRIPT_MOST = 64 << 10 };

struct Filling {
    const struct ScriptInput *input;
    struct Arena *arena;
    struct Buf out;
    const char *text;
    size_t copied;          /* bytes of `text` that are in `out` */
    struct List *variables; /* NULL: no shell text, values stand in their place */
    struct Err *err;
    bool good;
};

static const char *pair_value(const struct List *pairs, const char *name)
{
    const struct TextPair *pair = pairs->items;
    for (size_t i = 0; i < pairs->count; i++)
        if (text_equal(pair[i].name, name))
            return pair[i].value;
    return NULL;
}

static const char *host_value(const struct Target *host, const char *word)
{
    if (host == NULL)
        return NULL;
    if (text_equal(word, "address"))
        return host->address;
    return text_equal(word, "name") ? host->name : NULL;
}

static const char *target_value(const struct Filling *filling, const char *name)
{
    const struct ScriptInput *input = filling->input;
    const char *dot = strrchr(name, '.');
    if (input->drawn == NULL || dot == NULL)
        return NULL;
    const char *target = arena_bytes(filling->arena, name, (size_t)(dot - name));
    return host_value(input->drawn(input->drawn_data, target), dot + 1);
}

static const char *param_value(const struct Scenario *scenario, const char *name)
{
    const struct ParamSpec *params = scenario->params.items;
    for (size_t i = 0; i < scenario->params.count; i++)
        if (text_equal(params[i].name, name))
            return params[i].value;
    return NULL;
}

/* NULL where it has no value now. */
static const char *value_of(const struct Filling *filling, const char *ns, const char *name)
{
    const struct ScriptInput *input = filling->input;
    if (text_equal(ns, "param"))
        return param_value(input->scenario, name);
    if (text_equal(ns, "env"))
        return pair_value(&input->environment->vars, name);
    if (text_equal(ns, "endpoint"))
        return pair_value(&input->environment->endpoints, name);
    if (text_equal(ns, "host"))
        return host_value(input->host, name);
    if (text_equal(ns, "target"))
        return target_value(filling, name);
    if (text_equal(ns, "run") && text_equal(name, "id"))
        return input->run;
    if (text_equal(ns, "capture") && input->captured != NULL)
        return pair_value(input->captured, name);
    if (text_equal(ns, "capture") && input->marks != NULL && filling->variables != NULL)
        return capture_mark(input->marks, name, filling->arena);
    if (text_equal(ns, "secret"))
        return arena_printf(filling->arena, "${secret.%s}", name);
    return NULL;
}

/* The variable that holds `value`: as named, or with a number where two names would look alike
 * ("a-b", "a_b"). */
static const char *variable_for(struct Filling *filling, const char *name, const char *value)
{
    const char *variable = name;
    for (size_t i = 2;; i++) {
        const char *known = pair_value(filling->variables, variable);
        if (known != NULL && text_equal(known, value))
            return variable;
        if (known == NULL)
            break;
        variable = arena_printf(filling->arena, "%s_%zu", name, i);
    }
    struct TextPair *pair = list_add(filling->variables, filling->arena, sizeof *pair);
    pair->name = variable;
    pair->value = value;
    return variable;
}

static void fill_one(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Filling *filling = data;
    const char *value = value_of(filling, ns, name);
    if (value == NULL) {
        if (filling->good)
            err_set(filling->err, ERR_REFERENCE, NOWHERE, "`${%s.%s}` has no value here", ns, name);
        filling->good = false;
        return;
    }
    buf_add(&filling->out, filling->text + filling->copied, start - filling->copied);
    filling->copied = start + size;
    if (filling->variables == NULL) {
        buf_put(&filling->out, value);
        return;
    }
    char *wanted = arena_printf(filling->arena, "fd_%s_%s", ns, name);
    for (char *c = wanted; *c != '\0'; c++)
        if (*c == '.' || *c == '-')
            *c = '_';
    buf_printf(&filling->out, "${%s}", variable_for(filling, wanted, value));
}

bool script_fill(const struct ScriptInput *input, const char *script, struct Arena *arena,
                 const char **out, struct List *variables, struct Err *err)
{
    struct Filling filling = {.input = input,
                              .arena = arena,
                              .text = script,
                              .variables = variables,
                              .err = err,
                              .good = true};
    filling.out = BUF(SCRIPT_MOST);
    reference_each(script, fill_one, &filling);
    buf_put(&filling.out, script + filling.copied);
    bool good = filling.good;
    if (good && filling.out.cut)
        good = err_set(err, ERR_LIMIT, NOWHERE, "a script of more than %d bytes", SCRIPT_MOST);
    if (good)
        *out = arena_bytes(arena, filling.out.text, filling.out.size);
    buf_free(&filling.out);
    return good;
}

/* One text: what to set, quoted, and the script after it. */
static bool whole_script(const struct ScriptInput *input, const char *script, struct Arena *arena,
                         const char **out, struct Err *err)
{
    struct List variables = {.items = NULL};
    const char *text;
    if (!script_fill(input, script, arena, &text, &variables, err))
        return false;
    struct Buf all = BUF(2 * SCRIPT_MOST);
    const struct TextPair *pair = variables.items;
    for (size_t i = 0; i < variables.count; i++) {
        buf_printf(&all, "%s=", pair[i].name);
        if (input->captured == NULL && text_starts(pair[i].name, "fd_capture_"))
            buf_put(&all, pair[i].value); /* a mark, for a value that is quoted */
        else
            shell_text(&all, pair[i].value);
        buf_char(&all, '\n');
    }
    buf_put(&all, text);
    *out = arena_bytes(arena, all.text, all.size);
    buf_free(&all);
    return true;
}

/* `config` itself where nothing in it is to be filled in, else a copy. */
static bool fill_record(const struct ScriptInput *input, const struct Record *record,
                        const void *config, struct Arena *arena, const void **out, struct Err *err)
{
    unsigned char *copy = NULL;
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        const void *value = NULL, *filled = NULL;
        if (field->type != FIELD_TEXT && field->type != FIELD_RECORD)
            continue;
        memcpy(&value, (const unsigned char *)config + field->offset, sizeof value);
        bool shell = (field->flags & FIELD_SCRIPT) != 0;
        if (value == NULL)
            continue;
        const char *text = value;
        if (field->type == FIELD_RECORD) {
            if (!fill_record(input, field->of, value, arena, &filled, err))
                return false;
        } else if (shell || reference_present(value)) {
            if (shell ? !whole_script(input, value, arena, &text, err)
                      : !script_fill(input, value, arena, &text, NULL, err))
                return false;
            filled = text;
        } else {
            continue;
        }
        if (filled == value)
            continue;
        if (copy == NULL)
            copy = (unsigned char *)arena_bytes(arena, config, record->size);
        memcpy(copy + field->offset, &filled, sizeof filled);
    }
    *out = copy != NULL ? copy : config;
    return true;
}

bool probe_config(const struct ScriptInput *input, const struct ProbeSpec *probe,
                  struct Arena *arena, const void **out, struct Err *err)
{
    return fill_record(input, &probe->kind->config, probe->config, arena, out, err);
}

bool step_config(const struct ScriptInput *input, const struct StepSpec *step, struct Arena *arena,
                 const void **out, struct Err *err)
{
    *out = step->config;
    return step->kind == NULL ||
           fill_record(input, &step->kind->config, step->config, arena, out, err);
}
