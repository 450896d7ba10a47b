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
    POSTGRES_ACCESS_FIELDS, POSTGRES_REWIND_FIELDS, {.name = NULL}};

static void *open_alone(const void *config, const struct Role *role, struct Loop *loop,
                        struct Err *err);
static void close_alone(void *system);

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
    .open = open_alone,
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
    .knobs = &postgres_knobs,
    .ledger = &patroni_ledger,
    .cancel = postgres_cancel,
    .close = close_alone,
};

/* What stands in `rewind` becomes one word of a command, never shell text; but another host in it
 * would lead away from the new primary. */
void postgres_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct PostgresConfig *config = (struct PostgresConfig *)record;
    access_check(&config->access, node, decode);
    if (!config->proxy)
        config->access.front[0] = '\0'; /* nobody stands before the hosts */
    if (config->config_file == NULL)
        return;
    if (!reference_present(config->config_file) &&
        (config->config_file[0] != '/' || strpbrk(config->config_file, "'\r\n") != NULL))
        access_wrong(decode, node, "config", "write the path from the root", "absolute path",
                     config->config_file);
    if (strpbrk(config->rewind, "'\\\r\n") != NULL || strstr(config->rewind, "host") != NULL ||
        strstr(config->rewind, "port=") != NULL || strstr(config->rewind, "password=") != NULL)
        access_wrong(decode, node, "rewind",
                     "write user=NAME dbname=NAME: host and port are the new primary's, a password "
                     "stands in the host's own .pgpass",
                     "login of pg_rewind", config->rewind);
}

void postgres_front(const void *data, struct Endpoint *out)
{
    const struct PostgresConfig *config = data;
    if (config->proxy)
        access_front(config, out);
}

/* ---- opening and closing ---- */

bool postgres_begin(struct Postgres *system, const struct PostgresConfig *config,
                    const struct Role *role, struct Loop *loop, struct Err *err)
{
    if (role->host_count > POSTGRES_HOSTS_MAX)
        return err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                       POSTGRES_HOSTS_MAX);
    *system = (struct Postgres){.config = config,
                                .role = role,
                                .asking = {.loop = loop},
                                .remote = remote_open(loop, role)};
    return true;
}

static void *open_alone(const void *config, const struct Role *role, struct Loop *loop,
                        struct Err *err)
{
    struct Postgres *system = mem_zero(1, sizeof(*system));
    if (postgres_begin(system, config, role, loop, err))
        return system;
    mem_free(system);
    return NULL;
}

void postgres_cancel(void *data)
{
    struct Postgres *system = data;
    asks_cancel(&system->asking);
}

void postgres_end(struct Postgres *system)
{
    asks_cancel(&system->asking);
    for (size_t n = 0; n < system->role->host_count; n++)
        postgres_close(system->lines[n]);
    remote_close(system->remote);
}

static void close_alone(void *data)
{
    postgres_end(data);
    mem_free(data);
}
