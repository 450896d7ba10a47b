/* postgres.c - PostgreSQL with streaming replicas, and nobody who fails it over but people. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "kinds.h"

static const struct Field postgres_fields[] = {
    {.name = "dsn",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PostgresConfig, access.dsn),
     .flags = FIELD_REQUIRED,
     .example = "\"postgresql://drill@pg-1.staging.example.net/shop\"",
     .doc = "How clients connect: user, database and options; its host is replaced by whichever "
            "host of the role takes writes, as libpq does with several hosts."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PostgresConfig, access.password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.db}\"",
     .doc = "The password of the DSN's user."},
    {.name = "proxy",
     .type = FIELD_BOOL,
     .offset = offsetof(struct PostgresConfig, proxy),
     .fallback = "false",
     .example = "true",
     .doc = "The DSN's host is a proxy or a floating address, and clients go there."},
    {.name = "db_port",
     .type = FIELD_INT,
     .offset = offsetof(struct PostgresConfig, access.db_port),
     .fallback = "5432",
     .min = 1,
     .max = 65535,
     .example = "5432",
     .doc = "The port of PostgreSQL on the role's hosts."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PostgresConfig, config_file),
     .fallback = "/etc/postgresql/15/main/postgresql.conf",
     .example = "/var/lib/pgsql/data/postgresql.conf",
     .doc = "The file on the hosts that PostgreSQL is started with; it says where the data is."},
    {.name = "rewind",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PostgresConfig, rewind),
     .fallback = "\"user=postgres dbname=postgres\"",
     .example = "\"user=rewinder dbname=postgres\"",
     .doc = "How a former primary asks the others who leads, and logs in for pg_rewind, in "
            "libpq's words; a password stands in the host's own .pgpass. Other than a superuser it "
            "needs pg_wal_replay_resume, and what pg_rewind needs."},
    {.name = "ledger_table",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PostgresConfig, access.ledger_table),
     .fallback = "faildrill_ledger",
     .example = "drill.ledger",
     .doc = "The table of ledgers; made by the first write where it is missing, a run's rows are "
            "deleted at its end."},
    {.name = NULL}};

static void postgres_check(const void *record, const struct Node *node, struct Decode *decode);
static void *postgres_system_open(const void *config, const struct Role *role, struct Loop *loop,
                                  struct Err *err);
static void postgres_front(const void *config, struct Endpoint *out);
static void postgres_cancel(void *system);
static void postgres_system_close(void *system);

const struct SystemKind postgres_system = {
    .name = "postgres",
    .summary = "PostgreSQL and its streaming replicas, failed over by people",
    .config = {.name = "postgres",
               .doc =
                   "PostgreSQL with streaming replicas, failed over by people. Before `failover:` "
                   "promotes past a host that refuses connections, that host is asked whether "
                   "PostgreSQL runs there, by a command of ours, which one whose key runs "
                   "`doctor --helper` refuses.",
               .size = sizeof(struct PostgresConfig),
               .fields = postgres_fields,
               .check = postgres_check},
    .open = postgres_system_open,
    .ask_standing = postgres_ask_standing,
    .ask_control = postgres_ask_control,
    .ask_redundancy = postgres_ask_redundancy,
    .ask_prospect = postgres_ask_prospect,
    .failover = postgres_failover,
    .acts_on_hosts = true,
    .unwatched = true,
    .never_back = "nobody hands over between two primaries that run, and a switchover would have "
                  "to stop one",
    .plan_rejoin = postgres_plan_rejoin,
    .plan_ready = postgres_plan_ready,
    .find_primary = postgres_find_primary,
    .find_last = postgres_find_last,
    .endpoint = access_endpoint,
    .front = postgres_front,
    .ledger = &patroni_ledger,
    .cancel = postgres_cancel,
    .close = postgres_system_close,
};

static void say_wrong(struct Decode *decode, const struct Node *node, const char *key,
                      const char *help, const char *what, const char *value)
{
    const struct Node *at = node_get(node, key);
    problems_say(decode->problems, ERR_VALUE, at != NULL ? at->where : node->where, help,
                 "'%s' is no %s", value, what);
}

/* What stands in `rewind` becomes one word of a command, never shell text; but another host in it
 * would lead away from the new primary. */
static void postgres_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct PostgresConfig *config = (struct PostgresConfig *)record;
    access_check(&config->access, node, decode);
    if (!config->proxy)
        config->access.front[0] = '\0'; /* nobody stands before the hosts */
    if (!reference_present(config->config_file) &&
        (config->config_file[0] != '/' || strpbrk(config->config_file, "'\r\n") != NULL))
        say_wrong(decode, node, "config", "write the path from the root", "absolute path",
                  config->config_file);
    if (strpbrk(config->rewind, "'\\\r\n") != NULL || strstr(config->rewind, "host") != NULL ||
        strstr(config->rewind, "port=") != NULL || strstr(config->rewind, "password=") != NULL)
        say_wrong(decode, node, "rewind",
                  "write user=NAME dbname=NAME: host and port are the new primary's, a password "
                  "stands in the host's own .pgpass",
                  "login of pg_rewind", config->rewind);
}

static void postgres_front(const void *data, struct Endpoint *out)
{
    const struct PostgresConfig *config = data;
    if (config->proxy)
        access_front(config, out);
}

/* ---- opening and closing ---- */

static void *postgres_system_open(const void *config, const struct Role *role, struct Loop *loop,
                                  struct Err *err)
{
    if (role->host_count > POSTGRES_HOSTS_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                POSTGRES_HOSTS_MAX);
        return NULL;
    }
    struct Postgres *system = mem_zero(1, sizeof(*system));
    *system = (struct Postgres){.config = config,
                                .role = role,
                                .asking = {.loop = loop},
                                .remote = remote_open(loop, role)};
    return system;
}

static void postgres_cancel(void *data)
{
    struct Postgres *system = data;
    asks_cancel(&system->asking);
}

static void postgres_system_close(void *data)
{
    struct Postgres *system = data;
    asks_cancel(&system->asking);
    for (size_t n = 0; n < system->role->host_count; n++)
        postgres_close(system->lines[n]);
    remote_close(system->remote);
    mem_free(system);
}
