/* elected_move.c - a planned move of a leader that is asked to let another one lead. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "elected.h"

struct MoveAsk {
    struct Ask ask; /* first */
    const struct ElectedMove *move;
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
    mine->known = mine->move->hear(answer, mine->why, sizeof(mine->why));
    return false;
}

struct MoveRoll {
    struct Roll roll; /* first */
    const struct ElectedMove *move;
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
            (next == role->host_count || mine->move->log_index(roll_kept(&mine->roll, n)) >
                                             mine->move->log_index(roll_kept(&mine->roll, next))))
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
    const struct MoveRoll *asked = (struct MoveRoll *)roll;
    const struct Role *role = roll->system->role;
    size_t leader = roll_leader(roll), next = find_next(asked);
    if (leader == role->host_count || next == role->host_count) {
        tell_nobody(roll, leader < role->host_count);
        return;
    }
    struct MoveAsk *mine =
        ask_begin(&roll->system->asking, sizeof(*mine), asked->deadline, tell_move);
    mine->move = asked->move;
    mine->done = roll->done.act;
    mine->data = roll->data;
    struct AskPart *part = ask_part(&mine->ask, leader, take_move);
    part->call =
        asked->move->ask(roll->system, leader, roll_kept(roll, next), asked->deadline, part);
}

void elected_move(struct Elected *system, const struct ElectedMove *move,
                  const struct FailoverWish *wish, struct Mono deadline,
                  void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    struct MoveRoll *mine = roll_begin(
        system, sizeof(*mine), mono_min(mono_add(mono_now(), move->look_ns), deadline), tell_roll);
    mine->move = move;
    mine->to = wish->to;
    mine->deadline = deadline;
    mine->roll.done.act = done;
    mine->roll.data = data;
    roll_go(&mine->roll);
}
