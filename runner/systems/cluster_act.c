/* cluster_act.c - a failover, which the replica is asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "cluster.h"

struct FailoverQuestion {
    struct ActQuestion act; /* first */
    size_t waiting;         /* hosts that have not said how far they are */
    size_t best;            /* host_count: none yet */
    int64_t offset;         /* of the best */
    bool forced;
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

/* Sent to one replica alone, the one that has most. */
static bool choose(struct FailoverQuestion *mine)
{
    const char *const words[] = {"CLUSTER", "FAILOVER", mine->forced ? "FORCE" : NULL, NULL};
    struct Question *question = &mine->act.question;
    if (--mine->waiting > 0)
        return true;
    if (mine->best == question->system->role->host_count)
        return act_say(&mine->act, KNOWN_NO, "no replica of the shard is in step with its primary");
    mine->act.sent = true;
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    ask_host(question, mine->best, take_failover, words);
    return true;
}

static bool take_offset(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    char link[16] = "", offset[24] = "";
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE &&
        redis_info(answer->bytes, "master_link_status", link, sizeof(link)) &&
        redis_info(answer->bytes, "slave_repl_offset", offset, sizeof(offset)) &&
        (mine->forced || text_equal(link, "up")) && number_of(offset, -1) > mine->offset) {
        mine->best = index;
        mine->offset = number_of(offset, -1);
    }
    return choose(mine);
}

static bool take_nodes(struct Question *question, size_t index, const struct Answer *answer)
{
    static const char *const replication[] = {"INFO", "replication", NULL};
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    struct ClusterView view;
    const struct ClusterNode *owner =
        cluster_take(question, answer, &view) ? cluster_owner(&view) : NULL;
    if (owner == NULL || !text_equal(cluster_myself(&view)->primary, owner->id))
        return choose(mine);
    ask_host(question, index, take_offset, replication);
    return true;
}

void cluster_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    const struct RedisSystem *self = system;
    struct FailoverQuestion *mine =
        (struct FailoverQuestion *)act_begin(system, sizeof(*mine), deadline, done, data);
    mine->best = mine->waiting = self->role->host_count;
    mine->offset = -1;
    mine->forced = wish->forced;
    (void)act_say(&mine->act, KNOWN_NO, "no host of the cluster answers");
    ask_hosts(&mine->act.question, take_nodes, cluster_nodes_words);
    question_go(&mine->act.question);
}
