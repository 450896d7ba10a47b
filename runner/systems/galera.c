/* galera.c - MariaDB with Galera: every node of the Primary component takes writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "../base/arena.h"
#include "galera.h"
#include "kinds.h"

static const struct Field galera_fields[] = {MARIADB_ACCESS_FIELDS, {.name = NULL}};

static void galera_check(const void *record, const struct Node *node, struct Decode *decode);
static void *galera_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err);
static void galera_cancel(void *system);
static void galera_close(void *system);

/* It is failed over by nobody: there is nothing to move. A plain start is how a node comes back to
 * the Primary component that needs_majority leaves. */
const struct SystemKind galera_system = {
    .name = "galera",
    .summary = "MariaDB with Galera, where every node takes writes",
    .config = {.name = "galera",
               .doc = "MariaDB with Galera; the first node of its view stands for its primary.",
               .size = sizeof(struct GaleraConfig),
               .fields = galera_fields,
               .check = galera_check},
    .needs_majority = true,
    .open = galera_open,
    .ask_standing = galera_ask_standing,
    .ask_control = galera_ask_control,
    .ask_redundancy = galera_ask_redundancy,
    .ask_prospect = galera_ask_prospect,
    .find_primary = galera_find_primary,
    .endpoint = mariadb_access_endpoint,
    .front = mariadb_access_front,
    .ledger = &galera_ledger,
    .cancel = galera_cancel,
    .close = galera_close,
};

static void galera_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct GaleraConfig *config = (struct GaleraConfig *)record;
    mariadb_access_check(&config->access, node, decode);
}

static void *galera_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err)
{
    if (role->host_count > GALERA_HOSTS_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                GALERA_HOSTS_MAX);
        return NULL;
    }
    struct Galera *system = mem_zero(1, sizeof(*system));
    *system = (struct Galera){.config = config,
                              .role = role,
                              .asking = {.loop = loop},
                              .pool = {.config = config, .role = role}};
    return system;
}

static void galera_cancel(void *data)
{
    struct Galera *system = data;
    asks_cancel(&system->asking);
}

static void galera_close(void *data)
{
    struct Galera *system = data;
    asks_cancel(&system->asking);
    mariadb_pool_close(&system->pool);
    mem_free(system);
}
