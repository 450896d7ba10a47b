/* calendar.h - "Tue 10:30": when a drill is due, and the same in the words of cron. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_CALENDAR_H
#define FD_MODEL_CALENDAR_H

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/zone.h"

/* The key of files that have one. */
#define SCHEDULE_ROW(offset_of)                                                                    \
    {                                                                                              \
        .name = "schedule", .type = FIELD_TEXT, .offset = offset_of, .flags = FIELD_PROSE,         \
        .example = "Tue 10:30",                                                                    \
        .doc = "When it is due, as systemd.time(7) writes it; `faildrill schedule` prints what "   \
               "starts it then, and `trends` says when it is overdue."                             \
    }

/* The calendar form of systemd.time(7): [weekdays] [year-month-day] [hour:minute[:second]] [zone],
 * or daily, weekly ... Each part is *, a number, a list 1,15, a range 1..7, or steps 0/15; ~ in the
 * place of the last dash counts days from the end of the month. Not: fractions of a second, years
 * of two digits. A set of numbers is a set of bits. */
struct Calendar {
    const char *text;
    unsigned weekdays; /* bit 0 = Sunday */
    bool any_weekday, any_year, any_day;
    uint64_t years[4]; /* bit 0 = 1970 */
    uint64_t months, days, hours, minutes, seconds;
    bool from_end;         /* day 1 is the last of the month */
    const char *zone_name; /* as written, or NULL */
    const struct Zone *zone;
};
/* Everything that is kept is in the arena. *why: what is wrong, a part of a sentence. */
bool calendar_parse(const char *text, struct Arena *arena, struct Calendar *out, const char **why);
/* The same for a value of a file: what is wrong becomes a problem there. */
bool calendar_check(const char *text, struct Where where, struct Arena *arena,
                    struct Problems *problems);
/* The first date after `after`, by the calendar's own zone or else by `zone`. 0 = never: not until
 * 2199. A time that the clocks jump over is left out; one that comes twice counts the first time.
 */
struct Wall calendar_next(const struct Calendar *calendar, const struct Zone *zone,
                          struct Wall after);
/* "30 10 * * 2". False where cron has no words for it; *why says what. The zone is not looked at.
 */
bool calendar_cron(const struct Calendar *calendar, struct Buf *out, const char **why);

#endif
