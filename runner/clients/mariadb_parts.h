/* mariadb_parts.h - a client's call, connection and reply; for the files of mariadb alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_MARIADB_PARTS_H
#define FD_CLIENTS_MARIADB_PARTS_H

/* It declares a list_add of its own, which it does not export; ours has that name. */
#define list_add mysql_list_add
#include <mysql.h>
#undef list_add

#include "../base/buf.h"
#include "dns.h"
#include "mariadb.h"

struct MariadbRows {
    struct Buf text; /* names of columns, then values, each with its NUL */
    size_t *at;      /* where each begins; SIZE_MAX: NULL */
    size_t cells, room, columns;
    bool too_much;
};
/* What done gets: mariadb_rows() finds the rows from the answer. */
struct MariadbAnswer {
    struct Answer answer; /* first */
    const struct MariadbRows *rows;
};
struct MariadbCall {
    struct Call call; /* first */
    struct MariadbClient *client;
    char *text;
    struct Timer *timer;
    CallDone *done;
    void *data;
    struct Mono started;
};
/* What the library is doing, or was when it had to wait. */
enum MariadbStep { STEP_NONE, STEP_CONNECT, STEP_QUERY, STEP_FETCH };
struct MariadbClient {
    struct Client base; /* first */
    struct MariadbDsn dsn;
    struct DnsClient *dns; /* while a name is resolved */
    MYSQL *mysql;          /* NULL: not connected */
    MYSQL_RES *result;
    enum MariadbStep step;
    bool waiting; /* the step began, and waits */
    int fd;       /* watched; -1: none */
    char peer[48];
    struct Mono until;  /* 0: the server knows no end of its own */
    struct Mono tcp;    /* connected, perhaps not yet logged in; 0 before */
    struct Timer *soon; /* the call that was just taken begins */
    char why[320];
    struct MariadbRows rows;
    struct MariadbCall *call; /* under way */
    bool busy, closed;        /* closed while busy: whoever made it busy frees it */
};

/* ---- mariadb.c ---- */
/* The call's end; `stands`: its connection is kept. The client may be gone after it. */
void mariadb_end(struct MariadbClient *client, enum CallEnd end, int code, const char *text,
                 bool stands);

/* ---- mariadb_link.c: the connection, and a statement on it ---- */
void mariadb_begin(struct MariadbClient *client); /* the call that was just taken */
void mariadb_drop(struct MariadbClient *client);  /* the connection; by reset */

/* ---- mariadb_reply.c ---- */
void mariadb_rows_clear(struct MariadbRows *rows); /* empty again */
void mariadb_rows_free(struct MariadbRows *rows);
void mariadb_rows_name(struct MariadbRows *rows, MYSQL_RES *result);
void mariadb_rows_add(struct MariadbRows *rows, MYSQL_RES *result, MYSQL_ROW row);
/* Of what the library says went wrong. Writes a line for people, and says how it ended. */
enum CallEnd mariadb_end_of(MYSQL *mysql, bool connected, int *code, char out[320]);

#endif
