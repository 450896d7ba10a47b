/* redis_cluster.c - Redis Cluster: shards of slots, each with a primary and its replicas. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cluster.h"
#include "kinds.h"

static const struct Field cluster_fields[] = {
    {.name = "slot",
     .type = FIELD_INT,
     .offset = offsetof(struct ClusterConfig, slot),
     .fallback = "0",
     .max = CLUSTER_SLOTS - 1,
     .example = "5461",
     .doc =
         "The slot whose shard is drilled: who has it is the role's primary, and a ledger's keys "
         "fall into it."},
    REDIS_ACCESS_FIELDS,
    {.name = NULL}};

static void cluster_check(const void *record, const struct Node *node, struct Decode *decode);
static void *cluster_open(const void *config, const struct Role *role, struct Loop *loop,
                          struct Err *err);

/* A plain start is safe: who comes back serves nobody before it has heard who has its slots now,
 * and is a replica of that one then. */
const struct SystemKind redis_cluster_system = {
    .name = "redis_cluster",
    .summary = "a Redis Cluster; one of its shards is drilled",
    .config = {.name = "redis_cluster",
               .doc = "A Redis Cluster, of which one shard is drilled; the role's hosts are all of "
                      "its nodes.",
               .size = sizeof(struct ClusterConfig),
               .fields = cluster_fields,
               .check = cluster_check},
    .open = cluster_open,
    .ask_standing = cluster_ask_standing,
    .ask_control = cluster_ask_control,
    .ask_redundancy = cluster_ask_redundancy,
    .ask_prospect = cluster_ask_prospect,
    .ask_detected = cluster_ask_detected,
    .failover = cluster_failover,
    .snapshot = redis_snapshot,
    .find_primary = cluster_find_primary,
    .endpoint = redis_endpoint,
    .knobs = &cluster_knobs,
    .ledger = &redis_ledger,
    .cancel = redis_system_cancel,
    .close = redis_system_close,
};

static void cluster_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct ClusterConfig *config = (struct ClusterConfig *)record;
    const struct Node *prefix = node_get(node, "key_prefix");
    redis_access_check(&config->access, node, decode);
    cluster_tag((uint32_t)config->slot, config->access.tag);
    if (strchr(config->access.key_prefix, '{') != NULL)
        problems_say(decode->problems, ERR_VALUE, prefix != NULL ? prefix->where : node->where,
                     "leave the braces out; `slot:` decides where the keys fall",
                     "'%s' has a hash tag of its own", config->access.key_prefix);
}

static void *cluster_open(const void *config, const struct Role *role, struct Loop *loop,
                          struct Err *err)
{
    if (role->host_count > CLUSTER_NODES_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                CLUSTER_NODES_MAX);
        return NULL;
    }
    struct RedisCluster *cluster = redis_system_new(sizeof(*cluster), config, role, loop);
    cluster->slot = (uint32_t)((const struct ClusterConfig *)config)->slot;
    cluster->first_epoch = -1;
    return cluster;
}
