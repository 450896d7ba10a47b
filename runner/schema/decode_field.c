/* decode_field.c - one value of a file, read into the place that its field names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_field.h"

#include <string.h>

#include "value.h"

/* Lists have room for a power of two, so that list_add may follow. */
static void *make_room(struct List *list, struct Arena *arena, size_t count, size_t size)
{
    size_t room = 1;
    while (room < count)
        room *= 2;
    list->items = count > 0 ? arena_zero(arena, room, size) : NULL;
    list->count = count;
    return list->items;
}

/* A scalar as the record whose FIELD_ALONE it is: {key: scalar}. */
static const struct Node *scalar_as_map(struct Decode *decode, const struct Record *record,
                                        const struct Node *scalar)
{
    const struct Field *field = record->fields;
    while ((field->flags & FIELD_ALONE) == 0)
        field++;
    struct Node *key = arena_zero(decode->arena, 1, sizeof(*key));
    *key = (struct Node){.type = NODE_SCALAR, .where = scalar->where, .text = field->name};
    struct Node *map = arena_zero(decode->arena, 1, sizeof(*map));
    const struct Node **both = arena_zero(decode->arena, 2, sizeof(*both));
    both[0] = key;
    both[1] = scalar;
    *map = (struct Node){.type = NODE_MAP, .where = scalar->where, .count = 1};
    map->keys = &both[0];
    map->items = &both[1];
    return map;
}

/* Far too many entries are said to be so, and not read. */
static bool too_many(struct Decode *decode, const struct Field *field, const struct Node *node)
{
    bool many = field->max > 0 && node->count > (size_t)field->max;
    return many && !value_in_range(decode, field, node->where, (int64_t)node->count, NULL);
}

static bool read_list(struct Decode *decode, const struct Field *field, const struct Node *node,
                      struct List *out)
{
    const struct Node *const *items = node->type == NODE_LIST ? node->items : &node;
    size_t count = node->type == NODE_LIST ? node->count : 1;
    if (node->type == NODE_LIST && too_many(decode, field, node))
        return false;
    struct List list = {.count = 0};
    size_t size = field->of != NULL ? field->of->size : sizeof(char *);
    unsigned char *at = make_room(&list, decode->arena, count, size);
    struct Field element = *field;
    element.type = FIELD_TEXT;
    element.min = element.max = 0;
    bool good = true;
    for (size_t n = 0; n < count; n++, at += size) {
        bool later = false;
        bool alone = items[n]->type == NODE_SCALAR && (field->flags & FIELD_SCALARS) != 0;
        if (field->of != NULL)
            good = decode_record(decode,
                                 alone && !items[n]->broken
                                     ? scalar_as_map(decode, field->of, items[n])
                                     : items[n],
                                 field->of, at) &&
                   good;
        else
            good = value_decode(decode, &element, items[n], at, &later) && good;
    }
    if (good && node->type == NODE_LIST)
        good = value_in_range(decode, field, node->where, (int64_t)count, NULL);
    *out = list;
    return good;
}

static const struct Field *name_field(const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (field->type == FIELD_NAME)
            return field;
    }
    bug("the record '%s' has no FIELD_NAME", record->name);
}

static const struct Node *empty_map(struct Decode *decode, struct Where where)
{
    struct Node *node = arena_zero(decode->arena, 1, sizeof(*node));
    *node = (struct Node){.type = NODE_MAP, .where = where};
    return node;
}

/* `[a, b]` as {a: {}, b: {}}; NULL, with a problem, where it is no list of different names. */
static const struct Node *names_as_map(struct Decode *decode, const struct Field *field,
                                       const struct Node *list)
{
    struct Node *map = arena_zero(decode->arena, 1, sizeof(*map));
    const struct Node **empty = arena_zero(decode->arena, list->count + 1, sizeof(*empty));
    bool good = value_in_range(decode, field, list->where, (int64_t)list->count, NULL);
    *map = (struct Node){.type = NODE_MAP, .where = list->where, .count = list->count};
    map->keys = list->items;
    map->items = empty;
    for (size_t n = 0; n < list->count; n++) {
        const struct Node *name = list->items[n];
        empty[n] = empty_map(decode, name->where);
        if (name->type != NODE_SCALAR) {
            problems_say(decode->problems, ERR_TYPE, name->where, NULL,
                         "`%s` as a list holds names", field->name);
            good = false;
        }
        for (size_t k = 0; good && k < n; k++) {
            if (strcmp(list->items[k]->text, name->text) != 0)
                continue;
            problems_say(decode->problems, ERR_DUPLICATE_KEY, name->where, NULL,
                         "'%s' stands twice in `%s`", name->text, field->name);
            good = false;
        }
    }
    return good ? map : NULL;
}

static bool read_map(struct Decode *decode, const struct Field *field, const struct Node *node,
                     struct List *out)
{
    if (node->type == NODE_LIST && (field->flags & FIELD_NAMES) != 0) {
        node = names_as_map(decode, field, node);
        if (node == NULL)
            return false;
    }
    if (node->type == NODE_SCALAR && (field->flags & FIELD_GROUP) != 0)
        return true;
    if (node->type != NODE_MAP)
        return value_wrong_type(decode, field, node);
    if (too_many(decode, field, node))
        return false;
    const struct Field *name = name_field(field->of);
    struct List list = {.count = 0};
    unsigned char *at = make_room(&list, decode->arena, node->count, field->of->size);
    bool good = true;
    for (size_t n = 0; n < node->count; n++, at += field->of->size) {
        const char *key = node->keys[n]->text;
        const struct Node *item = node->items[n];
        if (item->type == NODE_SCALAR && !item->broken && (field->flags & FIELD_SCALARS) != 0)
            item = scalar_as_map(decode, field->of, item);
        memcpy(at + name->offset, &key, sizeof(key));
        good = value_name(decode, name, node->keys[n]) && good;
        good = decode_record(decode, item, field->of, at) && good;
    }
    good = good && value_in_range(decode, field, node->where, (int64_t)node->count, NULL);
    *out = list;
    return good;
}

static bool read_texts(struct Decode *decode, const struct Field *field, const struct Node *node,
                       struct List *out)
{
    if (node->type != NODE_MAP)
        return value_wrong_type(decode, field, node);
    struct List list = {.count = 0};
    struct TextPair *at = make_room(&list, decode->arena, node->count, sizeof(*at));
    bool good = true;
    for (size_t n = 0; n < node->count; n++, at++) {
        struct Field value = {.name = node->keys[n]->text,
                              .type = FIELD_TEXT,
                              .flags = field->flags & (FIELD_SECRET | FIELD_SCRIPT)};
        bool later = false;
        at->name = node->keys[n]->text;
        at->where = node->items[n]->where;
        good = value_decode(decode, &value, node->items[n], &at->value, &later) && good;
    }
    *out = list;
    return good;
}

static bool read_record(struct Decode *decode, const struct Field *field, const struct Node *node,
                        void *at)
{
    void *record = arena_zero(decode->arena, 1, field->of->size);
    bool good = decode_record(decode, node, field->of, record);
    memcpy(at, &record, sizeof(record));
    return good;
}

/* The default, by the same code as what stands in a file. */
static void read_fallback(struct Decode *decode, const struct Field *field, void *at)
{
    const char *text = field->fallback[0] != '\0' ? field->fallback : "''";
    const struct Document *document =
        document_parse(field->name, text, strlen(text), decode->arena, decode->problems);
    if (document->root == NULL || !field_read(decode, field, document->root, at))
        bug("the default of '%s' is no %s: %s", field->name, type_say(field->type),
            field->fallback);
}

bool field_set_default(struct Decode *decode, const struct Field *field, struct Where where,
                       void *at)
{
    int64_t not_given = FIELD_NOT_GIVEN;
    if (field->fallback != NULL)
        read_fallback(decode, field, at);
    else if ((field->flags & FIELD_UNSET) != 0)
        memcpy(at, &not_given, sizeof(not_given));
    else if (field->type == FIELD_RECORD && (field->flags & FIELD_ALWAYS) != 0)
        return read_record(decode, field, empty_map(decode, where), at);
    return true;
}

bool field_read(struct Decode *decode, const struct Field *field, const struct Node *node, void *at)
{
    bool nothing = node->type == NODE_SCALAR && node->text[0] == '\0' && !node->quoted;
    bool later = false, good = true;
    if (node->broken)
        return false;
    switch (field->type) {
    case FIELD_RECORD:
        return nothing ? value_wrong_type(decode, field, node)
                       : read_record(decode, field, node, at);
    case FIELD_LIST:
        return nothing ? value_wrong_type(decode, field, node) : read_list(decode, field, node, at);
    case FIELD_MAP:
        return read_map(decode, field, node, at);
    case FIELD_TEXTS:
        return read_texts(decode, field, node, at);
    case FIELD_ANY:
    case FIELD_NODE:
        memcpy(at, &node, sizeof(node));
        return true;
    case FIELD_NAME:
    case FIELD_BOOL:
    case FIELD_INT:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_SHARE:
    case FIELD_RATE:
    case FIELD_BITS:
    case FIELD_LOSS:
    case FIELD_PICK:
    case FIELD_TEXT:
    case FIELD_CHOICE:
        good = value_decode(decode, field, node, at, &later);
        if (later)
            good = field_set_default(decode, field, node->where, at) && good;
        return good;
    }
    return false;
}
