/* edging.c - a step between hosts: which rows it has, under the ranks of now and under any. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "edging.h"

#include "planner.h"

enum { WAYS_MOST = 100 };

bool step_has_edges(const struct StepSpec *step)
{
    return step->between != NULL || step->to != NULL;
}

struct Edging {
    const struct Plan *plan;
    const struct List *rankings;
    struct Arena *arena;
};

static const enum Rank *ranks_of(const struct Edging *edging, const struct Role *role)
{
    const struct Ranking *rows = edging->rankings->items;
    for (size_t at = 0; at < edging->rankings->count; at++)
        if (rows[at].role == role)
            return rows[at].ranks;
    return NULL;
}

static bool draw(void *data, const struct TargetSpec *target, struct List *hosts, struct Err *err)
{
    const struct Edging *edging = data;
    const struct Drawn *drawn = plan_drawn(edging->plan, target->name);
    struct Draw now = plan_draw(edging->plan, drawn, ranks_of(edging, drawn->role));
    return target_draw(&now, edging->arena, hosts, err);
}

static struct HostList order(void *data, const struct StepSpec *step, const struct Role *role)
{
    const struct Edging *edging = data;
    const struct Target **hosts = arena_zero(edging->arena, role->host_count + 1, sizeof(void *));
    target_order(edging->plan->seed, step->name, role, hosts);
    return (struct HostList){.at = hosts, .count = role->host_count};
}

/* The only one that says so. */
static const struct Target *leader(void *data, const struct Role *role)
{
    const enum Rank *ranks = ranks_of(data, role);
    const struct Target *found = NULL;
    for (size_t at = 0; ranks != NULL && at < role->host_count; at++) {
        if (ranks[at] != RANK_PRIMARY)
            continue;
        if (found != NULL)
            return NULL;
        found = role->hosts[at];
    }
    return found;
}

static struct EdgeAsk ask_of(struct Edging *edging)
{
    return (struct EdgeAsk){.environment = edging->plan->environment,
                            .scenario = edging->plan->scenario,
                            .draw = draw,
                            .order = order,
                            .leader = leader,
                            .data = edging};
}

void edging_roles(const struct Plan *plan, const struct StepSpec *step, bool ranked,
                  struct Arena *arena, struct List *out)
{
    struct Edging edging = {.plan = plan, .arena = arena};
    struct EdgeAsk ask = ask_of(&edging);
    if (ranked)
        step_rank_roles(step, &ask, arena, out);
    else
        step_roles(step, &ask, arena, out);
}

static const struct Role *role_with(const struct List *roles, const struct Target *host)
{
    const struct Role *const *rows = roles->items;
    for (size_t at = 0; at < roles->count; at++)
        for (size_t k = 0; k < rows[at]->host_count; k++)
            if (rows[at]->hosts[k] == host)
                return rows[at];
    return NULL;
}

/* Each row once. */
static void add_row(struct List *out, struct Arena *arena, const struct EdgeRow *row)
{
    const struct EdgeRow *rows = out->items;
    for (size_t at = 0; at < out->count; at++)
        if (rows[at].host == row->host && edges_equal(&rows[at].edges, &row->edges))
            return;
    *(struct EdgeRow *)list_add(out, arena, sizeof *row) = *row;
}

/* Who gets a fault: of a cut whoever stops hearing somebody, else the step's own hosts. */
static bool list_hosts(struct Edging *edging, const struct StepSpec *step, const struct List *edges,
                       struct List *out, struct Err *err)
{
    const struct Edge *rows = edges->items;
    if (step->between == NULL)
        return draw(edging, step->target, out, err);
    for (size_t at = 0; at < edges->count; at++)
        if (at == 0 || rows[at].to != rows[at - 1].to)
            *(const struct Target **)list_add(out, edging->arena, sizeof(void *)) = rows[at].to;
    return true;
}

static bool rows_under(struct Edging *edging, const struct StepSpec *step, bool chosen,
                       struct List *out, struct Err *err)
{
    struct EdgeAsk ask = ask_of(edging);
    struct List edges = {.items = NULL}, hosts = {.items = NULL}, roles = {.items = NULL};
    if (!step_edges(step, &ask, edging->arena, &edges, err) ||
        !list_hosts(edging, step, &edges, &hosts, err))
        return false;
    step_roles(step, &ask, edging->arena, &roles);
    const struct Target *const *host = hosts.items;
    enum Direction direction = step->between != NULL ? DIRECTION_IN : step->direction;
    for (size_t at = 0; at < hosts.count; at++) {
        struct EdgeRow row = {
            .host = host[at], .role = role_with(&roles, host[at]), .chosen = chosen};
        edges_of(&edges, host[at], direction, edging->arena, &row.edges);
        if (row.edges.count > 0)
            add_row(out, edging->arena, &row);
    }
    return true;
}

bool edging_rows(const struct Plan *plan, const struct StepSpec *step, const struct List *rankings,
                 struct Arena *arena, struct List *out, struct Err *err)
{
    struct Edging edging = {.plan = plan, .rankings = rankings, .arena = arena};
    return rows_under(&edging, step, true, out, err);
}

/* The hypothesis: of `role` this host leads, that one is silent (n = nobody), the others follow. */
static struct Ranking suppose(const struct Role *role, size_t leads, size_t silent,
                              struct Arena *arena)
{
    enum Rank *ranks = arena_zero(arena, role->host_count + 1, sizeof *ranks);
    for (size_t at = 0; at < role->host_count; at++)
        ranks[at] = at == leads ? RANK_PRIMARY : at == silent ? RANK_UNKNOWN : RANK_REPLICA;
    return (struct Ranking){.role = role, .ranks = ranks};
}

/* Ways in which nobody is left for a target have no rows. */
static void rows_if(const struct Plan *plan, const struct StepSpec *step, struct Ranking *supposed,
                    size_t count, struct Arena *arena, struct List *out)
{
    struct Err nobody;
    struct List rankings = {.items = supposed, .count = count};
    struct Edging edging = {.plan = plan, .rankings = &rankings, .arena = arena};
    (void)!rows_under(&edging, step, false, out, &nobody);
}

static bool too_many(const struct StepSpec *step, size_t ways, struct Err *err)
{
    err_set(err, ERR_LIMIT, step->where,
            "`%s` may come to %zu different cuts, by who leads at the time of use: at most %d",
            step->name, ways, WAYS_MOST);
    return err_hint(err, "take targets without `is:`, or of a smaller role");
}

bool edging_rows_all(const struct Plan *plan, const struct StepSpec *step,
                     const struct List *rankings, struct Arena *arena, struct List *out,
                     struct Err *err)
{
    struct List roles = {.items = NULL};
    if (!edging_rows(plan, step, rankings, arena, out, err))
        return false;
    edging_roles(plan, step, true, arena, &roles);
    const struct Role *const *role = roles.items;
    if (roles.count == 0)
        return true;
    size_t n = role[0]->host_count, other = roles.count > 1 ? role[1]->host_count : n;
    if (roles.count > 2 || n * other > WAYS_MOST)
        return too_many(step, n * other, err);
    for (size_t leads = 0; leads < n; leads++)
        for (size_t second = 0; second < other; second++) {
            struct Ranking both[2] = {suppose(role[0], leads, n, arena)};
            if (roles.count == 2)
                both[1] = suppose(role[1], second, other, arena);
            else if (second != leads)
                both[0] = suppose(role[0], leads, second, arena);
            rows_if(plan, step, both, roles.count, arena, out);
        }
    return true;
}
