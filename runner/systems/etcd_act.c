/* etcd_act.c - a planned move of etcd's leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "etcd.h"

static enum Known hear_move(const struct Answer *answer, char *why, size_t size)
{
    bool answered = answer->end == CALL_ANSWERED;
    if (answered && answer->code == 200)
        return KNOWN_YES;
    snprintf(why, size, "%.*s", answered ? (int)strcspn(answer->bytes, "\r\n") : 100,
             answered ? answer->bytes : "it was sent, and the leader did not answer");
    if (answered && strstr(answer->bytes, "timed out") == NULL) /* else it may still move */
        return KNOWN_NO;
    return answer->end == CALL_REFUSED ? KNOWN_NO : KNOWN_UNKNOWN;
}

static int64_t log_index(const void *kept)
{
    return ((const struct EtcdMember *)kept)->index;
}

static struct Call *ask_move(struct Elected *elected, size_t leader, const void *next,
                             struct Mono deadline, struct AskPart *part)
{
    struct Etcd *system = (struct Etcd *)elected;
    struct Buf body = BUF(200);
    struct Json out = json_begin(&body, false);
    json_open_object(&out);
    json_put_text(&out, "targetID", ((const struct EtcdMember *)next)->id);
    json_end(&out);
    struct Call *call =
        etcd_call(&(struct EtcdRequest){.config = system->config,
                                        .http = system->http,
                                        .address = elected_address(elected->role->hosts[leader]),
                                        .path = "/v3/maintenance/transfer-leadership",
                                        .body = body.text,
                                        .port = (uint16_t)system->config->port,
                                        .deadline = deadline},
                  ask_answered, part);
    buf_free(&body);
    return call;
}

void etcd_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                   void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    static const struct ElectedMove move = {
        .look_ns = 2 * NS_PER_S, .log_index = log_index, .ask = ask_move, .hear = hear_move};
    /* `forced` or not: Raft moves nothing that is not written */
    elected_move(system, &move, wish, deadline, done, data);
}
