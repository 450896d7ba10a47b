/* rabbitmq_talk.c - a queue of one RabbitMQ: what is said on the connection, and heard. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <amqp.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../model/environment.h"
#include "rabbitmq_parts.h"

/* Messages asked for at once; the server answers one after the other. */
enum { GETS = 100, BEAT_S = 10 };
#define AGAIN_NS (100 * NS_PER_MS)
#define EXPIRES_MS "86400000" /* they are read within the drill */

static amqp_bytes_t bytes_of(const char *text)
{
    return amqp_cstring_bytes(text);
}

/* ---- the beginning ---- */

void rabbitmq_greet(struct RabbitmqClient *client)
{
    struct Buf out = BUF(WIRE_OUT_MAX);
    wire_put_header(&out);
    stream_send(client->stream, out.text, out.size);
    buf_free(&out);
}

static bool log_in(struct RabbitmqClient *client, const amqp_connection_start_t *start)
{
    const struct Endpoint *at = &client->base.endpoint;
    /* Who is refused is told so, and not just left. */
    amqp_table_entry_t can = {.key = bytes_of("authentication_failure_close"),
                              .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
    amqp_table_entry_t properties[] = {
        {.key = bytes_of("product"),
         .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes_of("faildrill")}},
        {.key = bytes_of("capabilities"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE,
                   .value.table = {.num_entries = 1, .entries = &can}}}};
    const char *user = at->user != NULL ? at->user : "guest";
    const char *secret = at->secret != NULL ? environment_secret(at->secret) : "guest";
    char login[1000];
    int size = snprintf(login, sizeof(login), "%c%s%c%s", 0, user, 0, secret);
    if (start->version_major != 0 || start->version_minor != 9 || size < 0 ||
        (size_t)size >= sizeof(login))
        return false;
    amqp_connection_start_ok_t said = {
        .client_properties = {.num_entries = 2, .entries = properties},
        .mechanism = bytes_of("PLAIN"),
        .response = {.len = (size_t)size, .bytes = login},
        .locale = bytes_of("en_US")};
    rabbitmq_say(client, AMQP_CONNECTION_START_OK_METHOD, &said);
    explicit_bzero(login, sizeof(login));
    return true;
}

static void take_terms(struct RabbitmqClient *client, const amqp_connection_tune_t *tune)
{
    const char *vhost = client->base.endpoint.dsn != NULL ? client->base.endpoint.dsn : "/";
    uint16_t beat_s = tune->heartbeat < BEAT_S ? tune->heartbeat : BEAT_S;
    uint32_t most = 64 * 1024; /* what the codec takes */
    amqp_connection_tune_ok_t said = {
        .channel_max = RABBITMQ_CHANNEL,
        .frame_max = tune->frame_max != 0 && tune->frame_max < most ? tune->frame_max : most,
        .heartbeat = beat_s};
    rabbitmq_say(client, AMQP_CONNECTION_TUNE_OK_METHOD, &said);
    client->beat_ns = beat_s * NS_PER_S / 2;
    amqp_connection_open_t opens = {.virtual_host = bytes_of(vhost)};
    rabbitmq_say(client, AMQP_CONNECTION_OPEN_METHOD, &opens);
}

static void be_ready(struct RabbitmqClient *client)
{
    client->base.open = true;
    if (client->beat_ns > 0)
        loop_timer_at(client->beat, mono_add(mono_now(), client->beat_ns));
    if (client->asked != NULL)
        rabbitmq_ask(client);
}

/* ---- what is asked ---- */

static void publish(struct RabbitmqClient *client)
{
    struct RabbitmqCall *call = client->asked;
    struct Buf out = BUF(WIRE_OUT_MAX);
    amqp_basic_publish_t method = {.routing_key = bytes_of(call->queue), .mandatory = 1};
    if (!wire_put_method(&out, RABBITMQ_CHANNEL, AMQP_BASIC_PUBLISH_METHOD, &method) ||
        !wire_put_message(&out, RABBITMQ_CHANNEL, call->body, EXPIRES_MS))
        bug("a message does not fit into a frame");
    stream_send(client->stream, out.text, out.size);
    buf_free(&out);
}

static void get_more(struct RabbitmqClient *client)
{
    struct RabbitmqCall *call = client->asked;
    struct Buf out = BUF(WIRE_OUT_MAX);
    amqp_basic_get_t method = {.queue = bytes_of(call->queue)};
    for (call->gets = 0; call->gets < GETS; call->gets++)
        if (!wire_put_method(&out, RABBITMQ_CHANNEL, AMQP_BASIC_GET_METHOD, &method))
            bug("a method does not fit into a frame");
    call->step = READ_GET;
    stream_send(client->stream, out.text, out.size);
    buf_free(&out);
}

void rabbitmq_ask(struct RabbitmqClient *client)
{
    struct RabbitmqCall *call = client->asked;
    call->sent = true;
    if (call->body != NULL) {
        publish(client);
        return;
    }
    rabbitmq_look(client);
}

static void look(struct RabbitmqClient *client, enum ReadStep step)
{
    amqp_queue_declare_t method = {.queue = bytes_of(client->asked->queue), .passive = 1};
    client->asked->step = step;
    rabbitmq_say(client, AMQP_QUEUE_DECLARE_METHOD, &method);
}

void rabbitmq_look(struct RabbitmqClient *client)
{
    look(client, READ_LOOK);
}

/* ---- what is heard ---- */

static void give_back(struct RabbitmqClient *client)
{
    amqp_basic_recover_t back = {.requeue = 1};
    client->asked->step = READ_GIVE_BACK;
    rabbitmq_say(client, AMQP_BASIC_RECOVER_METHOD, &back);
}

/* Who got messages counts as a consumer as long as its connection lives, by each or by all of them:
 * what it holds is not to be had, and is not lost. So did a reader of ours whose connection has
 * just gone. A leader that does not answer its node in 250 ms has no messages and no consumers, by
 * what that one says then. */
static bool hear_look(struct RabbitmqClient *client, const amqp_queue_declare_ok_t *said)
{
    struct RabbitmqCall *call = client->asked;
    if (call == NULL || call->take == NULL)
        return false;
    if (call->step == READ_LOOK_AGAIN) {
        call->unsure = !call->takes && said->consumer_count != call->held &&
                       (said->consumer_count != 1 || call->held == 0);
        give_back(client);
        return true;
    }
    if (call->step != READ_LOOK)
        return false;
    if (said->consumer_count > 0 || said->message_count == 0)
        loop_timer_at(call->again, mono_add(mono_now(), AGAIN_NS));
    else
        get_more(client);
    return true;
}

static bool hear_get(struct RabbitmqClient *client)
{
    struct RabbitmqCall *call = client->asked;
    if (call == NULL || call->take == NULL || call->gets == 0)
        return false;
    if (--call->gets > 0)
        return true;
    if (!call->empty) {
        get_more(client);
        return true;
    }
    look(client, READ_LOOK_AGAIN);
    return true;
}

static bool hear_empty(struct RabbitmqClient *client)
{
    if (client->asked != NULL)
        client->asked->empty = true;
    return hear_get(client);
}

static bool hear_given_back(struct RabbitmqClient *client)
{
    struct RabbitmqCall *call = client->asked;
    if (call == NULL || call->take == NULL || call->step != READ_GIVE_BACK)
        return false;
    bool unsure = call->unsure;
    rabbitmq_drop(client);
    rabbitmq_answer(client, unsure ? RABBITMQ_UNSURE : RABBITMQ_DONE,
                    unsure ? "others hold messages of the queue" : "");
    return true;
}

/* Of several writes one is under way at a time, so that it is its own number that is confirmed. */
static bool hear_confirm(struct RabbitmqClient *client, bool good)
{
    struct RabbitmqCall *call = client->asked;
    if (call == NULL || call->body == NULL || !call->sent)
        return false;
    if (call->comes_back)
        rabbitmq_answer(client, RABBITMQ_NOWHERE, "there is no such queue");
    else if (good)
        rabbitmq_answer(client, RABBITMQ_DONE, "");
    else
        rabbitmq_answer(client, RABBITMQ_NACKED, "the queue did not take it");
    return true;
}

static bool hear_whole(struct RabbitmqClient *client)
{
    struct RabbitmqCall *call = client->asked;
    bool got = client->incoming == MESSAGE_GOT;
    client->incoming = MESSAGE_NONE;
    if (call == NULL)
        return false;
    if (!got) {
        call->comes_back = true;
        return true;
    }
    client->message[client->message_size] = '\0';
    call->held++;
    if (call->take != NULL && call->take(call->data, client->message)) {
        amqp_basic_ack_t method = {.delivery_tag = client->tag};
        call->takes = true;
        rabbitmq_say(client, AMQP_BASIC_ACK_METHOD, &method);
    }
    return hear_get(client);
}

static bool hear_part(struct RabbitmqClient *client, const amqp_bytes_t *part)
{
    size_t room = RABBITMQ_BODY_MAX - client->message_size;
    size_t kept = part->len < room ? part->len : room;
    if (part->len > client->left)
        return false;
    memcpy(client->message + client->message_size, part->bytes, kept);
    client->message_size += kept;
    client->left -= part->len;
    return client->left > 0 || hear_whole(client);
}

/* The same method ends a channel and a connection, but for its number. */
static bool hear_close(struct RabbitmqClient *client, const amqp_connection_close_t *said)
{
    char text[300];
    bool asked = client->asked != NULL && client->asked->sent;
    snprintf(text, sizeof(text), "%d %.*s", said->reply_code, (int)said->reply_text.len,
             (const char *)said->reply_text.bytes);
    rabbitmq_drop(client);
    rabbitmq_answer(client, asked ? RABBITMQ_CLOSED : RABBITMQ_REFUSED, text);
    return true;
}

static bool hear_begin(struct RabbitmqClient *client, const amqp_method_t *method)
{
    amqp_channel_open_t opens = {.out_of_band = {.len = 0}};
    amqp_confirm_select_t confirms = {.nowait = 0};
    switch (method->id) {
    case AMQP_CONNECTION_START_METHOD:
        return log_in(client, method->decoded);
    case AMQP_CONNECTION_TUNE_METHOD:
        take_terms(client, method->decoded);
        return true;
    case AMQP_CONNECTION_OPEN_OK_METHOD:
        rabbitmq_say(client, AMQP_CHANNEL_OPEN_METHOD, &opens);
        return true;
    case AMQP_CHANNEL_OPEN_OK_METHOD:
        rabbitmq_say(client, AMQP_CONFIRM_SELECT_METHOD, &confirms);
        return true;
    case AMQP_CONFIRM_SELECT_OK_METHOD:
        be_ready(client);
        return true;
    default:
        return false;
    }
}

static bool hear_method(struct RabbitmqClient *client, const amqp_method_t *method)
{
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD || method->id == AMQP_CHANNEL_CLOSE_METHOD)
        return hear_close(client, method->decoded);
    if (!client->base.open)
        return hear_begin(client, method);
    switch (method->id) {
    case AMQP_QUEUE_DECLARE_OK_METHOD:
        return hear_look(client, method->decoded);
    case AMQP_BASIC_GET_OK_METHOD:
        client->incoming = MESSAGE_GOT;
        client->tag = ((const amqp_basic_get_ok_t *)method->decoded)->delivery_tag;
        return true;
    case AMQP_BASIC_GET_EMPTY_METHOD:
        return hear_empty(client);
    case AMQP_BASIC_RECOVER_OK_METHOD:
        return hear_given_back(client);
    case AMQP_BASIC_RETURN_METHOD:
        client->incoming = MESSAGE_RETURNED;
        return true;
    case AMQP_BASIC_ACK_METHOD:
        return hear_confirm(client, true);
    case AMQP_BASIC_NACK_METHOD:
        return hear_confirm(client, false);
    default:
        return false;
    }
}

bool rabbitmq_hear(struct RabbitmqClient *client, const amqp_frame_t *frame)
{
    if (frame->channel > RABBITMQ_CHANNEL)
        return false;
    switch (frame->frame_type) {
    case AMQP_FRAME_HEARTBEAT:
        return true;
    case AMQP_FRAME_METHOD:
        return client->incoming == MESSAGE_NONE && hear_method(client, &frame->payload.method);
    case AMQP_FRAME_HEADER:
        client->left = frame->payload.properties.body_size;
        client->message_size = 0;
        return client->incoming != MESSAGE_NONE && (client->left > 0 || hear_whole(client));
    case AMQP_FRAME_BODY:
        return client->incoming != MESSAGE_NONE && client->left > 0 &&
               hear_part(client, &frame->payload.body_fragment);
    default:
        return false;
    }
}
