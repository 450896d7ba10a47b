/* gate_difference.c - what differs between two canonical texts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/text.h"
#include <jansson.h>
#include <string.h>

enum { PATH_MOST = 200, VALUE_MOST = 60 };

struct Difference {
    struct Buf *out;
    size_t most, found;
    char path[PATH_MOST];
};

static void put_value(struct Buf *out, const json_t *value)
{
    if (value == NULL) {
        buf_put(out, "nothing");
        return;
    }
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *shown = json_is_string(value) ? json_string_value(value) : text;
    size_t size = shown != NULL ? strlen(shown) : 0;
    if (size > VALUE_MOST) {
        buf_visible(out, shown, text_whole(shown, VALUE_MOST), false);
        buf_put(out, "...");
    } else if (shown != NULL) {
        buf_visible(out, shown, size, false);
    }
    mem_free(text);
}

/* "scenario.halt.shop" is said as people write it: "halt.shop". */
static void say(struct Difference *difference, const json_t *before, const json_t *after)
{
    difference->found++;
    if (difference->found > difference->most)
        return;
    const char *path = difference->path;
    if (text_starts(path, "scenario."))
        path += strlen("scenario.");
    buf_printf(difference->out, "%s%s ", difference->found > 1 ? ", " : "", path);
    put_value(difference->out, before);
    buf_put(difference->out, " -> ");
    put_value(difference->out, after);
}

static void compare(struct Difference *difference, const json_t *before, const json_t *after);

static void compare_at(struct Difference *difference, const char *step, const json_t *before,
                       const json_t *after)
{
    size_t size = strlen(difference->path);
    snprintf(difference->path + size, PATH_MOST - size, "%s%s",
             size > 0 && step[0] != '[' ? "." : "", step);
    compare(difference, before, after);
    difference->path[size] = '\0';
}

static void compare_objects(struct Difference *difference, const json_t *before,
                            const json_t *after)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)before, key, value)
        compare_at(difference, key, value, json_object_get(after, key));
    json_object_foreach((json_t *)(uintptr_t)after, key,
                        value) if (json_object_get(before, key) == NULL)
        compare_at(difference, key, NULL, value);
}

static void compare_arrays(struct Difference *difference, const json_t *before, const json_t *after)
{
    size_t left = json_array_size(before), right = json_array_size(after);
    for (size_t i = 0; i < left || i < right; i++) {
        char step[32];
        snprintf(step, sizeof step, "[%zu]", i + 1);
        compare_at(difference, step, i < left ? json_array_get(before, i) : NULL,
                   i < right ? json_array_get(after, i) : NULL);
    }
}

static void compare(struct Difference *difference, const json_t *before, const json_t *after)
{
    if (before != NULL && after != NULL && json_equal(before, after))
        return;
    if (json_is_object(before) && json_is_object(after))
        compare_objects(difference, before, after);
    else if (json_is_array(before) && json_is_array(after))
        compare_arrays(difference, before, after);
    else
        say(difference, before, after);
}

void canonical_difference(const char *before, const char *after, size_t most, struct Buf *out)
{
    struct Difference difference = {.out = out, .most = most};
    json_t *left = json_loads(before, 0, NULL), *right = json_loads(after, 0, NULL);
    if (left != NULL && right != NULL)
        compare(&difference, left, right);
    json_decref(left);
    json_decref(right);
    if (difference.found > most)
        buf_printf(out, ", and %zu more", difference.found - most);
}
