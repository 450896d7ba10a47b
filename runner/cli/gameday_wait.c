/* gameday_wait.c - between two drills: pauses, signals, and the lead's go. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "gameday_parts.h"

/* A lead who says nothing for so long has left. */
#define GO_NS (4 * 3600 * NS_PER_S)
#define LOOK_NS (250 * NS_PER_MS)

static void signalled(void *data, int number)
{
    struct Day *day = data;
    day->signal = number;
    loop_stop(day->base->loop);
}

static void looked(void *data, int events)
{
    struct Day *day = data;
    struct Mono now = mono_now();
    (void)events;
    if ((day->over != NULL && day->over(day)) || !mono_before(now, day->until)) {
        loop_stop(day->base->loop);
        return;
    }
    loop_timer_at(day->timer, mono_min(mono_add(now, LOOK_NS), day->until));
}

void day_hears(struct Day *day)
{
    day->timer = loop_timer(day->base->loop, looked, day);
    loop_signals(day->base->loop, signalled, day);
}

void day_deaf(struct Day *day)
{
    loop_signals(day->base->loop, NULL, NULL);
    loop_timer_free(day->timer);
    day->timer = NULL;
}

bool day_wait(struct Day *day, int64_t ns, bool (*over)(struct Day *day))
{
    day->over = over;
    day->until = mono_add(mono_now(), ns);
    loop_timer_at(day->timer, mono_now());
    loop_run(day->base->loop);
    loop_timer_off(day->timer);
    return day->signal == 0 && (over == NULL || over(day));
}

bool day_interrupted(struct Day *day)
{
    if (day->signal == 0)
        (void)day_wait(day, 0, NULL);
    return day->signal != 0;
}

const char *day_signal_name(const struct Day *day)
{
    return day->signal == SIGINT ? "Ctrl-C" : day->signal == SIGTERM ? "SIGTERM" : "SIGHUP";
}

/* ---- The go. ---- */

struct Asked {
    struct Wall since;
    const char *by; /* who said go; NULL = nobody so far */
    bool refused;
};

static void look_at_notes(struct Day *day, struct Asked *asked)
{
    struct Arena *arena = arena_new("go", 16U << 20);
    struct List notes = {0};
    struct Err err;
    const struct Note *note = NULL;
    if (store_day_notes(day->base->store, day->row.id, arena, &notes, &err))
        note = notes.items;
    for (size_t at = 0; note != NULL && at < notes.count && asked->by == NULL; at++)
        if (text_equal(note[at].type, "go") && note[at].made.ns >= asked->since.ns)
            asked->by = arena_text(day->base->cli->arena, note[at].who);
    arena_free(arena);
}

static void look_at_terminal(struct Day *day, struct Asked *asked)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[200];
    if (!day->may_ask || poll(&in, 1, 0) <= 0)
        return;
    ssize_t size = read(STDIN_FILENO, line, sizeof line);
    asked->refused = size <= 0 || line[0] == 'n' || line[0] == 'N';
    if (size > 0 && (line[0] == 'y' || line[0] == 'Y'))
        asked->by = day->base->who;
}

bool day_go(struct Day *day, const struct DayDrill *drill, const char **why)
{
    struct Asked asked = {.since = wall_now()};
    struct Mono end = mono_add(mono_now(), GO_NS);
    fprintf(stderr, "%s: go? [y/n], or from elsewhere: faildrill note --go\n", drill->scenario);
    while (asked.by == NULL && !asked.refused && mono_before(mono_now(), end)) {
        if (!day_wait(day, LOOK_NS, NULL)) {
            *why = "interrupted";
            return false;
        }
        if (!gameday_open(day->file, day->zone, wall_now(), 0)) {
            *why = "the window closed before somebody said go";
            return false;
        }
        look_at_terminal(day, &asked);
        look_at_notes(day, &asked);
    }
    if (asked.by == NULL)
        *why = asked.refused ? "the lead said no" : "nobody said go";
    return asked.by != NULL;
}
