/* due.c - which drills are overdue, by the dates that their files say. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "due.h"

#include "../base/text.h"
#include "../model/calendar.h"

/* A drill that waits for a steady state, or for its turn, is late and not overdue. */
#define LATE_NS (12 * 3600 * NS_PER_S)

enum { LOOKED_AT = 50 };

static const char *scalar_of(const struct Node *root, const char *key)
{
    const struct Node *node = node_get(root, key);
    return node != NULL && node->type == NODE_SCALAR ? node->text : NULL;
}

/* The newest run that broke something; 0 = none of the last ones did. */
static bool last_run(struct Drill *drill, const char *scenario, struct Wall *out, struct Err *err)
{
    struct List rows = {0};
    struct History of = {
        .environment = drill->cli->environment, .scenario = scenario, .most = LOOKED_AT};
    if (!store_runs(drill->store, &of, drill->cli->arena, &rows, err))
        return false;
    const struct RunRow *row = rows.items;
    for (size_t at = rows.count; at > 0; at--)
        if (!row[at - 1].finished ||
            (row[at - 1].verdict != VERDICT_REFUSED && row[at - 1].verdict != VERDICT_NOT_READY &&
             row[at - 1].verdict != VERDICT_OWN_FAILURE))
            *out = row[at - 1].started;
    return true;
}

/* The newest day of that name. */
static bool last_day(struct Drill *drill, const char *name, struct Wall *out, struct Err *err)
{
    struct List rows = {0};
    if (!store_days(drill->store, drill->cli->environment, drill->cli->arena, &rows, err))
        return false;
    const struct DayRow *row = rows.items;
    for (size_t at = rows.count; at > 0; at--)
        if (text_equal(row[at - 1].name, name))
            *out = row[at - 1].started;
    return true;
}

static const char *name_of(const struct Node *root)
{
    const char *scenario = scalar_of(root, "scenario");
    return scenario != NULL ? scenario : scalar_of(root, "gameday");
}

/* A file that is broken, or says no date, is no concern here: `validate` is. */
static bool look_at(struct Drill *drill, const struct Node *root, const struct Zone *zone,
                    struct Trends *trends, struct Err *err)
{
    struct Arena *arena = drill->cli->arena;
    const char *name = name_of(root), *why = NULL;
    struct TrendDue due = {.scenario = name, .schedule = scalar_of(root, "schedule")};
    struct Calendar calendar;
    struct Wall now = wall_now();
    if (name == NULL || due.schedule == NULL ||
        !calendar_parse(due.schedule, arena, &calendar, &why))
        return true;
    bool is_day = scalar_of(root, "gameday") != NULL;
    if (!(is_day ? last_day : last_run)(drill, name, &due.last, err))
        return false;
    due.due = calendar_next(&calendar, zone, due.last.ns != 0 ? due.last : now);
    due.since_ns = now.ns - due.last.ns;
    if (due.last.ns == 0)
        *(struct TrendDue *)list_add(&trends->never_run, arena, sizeof due) = due;
    else if (due.due.ns != 0 && now.ns - due.due.ns > LATE_NS)
        *(struct TrendDue *)list_add(&trends->overdue, arena, sizeof due) = due;
    return true;
}

bool due_find(struct Drill *drill, bool (*is_asked)(const struct Cli *cli, const char *scenario),
              struct Trends *trends, struct Err *err)
{
    struct Cli *cli = drill->cli;
    const struct Zone *zone = zone_read(zone_here(cli->arena), cli->arena);
    struct List paths = {0};
    struct Problems *problems = problems_new();
    if (zone == NULL)
        zone = zone_read("UTC", cli->arena);
    project_scenarios(&cli->project, cli->arena, &paths);
    const char *const *path = paths.items;
    bool good = true;
    for (size_t at = 0; at < paths.count && good && zone != NULL; at++) {
        const struct Document *document = document_read(path[at], cli->arena, problems);
        const char *name = document->root != NULL ? name_of(document->root) : NULL;
        if (name != NULL && is_asked(cli, name))
            good = look_at(drill, document->root, zone, trends, err);
    }
    problems_free(problems);
    return good;
}
