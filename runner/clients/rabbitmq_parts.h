/* rabbitmq_parts.h - what the files of the client share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_RABBITMQ_PARTS_H
#define FD_CLIENTS_RABBITMQ_PARTS_H

#include "rabbitmq.h"
#include "rabbitmq_wire.h"
#include "stream.h"
#include "tls.h"

enum { RABBITMQ_QUEUE_MAX = 255, RABBITMQ_CHANNEL = 1 };

enum Incoming { MESSAGE_NONE, MESSAGE_GOT, MESSAGE_RETURNED };
/* What a reading waits for. */
enum ReadStep { READ_LOOK, READ_GET, READ_LOOK_AGAIN, READ_GIVE_BACK };

struct RabbitmqCall {
    struct Call call; /* first */
    struct RabbitmqClient *client;
    struct Timer *timer, *again; /* its end; the next look at the queue */
    CallDone *done;
    void *data;
    struct Mono started;
    char queue[RABBITMQ_QUEUE_MAX + 1];
    char *body;         /* of what is published; NULL: it reads */
    bool sent;          /* the connection was ready, and was asked */
    bool comes_back;    /* what was published; its text follows */
    RabbitmqTake *take; /* by what reads */
    enum ReadStep step;
    size_t gets;   /* unanswered */
    bool empty;    /* the queue said so */
    uint32_t held; /* of it, by us */
    bool takes;    /* some were taken out of it: how many of them are held is not known */
    bool unsure;
};

struct RabbitmqClient {
    struct Client base; /* first */
    struct TlsTrust *trust;
    struct Stream *stream; /* NULL: not connected */
    uint64_t connection;   /* counts them */
    struct Mono opened;
    char peer[48];
    struct Wire *wire;
    struct RabbitmqCall *asked; /* NULL: nothing is under way */
    struct Timer *beat;
    int64_t beat_ns; /* 0: the server wants none */
    /* The message that comes in. */
    enum Incoming incoming;
    uint64_t tag, left;
    char message[RABBITMQ_BODY_MAX + 1];
    size_t message_size;
    bool busy, closed; /* closed while busy: whoever made it busy frees it */
};

/* rabbitmq.c: ends the call under way, if there is one, with what the server said. */
void rabbitmq_answer(struct RabbitmqClient *client, int code, const char *text);
void rabbitmq_drop(struct RabbitmqClient *client);
void rabbitmq_say(struct RabbitmqClient *client, amqp_method_number_t id, void *method);

/* rabbitmq_talk.c */
void rabbitmq_greet(struct RabbitmqClient *client);
/* False: it is none that can come here. The connection may be dropped by it, and the client be
 * closed while it is busy. */
bool rabbitmq_hear(struct RabbitmqClient *client, const amqp_frame_t *frame);
void rabbitmq_ask(struct RabbitmqClient *client);  /* sends what the call under way wants */
void rabbitmq_look(struct RabbitmqClient *client); /* the beginning of a reading */

#endif
