/* store_gameday_test.c - a game day is kept drill by drill, and is one process's at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "store_fixture.h"

static struct List drills_of(struct DayDrillRow *rows)
{
    rows[0] =
        (struct DayDrillRow){.scenario = "first", .owner = "ana", .state = "waiting", .why = ""};
    rows[1] = (struct DayDrillRow){.scenario = "second", .state = "waiting", .why = ""};
    return (struct List){rows, 2};
}

static struct DayRow day_of(const char *id)
{
    return (struct DayRow){.id = id,
                           .name = "dec-day",
                           .environment = "staging",
                           .who = "ana@box",
                           .hash = "aaaa",
                           .started = {FIXTURE_WALL}};
}

static void begin(struct Fixture *f, struct Store *store, const char *id)
{
    struct DayDrillRow rows[2];
    struct List drills = drills_of(rows);
    struct DayRow day = day_of(id);
    must(f, store_day_begin(store, &day, &drills, &f->err));
}

static const struct DayRow *newest(struct Fixture *f, struct Store *store)
{
    struct List days = {.items = NULL};
    must(f, store_days(store, "staging", f->arena, &days, &f->err));
    assert_true(days.count > 0);
    return days.items;
}

/* As if it were another process, long gone. */
static void let_it_die(struct Fixture *f)
{
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/history.db", f->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE gamedays SET process_started = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

static void test_a_day_is_kept_drill_by_drill(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct List drills = {.items = NULL};

    begin(&f, store, "01day");
    struct DayDrillRow done = {.scenario = "first",
                               .owner = "ana",
                               .state = "done",
                               .run = "01run",
                               .verdict = VERDICT_FAIL,
                               .why = ""};
    must(&f, store_day_drill(store, "01day", 1, &done, &f.err));
    must(&f, store_day_drills(store, "01day", f.arena, &drills, &f.err));

    const struct DayDrillRow *rows = drills.items;
    assert_int_equal(drills.count, 2);
    assert_string_equal(rows[0].run, "01run");
    assert_int_equal(rows[0].verdict, VERDICT_FAIL);
    assert_string_equal(rows[1].state, "waiting");
    assert_null(rows[1].run);
    assert_false(newest(&f, store)->finished);
    assert_int_equal(newest(&f, store)->alive, KNOWN_YES);
    must(&f, store_day_end(store, "01day", VERDICT_FAIL, "why", (struct Wall){FIXTURE_WALL + 9},
                           &f.err));
    assert_true(newest(&f, store)->finished);
    assert_int_equal(newest(&f, store)->verdict, VERDICT_FAIL);
    store_close(store);
    fixture_close(&f);
}

static void test_one_day_at_a_time_goes_on_in_an_environment(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct DayDrillRow rows[2];
    struct List drills = drills_of(rows);
    struct DayRow other = day_of("02day");

    begin(&f, store, "01day");
    assert_false(store_day_begin(store, &other, &drills, &f.err));
    assert_int_equal(f.err.code, ERR_LOCKED);
    let_it_die(&f);
    assert_int_equal(newest(&f, store)->alive, KNOWN_NO);
    must(&f, store_day_begin(store, &other, &drills, &f.err));
    store_close(store);
    fixture_close(&f);
}

static void test_a_day_whose_runner_died_is_ours_from_there_on(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);

    begin(&f, store, "01day");
    let_it_die(&f);
    must(&f, store_day_adopt(store, newest(&f, store), &f.err));
    assert_int_equal(newest(&f, store)->alive, KNOWN_YES);
    assert_false(store_day_adopt(store, newest(&f, store), &f.err)); /* a second one */
    store_close(store);
    fixture_close(&f);
}

static void test_notes_of_the_day_and_of_its_runs_stand_in_one_order(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct List notes = {.items = NULL};
    struct Note between = {.who = "mia",
                           .type = "note",
                           .text = "between",
                           .low = {FIXTURE_WALL + 500},
                           .high = {FIXTURE_WALL + 500}};
    struct Note inside = between;
    struct DayDrillRow done = {.scenario = "first", .state = "done", .run = "01run", .why = ""};

    must(&f, fixture_begin(&f, store, "01run"));
    begin(&f, store, "01day");
    must(&f, store_day_drill(store, "01day", 1, &done, &f.err));
    must(&f, store_day_note(store, "01day", &between, &f.err));
    inside.low.ns = inside.high.ns = FIXTURE_WALL + 100;
    inside.text = "inside";
    must(&f, store_note(store, "01run", &inside, &f.err));
    must(&f, store_day_notes(store, "01day", f.arena, &notes, &f.err));

    const struct Note *note = notes.items;
    assert_int_equal(notes.count, 2);
    assert_string_equal(note[0].text, "inside");
    assert_string_equal(note[1].text, "between");
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_is_kept_drill_by_drill),
        cmocka_unit_test(test_one_day_at_a_time_goes_on_in_an_environment),
        cmocka_unit_test(test_a_day_whose_runner_died_is_ours_from_there_on),
        cmocka_unit_test(test_notes_of_the_day_and_of_its_runs_stand_in_one_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
