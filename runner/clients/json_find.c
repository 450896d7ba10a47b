/* json_find.c - one value of a JSON text, by its path; jansson. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_find.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"

struct JsonText {
    json_t *root;
};

struct JsonText *json_text_read(const char *text, size_t size)
{
    json_t *root = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL)
        return NULL;
    struct JsonText *json = mem_zero(1, sizeof(*json));
    json->root = root;
    return json;
}

void json_text_free(struct JsonText *json)
{
    if (json == NULL)
        return;
    json_decref(json->root);
    mem_free(json);
}

static const json_t *step(const json_t *at, const char *name)
{
    int64_t index = 0;
    if (json_is_array(at) && int_parse(name, &index, NULL)) {
        size_t size = json_array_size(at); /* past either end: NULL */
        return json_array_get(at, index < 0 ? size + (size_t)index : (size_t)index);
    }
    return json_object_get(at, name);
}

static void write_value(const json_t *value, struct Buf *out)
{
    if (json_is_string(value)) {
        buf_add(out, json_string_value(value), json_string_length(value));
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    buf_put(out, text != NULL ? text : "");
    free(text);
}

bool json_text_find(const struct JsonText *json, const char *path, struct Buf *out)
{
    const json_t *at = json->root;
    while (at != NULL && *path != '\0') {
        char name[256];
        size_t size = strcspn(path, ".");
        if (size >= sizeof(name))
            return false;
        memcpy(name, path, size);
        name[size] = '\0';
        at = step(at, name);
        path += size + (path[size] == '.' ? 1 : 0);
    }
    if (at == NULL)
        return false;
    write_value(at, out);
    return true;
}
