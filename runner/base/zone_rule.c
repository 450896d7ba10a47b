/* zone_rule.c - the rule at the end of a tzdata file, as POSIX writes TZ. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "zone_rule.h"

#include <string.h>

#define HOUR_S 3600
#define DAY_S 86400

enum { LETTERS_MOST = 32, HOURS_MOST = 167 };

/* Howard Hinnant's reckoning: years begin in March, so that the leap day comes last. */
int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2 ? 1 : 0);
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void date_of(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2 ? 1 : 0));
}

static bool take_number(const char **text, int most, int *out)
{
    const char *begin = *text;
    int value = 0;
    for (; **text >= '0' && **text <= '9' && value <= most; (*text)++)
        value = value * 10 + (**text - '0');
    *out = value;
    return *text > begin && value <= most;
}

static bool take(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

/* "CET", or "<+0330>" */
static bool take_name(const char **text, struct Arena *arena, const char **out)
{
    bool quoted = take(text, '<');
    size_t size = quoted ? strcspn(*text, ">") : strcspn(*text, "+-0123456789,");
    if (size < 3 || size > LETTERS_MOST || (quoted && (*text)[size] != '>'))
        return false;
    *out = arena_bytes(arena, *text, size);
    *text += size + (quoted ? 1 : 0);
    return true;
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_seconds(const char **text, int32_t *out)
{
    bool minus = take(text, '-');
    int hours = 0, minutes = 0, seconds = 0;
    if (!minus)
        (void)take(text, '+');
    if (!take_number(text, HOURS_MOST, &hours) ||
        (take(text, ':') && !take_number(text, 59, &minutes)) ||
        (take(text, ':') && !take_number(text, 59, &seconds)))
        return false;
    int32_t sum = hours * HOUR_S + minutes * 60 + seconds;
    *out = minus ? -sum : sum;
    return true;
}

static bool take_change(const char **text, struct ZoneChange *out)
{
    *out = (struct ZoneChange){.form = 'N', .seconds = 2 * HOUR_S};
    if (!take(text, ','))
        return false;
    if (take(text, 'M')) {
        out->form = 'M';
        if (!take_number(text, 12, &out->month) || out->month < 1 || !take(text, '.') ||
            !take_number(text, 5, &out->week) || out->week < 1 || !take(text, '.') ||
            !take_number(text, 6, &out->day))
            return false;
    } else {
        if (take(text, 'J'))
            out->form = 'J';
        if (!take_number(text, 365, &out->day) || (out->form == 'J' && out->day < 1))
            return false;
    }
    return !take(text, '/') || take_seconds(text, &out->seconds);
}

bool zone_rule_parse(const char *text, struct Arena *arena, struct ZoneRule *out)
{
    *out = (struct ZoneRule){.name = NULL};
    if (!take_name(&text, arena, &out->name) || !take_seconds(&text, &out->offset))
        return false;
    out->offset = -out->offset; /* POSIX counts to the west */
    if (*text == '\0')
        return true;
    out->has_summer = true;
    if (!take_name(&text, arena, &out->summer_name))
        return false;
    out->summer_offset = out->offset + HOUR_S;
    if (*text != ',') {
        if (!take_seconds(&text, &out->summer_offset))
            return false;
        out->summer_offset = -out->summer_offset;
    }
    return take_change(&text, &out->begin) && take_change(&text, &out->end) && *text == '\0';
}

static int64_t day_of_change(const struct ZoneChange *change, int year)
{
    if (change->form == 'N')
        return days_of(year, 1, 1) + change->day;
    if (change->form == 'J') { /* 29 February is never counted */
        bool leap = days_of(year, 3, 1) - days_of(year, 2, 1) == 29;
        return days_of(year, 1, 1) + change->day - 1 + (leap && change->day >= 60 ? 1 : 0);
    }
    int64_t first = days_of(year, change->month, 1);
    int64_t next =
        change->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, change->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
    while (day >= next) /* the fifth means the last */
        day -= 7;
    return day;
}

bool zone_rule_is_summer(const struct ZoneRule *rule, int64_t seconds)
{
    int year, month, day;
    if (!rule->has_summer)
        return false;
    int64_t local = seconds + rule->offset;
    date_of(local / DAY_S - (local % DAY_S < 0 ? 1 : 0), &year, &month, &day);
    int64_t begin = day_of_change(&rule->begin, year) * DAY_S + rule->begin.seconds - rule->offset;
    int64_t end = day_of_change(&rule->end, year) * DAY_S + rule->end.seconds - rule->summer_offset;
    if (begin < end)
        return seconds >= begin && seconds < end;
    return seconds >= begin || seconds < end; /* south of the equator */
}
