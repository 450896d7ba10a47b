/* pause_replication.c - a replica of PostgreSQL gets the log, and does not replay it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "database.h"
#include "kinds.h"

static bool pause_replication_plan(const void *config, const struct PlanInput *input,
                                   struct Arena *arena, struct Procedure *out, struct Err *err);

static const struct Field pause_replication_fields[] = {
    DATABASE_FIELDS("Whose PostgreSQL, a replica: the name of a target, or one written in place."),
    {.name = "most",
     .type = FIELD_SIZE,
     .offset = offsetof(struct PauseReplicationConfig, most),
     .fallback = "1GiB",
     .min = 1 << 20,
     .max = INT64_C(1) << 40,
     .example = "4GiB",
     .doc = "As soon as so much of the log waits, or its disk has less than a twentieth left, the "
            "replica goes on, and the run is INCONCLUSIVE: the pause ended early."},
    {.name = NULL}};

const struct FaultKind pause_replication_fault = {
    .name = "pause_replication",
    .summary = "a replica of PostgreSQL falls behind, for it replays nothing",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "pause_replication",
               .doc = "A replica that gets the log and does not replay it (pg_wal_replay_pause): "
                      "who reads there reads what is old. A restart or a promotion ends it.",
               .size = sizeof(struct PauseReplicationConfig),
               .fields = pause_replication_fields},
    .plan = pause_replication_plan,
};

static bool pause_replication_plan(const void *config, const struct PlanInput *input,
                                   struct Arena *arena, struct Procedure *out, struct Err *err)
{
    const struct PauseReplicationConfig *pause = config;
    struct Holding holding = {
        .kind = "pause_replication",
        .checking = "this is a replica that replays, with room for the log",
        .taking = "pause its replay",
        .proving = "its replay is paused",
        .ending = "let it replay, where the pause is ours",
        .clearing = "it replays",
    };
    if (!database_say(&pause->at, "postgres", input, arena, &holding, err))
        return false;
    holding_say(&holding, "leave", arena_printf(arena, "%" PRId64, pause->most >> 20));
    *out = holding_plan(&holding, input, arena);
    out->ends_by = CLASS_REBOOT; /* it is nowhere but in the server's memory */
    return true;
}
