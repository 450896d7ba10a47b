/* rabbitmq_act.c - a planned move of a quorum queue's leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "rabbitmq.h"

/* A member that is silent for so long is not waited for. */
#define LOOK_NS (3 * NS_PER_S)

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
    char said[200];
    bool heard = rabbitmq_said(answer, said, sizeof(said));
    bool unsent =
        answer->end == CALL_ANSWERED && strstr(answer->bytes, "failed to connect") != NULL;
    mine->known = unsent                                    ? KNOWN_NO
                  : !heard || text_starts(said, "{timeout") ? KNOWN_UNKNOWN
                  : text_equal(said, "ok")                  ? KNOWN_YES
                                                            : KNOWN_NO;
    if (heard)
        snprintf(mine->why, sizeof(mine->why), "its leader says: %.150s", said);
    else if (unsent)
        snprintf(mine->why, sizeof(mine->why), "its node lets nobody in");
    else
        snprintf(mine->why, sizeof(mine->why), "it was sent, and the leader did not answer");
    return false;
}

static const struct RabbitmqMember *member_of(const struct Roll *roll, size_t host)
{
    return roll_kept(roll, host);
}

struct MoveRoll {
    struct Roll roll; /* first */
    const struct Target *to;
    struct Mono deadline; /* of the move */
};

/* Of those that follow who has most of the log, or who is to lead; host_count: nobody. */
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

/* Sent once, to the leader itself. It takes no command until the other one leads, half a minute at
 * most; so nobody is named who was not just seen to follow. */
static void tell_roll(struct Roll *roll)
{
    struct Rabbitmq *system = (struct Rabbitmq *)roll->system;
    const struct Role *role = roll->system->role;
    const struct Mono deadline = ((struct MoveRoll *)roll)->deadline;
    size_t leader = roll_leader(roll), next = find_next((struct MoveRoll *)roll);
    if (leader == role->host_count || next == role->host_count) {
        tell_nobody(roll, leader < role->host_count);
        return;
    }
    struct MoveAsk *mine = ask_begin(&system->elected.asking, sizeof(*mine), deadline, tell_move);
    struct Buf line = BUF(4000);
    write_move(system, member_of(roll, next)->node, &line);
    mine->done = roll->done.act;
    mine->data = roll->data;
    struct AskPart *part = ask_part(&mine->ask, leader, take_move);
    part->call = rabbitmq_eval(system, leader, line.text, deadline, ask_answered, part);
    buf_free(&line);
}

void rabbitmq_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
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
