/* halt.c - `halt`: stop a run and undo, now, from another terminal or another machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

static const struct Option OPTIONS[] = {
    {.name = "reason", .value = "TEXT", .doc = "Stands in the report."},
    {.name = NULL},
};

/* The one run under way where none is named. */
static const char *running(struct Drill *drill, struct Err *err)
{
    struct List rows = {0};
    struct History recent = {.most = 50};
    const char *found = NULL;
    if (!store_runs(drill->store, &recent, drill->cli->arena, &rows, err))
        return NULL;
    const struct RunRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++) {
        if (!row[at].alive && !row[at].pauses)
            continue;
        if (found != NULL) {
            err_set(err, ERR_NOT_FOUND, NOWHERE, "more than one run is under way: name it");
            err_hint(err, "faildrill status lists them.");
            return NULL;
        }
        found = row[at].id;
    }
    if (found == NULL)
        err_set(err, ERR_NOT_FOUND, NOWHERE, "no run is under way");
    return found;
}

static int halt(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    const char *run = NULL;
    struct History all = {0};
    const char *reason = cli_option(cli, "reason");
    if (cli->arg_count == 0)
        run = running(drill, &err);
    else if (!store_find_run(drill->store, cli->args[0], &all, cli->arena, &run, &err))
        run = NULL;
    if (run == NULL)
        return cli_fail(cli, &err);
    reason = arena_printf(cli->arena, "halted by %s%s%s", drill->who, reason ? ": " : "",
                          reason ? reason : "");
    if (!store_request_halt(drill->store, run, reason, drill->who, &err))
        return cli_fail(cli, &err);
    struct Buf out = BUF(300);
    buf_printf(&out, "asked %s to halt; it undoes now: faildrill status %s\n", short_id(run),
               short_id(run));
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    return drill_open_for(cli, halt);
}

const struct Verb verb_halt = {
    .name = "halt",
    .takes = "[RUN]",
    .least = 0,
    .most = 1,
    .summary = "stop a run and undo, now",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples = "  faildrill halt --reason 'real incident'\n",
    .next = "Next: faildrill status",
    .run = verb,
};
