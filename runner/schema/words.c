/* words.c - every word that can stand in a file, with the path that leads to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <string.h>

#include "value.h"

enum { PATH_MAX_BYTES = 256, DEPTH_MAX = 12 };

struct Walk {
    const struct Words *words;
    WordFn *each;
    void *data;
    char path[PATH_MAX_BYTES];
    const struct Record *entered[DEPTH_MAX];
    size_t depth;
};

static void walk_record(struct Walk *walk, const struct Record *record, size_t used);

const struct VariantSet *words_set(const struct Words *words, const struct Record *record)
{
    for (size_t n = 0; record->variants != NULL && n < words->set_count; n++) {
        if (strcmp(words->sets[n].name, record->variants) == 0)
            return &words->sets[n];
    }
    return NULL;
}

const struct Field *variant_subject(const struct Variant *variant)
{
    for (const struct Field *field = variant->record->fields; field->name != NULL; field++) {
        if ((field->flags & FIELD_SUBJECT) != 0)
            return field;
    }
    return NULL;
}

bool field_is_key(const struct Field *field)
{
    return field->name[0] != '\0' && (field->flags & FIELD_SUBJECT) == 0 &&
           field->type != FIELD_NAME && field->type != FIELD_NODE;
}

/* The path with one more part behind its first `used` bytes; its new size. */
static size_t extend(struct Walk *walk, size_t used, const char *part)
{
    int size =
        snprintf(walk->path + used, sizeof(walk->path) - used, "%s%s", used > 0 ? "." : "", part);
    size_t end = used + (size_t)size;
    return end < sizeof(walk->path) ? end : sizeof(walk->path) - 1;
}

static void walk_fields(struct Walk *walk, const struct Record *owner, const struct Record *record,
                        size_t used, bool by_kind)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (!field_is_key(field))
            continue;
        size_t end = extend(walk, used, field->name);
        struct Word word = {.path = walk->path,
                            .owner = owner,
                            .inside = field->of,
                            .field = field,
                            .by_kind = by_kind};
        walk->each(walk->data, &word);
        if (field->of != NULL && !by_kind)
            walk_record(walk, field->of, end);
    }
}

static void walk_record(struct Walk *walk, const struct Record *record, size_t used)
{
    for (size_t n = 0; n < walk->depth; n++) {
        if (walk->entered[n] == record)
            return;
    }
    if (walk->depth == DEPTH_MAX)
        return;
    walk->entered[walk->depth++] = record;
    const struct VariantSet *set = words_set(walk->words, record);
    for (size_t n = 0; set != NULL && n < set->count; n++) {
        const struct Variant *variant = &set->at[n];
        const struct Field *subject = variant_subject(variant);
        size_t end = extend(walk, used, variant->name);
        struct Word word = {
            .path = walk->path, .owner = record, .inside = variant->record, .variant = variant};
        walk->each(walk->data, &word);
        walk_fields(walk, record, variant->record, end, false);
        if (subject != NULL)
            walk_fields(walk, record, record, end, true);
        if (subject != NULL && subject->of != NULL)
            walk_record(walk, subject->of, end);
    }
    walk_fields(walk, record, record, used, false);
    walk->depth--;
}

void words_each(const struct Words *words, WordFn *each, void *data)
{
    for (size_t n = 0; n < words->file_count; n++) {
        const struct FileKind *file = &words->files[n];
        struct Walk walk = {.words = words, .each = each, .data = data};
        size_t used = extend(&walk, 0, file->name);
        struct Word word = {.path = walk.path, .inside = file->record, .file = file};
        each(data, &word);
        walk_record(&walk, file->record, used);
    }
}

static void write_choices(const struct Choice *choices, struct Buf *out)
{
    for (const struct Choice *choice = choices; choice->name != NULL; choice++)
        buf_printf(out, "%s%s", choice == choices ? "" : ", ", choice->name);
}

void field_type_write(const struct Field *field, struct Buf *out)
{
    if (field->type == FIELD_CHOICE || (field->type == FIELD_TEXT && field->choices != NULL)) {
        buf_put(out, "one of ");
        write_choices(field->choices, out);
    } else if (field->type == FIELD_LIST && field->of != NULL) {
        buf_printf(out, "list of %s", field->of->name);
    } else if (field->type == FIELD_LIST && field->choices != NULL) {
        buf_put(out, "list of ");
        write_choices(field->choices, out);
    } else if (field->type == FIELD_LIST) {
        buf_put(out, "list of texts");
    } else if (field->type == FIELD_MAP) {
        buf_printf(out, "names, each a %s", field->of->name);
    } else if (field->type == FIELD_TEXTS) {
        buf_put(out, "names with values");
    } else if (field->type == FIELD_RECORD) {
        buf_put(out, "keys");
    } else if ((field->flags & FIELD_SECRET) != 0) {
        buf_put(out, "secret, \"${secret.NAME}\"");
    } else {
        const char *said = type_say(field->type);
        buf_put(out, strncmp(said, "a ", 2) == 0 ? said + 2 : said);
    }
}

void field_range_write(const struct Field *field, struct Buf *out)
{
    char low[32], high[32];
    if (field->min == 0 && field->max == 0)
        return;
    bool counted = field->type == FIELD_LIST || field->type == FIELD_MAP;
    number_write(counted ? FIELD_INT : field->type, field->min, low);
    number_write(counted ? FIELD_INT : field->type, field->max, high);
    if (field->max == INT64_MAX)
        buf_printf(out, "at least %s", low);
    else if (field->min == INT64_MIN)
        buf_printf(out, "at most %s", high);
    else
        buf_printf(out, "from %s to %s", low, high);
}

const char *field_default(const struct Field *field)
{
    if ((field->flags & FIELD_REQUIRED) != 0)
        return "required";
    return field->fallback != NULL ? field->fallback : "";
}
