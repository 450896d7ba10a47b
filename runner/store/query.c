/* query.c - prepared statements, changes that are whole or not at all, errors in our words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "inside.h"

bool store_fail(struct Store *store, struct Err *err)
{
    int code = sqlite3_extended_errcode(store->db);
    int system = sqlite3_system_errno(store->db);
    const char *said = sqlite3_errmsg(store->db);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_STORE, NOWHERE,
                       "another process has kept the store '%s' locked for more than %d s",
                       store->path, STORE_BUSY_MS / 1000);
    case SQLITE_FULL:
        err_set(err, ERR_STORE, NOWHERE, "there is no room left to write the store '%s'",
                store->path);
        return err_hint(err, "Make room on its disk.");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        err_set(err, ERR_STORE, NOWHERE, "the store '%s' is damaged: %s", store->path, said);
        err_hint(err, "Move it away; `sqlite3 FILE .recover` gets out of it what can be read.");
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        err_set(err, ERR_STORE, NOWHERE, "the store '%s' cannot be read or written: %s%s%s (%d)",
                store->path, said, system != 0 ? ": " : "", system != 0 ? strerror(system) : "",
                code);
        break;
    default:
        return err_set(err, ERR_STORE, NOWHERE, "the store '%s' refuses: %s (%d)", store->path,
                       said, code);
    }
    if (!store->broken) {
        store->broken = true;
        store->why_broken = *err;
    }
    return false;
}

/* ---- Statements ---- */

struct Query query_begin(struct Store *store, const char *sql)
{
    struct Query query = {.store = store, .stmt = NULL, .next = 1, .code = SQLITE_OK};
    for (size_t i = 0; i < store->kept_count && query.stmt == NULL; i++) {
        if (store->kept[i].sql == sql)
            query.stmt = store->kept[i].stmt;
    }
    if (query.stmt != NULL)
        return query;
    if (store->kept_count == COUNT_OF(store->kept))
        bug("more than %zu kinds of query", COUNT_OF(store->kept));
    query.code =
        sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &query.stmt, NULL);
    if (query.code == SQLITE_OK)
        store->kept[store->kept_count++] = (struct KeptQuery){.sql = sql, .stmt = query.stmt};
    return query;
}

static void note_code(struct Query *query, int code)
{
    if (query->code == SQLITE_OK)
        query->code = code;
}

void query_int(struct Query *query, int64_t value)
{
    if (query->code == SQLITE_OK)
        note_code(query, sqlite3_bind_int64(query->stmt, query->next++, value));
}

void query_text(struct Query *query, const char *text)
{
    if (query->code == SQLITE_OK)
        note_code(query, sqlite3_bind_text(query->stmt, query->next++, text, -1, SQLITE_STATIC));
}

enum Step query_step(struct Query *query, struct Err *err)
{
    if (query->code == SQLITE_OK) {
        int code = sqlite3_step(query->stmt);
        query->next = 0;
        if (code == SQLITE_ROW)
            return STEP_ROW;
        if (code == SQLITE_DONE) {
            query_end(query);
            return STEP_END;
        }
    }
    store_fail(query->store, err);
    query_end(query);
    return STEP_FAILED;
}

void query_end(struct Query *query)
{
    sqlite3_reset(query->stmt); /* accepts NULL; its code is that of the step, seen already */
}

bool query_run(struct Query *query, struct Err *err)
{
    enum Step step = query_step(query, err);
    if (step == STEP_ROW)
        bug("rows come from: %s", sqlite3_sql(query->stmt));
    return step == STEP_END;
}

int64_t row_int(struct Query *query)
{
    return sqlite3_column_int64(query->stmt, query->next++);
}

const char *row_text(struct Query *query, struct Arena *arena)
{
    const unsigned char *text = sqlite3_column_text(query->stmt, query->next);
    int size = sqlite3_column_bytes(query->stmt, query->next++);
    return text == NULL ? NULL : arena_bytes(arena, (const char *)text, (size_t)size);
}

const char *row_text_or(struct Query *query, struct Arena *arena, const char *otherwise)
{
    const char *text = row_text(query, arena);
    return text == NULL ? otherwise : text;
}

/* ---- Changes ---- */

static bool run_plain(struct Store *store, const char *sql, struct Err *err)
{
    struct Query query = query_begin(store, sql);
    return query_run(&query, err);
}

/* What led here is reported already. */
static void roll_back(struct Store *store)
{
    struct Err why;
    if (!sqlite3_get_autocommit(store->db) && !run_plain(store, "ROLLBACK", &why) &&
        !store->broken) {
        store->broken = true;
        store->why_broken = why;
    }
}

bool change_begin(struct Store *store, struct Err *err)
{
    if (store->broken) {
        *err = store->why_broken;
        return false;
    }
    return run_plain(store, "BEGIN IMMEDIATE", err);
}

bool change_end(struct Store *store, bool ok, struct Err *err)
{
    if (ok && run_plain(store, "COMMIT", err))
        return true;
    roll_back(store);
    return false;
}

bool read_begin(struct Store *store, struct Err *err)
{
    return run_plain(store, "BEGIN", err);
}

void read_end(struct Store *store)
{
    roll_back(store);
}
