/* disk_fill.c - a disk gets full: by a file without a name, gone with the process that holds it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "holding.h"
#include "kinds.h"

static bool disk_fill_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err);

static const struct Field disk_fill_fields[] = {
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
     .flags = FIELD_UNSET,
     .min = 10000,
     .max = 1000000,
     .example = "95%",
     .doc = "How full it gets, as df says it; 4 MiB stay free in any case."},
    {.name = "leave",
     .type = FIELD_SIZE,
     .offset = offsetof(struct HoldingConfig, leave),
     .flags = FIELD_UNSET,
     .min = 4 << 20,
     .max = INT64_MAX,
     .example = "200MiB",
     .doc = "How much stays free, instead of a share."},
    {.name = NULL}};

const struct FaultKind disk_fill_fault = {
    .name = "disk_fill",
    .summary = "a disk gets full, by a file without a name",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "disk_fill",
               .doc = "A full disk: the file has no name, so it is gone with the process that "
                      "holds it.",
               .size = sizeof(struct HoldingConfig),
               .fields = disk_fill_fields,
               .check = holding_check},
    .plan = disk_fill_plan,
};

static bool disk_fill_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                           struct Procedure *out, struct Err *err)
{
    const struct HoldingConfig *fill = config;
    struct Holding holding = {.kind = "disk_fill",
                              .taking = "fill the disk by a file without a name"};
    if (!path_is_plain(fill->path))
        return err_set(err, ERR_VALUE, input->target->where, "'%s' is no absolute path",
                       fill->path);
    holding_say(&holding, "path", fill->path);
    holding_say_amount(&holding, fill, arena);
    *out = holding_plan(&holding, input, arena);
    return true;
}
