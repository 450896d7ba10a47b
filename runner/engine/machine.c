/* machine.c - faults that take a whole host: plan, seat of their guard, return. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../model/power.h"
#include "planner.h"

bool machine_plan(const struct Plan *plan, const struct Target *host, struct PlanInput *input,
                  struct Err *err)
{
    const struct List *roles = &plan->environment->roles;
    const struct Role *role = roles->items;
    const struct Role **rows = arena_zero(plan->arena, roles->count + 1, sizeof(void *));
    struct ScriptInput values = plan_script_input(plan, host);
    for (size_t at = 0; at < roles->count; at++)
        for (size_t row = 0; row < role[at].host_count; row++)
            if (role[at].hosts[row] == host)
                rows[input->role_count++] = &role[at];
    input->roles = rows;
    return power_fill(&values, host->power, plan->arena, &input->power, err);
}

static void read_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(out, (int)size, file) == NULL)
        out[0] = '\0';
    if (file != NULL)
        fclose(file);
}

bool machine_is_this(const struct HostFacts *facts)
{
    char boot_id[80], machine_id[80], hash[65];
    read_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id);
    read_line("/etc/machine-id", machine_id, sizeof machine_id);
    hash_hex(machine_id, strlen(machine_id), hash);
    boot_id[strcspn(boot_id, "\n")] = '\0';
    return text_equal(boot_id, facts->boot_id) && text_equal(hash, facts->machine_id_hash);
}

bool machine_root(const char *state, const struct Token *token, struct Arena *arena,
                  const char **out, struct Err *err)
{
    return machine_folder(state, "watch", token->text, arena, out, err);
}

bool machine_folder(const char *state, const char *what, const char *name, struct Arena *arena,
                    const char **out, struct Err *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_./+-";
    char whole[PATH_MAX];
    if (realpath(state, whole) == NULL)
        return err_set(err, ERR_NOT_READY, NOWHERE, "%s: %s", state, strerror(errno));
    if (whole[strspn(whole, plain)] != '\0') {
        err_set(err, ERR_NOT_READY, NOWHERE,
                "the watcher's script cannot lie in '%s': its path is not plain", whole);
        return err_hint(err, "Name another folder by --state: letters, digits and / . _ + - only.");
    }
    *out = arena_printf(arena, "%s/%s/%s", whole, what, name);
    return true;
}

const struct Target *machine_seat(const struct Kinds *kinds, const char *root, struct Arena *arena)
{
    for (size_t at = 0; kinds->transports[at] != NULL; at++) {
        const struct TransportKind *reach = kinds->transports[at];
        if (!text_equal(reach->name, "local"))
            continue;
        struct Target *seat = arena_zero(arena, 1, sizeof *seat);
        *seat = (struct Target){.name = "this machine",
                                .reach = reach,
                                .reach_config = arena_zero(arena, 1, reach->config.size),
                                .root = root};
        return seat;
    }
    bug("no way to reach this very machine");
}

struct UndoInput machine_back(const struct Token *token, uint32_t number, const char *returned)
{
    return (struct UndoInput){.token = token,
                              .number = number,
                              .undo = "",
                              .all_clear = returned,
                              .boot_id = "",
                              .ends_by = CLASS_STICKY};
}

enum Known machine_look(struct HostNode *node, const struct MachineLook *look, struct Mono deadline,
                        struct Buf *detail, struct Err *err)
{
    char boot_id[64] = "";
    if (!node_boot_id(node, boot_id, deadline, err))
        return KNOWN_UNKNOWN;
    bool same = text_equal(boot_id, look->boot_id);
    if (same && look->may_strike) {
        buf_put(detail, "it has not booted anew, and may still do so");
        return KNOWN_NO;
    }
    if (!same && look->lock != NULL && !node_lock(node, look->lock, deadline, err))
        return KNOWN_UNKNOWN;
    struct UndoInput back = machine_back(look->token, look->number, look->returned);
    return node_look(node, &back, deadline, detail, err);
}
