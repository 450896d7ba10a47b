/* times.c - windows of the week and days without drills, by the clocks of a named zone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "times.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"

#define MINUTE_NS (60 * NS_PER_S)

enum { DAY_MINUTES = 24 * 60, WEEK = 7, AHEAD_MINUTES = 8 * DAY_MINUTES };

static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* ---- Reading. ---- */

static int take_day(const char **text)
{
    for (int day = 0; day < WEEK; day++)
        if (strncmp(*text, DAYS[day], 3) == 0) {
            *text += 3;
            return day;
        }
    return -1;
}

/* "Mon", "Tue..Thu", "Sat..Mon,Wed", up to the blank. */
static bool take_days(const char **text, unsigned *out)
{
    for (;;) {
        int first = take_day(text), last = first;
        if (first >= 0 && strncmp(*text, "..", 2) == 0) {
            *text += 2;
            last = take_day(text);
        }
        if (first < 0 || last < 0)
            return false;
        for (int day = first;; day = (day + 1) % WEEK) {
            *out |= 1U << day;
            if (day == last)
                break;
        }
        if (**text != ',')
            return true;
        (*text)++;
    }
}

static bool take_minute(const char **text, int *out)
{
    int hour = text_take_digits(text, 2);
    if (hour < 0 || !text_take_char(text, ':'))
        return false;
    int minute = text_take_digits(text, 2);
    *out = hour * 60 + minute;
    return minute >= 0 && minute < 60 && *out <= DAY_MINUTES;
}

bool window_parse(const char *text, struct TimeWindow *out)
{
    *out = (struct TimeWindow){.text = text};
    if (text[0] >= '0' && text[0] <= '9')
        out->days = (1U << WEEK) - 1;
    else if (!take_days(&text, &out->days) || !text_take_char(&text, ' '))
        return false;
    return take_minute(&text, &out->from) && text_take_char(&text, '-') &&
           take_minute(&text, &out->to) && *text == '\0' && out->from < DAY_MINUTES &&
           out->to > 0 && out->from != out->to;
}

static bool take_date(const char **text, int64_t *out)
{
    int year = text_take_digits(text, 4);
    if (year < 1970 || !text_take_char(text, '-'))
        return false;
    int month = text_take_digits(text, 2);
    if (month < 1 || month > 12 || !text_take_char(text, '-'))
        return false;
    int day = text_take_digits(text, 2);
    int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    *out = days_of(year, month, day);
    return day >= 1 && *out < next;
}

bool freeze_parse(const char *text, struct FreezeDays *out)
{
    *out = (struct FreezeDays){.text = text};
    if (!take_date(&text, &out->first))
        return false;
    out->last = out->first;
    if (*text == '\0')
        return true;
    if (strncmp(text, "..", 2) != 0)
        return false;
    text += 2;
    return take_date(&text, &out->last) && *text == '\0' && out->last >= out->first;
}

/* ---- Asking. ---- */

static bool is_inside(const struct TimeWindow *window, const struct ZoneTime *time)
{
    bool today = (window->days >> time->weekday & 1) != 0;
    bool yesterday = (window->days >> ((time->weekday + WEEK - 1) % WEEK) & 1) != 0;
    if (window->from < window->to)
        return today && time->minute >= window->from && time->minute < window->to;
    return (today && time->minute >= window->from) || (yesterday && time->minute < window->to);
}

static bool is_open(const struct GateTimes *times, struct Wall at)
{
    const struct TimeWindow *windows = times->windows.items;
    struct ZoneTime time;
    bool open = times->windows.count == 0;
    zone_time(times->zone, at, &time);
    for (size_t i = 0; i < times->windows.count && !open; i++)
        open = is_inside(&windows[i], &time);
    return open && (times->also == NULL || is_open(times->also, at));
}

/* The next whole minute; zones change at whole minutes. */
static struct Wall next_minute(struct Wall at)
{
    return (struct Wall){at.ns - at.ns % MINUTE_NS + MINUTE_NS};
}

bool times_in_window(const struct GateTimes *times, struct Wall at, int64_t lasts_ns,
                     struct Wall *until)
{
    int64_t end = at.ns + lasts_ns;
    if (times->windows.count == 0)
        return true;
    for (; at.ns <= end; at = next_minute(at)) {
        *until = at;
        if (!is_open(times, at))
            return false;
    }
    return true;
}

const struct FreezeDays *times_frozen(const struct GateTimes *times, struct Wall at,
                                      int64_t lasts_ns)
{
    const struct FreezeDays *freezes = times->freezes.items;
    struct ZoneTime first, last;
    if (times->freezes.count == 0)
        return NULL;
    zone_time(times->zone, at, &first);
    zone_time(times->zone, (struct Wall){at.ns + lasts_ns}, &last);
    int64_t from = days_of(first.year, first.month, first.day);
    int64_t to = days_of(last.year, last.month, last.day);
    for (size_t i = 0; i < times->freezes.count; i++)
        if (from <= freezes[i].last && to >= freezes[i].first)
            return &freezes[i];
    return NULL;
}

struct Wall times_next_open(const struct GateTimes *times, struct Wall at)
{
    for (int i = 0; i < AHEAD_MINUTES; i++) {
        if (is_open(times, at) && times_frozen(times, at, 0) == NULL)
            return at;
        at = next_minute(at);
    }
    return (struct Wall){0};
}

void times_say(const struct GateTimes *times, struct Wall at, char out[32])
{
    struct ZoneTime time;
    zone_time(times->zone, at, &time);
    snprintf(out, 32, "%s %02d:%02d", DAYS[time.weekday], time.minute / 60, time.minute % 60);
}
