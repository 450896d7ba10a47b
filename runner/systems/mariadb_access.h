/* mariadb_access.h - how clients and we ourselves get into a MariaDB. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_MARIADB_ACCESS_H
#define FD_SYSTEMS_MARIADB_ACCESS_H

#include "../clients/mariadb.h"
#include "../model/system.h"
#include "../schema/decode.h"
#include "asking.h"

/* The first member of the config of each system that runs MariaDB. */
struct MariadbAccess {
    const char *dsn, *password, *ledger_table;
    int64_t port;
    struct MariadbDsn said; /* by the dsn; host "": clients look at the hosts themselves */
};
/* Reads the dsn; says what is wrong with it and with the table's name. */
void mariadb_access_check(struct MariadbAccess *access, const struct Node *node,
                          struct Decode *decode);
/* Where clients connect, whoever leads (SystemKind.front). */
void mariadb_access_front(const void *config, struct Endpoint *out);
/* One host itself (SystemKind.endpoint). */
void mariadb_access_endpoint(const void *config, const struct Target *host, struct Endpoint *out);

/* Connections that are kept from question to question; zeroed but for the first two. */
struct MariadbPool {
    const void *config; /* begins with a struct MariadbAccess */
    const struct Role *role;
    struct MariadbLent *all;
};
struct MariadbQuestion {
    const char *text;
    const char *user, *secret; /* NULL: the dsn's own */
    struct Mono deadline;      /* ns 0: the ask's */
};
/* Asks a host of the role; its answer goes to fn. False: our side has no way to ask it. */
bool mariadb_ask_host(struct Ask *ask, struct MariadbPool *pool, size_t index,
                      const struct MariadbQuestion *question, AskFn *fn);
void mariadb_pool_close(struct MariadbPool *pool); /* nothing may be asked any more */

/* Numbered writes to one table, made by the first write where it is missing. */
extern const struct LedgerKind mariadb_ledger;
/* Any node acknowledges a write (relays), and is read from once it has applied what all have. */
extern const struct LedgerKind galera_ledger;

/* The fields that say it, for each system's own table. */
#define MARIADB_ACCESS_FIELDS                                                                      \
    {.name = "dsn",                                                                                \
     .type = FIELD_TEXT,                                                                           \
     .offset = offsetof(struct MariadbAccess, dsn),                                                \
     .flags = FIELD_REQUIRED,                                                                      \
     .example = "\"mariadb://drill@db.staging.example.net:3306/shop\"",                            \
     .doc = "User and database, and where clients connect: the proxy or the floating address; "    \
            "without a host (mariadb://drill@/shop) they look for the one that takes writes, as "  \
            "drivers do."},                                                                        \
        {.name = "password",                                                                       \
         .type = FIELD_TEXT,                                                                       \
         .offset = offsetof(struct MariadbAccess, password),                                       \
         .flags = FIELD_SECRET,                                                                    \
         .example = "\"${secret.db}\"",                                                            \
         .doc = "The password of the DSN's user."},                                                \
        {.name = "port",                                                                           \
         .type = FIELD_INT,                                                                        \
         .offset = offsetof(struct MariadbAccess, port),                                           \
         .fallback = "3306",                                                                       \
         .min = 1,                                                                                 \
         .max = 65535,                                                                             \
         .example = "3306",                                                                        \
         .doc = "The port of MariaDB on the role's hosts."},                                       \
    {                                                                                              \
        .name = "ledger_table", .type = FIELD_TEXT,                                                \
        .offset = offsetof(struct MariadbAccess, ledger_table), .fallback = "faildrill_ledger",    \
        .example = "drill.ledger",                                                                 \
        .doc = "The table of ledgers; made by the first write where it is missing, a run's rows "  \
               "are deleted at its end."                                                           \
    }

#endif
