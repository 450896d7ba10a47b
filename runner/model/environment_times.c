/* environment_times.c - windows, freeze and the zone that they are meant in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_build.h"

static const struct Node *item_of(const struct Node *list, size_t at)
{
    return list->type == NODE_LIST ? list->items[at] : list;
}

static bool say(struct Problems *problems, const struct Node *node, const char *what,
                const char *like)
{
    problems_say(problems, ERR_VALUE, node->where, NULL, "'%s' is no %s", node->text, what);
    err_at(problems_last(problems), "like %s", like);
    return false;
}

bool gate_times_read(const struct GateFields *gate, struct Arena *arena, struct Problems *problems,
                     struct GateTimes *out)
{
    const char *const *windows = gate->windows.items, *const *freezes = gate->freeze.items;
    bool good = true;
    for (size_t at = 0; at < gate->windows.count; at++) {
        struct TimeWindow window;
        if (window_parse(windows[at], &window))
            *(struct TimeWindow *)list_add(&out->windows, arena, sizeof window) = window;
        else
            good = say(problems, item_of(node_get(gate->node, "windows"), at), "window",
                       "Tue..Thu 10:00-15:00");
    }
    for (size_t at = 0; at < gate->freeze.count; at++) {
        struct FreezeDays freeze;
        if (freeze_parse(freezes[at], &freeze))
            *(struct FreezeDays *)list_add(&out->freezes, arena, sizeof freeze) = freeze;
        else
            good = say(problems, item_of(node_get(gate->node, "freeze"), at),
                       "date or range of dates", "2026-12-24 or 2026-12-18..2027-01-04");
    }
    return good;
}

/* An hour means nothing without its zone, and that of the machine is another on each. */
void environment_set_times(struct EnvironmentBuild *build, const struct GateFields *gate)
{
    static const char *const WORDS[] = {"windows", "freeze", "max_per_day"};
    struct Environment *environment = build->environment;
    const struct Node *asks = NULL;
    for (size_t at = 0; at < COUNT_OF(WORDS) && asks == NULL; at++)
        asks = node_get(gate->node, WORDS[at]);
    if (asks == NULL)
        return;
    if (!gate_times_read(gate, build->arena, build->problems, &environment->times))
        build->good = false;
    environment->times.zone_name = environment->timezone;
    if (environment->timezone != NULL) {
        environment->times.zone = zone_read(environment->timezone, build->arena);
        return; /* where there is no such zone, environment_check says so */
    }
    problems_say(build->problems, ERR_REQUIRED, asks->where, "Say timezone: Europe/Berlin, or UTC.",
                 "the rules about days and hours need `timezone:`");
    build->good = false;
}
