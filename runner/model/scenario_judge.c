/* scenario_judge.c - rules between probes and the bounds that judge them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "bound.h"
#include "recent.h"

#define WHOLE 1000000 /* 100 %, in millionths */

/* It answers no requests, and what it is over with has not recovered. */
static bool alert_has(enum BoundWord word)
{
    return word == BOUND_DETECTED_WITHIN || word == BOUND_MUST_NOTICE || word == BOUND_MAX_OUTAGE ||
           word == BOUND_MAX_DOWNTIME;
}

static void check_fit(struct ScenarioBuild *build, const char *section,
                      const struct Expectation *bound)
{
    const struct ProbeSpec *probe = scenario_probe(build->scenario, bound->probe);
    if (probe == NULL)
        return;
    enum BoundNeeds needs = bound_row(bound->word)->needs;
    const char *wanted = NULL;
    if (probe->kind->is_alert && !alert_has(bound->word)) {
        struct Where place = bound_place(build, section, bound->probe, bound->word);
        err_at(scenario_say(build, ERR_RULE, place, "`%s` does not fit probe `%s`",
                            bound_name(bound->word), bound->probe),
               "an alert fires or it does not: detected_within, must_notice");
        return;
    }
    if (needs == BOUND_NEEDS_LEDGER && !probe->kind->is_ledger)
        wanted = "ledger";
    if (needs == BOUND_NEEDS_PRIMARY && !probe->kind->is_primary)
        wanted = "primary";
    if (needs == BOUND_NEEDS_NOTICE && !probe->kind->is_primary && !probe->kind->is_alert)
        wanted = "primary` or `alert";
    if (needs == BOUND_NEEDS_STATUS && !probe->kind->has_status)
        wanted = "http";
    if (wanted == NULL)
        return;
    struct Where where = bound->when == WHEN_ALL
                             ? bound_place(build, section, bound->probe, bound->word)
                             : bound->where;
    struct Err *err = scenario_say(build, ERR_RULE, where, "`%s` does not fit probe `%s`",
                                   bound_name(bound->word), bound->probe);
    err_at(err, "it is asked of a probe of kind `%s`; this one is `%s`", wanted, probe->kind->name);
}

static const struct Expectation *find_bound(const struct List *bounds, const char *probe,
                                            enum BoundWord word)
{
    const struct Expectation *at = bounds->items;
    for (size_t i = 0; i < bounds->count; i++)
        if (at[i].word == word && at[i].when == WHEN_ALL && text_equal(at[i].probe, probe))
            return &at[i];
    return NULL;
}

static void say_order(struct ScenarioBuild *build, const struct Expectation *bound,
                      const char *format, int64_t other_ns)
{
    char mine[32], other[32];
    duration_write(bound->limit, mine);
    duration_write(other_ns, other);
    err_note(scenario_say(build, ERR_RULE, bound->where,
                          "these two bounds of `%s` cannot both mean something", bound->probe),
             "%s %s, %s %s", bound_name(bound->word), mine, format, other);
}

/* Two bounds of one probe that contradict each other. */
static void check_pairs(struct ScenarioBuild *build, const char *probe)
{
    const struct List *expect = &build->scenario->expectations, *halts = &build->scenario->halts;
    const struct Expectation *within = find_bound(expect, probe, BOUND_RECOVER_WITHIN);
    const struct Expectation *early = find_bound(expect, probe, BOUND_RECOVER_NOT_BEFORE);
    const struct Expectation *outage = find_bound(expect, probe, BOUND_MAX_OUTAGE);
    const struct Expectation *halt = find_bound(halts, probe, BOUND_MAX_OUTAGE);
    const struct Expectation *split = find_bound(expect, probe, BOUND_MAX_SPLIT);
    const struct Expectation *halt_split = find_bound(halts, probe, BOUND_MAX_SPLIT);
    if (early != NULL && within != NULL && early->limit > within->limit)
        say_order(build, early, "but recover_within", within->limit);
    if (halt != NULL && within != NULL && halt->limit < within->limit)
        say_order(build, halt, "which halts before recover_within", within->limit);
    if (halt != NULL && outage != NULL && halt->limit < outage->limit)
        say_order(build, halt, "which halts before max_outage", outage->limit);
    if (halt_split != NULL && split != NULL && halt_split->limit < split->limit)
        say_order(build, halt_split, "which halts before max_split", split->limit);
}

static void check_probe(struct ScenarioBuild *build, const struct ProbeSpec *probe)
{
    const struct Node *probes = node_get(build->root, "probes");
    bool is_judged = node_get(node_get(build->root, "expect"), probe->name) != NULL ||
                     node_get(node_get(build->root, "halt"), probe->name) != NULL;
    if (!probe->control && !is_judged)
        err_hint(scenario_say(build, ERR_UNJUDGED, node_key(probes, probe->name)->where,
                              "nothing looks at probe `%s`", probe->name),
                 "give it a bound under `expect` or `halt`, or say control: true");
    const struct Expectation *notice =
        find_bound(&build->scenario->expectations, probe->name, BOUND_MUST_NOTICE);
    if (probe->control && notice != NULL)
        err_hint(scenario_say(
                     build, ERR_RULE, notice->where,
                     "probe `%s` is on a path that the fault must not touch, and must notice it",
                     probe->name),
                 "keep one of control and must_notice");
    if (probe->under_ns > probe->timeout_ns) {
        char under[32], timeout[32];
        duration_write(probe->under_ns, under);
        duration_write(probe->timeout_ns, timeout);
        err_hint(scenario_say(build, ERR_RULE, probe->where,
                              "probe `%s` waits %s only, and calls an answer slow after %s",
                              probe->name, timeout, under),
                 "timeout: %s or more", under);
    }
}

/* An empty map under expect or halt says nothing, nor does one under a phase. */
static void check_empty(struct ScenarioBuild *build, const char *section, const struct Node *map)
{
    for (size_t i = 0; map != NULL && map->type == NODE_MAP && i < map->count; i++) {
        const struct Node *item = map->items[i];
        const char *name = arena_printf(build->arena, "%s.%s", section, map->keys[i]->text);
        if (item->type == NODE_MAP && item->count == 0)
            scenario_say(build, ERR_REQUIRED, item->where, "`%s` says nothing", name);
        check_empty(build, name, item);
    }
}

static void check_rate(struct ScenarioBuild *build, const struct Expectation *bound)
{
    struct RateLimit limit;
    const struct ProbeSpec *probe = scenario_probe(build->scenario, bound->probe);
    const char *why = NULL;
    char every[32] = "";
    if (probe != NULL)
        duration_write(probe->interval_ns, every);
    if (!rate_limit_parse(bound->text, &limit, &why))
        err_at(scenario_say(build, ERR_TYPE, bound->where, "'%s' is no rate", bound->text),
               "like 20/s, or 95%% of before");
    else if (limit.of_before && bound->when == WHEN_BEFORE)
        scenario_say(build, ERR_RULE, bound->where, "the baseline cannot be compared with itself");
    else if (limit.of_before && (limit.value <= 0 || limit.value > 10 * WHOLE))
        err_at(
            scenario_say(build, ERR_VALUE, bound->where, "`min_rate` cannot be '%s'", bound->text),
            "more than 0%%, at most 1000%%");
    else if (!limit.of_before && probe != NULL && limit.value < probe->interval_ns)
        err_hint(scenario_say(build, ERR_RULE, bound->where,
                              "probe `%s` asks every %s, and cannot have so many answers",
                              bound->probe, every),
                 "probe faster, or take a share of what it had: 95%% of before");
}

/* Limits that the tables read as texts. */
static void check_text(struct ScenarioBuild *build, const struct Expectation *bound)
{
    int codes[STATUSES_MOST];
    if (bound->word == BOUND_MIN_RATE)
        check_rate(build, bound);
    if (bound->word == BOUND_STATUS_ONLY &&
        status_list_parse(bound->text, codes, COUNT_OF(codes)) == 0)
        err_at(scenario_say(build, ERR_VALUE, bound->where, "'%s' is no status of an answer",
                            bound->text),
               "from 100 to 599, like 200 or [200, 503]");
}

/* Too few of them are no share and no rate, and would never halt. */
static void check_recent(struct ScenarioBuild *build, const struct Expectation *halt)
{
    const struct ProbeSpec *probe = scenario_probe(build->scenario, halt->probe);
    bool counts = halt->word == BOUND_MAX_ERRORS || halt->word == BOUND_MIN_SUCCESS ||
                  halt->word == BOUND_MIN_RATE;
    char most[32];
    if (!counts || probe == NULL || probe->interval_ns * RECENT_LEAST <= RECENT_NS)
        return;
    duration_write(RECENT_NS / RECENT_LEAST, most);
    err_hint(scenario_say(build, ERR_RULE, halt->where,
                          "`%s` halts by the last 30 s, in which probe `%s` asks too seldom",
                          bound_name(halt->word), halt->probe),
             "every: %s or less", most);
}

/* Plain work has no T0. */
static void check_from_fault(struct ScenarioBuild *build, const struct Expectation *bound)
{
    const struct StepSpec *steps = build->scenario->steps.items;
    bool is_any = false;
    for (size_t i = 0; i < build->scenario->steps.count; i++)
        is_any = is_any || steps[i].type == STEP_FAULT || steps[i].type == STEP_FAILOVER;
    if (is_any || !bound_counts_from_fault(bound->word))
        return;
    err_hint(scenario_say(build, ERR_RULE, bound->where,
                          "`%s` counts from a fault or a failover, and no step is one",
                          bound_name(bound->word)),
             "max_outage and min_success are of all that was asked");
}

void scenario_check_bounds(struct ScenarioBuild *build)
{
    const struct Scenario *scenario = build->scenario;
    const struct Expectation *expect = scenario->expectations.items, *halts = scenario->halts.items;
    for (size_t i = 0; i < scenario->expectations.count; i++) {
        check_fit(build, "expect", &expect[i]);
        check_from_fault(build, &expect[i]);
        check_text(build, &expect[i]);
    }
    for (size_t i = 0; i < scenario->halts.count; i++) {
        check_fit(build, "halt", &halts[i]);
        check_text(build, &halts[i]);
        check_recent(build, &halts[i]);
    }
    const struct ProbeSpec *probes = scenario->probes.items;
    for (size_t i = 0; i < scenario->probes.count; i++) {
        check_probe(build, &probes[i]);
        check_pairs(build, probes[i].name);
    }
    check_empty(build, "expect", node_get(build->root, "expect"));
    check_empty(build, "halt", node_get(build->root, "halt"));
}
