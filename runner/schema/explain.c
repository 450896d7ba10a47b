/* explain.c - what one word means, from the tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/table.h"
#include "../base/text.h"
#include "words.h"

enum { FOUND_MAX = 8, CELL_MAX_BYTES = 4096 };

/* A word that was asked for; its path in memory of its own. */
struct Found {
    struct Word word;
    char path[256];
};

struct Search {
    const char *asked;
    struct Found found[FOUND_MAX];
    size_t count;
    bool by_kind;       /* the second look: also fields of a record through its kinds */
    struct List *names; /* of const char *: last parts of all paths, for the nearest */
    struct Arena *arena;
};

static bool ends_with_path(const char *path, const char *asked)
{
    size_t size = strlen(path), end = strlen(asked);
    return text_equal(path, asked) ||
           (size > end && text_ends(path, asked) && path[size - end - 1] == '.');
}

static bool is_asked(const struct Search *search, const struct Word *word)
{
    if (ends_with_path(word->path, search->asked))
        return true;
    return word->field != NULL && word->inside != NULL &&
           text_equal(word->inside->name, search->asked);
}

static bool same_word(const struct Word *a, const struct Word *b)
{
    return a->file == b->file && a->field == b->field && a->variant == b->variant &&
           (a->inside == b->inside);
}

static void consider(void *data, const struct Word *word)
{
    struct Search *search = data;
    if (word->by_kind != search->by_kind || !is_asked(search, word))
        return;
    for (size_t n = 0; n < search->count; n++) {
        bool same_record = word->inside != NULL && search->found[n].word.inside == word->inside &&
                           word->variant == NULL && search->found[n].word.variant == NULL;
        if (same_word(&search->found[n].word, word) || same_record)
            return;
    }
    if (search->count == FOUND_MAX)
        return;
    struct Found *found = &search->found[search->count++];
    found->word = *word;
    snprintf(found->path, sizeof(found->path), "%s", word->path);
}

static void collect_name(void *data, const struct Word *word)
{
    struct Search *search = data;
    const char *dot = strrchr(word->path, '.');
    const char **place = list_add(search->names, search->arena, sizeof(*place));
    *place = arena_text(search->arena, dot != NULL ? dot + 1 : word->path);
}

static bool say_unknown(const struct Words *words, const char *path, struct Err *err)
{
    struct Arena *arena = arena_new("explain", 4u << 20);
    struct List names = {.count = 0};
    struct Search search = {.names = &names, .arena = arena};
    words_each(words, collect_name, &search);
    const char *dot = strrchr(path, '.');
    const char *nearest = text_nearest(dot != NULL ? dot + 1 : path, names.items, names.count);
    err_set(err, ERR_USAGE, NOWHERE, "there is no word '%s'", path);
    if (nearest != NULL)
        err_hint(err, "did you mean `%s`?", nearest);
    for (size_t n = 0; n < words->file_count; n++)
        err_allow(err, words->files[n].name);
    arena_free(arena);
    return false;
}

static void add_key_row(struct Table *table, const struct Field *field)
{
    struct Buf type = BUF(CELL_MAX_BYTES);
    field_type_write(field, &type);
    table_row(table,
              (const char *[]){"", field->name, type.text, field_default(field), field->doc});
    buf_free(&type);
}

static void write_keys(const struct Record *record, struct Buf *out)
{
    struct Table *table = table_new(5);
    size_t count = 0;
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (!field_is_key(field))
            continue;
        add_key_row(table, field);
        count++;
    }
    if (count > 0) {
        buf_put(out, "\n");
        table_write(table, out);
    }
    table_free(table);
}

static void write_kinds(const struct VariantSet *set, struct Buf *out)
{
    struct Table *table = table_new(3);
    for (size_t n = 0; n < set->count; n++)
        table_row(table, (const char *[]){"", set->at[n].name, set->at[n].summary});
    buf_put(out, "\n  one of:\n");
    table_write(table, out);
    table_free(table);
}

static void write_record(const struct Words *words, const struct Record *record, struct Buf *out)
{
    const struct VariantSet *set = words_set(words, record);
    if (set != NULL)
        write_kinds(set, out);
    write_keys(record, out);
}

static void write_line(struct Buf *out, const char *label, const char *text)
{
    if (text != NULL && text[0] != '\0')
        buf_printf(out, "  %-9s%s\n", label, text);
}

static void write_choices(const struct Field *field, struct Buf *out)
{
    const struct Choice *choice = field->choices;
    for (; choice != NULL && choice->name != NULL; choice++)
        buf_printf(out, "  %-9s%s: %s\n", choice == field->choices ? "choices" : "", choice->name,
                   choice->doc != NULL ? choice->doc : "");
}

static void write_field(const struct Field *field, const char *name, struct Buf *out)
{
    struct Buf type = BUF(CELL_MAX_BYTES), range = BUF(CELL_MAX_BYTES);
    field_type_write(field, &type);
    field_range_write(field, &range);
    write_line(out, "type", type.text);
    write_line(out, "default", field_default(field));
    write_line(out, "range", range.text);
    write_choices(field, out);
    if (field->example != NULL)
        buf_printf(out, "  %-9s%s: %s\n", "example", name, field->example);
    buf_free(&type);
    buf_free(&range);
}

static void write_variant(const struct Words *words, const struct Word *word, struct Buf *out)
{
    const struct Variant *variant = word->variant;
    const struct Field *subject = variant_subject(variant);
    buf_printf(out, "  %s\n", variant->summary);
    if (subject != NULL && subject->doc != NULL)
        buf_printf(out, "  `%s:` %s\n", variant->name, subject->doc);
    if (subject != NULL)
        write_field(subject, variant->name, out);
    write_keys(variant->record, out);
    if (subject != NULL && subject->of != NULL)
        write_record(words, subject->of, out);
    if (subject == NULL || word->owner == NULL)
        return;
    struct Buf beside = BUF(CELL_MAX_BYTES);
    for (const struct Field *field = word->owner->fields; field->name != NULL; field++) {
        if (field_is_key(field))
            buf_printf(&beside, " %s", field->name);
    }
    if (beside.size > 0)
        buf_printf(out, "\n  and what every %s has:%s\n", word->owner->name, beside.text);
    buf_free(&beside);
}

static void write_word(const struct Words *words, const struct Found *found, struct Buf *out)
{
    const struct Word *word = &found->word;
    const char *dot = strrchr(found->path, '.');
    buf_printf(out, "%s\n", found->path);
    if (word->variant != NULL) {
        write_variant(words, word, out);
        return;
    }
    if (word->file != NULL)
        buf_printf(out, "  %s\n", word->file->summary);
    if (word->field != NULL) {
        buf_printf(out, "  %s\n", word->field->doc != NULL ? word->field->doc : "");
        write_field(word->field, dot != NULL ? dot + 1 : found->path, out);
    }
    if (word->inside != NULL)
        write_record(words, word->inside, out);
}

bool explain_path(const struct Tables *tables, const char *path, struct Buf *out, struct Err *err)
{
    struct Words words = {.files = tables->files,
                          .file_count = tables->file_count,
                          .sets = tables->sets,
                          .set_count = tables->set_count};
    struct Search search = {.asked = path};
    words_each(&words, consider, &search);
    if (search.count == 0) {
        search.by_kind = true;
        words_each(&words, consider, &search);
    }
    if (search.count == 0)
        return say_unknown(&words, path, err);
    for (size_t n = 0; n < search.count; n++) {
        if (n > 0)
            buf_char(out, '\n');
        write_word(&words, &search.found[n], out);
    }
    return true;
}
