/* rabbitmq.h - a queue of one RabbitMQ, over librabbitmq's codec of AMQP 0-9-1. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_RABBITMQ_H
#define FD_CLIENTS_RABBITMQ_H

#include "../model/sample.h"
#include "client.h"

/* One connection with one channel, made by the first call and again by the call after it broke;
 * one call at a time. The endpoint's dsn is the virtual host (NULL: "/"), its user and secret those
 * of PLAIN (NULL: "guest", as a new server has them). While nothing is asked it sends heartbeats,
 * so that a server whose client is gone without a word gives back what that one held within half a
 * minute. An answer is CALL_ANSWERED also where the server refused: `bytes` says why, as
 * "404 NOT_FOUND - no queue 'x' in vhost '/'". A call that ends before its answer takes the
 * connection with it, by reset. */
struct RabbitmqClient;
enum {
    RABBITMQ_DONE = 0,
    RABBITMQ_REFUSED = 1, /* and nothing was asked: the login, the virtual host */
    RABBITMQ_NACKED = 2,  /* the queue did not take it, as far as the server knows */
    RABBITMQ_NOWHERE = 3, /* there is no such queue: it went nowhere */
    RABBITMQ_CLOSED = 4,  /* by the server while it was under way */
    RABBITMQ_UNSURE = 5   /* what was read is not all, as far as anybody knows */
};
/* The endpoint is copied. */
struct RabbitmqClient *rabbitmq_open(struct Loop *loop, const struct Endpoint *endpoint,
                                     struct Err *err);
/* Publishes a text to a queue by the default exchange; RABBITMQ_DONE: the server confirmed it, of
 * a quorum queue that a majority has it. It goes by itself after a day. */
struct Call *rabbitmq_publish(struct RabbitmqClient *client, const char *queue, const char *body,
                              struct Mono deadline, CallDone *done, void *data);
/* A message of the queue, cut at RABBITMQ_BODY_MAX: true, it is taken out of it for good; false, it
 * stays. It must not end the call. */
enum { RABBITMQ_BODY_MAX = 512 };
typedef bool RabbitmqTake(void *data, const char *body);
/* All messages of the queue, each once, until it is empty; then those that stay are given back, and
 * the connection goes. RABBITMQ_DONE: that was all of them. As long as others take from the queue,
 * or still hold what they took, nothing is read, until the deadline; nor while it is said to be
 * empty, for that is also said where nobody knows: it is to have a message of the caller's in it,
 * that stays. RABBITMQ_UNSURE: what we hold at the end is not all that is held. */
struct Call *rabbitmq_read(struct RabbitmqClient *client, const char *queue, RabbitmqTake *take,
                           struct Mono deadline, CallDone *done, void *data);
void rabbitmq_close(struct RabbitmqClient *client); /* cancels what is under way; accepts NULL */
/* As client.h has it: each of these is a struct RabbitmqClient. */
extern const struct ClientKind rabbitmq_client;

#endif
