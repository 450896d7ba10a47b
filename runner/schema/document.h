/* document.h - YAML to a tree in which every value knows its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_DOCUMENT_H
#define FD_SCHEMA_DOCUMENT_H

#include "../base/arena.h"
#include "../base/err.h"

enum NodeType { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* In the document's arena. Types of scalars are not guessed: the field that reads one decides. */
struct Node {
    enum NodeType type;
    struct Where where; /* of the value; width covers a scalar */
    const char *text;   /* NODE_SCALAR: NUL-terminated, never NULL; valid UTF-8 without NUL */
    bool quoted;        /* NODE_SCALAR: in quotes or a block */
    bool broken;        /* a problem at this value was reported: nothing more is said about it */
    const struct Node *const *items; /* NODE_LIST: elements; NODE_MAP: values */
    const struct Node *const *keys;  /* NODE_MAP: scalars, as many as items; no two alike */
    size_t count;
};

/* A file whose nodes stand in another one's tree, and where that says so: "a.yaml:3". */
struct Inclusion {
    const char *file, *from;
};

/* One file as read. `text` is kept for excerpts in messages. */
struct Document {
    const char *path; /* as people should read it: relative where it was named so */
    const char *text;
    size_t size;
    const struct Node *root; /* NULL where it could not be parsed (problems say why) */
    const struct Inclusion *included; /* of what its tree is made up too */
    size_t included_count;
};

/* Limits: 256 KiB, depth 32, 20,000 events, 2,000 keys in a map, scalars of 8 KiB. Anchors,
 * aliases, tags, merge keys, further documents, duplicate keys, control characters, non-UTF-8 and a
 * BOM inside are refused.
 * Stops at the first error of syntax, at no other; an unquoted `${...}` inside braces is reported
 * and read as if it were quoted. Never NULL; everything is in the arena, where 16 MiB hold any
 * file. document_read also refuses what is no regular file and what everybody may change. */
const struct Document *document_read(const char *path, struct Arena *arena,
                                     struct Problems *problems);
const struct Document *document_parse(const char *path, const char *text, size_t size,
                                      struct Arena *arena, struct Problems *problems);

/* The value of a key, or NULL; also NULL where the node is no map. */
const struct Node *node_get(const struct Node *map, const char *key);
/* The key's own node (for its place), or NULL. */
const struct Node *node_key(const struct Node *map, const char *key);

#endif
