/* mariadb.c - MariaDB with replicas that follow by GTID; nothing promotes them but people. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "../base/arena.h"
#include "kinds.h"
#include "mariadb_system.h"

static const struct Field mariadb_fields[] = {
    MARIADB_ACCESS_FIELDS,
    {.name = "admin",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, admin),
     .example = "operator",
     .doc = "Who carries out a planned switchover (READ_ONLY ADMIN, REPLICATION SLAVE ADMIN and "
            "what else it takes); the DSN's user where it is left out."},
    {.name = "admin_password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, admin_password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.admin}\"",
     .doc = "The password of that user."},
    {.name = "replication",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, replication),
     .example = "replicator",
     .doc = "As whom a former primary follows the new one after a planned switchover."},
    {.name = "replication_password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, replication_password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.replication}\"",
     .doc = "The password of that user."},
    {.name = "option_file",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, option_file),
     .fallback = "/root/.my.cnf",
     .example = "/etc/mysql/drill.cnf",
     .doc =
         "On the hosts: what root's mariadb client logs in with ([client]), and as whom a former "
         "primary that is started again follows the new one ([replication])."},
    {.name = NULL}};

static void mariadb_check(const void *record, const struct Node *node, struct Decode *decode);
static void *mariadb_open_system(const void *config, const struct Role *role, struct Loop *loop,
                                 struct Err *err);
static void mariadb_cancel_all(void *system);
static void mariadb_close_system(void *system);

const struct SystemKind mariadb_system = {
    .name = "mariadb",
    .summary = "MariaDB and its replicas, failed over by hand",
    .config = {.name = "mariadb",
               .doc = "MariaDB with replicas that follow by GTID, failed over by hand.",
               .size = sizeof(struct MariadbConfig),
               .fields = mariadb_fields,
               .check = mariadb_check},
    .open = mariadb_open_system,
    .ask_standing = mariadb_ask_standing,
    .ask_control = mariadb_ask_control,
    .ask_redundancy = mariadb_ask_redundancy,
    .ask_prospect = mariadb_ask_prospect,
    .failover = mariadb_failover,
    .plan_rejoin = mariadb_plan_rejoin,
    .find_primary = mariadb_find_primary,
    .endpoint = mariadb_access_endpoint,
    .front = mariadb_access_front,
    .ledger = &mariadb_ledger,
    .cancel = mariadb_cancel_all,
    .close = mariadb_close_system,
};

static void mariadb_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct MariadbConfig *config = (struct MariadbConfig *)record;
    const struct Node *file = node_get(node, "option_file");
    mariadb_access_check(&config->access, node, decode);
    if (!reference_present(config->option_file) && config->option_file[0] != '/')
        problems_say(decode->problems, ERR_VALUE, file != NULL ? file->where : node->where,
                     "write the path from the root", "'%s' is no absolute path",
                     config->option_file);
}

static void *mariadb_open_system(const void *config, const struct Role *role, struct Loop *loop,
                                 struct Err *err)
{
    if (role->host_count > MARIADB_HOSTS_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                MARIADB_HOSTS_MAX);
        return NULL;
    }
    struct Mariadb *system = mem_zero(1, sizeof(*system));
    *system = (struct Mariadb){.config = config,
                               .role = role,
                               .asking = {.loop = loop},
                               .pool = {.config = config, .role = role}};
    return system;
}

static void mariadb_cancel_all(void *data)
{
    struct Mariadb *system = data;
    asks_cancel(&system->asking);
}

static void mariadb_close_system(void *data)
{
    struct Mariadb *system = data;
    asks_cancel(&system->asking);
    mariadb_pool_close(&system->pool);
    mem_free(system);
}
