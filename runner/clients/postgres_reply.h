/* postgres_reply.h - what libpq got, kept as text. For postgres.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_POSTGRES_REPLY_H
#define FD_CLIENTS_POSTGRES_REPLY_H

#include <libpq-fe.h>

#include "../base/buf.h"
#include "postgres.h"

struct PostgresRows {
    struct Buf text; /* values one behind the other, each with its NUL */
    size_t *at;      /* where each begins; SIZE_MAX: NULL */
    size_t cells, room, columns;
    struct Buf names; /* of the columns, each with its NUL */
    char warning[160];
    bool too_much, failed, lost; /* a result said so; lost: the connection's, not the server's */
    char error[320];             /* "57P03: ..." */
};
/* What done gets: postgres_rows() finds the rows from the answer. */
struct PostgresAnswer {
    struct Answer answer; /* first */
    const struct PostgresRows *rows;
};
void rows_clear(struct PostgresRows *rows); /* empty again */
void rows_free(struct PostgresRows *rows);
void rows_take(struct PostgresRows *rows, PGresult *result); /* and clears it */
void rows_notice(void *rows, const PGresult *notice);        /* a PQnoticeReceiver */

/* Of a connection that could not be made, or that broke. `connected`: TCP was. Writes a line for
 * people, and says how it ended; CALL_ANSWERED where the server said why, with its SQLSTATE in
 * front. */
enum CallEnd connection_end(const char *message, bool connected, int *code, char out[320]);

/* libpq's parameters; ended by a NULL name. Values are borrowed from what it was made of. */
enum { PARAMETERS_MAX = 64 };
struct PostgresParameters {
    const char *names[PARAMETERS_MAX], *values[PARAMETERS_MAX];
    size_t count;
    PQconninfoOption *parsed;
};
bool parameters_read(const char *dsn, struct PostgresParameters *out); /* accepts NULL as dsn */
void parameters_set(struct PostgresParameters *parameters, const char *name, const char *value);
const char *parameters_get(const struct PostgresParameters *parameters, const char *name);
void parameters_free(struct PostgresParameters *parameters);

#endif
