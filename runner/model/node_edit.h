/* node_edit.h - small trees that stand in no file, and a walk over those that do. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_NODE_EDIT_H
#define FD_MODEL_NODE_EDIT_H

#include "../schema/document.h"

/* {}, and {key: item} with both at the place of `item`; in the arena. */
const struct Node *node_empty_map(struct Where where, struct Arena *arena);
const struct Node *node_single(const char *key, const struct Node *item, struct Arena *arena);
/* The map without one key; the map itself where it has none. */
const struct Node *node_without(const struct Node *map, const char *key, struct Arena *arena);
/* The map with this value in the place of that of a key it has; and the keys of both, which share
 * none, at the place of `map`. */
const struct Node *node_with(const struct Node *map, const char *key, const struct Node *item,
                             struct Arena *arena);
const struct Node *node_joined(const struct Node *map, const struct Node *more,
                               struct Arena *arena);
/* Calls `each` for every scalar that is `node` or stands below it; keys not. NULL has none. */
void node_each_scalar(const struct Node *node, void (*each)(void *data, const struct Node *scalar),
                      void *data);

#endif
