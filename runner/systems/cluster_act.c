/* cluster_act.c - a failover, which the replica is asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "cluster.h"

/* A host that is silent for so long is not waited for. */
#define LOOK_NS (2 * NS_PER_S)

struct FailoverQuestion {
    struct ActQuestion act; /* first */
    size_t waiting;         /* hosts that have not said how far they are */
    struct FailoverWish wish;
    struct ClusterCandidate at[]; /* by host */
};

static bool take_failover(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActQuestion *mine = (struct ActQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        return act_say(mine, KNOWN_UNKNOWN, "it was sent, and the replica did not answer");
    if (answer->code == REDIS_VALUE && text_equal(answer->bytes, "OK"))
        return act_say(mine, KNOWN_YES, "");
    return act_say(mine, KNOWN_NO, answer->bytes);
}

size_t cluster_choose(const struct Role *role, const struct ClusterCandidate *at,
                      const struct FailoverWish *wish, char *why, size_t size)
{
    size_t none = role->host_count, best = none, most = none, named = none;
    for (size_t n = 0; n < role->host_count; n++) {
        bool fits = at[n].replica && (wish->forced || at[n].in_step);
        if (role->hosts[n] == wish->to)
            named = n;
        if (at[n].replica && (most == none || at[n].offset > at[most].offset))
            most = n;
        if (fits && (wish->to == NULL || role->hosts[n] == wish->to) &&
            (best == none || at[n].offset > at[best].offset))
            best = n;
    }
    why[0] = '\0';
    if (wish->to != NULL && (named == none || !at[named].answered))
        snprintf(why, size, "%.80s, which is named, does not answer", wish->to->name);
    else if (best == none)
        snprintf(why, size, "%.100s%s of the shard%s in step with its primary",
                 wish->to != NULL ? wish->to->name : "no replica",
                 wish->to != NULL ? " is no replica" : "", wish->to != NULL ? "" : " is");
    else if (wish->forced && at[most].offset > at[best].offset)
        snprintf(why, size,
                 "%.60s has more than %.60s, which is named: what it alone has would be lost",
                 role->hosts[most]->name, role->hosts[best]->name);
    else
        return best;
    return none;
}

/* Sent to one replica alone. */
static bool decide(struct FailoverQuestion *mine)
{
    const char *const words[] = {"CLUSTER", "FAILOVER", mine->wish.forced ? "FORCE" : NULL, NULL};
    const struct Role *role = mine->act.question.system->role;
    char why[200];
    size_t chosen = cluster_choose(role, mine->at, &mine->wish, why, sizeof(why));
    if (chosen == role->host_count)
        return act_say(&mine->act, KNOWN_NO, why);
    mine->act.sent = true;
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    ask_host(&mine->act.question, chosen, take_failover, words);
    return true;
}

static bool choose(struct FailoverQuestion *mine)
{
    return mine->act.sent || --mine->waiting > 0 || decide(mine);
}

static bool is_late(struct Question *question)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    return mine->act.sent || decide(mine);
}

static bool take_offset(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    char link[16] = "", offset[24] = "";
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE &&
        redis_info(answer->bytes, "master_link_status", link, sizeof(link)) &&
        redis_info(answer->bytes, "slave_repl_offset", offset, sizeof(offset)))
        mine->at[index] = (struct ClusterCandidate){.answered = true,
                                                    .replica = number_of(offset, -1) >= 0,
                                                    .in_step = text_equal(link, "up"),
                                                    .offset = number_of(offset, -1)};
    return choose(mine);
}

static bool take_nodes(struct Question *question, size_t index, const struct Answer *answer)
{
    static const char *const replication[] = {"INFO", "replication", NULL};
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    struct ClusterView view;
    bool taken = cluster_take(question, answer, &view);
    const struct ClusterNode *owner = taken ? cluster_owner(&view) : NULL;
    if (owner == NULL || !text_equal(cluster_myself(&view)->primary, owner->id)) {
        mine->at[index].answered = taken;
        return choose(mine);
    }
    ask_host(question, index, take_offset, replication);
    return true;
}

void cluster_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    const struct RedisSystem *self = system;
    size_t count = self->role->host_count;
    struct FailoverQuestion *mine = (struct FailoverQuestion *)act_begin(
        system, sizeof(*mine) + count * sizeof(mine->at[0]), deadline, done, data);
    mine->waiting = count;
    mine->wish = *wish;
    (void)act_say(&mine->act, KNOWN_NO, "no host of the cluster answers");
    ask_hosts(&mine->act.question, take_nodes, cluster_nodes_words);
    question_wait(&mine->act.question, LOOK_NS, is_late);
    question_go(&mine->act.question);
}
