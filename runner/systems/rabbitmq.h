/* rabbitmq.h - what the files of RabbitMQ share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_RABBITMQ_H
#define FD_SYSTEMS_RABBITMQ_H

#include "../base/buf.h"
#include "elected.h"
#include "remote.h"

struct RabbitmqConfig {
    const char *queue, *vhost, *user, *password, *node, *erl_call;
    int64_t port;
    bool tls, long_names;
};
/* What a node said of the queue's member there, to one question (roll_kept). */
struct RabbitmqMember {
    char state[32]; /* as Ra calls it; "" where nothing was said */
    char node[200];
    int64_t index;   /* of the log, -1 unknown; a few seconds old */
    int64_t members; /* that the queue has, by its word */
    int64_t split;   /* nodes that its own is split from until it starts anew; -1 unknown */
};
/* How far the leader was by a look; `at` 0: there was none. */
struct RabbitmqPast {
    size_t leader;
    int64_t index;
    struct Mono at;
};
struct Rabbitmq {
    struct Elected elected;      /* first */
    struct RabbitmqPast past[2]; /* the older one is old enough for all to have it */
    const struct RabbitmqConfig *config;
    struct Remote *remote;
    char *rank;    /* the expression by which a member is asked */
    unsigned name; /* as whom nodes are called */
};

/* Notes how far the leader is now. Returns how far it was long enough ago for each member that does
 * not lag to say by now that it has it: nodes say it each 5 s. -1: not known yet, as where another
 * one leads: what a former leader wrote last nobody needs to have. */
int64_t rabbitmq_was_at(struct RabbitmqPast past[2], size_t leader, int64_t index, struct Mono now);
/* Evaluates Erlang in the node of a host. `format` has %s where a queue's name goes, as the term
 * {resource, ...} that RabbitMQ knows it by; the answer holds "faildrill ..." where the expression
 * ends in such a string, see rabbitmq_said. */
struct Call *rabbitmq_eval(struct Rabbitmq *system, size_t host, const char *expression,
                           struct Mono deadline, CallDone *done, void *data);
/* What stands behind "faildrill " in the answer, cut at its size; false where nothing does. */
bool rabbitmq_said(const struct Answer *answer, char *out, size_t size);
/* Text as Erlang has a binary: "<<47,100>>". */
void rabbitmq_binary(struct Buf *out, const char *text);
/* "R = rabbit_misc:r(...), ": the queue, as the rest of an expression knows it. */
void rabbitmq_name_queue(struct Buf *out, const struct RabbitmqConfig *config);

/* ---- by file: rabbitmq_act.c, rabbitmq_prospect.c, rabbitmq_ledger.c ---- */
void rabbitmq_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data);
void rabbitmq_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
extern const struct KnobTable rabbitmq_knobs;
extern const struct LedgerKind rabbitmq_ledger;

#endif
