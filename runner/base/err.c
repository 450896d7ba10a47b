/* err.c - what went wrong, where, and what to do about it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct ErrRow {
    int status;
    const char *number, *doc;
};

static const struct ErrRow rows[ERR_COUNT] = {
#define ERR_ROW(name, exit_status, e_number, text)                                                 \
    [ERR_##name] = {.status = (exit_status), .number = (e_number), .doc = (text)},
#include "errors.def"
#undef ERR_ROW
};

/* Through a copy, since the values may point into `out`. */
__attribute__((format(printf, 3, 0))) static void write_cut(char *out, size_t room,
                                                            const char *format, va_list values)
{
    char text[sizeof(((struct Err *)0)->message)];
    int size = vsnprintf(text, room, format, values);
    if (size < 0)
        bug("the format '%s' cannot be written", format);
    size_t end = strlen(text);
    if ((size_t)size >= room) {
        end = text_whole(text, room - 4);
        memcpy(text + end, "...", 4);
        end += 3;
    }
    memcpy(out, text, end + 1);
}

bool err_set(struct Err *err, enum ErrCode code, struct Where where, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_cut(err->message, sizeof(err->message), format, values);
    va_end(values);
    err->code = code;
    err->where = where;
    err->at[0] = err->allowed[0] = err->note[0] = err->hint[0] = '\0';
    return false;
}

bool err_hint(struct Err *err, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_cut(err->hint, sizeof(err->hint), format, values);
    va_end(values);
    return false;
}

bool err_at(struct Err *err, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_cut(err->at, sizeof(err->at), format, values);
    va_end(values);
    return false;
}

bool err_note(struct Err *err, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_cut(err->note, sizeof(err->note), format, values);
    va_end(values);
    return false;
}

bool err_allow(struct Err *err, const char *name)
{
    static const char more[] = ", ...";
    size_t used = strlen(err->allowed);
    size_t room = sizeof(err->allowed) - sizeof(more);
    if (used > room || text_ends(err->allowed, more))
        return false;
    const char *comma = used > 0 ? ", " : "";
    if (used + strlen(comma) + strlen(name) > room)
        memcpy(err->allowed + used, more, sizeof(more));
    else
        snprintf(err->allowed + used, sizeof(err->allowed) - used, "%s%s", comma, name);
    return false;
}

static const struct ErrRow *row_of(enum ErrCode code)
{
    if ((unsigned)code >= ERR_COUNT)
        bug("no such code: %d", (int)code);
    return &rows[code];
}

int err_status(enum ErrCode code)
{
    return row_of(code)->status;
}

const char *err_number(enum ErrCode code)
{
    return row_of(code)->number;
}

const char *err_doc(enum ErrCode code)
{
    return row_of(code)->doc;
}

void bug_at(const char *file, int line, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "faildrill: bug at %s:%d: ", file, line);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    abort();
}
