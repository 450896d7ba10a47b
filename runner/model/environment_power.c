/* environment_power.c - `power:` of an environment, a role or a host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_build.h"

#include "../base/text.h"
#include <stddef.h>
#include <string.h>

static const struct Field POWER_FIELDS[] = {
    {.name = "down",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PowerFields, down),
     .flags = FIELD_REQUIRED | FIELD_SCRIPT,
     .example = "virsh destroy ${host.name}",
     .doc = "The line for this machine's sh that cuts the power: at once, not by asking the host."},
    {.name = "up",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PowerFields, up),
     .flags = FIELD_REQUIRED | FIELD_SCRIPT,
     .example = "virsh start ${host.name}",
     .doc = "The line that gives it back; it may be called again until `status` says on."},
    {.name = "status",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PowerFields, status),
     .flags = FIELD_REQUIRED | FIELD_SCRIPT,
     .example = "virsh domstate ${host.name}",
     .doc = "The line whose last word is on, running or active; or off, stopped, terminated and "
            "the like."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct PowerFields, node)},
    {.name = NULL},
};
const struct Record POWER_RECORD = {
    .name = "power",
    .doc = "How the power of a host is cut and given back: commands of this machine, such as a "
           "cloud's, IPMI's or virsh.",
    .size = sizeof(struct PowerFields),
    .fields = POWER_FIELDS,
};

struct Looking {
    struct EnvironmentBuild *build;
    struct Where where;
};

static void check_secret(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Looking *looking = data;
    struct EnvironmentBuild *build = looking->build;
    const struct SecretFields *secrets = build->fields->secrets.items;
    (void)start;
    (void)size;
    for (size_t i = 0; i < problems_errors(build->problems); i++) /* said of another host */
        if (problems_at(build->problems, i)->where.line == looking->where.line &&
            problems_at(build->problems, i)->where.column == looking->where.column)
            return;
    for (size_t i = 0; text_equal(ns, "secret") && i < build->fields->secrets.count; i++) {
        if (!text_equal(secrets[i].name, name) || secrets[i].file != NULL)
            continue;
        problems_say(build->problems, ERR_RULE, looking->where, "a secret with `file:`",
                     "`power` cannot use secret '%s': a variable dies with this run", name);
        err_hint(problems_last(build->problems),
                 "power must come back though the runner is gone: keep the value in a file");
        build->good = false;
    }
}

static const struct Power *power_of(struct EnvironmentBuild *build,
                                    const struct PowerFields *fields)
{
    static const char *const KEYS[] = {"down", "up", "status"};
    const char *const lines[] = {fields->down, fields->up, fields->status};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        reference_each(lines[i], check_secret,
                       &(struct Looking){build, node_get(fields->node, KEYS[i])->where});
    struct Power *power = arena_zero(build->arena, 1, sizeof *power);
    *power = (struct Power){.down = fields->down, .up = fields->up, .status = fields->status};
    return power;
}

void environment_set_power(struct EnvironmentBuild *build, const struct RoleFields *role,
                           const struct HostFields *host, struct Target *target)
{
    const struct PowerFields *fields = host->power   ? host->power
                                       : role->power ? role->power
                                                     : build->fields->power;
    if (fields != NULL)
        target->power = power_of(build, fields);
}
