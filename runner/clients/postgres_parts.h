/* postgres_parts.h - a client's calls and its connection; for postgres.c and postgres_link.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_POSTGRES_PARTS_H
#define FD_CLIENTS_POSTGRES_PARTS_H

#include "dns.h"
#include "postgres_reply.h"

struct PostgresCall {
    struct Call call; /* first */
    struct PostgresClient *client;
    struct PostgresCall *next;
    char *text, *values[POSTGRES_VALUES_MAX];
    size_t count;
    struct Timer *timer;
    CallDone *done;
    void *data;
    struct Mono started;
};

struct PostgresClient {
    struct Client base;      /* first */
    struct DnsClient *dns;   /* while a name is resolved */
    PGconn *conn;            /* NULL: not connected */
    int fd;                  /* watched; -1: none */
    bool sent, flushing;     /* `sent`: the first call is under way */
    struct Mono until;       /* 0: the server knows no end of its own */
    struct Mono tcp, opened; /* tcp: connected, perhaps not yet logged in; 0 before */
    char peer[48];
    struct Timer *soon; /* an end that is known before anything could be asked */
    bool failing;       /* `soon` is set */
    enum CallEnd soon_end;
    char why[320];
    struct PostgresRows rows;
    struct PostgresCall *first, *ending; /* in order; those of a connection that was not made */
    bool busy, closed;                   /* closed while busy: whoever made it busy frees it */
};

/* ---- postgres.c: calls and their ends ---- */
struct PostgresAnswer postgres_answer_of(const struct PostgresCall *call, enum CallEnd end);
void postgres_say(struct PostgresAnswer *answer, const char *text);
void postgres_end_call(struct PostgresCall *call, const struct PostgresAnswer *answer);
/* No connection: every call that waits ends so, with client->why; those begun meanwhile have a new
 * one. */
void postgres_end_all(struct PostgresClient *client, enum CallEnd end, int code);
void postgres_fail_soon(struct PostgresClient *client, enum CallEnd end, const char *why);
/* Done functions may close the client, cancel calls and begin new ones: all that waits for this. */
void postgres_leave(struct PostgresClient *client);

/* ---- postgres_link.c: the connection, and a statement on it ---- */
void postgres_go_on(struct PostgresClient *client); /* what can be done for the first call */
void postgres_drop(struct PostgresClient *client);  /* the connection; by reset */

#endif
