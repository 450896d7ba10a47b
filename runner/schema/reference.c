/* reference.c - the ${ns.name} in texts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/buf.h"
#include "../base/text.h"
#include "decode.h"

enum { FILLED_MAX_BYTES = 8 * 1024, NAME_MAX_BYTES = 200 };

static const char *const spaces[] = {"param", "env",    "endpoint", "role", "target",
                                     "host",  "secret", "capture",  "run"};

static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
static const char words[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

/* Where `text`, which begins with "${", is a reference: the sizes of its two names. */
static bool reads_as_reference(const char *text, size_t *ns_size, size_t *name_size)
{
    const char *ns = text + 2;
    *ns_size = strspn(ns, word);
    if (*ns_size == 0 || *ns_size > NAME_MAX_BYTES || ns[*ns_size] != '.' || ns[0] <= '9')
        return false;
    const char *name = ns + *ns_size + 1;
    *name_size = strspn(name, words);
    return *name_size > 0 && *name_size <= NAME_MAX_BYTES && name[*name_size] == '}' &&
           name[0] != '.' && name[0] != '-' && name[*name_size - 1] != '.';
}

void reference_each(const char *text,
                    void (*each)(void *data, const char *ns, const char *name, size_t start,
                                 size_t size),
                    void *data)
{
    for (const char *at = strstr(text, "${"); at != NULL; at = strstr(at + 1, "${")) {
        size_t ns_size = 0, name_size = 0;
        if (!reads_as_reference(at, &ns_size, &name_size))
            continue;
        char ns[NAME_MAX_BYTES + 1], name[NAME_MAX_BYTES + 1];
        memcpy(ns, at + 2, ns_size);
        ns[ns_size] = '\0';
        memcpy(name, at + 3 + ns_size, name_size);
        name[name_size] = '\0';
        each(data, ns, name, (size_t)(at - text), ns_size + name_size + 4);
    }
}

struct Sight {
    const char *ns; /* NULL: any */
    bool present, whole;
    size_t size;
};

static void look(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Sight *sight = data;
    (void)name;
    sight->present = true;
    if (start == 0 && size == sight->size && (sight->ns == NULL || strcmp(ns, sight->ns) == 0))
        sight->whole = true;
}

bool reference_present(const char *text)
{
    struct Sight sight = {.size = strlen(text)};
    reference_each(text, look, &sight);
    return sight.present;
}

bool reference_is_whole(const char *text, const char *ns)
{
    struct Sight sight = {.ns = ns, .size = strlen(text)};
    reference_each(text, look, &sight);
    return sight.whole;
}

struct Fill {
    struct Decode *decode;
    const char *text;
    struct Where where;
    struct Buf out;
    size_t copied; /* bytes of text that are in `out` */
    bool good;
};

static size_t characters(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t n = 0; n < size; n++)
        count += ((unsigned char)text[n] & 0xc0) != 0x80;
    return count;
}

/* The place of the reference itself, where the scalar stands in the file as it is: plain, or in
 * quotes without escapes. Else that of the whole scalar. */
static struct Where place_of(const struct Fill *fill, size_t start, size_t size)
{
    struct Where where = fill->where;
    size_t width = characters(fill->text, strlen(fill->text));
    if (where.width == width || where.width == width + 2) {
        where.column += (uint32_t)(characters(fill->text, start) + (where.width - width) / 2);
        where.width = (uint32_t)size;
    }
    return where;
}

static void say_unknown(struct Fill *fill, struct Where where, const char *ns, const char *name,
                        const char *const *names, size_t count)
{
    problems_say(fill->decode->problems, ERR_REFERENCE, where, NULL,
                 "`${%s.%s}` names nothing that exists", ns, name);
    struct Err *err = problems_last(fill->decode->problems);
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        err_at(err, "did you mean `${%s.%s}`?", ns, nearest);
    for (size_t n = 0; n < count; n++)
        err_allow(err, names[n]);
}

static void say_no_space(struct Fill *fill, struct Where where, const char *ns, const char *name)
{
    problems_say(fill->decode->problems, ERR_REFERENCE, where, NULL, "there is no `${%s.%s}` here",
                 ns, name);
    struct Err *err = problems_last(fill->decode->problems);
    const char *nearest = text_nearest(ns, spaces, COUNT_OF(spaces));
    if (nearest != NULL && strcmp(nearest, ns) != 0)
        err_at(err, "did you mean `${%s.%s}`?", nearest, name);
}

static void fill_one(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Fill *fill = data;
    struct Decode *decode = fill->decode;
    const char *value = NULL;
    const char *const *names = NULL;
    size_t count = 0;
    enum RefAnswer answer = REF_LATER;
    if (decode->reference != NULL)
        answer = decode->reference(decode->reference_data, ns, name, &value, &names, &count);
    struct Where where = place_of(fill, start, size);
    switch (answer) {
    case REF_VALUE:
        buf_add(&fill->out, fill->text + fill->copied, start - fill->copied);
        buf_put(&fill->out, value);
        fill->copied = start + size;
        return;
    case REF_LATER:
        return;
    case REF_UNKNOWN:
        say_unknown(fill, where, ns, name, names, names != NULL ? count : 0);
        break;
    case REF_NO_SPACE:
        say_no_space(fill, where, ns, name);
        break;
    }
    fill->good = false;
}

enum RefAnswer reference_none(void *data, const char *ns, const char *name, const char **value,
                              const char *const **names, size_t *count)
{
    (void)data, (void)ns, (void)name, (void)value, (void)names, (void)count;
    return REF_NO_SPACE;
}

bool reference_fill(struct Decode *decode, const char *text, struct Where where, const char **out)
{
    struct Fill fill = {
        .decode = decode, .text = text, .where = where, .out = BUF(FILLED_MAX_BYTES), .good = true};
    reference_each(text, fill_one, &fill);
    buf_put(&fill.out, text + fill.copied);
    if (fill.out.cut) {
        problems_say(decode->problems, ERR_LIMIT, where, NULL,
                     "the value has more than %d bytes once it is filled in", FILLED_MAX_BYTES);
        fill.good = false;
    }
    if (fill.good)
        *out = fill.copied == 0 ? text : arena_bytes(decode->arena, fill.out.text, fill.out.size);
    buf_free(&fill.out);
    return fill.good;
}
