/* write.c - files with one mistake each, made of the good ones by the field tables: for run.py. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../runner/base/text.h"
#include "../../runner/model/kinds.h"
#include "../../runner/schema/describe.h"
#include "../../runner/schema/yaml_write.h"

extern const struct Kinds faildrill_kinds;

enum { TEXT_MOST = 64 << 10, PATH_MOST = 300 };

struct Writer {
    struct Arena *arena;
    const char *folder, *name; /* name: of the good file, "every_word" */
    const struct Node *root;
    const struct VariantSet *sets;
    size_t set_count, written;
};

/* ---- One file a folder: its name is a part of it. ---- */
static void save(struct Writer *writer, const char *class, const char *path)
{
    char *folder =
        arena_printf(writer->arena, "%s/%s.%s.%s", writer->folder, writer->name, class, path);
    if (mkdir(folder, 0755) != 0) /* a list's second element: one is enough */
        return;
    struct Buf text = BUF(TEXT_MOST);
    yaml_write(writer->root, &text);
    FILE *file = fopen(arena_printf(writer->arena, "%s/%s.yaml", folder, writer->name), "w");
    if (file == NULL || fwrite(text.text, 1, text.size, file) != text.size || fclose(file) != 0)
        bug("%s cannot be written", folder);
    buf_free(&text);
    writer->written++;
}

/* The tree with `node` in the place of `*place`, for as long as it takes to write it. */
static void save_with(struct Writer *writer, const struct Node *const *place,
                      const struct Node *node, const char *class, const char *path)
{
    const struct Node **slot = (const struct Node **)place;
    const struct Node *before = *slot;
    *slot = node;
    save(writer, class, path);
    *slot = before;
}

static const struct Node *made_of(struct Writer *writer, const char *yaml)
{
    struct Problems *problems = problems_new();
    const struct Document *document =
        document_parse("made", yaml, strlen(yaml), writer->arena, problems);
    problems_free(problems);
    return document->root;
}

/* ---- Values that no field of the type takes. ---- */
struct Wrong {
    const char *class, *yaml;
};

static const struct Wrong *wrong_values(enum FieldType type)
{
    static const struct Wrong numbers[] = {{"words", "zq nothing"},
                                           {"list", "[1, 2]"},
                                           {"map", "{a: 1}"},
                                           {"nothing", "~zq"},
                                           {"huge", "99999999999999999999999"},
                                           {"minus", "-7zq"},
                                           {"hex", "0x1G"},
                                           {NULL, NULL}};
    static const struct Wrong bare[] = {
        {"words", "zq nothing"},       {"list", "[1s]"}, {"map", "{a: 1s}"},
        {"unit", "7 parsecs"},         {"bare", "7"},    {"minus", "-7s%B"},
        {"huge", "9999999999999999d"}, {NULL, NULL}};
    static const struct Wrong bools[] = {{"yes", "yes"},   {"on", "on"},    {"one", "1"},
                                         {"True", "True"}, {"list", "[a]"}, {NULL, NULL}};
    static const struct Wrong words[] = {
        {"other", "zq_other"}, {"list", "[zq]"}, {"map", "{zq: zq}"}, {"case", "ZQ"}, {NULL, NULL}};
    static const struct Wrong texts[] = {
        {"list", "[[zq]]"}, {"map", "{zq: {zq: zq}}"}, {NULL, NULL}};
    static const struct Wrong groups[] = {
        {"word", "zq"}, {"number", "7"}, {"lists", "[[zq]]"}, {NULL, NULL}};
    switch (type) {
    case FIELD_INT:
        return numbers;
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_SHARE:
    case FIELD_RATE:
    case FIELD_BITS:
        return bare;
    case FIELD_LOSS:
    case FIELD_PICK:
        return numbers;
    case FIELD_BOOL:
        return bools;
    case FIELD_CHOICE:
        return words;
    case FIELD_TEXT:
        return texts;
    case FIELD_RECORD:
    case FIELD_MAP:
    case FIELD_TEXTS:
        return groups;
    case FIELD_LIST:
        return texts;
    case FIELD_NODE:
    case FIELD_NAME:
    case FIELD_ANY:
        break;
    }
    return &groups[COUNT_OF(groups) - 1]; /* none */
}

static void value_wrong(struct Writer *writer, const struct Field *field,
                        const struct Node *const *place, const char *path)
{
    for (const struct Wrong *wrong = wrong_values(field->type); wrong->class != NULL; wrong++)
        save_with(writer, place, made_of(writer, wrong->yaml), wrong->class, path);
    bool scalar = field->of == NULL && field->type != FIELD_ANY && field->type != FIELD_TEXTS;
    if (scalar) {
        save_with(writer, place, made_of(writer, "\"${zq.name}\""), "reference", path);
        save_with(writer, place, made_of(writer, "\"${param.zq_unknown}\""), "unknown_param", path);
    }
    if (field->type != FIELD_ANY && field->type != FIELD_LIST)
        save_with(writer, place, made_of(writer, "[]"), "empty_list", path);
}

/* ---- Keys. ---- */
static struct Node *copy_of(struct Writer *writer, const struct Node *map)
{
    struct Node *copy = arena_zero(writer->arena, 1, sizeof *copy);
    const struct Node **keys = arena_zero(writer->arena, map->count + 1, sizeof *keys);
    const struct Node **items = arena_zero(writer->arena, map->count + 1, sizeof *items);
    *copy = *map;
    for (size_t n = 0; n < map->count; n++) {
        keys[n] = map->keys[n];
        items[n] = map->items[n];
    }
    copy->keys = keys;
    copy->items = items;
    return copy;
}

static void keys_wrong(struct Writer *writer, const struct Node *const *place, const char *path)
{
    const struct Node *map = *place;
    struct Node *more = copy_of(writer, map);
    ((const struct Node **)more->keys)[more->count] = made_of(writer, "zq_unknown");
    ((const struct Node **)more->items)[more->count++] = made_of(writer, "1");
    save_with(writer, place, more, "unknown_key", path);
    for (size_t n = 0; n < map->count; n++) {
        const char *at = arena_printf(writer->arena, "%s.%s", path, map->keys[n]->text);
        struct Node *twice = copy_of(writer, map);
        ((const struct Node **)twice->keys)[twice->count] = map->keys[n];
        ((const struct Node **)twice->items)[twice->count++] = map->items[n];
        save_with(writer, place, twice, "twice", at);
        struct Node *misspelt = copy_of(writer, map);
        struct Node *key = arena_zero(writer->arena, 1, sizeof *key);
        *key = *map->keys[n];
        key->text = arena_printf(writer->arena, "%szq", key->text);
        ((const struct Node **)misspelt->keys)[n] = key;
        save_with(writer, place, misspelt, "misspelt", at);
    }
}

static void required_missing(struct Writer *writer, const struct Field *fields,
                             const struct Node *const *place, const char *path)
{
    for (const struct Field *field = fields; field->name != NULL; field++) {
        bool key = field->name[0] != '\0' && (field->flags & FIELD_SUBJECT) == 0;
        if (!key || (field->flags & FIELD_REQUIRED) == 0 || node_get(*place, field->name) == NULL)
            continue;
        struct Node *less = copy_of(writer, *place);
        size_t kept = 0;
        for (size_t n = 0; n < less->count; n++) {
            if (text_equal(less->keys[n]->text, field->name))
                continue;
            ((const struct Node **)less->keys)[kept] = less->keys[n];
            ((const struct Node **)less->items)[kept++] = less->items[n];
        }
        less->count = kept;
        save_with(writer, place, less, "missing",
                  arena_printf(writer->arena, "%s.%s", path, field->name));
    }
}

/* ---- The tree, by the tables. ---- */
static void walk(struct Writer *writer, const struct Record *record,
                 const struct Node *const *place, const char *path);

static const struct Variant *variant_of(const struct Writer *writer, const struct Record *record,
                                        const struct Node *node)
{
    for (size_t s = 0; record->variants != NULL && s < writer->set_count; s++)
        for (size_t v = 0; v < writer->sets[s].count; v++)
            if (text_equal(writer->sets[s].name, record->variants) &&
                node_get(node, writer->sets[s].at[v].name) != NULL)
                return &writer->sets[s].at[v];
    return NULL;
}

/* A name that a file chooses is written in more than one wrong way. */
static void names_wrong(struct Writer *writer, const struct Field *field, const struct Node *map,
                        const char *path)
{
    static const struct Wrong bad[] = {{"digit", "9zq"},
                                       {"blank", "\"a b\""},
                                       {"yes", "\"yes\""},
                                       {"shell", "\"a;id\""},
                                       {"slash", "\"../zq\""}};
    const struct Field *name = field->of->fields;
    while (name->type != FIELD_NAME)
        name++;
    for (size_t n = 0; n < COUNT_OF(bad) && map->count > 0; n++)
        if ((name->flags & FIELD_HOST) == 0)
            save_with(writer, &map->keys[0], made_of(writer, bad[n].yaml), bad[n].class,
                      arena_printf(writer->arena, "%s.name", path));
}

static void walk_value(struct Writer *writer, const struct Field *field,
                       const struct Node *const *place, const char *path)
{
    const struct Node *node = *place;
    value_wrong(writer, field, place, path);
    if (field->of == NULL || node->type == NODE_SCALAR)
        return;
    if (field->type == FIELD_MAP && node->type == NODE_MAP)
        names_wrong(writer, field, node, path);
    bool one = field->type == FIELD_RECORD || (field->type == FIELD_LIST && node->type == NODE_MAP);
    if (one) {
        walk(writer, field->of, place, path);
        return;
    }
    for (size_t n = 0; n < node->count; n++)
        if (node->items[n]->type == NODE_MAP)
            walk(writer, field->of, &node->items[n], path);
}

static const struct Field *find(const struct Field *fields, const char *key, bool subjects)
{
    for (; fields->name != NULL; fields++)
        if (text_equal(fields->name, key) && (subjects || (fields->flags & FIELD_SUBJECT) == 0))
            return fields;
    return NULL;
}

static const struct Field *subject_of(const struct Variant *variant)
{
    const struct Field *field = variant->record->fields;
    while (field->name != NULL && (field->flags & FIELD_SUBJECT) == 0)
        field++;
    return field->name != NULL ? field : NULL;
}

static void walk(struct Writer *writer, const struct Record *record,
                 const struct Node *const *place, const char *path)
{
    const struct Node *node = *place;
    const struct Variant *variant = variant_of(writer, record, node);
    const char *here =
        variant == NULL ? path : arena_printf(writer->arena, "%s.%s", path, variant->name);
    keys_wrong(writer, place, here);
    required_missing(writer, record->fields, place, here);
    for (size_t n = 0; n < node->count; n++) {
        const char *key = node->keys[n]->text;
        const char *at = arena_printf(writer->arena, "%s.%s", here, key);
        const struct Field *field = find(record->fields, key, true);
        const struct Field *subject = variant != NULL ? subject_of(variant) : NULL;
        if (field == NULL && variant != NULL && text_equal(key, variant->name) && subject == NULL)
            walk(writer, variant->record, &node->items[n], at);
        else if (field == NULL && variant != NULL && text_equal(key, variant->name))
            field = subject;
        else if (field == NULL && variant != NULL)
            field = find(variant->record->fields, key, false);
        if (field != NULL)
            walk_value(writer, field, &node->items[n], at);
    }
}

/* ---- Files. ---- */
static void write_of(struct Writer *writer, const char *path)
{
    struct Problems *problems = problems_new();
    const struct Document *document = document_read(path, writer->arena, problems);
    size_t count;
    const struct FileKind *kinds = kinds_files(&count);
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    if (document->root == NULL)
        bug("%s cannot be read", path);
    writer->name = arena_bytes(writer->arena, base, strlen(base) - strlen(".yaml"));
    writer->root = document->root;
    save(writer, "good", "as_it_is");
    for (size_t n = 0; n < count; n++)
        if (text_equal(kinds[n].name, document->root->keys[0]->text))
            walk(writer, kinds[n].record, &writer->root, kinds[n].name);
    problems_free(problems);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s FOLDER GOOD.yaml...\n", argv[0]);
        return 2;
    }
    struct Writer writer = {.arena = arena_new("malformed", (size_t)1 << 30), .folder = argv[1]};
    writer.sets = kinds_sets(&faildrill_kinds, writer.arena, &writer.set_count);
    for (int n = 2; n < argc; n++)
        write_of(&writer, argv[n]);
    printf("%zu\n", writer.written);
    arena_free(writer.arena);
    return 0;
}
