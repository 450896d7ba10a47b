/* disk_load.c - a disk is busy: with writes that are waited for, one after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "holding.h"
#include "kinds.h"

static bool disk_load_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err);

static const struct Field disk_load_fields[] = {
    HOLDING_TARGET("Whose disk: the name of a target, or a target written in place."),
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HoldingConfig, path),
     .flags = FIELD_REQUIRED,
     .example = "/var",
     .doc = "A folder on the disk; never the one that holds /run."},
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct HoldingConfig, share),
     .min = 10000,
     .max = 1000000,
     .fallback = "100%",
     .example = "50%",
     .doc = "For how much of the time it is written to, 8 MiB at a time."},
    {.name = NULL}};

const struct FaultKind disk_load_fault = {
    .name = "disk_load",
    .summary = "a disk is busy",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "disk_load",
               .doc = "A busy disk: writes of a file without a name, each down to the disk.",
               .size = sizeof(struct HoldingConfig),
               .fields = disk_load_fields,
               .check = holding_check_path},
    .plan = disk_load_plan,
};

static bool disk_load_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err)
{
    struct HoldingConfig load = *(const struct HoldingConfig *)config;
    struct Holding holding = {.kind = "disk_load",
                              .taking = "write to the disk, again and again, and wait for it"};
    if (!path_is_plain(load.path))
        return err_set(err, ERR_VALUE, input->target->where, "'%s' is no absolute path", load.path);
    load.leave = FIELD_NOT_GIVEN;
    holding_say(&holding, "path", load.path);
    holding_say_amount(&holding, &load, arena);
    *out = holding_plan(&holding, input, arena);
    return true;
}
