/* database.c - where the PostgreSQL or Redis of a host is asked, for faults inside it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include <inttypes.h>
#include <string.h>

#include "../model/system.h"

#define WORD_MOST 100

static struct Endpoint endpoint_of(const struct PlanInput *input)
{
    const struct SystemKind *system = input->role->system;
    struct Endpoint at = {.port = 5432, .dsn = ""};
    if (system != NULL) {
        at = (struct Endpoint){.dsn = NULL};
        if (system->endpoint != NULL)
            system->endpoint(input->role->system_config, input->target, &at);
        if (at.dsn != NULL && strncmp(at.dsn, "postgres", strlen("postgres")) != 0)
            at.dsn = NULL; /* another server that speaks SQL */
    }
    return at;
}

enum Engine database_engine(const struct PlanInput *input)
{
    struct Endpoint at = endpoint_of(input);
    return at.dsn != NULL ? ENGINE_POSTGRES : at.config_file != NULL ? ENGINE_REDIS : ENGINE_OTHER;
}

static void say_port(const struct DatabaseFault *fault, const struct Endpoint *at,
                     struct Arena *arena, struct Holding *holding)
{
    int64_t port = fault->port != FIELD_NOT_GIVEN ? fault->port : (int64_t)at->port;
    holding_say(holding, "port", arena_printf(arena, "%" PRId64, port));
}

bool database_say_any(const struct DatabaseFault *fault, const struct PlanInput *input,
                      struct Arena *arena, struct Holding *holding, struct Err *err)
{
    struct Endpoint at = endpoint_of(input);
    switch (database_engine(input)) {
    case ENGINE_POSTGRES:
        return database_say(fault, "postgres", input, arena, holding, err);
    case ENGINE_REDIS:
        say_port(fault, &at, arena, holding);
        holding_say(holding, "address", target_address(input->target));
        holding_say(holding, "config", at.config_file);
        if (at.tls)
            holding_say(holding, "tls", "tls");
        return true;
    case ENGINE_OTHER:
        break;
    }
    err_set(err, ERR_RULE, input->target->where, "role '%s' is no PostgreSQL and no Redis, but %s",
            input->role->name, input->role->system->name);
    return err_hint(err, "Take a role with `postgres:`, `patroni:`, or one of the Redis systems.");
}

bool database_set(const struct DatabaseFault *fault, const struct Setting *setting,
                  const struct PlanInput *input, struct Arena *arena, struct Procedure *out,
                  struct Err *err)
{
    bool redis = database_engine(input) == ENGINE_REDIS;
    struct Holding holding = {
        .kind = "set_config",
        .checking = "it can be set, and is something else now",
        .taking =
            redis ? arena_printf(arena, "CONFIG SET %s %s", setting->name, setting->value)
                  : arena_printf(arena, "over postgresql.auto.conf, a copy with %s = '%s'; SIGHUP",
                                 setting->name, setting->value),
        .proving = "the server runs with it",
        .ending = redis ? "CONFIG SET what it was, where ours still stands" : "unmount it; SIGHUP",
        .clearing = redis ? "it is not ours any more" : "the server does what its files say",
    };
    if (!database_say_any(fault, input, arena, &holding, err))
        return false;
    holding_say(&holding, "setting", setting->name);
    holding_say(&holding, "value", setting->value);
    if (setting->on_primary)
        holding_say(&holding, "on_primary", "yes");
    *out = holding_plan(&holding, input, arena);
    out->ends_by = CLASS_REBOOT;
    /* Whoever is made anew from this data folder meanwhile would have the copy for good. */
    out->ends_on_primary = !redis;
    return true;
}

bool database_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@:/- ";
    size_t size = strlen(word);
    return size > 0 && size <= WORD_MOST && strspn(word, plain) == size;
}

bool database_say(const struct DatabaseFault *fault, const char *database,
                  const struct PlanInput *input, struct Arena *arena, struct Holding *holding,
                  struct Err *err)
{
    struct Endpoint at = endpoint_of(input);
    if (at.dsn == NULL) {
        err_set(err, ERR_RULE, input->target->where, "role '%s' is no PostgreSQL, but %s",
                input->role->name, input->role->system->name);
        return err_hint(err, "Take a role with `postgres:` or `patroni:`.");
    }
    holding_say(holding, "database", database);
    say_port(fault, &at, arena, holding);
    return true;
}
