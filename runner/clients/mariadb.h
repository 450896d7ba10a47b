/* mariadb.h - one statement at a time to one MariaDB or MySQL, over libmariadb. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_MARIADB_H
#define FD_CLIENTS_MARIADB_H

#include "../model/sample.h"
#include "client.h"

/* One connection, made by the first call and again by the call after it broke; one call at a time.
 * The endpoint's dsn says user and database; host and port, and user and secret where they are not
 * NULL, go before what it says; there is no TLS. An answer is CALL_ANSWERED also where the server
 * refused the connection or the statement: its code is MARIADB_ERROR then, bytes are "1047: WSREP
 * has not yet prepared node for application use". A reply over 4 MiB is CALL_PROTOCOL. A call that
 * ends before its reply takes the connection with it, by reset: what the server makes of its
 * statement is not known. */
struct MariadbClient;
enum { MARIADB_ROWS = 0, MARIADB_ERROR = 2 };
/* The endpoint is copied. */
struct MariadbClient *mariadb_open(struct Loop *loop, const struct Endpoint *endpoint,
                                   struct Err *err);
/* Before the first call: the server itself ends a statement that lasts longer than to here, also
 * where our connection is gone by then. MySQL does so for SELECT alone. */
void mariadb_until(struct MariadbClient *client, struct Mono until);
/* The text is copied; it is one statement. */
struct Call *mariadb_call(struct MariadbClient *client, const char *text, struct Mono deadline,
                          CallDone *done, void *data);
void mariadb_close(struct MariadbClient *client); /* cancels what is under way; accepts NULL */
/* As client.h has it: each of these is a struct MariadbClient. */
extern const struct ClientKind mariadb_client;

/* Within done, where answer->code is MARIADB_ROWS: what came. */
struct MariadbRows;
const struct MariadbRows *mariadb_rows(const struct Answer *answer);
size_t mariadb_row_count(const struct MariadbRows *rows);
/* NULL where there is no such row or column, and where it is NULL. */
const char *mariadb_value(const struct MariadbRows *rows, size_t row, size_t column);
const char *mariadb_named(const struct MariadbRows *rows, size_t row, const char *column);
/* Within done, where answer->code is MARIADB_ERROR: the server's number of it. */
unsigned mariadb_number(const struct Answer *answer);
enum Failure mariadb_failure(const struct Answer *answer); /* what that number comes to */
const char *mariadb_library(void);                         /* its version */

/* What "mariadb://drill@10.0.0.1:3306/shop" says; "mysql://" is the same. */
struct MariadbDsn {
    char user[129], host[256], database[65]; /* "" where it says none */
    uint16_t port;                           /* 3306 where it says none */
};
/* NULL, or why this is no place that can be asked. It may name no host where `hostless`. */
const char *mariadb_dsn_fault(const char *dsn, bool hostless, struct MariadbDsn *out);

#endif
