/* planner.c - binds a scenario to an environment as it stands now. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"

#include <string.h>
#include <sys/random.h>

#include "../base/text.h"
#include "../base/ulid.h"
#include "edging.h"
#include "foresee.h"
#include "machine.h"

#define PLAN_ARENA_BYTES (64U << 20)

/* What is under way while a plan is made. */
struct Planning {
    const struct PlannerInput *input;
    struct Plan *plan;
    struct Survey survey;
    struct List touched, asked, beside; /* of const struct Role * */
    struct Err *err;
};

static const struct Role *role_named(const struct Planning *planning, const char *name)
{
    return name ? environment_role(planning->input->environment, name) : NULL;
}

static void role_note(struct Planning *planning, struct List *roles, const char *name)
{
    const struct Role *role = role_named(planning, name);
    const struct Role **rows = roles->items;
    for (size_t at = 0; role != NULL && at < roles->count; at++)
        if (rows[at] == role)
            return;
    if (role != NULL)
        *(const struct Role **)list_add(roles, planning->plan->arena, sizeof(void *)) = role;
}

/* Both ends are asked: one for its tools, the other for its addresses. */
static void note_sides(struct Planning *planning, const struct Scenario *scenario,
                       const struct StepSpec *step)
{
    struct Plan named = {.scenario = scenario, .environment = planning->input->environment};
    struct List roles = {.items = NULL};
    edging_roles(&named, step, false, planning->plan->arena, &roles);
    const struct Role *const *role = roles.items;
    for (size_t at = 0; at < roles.count; at++) {
        role_note(planning, &planning->touched, role[at]->name);
        role_note(planning, &planning->asked, role[at]->name);
    }
}

static void note_roles(struct Planning *planning, const struct Scenario *scenario)
{
    const struct StepSpec *steps = scenario->steps.items;
    for (size_t at = 0; at < scenario->steps.count; at++) {
        if (steps[at].target != NULL)
            role_note(planning, &planning->touched, steps[at].target->role);
        role_note(planning, &planning->asked, steps[at].role);
        if (step_has_edges(&steps[at]))
            note_sides(planning, scenario, &steps[at]);
    }
    const struct TargetSpec *targets = scenario->targets.items;
    for (size_t at = 0; at < scenario->targets.count; at++)
        role_note(planning, &planning->asked, targets[at].role);
    const struct ProbeSpec *probes = scenario->probes.items;
    for (size_t at = 0; at < scenario->probes.count; at++)
        role_note(planning, &planning->asked, probes[at].role);
}

static bool delays(const struct Scenario *scenario)
{
    const struct StepSpec *steps = scenario->steps.items;
    for (size_t at = 0; at < scenario->steps.count; at++)
        if (steps[at].kind != NULL && steps[at].kind->needs_delay)
            return true;
    return false;
}

static void survey(struct Planning *planning, const struct Scenario *scenario)
{
    survey_make(&(struct SurveyInput){.hosts = planning->input->hosts,
                                      .loop = planning->input->loop,
                                      .touched = planning->touched.items,
                                      .touched_count = planning->touched.count,
                                      .beside = planning->beside.items,
                                      .beside_count = planning->beside.count,
                                      .asked = planning->asked.items,
                                      .asked_count = planning->asked.count,
                                      .delays = delays(scenario),
                                      .scenario = scenario,
                                      .arena = planning->plan->arena},
                &planning->survey);
}

static const enum Rank *ranks_of(struct Planning *planning, const struct Role *role)
{
    enum Rank *ranks = arena_zero(planning->plan->arena, role->host_count + 1, sizeof *ranks);
    for (size_t at = 0; at < role->host_count; at++) {
        const struct SurveyHost *host = survey_host(&planning->survey, role, role->hosts[at]);
        ranks[at] = host ? host->standing.rank : RANK_UNKNOWN;
    }
    return ranks;
}

static const struct Target *const *order_of(struct Planning *planning,
                                            const struct TargetSpec *spec, const struct Role *role)
{
    struct Plan *plan = planning->plan;
    const struct Target **order = arena_zero(plan->arena, role->host_count + 1, sizeof(void *));
    target_order(spec->seed_given ? (uint64_t)spec->seed : plan->seed, spec->name, role, order);
    if (spec->rotate)
        target_rotate(&planning->input->drilled, role->host_count, order);
    return order;
}

static bool draw_all(struct Planning *planning, const struct Scenario *scenario)
{
    struct Plan *plan = planning->plan;
    plan->drawn = (struct List){0};
    const struct TargetSpec *targets = scenario->targets.items;
    for (size_t at = 0; at < scenario->targets.count; at++) {
        const struct Role *role = role_named(planning, targets[at].role);
        struct List hosts = {0};
        struct Drawn now = {
            .spec = &targets[at], .role = role, .order = order_of(planning, &targets[at], role)};
        struct Draw draw = plan_draw(plan, &now, ranks_of(planning, role));
        if (!target_draw(&draw, plan->arena, &hosts, planning->err))
            return false;
        now.hosts = hosts.items;
        now.count = hosts.count;
        *(struct Drawn *)list_add(&plan->drawn, plan->arena, sizeof now) = now;
    }
    return true;
}

static const char *address_of_target(void *data, const char *name)
{
    const struct Planning *planning = data;
    const struct Drawn *drawn = plan_drawn(planning->plan, name);
    return drawn && drawn->count > 0 ? drawn->hosts[0]->address : NULL;
}

/* By then its hosts may not hear each other, so nothing can be asked of them. */
static bool cut_before(const struct Plan *plan, const struct PlannedFault *fault)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (uint32_t at = 0; at < fault->step_index; at++)
        if (steps[at].kind != NULL && steps[at].kind->partitions)
            return true;
    return false;
}

/* The procedure of one fault on one host; false with planning->err. */
static bool plan_procedure(struct Planning *planning, struct PlannedFault *fault)
{
    struct Plan *plan = planning->plan;
    const struct Scenario *scenario = plan->scenario;
    const struct SurveyHost *found = survey_host(&planning->survey, fault->role, fault->target);
    int64_t planned = step_planned_ns(scenario, fault->step_index);
    struct PlanInput input = {.target = fault->target,
                              .role = fault->role,
                              .facts = &found->facts,
                              .token = &plan->token,
                              .number = fault->number,
                              .hold_ns = fault->step->hold_ns,
                              .flap = fault->step->flap,
                              .cuts_link = fault->step->cuts_link,
                              .cap_ns = planned + scenario->grace_ns,
                              .leave_stopped = scenario->leave_stopped,
                              .named = survey_named(found, fault->step)};
    input.lease_ns = scenario->lease_ns < input.cap_ns ? scenario->lease_ns : input.cap_ns;
    if (input.cuts_link)
        input.lease_ns = 0; /* nobody could renew it */
    if (fault->step->kind->takes_machine &&
        !machine_plan(plan, fault->target, &input, planning->err))
        return false;
    struct List peers = {.items = NULL};
    if (!edging_peers(&planning->survey, fault->target, &fault->edges, plan->arena, &peers,
                      planning->err))
        return false;
    input.peers = peers.items;
    input.peer_count = peers.count;
    const struct SystemKind *system = fault->role->system;
    if (fault->step->kind->stops_service && system != NULL && system->plan_rejoin != NULL &&
        !system->plan_rejoin(fault->role->system_config, &input, plan->arena, &input.rejoin,
                             planning->err))
        return false;
    if (input.rejoin.count > 0 && system->plan_ready != NULL && !cut_before(plan, fault))
        system->plan_ready(fault->role->system_config, &input, plan->arena, &input.ready);
    struct ScriptInput values = plan_script_input(plan, fault->target);
    values.marks = &plan->token;
    const void *config = NULL;
    return step_config(&values, fault->step, plan->arena, &config, planning->err) &&
           fault->step->kind->plan(config, &input, plan->arena, &fault->procedure, planning->err) &&
           procedure_check(fault->step->kind, &fault->procedure, planning->err);
}

/* Its row names the primary of now; nothing of it stays on a host, so it has no procedure. */
static void plan_failover(struct Planning *planning, uint32_t index, uint32_t number)
{
    struct Plan *plan = planning->plan;
    const struct StepSpec *step = (const struct StepSpec *)plan->scenario->steps.items + index;
    const struct Role *role = role_named(planning, step->role);
    const struct SurveyRole *found = survey_role(&planning->survey, role);
    struct PlannedFault *fault = list_add(&plan->faults, plan->arena, sizeof *fault);
    *fault =
        (struct PlannedFault){.step = step,
                              .step_index = index,
                              .target = found && found->primary ? found->primary : role->hosts[0],
                              .role = role,
                              .number = number,
                              .chosen = true,
                              .procedure = {.ends_by = CLASS_STICKY, .stays = "the primary moves"}};
}

/* Adds the row of one host, unless it cannot be drilled, which is an obstacle. */
static bool plan_row(struct Planning *planning, struct PlannedFault *fault, uint32_t *number)
{
    struct Plan *plan = planning->plan;
    const struct SurveyHost *found = survey_host(&planning->survey, fault->role, fault->target);
    if (!foresee_host(plan, fault->step, found))
        return true;
    fault->number = ++*number;
    if (!plan_procedure(planning, fault))
        return false;
    *(struct PlannedFault *)list_add(&plan->faults, plan->arena, sizeof *fault) = *fault;
    return true;
}

/* One row for every host and every list of edges that it may have. */
static bool plan_edges(struct Planning *planning, uint32_t index, uint32_t *number)
{
    struct Plan *plan = planning->plan;
    const struct StepSpec *step = (const struct StepSpec *)plan->scenario->steps.items + index;
    struct List roles = {.items = NULL}, rankings = {.items = NULL}, rows = {.items = NULL};
    edging_roles(plan, step, true, plan->arena, &roles);
    const struct Role *const *role = roles.items;
    for (size_t at = 0; at < roles.count; at++)
        *(struct Ranking *)list_add(&rankings, plan->arena, sizeof(struct Ranking)) =
            (struct Ranking){.role = role[at], .ranks = ranks_of(planning, role[at])};
    if (!edging_rows_all(plan, step, &rankings, plan->arena, &rows, planning->err))
        return false;
    const struct EdgeRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        if (!plan_row(planning,
                      &(struct PlannedFault){.step = step,
                                             .step_index = index,
                                             .target = row[at].host,
                                             .role = row[at].role,
                                             .candidate = roles.count > 0,
                                             .chosen = row[at].chosen,
                                             .edges = row[at].edges},
                      number))
            return false;
    return true;
}

/* One row for every host that the step may choose: with `is:` every host of the role. */
static bool plan_step(struct Planning *planning, uint32_t index, uint32_t *number)
{
    struct Plan *plan = planning->plan;
    const struct StepSpec *step = (const struct StepSpec *)plan->scenario->steps.items + index;
    const struct Drawn *drawn = step->target ? plan_drawn(plan, step->target->name) : NULL;
    if (step->type == STEP_FAILOVER)
        plan_failover(planning, index, ++*number);
    if (step->kind == NULL)
        return true;
    if (step_has_edges(step))
        return plan_edges(planning, index, number);
    const struct Draw draw = plan_draw(plan, drawn, NULL);
    for (size_t at = 0; at < drawn->role->host_count; at++) {
        const struct Target *host = drawn->role->hosts[at];
        bool chosen = drawn_has(drawn, host);
        bool never = step->target->is == RANK_UNKNOWN || draw_leaves_out(&draw, host) ||
                     machine_forbidden(plan->environment, host);
        if (!chosen && never)
            continue;
        if (!plan_row(planning,
                      &(struct PlannedFault){.step = step,
                                             .step_index = index,
                                             .target = host,
                                             .role = drawn->role,
                                             .candidate = step->target->is != RANK_UNKNOWN,
                                             .chosen = chosen},
                      number))
            return false;
    }
    return true;
}

static void bind_probes(struct Planning *planning)
{
    struct Plan *plan = planning->plan;
    const struct ProbeSpec *probes = plan->scenario->probes.items;
    for (size_t at = 0; at < plan->scenario->probes.count; at++) {
        struct BoundProbe *probe = list_add(&plan->probes, plan->arena, sizeof *probe);
        const struct Drawn *from = probes[at].from ? plan_drawn(plan, probes[at].from) : NULL;
        *probe = (struct BoundProbe){.spec = &probes[at],
                                     .role = role_named(planning, probes[at].role),
                                     .from = from ? from->hosts[0] : NULL};
    }
}

static void note_facts(struct Planning *planning)
{
    const struct SurveyHost *hosts = planning->survey.hosts.items;
    for (size_t at = 0; at < planning->survey.hosts.count; at++)
        if (hosts[at].answered)
            *(struct HostFacts *)list_add(&planning->plan->facts, planning->plan->arena,
                                          sizeof(struct HostFacts)) = hosts[at].facts;
}

const char *fault_what(const struct PlannedFault *fault, struct Arena *arena)
{
    const char *kind = fault->step->kind->name;
    return fault->procedure.from_here ? arena_printf(arena, "%s of %s", kind, fault->target->name)
                                      : kind;
}

static struct Scenario *read_scenario(struct Planning *planning, bool drawn,
                                      struct Problems *problems)
{
    return scenario_new(&(struct ScenarioInput){.document = planning->input->document,
                                                .kinds = planning->input->kinds,
                                                .environment = planning->input->environment,
                                                .params = planning->input->params,
                                                .param_count = planning->input->param_count,
                                                .target_address = drawn ? address_of_target : NULL,
                                                .target_data = planning},
                        problems);
}

/* Everything after the first reading of the files. */
static bool bind(struct Planning *planning, const struct Scenario *first, struct Problems *problems)
{
    struct Plan *plan = planning->plan;
    note_roles(planning, first);
    radius_beside(planning->input->environment, &planning->touched, plan->arena, &planning->beside);
    survey(planning, first);
    survey_healths(&planning->survey, &planning->touched, plan->arena, &plan->healths);
    survey_healths(&planning->survey, &planning->beside, plan->arena, &plan->healths);
    if (!foresee_answers(plan, &planning->survey, planning->err) || !draw_all(planning, first))
        return false;
    plan->scenario = read_scenario(planning, true, problems);
    if (plan->scenario == NULL || !draw_all(planning, plan->scenario))
        return false;
    uint32_t number = 0;
    for (uint32_t at = 0; at < plan->scenario->steps.count; at++)
        if (!plan_step(planning, at, &number))
            return false;
    bind_probes(planning);
    note_facts(planning);
    foresee_ways(plan);
    foresee_roles(plan, &planning->survey);
    return plan_hash(plan, planning->input->who, planning->input->version, planning->err);
}

static uint64_t draw_seed(void)
{
    uint16_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        bug("no random numbers");
    return seed;
}

struct Plan *planner_make(const struct PlannerInput *input, struct Problems *problems,
                          struct Err *err)
{
    struct Arena *arena = arena_new("plan", PLAN_ARENA_BYTES);
    struct Plan *plan = arena_zero(arena, 1, sizeof *plan);
    plan->arena = arena;
    plan->environment = input->environment;
    plan->made = wall_now();
    plan->seed = input->seed_given ? input->seed : draw_seed();
    if (input->token != NULL)
        plan->token = *input->token;
    else
        ulid_new(plan->made, plan->token.text);
    struct Planning planning = {.input = input, .plan = plan, .err = err};
    struct Scenario *first = read_scenario(&planning, false, problems);
    bool planned = first != NULL && bind(&planning, first, problems);
    scenario_free(first);
    if (planned)
        return plan;
    plan_free(plan);
    return NULL;
}

void plan_free(struct Plan *plan)
{
    if (plan == NULL)
        return;
    struct Arena *arena = plan->arena;
    scenario_free((struct Scenario *)(uintptr_t)plan->scenario);
    arena_free(arena);
}
