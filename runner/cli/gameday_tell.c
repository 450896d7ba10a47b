/* gameday_tell.c - those whom a game day's `report: {notify}` names hear how it ended. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/gameday.h"
#include "../base/text.h"
#include "../engine/notify.h"
#include "../transports/process.h"
#include "gameday.h"

enum { LINES_MOST = 16 << 10 };

/* Those of `all` that the day names; false where one of them is not there. */
static bool choose(const struct GameDay *file, const struct List *all, struct Arena *arena,
                   struct List *out, const char **missing)
{
    const char *const *names = file->report->notify.items;
    const struct NotifyTo *to = all->items;
    for (size_t at = 0; at < file->report->notify.count; at++) {
        bool found = false;
        for (size_t n = 0; n < all->count; n++) {
            if (!text_equal(to[n].name, names[at]))
                continue;
            found = true;
            *(struct NotifyTo *)list_add(out, arena, sizeof *to) = to[n];
        }
        *missing = names[at];
        if (!found)
            return false;
    }
    return true;
}

bool gameday_may_tell(const struct Cli *cli, const struct GameDay *file,
                      const struct Environment *environment, struct Err *err)
{
    struct List all = {.items = NULL}, chosen = {.items = NULL};
    const char *missing = NULL;
    if (file->report->notify.count == 0)
        return true;
    if (!notify_gather(environment, cli->project.notify, NULL, cli->arena, &all, err))
        return false;
    if (choose(file, &all, cli->arena, &chosen, &missing))
        return true;
    err_set(err, ERR_REFERENCE, node_get(node_get(file->node, "report"), "notify")->where,
            "neither environment '%s' nor the project says who `%s` is", environment->name,
            missing);
    return err_hint(err, "say it there: notify: {%s: {url: ...}}", missing);
}

static void put_line(const struct DayLine *line, struct Buf *out)
{
    struct DayFigures figures;
    day_figures(line, &figures);
    buf_printf(out, "%s  %s", day_word(line), line->scenario);
    if (figures.recovery[0] != '\0')
        buf_printf(out, "  recovery %s", figures.recovery);
    if (figures.lost[0] != '\0')
        buf_printf(out, "  lost %s", figures.lost);
    if (figures.undone[0] != '\0')
        buf_printf(out, "  undone %s", figures.undone);
    if (line->why != NULL && line->why[0] != '\0')
        buf_printf(out, ": %s", line->why);
    buf_char(out, '\n');
}

static void say(void *data, const char *text)
{
    (void)data;
    fprintf(stderr, "warning: game day: %s\n", text);
}

static void tell(struct Drill *drill, const struct DayReport *report, const struct List *to,
                 const char *page)
{
    struct Arena *arena = drill->cli->arena;
    const char *place =
        report->is_protected ? loud(arena, report->environment) : report->environment;
    const char *verdict = report->finished ? verdict_name(report->verdict) : "not over";
    struct Buf lines = BUF(LINES_MOST);
    for (size_t at = 0; at < report->line_count; at++)
        put_line(&report->lines[at], &lines);
    if (report->why != NULL && report->why[0] != '\0')
        buf_printf(&lines, "%s\n", report->why);
    buf_printf(&lines, "report %s by %s\n", page, report->who);
    const struct NotifyDay day = {
        .title = arena_printf(arena, "%s: game day %s in %s", verdict, report->name, place),
        .lines = lines.text,
        .name = report->name,
        .id = report->id,
        .environment = report->environment,
        .who = report->who,
        .verdict = verdict,
        .is_protected = report->is_protected,
        .now = wall_now()};
    notify_day(&(struct NotifyInput){.to = to, .who = report->who, .loop = drill->loop, .say = say},
               &day);
    buf_free(&lines);
}

/* The environment is read again: between two drills nobody holds its secrets. */
void gameday_tell(struct Drill *drill, const struct DayReport *report, const struct GameDay *file,
                  const char *page)
{
    struct Cli *cli = drill->cli;
    struct List all = {.items = NULL}, chosen = {.items = NULL};
    struct Loaded loaded;
    struct Err err;
    const char *missing = NULL;
    if (file->report->notify.count == 0 || cli_load(cli, NULL, file->environment, &loaded) != 0)
        return;
    if (!environment_unlock(loaded.environment, process_output, &err) ||
        !notify_gather(loaded.environment, cli->project.notify, NULL, cli->arena, &all, &err))
        say(NULL, err.message);
    else if (!choose(file, &all, cli->arena, &chosen, &missing))
        say(NULL, "its environment changed meanwhile: nobody is told");
    else
        tell(drill, report, &chosen, page);
    cli_unload(&loaded);
}
