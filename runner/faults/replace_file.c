/* replace_file.c - a file is another one, for good, until a rename brings the original back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "files.h"
#include "kinds.h"

struct ReplaceConfig {
    const struct Node *target;
    const char *path, *content, *reload;
};

static void replace_check(const void *record, const struct Node *node, struct Decode *decode);
static bool replace_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);

static const struct Field replace_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct ReplaceConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "On which machines: the name of a target, or a target written in place."},
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ReplaceConfig, path),
     .flags = FIELD_REQUIRED,
     .example = "/etc/shop/limits.conf",
     .doc = "The file, by its absolute path; links are followed, and it must be there."},
    {.name = "content",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ReplaceConfig, content),
     .flags = FIELD_REQUIRED,
     .example = "\"max_clients 1\"",
     .doc = "What the new file says."},
    {.name = "reload",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ReplaceConfig, reload),
     .flags = FIELD_SCRIPT,
     .example = "systemctl reload shop-api",
     .doc = RELOAD_DOC},
    {.name = NULL}};

const struct FaultKind replace_file_fault = {
    .name = "replace_file",
    .summary = "a file says something else; the original is kept beside it",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "replace_file",
               .doc = "Another file takes the name of one, also over a reboot; the original waits "
                      "beside it and comes back by a rename, unless somebody edits ours meanwhile: "
                      "then that stays, and the run is NOT UNDONE. `override` is safer where a "
                      "mount will do.",
               .size = sizeof(struct ReplaceConfig),
               .fields = replace_fields,
               .check = replace_check},
    .plan = replace_plan,
};

static void replace_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct ReplaceConfig *config = record;
    files_check_path(node, "path", config->path, decode);
    files_check_text(node, "content", config->content, decode);
}

static bool replace_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    const struct ReplaceConfig *config = data;
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    if (!files_path_is_good(config->path, input, err))
        return false;
    const char *content = files_text(config->content, arena), *path = config->path;
    const char *reload = config->reload != NULL ? config->reload : "";
    char sum[65];
    hash_hex(content, strlen(content), sum);
    const char *ours = arena_text(arena, sum);
    commands_add(&procedure.save, arena, "make the new file, aside", 20, "sh", "service", "file",
                 "replace_save", path, files_kept, content, NULL);
    commands_add(&procedure.apply, arena,
                 arena_printf(arena, "keep %s beside it, put the new one in its place", path), 60,
                 "sh", "service", "file", "replace", path, reload, NULL);
    commands_add(&procedure.in_place, arena, "the file says what ours says", 20, "sh", "service",
                 "file", "replace_place", path, ours, NULL);
    commands_add(&procedure.undo, arena, "rename the original back, where ours still stands", 60,
                 "sh", "service", "file", "replace_undo", path, ours, reload, NULL);
    commands_add(&procedure.all_clear, arena, "nothing is kept beside it, and it is not ours", 20,
                 "sh", "service", "file", "replace_clear", path, ours, NULL);
    *out = procedure;
    return true;
}
