/* model_times_test.c - windows and freezes, where clocks jump and where they repeat themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/model/gate.h"

#define ENVIRONMENT                                                                                \
    "environment: staging\n"                                                                       \
    "timezone: Europe/Berlin\n"                                                                    \
    "roles: {api: {hosts: [a, b], unit: api.service}}\n"                                           \
    "endpoints: {api: \"http://10.0.0.1\"}\n"
#define MINUTES(n) ((int64_t)(n)*60 * NS_PER_S)

struct Row {
    const char *window, *utc;
    int lasts; /* minutes */
    bool open;
};
static const struct Row ROWS[] = {
    {"Tue..Thu 10:00-15:00", "2026-11-24T09:00:00.000Z", 0, true}, /* Tue 10:00 CET */
    {"Tue..Thu 10:00-15:00", "2026-11-24T08:59:59.999Z", 0, false},
    {"Tue..Thu 10:00-15:00", "2026-11-26T13:59:59.999Z", 0, true}, /* Thu 14:59 */
    {"Tue..Thu 10:00-15:00", "2026-11-26T14:00:00.000Z", 0, false},
    {"Tue..Thu 10:00-15:00", "2026-11-27T10:00:00.000Z", 0, false}, /* Fri */
    {"Tue..Thu 10:00-15:00", "2026-11-23T10:00:00.000Z", 0, false}, /* Mon */
    /* The same hour of the wall in summer, another of UTC. */
    {"Tue..Thu 10:00-15:00", "2026-07-21T08:00:00.000Z", 0, true},
    {"Tue..Thu 10:00-15:00", "2026-07-21T13:00:00.000Z", 0, false},
    /* A fault must end before its window does. */
    {"Tue 10:00-15:00", "2026-11-24T13:54:00.000Z", 5, true},
    {"Tue 10:00-15:00", "2026-11-24T13:55:00.001Z", 5, false},
    {"Tue 10:00-15:00", "2026-11-24T13:56:00.000Z", 5, false},
    /* Lists, ranges over the weekend, every day, the end of a day, over midnight. */
    {"Mon,Wed 00:00-24:00", "2026-11-25T22:59:00.000Z", 0, true},
    {"Mon,Wed 00:00-24:00", "2026-11-25T23:00:00.000Z", 0, false},
    {"Sat..Mon 08:00-09:00", "2026-11-22T07:30:00.000Z", 0, true},
    {"Sat..Mon 08:00-09:00", "2026-11-24T07:30:00.000Z", 0, false},
    {"08:00-09:00", "2026-11-24T07:30:00.000Z", 0, true},
    {"Fri 22:00-02:00", "2026-11-28T00:30:00.000Z", 0, true},  /* Sat 01:30 */
    {"Fri 22:00-02:00", "2026-11-27T00:30:00.000Z", 0, false}, /* Fri 01:30 */
    {"Fri 22:00-02:00", "2026-11-28T01:00:00.000Z", 0, false},
    {"Fri 22:00-02:00", "2026-11-27T22:30:00.000Z", 120, true}, /* goes over midnight */
    /* Spring: 02:00 to 03:00 does not exist, so a window inside it never opens that day. */
    {"Sun 02:15-02:45", "2026-03-29T00:59:59.000Z", 0, false},
    {"Sun 02:15-02:45", "2026-03-29T01:00:00.000Z", 0, false},
    {"Sun 02:15-02:45", "2026-03-29T01:30:00.000Z", 0, false},
    {"Sun 02:15-02:45", "2026-03-22T01:30:00.000Z", 0, true}, /* a week before it does */
    /* A window that ends in it ends where it begins: 01:59 is followed by 03:00. */
    {"Sun 01:00-02:30", "2026-03-29T00:58:00.000Z", 1, true},
    {"Sun 01:00-02:30", "2026-03-29T00:58:00.000Z", 2, false},
    /* One hour of the wall fewer until 04:00. */
    {"Sun 01:00-04:00", "2026-03-29T00:00:00.000Z", 119, true},
    {"Sun 01:00-04:00", "2026-03-29T00:00:00.000Z", 120, false},
    /* Autumn: 02:00 to 03:00 comes twice; the window is open, closed, and open once more. */
    {"Sun 02:15-02:45", "2026-10-25T00:20:00.000Z", 0, true},
    {"Sun 02:15-02:45", "2026-10-25T00:50:00.000Z", 0, false},
    {"Sun 02:15-02:45", "2026-10-25T01:20:00.000Z", 0, true},
    {"Sun 02:15-02:45", "2026-10-25T01:50:00.000Z", 0, false},
    /* A fault over the jump back leaves the window before it comes again. */
    {"Sun 02:15-02:45", "2026-10-25T00:40:00.000Z", 50, false},
    {"Sun 01:00-04:00", "2026-10-24T23:00:00.000Z", 239, true},
    {"Sun 01:00-04:00", "2026-10-24T23:00:00.000Z", 240, false},
};

static struct Wall wall_of(const char *utc)
{
    struct Wall wall = {0};
    assert_true(wall_parse(utc, &wall));
    return wall;
}

static void test_a_window_is_what_the_wall_shows(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 16U << 20);
    const struct Zone *zone = zone_read("Europe/Berlin", arena);
    for (size_t at = 0; at < COUNT_OF(ROWS); at++) {
        struct TimeWindow window;
        struct Wall until;
        assert_true(window_parse(ROWS[at].window, &window));
        struct GateTimes times = {.windows = {.items = &window, .count = 1}, .zone = zone};
        bool open = times_in_window(&times, wall_of(ROWS[at].utc), MINUTES(ROWS[at].lasts), &until);
        if (open != ROWS[at].open)
            fail_msg("%s at %s for %d min", ROWS[at].window, ROWS[at].utc, ROWS[at].lasts);
    }
    arena_free(arena);
}

static void test_what_is_no_window_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "Tue",
                                      "Tue 10-15",
                                      "Tue 10:00",
                                      "Tue 25:00-26:00",
                                      "Tue 10:00-10:00",
                                      "Tue 10:60-11:00",
                                      "Die 10:00-15:00",
                                      "Tue..  10:00-15:00",
                                      "Tue 24:00-01:00",
                                      "Tue 10:00-15:00 ",
                                      "Tue,10:00-15:00",
                                      "tue 10:00-15:00",
                                      "Tue 10:00-00:00"};
    static const char *const NO_DAYS[] = {
        "2026-13-01", "2026-02-29",  "2026-11-24..", "2026-12-01..2026-11-24",
        "24.11.2026", "2026-11-24 ", "2026-11-31",   "2026-11-00",
        "Tue"};
    struct TimeWindow window;
    struct FreezeDays freeze;
    for (size_t at = 0; at < COUNT_OF(BAD); at++)
        if (window_parse(BAD[at], &window))
            fail_msg("'%s' was read as a window", BAD[at]);
    for (size_t at = 0; at < COUNT_OF(NO_DAYS); at++)
        if (freeze_parse(NO_DAYS[at], &freeze))
            fail_msg("'%s' was read as a freeze", NO_DAYS[at]);
}

/* ---- The rules, as the gate says them. ---- */

static const char *rule_said(const char *gate, const char *utc, int lasts, const char *name,
                             bool holds)
{
    static char said[400];
    struct Buf text = BUF(4000);
    buf_printf(&text, "%sgate: %s\n", ENVIRONMENT, gate);
    struct Case c = good_case(text.text, DRILL);
    struct List rules = {.items = NULL};
    (void)gate_times(&c.environment->times, wall_of(utc), MINUTES(lasts), c.arena, &rules);
    const struct GateRule *rule = rules.items;
    said[0] = '\0';
    for (size_t at = 0; at < rules.count; at++)
        if (strcmp(rule[at].name, name) == 0) {
            assert_int_equal(rule[at].holds, holds);
            snprintf(said, sizeof said, "%s", rule[at].sentence);
        }
    case_close(&c);
    buf_free(&text);
    return said;
}

static void test_the_gate_says_when_it_opens(void **state)
{
    (void)state;
    static const char GATE[] = "{windows: ['Tue..Thu 10:00-15:00'], freeze: [2026-11-25]}";
    assert_string_equal(rule_said(GATE, "2026-11-24T09:42:00.000Z", 5, "windows", true),
                        "Tue..Thu 10:00-15:00 Europe/Berlin; now Tue 10:42");
    assert_string_equal(rule_said(GATE, "2026-11-21T09:42:00.000Z", 5, "windows", false),
                        "closed: now Sat 10:42, open Tue..Thu 10:00-15:00 Europe/Berlin; next Tue "
                        "10:00");
    /* The next one is not that of a day that is frozen. */
    assert_string_equal(rule_said(GATE, "2026-11-24T14:00:00.000Z", 5, "windows", false),
                        "closed: now Tue 15:00, open Tue..Thu 10:00-15:00 Europe/Berlin; next Thu "
                        "10:00");
    assert_string_equal(rule_said(GATE, "2026-11-24T13:57:00.000Z", 5, "windows", false),
                        "closes Tue 15:00, now Tue 14:57, and a fault may last 5 min: "
                        "Tue..Thu 10:00-15:00 Europe/Berlin");
}

static void test_a_freeze_begins_and_ends_at_midnight_of_its_zone(void **state)
{
    (void)state;
    static const char GATE[] = "{freeze: [2026-11-24..2026-12-01]}";
    assert_string_equal(rule_said(GATE, "2026-11-23T22:59:59.000Z", 0, "freeze", true),
                        "not today");
    assert_string_equal(rule_said(GATE, "2026-11-23T23:00:00.000Z", 0, "freeze", false),
                        "no drills 2026-11-24..2026-12-01 (Europe/Berlin)");
    assert_string_equal(rule_said(GATE, "2026-12-01T22:59:59.000Z", 0, "freeze", false),
                        "no drills 2026-11-24..2026-12-01 (Europe/Berlin)");
    assert_string_equal(rule_said(GATE, "2026-12-01T23:00:00.000Z", 0, "freeze", true),
                        "not today");
    /* A fault that would reach into it. */
    assert_string_equal(rule_said(GATE, "2026-11-23T22:57:00.000Z", 5, "freeze", false),
                        "no drills 2026-11-24..2026-12-01 (Europe/Berlin)");
}

static void test_the_runs_of_today_are_counted_by_the_calendar_of_the_zone(void **state)
{
    (void)state;
    struct Case c = good_case(ENVIRONMENT "gate: {max_per_day: 2}\n", DRILL);
    /* Two before midnight in Berlin, one after it, one today by UTC alone. */
    struct Wall recent[] = {wall_of("2026-11-23T23:00:00.000Z"),
                            wall_of("2026-11-23T22:59:59.000Z"),
                            wall_of("2026-11-23T12:00:00.000Z")};
    struct GateInput input = {.environment = c.environment,
                              .scenario = c.scenario,
                              .recent = recent,
                              .recent_count = 3,
                              .now = wall_of("2026-11-24T10:00:00.000Z")};
    struct List rules = {.items = NULL};
    assert_true(gate_today(&input, c.arena, &rules));
    assert_string_equal(((const struct GateRule *)rules.items)->sentence,
                        "1 of 2 runs today (Europe/Berlin)");
    recent[2] = wall_of("2026-11-24T09:00:00.000Z");
    rules = (struct List){.items = NULL};
    assert_false(gate_today(&input, c.arena, &rules));
    assert_string_equal(((const struct GateRule *)rules.items)->sentence,
                        "2 of 2 runs today (Europe/Berlin)");
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_is_what_the_wall_shows),
        cmocka_unit_test(test_what_is_no_window_is_refused),
        cmocka_unit_test(test_the_gate_says_when_it_opens),
        cmocka_unit_test(test_a_freeze_begins_and_ends_at_midnight_of_its_zone),
        cmocka_unit_test(test_the_runs_of_today_are_counted_by_the_calendar_of_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
