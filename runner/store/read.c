/* read.c - a run, read back whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

static bool read_main(struct Store *store, int64_t key, struct Arena *arena, struct RunRecord *run,
                      struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT r.id, scenario, environment, is_protected, who, text_hash, behaviour_hash,"
               " started, ended IS NOT NULL, ended, ended_as, why, version, t.body, plan_hash,"
               " bytes_hash, seed, hypothesis, owner, runbook, tags, mono_started, mono_ended,"
               " suspended, not_steady, baseline_began, steps_began, observing_ended, undo_began,"
               " settled, c.first, c.number, c.of FROM runs r JOIN details d ON d.run = r.key"
               " JOIN texts t ON t.key = text LEFT JOIN cycles c ON c.run = r.key"
               " WHERE r.key = ?");
    query_int(&query, key);
    enum Step step = query_step(&query, err);
    if (step == STEP_END)
        return err_set(err, ERR_STORE, NOWHERE, "the details of a run are missing in '%s'",
                       store->path);
    if (step == STEP_FAILED)
        return false;
    run->id = row_text(&query, arena);
    run->scenario = row_text(&query, arena);
    run->environment = row_text(&query, arena);
    run->is_protected = row_int(&query) != 0;
    run->who = row_text(&query, arena);
    run->text_hash = row_text(&query, arena);
    run->behaviour_hash = row_text(&query, arena);
    run->started.ns = row_int(&query);
    run->finished = row_int(&query) != 0;
    run->ended.ns = row_int(&query);
    run->ended_as = verdict_stored(row_text(&query, arena));
    run->why = row_text_or(&query, arena, "");
    run->version = row_text(&query, arena);
    run->text = row_text(&query, arena);
    run->plan_hash = row_text(&query, arena);
    run->bytes_hash = row_text(&query, arena);
    run->seed = (uint64_t)row_int(&query);
    run->hypothesis = row_text(&query, arena);
    run->owner = row_text(&query, arena);
    run->runbook = row_text(&query, arena);
    run->tags = row_text_or(&query, arena, "");
    run->mono_started.ns = row_int(&query);
    run->mono_ended.ns = row_int(&query);
    run->suspended_ns = row_int(&query);
    run->not_steady = row_int(&query) != 0;
    run->baseline_began.ns = row_int(&query);
    run->steps_began.ns = row_int(&query);
    run->observing_ended.ns = row_int(&query);
    run->undo_began.ns = row_int(&query);
    run->settled.ns = row_int(&query);
    run->cycle.first = row_text(&query, arena);
    run->cycle.number = (uint32_t)row_int(&query);
    run->cycle.of = (uint32_t)row_int(&query);
    query_end(&query);
    return true;
}

/* A runner that died has told of no end: the last that was heard of it stands for that. */
static void end_at_last(struct RunRecord *run)
{
    struct Mono last = run->mono_started;
    for (size_t i = 0; i < run->event_count; i++) {
        if (mono_before(last, run->events[i].at))
            last = run->events[i].at;
    }
    for (size_t i = 0; i < run->sample_count; i++) {
        if (mono_before(last, run->samples[i].ended))
            last = run->samples[i].ended;
    }
    const struct Mono seen[] = {run->baseline_began, run->steps_began, run->observing_ended,
                                run->undo_began, run->settled};
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        if (mono_before(last, seen[i]))
            last = seen[i];
    }
    run->mono_ended = last;
    run->ended.ns = run->started.ns + mono_since(run->mono_started, last);
}

bool store_read_run(struct Store *store, const char *id, struct Arena *arena, struct RunRecord *out,
                    struct Err *err)
{
    int64_t key = 0;
    if (!read_begin(store, err))
        return false;
    struct RunRecord run = {.id = NULL};
    bool ok = run_key(store, id, &key, err) && read_main(store, key, arena, &run, err) &&
              read_tables(store, key, arena, &run, err) &&
              read_series(store, key, arena, &run, err);
    read_end(store);
    if (!ok)
        return false;
    if (!run.finished)
        end_at_last(&run);
    *out = run;
    return true;
}
