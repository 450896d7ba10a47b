/* canonical.c - a record as canonical JSON: equal meaning, equal bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "value.h"

/* One key of an object that is being written; of the three pointers one is set, or all NULL where
 * the key has no value of its own. */
struct Entry {
    const char *key;
    const struct Field *field;
    const struct Record *record;
    const struct Node *node;
    const void *at; /* of the field or record */
    const char *text;
};

struct Writer {
    struct Json *json;
    unsigned without;
};

static void write_entry(struct Writer *writer, const struct Entry *entry);
static void write_record(struct Writer *writer, const struct Record *record, const void *value);

static int by_key(const void *left, const void *right)
{
    const struct Entry *a = left, *b = right;
    return strcmp(a->key, b->key);
}

static void write_object(struct Writer *writer, struct Entry *entries, size_t count)
{
    qsort(entries, count, sizeof(*entries), by_key);
    json_open_object(writer->json);
    for (size_t n = 0; n < count; n++) {
        json_key(writer->json, entries[n].key);
        write_entry(writer, &entries[n]);
    }
    json_end(writer->json);
}

static void write_node(struct Writer *writer, const struct Node *node)
{
    if (node->type == NODE_SCALAR) {
        json_text(writer->json, node->text);
    } else if (node->type == NODE_LIST) {
        json_open_array(writer->json);
        for (size_t n = 0; n < node->count; n++)
            write_node(writer, node->items[n]);
        json_end(writer->json);
    } else {
        struct Entry *entries = mem_zero(node->count, sizeof(*entries));
        for (size_t n = 0; n < node->count; n++)
            entries[n] = (struct Entry){.key = node->keys[n]->text, .node = node->items[n]};
        write_object(writer, entries, node->count);
        mem_free(entries);
    }
}

static size_t field_count(const struct Record *record)
{
    size_t count = 0;
    while (record->fields[count].name != NULL)
        count++;
    return count;
}

/* Nothing is written for what was not given and has no default. */
static bool is_absent(const struct Field *field, const void *at)
{
    switch (field->type) {
    case FIELD_NODE:
    case FIELD_NAME:
        return true;
    case FIELD_INT:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_SHARE:
    case FIELD_RATE:
    case FIELD_BITS:
        return (field->flags & FIELD_UNSET) != 0 && *(const int64_t *)at == FIELD_NOT_GIVEN;
    case FIELD_LOSS:
        return !((const struct Loss *)at)->given;
    case FIELD_TEXT:
    case FIELD_RECORD:
    case FIELD_ANY:
        return *(const void *const *)at == NULL;
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_TEXTS:
        return ((const struct List *)at)->count == 0;
    case FIELD_BOOL:
    case FIELD_PICK:
    case FIELD_CHOICE:
        return false;
    }
    return false;
}

static void write_texts(struct Writer *writer, const struct List *list)
{
    const struct TextPair *pairs = list->items;
    struct Entry *entries = mem_zero(list->count, sizeof(*entries));
    for (size_t n = 0; n < list->count; n++)
        entries[n] = (struct Entry){.key = pairs[n].name, .text = pairs[n].value};
    write_object(writer, entries, list->count);
    mem_free(entries);
}

static void write_map(struct Writer *writer, const struct Record *record, const struct List *list)
{
    const struct Field *name = record->fields;
    while (name->type != FIELD_NAME)
        name++;
    struct Entry *entries = mem_zero(list->count, sizeof(*entries));
    for (size_t n = 0; n < list->count; n++) {
        const unsigned char *at = (const unsigned char *)list->items + n * record->size;
        entries[n] = (struct Entry){.record = record, .at = at};
        memcpy(&entries[n].key, at + name->offset, sizeof(char *));
    }
    write_object(writer, entries, list->count);
    mem_free(entries);
}

static void write_list(struct Writer *writer, const struct Record *record, const struct List *list)
{
    json_open_array(writer->json);
    for (size_t n = 0; n < list->count; n++) {
        if (record != NULL)
            write_record(writer, record, (const unsigned char *)list->items + n * record->size);
        else
            json_text(writer->json, ((const char *const *)list->items)[n]);
    }
    json_end(writer->json);
}

static void write_number(struct Writer *writer, enum FieldType type, int64_t value)
{
    char text[32];
    if (type == FIELD_INT) {
        json_int(writer->json, value);
        return;
    }
    number_write(type, value, text);
    json_text(writer->json, text);
}

static void write_choice(struct Writer *writer, const struct Field *field, int value)
{
    const struct Choice *choice = field->choices;
    while (choice->name != NULL && choice->value != value)
        choice++;
    json_text(writer->json, choice->name);
}

static void write_field(struct Writer *writer, const struct Field *field, const void *at)
{
    const struct Loss *loss = at;
    const struct Pick *pick = at;
    switch (field->type) {
    case FIELD_NODE:
    case FIELD_NAME:
        json_nothing(writer->json);
        return;
    case FIELD_BOOL:
        json_bool(writer->json, *(const bool *)at);
        return;
    case FIELD_INT:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_SHARE:
    case FIELD_RATE:
    case FIELD_BITS:
        write_number(writer, field->type, *(const int64_t *)at);
        return;
    case FIELD_LOSS:
        write_number(writer, loss->is_duration ? FIELD_DURATION : FIELD_INT, loss->value);
        return;
    case FIELD_PICK:
        if (pick->type == PICK_ALL)
            json_text(writer->json, "all");
        else
            write_number(writer, pick->type == PICK_SHARE ? FIELD_SHARE : FIELD_INT, pick->value);
        return;
    case FIELD_TEXT:
        json_text(writer->json, *(const char *const *)at);
        return;
    case FIELD_CHOICE:
        write_choice(writer, field, *(const int *)at);
        return;
    case FIELD_RECORD:
        write_record(writer, field->of, *(const void *const *)at);
        return;
    case FIELD_LIST:
        write_list(writer, field->of, at);
        return;
    case FIELD_MAP:
        write_map(writer, field->of, at);
        return;
    case FIELD_TEXTS:
        write_texts(writer, at);
        return;
    case FIELD_ANY:
        write_node(writer, *(const struct Node *const *)at);
        return;
    }
}

static void write_entry(struct Writer *writer, const struct Entry *entry)
{
    if (entry->field != NULL)
        write_field(writer, entry->field, entry->at);
    else if (entry->record != NULL)
        write_record(writer, entry->record, entry->at);
    else if (entry->node != NULL)
        write_node(writer, entry->node);
    else
        json_text(writer->json, entry->text);
}

/* The entries of a record's own fields; a variant's subject stands under the variant's name. */
static size_t collect(const struct Writer *writer, const struct Record *record, const void *value,
                      const char *subject, struct Entry *entries)
{
    size_t count = 0;
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        const void *at = (const unsigned char *)value + field->offset;
        bool is_subject = (field->flags & FIELD_SUBJECT) != 0 && subject != NULL;
        if ((field->flags & writer->without) != 0 || is_absent(field, at))
            continue;
        entries[count++] =
            (struct Entry){.key = is_subject ? subject : field->name, .field = field, .at = at};
    }
    return count;
}

static bool has_subject(const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if ((field->flags & FIELD_SUBJECT) != 0)
            return true;
    }
    return false;
}

static void write_record(struct Writer *writer, const struct Record *record, const void *value)
{
    struct Chosen chosen = {.variant = NULL};
    if (record->variants != NULL)
        memcpy(&chosen, (const unsigned char *)value + record->variant_offset, sizeof(chosen));
    const struct Variant *variant = chosen.variant;
    size_t room = field_count(record) + 1;
    room += variant != NULL ? field_count(variant->record) : 0;
    struct Entry *entries = mem_zero(room, sizeof(*entries));
    size_t count = collect(writer, record, value, NULL, entries);
    if (variant != NULL && has_subject(variant->record))
        count += collect(writer, variant->record, chosen.config, variant->name, entries + count);
    else if (variant != NULL)
        entries[count++] =
            (struct Entry){.key = variant->name, .record = variant->record, .at = chosen.config};
    write_object(writer, entries, count);
    mem_free(entries);
}

void canonical_write(const struct Record *record, const void *value, unsigned without,
                     struct Json *json)
{
    struct Writer writer = {.json = json, .without = without};
    write_record(&writer, record, value);
}
