/* model_calendar_test.c - dates as systemd.time(7) means them, and what cron can say of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/model/calendar.h"

struct Row {
    const char *text, *zone, *after, *next; /* next: NULL = never */
};
static const struct Row ROWS[] = {
    {"Tue 10:30", "Europe/Berlin", "2026-11-21T20:00:00.000Z", "2026-11-24T09:30:00.000Z"},
    {"Tue 10:30", "Europe/Berlin", "2026-11-24T09:30:00.000Z", "2026-12-01T09:30:00.000Z"},
    {"Tue 10:30", "Europe/Berlin", "2026-07-19T20:00:00.000Z", "2026-07-21T08:30:00.000Z"},
    {"Mon *-*-1..7 09:00", "UTC", "2026-11-21T20:00:00.000Z", "2026-12-07T09:00:00.000Z"},
    {"*-*~1 22:00", "UTC", "2028-02-01T00:00:00.000Z", "2028-02-29T22:00:00.000Z"},
    {"Mon *-*~07/1", "UTC", "2026-11-21T20:00:00.000Z", "2026-11-30T00:00:00.000Z"},
    {"*-02-29 12:00", "UTC", "2026-11-21T20:00:00.000Z", "2028-02-29T12:00:00.000Z"},
    {"*-02-30 12:00", "UTC", "2026-11-21T20:00:00.000Z", NULL},
    {"2026-01-01 12:00", "UTC", "2026-11-21T20:00:00.000Z", NULL},
    {"*:0/15", "UTC", "2026-11-21T20:01:00.000Z", "2026-11-21T20:15:00.000Z"},
    {"12:00", "UTC", "2026-11-21T12:00:00.500Z", "2026-11-22T12:00:00.000Z"},
    {"daily", "Europe/Berlin", "2026-11-21T20:00:00.000Z", "2026-11-21T23:00:00.000Z"},
    {"weekly UTC", "Europe/Berlin", "2026-11-21T20:00:00.000Z", "2026-11-23T00:00:00.000Z"},
    {"10-25 03:00", "UTC", "2026-11-21T20:00:00.000Z", "2027-10-25T03:00:00.000Z"},
    {"Tue 10:30 America/New_York", "UTC", "2026-11-21T20:00:00.000Z", "2026-11-24T15:30:00.000Z"},
    /* 02:30 does not exist that Sunday: the next is a day later. */
    {"*-*-* 02:30", "Europe/Berlin", "2026-03-28T12:00:00.000Z", "2026-03-30T00:30:00.000Z"},
    {"Sun 02:30", "Europe/Berlin", "2026-03-28T12:00:00.000Z", "2026-04-05T00:30:00.000Z"},
    /* It comes twice: the first counts, and only that. */
    {"*-*-* 02:30", "Europe/Berlin", "2026-10-24T12:00:00.000Z", "2026-10-25T00:30:00.000Z"},
    {"*-*-* 02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"},
};

static void test_the_next_date_is_that_of_the_zone(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 64U << 20);
    for (size_t at = 0; at < COUNT_OF(ROWS); at++) {
        struct Calendar calendar;
        const char *why = NULL;
        struct Wall after, next;
        char said[32];
        assert_true(calendar_parse(ROWS[at].text, arena, &calendar, &why));
        assert_true(wall_parse(ROWS[at].after, &after));
        next = calendar_next(&calendar, zone_read(ROWS[at].zone, arena), after);
        wall_utc(next, said);
        assert_string_equal(next.ns == 0 ? "never" : said,
                            ROWS[at].next != NULL ? ROWS[at].next : "never");
    }
    arena_free(arena);
}

static void test_what_is_no_date_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        " ",
        "Tues 10:30",
        "Sun..Mon 10:00",
        "25:00",
        "10:60",
        "*-13-01",
        "*-*-32",
        "*-*-0",
        "*/2:00",
        "10",
        "Tue 10:30 Mars/Base",
        "*-*~29",
        "5..1:00",
        "0/0:00",
        "10:30:60",
        "Tue,",
        "2026-11-24T10:30",
        "10:30.5",
        "Mon 1 2 3 4",
        "1..2/5:00",
        "-1:00",
        "noon",
        "*-*-* *:*:* UTC x",
        "10:30 10:30",
        "1-1-1-1",
        "123456:00",
        "..1:00",
        "daily weekly",
    };
    struct Arena *arena = arena_new("test", 64U << 20);
    for (size_t at = 0; at < COUNT_OF(BAD); at++) {
        struct Calendar calendar;
        const char *why = NULL;
        if (calendar_parse(BAD[at], arena, &calendar, &why))
            fail_msg("'%s' is taken", BAD[at]);
        assert_non_null(why);
    }
    arena_free(arena);
}

static void test_cron_says_it_or_why_not(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cron, *why;
    } CASES[] = {
        {"Tue 10:30", "30 10 * * 2", NULL},
        {"Mon..Fri 09:00", "0 9 * * 1-5", NULL},
        {"*:0/15", "*/15 * * * *", NULL},
        {"hourly", "0 * * * *", NULL},
        {"*-*-1,15 08,20:05", "5 8,20 1,15 * *", NULL},
        {"*-01..03-1/10 04:00", "0 4 */10 1-3 *", NULL},
        {"Sat,Sun 23:59", "59 23 * * 0,6", NULL},
        {"Mon..Sun *-*-1 00:00", "0 0 1 * *", NULL},
        {"Mon *-*-1..7 09:00", NULL, "mean either"},
        {"*-*~1 22:00", NULL, "end of a month"},
        {"2027-01-01 10:00", NULL, "no years"},
        {"10:30:15", NULL, "no seconds"},
    };
    struct Arena *arena = arena_new("test", 64U << 20);
    for (size_t at = 0; at < COUNT_OF(CASES); at++) {
        struct Calendar calendar;
        struct Buf out = BUF(500);
        const char *why = NULL;
        assert_true(calendar_parse(CASES[at].text, arena, &calendar, &why));
        bool said = calendar_cron(&calendar, &out, &why);
        assert_int_equal(said, CASES[at].cron != NULL);
        if (said)
            assert_string_equal(out.text, CASES[at].cron);
        else
            assert_non_null(strstr(why, CASES[at].why));
        buf_free(&out);
    }
    arena_free(arena);
}

static void test_the_machine_has_a_zone(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    setenv("TZ", ":Europe/Berlin", 1);
    assert_string_equal(zone_here(arena), "Europe/Berlin");
    setenv("TZ", "UTC", 1);
    assert_string_equal(zone_here(arena), "UTC");
    unsetenv("TZ");
    assert_non_null(zone_here(arena));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_date_is_that_of_the_zone),
        cmocka_unit_test(test_what_is_no_date_is_refused),
        cmocka_unit_test(test_cron_says_it_or_why_not),
        cmocka_unit_test(test_the_machine_has_a_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
