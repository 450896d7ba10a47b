/* inventory_json.c - an inventory as Ansible writes it: `ansible-inventory --list`; jansson. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory_json.h"

#include <jansson.h>

#include "../base/duration.h"
#include "../base/text.h"

enum { DEPTH_MOST = 32, GROUPS_MOST = 5000, HOSTS_MOST = 5000, STEPS_MOST = 50000 };

struct Reading {
    json_t *root;
    struct Arena *arena;
    struct List hosts; /* of struct InventoryHost *: each once, whatever its groups */
    size_t steps;
    const char *why;
};

static const char *text_of(const struct Reading *of, const json_t *value)
{
    return json_is_string(value) ? arena_text(of->arena, json_string_value(value)) : NULL;
}

/* 2222, or "2222". */
static int64_t port_of(struct Reading *of, const json_t *value)
{
    int64_t port = json_is_integer(value) ? json_integer_value(value) : 0;
    bool good = value == NULL || json_is_integer(value) ||
                (json_is_string(value) && int_parse(json_string_value(value), &port, NULL));
    if (good && (value == NULL || (port > 0 && port < 65536)))
        return port;
    of->why = "an ansible_port is no port";
    return 0;
}

static const struct InventoryHost *host_of(struct Reading *of, const char *name)
{
    struct InventoryHost *const *known = of->hosts.items;
    for (size_t i = 0; i < of->hosts.count; i++)
        if (text_equal(known[i]->name, name))
            return known[i];
    if (of->hosts.count == HOSTS_MOST)
        of->why = "it has more than 5000 hosts";
    const json_t *vars =
        json_object_get(json_object_get(json_object_get(of->root, "_meta"), "hostvars"), name);
    struct InventoryHost *host = arena_zero(of->arena, 1, sizeof *host);
    *host = (struct InventoryHost){
        .name = arena_text(of->arena, name),
        .address = text_of(of, json_object_get(vars, "ansible_host")),
        .connection = text_of(of, json_object_get(vars, "ansible_connection")),
        .port = port_of(of, json_object_get(vars, "ansible_port")),
    };
    *(struct InventoryHost **)list_add(&of->hosts, of->arena, sizeof(void *)) = host;
    return host;
}

static bool has(const struct InventoryGroup *group, const struct InventoryHost *host)
{
    const struct InventoryHost *const *hosts = group->hosts.items;
    for (size_t i = 0; i < group->hosts.count; i++)
        if (hosts[i] == host)
            return true;
    return false;
}

/* The group's own hosts, then those of its children. */
static void gather(struct Reading *of, const char *name, int depth, struct InventoryGroup *out)
{
    const json_t *group = json_object_get(of->root, name);
    const json_t *hosts = json_is_array(group) ? group : json_object_get(group, "hosts");
    const json_t *children = json_object_get(group, "children");
    if (depth > DEPTH_MOST || of->steps++ > STEPS_MOST) {
        of->why = "its groups are children of each other";
        return;
    }
    for (size_t i = 0; i < json_array_size(hosts) && of->why == NULL; i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        if (host == NULL) {
            of->why = "a group has a host that is no name";
            return;
        }
        const struct InventoryHost *known = host_of(of, host);
        if (!has(out, known))
            *(const struct InventoryHost **)list_add(&out->hosts, of->arena, sizeof(void *)) =
                known;
    }
    for (size_t i = 0; i < json_array_size(children) && of->why == NULL; i++) {
        const char *child = json_string_value(json_array_get(children, i));
        if (child == NULL)
            of->why = "a group has a child that is no name";
        else
            gather(of, child, depth + 1, out);
    }
}

static void read_groups(struct Reading *of, struct Inventory *out)
{
    const char *name;
    json_t *group;
    if (json_object_size(of->root) > GROUPS_MOST)
        of->why = "it has more than 5000 groups";
    json_object_foreach(of->root, name, group)
    {
        if (of->why != NULL)
            return;
        if (text_equal(name, "_meta"))
            continue;
        struct InventoryGroup *row = list_add(&out->groups, of->arena, sizeof *row);
        *row = (struct InventoryGroup){.name = arena_text(of->arena, name)};
        gather(of, name, 0, row);
    }
}

bool inventory_read(const char *text, size_t size, struct Arena *arena, struct Inventory *out,
                    const char **why)
{
    struct Reading of = {.arena = arena};
    of.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    *out = (struct Inventory){.groups = {.items = NULL}};
    if (!json_is_object(of.root))
        of.why = "it is no JSON object of groups";
    else
        read_groups(&of, out);
    json_decref(of.root);
    *why = of.why;
    return of.why == NULL;
}
