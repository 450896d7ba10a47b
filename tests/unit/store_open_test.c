/* store_open_test.c - the state folder is ours alone, and every version of the database opens. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sqlite3.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "store_fixture.h"

static const char version_1[] = {
#include "runner/store/schema.sql.h"
    0};

static unsigned mode_of(const char *folder, const char *name)
{
    struct stat stat;
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(lstat(path, &stat), 0);
    return stat.st_mode & 07777;
}

static sqlite3 *open_plain(const struct Fixture *f)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f->folder);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void run_plain(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int ask_int(const struct Fixture *f, const char *sql)
{
    sqlite3 *db = open_plain(f);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int value = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static void test_folder_and_files_are_ours_alone_under_any_umask(void **state)
{
    (void)state;
    static const unsigned umasks[] = {0, 022, 0277};
    for (size_t i = 0; i < COUNT_OF(umasks); i++) {
        struct Fixture f;
        fixture_open(&f);
        char folder[128];
        snprintf(folder, sizeof(folder), "%s/above/state", f.folder);
        mode_t before = umask(umasks[i]);
        struct Store *store = store_open(folder, &f.err);
        umask(before);
        must(&f, store != NULL);

        assert_int_equal(mode_of(folder, "."), 0700);
        assert_int_equal(mode_of(folder, "history.db"), 0600);
        assert_int_equal(mode_of(folder, "history.db-wal"), 0600);
        assert_int_equal(mode_of(folder, "history.db-shm"), 0600);
        store_close(store);
        fixture_close(&f);
    }
}

static void assert_refused(struct Fixture *f, const char *folder, const char *message)
{
    assert_null(store_open(folder, &f->err));
    assert_int_equal(f->err.code, ERR_STORE);
    if (strstr(f->err.message, message) == NULL)
        fail_msg("%s", f->err.message);
}

static void test_a_folder_that_others_may_write_into_is_refused(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);

    assert_int_equal(chmod(f.folder, 0770), 0);
    assert_refused(&f, f.folder, "others may write into the state folder '/tmp/faildrill-store");
    assert_non_null(strstr(f.err.hint, "then run `chmod go-w /tmp/"));
    assert_int_equal(chmod(f.folder, 0702), 0);
    assert_refused(&f, f.folder, "others may write into");
    assert_int_equal(chmod(f.folder, 0755), 0);
    store_close(fixture_store(&f));
    fixture_close(&f);
}

static void test_what_belongs_to_somebody_else_is_refused(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    if (geteuid() != 0 || chown(f.folder, 12345, 0) != 0) {
        fixture_close(&f);
        skip();
    }

    assert_refused(&f, f.folder, "belongs to user 12345, and we are user 0");
    assert_int_equal(chown(f.folder, 0, 0), 0);
    store_close(fixture_store(&f));
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f.folder);
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_refused(&f, f.folder, "belongs to user 12345");
    fixture_close(&f);
}

static void test_links_and_things_that_are_no_files_are_not_followed(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    char link[128];
    char target[128];
    snprintf(link, sizeof(link), "%s/link", f.folder);
    assert_int_equal(symlink(f.folder, link), 0);
    assert_refused(&f, link, "is not a folder itself");
    snprintf(link, sizeof(link), "%s/history.db", f.folder);
    snprintf(target, sizeof(target), "%s/elsewhere", f.folder);

    assert_int_equal(symlink(target, link), 0);
    assert_refused(&f, f.folder, "'history.db' in '/tmp/");
    assert_int_not_equal(access(target, F_OK), 0);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkdir(link, 0700), 0);
    assert_refused(&f, f.folder, "is not a plain file");
    assert_int_equal(rmdir(link), 0);
    assert_refused(&f, "/proc/none/of/this", "cannot make the state folder '/proc/");
    fixture_close(&f);
}

static void test_permissions_that_others_got_are_taken_back(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    store_close(fixture_store(&f));
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f.folder);
    assert_int_equal(chmod(path, 0666), 0);

    store_close(fixture_store(&f));

    assert_int_equal(mode_of(f.folder, "history.db"), 0600);
    fixture_close(&f);
}

static void test_a_relative_folder_is_where_it_was_named(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    char before[512];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(f.folder), 0);
    struct Store *store = store_open("a/b/", &f.err);
    assert_int_equal(chdir(before), 0);
    must(&f, store != NULL);

    must(&f, fixture_begin(&f, store, "01run"));

    store_close(store);
    char path[128];
    snprintf(path, sizeof(path), "%s/a/b/history.db", f.folder);
    assert_int_equal(access(path, F_OK), 0);
    fixture_close(&f);
}

static void test_a_database_that_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    sqlite3 *db = open_plain(&f);
    run_plain(db, "CREATE TABLE cats (name); PRAGMA user_version = 1");
    sqlite3_close(db);

    assert_refused(&f, f.folder, "is a database, but not one of faildrill");

    assert_int_equal(ask_int(&f, "SELECT count(*) FROM sqlite_schema"), 1);
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("this is no database, and long enough to be looked at as one ............", file);
    fclose(file);
    assert_refused(&f, f.folder, "is damaged: file is not a database");
    fixture_close(&f);
}

static void test_a_newer_version_is_refused_and_not_touched(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    store_close(fixture_store(&f));
    sqlite3 *db = open_plain(&f);
    run_plain(db, "PRAGMA user_version = 99");
    sqlite3_close(db);

    assert_refused(&f, f.folder, "is of version 99, and this faildrill knows 12 at most");

    assert_string_equal(f.err.hint, "Use the newer faildrill that wrote it.");
    assert_int_equal(ask_int(&f, "PRAGMA user_version"), 99);
    fixture_close(&f);
}

/* As a faildrill of version 1 left it: the file is made of its schema, with a run and its samples.
 */
static void make_version_1(struct Fixture *f)
{
    fixture_open(f);
    sqlite3 *db = open_plain(f);
    run_plain(db, version_1);
    run_plain(
        db, "INSERT INTO runs VALUES (1, '01old', 'kill', 'staging', 0, 'ana', 'a', 'b', 100, 200,"
            " 'PASS', '', 'PASS', 'ok', 0);"
            "INSERT INTO texts VALUES (1, 'h', 'scenario: kill'), (2, 'c', '{}');"
            "INSERT INTO details VALUES (1, '0.1.0', 1, 2, 'p', 'q', 5, NULL, NULL, NULL, '', 1, 2,"
            " 'boot', 'pid:[1]', 'box', 1000, 1000, 1100, 0, 0, 0, 0, 0, 0, 0);"
            "INSERT INTO probes VALUES (1 << 32, 'api', 'http', 'GET', NULL, NULL, 1, 2, 3, 4, 5,"
            " 0, 0, 0, 0);"
            "INSERT INTO samples VALUES (1 << 32, 0, 0, 10, 1, 2, 0, 0, 200, 0, NULL, NULL, NULL);"
            "INSERT INTO series VALUES (1, 'kill', 'staging', 'api', 'b');"
            "INSERT INTO results VALUES ((1 << 32) + 1, '01old', 100, 1, 0, 'PASS', '', 5, 6,"
            " -1, -1, 0, 0);");
    sqlite3_close(db);
    snprintf(f->plan.token.text, sizeof(f->plan.token.text), "01old");
}

static void test_version_1_opens_for_ever(void **state)
{
    (void)state;
    struct Fixture f;
    make_version_1(&f);

    struct RunRecord run = fixture_read(&f);

    assert_int_equal(ask_int(&f, "PRAGMA user_version"), 12);
    assert_int_equal(ask_int(&f, "SELECT count(*) FROM sqlite_schema WHERE name = 'runs_started'"),
                     1);
    assert_string_equal(run.scenario, "kill");
    assert_string_equal(run.text, "scenario: kill");
    assert_int_equal(run.ended_as, VERDICT_PASS);
    assert_int_equal(run.sample_count, 1);
    assert_int_equal(run.samples[0].intended.ns, 1010);
    assert_int_equal(run.samples[0].ended.ns, 1012);
    struct Store *store = fixture_store(&f);
    struct List past;
    must(&f, store_past(store, NULL, f.arena, &past, &f.err));
    assert_int_equal(past.count, 1);
    must(&f, fixture_begin(&f, store, "01new"));
    store_close(store);
    fixture_close(&f);
}

static void test_a_migrated_database_has_the_tables_of_a_new_one(void **state)
{
    (void)state;
    static const char all[] =
        "SELECT count(*) * 1000 + sum(length(sql)) FROM sqlite_schema WHERE sql IS NOT NULL";
    struct Fixture f;
    struct Fixture g;
    make_version_1(&f);
    fixture_open(&g);
    store_close(fixture_store(&f));
    store_close(fixture_store(&g));

    assert_int_equal(ask_int(&f, all), ask_int(&g, all));

    fixture_close(&f);
    fixture_close(&g);
}

static void test_a_damaged_old_version_is_not_migrated(void **state)
{
    (void)state;
    struct Fixture f;
    make_version_1(&f);
    sqlite3 *db = open_plain(&f);
    run_plain(db, "PRAGMA journal_mode = DELETE");
    sqlite3_close(db);
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f.folder);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 4096 * 3, SEEK_SET); /* behind the schema */
    for (int i = 0; i < 4096; i++)
        fputc(0xee, file);
    fclose(file);

    assert_refused(&f, f.folder, "damaged");

    assert_int_equal(ask_int(&f, "PRAGMA user_version"), 1);
    fixture_close(&f);
}

/* Released versions are only added to: a change here needs a version of its own. */
static void test_version_1_is_as_it_was_released(void **state)
{
    (void)state;
    char hash[65];

    hash_hex(version_1, sizeof(version_1) - 1, hash);

    assert_string_equal(hash, "199abc0c48fbf4a7ecda0db84544354a24e81ae2a9b90f4560fd4f9051e1f40b");
}

static void test_a_store_has_a_name_of_its_own(void **state)
{
    (void)state;
    struct Fixture f;
    struct Fixture g;
    fixture_open(&f);
    make_version_1(&g);
    struct Store *store = fixture_store(&f), *other = fixture_store(&g);
    char id[33], again[33], others[33];

    must(&f, store_identity(store, id, &f.err));
    must(&g, store_identity(other, others, &g.err));
    store_close(store);
    store = fixture_store(&f);
    must(&f, store_identity(store, again, &f.err));

    assert_int_equal(strlen(id), 32);
    assert_string_equal(id, again);
    assert_string_not_equal(id, others);
    store_close(store);
    store_close(other);
    fixture_close(&f);
    fixture_close(&g);
}

static void test_whether_a_run_was_is_known_or_not_known(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01plan"));
    assert_int_equal(store_was_run(store, "01plan", &f.err), KNOWN_YES);
    assert_int_equal(store_was_run(store, "1plan", &f.err), KNOWN_NO);
    store_close(store);
    sqlite3 *db = open_plain(&f);
    run_plain(db, "ALTER TABLE runs RENAME TO lost");
    sqlite3_close(db);
    store = fixture_store(&f);

    assert_int_equal(store_was_run(store, "01plan", &f.err), KNOWN_UNKNOWN);

    assert_int_equal(f.err.code, ERR_STORE);
    store_close(store);
    fixture_close(&f);
}

static void test_ten_processes_may_make_the_store_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct Fixture f;
        fixture_open(&f);
        pid_t children[10];
        for (int i = 0; i < 10; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                char token[16];
                snprintf(token, sizeof(token), "run%d", i);
                struct Store *store = fixture_store(&f);
                must(&f, fixture_begin(&f, store, token) && fixture_end(&f, store, VERDICT_PASS));
                store_close(store);
                _exit(0);
            }
        }
        for (int i = 0; i < 10; i++) {
            int status = 1;
            waitpid(children[i], &status, 0);
            assert_int_equal(status, 0);
        }

        assert_int_equal(ask_int(&f, "SELECT count(*) FROM runs WHERE ended_as = 'PASS'"), 10);
        fixture_close(&f);
    }
}

static void test_two_stores_in_one_process_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *one = fixture_store(&f);
    struct Store *two = fixture_store(&f);

    store_close(two);
    must(&f, fixture_begin(&f, one, "01run"));
    assert_false(fixture_read(&f).finished);
    must(&f, fixture_end(&f, one, VERDICT_PASS));

    assert_true(fixture_read(&f).finished);
    store_close(one);
    store_close(NULL);
    fixture_close(&f);
}

/* ---- Plans ---- */

static void read_file(const struct Fixture *f, const char *name, char *out, size_t room)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(out, 1, room - 1, file);
    out[size] = '\0';
    fclose(file);
}

static void test_a_plan_is_a_file_of_its_own_and_is_replaced_whole(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    fixture_plan(&f, "01plan");
    char text[64];
    mode_t before = umask(0);

    must(&f, store_plan_save(store, &f.plan, "{\"longer\": true}", &f.err));
    must(&f, store_plan_save(store, &f.plan, "{}", &f.err));

    umask(before);
    read_file(&f, "plans/01plan.json", text, sizeof(text));
    assert_string_equal(text, "{}");
    assert_int_equal(mode_of(f.folder, "plans"), 0700);
    assert_int_equal(mode_of(f.folder, "plans/01plan.json"), 0600);
    store_close(store);
    fixture_close(&f);
}

static void test_a_plan_is_not_written_through_a_link(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    fixture_plan(&f, "01plan");
    char link[128];
    snprintf(link, sizeof(link), "%s/plans", f.folder);
    assert_int_equal(symlink("/tmp", link), 0);

    assert_false(store_plan_save(store, &f.plan, "{}", &f.err));

    assert_int_equal(f.err.code, ERR_STORE);
    assert_non_null(strstr(f.err.message, "cannot open the folder of the plan '01plan'"));
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder_and_files_are_ours_alone_under_any_umask),
        cmocka_unit_test(test_a_folder_that_others_may_write_into_is_refused),
        cmocka_unit_test(test_what_belongs_to_somebody_else_is_refused),
        cmocka_unit_test(test_links_and_things_that_are_no_files_are_not_followed),
        cmocka_unit_test(test_permissions_that_others_got_are_taken_back),
        cmocka_unit_test(test_a_relative_folder_is_where_it_was_named),
        cmocka_unit_test(test_a_database_that_is_not_ours_is_left_alone),
        cmocka_unit_test(test_a_newer_version_is_refused_and_not_touched),
        cmocka_unit_test(test_version_1_opens_for_ever),
        cmocka_unit_test(test_a_migrated_database_has_the_tables_of_a_new_one),
        cmocka_unit_test(test_a_damaged_old_version_is_not_migrated),
        cmocka_unit_test(test_version_1_is_as_it_was_released),
        cmocka_unit_test(test_a_store_has_a_name_of_its_own),
        cmocka_unit_test(test_whether_a_run_was_is_known_or_not_known),
        cmocka_unit_test(test_ten_processes_may_make_the_store_at_once),
        cmocka_unit_test(test_two_stores_in_one_process_do_not_disturb_each_other),
        cmocka_unit_test(test_a_plan_is_a_file_of_its_own_and_is_replaced_whole),
        cmocka_unit_test(test_a_plan_is_not_written_through_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
