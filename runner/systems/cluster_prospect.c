/* cluster_prospect.c - what the cluster's configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "cluster.h"
#include "redis_prospect.h"

/* How long after the fault a replica has the slots. A node is held for down once it owes an answer
 * for cluster-node-timeout; it is asked at least each half of that. Most primaries must hold it for
 * down: what they say of each other goes with their questions, each second or sooner. Then the
 * replica waits half a second, up to as much again at random, and a second for each that is further
 * than it; the votes take a moment. */
#define DELAY_NS (500 * NS_PER_MS)
#define RANK_NS NS_PER_S
#define GOSSIP_NS NS_PER_S
#define VOTES_NS (500 * NS_PER_MS)
/* CLUSTER_MF_TIMEOUT */
#define PLANNED_MOST_NS (5 * NS_PER_S)

enum { NODE_TIMEOUT, REPLICAS, LEAST_REPLICAS, MAX_LAG };
static const struct KnobRow rows[] = {
    [NODE_TIMEOUT] = {.name = "cluster-node-timeout",
                      .unit = KNOB_MS,
                      .least = NS_PER_S,
                      .usual = 15 * NS_PER_S,
                      .line = "CONFIG SET cluster-node-timeout %s"},
    [REPLICAS] = {.name = "replicas", .unit = KNOB_COUNT},
    [LEAST_REPLICAS] = REDIS_LEAST_REPLICAS,
    [MAX_LAG] = REDIS_MAX_LAG,
};

/* A primary that is cut off holds the others for down as they hold it, and stops then. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    int64_t timeout_ns = values[NODE_TIMEOUT], replicas = values[REPLICAS];
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = {0, KNOB_UNKNOWN},
                             .stays_primary = KNOWN_YES,
                             .allowed = true};
    if (timeout_ns == KNOB_UNKNOWN)
        return;
    struct Span lag = redis_acked(values[LEAST_REPLICAS], values[MAX_LAG]);
    out->acked = (struct Span){timeout_ns / 2, timeout_ns + timeout_ns / 2 + NS_PER_S};
    if (lag.high_ns != KNOB_UNKNOWN && lag.high_ns < out->acked.high_ns)
        out->acked.high_ns = lag.high_ns;
    if (lag.high_ns != KNOB_UNKNOWN && lag.low_ns < out->acked.low_ns)
        out->acked.low_ns = lag.low_ns;
    out->failover.low_ns = timeout_ns + DELAY_NS;
    out->failover.high_ns = timeout_ns + timeout_ns / 2 + GOSSIP_NS + 2 * DELAY_NS + VOTES_NS +
                            (replicas > 1 ? (replicas - 1) * RANK_NS : 0);
}

const struct KnobTable cluster_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* What one host said of the cluster; "" = nothing. */
struct NodeSays {
    bool seen, is_owner, follows; /* its view; it has the slot; it follows who has */
    size_t primaries;             /* with slots, by its view */
    char state[16], slots[16];
    int64_t current_epoch, highest_epoch, timeout_ms, validity, ping_s, behind_s;
    char full[8], reads[8], no_failover[8];
    bool link_down;
};
struct ProspectQuestion {
    struct RedisProspect redis;               /* first */
    struct NodeSays nodes[CLUSTER_NODES_MAX]; /* by host */
};

static size_t host_count(const struct ProspectQuestion *mine)
{
    return mine->redis.question.system->role->host_count;
}

static const char *host_name(const struct ProspectQuestion *mine, size_t index)
{
    return mine->redis.question.system->role->hosts[index]->name;
}

/* ---- what it comes to ---- */

static void judge_each(struct ProspectQuestion *mine)
{
    for (size_t n = 0; n < host_count(mine); n++) {
        const struct NodeSays *says = &mine->nodes[n];
        if (!says->seen)
            trap(&mine->redis, "Redis on %.100s does not answer", host_name(mine, n));
        else if (!text_equal(says->state, "ok"))
            trap(&mine->redis, "%.100s says cluster_state:%.15s: a failover would not be seen",
                 host_name(mine, n), says->state);
        else if (number_of(says->slots, 0) != CLUSTER_SLOTS)
            trap(&mine->redis, "%.100s says that %.15s of %d slots are served", host_name(mine, n),
                 says->slots, CLUSTER_SLOTS);
        else if (says->primaries < 3)
            trap(&mine->redis,
                 "there are %zu primaries with slots: fewer than three cannot outvote a lost one",
                 says->primaries);
    }
}

/* Of a replica whose link is down: how old its data may be, and then it does not stand. */
static int64_t oldest_s(const struct NodeSays *says)
{
    return says->ping_s + says->timeout_ms * says->validity / 1000;
}

/* How many replicas of the shard may be promoted. */
static size_t judge_replicas(struct ProspectQuestion *mine)
{
    size_t replicas = 0, willing = 0, fit = 0;
    for (size_t n = 0; n < host_count(mine); n++) {
        const struct NodeSays *says = &mine->nodes[n];
        if (!says->follows)
            continue;
        bool old = says->link_down && says->validity > 0 && says->behind_s > oldest_s(says);
        bool stands = !text_equal(says->no_failover, "yes");
        replicas++;
        willing += stands;
        fit += stands && !old;
        if (stands && old)
            knob(&mine->redis, "too old", "%.60s, for %lld s", host_name(mine, n),
                 (long long)says->behind_s);
    }
    if (replicas == 0)
        trap(&mine->redis, "the shard has no replica that could be promoted");
    else if (willing == 0)
        trap(&mine->redis, "cluster-replica-no-failover is yes on every replica of the shard: none "
                           "may be promoted");
    else if (fit == 0)
        trap(&mine->redis, "every replica of the shard has lost its primary for longer than "
                           "cluster-replica-validity-factor allows: none may be promoted");
    return replicas;
}

/* Who began an election that came to nothing stands again after four times the timeout. */
static void judge_elections(struct ProspectQuestion *mine, int64_t timeout_ms)
{
    int64_t current = 0, highest = 0;
    for (size_t n = 0; n < host_count(mine); n++) {
        const struct NodeSays *says = &mine->nodes[n];
        current = says->current_epoch > current ? says->current_epoch : current;
        highest = says->highest_epoch > highest ? says->highest_epoch : highest;
    }
    if (current > highest)
        knob(&mine->redis, "last election",
             "came to nothing; the next waits up to %lld s after it began",
             (long long)(4 * timeout_ms / 1000));
}

static void judge_loss(struct ProspectQuestion *mine, int64_t timeout_ms, bool bounded)
{
    snprintf(mine->redis.loss, sizeof(mine->redis.loss),
             "loss possible: a primary that is cut off takes writes for up to %lld ms%s",
             (long long)timeout_ms,
             bounded ? ", or min-replicas-max-lag" : "; min-replicas-to-write 0");
}

static void judge_owner(struct ProspectQuestion *mine, const struct NodeSays *owner,
                        const struct HostSays *host, struct Prospect *out)
{
    size_t replicas = judge_replicas(mine);
    struct Forecast forecast;
    foretell((const int64_t[]){owner->timeout_ms * NS_PER_MS, (int64_t)replicas, KNOB_UNKNOWN,
                               KNOB_UNKNOWN},
             &forecast);
    out->failover = forecast.failover;
    knob(&mine->redis, "cluster-node-timeout", "%lld", (long long)owner->timeout_ms);
    knob(&mine->redis, "replicas", "%zu", replicas);
    knob(&mine->redis, "primaries", "%zu", owner->primaries);
    knob(&mine->redis, "cluster-replica-validity-factor", "%lld", (long long)owner->validity);
    knob(&mine->redis, "cluster-require-full-coverage", "%s", owner->full);
    knob(&mine->redis, "cluster-allow-reads-when-down", "%s", owner->reads);
    judge_elections(mine, owner->timeout_ms);
    judge_primary(&mine->redis, host, out);
    judge_loss(mine, owner->timeout_ms, number_of(host->least, 0) > 0);
}

/* Started again before anybody was elected in its place, it keeps its slots, empty. */
static void judge_other_primary(struct ProspectQuestion *mine, size_t index)
{
    const struct HostSays *says = &mine->redis.hosts[index];
    bool known = says->aof[0] != '\0' && (text_equal(says->aof, "1") || says->save_known);
    if (!says->leads)
        return;
    if (!known)
        trap(&mine->redis, "the persistence of %.100s, primary of another shard, is not known",
             host_name(mine, index));
    else if (!text_equal(says->aof, "1") && says->save[0] == '\0')
        trap(&mine->redis,
             "%.100s, primary of another shard, saves nothing: once killed it would come back "
             "empty, and empty its replicas; turn on appendonly",
             host_name(mine, index));
}

static void tell_prospect(struct Question *question)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    struct Prospect prospect = {.failover = {.high_ns = NS_NEVER},
                                .planned = {.high_ns = PLANNED_MOST_NS},
                                .keys_at_risk = -1};
    size_t owners = 0;
    judge_each(mine);
    for (size_t n = 0; n < host_count(mine); n++)
        if (mine->nodes[n].is_owner && ++owners == 1)
            judge_owner(mine, &mine->nodes[n], &mine->redis.hosts[n], &prospect);
        else if (!mine->nodes[n].is_owner)
            judge_other_primary(mine, n);
    if (owners == 0)
        trap(&mine->redis, "no host says that it has slot %u",
             (unsigned)cluster_of(question)->slot);
    if (owners > 1)
        trap(&mine->redis, "%zu hosts say that they have slot %u", owners,
             (unsigned)cluster_of(question)->slot);
    prospect_tell(&mine->redis, &prospect);
}

/* ---- what they say ---- */

static struct NodeSays *says_of(struct Question *question, size_t index)
{
    return &((struct ProspectQuestion *)question)->nodes[index];
}

static bool take_nodes(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    struct NodeSays *says = says_of(question, index);
    struct ClusterView view;
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ERROR)
        trap(&mine->redis, "Redis on %.100s: %.160s", host_name(mine, index), answer->bytes);
    if (!cluster_take(question, answer, &view))
        return true;
    const struct ClusterNode *owner = cluster_owner(&view), *self = cluster_myself(&view);
    says->seen = true;
    says->is_owner = owner == self;
    says->follows = owner != NULL && text_equal(self->primary, owner->id);
    for (size_t n = 0; n < view.count; n++) {
        says->primaries += view.nodes[n].leads && view.nodes[n].slots > 0;
        if (view.nodes[n].epoch > says->highest_epoch)
            says->highest_epoch = view.nodes[n].epoch;
    }
    return true;
}

static bool take_state(struct Question *question, size_t index, const struct Answer *answer)
{
    struct NodeSays *says = says_of(question, index);
    char epoch[24] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return true;
    (void)redis_info(answer->bytes, "cluster_state", says->state, sizeof(says->state));
    (void)redis_info(answer->bytes, "cluster_slots_ok", says->slots, sizeof(says->slots));
    (void)redis_info(answer->bytes, "cluster_current_epoch", epoch, sizeof(epoch));
    says->current_epoch = number_of(epoch, 0);
    return true;
}

static bool take_link(struct Question *question, size_t index, const struct Answer *answer)
{
    struct NodeSays *says = says_of(question, index);
    char link[16] = "", since[24] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return true;
    says->link_down = redis_info(answer->bytes, "master_link_status", link, sizeof(link)) &&
                      !text_equal(link, "up");
    (void)redis_info(answer->bytes, "master_link_down_since_seconds", since, sizeof(since));
    says->behind_s = number_of(since, 0);
    return true;
}

static void take_word(const struct RedisArray *values, const char *name, char out[8])
{
    const char *value = redis_pair(values, name);
    snprintf(out, 8, "%.7s", value != NULL ? value : "");
}

static bool take_config(struct Question *question, size_t index, const struct Answer *answer)
{
    struct NodeSays *says = says_of(question, index);
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY)
        return true;
    const struct RedisArray *values = redis_array(answer);
    const char *ping = redis_pair(values, "repl-ping-replica-period");
    if (ping != NULL) {
        says->ping_s = number_of(ping, 0);
        return true;
    }
    says->timeout_ms = number_of(redis_pair(values, "cluster-node-timeout"), 0);
    says->validity = number_of(redis_pair(values, "cluster-replica-validity-factor"), 0);
    take_word(values, "cluster-require-full-coverage", says->full);
    take_word(values, "cluster-allow-reads-when-down", says->reads);
    take_word(values, "cluster-replica-no-failover", says->no_failover);
    return true;
}

void cluster_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    static const char *const state[] = {"CLUSTER", "INFO", NULL};
    static const char *const replication[] = {"INFO", "replication", NULL};
    static const char *const config[] = {"CONFIG", "GET", "cluster-*", NULL};
    static const char *const ping[] = {"CONFIG", "GET", "repl-ping-replica-period", NULL};
    struct ProspectQuestion *mine =
        prospect_begin(system, sizeof(*mine), deadline, tell_prospect, done, data);
    ask_hosts(&mine->redis.question, take_nodes, cluster_nodes_words);
    ask_hosts(&mine->redis.question, take_state, state);
    ask_hosts(&mine->redis.question, take_link, replication);
    ask_hosts(&mine->redis.question, take_config, config);
    ask_hosts(&mine->redis.question, take_config, ping);
    question_go(&mine->redis.question);
}
