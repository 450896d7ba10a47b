/* notes.c - what people noted: written by another process than the one that runs the drill. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

/* The run's own clock at that time; its row in the log says so. */
static bool mono_of(struct Store *store, int64_t run, struct Wall at, struct Mono *out,
                    struct Err *err)
{
    struct Query query =
        query_begin(store, "SELECT mono_started + ?1 - started FROM runs JOIN details ON run = key"
                           " WHERE key = ?2");
    query_int(&query, at.ns);
    query_int(&query, run);
    enum Step step = query_step(&query, err);
    out->ns = 0;
    if (step == STEP_ROW) {
        out->ns = row_int(&query);
        query_end(&query);
    }
    return step != STEP_FAILED;
}

static bool add(struct Store *store, int64_t run, const struct Note *note, struct Err *err)
{
    struct Query query = query_begin(store, "INSERT INTO notes (run, at_low, at_high, made, who,"
                                            " type, text) VALUES (?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, run);
    query_int(&query, note->low.ns);
    query_int(&query, note->high.ns);
    query_int(&query, note->made.ns);
    query_text(&query, note->who);
    query_text(&query, note->type);
    query_text(&query, note->text);
    if (!query_run(&query, err))
        return false;
    struct LogRow row = {.type = LOG_NOTE,
                         .run = run,
                         .fault = (uint32_t)sqlite3_last_insert_rowid(store->db),
                         .subject = note->who,
                         .text = note->text};
    return mono_of(store, run, note->low, &row.at, err) && log_append(store, &row, err);
}

bool store_note(struct Store *store, const char *run, const struct Note *note, struct Err *err)
{
    int64_t key = 0;
    return run_key(store, run, &key, err) && change_begin(store, err) &&
           change_end(store, add(store, key, note, err), err);
}

bool store_go_said(struct Store *store, const char *run, struct Wall since, struct Arena *arena,
                   const char **who, struct Err *err)
{
    struct Query query = query_begin(store, "SELECT n.who FROM notes n JOIN runs r ON r.key = run"
                                            " WHERE id = ? AND type = 'go' AND made >= ?"
                                            " ORDER BY made LIMIT 1");
    query_text(&query, run);
    query_int(&query, since.ns);
    enum Step step = query_step(&query, err);
    *who = NULL;
    if (step == STEP_ROW) {
        *who = row_text_or(&query, arena, "");
        query_end(&query);
    }
    return step != STEP_FAILED;
}
