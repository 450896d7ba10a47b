/* read_only.c - a primary that takes no writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"
#include "kinds.h"

static bool read_only_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err);

static const struct Field read_only_fields[] = {
    DATABASE_FIELDS("Whose PostgreSQL or Redis, a primary: the name of a target, or one written in "
                    "place."),
    {.name = NULL}};

const struct FaultKind read_only_fault = {
    .name = "read_only",
    .summary = "a primary answers, and takes no writes",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "read_only",
               .doc =
                   "A PostgreSQL whose transactions are read-only unless they say otherwise "
                   "(default_transaction_read_only); a Redis that wants more replicas than there "
                   "are (min-replicas-to-write). Set and given back as by `set_config`.",
               .size = sizeof(struct DatabaseFault),
               .fields = read_only_fields},
    .plan = read_only_plan,
};

static bool read_only_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err)
{
    bool redis = database_engine(input) == ENGINE_REDIS;
    const struct Setting setting = {.name = redis ? "min-replicas-to-write"
                                                  : "default_transaction_read_only",
                                    .value = redis ? "1000" : "on",
                                    .on_primary = true};
    return database_set(config, &setting, input, arena, out, err);
}
