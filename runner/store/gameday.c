/* gameday.c - game days: which drills, how far they are, and who runs them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "inside.h"

static bool day_key(struct Store *store, const char *id, int64_t *key, struct Err *err)
{
    struct Query query = query_begin(store, "SELECT key FROM gamedays WHERE id = ?");
    query_text(&query, id);
    enum Step step = query_step(&query, err);
    if (step == STEP_END)
        return err_set(err, ERR_NOT_FOUND, NOWHERE, "there is no game day '%s'", id);
    if (step == STEP_ROW)
        *key = row_int(&query);
    query_end(&query);
    return step == STEP_ROW;
}

/* ---- Lists. ---- */

static void read_day(struct Query *query, struct Arena *arena, struct DayRow *out)
{
    struct Process process;
    out->id = row_text(query, arena);
    out->name = row_text(query, arena);
    out->environment = row_text(query, arena);
    out->who = row_text(query, arena);
    out->hash = row_text(query, arena);
    out->started.ns = row_int(query);
    out->ended.ns = row_int(query);
    const char *ended_as = row_text(query, arena);
    out->why = row_text_or(query, arena, "");
    row_process(query, arena, &process);
    out->finished = ended_as != NULL;
    out->verdict = ended_as != NULL ? verdict_stored(ended_as) : VERDICT_INCONCLUSIVE;
    out->alive = out->finished ? KNOWN_NO : process_alive(&process);
}

bool store_days(struct Store *store, const char *environment, struct Arena *arena, struct List *out,
                struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT id, name, environment, who, hash, started, ended, ended_as, why, pid,"
               " process_started, boot_id, pid_namespace, machine FROM gamedays"
               " WHERE ?1 IS NULL OR environment = ?1 ORDER BY started DESC, key DESC LIMIT 200");
    query_text(&query, environment);
    struct List days = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW)
        read_day(&query, arena, list_add(&days, arena, sizeof(struct DayRow)));
    if (step == STEP_END)
        *out = days;
    return step == STEP_END;
}

bool store_day_drills(struct Store *store, const char *id, struct Arena *arena, struct List *out,
                      struct Err *err)
{
    int64_t key = 0;
    if (!day_key(store, id, &key, err))
        return false;
    struct Query query =
        query_begin(store, "SELECT scenario, owner, state, run, earlier, verdict, why"
                           " FROM gameday_drills WHERE id BETWEEN ? AND ? ORDER BY id");
    query_int(&query, row_id(key, 1));
    query_int(&query, row_id(key, UINT32_MAX));
    struct List drills = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct DayDrillRow *row = list_add(&drills, arena, sizeof(*row));
        row->scenario = row_text(&query, arena);
        row->owner = row_text(&query, arena);
        row->state = row_text(&query, arena);
        row->run = row_text(&query, arena);
        row->earlier = row_text(&query, arena);
        const char *verdict = row_text(&query, arena);
        row->verdict = verdict != NULL ? verdict_stored(verdict) : VERDICT_INCONCLUSIVE;
        row->why = row_text_or(&query, arena, "");
    }
    if (step == STEP_END)
        *out = drills;
    return step == STEP_END;
}

/* ---- Changes. ---- */

/* One day at a time in an environment; one whose runner died is in nobody's way. */
static bool nobody_else(struct Store *store, const char *environment, struct Arena *arena,
                        struct Err *err)
{
    struct List days = {.items = NULL};
    if (!store_days(store, environment, arena, &days, err))
        return false;
    const struct DayRow *row = days.items;
    for (size_t i = 0; i < days.count; i++) {
        if (row[i].alive != KNOWN_YES)
            continue;
        char since[48];
        wall_local(row[i].started, since);
        return err_set(err, ERR_LOCKED, NOWHERE, "game day '%s' of %s goes on in '%s' since %s",
                       row[i].name, row[i].who, environment, since);
    }
    return true;
}

static bool add_drill(struct Store *store, int64_t id, const struct DayDrillRow *row,
                      struct Err *err)
{
    struct Query query =
        query_begin(store, "INSERT OR REPLACE INTO gameday_drills VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, id);
    query_text(&query, row->scenario);
    query_text(&query, row->owner);
    query_text(&query, row->state);
    query_text(&query, row->run);
    query_text(&query, row->earlier);
    bool ended = text_equal(row->state, "done") || text_equal(row->state, "left_out");
    query_text(&query, ended ? verdict_name(row->verdict) : NULL);
    query_text(&query, row->why);
    return query_run(&query, err);
}

static bool add_day(struct Store *store, const struct DayRow *day, const struct List *drills,
                    struct Arena *arena, struct Err *err)
{
    struct Process self;
    const struct DayDrillRow *row = drills->items;
    process_self(&self, arena);
    if (!nobody_else(store, day->environment, arena, err))
        return false;
    struct Query query =
        query_begin(store, "INSERT INTO gamedays (id, name, environment, who, hash, started, pid,"
                           " process_started, boot_id, pid_namespace, machine)"
                           " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_text(&query, day->id);
    query_text(&query, day->name);
    query_text(&query, day->environment);
    query_text(&query, day->who);
    query_text(&query, day->hash);
    query_int(&query, day->started.ns);
    query_process(&query, &self);
    bool ok = query_run(&query, err);
    int64_t key = sqlite3_last_insert_rowid(store->db);
    for (size_t i = 0; ok && i < drills->count; i++)
        ok = add_drill(store, row_id(key, (uint32_t)i + 1), &row[i], err);
    return ok;
}

bool store_day_begin(struct Store *store, const struct DayRow *day, const struct List *drills,
                     struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("game day", STORE_ARENA_BYTES);
    bool ok = change_end(store, add_day(store, day, drills, arena, err), err);
    arena_free(arena);
    return ok;
}

static bool adopt(struct Store *store, const struct DayRow *day, struct Arena *arena,
                  struct Err *err)
{
    struct Process self;
    process_self(&self, arena);
    if (!nobody_else(store, day->environment, arena, err))
        return false;
    struct Query query =
        query_begin(store, "UPDATE gamedays SET pid = ?, process_started = ?, boot_id = ?,"
                           " pid_namespace = ?, machine = ? WHERE id = ? AND ended_as IS NULL");
    query_process(&query, &self);
    query_text(&query, day->id);
    return query_run(&query, err);
}

bool store_day_adopt(struct Store *store, const struct DayRow *day, struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("game day", STORE_ARENA_BYTES);
    bool ok = change_end(store, adopt(store, day, arena, err), err);
    arena_free(arena);
    return ok;
}

bool store_day_drill(struct Store *store, const char *id, uint32_t number,
                     const struct DayDrillRow *row, struct Err *err)
{
    int64_t key = 0;
    return day_key(store, id, &key, err) && change_begin(store, err) &&
           change_end(store, add_drill(store, row_id(key, number), row, err), err);
}

bool store_day_end(struct Store *store, const char *id, enum Verdict as, const char *why,
                   struct Wall at, struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Query query =
        query_begin(store, "UPDATE gamedays SET ended = ?, ended_as = ?, why = ? WHERE id = ?");
    query_int(&query, at.ns);
    query_text(&query, verdict_name(as));
    query_text(&query, why);
    query_text(&query, id);
    return change_end(store, query_run(&query, err), err);
}

/* ---- Notes. ---- */

static bool add_note(struct Store *store, int64_t key, const struct Note *note, struct Err *err)
{
    struct Query query =
        query_begin(store, "INSERT INTO notes (gameday, at_low, at_high, made, who, type, text)"
                           " VALUES (?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, key);
    query_int(&query, note->low.ns);
    query_int(&query, note->high.ns);
    query_int(&query, note->made.ns);
    query_text(&query, note->who);
    query_text(&query, note->type);
    query_text(&query, note->text);
    return query_run(&query, err);
}

bool store_day_note(struct Store *store, const char *id, const struct Note *note, struct Err *err)
{
    int64_t key = 0;
    return day_key(store, id, &key, err) && change_begin(store, err) &&
           change_end(store, add_note(store, key, note, err), err);
}

bool store_day_notes(struct Store *store, const char *id, struct Arena *arena, struct List *out,
                     struct Err *err)
{
    int64_t key = 0;
    if (!day_key(store, id, &key, err))
        return false;
    struct Query query = query_begin(
        store, "SELECT who, type, text, at_low, at_high, made FROM notes WHERE gameday = ?1"
               " OR run IN (SELECT r.key FROM runs r JOIN gameday_drills d"
               "  ON r.id = d.run OR r.id = d.earlier WHERE d.id BETWEEN ?2 AND ?3)"
               " ORDER BY at_low, key");
    query_int(&query, key);
    query_int(&query, row_id(key, 1));
    query_int(&query, row_id(key, UINT32_MAX));
    struct List notes = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct Note *note = list_add(&notes, arena, sizeof(*note));
        note->who = row_text(&query, arena);
        note->type = row_text(&query, arena);
        note->text = row_text(&query, arena);
        note->low.ns = row_int(&query);
        note->high.ns = row_int(&query);
        note->made.ns = row_int(&query);
    }
    if (step == STEP_END)
        *out = notes;
    return step == STEP_END;
}
