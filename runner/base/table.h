/* table.h - columns for a terminal. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_TABLE_H
#define FD_BASE_TABLE_H

#include "buf.h"
#include <stdint.h>

/* Columns of a terminal that UTF-8 text takes (combining marks and colours 0, wide
 * characters 2). */
size_t text_columns(const char *text);
/* Appends text padded with spaces to `columns`; to the left where columns is negative. */
void buf_padded(struct Buf *buf, const char *text, int columns);
/* A sparkline of block characters, oldest first; '.'..'#' style ASCII where !unicode. */
void buf_sparkline(struct Buf *buf, const int64_t *values, size_t count, bool unicode);

/* Rows of cells; widths are computed when written. Cells are copied. */
struct Table;
struct Table *table_new(size_t columns);
void table_free(struct Table *table);
void table_right(struct Table *table, size_t column); /* align a column to the right */
void table_row(struct Table *table, const char *const *cells); /* `columns` of them; NULL = "" */
/* Two spaces between columns, no trailing blanks. */
void table_write(const struct Table *table, struct Buf *out);

#endif
