/* include_params.c - the parameters of a fragment, renamed so that they are the scenario's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "include_parts.h"

#include "../base/buf.h"
#include "../base/text.h"
#include "node_edit.h"

enum { TEXT_MOST = 16 << 10 };

struct Rename {
    struct Include *include;
    const struct Node *params; /* the fragment's, or NULL */
    const char *fragment, *prefix;
    const struct Node *scalar; /* the one that is looked at */
    struct Buf text;           /* what it becomes, as far as `done` bytes of it */
    size_t done;
};

static void say_unknown(const struct Rename *rename, struct Where where, const char *name)
{
    struct Problems *problems = rename->include->problems;
    const struct Node *params = rename->params;
    const char *names[64];
    size_t count = 0;
    problems_say(problems, ERR_PARAM, where, NULL, "fragment `%s` has no parameter `%s`",
                 rename->fragment, name);
    struct Err *err = problems_last(problems);
    for (size_t n = 0; params != NULL && n < params->count && count < COUNT_OF(names); n++) {
        names[count++] = params->keys[n]->text;
        err_allow(err, params->keys[n]->text);
    }
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        err_at(err, "did you mean `%s`?", nearest);
    err_hint(err, "a fragment knows its own `params:` alone; `with:` gives them values");
}

static void rename_reference(void *data, const char *ns, const char *name, size_t start,
                             size_t size)
{
    struct Rename *rename = data;
    if (!text_equal(ns, "param"))
        return;
    if (node_get(rename->params, name) == NULL) {
        say_unknown(rename, rename->scalar->where, name);
        return;
    }
    buf_add(&rename->text, rename->scalar->text + rename->done, start - rename->done);
    buf_printf(&rename->text, "${param.%s_%s}", rename->prefix, name);
    rename->done = start + size;
}

static const struct Node *rename_scalar(struct Rename *rename, const struct Node *scalar)
{
    struct Arena *arena = rename->include->arena;
    rename->scalar = scalar;
    rename->done = 0;
    buf_clear(&rename->text);
    reference_each(scalar->text, rename_reference, rename);
    if (rename->done == 0)
        return scalar;
    buf_put(&rename->text, scalar->text + rename->done);
    if (rename->text.cut)
        problems_say(rename->include->problems, ERR_LIMIT, scalar->where, NULL,
                     "the value is too long with the names of its parameters");
    struct Node *copy = arena_zero(arena, 1, sizeof *copy);
    *copy = *scalar;
    copy->text = arena_bytes(arena, rename->text.text, rename->text.size);
    return copy;
}

static const struct Node *rename_node(struct Rename *rename, const struct Node *node)
{
    if (node->type == NODE_SCALAR)
        return rename_scalar(rename, node);
    struct Node *copy = arena_zero(rename->include->arena, 1, sizeof *copy);
    const struct Node **items = arena_zero(rename->include->arena, node->count + 1, sizeof *items);
    *copy = *node;
    copy->items = items;
    for (size_t n = 0; n < node->count; n++)
        items[n] = rename_node(rename, node->items[n]);
    return copy;
}

/* The names of `params:` themselves. */
static const struct Node *rename_keys(struct Rename *rename, const struct Node *map)
{
    struct Arena *arena = rename->include->arena;
    struct Node *copy = arena_zero(arena, map->count + 1, sizeof *copy);
    const struct Node **keys = arena_zero(arena, map->count + 1, sizeof *keys);
    *copy = *map;
    copy->keys = keys;
    for (size_t n = 0; n < map->count; n++) {
        struct Node *key = &copy[n + 1];
        *key = *map->keys[n];
        key->text = arena_printf(arena, "%s_%s", rename->prefix, key->text);
        keys[n] = key;
    }
    return copy;
}

const struct Node *include_rename(struct Include *include, const struct Node *root,
                                  const char *prefix)
{
    struct Rename rename = {.include = include,
                            .params = node_get(root, "params"),
                            .fragment = node_get(root, "fragment")->text,
                            .prefix = prefix,
                            .text = BUF(TEXT_MOST)};
    struct Node *copy = arena_zero(include->arena, 1, sizeof *copy);
    const struct Node **items = arena_zero(include->arena, root->count + 1, sizeof *items);
    *copy = *root;
    copy->items = items;
    for (size_t n = 0; n < root->count; n++) {
        items[n] = rename_node(&rename, root->items[n]);
        if (text_equal(root->keys[n]->text, "params"))
            items[n] = rename_keys(&rename, items[n]);
    }
    buf_free(&rename.text);
    return copy;
}

/* ---- with: ---- */
/* A value is a text, or one parameter of the file that gives it; never a part of another text. */
static bool value_is_plain(struct Include *include, const char *name, const struct Node *value)
{
    if (!reference_present(value->text) || reference_is_whole(value->text, "param"))
        return true;
    problems_say(include->problems, ERR_PARAM, value->where, NULL,
                 "the value of parameter `%s` is a text, or one whole ${param.NAME}", name);
    return false;
}

/* The declaration with the value as its default; nobody is asked for it then. */
static const struct Node *with_default(struct Include *include, const struct Node *param,
                                       const struct Node *value)
{
    const struct Node *given = node_single("default", value, include->arena);
    if (param->type != NODE_MAP)
        return value;
    param = node_without(param, "default", include->arena);
    param = node_without(param, "ask", include->arena);
    return include_merge(include, given, param);
}

const struct Node *include_give(struct Include *include, const struct Node *root,
                                const struct Node *declared, const char *prefix,
                                const struct Node *with)
{
    const struct Node *params = node_get(root, "params");
    const struct Rename names = {
        .include = include, .params = declared, .fragment = node_get(root, "fragment")->text};
    const struct Node **items =
        arena_zero(include->arena, params != NULL ? params->count + 1 : 1, sizeof *items);
    for (size_t n = 0; params != NULL && n < params->count; n++)
        items[n] = params->items[n];
    for (size_t n = 0; with != NULL && n < with->count; n++) {
        const char *name = arena_printf(include->arena, "%s_%s", prefix, with->keys[n]->text);
        size_t at = 0;
        while (params != NULL && at < params->count && !text_equal(params->keys[at]->text, name))
            at++;
        if (params == NULL || at == params->count) {
            say_unknown(&names, with->keys[n]->where, with->keys[n]->text);
        } else if (value_is_plain(include, with->keys[n]->text, with->items[n])) {
            items[at] = with_default(include, params->items[at], with->items[n]);
        }
    }
    if (params == NULL || with == NULL)
        return root;
    struct Node *copy = arena_zero(include->arena, 1, sizeof *copy);
    *copy = *params;
    copy->items = items;
    return include_merge(include, node_single("params", copy, include->arena),
                         node_without(root, "params", include->arena));
}
