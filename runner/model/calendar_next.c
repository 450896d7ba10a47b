/* calendar_next.c - the next date of a calendar by the clocks of a zone; and cron's words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "../base/zone_rule.h"
#include "calendar.h"

#define DAY_S 86400

enum { YEAR_FIRST = 1970, YEAR_LAST = 2199 };

static bool has(uint64_t set, int number)
{
    return (set >> number & 1) != 0;
}

static int month_days(int year, int month)
{
    int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    return (int)(next - days_of(year, month, 1));
}

static bool is_day(const struct Calendar *calendar, int64_t days)
{
    int year, month, day;
    date_of(days, &year, &month, &day);
    int since = year - YEAR_FIRST;
    int counted = calendar->from_end ? month_days(year, month) + 1 - day : day;
    int weekday = (int)(((days + 4) % 7 + 7) % 7);
    return year >= YEAR_FIRST && year <= YEAR_LAST &&
           has(calendar->years[since / 64], since % 64) && has(calendar->months, month) &&
           has(calendar->days, counted) && has(calendar->weekdays, weekday);
}

static int64_t offset_at(const struct Zone *zone, int64_t seconds)
{
    struct ZoneTime time;
    zone_time(zone, (struct Wall){seconds * NS_PER_S}, &time);
    return time.offset;
}

/* The first moment at which the clocks show it; false where they jump over it. */
static bool moment_of(const struct Zone *zone, int64_t local, int64_t *out)
{
    const int64_t offsets[] = {offset_at(zone, local - DAY_S), offset_at(zone, local + DAY_S)};
    bool found = false;
    for (size_t at = 0; at < COUNT_OF(offsets); at++) {
        int64_t seconds = local - offsets[at];
        if (offset_at(zone, seconds) != offsets[at] || (found && seconds >= *out))
            continue;
        *out = seconds;
        found = true;
    }
    return found;
}

/* Of one day, the first after `after`. */
static bool first_of_day(const struct Calendar *calendar, const struct Zone *zone, int64_t day,
                         int64_t after, int64_t *out)
{
    for (int hour = 0; hour < 24; hour++) {
        for (int minute = 0; has(calendar->hours, hour) && minute < 60; minute++) {
            for (int second = 0; has(calendar->minutes, minute) && second < 60; second++) {
                int64_t local = day * DAY_S + hour * 3600 + minute * 60 + second;
                if (has(calendar->seconds, second) && moment_of(zone, local, out) && *out > after)
                    return true;
            }
        }
    }
    return false;
}

struct Wall calendar_next(const struct Calendar *calendar, const struct Zone *zone,
                          struct Wall after)
{
    const struct Zone *in = calendar->zone != NULL ? calendar->zone : zone;
    struct ZoneTime today;
    int64_t seconds = after.ns / NS_PER_S, found = 0;
    zone_time(in, after, &today);
    int64_t end = days_of(YEAR_LAST, 12, 31);
    for (int64_t day = days_of(today.year, today.month, today.day); day <= end; day++)
        if (is_day(calendar, day) && first_of_day(calendar, in, day, seconds, &found))
            return (struct Wall){found * NS_PER_S};
    return (struct Wall){0};
}

/* ---- Cron. ---- */

static uint64_t all_of(int first, int last)
{
    return (UINT64_C(2) << last) - (UINT64_C(1) << first);
}

/* The distance of numbers that begin at `first` and go on to the end of it; 0 = they do not. */
static int step_of(uint64_t set, int first, int last)
{
    for (int step = 2; has(set, first) && step <= (last - first) / 2; step++) {
        uint64_t steps = 0;
        for (int at = first; at <= last; at += step)
            steps |= UINT64_C(1) << at;
        if (steps == set)
            return step;
    }
    return 0;
}

static void put_set(uint64_t set, int first, int last, struct Buf *out)
{
    int step = step_of(set, first, last);
    const char *comma = "";
    if (set == all_of(first, last)) {
        buf_char(out, '*');
        return;
    }
    if (step > 0) {
        buf_printf(out, "*/%d", step);
        return;
    }
    for (int at = first; at <= last; at++) {
        int to = at;
        if (!has(set, at))
            continue;
        while (to < last && has(set, to + 1))
            to++;
        buf_printf(out, to > at ? "%s%d-%d" : "%s%d", comma, at, to);
        comma = ",";
        at = to;
    }
}

bool calendar_cron(const struct Calendar *calendar, struct Buf *out, const char **why)
{
    *why = NULL;
    if (calendar->seconds != 1)
        *why = "it knows no seconds";
    else if (!calendar->any_year)
        *why = "it knows no years";
    else if (calendar->from_end)
        *why = "it cannot count days from the end of a month";
    else if (!calendar->any_day && !calendar->any_weekday)
        *why = "a day of the month and a day of the week mean either of them there, not both";
    if (*why != NULL)
        return false;
    put_set(calendar->minutes, 0, 59, out);
    buf_char(out, ' ');
    put_set(calendar->hours, 0, 23, out);
    buf_char(out, ' ');
    put_set(calendar->days, 1, 31, out);
    buf_char(out, ' ');
    put_set(calendar->months, 1, 12, out);
    buf_char(out, ' ');
    put_set(calendar->weekdays, 0, 6, out);
    return true;
}
