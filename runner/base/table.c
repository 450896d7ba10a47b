/* table.c - columns for a terminal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <string.h>

#include "arena.h"
#include "err.h"
#include "text.h"

struct Range {
    uint32_t first, last;
};

static const struct Range narrow[] = {
    /* no column of their own */
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
    {0x064b, 0x065f}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2069},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};
static const struct Range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static bool within(const struct Range *ranges, size_t count, uint32_t code)
{
    for (size_t n = 0; n < count; n++) {
        if (code >= ranges[n].first && code <= ranges[n].last)
            return true;
    }
    return false;
}

/* The bytes of a colour sequence (ESC [ ... letter) at `text`, or 0. */
static size_t colour_size(const char *text)
{
    if (text[0] != '\x1b' || text[1] != '[')
        return 0;
    size_t size = 2 + strspn(text + 2, "0123456789;");
    return text[size] == 'm' ? size + 1 : 0;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (size_t left = strlen(text); left > 0;) {
        uint32_t code = 0;
        size_t taken = colour_size(text);
        if (taken == 0) {
            taken = text_decode(text, left, &code);
            if (taken == 0)
                taken = 1; /* an invalid byte shows as one mark */
            if (within(wide, COUNT_OF(wide), code))
                columns += 2;
            else if (!within(narrow, COUNT_OF(narrow), code))
                columns += 1;
        }
        text += taken;
        left -= taken;
    }
    return columns;
}

static void add_blanks(struct Buf *buf, size_t count)
{
    for (size_t n = 0; n < count; n++)
        buf_char(buf, ' ');
}

void buf_padded(struct Buf *buf, const char *text, int columns)
{
    size_t wanted = (size_t)(columns < 0 ? -columns : columns), taken = text_columns(text);
    size_t blanks = taken < wanted ? wanted - taken : 0;
    if (columns < 0)
        add_blanks(buf, blanks);
    buf_put(buf, text);
    if (columns >= 0)
        add_blanks(buf, blanks);
}

void buf_sparkline(struct Buf *buf, const int64_t *values, size_t count, bool unicode)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const marks[] = {".", ",", "-", "=", "+", "*", "%", "#"};
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t n = 0; n < count; n++) {
        low = values[n] < low ? values[n] : low;
        high = values[n] > high ? values[n] : high;
    }
    for (size_t n = 0; n < count; n++) {
        double share =
            high > low ? ((double)values[n] - (double)low) / ((double)high - (double)low) : 0;
        size_t step = (size_t)(share * 7 + 0.5);
        buf_put(buf, unicode ? blocks[step] : marks[step]);
    }
}

struct Table {
    size_t columns, rows, room;
    bool *right;
    char **cells; /* rows times columns */
};

struct Table *table_new(size_t columns)
{
    struct Table *table = mem_zero(1, sizeof(*table));
    table->columns = columns;
    table->right = mem_zero(columns, sizeof(*table->right));
    return table;
}

void table_free(struct Table *table)
{
    if (table == NULL)
        return;
    for (size_t n = 0; n < table->rows * table->columns; n++)
        mem_free(table->cells[n]);
    mem_free(table->cells);
    mem_free(table->right);
    mem_free(table);
}

void table_right(struct Table *table, size_t column)
{
    if (column >= table->columns)
        bug("column %zu of %zu", column, table->columns);
    table->right[column] = true;
}

void table_row(struct Table *table, const char *const *cells)
{
    if (table->rows == table->room) {
        table->room = table->room == 0 ? 8 : table->room * 2;
        table->cells = mem_grow(table->cells, table->room * table->columns * sizeof(*table->cells));
    }
    char **row = table->cells + table->rows * table->columns;
    for (size_t n = 0; n < table->columns; n++)
        row[n] = mem_text(cells[n] != NULL ? cells[n] : "");
    table->rows++;
}

static size_t column_width(const struct Table *table, size_t column)
{
    size_t width = 0;
    for (size_t row = 0; row < table->rows; row++) {
        size_t taken = text_columns(table->cells[row * table->columns + column]);
        width = taken > width ? taken : width;
    }
    return width;
}

/* Blanks are owed until something follows, so that none trail. */
static void write_row(const struct Table *table, size_t row, const size_t *widths, struct Buf *out)
{
    size_t owed = 0;
    for (size_t column = 0; column < table->columns; column++) {
        const char *cell = table->cells[row * table->columns + column];
        size_t blanks = widths[column] - text_columns(cell);
        if (table->right[column])
            owed += blanks;
        if (cell[0] != '\0') {
            add_blanks(out, owed);
            buf_put(out, cell);
            owed = 0;
        }
        if (!table->right[column])
            owed += blanks;
        owed += 2;
    }
    buf_char(out, '\n');
}

void table_write(const struct Table *table, struct Buf *out)
{
    size_t *widths = mem_zero(table->columns, sizeof(*widths));
    for (size_t column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);
    for (size_t row = 0; row < table->rows; row++)
        write_row(table, row, widths, out);
    mem_free(widths);
}
