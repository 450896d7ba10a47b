/* procedure_fill.c - values that are known only when a fault is armed, put into its commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "procedure_fill.h"
#include "redact.h"

enum { WORD_MOST = 256 << 10, COMMANDS_REST = 16 << 10 };

struct Filling {
    const char *begin; /* "@TOKEN:" */
    const struct List *captured;
    struct Arena *arena;
    struct Err *err;
};

const char *capture_mark(const struct Token *token, const char *name, struct Arena *arena)
{
    return arena_printf(arena, "@%s:%s@", token->text, name);
}

/* As it is in no shell text: a secret's value would be stored and printed with the commands. */
static bool is_secret(const char *value)
{
    struct Buf clean = BUF(WORD_MOST);
    redact(value, &clean);
    bool secret = clean.cut || !text_equal(clean.text, value);
    buf_free(&clean);
    return secret;
}

static const char *value_of(const struct Filling *of, const char *name)
{
    const struct TextPair *pairs = of->captured->items;
    for (size_t at = 0; at < of->captured->count; at++)
        if (text_equal(pairs[at].name, name))
            return pairs[at].value;
    return NULL;
}

/* The word itself where nothing is to be filled in; NULL where it cannot be. What was filled in is
 * not looked at again. */
static const char *fill_word(const struct Filling *of, const char *word)
{
    struct Buf out = BUF(WORD_MOST);
    const char *from = word, *mark;
    bool good = true;
    while (good && (mark = strstr(from, of->begin)) != NULL) {
        const char *name_at = mark + strlen(of->begin);
        size_t size = strcspn(name_at, "@");
        const char *name = arena_bytes(of->arena, name_at, size);
        const char *value = value_of(of, name);
        buf_add(&out, from, (size_t)(mark - from));
        if (value == NULL)
            good = err_set(of->err, ERR_NOT_READY, NOWHERE, "`%s` was not captured", name);
        else if (is_secret(value))
            good = err_set(of->err, ERR_REFUSED, NOWHERE,
                           "`%s` holds the value of a secret, which a fault's commands never do",
                           name);
        else
            shell_text(&out, value);
        from = name_at + size + (name_at[size] == '@' ? 1 : 0);
    }
    if (from != word)
        buf_put(&out, from);
    if (good && out.cut)
        good = err_set(of->err, ERR_LIMIT, NOWHERE,
                       "what was captured is too long for the commands of a fault");
    const char *filled = from == word ? word : arena_bytes(of->arena, out.text, out.size);
    buf_free(&out);
    return good ? filled : NULL;
}

static bool fill_command(const struct Filling *of, const struct Command *command,
                         struct Command *out)
{
    size_t count = 0;
    while (command->argv[count] != NULL)
        count++;
    const char **argv = arena_zero(of->arena, count + 1, sizeof *argv);
    *out = *command;
    out->argv = argv;
    for (size_t at = 0; at < count; at++)
        if ((argv[at] = fill_word(of, command->argv[at])) == NULL)
            return false;
    return true;
}

/* A value full of quotes grows with each shell that it goes through: commands_shell takes no more
 * than this. */
static bool fits(const struct Commands *commands)
{
    struct Buf text = BUF(SHELL_TEXT_MAX - COMMANDS_REST);
    for (size_t at = 0; at < commands->count; at++)
        for (size_t word = 0; commands->at[at].argv[word] != NULL; word++)
            shell_text(&text, commands->at[at].argv[word]);
    bool whole = !text.cut;
    buf_free(&text);
    return whole;
}

bool procedure_fill(const struct Procedure *procedure, const struct Token *token,
                    const struct List *captured, struct Arena *arena, struct Procedure *out,
                    struct Err *err)
{
    struct Filling of = {.begin = arena_printf(arena, "@%s:", token->text),
                         .captured = captured,
                         .arena = arena,
                         .err = err};
    struct Procedure filled = *procedure;
    struct Commands *const parts[] = {&filled.save,     &filled.apply,     &filled.undo,
                                      &filled.in_place, &filled.all_clear, &filled.renew,
                                      &filled.strike,   &filled.returned};
    for (size_t part = 0; part < COUNT_OF(parts); part++) {
        struct Command *rows = arena_zero(arena, parts[part]->count + 1, sizeof *rows);
        for (size_t at = 0; at < parts[part]->count; at++)
            if (!fill_command(&of, &parts[part]->at[at], &rows[at]))
                return false;
        parts[part]->at = rows;
        if (!fits(parts[part]))
            return err_set(err, ERR_LIMIT, NOWHERE,
                           "what was captured is too long for the commands of a fault");
    }
    *out = filled;
    return true;
}
