/* postgres.c - one statement at a time to one PostgreSQL, over libpq. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres.h"

#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "postgres_parts.h"

/* ---- the end of calls ---- */

static void unlink_call(struct PostgresCall *call)
{
    struct PostgresCall **lists[] = {&call->client->first, &call->client->ending};
    for (size_t n = 0; n < COUNT_OF(lists); n++) {
        struct PostgresCall **at = lists[n];
        while (*at != NULL && *at != call)
            at = &(*at)->next;
        if (*at == call)
            *at = call->next;
    }
}

static void free_call(struct PostgresCall *call)
{
    loop_timer_free(call->timer);
    for (size_t n = 0; n < call->count; n++)
        mem_free(call->values[n]);
    mem_free(call->text);
    mem_free(call);
}

/* It stands in front, and the connection is made or used for it. */
static bool is_under_way(const struct PostgresCall *call)
{
    const struct PostgresClient *client = call->client;
    return client->first == call && (client->sent || !client->base.open);
}

static void cancel(struct Call *base)
{
    struct PostgresCall *call = (struct PostgresCall *)base;
    struct PostgresClient *client = call->client;
    if (is_under_way(call))
        postgres_drop(client);
    unlink_call(call);
    free_call(call);
    if (!client->busy)
        postgres_go_on(client);
}

struct PostgresAnswer postgres_answer_of(const struct PostgresCall *call, enum CallEnd end)
{
    const struct PostgresClient *client = call->client;
    struct PostgresAnswer out = {
        .answer = {
            .end = end, .bytes = "", .peer = "", .started = call->started, .ended = mono_now()}};
    if (client->tcp.ns != 0) {
        out.answer.peer = client->peer;
        out.answer.connected =
            mono_before(client->tcp, call->started) ? call->started : client->tcp;
    }
    return out;
}

void postgres_say(struct PostgresAnswer *answer, const char *text)
{
    answer->answer.bytes = text;
    answer->answer.size = strlen(text);
}

void postgres_end_call(struct PostgresCall *call, const struct PostgresAnswer *answer)
{
    unlink_call(call);
    loop_timer_off(call->timer);
    call->done(call->data, &answer->answer);
    free_call(call);
}

static void free_client(struct PostgresClient *client)
{
    postgres_drop(client);
    while (client->first != NULL || client->ending != NULL) {
        struct PostgresCall *call = client->first != NULL ? client->first : client->ending;
        unlink_call(call);
        free_call(call);
    }
    rows_free(&client->rows);
    loop_timer_free(client->soon);
    client_end(&client->base);
    mem_free(client);
}

void postgres_close(struct PostgresClient *client)
{
    if (client == NULL)
        return;
    client->closed = true;
    if (!client->busy)
        free_client(client);
}

void postgres_leave(struct PostgresClient *client)
{
    client->busy = false;
    if (client->closed)
        free_client(client);
    else
        postgres_go_on(client);
}

static void on_deadline(void *data, int events)
{
    (void)events;
    struct PostgresCall *call = data;
    struct PostgresClient *client = call->client;
    struct PostgresAnswer answer = postgres_answer_of(call, CALL_TIMEOUT);
    client->busy = true;
    if (is_under_way(call))
        postgres_drop(client);
    postgres_end_call(call, &answer);
    postgres_leave(client);
}

void postgres_end_all(struct PostgresClient *client, enum CallEnd end, int code)
{
    struct Mono tcp = client->tcp;
    postgres_drop(client);
    client->ending = client->first;
    client->first = NULL;
    client->busy = true;
    while (client->ending != NULL && !client->closed) {
        client->tcp = tcp;
        struct PostgresAnswer answer = postgres_answer_of(client->ending, end);
        client->tcp = (struct Mono){.ns = 0};
        answer.answer.code = code;
        postgres_say(&answer, client->why);
        postgres_end_call(client->ending, &answer);
    }
    postgres_leave(client);
}

static void on_soon(void *data, int events)
{
    (void)events;
    struct PostgresClient *client = data;
    postgres_end_all(client, client->soon_end, 0);
}

void postgres_fail_soon(struct PostgresClient *client, enum CallEnd end, const char *why)
{
    snprintf(client->why, sizeof(client->why), "%s", why);
    client->soon_end = end;
    client->failing = true;
    loop_timer_at(client->soon, mono_now());
}

/* ---- what is asked of it ---- */

struct PostgresClient *postgres_open(struct Loop *loop, const struct Endpoint *endpoint,
                                     struct Err *err)
{
    struct PostgresParameters parameters;
    bool good = parameters_read(endpoint->dsn, &parameters);
    parameters_free(&parameters);
    if (!good) {
        err_set(err, ERR_VALUE, NOWHERE, "libpq cannot read the DSN");
        return NULL;
    }
    struct PostgresClient *client = mem_zero(1, sizeof(*client));
    *client = (struct PostgresClient){.fd = -1, .rows = {.text = BUF(0)}};
    client_begin(&client->base, &postgres_client, loop, endpoint);
    client->soon = loop_timer(loop, on_soon, client);
    return client;
}

void postgres_until(struct PostgresClient *client, struct Mono until)
{
    client->until = until;
}

struct Call *postgres_call(struct PostgresClient *client, const struct PostgresQuery *query,
                           struct Mono deadline, CallDone *done, void *data)
{
    struct PostgresCall *call = mem_zero(1, sizeof(*call));
    *call = (struct PostgresCall){.call = {.cancel = cancel},
                                  .client = client,
                                  .text = mem_text(query->text),
                                  .count = query->count,
                                  .done = done,
                                  .data = data,
                                  .started = mono_now()};
    if (query->count > POSTGRES_VALUES_MAX)
        bug("more than %d values", POSTGRES_VALUES_MAX);
    for (size_t n = 0; n < query->count; n++)
        call->values[n] = mem_text(query->values[n]);
    call->timer = loop_timer(client->base.loop, on_deadline, call);
    loop_timer_at(call->timer, deadline);
    struct PostgresCall **at = &client->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = call;
    if (!client->busy && call == client->first)
        postgres_go_on(client);
    return &call->call;
}

/* ---- as one client of several kinds ---- */

static struct Client *open_client(struct Loop *loop, const struct Endpoint *endpoint,
                                  struct Err *err)
{
    return (struct Client *)postgres_open(loop, endpoint, err);
}

static bool is_asked(const struct Client *client)
{
    return ((const struct PostgresClient *)client)->first != NULL;
}

static void drop_client(struct Client *client)
{
    postgres_drop((struct PostgresClient *)client);
}

static void close_client(struct Client *client)
{
    postgres_close((struct PostgresClient *)client);
}

const struct ClientKind postgres_client = {
    .open = open_client, .is_asked = is_asked, .drop = drop_client, .close = close_client};
