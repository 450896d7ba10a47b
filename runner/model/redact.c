/* redact.c - values of secrets, taken out of what is said and stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "redact.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"

enum { FORM_MOST = 32 << 10, SECRETS_MOST = 64 };

/* A form of the value; what was written is wiped before its memory is given back. */
typedef void FormFn(const char *value, struct Buf *out);

static void raw(const char *value, struct Buf *out)
{
    buf_put(out, value);
}

static void percent(const char *value, struct Buf *out, const char *digits, bool plus)
{
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
        if (isalnum(*c) || strchr("-._~", *c) != NULL) {
            buf_char(out, (char)*c);
        } else if (plus && *c == ' ') {
            buf_char(out, '+');
        } else {
            buf_char(out, '%');
            buf_char(out, digits[*c >> 4]);
            buf_char(out, digits[*c & 15]);
        }
    }
}

static void url_upper(const char *value, struct Buf *out)
{
    percent(value, out, "0123456789ABCDEF", false);
}

static void url_lower(const char *value, struct Buf *out)
{
    percent(value, out, "0123456789abcdef", false);
}

static void url_form(const char *value, struct Buf *out)
{
    percent(value, out, "0123456789ABCDEF", true);
}

static void json(const char *value, struct Buf *out)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            buf_char(out, '\\');
        if ((unsigned char)*c >= ' ')
            buf_char(out, *c);
        else if (*c == '\n' || *c == '\t' || *c == '\r')
            buf_put(out, *c == '\n' ? "\\n" : *c == '\t' ? "\\t" : "\\r");
        else
            buf_printf(out, "\\u%04x", (unsigned char)*c);
    }
}

/* Inside the quotes. */
static void shell(const char *value, struct Buf *out)
{
    for (const char *c = value; *c != '\0'; c++)
        buf_put(out, *c == '\'' ? "'\\''" : (const char[]){*c, '\0'});
}

/* Of the characters, those that the value alone decides, `before` bytes after a multiple of 3. */
static void base64(const char *value, struct Buf *out, size_t before, const char *last)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t bits = 8 * (before + strlen(value));
    for (size_t at = (8 * before + 5) / 6 * 6; at + 6 <= bits; at += 6) {
        unsigned sixth = 0;
        for (size_t bit = at; bit < at + 6; bit++) {
            unsigned char byte = (unsigned char)value[bit / 8 - before];
            sixth = sixth << 1 | ((unsigned)byte >> (7 - bit % 8) & 1U);
        }
        buf_char(out, sixth < 62 ? letters[sixth] : last[sixth - 62]);
    }
}

#define BASE64(name, before, last)                                                                 \
    static void name(const char *value, struct Buf *out)                                           \
    {                                                                                              \
        base64(value, out, before, last);                                                          \
    }
BASE64(base64_0, 0, "+/")
BASE64(base64_1, 1, "+/")
BASE64(base64_2, 2, "+/")
BASE64(base64_url_0, 0, "-_")
BASE64(base64_url_1, 1, "-_")
BASE64(base64_url_2, 2, "-_")

static FormFn *const FORMS[] = {raw,      url_upper,    url_lower,    url_form,
                                json,     shell,        base64_0,     base64_1,
                                base64_2, base64_url_0, base64_url_1, base64_url_2};

static void replace(struct Buf *text, const char *form, const char *name)
{
    struct Buf out = BUF(text->max);
    const char *from = text->text;
    for (const char *at; (at = strstr(from, form)) != NULL; from = at + strlen(form)) {
        buf_add(&out, from, (size_t)(at - from));
        buf_printf(&out, "${secret.%s}", name);
    }
    buf_put(&out, from);
    buf_free(text);
    *text = out;
}

static void redact_one(struct Buf *text, const char *name, const char *value)
{
    for (size_t at = 0; at < COUNT_OF(FORMS); at++) {
        struct Buf form = BUF(FORM_MOST);
        FORMS[at](value, &form);
        if (form.size >= REDACT_LEAST && strstr(text->text, form.text) != NULL)
            replace(text, form.text, name);
        if (form.size > 0)
            explicit_bzero(form.text, form.size);
        buf_free(&form);
    }
}

static size_t length_at(size_t index)
{
    const char *name = NULL, *value = NULL;
    return secret_at(index, &name, &value) ? strlen(value) : 0;
}

/* The longest first: one may be a part of another. */
static int by_length(const void *a, const void *b)
{
    size_t left = length_at(*(const size_t *)a), right = length_at(*(const size_t *)b);
    return left < right ? 1 : left > right ? -1 : 0;
}

void redact(const char *text, struct Buf *out)
{
    struct Buf said = BUF(FORM_MOST + 8 * strlen(text));
    size_t order[SECRETS_MOST], count = 0;
    const char *name = NULL, *value = NULL;
    buf_put(&said, text);
    while (count < SECRETS_MOST && secret_at(count, &name, &value)) {
        order[count] = count;
        count++;
    }
    qsort(order, count, sizeof *order, by_length);
    for (size_t at = 0; at < count; at++)
        if (secret_at(order[at], &name, &value) && strlen(value) >= REDACT_LEAST)
            redact_one(&said, name, value);
    buf_put(out, said.text);
    buf_free(&said);
}
