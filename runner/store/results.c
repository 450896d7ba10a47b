/* results.c - what a judged run leaves for trends, and reading that back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../base/text.h"
#include "../model/cycles.h"
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
            return (int64_t)(ledger->lost + ledger->back_lost);
    }
    return -1;
}

/* The key of a series, made where it is new. */
static bool series_of(struct Store *store, const struct RunRecord *run, const char *probe,
                      int64_t *key, struct Err *err)
{
    struct Query add =
        query_begin(store, "INSERT INTO series (scenario, environment, probe, behaviour_hash)"
                           " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    struct Query query = query_begin(store, "SELECT key FROM series WHERE scenario = ? AND"
                                            " environment = ? AND probe = ? AND"
                                            " behaviour_hash = ?");
    struct Query *const both[] = {&add, &query};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        query_text(both[i], run->scenario);
        query_text(both[i], run->environment);
        query_text(both[i], probe);
        query_text(both[i], run->behaviour_hash);
    }
    if (!query_run(&add, err))
        return false;
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW)
        *key = row_int(&query);
    query_end(&query);
    return step == STEP_ROW;
}

/* A report may be made again: then the run keeps its number in the series. */
static bool number_in(struct Store *store, int64_t series, const char *run, int64_t *id,
                      struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT coalesce((SELECT id FROM results WHERE id BETWEEN ?1 AND ?2 AND run = ?3),"
               " (SELECT max(id) FROM results WHERE id BETWEEN ?1 AND ?2) + 1, ?1)");
    query_int(&query, row_id(series, 1));
    query_int(&query, row_id(series, UINT32_MAX));
    query_text(&query, run);
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW)
        *id = row_int(&query);
    query_end(&query);
    return step == STEP_ROW;
}

static bool write_result(struct Store *store, const struct Report *report,
                         const struct ProbeResult *result, const char *advice, struct Err *err)
{
    const struct RunRecord *run = report->run;
    int64_t series = 0;
    int64_t id = 0;
    if (!series_of(store, run, result->probe->name, &series, err) ||
        !number_in(store, series, run->id, &id, err))
        return false;
    bool recovered =
        !result->unaffected && !result->censored && result->recovered.high_ns != NS_NEVER;
    struct Query query = query_begin(store, "INSERT OR REPLACE INTO results VALUES"
                                            " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                                            " ?)");
    query_int(&query, id);
    query_text(&query, run->id);
    query_int(&query, run->started.ns);
    query_int(&query, run->finished);
    query_int(&query, run->is_protected);
    query_text(&query, verdict_name(report->verdict));
    query_text(&query, report->why);
    query_int(&query, result->unaffected ? -1 : result->recovered.low_ns);
    query_int(&query, recovered ? result->recovered.high_ns : -1);
    query_int(&query, limit_of(run, result->probe->name));
    query_int(&query, lost_of(report, result->probe));
    query_int(&query, result->unaffected);
    query_int(&query, result->censored);
    query_text(&query, run->cycle.of > 1 ? run->cycle.first : NULL);
    query_int(&query, run->cycle.number);
    query_int(&query, run->cycle.of);
    query_text(&query, advice);
    return query_run(&query, err);
}

/* "ttl 60, loop_wait 20": what a FAIL is explained by. */
static void say_advice(const struct Report *report, struct Buf *out)
{
    for (size_t i = 0; i < report->advice_count; i++)
        buf_printf(out, "%s%s %s", i > 0 ? ", " : "", report->advice[i].knob,
                   report->advice[i].today);
}

static bool write_judged(struct Store *store, const struct Report *report, int64_t run,
                         struct Err *err)
{
    struct Query query = query_begin(
        store, "UPDATE runs SET judged = ?, judged_why = ?, unaffected = ? WHERE key = ?");
    query_text(&query, verdict_name(report->verdict));
    query_text(&query, report->why);
    query_int(&query, report->unaffected);
    query_int(&query, run);
    struct Buf advice = BUF(400);
    say_advice(report, &advice);
    bool ok = query_run(&query, err);
    for (size_t i = 0; ok && i < report->probe_count; i++)
        ok = report->probes[i].probe->is_alert ||
             write_result(store, report, &report->probes[i], advice.size > 0 ? advice.text : NULL,
                          err);
    buf_free(&advice);
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

struct Series {
    int64_t key;
    const char *scenario, *environment, *probe, *behaviour_hash;
    size_t count; /* at most so many rows */
};

static bool list_series(struct Store *store, const struct History *of, struct Arena *arena,
                        struct List *out, struct Err *err)
{
    struct Query query =
        query_begin(store, "SELECT key, scenario, environment, probe, behaviour_hash,"
                           " (SELECT max(id) & 4294967295 FROM results"
                           "  WHERE id BETWEEN key << 32 AND key << 32 | 4294967295)"
                           " FROM series WHERE (?1 IS NULL OR environment = ?1)"
                           " AND (?2 IS NULL OR scenario = ?2)"
                           " ORDER BY scenario, environment, probe, behaviour_hash");
    query_text(&query, of != NULL ? of->environment : NULL);
    query_text(&query, of != NULL ? of->scenario : NULL);
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct Series *series = list_add(out, arena, sizeof(*series));
        series->key = row_int(&query);
        series->scenario = row_text(&query, arena);
        series->environment = row_text(&query, arena);
        series->probe = row_text(&query, arena);
        series->behaviour_hash = row_text(&query, arena);
        series->count = (size_t)row_int(&query);
    }
    return step == STEP_END;
}

/* Who has to mend it, asked of a FAIL alone. */
#define OWNER_OF(run, verdict)                                                                     \
    " CASE WHEN " verdict " = 'FAIL' THEN (SELECT d.owner FROM runs o JOIN details d"              \
    " ON d.run = o.key WHERE o.id = " run ") END"

static const char *optional(sqlite3_stmt *stmt, int column, struct Arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text == NULL || text[0] == '\0' ? NULL : arena_text(arena, text);
}

/* Half a million of these for all trends: the columns are read as SQLite gives them. */
static void read_past(sqlite3_stmt *stmt, struct Arena *arena, struct Past *out)
{
    const char *why = (const char *)sqlite3_column_text(stmt, 5);
    out->id = arena_bytes(arena, (const char *)sqlite3_column_text(stmt, 0),
                          (size_t)sqlite3_column_bytes(stmt, 0));
    out->started.ns = sqlite3_column_int64(stmt, 1);
    out->finished = sqlite3_column_int(stmt, 2) != 0;
    out->is_protected = sqlite3_column_int(stmt, 3) != 0;
    out->verdict = verdict_stored((const char *)sqlite3_column_text(stmt, 4));
    out->why = why == NULL || why[0] == '\0' ? "" : arena_text(arena, why);
    out->recovery_low_ns = sqlite3_column_int64(stmt, 6);
    out->recovery_high_ns = sqlite3_column_int64(stmt, 7);
    out->limit_ns = sqlite3_column_int64(stmt, 8);
    out->lost = sqlite3_column_int64(stmt, 9);
    out->unaffected = sqlite3_column_int(stmt, 10) != 0;
    out->censored = sqlite3_column_int(stmt, 11) != 0;
    out->advice = optional(stmt, 15, arena);
    out->owner = optional(stmt, 16, arena);
    out->cycle.number = (uint32_t)sqlite3_column_int(stmt, 13);
    out->cycle.of = (uint32_t)sqlite3_column_int(stmt, 14);
    if (out->cycle.of > 1)
        out->cycle.first = arena_text(arena, (const char *)sqlite3_column_text(stmt, 12));
}

static int compare_started(const void *a, const void *b)
{
    const struct Past *left = a;
    const struct Past *right = b;
    return (left->started.ns > right->started.ns) - (left->started.ns < right->started.ns);
}

/* Runs are judged as they end, so this has work to do only after an import or a clock set back. */
static void sort_past(struct Past *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_started(&items[i - 1], &items[i]) > 0) {
            qsort(items, count, sizeof(*items), compare_started);
            return;
        }
    }
}

static bool read_series_past(struct Store *store, const struct Series *series, struct Wall since,
                             struct Arena *arena, struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store,
        "SELECT run, started, finished, is_protected, verdict, why, recovery_low,"
        " recovery_high, limit_ns, lost, unaffected, censored, first, number, of,"
        " advice," OWNER_OF(
            "results.run",
            "verdict") " FROM results WHERE id BETWEEN ? AND ? AND started >= ? ORDER BY id");
    query_int(&query, row_id(series->key, 1));
    query_int(&query, row_id(series->key, UINT32_MAX));
    query_int(&query, since.ns);
    struct Past *items = (struct Past *)out->items + out->count;
    size_t count = 0;
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct Past *past = &items[count++];
        read_past(query.stmt, arena, past);
        past->scenario = series->scenario;
        past->environment = series->environment;
        past->probe = series->probe;
        past->behaviour_hash = series->behaviour_hash;
    }
    sort_past(items, count);
    out->count += cycles_join(items, count, arena);
    return step == STEP_END;
}

static bool read_all_past(struct Store *store, const struct History *of, struct Arena *arena,
                          struct List *out, struct Err *err)
{
    struct List list = {.items = NULL};
    if (!list_series(store, of, arena, &list, err))
        return false;
    const struct Series *series = list.items;
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        count += series[i].count;
    struct List past = {.items = arena_zero(arena, count, sizeof(struct Past))};
    struct Wall since = {.ns = of != NULL ? of->since.ns : 0};
    for (size_t i = 0; i < list.count; i++) {
        if (!read_series_past(store, &series[i], since, arena, &past, err))
            return false;
    }
    *out = past;
    return true;
}

bool store_past(struct Store *store, const struct History *of, struct Arena *arena,
                struct List *out, struct Err *err)
{
    if (!read_begin(store, err))
        return false;
    bool ok = read_all_past(store, of, arena, out, err);
    read_end(store);
    return ok;
}

bool store_cycles(struct Store *store, const char *first, struct Arena *arena, struct List *out,
                  struct Err *err)
{
    struct Query query = query_begin(
        store,
        "SELECT r.run, r.started, r.finished, r.is_protected, r.verdict, r.why,"
        " r.recovery_low, r.recovery_high, r.limit_ns, r.lost, r.unaffected, r.censored,"
        " r.first, r.number, r.of, r.advice," OWNER_OF(
            "r.run", "r.verdict") ", s.scenario, s.environment, s.probe, s.behaviour_hash"
                                  " FROM cycles c JOIN runs n ON n.key = c.run JOIN series s ON"
                                  "  s.scenario = n.scenario AND s.environment = n.environment AND"
                                  "  s.behaviour_hash = n.behaviour_hash"
                                  " JOIN results r ON r.id BETWEEN s.key << 32 AND s.key << 32 | "
                                  "4294967295 AND"
                                  "  r.run = n.id WHERE c.first = ? ORDER BY c.number, r.id");
    query_text(&query, first);
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct Past *past = list_add(out, arena, sizeof(*past));
        read_past(query.stmt, arena, past);
        query.next = 17;
        past->scenario = row_text(&query, arena);
        past->environment = row_text(&query, arena);
        past->probe = row_text(&query, arena);
        past->behaviour_hash = row_text(&query, arena);
    }
    return step == STEP_END;
}
