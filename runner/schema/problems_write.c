/* problems_write.c - problems with their place, line and caret, for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/table.h"
#include "../base/text.h"
#include "describe.h"

enum {
    SHOWN_MAX = 20,
    BEFORE_MAX = 60, /* columns of a line that are shown before the caret */
    LINE_MAX_COLUMNS = 96,
    PIECE_MAX_BYTES = 64 * 1024
};

struct Line {
    const char *text;
    size_t size;
};

static const struct Document *find_document(const struct Document *const *documents, size_t count,
                                            const char *path)
{
    for (size_t n = 0; n < count; n++) {
        if (text_equal(documents[n]->path, path))
            return documents[n];
    }
    return NULL;
}

/* The line as the document has it, without its end; text NULL where there is none. */
static struct Line find_line(const struct Document *document, uint32_t wanted)
{
    const char *at = document->text;
    for (uint32_t line = 1;; line++) {
        size_t size = strcspn(at, "\r\n");
        if (line == wanted)
            return (struct Line){.text = at, .size = size};
        if (at[size] == '\0')
            return (struct Line){.text = NULL};
        at += size + (at[size] == '\r' && at[size + 1] == '\n' ? 2 : 1);
    }
}

/* How many bytes the first `count` characters of a line take. */
static size_t skip(struct Line line, size_t count)
{
    size_t at = 0;
    while (count > 0 && at < line.size) {
        uint32_t code = 0;
        size_t taken = text_decode(line.text + at, line.size - at, &code);
        at += taken > 0 ? taken : 1;
        count--;
    }
    return at;
}

/* `line` in three pieces: before the caret, under it, and after. */
struct Pieces {
    struct Buf before, under, after;
};

static void cut_line(struct Line line, const struct Where *where, struct Pieces *pieces)
{
    size_t start = skip(line, where->column > 0 ? where->column - 1 : 0);
    struct Line rest = {.text = line.text + start, .size = line.size - start};
    size_t width = skip(rest, where->width > 0 ? where->width : 1);
    size_t first = start > 4 * BEFORE_MAX ? start - 4 * BEFORE_MAX : 0;
    while (first > 0 && ((unsigned char)line.text[first] & 0xc0) == 0x80)
        first++;
    bool cut = first > 0;
    buf_visible(&pieces->before, line.text + first, start - first, false);
    while (text_columns(pieces->before.text) > BEFORE_MAX) {
        cut = true;
        first += skip((struct Line){.text = line.text + first, .size = start - first}, 1);
        buf_clear(&pieces->before);
        buf_put(&pieces->before, "...");
        buf_visible(&pieces->before, line.text + first, start - first, false);
    }
    if (!cut && line.size > 2 && text_starts(line.text, "\xef\xbb\xbf") && start > 3) {
        buf_clear(&pieces->before);
        buf_visible(&pieces->before, line.text + 3, start - 3, false);
    }
    buf_visible(&pieces->under, rest.text, width, false);
    buf_visible(&pieces->after, rest.text + width, rest.size - width, false);
}

/* As many characters of `piece` as fit into *room columns, which shrinks. */
static void put_piece(struct Buf *out, const struct Buf *piece, size_t *room)
{
    size_t columns = text_columns(piece->text), size = piece->size;
    if (columns > *room) {
        struct Line line = {.text = piece->text, .size = piece->size};
        size = skip(line, *room);
    }
    buf_add(out, piece->text, size);
    if (columns > *room)
        buf_put(out, "...");
    *room -= columns < *room ? columns : *room;
}

static void write_excerpt(struct Buf *out, struct Line line, const struct Err *err, int gutter)
{
    struct Pieces pieces = {.before = BUF(PIECE_MAX_BYTES),
                            .under = BUF(PIECE_MAX_BYTES),
                            .after = BUF(PIECE_MAX_BYTES)};
    cut_line(line, &err->where, &pieces);
    size_t room = LINE_MAX_COLUMNS, before = text_columns(pieces.before.text);
    buf_printf(out, "%*s|\n%u | ", gutter, "", err->where.line);
    put_piece(out, &pieces.before, &room);
    size_t carets = text_columns(pieces.under.text);
    carets = carets > room ? room : carets;
    put_piece(out, &pieces.under, &room);
    put_piece(out, &pieces.after, &room);
    buf_printf(out, "\n%*s| %*s", gutter, "", (int)before, "");
    for (size_t n = 0; n < (carets > 0 ? carets : 1); n++)
        buf_char(out, '^');
    if (err->at[0] != '\0') {
        buf_char(out, ' ');
        buf_visible(out, err->at, strlen(err->at), false);
    }
    buf_char(out, '\n');
    buf_free(&pieces.before);
    buf_free(&pieces.under);
    buf_free(&pieces.after);
}

static void write_extra(struct Buf *out, int gutter, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    buf_printf(out, "%*s= %s: ", gutter, "", label);
    buf_visible(out, text, strlen(text), false);
    buf_char(out, '\n');
}

static void write_problem(struct Buf *out, const struct Err *err, const struct Document *document)
{
    const char *number = err_number(err->code);
    char digits[16];
    int gutter = snprintf(digits, sizeof(digits), "%u", err->where.line) + 1;
    buf_printf(out, "%s[%s]: ", number[0] == 'W' ? "warning" : "error", number);
    buf_visible(out, err->message, strlen(err->message), false);
    buf_char(out, '\n');
    if (err->where.file != NULL) {
        buf_printf(out, "%*s--> ", gutter, "");
        buf_visible(out, err->where.file, strlen(err->where.file), false);
        if (err->where.line > 0)
            buf_printf(out, ":%u:%u", err->where.line, err->where.column);
        buf_char(out, '\n');
    }
    struct Line line = {.text = NULL};
    if (document != NULL && err->where.line > 0)
        line = find_line(document, err->where.line);
    if (line.text != NULL)
        write_excerpt(out, line, err, gutter);
    else
        write_extra(out, gutter, "note", err->at);
    write_extra(out, gutter, "allowed here", err->allowed);
    write_extra(out, gutter, "note", err->note);
    write_extra(out, gutter, "help", err->hint);
}

void problems_write(const struct Problems *problems, const struct Document *const *documents,
                    size_t document_count, struct Buf *out)
{
    size_t count = problems_count(problems);
    for (size_t n = 0; n < count && n < SHOWN_MAX; n++) {
        const struct Err *err = problems_at(problems, n);
        write_problem(out, err, find_document(documents, document_count, err->where.file));
    }
    if (count > SHOWN_MAX)
        buf_printf(out, "and %zu more\n", count - SHOWN_MAX);
}
