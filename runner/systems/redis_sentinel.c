/* redis_sentinel.c - Redis with its replicas, watched over by Sentinels. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "../clients/tcp.h"
#include "../schema/decode.h"
#include "kinds.h"
#include "sentinel.h"

static const struct Field sentinel_fields[] = {
    {.name = "master",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SentinelConfig, master),
     .flags = FIELD_REQUIRED,
     .example = "shop",
     .doc = "The name under which the Sentinels know the primary."},
    {.name = "sentinels",
     .type = FIELD_LIST,
     .offset = offsetof(struct SentinelConfig, sentinels),
     .flags = FIELD_REQUIRED | FIELD_GROUP,
     .min = 1,
     .max = SENTINELS_MAX,
     .example = "[redis-1, redis-2, redis-3]",
     .doc = "Where Sentinels run: hosts of this environment, or host:port; or a group of its "
            "inventory."},
    {.name = "sentinel_port",
     .type = FIELD_INT,
     .offset = offsetof(struct SentinelConfig, sentinel_port),
     .fallback = "26379",
     .min = 1,
     .max = 65535,
     .example = "26379",
     .doc = "The port of Sentinels that are named without one."},
    {.name = "sentinel_password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SentinelConfig, sentinel_password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.sentinel}\"",
     .doc = "The password of the Sentinels, where they have one."},
    REDIS_ACCESS_FIELDS,
    {.name = NULL}};

static void sentinel_check(const void *record, const struct Node *node, struct Decode *decode);
static void sentinel_bind(void *config, const struct Target *(*find)(void *data, const char *name),
                          void *data);
static void *sentinel_open(const void *config, const struct Role *role, struct Loop *loop,
                           struct Err *err);
static void sentinel_close(void *system);

#define CHOOSES "SENTINEL FAILOVER names nobody, Sentinel itself chooses among the replicas"

const struct SystemKind redis_sentinel_system = {
    .name = "redis_sentinel",
    .summary = "Redis and its replicas, failed over by Sentinels",
    .config = {.name = "redis_sentinel",
               .doc = "Redis with replicas, failed over by Sentinels.",
               .size = sizeof(struct SentinelConfig),
               .fields = sentinel_fields,
               .check = sentinel_check},
    .bind = sentinel_bind,
    .open = sentinel_open,
    .ask_standing = redis_ask_standing,
    .ask_control = sentinel_ask_control,
    .ask_redundancy = sentinel_ask_redundancy,
    .ask_prospect = sentinel_ask_prospect,
    .ask_detected = sentinel_ask_detected,
    .takes_no_host = CHOOSES,
    .never_back = CHOOSES,
    .failover = sentinel_failover,
    .snapshot = redis_snapshot,
    .plan_rejoin = sentinel_plan_rejoin,
    .find_primary = sentinel_find_primary,
    .endpoint = redis_endpoint,
    .knobs = &sentinel_knobs,
    .ledger = &redis_ledger,
    .cancel = redis_system_cancel,
    .close = sentinel_close,
};

/* ---- what stands in the file ---- */

static void sentinel_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct SentinelConfig *config = record;
    const struct Node *master = node_get(node, "master");
    for (const char *at = config->master; *at != '\0'; at++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *at) ==
            NULL) {
            problems_say(decode->problems, ERR_VALUE, master != NULL ? master->where : node->where,
                         "Sentinel takes letters, digits and .-_ only",
                         "'%s' is no name of a Sentinel master", config->master);
            break;
        }
    redis_access_check(&config->access, node, decode);
}

static void sentinel_bind(void *data, const struct Target *(*find)(void *data, const char *name),
                          void *find_data)
{
    struct SentinelConfig *config = data;
    const char *const *names = config->sentinels.items;
    for (size_t n = 0; n < config->sentinels.count && n < SENTINELS_MAX; n++)
        config->hosts[n] = find(find_data, names[n]);
}

bool sentinel_endpoint(const struct SentinelConfig *config, size_t index, char host[256],
                       struct Endpoint *out)
{
    const char *name = ((const char *const *)config->sentinels.items)[index];
    *out = (struct Endpoint){.host = host,
                             .port = (uint16_t)config->sentinel_port,
                             .tls = config->access.tls,
                             .secret = config->sentinel_password};
    if (config->hosts[index] == NULL)
        return tcp_address_split(name, host, &out->port);
    return (size_t)snprintf(host, 256, "%s", target_address(config->hosts[index])) < 256;
}

void ask_sentinel(struct Question *question, size_t index, PartFn *fn, const char *const *words)
{
    struct Sentinel *system = sentinel_of(question);
    char host[256];
    struct Endpoint at = {.host = NULL};
    if (sentinel_endpoint(system->config, index, host, &at))
        ask_line(question, &system->sentinels[index], &at,
                 &(struct PartOf){.fn = fn, .index = index}, words);
}

void ask_sentinels(struct Question *question, PartFn *fn, const char *const *words)
{
    for (size_t n = 0; n < sentinel_of(question)->sentinel_count; n++)
        ask_sentinel(question, n, fn, words);
}

/* ---- opening and closing ---- */

static bool names_places(const struct SentinelConfig *config, const struct Role *role,
                         struct Err *err)
{
    char host[256];
    struct Endpoint at;
    for (size_t n = 0; n < config->sentinels.count; n++) {
        if (sentinel_endpoint(config, n, host, &at))
            continue;
        err_set(err, ERR_HOST, role->where,
                "sentinel '%.80s' of role '%s' is no host of this environment, and no host:port",
                ((const char *const *)config->sentinels.items)[n], role->name);
        return err_hint(err, "Name a host, or write 10.0.0.5:%lld.",
                        (long long)config->sentinel_port);
    }
    return true;
}

static void *sentinel_open(const void *config, const struct Role *role, struct Loop *loop,
                           struct Err *err)
{
    if (!names_places(config, role, err))
        return NULL;
    struct Sentinel *system = redis_system_new(sizeof(*system), config, role, loop);
    system->config = config;
    system->first_epoch = -1;
    system->sentinel_count = system->config->sentinels.count;
    system->sentinels = mem_zero(system->sentinel_count, sizeof(*system->sentinels));
    return system;
}

static void sentinel_close(void *data)
{
    struct Sentinel *system = data;
    questions_end(&system->redis);
    lines_close(system->sentinels, system->sentinel_count);
    redis_system_close(system);
}
