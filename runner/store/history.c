/* history.c - finds runs, and lists those that are asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "inside.h"

enum { AMBIGUOUS_SHOWN = 5 };

/* What is stored says less than "may be believed" where a name is of a later version. */
enum Verdict verdict_stored(const char *name)
{
    for (int verdict = VERDICT_PASS; verdict <= VERDICT_NOT_UNDONE; verdict++) {
        if (text_equal(name, verdict_name((enum Verdict)verdict)))
            return (enum Verdict)verdict;
    }
    return VERDICT_INCONCLUSIVE;
}

static bool fail_unknown(const char *run, struct Err *err)
{
    err_set(err, ERR_NOT_FOUND, NOWHERE, "there is no run '%s'", run);
    return err_hint(err, "`faildrill runs` lists them.");
}

bool run_key(struct Store *store, const char *id, int64_t *key, struct Err *err)
{
    struct Query query = query_begin(store, "SELECT key FROM runs WHERE id = ?");
    query_text(&query, id);
    enum Step step = query_step(&query, err);
    if (step == STEP_END)
        return fail_unknown(id, err);
    if (step == STEP_ROW)
        *key = row_int(&query);
    query_end(&query);
    return step == STEP_ROW;
}

/* ---- One run ---- */

enum Known store_was_run(struct Store *store, const char *id, struct Err *err)
{
    struct Query query = query_begin(store, "SELECT 1 FROM runs WHERE id = ?");
    query_text(&query, id);
    enum Step step = query_step(&query, err);
    if (step == STEP_FAILED)
        return KNOWN_UNKNOWN;
    query_end(&query);
    return step == STEP_ROW ? KNOWN_YES : KNOWN_NO;
}

static void give_history(struct Query *query, const struct History *of)
{
    query_text(query, of != NULL ? of->environment : NULL);
    query_text(query, of != NULL ? of->scenario : NULL);
    query_int(query, of != NULL ? of->since.ns : 0);
}

/* 0 for "last", 2 for "last~2", -1 for anything else. */
static int64_t parse_last(const char *run)
{
    int64_t back = 0;
    if (text_equal(run, "last") || (text_starts(run, "last~") && int_parse(run + 5, &back, NULL)))
        return back;
    return -1;
}

static bool find_last(struct Store *store, const char *run, const struct History *of,
                      struct Arena *arena, const char **id, struct Err *err)
{
    struct Query query =
        query_begin(store, "SELECT id FROM runs WHERE (?1 IS NULL OR environment = ?1)"
                           " AND (?2 IS NULL OR scenario = ?2) AND started >= ?3"
                           " ORDER BY started DESC, key DESC LIMIT 1 OFFSET ?4");
    give_history(&query, of);
    query_int(&query, parse_last(run));
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW)
        *id = row_text(&query, arena);
    query_end(&query);
    return step == STEP_ROW || (step == STEP_END && fail_unknown(run, err));
}

static bool find_by_end(struct Store *store, const char *run, const struct History *of,
                        struct Arena *arena, const char **id, struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT id FROM runs WHERE (?1 IS NULL OR environment = ?1)"
               " AND (?2 IS NULL OR scenario = ?2) AND started >= ?3"
               " AND substr(id, -length(?4)) = lower(?4) ORDER BY started DESC, key DESC LIMIT ?5");
    give_history(&query, of);
    query_text(&query, run);
    query_int(&query, AMBIGUOUS_SHOWN + 1);
    struct List ids = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW)
        *(const char **)list_add(&ids, arena, sizeof(const char *)) = row_text(&query, arena);
    if (step == STEP_FAILED)
        return false;
    if (ids.count == 0)
        return fail_unknown(run, err);
    const char *const *found = ids.items;
    if (ids.count == 1) {
        *id = found[0];
        return true;
    }
    err_set(err, ERR_NOT_FOUND, NOWHERE, "'%s' is the end of more than one run", run);
    for (size_t i = 0; i < ids.count && i < AMBIGUOUS_SHOWN; i++)
        err_allow(err, found[i]);
    return err_hint(err, "Give more of it.");
}

bool store_find_run(struct Store *store, const char *run, const struct History *of,
                    struct Arena *arena, const char **id, struct Err *err)
{
    if (parse_last(run) >= 0)
        return find_last(store, run, of, arena, id, err);
    if (run[0] == '\0')
        return fail_unknown(run, err);
    return find_by_end(store, run, of, arena, id, err);
}

/* ---- Lists ---- */

static void read_row(struct Query *query, struct Arena *arena, struct RunRow *out)
{
    out->id = row_text(query, arena);
    out->scenario = row_text(query, arena);
    out->environment = row_text(query, arena);
    out->who = row_text(query, arena);
    out->text_hash = row_text(query, arena);
    out->started.ns = row_int(query);
    out->ended.ns = row_int(query);
    const char *ended_as = row_text(query, arena);
    const char *judged = row_text(query, arena);
    out->unaffected = row_int(query) != 0;
    out->open_faults = (uint32_t)row_int(query);
    out->cycle.first = row_text(query, arena);
    out->cycle.number = (uint32_t)row_int(query);
    out->cycle.of = (uint32_t)row_int(query);
    bool newest = row_int(query) != 0;
    struct Process process;
    row_process(query, arena, &process);
    out->pid = process.pid;
    out->finished = ended_as != NULL;
    out->judged = judged != NULL;
    bool ended = out->finished && !(newest && out->cycle.number < out->cycle.of);
    enum Known alive = ended ? KNOWN_UNKNOWN : process_alive(&process);
    out->alive = alive == KNOWN_YES && !out->finished;
    out->pauses = alive == KNOWN_YES && out->finished;
    out->gone = alive == KNOWN_NO && !out->finished;
    if (out->judged)
        out->verdict = verdict_stored(judged);
    else
        out->verdict = out->finished ? verdict_stored(ended_as) : VERDICT_INCONCLUSIVE;
    if (out->open_faults > 0 && !out->alive)
        out->verdict = VERDICT_NOT_UNDONE;
}

bool store_runs(struct Store *store, const struct History *of, struct Arena *arena,
                struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT id, scenario, environment, who, text_hash, started, ended, ended_as, judged,"
               " unaffected, (SELECT count(*) FROM faults WHERE state <> 'CLEAR'"
               "  AND faults.id BETWEEN key << 32 AND key << 32 | 4294967295),"
               " c.first, c.number, c.of, NOT EXISTS (SELECT 1 FROM cycles n WHERE"
               "  n.first = c.first AND n.number > c.number),"
               " pid, process_started, boot_id, pid_namespace, machine"
               " FROM runs JOIN details d ON d.run = key LEFT JOIN cycles c ON c.run = key"
               " WHERE (?1 IS NULL OR environment = ?1)"
               " AND (?2 IS NULL OR scenario = ?2) AND started >= ?3"
               " ORDER BY started DESC, key DESC LIMIT ?4");
    give_history(&query, of);
    query_int(&query, of != NULL && of->most > 0 ? (int64_t)of->most : -1);
    struct List runs = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW)
        read_row(&query, arena, list_add(&runs, arena, sizeof(struct RunRow)));
    if (step == STEP_END)
        *out = runs;
    return step == STEP_END;
}

bool store_passes(struct Store *store, const struct History *of, struct Arena *arena,
                  struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store,
        "SELECT id, text_hash, body, ended, unaffected FROM runs"
        " JOIN details d ON d.run = runs.key JOIN texts ON texts.key = canonical"
        " WHERE (?1 IS NULL OR environment = ?1)"
        " AND (?2 IS NULL OR scenario = ?2) AND started >= ?3"
        " AND ended_as = 'PASS' AND judged = 'PASS' AND NOT EXISTS"
        "  (SELECT 1 FROM faults WHERE state <> 'CLEAR'"
        "   AND faults.id BETWEEN runs.key << 32 AND runs.key << 32 | 4294967295)"
        " AND NOT EXISTS (SELECT 1 FROM cycles c WHERE c.run = runs.key AND (c.number < c.of OR"
        "  (SELECT count(*) FROM cycles o JOIN runs p ON p.key = o.run WHERE o.first = c.first"
        "   AND p.ended_as = 'PASS' AND p.judged = 'PASS' AND NOT EXISTS"
        "   (SELECT 1 FROM faults WHERE state <> 'CLEAR'"
        "    AND faults.id BETWEEN p.key << 32 AND p.key << 32 | 4294967295)) < c.of))"
        " ORDER BY ended DESC, runs.key DESC LIMIT ?4");
    give_history(&query, of);
    query_int(&query, of != NULL && of->most > 0 ? (int64_t)of->most : -1);
    struct List passes = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct PassRow *pass = list_add(&passes, arena, sizeof(*pass));
        pass->run = row_text(&query, arena);
        pass->text_hash = row_text(&query, arena);
        pass->canonical = row_text(&query, arena);
        pass->ended.ns = row_int(&query);
        pass->unaffected = row_int(&query) != 0;
    }
    if (step == STEP_END)
        *out = passes;
    return step == STEP_END;
}

bool store_drilled(struct Store *store, const char *environment, struct Arena *arena,
                   struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT host, max(started) FROM faults JOIN runs ON key = faults.id >> 32"
               " WHERE environment = ? AND sent > 0 GROUP BY host");
    query_text(&query, environment);
    struct List rows = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct LastDrilled *row = list_add(&rows, arena, sizeof(*row));
        row->host = row_text(&query, arena);
        row->at.ns = row_int(&query);
    }
    if (step == STEP_END)
        *out = rows;
    return step == STEP_END;
}
