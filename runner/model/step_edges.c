/* step_edges.c - the edges of a step: names become hosts, sides and shapes become edges. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "edges.h"
#include "scenario_build.h"

#include "../base/text.h"

struct Asking {
    const struct StepSpec *step;
    const struct EdgeAsk *ask;
    struct Arena *arena;
    struct Err *err;
};

static const struct Role *role_of(const struct EdgeAsk *ask, const char *name)
{
    const struct TargetSpec *target = scenario_target(ask->scenario, name);
    return environment_role(ask->environment, target != NULL ? target->role : name);
}

static bool is_among(const struct List *hosts, const struct Target *host)
{
    const struct Target *const *rows = hosts->items;
    for (size_t i = 0; i < hosts->count; i++)
        if (rows[i] == host)
            return true;
    return false;
}

static void add_host(const struct Asking *asking, struct List *out, const struct Target *host)
{
    if (!is_among(out, host))
        *(const struct Target **)list_add(out, asking->arena, sizeof(void *)) = host;
}

static bool named_hosts(const struct Asking *asking, const struct SideSpec *side, struct List *out)
{
    const char *const *names = side->names.items;
    for (size_t i = 0; i < side->names.count; i++) {
        const struct TargetSpec *target = scenario_target(asking->ask->scenario, names[i]);
        const struct Role *role = role_of(asking->ask, names[i]);
        struct List drawn = {.items = NULL};
        if (target != NULL && !asking->ask->draw(asking->ask->data, target, &drawn, asking->err))
            return false;
        const struct Target *const *rows = target != NULL ? drawn.items : role->hosts;
        size_t count = target != NULL ? drawn.count : role->host_count;
        for (size_t k = 0; k < count; k++)
            add_host(asking, out, rows[k]);
    }
    return true;
}

static void rest_of_roles(const struct Asking *asking, const struct SideSpec *other,
                          const struct List *taken, struct List *out)
{
    const char *const *names = other->names.items;
    for (size_t i = 0; i < other->names.count; i++) {
        const struct Role *role = role_of(asking->ask, names[i]);
        for (size_t k = 0; k < role->host_count; k++)
            if (!is_among(taken, role->hosts[k]))
                add_host(asking, out, role->hosts[k]);
    }
}

static struct HostList list_of(const struct List *hosts)
{
    return (struct HostList){.at = hosts->items, .count = hosts->count};
}

static bool side_edges(const struct Asking *asking, const struct SideSpec *a,
                       const struct SideSpec *b, enum Direction at_b, struct List *out)
{
    struct List left = {.items = NULL}, right = {.items = NULL};
    if (!named_hosts(asking, a, &left) || !named_hosts(asking, b, &right))
        return false;
    if (a->peers)
        rest_of_roles(asking, b, &right, &left);
    if (b->peers)
        rest_of_roles(asking, a, &left, &right);
    if ((at_b & DIRECTION_IN) != 0)
        edges_one_way(list_of(&left), list_of(&right), asking->arena, out);
    if ((at_b & DIRECTION_OUT) != 0)
        edges_one_way(list_of(&right), list_of(&left), asking->arena, out);
    return true;
}

static bool needs_leader(enum CutShape shape, const struct Role *role)
{
    return (shape == SHAPE_MAJORITY || shape == SHAPE_MINORITY) && role->system != NULL;
}

static bool shape_edges(const struct Asking *asking, struct List *out)
{
    const struct BetweenSpec *between = asking->step->between;
    const struct EdgeAsk *ask = asking->ask;
    const struct Role *role = environment_role(ask->environment, between->of);
    const struct Target *leader = NULL;
    if (needs_leader(between->shape, role)) {
        leader = ask->leader(ask->data, role);
        if (leader == NULL)
            return err_set(asking->err, ERR_NOT_READY, between->where,
                           "nobody knows who leads role '%s', so not on which side it stands",
                           role->name);
    }
    if (edges_shape(between->shape, ask->order(ask->data, asking->step, role), leader,
                    asking->arena, out))
        return true;
    return err_set(asking->err, ERR_RULE, between->where,
                   "role '%s' has %zu hosts: such a shape takes %zu", role->name, role->host_count,
                   shape_least(between->shape));
}

/* As a side, the step's own target is a name like others. */
static struct SideSpec subject_side(const struct StepSpec *step, const char **name)
{
    *name = step->target->name;
    return (struct SideSpec){.names = {.items = name, .count = 1}, .where = step->whom_where};
}

bool step_edges(const struct StepSpec *step, const struct EdgeAsk *ask, struct Arena *arena,
                struct List *out, struct Err *err)
{
    struct Asking asking = {.step = step, .ask = ask, .arena = arena, .err = err};
    const struct BetweenSpec *between = step->between;
    const char *name;
    bool good;
    if (between == NULL) {
        struct SideSpec subject = subject_side(step, &name);
        good = side_edges(&asking, step->to, &subject, step->direction, out);
    } else if (between->shape != SHAPE_NONE) {
        good = shape_edges(&asking, out);
    } else {
        good = side_edges(&asking, &between->a, &between->b,
                          between->one_way ? DIRECTION_IN : DIRECTION_BOTH, out);
    }
    if (good && out->count == 0)
        return err_set(err, ERR_RULE, step->where,
                       "`%s` is between nobody: both sides are the same", step->name);
    edges_sort(out);
    return good;
}

static void add_role(struct List *roles, struct Arena *arena, const struct Role *role)
{
    const struct Role *const *rows = roles->items;
    for (size_t i = 0; i < roles->count; i++)
        if (rows[i] == role)
            return;
    *(const struct Role **)list_add(roles, arena, sizeof(void *)) = role;
}

struct RoleWalk {
    const struct EdgeAsk *ask;
    struct Arena *arena;
    struct List *out;
    bool ranked; /* only those whose ranks decide */
};

static void walk_side(const struct RoleWalk *walk, const struct SideSpec *side)
{
    const char *const *names = side->names.items;
    for (size_t i = 0; i < side->names.count; i++) {
        const struct TargetSpec *target = scenario_target(walk->ask->scenario, names[i]);
        if (!walk->ranked || (target != NULL && target->is != RANK_UNKNOWN))
            add_role(walk->out, walk->arena, role_of(walk->ask, names[i]));
    }
}

static void walk_roles(const struct RoleWalk *walk, const struct StepSpec *step)
{
    const struct BetweenSpec *between = step->between;
    const char *name;
    if (between == NULL) {
        struct SideSpec subject = subject_side(step, &name);
        walk_side(walk, &subject);
        walk_side(walk, step->to);
    } else if (between->shape != SHAPE_NONE) {
        const struct Role *role = environment_role(walk->ask->environment, between->of);
        if (!walk->ranked || needs_leader(between->shape, role))
            add_role(walk->out, walk->arena, role);
    } else {
        walk_side(walk, &between->a);
        walk_side(walk, &between->b);
    }
}

void step_rank_roles(const struct StepSpec *step, const struct EdgeAsk *ask, struct Arena *arena,
                     struct List *out)
{
    walk_roles(&(struct RoleWalk){.ask = ask, .arena = arena, .out = out, .ranked = true}, step);
}

void step_roles(const struct StepSpec *step, const struct EdgeAsk *ask, struct Arena *arena,
                struct List *out)
{
    walk_roles(&(struct RoleWalk){.ask = ask, .arena = arena, .out = out}, step);
}

static bool side_names_whole(const struct SideSpec *side, const struct SideSpec *other,
                             const struct Scenario *scenario, const struct Role *role)
{
    const char *const *names = side->names.items, *const *others = other->names.items;
    for (size_t i = 0; i < side->names.count; i++)
        if (scenario_target(scenario, names[i]) == NULL && text_equal(names[i], role->name))
            return true;
    for (size_t i = 0; side->peers && i < other->names.count; i++) {
        const struct TargetSpec *target = scenario_target(scenario, others[i]);
        if (text_equal(target != NULL ? target->role : others[i], role->name))
            return true;
    }
    return false;
}

bool step_names_whole(const struct StepSpec *step, const struct Scenario *scenario,
                      const struct Role *role)
{
    const struct BetweenSpec *between = step->between;
    if (between == NULL)
        return false;
    if (between->shape != SHAPE_NONE)
        return text_equal(between->of, role->name);
    return side_names_whole(&between->a, &between->b, scenario, role) ||
           side_names_whole(&between->b, &between->a, scenario, role);
}
