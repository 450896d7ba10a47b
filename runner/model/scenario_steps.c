/* scenario_steps.c - rules between the values of steps. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "file_rules.h"
#include "node_edit.h"
#include "plan.h"
#include <inttypes.h>
#include <string.h>

const struct Node *scenario_step_node(const struct ScenarioBuild *build, size_t index)
{
    return ((const struct Node *const *)build->step_nodes.items)[index];
}

static const struct Role *role_of(const struct ScenarioBuild *build,
                                  const struct TargetSpec *target)
{
    const struct Environment *environment = build->input->environment;
    return environment != NULL && target != NULL ? environment_role(environment, target->role)
                                                 : NULL;
}

/* A restart that is done `every` so often lasts as long as it is held. */
static int64_t step_every_ns(const struct StepSpec *step)
{
    const struct Field *field =
        step->kind != NULL ? record_field(&step->kind->config, "every") : NULL;
    if (field == NULL || field->type != FIELD_DURATION)
        return 0;
    return *(const int64_t *)((const unsigned char *)step->config + field->offset);
}

/* ---- How a step ends. ---- */
static void check_for(struct ScenarioBuild *build, const struct StepSpec *step)
{
    int64_t every_ns = step_every_ns(step);
    bool ends_itself =
        step->kind == NULL || (step->kind->reversal == REVERSAL_SELF && every_ns == 0);
    if (step->hold_ns >= 0 && ends_itself)
        err_hint(scenario_say(build, ERR_RULE, step->for_where,
                              "`%s` ends by itself: `for` has no meaning here", step->name),
                 "take `for` away; `observe` says how long to look afterwards");
    if (step->hold_ns >= 0 && step->hold_ns <= every_ns) {
        char has[32], every[32];
        duration_write(step->hold_ns, has);
        duration_write(every_ns, every);
        err_hint(scenario_say(build, ERR_RULE, step->for_where,
                              "`for: %s` ends before the second one comes", has),
                 "the next is due %s after the first: take more", every);
    }
    bool cannot = step->kind != NULL && step->kind->reversal == REVERSAL_NONE;
    if (cannot && !step->accept_no_undo)
        err_hint(
            scenario_say(build, ERR_NO_UNDO, step->where, "nothing can put `%s` back", step->name),
            "if that is meant, say accept_no_undo: true");
    if (!cannot && step->accept_no_undo)
        scenario_say(build, ERR_RULE, step->where, "`%s` has an undo: there is nothing to accept",
                     step->name);
}

/* DESIGN.md 11.3: what the undo mends cannot be judged as recovery. */
static void check_outlasts(struct ScenarioBuild *build, const struct StepSpec *step)
{
    const struct Scenario *scenario = build->scenario;
    const struct Expectation *bounds = scenario->expectations.items;
    if (step->kind == NULL || step->hold_ns < 0)
        return;
    const struct Expectation *longest = NULL;
    int64_t needed = 0;
    for (size_t i = 0; i < scenario->expectations.count; i++) {
        const struct ProbeSpec *probe = scenario_probe(scenario, bounds[i].probe);
        if (bounds[i].word != BOUND_RECOVER_WITHIN || probe == NULL ||
            bounds[i].limit + probe->hold_ns <= needed)
            continue;
        needed = bounds[i].limit + probe->hold_ns;
        longest = &bounds[i];
    }
    if (longest == NULL || step->hold_ns >= needed)
        return;
    char has[32], limit[32], hold[32], sum[32];
    duration_write(step->hold_ns, has);
    duration_write(longest->limit, limit);
    duration_write(needed - longest->limit, hold);
    duration_write(needed, sum);
    struct Err *err =
        scenario_say(build, ERR_RULE, step->for_where,
                     "`for: %s` is too short to see a recovery within %s", has, limit);
    err_at(err, "%s at least", sum);
    err_note(err, "%s.recover_within %s, and hold %s", longest->probe, limit, hold);
    err_hint(err, "what the undo mends cannot be judged as recovery");
}

static void check_flap(struct ScenarioBuild *build, const struct StepSpec *step, size_t index)
{
    const struct Node *flap = node_key(scenario_step_node(build, index), "flap");
    if (flap == NULL)
        return;
    if (step->kind == NULL || !step->kind->may_cut_link) {
        err_hint(scenario_say(build, ERR_RULE, flap->where, "`%s` cannot come and go", step->name),
                 "faults of the network can: isolate, cut, loss, rate_limit, delay, dns_cut");
        return;
    }
    int64_t round = step->flap.bad_ns + step->flap.good_ns;
    if (step->hold_ns < 0 || step->hold_ns > round)
        return;
    char has[32], needed[32];
    duration_write(step->hold_ns, has);
    duration_write(round, needed);
    err_hint(scenario_say(build, ERR_RULE, step->for_where,
                          "`for: %s` ends before it is bad a second time", has),
             "one round of its `flap` is %s: take more", needed);
}

/* What measures through our ssh would measure that. */
static void check_link(struct ScenarioBuild *build, const struct StepSpec *step, size_t index)
{
    const struct Node *link = node_key(scenario_step_node(build, index), "link");
    const struct ProbeSpec *probes = build->scenario->probes.items;
    if (link == NULL || !step->cuts_link)
        return;
    if (step->kind == NULL || !step->kind->may_cut_link)
        err_hint(scenario_say(build, ERR_RULE, link->where, "`%s` cannot cut our link", step->name),
                 "faults of the network can: isolate, cut, loss, rate_limit, delay, dns_cut");
    for (size_t i = 0; i < build->scenario->probes.count; i++) {
        const struct TargetSpec *from = scenario_target(build->scenario, probes[i].from);
        if (from != NULL && step_meets_role(step, build->scenario, from->role))
            err_hint(scenario_say(build, ERR_RULE, link->where,
                                  "probe `%s` measures through the link that `%s` cuts",
                                  probes[i].name, step->name),
                     "take `link: cut` away, or `from:`");
    }
}

/* ---- Whom a step meets. ---- */
static void check_pick(struct ScenarioBuild *build, const struct StepSpec *step,
                       const struct Role *role)
{
    const struct TargetSpec *target = step->target;
    const struct Node *named = node_get(node_get(build->root, "targets"), target->name);
    const struct Node *pick = node_get(named, "pick");
    struct Where where = step->whom_where;
    if (named != NULL)
        where = pick != NULL ? pick->where : target->where;
    size_t n = role->host_count, wanted = pick_count(&target->pick, n);
    if (role_is_open(role))
        return; /* they are found later, and this is looked at again */
    if (wanted == 0)
        err_hint(scenario_say(build, ERR_RULE, where, "a share of %zu host%s that means nobody", n,
                              n == 1 ? "" : "s"),
                 "shares are rounded down: take more, or a number");
    else if (wanted > n)
        err_note(scenario_say(build, ERR_RULE, where, "%zu host%s picked, role `%s` has %zu",
                              wanted, wanted == 1 ? " is" : "s are", role->name, n),
                 "defined in %s:%u", build->input->environment->path, role->where.line);
}

/* A step may name a service of its own: `kill: victim` with `unit:` or `process:`. */
static const char *service_named(const struct StepSpec *step, const char *key)
{
    const struct Field *field = step->kind != NULL ? record_field(&step->kind->config, key) : NULL;
    if (field == NULL || field->type != FIELD_TEXT || !step->kind->needs_service)
        return NULL;
    return *(const char *const *)((const unsigned char *)step->config + field->offset);
}

const char *step_unit(const struct StepSpec *step)
{
    return service_named(step, "unit");
}

const char *step_process(const struct StepSpec *step)
{
    return service_named(step, "process");
}

bool step_names_service(const struct StepSpec *step)
{
    return step_unit(step) != NULL || step_process(step) != NULL;
}

const char *step_verb(const struct StepSpec *step)
{
    if (step->kind != NULL)
        return step->kind->name;
    return step->type == STEP_FAILOVER ? "failover" : step->request != NULL ? "http" : NULL;
}

bool step_is_signed(const struct StepSpec *step)
{
    return step->request != NULL && step->request->signing != NULL;
}

bool step_breaks(const struct StepSpec *step)
{
    return step->type == STEP_FAULT || step->type == STEP_FAILOVER || step_is_signed(step);
}

static void check_target(struct ScenarioBuild *build, const struct StepSpec *step)
{
    bool on_hosts = step->type == STEP_FAULT || step->type == STEP_RUN;
    if (step->between != NULL || (!on_hosts && step->type != STEP_FAILOVER))
        return;
    if (step->target == NULL && on_hosts) {
        err_hint(scenario_say(build, ERR_REQUIRED, step->where, "`%s` does not say on which host",
                              step->name),
                 "target: NAME, or target: {role: ROLE, pick: 1}");
        return;
    }
    const struct Role *role = role_of(build, step->target);
    if (role == NULL)
        return;
    check_pick(build, step, role);
    if (step->kind == NULL || !step->kind->needs_service || role_is_run(role) ||
        step_names_service(step))
        return;
    struct Err *err = scenario_say(build, ERR_RULE, step->where,
                                   "`%s` cannot: the environment does not say how role `%s` is run",
                                   step->name, role->name);
    err_hint(err, "say it there: unit: NAME.service, or service: {pidfile, start, stop}");
    err_note(err, "defined in %s:%u", build->input->environment->path, role->where.line);
}

static void check_power(struct ScenarioBuild *build, const struct StepSpec *step)
{
    const struct Role *role = role_of(build, step->target);
    if (role == NULL || step->kind == NULL || !step->kind->needs_power)
        return;
    for (size_t i = 0; i < role->host_count; i++) {
        if (role->hosts[i]->power != NULL)
            continue;
        struct Err *err = scenario_say(build, ERR_NO_UNDO, step->where,
                                       "nobody can give `%s` its power back", role->hosts[i]->name);
        err_hint(err, "say how in the environment, of the host, its role or all: power: {down, up, "
                      "status}");
        err_note(err, "defined in %s:%u", build->input->environment->path,
                 role->hosts[i]->where.line);
        return;
    }
}

/* ---- run. ---- */
struct Secrets {
    struct ScenarioBuild *build;
};

static void look_for_secret(void *data, const struct Node *scalar)
{
    struct Secrets *secrets = data;
    if (strstr(scalar->text, "${secret.") != NULL)
        err_hint(scenario_say(secrets->build, ERR_REFERENCE, scalar->where,
                              "a fault's commands hold no secret: they are printed and stored"),
                 "let the host read it from a file of its own");
}

static void check_run(struct ScenarioBuild *build, const struct StepSpec *step, size_t index)
{
    const struct Node *node = scenario_step_node(build, index);
    const struct Node *undo = node_get(node, "undo"), *proof = node_get(node, "proof");
    bool is_run_fault = step->kind != NULL && text_equal(step->kind->name, "run");
    if (step->type == STEP_RUN && (undo != NULL || proof != NULL))
        err_hint(scenario_say(build, ERR_RULE, undo != NULL ? undo->where : proof->where,
                              "plain work has no undo and no proof"),
                 "if it breaks something, say fault: true");
    if (is_run_fault && (undo == NULL || proof == NULL))
        err_hint(scenario_say(build, ERR_NO_UNDO, step->where,
                              "a `run` with fault: true needs `%s`",
                              undo == NULL ? "undo" : "proof"),
                 "undo: the command that puts it back; proof: one that succeeds only while it is "
                 "broken");
    bool alone = true;
    if (step->request != NULL || step->type == STEP_SQL)
        secret_stands_alone(node, build->problems, &alone);
    if (step->kind != NULL)
        node_each_scalar(node, look_for_secret, &(struct Secrets){build});
}

/* What comes after the undo and the verdict's figures breaks nothing, asks nobody, is not judged.
 */
static void check_always(struct ScenarioBuild *build, const struct StepSpec *step, size_t index)
{
    static const char *const WORDS[] = {"capture", "measure"};
    bool plain = step->type == STEP_RUN || step->type == STEP_REQUEST || step->type == STEP_SQL ||
                 step->type == STEP_NOTE || step->type == STEP_WAIT;
    if (index < build->scenario->always)
        return;
    if (!plain)
        err_hint(scenario_say(build, ERR_RULE, step->where, "`%s` cannot stand under `always`",
                              step->name),
                 "it comes after the undo and puts in order what plain work left: run, http, sql, "
                 "note, or wait for a time");
    for (size_t i = 0; plain && i < COUNT_OF(WORDS); i++) {
        const struct Node *key = node_key(scenario_step_node(build, index), WORDS[i]);
        if (key != NULL)
            scenario_say(build, ERR_RULE, key->where,
                         "`%s` has no meaning under `always`: nothing there is judged", WORDS[i]);
    }
}

void scenario_check_steps(struct ScenarioBuild *build)
{
    const struct Scenario *scenario = build->scenario;
    const struct StepSpec *steps = scenario->steps.items;
    bool breaks = false;
    for (size_t i = 0; i < scenario->steps.count; i++) {
        breaks = breaks || step_breaks(&steps[i]);
        check_for(build, &steps[i]);
        check_outlasts(build, &steps[i]);
        check_flap(build, &steps[i], i);
        check_link(build, &steps[i], i);
        check_target(build, &steps[i]);
        check_power(build, &steps[i]);
        check_run(build, &steps[i], i);
        check_always(build, &steps[i], i);
        scenario_check_until(build, &steps[i], i);
    }
    scenario_check_together(build);
    const struct Environment *environment = build->input->environment;
    if (environment == NULL || !environment->is_protected || !breaks || scenario->halts.count > 0)
        return;
    err_hint(scenario_say(build, ERR_RULE, node_key(build->root, "steps")->where,
                          "`%s` is protected: a drill without `halt` does not run there",
                          environment->name),
             "halt: {PROBE: {max_outage: 60s}} stops and undoes at once");
}
