/* times.h - when drills may run: windows of the week, and days without any. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_TIMES_H
#define FD_MODEL_TIMES_H

#include "../base/zone.h"

/* "Tue..Thu 10:00-15:00": as the clocks on the wall show it. Where they jump over a part of it,
 * that part does not exist; where they show it twice, it is open twice. */
struct TimeWindow {
    const char *text;
    unsigned days; /* bit 0 = Sunday, on which it begins */
    int from, to;  /* minutes; to <= from: it ends on the next day */
};
/* "2026-11-24..2026-12-01", both included, or one date; in days since 1970. */
struct FreezeDays {
    const char *text;
    int64_t first, last;
};
/* gate: {windows, freeze}; zeroed = at any time. */
struct GateTimes {
    struct List windows, freezes; /* of struct TimeWindow, struct FreezeDays */
    const struct GateTimes *also; /* its windows must be open as well; NULL: no others */
    const char *zone_name;        /* "Europe/Berlin" */
    const struct Zone *zone;      /* NULL where there is no rule */
};
bool window_parse(const char *text, struct TimeWindow *out);
bool freeze_parse(const char *text, struct FreezeDays *out);

/* From `at` to lasts_ns later without a gap. *until: the first minute that is outside. */
bool times_in_window(const struct GateTimes *times, struct Wall at, int64_t lasts_ns,
                     struct Wall *until);
/* The freeze of the first day that is frozen in that time, or NULL. */
const struct FreezeDays *times_frozen(const struct GateTimes *times, struct Wall at,
                                      int64_t lasts_ns);
/* When a window opens next, within eight days; 0 = not then. */
struct Wall times_next_open(const struct GateTimes *times, struct Wall at);
/* "Tue 10:42" */
void times_say(const struct GateTimes *times, struct Wall at, char out[32]);

#endif
