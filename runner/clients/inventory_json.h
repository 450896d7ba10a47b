/* inventory_json.h - an inventory as Ansible writes it: `ansible-inventory --list`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_INVENTORY_JSON_H
#define FD_CLIENTS_INVENTORY_JSON_H

#include "../model/inventory.h"

/* Groups with all hosts of their children; of a host's variables its address, port and connection
 * alone, and no value of another is kept anywhere. False where it is no such JSON: *why says so. */
bool inventory_read(const char *text, size_t size, struct Arena *arena, struct Inventory *out,
                    const char **why) MUST_CHECK;

#endif
