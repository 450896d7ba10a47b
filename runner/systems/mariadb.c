/* mariadb.c - MariaDB with replicas that follow by GTID; nothing promotes them but people. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "kinds.h"
#include "mariadb_system.h"

static const struct Field mariadb_fields[] = {
    MARIADB_ACCESS_FIELDS,
    {.name = "admin",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, admin),
     .flags = FIELD_REQUIRED,
     .example = "operator",
     .doc = "As whom a `failover` step promotes a replica and has the others follow it: READ_ONLY "
            "ADMIN and REPLICATION SLAVE ADMIN, which the DSN's user must not have."},
    {.name = "admin_password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, admin_password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.admin}\"",
     .doc = "The password of that user."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, config_file),
     .fallback = "/etc/mysql/my.cnf",
     .example = "/etc/my.cnf",
     .doc = "The file on the hosts that MariaDB is started with. On every host it, or what it "
            "includes, says read_only = 1: a former primary that is started, by whomever, takes "
            "no writes then before it is known who leads."},
    {.name = "option_file",
     .type = FIELD_TEXT,
     .offset = offsetof(struct MariadbConfig, option_file),
     .fallback = "/root/.my.cnf",
     .example = "/etc/mysql/drill.cnf",
     .doc = "On the hosts, root's own: as whom a former primary is brought back ([client]: what "
            "`admin` may and REPLICA MONITOR, on this host and the others), and as whom it follows "
            "the new one ([replication]: user, password)."},
    {.name = NULL}};

static void mariadb_check(const void *record, const struct Node *node, struct Decode *decode);
static bool mariadb_returns_safely(const void *config, bool by_boot);
static void *mariadb_open_system(const void *config, const struct Role *role, struct Loop *loop,
                                 struct Err *err);
static void mariadb_cancel_all(void *system);
static void mariadb_close_system(void *system);

const struct SystemKind mariadb_system = {
    .name = "mariadb",
    .summary = "MariaDB and its replicas, failed over by people",
    .config = {.name = "mariadb",
               .doc =
                   "MariaDB with replicas that follow by GTID, failed over by people. Before "
                   "`failover:` promotes past a host that refuses connections, that host is asked "
                   "whether MariaDB runs there, by a command of ours, which one whose key runs "
                   "`doctor --helper` refuses.",
               .size = sizeof(struct MariadbConfig),
               .fields = mariadb_fields,
               .check = mariadb_check},
    .open = mariadb_open_system,
    .ask_standing = mariadb_ask_standing,
    .ask_control = mariadb_ask_control,
    .ask_redundancy = mariadb_ask_redundancy,
    .ask_prospect = mariadb_ask_prospect,
    .failover = mariadb_failover,
    .acts_on_hosts = true,
    .unwatched = true,
    .never_back = "nobody hands over between two primaries that run, and a switchover would have "
                  "to stop one",
    .plan_rejoin = mariadb_plan_rejoin,
    .plan_ready = mariadb_plan_ready,
    .returns_safely = mariadb_returns_safely,
    .left_as = "it would come back read-only, and nobody gives it back its writes",
    .find_primary = mariadb_find_primary,
    .find_last = mariadb_find_last,
    .endpoint = mariadb_access_endpoint,
    .front = mariadb_access_front,
    .ledger = &mariadb_ledger,
    .cancel = mariadb_cancel_all,
    .close = mariadb_close_system,
};

/* Words of a command on the host, quoted there; and nothing else than a path. */
static void check_path(struct Decode *decode, const struct Node *node, const char *key,
                       const char *path)
{
    const struct Node *at = node_get(node, key);
    if (!reference_present(path) && (path[0] != '/' || strpbrk(path, "'\r\n") != NULL))
        problems_say(decode->problems, ERR_VALUE, at != NULL ? at->where : node->where,
                     "write the path from the root", "'%s' is no absolute path", path);
}

static void mariadb_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct MariadbConfig *config = (struct MariadbConfig *)record;
    mariadb_access_check(&config->access, node, decode);
    check_path(decode, node, "config", config->config_file);
    check_path(decode, node, "option_file", config->option_file);
}

/* Its configuration says read_only = 1, which only the rejoin takes away. */
static bool mariadb_returns_safely(const void *config, bool by_boot)
{
    (void)config;
    return !by_boot;
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
                               .pool = {.config = config, .role = role},
                               .remote = remote_open(loop, role)};
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
    remote_close(system->remote);
    mem_free(system);
}
