/* gameday.c - from a game day's file to what it means, or all that is wrong with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gameday.h"

#include <string.h>

#include "../base/text.h"
#include "calendar.h"
#include "file_rules.h"
#include "needs.h"

enum { MEMORY = 16 << 20, DATE_SIZE = 10 };

static bool is_plain(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

static void check_name(const struct GameDay *day, struct Problems *problems)
{
    const struct Where where = node_get(day->node, "gameday")->where;
    if (!is_plain(day->name))
        problems_say(problems, ERR_NAME, where, NULL,
                     "'%s': a name has letters, digits, dashes and underscores", day->name);
    else if (!file_is_named(day->path, day->name))
        problems_say(problems, ERR_NAME, where, "rename one of them",
                     "game day '%s' does not stand in a file of that name", day->name);
}

static int weekday_of(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7);
}

static bool read_window(const char *text, struct Arena *arena, struct DayWindow *out)
{
    struct FreezeDays date;
    out->given = true;
    out->dated = strlen(text) > DATE_SIZE && text[4] == '-' && text[DATE_SIZE] == ' ';
    if (!out->dated)
        return window_parse(text, &out->hours);
    if (!freeze_parse(arena_bytes(arena, text, DATE_SIZE), &date) || text[DATE_SIZE + 1] < '0' ||
        text[DATE_SIZE + 1] > '9' || !window_parse(text + DATE_SIZE + 1, &out->hours))
        return false;
    out->date = date.first;
    out->hours.days = 1U << weekday_of(date.first);
    return true;
}

static void check_window(struct GameDay *day, struct Problems *problems)
{
    if (day->window_text == NULL || read_window(day->window_text, day->arena, &day->window))
        return;
    problems_say(problems, ERR_VALUE, node_get(day->node, "window")->where, NULL,
                 "'%s' is no window", day->window_text);
    err_at(problems_last(problems), "like 2026-12-03 14:00-17:00 or Thu 14:00-17:00");
}

static struct Where place(const struct DayDrill *drill, const char *key)
{
    const struct Node *node = node_get(drill->node, key);
    return node != NULL ? node->where : drill->node->where;
}

static bool stands_before(const struct GameDay *day, size_t index, const char *scenario)
{
    const struct DayDrill *drills = day->drills.items;
    for (size_t at = 0; at < index; at++)
        if (text_same_name(drills[at].scenario, scenario))
            return true;
    return false;
}

static void check_drill(const struct GameDay *day, size_t index, struct Problems *problems)
{
    const struct DayDrill *drill = (const struct DayDrill *)day->drills.items + index;
    const char *const *after = drill->after_pass.items;
    if (!text_is_name(drill->scenario, true))
        problems_say(problems, ERR_NAME, place(drill, "scenario"), NULL,
                     "'%s' is not the name of a scenario", drill->scenario);
    if (stands_before(day, index, drill->scenario))
        problems_say(problems, ERR_RULE, place(drill, "scenario"), "a day does each drill once",
                     "drill '%s' stands twice", drill->scenario);
    for (size_t at = 0; at < drill->after_pass.count; at++)
        if (!stands_before(day, index, after[at]))
            problems_say(problems, ERR_REFERENCE, place(drill, "after_pass"),
                         "after_pass names drills that stand before it",
                         "no drill '%s' comes before '%s'", after[at], drill->scenario);
}

static void check(struct GameDay *day, struct Problems *problems)
{
    struct DayDrill *drills = day->drills.items;
    bool led = day->people != NULL && day->people->lead != NULL;
    check_name(day, problems);
    check_window(day, problems);
    if (day->schedule != NULL)
        calendar_check(day->schedule, node_get(day->node, "schedule")->where, day->arena, problems);
    for (size_t at = 0; at < day->drills.count; at++) {
        check_drill(day, at, problems);
        if (drills[at].go == GO_NOT_GIVEN)
            drills[at].go = led ? GO_ASK : GO_AUTO;
    }
}

struct GameDay *gameday_new(const struct Document *document, struct Problems *problems)
{
    struct Arena *arena = arena_new("game day", MEMORY);
    struct GameDay *day = arena_zero(arena, 1, sizeof *day);
    struct Decode decode = {.arena = arena, .problems = problems, .reference = reference_none};
    size_t before = problems_errors(problems);
    bool good = needs_met(document->root, problems) &&
                decode_record(&decode, document->root, &GAMEDAY_RECORD, day);
    day->arena = arena;
    day->path = arena_text(arena, document->path);
    day->text = arena_bytes(arena, document->text, document->size);
    hash_hex(document->text, document->size, day->hash);
    if (good)
        check(day, problems);
    if (good && problems_errors(problems) == before)
        return day;
    arena_free(arena);
    return NULL;
}

void gameday_free(struct GameDay *day)
{
    if (day != NULL)
        arena_free(day->arena);
}

const struct DayDrill *gameday_drill(const struct GameDay *day, const char *scenario)
{
    const struct DayDrill *drills = day->drills.items;
    for (size_t at = 0; at < day->drills.count; at++)
        if (text_same_name(drills[at].scenario, scenario))
            return &drills[at];
    return NULL;
}

bool gameday_open(const struct GameDay *day, const struct Zone *zone, struct Wall at,
                  int64_t lasts_ns)
{
    const struct DayWindow *window = &day->window;
    const struct TimeWindow *hours = &window->hours;
    const struct GateTimes times = {.windows = {(void *)(uintptr_t)hours, 1}, .zone = zone};
    struct ZoneTime now;
    struct Wall until;
    if (!window->given)
        return true;
    zone_time(zone, at, &now);
    int64_t date = days_of(now.year, now.month, now.day);
    bool over_midnight = hours->to <= hours->from && now.minute < hours->to;
    if (window->dated && date != window->date + (over_midnight ? 1 : 0))
        return false;
    return times_in_window(&times, at, lasts_ns, &until);
}
