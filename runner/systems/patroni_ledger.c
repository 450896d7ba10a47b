/* patroni_ledger.c - numbered writes through the front, read back from who takes writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "postgres_access.h"

/* What the front leads to, and who was the leader a moment ago, may be a replica that lags, and
 * what that has not got yet is not lost. libpq asks the server, on the connection that then reads;
 * else the read-back is cut short. A primary becomes a replica by a restart only, which that
 * connection does not outlive. The value is one that libpq before 14 knows too. */
#define OF_PRIMARY "target_session_attrs=read-write"

struct FrontLedger {
    const struct PostgresAccess *access;
    void *any, *primary; /* of postgres_ledger: to whoever is there; to a primary */
    char *dsn;           /* of the latter */
};

/* Where libpq looks for parameters: behind user and password. The last of a name counts. */
static char *dsn_of_primary(const char *dsn)
{
    size_t size = strlen(dsn) + sizeof("?" OF_PRIMARY);
    char *out = mem_zero(1, size);
    const char *at = strstr(dsn, "://");
    at = at != NULL ? at + strlen("://") : dsn;
    const char *user_end = at + strcspn(at, "@/");
    bool more = strchr(*user_end == '@' ? user_end : at, '?') != NULL;
    snprintf(out, size, "%s%c" OF_PRIMARY, dsn, more ? '&' : '?');
    return out;
}

static void front_close(void *data)
{
    struct FrontLedger *ledger = data;
    if (ledger->any != NULL)
        postgres_ledger.close(ledger->any);
    if (ledger->primary != NULL)
        postgres_ledger.close(ledger->primary);
    mem_free(ledger->dsn);
    mem_free(ledger);
}

static void *front_open(const struct LedgerInput *input, struct Err *err)
{
    const struct PostgresAccess *access = input->config;
    struct FrontLedger *ledger = mem_zero(1, sizeof(*ledger));
    ledger->access = access;
    ledger->dsn = dsn_of_primary(access->dsn);
    ledger->any = postgres_ledger.open(input, err);
    if (ledger->any != NULL)
        ledger->primary = postgres_ledger.open(input, err);
    if (ledger->primary != NULL)
        return ledger;
    front_close(ledger);
    return NULL;
}

static bool front_connected(const void *data)
{
    const struct FrontLedger *ledger = data;
    return postgres_ledger.connected(ledger->any);
}

static void front_write(void *data, const struct LedgerWrite *write)
{
    struct FrontLedger *ledger = data;
    postgres_ledger.write(ledger->any, write);
}

static void front_read(void *data, const struct Endpoint *from, uint32_t writers,
                       struct Mono deadline, const struct LedgerRead *to)
{
    struct FrontLedger *ledger = data;
    struct Endpoint at = *from;
    at.dsn = ledger->dsn;
    bool front =
        from->port == ledger->access->front_port && text_equal(from->host, ledger->access->front);
    if (front || to->of_primary)
        postgres_ledger.read(ledger->primary, &at, writers, deadline, to);
    else
        postgres_ledger.read(ledger->any, from, writers, deadline, to);
}

static void front_tidy(void *data, const struct Endpoint *at, struct Mono deadline,
                       const struct LedgerRead *to)
{
    struct FrontLedger *ledger = data;
    postgres_ledger.tidy(ledger->any, at, deadline, to);
}

static void front_cancel(void *data)
{
    struct FrontLedger *ledger = data;
    postgres_ledger.cancel(ledger->any);
    postgres_ledger.cancel(ledger->primary);
}

const struct LedgerKind patroni_ledger = {
    .open = front_open,
    .connected = front_connected,
    .write = front_write,
    .read = front_read,
    .tidy = front_tidy,
    .cancel = front_cancel,
    .close = front_close,
};
