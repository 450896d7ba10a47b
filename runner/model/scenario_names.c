/* scenario_names.c - names in a scenario that must exist: roles, targets, probes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"
#include "edges.h"

enum { NAMES_MOST = 512 };

/* The role in the environment; NULL, with a problem, where there is none. Without an environment
 * NULL and no problem. */
static const struct Role *need_role(struct ScenarioBuild *build, const char *name,
                                    struct Where where)
{
    const struct Environment *environment = build->input->environment;
    if (environment == NULL || name == NULL)
        return NULL;
    const struct Role *role = environment_role(environment, name);
    if (role != NULL)
        return role;
    struct Err *err = scenario_say(build, ERR_ROLE, where, "role `%s` is not in environment `%s`",
                                   name, environment->name);
    const struct Role *roles = environment->roles.items;
    const char *names[NAMES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < environment->roles.count && count < NAMES_MOST; i++) {
        names[count++] = roles[i].name;
        err_allow(err, roles[i].name);
    }
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        err_at(err, "did you mean `%s`?", nearest);
    err_note(err, "defined in %s:%u", environment->path, roles[0].where.line);
    return NULL;
}

static void need_system(struct ScenarioBuild *build, const struct Role *role, struct Where where,
                        const char *what)
{
    if (role == NULL || role->system != NULL)
        return;
    struct Err *err =
        scenario_say(build, ERR_RULE, where, "%s asks who leads role `%s`, which is no system",
                     what, role->name);
    err_hint(err, "say in the environment which it is, such as redis_sentinel: {master: NAME}");
    err_note(err, "defined in %s:%u", build->input->environment->path, role->where.line);
}

struct Err *scenario_no_target(struct ScenarioBuild *build, struct Where where, const char *name,
                               size_t count, bool *near)
{
    struct Err *err = scenario_say(build, ERR_TARGET_NAME, where, "there is no target `%s`", name);
    const struct TargetSpec *targets = build->scenario->targets.items;
    const char *names[NAMES_MOST];
    size_t known = 0;
    for (size_t i = 0; i < count && known < NAMES_MOST; i++) {
        names[known++] = targets[i].name;
        err_allow(err, targets[i].name);
    }
    const char *nearest = text_nearest(name, names, known);
    *near = nearest != NULL;
    if (*near)
        err_at(err, "did you mean `%s`?", nearest);
    return err;
}

/* Whom target `at` is to be apart from has to be drawn before it, once and for all. */
static void check_apart(struct ScenarioBuild *build, size_t at)
{
    const struct TargetSpec *targets = build->scenario->targets.items;
    const struct TargetSpec *apart = scenario_target(build->scenario, targets[at].apart);
    struct Where where = targets[at].apart_where;
    size_t above = at < build->named_targets ? at : build->named_targets;
    bool near;
    if (apart == NULL)
        scenario_no_target(build, where, targets[at].apart, above, &near);
    else if (apart >= targets + above)
        err_hint(scenario_say(build, ERR_RULE, where,
                              "`not` names `%s`, which does not stand above", apart->name),
                 "put it first: its hosts are drawn first");
    else if (apart->is != RANK_UNKNOWN)
        err_hint(
            scenario_say(build, ERR_RULE, where, "`not` names `%s`, which says `is`", apart->name),
            "who that is moves; say here which rank is meant: `is: replica`");
}

static void check_targets(struct ScenarioBuild *build)
{
    const struct TargetSpec *targets = build->scenario->targets.items;
    for (size_t i = 0; i < build->scenario->targets.count; i++) {
        const struct Role *role = need_role(build, targets[i].role, targets[i].role_where);
        if (targets[i].is != RANK_UNKNOWN)
            need_system(build, role, targets[i].where, "`is`");
        if (targets[i].apart != NULL)
            check_apart(build, i);
    }
}

static void check_probes(struct ScenarioBuild *build)
{
    const struct ProbeSpec *probes = build->scenario->probes.items;
    bool near;
    for (size_t i = 0; i < build->scenario->probes.count; i++) {
        const struct Node *node = node_get(node_get(build->root, "probes"), probes[i].name);
        const struct Node *subject = node_get(node, probes[i].kind->name);
        struct Where where = subject != NULL ? subject->where : probes[i].where;
        if (probes[i].kind->needs_role && probes[i].role != NULL) /* redis may have a URL */
            need_system(build, need_role(build, probes[i].role, where), where,
                        probes[i].kind->name);
        const struct Node *from = node_get(node, "from");
        if (probes[i].from != NULL && from != NULL &&
            scenario_target(build->scenario, probes[i].from) == NULL)
            scenario_no_target(build, from->where, probes[i].from, build->named_targets, &near);
    }
}

/* A side is of targets and roles alike. */
static void check_side(struct ScenarioBuild *build, const struct SideSpec *side)
{
    const char *const *names = side->names.items;
    for (size_t i = 0; i < side->names.count; i++) {
        if (scenario_target(build->scenario, names[i]) != NULL ||
            build->input->environment == NULL ||
            environment_role(build->input->environment, names[i]) != NULL)
            continue;
        struct Err *err = scenario_say(build, ERR_TARGET_NAME, side->where,
                                       "there is no target and no role `%s`", names[i]);
        err_hint(err, "name a target, a role of environment `%s`, or `peers`",
                 build->input->environment->name);
    }
}

static void check_sides(struct ScenarioBuild *build)
{
    const struct StepSpec *steps = build->scenario->steps.items;
    for (size_t i = 0; i < build->scenario->steps.count; i++) {
        const struct BetweenSpec *between = steps[i].between;
        if (steps[i].to != NULL)
            check_side(build, steps[i].to);
        if (between == NULL)
            continue;
        check_side(build, &between->a);
        check_side(build, &between->b);
        const struct Role *role = need_role(build, between->of, between->where);
        if (role != NULL && !role_is_open(role) && role->host_count < shape_least(between->shape))
            err_note(scenario_say(build, ERR_RULE, between->where,
                                  "role `%s` has %zu host%s: such a shape takes %zu", role->name,
                                  role->host_count, role->host_count == 1 ? "" : "s",
                                  shape_least(between->shape)),
                     "defined in %s:%u", build->input->environment->path, role->where.line);
    }
}

/* Where the inventory names the hosts, plan looks. */
static void check_promoted(struct ScenarioBuild *build, const struct StepSpec *step,
                           const struct Role *role)
{
    const char *names[NAMES_MOST];
    size_t count = 0;
    if (step->promoted == NULL || role_is_open(role) || role_host(role, step->promoted) != NULL)
        return;
    struct Err *err = scenario_say(build, ERR_RULE, step->promoted_where,
                                   "role `%s` has no host `%s`", role->name, step->promoted);
    for (size_t i = 0; i < role->host_count && count < NAMES_MOST; i++) {
        names[count++] = role->hosts[i]->name;
        err_allow(err, role->hosts[i]->name);
    }
    const char *nearest = text_nearest(step->promoted, names, count);
    if (nearest != NULL)
        err_at(err, "did you mean `%s`?", nearest);
    err_note(err, "defined in %s:%u", build->input->environment->path, role->where.line);
}

static void check_wishes(struct ScenarioBuild *build, const struct StepSpec *step,
                         const struct Role *role)
{
    const struct SystemKind *system = role->system;
    if (step->promoted != NULL && system->takes_no_host != NULL)
        err_hint(scenario_say(build, ERR_RULE, step->promoted_where,
                              "%s takes no `to` at `failover`: %s", system->name,
                              system->takes_no_host),
                 "Leave `to` out.");
    else
        check_promoted(build, step, role);
    if (step->switch_back && system->never_back != NULL)
        err_hint(scenario_say(build, ERR_RULE, step->where, "%s has no `switch_back`: %s",
                              system->name, system->never_back),
                 "Leave `switch_back` out: the primary stays moved.");
}

static void check_failovers(struct ScenarioBuild *build)
{
    const struct StepSpec *steps = build->scenario->steps.items;
    for (size_t i = 0; i < build->scenario->steps.count; i++) {
        if (steps[i].type == STEP_SQL && steps[i].asked != NULL)
            need_system(build, need_role(build, steps[i].asked, steps[i].whom_where),
                        steps[i].whom_where, "sql");
        if (steps[i].type != STEP_FAILOVER)
            continue;
        const struct Role *role = need_role(build, steps[i].role, steps[i].whom_where);
        need_system(build, role, steps[i].whom_where, "`failover`");
        if (role != NULL && role->system != NULL && role->system->failover == NULL)
            scenario_say(build, ERR_RULE, steps[i].where, "%s has no planned failover",
                         role->system->name);
        else if (role != NULL && role->system != NULL)
            check_wishes(build, &steps[i], role);
    }
}

static void check_section(struct ScenarioBuild *build, const char *section)
{
    const struct Node *map = node_get(build->root, section);
    const struct Node *known = node_get(build->root, "probes");
    if (known != NULL && known->type != NODE_MAP)
        return;
    const struct ProbeSpec *probes = build->scenario->probes.items;
    for (size_t i = 0; map != NULL && map->type == NODE_MAP && i < map->count; i++) {
        const struct Node *key = map->keys[i];
        if (node_get(known, key->text) != NULL ||
            (text_equal(section, "expect") && scenario_figure(build->scenario, key->text) != NULL))
            continue;
        struct Err *err =
            scenario_say(build, ERR_PROBE_NAME, key->where, "there is no probe `%s`", key->text);
        const char *names[NAMES_MOST];
        size_t count = 0;
        for (size_t k = 0; k < build->scenario->probes.count && count < NAMES_MOST; k++) {
            names[count++] = probes[k].name;
            err_allow(err, probes[k].name);
        }
        const struct FigureSpec *figures = build->scenario->figures.items;
        size_t figure_count = text_equal(section, "expect") ? build->scenario->figures.count : 0;
        for (size_t k = 0; k < figure_count && count < NAMES_MOST; k++) {
            names[count++] = figures[k].name;
            err_allow(err, figures[k].name);
        }
        const char *nearest = text_nearest(key->text, names, count);
        if (nearest != NULL)
            err_at(err, "did you mean `%s`?", nearest);
    }
}

/* Only a drill that breaks nothing may have none. */
static bool lacks_probes(struct ScenarioBuild *build)
{
    const struct StepSpec *steps = build->scenario->steps.items;
    const struct Node *probes = node_get(build->root, "probes");
    bool breaks = false;
    for (size_t i = 0; i < build->scenario->steps.count; i++)
        breaks = breaks || steps[i].type == STEP_FAULT || steps[i].type == STEP_FAILOVER;
    if (!breaks || (probes != NULL && (probes->type != NODE_MAP || probes->count > 0)))
        return false;
    err_at(scenario_say(build, ERR_REQUIRED, build->root->where, "the key `probes` is missing"),
           "like `probes: {shop: {http: \"${endpoint.api}/healthz\"}}`");
    return true;
}

void scenario_check_names(struct ScenarioBuild *build)
{
    bool lacking = lacks_probes(build);
    check_targets(build);
    check_probes(build);
    check_failovers(build);
    check_sides(build);
    if (lacking)
        return;
    check_section(build, "expect");
    check_section(build, "halt");
}
