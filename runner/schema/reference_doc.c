/* reference_doc.c - all words of all files, as Markdown. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "words.h"

enum { RECORDS_MAX = 512, CELL_MAX_BYTES = 4096 };

struct Page {
    struct Words words;
    struct Buf *out;
    const struct Record *written[RECORDS_MAX];
    size_t count;
};

static void write_cell(struct Buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_char(out, '\\');
        buf_char(out, *text == '\n' ? ' ' : *text);
    }
}

static void write_code(struct Buf *out, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    buf_char(out, '`');
    write_cell(out, text);
    buf_char(out, '`');
}

static void write_row(struct Buf *out, const char *name, const char *doc, const struct Field *field)
{
    struct Buf type = BUF(CELL_MAX_BYTES), range = BUF(CELL_MAX_BYTES);
    field_type_write(field, &type);
    field_range_write(field, &range);
    bool required = (field->flags & FIELD_REQUIRED) != 0;
    buf_put(out, "| ");
    write_code(out, name);
    buf_put(out, " | ");
    write_cell(out, type.text);
    if (range.size > 0)
        buf_printf(out, ", %s", range.text);
    buf_put(out, required ? " | required" : " | ");
    if (!required)
        write_code(out, field->fallback);
    buf_put(out, " | ");
    write_cell(out, doc != NULL ? doc : "");
    if (field->example != NULL) {
        struct Buf example = BUF(CELL_MAX_BYTES);
        buf_printf(&example, "%s: %s", name, field->example);
        buf_put(out, " Example: ");
        write_code(out, example.text);
        buf_free(&example);
    }
    buf_put(out, " |\n");
    buf_free(&type);
    buf_free(&range);
}

static bool has_keys(const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (field_is_key(field))
            return true;
    }
    return false;
}

static void write_head(struct Buf *out)
{
    buf_put(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
}

static void write_fields(struct Buf *out, const struct Record *record)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++) {
        if (field_is_key(field))
            write_row(out, field->name, field->doc, field);
    }
}

static void write_variant(struct Page *page, const struct Record *owner,
                          const struct Variant *variant)
{
    const struct Field *subject = variant_subject(variant);
    buf_printf(page->out, "\n#### %s: `%s`\n%s\n", owner->name, variant->name, variant->summary);
    if (subject == NULL && !has_keys(variant->record))
        return;
    if (subject == NULL)
        buf_printf(page->out, "Inside `%s: {...}`:\n", variant->name);
    buf_char(page->out, '\n');
    write_head(page->out);
    if (subject != NULL)
        write_row(page->out, variant->name, subject->doc, subject);
    write_fields(page->out, variant->record);
}

static bool is_new(struct Page *page, const struct Record *record)
{
    for (size_t n = 0; n < page->count; n++) {
        if (page->written[n] == record)
            return false;
    }
    if (page->count == RECORDS_MAX)
        bug("more than %d records", RECORDS_MAX);
    page->written[page->count++] = record;
    return true;
}

static void write_record(struct Page *page, const struct Record *record)
{
    const struct VariantSet *set = words_set(&page->words, record);
    if (record->doc != NULL)
        buf_printf(page->out, "%s\n", record->doc);
    if (has_keys(record)) {
        buf_char(page->out, '\n');
        write_head(page->out);
        write_fields(page->out, record);
    }
    for (size_t n = 0; set != NULL && n < set->count; n++)
        write_variant(page, record, &set->at[n]);
}

/* A section for each record, below the first path that leads to it. */
static void write_word(void *data, const struct Word *word)
{
    struct Page *page = data;
    if (word->file != NULL) {
        buf_printf(page->out, "\n## The %s file\n%s\n", word->file->name, word->file->summary);
        if (is_new(page, word->inside))
            write_record(page, word->inside);
        return;
    }
    const struct Record *record = word->inside;
    if (word->variant != NULL) {
        const struct Field *subject = variant_subject(word->variant);
        record = subject != NULL ? subject->of : NULL;
    }
    if (record == NULL || word->by_kind || !is_new(page, record))
        return;
    buf_printf(page->out, "\n### `%s`\n", word->path);
    write_record(page, record);
}

void reference_write(const struct FileKind *files, size_t file_count, const struct VariantSet *sets,
                     size_t set_count, struct Buf *out)
{
    struct Page page = {
        .words = {.files = files, .file_count = file_count, .sets = sets, .set_count = set_count},
        .out = out};
    buf_put(out, "# All words\n\nWritten by `make docs` from the tables that the program itself "
                 "reads; do not edit.\nOne word: `faildrill explain PATH`.\n");
    words_each(&page.words, write_word, &page);
}
