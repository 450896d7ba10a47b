/* redact.c - values of secrets, taken out of what is said and stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "redact.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/err.h"

enum { FORM_MOST = 32 << 10, SECRETS_MOST = 64, NAME_MOST = 256 };

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

/* What each byte of a text is a part of: 0 = of no secret; else the secret's index, and a number
 * of the place, times SECRETS_MOST, plus 1. */
struct Parts {
    const char *text;
    uint32_t *at, places;
};

static bool is_name(const char *text, size_t size)
{
    const char *name = NULL, *value = NULL;
    for (size_t at = 0; at < SECRETS_MOST && secret_at(at, &name, &value); at++)
        if (strlen(name) == size && strncmp(name, text, size) == 0)
            return true;
    return false;
}

/* It lies in a text that says ${secret.NAME}, whose name may be a value as well. */
static bool is_said(const char *text, const char *at, size_t size)
{
    static const char before[] = "${secret.";
    const size_t wide = strlen(before);
    for (size_t back = 0; back <= NAME_MOST && back <= (size_t)(at - text); back++) {
        const char *from = at - back;
        if (strncmp(from, before, wide) != 0)
            continue;
        size_t length = strcspn(from + wide, "}");
        return from[wide + length] == '}' && back + size <= wide + length + 1 &&
               is_name(from + wide, length);
    }
    return false;
}

/* All places first, and then the text anew: what stands in the place of one is never looked at. */
static void cover(struct Parts *parts, const char *form, size_t secret)
{
    size_t size = strlen(form);
    for (const char *at = parts->text; (at = strstr(at, form)) != NULL; at += size) {
        uint32_t *from = parts->at + (at - parts->text);
        if (is_said(parts->text, at, size))
            continue;
        uint32_t place = parts->places++ * SECRETS_MOST + (uint32_t)secret + 1;
        for (size_t n = 0; n < size; n++)
            from[n] = from[n] == 0 ? place : from[n];
    }
}

static void cover_all(struct Parts *parts, const char *value, size_t secret)
{
    for (size_t at = 0; at < COUNT_OF(FORMS); at++) {
        struct Buf form = BUF(FORM_MOST);
        FORMS[at](value, &form);
        if (form.size >= REDACT_LEAST)
            cover(parts, form.text, secret);
        if (form.size > 0)
            explicit_bzero(form.text, form.size);
        buf_free(&form);
    }
}

static void put_parts(const struct Parts *parts, struct Buf *out)
{
    const char *name = NULL, *value = NULL;
    uint32_t before = 0;
    for (size_t at = 0; parts->text[at] != '\0'; before = parts->at[at++])
        if (parts->at[at] == 0)
            buf_char(out, parts->text[at]);
        else if (parts->at[at] != before &&
                 secret_at((parts->at[at] - 1) % SECRETS_MOST, &name, &value))
            buf_printf(out, "${secret.%s}", name);
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
    struct Parts parts = {.text = text};
    size_t order[SECRETS_MOST], count = 0;
    const char *name = NULL, *value = NULL;
    while (count < SECRETS_MOST && secret_at(count, &name, &value)) {
        order[count] = count;
        count++;
    }
    qsort(order, count, sizeof *order, by_length);
    parts.at = mem_zero(strlen(text) + 1, sizeof *parts.at);
    for (size_t at = 0; at < count; at++)
        if (secret_at(order[at], &name, &value) && strlen(value) >= REDACT_LEAST)
            cover_all(&parts, value, order[at]);
    put_parts(&parts, out);
    mem_free(parts.at);
}
