/* inventory.c - the hosts that an inventory names, asked by its command. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory.h"

#include <string.h>

#include "../base/text.h"
#include "../clients/inventory_json.h"
#include "../transports/process.h"

#define ASK_NS (60 * NS_PER_S)
enum { OUTPUT_MOST = 4 << 20 };

/* Paths in it are those of the project, wherever one stands. */
static const char *const *command_of(const struct List *words, const char *project_dir,
                                     struct Arena *arena)
{
    static const char *const before[] = {"env", "-C", NULL, "--"};
    const char **argv = arena_zero(arena, words->count + COUNT_OF(before) + 1, sizeof *argv);
    memcpy(argv, before, sizeof before);
    argv[2] = project_dir != NULL && project_dir[0] != '\0' ? project_dir : ".";
    memcpy(argv + COUNT_OF(before), words->items, words->count * sizeof *argv);
    return argv;
}

/* Variables of hosts may hold passwords: what is not kept does not lie about. */
static void forget(struct Buf *out)
{
    if (out->room > 0)
        explicit_bzero(out->text, out->room);
    buf_free(out);
}

static bool ask(const struct Environment *found, const char *project_dir, struct Arena *arena,
                struct Inventory *inventory, struct Err *err)
{
    const char *name = *(const char *const *)found->inventory.items, *why = NULL;
    const char *const *argv = command_of(&found->inventory, project_dir, arena);
    struct Buf out = BUF(OUTPUT_MOST);
    struct Err told;
    bool good = process_output(argv, &out, mono_add(mono_now(), ASK_NS), &told);
    if (!good && told.code == ERR_TIMEOUT)
        err_set(err, ERR_TIMEOUT, found->inventory_where,
                "the inventory's command `%s` did not end within %d s", name,
                (int)(ASK_NS / NS_PER_S));
    else if (!good)
        err_set(err, ERR_FILE, found->inventory_where, "the inventory's command `%s`: %s", name,
                told.message);
    else if (out.cut)
        good = err_set(err, ERR_LIMIT, found->inventory_where,
                       "the inventory's command `%s` prints more than %d MiB", name,
                       OUTPUT_MOST >> 20);
    else if (!inventory_read(out.text, out.size, arena, inventory, &why))
        good = err_set(err, ERR_VALUE, found->inventory_where,
                       "what `%s` prints is no inventory: %s", name, why);
    forget(&out);
    if (!good)
        err_hint(err, "run it by hand in the project's folder; it prints JSON as "
                      "`ansible-inventory --list` does");
    return good;
}

struct Environment *inventory_ask(const struct Environment *found, const struct Document *document,
                                  const struct Kinds *kinds, const char *project_dir,
                                  struct Arena *arena, struct Problems *problems)
{
    struct Inventory *inventory = arena_zero(arena, 1, sizeof *inventory);
    struct Err err;
    environment_hide(found);
    if (ask(found, project_dir, arena, inventory, &err))
        return environment_with(document, inventory, kinds, project_dir, problems);
    problems_add(problems, &err);
    return NULL;
}
