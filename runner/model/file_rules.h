/* file_rules.h - rules that hold in more than one kind of file. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_FILE_RULES_H
#define FD_MODEL_FILE_RULES_H

#include "../base/err.h"
#include "../schema/document.h"

/* Is this the file "NAME.yaml", '-' and '_' being equal? */
bool file_is_named(const char *path, const char *name);
/* A secret is a whole value, never a part of one: text that holds more than the reference is a
 * problem, and clears *good. */
void secret_stands_alone(const struct Node *node, struct Problems *problems, bool *good);

#endif
