/* log.c - the append-only log of a run: each row carries a hash over itself and the row before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "../base/text.h"
#include "inside.h"

#define LOG_BYTES_MAX (8 * 1024 * 1024)

/* What a row's digest covers; ?1 = run's key * 2^32 + fault. New columns go to the end: a column
 * that is NULL leaves a digest as it was before there was such a column. */
struct LogKind {
    enum LogType type;
    const char *name, *digest_sql;
};
static const struct LogKind kinds[] = {
    {LOG_BEGIN, "begin",
     "SELECT r.id, scenario, environment, is_protected, who, text_hash, behaviour_hash, started,"
     " version, t.hash, c.hash, plan_hash, bytes_hash, seed, hypothesis, owner, runbook, tags,"
     " pid, process_started, boot_id, pid_namespace, machine, mono_started, boottime_started"
     " FROM runs r JOIN details ON run = r.key JOIN texts t ON t.key = text"
     " JOIN texts c ON c.key = canonical WHERE r.key = ?1 >> 32"},
    {LOG_EVENT, "event", NULL},
    {LOG_FAULT, "fault",
     "SELECT id, state, token, step, kind, role, host, address, host_key, machine_id, reach,"
     " reach_config, boot_id, ends_by, apply, undo, all_clear, proof, stays, lease_ns, cap_ns,"
     " acts_by, sent, proven, ended_early, undo_sent, undone, closed, why,"
     " seat, strike, returned FROM faults"
     " WHERE id = ?1"},
    {LOG_END, "end",
     "SELECT ended, ended_as, why, mono_ended, suspended, not_steady, baseline_began, steps_began,"
     " observing_ended, undo_began, settled FROM runs JOIN details ON run = key"
     " WHERE key = ?1 >> 32"},
    {LOG_JUDGED, "judged", "SELECT judged, judged_why, unaffected FROM runs WHERE key = ?1 >> 32"},
    {LOG_NOTE, "note",
     "SELECT at_low, at_high, made, who, type, text FROM notes WHERE key = ?1 & 4294967295"},
};

static const struct LogKind *kind_of(enum LogType type)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].type == type)
            return &kinds[i];
    }
    bug("no such type of log row: %d", (int)type);
}

/* Length first, so that no two lists of values give the same bytes. */
static void add_bytes(struct Buf *buf, const char *bytes, size_t size)
{
    buf_printf(buf, "%zu:", size);
    buf_add(buf, bytes, size);
}

static void add_int(struct Buf *buf, int64_t value)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "%" PRId64, value);
    add_bytes(buf, text, (size_t)size);
}

static void hash_buf(const struct Buf *buf, char out[65])
{
    if (buf->cut)
        bug("a row of the log is longer than %d bytes", LOG_BYTES_MAX);
    hash_hex(buf->text, buf->size, out);
}

/* out is "" for rows without. */
static bool digest_row(struct Store *store, const struct LogKind *kind, int64_t id, char out[65],
                       struct Err *err)
{
    out[0] = '\0';
    if (kind->digest_sql == NULL)
        return true;
    struct Query query = query_begin(store, kind->digest_sql);
    query_int(&query, id);
    enum Step step = query_step(&query, err);
    if (step != STEP_ROW)
        return step == STEP_END;
    struct Buf buf = BUF(LOG_BYTES_MAX);
    for (int i = 0; i < sqlite3_column_count(query.stmt); i++) {
        if (sqlite3_column_type(query.stmt, i) == SQLITE_NULL)
            continue;
        add_int(&buf, i);
        const char *bytes = (const char *)sqlite3_column_text(query.stmt, i);
        add_bytes(&buf, bytes, (size_t)sqlite3_column_bytes(query.stmt, i));
    }
    query_end(&query);
    hash_buf(&buf, out);
    buf_free(&buf);
    return true;
}

struct Sealed { /* a row as it stands in the log */
    int64_t id, at, fault;
    const char *type, *subject, *text, *digest; /* digest "" = none */
};

static void hash_row(const struct Sealed *row, const char *before, char out[65])
{
    struct Buf buf = BUF(LOG_BYTES_MAX);
    add_bytes(&buf, before, strlen(before));
    add_int(&buf, row->id);
    add_bytes(&buf, row->type, strlen(row->type));
    add_int(&buf, row->at);
    add_int(&buf, row->fault);
    add_bytes(&buf, row->subject, strlen(row->subject));
    add_bytes(&buf, row->text, strlen(row->text));
    add_bytes(&buf, row->digest, strlen(row->digest));
    hash_buf(&buf, out);
    buf_free(&buf);
}

/* The newest row of a run; id = that of row 0 and hash "" where there is none. Asked each time:
 * `undo` of another process writes to the same log. */
static bool read_head(struct Store *store, int64_t run, int64_t *id, char hash[65], struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT id, hash FROM log WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1");
    query_int(&query, row_id(run, 0));
    query_int(&query, row_id(run, UINT32_MAX));
    enum Step step = query_step(&query, err);
    *id = row_id(run, 0);
    hash[0] = '\0';
    if (step == STEP_ROW) {
        *id = row_int(&query);
        snprintf(hash, 65, "%s", (const char *)sqlite3_column_text(query.stmt, 1));
        query_end(&query);
    }
    return step != STEP_FAILED;
}

bool log_append(struct Store *store, const struct LogRow *row, struct Err *err)
{
    const struct LogKind *kind = kind_of(row->type);
    int64_t newest = 0;
    char before[65];
    char digest[65];
    char hash[65];
    if (!read_head(store, row->run, &newest, before, err) ||
        !digest_row(store, kind, row_id(row->run, row->fault), digest, err))
        return false;
    struct Sealed sealed = {
        .id = newest + 1,
        .at = row->at.ns,
        .fault = row->fault,
        .type = kind->name,
        .subject = row->subject,
        .text = row->text,
        .digest = digest,
    };
    hash_row(&sealed, before, hash);
    struct Query query = query_begin(store, "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, sealed.id);
    query_text(&query, sealed.type);
    query_int(&query, sealed.at);
    query_int(&query, sealed.fault);
    query_text(&query, sealed.subject);
    query_text(&query, sealed.text);
    query_text(&query, digest[0] != '\0' ? digest : NULL);
    query_text(&query, hash);
    return query_run(&query, err);
}

/* ---- Verify ---- */

/* The first row, in the order of the log, that is not as it was written; 0 = none. */
static bool check_chain(struct Store *store, int64_t run, struct Arena *arena, uint64_t *broken,
                        struct Err *err)
{
    struct Query query =
        query_begin(store, "SELECT id, type, at, fault, subject, text, digest, hash FROM log"
                           " WHERE id BETWEEN ? AND ? ORDER BY id");
    query_int(&query, row_id(run, 1));
    query_int(&query, row_id(run, UINT32_MAX));
    const char *before = "";
    enum Step step;
    for (int64_t id = row_id(run, 1); (step = query_step(&query, err)) == STEP_ROW; id++) {
        struct Sealed row = {.id = row_int(&query)};
        row.type = row_text_or(&query, arena, "");
        row.at = row_int(&query);
        row.fault = row_int(&query);
        row.subject = row_text_or(&query, arena, "");
        row.text = row_text_or(&query, arena, "");
        row.digest = row_text_or(&query, arena, "");
        const char *stored = row_text_or(&query, arena, "");
        char hash[65];
        hash_row(&row, before, hash);
        if (row.id != id || !text_equal(hash, stored)) {
            *broken = (uint64_t)(id & UINT32_MAX);
            query_end(&query);
            return true;
        }
        before = stored;
    }
    return step == STEP_END;
}

/* The newest row about a thing must hold the digest of that thing as it stands now. */
static bool check_digests(struct Store *store, int64_t run, struct Arena *arena, uint64_t *broken,
                          struct Err *err)
{
    struct Query query =
        query_begin(store, "SELECT max(id), type, fault, digest FROM log WHERE id BETWEEN ? AND ?"
                           " AND digest IS NOT NULL GROUP BY type, fault ORDER BY max(id)");
    query_int(&query, row_id(run, 1));
    query_int(&query, row_id(run, UINT32_MAX));
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        int64_t id = row_int(&query);
        const char *type = row_text_or(&query, arena, "");
        int64_t fault = row_int(&query);
        const char *stored = row_text_or(&query, arena, "");
        char now[65] = "";
        bool ok = true;
        for (size_t i = 0; i < COUNT_OF(kinds) && ok; i++) {
            if (text_equal(kinds[i].name, type))
                ok = digest_row(store, &kinds[i], row_id(run, (uint32_t)fault), now, err);
        }
        if (!ok || !text_equal(now, stored)) {
            *broken = (uint64_t)(id & UINT32_MAX);
            query_end(&query);
            return ok;
        }
    }
    return step == STEP_END;
}

/* Rows that the tables say must be there: a log that was cut off, or a fault put in by hand. */
static bool check_cut(struct Store *store, int64_t run, uint64_t *broken, struct Err *err)
{
    struct Query query = query_begin(
        store,
        "SELECT (SELECT count(*) FROM log WHERE id BETWEEN ?1 AND ?2) + 1"
        " WHERE NOT EXISTS (SELECT 1 FROM log WHERE id = ?1 AND type = 'begin')"
        " OR EXISTS (SELECT 1 FROM runs WHERE key = ?1 >> 32 AND ended IS NOT NULL"
        "  AND NOT EXISTS (SELECT 1 FROM log WHERE id BETWEEN ?1 AND ?2 AND type = 'end'))"
        " OR EXISTS (SELECT 1 FROM runs WHERE key = ?1 >> 32 AND judged IS NOT NULL"
        "  AND NOT EXISTS (SELECT 1 FROM log WHERE id BETWEEN ?1 AND ?2 AND type = 'judged'))"
        " OR EXISTS (SELECT 1 FROM faults f WHERE f.id BETWEEN ?1 AND ?2 AND NOT EXISTS"
        "  (SELECT 1 FROM log l WHERE l.id BETWEEN ?1 AND ?2 AND type = 'fault'"
        "   AND fault = (f.id & 4294967295)))");
    query_int(&query, row_id(run, 1));
    query_int(&query, row_id(run, UINT32_MAX));
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW) {
        *broken = (uint64_t)row_int(&query);
        query_end(&query);
    }
    return step != STEP_FAILED;
}

bool store_verify(struct Store *store, const char *run, uint64_t *broken, struct Err *err)
{
    int64_t key = 0;
    uint64_t found = 0;
    if (!run_key(store, run, &key, err) || !read_begin(store, err))
        return false;
    struct Arena *arena = arena_new("verify", (size_t)1 << 30);
    bool ok = check_chain(store, key, arena, &found, err) &&
              (found != 0 || check_digests(store, key, arena, &found, err)) &&
              (found != 0 || check_cut(store, key, &found, err));
    arena_free(arena);
    read_end(store);
    if (ok)
        *broken = found;
    return ok;
}
