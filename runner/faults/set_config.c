/* set_config.c - a setting of a PostgreSQL or a Redis has another value; what it was comes back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>

#include "database.h"
#include "kinds.h"

#define VALUE_MOST 200

static void set_config_check(const void *record, const struct Node *node, struct Decode *decode);
static bool set_config_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                            struct Procedure *out, struct Err *err);

static const struct Field set_config_fields[] = {
    DATABASE_FIELDS("Whose PostgreSQL or Redis: the name of a target, or one written in place."),
    {.name = "setting",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SetConfigConfig, setting),
     .flags = FIELD_REQUIRED,
     .example = "work_mem",
     .doc = "Which: one that takes no restart, harms no data, and keeps nobody out who has to mend "
            "it."},
    {.name = "value",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SetConfigConfig, value),
     .flags = FIELD_REQUIRED,
     .example = "64kB",
     .doc = "What it is set to."},
    {.name = NULL}};

const struct FaultKind set_config_fault = {
    .name = "set_config",
    .summary = "a setting of a PostgreSQL or Redis has another value",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "set_config",
               .doc =
                   "Sets a setting of the server. PostgreSQL reads it from a copy that lies over "
                   "postgresql.auto.conf, so nothing of its own is written, and ALTER SYSTEM is "
                   "refused meanwhile; Redis gets CONFIG SET and, if the value is still ours, the "
                   "old one back. A copy of PostgreSQL's data folder taken meanwhile (a base "
                   "backup, pg_rewind) would carry the line, below a comment that names the drill: "
                   "refused while one is seen, and ended as soon as one is, looked for each "
                   "second. What copies the files itself is not seen.",
               .size = sizeof(struct SetConfigConfig),
               .fields = set_config_fields,
               .check = set_config_check},
    .plan = set_config_plan,
};

/* Those whose old value makes everything as it was, while the server runs and after a crash. Who
 * must have a commit (synchronous_commit, synchronous_standby_names) is none: what was acknowledged
 * with less meanwhile may be lost. */
static const char *const of_postgres[] = {"default_transaction_*",
                                          "statement_timeout",
                                          "lock_timeout",
                                          "idle_*_timeout",
                                          "deadlock_timeout",
                                          "work_mem",
                                          "maintenance_work_mem",
                                          "temp_file_limit",
                                          "max_parallel_*workers*",
                                          "*_page_cost",
                                          "enable_*",
                                          "effective_cache_size",
                                          "effective_io_*",
                                          "checkpoint_*",
                                          "max_wal_size",
                                          "bgwriter_*",
                                          "commit_delay",
                                          "commit_siblings",
                                          "wal_writer_*",
                                          "autovacuum*",
                                          "vacuum_cost_*",
                                          "log_min_duration_statement",
                                          "log_statement",
                                          "max_standby_*_delay",
                                          "wal_sender_timeout",
                                          "wal_receiver_timeout",
                                          "recovery_min_apply_delay",
                                          "hot_standby_feedback",
                                          "tcp_*",
                                          "jit*",
                                          "plan_cache_mode",
                                          "join_collapse_limit",
                                          "from_collapse_limit",
                                          NULL};
/* None that could keep out who sets it back, and none by which others come to move the primary. */
static const char *const of_redis[] = {"maxmemory",
                                       "timeout",
                                       "tcp-keepalive",
                                       "min-replicas-*",
                                       "min-slaves-*",
                                       "slowlog-*",
                                       "latency-monitor-*",
                                       "hz",
                                       "activedefrag",
                                       "lua-time-limit",
                                       "busy-reply-threshold",
                                       "repl-disable-tcp-nodelay",
                                       "replica-serve-stale-data",
                                       "stop-writes-on-bgsave-error",
                                       NULL};

static bool stands_in(const char *setting, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (fnmatch(list[i], setting, 0) == 0)
            return true;
    return false;
}

/* It stands in a statement, and in a file between quotes. */
static bool is_setting(const char *setting)
{
    size_t size = strlen(setting);
    return size > 0 && size < 64 &&
           strspn(setting, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size && setting[0] != '-';
}

static bool is_value(const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_.,:/@*()%+- ";
    size_t size = strlen(value);
    return size > 0 && size <= VALUE_MOST && strspn(value, plain) == size;
}

static struct Where place_of(const struct Node *node, const char *key)
{
    const struct Node *item = node_get(node, key);
    return item != NULL ? item->where : node->where;
}

#define SETTING_WORDS "no fault may set '%s'"
#define SETTING_HELP                                                                               \
    "only some whose old value makes all as it was: work_mem, statement_timeout, lock_timeout "    \
    "and the like; in Redis maxmemory, min-replicas-to-write, timeout"
#define VALUE_WORDS "'%s' is no plain value: letters, digits, blanks and _.,:/@*()%%+-"

static void set_config_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct SetConfigConfig *config = record;
    if (!reference_present(config->setting) &&
        (!is_setting(config->setting) ||
         (!stands_in(config->setting, of_postgres) && !stands_in(config->setting, of_redis))))
        problems_say(decode->problems, ERR_VALUE, place_of(node, "setting"), SETTING_HELP,
                     SETTING_WORDS, config->setting);
    if (!reference_present(config->value) && !is_value(config->value))
        problems_say(decode->problems, ERR_VALUE, place_of(node, "value"), NULL, VALUE_WORDS,
                     config->value);
}

static bool set_config_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                            struct Procedure *out, struct Err *err)
{
    const struct SetConfigConfig *config = data;
    bool redis = database_engine(input) == ENGINE_REDIS;
    if (!is_setting(config->setting) ||
        !stands_in(config->setting, redis ? of_redis : of_postgres)) {
        err_set(err, ERR_VALUE, input->target->where, SETTING_WORDS " of a %s", config->setting,
                redis ? "Redis" : "PostgreSQL");
        return err_hint(err,
                        "Only settings whose old value makes everything as it was may be set.");
    }
    if (!is_value(config->value))
        return err_set(err, ERR_VALUE, input->target->where, VALUE_WORDS, config->value);
    const struct Setting setting = {.name = config->setting, .value = config->value};
    return database_set(&config->at, &setting, input, arena, out, err);
}
