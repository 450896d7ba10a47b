/* read_series.c - a run's samples, census and found numbers, read with one allocation each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* Numbers of a series have no gaps, unless a batch was lost: so many rows at most, known at once.
 */
static bool count_rows(struct Store *store, const char *sql, int64_t key, size_t *count,
                       struct Err *err)
{
    struct Query query = query_begin(store, sql);
    query_int(&query, row_id(key, 0));
    query_int(&query, row_id(key, UINT32_MAX));
    enum Step step = query_step(&query, err);
    *count = 0;
    if (step == STEP_ROW) {
        *count = (size_t)(row_int(&query) & UINT32_MAX) + 1;
        query_end(&query);
    }
    return step != STEP_FAILED;
}

static void read_sample(sqlite3_stmt *stmt, struct Mono started, struct Sample *out)
{
    out->probe = (uint32_t)sqlite3_column_int64(stmt, 0);
    out->sequence = (uint32_t)sqlite3_column_int64(stmt, 1);
    out->intended = mono_add(started, sqlite3_column_int64(stmt, 2));
    out->started.ns = out->intended.ns + sqlite3_column_int64(stmt, 3);
    out->ended.ns = out->intended.ns + sqlite3_column_int64(stmt, 4);
    out->outcome = (uint16_t)sqlite3_column_int(stmt, 5);
    out->failure = (uint16_t)sqlite3_column_int(stmt, 6);
    out->code = sqlite3_column_int(stmt, 7);
    out->connected = sqlite3_column_int(stmt, 8) != 0;
    out->writer = (uint32_t)sqlite3_column_int64(stmt, 9);
    if (out->writer != 0)
        out->number = (uint64_t)sqlite3_column_int64(stmt, 10);
    out->by = (uint32_t)sqlite3_column_int64(stmt, 11);
}

static int compare_samples(const void *a, const void *b)
{
    const struct Sample *left = a;
    const struct Sample *right = b;
    if (left->probe != right->probe)
        return left->probe < right->probe ? -1 : 1;
    return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

/* They come in the order in which attempts ended, which for slow answers is not that in which they
 * were sent. */
static void sort_samples(struct Sample *samples, size_t count, size_t probe_count)
{
    uint32_t *next = mem_zero(probe_count + 1, sizeof(*next));
    bool sorted = true;
    for (size_t i = 0; sorted && i < count; i++) {
        uint32_t *at = &next[samples[i].probe < probe_count ? samples[i].probe : probe_count];
        sorted = samples[i].sequence >= *at;
        *at = samples[i].sequence;
    }
    mem_free(next);
    if (!sorted)
        qsort(samples, count, sizeof(*samples), compare_samples);
}

static bool read_samples(struct Store *store, int64_t key, struct Arena *arena,
                         struct RunRecord *run, struct Err *err)
{
    size_t room = 0;
    if (!count_rows(store,
                    "SELECT id FROM samples WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1", key,
                    &room, err))
        return false;
    struct Sample *samples = arena_zero(arena, room, sizeof(*samples));
    struct Query query = query_begin(
        store, "SELECT probe, sequence, intended, started, ended, outcome, failure, code,"
               " connected, writer, number, answered_by FROM samples WHERE id BETWEEN ? AND ?"
               " ORDER BY id");
    query_int(&query, row_id(key, 0));
    query_int(&query, row_id(key, UINT32_MAX));
    size_t count = 0;
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW)
        read_sample(query.stmt, run->mono_started, &samples[count++]);
    sort_samples(samples, count, run->probe_count);
    run->samples = samples;
    run->sample_count = count;
    return step == STEP_END;
}

static void copy_text(struct Query *query, char *out, size_t room)
{
    const char *text = (const char *)sqlite3_column_text(query->stmt, query->next++);
    size_t size = text != NULL ? strnlen(text, room - 1) : 0;
    if (size > 0)
        memcpy(out, text, size);
    out[size] = '\0';
}

static bool read_census(struct Store *store, int64_t key, struct Arena *arena,
                        struct RunRecord *run, struct Err *err)
{
    size_t room = 0;
    if (!count_rows(store,
                    "SELECT id FROM census WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1", key,
                    &room, err))
        return false;
    struct Census *all = arena_zero(arena, room, sizeof(*all));
    struct Query query =
        query_begin(store, "SELECT probe, host, asked, answered, rank, epoch, identity FROM census"
                           " WHERE id BETWEEN ? AND ? ORDER BY id");
    query_int(&query, row_id(key, 0));
    query_int(&query, row_id(key, UINT32_MAX));
    size_t count = 0;
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct Census *census = &all[count++];
        census->probe = (uint32_t)row_int(&query);
        census->host = (uint32_t)row_int(&query);
        census->asked = mono_add(run->mono_started, row_int(&query));
        census->answered = mono_add(run->mono_started, row_int(&query));
        census->rank = (int32_t)row_int(&query);
        copy_text(&query, census->epoch, sizeof(census->epoch));
        copy_text(&query, census->identity, sizeof(census->identity));
    }
    run->census = all;
    run->census_count = count;
    return step == STEP_END;
}

static bool read_found(struct Store *store, int64_t key, struct Arena *arena, struct RunRecord *run,
                       struct Err *err)
{
    size_t room = 0;
    if (!count_rows(store, "SELECT id FROM found WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
                    key, &room, err))
        return false;
    struct Found *all = arena_zero(arena, room, sizeof(*all));
    struct Query query = query_begin(store, "SELECT probe, host, writer, number FROM found"
                                            " WHERE id BETWEEN ? AND ? ORDER BY id");
    query_int(&query, row_id(key, 0));
    query_int(&query, row_id(key, UINT32_MAX));
    size_t count = 0;
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct Found *found = &all[count++];
        found->probe = (uint32_t)row_int(&query);
        found->host = (uint32_t)row_int(&query);
        found->writer = (uint32_t)row_int(&query);
        found->number = (uint64_t)row_int(&query);
    }
    run->found = all;
    run->found_count = count;
    return step == STEP_END;
}

bool read_series(struct Store *store, int64_t key, struct Arena *arena, struct RunRecord *run,
                 struct Err *err)
{
    return read_samples(store, key, arena, run, err) && read_census(store, key, arena, run, err) &&
           read_found(store, key, arena, run, err);
}
