/* plan.c - `plan`: which hosts, which commands, the way back; changes nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../transports/helper.h"
#include "plan_file.h"
#include "plan_show.h"

static const struct Option OPTIONS[] = {
    {.name = "seed", .value = "N", .doc = "Draw the hosts with this seed."},
    {.name = "out", .letter = 'o', .value = "FILE", .doc = "Save the plan here too."},
    {.name = "valid", .value = "TIME", .doc = "How long the plan may be run; 4h where not given."},
    {.name = "param", .letter = 'p', .value = "K=V", .many = true, .doc = "Set a parameter."},
    {.name = "allow",
     .doc = "Prints what each host's /etc/faildrill.allow must say for its helper; saves nothing."},
    {.name = "gate",
     .value = "RULE",
     .many = true,
     .doc = "A stricter rule, as under `gate:` in a file: 'longest_fault: 1m'."},
    {.name = "override",
     .value = "RULE",
     .many = true,
     .doc = "Sets windows, freeze, max_per_day or passed_in aside; every report says so."},
    {.name = "reason", .value = "TEXT", .doc = "Why a rule is overridden, for every report."},
    {.name = NULL},
};

/* A plan that `run` could not read again is none: files have limits, and its texts are in it. */
static bool can_be_read(struct Drill *drill, const struct Buf *text, struct Err *err)
{
    struct Problems *problems = problems_new();
    bool good =
        document_parse("plan", text->text, text->size, drill->cli->arena, problems)->root != NULL;
    if (!good) {
        err_set(err, ERR_LIMIT, NOWHERE, "this plan is too long to be saved: %s",
                problems_at(problems, 0)->message);
        err_hint(err, "Shorten the scenario's longest lines, or make two of it.");
    }
    problems_free(problems);
    return good;
}

static bool save(struct Drill *drill, int64_t valid_ns, struct Err *err)
{
    struct Buf text = BUF(1U << 20);
    plan_file_write(drill, valid_ns, &text);
    bool ok = can_be_read(drill, &text, err) &&
              store_plan_save(drill->store, drill->plan, text.text, err);
    const char *path = cli_option(drill->cli, "out");
    FILE *file = ok && path != NULL ? fopen(path, "we") : NULL;
    if (ok && path != NULL && (file == NULL || fputs(text.text, file) < 0 || fclose(file) != 0))
        ok = err_set(err, ERR_OWN, NOWHERE, "the plan cannot be written to '%s'", path);
    buf_free(&text);
    return ok;
}

static int show(struct Drill *drill, int64_t valid_ns)
{
    struct Err err;
    struct List rules = {0};
    struct Buf out = BUF(16U << 20);
    bool open = drill_gate(drill, false, NULL, &rules, &err);
    int status = open ? 0 : err_status(ERR_REFUSED);
    const struct Obstacle *obstacles = drill->plan->obstacles.items;
    for (size_t at = 0; at < drill->plan->obstacles.count; at++)
        if (err_status(obstacles[at].code) > status)
            status = err_status(obstacles[at].code);
    if (drill->cli->json) {
        plan_file_write(drill, valid_ns, &out);
        buf_char(&out, '\n');
    } else {
        plan_show(drill, &rules, valid_ns, &out);
    }
    status = cli_print(&out, status);
    buf_free(&out);
    return status;
}

/* For hosts with the node's helper: the hashes of all that this drill may do there. */
static int show_allow(struct Drill *drill)
{
    const struct Plan *plan = drill->plan;
    const struct PlannedFault *fault = plan->faults.items;
    struct Buf out = BUF(1U << 20);
    for (size_t at = 0; at < plan->faults.count; at++) {
        char arm[65], undo[65];
        if (fault[at].step->kind == NULL || fault[at].procedure.from_here)
            continue;
        helper_hashes(&fault[at].procedure, drill->cli->arena, arm, undo);
        buf_printf(&out, "procedure %s %s %s # %s, step %u, on %s\n", fault[at].step->kind->name,
                   arm, undo, plan->scenario->name, fault[at].step_index + 1,
                   fault[at].target->name);
    }
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    struct Err err;
    struct Drill drill;
    int64_t valid_ns = 4 * 3600 * NS_PER_S;
    if (!cli_environment_named(cli, &err) || !cli_duration(cli, "valid", &valid_ns, &err))
        return cli_fail(cli, &err);
    int status = drill_open(cli, &drill);
    if (status == 0)
        status = drill_load(&drill, cli->args[0], cli->environment);
    if (status == 0 && !drill_narrow(&drill, NULL, &err))
        status = cli_fail(cli, &err);
    if (status == 0)
        status = drill_plan(&drill, NULL);
    if (status == 0 && cli_option(cli, "allow") != NULL) {
        status = show_allow(&drill);
        drill_close(&drill);
        return status;
    }
    const struct ApprovalsWanted *wanted = status == 0 ? drill.loaded.environment->approvals : NULL;
    if (wanted != NULL && wanted->valid_ns > 0 && wanted->valid_ns < valid_ns)
        valid_ns = wanted->valid_ns;
    if (status == 0 && !save(&drill, valid_ns, &err))
        status = cli_fail(cli, &err);
    if (status == 0)
        status = show(&drill, valid_ns);
    drill_close(&drill);
    return status;
}

const struct Verb verb_plan = {
    .name = "plan",
    .takes = "FILE",
    .least = 1,
    .most = 1,
    .summary = "which hosts, which commands, the way back; reads only",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples =
        "  faildrill plan -e staging redis_primary_dies\n"
        "  faildrill plan -e staging -v redis_primary_dies    with the very bytes per host\n",
    .next = "Next: faildrill run PLAN, or faildrill approve PLAN before it",
    .asks = true,
    .run = verb,
};
