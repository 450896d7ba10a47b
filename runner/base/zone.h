/* zone.h - what the clocks on the wall show in a named time zone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_ZONE_H
#define FD_BASE_ZONE_H

#include "arena.h"
#include "clock.h"

/* A zone of tzdata, as its file says it. libc has one zone for the whole process, and no safe way
 * to change it while other threads read it; this one is read once and never changes. */
struct Zone;
/* NULL where there is no such zone, or its file is not understood. */
const struct Zone *zone_read(const char *name, struct Arena *arena);
/* Of the bytes of such a file; for tests. */
const struct Zone *zone_parse(const void *bytes, size_t size, struct Arena *arena);

/* The name of the zone whose time this machine shows: TZ, else /etc/localtime; "UTC" where neither
 * says. */
const char *zone_here(struct Arena *arena);

struct ZoneTime {
    int year, month, day; /* 1 = January */
    int weekday;          /* 0 = Sunday */
    int minute;           /* of the day, 0 to 1439 */
    int32_t offset;       /* seconds east of Greenwich */
    const char *name;     /* "CEST"; the zone's, or a constant */
};
void zone_time(const struct Zone *zone, struct Wall at, struct ZoneTime *out);
/* Days since 1970-01-01 of a date; for comparing dates. */
int64_t days_of(int year, int month, int day);

#endif
