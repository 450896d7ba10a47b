/* samples.c - samples, census and found numbers, gathered in memory and written in batches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

void batch_begin(struct Store *store)
{
    store->batch = (struct Batch){
        .samples = mem_zero(STORE_BATCH, sizeof(struct Sample)),
        .census = mem_zero(STORE_BATCH, sizeof(struct Census)),
        .found = mem_zero(STORE_BATCH, sizeof(struct Found)),
        .next_sample = row_id(store->run, 0),
        .next_census = row_id(store->run, 0),
        .next_found = row_id(store->run, 0),
    };
}

void batch_end(struct Store *store)
{
    mem_free(store->batch.samples);
    mem_free(store->batch.census);
    mem_free(store->batch.found);
    store->batch = (struct Batch){.samples = NULL};
}

/* A million of these a run: the bindings are SQLite's own. */
static bool write_samples(struct Store *store, struct Err *err)
{
    struct Query query =
        query_begin(store, "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int64_t id = store->batch.next_sample;
    bool ok = query.code == SQLITE_OK;
    for (size_t i = 0; ok && i < store->batch.sample_count; i++) {
        const struct Sample *sample = &store->batch.samples[i];
        sqlite3_stmt *stmt = query.stmt;
        sqlite3_bind_int64(stmt, 1, id++);
        sqlite3_bind_int64(stmt, 2, sample->probe);
        sqlite3_bind_int64(stmt, 3, sample->sequence);
        sqlite3_bind_int64(stmt, 4, sample->intended.ns - store->started.ns);
        sqlite3_bind_int64(stmt, 5, sample->started.ns - sample->intended.ns);
        sqlite3_bind_int64(stmt, 6, sample->ended.ns - sample->intended.ns);
        sqlite3_bind_int64(stmt, 7, sample->outcome);
        sqlite3_bind_int64(stmt, 8, sample->failure);
        sqlite3_bind_int64(stmt, 9, sample->code);
        sqlite3_bind_int64(stmt, 10, sample->connected);
        if (sample->writer != 0) {
            sqlite3_bind_int64(stmt, 11, sample->writer);
            sqlite3_bind_int64(stmt, 12, (int64_t)sample->number);
        } else {
            sqlite3_bind_null(stmt, 11);
            sqlite3_bind_null(stmt, 12);
        }
        if (sample->by != 0)
            sqlite3_bind_int64(stmt, 13, sample->by);
        else
            sqlite3_bind_null(stmt, 13);
        ok = sqlite3_step(stmt) == SQLITE_DONE;
        sqlite3_reset(stmt);
    }
    return ok || store_fail(store, err);
}

static bool write_census(struct Store *store, struct Err *err)
{
    for (size_t i = 0; i < store->batch.census_count; i++) {
        const struct Census *census = &store->batch.census[i];
        struct Query query =
            query_begin(store, "INSERT INTO census VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        query_int(&query, store->batch.next_census + (int64_t)i);
        query_int(&query, census->probe);
        query_int(&query, census->host);
        query_int(&query, census->asked.ns - store->started.ns);
        query_int(&query, census->answered.ns - store->started.ns);
        query_int(&query, census->rank);
        query_text(&query, census->epoch);
        query_text(&query, census->identity);
        if (!query_run(&query, err))
            return false;
    }
    return true;
}

static bool write_found(struct Store *store, struct Err *err)
{
    for (size_t i = 0; i < store->batch.found_count; i++) {
        const struct Found *found = &store->batch.found[i];
        struct Query query = query_begin(store, "INSERT INTO found VALUES (?, ?, ?, ?, ?)");
        query_int(&query, store->batch.next_found + (int64_t)i);
        query_int(&query, found->probe);
        query_int(&query, found->host);
        query_int(&query, found->writer);
        query_int(&query, (int64_t)found->number);
        if (!query_run(&query, err))
            return false;
    }
    return true;
}

/* A batch that could not be written is gone, and that is remembered. */
static void write_batch(struct Store *store)
{
    struct Batch *batch = &store->batch;
    struct Err why;
    if (!change_begin(store, &why) ||
        !change_end(store,
                    write_samples(store, &why) && write_census(store, &why) &&
                        write_found(store, &why),
                    &why)) {
        if (!batch->failed)
            batch->why = why;
        batch->failed = true;
    }
    batch->next_sample += (int64_t)batch->sample_count;
    batch->next_census += (int64_t)batch->census_count;
    batch->next_found += (int64_t)batch->found_count;
    batch->sample_count = batch->census_count = batch->found_count = 0;
}

static size_t room_in(struct Store *store, size_t count)
{
    if (store->batch.samples == NULL)
        bug("a sample came before its run began");
    if (count < STORE_BATCH)
        return count;
    write_batch(store);
    return 0;
}

void store_sample(struct Store *store, const struct Sample *sample)
{
    size_t at = room_in(store, store->batch.sample_count);
    store->batch.samples[at] = *sample;
    store->batch.sample_count = at + 1;
}

void store_census(struct Store *store, const struct Census *census)
{
    size_t at = room_in(store, store->batch.census_count);
    store->batch.census[at] = *census;
    store->batch.census_count = at + 1;
}

void store_found(struct Store *store, const struct Found *found)
{
    size_t at = room_in(store, store->batch.found_count);
    store->batch.found[at] = *found;
    store->batch.found_count = at + 1;
}

bool store_flush(struct Store *store, struct Err *err)
{
    struct Batch *batch = &store->batch;
    if (batch->sample_count + batch->census_count + batch->found_count > 0)
        write_batch(store);
    if (batch->failed)
        *err = batch->why;
    return !batch->failed;
}
