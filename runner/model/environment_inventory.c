/* environment_inventory.c - `hosts: {run: [...]}`, and roles whose hosts are a group of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../base/text.h"
#include "environment_build.h"
#include "node_edit.h"

enum { HASHED_MOST = 8 << 20 };

static const struct Field INVENTORY_FIELDS[] = {
    {.name = "run",
     .type = FIELD_LIST,
     .offset = offsetof(struct InventoryFields, run),
     .flags = FIELD_REQUIRED | FIELD_SCRIPT,
     .min = 1,
     .max = 50,
     .example = "[ansible-inventory, -i, inventory/production, --list]",
     .doc = "A command, word by word, that prints an inventory as JSON, as Ansible's do; it runs "
            "here, in the project's folder, by no shell, for 60 s at most, whenever hosts are "
            "asked, and never for `validate`."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct InventoryFields, node)},
    {.name = NULL},
};
const struct Record INVENTORY_RECORD = {
    .name = "inventory",
    .doc = "Where hosts come from. Of each host its ansible_host, ansible_port and "
           "ansible_connection count; what the file says of it by hand comes first.",
    .size = sizeof(struct InventoryFields),
    .fields = INVENTORY_FIELDS,
};

static struct Err *say(struct EnvironmentBuild *build, enum ErrCode code, struct Where where,
                       const char *message)
{
    problems_say(build->problems, code, where, NULL, "%s", message);
    build->good = false;
    return problems_last(build->problems);
}

const struct InventoryGroup *inventory_group(const struct Inventory *inventory, const char *name)
{
    const struct InventoryGroup *groups = inventory->groups.items;
    for (size_t i = 0; i < inventory->groups.count; i++)
        if (text_equal(groups[i].name, name))
            return &groups[i];
    return NULL;
}

const struct InventoryHost *inventory_host(const struct Inventory *inventory, const char *name)
{
    const struct InventoryGroup *groups = inventory->groups.items;
    for (size_t i = 0; i < inventory->groups.count; i++) {
        const struct InventoryHost *const *hosts = groups[i].hosts.items;
        for (size_t k = 0; k < groups[i].hosts.count; k++)
            if (text_equal(hosts[k]->name, name))
                return hosts[k];
    }
    return NULL;
}

void inventory_group_say(const struct InventoryGroup *group, struct Buf *out)
{
    const struct InventoryHost *const *hosts = group->hosts.items;
    buf_printf(out, "%s:", group->name);
    for (size_t i = 0; i < group->hosts.count; i++) {
        buf_printf(out, "%s %s", i == 0 ? "" : ",", hosts[i]->name);
        if (hosts[i]->address != NULL || hosts[i]->port != 0)
            buf_printf(out, " (%s", hosts[i]->address != NULL ? hosts[i]->address : "");
        if (hosts[i]->port != 0)
            buf_printf(out, ":%lld", (long long)hosts[i]->port);
        if (hosts[i]->address != NULL || hosts[i]->port != 0)
            buf_char(out, ')');
    }
}

/* ---- As files say it. ---- */

bool inventory_is_open(const struct EnvironmentBuild *build)
{
    return build->fields->inventory != NULL && build->inventory == NULL;
}

static void check_word(void *data, const struct Node *word)
{
    if (reference_present(word->text))
        say(data, ERR_REFERENCE, word->where,
            "the command of an inventory cannot refer to anything");
}

void environment_set_inventory(struct EnvironmentBuild *build)
{
    const struct InventoryFields *fields = build->fields->inventory;
    if (fields == NULL)
        return;
    const struct Node *run = node_get(fields->node, "run");
    node_each_scalar(run, check_word, build);
    build->environment->inventory = fields->run;
    build->environment->inventory_where = run->where;
}

void environment_check_group(struct EnvironmentBuild *build, const struct RoleFields *role)
{
    const struct Node *hosts = node_get(role->node, "hosts");
    if (hosts == NULL || hosts->type != NODE_SCALAR || build->fields->inventory != NULL)
        return;
    struct Err *err =
        say(build, ERR_RULE, hosts->where,
            arena_printf(build->arena, "there is no inventory that has a group '%s'", hosts->text));
    err_at(err, "one host is a list too: [%s]", hosts->text);
    err_hint(err, "hosts: {run: [ansible-inventory, --list]} beside `roles` names the inventory");
}

bool inventory_lists(const struct Environment *environment, const char *host)
{
    const char *const *names = environment->listed.items;
    for (size_t i = 0; i < environment->listed.count; i++)
        if (text_equal(names[i], host))
            return true;
    return false;
}

/* Its order is of no account there: another runner's inventory may have another. So by name, and
 * first among those that the file itself describes, which no inventory can lose. */
static bool is_sooner(const struct Environment *environment, const char *host, const char *than)
{
    bool listed = inventory_lists(environment, host);
    if (than == NULL || listed != inventory_lists(environment, than))
        return than == NULL || !listed;
    return strcmp(host, than) < 0;
}

const char *inventory_lock_host(const struct Environment *environment)
{
    struct Target *const *hosts = environment->hosts.items;
    const char *found = NULL;
    for (size_t i = 0; i < environment->hosts.count; i++)
        if (found == NULL ||
            (environment->groups.count > 0 && is_sooner(environment, hosts[i]->name, found)))
            found = hosts[i]->name;
    return found;
}

void inventory_hash(struct Environment *environment, const struct Document *document)
{
    const struct InventoryGroup *groups = environment->groups.items;
    struct Buf text = BUF(HASHED_MOST);
    buf_add(&text, document->text, document->size);
    for (size_t i = 0; i < environment->groups.count; i++) {
        buf_char(&text, '\n');
        inventory_group_say(&groups[i], &text);
    }
    if (text.cut)
        bug("an environment of more than %d bytes", HASHED_MOST);
    hash_hex(text.text, text.size, environment->hash);
    buf_free(&text);
}
