/* node_edit.c - makes changed copies of trees: short forms written out, places kept. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node_edit.h"

#include "../base/text.h"

struct NodeEdit node_edit_map(const struct Node *like, struct Arena *arena)
{
    return (struct NodeEdit){.arena = arena, .like = like};
}

void node_edit_put(struct NodeEdit *edit, const struct Node *key, const struct Node *item)
{
    const struct Node **key_slot = list_add(&edit->keys, edit->arena, sizeof *key_slot);
    *key_slot = key;
    const struct Node **item_slot = list_add(&edit->items, edit->arena, sizeof *item_slot);
    *item_slot = item;
}

bool node_edit_has(const struct NodeEdit *edit, const char *key)
{
    const struct Node *const *keys = edit->keys.items;
    for (size_t i = 0; i < edit->keys.count; i++)
        if (text_equal(keys[i]->text, key))
            return true;
    return false;
}

const struct Node *node_edit_end(struct NodeEdit *edit)
{
    struct Node *map = arena_zero(edit->arena, 1, sizeof *map);
    map->type = NODE_MAP;
    map->where = edit->like->where;
    map->broken = edit->broken || edit->like->broken;
    map->keys = edit->keys.items;
    map->items = edit->items.items;
    map->count = edit->keys.count;
    return map;
}

const struct Node *node_empty_map(struct Where where, struct Arena *arena)
{
    struct Node *map = arena_zero(arena, 1, sizeof *map);
    map->type = NODE_MAP;
    map->where = where;
    return map;
}

const struct Node *node_scalar(const char *text, struct Where where, struct Arena *arena)
{
    struct Node *scalar = arena_zero(arena, 1, sizeof *scalar);
    scalar->type = NODE_SCALAR;
    scalar->where = where;
    scalar->text = text;
    return scalar;
}

const struct Node *node_single(const char *key, const struct Node *item, struct Arena *arena)
{
    struct NodeEdit edit = node_edit_map(item, arena);
    node_edit_put(&edit, node_scalar(key, item->where, arena), item);
    return node_edit_end(&edit);
}

const struct Node *node_replace(const struct Node *map, const char *key, const struct Node *item,
                                struct Arena *arena)
{
    struct NodeEdit edit = node_edit_map(map, arena);
    for (size_t i = 0; i < map->count; i++) {
        bool here = text_equal(map->keys[i]->text, key);
        if (!here)
            node_edit_put(&edit, map->keys[i], map->items[i]);
        else if (item != NULL)
            node_edit_put(&edit, map->keys[i], item);
    }
    return node_edit_end(&edit);
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
