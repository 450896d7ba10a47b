/* etcd_act.c - a planned move of etcd's leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "etcd.h"

struct MoveAsk {
    struct Ask ask; /* first */
    enum Known known;
    char why[200];
    void (*done)(void *data, enum Known accepted, const char *why);
    void *data;
};

static void tell_move(struct Ask *ask)
{
    struct MoveAsk *mine = (struct MoveAsk *)ask;
    mine->done(mine->data, mine->known, mine->why);
}

static bool take_move(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct MoveAsk *mine = (struct MoveAsk *)ask;
    bool answered = answer->end == CALL_ANSWERED;
    if (answered && answer->code == 200)
        mine->known = KNOWN_YES;
    else if (answered && strstr(answer->bytes, "timed out") == NULL) /* else it may still move */
        mine->known = KNOWN_NO;
    else
        mine->known = answer->end == CALL_REFUSED ? KNOWN_NO : KNOWN_UNKNOWN;
    if (mine->known != KNOWN_YES)
        snprintf(mine->why, sizeof(mine->why), "%.*s",
                 answered ? (int)strcspn(answer->bytes, "\r\n") : 100,
                 answered ? answer->bytes : "it was sent, and the leader did not answer");
    return false;
}

static const struct EtcdMember *member_of(const struct Roll *roll, size_t host)
{
    return roll_kept(roll, host);
}

/* Sent once, to the leader itself: to whom, of those that vote, has most of the log. */
static void tell_roll(struct Roll *roll)
{
    struct Etcd *system = (struct Etcd *)roll->system;
    const struct Role *role = roll->system->role;
    size_t leader = roll_leader(roll), next = role->host_count;
    for (size_t n = 0; n < role->host_count; n++)
        if (roll->said[n].rank == RANK_REPLICA &&
            (next == role->host_count || member_of(roll, n)->index > member_of(roll, next)->index))
            next = n;
    if (leader == role->host_count || next == role->host_count) {
        roll->done.act(roll->data, KNOWN_NO,
                       leader == role->host_count ? "no member says that it leads"
                                                  : "there is no follower that could lead");
        return;
    }
    struct MoveAsk *mine =
        ask_begin(&system->elected.asking, sizeof(*mine), roll->ask.deadline, tell_move);
    struct Buf body = BUF(200);
    struct Json out = json_begin(&body, false);
    json_open_object(&out);
    json_put_text(&out, "targetID", member_of(roll, next)->id);
    json_end(&out);
    mine->done = roll->done.act;
    mine->data = roll->data;
    struct AskPart *part = ask_part(&mine->ask, leader, take_move);
    part->call = etcd_call(&(struct EtcdRequest){.config = system->config,
                                                 .http = system->http,
                                                 .address = elected_address(role->hosts[leader]),
                                                 .path = "/v3/maintenance/transfer-leadership",
                                                 .body = body.text,
                                                 .port = (uint16_t)system->config->port,
                                                 .deadline = roll->ask.deadline},
                           ask_answered, part);
    buf_free(&body);
}

void etcd_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                   void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    (void)wish; /* Raft moves nothing that is not written */
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_roll);
    roll->done.act = done;
    roll->data = data;
    roll_go(roll);
}
