/* node_edit.c - small trees that stand in no file, and a walk over those that do. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node_edit.h"

#include "../base/text.h"

const struct Node *node_empty_map(struct Where where, struct Arena *arena)
{
    struct Node *map = arena_zero(arena, 1, sizeof *map);
    map->type = NODE_MAP;
    map->where = where;
    return map;
}

const struct Node *node_single(const char *key, const struct Node *item, struct Arena *arena)
{
    struct Node *map = arena_zero(arena, 2, sizeof *map);
    struct Node *name = map + 1;
    const struct Node **both = arena_zero(arena, 2, sizeof *both);
    *name = (struct Node){.type = NODE_SCALAR, .where = item->where, .text = key};
    both[0] = name;
    both[1] = item;
    *map = (struct Node){.type = NODE_MAP, .where = item->where, .count = 1};
    map->keys = &both[0];
    map->items = &both[1];
    return map;
}

const struct Node *node_without(const struct Node *map, const char *key, struct Arena *arena)
{
    if (node_get(map, key) == NULL)
        return map;
    struct Node *copy = arena_zero(arena, 1, sizeof *copy);
    const struct Node **keys = arena_zero(arena, map->count, sizeof *keys);
    const struct Node **items = arena_zero(arena, map->count, sizeof *items);
    *copy = (struct Node){.type = NODE_MAP, .where = map->where, .keys = keys, .items = items};
    for (size_t i = 0; i < map->count; i++) {
        if (text_equal(map->keys[i]->text, key))
            continue;
        keys[copy->count] = map->keys[i];
        items[copy->count++] = map->items[i];
    }
    return copy;
}

const struct Node *node_with(const struct Node *map, const char *key, const struct Node *item,
                             struct Arena *arena)
{
    struct Node *copy = arena_zero(arena, 1, sizeof *copy);
    const struct Node **items = arena_zero(arena, map->count, sizeof *items);
    *copy = *map;
    copy->items = items;
    for (size_t i = 0; i < map->count; i++)
        items[i] = text_equal(map->keys[i]->text, key) ? item : map->items[i];
    return copy;
}

const struct Node *node_joined(const struct Node *map, const struct Node *more, struct Arena *arena)
{
    struct Node *copy = arena_zero(arena, 1, sizeof *copy);
    const struct Node **keys = arena_zero(arena, map->count + more->count, sizeof *keys);
    const struct Node **items = arena_zero(arena, map->count + more->count, sizeof *items);
    *copy = (struct Node){.type = NODE_MAP, .where = map->where, .keys = keys, .items = items};
    for (size_t i = 0; i < map->count + more->count; i++) {
        const struct Node *from = i < map->count ? map : more;
        size_t at = i < map->count ? i : i - map->count;
        keys[copy->count] = from->keys[at];
        items[copy->count++] = from->items[at];
    }
    return copy;
}

void node_each_scalar(const struct Node *node, void (*each)(void *data, const struct Node *scalar),
                      void *data)
{
    if (node == NULL)
        return;
    if (node->type == NODE_SCALAR)
        each(data, node);
    else
        for (size_t i = 0; i < node->count; i++)
            node_each_scalar(node->items[i], each, data);
}
