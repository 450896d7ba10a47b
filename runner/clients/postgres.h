/* postgres.h - one statement at a time to one PostgreSQL, over libpq. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_POSTGRES_H
#define FD_CLIENTS_POSTGRES_H

#include "../model/sample.h"
#include "client.h"

/* One connection, made by the first call and again by the call after it broke. Calls on one client
 * are sent one after the other, each once its predecessor has ended. The endpoint's dsn says
 * database, user and options as libpq knows them (sslmode, options, target_session_attrs ...);
 * host and port, and user and secret where they are not NULL, go before what it says; its `tls` is
 * not looked at. An answer is CALL_ANSWERED also where the server refused the connection or the
 * statement: its code is POSTGRES_ERROR then, bytes are "57P03: the database system is starting
 * up". A reply over 4 MiB is CALL_PROTOCOL. A call that ends before its reply takes the connection
 * with it, by reset: what the server makes of its statement is not known. */
struct PostgresClient;
enum { POSTGRES_ROWS = 0, POSTGRES_ERROR = 2 };
struct PostgresQuery {         /* copied */
    const char *text;          /* one statement, with $1, $2 ... */
    const char *const *values; /* as text; NULL within = NULL */
    size_t count;              /* POSTGRES_VALUES_MAX at most */
};
enum { POSTGRES_VALUES_MAX = 8 };
/* The endpoint is copied. */
struct PostgresClient *postgres_open(struct Loop *loop, const struct Endpoint *endpoint,
                                     struct Err *err);
/* Before the first call: the server itself ends a statement that lasts longer than to here, also
 * where our connection is gone by then. A statement_timeout of the endpoint's dsn stands. */
void postgres_until(struct PostgresClient *client, struct Mono until);
struct Call *postgres_call(struct PostgresClient *client, const struct PostgresQuery *query,
                           struct Mono deadline, CallDone *done, void *data);
void postgres_close(struct PostgresClient *client); /* cancels what is under way; accepts NULL */
/* As client.h has it: each of these is a struct PostgresClient. */
extern const struct ClientKind postgres_client;

/* Within done, where answer->code is POSTGRES_ROWS: what came. */
struct PostgresRows;
const struct PostgresRows *postgres_rows(const struct Answer *answer);
size_t postgres_row_count(const struct PostgresRows *rows);
/* NULL where there is no such row or column, and where it is NULL. */
const char *postgres_value(const struct PostgresRows *rows, size_t row, size_t column);
/* The same as text, "" where it is NULL, and as a number, `otherwise` where it is none. */
void postgres_text(const struct PostgresRows *rows, size_t row, size_t column, char *out,
                   size_t size);
int64_t postgres_number(const struct PostgresRows *rows, size_t row, size_t column,
                        int64_t otherwise);
const char *postgres_named(const struct PostgresRows *rows, size_t row, const char *column);
/* What the server warned of, or "". */
const char *postgres_warning(const struct PostgresRows *rows);
/* Within done, where answer->code is POSTGRES_ERROR: "57P03". */
void postgres_state(const struct Answer *answer, char out[6]);
enum Failure postgres_failure(const struct Answer *answer); /* what that state comes to */

/* NULL, or why this is no place that can be asked: "postgresql://drill@10.0.0.1:5432/shop". Then
 * host (cut at its size) and port are filled; host may be NULL. */
const char *postgres_dsn_fault(const char *dsn, char *host, size_t size, uint16_t *port);

#endif
