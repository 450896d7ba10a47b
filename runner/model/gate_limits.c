/* gate_limits.c - the rules of the gate about whom a plan touches, with what and for how long. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/duration.h"
#include "../base/text.h"
#include <string.h>

#define SHARE_WHOLE 1000000

enum { SENTENCE_MOST = 300 };

static const char *sentence_of(struct Buf *text, struct Arena *arena)
{
    const char *sentence = arena_text(arena, text->text);
    buf_free(text);
    return sentence;
}

bool gate_lists(const struct List *words, const char *word)
{
    const char *const *rows = words->items;
    for (size_t at = 0; at < words->count; at++)
        if (text_equal(rows[at], word))
            return true;
    return false;
}

/* ---- forbid ---- */

static bool acts_on_hosts(const struct PlannedFault *fault)
{
    return fault->step->kind == NULL && fault->role != NULL && fault->role->system != NULL &&
           fault->role->system->acts_on_hosts;
}

/* The first thing that this fault has and the gate forbids, or NULL. */
static const char *forbidden(const struct Environment *environment,
                             const struct PlannedFault *fault, struct Arena *arena)
{
    const struct GateLimits *limits = &environment->limits;
    const char *verb = fault->step->kind != NULL ? fault->step->kind->name : "failover";
    char class[2] = {fault_class_letter(fault->procedure.ends_by), '\0'};
    if (gate_lists(&limits->forbidden_faults, verb))
        return arena_printf(arena, "%s is forbidden here", verb);
    if (fault->step->kind != NULL && gate_lists(&limits->forbidden_classes, class))
        return arena_printf(arena, "class %s is forbidden here: %s on %s", class, verb,
                            fault->target->name);
    if (machine_forbidden(environment, fault->target))
        return arena_printf(arena, "host %s is forbidden here", fault->target->name);
    for (size_t at = 0; acts_on_hosts(fault) && at < fault->role->host_count; at++)
        if (machine_forbidden(environment, fault->role->hosts[at]))
            return arena_printf(arena, "host %s is forbidden here, and %s may act on it",
                                fault->role->hosts[at]->name, verb);
    return NULL;
}

/* A statement for a role goes to whoever leads it by then. */
static const char *statement_forbidden(const struct Plan *plan, const struct StepSpec *step,
                                       struct Arena *arena)
{
    const struct Role *role = environment_role(plan->environment, step->asked);
    for (size_t at = 0; role != NULL && at < role->host_count; at++)
        if (machine_forbidden(plan->environment, role->hosts[at]))
            return arena_printf(arena, "host %s is forbidden here, and sql may be sent to it",
                                role->hosts[at]->name);
    return NULL;
}

static bool is_for_role(const struct StepSpec *step)
{
    return step->type == STEP_SQL && step->asked != NULL;
}

static bool check_forbid(const struct Plan *plan, struct Arena *arena, struct List *rules)
{
    const struct GateLimits *limits = &plan->environment->limits;
    const struct PlannedFault *faults = plan->faults.items;
    const struct StepSpec *steps = plan->scenario->steps.items;
    const char *why = NULL;
    if (limits->forbidden_hosts.count + limits->forbidden_faults.count +
            limits->forbidden_classes.count ==
        0)
        return true;
    for (size_t at = 0; at < plan->faults.count && why == NULL; at++)
        why = forbidden(plan->environment, &faults[at], arena);
    for (size_t at = 0; at < plan->scenario->steps.count && why == NULL; at++)
        if (is_for_role(&steps[at]))
            why = statement_forbidden(plan, &steps[at], arena);
        else if (steps[at].request != NULL &&
                 gate_lists(&limits->forbidden_faults, step_verb(&steps[at])))
            why = arena_printf(arena, "%s is forbidden here", step_verb(&steps[at]));
    if (why == NULL)
        why = gate_command_forbidden(plan, arena);
    gate_add_rule(rules, arena, "forbid", why == NULL,
                  why != NULL ? why : "nothing of it is in the plan");
    return why == NULL;
}

/* ---- longest_fault ---- */

int64_t scenario_longest_ns(const struct Scenario *scenario)
{
    const struct StepSpec *steps = scenario->steps.items;
    int64_t longest = 0;
    for (size_t at = 0; at < scenario->steps.count; at++) {
        if (steps[at].kind == NULL)
            continue;
        int64_t planned = step_planned_ns(scenario, at) + scenario->grace_ns;
        longest = planned > longest ? planned : longest;
    }
    return longest;
}

static bool check_longest(const struct Plan *plan, struct Arena *arena, struct List *rules)
{
    int64_t limit = plan->environment->limits.longest_ns;
    const struct PlannedFault *faults = plan->faults.items, *longest = NULL;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (faults[at].step->kind != NULL &&
            (longest == NULL || faults[at].procedure.cap_ns > longest->procedure.cap_ns))
            longest = &faults[at];
    if (limit == 0 || longest == NULL)
        return true;
    char cap[32], most[32];
    duration_say(longest->procedure.cap_ns, cap);
    duration_say(limit, most);
    bool holds = longest->procedure.cap_ns <= limit;
    gate_add_rule(rules, arena, "longest_fault", holds,
                  arena_printf(arena, "%s lasts %s with its grace, at most %s",
                               longest->step->kind->name, cap, most));
    return holds;
}

/* ---- node_opt_in ---- */

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; at != NULL && (at = strstr(at, word)) != NULL; at += size)
        if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

/* Why the host's own file does not allow something of this kind, that lasts so long, or NULL. */
static const char *not_allowed(const struct Plan *plan, const struct Target *host, const char *kind,
                               int64_t lasts_ns, struct Arena *arena)
{
    const struct HostFacts *facts = plan_facts(plan, host);
    const char *name = host->name;
    char cap[32], most[32];
    if (facts == NULL || facts->no_allow != NULL)
        return arena_printf(arena, "%s: %s", name,
                            facts == NULL ? "it was not asked" : facts->no_allow);
    if (!has_word(facts->allow_environments, plan->environment->name))
        return arena_printf(arena, "%s: its file is not for environment %s", name,
                            plan->environment->name);
    if (!has_word(facts->allow_kinds, kind))
        return arena_printf(arena, "%s: its file does not allow %s", name, kind);
    if (lasts_ns <= facts->allow_longest_ns)
        return NULL;
    duration_say(lasts_ns, cap);
    duration_say(facts->allow_longest_ns, most);
    return arena_printf(arena, "%s: %s lasts %s with its grace, its file allows %s", name, kind,
                        cap, most);
}

/* Plain work is a command of ours too, though it breaks nothing and has no length: the word `run`.
 * By `is:` any host of the role may be meant. */
static const char *work_not_allowed(const struct Plan *plan, const struct StepSpec *step,
                                    struct Arena *arena)
{
    const struct Drawn *rows = plan->drawn.items, *drawn = NULL;
    const char *why = NULL;
    for (size_t at = 0; at < plan->drawn.count; at++)
        if (text_equal(rows[at].spec->name, step->target->name))
            drawn = &rows[at];
    if (drawn == NULL)
        return arena_printf(arena, "nobody knows where `%s` is to run", step->name);
    bool any = step->target->is != RANK_UNKNOWN;
    size_t count = any ? drawn->role->host_count : drawn->count;
    for (size_t at = 0; at < count && why == NULL; at++) {
        const struct Target *host = any ? drawn->role->hosts[at] : drawn->hosts[at];
        bool elsewhere = step->target->zone != NULL && !text_equal(step->target->zone, host->zone);
        if (!elsewhere && !machine_forbidden(plan->environment, host))
            why = not_allowed(plan, host, "run", 0, arena);
    }
    return why;
}

static const char *statement_not_allowed(const struct Plan *plan, const struct StepSpec *step,
                                         struct Arena *arena)
{
    const struct Role *role = environment_role(plan->environment, step->asked);
    const char *why = NULL;
    for (size_t at = 0; role != NULL && at < role->host_count && why == NULL; at++)
        why = not_allowed(plan, role->hosts[at], "sql", 0, arena);
    return why;
}

static bool check_opt_in(const struct Plan *plan, struct Arena *arena, struct List *rules)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct StepSpec *steps = plan->scenario->steps.items;
    if (!plan->environment->node_opt_in)
        return true;
    const char *why = gate_command_closed(plan, arena);
    for (size_t at = 0; at < plan->scenario->steps.count && why == NULL; at++)
        if (steps[at].type == STEP_RUN)
            why = work_not_allowed(plan, &steps[at], arena);
        else if (is_for_role(&steps[at]))
            why = statement_not_allowed(plan, &steps[at], arena);
        else if (step_is_signed(&steps[at]))
            why = "a request that is signed for AWS is sent by this machine, which no host's file "
                  "can allow";
    for (size_t at = 0; at < plan->faults.count && why == NULL; at++)
        if (faults[at].step->kind != NULL)
            why = not_allowed(plan, faults[at].target, faults[at].step->kind->name,
                              faults[at].procedure.cap_ns, arena);
        else if (acts_on_hosts(&faults[at]))
            why = arena_printf(arena,
                               "failover of role %s is a command on its hosts, which no host's "
                               "file can allow",
                               faults[at].role->name);
    gate_add_rule(rules, arena, "node_opt_in", why == NULL,
                  why != NULL ? why : "every host that may be chosen allows it");
    return why == NULL;
}

/* ---- blast_radius ---- */

static void put_roles(const struct Radius *radius, struct Buf *out)
{
    const struct RoleLeft *roles = radius->roles.items;
    for (size_t at = 0; at < radius->roles.count; at++)
        buf_printf(out, "%s%zu of %zu %s", at > 0 ? ", " : "", roles[at].touched,
                   roles[at].role->host_count, roles[at].role->name);
}

static bool check_hosts(const struct GateLimits *limits, const struct Radius *radius)
{
    return limits->hosts == 0 || radius->machines <= (size_t)limits->hosts;
}

/* The first role of which more would be touched than the share, or NULL. */
static const struct RoleLeft *role_over(const struct GateLimits *limits,
                                        const struct Radius *radius)
{
    const struct RoleLeft *roles = radius->roles.items;
    for (size_t at = 0; limits->of_role > 0 && at < radius->roles.count; at++)
        if ((int64_t)roles[at].touched * SHARE_WHOLE >
            limits->of_role * (int64_t)roles[at].role->host_count)
            return &roles[at];
    return NULL;
}

static bool check_blast_radius(const struct RadiusInput *input, const struct Radius *radius,
                               struct Arena *arena, struct List *rules)
{
    const struct GateLimits *limits = &input->environment->limits;
    if (limits->hosts == 0 && limits->of_role == 0)
        return true;
    char share[16];
    struct Buf text = BUF(SENTENCE_MOST);
    const struct RoleLeft *over = role_over(limits, radius);
    bool few = check_hosts(limits, radius);
    share_say(limits->of_role, share);
    if (!few)
        buf_printf(&text, "%zu machines at once, at most %lld: ", radius->machines,
                   (long long)limits->hosts);
    else if (over != NULL)
        buf_printf(&text, "%zu of %zu %s at once, at most %s of a role", over->touched,
                   over->role->host_count, over->role->name, share);
    else
        buf_printf(&text, "%zu machine%s at once: ", radius->machines,
                   radius->machines == 1 ? "" : "s");
    if (!few || over == NULL)
        put_roles(radius, &text);
    gate_add_rule(rules, arena, "blast_radius", few && over == NULL, sentence_of(&text, arena));
    return few && over == NULL;
}

/* ---- keep_healthy ---- */

static int64_t kept_of(const struct RadiusInput *input, const struct Role *role)
{
    const struct KeepHealthy *keep = input->environment->limits.keep.items;
    for (size_t at = 0; at < input->environment->limits.keep.count; at++)
        if (text_equal(keep[at].role, role->name))
            return keep[at].count;
    return scenario_spends(input->scenario, role) ? 0 : 1;
}

/* Where the environment names a role it is kept, whether a fault touches it or not. */
static void roles_kept(const struct RadiusInput *input, const struct Radius *radius,
                       struct Arena *arena, struct List *out)
{
    const struct KeepHealthy *keep = input->environment->limits.keep.items;
    const struct RoleLeft *rows = radius->roles.items;
    for (size_t at = 0; at < radius->roles.count; at++)
        *(struct RoleLeft *)list_add(out, arena, sizeof *rows) = rows[at];
    for (size_t at = 0; at < input->environment->limits.keep.count; at++) {
        const struct Role *role = environment_role(input->environment, keep[at].role);
        bool known = false;
        for (size_t k = 0; k < radius->roles.count; k++)
            known = known || rows[k].role == role;
        if (!known)
            *(struct RoleLeft *)list_add(out, arena, sizeof *rows) = radius_role(input, role);
    }
}

static void say_too_few(const struct RoleLeft *row, int64_t wanted, struct Buf *out)
{
    buf_clear(out);
    buf_printf(out, "%zu of %zu %s would be left, at least %lld", row->left, row->role->host_count,
               row->role->name, (long long)wanted);
    if (row->doubt != NULL)
        buf_printf(out, " (%s %s)", row->doubt->name,
                   row->doubted == KNOWN_NO ? "does not serve" : "does not answer");
}

static bool check_keep(const struct RadiusInput *input, const struct Radius *radius,
                       struct Arena *arena, struct List *rules)
{
    struct List roles = {.items = NULL};
    struct Buf text = BUF(SENTENCE_MOST);
    bool holds = true;
    roles_kept(input, radius, arena, &roles);
    const struct RoleLeft *rows = roles.items;
    for (size_t at = 0; at < roles.count && holds; at++) {
        int64_t wanted = kept_of(input, rows[at].role);
        holds = rows[at].left >= (size_t)wanted;
        if (!holds)
            say_too_few(&rows[at], wanted, &text);
        else
            buf_printf(&text, "%s%zu of %zu %s", at > 0 ? ", " : "left: ", rows[at].left,
                       rows[at].role->host_count, rows[at].role->name);
    }
    if (roles.count > 0)
        gate_add_rule(rules, arena, "keep_healthy", holds, sentence_of(&text, arena));
    buf_free(&text);
    return holds;
}

bool gate_radius(const struct RadiusInput *input, struct Arena *arena, struct List *rules)
{
    struct Radius radius;
    radius_measure(input, arena, &radius);
    bool narrow = check_blast_radius(input, &radius, arena, rules);
    bool kept = check_keep(input, &radius, arena, rules);
    return narrow && kept;
}

/* ---- All of a plan. ---- */

/* The rules of the step that breaks one, else of the one that touches most. */
static bool check_steps(const struct Plan *plan, struct Arena *arena, struct List *rules)
{
    struct List widest = {.items = NULL};
    size_t most = 0;
    bool holds = true;
    for (uint32_t at = 0; at < plan->scenario->steps.count && holds; at++) {
        struct RadiusInput input = {
            .environment = plan->environment, .scenario = plan->scenario, .healths = plan->healths};
        struct List found = {.items = NULL};
        plan_touched(plan, at, arena, &input.touched);
        if (input.touched.count == 0)
            continue;
        holds = gate_radius(&input, arena, &found);
        if (!holds || input.touched.count > most)
            widest = found;
        most = input.touched.count > most ? input.touched.count : most;
    }
    const struct GateRule *rows = widest.items;
    for (size_t at = 0; at < widest.count; at++)
        gate_add_rule(rules, arena, rows[at].name, rows[at].holds, rows[at].sentence);
    return holds;
}

bool gate_check_plan(const struct Plan *plan, struct Arena *arena, struct List *rules)
{
    bool allowed = check_forbid(plan, arena, rules);
    bool short_enough = check_longest(plan, arena, rules);
    bool opted_in = check_opt_in(plan, arena, rules);
    bool narrow = check_steps(plan, arena, rules);
    return allowed && short_enough && opted_in && narrow;
}
