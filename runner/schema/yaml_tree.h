/* yaml_tree.h - the one home of libyaml: its events become nodes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_YAML_TREE_H
#define FD_SCHEMA_YAML_TREE_H

#include "document.h"

/* The root of `document`, whose text is UTF-8 without control characters; NULL, with a problem,
 * where it is not YAML. What YAML can and we do not (anchors, tags ...) is a problem each. */
const struct Node *yaml_tree(const struct Document *document, struct Arena *arena,
                             struct Problems *problems);

#endif
