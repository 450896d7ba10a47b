/* autofailover.c - PostgreSQL with replicas, failed over by pg_auto_failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "autofailover.h"

#include <stddef.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "kinds.h"

static const struct Field autofailover_fields[] = {
    POSTGRES_ACCESS_FIELDS,
    {.name = "monitor",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AutofailoverConfig, monitor),
     .flags = FIELD_REQUIRED,
     .example = "\"postgresql://autoctl_node@monitor.staging.example.net/pg_auto_failover\"",
     .doc =
         "The monitor, as its nodes connect to it; its user reads the nodes' states, and asks for "
         "a switchover."},
    {.name = "monitor_password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AutofailoverConfig, monitor_password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.monitor}\"",
     .doc = "The password of the monitor's user."},
    {.name = "formation",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AutofailoverConfig, formation),
     .fallback = "default",
     .example = "shop",
     .doc = "The formation that the role's hosts are nodes of."},
    {.name = "group",
     .type = FIELD_INT,
     .offset = offsetof(struct AutofailoverConfig, group),
     .fallback = "0",
     .min = 0,
     .max = 10000,
     .example = "0",
     .doc = "The group in it."},
    {.name = NULL}};

static void autofailover_check(const void *record, const struct Node *node, struct Decode *decode);
static void *autofailover_open(const void *config, const struct Role *role, struct Loop *loop,
                               struct Err *err);
static void autofailover_close(void *system);

const struct SystemKind autofailover_system = {
    .name = "pg_auto_failover",
    .summary = "PostgreSQL and its replicas, failed over by pg_auto_failover",
    .config = {.name = "pg_auto_failover",
               .doc = "PostgreSQL with replicas, failed over by pg_auto_failover's monitor.",
               .size = sizeof(struct AutofailoverConfig),
               .fields = autofailover_fields,
               .check = autofailover_check},
    .open = autofailover_open,
    .ask_standing = postgres_ask_standing,
    .ask_control = autofailover_ask_control,
    .ask_redundancy = autofailover_ask_redundancy,
    .ask_prospect = autofailover_ask_prospect,
    .ask_detected = autofailover_ask_detected,
    .failover = autofailover_failover,
    .ask_fit = autofailover_ask_fit,
    .find_primary = postgres_find_primary,
    .find_last = postgres_find_last,
    .endpoint = access_endpoint,
    .front = postgres_front,
    .knobs = &autofailover_knobs,
    .ledger = &patroni_ledger,
    .cancel = postgres_cancel,
    .close = autofailover_close,
};

static void autofailover_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct AutofailoverConfig *config = (struct AutofailoverConfig *)record;
    postgres_check(record, node, decode);
    const char *fault = postgres_dsn_fault(config->monitor, config->monitor_host,
                                           sizeof(config->monitor_host), &config->monitor_port);
    if (fault != NULL) {
        const struct Node *at = node_get(node, "monitor");
        problems_say(decode->problems, ERR_VALUE, at != NULL ? at->where : node->where,
                     "write postgresql://autoctl_node@monitor.example.net/pg_auto_failover",
                     "this is no DSN: %s", fault);
    }
}

static void *autofailover_open(const void *config, const struct Role *role, struct Loop *loop,
                               struct Err *err)
{
    struct Autofailover *system = mem_zero(1, sizeof(*system));
    if (!postgres_begin(&system->postgres, config, role, loop, err)) {
        mem_free(system);
        return NULL;
    }
    system->config = config;
    system->postgres.opens_late = true; /* its state stop_replication */
    return system;
}

static void autofailover_close(void *data)
{
    struct Autofailover *system = data;
    postgres_end(&system->postgres);
    postgres_close(system->monitor);
    mem_free(system);
}
