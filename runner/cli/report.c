/* report.c - `report`: a run as a page, made anew from the store each time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gameday.h"
#include "judge.h"

static const struct Option OPTIONS[] = {
    {.name = "format",
     .value = "NAME",
     .doc = "html (default), text or json; of a game day md too."},
    {.name = "out", .letter = 'o', .value = "FILE", .doc = "Write it here; - is standard output."},
    {.name = NULL},
};

static int unknown_format(const struct Drill *drill, const char *name)
{
    struct Err err;
    struct Buf names = BUF(300);
    for (const struct ReportFormat *const *at = drill->cli->kinds->formats; *at != NULL; at++)
        buf_printf(&names, "%s%s", names.size ? ", " : "", (*at)->name);
    err_set(&err, ERR_USAGE, NOWHERE, "no report format is called '%s'", name);
    err_hint(&err, "There are: %s.", names.text);
    buf_free(&names);
    return cli_fail(drill->cli, &err);
}

static int write_out(struct Drill *drill, const struct Report *report,
                     const struct ReportFormat *format)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    struct Buf page = BUF(64U << 20);
    const char *path = cli_option(cli, "out");
    bool to_file = path != NULL ? path[0] != '-' || path[1] != '\0' : format->name[0] == 'h';
    int status = 0;
    if (path == NULL)
        path = arena_printf(cli->arena, "%s/runs/%s/report.%s", cli->state, report->run->id,
                            format->extension);
    if (!format->write(report, &page, &err) || (to_file && !file_write(path, &page, &err))) {
        status = cli_fail(cli, &err);
    } else if (to_file) {
        buf_clear(&page);
        buf_printf(&page, "%s\n", path);
    }
    if (status == 0)
        status = cli_print(&page, 0);
    buf_free(&page);
    return status;
}

static int report(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    const char *name = cli_option(cli, "format");
    if (name == NULL)
        name = cli->json ? "json" : "html";
    const struct ReportFormat *format = judge_format(drill, name);
    const struct DayRow *day = NULL;
    const char *run = NULL;
    if (!gameday_find(drill, cli->args[0], &day, &err))
        return cli_fail(cli, &err);
    if (day != NULL)
        return gameday_write(drill, day, name);
    if (format == NULL)
        return unknown_format(drill, name);
    struct Report made = {0};
    struct History of = {.environment = cli->environment};
    if (!store_find_run(drill->store, cli->args[0], &of, cli->arena, &run, &err))
        return cli_fail(cli, &err);
    struct Arena *arena = arena_new("report", (size_t)4 << 30);
    int status = judge_read(drill, run, arena, &made, &err) ? write_out(drill, &made, format)
                                                            : cli_fail(cli, &err);
    arena_free(arena);
    return status;
}

static int verb(struct Cli *cli)
{
    return drill_open_for(cli, report);
}

const struct Verb verb_report = {
    .name = "report",
    .takes = "RUN or DAY",
    .least = 1,
    .most = 1,
    .summary = "a run as a page: HTML, text or JSON",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples = "  faildrill report last\n  faildrill report last~1 --format json -o -\n",
    .next = "Next: faildrill trends",
    .run = verb,
};
