/* clock.c - two clocks, two types, so that the compiler refuses to mix them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "text.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        bug("clock %d cannot be read", (int)clock);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct Mono mono_now(void)
{
    return (struct Mono){.ns = read_clock(CLOCK_MONOTONIC)};
}

struct Wall wall_now(void)
{
    return (struct Wall){.ns = read_clock(CLOCK_REALTIME)};
}

int64_t boottime_now_ns(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

struct Mono mono_add(struct Mono from, int64_t ns)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(from.ns, ns, &sum))
        sum = ns > 0 ? NS_NEVER : INT64_MIN;
    return (struct Mono){.ns = sum};
}

int64_t mono_since(struct Mono earlier, struct Mono later)
{
    int64_t difference = 0;
    if (__builtin_sub_overflow(later.ns, earlier.ns, &difference))
        difference = later.ns > earlier.ns ? NS_NEVER : INT64_MIN;
    return difference;
}

bool mono_before(struct Mono a, struct Mono b)
{
    return a.ns < b.ns;
}

struct Mono mono_min(struct Mono a, struct Mono b)
{
    return a.ns < b.ns ? a : b;
}

/* Rounded down also before 1970, so that the milliseconds are never negative. */
static time_t split_wall(struct Wall wall, int *ms)
{
    int64_t seconds = wall.ns / NS_PER_S, rest = wall.ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    *ms = (int)(rest / NS_PER_MS);
    return (time_t)seconds;
}

void wall_utc(struct Wall wall, char out[32])
{
    int ms = 0;
    time_t seconds = split_wall(wall, &ms);
    struct tm parts = {0};
    if (gmtime_r(&seconds, &parts) == NULL)
        bug("no date for %lld", (long long)seconds);
    char date[24];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out, 32, "%s.%03dZ", date, ms);
}

void wall_local(struct Wall wall, char out[48])
{
    int ms = 0;
    time_t seconds = split_wall(wall, &ms);
    struct tm parts = {0};
    tzset();
    if (localtime_r(&seconds, &parts) == NULL)
        bug("no date for %lld", (long long)seconds);
    char date[24], zone[16];
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &parts);
    if (strftime(zone, sizeof(zone), "%Z", &parts) == 0)
        zone[0] = '\0';
    snprintf(out, 48, "%s.%03d %s", date, ms, zone);
}

static bool take_fraction(const char **text, int64_t *ns)
{
    *ns = 0;
    if (!text_take_char(text, '.'))
        return true;
    int64_t unit = NS_PER_S;
    for (; **text >= '0' && **text <= '9' && unit > 1; (*text)++) {
        unit /= 10;
        *ns += unit * (**text - '0');
    }
    return unit < NS_PER_S;
}

static bool in_range(int value, int low, int high)
{
    return value >= low && value <= high;
}

bool wall_parse(const char *text, struct Wall *out)
{
    struct tm parts = {0};
    int64_t fraction = 0;
    int year = text_take_digits(&text, 4);
    if (!text_take_char(&text, '-'))
        return false;
    int month = text_take_digits(&text, 2);
    if (!text_take_char(&text, '-'))
        return false;
    int day = text_take_digits(&text, 2);
    if (!text_take_char(&text, 'T'))
        return false;
    parts.tm_hour = text_take_digits(&text, 2);
    if (!text_take_char(&text, ':'))
        return false;
    parts.tm_min = text_take_digits(&text, 2);
    if (!text_take_char(&text, ':'))
        return false;
    parts.tm_sec = text_take_digits(&text, 2);
    if (!take_fraction(&text, &fraction) || strcmp(text, "Z") != 0)
        return false;
    if (!in_range(year, 1970, 2261) || !in_range(month, 1, 12) || !in_range(day, 1, 31) ||
        !in_range(parts.tm_hour, 0, 23) || !in_range(parts.tm_min, 0, 59) ||
        !in_range(parts.tm_sec, 0, 59))
        return false;
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    time_t seconds = timegm(&parts);
    if (parts.tm_mday != day) /* 31 April became 1 May */
        return false;
    out->ns = (int64_t)seconds * NS_PER_S + fraction;
    return true;
}
