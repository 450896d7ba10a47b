/* json.c - writes JSON as a stream. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <string.h>

#include "err.h"
#include "text.h"

struct Json json_begin(struct Buf *out, bool pretty)
{
    return (struct Json){.out = out, .pretty = pretty};
}

static void new_line(struct Json *json)
{
    if (json->pretty)
        buf_printf(json->out, "\n%*s", json->depth * 2, "");
}

/* What stands before a value: nothing behind a key, else a comma and a new line. */
static void lead(struct Json *json, bool is_key)
{
    if (json->after_key) {
        if (is_key)
            bug("a key behind a key");
        json->after_key = false;
        return;
    }
    if (json->depth == 0)
        return;
    bool in_object = json->kind[json->depth - 1] == '{';
    if (in_object != is_key)
        bug("%s", in_object ? "a value without a key" : "a key outside an object");
    if (json->first[json->depth - 1] == 0)
        buf_char(json->out, ',');
    json->first[json->depth - 1] = 0;
    new_line(json);
}

static void open_level(struct Json *json, char bracket)
{
    lead(json, false);
    if ((size_t)json->depth >= COUNT_OF(json->kind))
        bug("nested deeper than %zu", COUNT_OF(json->kind));
    buf_char(json->out, bracket);
    json->kind[json->depth] = (unsigned char)bracket;
    json->first[json->depth] = 1;
    json->depth++;
}

void json_open_object(struct Json *json)
{
    open_level(json, '{');
}

void json_open_array(struct Json *json)
{
    open_level(json, '[');
}

void json_end(struct Json *json)
{
    if (json->depth == 0 || json->after_key)
        bug("%s", json->after_key ? "a key without a value" : "nothing is open");
    json->depth--;
    if (json->first[json->depth] == 0)
        new_line(json);
    buf_char(json->out, json->kind[json->depth] == '{' ? '}' : ']');
}

static void write_code(struct Buf *out, uint32_t code, const char *bytes, size_t size)
{
    if (code == '"' || code == '\\')
        buf_printf(out, "\\%c", (char)code);
    else if (code == '\n')
        buf_put(out, "\\n");
    else if (code == '\t')
        buf_put(out, "\\t");
    else if (code < 0x20 || code == '<' || code == '>' || code == '&' || code == 0x2028 ||
             code == 0x2029 || code == 0x7f)
        buf_printf(out, "\\u%04x", code);
    else
        buf_add(out, bytes, size);
}

static void write_text(struct Buf *out, const char *text)
{
    size_t size = strlen(text);
    buf_char(out, '"');
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t taken = text_decode(text + at, size - at, &code);
        if (taken == 0) {
            buf_put(out, "\xef\xbf\xbd");
            taken = 1;
        } else {
            write_code(out, code, text + at, taken);
        }
        at += taken;
    }
    buf_char(out, '"');
}

void json_key(struct Json *json, const char *key)
{
    if (json->depth == 0)
        bug("the key '%s' outside an object", key);
    lead(json, true);
    write_text(json->out, key);
    buf_put(json->out, json->pretty ? ": " : ":");
    json->after_key = true;
}

void json_text(struct Json *json, const char *text)
{
    lead(json, false);
    if (text == NULL)
        buf_put(json->out, "null");
    else
        write_text(json->out, text);
}

void json_int(struct Json *json, int64_t value)
{
    lead(json, false);
    buf_printf(json->out, "%lld", (long long)value);
}

void json_number(struct Json *json, double value, int decimals)
{
    lead(json, false);
    if (isfinite(value))
        buf_printf(json->out, "%.*f", decimals, value);
    else
        buf_put(json->out, "null");
}

void json_bool(struct Json *json, bool value)
{
    lead(json, false);
    buf_put(json->out, value ? "true" : "false");
}

void json_nothing(struct Json *json)
{
    lead(json, false);
    buf_put(json->out, "null");
}

void json_put_text(struct Json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_put_int(struct Json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_int(json, value);
}

void json_put_bool(struct Json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
