/* calendar.c - reads the calendar form of systemd.time(7). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "calendar.h"

#include <string.h>
#include <strings.h>

#include "../base/text.h"

enum { YEAR_FIRST = 1970, YEAR_LAST = 2199, WORDS_MOST = 4, FROM_END_MOST = 28 };

struct Bits {
    int first, last; /* the numbers that there are */
    uint64_t *words; /* bit 0 = number `base` */
    int base;
};
struct Reading {
    const char *at;
    const char *why;
};

static bool fail(struct Reading *reading, const char *why)
{
    reading->why = why;
    return false;
}

static bool take(struct Reading *reading, const char *wanted)
{
    size_t size = strlen(wanted);
    if (strncmp(reading->at, wanted, size) != 0)
        return false;
    reading->at += size;
    return true;
}

static bool take_number(struct Reading *reading, int *out)
{
    int value = 0, digits = 0;
    for (; *reading->at >= '0' && *reading->at <= '9' && digits < 5; reading->at++, digits++)
        value = value * 10 + (*reading->at - '0');
    *out = value;
    return digits > 0 || fail(reading, "a number is missing");
}

static void set_bit(const struct Bits *bits, int number)
{
    int bit = number - bits->base;
    bits->words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* 5, 1..7, 0/15, 1..20/3; counted from the end of a month, steps go on towards it. */
static bool take_part(struct Reading *reading, const struct Bits *bits, bool from_end)
{
    int start = 0, stop = -1, step = 0;
    if (!take_number(reading, &start))
        return false;
    if (take(reading, "..")) {
        step = 1;
        if (!take_number(reading, &stop))
            return false;
    }
    if (take(reading, "/") && (!take_number(reading, &step) || step == 0))
        return fail(reading, "steps are of 1 or more");
    int last = from_end ? FROM_END_MOST : bits->last;
    if (start < bits->first || start > last || stop > last || step > last - bits->first)
        return fail(reading, "a number is out of range");
    if (stop >= 0 && stop < start)
        return fail(reading, "a range ends before it begins");
    if (step == 0) {
        set_bit(bits, start);
        return true;
    }
    int from = from_end ? (stop >= 0 ? start : bits->first) : start;
    int to = from_end ? (stop >= 0 ? stop : start) : (stop >= 0 ? stop : bits->last);
    if (from + step > to)
        return fail(reading, "the range holds no second step");
    for (int at = from_end ? to : from; at >= from && at <= to; at += from_end ? -step : step)
        set_bit(bits, at);
    return true;
}

/* *any: it is `*`, and all bits are set. */
static bool take_set(struct Reading *reading, const struct Bits *bits, bool from_end, bool *any)
{
    *any = take(reading, "*");
    if (*any) {
        if (*reading->at == '/')
            return fail(reading, "steps have a beginning, as in 0/15 or 1/2");
        for (int number = bits->first; number <= bits->last; number++)
            set_bit(bits, number);
        return true;
    }
    do {
        if (!take_part(reading, bits, from_end))
            return false;
    } while (take(reading, ","));
    return true;
}

/* ---- Words. ---- */

static int take_day(struct Reading *reading)
{
    static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    for (int day = 0; day < 7; day++) {
        size_t whole = strlen(DAYS[day]);
        size_t size = strncasecmp(reading->at, DAYS[day], whole) == 0 ? whole : 3;
        if (strncasecmp(reading->at, DAYS[day], size) != 0)
            continue;
        reading->at += size;
        return day;
    }
    return -1;
}

/* From Monday to Sunday, as a week is counted there. */
static int of_week(int day)
{
    return (day + 6) % 7;
}

static bool read_weekdays(struct Reading *reading, struct Calendar *out)
{
    do {
        int first = take_day(reading), last = first;
        if (first >= 0 && take(reading, ".."))
            last = take_day(reading);
        if (first < 0 || last < 0)
            return fail(reading, "a day of the week is Mon, Tue, Wed, Thu, Fri, Sat or Sun");
        if (of_week(last) < of_week(first))
            return fail(reading, "a range of weekdays goes from Monday towards Sunday");
        for (int day = first;; day = (day + 1) % 7) {
            out->weekdays |= 1U << day;
            if (day == last)
                break;
        }
    } while (take(reading, ","));
    return *reading->at == '\0' || fail(reading, "weekdays are like Mon,Wed or Mon..Fri");
}

static bool read_date(struct Reading *reading, struct Calendar *out)
{
    const struct Bits years = {YEAR_FIRST, YEAR_LAST, out->years, YEAR_FIRST};
    const struct Bits months = {1, 12, &out->months, 0}, days = {1, 31, &out->days, 0};
    bool any = false;
    bool has_year = strchr(reading->at, '-') != strrchr(reading->at, '-') ||
                    (strchr(reading->at, '-') != NULL && strchr(reading->at, '~') != NULL);
    out->any_year = true;
    if (has_year && (!take_set(reading, &years, false, &out->any_year) || !take(reading, "-")))
        return fail(reading, reading->why ? reading->why : "a date is year-month-day");
    if (!take_set(reading, &months, false, &any))
        return false;
    out->from_end = take(reading, "~");
    if (!out->from_end && !take(reading, "-"))
        return fail(reading, "a date is year-month-day");
    return take_set(reading, &days, out->from_end, &out->any_day) &&
           (*reading->at == '\0' || fail(reading, "a date is year-month-day"));
}

static bool read_time(struct Reading *reading, struct Calendar *out)
{
    const struct Bits hours = {0, 23, &out->hours, 0}, minutes = {0, 59, &out->minutes, 0};
    const struct Bits seconds = {0, 59, &out->seconds, 0};
    bool any = false;
    out->hours = out->minutes = out->seconds = 0;
    if (!take_set(reading, &hours, false, &any) || !take(reading, ":"))
        return fail(reading, reading->why ? reading->why : "a time is hour:minute");
    if (!take_set(reading, &minutes, false, &any))
        return false;
    if (!take(reading, ":"))
        out->seconds = 1;
    else if (!take_set(reading, &seconds, false, &any))
        return false;
    return *reading->at == '\0' || fail(reading, "a time is hour:minute or hour:minute:second");
}

/* What each stands for, by systemd.time(7). */
static const char *shorthand(const char *word)
{
    static const char *const WORDS[][2] = {
        {"minutely", "*-*-* *:*:00"},
        {"hourly", "*-*-* *:00:00"},
        {"daily", "*-*-* 00:00:00"},
        {"monthly", "*-*-01 00:00:00"},
        {"weekly", "Mon *-*-* 00:00:00"},
        {"yearly", "*-01-01 00:00:00"},
        {"annually", "*-01-01 00:00:00"},
        {"quarterly", "*-01,04,07,10-01 00:00:00"},
        {"semiannually", "*-01,07-01 00:00:00"},
    };
    for (size_t at = 0; at < COUNT_OF(WORDS); at++)
        if (strcasecmp(word, WORDS[at][0]) == 0)
            return WORDS[at][1];
    return NULL;
}

/* ---- The whole. ---- */

static size_t split(const char *text, struct Arena *arena, const char *words[WORDS_MOST + 1])
{
    size_t count = 0;
    for (text += strspn(text, " "); *text != '\0' && count <= WORDS_MOST;
         text += strspn(text, " ")) {
        size_t size = strcspn(text, " ");
        words[count++] = arena_bytes(arena, text, size);
        text += size;
    }
    return count;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* UTC, or a zone with its region, as "Europe/Berlin". */
static bool read_zone(const char *word, struct Arena *arena, struct Calendar *out)
{
    out->zone = zone_read(word, arena);
    out->zone_name = word;
    return out->zone != NULL;
}

static void set_all(struct Calendar *out)
{
    out->weekdays = 127;
    out->any_weekday = out->any_year = out->any_day = true;
    memset(out->years, 0xff, sizeof out->years);
    out->months = 0x1ffe;
    out->days = 0xfffffffe;
    out->hours = out->minutes = out->seconds = 1; /* midnight */
}

static bool read_words(const char *const *words, size_t count, struct Calendar *out,
                       struct Reading *reading)
{
    size_t at = 0;
    if (at < count && is_letter(words[at][0])) {
        out->weekdays = 0;
        out->any_weekday = false;
        reading->at = words[at++];
        if (!read_weekdays(reading, out))
            return false;
    }
    if (at < count && strchr(words[at], ':') == NULL && !is_letter(words[at][0])) {
        memset(out->years, 0, sizeof out->years);
        out->months = out->days = 0;
        reading->at = words[at++];
        if (!read_date(reading, out))
            return false;
        if (out->any_year)
            memset(out->years, 0xff, sizeof out->years);
    }
    if (at < count && strchr(words[at], ':') != NULL) {
        reading->at = words[at++];
        if (!read_time(reading, out))
            return false;
    }
    return at == count || fail(reading, "it is [weekdays] [year-month-day] [hour:minute] [zone]");
}

bool calendar_parse(const char *text, struct Arena *arena, struct Calendar *out, const char **why)
{
    const char *words[WORDS_MOST + 1];
    struct Reading reading = {.at = text};
    *out = (struct Calendar){.text = text};
    size_t count = split(text, arena, words);
    *why = count == 0 ? "it is empty" : "it has too many words";
    if (count == 0 || count > WORDS_MOST)
        return false;
    const char *known = shorthand(words[0]);
    if (known != NULL && count <= 2) {
        const char *zone = count == 2 ? words[1] : NULL;
        count = split(known, arena, words);
        if (zone != NULL)
            words[count++] = zone;
    }
    set_all(out);
    /* A word with letters at the end is a zone, unless it is all there is: "Mon". */
    const char *last = words[count - 1];
    if (is_letter(last[0]) && (count > 1 || strchr(last, '/') != NULL)) {
        if (!read_zone(last, arena, out)) {
            *why = "there is no such time zone";
            return false;
        }
        count--;
    }
    bool good = count > 0 && read_words(words, count, out, &reading);
    out->any_weekday = out->weekdays == 127;
    *why = reading.why != NULL ? reading.why : "it names no time";
    return good;
}

bool calendar_check(const char *text, struct Where where, struct Arena *arena,
                    struct Problems *problems)
{
    struct Calendar calendar;
    const char *why = NULL;
    if (calendar_parse(text, arena, &calendar, &why))
        return true;
    problems_say(problems, ERR_VALUE, where,
                 "as in Tue 10:30, Mon *-*-1..7 09:00, *-*~1 22:00 or daily; a zone may follow",
                 "'%s' is no calendar time: %s", text, why);
    return false;
}
