/* mariadb.c - one statement at a time to one MariaDB or MySQL, over libmariadb. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mariadb.h"

#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "mariadb_parts.h"

/* ---- the end of a call ---- */

static void free_call(struct MariadbCall *call)
{
    loop_timer_free(call->timer);
    mem_free(call->text);
    mem_free(call);
}

static void cancel(struct Call *base)
{
    struct MariadbCall *call = (struct MariadbCall *)base;
    loop_timer_off(call->client->soon);
    mariadb_drop(call->client);
    call->client->call = NULL;
    free_call(call);
}

static void free_client(struct MariadbClient *client)
{
    mariadb_drop(client);
    if (client->call != NULL)
        free_call(client->call);
    mariadb_rows_free(&client->rows);
    loop_timer_free(client->soon);
    client_end(&client->base);
    mem_free(client);
}

void mariadb_close(struct MariadbClient *client)
{
    if (client == NULL)
        return;
    client->closed = true;
    if (!client->busy)
        free_client(client);
}

static struct MariadbAnswer answer_of(const struct MariadbClient *client, enum CallEnd end)
{
    const struct MariadbCall *call = client->call;
    struct MariadbAnswer out = {
        .answer = {
            .end = end, .bytes = "", .peer = "", .started = call->started, .ended = mono_now()}};
    if (client->tcp.ns != 0) {
        out.answer.peer = client->peer;
        out.answer.connected =
            mono_before(client->tcp, call->started) ? call->started : client->tcp;
    }
    return out;
}

/* Its done may close the client, and begin another call. */
void mariadb_end(struct MariadbClient *client, enum CallEnd end, int code, const char *text,
                 bool stands)
{
    struct MariadbCall *call = client->call;
    struct MariadbAnswer answer = answer_of(client, end);
    answer.rows = &client->rows;
    answer.answer.code = code;
    answer.answer.bytes = text;
    answer.answer.size = strlen(text);
    if (end == CALL_ANSWERED)
        answer.answer.first_byte = answer.answer.ended;
    if (!stands)
        mariadb_drop(client);
    loop_timer_off(call->timer);
    loop_timer_off(client->soon); /* its deadline may have been before its beginning */
    client->call = NULL;
    client->busy = true;
    call->done(call->data, &answer.answer);
    client->busy = false;
    free_call(call);
    if (client->closed)
        free_client(client);
}

static void on_deadline(void *data, int events)
{
    (void)events;
    struct MariadbCall *call = data;
    mariadb_end(call->client, CALL_TIMEOUT, 0, "", false);
}

static void on_soon(void *data, int events)
{
    (void)events;
    mariadb_begin(data);
}

/* ---- what is asked of it ---- */

struct MariadbClient *mariadb_open(struct Loop *loop, const struct Endpoint *endpoint,
                                   struct Err *err)
{
    struct MariadbDsn dsn = {.port = 0};
    const char *fault = endpoint->dsn != NULL ? mariadb_dsn_fault(endpoint->dsn, true, &dsn) : NULL;
    if (fault != NULL) {
        err_set(err, ERR_VALUE, NOWHERE, "this is no DSN: %s", fault);
        return NULL;
    }
    struct MariadbClient *client = mem_zero(1, sizeof(*client));
    *client = (struct MariadbClient){.dsn = dsn, .fd = -1, .rows = {.text = BUF(0)}};
    client_begin(&client->base, &mariadb_client, loop, endpoint);
    client->soon = loop_timer(loop, on_soon, client);
    return client;
}

void mariadb_until(struct MariadbClient *client, struct Mono until)
{
    client->until = until;
}

struct Call *mariadb_call(struct MariadbClient *client, const char *text, struct Mono deadline,
                          CallDone *done, void *data)
{
    if (client->call != NULL)
        bug("two calls at once on one connection to MariaDB");
    struct MariadbCall *call = mem_zero(1, sizeof(*call));
    *call = (struct MariadbCall){.call = {.cancel = cancel},
                                 .client = client,
                                 .text = mem_text(text),
                                 .done = done,
                                 .data = data,
                                 .started = mono_now()};
    call->timer = loop_timer(client->base.loop, on_deadline, call);
    loop_timer_at(call->timer, deadline);
    client->call = call;
    loop_timer_at(client->soon, call->started);
    return &call->call;
}

/* ---- as one client of several kinds ---- */

static struct Client *open_client(struct Loop *loop, const struct Endpoint *endpoint,
                                  struct Err *err)
{
    return (struct Client *)mariadb_open(loop, endpoint, err);
}

static bool is_asked(const struct Client *client)
{
    return ((const struct MariadbClient *)client)->call != NULL;
}

static void drop_client(struct Client *client)
{
    mariadb_drop((struct MariadbClient *)client);
}

static void close_client(struct Client *client)
{
    mariadb_close((struct MariadbClient *)client);
}

const struct ClientKind mariadb_client = {
    .open = open_client, .is_asked = is_asked, .drop = drop_client, .close = close_client};
