/* rabbitmq_act.c - a planned move of a quorum queue's leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "rabbitmq.h"

static enum Known hear_move(const struct Answer *answer, char *why, size_t size)
{
    char said[200];
    bool heard = rabbitmq_said(answer, said, sizeof(said));
    bool unsent =
        answer->end == CALL_ANSWERED && strstr(answer->bytes, "failed to connect") != NULL;
    if (heard)
        snprintf(why, size, "its leader says: %.150s", said);
    else if (unsent)
        snprintf(why, size, "its node lets nobody in");
    else
        snprintf(why, size, "it was sent, and the leader did not answer");
    return unsent                                    ? KNOWN_NO
           : !heard || text_starts(said, "{timeout") ? KNOWN_UNKNOWN
           : text_equal(said, "ok")                  ? KNOWN_YES
                                                     : KNOWN_NO;
}

static int64_t log_index(const void *kept)
{
    return ((const struct RabbitmqMember *)kept)->index;
}

/* Asked of the leader's own Ra, and not by rabbit_quorum_queue, which asks whom the record names.
 */
static void write_move(const struct Rabbitmq *system, const char *node, struct Buf *out)
{
    rabbitmq_name_queue(out, system->config);
    buf_put(out, "{ok, A} = rabbit_amqqueue:lookup(R), {N, _} = amqqueue:get_pid(A), "
                 "lists:flatten(io_lib:format(\"faildrill ~w\", "
                 "[ra:transfer_leadership({N, node()}, {N, list_to_existing_atom(binary_to_list(");
    rabbitmq_binary(out, node);
    buf_put(out, "))})])).");
}

/* It takes no command until the other one leads, half a minute at most; so nobody is named who was
 * not just seen to follow. */
static struct Call *ask_move(struct Elected *elected, size_t leader, const void *next,
                             struct Mono deadline, struct AskPart *part)
{
    struct Rabbitmq *system = (struct Rabbitmq *)elected;
    struct Buf line = BUF(4000);
    write_move(system, ((const struct RabbitmqMember *)next)->node, &line);
    struct Call *call = rabbitmq_eval(system, leader, line.text, deadline, ask_answered, part);
    buf_free(&line);
    return call;
}

void rabbitmq_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    static const struct ElectedMove move = {
        .look_ns = 3 * NS_PER_S, .log_index = log_index, .ask = ask_move, .hear = hear_move};
    /* `forced` or not: Raft moves nothing that is not written */
    elected_move(system, &move, wish, deadline, done, data);
}
