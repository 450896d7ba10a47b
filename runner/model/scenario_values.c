/* scenario_values.c - from decoded fields to targets, probes, steps, bounds and times. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"
#include "bound.h"

#define SETTLE_NS (120 * NS_PER_S)
#define WITHIN_NS (60 * NS_PER_S)

/* ---- Targets. ---- */
static void set_target(const struct TargetFields *fields, const char *name, struct TargetSpec *out)
{
    const struct Where where = fields->node->where;
    const struct Node *role = node_get(fields->node, "role");
    const struct Node *zone = node_get(fields->node, "zone");
    const struct Node *apart = node_get(fields->node, "not");
    *out = (struct TargetSpec){
        .name = name,
        .role = fields->role,
        .is = (enum Rank)fields->is,
        .pick = fields->pick,
        .seed_given = fields->seed != FIELD_NOT_GIVEN,
        .rotate = fields->rotate,
        .stays = fields->stays,
        .zone = fields->zone,
        .apart = fields->apart,
        .where = where,
        .role_where = role != NULL ? role->where : where,
        .zone_where = zone != NULL ? zone->where : where,
        .apart_where = apart != NULL ? apart->where : where,
    };
    out->seed = out->seed_given ? fields->seed : 0;
}

/* Room for the inline ones too: steps point at targets, which may not move. */
static void make_targets(struct ScenarioBuild *build)
{
    const struct TargetFields *fields = build->fields.targets.items;
    struct List *targets = &build->scenario->targets;
    size_t most = build->fields.targets.count + scenario_count_steps(&build->fields.steps) +
                  scenario_count_steps(&build->fields.always) + 1;
    struct TargetSpec *specs = arena_zero(build->arena, most, sizeof *specs);
    targets->items = specs;
    for (size_t i = 0; i < build->fields.targets.count; i++)
        if (fields[i].node != NULL)
            set_target(&fields[i], fields[i].name, &specs[targets->count++]);
    build->named_targets = targets->count;
}

static const struct TargetSpec *inline_target(struct ScenarioBuild *build, const struct Node *node,
                                              size_t step)
{
    struct TargetFields fields = {.name = NULL};
    if (!decode_record(&build->decode, node, &TARGET_RECORD, &fields))
        return NULL;
    struct List *targets = &build->scenario->targets;
    struct TargetSpec *spec = (struct TargetSpec *)targets->items + targets->count++;
    set_target(&fields, arena_printf(build->arena, "step %zu", step + 1), spec);
    return spec;
}

static void say_no_target(struct ScenarioBuild *build, const struct Node *node, const char *name)
{
    bool near;
    struct Err *err = scenario_no_target(build, node->where, name, build->named_targets, &near);
    const struct Environment *environment = build->input->environment;
    if (near)
        return;
    if (environment != NULL && environment_role(environment, name) != NULL)
        err_hint(err, "`%s` is a role: write {role: %s, pick: 1}", name, name);
    else
        err_hint(err, "name one under `targets:`, or write {role: ROLE, pick: 1} here");
}

static const struct TargetSpec *step_target(struct ScenarioBuild *build, const struct Node *node,
                                            size_t step)
{
    const char *name;
    if (node == NULL || node->broken)
        return NULL;
    if (node->type == NODE_MAP)
        return inline_target(build, node, step);
    if (node->type == NODE_LIST) {
        err_hint(scenario_say(build, ERR_TYPE, node->where, "a step has one target"),
                 "pick more hosts of one role, or write one step each");
        return NULL;
    }
    if (!reference_fill(&build->decode, node->text, node->where, &name))
        return NULL;
    const struct TargetSpec *target = scenario_target(build->scenario, name);
    if (target == NULL)
        say_no_target(build, node, name);
    return target;
}

/* ---- Steps. ---- */
static const void *config_at(const struct Chosen *chosen, const char *field_name,
                             enum FieldType type)
{
    const struct Field *field = record_field(chosen->variant->record, field_name);
    if (field == NULL || field->type != type)
        return NULL;
    return (const unsigned char *)chosen->config + field->offset;
}

static const char *script_of(const struct Chosen *chosen)
{
    for (const struct Field *field = chosen->variant->record->fields; field->name != NULL; field++)
        if ((field->flags & FIELD_SUBJECT) != 0 && (field->flags & FIELD_SCRIPT) != 0)
            return *(const char *const *)((const unsigned char *)chosen->config + field->offset);
    return NULL;
}

static void set_kind(struct ScenarioBuild *build, const struct StepFields *fields, size_t index,
                     struct StepSpec *step)
{
    const struct Chosen *chosen = &fields->kind;
    const struct FaultKind *kind = chosen->variant->kind;
    step->config = chosen->config;
    if (scenario_pause(chosen, step) || scenario_statement(build, fields, step))
        return;
    if (kind == NULL) {
        step->type = STEP_FAILOVER;
        const struct Node *role = node_get(fields->node, chosen->variant->name);
        step->whom_where = role != NULL ? role->where : step->where;
        const struct FailoverFields *wish = chosen->config;
        step->role = wish->role;
        step->forced = wish->forced;
        step->switch_back = wish->switch_back;
        step->promoted = wish->to;
        const struct Node *to = node_get(fields->node, "to");
        step->promoted_where = to != NULL ? to->where : step->where;
        return;
    }
    const struct Node *const *target = config_at(chosen, "target", FIELD_ANY);
    if (target != NULL && *target != NULL) {
        const struct Node *pick = node_get(*target, "pick");
        step->whom_where = pick != NULL ? pick->where : (*target)->where;
        step->target = step_target(build, *target, index);
    }
    const struct CutFields *const *cut = config_at(chosen, "sides", FIELD_RECORD);
    if (cut != NULL && *cut != NULL)
        step->between = scenario_between(build, *cut, step->where);
    const struct Node *const *to = config_at(chosen, "to", FIELD_ANY);
    if (to != NULL && *to != NULL)
        step->to = scenario_side(build, *to);
    const int *direction = config_at(chosen, "direction", FIELD_CHOICE);
    step->direction = direction != NULL ? (enum Direction) * direction : DIRECTION_BOTH;
    const bool *is_fault = config_at(chosen, "fault", FIELD_BOOL);
    if (is_fault != NULL && !*is_fault) {
        step->type = kind->plain != NULL ? STEP_REQUEST : STEP_RUN;
        if (kind->plain != NULL)
            step->request = kind->plain(chosen->config, build->arena);
        else
            step->script = script_of(chosen);
    } else {
        step->kind = kind;
    }
}

static const char *step_name(struct ScenarioBuild *build, const struct StepFields *fields,
                             const struct StepSpec *step)
{
    if (fields->name != NULL)
        return fields->name;
    const char *verb = fields->kind.variant->name;
    const char *whom = "";
    if (step->between != NULL)
        whom = between_say(step->between, build->arena);
    else if (step->type == STEP_FAILOVER)
        whom = step->role;
    else if (step->type == STEP_SQL)
        whom = step->asked;
    else if (step->type == STEP_WAIT || step->type == STEP_STEADY)
        whom = ((const struct PauseFields *)step->config)->text;
    else if (step->target != NULL)
        whom = text_starts(step->target->name, "step ") ? step->target->role : step->target->name;
    bool said = whom != NULL && whom[0] != '\0';
    return said ? arena_printf(build->arena, "%s %s", verb, whom) : verb;
}

static void make_steps(struct ScenarioBuild *build, const struct List *from)
{
    const struct List placed = scenario_place_steps(build, from);
    const struct PlacedStep *rows = placed.items;
    for (size_t i = 0; i < placed.count; i++) {
        const struct StepFields *fields = rows[i].fields;
        struct StepSpec *step = list_add(&build->scenario->steps, build->arena, sizeof *step);
        const struct Node *hold = node_get(fields->node, "for");
        *(const struct Node **)list_add(&build->step_nodes, build->arena, sizeof(void *)) =
            fields->node;
        step->where = fields->kind.where;
        step->for_where = hold != NULL ? hold->where : step->where;
        step->together = rows[i].together;
        step->timed = fields->at_ns != FIELD_NOT_GIVEN;
        step->at_ns = step->timed ? fields->at_ns : 0;
        step->hold_ns = fields->hold_ns == FIELD_NOT_GIVEN ? -1 : fields->hold_ns;
        step->timeout_ns = fields->timeout_ns;
        step->accept_no_undo = fields->accept_no_undo;
        if (fields->flap != NULL)
            step->flap = *fields->flap;
        step->cuts_link = fields->link == 1;
        step->until = scenario_until(build, fields->until);
        step->when = scenario_until(build, fields->when);
        if (step->when != NULL)
            step->within_ns = fields->within_ns != FIELD_NOT_GIVEN ? fields->within_ns : WITHIN_NS;
        set_kind(build, fields, build->scenario->steps.count - 1, step);
        step->name = step_name(build, fields, step);
        scenario_captures(build, fields, step);
    }
}

/* ---- Probes. ---- */
void probe_spec(const struct ProbeFields *fields, struct ProbeSpec *out)
{
    const struct ProbeKind *kind = fields->kind.variant->kind;
    const unsigned char *config = fields->kind.config;
    *out = (struct ProbeSpec){
        .name = fields->name,
        .kind = kind,
        .config = config,
        .from = fields->from,
        .interval_ns = fields->interval_ns,
        .timeout_ns = fields->timeout_ns,
        .control = fields->control,
        .keep = fields->connection == 1,
        .where = fields->node->where,
    };
    if (kind->needs_role)
        out->role = *(const char *const *)(config + kind->role_offset);
    if (kind->under_offset != 0)
        out->under_ns = *(const int64_t *)(config + kind->under_offset - 1);
    if (out->under_ns < 0)
        out->under_ns = 0;
}

static void make_probes(struct ScenarioBuild *build)
{
    const struct ProbeFields *fields = build->fields.probes.items;
    for (size_t i = 0; i < build->fields.probes.count; i++) {
        const struct Chosen *chosen = &fields[i].kind;
        if (chosen->variant == NULL || fields[i].node == NULL)
            continue;
        struct ProbeSpec *probe = list_add(&build->scenario->probes, build->arena, sizeof *probe);
        probe_spec(&fields[i], probe);
        bool own_hold = fields[i].hold_ns != FIELD_NOT_GIVEN,
             own_gap = fields[i].gap_ns != FIELD_NOT_GIVEN;
        probe->hold_ns = own_hold ? fields[i].hold_ns : build->fields.hold_ns;
        probe->gap_ns = own_gap ? fields[i].gap_ns : build->fields.gap_ns;
    }
}

/* ---- Bounds, in the order of the file. ---- */
static const char *codes_of(const struct List *statuses, struct Arena *arena)
{
    const char *const *codes = statuses->items, *text = NULL;
    for (size_t i = 0; i < statuses->count; i++)
        if (codes[i] != NULL)
            text = text == NULL ? codes[i] : arena_printf(arena, "%s, %s", text, codes[i]);
    return text;
}

static bool take_bound(const struct BoundFields *fields, enum BoundWord word, struct Arena *arena,
                       struct Expectation *out)
{
    if (word == BOUND_MAX_LOST) {
        out->limit = fields->max_lost.value;
        out->limit_is_duration = fields->max_lost.is_duration;
        return fields->max_lost.given;
    }
    if (word == BOUND_MUST_NOTICE) {
        out->limit = 1;
        return fields->must_notice;
    }
    if (word == BOUND_MAX || word == BOUND_MIN || word == BOUND_EQUALS) {
        out->text = word == BOUND_MAX   ? fields->most
                    : word == BOUND_MIN ? fields->least
                                        : fields->equals;
        return out->text != NULL;
    }
    if (word == BOUND_MIN_RATE || word == BOUND_STATUS_ONLY) {
        out->text =
            word == BOUND_MIN_RATE ? fields->least_rate : codes_of(&fields->statuses, arena);
        return out->text != NULL;
    }
    out->limit = fields->limit[word];
    return out->limit != FIELD_NOT_GIVEN;
}

/* The bounds of one probe, or of one phase of it. */
static void make_bounds_of(struct ScenarioBuild *build, const char *probe, enum When when,
                           const struct BoundFields *fields, struct List *out)
{
    const struct Node *node = fields->node;
    bool halts = out == &build->scenario->halts;
    for (size_t k = 0; node != NULL && node->type == NODE_MAP && k < node->count; k++) {
        enum BoundWord word;
        const char *why = NULL;
        struct Expectation bound = {.probe = probe, .when = when, .where = node->items[k]->where};
        if (!bound_find(node->keys[k]->text, &word) || (halts && !bound_may_halt(word)) ||
            (when != WHEN_ALL && !bound_has_phases(word)) ||
            !take_bound(fields, word, build->arena, &bound))
            continue;
        bound.word = word;
        if (bound.text != NULL)
            (void)scenario_limit(build->scenario, &bound, &why); /* said by the check */
        *(struct Expectation *)list_add(out, build->arena, sizeof bound) = bound;
    }
}

static void make_bounds(struct ScenarioBuild *build, const struct List *from, struct List *out)
{
    const struct BoundFields *fields = from->items;
    for (size_t i = 0; i < from->count; i++) {
        const struct BoundFields *const phases[] = {fields[i].before, fields[i].during,
                                                    fields[i].after};
        make_bounds_of(build, fields[i].probe, WHEN_ALL, &fields[i], out);
        for (size_t k = 0; k < COUNT_OF(phases); k++)
            if (phases[k] != NULL)
                make_bounds_of(build, fields[i].probe, (enum When)(WHEN_BEFORE + k), phases[k],
                               out);
    }
}

/* ---- Times. ---- */
static int64_t hold_of(const struct Scenario *scenario, const char *probe_name)
{
    const struct ProbeSpec *probe = scenario_probe(scenario, probe_name);
    return probe != NULL ? probe->hold_ns : scenario->hold_ns;
}

/* LANGUAGE.md rule 9: what the bounds need, where nothing is written. */
static void set_times(struct ScenarioBuild *build)
{
    struct Scenario *scenario = build->scenario;
    const struct Expectation *bounds = scenario->expectations.items;
    int64_t observe = scenario->hold_ns, settle = SETTLE_NS;
    for (size_t i = 0; i < scenario->expectations.count; i++) {
        int64_t needed = bounds[i].limit + hold_of(scenario, bounds[i].probe);
        bool looks_on = bounds[i].word == BOUND_RECOVER_WITHIN ||
                        bounds[i].word == BOUND_FAILOVER_WITHIN ||
                        bounds[i].word == BOUND_DETECTED_WITHIN;
        if (looks_on && needed > observe)
            observe = needed;
        if (bounds[i].word == BOUND_REDUNDANT_WITHIN && needed > settle)
            settle = needed;
    }
    const struct ScenarioFields *fields = &build->fields;
    scenario->observe_ns = fields->observe_ns != FIELD_NOT_GIVEN ? fields->observe_ns : observe;
    scenario->settle_ns = fields->settle_ns != FIELD_NOT_GIVEN ? fields->settle_ns : settle;
}

static void copy_plain(struct ScenarioBuild *build)
{
    const struct ScenarioFields *fields = &build->fields;
    struct Scenario *scenario = build->scenario;
    scenario->name = fields->name;
    scenario->hypothesis = fields->hypothesis;
    scenario->owner = fields->owner;
    scenario->runbook = fields->runbook;
    scenario->schedule = fields->schedule;
    scenario->tags = fields->tags;
    scenario->hold_ns = fields->hold_ns;
    scenario->gap_ns = fields->gap_ns;
    scenario->gate = fields->gate;
    scenario->notify = fields->notify;
    scenario->halt_after_ns = -1;
    if (fields->halt_also != NULL) {
        scenario->halt_any_host_lost = fields->halt_also->any_host_lost;
        if (fields->halt_also->after_ns != FIELD_NOT_GIVEN)
            scenario->halt_after_ns = fields->halt_also->after_ns;
    }
    if (fields->steady != NULL) {
        scenario->steady_ns = fields->steady->for_ns;
        scenario->steady_within_ns = fields->steady->within_ns;
    }
    scenario->cycles = fields->repeat != NULL ? (uint32_t)fields->repeat->times : 1;
    scenario->pause_ns = fields->repeat != NULL ? fields->repeat->pause_ns : 0;
    if (fields->undo != NULL) {
        scenario->lease_ns = fields->undo->lease_ns;
        scenario->grace_ns = fields->undo->grace_ns;
        scenario->undo_within_ns = fields->undo->within_ns;
        scenario->leave_stopped = fields->undo->leave == 1;
        scenario->snapshot_first = fields->undo->snapshot;
    }
}

void scenario_make_values(struct ScenarioBuild *build)
{
    copy_plain(build);
    make_targets(build);
    make_probes(build);
    make_steps(build, &build->fields.steps);
    build->scenario->always = build->scenario->steps.count;
    make_steps(build, &build->fields.always);
    make_bounds(build, &build->fields.expect, &build->scenario->expectations);
    make_bounds(build, &build->fields.halt, &build->scenario->halts);
    set_times(build);
}
