/* etcd_act.c - a planned move of etcd's leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "etcd.h"

/* A member that is silent for so long is not waited for. */
#define LOOK_NS (2 * NS_PER_S)

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

struct MoveRoll {
    struct Roll roll; /* first */
    const struct Target *to;
    struct Mono deadline; /* of the move */
};

/* Of those that vote who has most of the log, or who is to lead; host_count: nobody. */
static size_t find_next(const struct MoveRoll *mine)
{
    const struct Role *role = mine->roll.system->role;
    size_t next = role->host_count;
    for (size_t n = 0; n < role->host_count; n++)
        if (mine->roll.said[n].rank == RANK_REPLICA &&
            (mine->to == NULL || role->hosts[n] == mine->to) &&
            (next == role->host_count ||
             member_of(&mine->roll, n)->index > member_of(&mine->roll, next)->index))
            next = n;
    return next;
}

static void tell_nobody(struct Roll *roll, bool known)
{
    const struct Role *role = roll->system->role;
    const struct Target *to = ((struct MoveRoll *)roll)->to;
    char why[200] = "there is no follower that could lead";
    bool silent = false;
    for (size_t n = 0; to != NULL && n < role->host_count; n++)
        silent = silent || (role->hosts[n] == to && roll->said[n].rank == RANK_UNKNOWN);
    if (to != NULL)
        snprintf(why, sizeof(why), "%.100s%s", to->name,
                 silent ? ", which is named, does not answer" : " does not follow the leader");
    roll->done.act(roll->data, KNOWN_NO, known ? why : "no member says that it leads");
}

/* Sent once, to the leader itself. */
static void tell_roll(struct Roll *roll)
{
    struct Etcd *system = (struct Etcd *)roll->system;
    const struct Role *role = roll->system->role;
    const struct Mono deadline = ((struct MoveRoll *)roll)->deadline;
    size_t leader = roll_leader(roll), next = find_next((struct MoveRoll *)roll);
    if (leader == role->host_count || next == role->host_count) {
        tell_nobody(roll, leader < role->host_count);
        return;
    }
    struct MoveAsk *mine = ask_begin(&system->elected.asking, sizeof(*mine), deadline, tell_move);
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
                                                 .deadline = deadline},
                           ask_answered, part);
    buf_free(&body);
}

void etcd_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                   void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    /* `forced` or not: Raft moves nothing that is not written */
    struct MoveRoll *mine = roll_begin(
        system, sizeof(*mine), mono_min(mono_add(mono_now(), LOOK_NS), deadline), tell_roll);
    mine->to = wish->to;
    mine->deadline = deadline;
    mine->roll.done.act = done;
    mine->roll.data = data;
    roll_go(&mine->roll);
}
