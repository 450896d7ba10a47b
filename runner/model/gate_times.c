/* gate_times.c - the rules of the gate about when: windows, freeze, max_per_day. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/duration.h"

#define SENTENCE_MOST 400

static const char *all_windows(const struct GateTimes *times, struct Arena *arena)
{
    const struct TimeWindow *windows = times->windows.items;
    struct Buf text = BUF(SENTENCE_MOST);
    for (size_t at = 0; at < times->windows.count; at++)
        buf_printf(&text, "%s%s", at > 0 ? ", " : "", windows[at].text);
    for (const struct GateTimes *also = times->also; also != NULL; also = also->also) {
        windows = also->windows.items;
        for (size_t at = 0; at < also->windows.count; at++)
            buf_printf(&text, "%s%s", at > 0 ? ", " : " and ", windows[at].text);
    }
    const char *said = arena_printf(arena, "%s %s", text.text, times->zone_name);
    buf_free(&text);
    return said;
}

static const char *say_closed(const struct GateTimes *times, struct Wall now, struct Arena *arena)
{
    char at[32], opens[32];
    const char *windows = all_windows(times, arena);
    struct Wall next = times_next_open(times, now);
    times_say(times, now, at);
    if (next.ns == 0)
        return arena_printf(arena, "closed: now %s, open %s; not in the next 8 days", at, windows);
    times_say(times, next, opens);
    return arena_printf(arena, "closed: now %s, open %s; next %s", at, windows, opens);
}

static bool check_windows(const struct GateTimes *times, struct Wall now, int64_t lasts_ns,
                          struct Arena *arena, struct List *rules)
{
    struct Wall until = now;
    char at[32], closes[32], lasts[32];
    if (times->windows.count == 0)
        return true;
    bool holds = times_in_window(times, now, lasts_ns, &until);
    times_say(times, now, at);
    const char *sentence;
    if (holds) {
        sentence = arena_printf(arena, "%s; now %s", all_windows(times, arena), at);
    } else if (until.ns == now.ns) {
        sentence = say_closed(times, now, arena);
    } else {
        times_say(times, until, closes);
        duration_say(lasts_ns, lasts);
        sentence = arena_printf(arena, "closes %s, now %s, and a fault may last %s: %s", closes, at,
                                lasts, all_windows(times, arena));
    }
    gate_add_rule(rules, arena, "windows", holds, sentence);
    return holds;
}

static bool check_freeze(const struct GateTimes *times, struct Wall now, int64_t lasts_ns,
                         struct Arena *arena, struct List *rules)
{
    if (times->freezes.count == 0)
        return true;
    const struct FreezeDays *frozen = times_frozen(times, now, lasts_ns);
    gate_add_rule(rules, arena, "freeze", frozen == NULL,
                  frozen == NULL
                      ? "not today"
                      : arena_printf(arena, "no drills %s (%s)", frozen->text, times->zone_name));
    return frozen == NULL;
}

bool gate_times(const struct GateTimes *times, struct Wall now, int64_t lasts_ns,
                struct Arena *arena, struct List *rules)
{
    bool open = check_windows(times, now, lasts_ns, arena, rules);
    bool thawed = check_freeze(times, now, lasts_ns, arena, rules);
    return open && thawed;
}

bool gate_times_hold(const struct GateTimes *times, struct Wall now)
{
    struct Wall until;
    return times_in_window(times, now, 0, &until) && times_frozen(times, now, 0) == NULL;
}

bool gate_today(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    const struct Environment *environment = input->environment;
    int64_t most = environment->limits.per_day;
    struct ZoneTime today, then;
    int64_t count = 0;
    if (most == 0)
        return true;
    zone_time(environment->times.zone, input->now, &today);
    for (size_t at = 0; at < input->recent_count; at++) {
        zone_time(environment->times.zone, input->recent[at], &then);
        if (then.year == today.year && then.month == today.month && then.day == today.day)
            count++;
    }
    int64_t wanted = input->cycles > 1 ? input->cycles : 1;
    const char *more =
        wanted > 1 ? arena_printf(arena, ", %lld cycles to come", (long long)wanted) : "";
    bool holds = count + wanted <= most;
    gate_add_rule(rules, arena, "max_per_day", holds,
                  arena_printf(arena, "%lld of %lld runs today%s (%s)", (long long)count,
                               (long long)most, more, environment->times.zone_name));
    return holds;
}
