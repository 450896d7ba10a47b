/* lock.c - one run per environment, and requests from other processes to halt it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "../base/text.h"
#include "inside.h"

struct Holder {
    const char *run, *who;
    struct Wall since;
    struct Process process;
    int64_t open_faults;
};

static bool read_holder(struct Store *store, const char *environment, struct Arena *arena,
                        struct Holder *out, bool *held, struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT l.run, l.who, l.since, l.pid, l.process_started, l.boot_id, l.pid_namespace,"
               " l.machine, (SELECT count(*) FROM runs r JOIN faults f ON f.id >> 32 = r.key"
               "  WHERE r.id = l.run AND f.state <> 'CLEAR') FROM locks l WHERE environment = ?");
    query_text(&query, environment);
    enum Step step = query_step(&query, err);
    *held = step == STEP_ROW;
    if (*held) {
        out->run = row_text_or(&query, arena, "");
        out->who = row_text_or(&query, arena, "");
        out->since.ns = row_int(&query);
        row_process(&query, arena, &out->process);
        out->open_faults = row_int(&query);
        query_end(&query);
    }
    return step != STEP_FAILED;
}

static bool refuse(const char *environment, const struct Holder *holder, enum Known alive,
                   struct Err *err)
{
    char since[48];
    wall_local(holder->since, since);
    err_set(err, ERR_LOCKED, NOWHERE,
            "environment '%s' is held by run %s of %s since %s (pid %" PRId64 " on %s)%s",
            environment, holder->run, holder->who, since, holder->process.pid,
            holder->process.machine,
            alive == KNOWN_NO ? ", which died and left faults behind" : "");
    switch (alive) {
    case KNOWN_YES:
        return err_hint(err, "Wait for it, or end it with `faildrill halt %s`.", holder->run);
    case KNOWN_NO:
        return err_hint(err, "Run `faildrill undo %s`; that frees the environment.", holder->run);
    case KNOWN_UNKNOWN:
        return err_hint(err,
                        "Whether it still runs can only be seen on %s; if it does not, run "
                        "`faildrill undo %s` there.",
                        holder->process.machine, holder->run);
    }
    return false;
}

static bool same_process(const struct Process *a, const struct Process *b)
{
    return a->pid == b->pid && a->started == b->started && text_equal(a->boot_id, b->boot_id) &&
           text_equal(a->pid_namespace, b->pid_namespace) && text_equal(a->machine, b->machine);
}

/* run: whose lock is no obstacle; NULL = nobody's. */
static bool may_take(struct Store *store, const char *environment, const char *run,
                     const struct Process *self, struct Arena *arena, struct Err *err)
{
    struct Holder holder;
    bool held = false;
    if (!read_holder(store, environment, arena, &holder, &held, err))
        return false;
    if (!held || (text_equal(holder.run, run) && same_process(&holder.process, self)))
        return true;
    enum Known alive = process_alive(&holder.process);
    if (alive != KNOWN_NO || holder.open_faults > 0)
        return refuse(environment, &holder, alive, err);
    return true;
}

bool store_is_free(struct Store *store, const char *environment, struct Err *err)
{
    struct Arena *arena = arena_new("lock", STORE_ARENA_BYTES);
    struct Process self;
    process_self(&self, arena);
    bool ok = may_take(store, environment, NULL, &self, arena, err);
    arena_free(arena);
    return ok;
}

static bool take(struct Store *store, const struct LockRow *lock, struct Arena *arena,
                 struct Err *err)
{
    struct Process self;
    process_self(&self, arena);
    if (!may_take(store, lock->environment, lock->run, &self, arena, err))
        return false;
    struct Query query =
        query_begin(store, "INSERT OR REPLACE INTO locks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_text(&query, lock->environment);
    query_text(&query, lock->run);
    query_text(&query, lock->who);
    query_int(&query, wall_now().ns);
    query_process(&query, &self);
    return query_run(&query, err);
}

bool store_lock(struct Store *store, const struct LockRow *lock, struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("lock", STORE_ARENA_BYTES);
    bool ok = change_end(store, take(store, lock, arena, err), err);
    arena_free(arena);
    return ok;
}

bool store_unlock(struct Store *store, const char *run, struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Query query = query_begin(store, "DELETE FROM locks WHERE run = ?");
    query_text(&query, run);
    return change_end(store, query_run(&query, err), err);
}

bool store_locks(struct Store *store, struct Arena *arena, struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT l.environment, l.run, l.who, l.since, l.pid, l.process_started, l.boot_id,"
               " l.pid_namespace, l.machine, (SELECT count(*) FROM runs r JOIN faults f"
               "  ON f.id >> 32 = r.key WHERE r.id = l.run AND f.state <> 'CLEAR') FROM locks l"
               " ORDER BY l.environment");
    struct List locks = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct LockHeld *lock = list_add(&locks, arena, sizeof *lock);
        struct Process process;
        lock->environment = row_text_or(&query, arena, "");
        lock->run = row_text_or(&query, arena, "");
        lock->who = row_text_or(&query, arena, "");
        lock->since.ns = row_int(&query);
        row_process(&query, arena, &process);
        lock->open_faults = row_int(&query);
        lock->pid = process.pid;
        lock->machine = process.machine;
        lock->alive = process_alive(&process);
    }
    if (step == STEP_END)
        *out = locks;
    return step == STEP_END;
}

/* ---- Halts ---- */

static bool check_halts(struct Store *store, const char *run, struct Arena *arena, struct Err *err)
{
    struct Query query =
        query_begin(store, "SELECT ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cycles c WHERE"
                           "  c.run = key AND c.number < c.of AND NOT EXISTS (SELECT 1 FROM"
                           "  cycles n WHERE n.first = c.first AND n.number > c.number)),"
                           " pid, process_started, boot_id, pid_namespace, machine"
                           " FROM runs JOIN details d ON d.run = key WHERE id = ?");
    query_text(&query, run);
    enum Step step = query_step(&query, err);
    if (step == STEP_FAILED)
        return false;
    if (step == STEP_END)
        return err_set(err, ERR_NOT_FOUND, NOWHERE, "there is no run '%s'", run);
    bool ended = row_int(&query) != 0;
    struct Process process;
    row_process(&query, arena, &process);
    query_end(&query);
    if (ended)
        return err_set(err, ERR_NOT_FOUND, NOWHERE, "run %s has ended already", run);
    if (process_alive(&process) != KNOWN_NO)
        return true;
    err_set(err, ERR_NOT_FOUND, NOWHERE, "run %s has died and hears nothing any more", run);
    return err_hint(err, "Run `faildrill undo %s` to undo what it left.", run);
}

bool store_request_halt(struct Store *store, const char *run, const char *reason, const char *who,
                        struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("halt", STORE_ARENA_BYTES);
    bool ok = check_halts(store, run, arena, err);
    if (ok) {
        struct Query query = query_begin(
            store, "INSERT INTO halts VALUES (?, ?, ?) ON CONFLICT DO NOTHING"); /* first wins */
        query_text(&query, run);
        query_text(&query, reason != NULL ? reason : "");
        query_text(&query, who);
        ok = query_run(&query, err);
    }
    ok = change_end(store, ok, err);
    arena_free(arena);
    return ok;
}

bool store_halt_asked(struct Store *store, const char *run, struct Arena *arena,
                      const char **reason, struct Err *err)
{
    struct Query query = query_begin(store, "SELECT reason, who FROM halts WHERE run = ?");
    query_text(&query, run);
    enum Step step = query_step(&query, err);
    const char *asked = NULL;
    if (step == STEP_ROW) {
        const char *said = row_text_or(&query, arena, "");
        const char *who = row_text_or(&query, arena, "");
        asked = said[0] == '\0' ? arena_printf(arena, "by %s", who)
                                : arena_printf(arena, "by %s: %s", who, said);
        query_end(&query);
    }
    if (step != STEP_FAILED)
        *reason = asked;
    return step != STEP_FAILED;
}
