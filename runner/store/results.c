/* results.c - what a judged run leaves for trends, and reading that back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../base/text.h"
#include "inside.h"

static int64_t limit_of(const struct RunRecord *run, const char *probe)
{
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct RunExpectation *expectation = &run->expectations[i];
        if (text_equal(expectation->word, bound_name(BOUND_RECOVER_WITHIN)) &&
            text_equal(expectation->probe, probe))
            return expectation->limit;
    }
    return -1;
}

static int64_t lost_of(const struct Report *report, const struct RunProbe *probe)
{
    for (size_t i = 0; i < report->ledger_count; i++) {
        const struct LedgerResult *ledger = &report->ledgers[i];
        if (ledger->probe == probe && ledger->complete == KNOWN_YES)
            return (int64_t)ledger->lost;
    }
    return -1;
}

static bool add_result(struct Store *store, const struct Report *report, size_t index, int64_t run,
                       struct Err *err)
{
    const struct ProbeResult *result = &report->probes[index];
    bool recovered = !result->unaffected && !result->censored;
    struct Query query = query_begin(store, "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, row_id(run, (uint32_t)index));
    query_text(&query, result->probe->name);
    query_int(&query, result->unaffected ? -1 : result->recovered.low_ns);
    query_int(&query,
              recovered && result->recovered.high_ns != NS_NEVER ? result->recovered.high_ns : -1);
    query_int(&query, limit_of(report->run, result->probe->name));
    query_int(&query, lost_of(report, result->probe));
    query_int(&query, result->unaffected);
    query_int(&query, result->censored);
    return query_run(&query, err);
}

/* A report may be made again, so its results replace those before. */
static bool write_judged(struct Store *store, const struct Report *report, int64_t run,
                         struct Err *err)
{
    struct Query query = query_begin(
        store, "UPDATE runs SET judged = ?, judged_why = ?, unaffected = ? WHERE key = ?");
    query_text(&query, verdict_name(report->verdict));
    query_text(&query, report->why);
    query_int(&query, report->unaffected);
    query_int(&query, run);
    if (!query_run(&query, err))
        return false;
    struct Query old = query_begin(store, "DELETE FROM results WHERE id BETWEEN ? AND ?");
    query_int(&old, row_id(run, 0));
    query_int(&old, row_id(run, UINT32_MAX));
    bool ok = query_run(&old, err);
    for (size_t i = 0; ok && i < report->probe_count; i++)
        ok = add_result(store, report, i, run, err);
    struct LogRow row = {.type = LOG_JUDGED,
                         .run = run,
                         .at = report->run->mono_ended,
                         .subject = "",
                         .text = verdict_name(report->verdict)};
    return ok && log_append(store, &row, err);
}

bool store_run_judged(struct Store *store, const struct Report *report, struct Err *err)
{
    int64_t run = 0;
    return run_key(store, report->run->id, &run, err) && change_begin(store, err) &&
           change_end(store, write_judged(store, report, run, err), err);
}

/* ---- Past results ---- */

/* Names come again and again: each is copied once. */
struct Names {
    struct Arena *arena;
    const char *seen[16];
    size_t next;
};

static const char *keep_name(struct Names *names, const unsigned char *stored)
{
    const char *text = (const char *)stored;
    if (text == NULL)
        return "";
    for (size_t i = 0; i < COUNT_OF(names->seen); i++) {
        if (names->seen[i] != NULL && text_equal(names->seen[i], text))
            return names->seen[i];
    }
    const char *copy = arena_text(names->arena, text);
    names->seen[names->next++ % COUNT_OF(names->seen)] = copy;
    return copy;
}

/* The run's own columns, from 8 on: read once for all of its probes. */
static void read_run_part(sqlite3_stmt *stmt, struct Arena *arena, struct Names *names,
                          struct Past *out)
{
    out->id = arena_text(arena, (const char *)sqlite3_column_text(stmt, 8));
    out->scenario = keep_name(names, sqlite3_column_text(stmt, 9));
    out->environment = keep_name(names, sqlite3_column_text(stmt, 10));
    out->behaviour_hash = keep_name(names, sqlite3_column_text(stmt, 11));
    out->why = keep_name(names, sqlite3_column_text(stmt, 12));
    out->started.ns = sqlite3_column_int64(stmt, 13);
    out->verdict = verdict_stored((const char *)sqlite3_column_text(stmt, 14));
    out->is_protected = sqlite3_column_int(stmt, 15) != 0;
    out->finished = sqlite3_column_int(stmt, 16) != 0;
}

static void read_past(sqlite3_stmt *stmt, struct Names *names, struct Past *out)
{
    out->probe = keep_name(names, sqlite3_column_text(stmt, 1));
    out->recovery_low_ns = sqlite3_column_int64(stmt, 2);
    out->recovery_high_ns = sqlite3_column_int64(stmt, 3);
    out->limit_ns = sqlite3_column_int64(stmt, 4);
    out->lost = sqlite3_column_int64(stmt, 5);
    out->unaffected = sqlite3_column_int(stmt, 6) != 0;
    out->censored = sqlite3_column_int(stmt, 7) != 0;
}

static int compare_started(const void *a, const void *b)
{
    const struct Past *left = a;
    const struct Past *right = b;
    return (left->started.ns > right->started.ns) - (left->started.ns < right->started.ns);
}

/* Runs are stored as they begin, so this has work to do only after an import or a clock set back.
 */
static void sort_past(struct List *past)
{
    struct Past *items = past->items;
    for (size_t i = 1; i < past->count; i++) {
        if (compare_started(&items[i - 1], &items[i]) > 0) {
            qsort(items, past->count, sizeof(*items), compare_started);
            return;
        }
    }
}

bool store_past(struct Store *store, const struct History *of, struct Arena *arena,
                struct List *out, struct Err *err)
{
    static const char columns_of_one[] =
        "SELECT key, probe, recovery_low, recovery_high, limit_ns, lost, results.unaffected,"
        " censored, runs.id, scenario, environment, behaviour_hash, judged_why, started, judged,"
        " is_protected, ended IS NOT NULL FROM runs CROSS JOIN results"
        " ON results.id BETWEEN key << 32 AND key << 32 | 4294967295"
        " WHERE judged IS NOT NULL AND scenario = ?2 AND (?1 IS NULL OR environment = ?1)"
        " AND started >= ?3 ORDER BY started, key";
    static const char columns_of_all[] =
        "SELECT key, probe, recovery_low, recovery_high, limit_ns, lost, results.unaffected,"
        " censored, runs.id, scenario, environment, behaviour_hash, judged_why, started, judged,"
        " is_protected, ended IS NOT NULL FROM runs CROSS JOIN results"
        " ON results.id BETWEEN key << 32 AND key << 32 | 4294967295"
        " WHERE judged IS NOT NULL AND (?1 IS NULL OR environment = ?1)"
        " AND (?2 IS NULL OR scenario = ?2) AND started >= ?3 ORDER BY key";
    bool one = of != NULL && of->scenario != NULL;
    struct Query query = query_begin(store, one ? columns_of_one : columns_of_all);
    query_text(&query, of != NULL ? of->environment : NULL);
    query_text(&query, of != NULL ? of->scenario : NULL);
    query_int(&query, of != NULL ? of->since.ns : 0);
    struct Names names = {.arena = arena};
    struct List past = {.items = NULL};
    struct Past run = {.id = NULL};
    int64_t key = 0;
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        int64_t now = sqlite3_column_int64(query.stmt, 0);
        if (now != key)
            read_run_part(query.stmt, arena, &names, &run);
        key = now;
        struct Past *one_past = list_add(&past, arena, sizeof(*one_past));
        *one_past = run;
        read_past(query.stmt, &names, one_past);
    }
    if (step == STEP_END) {
        sort_past(&past);
        *out = past;
    }
    return step == STEP_END;
}
