/* gameday_report.c - the combined report of a game day, made anew from the store each time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "../../reports/gameday.h"
#include "../base/text.h"
#include "gameday.h"
#include "judge.h"

#define PAGE_BYTES (16U << 20)

static const char *names_of(const struct List *names, struct Arena *arena)
{
    const char *const *name = names->items, *all = "";
    for (size_t at = 0; at < names->count; at++)
        all = arena_printf(arena, "%s%s%s", all, at > 0 ? ", " : "", name[at]);
    return all;
}

static void set_people(const struct GameDay *file, struct Arena *arena, struct DayReport *out)
{
    const struct DayPeople *people = file != NULL ? file->people : NULL;
    out->may_halt = "";
    out->window = file != NULL ? file->window_text : NULL;
    if (people == NULL)
        return;
    out->lead = people->lead;
    out->observer = people->observer;
    out->scribe = people->scribe;
    out->may_halt = names_of(&people->may_halt, arena);
}

static bool read_lines(struct Drill *drill, const char *day, struct Arena *arena,
                       struct DayReport *out, struct Err *err)
{
    struct List rows = {0}, lines = {0};
    if (!store_day_drills(drill->store, day, arena, &rows, err))
        return false;
    const struct DayDrillRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++) {
        struct Report *report = NULL;
        if (text_equal(row[at].state, "done") && row[at].run != NULL) {
            report = arena_zero(arena, 1, sizeof *report);
            if (!judge_read(drill, row[at].run, arena, report, err))
                return false;
            out->is_protected = report->run->is_protected;
        }
        *(struct DayLine *)list_add(&lines, arena, sizeof(struct DayLine)) =
            (struct DayLine){.scenario = row[at].scenario,
                             .owner = row[at].owner,
                             .why = row[at].why,
                             .state = row[at].state,
                             .run = row[at].run,
                             .earlier = row[at].earlier,
                             .verdict = row[at].verdict,
                             .report = report};
    }
    out->lines = lines.items;
    out->line_count = lines.count;
    return true;
}

static bool read_notes(struct Drill *drill, const char *day, struct Arena *arena,
                       struct DayReport *out, struct Err *err)
{
    struct List rows = {0};
    if (!store_day_notes(drill->store, day, arena, &rows, err))
        return false;
    const struct Note *row = rows.items;
    struct DayNote *notes = arena_zero(arena, rows.count + 1, sizeof *notes);
    for (size_t at = 0; at < rows.count; at++)
        notes[at] = (struct DayNote){.low = row[at].low,
                                     .high = row[at].high,
                                     .who = row[at].who,
                                     .type = row[at].type,
                                     .text = row[at].text};
    out->notes = notes;
    out->note_count = rows.count;
    return true;
}

static bool read_day(struct Drill *drill, const struct DayRow *day, const struct GameDay *file,
                     struct Arena *arena, struct DayReport *out, struct Err *err)
{
    *out = (struct DayReport){.id = day->id,
                              .name = day->name,
                              .environment = day->environment,
                              .who = day->who,
                              .version = CLI_VERSION,
                              .why = day->why,
                              .finished = day->finished,
                              .started = day->started,
                              .ended = day->ended,
                              .verdict = day->verdict};
    set_people(file, arena, out);
    return read_lines(drill, day->id, arena, out, err) &&
           read_notes(drill, day->id, arena, out, err);
}

static bool write_form(const struct DayReport *report, const char *format, struct TextStyle style,
                       struct Buf *out, struct Err *err)
{
    if (text_equal(format, "html"))
        return day_html(report, out, err);
    if (text_equal(format, "json"))
        day_json(report, out);
    else if (text_equal(format, "md"))
        day_markdown(report, out);
    else if (text_equal(format, "text"))
        day_text(report, style, out);
    else
        return err_set(err, ERR_USAGE, NOWHERE, "a game day has html, text, json and md, no '%s'",
                       format);
    return true;
}

static bool save(const struct DayReport *report, const char *folder, const char *format,
                 struct Arena *arena, struct Err *err)
{
    struct Buf page = BUF(PAGE_BYTES);
    struct TextStyle style = {.unicode = true};
    bool ok = write_form(report, format, style, &page, err) &&
              file_write(arena_printf(arena, "%s/report.%s", folder, format), &page, err);
    buf_free(&page);
    return ok;
}

static const char *make_folder(struct Drill *drill, const char *day)
{
    struct Arena *arena = drill->cli->arena;
    const char *days = arena_printf(arena, "%s/gamedays", drill->cli->state);
    const char *folder = arena_printf(arena, "%s/%s", days, day);
    (void)mkdir(days, 0700); /* there already, or the write says so */
    (void)mkdir(folder, 0700);
    return folder;
}

static bool say(struct Drill *drill, const struct DayReport *report, const char *folder, bool page,
                struct Err *err)
{
    const struct Cli *cli = drill->cli;
    struct TextStyle style = {.unicode = cli->out.unicode, .color = cli->out.color};
    struct Buf text = BUF(PAGE_BYTES);
    if (cli->json)
        day_json(report, &text);
    else
        day_text(report, style, &text);
    if (!cli->json)
        buf_printf(&text, "report %s/report.%s\n", folder, page ? "html" : "json");
    bool ok =
        cli_print(&text, 0) == 0 || err_set(err, ERR_OWN, NOWHERE, "standard output is closed");
    buf_free(&text);
    return ok;
}

bool gameday_publish(struct Drill *drill, const struct DayRow *day, const struct GameDay *file,
                     bool silent, struct Err *err)
{
    struct Arena *arena = arena_new("game day", (size_t)8 << 30);
    struct DayReport report;
    const char *folder = make_folder(drill, day->id);
    bool html = file == NULL || file->report->html, md = file == NULL || file->report->markdown;
    bool ok = read_day(drill, day, file, arena, &report, err) &&
              (!html || save(&report, folder, "html", arena, err)) &&
              (!md || save(&report, folder, "md", arena, err)) &&
              save(&report, folder, "json", arena, err) &&
              (silent || say(drill, &report, folder, html, err));
    if (ok && file != NULL)
        gameday_tell(drill, &report, file,
                     arena_printf(arena, "%s/report.%s", folder, html ? "html" : "json"));
    arena_free(arena);
    return ok;
}

/* ---- `report DAY` ---- */

bool gameday_find(struct Drill *drill, const char *name, const struct DayRow **out, struct Err *err)
{
    struct List rows = {0};
    *out = NULL;
    if (!store_days(drill->store, drill->cli->environment, drill->cli->arena, &rows, err))
        return false;
    const struct DayRow *row = rows.items;
    for (size_t at = 0; at < rows.count && *out == NULL; at++)
        if (text_same_name(row[at].name, name) ||
            (strlen(name) >= 8 && text_ends(row[at].id, name)))
            *out = &row[at];
    return true;
}

/* As its file says it today, where it is still there. */
static struct GameDay *file_of(struct Drill *drill, const struct DayRow *day)
{
    struct Problems *problems = problems_new();
    const struct Document *document = gameday_file(drill->cli, day->name);
    struct GameDay *file = document != NULL ? gameday_new(document, problems) : NULL;
    problems_free(problems);
    return file;
}

int gameday_write(struct Drill *drill, const struct DayRow *day, const char *format)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    struct Arena *arena = arena_new("game day", (size_t)8 << 30);
    struct GameDay *file = file_of(drill, day);
    struct DayReport report;
    struct Buf page = BUF(PAGE_BYTES);
    const char *path = cli_option(cli, "out");
    struct TextStyle style = {.unicode = cli->out.unicode, .color = cli->out.color};
    bool to_file = path != NULL ? !text_equal(path, "-") : text_equal(format, "html");
    if (path == NULL)
        path = arena_printf(cli->arena, "%s/report.%s", make_folder(drill, day->id), format);
    bool ok = read_day(drill, day, file, arena, &report, &err) &&
              write_form(&report, format, style, &page, &err) &&
              (!to_file || file_write(path, &page, &err));
    if (ok && to_file) {
        buf_clear(&page);
        buf_printf(&page, "%s\n", path);
    }
    int status = ok ? cli_print(&page, 0) : cli_fail(cli, &err);
    buf_free(&page);
    gameday_free(file);
    arena_free(arena);
    return status;
}
