/* database.h - what faults inside a PostgreSQL or a Redis have in common. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_DATABASE_H
#define FD_FAULTS_DATABASE_H

#include "holding.h"

/* What they all begin with. */
struct DatabaseFault {
    const struct Node *target;
    int64_t port; /* FIELD_NOT_GIVEN: that of the role's system, or 5432 */
};

/* `lock_row`. */
struct LockRowConfig {
    struct DatabaseFault at;
    const char *query; /* NULL: a helper table's */
    const char *database;
    int64_t waiters, ramp_ns, ramp_steps;
};

/* `session_kill`. */
struct SessionKillConfig {
    struct DatabaseFault at;
    const char *user, *application, *client, *database; /* NULL: whoever */
    bool replication;
};

/* `pause_replication`. */
struct PauseReplicationConfig {
    struct DatabaseFault at;
    int64_t most; /* bytes of the log */
};

/* `set_config`; `read_only` has its first field alone. */
struct SetConfigConfig {
    struct DatabaseFault at;
    const char *setting, *value;
};

/* Their first two fields. */
#define DATABASE_FIELDS(text)                                                                      \
    {.name = "target",                                                                             \
     .type = FIELD_ANY,                                                                            \
     .offset = offsetof(struct DatabaseFault, target),                                             \
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,                                                      \
     .example = "victim",                                                                          \
     .doc = text},                                                                                 \
    {                                                                                              \
        .name = "port", .type = FIELD_INT, .offset = offsetof(struct DatabaseFault, port),         \
        .flags = FIELD_UNSET, .min = 1, .max = 65535, .example = "5433",                           \
        .doc = "The server's port on the host; without it, what the role says, or 5432."           \
    }

/* Of a role without a system it is PostgreSQL. */
enum Engine { ENGINE_OTHER, ENGINE_POSTGRES, ENGINE_REDIS };
enum Engine database_engine(const struct PlanInput *input);
/* Says `port`, and `database` or what a Redis is asked with. False where the role is another
 * system. */
bool database_say_any(const struct DatabaseFault *fault, const struct PlanInput *input,
                      struct Arena *arena, struct Holding *holding, struct Err *err) MUST_CHECK;
/* Another value for a while: both words were looked at. */
struct Setting {
    const char *name, *value;
    bool on_primary; /* a replica is refused */
};
bool database_set(const struct DatabaseFault *fault, const struct Setting *setting,
                  const struct PlanInput *input, struct Arena *arena, struct Procedure *out,
                  struct Err *err) MUST_CHECK;
/* A name that may stand in a statement or a command: letters, digits, blanks and _.@:/- */
bool database_word(const char *word);
/* Says `port` and `database`. False where the role is another system. */
bool database_say(const struct DatabaseFault *fault, const char *database,
                  const struct PlanInput *input, struct Arena *arena, struct Holding *holding,
                  struct Err *err) MUST_CHECK;

#endif
