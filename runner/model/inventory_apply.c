/* inventory_apply.c - the hosts of an inventory, in the place of its groups in a file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "environment_build.h"
#include "node_edit.h"

static struct Err *say(struct EnvironmentBuild *build, enum ErrCode code, struct Where where,
                       const char *message)
{
    problems_say(build->problems, code, where, NULL, "%s", message);
    build->good = false;
    return problems_last(build->problems);
}

struct Applying {
    struct EnvironmentBuild *build;
    const struct Node *roles;
    struct List described; /* of const char *: hosts that stand in an earlier role */
};

static bool seen(struct Applying *of, const char *name)
{
    const char *const *names = of->described.items;
    for (size_t i = 0; i < of->described.count; i++)
        if (text_equal(names[i], name))
            return true;
    *(const char **)list_add(&of->described, of->build->arena, sizeof(char *)) = name;
    return false;
}

/* What a role says of the host by hand; NULL where none does. */
static const struct Node *by_hand(const struct Applying *of, const char *name)
{
    for (size_t i = 0; of->roles != NULL && i < of->roles->count; i++) {
        const struct Node *host = node_get(node_get(of->roles->items[i], "hosts"), name);
        if (host != NULL && host->type == NODE_MAP && host->count > 0)
            return host;
    }
    return NULL;
}

static const struct Node *scalar(struct Applying *of, const char *text, struct Where where)
{
    struct Node *node = arena_zero(of->build->arena, 1, sizeof *node);
    *node = (struct Node){
        .type = NODE_SCALAR, .where = where, .text = arena_text(of->build->arena, text)};
    return node;
}

/* `ssh:` of the environment, but for the port. */
static const struct Node *reach_by_port(struct Applying *of, int64_t port, struct Where where)
{
    struct Arena *arena = of->build->arena;
    const struct Node *ssh = node_get(of->build->root, "ssh");
    const char *digits = arena_printf(arena, "%lld", (long long)port);
    const struct Node *at = node_single("port", scalar(of, digits, where), arena);
    if (ssh != NULL && ssh->type == NODE_MAP)
        at = node_joined(at, node_without(ssh, "port", arena), arena);
    return node_single("ssh", at, arena);
}

/* The environment names another way for all of its hosts. */
static bool is_reached_otherwise(const struct Node *root, const struct Kinds *kinds)
{
    for (size_t i = 0; kinds->transports[i] != NULL; i++)
        if (!text_equal(kinds->transports[i]->name, "ssh") &&
            node_get(root, kinds->transports[i]->name) != NULL)
            return true;
    return false;
}

/* Others reach it by a way that is not ours: what they would act on may be another machine. */
static bool is_ours(const char *connection)
{
    static const char *const ours[] = {"ssh", "smart", "paramiko", "paramiko_ssh"};
    for (size_t i = 0; connection != NULL && i < COUNT_OF(ours); i++)
        if (text_equal(ours[i], connection))
            return true;
    return connection == NULL;
}

static void check_hand(struct Applying *of, const struct InventoryHost *host,
                       const struct Node *hand)
{
    const struct Node *address = node_get(hand, "address");
    if (address == NULL || host->address == NULL || address->type != NODE_SCALAR ||
        text_equal(address->text, host->address))
        return;
    err_hint(say(of->build, ERR_RULE, address->where,
                 arena_printf(of->build->arena, "the inventory has host '%s' at %s", host->name,
                              host->address)),
             "one of the two is another machine: mend it, or take it out");
}

/* As the file describes it, or nothing yet; then what the inventory adds. Said once, where it
 * stands first. */
static const struct Node *host_node(struct Applying *of, const struct Node *role,
                                    const struct InventoryHost *host, struct Where where)
{
    struct Arena *arena = of->build->arena;
    const struct Node *hand = by_hand(of, host->name);
    const struct Node *node = hand != NULL ? hand : node_empty_map(where, arena);
    bool reached = node_get(role, "reach") != NULL || node_get(hand, "reach") != NULL ||
                   is_reached_otherwise(of->build->root, of->build->kinds);
    if (hand != NULL)
        check_hand(of, host, hand);
    if (!reached && !is_ours(host->connection))
        err_hint(say(of->build, ERR_RULE, where,
                     arena_printf(arena, "the inventory reaches host '%s' by '%s'", host->name,
                                  host->connection)),
                 "say at the role how it is reached: reach: local, or reach: {prefix: [...]}");
    if (seen(of, host->name) && hand == NULL)
        return node;
    if (host->address != NULL && node_get(hand, "address") == NULL)
        node = node_joined(node, node_single("address", scalar(of, host->address, where), arena),
                           arena);
    if (host->port != 0 && !reached)
        node = node_joined(node, node_single("reach", reach_by_port(of, host->port, where), arena),
                           arena);
    return node;
}

static const struct InventoryGroup *find_group(struct Applying *of, const struct Node *name)
{
    const struct Inventory *inventory = of->build->inventory;
    const struct InventoryGroup *group = inventory_group(inventory, name->text);
    const struct InventoryGroup *groups = inventory->groups.items;
    struct Arena *arena = of->build->arena;
    if (group != NULL && group->hosts.count > 0)
        return group;
    struct Err *err = say(of->build, ERR_HOST, name->where,
                          arena_printf(arena,
                                       group == NULL ? "the inventory has no group '%s'"
                                                     : "group '%s' of the inventory is empty",
                                       name->text));
    for (size_t i = 0; group == NULL && i < inventory->groups.count; i++)
        err_allow(err, groups[i].name);
    return NULL;
}

static void keep(struct Applying *of, const struct InventoryGroup *group)
{
    struct List *kept = &of->build->environment->groups;
    const struct InventoryGroup *rows = kept->items;
    for (size_t i = 0; i < kept->count; i++)
        if (text_equal(rows[i].name, group->name))
            return;
    *(struct InventoryGroup *)list_add(kept, of->build->arena, sizeof *group) = *group;
}

static const struct Node *made(struct Applying *of, enum NodeType type, struct Where where,
                               size_t count)
{
    struct Node *node = arena_zero(of->build->arena, 1, sizeof *node);
    const struct Node **keys = arena_zero(of->build->arena, count + 1, sizeof(void *));
    const struct Node **items = arena_zero(of->build->arena, count + 1, sizeof(void *));
    *node =
        (struct Node){.type = type, .where = where, .keys = keys, .items = items, .count = count};
    return node;
}

static void put(const struct Node *node, size_t at, const struct Node *key, const struct Node *item)
{
    ((const struct Node **)(uintptr_t)node->keys)[at] = key;
    ((const struct Node **)(uintptr_t)node->items)[at] = item;
}

/* {api-1: {...}, api-2: {...}}, or ["api-1", "api-2"] for a system. */
static const struct Node *group_node(struct Applying *of, const struct Node *role,
                                     const struct Node *name)
{
    struct Environment *environment = of->build->environment;
    const struct InventoryGroup *group = find_group(of, name);
    if (group == NULL)
        return name;
    keep(of, group);
    const struct InventoryHost *const *hosts = group->hosts.items;
    const struct Node *node =
        made(of, role != NULL ? NODE_MAP : NODE_LIST, name->where, group->hosts.count);
    for (size_t i = 0; i < group->hosts.count; i++) {
        const struct Node *key = scalar(of, hosts[i]->name, name->where);
        put(node, i, key, role != NULL ? host_node(of, role, hosts[i], name->where) : key);
        if (role != NULL && by_hand(of, key->text) == NULL)
            *(const char **)list_add(&environment->listed, of->build->arena, sizeof(char *)) =
                key->text;
    }
    return node;
}

/* Hosts that the file names: what the inventory knows of them holds for them as well. */
static const struct Node *named_node(struct Applying *of, const struct Node *role,
                                     const struct Node *hosts)
{
    const struct Node *node = made(of, NODE_MAP, hosts->where, hosts->count);
    struct InventoryGroup known = {.name = "*"};
    for (size_t i = 0; i < hosts->count; i++) {
        const struct Node *name = hosts->type == NODE_MAP ? hosts->keys[i] : hosts->items[i];
        const struct Node *item = hosts->type == NODE_MAP
                                      ? hosts->items[i]
                                      : node_empty_map(name->where, of->build->arena);
        const struct InventoryHost *host = inventory_host(of->build->inventory, name->text);
        if (host != NULL)
            *(const struct InventoryHost **)list_add(&known.hosts, of->build->arena,
                                                     sizeof(void *)) = host;
        put(node, i, name, host != NULL ? host_node(of, role, host, name->where) : item);
        (void)seen(of, name->text);
    }
    if (known.hosts.count > 0)
        *(struct InventoryGroup *)list_add(&of->build->environment->groups, of->build->arena,
                                           sizeof known) = known;
    return known.hosts.count > 0 ? node : hosts;
}

/* `sentinels: GROUP`; a host of that name is a host. */
static const struct Node *system_node(struct Applying *of, const struct SystemKind *kind,
                                      const struct Node *config)
{
    for (const struct Field *field = kind->config.fields; field->name != NULL; field++) {
        const struct Node *name = node_get(config, field->name);
        bool group = (field->flags & FIELD_GROUP) != 0 && name != NULL &&
                     name->type == NODE_SCALAR &&
                     inventory_group(of->build->inventory, name->text) != NULL;
        if (group)
            config = node_with(config, field->name, group_node(of, NULL, name), of->build->arena);
    }
    return config;
}

static const struct Node *role_node(struct Applying *of, const struct Node *role)
{
    const struct Node *hosts = node_get(role, "hosts");
    const struct SystemKind *const *systems = of->build->kinds->systems;
    if (hosts != NULL)
        role = node_with(role, "hosts",
                         hosts->type == NODE_SCALAR ? group_node(of, role, hosts)
                                                    : named_node(of, role, hosts),
                         of->build->arena);
    for (size_t i = 0; systems[i] != NULL; i++) {
        const struct Node *config = node_get(role, systems[i]->name);
        if (config != NULL)
            role = node_with(role, systems[i]->name, system_node(of, systems[i], config),
                             of->build->arena);
    }
    return role;
}

const struct Node *inventory_apply(struct EnvironmentBuild *build, const struct Node *root)
{
    struct Applying of = {.build = build, .roles = node_get(root, "roles")};
    const struct Node *roles = of.roles;
    for (size_t i = 0; roles != NULL && i < roles->count; i++)
        roles = node_with(roles, roles->keys[i]->text, role_node(&of, of.roles->items[i]),
                          build->arena);
    return node_with(root, "roles", roles, build->arena);
}
