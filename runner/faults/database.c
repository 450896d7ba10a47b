/* database.c - where the PostgreSQL of a host is asked, for faults inside it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include <inttypes.h>

#include "../model/system.h"

bool database_say(const struct DatabaseFault *fault, const char *database,
                  const struct PlanInput *input, struct Arena *arena, struct Holding *holding,
                  struct Err *err)
{
    const struct SystemKind *system = input->role->system;
    struct Endpoint at = {.port = 5432, .dsn = ""};
    if (system != NULL && system->endpoint != NULL)
        system->endpoint(input->role->system_config, input->target, &at);
    if (at.dsn == NULL) {
        err_set(err, ERR_RULE, input->target->where, "role '%s' is no PostgreSQL, but %s",
                input->role->name, system->name);
        return err_hint(err, "Take a role with `postgres:` or `patroni:`.");
    }
    holding_say(holding, "database", database);
    holding_say(holding, "port",
                arena_printf(arena, "%" PRId64,
                             fault->port != FIELD_NOT_GIVEN ? fault->port : (int64_t)at.port));
    return true;
}
