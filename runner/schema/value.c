/* value.c - one scalar, read and written as its field's type says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <stdarg.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/duration.h"
#include "../base/text.h"

typedef bool NumberFn(const char *text, int64_t *value, const char **why);

static NumberFn *parser_of(enum FieldType type)
{
    switch (type) {
    case FIELD_INT:
        return int_parse;
    case FIELD_DURATION:
        return duration_parse;
    case FIELD_SIZE:
        return size_parse;
    case FIELD_SHARE:
        return share_parse;
    case FIELD_RATE:
        return rate_parse;
    case FIELD_BITS:
        return bits_parse;
    case FIELD_NODE:
    case FIELD_BOOL:
    case FIELD_LOSS:
    case FIELD_PICK:
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_NAME:
    case FIELD_TEXTS:
    case FIELD_ANY:
        return NULL;
    }
    return NULL;
}

const char *type_say(enum FieldType type)
{
    static const char *const names[] = {
        [FIELD_NODE] = "anything",
        [FIELD_BOOL] = "true or false",
        [FIELD_INT] = "a number",
        [FIELD_DURATION] = "a duration",
        [FIELD_SIZE] = "a size",
        [FIELD_SHARE] = "a share",
        [FIELD_RATE] = "a rate",
        [FIELD_BITS] = "a rate of bits",
        [FIELD_LOSS] = "a count or a duration",
        [FIELD_PICK] = "a number, a share or `all`",
        [FIELD_TEXT] = "a text",
        [FIELD_CHOICE] = "a word",
        [FIELD_RECORD] = "a group of keys",
        [FIELD_LIST] = "a list",
        [FIELD_MAP] = "a group of names",
        [FIELD_NAME] = "a name",
        [FIELD_TEXTS] = "a group of names with values",
        [FIELD_ANY] = "anything",
    };
    return names[type];
}

void number_write(enum FieldType type, int64_t value, char out[32])
{
    static const struct {
        int64_t worth;
        const char *name;
    } sizes[] = {{1LL << 40, "TiB"}, {1LL << 30, "GiB"}, {1LL << 20, "MiB"}, {1LL << 10, "KiB"}};
    if (type == FIELD_DURATION || (type == FIELD_RATE && (value <= 0 || NS_PER_S % value != 0))) {
        duration_write(value, out);
    } else if (type == FIELD_BITS) {
        bits_write(value, out);
    } else if (type == FIELD_RATE) {
        snprintf(out, 32, "%lld/s", (long long)(NS_PER_S / value));
    } else if (type == FIELD_SHARE) {
        int used = snprintf(out, 32, "%lld.%04lld", (long long)(value / 10000),
                            (long long)(value % 10000));
        while (out[used - 1] == '0')
            used--;
        used -= out[used - 1] == '.';
        memcpy(out + used, "%", 2);
    } else if (type == FIELD_SIZE) {
        for (size_t n = 0; n < COUNT_OF(sizes); n++) {
            if (value != 0 && value % sizes[n].worth == 0) {
                snprintf(out, 32, "%lld%s", (long long)(value / sizes[n].worth), sizes[n].name);
                return;
            }
        }
        snprintf(out, 32, "%lldB", (long long)value);
    } else {
        snprintf(out, 32, "%lld", (long long)value);
    }
}

/* Adds a problem and answers with it, so that err_at may follow. */
__attribute__((format(printf, 4, 5))) static struct Err *
say(struct Decode *decode, enum ErrCode code, struct Where where, const char *format, ...)
{
    char message[sizeof(((struct Err *)0)->message)];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    problems_say(decode->problems, code, where, NULL, "%s", message);
    return problems_last(decode->problems);
}

bool value_wrong_type(struct Decode *decode, const struct Field *field, const struct Node *node)
{
    if (node->broken)
        return false;
    bool nothing = node->type == NODE_SCALAR && node->text[0] == '\0' && !node->quoted;
    const char *found = node->type == NODE_LIST  ? "a list"
                        : node->type == NODE_MAP ? "a group of keys"
                                                 : "a single value";
    struct Err *err = NULL;
    if (nothing)
        err = say(decode, ERR_TYPE, node->where, "`%s` has no value", field->name);
    else
        err = say(decode, ERR_TYPE, node->where, "`%s` must be %s, not %s", field->name,
                  type_say(field->type), found);
    if (field->example != NULL)
        err_at(err, "like `%s: %s`", field->name, field->example);
    return false;
}

bool value_in_range(struct Decode *decode, const struct Field *field, struct Where where,
                    int64_t value, const char *written)
{
    bool bounded = field->min != 0 || field->max != 0;
    if (!bounded || (value >= field->min && value <= field->max))
        return true;
    enum FieldType type = parser_of(field->type) != NULL ? field->type : FIELD_INT;
    char low[32], high[32];
    number_write(type, field->min, low);
    number_write(type, field->max, high);
    struct Err *err = NULL;
    if (written != NULL)
        err = say(decode, ERR_VALUE, where, "`%s` cannot be %s", field->name, written);
    else
        err = say(decode, ERR_VALUE, where, "`%s` has %lld entries", field->name, (long long)value);
    if (field->max == INT64_MAX)
        err_at(err, "at least %s", low);
    else if (field->min == INT64_MIN || (field->min == 0 && type != FIELD_INT))
        err_at(err, "at most %s", high);
    else
        err_at(err, "from %s to %s", low, high);
    return false;
}

static bool not_a(struct Decode *decode, enum FieldType type, const struct Node *node,
                  const char *text, const char *why)
{
    char guess[32];
    struct Err *err = say(decode, ERR_TYPE, node->where, "'%s' is not %s", text, type_say(type));
    if (value_guess(type, text, guess))
        err_at(err, "write it like %s", guess);
    else if (why != NULL)
        err_at(err, "%s", why);
    return false;
}

static bool read_number(struct Decode *decode, const struct Field *field, const struct Node *node,
                        const char *text, int64_t *out)
{
    int64_t value = 0;
    const char *why = NULL;
    if (!parser_of(field->type)(text, &value, &why))
        return not_a(decode, field->type, node, text, why);
    if (!value_in_range(decode, field, node->where, value, text))
        return false;
    *out = value;
    return true;
}

static bool read_loss(struct Decode *decode, const struct Node *node, const char *text,
                      struct Loss *out)
{
    struct Loss loss = {.given = true};
    if (!int_parse(text, &loss.value, NULL)) {
        loss.is_duration = true;
        if (!duration_parse(text, &loss.value, NULL))
            return not_a(decode, FIELD_LOSS, node, text, "a count of writes, or their worth: 12s");
    }
    if (loss.value < 0) {
        err_at(say(decode, ERR_VALUE, node->where, "a loss cannot be %s", text), "at least 0");
        return false;
    }
    *out = loss;
    return true;
}

static bool read_pick(struct Decode *decode, const struct Node *node, const char *text,
                      struct Pick *out)
{
    struct Pick pick = {.type = PICK_ALL};
    if (strcmp(text, "all") != 0) {
        pick.type = PICK_COUNT;
        if (!int_parse(text, &pick.value, NULL)) {
            pick.type = PICK_SHARE;
            if (!share_parse(text, &pick.value, NULL))
                return not_a(decode, FIELD_PICK, node, text, "like 1, 34% or all");
        }
        int64_t most = pick.type == PICK_SHARE ? 1000000 : INT64_MAX;
        if (pick.value < 1 || pick.value > most) {
            err_at(say(decode, ERR_VALUE, node->where, "one cannot pick %s", text),
                   "at least 1 host, at most 100%%");
            return false;
        }
    }
    *out = pick;
    return true;
}

static const struct Choice *find_choice(struct Decode *decode, const struct Field *field,
                                        const struct Node *node, const char *text)
{
    struct List names = {.count = 0};
    for (const struct Choice *choice = field->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, text) == 0)
            return choice;
        *(const char **)list_add(&names, decode->arena, sizeof(char *)) = choice->name;
    }
    struct Err *err = say(decode, ERR_VALUE, node->where, "`%s` cannot be '%s'", field->name, text);
    const char *nearest = text_nearest(text, names.items, names.count);
    if (nearest != NULL)
        err_at(err, "did you mean `%s`?", nearest);
    for (size_t n = 0; n < names.count; n++)
        err_allow(err, ((const char **)names.items)[n]);
    return NULL;
}

static bool is_snake(const char *text)
{
    return text_is_name(text, false) && strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
}

static bool not_snake(struct Decode *decode, const struct Node *node, const char *text)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    char better[64] = "";
    for (size_t n = 0; text[n] != '\0' && n + 1 < sizeof(better); n++) {
        char c = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] - 'A' + 'a') : text[n];
        better[n] = strchr(good, c) != NULL ? c : '_';
    }
    struct Err *err = say(decode, ERR_NAME, node->where, "'%s' is not a snake_case name", text);
    if (strlen(text) < sizeof(better) && is_snake(better))
        err_at(err, "write `%s`", better);
    else
        err_at(err, "lower-case letters, digits and underscores, a letter first");
    return false;
}

bool value_name(struct Decode *decode, const struct Field *field, const struct Node *key)
{
    static const char *const taken[] = {"on", "off",  "yes",   "no",  "y",
                                        "n",  "true", "false", "null"};
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *text = key->text;
    for (size_t n = 0; n < COUNT_OF(taken); n++) {
        if (strcmp(text, taken[n]) == 0 && (field->flags & FIELD_HOST) == 0) {
            err_at(say(decode, ERR_NAME, key->where, "a name cannot be `%s`", text),
                   "other readers of YAML take it for a truth value");
            return false;
        }
    }
    if (strlen(text) > 200) {
        say(decode, ERR_NAME, key->where, "a name has 200 letters at most");
        return false;
    }
    if ((field->flags & FIELD_HOST) != 0) {
        if (text[strspn(text, host)] == '\0' && strchr("._-", text[0]) == NULL)
            return true;
        err_at(say(decode, ERR_NAME, key->where, "'%s' is not a host's name", text),
               "letters, digits, dots, dashes and underscores");
        return false;
    }
    if ((field->flags & FIELD_SNAKE) != 0)
        return is_snake(text) || not_snake(decode, key, text);
    bool dashes = (field->flags & FIELD_DASHES) != 0;
    if (text_is_name(text, dashes))
        return true;
    err_at(say(decode, ERR_NAME, key->where, "'%s' is not a name", text),
           "letters, digits%s and underscores, a letter first", dashes ? ", dashes" : "");
    return false;
}

bool value_text(struct Decode *decode, const char *name, unsigned flags, const struct Node *node,
                const char **out)
{
    const char *text = node->text, *filled = NULL;
    bool secret = (flags & FIELD_SECRET) != 0;
    if (secret && !reference_is_whole(text, "secret")) {
        struct Err *err = say(decode, ERR_TYPE, node->where, "`%s` must not stand in a file", name);
        err_at(err, "write \"${secret.NAME}\"");
        err_hint(err, "name its source in the environment: secrets: {NAME: {env: VARIABLE}}");
        return false;
    }
    if (!reference_fill(decode, text, node->where, &filled))
        return false;
    *out = secret || (flags & FIELD_SCRIPT) != 0 ? text : filled;
    return true;
}

static bool read_text(struct Decode *decode, const struct Field *field, const struct Node *node,
                      const char *text, const char **out)
{
    if (field->choices != NULL && find_choice(decode, field, node, text) == NULL)
        return false;
    if ((field->flags & FIELD_SNAKE) != 0 && !reference_present(text) && !is_snake(text))
        return not_snake(decode, node, text);
    *out = text;
    return true;
}

static bool read_bool(struct Decode *decode, const struct Node *node, const char *text, bool *out)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return not_a(decode, FIELD_BOOL, node, text, "write true or false");
    *out = is_true;
    return true;
}

static bool read_choice(struct Decode *decode, const struct Field *field, const struct Node *node,
                        const char *text, int *out)
{
    const struct Choice *choice = find_choice(decode, field, node, text);
    if (choice == NULL)
        return false;
    *out = choice->value;
    return true;
}

bool value_decode(struct Decode *decode, const struct Field *field, const struct Node *node,
                  void *at, bool *later)
{
    const char *text = NULL;
    if (node->broken)
        return false;
    if (node->type != NODE_SCALAR || (node->text[0] == '\0' && !node->quoted))
        return value_wrong_type(decode, field, node);
    if (!value_text(decode, field->name, field->flags, node, &text))
        return false;
    if (field->type == FIELD_TEXT)
        return read_text(decode, field, node, text, at);
    *later = reference_present(text);
    if (*later) {
        const char **place = list_add(&decode->later, decode->arena, sizeof(*place));
        *place = arena_printf(decode->arena, "%s: %s", field->name, text);
        return true;
    }
    if (field->type == FIELD_BOOL)
        return read_bool(decode, node, text, at);
    if (field->type == FIELD_LOSS)
        return read_loss(decode, node, text, at);
    if (field->type == FIELD_PICK)
        return read_pick(decode, node, text, at);
    if (field->type == FIELD_CHOICE)
        return read_choice(decode, field, node, text, at);
    return read_number(decode, field, node, text, at);
}
