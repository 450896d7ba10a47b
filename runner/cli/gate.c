/* gate.c - the gate as plan and run ask it: what is known here first, others last. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <stdlib.h>

#include "../base/text.h"
#include "../engine/freeze.h"
#include "../engine/only_if.h"
#include "../model/redact.h"
#include "approval.h"
#include "repeat.h"

/* The first rule that does not hold. */
static bool refusal(const struct List *rules, struct Err *err)
{
    const struct GateRule *rule = rules->items;
    for (size_t at = 0; at < rules->count; at++)
        if (!rule[at].holds)
            return err_set(err, ERR_REFUSED, NOWHERE, "%s: %s", rule[at].name, rule[at].sentence);
    return err_set(err, ERR_REFUSED, NOWHERE, "the gate says no");
}

/* Runs that broke something, of the last 26 hours: no day is longer. */
static bool recent_runs(struct Drill *drill, struct List *out, struct Err *err)
{
    const struct Environment *environment = drill->loaded.environment;
    struct List rows = {0};
    struct History of = {.environment = environment->name,
                         .since = {wall_now().ns - 26 * 3600 * NS_PER_S}};
    if (environment->limits.per_day == 0)
        return true;
    if (!store_runs(drill->store, &of, drill->cli->arena, &rows, err))
        return false;
    const struct RunRow *runs = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        if (!runs[at].finished ||
            (runs[at].verdict != VERDICT_REFUSED && runs[at].verdict != VERDICT_NOT_READY))
            *(struct Wall *)list_add(out, drill->cli->arena, sizeof(struct Wall)) =
                runs[at].started;
    return true;
}

/* Last, when all else holds: somebody else is asked. */
static bool switch_is_off(struct Drill *drill, struct List *rules)
{
    const char *at = drill->loaded.environment->freeze_switch;
    char said[200];
    if (at == NULL)
        return true;
    bool off = freeze_is_off(at, drill->loop, said);
    gate_add_rule(rules, drill->cli->arena, "freeze_switch", off,
                  arena_printf(drill->cli->arena, "%s: %s", at, said));
    return off;
}

static bool probes_are_good(struct Drill *drill, struct List *rules)
{
    const struct Environment *environment = drill->loaded.environment;
    char said[200];
    if (environment->only_if.count == 0)
        return true;
    bool good = only_if_holds_now(environment, drill->loop, said);
    struct Buf clean = BUF(4096); /* an answer may hold a secret that was sent with the question */
    redact(said, &clean);
    gate_add_rule(rules, drill->cli->arena, "only_if", good,
                  arena_text(drill->cli->arena, clean.text));
    buf_free(&clean);
    return good;
}

bool drill_gate_plan(struct Drill *drill, struct Err *err)
{
    struct List rules = {0};
    if (gate_check_plan(drill->plan, drill->cli->arena, &rules))
        return true;
    return refusal(&rules, err);
}

static int by_end(const void *a, const void *b)
{
    const struct GatePass *left = a, *right = b;
    return left->ended.ns < right->ended.ns ? 1 : left->ended.ns > right->ended.ns ? -1 : 0;
}

/* A receipt that lies there twice tells of one run. */
static bool is_known(const struct List *passes, const char *run)
{
    const struct GatePass *row = passes->items;
    for (size_t at = 0; at < passes->count; at++)
        if (text_equal(row[at].run, run))
            return true;
    return false;
}

static void signed_passes(struct Drill *drill, struct List *out, struct List *troubles)
{
    struct List received = {0};
    receipts_read(drill, &received, troubles);
    const struct GatePass *pass = received.items;
    for (size_t at = 0; at < received.count; at++)
        if (!is_known(out, pass[at].run))
            *(struct GatePass *)list_add(out, drill->cli->arena, sizeof *pass) = pass[at];
    if (out->count > 0)
        qsort(out->items, out->count, sizeof(struct GatePass), by_end);
}

/* Newest first: of the own store, but where the environment says who signs, of receipts alone. */
static bool all_passes(struct Drill *drill, struct List *out, struct List *troubles,
                       struct Err *err)
{
    const struct PassedIn *rule = drill->loaded.environment->passed_in;
    struct Arena *arena = drill->cli->arena;
    struct List rows = {0};
    if (rule == NULL)
        return true;
    if (rule->signed_by != NULL) {
        signed_passes(drill, out, troubles);
        return true;
    }
    struct History of = {.environment = rule->environment,
                         .scenario = drill->loaded.scenario->name};
    if (!store_passes(drill->store, &of, arena, &rows, err))
        return false;
    const struct PassRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        *(struct GatePass *)list_add(out, arena, sizeof(struct GatePass)) =
            (struct GatePass){.run = row[at].run,
                              .text_hash = row[at].text_hash,
                              .canonical = row[at].canonical,
                              .ended = row[at].ended,
                              .unaffected = row[at].unaffected};
    return true;
}

static int64_t cycles_to_come(const struct Drill *drill)
{
    const struct Cycle *cycle = drill->repeat != NULL ? &drill->repeat->cycle : NULL;
    return cycle != NULL ? (int64_t)cycle->of - cycle->number + 1 : drill->loaded.scenario->cycles;
}

bool drill_gate(struct Drill *drill, bool ask_name, const char *confirmed, struct List *rules,
                struct Err *err)
{
    const struct Environment *environment = drill->loaded.environment;
    struct Arena *arena = drill->cli->arena;
    struct List passes = {0}, troubles = {0}, recent = {0};
    if (!all_passes(drill, &passes, &troubles, err) || !recent_runs(drill, &recent, err))
        return false;
    struct GateInput input = {.environment = environment,
                              .scenario = drill->loaded.scenario,
                              .plan = drill->plan,
                              .passes = passes.items,
                              .pass_count = passes.count,
                              .troubles = troubles,
                              .recent = recent.items,
                              .recent_count = recent.count,
                              .cycles = cycles_to_come(drill),
                              .now = wall_now(),
                              .ask_name = ask_name,
                              .confirmed = confirmed};
    bool holds = gate_check(&input, arena, rules);
    holds = gate_from_git(drill, rules) && holds;
    holds = gate_approvals(drill, rules) && holds;
    if (holds && switch_is_off(drill, rules) && probes_are_good(drill, rules))
        return true;
    return refusal(rules, err);
}
