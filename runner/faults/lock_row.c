/* lock_row.c - a row stays locked in the host's own PostgreSQL, and sessions wait for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "kinds.h"
#include "database.h"

#define TICKS_PER_S 100 /* of the host's clock since boot */

static bool lock_row_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Procedure *out, struct Err *err);
static void lock_row_check(const void *record, const struct Node *node, struct Decode *decode);

static const struct Field lock_row_fields[] = {
    DATABASE_FIELDS("Whose PostgreSQL, a primary: the name of a target, or one written in place."),
    {.name = "query",
     .type = FIELD_TEXT,
     .offset = offsetof(struct LockRowConfig, query),
     .example = "select id from stock where id = 1 for update",
     .doc = "The one statement that locks it, rolled back in the end; without it, the row of a "
            "helper table that is made for this, and dropped: no drill that may move the primary "
            "meanwhile."},
    {.name = "database",
     .type = FIELD_TEXT,
     .offset = offsetof(struct LockRowConfig, database),
     .fallback = "postgres",
     .example = "shop",
     .doc = "The database; psql goes there on the host, as the user to whom the data belongs."},
    {.name = "waiters",
     .type = FIELD_INT,
     .offset = offsetof(struct LockRowConfig, waiters),
     .fallback = "0",
     .min = 0,
     .max = 500,
     .example = "50",
     .doc = "How many sessions of ours wait for the row besides; 5 connections stay for others."},
    {.name = "ramp",
     .type = FIELD_DURATION,
     .offset = offsetof(struct LockRowConfig, ramp_ns),
     .fallback = "0s",
     .min = 0,
     .max = 3600 * NS_PER_S,
     .example = "1m",
     .doc = "How long it takes until all of them wait."},
    {.name = "ramp_steps",
     .type = FIELD_INT,
     .offset = offsetof(struct LockRowConfig, ramp_steps),
     .fallback = "1",
     .min = 1,
     .max = 500,
     .example = "10",
     .doc = "In how many equal steps they come, the last at the end of `ramp`."},
    {.name = NULL}};

const struct FaultKind lock_row_fault = {
    .name = "lock_row",
    .summary = "a row of a PostgreSQL stays locked, and sessions wait for it",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "lock_row",
               .doc = "A held lock: a transaction that does not end, and who waits for it.",
               .size = sizeof(struct LockRowConfig),
               .fields = lock_row_fields,
               .check = lock_row_check},
    .plan = lock_row_plan,
};

static struct Where where_of(const struct Node *node, const char *key)
{
    const struct Node *value = node_get(node, key);
    return value != NULL ? value->where : node->where;
}

/* What psql would read as an end of the statement, or as a word of its own. */
static bool is_one_statement(const char *query)
{
    static const char *const enders[] = {"prepare", "commit", "end", "rollback", "abort"};
    const char *word = query + strspn(query, " \t");
    for (size_t at = 0; at < COUNT_OF(enders); at++)
        if (strncasecmp(word, enders[at], strlen(enders[at])) == 0)
            return false; /* it would end the transaction, or leave a prepared one */
    return word[0] != '\0' && word[0] != '/' && word[0] != '-' && strpbrk(query, ";\\\r\n") == NULL;
}

static bool is_database(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t size = strlen(name);
    return size > 0 && size < 64 && strspn(name, plain) == size && name[0] != '-';
}

static void lock_row_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct LockRowConfig *lock = record;
    if (lock->query != NULL && !reference_present(lock->query) && !is_one_statement(lock->query))
        problems_say(decode->problems, ERR_VALUE, where_of(node, "query"),
                     "select id from stock where id = 1 for update",
                     "`query` is one statement in one line, without ; and \\");
    if (!reference_present(lock->database) && !is_database(lock->database))
        problems_say(decode->problems, ERR_VALUE, where_of(node, "database"), "database: shop",
                     "'%s' is no plain name of a database", lock->database);
    if (lock->ramp_ns > 0 && lock->waiters == 0)
        problems_say(decode->problems, ERR_RULE, where_of(node, "ramp"), "waiters: 50",
                     "`ramp` has no meaning without `waiters`");
    if (lock->ramp_steps > 1 && lock->ramp_ns == 0)
        problems_say(decode->problems, ERR_RULE, where_of(node, "ramp_steps"), "ramp: 1m",
                     "`ramp_steps` has no meaning without `ramp`");
    else if (lock->ramp_steps > 1 && lock->ramp_steps > lock->waiters)
        problems_say(decode->problems, ERR_RULE, where_of(node, "ramp_steps"),
                     "take as many steps as `waiters`, or fewer",
                     "a step of the ramp would have nobody");
}

static bool refuse_odd(const struct LockRowConfig *lock, const struct PlanInput *input,
                       struct Err *err)
{
    const struct Where where = input->target->where;
    if (lock->query != NULL && !is_one_statement(lock->query))
        return err_set(err, ERR_VALUE, where, "`query` is more than one statement in one line");
    if (!is_database(lock->database))
        return err_set(err, ERR_VALUE, where, "'%s' is no plain name of a database",
                       lock->database);
    if (input->hold_ns >= 0 && lock->ramp_ns >= input->hold_ns) {
        err_set(err, ERR_RULE, where, "the lock is released before all %" PRId64 " sessions wait",
                lock->waiters);
        return err_hint(err, "Let `for` be longer than `ramp`.");
    }
    return true;
}

static bool lock_row_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Procedure *out, struct Err *err)
{
    const struct LockRowConfig *lock = config;
    struct Holding holding = {
        .kind = "lock_row",
        .checking = "this is a primary, with connections to spare",
        .taking = lock->query != NULL ? "lock the row in a transaction that does not end"
                                      : "make a helper table, lock its row in a transaction that "
                                        "does not end",
        .proving = "the transaction has its lock, and who came waits for it",
        .ending = lock->query != NULL ? "end our sessions, which rolls back"
                                      : "end our sessions, which rolls back; drop the helper table",
        .clearing = lock->query != NULL ? "no session of ours is left"
                                        : "no session of ours is left, and no helper table",
    };
    if (!refuse_odd(lock, input, err))
        return false;
    if (lock->query != NULL)
        holding_say(&holding, "query", lock->query);
    if (!database_say(&lock->at, lock->database, input, arena, &holding, err))
        return false;
    const struct {
        const char *word;
        int64_t value;
    } numbers[] = {{"waiters", lock->waiters},
                   {"ramp", lock->ramp_ns / (NS_PER_S / TICKS_PER_S)},
                   {"steps", lock->ramp_steps}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        holding_say(&holding, numbers[i].word, arena_printf(arena, "%" PRId64, numbers[i].value));
    *out = holding_plan(&holding, input, arena);
    if (lock->query == NULL) { /* sessions end with their process, the helper table does not */
        out->ends_by = CLASS_STICKY;
        out->ends_on_primary = true;
    }
    return true;
}
