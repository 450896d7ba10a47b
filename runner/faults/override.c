/* override.c - readers of a file find another text: hosts, resolv.conf and the like. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"
#include "kinds.h"

struct OverrideConfig {
    const struct Node *target;
    const char *file, *content;
    bool keep;
};

static void override_check(const void *record, const struct Node *node, struct Decode *decode);
static bool override_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Procedure *out, struct Err *err);

static const struct Field override_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct OverrideConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "On which machines: the name of a target, or a target written in place."},
    {.name = "file",
     .type = FIELD_TEXT,
     .offset = offsetof(struct OverrideConfig, file),
     .flags = FIELD_REQUIRED,
     .example = "/etc/resolv.conf",
     .doc = "The file, by its absolute path; links are followed, and it must be there."},
    {.name = "content",
     .type = FIELD_TEXT,
     .offset = offsetof(struct OverrideConfig, content),
     .flags = FIELD_REQUIRED,
     .example = "nameserver 192.0.2.1",
     .doc = "The text that readers find instead."},
    {.name = "keep",
     .type = FIELD_BOOL,
     .offset = offsetof(struct OverrideConfig, keep),
     .fallback = "false",
     .example = "true",
     .doc = "What the file says now follows the new text, as in hosts, where the first line wins."},
    {.name = NULL}};

const struct FaultKind override_fault = {
    .name = "override",
    .summary = "readers of a file, like hosts or resolv.conf, find another text",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "override",
               .doc = "Another text is mounted over a file, which itself is not touched; whoever "
                      "edits it meanwhile is told that it is read-only.",
               .size = sizeof(struct OverrideConfig),
               .fields = override_fields,
               .check = override_check},
    .plan = override_plan,
};

static void override_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct OverrideConfig *config = record;
    files_check_path(node, "file", config->file, decode);
    files_check_text(node, "content", config->content, decode);
}

static bool override_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                          struct Procedure *out, struct Err *err)
{
    const struct OverrideConfig *config = data;
    struct Procedure procedure = procedure_of(input, CLASS_REBOOT);
    if (!files_path_is_good(config->file, input, err))
        return false;
    commands_add(&procedure.save, arena, "copy the file and edit the copy", 20, "sh", "service",
                 "file", "over_text", config->file, files_kept, config->keep ? "before" : "instead",
                 files_text(config->content, arena), NULL);
    commands_add(&procedure.apply, arena, arena_printf(arena, "mount it over %s", config->file), 20,
                 "sh", "service", "file", "over", config->file, NULL);
    commands_add(&procedure.in_place, arena, "who reads the file finds ours", 20, "sh", "service",
                 "file", "over_place", config->file, NULL);
    commands_add(&procedure.undo, arena, "unmount it", 20, "sh", "service", "file", "unmount",
                 NULL);
    commands_add(&procedure.all_clear, arena, "nothing of ours is mounted, the file is as it was",
                 20, "sh", "service", "file", "over_clear", config->file, NULL);
    *out = procedure;
    return true;
}
