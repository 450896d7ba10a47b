/* inventory.h - the hosts that an inventory names, asked by its command. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_INVENTORY_H
#define FD_ENGINE_INVENTORY_H

#include "../model/environment.h"

/* `found` was read from `document` and names an inventory: runs its command in the project's
 * folder, and reads the file again with the hosts of it. NULL, with problems at the command or at
 * the group. No variable that holds a secret is there for the command. */
struct Environment *inventory_ask(const struct Environment *found, const struct Document *document,
                                  const struct Kinds *kinds, const char *project_dir,
                                  struct Arena *arena, struct Problems *problems);

#endif
