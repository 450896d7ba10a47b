/* redis.c - commands to one Redis or Sentinel, over hiredis' reader and formatter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "redis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "../model/environment.h"
#include "redis_reply.h"
#include "stream.h"

enum { REPLY_MAX = 1024 * 1024 };

struct RedisCall {
    struct Call call; /* first */
    struct RedisClient *client;
    struct RedisCall *next; /* in client->first */
    char *command;          /* until it is sent */
    size_t command_size;
    struct Timer *timer;
    CallDone *done; /* NULL: it ended before its reply, which is still to come */
    void *data;
    struct Mono started;
};

struct RedisClient {
    struct Client base; /* first */
    struct TlsTrust *trust;
    struct Stream *stream; /* NULL: not connected */
    uint64_t connection;   /* counts them */
    struct Mono opened;
    char peer[48];
    redisReader *reader;
    redisReplyObjectFunctions functions; /* the reader's */
    struct RedisCall *first, *ending; /* in order of their replies; those of a broken connection */
    bool wants_auth, wants_name;      /* the next reply is AUTH's, or behind it the name's */
    char refusal[160];                /* what AUTH was answered, where it was refused */
    bool busy, closed;                /* closed while busy: whoever made it busy frees it */
};

/* ---- the end of calls ---- */

static void unlink_call(struct RedisCall *call)
{
    struct RedisCall **lists[] = {&call->client->first, &call->client->ending};
    for (size_t n = 0; n < COUNT_OF(lists); n++) {
        struct RedisCall **at = lists[n];
        while (*at != NULL && *at != call)
            at = &(*at)->next;
        if (*at == call)
            *at = call->next;
    }
}

static void free_call(struct RedisCall *call)
{
    loop_timer_free(call->timer);
    if (call->command != NULL)
        redisFreeCommand(call->command);
    mem_free(call);
}

static void drop_connection(struct RedisClient *client)
{
    stream_close(client->stream);
    client->stream = NULL;
    client->base.open = false;
    client->connection++;
    if (client->reader != NULL)
        redisReaderFree(client->reader);
    client->reader = NULL;
}

/* A call that ends early: its reply must still be waited for where others stand behind it. */
static void abandon(struct RedisCall *call)
{
    struct RedisClient *client = call->client;
    bool sent = call->command == NULL && client->stream != NULL;
    call->done = NULL;
    loop_timer_free(call->timer);
    call->timer = NULL;
    if (!sent) {
        unlink_call(call);
        free_call(call);
    }
    for (const struct RedisCall *other = client->first; other != NULL; other = other->next)
        if (other->done != NULL)
            return;
    drop_connection(client);
    while (client->first != NULL) {
        struct RedisCall *old = client->first;
        unlink_call(old);
        free_call(old);
    }
}

static void cancel(struct Call *base)
{
    abandon((struct RedisCall *)base);
}

static struct RedisAnswer answer_of(const struct RedisCall *call, enum CallEnd end, bool connected)
{
    const struct RedisClient *client = call->client;
    struct RedisAnswer out = {.array = NULL};
    out.answer = (struct Answer){.end = end,
                                 .bytes = "",
                                 .peer = connected ? client->peer : "",
                                 .started = call->started,
                                 .ended = mono_now()};
    if (connected)
        out.answer.connected =
            mono_before(client->opened, call->started) ? call->started : client->opened;
    return out;
}

static void on_deadline(void *data, int events)
{
    (void)events;
    struct RedisCall *call = data;
    const struct Stream *stream = call->client->stream;
    struct RedisAnswer answer =
        answer_of(call, CALL_TIMEOUT, stream != NULL && stream_connected(stream));
    CallDone *done = call->done;
    void *done_data = call->data;
    char peer[sizeof(call->client->peer)];
    snprintf(peer, sizeof(peer), "%s", answer.answer.peer);
    answer.answer.peer = peer; /* the client may be closed by then */
    abandon(call);
    done(done_data, &answer.answer);
}

/* Removes and answers a call; those that ended before are only removed. */
static void finish(struct RedisCall *call, struct RedisAnswer *answer)
{
    unlink_call(call);
    if (call->done != NULL) {
        loop_timer_off(call->timer);
        call->done(call->data, &answer->answer);
    }
    free_call(call);
}

static void free_client(struct RedisClient *client)
{
    drop_connection(client);
    struct RedisCall *lists[] = {client->first, client->ending};
    for (size_t n = 0; n < COUNT_OF(lists); n++)
        for (struct RedisCall *call = lists[n], *next = NULL; call != NULL; call = next) {
            next = call->next;
            free_call(call);
        }
    tls_trust_free(client->trust);
    client_end(&client->base);
    mem_free(client);
}

void redis_close(struct RedisClient *client)
{
    if (client == NULL)
        return;
    client->closed = true;
    if (!client->busy)
        free_client(client);
}

/* The connection is gone. Every call under way ends so; those begun meanwhile have a new one. */
static void end_all(struct RedisClient *client, enum CallEnd end, int code, const char *why)
{
    bool connected =
        client->base.open || end == CALL_RESET || end == CALL_TLS || end == CALL_PROTOCOL;
    drop_connection(client);
    client->ending = client->first;
    client->first = NULL;
    client->busy = true;
    while (client->ending != NULL && !client->closed) {
        struct RedisAnswer answer = answer_of(client->ending, end, connected);
        answer.answer.bytes = why;
        answer.answer.size = strlen(why);
        answer.answer.code = code;
        finish(client->ending, &answer);
    }
    client->busy = false;
    if (client->closed)
        free_client(client);
}

/* ---- the connection ---- */

/* By which session_kill knows ours; one that may not say it goes on without. */
static const char name_command[] = "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$9\r\nfaildrill\r\n";

static void on_opened(void *data, const char *peer)
{
    struct RedisClient *client = data;
    client->base.open = true;
    client->opened = mono_now();
    snprintf(client->peer, sizeof(client->peer), "%s", peer);
    client->reader = redisReaderCreateWithFunctions(&client->functions);
    if (client->reader == NULL)
        bug("hiredis has no memory");
    client->refusal[0] = '\0';
    client->wants_auth = client->base.endpoint.secret != NULL;
    struct Buf all = BUF(REPLY_MAX);
    if (client->wants_auth) {
        const char *words[] = {"AUTH", client->base.endpoint.user, NULL};
        int count = client->base.endpoint.user != NULL ? 3 : 2;
        words[count - 1] = environment_secret(client->base.endpoint.secret);
        char *command = NULL;
        int size = redisFormatCommandArgv(&command, count, words, NULL);
        buf_add(&all, command, (size_t)size);
        explicit_bzero(command, (size_t)size);
        redisFreeCommand(command);
    }
    client->wants_name = true;
    buf_put(&all, name_command);
    for (struct RedisCall *call = client->first; call != NULL; call = call->next) {
        buf_add(&all, call->command, call->command_size);
        redisFreeCommand(call->command);
        call->command = NULL;
    }
    stream_send(client->stream, all.text, all.size);
    explicit_bzero(all.text, all.size);
    buf_free(&all);
}

static void take_reply(struct RedisClient *client, const struct RedisArray *reply)
{
    struct RedisCall *call = client->first;
    struct RedisAnswer answer = answer_of(call, CALL_ANSWERED, true);
    answer.answer.first_byte = answer.answer.ended;
    reply_answer(reply, &answer);
    if (client->refusal[0] != '\0') {
        answer.answer.code = REDIS_ERROR;
        answer.answer.bytes = client->refusal;
        answer.answer.size = strlen(client->refusal);
    }
    finish(call, &answer);
}

/* What a Redis says to whom it lets not in: it has read nothing, and hangs up. */
static bool turns_away(const struct RedisArray *reply)
{
    return reply->type == REDIS_REPLY_ERROR &&
           (text_starts(reply->text, "DENIED") || text_starts(reply->text, "ERR max number of "));
}

/* False: the reply is none, or nobody waits for it. */
static bool take_next(struct RedisClient *client, struct RedisArray *reply)
{
    if (client->wants_auth) {
        client->wants_auth = false;
        if (reply->type == REDIS_REPLY_ERROR)
            snprintf(client->refusal, sizeof(client->refusal), "%.159s", reply->text);
        return true;
    }
    if (client->wants_name) {
        client->wants_name = false;
        if (!turns_away(reply) || client->first == NULL)
            return true;
    }
    if (client->first == NULL)
        return false;
    take_reply(client, reply);
    return true;
}

static void on_bytes(void *data, const char *bytes, size_t size)
{
    struct RedisClient *client = data;
    uint64_t connection = client->connection;
    redisReaderFeed(client->reader, bytes, size);
    client->busy = true;
    bool good = client->reader->len - client->reader->pos <= REPLY_MAX;
    while (good && !client->closed && client->connection == connection) {
        void *reply = NULL;
        good = redisReaderGetReply(client->reader, &reply) == REDIS_OK;
        if (reply == NULL)
            break;
        good = take_next(client, reply);
        reply_free(reply);
    }
    client->busy = false;
    if (client->closed)
        free_client(client);
    else if (!good && client->connection == connection)
        end_all(client, CALL_PROTOCOL, 0, "no reply of a Redis server");
}

static void on_ended(void *data, enum CallEnd end, int code, const char *why)
{
    struct RedisClient *client = data;
    client->stream = NULL;
    end_all(client, end, code, why);
}

static void connect_it(struct RedisClient *client)
{
    const struct StreamInput input = {.loop = client->base.loop,
                                      .endpoint = &client->base.endpoint,
                                      .trust = client->trust,
                                      .deadline = {.ns = NS_NEVER}, /* the calls have theirs */
                                      .opened = on_opened,
                                      .bytes = on_bytes,
                                      .ended = on_ended,
                                      .data = client};
    client->stream = stream_open(&input);
}

/* ---- what is asked of it ---- */

struct RedisClient *redis_open(struct Loop *loop, const struct Endpoint *endpoint, struct Err *err)
{
    struct TlsTrust *trust = NULL;
    if (endpoint->tls) {
        trust = tls_trust_new(err);
        if (trust == NULL)
            return NULL;
    }
    struct RedisClient *client = mem_zero(1, sizeof(*client));
    client_begin(&client->base, &redis_client, loop, endpoint);
    client->trust = trust;
    client->functions = reply_functions();
    return client;
}

struct Call *redis_call(struct RedisClient *client, const char *const *words, struct Mono deadline,
                        CallDone *done, void *data)
{
    struct RedisCall *call = mem_zero(1, sizeof(*call));
    *call = (struct RedisCall){.call = {.cancel = cancel},
                               .client = client,
                               .done = done,
                               .data = data,
                               .started = mono_now()};
    int count = 0;
    while (words[count] != NULL)
        count++;
    int size = redisFormatCommandArgv(&call->command, count, (const char **)words, NULL);
    if (size < 0)
        bug("hiredis has no memory");
    call->command_size = (size_t)size;
    call->timer = loop_timer(client->base.loop, on_deadline, call);
    loop_timer_at(call->timer, deadline);
    struct RedisCall **at = &client->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = call;
    if (client->stream == NULL) {
        connect_it(client);
    } else if (client->base.open) {
        stream_send(client->stream, call->command, call->command_size);
        redisFreeCommand(call->command);
        call->command = NULL;
    }
    return &call->call;
}

/* ---- as one client of several kinds ---- */

static struct Client *open_client(struct Loop *loop, const struct Endpoint *endpoint,
                                  struct Err *err)
{
    return (struct Client *)redis_open(loop, endpoint, err);
}

static bool is_asked(const struct Client *client)
{
    return ((const struct RedisClient *)client)->first != NULL;
}

static void drop_client(struct Client *client)
{
    drop_connection((struct RedisClient *)client);
}

static void close_client(struct Client *client)
{
    redis_close((struct RedisClient *)client);
}

const struct ClientKind redis_client = {
    .open = open_client, .is_asked = is_asked, .drop = drop_client, .close = close_client};
