/* rabbitmq.c - a queue of one RabbitMQ: the connection, and the ends of what is asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbitmq.h"

#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "rabbitmq_parts.h"

/* ---- the end of calls ---- */

static void free_call(struct RabbitmqCall *call)
{
    call->client->asked = NULL;
    loop_timer_free(call->timer);
    loop_timer_free(call->again);
    mem_free(call->body);
    mem_free(call);
}

void rabbitmq_drop(struct RabbitmqClient *client)
{
    stream_close(client->stream);
    client->stream = NULL;
    client->base.open = false;
    client->connection++;
    loop_timer_off(client->beat);
    wire_free(client->wire);
    client->wire = NULL;
}

static void cancel(struct Call *base)
{
    struct RabbitmqCall *call = (struct RabbitmqCall *)base;
    rabbitmq_drop(call->client);
    free_call(call);
}

/* Whoever hears of the end may close the client or ask anew. */
static void end_call(struct RabbitmqClient *client, struct Answer *answer, bool connected)
{
    struct RabbitmqCall *call = client->asked;
    CallDone *done = call->done;
    void *data = call->data;
    char peer[sizeof(client->peer)];
    snprintf(peer, sizeof(peer), "%s", connected ? client->peer : "");
    answer->peer = peer;
    answer->started = call->started;
    answer->ended = mono_now();
    answer->size = strlen(answer->bytes);
    if (connected)
        answer->connected =
            mono_before(client->opened, call->started) ? call->started : client->opened;
    free_call(call);
    done(data, answer);
}

void rabbitmq_answer(struct RabbitmqClient *client, int code, const char *text)
{
    if (client->asked == NULL)
        return;
    struct Answer answer = {.end = CALL_ANSWERED, .code = code, .bytes = text};
    answer.first_byte = mono_now();
    end_call(client, &answer, true);
}

static void on_deadline(void *data, int events)
{
    (void)events;
    struct RabbitmqClient *client = ((struct RabbitmqCall *)data)->client;
    bool connected = client->stream != NULL && stream_connected(client->stream);
    struct Answer answer = {.end = CALL_TIMEOUT, .bytes = ""};
    rabbitmq_drop(client);
    end_call(client, &answer, connected);
}

/* The connection is gone, and with it the call under way. */
static void end_by(struct RabbitmqClient *client, enum CallEnd end, int code, const char *why)
{
    bool connected = client->base.open || (end != CALL_REFUSED && end != CALL_UNRESOLVED &&
                                           end != CALL_LOCAL && end != CALL_TIMEOUT);
    struct Answer answer = {.end = end, .code = code, .bytes = why};
    rabbitmq_drop(client);
    if (client->asked != NULL)
        end_call(client, &answer, connected);
}

static void free_client(struct RabbitmqClient *client)
{
    rabbitmq_drop(client);
    if (client->asked != NULL)
        free_call(client->asked);
    loop_timer_free(client->beat);
    tls_trust_free(client->trust);
    client_end(&client->base);
    mem_free(client);
}

void rabbitmq_close(struct RabbitmqClient *client)
{
    if (client == NULL)
        return;
    client->closed = true;
    if (!client->busy)
        free_client(client);
}

/* ---- the connection ---- */

void rabbitmq_say(struct RabbitmqClient *client, amqp_method_number_t id, void *method)
{
    struct Buf out = BUF(WIRE_OUT_MAX);
    uint16_t channel = id >> 16 == AMQP_CONNECTION_CLASS ? 0 : RABBITMQ_CHANNEL;
    if (!wire_put_method(&out, channel, id, method))
        bug("a method does not fit into a frame");
    stream_send(client->stream, out.text, out.size);
    explicit_bzero(out.text, out.size);
    buf_free(&out);
}

static void on_opened(void *data, const char *peer)
{
    struct RabbitmqClient *client = data;
    client->opened = mono_now();
    snprintf(client->peer, sizeof(client->peer), "%s", peer);
    client->wire = wire_new();
    client->incoming = MESSAGE_NONE;
    rabbitmq_greet(client);
}

static void on_bytes(void *data, const char *bytes, size_t size)
{
    struct RabbitmqClient *client = data;
    uint64_t connection = client->connection;
    enum WireState state = WIRE_FRAME;
    bool good = true;
    client->busy = true;
    while (good && !client->closed && client->connection == connection && state == WIRE_FRAME) {
        amqp_frame_t frame;
        state = wire_next(client->wire, &bytes, &size, &frame);
        good = state == WIRE_MORE || (state == WIRE_FRAME && rabbitmq_hear(client, &frame));
    }
    if (!good && !client->closed && client->connection == connection)
        end_by(client, CALL_PROTOCOL, 0, "no answer of a RabbitMQ server");
    client->busy = false;
    if (client->closed)
        free_client(client);
}

static void on_ended(void *data, enum CallEnd end, int code, const char *why)
{
    struct RabbitmqClient *client = data;
    client->stream = NULL;
    end_by(client, end, code, why);
}

static void on_beat(void *data, int events)
{
    (void)events;
    struct RabbitmqClient *client = data;
    struct Buf out = BUF(WIRE_OUT_MAX);
    wire_put_heartbeat(&out);
    stream_send(client->stream, out.text, out.size);
    buf_free(&out);
    loop_timer_at(client->beat, mono_add(mono_now(), client->beat_ns));
}

/* ---- what is asked of it ---- */

struct RabbitmqClient *rabbitmq_open(struct Loop *loop, const struct Endpoint *endpoint,
                                     struct Err *err)
{
    struct TlsTrust *trust = NULL;
    if (endpoint->tls) {
        trust = tls_trust_new(err);
        if (trust == NULL)
            return NULL;
    }
    struct RabbitmqClient *client = mem_zero(1, sizeof(*client));
    client_begin(&client->base, &rabbitmq_client, loop, endpoint);
    client->trust = trust;
    client->beat = loop_timer(loop, on_beat, client);
    return client;
}

static struct RabbitmqCall *begin_call(struct RabbitmqClient *client, const char *queue,
                                       struct Mono deadline, CallDone *done, void *data)
{
    if (client->asked != NULL)
        bug("a RabbitMQ client is asked twice at once");
    struct RabbitmqCall *call = mem_zero(1, sizeof(*call));
    *call = (struct RabbitmqCall){.call = {.cancel = cancel},
                                  .client = client,
                                  .done = done,
                                  .data = data,
                                  .started = mono_now()};
    snprintf(call->queue, sizeof(call->queue), "%s", queue);
    call->timer = loop_timer(client->base.loop, on_deadline, call);
    loop_timer_at(call->timer, deadline);
    client->asked = call;
    return call;
}

static void on_again(void *data, int events)
{
    (void)events;
    rabbitmq_look(((struct RabbitmqCall *)data)->client);
}

static struct Call *send_call(struct RabbitmqCall *call)
{
    struct RabbitmqClient *client = call->client;
    const struct StreamInput input = {.loop = client->base.loop,
                                      .endpoint = &client->base.endpoint,
                                      .trust = client->trust,
                                      .deadline = {.ns = NS_NEVER}, /* the calls have theirs */
                                      .opened = on_opened,
                                      .bytes = on_bytes,
                                      .ended = on_ended,
                                      .data = client};
    if (client->stream == NULL)
        client->stream = stream_open(&input);
    else if (client->base.open)
        rabbitmq_ask(client);
    return &call->call;
}

struct Call *rabbitmq_publish(struct RabbitmqClient *client, const char *queue, const char *body,
                              struct Mono deadline, CallDone *done, void *data)
{
    struct RabbitmqCall *call = begin_call(client, queue, deadline, done, data);
    call->body = mem_text(body);
    return send_call(call);
}

struct Call *rabbitmq_read(struct RabbitmqClient *client, const char *queue, RabbitmqTake *take,
                           struct Mono deadline, CallDone *done, void *data)
{
    struct RabbitmqCall *call = begin_call(client, queue, deadline, done, data);
    call->take = take;
    call->again = loop_timer(client->base.loop, on_again, call);
    return send_call(call);
}

/* ---- as one client of several kinds ---- */

static struct Client *open_client(struct Loop *loop, const struct Endpoint *endpoint,
                                  struct Err *err)
{
    return (struct Client *)rabbitmq_open(loop, endpoint, err);
}

static bool is_asked(const struct Client *client)
{
    return ((const struct RabbitmqClient *)client)->asked != NULL;
}

static void drop_client(struct Client *client)
{
    rabbitmq_drop((struct RabbitmqClient *)client);
}

static void close_client(struct Client *client)
{
    rabbitmq_close((struct RabbitmqClient *)client);
}

const struct ClientKind rabbitmq_client = {
    .open = open_client, .is_asked = is_asked, .drop = drop_client, .close = close_client};
