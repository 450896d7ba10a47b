/* store_notes_test.c - notes come back by the run's own clock, and cannot be changed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "store_fixture.h"

static struct Note note_of(const char *type, const char *text, int64_t low, int64_t high)
{
    return (struct Note){.who = "raj@laptop",
                         .type = type,
                         .text = text,
                         .low = {FIXTURE_WALL + low},
                         .high = {FIXTURE_WALL + high},
                         .made = {FIXTURE_WALL + high}};
}

static void add(struct Fixture *f, struct Store *store, struct Note note)
{
    must(f, store_note(store, "01run", &note, &f->err));
}

/* Another process: it has a store of its own, while the run goes on. */
static void test_notes_come_in_order_by_the_clock_of_the_run(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f), *other = fixture_store(&f);

    must(&f, fixture_begin(&f, store, "01run"));
    add(&f, other, note_of("mitigated", "", 900, 900));
    add(&f, other, note_of("note", "it is slow", 100, 160));
    must(&f, fixture_end(&f, store, VERDICT_PASS));
    add(&f, other, note_of("declared", "4711", 500, 560));
    store_close(store);
    store_close(other);
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.note_count, 3);
    assert_string_equal(run.notes[0].text, "it is slow");
    assert_string_equal(run.notes[0].who, "raj@laptop");
    assert_int_equal(run.notes[0].at.low.ns, FIXTURE_MONO + 100);
    assert_int_equal(run.notes[0].at.high.ns, FIXTURE_MONO + 160);
    assert_string_equal(run.notes[1].type, "declared");
    assert_string_equal(run.notes[2].type, "mitigated");
    fixture_close(&f);
}

static void test_a_go_counts_from_when_it_was_asked_for(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    const char *who = "";

    must(&f, fixture_begin(&f, store, "01run"));
    add(&f, store, note_of("go", "", 100, 100));
    must(&f,
         store_go_said(store, "01run", (struct Wall){FIXTURE_WALL + 101}, f.arena, &who, &f.err));
    assert_null(who);
    add(&f, store, note_of("go", "", 200, 200));
    must(&f,
         store_go_said(store, "01run", (struct Wall){FIXTURE_WALL + 101}, f.arena, &who, &f.err));
    assert_string_equal(who, "raj@laptop");
    store_close(store);
    fixture_close(&f);
}

static void test_a_note_that_was_changed_is_found(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    uint64_t broken = 99;

    must(&f, fixture_begin(&f, store, "01run"));
    add(&f, store, note_of("declared", "4711", 100, 100));
    must(&f, store_verify(store, "01run", &broken, &f.err));
    assert_int_equal(broken, 0);
    store_close(store);
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/history.db", f.folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE notes SET at_low = at_low - 5", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    store = fixture_store(&f);
    must(&f, store_verify(store, "01run", &broken, &f.err));
    assert_int_equal(broken, 2);
    store_close(store);
    fixture_close(&f);
}

static void test_a_note_of_no_run_is_refused(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    struct Note note = note_of("note", "x", 0, 0);

    assert_false(store_note(store, "01none", &note, &f.err));
    assert_int_equal(f.err.code, ERR_NOT_FOUND);
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes_come_in_order_by_the_clock_of_the_run),
        cmocka_unit_test(test_a_go_counts_from_when_it_was_asked_for),
        cmocka_unit_test(test_a_note_that_was_changed_is_found),
        cmocka_unit_test(test_a_note_of_no_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
