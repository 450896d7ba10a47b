/* decode.c - a tree, read by a table of fields into C structs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <string.h>

#include "../base/text.h"
#include "decode_field.h"

/* A file with more problems than that is none of ours: advice, and all the rest, only takes time.
 */
enum { ADVISED_MOST = 100, READ_MOST = 1000 };

/* One record being read. */
struct Reading {
    struct Decode *decode;
    const struct Record *record;
    const struct Node *node;
    unsigned char *out;
    const struct VariantSet *set;  /* NULL where the record has no variants */
    const struct Variant *variant; /* the one that was chosen, or NULL */
    const struct Node *variant_key;
    const struct Field *subject; /* of the variant, or NULL */
    void *config;
    bool good, unknown;
};

const struct VariantSet *decode_set(const struct Decode *decode, const char *name)
{
    for (size_t n = 0; n < decode->set_count; n++) {
        if (strcmp(decode->sets[n].name, name) == 0)
            return &decode->sets[n];
    }
    return NULL;
}

static const char *article(const char *name)
{
    return strchr("aeiou", name[0]) != NULL ? "an" : "a";
}

static const struct Variant *find_variant(const struct VariantSet *set, const char *name)
{
    for (size_t n = 0; set != NULL && n < set->count; n++) {
        if (strcmp(set->at[n].name, name) == 0)
            return &set->at[n];
    }
    return NULL;
}

/* The field that a key of a file names, or NULL. A variant's subject stands under the variant's own
 * key; in a record that is read by itself it is a field like any other. */
static const struct Field *find_field(const struct Record *record, const char *name, bool alone)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (field->name[0] != '\0' && (alone || (field->flags & FIELD_SUBJECT) == 0) &&
            strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

static const struct Field *find_subject(const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if ((field->flags & FIELD_SUBJECT) != 0)
            return field;
    }
    return NULL;
}

/* What stands in the way of two kinds in one record; the first one counts. */
static void say_two_kinds(struct Reading *reading, const struct Node *first,
                          const struct Node *second)
{
    problems_say(reading->decode->problems, ERR_VALUE, second->where, NULL,
                 "`%s` and `%s` cannot stand together", first->text, second->text);
    err_at(problems_last(reading->decode->problems), "one kind of %s; `%s` is on line %u",
           reading->record->name, first->text, first->where.line);
    reading->good = false;
}

static void choose(struct Reading *reading, const struct Variant *variant, const struct Node *key)
{
    reading->variant = variant;
    reading->variant_key = key;
    reading->subject = find_subject(variant->record);
    reading->config = arena_zero(reading->decode->arena, 1, variant->record->size);
    struct Chosen chosen = {.variant = variant, .config = reading->config, .where = key->where};
    memcpy(reading->out + reading->record->variant_offset, &chosen, sizeof(chosen));
}

/* Finds the one key that names a variant; a scalar may be the name of one that needs no value. */
static void choose_variant(struct Reading *reading)
{
    const struct Node *node = reading->node;
    if (reading->record->variants == NULL)
        return;
    reading->set = decode_set(reading->decode, reading->record->variants);
    if (reading->set == NULL)
        bug("there is no set of variants '%s'", reading->record->variants);
    if (node->type == NODE_SCALAR) {
        const struct Variant *variant = find_variant(reading->set, node->text);
        if (variant != NULL)
            choose(reading, variant, node);
        return;
    }
    for (size_t n = 0; n < node->count && node->type == NODE_MAP; n++) {
        const struct Variant *variant = find_variant(reading->set, node->keys[n]->text);
        if (variant == NULL || find_field(reading->record, node->keys[n]->text, true) != NULL)
            continue;
        if (reading->variant != NULL)
            say_two_kinds(reading, reading->variant_key, node->keys[n]);
        else
            choose(reading, variant, node->keys[n]);
    }
}

static void add_names(struct Reading *reading, struct List *names, const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        bool alone = record == reading->record;
        if (field->name[0] != '\0' && (alone || (field->flags & FIELD_SUBJECT) == 0))
            *(const char **)list_add(names, reading->decode->arena, sizeof(char *)) = field->name;
    }
}

static void add_kinds(struct Reading *reading, struct List *names)
{
    for (size_t n = 0; reading->set != NULL && n < reading->set->count; n++)
        *(const char **)list_add(names, reading->decode->arena, sizeof(char *)) =
            reading->set->at[n].name;
}

/* Keys that may stand in this record: of its kind where that is known, else all kinds first. */
static struct List allowed_names(struct Reading *reading)
{
    struct List names = {.count = 0};
    if (reading->variant == NULL)
        add_kinds(reading, &names);
    else if (reading->subject != NULL)
        add_names(reading, &names, reading->variant->record);
    add_names(reading, &names, reading->record);
    return names;
}

/* The kinds that do have this key, or "". */
static void note_other_kinds(struct Reading *reading, const char *key, struct Err *err)
{
    char kinds[160] = "";
    size_t used = 0;
    for (size_t n = 0; reading->set != NULL && n < reading->set->count; n++) {
        const struct Variant *variant = &reading->set->at[n];
        if (find_subject(variant->record) == NULL ||
            find_field(variant->record, key, false) == NULL ||
            used + strlen(variant->name) + 3 > sizeof(kinds))
            continue;
        used += (size_t)snprintf(kinds + used, sizeof(kinds) - used, "%s%s", used > 0 ? ", " : "",
                                 variant->name);
    }
    if (used > 0)
        err_note(err, "`%s` belongs to: %s", key, kinds);
}

static void say_unknown_key(struct Reading *reading, const struct Node *key)
{
    reading->good = false;
    reading->unknown = true;
    problems_say(reading->decode->problems, ERR_UNKNOWN_KEY, key->where, NULL, "unknown key `%s`",
                 key->text);
    if (problems_count(reading->decode->problems) > ADVISED_MOST)
        return;
    struct Err *err = problems_last(reading->decode->problems);
    struct List names = allowed_names(reading);
    const char *const *all = names.items;
    const char *nearest = text_nearest(key->text, all, names.count);
    if (nearest != NULL)
        err_at(err, "did you mean `%s`?", nearest);
    for (size_t n = 0; n < names.count; n++)
        err_allow(err, all[n]);
    note_other_kinds(reading, key->text, err);
    err_hint(err, "faildrill explain %s", reading->record->name);
}

/* The value of the variant's own key. */
static bool read_subject(struct Reading *reading, const struct Node *value)
{
    if (reading->subject == NULL)
        return decode_record(reading->decode, value, reading->variant->record, reading->config);
    struct Field subject = *reading->subject; /* messages name it as the file does */
    subject.name = reading->variant->name;
    return field_read(reading->decode, &subject, value,
                      (unsigned char *)reading->config + subject.offset);
}

static bool read_key(struct Reading *reading, const struct Node *key, const struct Node *value)
{
    const struct Field *field = find_field(reading->record, key->text, true);
    if (field != NULL)
        return field_read(reading->decode, field, value, reading->out + field->offset);
    if (key == reading->variant_key)
        return read_subject(reading, value);
    if (find_variant(reading->set, key->text) != NULL)
        return false; /* a second kind, reported already */
    if (reading->subject != NULL)
        field = find_field(reading->variant->record, key->text, false);
    if (field != NULL)
        return field_read(reading->decode, field, value,
                          (unsigned char *)reading->config + field->offset);
    say_unknown_key(reading, key);
    return false;
}

/* Sets the fields of `record` that no key names. */
static void read_missing(struct Reading *reading, const struct Record *record, unsigned char *out,
                         bool subject_given)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        bool subject = record != reading->record && (field->flags & FIELD_SUBJECT) != 0;
        const char *name = subject ? reading->variant->name : field->name;
        if (field->type == FIELD_NODE) {
            memcpy(out + field->offset, &reading->node, sizeof(reading->node));
        } else if (field->type == FIELD_NAME || (subject && subject_given) ||
                   (!subject && node_get(reading->node, field->name) != NULL)) {
            continue;
        } else if ((field->flags & FIELD_REQUIRED) != 0) {
            problems_say(reading->decode->problems, ERR_REQUIRED, reading->node->where, NULL,
                         subject ? "`%s` needs a value" : "the key `%s` is missing", name);
            if (field->example != NULL)
                err_at(problems_last(reading->decode->problems), "like `%s: %s`", name,
                       field->example);
            reading->good = false;
        } else if (!field_set_default(reading->decode, field, reading->node->where,
                                      out + field->offset)) {
            reading->good = false;
        }
    }
}

static bool say_no_kind(struct Reading *reading)
{
    const char *name = reading->record->name;
    problems_say(reading->decode->problems, ERR_REQUIRED, reading->node->where, NULL,
                 "%s %s needs one of the keys that say its kind", article(name), name);
    struct Err *err = problems_last(reading->decode->problems);
    for (size_t n = 0; n < reading->set->count; n++)
        err_allow(err, reading->set->at[n].name);
    err_hint(err, "faildrill explain %s", name);
    return false;
}

static bool say_no_map(struct Reading *reading)
{
    const char *name = reading->record->name;
    problems_say(reading->decode->problems, ERR_TYPE, reading->node->where, NULL,
                 "%s %s is written as keys and values, like {key: value}", article(name), name);
    struct Err *err = problems_last(reading->decode->problems);
    struct List names = allowed_names(reading);
    for (size_t n = 0; n < names.count; n++)
        err_allow(err, ((const char **)names.items)[n]);
    return false;
}

static bool check(struct Reading *reading, const struct Record *record, const void *value)
{
    size_t before = problems_errors(reading->decode->problems);
    if (record->check != NULL)
        record->check(value, reading->node, reading->decode);
    return problems_errors(reading->decode->problems) == before;
}

bool decode_record(struct Decode *decode, const struct Node *node, const struct Record *record,
                   void *out)
{
    struct Reading reading = {
        .decode = decode, .record = record, .node = node, .out = out, .good = true};
    if (node->broken)
        return false;
    choose_variant(&reading);
    bool by_name = node->type == NODE_SCALAR && reading.variant != NULL;
    if (node->type != NODE_MAP && !by_name)
        return say_no_map(&reading);
    for (size_t n = 0; n < node->count && problems_count(decode->problems) < READ_MOST; n++)
        reading.good = read_key(&reading, node->keys[n], node->items[n]) && reading.good;
    if (reading.set != NULL && reading.variant == NULL && !record->variant_optional &&
        !reading.unknown)
        reading.good = say_no_kind(&reading);
    read_missing(&reading, record, reading.out, true);
    bool beside = reading.subject != NULL;
    if (reading.variant != NULL && (beside || by_name))
        read_missing(&reading, reading.variant->record, reading.config, beside && !by_name);
    reading.good = reading.good && check(&reading, record, out);
    if (reading.good && reading.variant != NULL && (beside || by_name))
        reading.good = check(&reading, reading.variant->record, reading.config);
    return reading.good;
}
