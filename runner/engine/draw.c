/* draw.c - who a target is, once the ranks are known. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"

static const char *rank_word(enum Rank rank)
{
    switch (rank) {
    case RANK_PRIMARY:
        return "primary";
    case RANK_REPLICA:
        return "replica";
    case RANK_OTHER:
        return "other";
    case RANK_UNKNOWN:
        break;
    }
    return "unknown";
}

static enum Rank rank_of(const struct Role *role, const enum Rank *ranks, const struct Target *host)
{
    for (size_t at = 0; at < role->host_count; at++)
        if (role->hosts[at] == host)
            return ranks[at];
    return RANK_UNKNOWN;
}

bool target_draw(const struct Draw *draw, struct Arena *arena, struct List *out, struct Err *err)
{
    const struct TargetSpec *spec = draw->spec;
    const struct Role *role = draw->role;
    const enum Rank *ranks = draw->ranks;
    const struct Target **order = arena_zero(arena, role->host_count + 1, sizeof(void *));
    target_order(spec->seed_given ? (uint64_t)spec->seed : draw->seed, spec->name, role, order);
    size_t fit = 0;
    for (size_t at = 0; at < role->host_count; at++)
        if (spec->is == RANK_UNKNOWN || (ranks && rank_of(role, ranks, order[at]) == spec->is))
            order[fit++] = order[at];
    if (fit == 0) {
        err_set(err, spec->is == RANK_UNKNOWN ? ERR_RULE : ERR_NOT_READY, spec->where,
                "target '%s' is nobody: no host of role '%s' says that it is %s", spec->name,
                role->name, rank_word(spec->is));
        return err_hint(err, "See `faildrill doctor`, which asks every host for its rank.");
    }
    size_t count = pick_count(&spec->pick, fit);
    if (count == 0 || count > fit) {
        err_set(err, ERR_RULE, spec->where, "target '%s' picks %s of %zu host%s in role '%s'",
                spec->name, count == 0 ? "none" : "more than there are", fit, fit == 1 ? "" : "s",
                role->name);
        return err_hint(err, "A share rounds down; write a count, such as pick: 1.");
    }
    for (size_t at = 0; at < count; at++)
        *(const struct Target **)list_add(out, arena, sizeof(void *)) = order[at];
    return true;
}
