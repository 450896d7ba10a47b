/* postgres_access.h - how clients and we ourselves get into a PostgreSQL. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_POSTGRES_ACCESS_H
#define FD_SYSTEMS_POSTGRES_ACCESS_H

#include "../clients/postgres.h"
#include "../model/system.h"
#include "../schema/decode.h"

/* The first member of the config of each system that runs PostgreSQL. */
struct PostgresAccess {
    const char *dsn, *password, *ledger_table;
    int64_t db_port;
    char front[256]; /* of the dsn: where clients connect */
    uint16_t front_port;
};
/* Reads the dsn; says what is wrong with it and with the table's name. */
void access_check(struct PostgresAccess *access, const struct Node *node, struct Decode *decode);
/* Says that the value of this key is no such thing: "'data' is no absolute path". */
void access_wrong(struct Decode *decode, const struct Node *node, const char *key, const char *help,
                  const char *what, const char *value);
/* Where clients connect, whoever leads (SystemKind.front). */
void access_front(const void *config, struct Endpoint *out);
/* One host itself (SystemKind.endpoint). */
void access_endpoint(const void *config, const struct Target *host, struct Endpoint *out);
const char *access_address(const struct Target *host);

/* Numbered writes to one table, made by the first write where it is missing. */
extern const struct LedgerKind postgres_ledger;
/* The same where clients go through a front: read back only from a primary. */
extern const struct LedgerKind patroni_ledger;

#endif
