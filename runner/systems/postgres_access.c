/* postgres_access.c - how clients and we ourselves get into a PostgreSQL. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres_access.h"

#include <string.h>

static struct Where where_of(const struct Node *node, const char *key)
{
    const struct Node *at = node_get(node, key);
    return at != NULL ? at->where : node->where;
}

/* It is pasted into statements, so it is nothing but a name. */
static bool is_table(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_", more[] = "0123456789.";
    for (const char *at = text; *at != '\0'; at++)
        if (strchr(letters, *at) == NULL && (at == text || strchr(more, *at) == NULL))
            return false;
    return text[0] != '\0' && strlen(text) < 100;
}

void access_check(struct PostgresAccess *access, const struct Node *node, struct Decode *decode)
{
    const char *fault =
        postgres_dsn_fault(access->dsn, access->front, sizeof(access->front), &access->front_port);
    if (fault != NULL)
        problems_say(decode->problems, ERR_VALUE, where_of(node, "dsn"),
                     "write postgresql://drill@pg.example.net:5000/shop", "this is no DSN: %s",
                     fault);
    if (!is_table(access->ledger_table))
        problems_say(decode->problems, ERR_VALUE, where_of(node, "ledger_table"),
                     "write small letters, digits and _, such as drill.ledger",
                     "'%s' is no name of a table", access->ledger_table);
}

void access_wrong(struct Decode *decode, const struct Node *node, const char *key, const char *help,
                  const char *what, const char *value)
{
    problems_say(decode->problems, ERR_VALUE, where_of(node, key), help, "'%s' is no %s", value,
                 what);
}

const char *access_address(const struct Target *host)
{
    return host->address != NULL ? host->address : host->name;
}

void access_front(const void *config, struct Endpoint *out)
{
    const struct PostgresAccess *access = config;
    *out = (struct Endpoint){.host = access->front,
                             .port = access->front_port,
                             .secret = access->password,
                             .dsn = access->dsn};
}

void access_endpoint(const void *config, const struct Target *host, struct Endpoint *out)
{
    const struct PostgresAccess *access = config;
    *out = (struct Endpoint){.host = access_address(host),
                             .port = (uint16_t)access->db_port,
                             .secret = access->password,
                             .dsn = access->dsn};
}
