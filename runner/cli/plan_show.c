/* plan_show.c - a plan on one screen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_show.h"

#include <string.h>

#include "../../probes/sql.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "../model/aws_sigv4.h"
#include "../model/inventory.h"

static const char *mark(const struct Drill *drill, bool ok)
{
    if (drill->cli->out.unicode)
        return ok ? "✓" : "✗";
    return ok ? "+" : "x";
}

static void show_head(const struct Drill *drill, int64_t valid_ns, struct Buf *out)
{
    const struct Plan *plan = drill->plan;
    const struct Scenario *scenario = plan->scenario;
    char until[48];
    wall_local((struct Wall){plan->made.ns + valid_ns}, until);
    buf_printf(out, "PLAN  %s  %s  %s    valid until %s, changes nothing\n", scenario->name,
               plan->environment->is_protected ? loud(drill->cli->arena, plan->environment->name)
                                               : plan->environment->name,
               short_id(plan->token.text), until);
    if (scenario->hypothesis != NULL)
        buf_printf(out, "  %s\n", scenario->hypothesis);
    if (scenario->owner != NULL || scenario->runbook != NULL)
        buf_printf(out, "  owner %s    runbook %s\n", scenario->owner ? scenario->owner : "nobody",
                   scenario->runbook ? scenario->runbook : "none");
}

/* As the step leaves it that touches most hosts. */
static struct RadiusInput widest(const struct Drill *drill)
{
    const struct Plan *plan = drill->plan;
    struct RadiusInput input = {
        .environment = plan->environment, .scenario = plan->scenario, .healths = plan->healths};
    for (uint32_t at = 0; at < plan->scenario->steps.count; at++) {
        struct List touched = {0};
        plan_touched(plan, at, drill->cli->arena, &touched);
        if (touched.count > input.touched.count)
            input.touched = touched;
    }
    return input;
}

static void show_touches(const struct Drill *drill, struct Buf *out)
{
    const struct Plan *plan = drill->plan;
    const struct Drawn *drawn = plan->drawn.items;
    struct RadiusInput radius = widest(drill);
    for (size_t at = 0; at < plan->drawn.count; at++) {
        for (size_t host = 0; host < drawn[at].count; host++) {
            const struct Target *target = drawn[at].hosts[host];
            struct Buf others = BUF(400);
            radius_carried(&radius, target, drawn[at].role, &others);
            buf_printf(out, "  Touches   %s (%s): %zu of %zu hosts, %zu of %zu %s", target->name,
                       target->address ? target->address : "?", drawn[at].count,
                       plan->environment->hosts.count, drawn[at].count, drawn[at].role->host_count,
                       drawn[at].role->name);
            if (drawn[at].spec->is != RANK_UNKNOWN)
                buf_printf(out, "     is the %s now; asked again right before\n",
                           drawn[at].spec->is == RANK_PRIMARY ? "primary" : "replica");
            else
                buf_printf(out, "     seed %llu, fixed here\n", (unsigned long long)plan->seed);
            if (others.size > 0)
                buf_printf(out, "            %s also carries: %s\n", target->name, others.text);
            buf_free(&others);
        }
    }
}

static void show_fault(const struct PlannedFault *fault, struct Buf *out)
{
    const struct Procedure *procedure = &fault->procedure;
    char lease[32], cap[32];
    duration_say(procedure->lease_ns, lease);
    duration_say(procedure->cap_ns, cap);
    const struct Edge *edges = fault->edges.items;
    buf_printf(out, "     on %s%s   class %c", fault->target->name,
               fault->chosen            ? ""
               : fault->edges.count > 0 ? " (only if the ranks are so then)"
                                        : " (only if it has that rank then)",
               fault_class_letter(procedure->ends_by));
    bool boots = procedure->strike.count > 0 && !procedure->hangs;
    if (boots)
        buf_printf(out, "   ends by its own boot: %s\n",
                   procedure->undo.count > 0 ? "power that is off is given back, no more"
                                             : "nothing guards it");
    else if (procedure->cuts_link)
        buf_printf(out, "   ends %s after arming, and not before: our link is cut\n", cap);
    else
        buf_printf(out, "   ends %s after this runner is gone, %s after arming at the latest%s\n",
                   lease, cap, procedure->from_here ? ", by a watcher on this machine" : "");
    for (size_t at = 0; at < procedure->strike.count; at++)
        buf_printf(out, "       do     %s\n", procedure->strike.at[at].what);
    for (size_t at = 0; at < fault->edges.count; at++)
        buf_printf(out, "       edge   %s -> %s\n", edges[at].from->name, edges[at].to->name);
    for (size_t at = 0; at < procedure->apply.count; at++)
        buf_printf(out, "       do     %s\n", procedure->apply.at[at].what);
    for (size_t at = 0; at < procedure->undo.count; at++)
        buf_printf(out, "       undo   %s\n", procedure->undo.at[at].what);
    for (size_t at = 0; at < procedure->all_clear.count; at++)
        buf_printf(out, "       clear  %s\n", procedure->all_clear.at[at].what);
    if (procedure->beware != NULL && procedure->beware[0] != '\0')
        buf_printf(out, "       beware %s\n", procedure->beware);
    for (size_t at = 0; at < procedure->returned.count; at++)
        buf_printf(out, "       back   %s\n", procedure->returned.at[at].what);
}

static void show_awaited(const char *word, const struct ProbeSpec *probe, struct Buf *out)
{
    char every[32];
    duration_say(probe->interval_ns, every);
    buf_printf(out, "     %-9s ", word);
    if (probe->kind->say != NULL)
        probe->kind->say(probe->config, out);
    else
        buf_put(out, probe->kind->name);
    buf_printf(out, " is good, asked every %s", every);
}

static void show_until(const struct StepSpec *step, struct Buf *out)
{
    char within[32];
    duration_say(step->within_ns, within);
    if (step->when != NULL) {
        show_awaited("when", step->when, out);
        buf_printf(out, ", within %s\n", within);
    }
    if (step->until != NULL) {
        show_awaited("until", step->until, out);
        buf_char(out, '\n');
    }
}

static void show_figures(const struct StepSpec *step, struct Buf *out)
{
    const struct CaptureSpec *captures = step->captures.items;
    const char *const *clocks = step->measures.items;
    for (size_t at = 0; at < step->captures.count; at++)
        buf_printf(out, "%s%s", at == 0 ? "     captures  " : ", ", captures[at].name);
    for (size_t at = 0; at < step->measures.count; at++)
        buf_printf(out, "%s%s", at == 0 ? "     measures  " : ", ", clocks[at]);
    if (step->captures.count + step->measures.count > 0)
        buf_char(out, '\n');
}

/* Where plain work runs; that of a fault stands beside the fault. */
static void show_work(const struct Plan *plan, const struct StepSpec *step, struct Buf *out)
{
    if (step->type == STEP_SQL)
        buf_printf(out, "     %s\n", ((const struct SqlConfig *)step->config)->query);
    const struct PlainRequest *request = step->request;
    if (request != NULL)
        buf_printf(out, "     this machine sends %s %s, once%s\n", request->method, request->url,
                   text_equal(request->method, "GET") ? "" : "; it is not undone");
    if (request != NULL && request->signing != NULL)
        buf_printf(out, "     signed for %s in %s\n", request->signing->service,
                   request->signing->region);
    if (step->type != STEP_RUN || step->target == NULL)
        return;
    const struct Drawn *drawn = plan_drawn(plan, step->target->name);
    for (size_t at = 0; drawn != NULL && at < drawn->count; at++)
        buf_printf(out, "     on %s%s\n", drawn->hosts[at]->name,
                   step->target->is != RANK_UNKNOWN ? " (or who has that rank then)" : "");
}

static void show_repeat(const struct Scenario *scenario, struct Buf *out)
{
    char pause[32];
    duration_say(scenario->pause_ns, pause);
    if (scenario->cycles < 2)
        return;
    buf_printf(out, "  Repeats   %u cycles, each planned and asked of the gate anew",
               scenario->cycles);
    buf_printf(out, scenario->pause_ns > 0 ? "; %s between them\n" : "\n", pause);
}

/* When it begins, where that is not after the one above it. */
static void show_beside(const struct Scenario *scenario, uint32_t at, struct Buf *out)
{
    const struct StepSpec *steps = scenario->steps.items;
    char time[32];
    duration_say(steps[at].at_ns, time);
    if (steps[at].timed)
        buf_printf(out, "at %s  ", time);
    else if (steps[at].together != 0)
        buf_put(out, at > 0 && steps[at - 1].together == steps[at].together
                         ? "with it, struck together: "
                         : "side by side: ");
}

static void show_steps(const struct Plan *plan, struct Buf *out)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    const struct PlannedFault *faults = plan->faults.items;
    show_repeat(plan->scenario, out);
    for (uint32_t at = 0; at < plan->scenario->steps.count; at++) {
        char hold[32] = "the rest of the drill";
        if (steps[at].hold_ns >= 0)
            duration_say(steps[at].hold_ns, hold);
        if (at == plan->scenario->always)
            buf_put(out, "  Always, after the undo, whatever happened\n");
        buf_printf(out, "  %u  ", at + 1);
        show_beside(plan->scenario, at, out);
        buf_put(out, steps[at].name);
        if (steps[at].kind != NULL)
            buf_printf(out, " for %s: %s\n", hold, steps[at].kind->summary);
        else if (steps[at].type == STEP_FAILOVER)
            buf_put(out, ": planned, nothing to undo\n");
        else if (steps[at].type == STEP_NOTE || steps[at].type == STEP_ASK)
            buf_printf(out, ": %s\n", steps[at].said);
        else
            buf_put(out, "\n");
        show_work(plan, &steps[at], out);
        show_until(&steps[at], out);
        show_figures(&steps[at], out);
        for (size_t row = 0; row < plan->faults.count; row++)
            if (faults[row].step_index == at && faults[row].step->kind != NULL)
                show_fault(&faults[row], out);
    }
    buf_put(out, "     by hand on a host: sudo sh /run/faildrill/undo\n");
}

/* Whom others hear it from, and what they do not hear. */
static void show_told(const struct Drill *drill, struct Buf *out)
{
    const struct NotifyTo *to = drill->notify.items;
    const struct SilenceFields *silence = drill->plan->environment->silence;
    for (size_t at = 0; at < drill->notify.count; at++)
        buf_printf(out, "%s%s", at == 0 ? "  Tells     " : ", ", to[at].name);
    if (drill->notify.count > 0)
        buf_char(out, '\n');
    if (silence == NULL)
        return;
    const char *const *matchers = silence->matchers.items;
    buf_put(out, "  Silences  ");
    for (size_t at = 0; at < silence->matchers.count; at++)
        buf_printf(out, "%s%s", at == 0 ? "" : ", ", matchers[at]);
    buf_printf(out, "   by %s, from before the first fault to the end\n", silence->alertmanager);
}

static void show_values(const char *ns, const struct List *pairs, struct Buf *out)
{
    const struct TextPair *pair = pairs->items;
    for (size_t at = 0; at < pairs->count; at++)
        buf_printf(out, "  ${%s.%s} is %s\n", ns, pair[at].name, pair[at].value);
}

static void show_inventory(const struct Environment *environment, struct Buf *out)
{
    const struct InventoryGroup *groups = environment->groups.items;
    for (size_t at = 0; at < environment->groups.count; at++) {
        buf_put(out, "  inventory ");
        inventory_group_say(&groups[at], out);
        buf_char(out, '\n');
    }
}

/* Beside the files. */
static void show_gate(const struct Drill *drill, struct Buf *out)
{
    const char *const *gates = drill->gates.items;
    const struct GateOverride *row = drill->plan->environment->overrides.items;
    for (size_t at = 0; at < drill->gates.count; at++)
        buf_printf(out, "  --gate %s\n", gates[at]);
    for (size_t at = 0; at < drill->plan->environment->overrides.count; at++)
        buf_printf(out, "  OVERRIDDEN %s\n", override_say(&row[at], drill->cli->arena));
}

void plan_show_whole(const struct Drill *drill, struct Buf *out)
{
    const struct Plan *plan = drill->plan;
    const struct ParamSpec *params = plan->scenario->params.items;
    const struct Document *text = drill->loaded.scenario_document;
    show_steps(plan, out);
    for (size_t at = 0; at < plan->scenario->params.count; at++)
        buf_printf(out, "  ${param.%s} is %s\n", params[at].name, params[at].value);
    show_gate(drill, out);
    show_inventory(plan->environment, out);
    show_values("env", &plan->environment->vars, out);
    show_values("endpoint", &plan->environment->endpoints, out);
    buf_put(out, "  the scenario, every script, request and probe of it:\n");
    buf_add(out, text->text, text->size);
    if (text->size > 0 && text->text[text->size - 1] != '\n')
        buf_char(out, '\n');
}

static void show_probes(const struct Plan *plan, struct Buf *out)
{
    const struct BoundProbe *probes = plan->probes.items;
    for (size_t at = 0; at < plan->probes.count; at++) {
        const struct ProbeSpec *spec = probes[at].spec;
        char every[32];
        duration_say(spec->interval_ns, every);
        struct Buf asks = BUF(300);
        if (spec->kind->say != NULL)
            spec->kind->say(spec->config, &asks);
        buf_printf(out, "  %-9s %s  %s%s%s every %s\n", at == 0 ? "Measures" : "", spec->name,
                   asks.text, probes[at].from ? " from " : "",
                   probes[at].from ? probes[at].from->name : "", every);
        buf_free(&asks);
    }
}

static void show_rules(const struct Drill *drill, const struct List *rules, struct Buf *out)
{
    const struct GateRule *rule = rules->items;
    for (size_t at = 0; at < rules->count; at++)
        buf_printf(out, "  %s %-12s %s\n", mark(drill, rule[at].holds), rule[at].name,
                   rule[at].sentence);
    const struct Obstacle *rows = drill->plan->obstacles.items;
    for (size_t at = 0; at < drill->plan->obstacles.count; at++) {
        buf_printf(out, "  %s %-12s %s\n", mark(drill, false),
                   err_status(rows[at].code) == 4 ? "refused" : "not ready", rows[at].text);
        if (rows[at].help != NULL && rows[at].help[0] != '\0')
            buf_printf(out, "    = help: %s\n", rows[at].help);
    }
}

/* Whose first host it is does not stand in any file. */
static void show_lock(const struct Environment *environment, struct Buf *out)
{
    if (environment->groups.count > 0 && environment->lock_host != NULL)
        buf_printf(out, "  Locks     %s first, as each runner here does\n", environment->lock_host);
}

void plan_show(const struct Drill *drill, const struct List *rules, int64_t valid_ns,
               struct Buf *out)
{
    const struct Plan *plan = drill->plan;
    show_head(drill, valid_ns, out);
    show_touches(drill, out);
    show_lock(plan->environment, out);
    show_steps(plan, out);
    show_probes(plan, out);
    show_told(drill, out);
    plan_show_foresight(plan, out);
    show_rules(drill, rules, out);
    buf_printf(out, "  bytes     sha256:%s\n", plan->bytes_hash);
    if (drill->cli->verbose) {
        buf_put(out, "\n");
        plan_bytes(plan, drill->who, out);
    }
    buf_printf(out, "Next: faildrill run %s%s\n", short_id(plan->token.text),
               plan->environment->is_protected
                   ? arena_printf(drill->cli->arena, " --confirm %s", plan->environment->name)
                   : "");
}
