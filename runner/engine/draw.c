/* draw.c - who a target is, once the ranks are known. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"

#include "../base/text.h"

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

bool draw_leaves_out(const struct Draw *draw, const struct Target *host)
{
    const char *zone = draw->spec->zone;
    if (zone != NULL && !text_equal(host->zone, zone))
        return true;
    for (size_t at = 0; draw->apart != NULL && at < draw->apart->count; at++)
        if (machine_same(draw->apart->hosts[at], host))
            return true;
    return false;
}

/* The hosts that may be drawn, in order; *barred is one that the gate forbids, or NULL. */
static size_t hosts_that_fit(const struct Draw *draw, const struct Target **out,
                             const struct Target **barred)
{
    const struct TargetSpec *spec = draw->spec;
    size_t fit = 0;
    for (size_t at = 0; at < draw->role->host_count; at++) {
        const struct Target *host = draw->order[at];
        if (draw_leaves_out(draw, host))
            continue;
        if (spec->is != RANK_UNKNOWN &&
            (draw->ranks == NULL || rank_of(draw->role, draw->ranks, host) != spec->is))
            continue;
        if (draw->environment != NULL && machine_forbidden(draw->environment, host))
            *barred = host;
        else
            out[fit++] = host;
    }
    return fit;
}

static bool is_nobody(const struct Draw *draw, const struct Target *barred, struct Err *err)
{
    const struct TargetSpec *spec = draw->spec;
    if (barred != NULL) {
        err_set(err, ERR_REFUSED, spec->where,
                "target '%s' is nobody: gate.forbid.hosts keeps '%s' out of every drill",
                spec->name, barred->name);
        return err_hint(err, "Pick another host, or another role.");
    }
    bool ranked = spec->is != RANK_UNKNOWN;
    err_set(err, ranked ? ERR_NOT_READY : ERR_RULE,
            ranked               ? spec->where
            : spec->zone != NULL ? spec->zone_where
                                 : spec->apart_where,
            "target '%s' is nobody: no host of role '%s'%s%s %s%s%s%s%s", spec->name,
            draw->role->name, spec->zone != NULL ? " in zone " : "",
            spec->zone != NULL ? spec->zone : "", ranked ? "says that it is " : "is left",
            ranked ? rank_word(spec->is) : "", spec->apart != NULL ? " (not: " : "",
            spec->apart != NULL ? spec->apart : "", spec->apart != NULL ? ")" : "");
    if (ranked)
        return err_hint(err, "See `faildrill doctor`, which asks every host for its rank.");
    if (spec->zone != NULL)
        return err_hint(err, "The environment says who is where: `zone:` of a host or its role.");
    return err_hint(err, "Pick fewer hosts there, or another role here.");
}

bool target_draw(const struct Draw *draw, struct Arena *arena, struct List *out, struct Err *err)
{
    const struct TargetSpec *spec = draw->spec;
    const struct Target **fitting = arena_zero(arena, draw->role->host_count + 1, sizeof(void *));
    const struct Target *barred = NULL;
    size_t fit = hosts_that_fit(draw, fitting, &barred);
    if (fit == 0)
        return is_nobody(draw, barred, err);
    if (spec->pick.type == PICK_ALL && barred != NULL)
        return err_set(err, ERR_REFUSED, spec->where,
                       "target '%s' picks all of role '%s', and gate.forbid.hosts keeps '%s' out "
                       "of every drill",
                       spec->name, draw->role->name, barred->name);
    size_t count = pick_count(&spec->pick, fit);
    if (count == 0 || count > fit) {
        err_set(err, ERR_RULE, spec->where, "target '%s' picks %s of %zu host%s in role '%s'",
                spec->name, count == 0 ? "none" : "more than there are", fit, fit == 1 ? "" : "s",
                draw->role->name);
        return err_hint(err, "A share rounds down; write a count, such as pick: 1.");
    }
    for (size_t at = 0; at < count; at++)
        *(const struct Target **)list_add(out, arena, sizeof(void *)) = fitting[at];
    return true;
}
