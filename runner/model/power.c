/* power.c - how a host's power is cut and given back from outside: its provider's commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include "../base/text.h"
#include <string.h>

enum { POWER_SCRIPT_MOST = 64 << 10 };

/* "${secret.ipmi}" -> the file it comes from; NULL for other values. The check of the environment
 * has seen that it has one. */
static const char *file_of(const struct Environment *environment, const char *value)
{
    const struct SecretSpec *secrets = environment->secrets.items;
    if (!text_starts(value, "${secret.") || !text_ends(value, "}"))
        return NULL;
    const char *name = value + strlen("${secret.");
    for (size_t i = 0; i < environment->secrets.count; i++)
        if (strlen(secrets[i].name) + 1 == strlen(name) && text_starts(name, secrets[i].name) &&
            secrets[i].source == SECRET_FILE)
            return secrets[i].at;
    return NULL;
}

static bool fill_line(const struct ScriptInput *values, const char *line, struct Arena *arena,
                      const char **out, struct Err *err)
{
    struct List variables = {.items = NULL};
    const char *script = NULL;
    if (!script_fill(values, line, arena, &script, &variables, err))
        return false;
    struct Buf all = BUF(POWER_SCRIPT_MOST);
    const struct TextPair *pair = variables.items;
    for (size_t i = 0; i < variables.count; i++) {
        const char *file = file_of(values->environment, pair[i].value);
        buf_printf(&all, "%s=", pair[i].name);
        if (file != NULL) {
            buf_put(&all, "$(cat -- ");
            shell_text(&all, file);
            buf_put(&all, ") || exit 125\n");
        } else {
            shell_text(&all, pair[i].value);
            buf_char(&all, '\n');
        }
    }
    buf_put(&all, script);
    *out = arena_bytes(arena, all.text, all.size);
    bool good = !all.cut || err_set(err, ERR_LIMIT, NOWHERE,
                                    "a power command of more than %d bytes", POWER_SCRIPT_MOST);
    buf_free(&all);
    return good;
}

bool power_fill(const struct ScriptInput *values, const struct Power *power, struct Arena *arena,
                struct Power *out, struct Err *err)
{
    struct Power filled = {.down = NULL};
    if (power != NULL && (!fill_line(values, power->down, arena, &filled.down, err) ||
                          !fill_line(values, power->up, arena, &filled.up, err) ||
                          !fill_line(values, power->status, arena, &filled.status, err)))
        return false;
    *out = filled;
    return true;
}
