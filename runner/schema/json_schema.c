/* json_schema.c - JSON Schema draft-07 from the tables, for editors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "json_schema_field.h"

static void gather(struct Schema *schema, const struct Record *record);

static void gather_fields(struct Schema *schema, const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (field->of != NULL)
            gather(schema, field->of);
    }
}

static void gather(struct Schema *schema, const struct Record *record)
{
    for (size_t n = 0; n < schema->count; n++) {
        if (schema->records[n] == record)
            return;
    }
    if (schema->count == SCHEMA_RECORDS_MAX)
        bug("more than %d records in one file", SCHEMA_RECORDS_MAX);
    schema->records[schema->count++] = record;
    gather_fields(schema, record);
    const struct VariantSet *set = words_set(&schema->words, record);
    for (size_t n = 0; set != NULL && n < set->count; n++) {
        if (variant_subject(&set->at[n]) == NULL)
            gather(schema, set->at[n].record);
        else
            gather_fields(schema, set->at[n].record);
    }
}

static void put_variant_key(struct Schema *schema, const struct Variant *variant)
{
    const struct Field *subject = variant_subject(variant);
    if (subject != NULL) {
        schema_put_property(schema, variant->name, variant->summary, subject);
        return;
    }
    json_key(schema->json, variant->name);
    json_open_object(schema->json);
    json_put_text(schema->json, "description", variant->summary);
    json_key(schema->json, "allOf");
    json_open_array(schema->json);
    schema_put_ref(schema, variant->record);
    json_end(schema->json);
    json_end(schema->json);
}

/* The variant's fields that stand beside its key. */
static const struct Field *fields_beside(const struct Variant *variant)
{
    static const struct Field none[] = {{.name = NULL}};
    return variant != NULL && variant_subject(variant) != NULL ? variant->record->fields : none;
}

static void put_required(struct Schema *schema, const struct Field *fields)
{
    for (const struct Field *field = fields; field->name != NULL; field++) {
        if (field_is_key(field) && (field->flags & FIELD_REQUIRED) != 0 &&
            (field->flags & FIELD_ELSEWHERE) == 0)
            json_text(schema->json, field->name);
    }
}

/* What another file may say is missed only where none is included. */
static void put_elsewhere(struct Schema *schema, const struct Field *fields)
{
    bool any = false;
    for (const struct Field *field = fields; field->name != NULL; field++)
        any = any || (field->flags & FIELD_ELSEWHERE) != 0;
    if (!any)
        return;
    json_key(schema->json, "anyOf");
    json_open_array(schema->json);
    for (size_t way = 0; way < 2; way++) {
        json_open_object(schema->json);
        json_key(schema->json, "required");
        json_open_array(schema->json);
        if (way == 0)
            json_text(schema->json, "include");
        for (const struct Field *field = fields; way == 1 && field->name != NULL; field++)
            if ((field->flags & FIELD_ELSEWHERE) != 0)
                json_text(schema->json, field->name);
        json_end(schema->json);
        json_end(schema->json);
    }
    json_end(schema->json);
}

static const struct Field *group_of(const struct Record *record)
{
    const struct Field *field = record != NULL ? record->fields : NULL;
    while (field != NULL && field->name != NULL &&
           (field->type != FIELD_MAP || (field->flags & FIELD_GROUP) == 0))
        field++;
    return field != NULL && field->name != NULL ? field : NULL;
}

static bool has_key(const struct Record *record, const char *name)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0)
            return true;
    return false;
}

/* The members of a map name no group where the record has no inventory, which has the same key. */
static void put_no_groups(struct Schema *schema, const struct Field *map, const char *name)
{
    static const char *const scalars[] = {"string", "number", "boolean"};
    const char *const into[] = {"properties", map->name, "additionalProperties",
                                "properties", name,      "not"};
    json_key(schema->json, "if");
    json_open_object(schema->json);
    json_key(schema->json, "required");
    json_open_array(schema->json);
    json_text(schema->json, name);
    json_end(schema->json);
    json_end(schema->json);
    json_key(schema->json, "else");
    json_open_object(schema->json);
    for (size_t n = 0; n < COUNT_OF(into); n++) {
        json_key(schema->json, into[n]);
        json_open_object(schema->json);
    }
    json_key(schema->json, "type");
    json_open_array(schema->json);
    for (size_t n = 0; n < COUNT_OF(scalars); n++)
        json_text(schema->json, scalars[n]);
    json_end(schema->json);
    for (size_t n = 0; n <= COUNT_OF(into); n++)
        json_end(schema->json);
}

static void put_groups(struct Schema *schema, const struct Record *record)
{
    for (const struct Field *map = record->fields; map->name != NULL; map++) {
        const struct Field *group = map->type == FIELD_MAP ? group_of(map->of) : NULL;
        if (group != NULL && has_key(record, group->name))
            put_no_groups(schema, map, group->name);
    }
}

/* The keys of `record` as one of its kinds, or as none. */
static void put_object(struct Schema *schema, const struct Record *record,
                       const struct Variant *variant)
{
    const struct Field *beside = fields_beside(variant);
    json_put_text(schema->json, "type", "object");
    json_key(schema->json, "properties");
    json_open_object(schema->json);
    if (variant != NULL)
        put_variant_key(schema, variant);
    for (const struct Field *field = beside; field->name != NULL; field++) {
        if (field_is_key(field))
            schema_put_property(schema, field->name, field->doc, field);
    }
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (field_is_key(field))
            schema_put_property(schema, field->name, field->doc, field);
    }
    json_end(schema->json);
    json_put_bool(schema->json, "additionalProperties", false);
    json_key(schema->json, "required");
    json_open_array(schema->json);
    if (variant != NULL)
        json_text(schema->json, variant->name);
    put_required(schema, beside);
    put_required(schema, record->fields);
    json_end(schema->json);
    put_elsewhere(schema, record->fields);
    put_groups(schema, record);
}

static bool needs_nothing(const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if ((field->flags & FIELD_REQUIRED) != 0)
            return false;
    }
    return true;
}

/* Kinds that need no value may be written as their name alone: `reach: local`. */
static void put_names_alone(struct Schema *schema, const struct VariantSet *set)
{
    json_open_object(schema->json);
    json_key(schema->json, "enum");
    json_open_array(schema->json);
    for (size_t n = 0; n < set->count; n++) {
        if (needs_nothing(set->at[n].record))
            json_text(schema->json, set->at[n].name);
    }
    json_end(schema->json);
    json_end(schema->json);
}

/* The members of the record's definition; inside an object that is open. */
static void put_record(struct Schema *schema, const struct Record *record)
{
    const struct VariantSet *set = words_set(&schema->words, record);
    bool by_name = false;
    if (record->doc != NULL)
        json_put_text(schema->json, "description", record->doc);
    if (set == NULL) {
        put_object(schema, record, NULL);
        return;
    }
    json_key(schema->json, "anyOf");
    json_open_array(schema->json);
    for (size_t n = 0; n < set->count; n++) {
        by_name = by_name || (needs_nothing(record) && needs_nothing(set->at[n].record));
        json_open_object(schema->json);
        json_put_text(schema->json, "title", set->at[n].name);
        put_object(schema, record, &set->at[n]);
        json_end(schema->json);
    }
    if (record->variant_optional) {
        json_open_object(schema->json);
        put_object(schema, record, NULL);
        json_end(schema->json);
    }
    if (by_name)
        put_names_alone(schema, set);
    json_end(schema->json);
}

void json_schema_write(const struct FileKind *file, const struct VariantSet *sets, size_t set_count,
                       struct Json *json)
{
    struct Schema schema = {
        .words = {.files = file, .file_count = 1, .sets = sets, .set_count = set_count},
        .json = json};
    gather(&schema, file->record);
    json_open_object(json);
    json_put_text(json, "$schema", "http://json-schema.org/draft-07/schema#");
    json_put_text(json, "title", file->name);
    put_record(&schema, file->record);
    json_key(json, "definitions");
    json_open_object(json);
    schema_put_patterns(&schema);
    for (size_t n = 1; n < schema.count; n++) {
        json_key(json, schema_name(&schema, schema.records[n]));
        json_open_object(json);
        put_record(&schema, schema.records[n]);
        json_end(json);
    }
    json_end(json);
    json_end(json);
}
