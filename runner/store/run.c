/* run.c - a run as it is written: begin, marks, events, systems, end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "../base/text.h"
#include "../model/bound.h"
#include "inside.h"

#define ASKS_BYTES_MAX 4096

static int64_t current_run(const struct Store *store)
{
    if (store->run == 0)
        bug("the store was told of a run that has not begun");
    return store->run;
}

/* ---- Begin ---- */

/* Answers the key of a text that is kept once. */
static bool keep_text(struct Store *store, const char *text, int64_t *key, struct Err *err)
{
    char hash[65];
    hash_hex(text, strlen(text), hash);
    struct Query add =
        query_begin(store, "INSERT INTO texts (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING");
    query_text(&add, hash);
    query_text(&add, text);
    if (!query_run(&add, err))
        return false;
    struct Query query = query_begin(store, "SELECT key FROM texts WHERE hash = ?");
    query_text(&query, hash);
    enum Step step = query_step(&query, err);
    if (step == STEP_ROW)
        *key = row_int(&query);
    query_end(&query);
    return step == STEP_ROW;
}

static bool add_run(struct Store *store, const struct RunBegin *begin, int64_t *key,
                    struct Err *err)
{
    const struct Plan *plan = begin->plan;
    struct Query query = query_begin(
        store, "INSERT INTO runs (id, scenario, environment, is_protected, who, text_hash,"
               " behaviour_hash, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query_text(&query, plan->token.text);
    query_text(&query, plan->scenario->name);
    query_text(&query, plan->environment->name);
    query_int(&query, plan->environment->is_protected);
    query_text(&query, begin->who);
    query_text(&query, plan->scenario->text_hash);
    query_text(&query, plan->scenario->behaviour_hash);
    query_int(&query, begin->wall.ns);
    if (!query_run(&query, err)) {
        if (sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_UNIQUE) {
            err_set(err, ERR_REFUSED, NOWHERE, "the plan %s was run already", plan->token.text);
            err_hint(err, "A plan is run once: make a new one with `faildrill plan`.");
        }
        return false;
    }
    *key = sqlite3_last_insert_rowid(store->db);
    return true;
}

static const char *join_tags(const struct List *tags, struct Arena *arena)
{
    const char *joined = "";
    for (size_t i = 0; i < tags->count; i++)
        joined = arena_printf(arena, "%s%s%s", joined, i > 0 ? ", " : "",
                              ((const char *const *)tags->items)[i]);
    return joined;
}

static bool add_details(struct Store *store, const struct RunBegin *begin, int64_t run,
                        struct Arena *arena, struct Err *err)
{
    const struct Plan *plan = begin->plan;
    const struct Scenario *scenario = plan->scenario;
    int64_t text = 0;
    int64_t canonical = 0;
    if (!keep_text(store, scenario->text, &text, err) ||
        !keep_text(store, scenario->canonical, &canonical, err))
        return false;
    struct Process self;
    process_self(&self, arena);
    struct Query query = query_begin(
        store, "INSERT INTO details (run, version, text, canonical, plan_hash, bytes_hash, seed,"
               " hypothesis, owner, runbook, tags, pid, process_started, boot_id, pid_namespace,"
               " machine, mono_started, boottime_started)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, run);
    query_text(&query, begin->version);
    query_int(&query, text);
    query_int(&query, canonical);
    query_text(&query, plan->hash);
    query_text(&query, plan->bytes_hash);
    query_int(&query, (int64_t)plan->seed);
    query_text(&query, scenario->hypothesis);
    query_text(&query, scenario->owner);
    query_text(&query, scenario->runbook);
    query_text(&query, join_tags(&scenario->tags, arena));
    query_process(&query, &self);
    query_int(&query, begin->now.ns);
    query_int(&query, begin->boottime_ns);
    return query_run(&query, err);
}

static bool add_cycle(struct Store *store, const struct RunBegin *begin, int64_t run,
                      struct Err *err)
{
    if (begin->cycle.of < 2)
        return true;
    struct Query query = query_begin(store, "INSERT INTO cycles VALUES (?, ?, ?, ?)");
    query_int(&query, run);
    query_text(&query, begin->cycle.first);
    query_int(&query, begin->cycle.number);
    query_int(&query, begin->cycle.of);
    return query_run(&query, err);
}

static bool add_hosts(struct Store *store, const struct Plan *plan, int64_t run, struct Err *err)
{
    const struct Target *const *hosts = plan->environment->hosts.items;
    for (size_t i = 0; i < plan->environment->hosts.count; i++) {
        struct Query query = query_begin(store, "INSERT INTO hosts VALUES (?, ?)");
        query_int(&query, row_id(run, (uint32_t)i + 1));
        query_text(&query, hosts[i]->name);
        if (!query_run(&query, err))
            return false;
    }
    return true;
}

static const char *say_probe(const struct ProbeSpec *spec, struct Arena *arena)
{
    struct Buf buf = BUF(ASKS_BYTES_MAX);
    if (spec->kind->say != NULL)
        spec->kind->say(spec->config, &buf);
    const char *text = arena_bytes(arena, buf.text, buf.size);
    buf_free(&buf);
    return text;
}

static bool add_probe(struct Store *store, const struct BoundProbe *probe, int64_t id,
                      struct Arena *arena, struct Err *err)
{
    const struct ProbeSpec *spec = probe->spec;
    struct Query query = query_begin(
        store, "INSERT INTO probes (id, name, kind, asks, role, from_host, interval_ns, timeout_ns,"
               " under_ns, hold_ns, gap_ns, is_ledger, is_primary, control)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, id);
    query_text(&query, spec->name);
    query_text(&query, spec->kind->name);
    query_text(&query, say_probe(spec, arena));
    query_text(&query, probe->role != NULL ? probe->role->name : spec->role);
    query_text(&query, probe->from != NULL ? probe->from->name : NULL);
    query_int(&query, spec->interval_ns);
    query_int(&query, spec->timeout_ns);
    query_int(&query, spec->under_ns);
    query_int(&query, spec->hold_ns);
    query_int(&query, spec->gap_ns);
    query_int(&query, spec->kind->is_ledger);
    query_int(&query, spec->kind->is_primary);
    query_int(&query, spec->control);
    return query_run(&query, err);
}

static bool add_expectation(struct Store *store, const struct Expectation *expectation, int64_t id,
                            struct Err *err)
{
    struct Query query = query_begin(store, "INSERT INTO expectations VALUES (?, ?, ?, ?, ?, ?)");
    char word[48];
    bound_write(expectation->when, expectation->word, word);
    query_int(&query, id);
    query_text(&query, expectation->probe);
    query_text(&query, word);
    query_int(&query, expectation->limit);
    query_int(&query, expectation->limit_is_duration);
    query_text(&query, expectation->text);
    return query_run(&query, err);
}

static bool add_tables(struct Store *store, const struct Plan *plan, int64_t run,
                       struct Arena *arena, struct Err *err)
{
    bool ok = add_hosts(store, plan, run, err);
    const struct BoundProbe *probes = plan->probes.items;
    for (size_t i = 0; ok && i < plan->probes.count; i++)
        ok = add_probe(store, &probes[i], row_id(run, (uint32_t)i), arena, err);
    const struct Expectation *expectations = plan->scenario->expectations.items;
    for (size_t i = 0; ok && i < plan->scenario->expectations.count; i++)
        ok = add_expectation(store, &expectations[i], row_id(run, (uint32_t)i), err);
    return ok;
}

bool store_run_begin(struct Store *store, const struct RunBegin *begin, struct Err *err)
{
    if (store->run != 0)
        bug("a second run in one store: close it first");
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("run", STORE_ARENA_BYTES);
    int64_t run = 0;
    bool ok = add_run(store, begin, &run, err) && add_details(store, begin, run, arena, err) &&
              add_cycle(store, begin, run, err) && add_tables(store, begin->plan, run, arena, err);
    struct LogRow row = {
        .type = LOG_BEGIN, .run = run, .at = begin->now, .subject = "", .text = begin->who};
    ok = change_end(store, ok && log_append(store, &row, err), err);
    arena_free(arena);
    if (!ok)
        return false;
    store->run = run;
    store->started = begin->now;
    batch_begin(store);
    return true;
}

/* ---- While it runs ---- */

bool store_run_mark(struct Store *store, const char *mark, struct Mono at, struct Err *err)
{
    static const struct {
        const char *name, *sql;
    } marks[] = {
        {"baseline", "UPDATE details SET baseline_began = ? WHERE run = ?"},
        {"steps", "UPDATE details SET steps_began = ? WHERE run = ?"},
        {"observing_ended", "UPDATE details SET observing_ended = ? WHERE run = ?"},
        {"undo_began", "UPDATE details SET undo_began = ? WHERE run = ?"},
        {"settled", "UPDATE details SET settled = ? WHERE run = ?"},
    };
    int64_t run = current_run(store);
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        if (!text_equal(mark, marks[i].name))
            continue;
        if (!change_begin(store, err))
            return false;
        struct Query query = query_begin(store, marks[i].sql);
        query_int(&query, at.ns);
        query_int(&query, run);
        return change_end(store, query_run(&query, err), err);
    }
    bug("no such mark of a run: %s", mark);
}

bool store_event(struct Store *store, struct Mono at, const char *subject, const char *text,
                 struct Err *err)
{
    struct LogRow row = {.type = LOG_EVENT,
                         .run = current_run(store),
                         .at = at,
                         .subject = subject != NULL ? subject : "",
                         .text = text};
    return change_begin(store, err) && change_end(store, log_append(store, &row, err), err);
}

bool store_system(struct Store *store, const struct RunSystem *system, struct Err *err)
{
    int64_t run = current_run(store);
    if (!change_begin(store, err))
        return false;
    struct Query query = query_begin(store, "INSERT OR REPLACE INTO systems VALUES"
                                            " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, run);
    query_text(&query, system->role);
    query_text(&query, system->system);
    query_int(&query, system->detected_low.ns);
    query_int(&query, system->detected_high.ns);
    query_int(&query, system->failed_over_low.ns);
    query_int(&query, system->failed_over_high.ns);
    query_int(&query, system->redundant_low.ns);
    query_int(&query, system->redundant_high.ns);
    query_int(&query, system->redundancy_was_whole);
    query_text(&query, system->primary_before);
    query_text(&query, system->primary_after);
    query_int(&query, system->expected.low_ns);
    query_int(&query, system->expected.high_ns);
    query_text(&query, system->knobs);
    return change_end(store, query_run(&query, err), err);
}

static bool put_move(struct Store *store, const struct RunMove *move, int64_t number,
                     struct Err *err)
{
    struct Query query =
        query_begin(store, "INSERT OR REPLACE INTO moves VALUES (?, ?, ?, ?, ?, ?)");
    query_int(&query, current_run(store));
    query_text(&query, move->role);
    query_int(&query, number);
    query_text(&query, move->host);
    query_int(&query, move->low.ns);
    query_int(&query, move->high.ns);
    return query_run(&query, err);
}

bool store_moves(struct Store *store, const struct List *moves, struct Err *err)
{
    const struct RunMove *row = moves->items;
    bool good = true;
    if (moves->count == 0)
        return true;
    if (!change_begin(store, err))
        return false;
    for (size_t at = 0; at < moves->count && good; at++)
        good = put_move(store, &row[at], (int64_t)at + 1, err);
    return change_end(store, good, err);
}

bool store_switch_back(struct Store *store, const struct RunSwitchBack *back, struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Query query = query_begin(
        store, "INSERT OR REPLACE INTO switch_backs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, current_run(store));
    query_text(&query, back->role);
    query_text(&query, back->to);
    query_int(&query, back->asked.ns);
    query_int(&query, back->leads.low.ns);
    query_int(&query, back->leads.high.ns);
    query_int(&query, back->whole.low.ns);
    query_int(&query, back->whole.high.ns);
    query_int(&query, back->lost_again);
    query_int(&query, back->refused);
    query_text(&query, back->why);
    query_text(&query, back->last);
    return change_end(store, query_run(&query, err), err);
}

bool store_figure(struct Store *store, const struct RunFigure *figure, struct Err *err)
{
    int64_t run = current_run(store);
    if (!change_begin(store, err))
        return false;
    struct Query query = query_begin(
        store, "INSERT OR REPLACE INTO figures (run, name, type, low, high, text, equal)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, run);
    query_text(&query, figure->name);
    query_text(&query, figure->type);
    query_int(&query, figure->value.low_ns);
    query_int(&query, figure->value.high_ns);
    query_text(&query, figure->text);
    query_int(&query, figure->equal);
    return change_end(store, query_run(&query, err), err);
}

bool store_read_back(struct Store *store, uint32_t probe, enum Known complete, struct Err *err)
{
    int64_t run = current_run(store);
    if (!change_begin(store, err))
        return false;
    struct Query query = query_begin(store, "UPDATE probes SET read_back = ? WHERE id = ?");
    query_int(&query, complete);
    query_int(&query, row_id(run, probe));
    return change_end(store, query_run(&query, err), err);
}

/* ---- End ---- */

static bool write_end(struct Store *store, const struct RunEnd *end, struct Err *err)
{
    struct Query query = query_begin(store, "UPDATE runs SET ended = ?, ended_as = ?, why = ?"
                                            " WHERE key = ?");
    query_int(&query, end->wall.ns);
    query_text(&query, verdict_name(end->ended_as));
    query_text(&query, end->why);
    query_int(&query, store->run);
    if (!query_run(&query, err))
        return false;
    struct Query details = query_begin(store, "UPDATE details SET mono_ended = ?, suspended = ?,"
                                              " not_steady = ? WHERE run = ?");
    query_int(&details, end->now.ns);
    query_int(&details, end->suspended_ns);
    query_int(&details, end->not_steady);
    query_int(&details, store->run);
    struct LogRow row = {.type = LOG_END,
                         .run = store->run,
                         .at = end->now,
                         .subject = "",
                         .text = verdict_name(end->ended_as)};
    return query_run(&details, err) && log_append(store, &row, err);
}

bool store_run_end(struct Store *store, const struct RunEnd *end, struct Err *err)
{
    current_run(store);
    struct RunEnd as = *end;
    struct Err lost;
    char why[sizeof(lost.message) + 64];
    if (!store_flush(store, &lost)) {
        snprintf(why, sizeof(why), "samples were lost on the way to the store: %s", lost.message);
        as.ended_as = verdict_worst(end->ended_as, VERDICT_OWN_FAILURE);
        as.why = as.ended_as == end->ended_as ? end->why : why;
    }
    as.why = as.why != NULL ? as.why : "";
    return change_begin(store, err) && change_end(store, write_end(store, &as, err), err);
}
