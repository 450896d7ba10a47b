/* inventory.h - hosts by groups, as an inventory of somebody else's names them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_INVENTORY_H
#define FD_MODEL_INVENTORY_H

#include "environment.h"

struct InventoryHost {
    const char *name;
    const char *address;    /* NULL: as ssh knows it by its name */
    const char *connection; /* how others reach it; NULL: not said */
    int64_t port;           /* of its sshd; 0: not said */
};
struct InventoryGroup {
    const char *name;
    struct List hosts; /* of const struct InventoryHost *: each once, in the inventory's order */
};
struct Inventory {
    struct List groups; /* of struct InventoryGroup */
};
const struct InventoryGroup *inventory_group(const struct Inventory *inventory, const char *name);
const struct InventoryHost *inventory_host(const struct Inventory *inventory, const char *name);

/* "api_servers: api-1 (10.0.0.1), api-2 (10.0.0.2:2222)": what of it an environment goes by. */
void inventory_group_say(const struct InventoryGroup *group, struct Buf *out);

/* The host stands in the inventory alone: the file has no place for what is to be said of it. */
bool inventory_lists(const struct Environment *environment, const char *host);

/* The environment as environment_new, with the hosts of its groups: all rules hold for them too.
 * The inventory outlives it. */
struct Environment *environment_with(const struct Document *document,
                                     const struct Inventory *inventory, const struct Kinds *kinds,
                                     const char *project_dir, struct Problems *problems);

#endif
