/* zone_rule.h - the rule by which a time zone goes on: "CET-1CEST,M3.5.0,M10.5.0/3". */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_ZONE_RULE_H
#define FD_BASE_ZONE_RULE_H

#include "arena.h"
#include "zone.h"

/* The day and time of a change, each year. */
struct ZoneChange {
    char form; /* 'M': month, week, weekday; 'J': 1 to 365; 'N': 0 to 365 */
    int month, week, day;
    int32_t seconds; /* of that day, by the clock that is still in force; may be negative */
};
struct ZoneRule {
    const char *name, *summer_name;
    int32_t offset, summer_offset;
    bool has_summer;
    struct ZoneChange begin, end;
};
bool zone_rule_parse(const char *text, struct Arena *arena, struct ZoneRule *out);
bool zone_rule_is_summer(const struct ZoneRule *rule, int64_t seconds);
/* The reverse of days_of. */
void date_of(int64_t days, int *year, int *month, int *day);

#endif
