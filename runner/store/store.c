/* store.c - opens the database, makes or migrates its tables, closes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <unistd.h>

#include "inside.h"

/* A row longer than this is not ours. */
#define ROW_BYTES_MAX (4 * 1024 * 1024)
#define ARMED_BYTES_MAX (1024 * 1024)
#define APPLICATION_ID 1717858924 /* "fdrl", as schema.sql sets it */

static const char schema_1[] = {
#include "runner/store/schema.sql.h"
    0};
static const char schema_2[] = {
#include "runner/store/schema_2.sql.h"
    0};
static const char schema_3[] = {
#include "runner/store/schema_3.sql.h"
    0};
static const char schema_4[] = {
#include "runner/store/schema_4.sql.h"
    0};
static const char schema_5[] = {
#include "runner/store/schema_5.sql.h"
    0};
static const char schema_6[] = {
#include "runner/store/schema_6.sql.h"
    0};
static const char schema_7[] = {
#include "runner/store/schema_7.sql.h"
    0};
static const char schema_8[] = {
#include "runner/store/schema_8.sql.h"
    0};
static const char schema_9[] = {
#include "runner/store/schema_9.sql.h"
    0};
static const char schema_10[] = {
#include "runner/store/schema_10.sql.h"
    0};
static const char schema_11[] = {
#include "runner/store/schema_11.sql.h"
    0};
static const char schema_12[] = {
#include "runner/store/schema_12.sql.h"
    0};
/* Each makes version i + 1 of version i, in one change. Never edited once released: only added to.
 */
static const char *const versions[] = {schema_1, schema_2,  schema_3,  schema_4,
                                       schema_5, schema_6,  schema_7,  schema_8,
                                       schema_9, schema_10, schema_11, schema_12};

static bool run_script(struct Store *store, const char *sql, struct Err *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(store, err);
}

static bool ask_int(struct Store *store, const char *sql, int64_t *out, struct Err *err)
{
    struct Query query = query_begin(store, sql);
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW)
        *out = row_int(&query);
    query_end(&query);
    return step != STEP_FAILED;
}

/* Nothing in the file is trusted to be code: no triggers, views or functions of its schema run. */
static bool harden(struct Store *store, struct Err *err)
{
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    };
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        int now = 0;
        sqlite3_db_config(store->db, options[i].option, options[i].value, &now);
        if (now != options[i].value)
            return err_set(err, ERR_STORE, NOWHERE, "SQLite %s knows no safe mode %d",
                           sqlite3_libversion(), options[i].option);
    }
    sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
    sqlite3_limit(store->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    return true;
}

/* SQLite does not wait by itself where two processes turn a new file into a WAL at once. */
static bool use_wal(struct Store *store, struct Err *err)
{
    int code = SQLITE_BUSY;
    for (int waited_ms = 0; code == SQLITE_BUSY && waited_ms <= STORE_BUSY_MS; waited_ms += 10) {
        code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) & 0xff;
        if (code == SQLITE_BUSY)
            sqlite3_sleep(10);
    }
    return code == SQLITE_OK ? run_script(store, "PRAGMA synchronous = FULL", err)
                             : store_fail(store, err);
}

/* Before the first statement of a migration changes it, an old file must be whole. */
static bool check_whole(struct Store *store, struct Err *err)
{
    struct Query query = query_begin(store, "PRAGMA quick_check(1)");
    enum Step step = query_step(&query, err);
    bool whole = step == STEP_ROW &&
                 sqlite3_stricmp((const char *)sqlite3_column_text(query.stmt, 0), "ok") == 0;
    if (step == STEP_ROW && !whole)
        err_set(err, ERR_STORE, NOWHERE, "the store '%s' is damaged and cannot be migrated: %s",
                store->path, (const char *)sqlite3_column_text(query.stmt, 0));
    query_end(&query);
    return whole;
}

static bool read_version(struct Store *store, int64_t *version, struct Err *err)
{
    int64_t application = 0;
    int64_t tables = 0;
    if (!ask_int(store, "PRAGMA user_version", version, err) ||
        !ask_int(store, "PRAGMA application_id", &application, err) ||
        !ask_int(store, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (application != APPLICATION_ID && tables > 0)
        return err_set(err, ERR_STORE, NOWHERE, "'%s' is a database, but not one of faildrill",
                       store->path);
    if (*version >= 0 && (size_t)*version <= COUNT_OF(versions))
        return true;
    err_set(err, ERR_STORE, NOWHERE,
            "the store '%s' is of version %lld, and this faildrill knows %zu at most", store->path,
            (long long)*version, COUNT_OF(versions));
    return err_hint(err, "Use the newer faildrill that wrote it.");
}

/* In one moment: another process may be making it. */
static bool look_at_version(struct Store *store, int64_t *version, struct Err *err)
{
    if (!read_begin(store, err))
        return false;
    bool ok = read_version(store, version, err);
    read_end(store);
    return ok;
}

static bool migrate(struct Store *store, struct Err *err)
{
    int64_t version = 0;
    if (!look_at_version(store, &version, err))
        return false;
    if (version == COUNT_OF(versions))
        return true;
    if (!change_begin(store, err))
        return false;
    /* Asked again: another process may have been quicker. */
    bool ok = read_version(store, &version, err) && (version == 0 || check_whole(store, err));
    for (size_t i = (size_t)version; ok && i < COUNT_OF(versions); i++)
        ok = run_script(store, versions[i], err);
    return change_end(store, ok, err);
}

bool store_identity(struct Store *store, char id[33], struct Err *err)
{
    struct Query query = query_begin(store, "SELECT id FROM identity");
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW)
        snprintf(id, 33, "%s", (const char *)sqlite3_column_text(query.stmt, 0));
    else if (step == STEP_END)
        return err_set(err, ERR_STORE, NOWHERE, "the store '%s' has no name", store->path);
    else
        return false;
    query_end(&query);
    return true;
}

static bool open_database(struct Store *store, struct Err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK) {
        if (store->db == NULL)
            bug("no memory for SQLite");
        return store_fail(store, err);
    }
    int64_t version = 0;
    return harden(store, err) && look_at_version(store, &version, err) && use_wal(store, err) &&
           run_script(store, "PRAGMA cell_size_check = ON", err) && migrate(store, err);
}

struct Store *store_open(const char *state_dir, struct Err *err)
{
    char *path = NULL;
    int folder = folder_open(state_dir, &path, err);
    if (folder < 0)
        return NULL;
    struct Store *store = mem_zero(1, sizeof(*store));
    store->folder = folder;
    store->path = path;
    store->arena = arena_new("store", ARMED_BYTES_MAX);
    if (open_database(store, err))
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct Store *store)
{
    if (store == NULL)
        return;
    batch_end(store);
    for (size_t i = 0; i < store->kept_count; i++)
        sqlite3_finalize(store->kept[i].stmt);
    if (sqlite3_close(store->db) != SQLITE_OK)
        bug("a statement of the store was left open");
    close(store->folder);
    arena_free(store->arena);
    mem_free(store->path);
    mem_free(store);
}
