/* node_edit.h - makes changed copies of trees: short forms written out, places kept. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_NODE_EDIT_H
#define FD_MODEL_NODE_EDIT_H

#include "../schema/document.h"

/* A map in the making. */
struct NodeEdit {
    struct Arena *arena;
    const struct Node *like; /* type and place */
    struct List keys, items; /* of const struct Node * */
    bool broken;             /* what is wrong with it was said */
};
struct NodeEdit node_edit_map(const struct Node *like, struct Arena *arena);
void node_edit_put(struct NodeEdit *edit, const struct Node *key, const struct Node *item);
bool node_edit_has(const struct NodeEdit *edit, const char *key);
const struct Node *node_edit_end(struct NodeEdit *edit);

const struct Node *node_empty_map(struct Where where, struct Arena *arena);
const struct Node *node_scalar(const char *text, struct Where where, struct Arena *arena);
/* {key: item}, both at the place of `item`. */
const struct Node *node_single(const char *key, const struct Node *item, struct Arena *arena);
/* A copy in which the value of `key` is `item`; item NULL leaves the key out. */
const struct Node *node_replace(const struct Node *map, const char *key, const struct Node *item,
                                struct Arena *arena);
/* Calls `each` for every scalar that is `node` or stands below it; keys not. NULL has none. */
void node_each_scalar(const struct Node *node, void (*each)(void *data, const struct Node *scalar),
                      void *data);

#endif
