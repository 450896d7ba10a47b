/* trends.c - `trends`: recovery times per drill over all runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../../reports/trends.h"
#include "../base/text.h"
#include "due.h"
#include "judge.h"

#define PAGE_BYTES (32U << 20)

static const struct Option OPTIONS[] = {
    {.name = "since", .value = "TIME", .doc = "Only runs that began within this time, as 180d."},
    {.name = "out", .letter = 'o', .value = "FILE", .doc = "Write the page (HTML) here too."},
    {.name = NULL},
};

static int by_start(const void *a, const void *b)
{
    const struct Past *left = a, *right = b;
    return left->started.ns < right->started.ns ? -1 : left->started.ns > right->started.ns;
}

static bool is_asked(const struct Cli *cli, const char *scenario)
{
    for (size_t at = 0; at < cli->arg_count; at++)
        if (text_same_name(cli->args[at], scenario))
            return true;
    return cli->arg_count == 0;
}

static bool past(struct Drill *drill, int64_t since_ns, struct List *out, struct Err *err)
{
    struct List all = {0};
    struct History of = {.environment = drill->cli->environment};
    if (since_ns > 0)
        of.since = (struct Wall){wall_now().ns - since_ns};
    if (!store_past(drill->store, &of, drill->cli->arena, &all, err))
        return false;
    const struct Past *rows = all.items;
    for (size_t at = 0; at < all.count; at++)
        if (is_asked(drill->cli, rows[at].scenario))
            *(struct Past *)list_add(out, drill->cli->arena, sizeof *rows) = rows[at];
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *rows, by_start);
    return true;
}

static bool write_page(struct Drill *drill, const struct Trends *trends, const char *path,
                       struct Err *err)
{
    struct Buf page = BUF(PAGE_BYTES);
    bool ok = trends_html(trends, CLI_VERSION, &page, err) && file_write(path, &page, err);
    buf_free(&page);
    if (ok && !drill->cli->quiet)
        fprintf(stderr, "wrote %s\n", path);
    return ok;
}

static int trends(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    struct List rows = {0};
    int64_t since_ns = 0;
    if (!cli_duration(cli, "since", &since_ns, &err) || !past(drill, since_ns, &rows, &err))
        return cli_fail(cli, &err);
    struct Trends made;
    trends_make(rows.items, rows.count, cli->arena, &made);
    if (!due_find(drill, is_asked, &made, &err))
        return cli_fail(cli, &err);
    const char *path = cli_option(cli, "out");
    if (path != NULL && !write_page(drill, &made, path, &err))
        return cli_fail(cli, &err);
    struct Buf out = BUF(PAGE_BYTES);
    struct TextStyle style = {.unicode = cli->out.unicode, .color = cli->out.color};
    if (cli->json)
        trends_json(&made, &out);
    else
        trends_text(&made, style, &out);
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    return drill_open_for(cli, trends);
}

const struct Verb verb_trends = {
    .name = "trends",
    .takes = "[SCENARIO...]",
    .least = 0,
    .most = -1,
    .summary = "recovery times per drill: faster, slower, cannot tell",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples = "  faildrill trends --since 180d\n  faildrill trends -o trends.html\n",
    .next = "Next: faildrill runs, faildrill report RUN",
    .run = verb,
};
