/* pins.c - host keys and machine ids, written into the text of an environment file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

/* Takes `gone` bytes out at `at` and puts `text` in their place. */
struct Edit {
    size_t at, gone;
    const char *text;
};
struct Pinning {
    const struct Document *document;
    const struct Pin *pins;
    size_t count;
    struct Arena *arena;
    struct List edits; /* of struct Edit */
};

static size_t offset_of(const struct Pinning *of, struct Where where)
{
    const char *text = of->document->text;
    size_t at = 0;
    for (uint32_t line = 1; line < where.line && at < of->document->size; line++)
        at += strcspn(text + at, "\n") + 1;
    return at + where.column - 1;
}

static void edit(struct Pinning *of, size_t at, size_t gone, const char *text)
{
    *(struct Edit *)list_add(&of->edits, of->arena, sizeof(struct Edit)) =
        (struct Edit){.at = at, .gone = gone, .text = text};
}

/* `host_key: "...", machine_id: "..."` of this host; "" where it has none. */
static const char *flow_of(struct Pinning *of, const char *host)
{
    const char *text = "";
    for (size_t i = 0; i < of->count; i++)
        if (text_equal(of->pins[i].host, host))
            text = arena_printf(of->arena, "%s%s%s: \"%s\"", text, text[0] != '\0' ? ", " : "",
                                of->pins[i].key, of->pins[i].value);
    return text;
}

/* A host that is described: its keys are replaced where they stand, or come first. */
static void pin_map(struct Pinning *of, const char *host, const struct Node *map)
{
    size_t start = offset_of(of, map->where);
    bool flow = of->document->text[start] == '{';
    for (size_t i = 0; i < of->count; i++) {
        const struct Pin *pin = &of->pins[i];
        const struct Node *now = node_get(map, pin->key);
        if (!text_equal(pin->host, host))
            continue;
        if (now != NULL)
            edit(of, offset_of(of, now->where), now->where.width,
                 arena_printf(of->arena, "\"%s\"", pin->value));
        else if (flow)
            edit(of, start + 1, 0,
                 arena_printf(of->arena, "%s: \"%s\"%s", pin->key, pin->value,
                              map->count > 0 || i + 1 < of->count ? ", " : ""));
        else
            edit(of, offset_of(of, map->keys[0]->where), 0,
                 arena_printf(of->arena, "%s: \"%s\"\n%*s", pin->key, pin->value,
                              (int)map->keys[0]->where.column - 1, ""));
    }
}

/* A list of names: every one of them becomes a key. */
static bool pin_list(struct Pinning *of, const struct Node *list, struct Err *err)
{
    const char *text = of->document->text;
    size_t start = offset_of(of, list->where), end = start;
    bool flow = text[start] == '[';
    for (size_t i = 0; i < list->count; i++) {
        const struct Node *name = list->items[i];
        size_t at = offset_of(of, name->where);
        if (name->type != NODE_SCALAR)
            return err_set(err, ERR_RULE, list->where, "these hosts are no plain names");
        end = at + name->where.width;
        edit(of, end, 0, arena_printf(of->arena, ": {%s}", flow_of(of, name->text)));
        if (!flow && (at < 2 || strncmp(text + at - 2, "- ", 2) != 0))
            return err_set(err, ERR_RULE, name->where, "this host does not stand behind \"- \"");
        if (!flow)
            edit(of, at - 2, 1, " ");
    }
    if (!flow)
        return true;
    end += strspn(text + end, " \t\r\n,");
    if (text[end] != ']')
        return err_set(err, ERR_RULE, list->where, "the end of this list is not found");
    edit(of, start, 1, "{");
    edit(of, end, 1, "}");
    return true;
}

static bool has_pin(const struct Pinning *of, const char *host)
{
    for (size_t i = 0; i < of->count; i++)
        if (text_equal(of->pins[i].host, host))
            return true;
    return false;
}

static bool is_done(const struct List *done, const char *host)
{
    const char *const *names = done->items;
    for (size_t i = 0; i < done->count; i++)
        if (text_equal(names[i], host))
            return true;
    return false;
}

static bool pin_hosts(struct Pinning *of, const struct Node *hosts, struct List *done,
                      struct Err *err)
{
    bool wanted = false;
    for (size_t i = 0; i < hosts->count; i++) {
        const struct Node *name = hosts->type == NODE_MAP ? hosts->keys[i] : hosts->items[i];
        if (name->type != NODE_SCALAR || is_done(done, name->text))
            continue;
        *(const char **)list_add(done, of->arena, sizeof(char *)) = name->text;
        if (!has_pin(of, name->text))
            continue;
        wanted = true;
        if (hosts->type == NODE_MAP && hosts->items[i]->type != NODE_MAP)
            return err_set(err, ERR_RULE, name->where, "write `%s: {}` first", name->text);
        if (hosts->type == NODE_MAP && hosts->items[i]->count > 0)
            pin_map(of, name->text, hosts->items[i]);
        else if (hosts->type == NODE_MAP)
            edit(of, offset_of(of, hosts->items[i]->where) + 1, 0, flow_of(of, name->text));
    }
    return !wanted || hosts->type == NODE_MAP || pin_list(of, hosts, err);
}

/* From the end to the beginning; at one place what is put in comes before what is replaced. */
static int from_the_end(const void *a, const void *b)
{
    const struct Edit *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? 1 : -1;
    return left->gone < right->gone ? 1 : left->gone > right->gone ? -1 : 0;
}

bool pins_text(const struct Document *document, const struct Pin *pins, size_t count,
               struct Arena *arena, struct Buf *out, struct Err *err)
{
    struct Pinning of = {.document = document, .pins = pins, .count = count, .arena = arena};
    const struct Node *roles = node_get(document->root, "roles");
    struct List done = {.items = NULL};
    for (size_t i = 0; roles != NULL && roles->type == NODE_MAP && i < roles->count; i++) {
        const struct Node *hosts = node_get(roles->items[i], "hosts");
        if (hosts != NULL && hosts->type != NODE_SCALAR && !pin_hosts(&of, hosts, &done, err))
            return false;
    }
    if (of.edits.count == 0)
        return err_set(err, ERR_RULE, NOWHERE, "none of these hosts stands in the file");
    qsort(of.edits.items, of.edits.count, sizeof(struct Edit), from_the_end);
    const struct Edit *edits = of.edits.items;
    size_t at = 0;
    for (size_t i = of.edits.count; i > 0; i--) {
        buf_add(out, document->text + at, edits[i - 1].at - at);
        buf_put(out, edits[i - 1].text);
        at = edits[i - 1].at + edits[i - 1].gone;
    }
    buf_add(out, document->text + at, document->size - at);
    return true;
}
