/* gameday_begin.c - a game day before its first drill: its files, its window, one that died. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "../base/ulid.h"
#include "../engine/undo.h"
#include "gameday_parts.h"

/* A day whose runner died longer ago is not gone on with. */
#define RESUME_NS (24 * 3600 * NS_PER_S)

/* ---- What is there before anything is contacted. ---- */

/* All files of the day, before the first drill: the fourth must not turn out to be broken at noon.
 */
int day_read_files(struct Day *day)
{
    struct Cli *cli = day->base->cli;
    const struct DayDrill *drills = day->file->drills.items;
    int worst = 0;
    for (size_t at = 0; at < day->file->drills.count; at++) {
        struct Loaded loaded;
        day_set_params(cli, &drills[at]);
        int status = cli_load(cli, drills[at].scenario, day->file->environment, &loaded);
        struct Err err;
        if (status == 0 && at == 0 && !gameday_may_tell(cli, day->file, loaded.environment, &err))
            worst = cli_fail(cli, &err);
        const char *zone = status == 0 ? loaded.environment->timezone : NULL;
        day->is_protected = status == 0 && loaded.environment->is_protected;
        if (zone != NULL && day->file->window.given)
            day->zone = zone_read(zone, cli->arena);
        cli_unload(&loaded);
        worst = worst != 0 ? worst : status;
        cli->documents.count = 1; /* the day's own; each drill reads its files again */
    }
    return worst;
}

static bool names_are_known(const struct Day *day, const char *option, struct Err *err)
{
    const struct List *given = &day->base->cli->given;
    const struct OptionGiven *rows = given->items;
    for (size_t at = 0; at < given->count; at++)
        if (text_equal(rows[at].option->name, option) &&
            gameday_drill(day->file, rows[at].value) == NULL)
            return err_set(err, ERR_NOT_FOUND, NOWHERE, "--%s %s: the day has no such drill",
                           option, rows[at].value);
    return true;
}

bool day_may_begin(struct Day *day, struct Err *err)
{
    const struct GameDay *file = day->file;
    const struct Cli *cli = day->base->cli;
    if (cli->environment != NULL && !text_equal(cli->environment, file->environment))
        return err_set(err, ERR_REFUSED, NOWHERE, "the game day is for environment '%s', not '%s'",
                       file->environment, cli->environment);
    if (file->window.given && day->zone == NULL) {
        err_set(err, ERR_RULE, node_get(file->node, "window")->where,
                "environment '%s' says no `timezone:`", file->environment);
        return err_hint(err, "an hour means nothing without its zone");
    }
    if (!gameday_open(file, day->zone, wall_now(), 0))
        return err_set(err, ERR_REFUSED, NOWHERE, "the window %s is not open", file->window_text);
    return names_are_known(day, "only", err) && names_are_known(day, "skip", err);
}

/* What was typed counts as if it had been given: for each drill of the day. */
static void give_confirm(struct Cli *cli, const char *typed)
{
    const struct Option *option = cli->verb->options;
    while (option->name != NULL && !text_equal(option->name, "confirm"))
        option++;
    *(struct OptionGiven *)list_add(&cli->given, cli->arena, sizeof(struct OptionGiven)) =
        (struct OptionGiven){.option = option, .value = arena_text(cli->arena, typed)};
}

bool day_confirmed(struct Day *day, struct Err *err)
{
    struct Cli *cli = day->base->cli;
    char typed[200];
    if (!day->may_ask || cli_option(cli, "confirm") != NULL)
        return true;
    const char *question = arena_printf(
        cli->arena, "Game day %s: %zu drills in %s. %s", day->file->name, day->file->drills.count,
        loud(cli->arena, day->file->environment),
        day->is_protected ? "Type the environment's name to go on: " : "Go on? [y/N] ");
    bool yes = cli_ask_line(question, typed, sizeof typed);
    if (yes && day->is_protected)
        give_confirm(cli, typed);
    yes = yes && (day->is_protected ? text_equal(typed, day->file->environment)
                                    : typed[0] == 'y' || typed[0] == 'Y');
    return yes || err_set(err, ERR_REFUSED, NOWHERE, "not confirmed");
}

/* ---- Beginning, and going on. ---- */

static bool begin(struct Day *day, struct Err *err)
{
    struct Drill *base = day->base;
    struct Arena *arena = base->cli->arena;
    const struct DayDrill *drills = day->file->drills.items;
    char *id = arena_zero(arena, 1, 27);
    day->row = (struct DayRow){.id = id,
                               .name = day->file->name,
                               .environment = day->file->environment,
                               .who = base->who,
                               .hash = day->file->hash,
                               .started = wall_now(),
                               .why = ""};
    ulid_new(day->row.started, id);
    for (size_t at = 0; at < day->file->drills.count; at++)
        *(struct DayDrillRow *)list_add(&day->drills, arena, sizeof(struct DayDrillRow)) =
            (struct DayDrillRow){.scenario = drills[at].scenario,
                                 .owner = drills[at].owner,
                                 .state = "waiting",
                                 .why = ""};
    return store_day_begin(base->store, &day->row, &day->drills, err);
}

/* The newest day of this very file, whose runner died. */
static bool find_dead(struct Day *day, const struct DayRow **out, struct Err *err)
{
    struct List rows = {0};
    *out = NULL;
    if (!store_days(day->base->store, day->file->environment, day->base->cli->arena, &rows, err))
        return false;
    const struct DayRow *row = rows.items;
    for (size_t at = 0; at < rows.count && *out == NULL; at++)
        if (!row[at].finished && row[at].alive == KNOWN_NO &&
            text_equal(row[at].name, day->file->name) &&
            text_equal(row[at].hash, day->file->hash) &&
            wall_now().ns - row[at].started.ns < RESUME_NS)
            *out = &row[at];
    return true;
}

static bool undo_run(struct Day *day, const char *run, struct Err *err)
{
    struct Drill *base = day->base;
    struct List undone = {0};
    struct UndoAsk ask = {.store = base->store,
                          .kinds = base->cli->kinds,
                          .loop = base->loop,
                          .hosts = base->hosts,
                          .run = run};
    if (!undo_open_faults(&ask, base->cli->arena, &undone, err))
        return false;
    const struct UndoneFault *row = undone.items;
    for (size_t at = 0; at < undone.count; at++) {
        if (row[at].clear == KNOWN_YES)
            continue;
        err_set(err, ERR_NOT_UNDONE, NOWHERE, "%s on %s of run %s may still be in effect: %s",
                row[at].fault.step, row[at].fault.host, short_id(run),
                row[at].why != NULL && row[at].why[0] != '\0' ? row[at].why : "no answer");
        return err_hint(err, "faildrill undo %s; then run the day with --resume", short_id(run));
    }
    return store_unlock(base->store, run, err);
}

/* The drill that its runner died of is undone, and comes again; one that had ended is done. */
static bool mend(struct Day *day, size_t at, struct Err *err)
{
    struct DayDrillRow *row = day_row(day, at);
    struct List runs = {0};
    struct History of = {.environment = day->file->environment, .scenario = row->scenario};
    if (!text_equal(row->state, "begun"))
        return true;
    if (!store_runs(day->base->store, &of, day->base->cli->arena, &runs, err))
        return false;
    const struct RunRow *run = runs.items;
    for (size_t n = 0; n < runs.count; n++) {
        if (!text_equal(run[n].id, row->run))
            continue;
        if (run[n].finished && run[n].judged && run[n].open_faults == 0 &&
            run[n].cycle.number >= run[n].cycle.of) {
            row->state = "done";
            row->verdict = run[n].verdict;
            return day_keep(day, at, err);
        }
        if (!undo_run(day, row->run, err))
            return false;
        row->earlier = row->run;
    }
    row->state = "waiting";
    row->run = NULL;
    return day_keep(day, at, err);
}

static bool resume(struct Day *day, const struct DayRow *dead, struct Err *err)
{
    struct Drill *base = day->base;
    day->row = *dead;
    day->resumed = true;
    if (!store_day_adopt(base->store, dead, err) ||
        !store_day_drills(base->store, dead->id, base->cli->arena, &day->drills, err))
        return false;
    if (day->drills.count != day->file->drills.count)
        return err_set(err, ERR_STORE, NOWHERE, "the store does not know this day's drills");
    for (size_t at = 0; at < day->drills.count; at++)
        if (!mend(day, at, err))
            return false;
    return true;
}

bool day_begin(struct Day *day, struct Err *err)
{
    const struct DayRow *dead = NULL;
    const struct Cli *cli = day->base->cli;
    if (cli_option(cli, "resume") == NULL)
        return begin(day, err);
    if (!find_dead(day, &dead, err))
        return false;
    if (dead == NULL && !cli->quiet)
        fprintf(stderr, "no day of this file waits to be resumed: a new one begins\n");
    return dead != NULL ? resume(day, dead, err) : begin(day, err);
}
