/* json_schema_field.c - the JSON Schema of one field. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_schema_field.h"

#include <string.h>

#include "../base/duration.h"

/* Values that are more than one JSON type; a reference may stand for any of them. */
static const struct {
    const char *name, *pattern;
} patterns[] = {
    {"a_reference", "\\$\\{(param|env|endpoint|role|target|host|secret|capture|run)\\.[^}]+\\}"},
    {"a_secret", "^\\$\\{secret\\.[^}]+\\}$"},
    {"a_duration", "^([0-9]+(\\.[0-9]+)?(d|h|ms|us|ns|m|s))+$"},
    {"a_size", "^[0-9]+(\\.[0-9]+)? ?([kMGT]?B|[KMGT]iB)$"},
    {"a_share", "^[0-9]+(\\.[0-9]+)?%$"},
    {"a_rate", "^[0-9]+(\\.[0-9]+)?/[smh]$"},
    {"a_rate_of_bits", "^[0-9]+(\\.[0-9]+)?[kMG]?bit/s$"},
    {"a_snake_name", "^[a-z][a-z0-9_]*$"},
};

const char *schema_name(struct Schema *schema, const struct Record *record)
{
    size_t same = 1;
    for (size_t n = 0; n < schema->count && schema->records[n] != record; n++)
        same += strcmp(schema->records[n]->name, record->name) == 0;
    if (same == 1)
        snprintf(schema->name, sizeof(schema->name), "%.70s", record->name);
    else
        snprintf(schema->name, sizeof(schema->name), "%.70s_%zu", record->name, same);
    return schema->name;
}

static void put_ref(struct Schema *schema, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "#/definitions/%s", name);
    json_open_object(schema->json);
    json_put_text(schema->json, "$ref", path);
    json_end(schema->json);
}

void schema_put_ref(struct Schema *schema, const struct Record *record)
{
    put_ref(schema, schema_name(schema, record));
}

static void put_type(struct Schema *schema, const char *type)
{
    json_open_object(schema->json);
    json_put_text(schema->json, "type", type);
    json_end(schema->json);
}

static void put_int(struct Schema *schema, int64_t low, int64_t high)
{
    json_open_object(schema->json);
    json_put_text(schema->json, "type", "integer");
    if (low != INT64_MIN)
        json_put_int(schema->json, "minimum", low);
    if (high != INT64_MAX)
        json_put_int(schema->json, "maximum", high);
    json_end(schema->json);
}

static void put_choices(struct Schema *schema, const struct Choice *choices)
{
    json_open_object(schema->json);
    json_key(schema->json, "enum");
    json_open_array(schema->json);
    for (; choices->name != NULL; choices++)
        json_text(schema->json, choices->name);
    json_end(schema->json);
    json_end(schema->json);
}

/* A scalar without quotes may be a number or a truth value for an editor. */
static void put_any_scalar(struct Schema *schema)
{
    json_open_object(schema->json);
    json_key(schema->json, "type");
    json_open_array(schema->json);
    json_text(schema->json, "string");
    json_text(schema->json, "number");
    json_text(schema->json, "boolean");
    json_end(schema->json);
    json_end(schema->json);
}

/* One scheme of a text, of the field or of each element of its list. */
static void put_text(struct Schema *schema, const struct Field *field)
{
    if ((field->flags & FIELD_SECRET) != 0)
        put_ref(schema, "a_secret");
    if ((field->flags & FIELD_SOURCE) != 0)
        schema_put_ref(schema, field->of);
    if ((field->flags & FIELD_SECRET) != 0)
        return;
    if (field->choices != NULL)
        put_choices(schema, field->choices);
    else if ((field->flags & FIELD_SNAKE) != 0)
        put_ref(schema, "a_snake_name");
    else
        put_any_scalar(schema);
}

/* An element of a list of records. */
static void put_element(struct Schema *schema, const struct Field *field)
{
    if ((field->flags & FIELD_SCALARS) == 0) {
        schema_put_ref(schema, field->of);
        return;
    }
    json_open_object(schema->json);
    json_key(schema->json, "anyOf");
    json_open_array(schema->json);
    schema_put_ref(schema, field->of);
    put_any_scalar(schema);
    json_end(schema->json);
    json_end(schema->json);
}

static void put_list(struct Schema *schema, const struct Field *field)
{
    json_open_object(schema->json);
    json_put_text(schema->json, "type", "array");
    if (field->min > 0)
        json_put_int(schema->json, "minItems", field->min);
    json_key(schema->json, "items");
    if (field->of != NULL)
        put_element(schema, field);
    else
        put_text(schema, field);
    json_end(schema->json);
    if (field->of != NULL) /* one alone needs no brackets */
        put_element(schema, field);
    else
        put_text(schema, field);
}

static void put_names(struct Schema *schema)
{
    json_open_object(schema->json);
    json_put_text(schema->json, "type", "array");
    json_key(schema->json, "items");
    put_any_scalar(schema);
    json_end(schema->json);
}

/* How the names of a map are written; those that other readers take for truth values are none. */
static void put_names_of(struct Schema *schema, const struct Field *field)
{
    static const char *const taken[] = {"on", "off",  "yes",   "no",  "y",
                                        "n",  "true", "false", "null"};
    const struct Field *name = field->of->fields;
    while (name->type != FIELD_NAME)
        name++;
    bool host = (name->flags & FIELD_HOST) != 0, snake = (name->flags & FIELD_SNAKE) != 0;
    json_key(schema->json, "propertyNames");
    json_open_object(schema->json);
    json_put_text(schema->json, "pattern",
                  host                                ? "^[A-Za-z0-9][A-Za-z0-9._-]*$"
                  : snake                             ? "^[a-z][a-z0-9_]*$"
                  : (name->flags & FIELD_DASHES) != 0 ? "^[A-Za-z][A-Za-z0-9_-]*$"
                                                      : "^[A-Za-z][A-Za-z0-9_]*$");
    if (!host) {
        json_key(schema->json, "not");
        json_open_object(schema->json);
        json_key(schema->json, "enum");
        json_open_array(schema->json);
        for (size_t n = 0; n < COUNT_OF(taken); n++)
            json_text(schema->json, taken[n]);
        json_end(schema->json);
        json_end(schema->json);
    }
    json_end(schema->json);
}

static void put_map(struct Schema *schema, const struct Field *field)
{
    json_open_object(schema->json);
    json_put_text(schema->json, "type", "object");
    if (field->type == FIELD_MAP && field->min > 0)
        json_put_int(schema->json, "minProperties", field->min);
    if (field->type == FIELD_MAP)
        put_names_of(schema, field);
    json_key(schema->json, "additionalProperties");
    if (field->type == FIELD_MAP) {
        put_element(schema, field);
    } else {
        put_text(schema, field);
    }
    json_end(schema->json);
    if ((field->flags & FIELD_NAMES) != 0)
        put_names(schema);
    if ((field->flags & FIELD_GROUP) != 0)
        put_any_scalar(schema);
}

/* The definition that says how a number of this type is written, or NULL. */
static const char *pattern_of(enum FieldType type)
{
    static const char *const names[] = {
        [FIELD_DURATION] = "a_duration", [FIELD_SIZE] = "a_size",
        [FIELD_SHARE] = "a_share",       [FIELD_RATE] = "a_rate",
        [FIELD_BITS] = "a_rate_of_bits", [FIELD_LOSS] = "a_duration",
        [FIELD_PICK] = "a_share",        [FIELD_ANY] = NULL};
    return names[type];
}

/* What may stand there, as the members of an anyOf. */
static void put_schemes(struct Schema *schema, const struct Field *field)
{
    bool bounded = field->min != 0 || field->max != 0;
    if (pattern_of(field->type) != NULL)
        put_ref(schema, pattern_of(field->type));
    switch (field->type) {
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_SHARE:
    case FIELD_RATE:
    case FIELD_BITS:
        break;
    case FIELD_BOOL:
        put_type(schema, "boolean");
        break;
    case FIELD_INT:
        put_int(schema, bounded ? field->min : INT64_MIN, bounded ? field->max : INT64_MAX);
        break;
    case FIELD_LOSS:
        put_int(schema, 0, INT64_MAX);
        break;
    case FIELD_PICK:
        put_int(schema, 1, INT64_MAX);
        put_choices(schema, (const struct Choice[]){{.name = "all"}, {.name = NULL}});
        break;
    case FIELD_TEXT:
        put_text(schema, field);
        break;
    case FIELD_CHOICE:
        put_choices(schema, field->choices);
        break;
    case FIELD_RECORD:
        schema_put_ref(schema, field->of);
        break;
    case FIELD_LIST:
        put_list(schema, field);
        break;
    case FIELD_MAP:
    case FIELD_TEXTS:
        put_map(schema, field);
        break;
    case FIELD_NODE:
    case FIELD_NAME:
    case FIELD_ANY:
        json_open_object(schema->json);
        json_end(schema->json);
        break;
    }
}

static bool may_be_reference(const struct Field *field)
{
    bool simple = field->of == NULL && field->type != FIELD_LIST && field->type != FIELD_TEXTS &&
                  field->type != FIELD_ANY;
    return simple && (field->flags & FIELD_SECRET) == 0;
}

static void put_default(struct Schema *schema, const struct Field *field)
{
    int64_t number = 0;
    if (field->fallback == NULL || field->of != NULL || field->type == FIELD_LIST ||
        field->type == FIELD_TEXTS)
        return;
    json_key(schema->json, "default");
    if (field->type == FIELD_BOOL)
        json_bool(schema->json, strcmp(field->fallback, "true") == 0);
    else if (field->type != FIELD_TEXT && int_parse(field->fallback, &number, NULL))
        json_int(schema->json, number);
    else
        json_text(schema->json, field->fallback);
}

void schema_put_property(struct Schema *schema, const char *name, const char *doc,
                         const struct Field *field)
{
    struct Buf text = BUF(4096);
    buf_printf(&text, "%s", doc != NULL ? doc : "");
    if (field->example != NULL)
        buf_printf(&text, " Example: `%s: %s`", name, field->example);
    json_key(schema->json, name);
    json_open_object(schema->json);
    json_put_text(schema->json, "description", text.text);
    put_default(schema, field);
    json_key(schema->json, "anyOf");
    json_open_array(schema->json);
    put_schemes(schema, field);
    if (may_be_reference(field))
        put_ref(schema, "a_reference");
    json_end(schema->json);
    json_end(schema->json);
    buf_free(&text);
}

void schema_put_patterns(struct Schema *schema)
{
    for (size_t n = 0; n < COUNT_OF(patterns); n++) {
        json_key(schema->json, patterns[n].name);
        json_open_object(schema->json);
        json_put_text(schema->json, "type", "string");
        json_put_text(schema->json, "pattern", patterns[n].pattern);
        json_end(schema->json);
    }
}
