/* cluster_whole.c - is every slot served, and has every primary its replicas. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "cluster.h"
#include "redis_whole.h"

struct WholeQuestion {
    struct RedisWhole redis; /* first */
    size_t views;            /* hosts that said who the nodes are, and that all is served */
    size_t serving;
    char shard[48];   /* id of the drilled shard's primary, by the last that said */
    size_t followers; /* of it, by their own word */
    bool disagree;    /* on who it is */
};

static void tell_whole(struct Question *question)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    struct RedisWhole *redis = &mine->redis;
    const size_t hosts = question->system->role->host_count;
    uint32_t in_sync = redis->online < redis->linked ? redis->online : redis->linked;
    size_t wanted = hosts - redis->primaries;
    redis->redundancy.in_sync = in_sync + (uint32_t)redis->primaries;
    bool all = mine->views == hosts && mine->serving == hosts && !redis->silent;
    if (mine->disagree)
        lacking(redis, "the hosts do not agree on the primary of the shard");
    if (all && mine->followers == 0)
        lacking(redis, "the primary of the shard has no replica");
    if (all && in_sync < wanted)
        lacking(redis, "%u of %zu replicas are in sync", (unsigned)in_sync, wanted);
    if (redis->redundancy.complete == KNOWN_UNKNOWN && all)
        redis->redundancy.complete = KNOWN_YES;
    if (redis->redundancy.complete == KNOWN_UNKNOWN)
        snprintf(redis->why, sizeof(redis->why), "not all hosts answer");
    whole_tell(redis);
}

static void judge_self(struct WholeQuestion *mine, const struct ClusterView *view, const char *host)
{
    const struct ClusterNode *owner = cluster_owner(view), *self = cluster_myself(view);
    if (owner == NULL) {
        lacking(&mine->redis, "%.100s knows nobody who has the shard's slot", host);
        return;
    }
    mine->disagree =
        mine->disagree || (mine->shard[0] != '\0' && !text_equal(mine->shard, owner->id));
    snprintf(mine->shard, sizeof(mine->shard), "%s", owner->id);
    mine->followers += text_equal(self->primary, owner->id);
    if (self->leads && self->slots == 0)
        lacking(&mine->redis, "%.100s is a primary without slots", host);
}

static bool take_nodes(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const char *host = question->system->role->hosts[index]->name;
    struct ClusterView view;
    if (!cluster_take(question, answer, &view)) {
        mine->redis.silent = true;
        return true;
    }
    mine->views++;
    for (size_t n = 0; n < view.count; n++)
        if (view.nodes[n].failed || view.nodes[n].suspected)
            lacking(&mine->redis, "%.100s holds %.60s for down", host, view.nodes[n].address);
    judge_self(mine, &view, host);
    return true;
}

static bool take_state(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const char *host = question->system->role->hosts[index]->name;
    char state[16] = "", slots[16] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return true;
    (void)redis_info(answer->bytes, "cluster_state", state, sizeof(state));
    (void)redis_info(answer->bytes, "cluster_slots_ok", slots, sizeof(slots));
    if (!text_equal(state, "ok"))
        lacking(&mine->redis, "%.100s says cluster_state:%.15s", host, state);
    else if (number_of(slots, 0) != CLUSTER_SLOTS)
        lacking(&mine->redis, "%.100s says that %.15s of %d slots are served", host, slots,
                CLUSTER_SLOTS);
    else
        mine->serving++;
    return true;
}

void cluster_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    static const char *const state[] = {"CLUSTER", "INFO", NULL};
    struct WholeQuestion *mine =
        whole_begin(system, sizeof(*mine), deadline, tell_whole, done, data);
    ask_hosts(&mine->redis.question, take_nodes, cluster_nodes_words);
    ask_hosts(&mine->redis.question, take_state, state);
    question_go(&mine->redis.question);
}
