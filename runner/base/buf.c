/* buf.c - text that grows up to a stated maximum. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "err.h"
#include "text.h"

void buf_add(struct Buf *buf, const char *bytes, size_t size)
{
    if (buf->cut || size == 0)
        return;
    if (size > buf->max - buf->size) {
        size = buf->max - buf->size;
        buf->cut = true;
    }
    size_t needed = buf->size + size + 1;
    if (needed > buf->room) {
        size_t room = buf->room < 64 ? 64 : buf->room;
        while (room < needed)
            room *= 2;
        buf->text = mem_grow(buf->room > 0 ? buf->text : NULL, room);
        buf->room = room;
    }
    memcpy(buf->text + buf->size, bytes, size);
    buf->size += size;
    buf->text[buf->size] = '\0';
}

void buf_put(struct Buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(struct Buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct Buf *buf, const char *format, ...)
{
    char small[256];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(small, sizeof(small), format, values);
    va_end(values);
    if (size < 0)
        bug("the format '%s' cannot be written", format);
    if ((size_t)size < sizeof(small)) {
        buf_add(buf, small, (size_t)size);
        return;
    }
    char *large = mem_zero(1, (size_t)size + 1);
    va_start(values, format);
    vsnprintf(large, (size_t)size + 1, format, values);
    va_end(values);
    buf_add(buf, large, (size_t)size);
    mem_free(large);
}

void buf_clear(struct Buf *buf)
{
    buf->size = 0;
    buf->cut = false;
    if (buf->room > 0)
        buf->text[0] = '\0';
}

void buf_free(struct Buf *buf)
{
    if (buf->room > 0)
        mem_free(buf->text);
    *buf = BUF(buf->max);
}

static void add_visible(struct Buf *buf, uint32_t code, const char *bytes, size_t size)
{
    if (code == '\n')
        buf_put(buf, "\\n");
    else if (code == '\t')
        buf_put(buf, "\\t");
    else if (code == '\r')
        buf_put(buf, "\\r");
    else if (code < 0x20 || code == 0x7f)
        buf_printf(buf, "\\x%02x", code);
    else if ((code >= 0x80 && code < 0xa0) || text_is_deceptive(code))
        buf_printf(buf, "\\u%04x", code);
    else
        buf_add(buf, bytes, size);
}

void buf_visible(struct Buf *buf, const char *text, size_t size, bool keep_lines)
{
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t taken = text_decode(text + at, size - at, &code);
        if (taken == 0) {
            buf_printf(buf, "\\x%02x", (unsigned char)text[at]);
            taken = 1;
        } else if (code == '\n' && keep_lines) {
            buf_char(buf, '\n');
        } else {
            add_visible(buf, code, text + at, taken);
        }
        at += taken;
    }
}
