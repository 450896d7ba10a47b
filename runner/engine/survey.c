/* survey.c - asks hosts and systems, side by side, what a plan needs to know. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include "../base/text.h"

#define SURVEY_TIMEOUT_NS (8 * NS_PER_S)
#define SYSTEM_TIMEOUT_NS (3 * NS_PER_S)

struct Asking {
    struct Survey *out;
    struct Loop *loop;
    struct Arena *arena;
    size_t pending;
    const struct Scenario *scenario;
    bool delays;
};
struct HostAsking {
    struct Asking *all;
    struct SurveyHost *host;
};
struct RoleAsking {
    struct Asking *all;
    struct SurveyRole *role;
    void *system;
};

static void answered(struct Asking *all)
{
    if (--all->pending == 0)
        loop_stop(all->loop);
}

/* What the steps on this role mean by a name. */
static bool ask_names(struct HostCall *call, const struct Scenario *scenario,
                      struct SurveyHost *host)
{
    const struct StepSpec *steps = scenario != NULL ? scenario->steps.items : NULL;
    for (size_t at = 0; scenario != NULL && at < scenario->steps.count; at++) {
        struct Named named = {.name = step_unit(&steps[at]), .is_unit = true};
        if (named.name == NULL)
            named = (struct Named){.name = step_process(&steps[at])};
        if (named.name == NULL || steps[at].target == NULL ||
            !text_equal(steps[at].target->role, host->role->name))
            continue;
        if (!node_names(call->node, &named, call->deadline, call->arena, &call->err))
            return false;
        *(struct Named *)list_add(&host->named, call->arena, sizeof named) = named;
    }
    return true;
}

const struct Named *survey_named(const struct SurveyHost *host, const struct StepSpec *step)
{
    const char *unit = step_unit(step), *name = unit != NULL ? unit : step_process(step);
    const struct Named *all = host->named.items;
    for (size_t at = 0; name != NULL && at < host->named.count; at++)
        if (text_equal(all[at].name, name) && all[at].is_unit == (unit != NULL))
            return &all[at];
    return NULL;
}

static void facts_work(struct HostCall *call)
{
    struct HostAsking *asking = call->data;
    call->ok = node_facts(call->node, asking->host->role, call->deadline, call->arena,
                          &asking->host->facts, &call->err);
    if (call->ok && call->target->uid != NULL) /* a pod: what follows is of hosts */
        return;
    if (call->ok && asking->all->delays && asking->host->facts.root)
        call->ok =
            node_delays(call->node, call->deadline, call->arena, &asking->host->facts, &call->err);
    if (call->ok && asking->host->facts.root)
        call->ok = ask_names(call, asking->all->scenario, asking->host);
    call->lost = !call->ok;
}

static void facts_done(struct HostCall *call)
{
    struct HostAsking *asking = call->data;
    struct SurveyHost *host = asking->host;
    host->answered = call->opened && call->ok;
    host->err = call->err;
    if (host->answered)
        host->healthy = role_is_run(host->role) ? host->facts.active : KNOWN_YES;
    answered(asking->all);
}

static void serves_work(struct HostCall *call)
{
    struct HostAsking *asking = call->data;
    asking->host->healthy = node_serves(call->node, asking->host->role, call->deadline, &call->err);
    call->lost = asking->host->healthy == KNOWN_UNKNOWN;
}

static void serves_done(struct HostCall *call)
{
    struct HostAsking *asking = call->data;
    answered(asking->all);
}

static void standing_done(void *data, const struct Standing *standing)
{
    struct HostAsking *asking = data;
    asking->host->standing = *standing;
    asking->host->standing.host = asking->host->target;
    answered(asking->all);
}

static void control_done(void *data, const struct Standing *standing)
{
    struct RoleAsking *asking = data;
    if (standing->rank == RANK_PRIMARY)
        asking->role->primary = standing->host;
    answered(asking->all);
}

static void redundancy_done(void *data, const struct Redundancy *redundancy)
{
    struct RoleAsking *asking = data;
    asking->role->redundancy = *redundancy;
    asking->role->redundancy.why = arena_text(asking->all->arena, redundancy->why);
    answered(asking->all);
}

static void prospect_done(void *data, const struct Prospect *prospect)
{
    struct RoleAsking *asking = data;
    struct Arena *arena = asking->all->arena;
    struct Prospect *copy = &asking->role->prospect;
    *copy = *prospect;
    struct Knob *knobs = arena_zero(arena, prospect->knob_count + 1, sizeof *knobs);
    for (size_t at = 0; at < prospect->knob_count; at++)
        knobs[at] = (struct Knob){.name = arena_text(arena, prospect->knobs[at].name),
                                  .value = arena_text(arena, prospect->knobs[at].value)};
    copy->knobs = knobs;
    copy->not_ready = arena_text(arena, prospect->not_ready);
    copy->durable = arena_text(arena, prospect->durable);
    copy->no_handover = arena_text(arena, prospect->no_handover);
    copy->loss = arena_text(arena, prospect->loss);
    asking->role->prospect_known = true;
    answered(asking->all);
}

static void ask_system(struct Asking *all, struct RoleAsking *asking, struct HostAsking *hosts,
                       size_t host_count)
{
    const struct SystemKind *kind = asking->role->role->system;
    struct Mono deadline = mono_add(mono_now(), SYSTEM_TIMEOUT_NS);
    for (size_t at = 0; at < host_count; at++) {
        if (hosts[at].host->role != asking->role->role)
            continue;
        all->pending++;
        kind->ask_standing(asking->system, hosts[at].host->target, deadline, standing_done,
                           &hosts[at]);
    }
    all->pending += 2;
    kind->ask_redundancy(asking->system, deadline, redundancy_done, asking);
    kind->ask_prospect(asking->system, deadline, prospect_done, asking);
    if (kind->ask_control != NULL) {
        all->pending++;
        kind->ask_control(asking->system, deadline, control_done, asking);
    }
}

/* Where the control plane is silent: the only host that calls itself primary. */
static void settle_primary(struct Survey *survey, struct SurveyRole *role)
{
    const struct Target *found = NULL;
    struct SurveyHost *hosts = survey->hosts.items;
    for (size_t at = 0; at < survey->hosts.count && role->primary == NULL; at++) {
        if (hosts[at].role != role->role || hosts[at].standing.rank != RANK_PRIMARY)
            continue;
        if (found != NULL)
            return;
        found = hosts[at].target;
    }
    if (role->primary == NULL)
        role->primary = found;
}

static bool role_in(const struct Role *const *roles, size_t count, const struct Role *role)
{
    for (size_t at = 0; at < count; at++)
        if (roles[at] == role)
            return true;
    return false;
}

static void add_hosts(const struct Role *role, bool beside, struct Survey *out)
{
    for (size_t at = 0; at < role->host_count; at++) {
        struct SurveyHost *row = list_add(&out->hosts, out->arena, sizeof *row);
        *row = (struct SurveyHost){.role = role, .target = role->hosts[at], .beside = beside};
    }
}

static void list_hosts(const struct SurveyInput *input, struct Survey *out)
{
    for (size_t at = 0; at < input->touched_count; at++)
        add_hosts(input->touched[at], false, out);
    for (size_t at = 0; at < input->beside_count; at++)
        add_hosts(input->beside[at], true, out);
    for (size_t at = 0; at < input->asked_count; at++) {
        const struct Role *role = input->asked[at];
        if (!role_in(input->touched, input->touched_count, role) &&
            !role_in(input->beside, input->beside_count, role))
            add_hosts(role, false, out);
        if (role->system == NULL)
            continue;
        struct SurveyRole *row = list_add(&out->roles, out->arena, sizeof *row);
        *row = (struct SurveyRole){.role = role,
                                   .redundancy = {.complete = KNOWN_UNKNOWN, .why = "not asked"}};
    }
}

static void ask_hosts(const struct SurveyInput *input, struct Asking *all, struct HostAsking *hosts)
{
    for (size_t at = 0; at < all->out->hosts.count; at++) {
        struct SurveyHost *row = (struct SurveyHost *)all->out->hosts.items + at;
        hosts[at] = (struct HostAsking){.all = all, .host = row};
        if (!row->beside && !role_in(input->touched, input->touched_count, row->role))
            continue;
        all->pending++;
        hosts_do(input->hosts, &(struct HostJob){.target = row->target,
                                                 .lane = LANE_ACT,
                                                 .timeout_ns = SURVEY_TIMEOUT_NS,
                                                 .work = row->beside ? serves_work : facts_work,
                                                 .done = row->beside ? serves_done : facts_done,
                                                 .data = &hosts[at]});
    }
}

void survey_make(const struct SurveyInput *input, struct Survey *out)
{
    *out = (struct Survey){.arena = input->arena};
    list_hosts(input, out);
    struct Asking all = {.out = out,
                         .loop = input->loop,
                         .arena = input->arena,
                         .pending = 1,
                         .scenario = input->scenario,
                         .delays = input->delays};
    struct HostAsking *hosts = arena_zero(input->arena, out->hosts.count + 1, sizeof *hosts);
    struct RoleAsking *roles = arena_zero(input->arena, out->roles.count + 1, sizeof *roles);
    ask_hosts(input, &all, hosts);
    for (size_t at = 0; at < out->roles.count; at++) {
        struct SurveyRole *row = (struct SurveyRole *)out->roles.items + at;
        struct Err err;
        roles[at] = (struct RoleAsking){.all = &all, .role = row};
        roles[at].system =
            row->role->system->open(row->role->system_config, row->role, input->loop, &err);
        if (roles[at].system == NULL)
            row->redundancy.why = arena_text(input->arena, err.message);
        else
            ask_system(&all, &roles[at], hosts, out->hosts.count);
    }
    if (--all.pending > 0)
        loop_run(input->loop);
    for (size_t at = 0; at < out->roles.count; at++) {
        if (roles[at].system != NULL)
            roles[at].role->role->system->close(roles[at].system);
        settle_primary(out, roles[at].role);
    }
}

const struct SurveyHost *survey_host(const struct Survey *survey, const struct Role *role,
                                     const struct Target *target)
{
    const struct SurveyHost *hosts = survey->hosts.items;
    for (size_t at = 0; at < survey->hosts.count; at++)
        if (hosts[at].role == role && hosts[at].target == target)
            return &hosts[at];
    return NULL;
}

const struct SurveyRole *survey_role(const struct Survey *survey, const struct Role *role)
{
    const struct SurveyRole *roles = survey->roles.items;
    for (size_t at = 0; at < survey->roles.count; at++)
        if (roles[at].role == role)
            return &roles[at];
    return NULL;
}

static enum Known health_of(const struct Survey *survey, const struct Role *role,
                            const struct Target *target)
{
    const struct SurveyHost *host = survey_host(survey, role, target);
    if (host == NULL)
        return KNOWN_UNKNOWN;
    bool silent = survey_role(survey, role) != NULL && host->standing.rank == RANK_UNKNOWN;
    return silent && host->healthy == KNOWN_YES ? KNOWN_UNKNOWN : host->healthy;
}

void survey_healths(const struct Survey *survey, const struct List *roles, struct Arena *arena,
                    struct List *out)
{
    const struct Role *const *rows = roles->items;
    for (size_t at = 0; at < roles->count; at++) {
        enum Known *healthy = arena_zero(arena, rows[at]->host_count + 1, sizeof *healthy);
        for (size_t k = 0; k < rows[at]->host_count; k++)
            healthy[k] = health_of(survey, rows[at], rows[at]->hosts[k]);
        *(struct RoleHealth *)list_add(out, arena, sizeof(struct RoleHealth)) =
            (struct RoleHealth){.role = rows[at], .healthy = healthy};
    }
}
