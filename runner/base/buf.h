/* buf.h - text that grows up to a stated maximum. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_BUF_H
#define FD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* Always NUL-terminated once anything was added; `text` is "" before. At the maximum the rest is
 * left away, nothing more is added and `cut` is set: whoever minds must look. The owner
 * calls buf_free. */
struct Buf {
    char *text;
    size_t size, room, max;
    bool cut;
};
#define BUF(max_bytes) ((struct Buf){.text = (char *)"", .max = (max_bytes)})
void buf_add(struct Buf *buf, const char *bytes, size_t size);
void buf_put(struct Buf *buf, const char *text);
void buf_char(struct Buf *buf, char c);
void buf_printf(struct Buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct Buf *buf); /* empty again, memory kept */
void buf_free(struct Buf *buf);  /* may be used again afterwards */
/* Appends `text` with control characters, invalid UTF-8 and bidi controls made visible (\x1b,
 * \u202e): for terminals, logs and reports. Newlines become \n unless keep_lines. */
void buf_visible(struct Buf *buf, const char *text, size_t size, bool keep_lines);

#endif
