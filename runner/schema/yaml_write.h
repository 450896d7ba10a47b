/* yaml_write.h - a tree as YAML that reads as the same tree again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_YAML_WRITE_H
#define FD_SCHEMA_YAML_WRITE_H

#include "../base/buf.h"
#include "document.h"

/* In blocks, one value a line; texts in quotes where they were, or must be. Comments are gone. */
void yaml_write(const struct Node *root, struct Buf *out);

#endif
