/* drill.c - what plan, run, undo and doctor open and close together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

#include <ctype.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../engine/pods.h"
#include "../transports/process.h"
#include "repeat.h"

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
    if (!store_identity(out->store, out->store_id, &err))
        out->store_id[0] = '\0'; /* a plan is not run then; an undo is */
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

int drill_open_for(struct Cli *cli, int (*verb)(struct Drill *drill))
{
    struct Drill drill;
    int status = drill_open(cli, &drill);
    if (status == 0)
        status = verb(&drill);
    drill_close(&drill);
    return status;
}

/* What is left is looked for with whatever there is: no secret is needed for that, no name that
 * resolves, nor a cluster that answers. */
static void load_for_undo(const struct Drill *drill, struct Environment *environment)
{
    struct Err err;
    if (!environment_unlock(environment, process_output, &err))
        fprintf(stderr, "warning: %s; this needs no secret, and goes on\n", err.message);
    if (!environment_resolve(environment, &err))
        fprintf(stderr, "warning: %s\n", err.message);
    if (!pods_find(environment, drill->cli->kinds, drill->cli->state, &err))
        fprintf(stderr, "warning: %s\n", err.message);
}

int drill_load(struct Drill *drill, const char *scenario, const char *environment)
{
    struct Err err;
    int status = cli_load(drill->cli, scenario, environment, &drill->loaded);
    if (status != 0)
        return status;
    struct Environment *found = drill->loaded.environment;
    drill->notify = (struct List){.items = NULL};
    if (found == NULL)
        return 0;
    if (text_equal(drill->cli->verb->name, "undo")) {
        load_for_undo(drill, found);
        return 0;
    }
    if (!environment_unlock(found, process_output, &err) || !environment_resolve(found, &err) ||
        !notify_gather(found, drill->cli->project.notify,
                       drill->loaded.scenario != NULL ? drill->loaded.scenario->notify : NULL,
                       drill->cli->arena, &drill->notify, &err) ||
        !pods_find(found, drill->cli->kinds, drill->cli->state, &err))
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
    bool later = drill->repeat != NULL && drill->repeat->cycle.number > 1;
    if (seed != NULL && (!int_parse(seed, &number, &why) || number < 0)) {
        err_set(&err, ERR_USAGE, NOWHERE, "--seed takes a whole number, not '%s'", seed);
        return cli_fail(cli, &err);
    }
    struct PlannerInput input = {.document = drill->loaded.scenario_document,
                                 .kinds = cli->kinds,
                                 .environment = drill->loaded.environment,
                                 .params = saved ? saved->params : cli->params,
                                 .param_count = saved ? saved->param_count : cli->param_count,
                                 .token = saved && !later ? &saved->token : NULL,
                                 .seed_given = saved != NULL || seed != NULL || later,
                                 .seed = later   ? drill->repeat->seed
                                         : saved ? saved->seed
                                                 : (uint64_t)number,
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

bool drill_obstacles(const struct Plan *plan, struct Err *err)
{
    const struct Obstacle *rows = plan->obstacles.items;
    int worst = 0;
    for (size_t at = 0; at < plan->obstacles.count; at++) {
        if (err_status(rows[at].code) <= worst)
            continue;
        worst = err_status(rows[at].code);
        err_set(err, rows[at].code, NOWHERE, "%s", rows[at].text);
        if (rows[at].help != NULL)
            err_hint(err, "%s", rows[at].help);
    }
    return worst == 0;
}
