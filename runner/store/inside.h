/* inside.h - what the files of the store share: queries, changes, the log, processes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_STORE_INSIDE_H
#define FD_STORE_INSIDE_H

#include <sqlite3.h>

#include "store.h"

#define STORE_BUSY_MS 5000
#define STORE_BATCH 1000
/* What one change may need of memory: several rows of the longest that SQLite is let keep. */
#define STORE_ARENA_BYTES ((size_t)32 << 20)

/* Samples wait in memory, not in an open transaction, which would keep other processes out. */
struct Batch {
    struct Sample *samples;
    struct Census *census;
    struct Found *found;
    size_t sample_count, census_count, found_count;
    int64_t next_sample, next_census, next_found; /* ids */
    bool failed;                                  /* some were not stored: the series has a hole */
    struct Err why;
};

struct KeptQuery {
    const char *sql;
    sqlite3_stmt *stmt;
};

struct Store {
    sqlite3 *db;
    int folder;                /* the state folder */
    char *path;                /* of the database, for messages */
    struct KeptQuery kept[96]; /* prepared once */
    size_t kept_count;
    bool broken; /* the disk failed: `why_broken` answers every further change */
    struct Err why_broken;
    /* The run that is being recorded; key 0 = none. */
    int64_t run;
    struct Mono started;
    struct Batch batch;
    struct Arena *arena; /* of its Armed */
};

/* ---- query.c ---- */
/* One use of a prepared statement. Values are given, and then read, in the order of the SQL. `sql`
 * is a literal: statements are kept by its address. Texts that are given must live until the last
 * step. */
struct Query {
    struct Store *store;
    sqlite3_stmt *stmt;
    int next, code; /* code: the first thing that went wrong */
};
enum Step { STEP_ROW, STEP_END, STEP_FAILED };
struct Query query_begin(struct Store *store, const char *sql);
void query_int(struct Query *query, int64_t value);
void query_text(struct Query *query, const char *text); /* NULL is NULL */
/* After STEP_ROW either step on or query_end(); the others have ended it. */
enum Step query_step(struct Query *query, struct Err *err) MUST_CHECK;
void query_end(struct Query *query);
bool query_run(struct Query *query, struct Err *err) MUST_CHECK; /* one that gives no rows */
int64_t row_int(struct Query *query);
const char *row_text(struct Query *query, struct Arena *arena); /* NULL is NULL */
const char *row_text_or(struct Query *query, struct Arena *arena, const char *otherwise);

/* Every change is: if (!change_begin(store, err)) return false; ... return change_end(store, ok,
 * err). change_end commits where `ok`, else takes everything back; true = it is on disk. */
bool change_begin(struct Store *store, struct Err *err) MUST_CHECK;
bool change_end(struct Store *store, bool ok, struct Err *err) MUST_CHECK;
/* One moment of the database for several queries; read_end may come without it. */
bool read_begin(struct Store *store, struct Err *err) MUST_CHECK;
void read_end(struct Store *store);
/* Always false: what SQLite says of its last call, in our words. */
bool store_fail(struct Store *store, struct Err *err);

/* ---- folder.c ---- */
/* Opens the state folder, made where it is missing, and sees that it and the database in it are
 * ours alone. -1 on failure. *path is the caller's to free with mem_free. */
int folder_open(const char *state_dir, char **path, struct Err *err);

/* ---- process.c ---- */
struct Process {
    int64_t pid, started; /* started: field 22 of /proc/PID/stat */
    const char *boot_id, *pid_namespace, *machine;
};
void process_self(struct Process *out, struct Arena *arena);
/* KNOWN_UNKNOWN: on another machine, or in another container of this one. */
enum Known process_alive(const struct Process *process);
void query_process(struct Query *query, const struct Process *process);
void row_process(struct Query *query, struct Arena *arena, struct Process *out);

/* ---- log.c ---- */
enum LogType { LOG_BEGIN, LOG_EVENT, LOG_FAULT, LOG_END, LOG_JUDGED, LOG_NOTE };
struct LogRow {
    enum LogType type;
    int64_t run; /* key */
    struct Mono at;
    uint32_t fault; /* 0 = none; of a LOG_NOTE its key */
    const char *subject, *text;
};
/* Within a change, after what it is about was written. */
bool log_append(struct Store *store, const struct LogRow *row, struct Err *err) MUST_CHECK;

/* ---- run.c, history.c, read_*.c ---- */
static inline int64_t row_id(int64_t run, uint32_t number)
{
    return run << 32 | number;
}
/* The key of a run; ERR_NOT_FOUND where there is none. */
bool run_key(struct Store *store, const char *id, int64_t *key, struct Err *err) MUST_CHECK;
enum Verdict verdict_stored(const char *name);  /* INCONCLUSIVE where it is not known */
enum FaultState state_stored(const char *name); /* UNKNOWN where it is not known */
void batch_begin(struct Store *store);
void batch_end(struct Store *store);
/* The parts of store_read_run. `run` has id and mono_started. */
bool read_series(struct Store *store, int64_t key, struct Arena *arena, struct RunRecord *run,
                 struct Err *err) MUST_CHECK;
bool read_tables(struct Store *store, int64_t key, struct Arena *arena, struct RunRecord *run,
                 struct Err *err) MUST_CHECK;

#endif
