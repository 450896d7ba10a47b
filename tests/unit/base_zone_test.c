/* base_zone_test.c - time zones: gap, overlap, both hemispheres, and files that are none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../runner/base/zone_rule.h"

struct Row {
    const char *zone, *utc, *local; /* local: "2026-03-29 Sun 03:00 CEST" */
};
static const struct Row ROWS[] = {
    /* The gap of spring: 02:00 to 03:00 does not exist. */
    {"Europe/Berlin", "2026-03-29T00:59:59.000Z", "2026-03-29 Sun 01:59 CET"},
    {"Europe/Berlin", "2026-03-29T01:00:00.000Z", "2026-03-29 Sun 03:00 CEST"},
    /* The overlap of autumn: 02:00 to 03:00 comes twice. */
    {"Europe/Berlin", "2026-10-25T00:30:00.000Z", "2026-10-25 Sun 02:30 CEST"},
    {"Europe/Berlin", "2026-10-25T01:30:00.000Z", "2026-10-25 Sun 02:30 CET"},
    {"Europe/Berlin", "2026-11-24T09:00:00.000Z", "2026-11-24 Tue 10:00 CET"},
    /* After the last change that the file lists, its rule goes on. */
    {"Europe/Berlin", "2060-07-01T10:00:00.000Z", "2060-07-01 Thu 12:00 CEST"},
    {"Europe/Berlin", "2060-12-01T10:00:00.000Z", "2060-12-01 Wed 11:00 CET"},
    {"America/New_York", "2026-03-08T06:59:00.000Z", "2026-03-08 Sun 01:59 EST"},
    {"America/New_York", "2026-03-08T07:00:00.000Z", "2026-03-08 Sun 03:00 EDT"},
    {"America/New_York", "2055-11-07T05:59:00.000Z", "2055-11-07 Sun 01:59 EDT"},
    {"America/New_York", "2055-11-07T06:00:00.000Z", "2055-11-07 Sun 01:00 EST"},
    /* South of the equator summer goes over the new year. */
    {"Australia/Lord_Howe", "2026-01-01T00:00:00.000Z", "2026-01-01 Thu 11:00 +11"},
    {"Australia/Sydney", "2050-01-10T00:00:00.000Z", "2050-01-10 Mon 11:00 AEDT"},
    {"Australia/Sydney", "2050-07-10T00:00:00.000Z", "2050-07-10 Sun 10:00 AEST"},
    {"Asia/Kolkata", "2026-11-24T20:00:00.000Z", "2026-11-25 Wed 01:30 IST"},
    {"Pacific/Kiritimati", "2026-12-31T10:00:00.000Z", "2027-01-01 Fri 00:00 +14"},
    {"UTC", "2024-02-29T23:59:00.000Z", "2024-02-29 Thu 23:59 UTC"},
    {"Asia/Tehran", "2026-06-01T00:00:00.000Z", "2026-06-01 Mon 03:30 +0330"},
};

static void say(const struct ZoneTime *time, char out[64])
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    snprintf(out, 64, "%04d-%02d-%02d %s %02d:%02d %s", time->year, time->month, time->day,
             DAYS[time->weekday], time->minute / 60, time->minute % 60, time->name);
}

static void test_each_zone_shows_its_own_time(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 16U << 20);
    for (size_t at = 0; at < sizeof ROWS / sizeof ROWS[0]; at++) {
        const struct Zone *zone = zone_read(ROWS[at].zone, arena);
        struct Wall wall;
        struct ZoneTime time;
        char said[64];
        assert_non_null(zone);
        assert_true(wall_parse(ROWS[at].utc, &wall));
        zone_time(zone, wall, &time);
        say(&time, said);
        assert_string_equal(said, ROWS[at].local);
    }
    arena_free(arena);
}

/* Hour by hour over seventy years, beside the reckoning of libc. */
static void test_libc_agrees(void **state)
{
    (void)state;
    static const char *const ZONES[] = {"Europe/Berlin", "America/New_York", "Australia/Sydney",
                                        "Asia/Tokyo",    "America/Santiago", "Africa/Casablanca"};
    struct Arena *arena = arena_new("test", 16U << 20);
    for (size_t at = 0; at < sizeof ZONES / sizeof ZONES[0]; at++) {
        const struct Zone *zone = zone_read(ZONES[at], arena);
        setenv("TZ", ZONES[at], 1);
        tzset();
        for (int64_t seconds = 0; seconds < 70LL * 365 * 86400; seconds += 3600 * 7 + 1740) {
            time_t now = (time_t)seconds;
            struct tm parts;
            struct ZoneTime time;
            localtime_r(&now, &parts);
            zone_time(zone, (struct Wall){seconds * NS_PER_S}, &time);
            if (time.offset != parts.tm_gmtoff || time.weekday != parts.tm_wday ||
                time.day != parts.tm_mday || time.month != parts.tm_mon + 1 ||
                time.year != parts.tm_year + 1900 ||
                time.minute != parts.tm_hour * 60 + parts.tm_min)
                fail_msg("%s at %lld: offset %d, libc %ld", ZONES[at], (long long)seconds,
                         time.offset, parts.tm_gmtoff);
        }
    }
    unsetenv("TZ");
    tzset();
    arena_free(arena);
}

static void test_what_is_no_zone_is_none(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "",         "Europe",         "Europe/Berlni",  "../../../etc/passwd",
        "zone.tab", "/etc/localtime", "Europe/Berlin\n"};
    struct Arena *arena = arena_new("test", 16U << 20);
    for (size_t at = 0; at < sizeof NAMES / sizeof NAMES[0]; at++)
        assert_null(zone_read(NAMES[at], arena));
    arena_free(arena);
}

/* Cut at every byte: none of them is read past its end, and no part counts as the whole. */
static void test_half_a_file_is_none(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 256U << 20);
    static char bytes[64 << 10];
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "re");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_non_null(zone_parse(bytes, size, arena));
    for (size_t cut = 0; cut < size; cut++)
        assert_null(zone_parse(bytes, cut, arena));
    arena_free(arena);
}

static void test_rules_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "CET",
                                      "CE-1",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x",
                                      "CET-1CEST,J0,J300",
                                      "CET-200",
                                      "<+03-3"};
    struct Arena *arena = arena_new("test", 1U << 20);
    struct ZoneRule rule;
    for (size_t at = 0; at < sizeof BAD / sizeof BAD[0]; at++)
        assert_false(zone_rule_parse(BAD[at], arena, &rule));
    assert_true(zone_rule_parse("CET-1CEST,M3.5.0,M10.5.0/3", arena, &rule));
    assert_true(zone_rule_parse("<+0330>-3:30", arena, &rule));
    assert_int_equal(rule.offset, 12600);
    assert_true(zone_rule_parse("EST5EDT,J60/-1,300/26:30", arena, &rule));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_zone_shows_its_own_time),
        cmocka_unit_test(test_libc_agrees),
        cmocka_unit_test(test_what_is_no_zone_is_none),
        cmocka_unit_test(test_half_a_file_is_none),
        cmocka_unit_test(test_rules_are_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
