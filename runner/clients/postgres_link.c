/* postgres_link.c - the connection to one PostgreSQL, and a statement on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../base/arena.h"
#include "../model/environment.h"
#include "postgres_parts.h"

enum { TRY_MAX = 4 };

static void unwatch(struct PostgresClient *client)
{
    if (client->fd >= 0)
        loop_watch(client->base.loop, client->fd, 0, NULL, NULL);
    client->fd = -1;
}

/* By reset: a server that is told nothing keeps no port of ours in TIME_WAIT. */
void postgres_drop(struct PostgresClient *client)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    unwatch(client);
    dns_close(client->dns);
    client->dns = NULL;
    loop_timer_off(client->soon);
    client->failing = false;
    if (client->conn != NULL) {
        if (PQsocket(client->conn) >= 0)
            (void)setsockopt(PQsocket(client->conn), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        PQfinish(client->conn);
    }
    client->conn = NULL;
    client->base.open = client->sent = client->flushing = false;
    client->tcp = (struct Mono){.ns = 0};
}

/* ---- a statement ---- */

static void on_event(void *data, int events);

static void watch(struct PostgresClient *client, int events)
{
    client->fd = PQsocket(client->conn);
    loop_watch(client->base.loop, client->fd, events, on_event, client);
}

/* The statement has ended, and so has its transaction: only now it is acknowledged. */
static void answer_first(struct PostgresClient *client)
{
    struct PostgresRows *rows = &client->rows;
    struct PostgresAnswer answer = postgres_answer_of(client->first, CALL_ANSWERED);
    const char *value = postgres_value(rows, 0, 0);
    answer.answer.first_byte = answer.answer.ended;
    answer.rows = rows;
    postgres_say(&answer, value != NULL ? value : "");
    if (rows->too_much) {
        answer.answer.end = CALL_PROTOCOL;
        postgres_say(&answer, "the reply is longer than is read");
    } else if (rows->failed && rows->lost) {
        answer.answer.end = connection_end(rows->error, true, &answer.answer.code, client->why);
        postgres_say(&answer, client->why);
    } else if (rows->failed) {
        answer.answer.code = POSTGRES_ERROR;
        postgres_say(&answer, rows->error);
    }
    client->sent = false;
    client->busy = true;
    if (rows->too_much || PQstatus(client->conn) != CONNECTION_OK)
        postgres_drop(client);
    else
        watch(client, LOOP_READ); /* so that its end is seen */
    postgres_end_call(client->first, &answer);
    postgres_leave(client);
}

static void read_results(struct PostgresClient *client, bool broken)
{
    PGresult *result = NULL;
    bool ended = false;
    while (!ended && !client->rows.too_much && (broken || PQisBusy(client->conn) == 0)) {
        result = PQgetResult(client->conn);
        ended = result == NULL;
        if (result != NULL)
            rows_take(&client->rows, result);
    }
    if (ended && broken && !client->rows.failed) { /* it broke before the end was told */
        client->rows.failed = client->rows.lost = true;
        snprintf(client->rows.error, sizeof(client->rows.error), "%s",
                 "server closed the connection unexpectedly");
    }
    if (ended || client->rows.too_much)
        answer_first(client);
    else
        watch(client, LOOP_READ | (client->flushing ? LOOP_WRITE : 0));
}

static bool flush(struct PostgresClient *client)
{
    int left = PQflush(client->conn);
    client->flushing = left > 0;
    return left >= 0;
}

static void send_first(struct PostgresClient *client)
{
    struct PostgresCall *call = client->first;
    unwatch(client);
    rows_clear(&client->rows);
    client->sent = true;
    bool good = PQsendQueryParams(client->conn, call->text, (int)call->count, NULL,
                                  (const char *const *)call->values, NULL, NULL, 0) == 1 &&
                PQsetSingleRowMode(client->conn) == 1 && flush(client);
    if (good) {
        watch(client, LOOP_READ | (client->flushing ? LOOP_WRITE : 0));
        return;
    }
    int code = 0;
    char why[320];
    enum CallEnd end = connection_end(PQerrorMessage(client->conn), true, &code, why);
    postgres_fail_soon(client, end == CALL_ANSWERED ? CALL_RESET : end, why);
}

/* ---- the connection ---- */

static void note_connected(struct PostgresClient *client)
{
    ConnStatusType status = PQstatus(client->conn);
    if (client->tcp.ns != 0 || status == CONNECTION_STARTED || status == CONNECTION_NEEDED ||
        status == CONNECTION_BAD)
        return;
    client->tcp = mono_now();
    const char *address = PQhostaddr(client->conn);
    snprintf(client->peer, sizeof(client->peer), "%.47s", address != NULL ? address : "");
}

static void poll_connection(struct PostgresClient *client)
{
    PostgresPollingStatusType wants = PQconnectPoll(client->conn);
    int code = 0;
    note_connected(client);
    switch (wants) {
    case PGRES_POLLING_READING:
        watch(client, LOOP_READ);
        return;
    case PGRES_POLLING_ACTIVE:
    case PGRES_POLLING_WRITING:
        watch(client, LOOP_WRITE);
        return;
    case PGRES_POLLING_OK:
        client->base.open = true;
        (void)PQsetnonblocking(client->conn, 1);
        watch(client, LOOP_READ);
        postgres_go_on(client);
        return;
    case PGRES_POLLING_FAILED: {
        enum CallEnd end =
            connection_end(PQerrorMessage(client->conn), client->tcp.ns != 0, &code, client->why);
        postgres_end_all(client, end, code);
        return;
    }
    }
}

static void on_event(void *data, int events)
{
    struct PostgresClient *client = data;
    unwatch(client);
    if (!client->base.open) {
        poll_connection(client);
        return;
    }
    bool good = (events & LOOP_READ) == 0 || PQconsumeInput(client->conn) == 1;
    if (good && client->flushing)
        (void)flush(client); /* what it cannot write, reading will tell */
    if (client->sent)
        read_results(client, !good);
    else if (good && PQstatus(client->conn) == CONNECTION_OK)
        watch(client, LOOP_READ);
    else
        postgres_drop(client); /* the next call has a new one */
}

/* A backend that is busy does not notice that nobody listens any more. */
static void set_until(const struct PostgresClient *client, struct PostgresParameters *all,
                      struct Buf *text)
{
    const char *options = parameters_get(all, "options");
    if (client->until.ns == 0 || (options != NULL && strstr(options, "statement_timeout") != NULL))
        return;
    int64_t left_ms = mono_since(mono_now(), client->until) / NS_PER_MS;
    buf_printf(text, "%s%s-c statement_timeout=%lld", options != NULL ? options : "",
               options != NULL ? " " : "", (long long)(left_ms > 1 ? left_ms : 1));
    parameters_set(all, "options", text->text);
}

/* `addresses`: numeric, with commas between them. */
static void connect_to(struct PostgresClient *client, const char *addresses, const char *hosts)
{
    struct PostgresParameters all;
    struct Buf options = BUF(4096);
    const struct Endpoint *at = &client->base.endpoint;
    char port[8];
    if (!parameters_read(at->dsn, &all)) {
        postgres_fail_soon(client, CALL_LOCAL, "libpq cannot read its parameters");
        return;
    }
    snprintf(port, sizeof(port), "%u", (unsigned)at->port);
    parameters_set(&all, "host", hosts);
    parameters_set(&all, "hostaddr", addresses);
    parameters_set(&all, "port", port);
    parameters_set(&all, "client_encoding", "UTF8");
    if (at->user != NULL)
        parameters_set(&all, "user", at->user);
    if (at->secret != NULL)
        parameters_set(&all, "password", environment_secret(at->secret));
    if (parameters_get(&all, "application_name") == NULL)
        parameters_set(&all, "application_name", "faildrill");
    if (parameters_get(&all, "gssencmode") == NULL)
        parameters_set(&all, "gssencmode", "disable"); /* it would block */
    set_until(client, &all, &options);
    client->conn = PQconnectStartParams(all.names, all.values, 0);
    parameters_free(&all);
    buf_free(&options);
    if (client->conn == NULL)
        bug("libpq has no memory");
    (void)PQsetErrorVerbosity(client->conn, PQERRORS_VERBOSE); /* with the state in front */
    (void)PQsetNoticeReceiver(client->conn, rows_notice, &client->rows);
    if (PQstatus(client->conn) != CONNECTION_BAD) {
        watch(client, LOOP_WRITE);
        return;
    }
    int code = 0;
    char why[320];
    enum CallEnd end = connection_end(PQerrorMessage(client->conn), false, &code, why);
    postgres_fail_soon(client, end == CALL_ANSWERED ? CALL_LOCAL : end, why);
}

static void on_resolved(void *data, const struct Answer *answer)
{
    struct PostgresClient *client = data;
    struct Buf addresses = BUF(256), hosts = BUF(2048);
    const char *address = NULL;
    for (size_t n = 0; n < TRY_MAX && (address = dns_address(answer, n)) != NULL; n++) {
        buf_printf(&addresses, "%s%s", n > 0 ? "," : "", address);
        buf_printf(&hosts, "%s%s", n > 0 ? "," : "", client->base.endpoint.host);
    }
    if (answer->end != CALL_ANSWERED)
        postgres_fail_soon(client, answer->end, answer->bytes);
    else
        connect_to(client, addresses.text, hosts.text);
    buf_free(&addresses);
    buf_free(&hosts);
    dns_close(client->dns);
    client->dns = NULL;
}

static void connect_it(struct PostgresClient *client)
{
    struct Err err = {.code = ERR_OWN};
    if (address_is_numeric(client->base.endpoint.host)) {
        connect_to(client, client->base.endpoint.host, client->base.endpoint.host);
        return;
    }
    client->dns = dns_open(client->base.loop, &err);
    if (client->dns == NULL)
        postgres_fail_soon(client, CALL_LOCAL, err.message);
    else
        (void)dns_call(client->dns, client->base.endpoint.host, (struct Mono){.ns = NS_NEVER},
                       on_resolved, client);
}

void postgres_go_on(struct PostgresClient *client)
{
    if (client->first == NULL)
        return;
    if (client->base.open && !client->sent)
        send_first(client);
    else if (client->conn == NULL && client->dns == NULL && !client->failing)
        connect_it(client);
}
