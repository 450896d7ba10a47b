/* store_log_test.c - whatever is changed behind the log's back, its first broken row is named. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "store_fixture.h"

/* Rows: 1 begin, 2 event, 3 arming, 4 event, 5 armed, 6 clear, 7 end. */
static void make_run(struct Fixture *f)
{
    fixture_open(f);
    struct Store *store = fixture_store(f);
    must(f, fixture_begin(f, store, "01run"));
    must(f, store_event(store, (struct Mono){1}, "db-1", "hello", &f->err));
    must(f, fixture_arm(f, store, 1));
    must(f, store_event(store, (struct Mono){2}, "db-1", "there", &f->err));
    must(f, undolog_armed(store, 1, NULL, (struct Mono){3}, (struct Wall){4}, &f->err));
    must(f, undolog_clear(store, 1, (struct Moment){{5}, {6}}, &f->err));
    must(f, fixture_end(f, store, VERDICT_PASS));
    store_close(store);
}

static uint64_t verify(struct Fixture *f)
{
    uint64_t broken = 99;
    struct Store *store = fixture_store(f);
    must(f, store_verify(store, "01run", &broken, &f->err));
    store_close(store);
    return broken;
}

static void tamper(const struct Fixture *f, const char *sql)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f->folder);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_true(sqlite3_changes(db) > 0);
    sqlite3_close(db);
}

static void test_what_was_not_touched_verifies(void **state)
{
    (void)state;
    struct Fixture f;
    make_run(&f);

    assert_int_equal(verify(&f), 0);

    struct Store *store = fixture_store(&f);
    uint64_t broken = 0;
    assert_false(store_verify(store, "nope", &broken, &f.err));
    assert_int_equal(f.err.code, ERR_NOT_FOUND);
    store_close(store);
    fixture_close(&f);
}

static void test_a_run_that_died_verifies_too(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run") && fixture_arm(&f, store, 1));
    store_close(store);
    assert_int_equal(verify(&f), 0);
    store = fixture_store(&f);
    struct ByHand closed = {.run = "01run", .number = 1, .clear = true, .why = "looked", .at = {7}};

    must(&f, undolog_close_by_hand(store, &closed, &f.err));

    store_close(store);
    assert_int_equal(verify(&f), 0);
    fixture_close(&f);
}

static void test_every_way_to_tamper_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        uint64_t row;
    } cases[] = {
        {"UPDATE log SET text = 'hallo' WHERE id & 4294967295 = 2", 2},
        {"UPDATE log SET at = at + 1 WHERE id & 4294967295 = 4", 4},
        {"UPDATE log SET subject = 'db-2' WHERE id & 4294967295 = 4", 4},
        {"UPDATE log SET type = 'event' WHERE id & 4294967295 = 5", 5},
        {"UPDATE log SET fault = 2 WHERE id & 4294967295 = 3", 3},
        {"UPDATE log SET digest = 'x' WHERE id & 4294967295 = 6", 6},
        {"UPDATE log SET hash = 'x' WHERE id & 4294967295 = 1", 1},
        {"DELETE FROM log WHERE id & 4294967295 = 2", 2},
        {"DELETE FROM log WHERE id & 4294967295 = 7", 7},
        {"DELETE FROM log WHERE id & 4294967295 >= 3", 3},
        {"DELETE FROM log", 1},
        {"UPDATE log SET id = id + 1 WHERE id & 4294967295 = 7", 7},
        {"UPDATE faults SET state = 'UNKNOWN'", 6},
        {"UPDATE faults SET undo = ''", 6},
        {"UPDATE faults SET undone = 9", 6},
        {"DELETE FROM faults", 6},
        {"UPDATE faults SET seat = 'x'", 6},
        {"INSERT INTO faults SELECT id + 1, state, token, step, kind, role, host, address,"
         " host_key, machine_id, reach, reach_config, boot_id, ends_by, apply, undo, all_clear,"
         " proof, stays, lease_ns, cap_ns, acts_by, sent, proven, ended_early, undo_sent, undone,"
         " closed, why, seat, strike, returned, together FROM faults",
         8},
        {"UPDATE runs SET text_hash = 'x'", 1},
        {"UPDATE texts SET hash = hash || 'x'", 1},
        {"UPDATE runs SET environment = 'production'", 1},
        {"UPDATE runs SET ended_as = 'FAIL'", 7},
        {"UPDATE details SET not_steady = 1", 7},
        {"UPDATE runs SET judged = 'PASS'", 8},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct Fixture f;
        make_run(&f);
        tamper(&f, cases[i].sql);

        uint64_t broken = verify(&f);

        if (broken != cases[i].row)
            fail_msg("%s: row %u", cases[i].sql, (unsigned)broken);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_not_touched_verifies),
        cmocka_unit_test(test_a_run_that_died_verifies_too),
        cmocka_unit_test(test_every_way_to_tamper_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
