/* json.h - writes JSON as a stream; reading is jansson's. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_JSON_H
#define FD_BASE_JSON_H

#include "buf.h"
#include <stdbool.h>
#include <stdint.h>

/* Commas and nesting are kept here; a broken nesting is a bug(). Text is UTF-8; invalid bytes
 * become U+FFFD; `<`, `>` and `&` are written \u003c so that it may stand in HTML.
 * No name here is one that jansson exports. */
struct Json {
    struct Buf *out;
    bool pretty;
    int depth;
    unsigned char first[64]; /* per level: nothing written yet */
    unsigned char kind[64];  /* '{' or '[' */
    bool after_key;
};
struct Json json_begin(struct Buf *out, bool pretty);
void json_open_object(struct Json *json);
void json_open_array(struct Json *json);
void json_end(struct Json *json);
void json_key(struct Json *json, const char *key);
void json_text(struct Json *json, const char *text); /* NULL is null */
void json_int(struct Json *json, int64_t value);
void json_number(struct Json *json, double value, int decimals);
void json_bool(struct Json *json, bool value);
void json_nothing(struct Json *json);
/* Key and value in one. */
void json_put_text(struct Json *json, const char *key, const char *text);
void json_put_int(struct Json *json, const char *key, int64_t value);
void json_put_bool(struct Json *json, const char *key, bool value);

#endif
