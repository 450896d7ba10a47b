/* drill.c - what plan, run, undo and doctor open and close together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

#include <ctype.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../engine/freeze.h"

static const char *who_are_we(struct Arena *arena)
{
    char host[65] = "?";
    char room[1024];
    struct passwd entry, *found = NULL;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '?';
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) != 0 || found == NULL)
        return arena_printf(arena, "uid %u@%s", (unsigned)getuid(), host);
    return arena_printf(arena, "%s@%s", entry.pw_name, host);
}

const char *short_id(const char *id)
{
    size_t size = strlen(id);
    return size > 4 ? id + size - 4 : id;
}

const char *loud(struct Arena *arena, const char *name)
{
    char *text = arena_text(arena, name);
    for (char *at = text; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return text;
}

/* Crash-only: every start looks for runs that did not end. */
static void say_unfinished(struct Drill *drill)
{
    struct List rows = {0};
    struct Err err;
    struct History recent = {.most = 20};
    if (drill->cli->quiet || !store_runs(drill->store, &recent, drill->cli->arena, &rows, &err))
        return;
    const struct RunRow *runs = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        if (!runs[at].alive && runs[at].open_faults > 0)
            fprintf(stderr, "run %s (%s in %s) may have left something: faildrill undo %s\n",
                    short_id(runs[at].id), runs[at].scenario, runs[at].environment,
                    short_id(runs[at].id));
}

int drill_open(struct Cli *cli, struct Drill *out)
{
    struct Err err;
    *out = (struct Drill){.cli = cli, .who = who_are_we(cli->arena)};
    out->store = store_open(cli->state, &err);
    if (out->store == NULL)
        return cli_fail(cli, &err);
    out->loop = loop_new();
    out->hosts = hosts_new(out->loop);
    if (!text_equal(cli->verb->name, "undo"))
        say_unfinished(out);
    return 0;
}

void drill_close(struct Drill *drill)
{
    hosts_free(drill->hosts);
    plan_free(drill->plan);
    cli_unload(&drill->loaded);
    if (drill->loop != NULL)
        loop_free(drill->loop);
    store_close(drill->store);
}

int drill_load(struct Drill *drill, const char *scenario, const char *environment)
{
    struct Err err;
    int status = cli_load(drill->cli, scenario, environment, &drill->loaded);
    if (status != 0)
        return status;
    struct Environment *found = drill->loaded.environment;
    if (found != NULL && (!environment_unlock(found, &err) || !environment_resolve(found, &err)))
        return cli_fail(drill->cli, &err);
    return 0;
}

int drill_plan(struct Drill *drill, const struct SavedPlan *saved)
{
    struct Cli *cli = drill->cli;
    struct Err err = {.code = ERR_OWN};
    const char *seed = cli_option(cli, "seed");
    int64_t number = 0;
    const char *why = NULL;
    if (seed != NULL && (!int_parse(seed, &number, &why) || number < 0)) {
        err_set(&err, ERR_USAGE, NOWHERE, "--seed takes a whole number, not '%s'", seed);
        return cli_fail(cli, &err);
    }
    struct PlannerInput input = {.document = drill->loaded.scenario_document,
                                 .kinds = cli->kinds,
                                 .environment = drill->loaded.environment,
                                 .params = saved ? saved->params : cli->params,
                                 .param_count = saved ? saved->param_count : cli->param_count,
                                 .token = saved ? &saved->token : NULL,
                                 .seed_given = saved != NULL || seed != NULL,
                                 .seed = saved ? saved->seed : (uint64_t)number,
                                 .version = CLI_VERSION,
                                 .who = drill->who,
                                 .hosts = drill->hosts,
                                 .loop = drill->loop};
    if (!store_drilled(drill->store, drill->loaded.environment->name, cli->arena, &input.drilled,
                       &err))
        return cli_fail(cli, &err);
    struct Problems *problems = problems_new();
    drill->plan = planner_make(&input, problems, &err);
    int status = 0;
    if (drill->plan == NULL)
        status = problems_errors(problems) > 0 ? cli_problems(cli, problems) : cli_fail(cli, &err);
    problems_free(problems);
    return status;
}

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

bool drill_gate_plan(struct Drill *drill, struct Err *err)
{
    struct List rules = {0};
    if (gate_check_plan(drill->plan, drill->cli->arena, &rules))
        return true;
    return refusal(&rules, err);
}

bool drill_gate(struct Drill *drill, bool ask_name, const char *confirmed, struct List *rules,
                struct Err *err)
{
    const struct Environment *environment = drill->loaded.environment;
    struct Arena *arena = drill->cli->arena;
    struct List rows = {0}, passes = {0}, recent = {0};
    if (environment->passed_in != NULL) {
        struct History of = {.environment = environment->passed_in->environment,
                             .scenario = drill->loaded.scenario->name};
        if (!store_passes(drill->store, &of, arena, &rows, err))
            return false;
    }
    const struct PassRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        *(struct GatePass *)list_add(&passes, arena, sizeof(struct GatePass)) =
            (struct GatePass){.run = row[at].run,
                              .text_hash = row[at].text_hash,
                              .canonical = row[at].canonical,
                              .ended = row[at].ended,
                              .unaffected = row[at].unaffected};
    if (!recent_runs(drill, &recent, err))
        return false;
    struct GateInput input = {.environment = environment,
                              .scenario = drill->loaded.scenario,
                              .plan = drill->plan,
                              .passes = passes.items,
                              .pass_count = passes.count,
                              .recent = recent.items,
                              .recent_count = recent.count,
                              .now = wall_now(),
                              .ask_name = ask_name,
                              .confirmed = confirmed};
    if (gate_check(&input, arena, rules) && switch_is_off(drill, rules))
        return true;
    return refusal(rules, err);
}
