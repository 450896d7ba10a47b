/* model_gameday_test.c - what a game day's file means: windows, goes, orders. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/model/gameday.h"

static struct GameDay *day_of(struct Arena *arena, const char *text)
{
    struct Problems *problems = problems_new();
    const struct Document *document =
        document_parse("folder/dec-day.yaml", text, strlen(text), arena, problems);
    struct GameDay *day = gameday_new(document, problems);
    if (day == NULL && problems_count(problems) > 0)
        print_message("%s\n", problems_at(problems, 0)->message);
    problems_free(problems);
    return day;
}

static bool is_open(const struct GameDay *day, const struct Zone *zone, const char *utc,
                    int minutes)
{
    struct Wall at;
    assert_true(wall_parse(utc, &at));
    return gameday_open(day, zone, at, (int64_t)minutes * 60 * NS_PER_S);
}

static void test_nothing_begins_that_may_last_beyond_the_window(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 16U << 20);
    const struct Zone *berlin = zone_read("Europe/Berlin", arena);
    struct GameDay *day = day_of(arena, "gameday: dec-day\nenvironment: staging\n"
                                        "window: 2026-12-03 14:00-17:00\n"
                                        "drills: [{scenario: a}]\n");
    assert_non_null(day);
    assert_true(is_open(day, berlin, "2026-12-03T13:00:00.000Z", 0));
    assert_false(is_open(day, berlin, "2026-12-03T12:59:59.000Z", 0));
    assert_true(is_open(day, berlin, "2026-12-03T15:54:00.000Z", 5));
    assert_false(is_open(day, berlin, "2026-12-03T15:56:00.000Z", 5));
    assert_false(is_open(day, berlin, "2026-12-10T13:30:00.000Z", 0)); /* a Thursday too */
    assert_false(is_open(day, berlin, "2025-12-03T13:30:00.000Z", 0));
    gameday_free(day);
    day = day_of(arena, "gameday: dec-day\nenvironment: staging\nwindow: Thu 22:00-02:00\n"
                        "drills: [{scenario: a}]\n");
    assert_true(is_open(day, berlin, "2026-12-03T21:30:00.000Z", 0));
    assert_true(is_open(day, berlin, "2026-12-04T00:30:00.000Z", 20));
    assert_false(is_open(day, berlin, "2026-12-04T00:50:00.000Z", 20));
    gameday_free(day);
    day = day_of(arena, "gameday: dec-day\nenvironment: staging\nwindow: 2026-12-03 22:00-02:00\n"
                        "drills: [{scenario: a}]\n");
    assert_true(is_open(day, berlin, "2026-12-04T00:30:00.000Z", 0));
    assert_false(is_open(day, berlin, "2026-12-03T00:30:00.000Z", 0)); /* the night before */
    gameday_free(day);
    arena_free(arena);
}

static void test_a_lead_is_asked_unless_a_drill_says_auto(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 16U << 20);
    struct GameDay *day = day_of(arena, "gameday: dec-day\nenvironment: staging\n"
                                        "people: {lead: ana}\n"
                                        "drills: [{scenario: a}, {scenario: b, go: auto}]\n");
    const struct DayDrill *drills = day->drills.items;
    assert_int_equal(drills[0].go, GO_ASK);
    assert_int_equal(drills[1].go, GO_AUTO);
    gameday_free(day);
    day = day_of(arena, "gameday: dec-day\nenvironment: staging\n"
                        "drills: [{scenario: a}, {scenario: b, go: ask}]\n");
    drills = day->drills.items;
    assert_int_equal(drills[0].go, GO_AUTO);
    assert_int_equal(drills[1].go, GO_ASK);
    assert_int_equal(day->stop_on->halted, 1);
    assert_int_equal(day->stop_on->failed, 0);
    assert_ptr_equal(gameday_drill(day, "b"), &drills[1]);
    gameday_free(day);
    arena_free(arena);
}

static void test_what_is_wrong_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "window: 2026-02-30 14:00-17:00",
        "window: 2026-12-03 Thu 14:00-17:00",
        "window: 14:00",
        "schedule: Someday",
        "people: {leader: ana}",
        "stop_on: {halted: 0}",
    };
    struct Arena *arena = arena_new("test", 64U << 20);
    for (size_t at = 0; at < COUNT_OF(BAD); at++) {
        const char *text = arena_printf(
            arena, "gameday: dec-day\nenvironment: staging\n%s\ndrills: [{scenario: a}]\n",
            BAD[at]);
        assert_null(day_of(arena, text));
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_begins_that_may_last_beyond_the_window),
        cmocka_unit_test(test_a_lead_is_asked_unless_a_drill_says_auto),
        cmocka_unit_test(test_what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
