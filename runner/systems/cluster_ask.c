/* cluster_ask.c - who has the slot: by each host, by most hosts, as a client finds out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "cluster.h"

const char *const cluster_nodes_words[] = {"CLUSTER", "NODES", NULL};
static const char *const cluster_info_words[] = {"CLUSTER", "INFO", NULL};

bool cluster_take(const struct Question *question, const struct Answer *answer,
                  struct ClusterView *out)
{
    return answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE &&
           cluster_nodes_read(answer->bytes, cluster_of(question)->slot, out);
}

const char *cluster_address(const struct Question *question, size_t index,
                            const struct ClusterNode *node)
{
    return node->address[0] != '\0' ? node->address
                                    : target_address(question->system->role->hosts[index]);
}

/* ---- one host, by its own word ---- */

struct StandingQuestion {
    struct Question question; /* first */
    struct Standing standing;
    bool seen, serves, knows; /* of the nodes, of the cluster's state, that it is known */
    char info[16];
    StandingFn *done;
    void *data;
};

/* Who holds the slot but has no majority serves nobody: it is no second primary. */
static void tell_standing(struct Question *question)
{
    struct StandingQuestion *mine = (struct StandingQuestion *)question;
    struct Standing *standing = &mine->standing;
    if (!mine->seen || !mine->knows)
        standing->rank = RANK_UNKNOWN;
    else if (standing->rank == RANK_PRIMARY && !mine->serves)
        standing->rank = RANK_OTHER;
    if (standing->rank != RANK_PRIMARY && standing->rank != RANK_UNKNOWN)
        standing->writable = KNOWN_NO;
    else if (standing->rank == RANK_PRIMARY && standing->writable == KNOWN_UNKNOWN)
        standing->writable = KNOWN_YES;
    standing->asked = question->asked;
    standing->answered = mono_now();
    mine->done(mine->data, standing);
}

static bool take_nodes(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct StandingQuestion *mine = (struct StandingQuestion *)question;
    struct ClusterView view;
    if (!cluster_take(question, answer, &view))
        return false;
    const struct ClusterNode *self = cluster_myself(&view), *owner = cluster_owner(&view);
    mine->seen = true;
    mine->standing.rank = RANK_OTHER;
    if (owner == self)
        mine->standing.rank = RANK_PRIMARY;
    else if (owner != NULL && text_equal(self->primary, owner->id))
        mine->standing.rank = RANK_REPLICA;
    snprintf(mine->standing.identity, sizeof(mine->standing.identity), "%s", self->id);
    if (owner != NULL)
        snprintf(mine->standing.epoch, sizeof(mine->standing.epoch), "%lld",
                 (long long)owner->epoch);
    return true;
}

static bool take_state(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct StandingQuestion *mine = (struct StandingQuestion *)question;
    char state[16] = "";
    mine->knows = answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE &&
                  redis_info(answer->bytes, "cluster_state", state, sizeof(state));
    mine->serves = text_equal(state, "ok");
    return mine->knows;
}

static bool take_info(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct Standing *standing = &((struct StandingQuestion *)question)->standing;
    char good[16];
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return false;
    (void)redis_info(answer->bytes, "process_id", standing->pid, sizeof(standing->pid));
    if (redis_info(answer->bytes, "min_slaves_good_slaves", good, sizeof(good)) &&
        text_equal(good, "0"))
        standing->writable = KNOWN_NO;
    return true;
}

void cluster_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data)
{
    static const char *const replication[] = {"INFO", "replication", NULL};
    static const char *const server[] = {"INFO", "server", NULL};
    const struct RedisSystem *self = system;
    struct StandingQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_standing);
    mine->standing.host = host;
    mine->done = done;
    mine->data = data;
    for (size_t n = 0; n < self->role->host_count; n++)
        if (self->role->hosts[n] == host) {
            ask_host(&mine->question, n, take_nodes, cluster_nodes_words);
            ask_host(&mine->question, n, take_state, cluster_info_words);
            ask_host(&mine->question, n, take_info, replication);
            ask_host(&mine->question, n, take_info, server);
        }
    question_go(&mine->question);
}

/* ---- the primary, by the word of most hosts ---- */

enum { NAMED_MAX = 8 };

struct ControlQuestion {
    struct Question question; /* first */
    struct {
        char address[64];
        size_t votes;
    } named[NAMED_MAX];
    size_t named_count, wanted; /* votes that decide */
    size_t winner;              /* NAMED_MAX: none yet */
    StandingFn *done;
    void *data;
};

static void tell_control(struct Question *question)
{
    const struct ControlQuestion *mine = (const struct ControlQuestion *)question;
    const struct RedisSystem *system = question->system;
    bool known = mine->winner < mine->named_count;
    struct Standing standing = {.rank = known ? RANK_PRIMARY : RANK_UNKNOWN,
                                .asked = question->asked,
                                .answered = mono_now()};
    size_t host = known ? redis_host_at(system, mine->named[mine->winner].address, NULL)
                        : system->role->host_count;
    if (host < system->role->host_count)
        standing.host = system->role->hosts[host];
    mine->done(mine->data, &standing);
}

static bool take_vote(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ControlQuestion *mine = (struct ControlQuestion *)question;
    struct ClusterView view;
    if (!cluster_take(question, answer, &view) || cluster_owner(&view) == NULL)
        return true;
    const char *address = cluster_address(question, index, cluster_owner(&view));
    size_t n = 0;
    while (n < mine->named_count && !text_equal(mine->named[n].address, address))
        n++;
    if (n == NAMED_MAX)
        return true;
    if (n == mine->named_count)
        snprintf(mine->named[mine->named_count++].address, sizeof(mine->named[n].address), "%.63s",
                 address);
    if (++mine->named[n].votes >= mine->wanted)
        mine->winner = n;
    return mine->winner == NAMED_MAX;
}

void cluster_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    const struct RedisSystem *self = system;
    struct ControlQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_control);
    mine->wanted = self->role->host_count / 2 + 1;
    mine->winner = NAMED_MAX;
    mine->done = done;
    mine->data = data;
    ask_hosts(&mine->question, take_vote, cluster_nodes_words);
    question_go(&mine->question);
}

/* ---- the primary, as a client finds it ---- */

/* As clients do: the first host that answers is believed, and who moved away says so by MOVED. */
static bool take_found(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FindQuestion *mine = (struct FindQuestion *)question;
    struct ClusterView view;
    const struct ClusterNode *owner =
        cluster_take(question, answer, &view) ? cluster_owner(&view) : NULL;
    if (owner == NULL) {
        find_at_next(mine);
        return true;
    }
    snprintf(mine->address, sizeof(mine->address), "%.63s",
             cluster_address(question, index, owner));
    mine->port = owner->port;
    return false;
}

static void ask_next(struct FindQuestion *mine)
{
    ask_host(&mine->question, mine->next++, take_found, cluster_nodes_words);
}

void cluster_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    const struct RedisSystem *self = system;
    struct FindQuestion *mine = find_begin(system, deadline, done, data);
    mine->ask_next = ask_next;
    mine->count = self->role->host_count;
    find_go(mine);
}

/* ---- the failure, by the hosts' word ---- */

struct DetectedQuestion {
    struct Question question; /* first */
    size_t answers;
    bool down;
    int64_t epoch; /* the highest of the shard's that was seen */
    void (*done)(void *data, enum Known detected);
    void *data;
};

/* Another epoch than at the first look is a failover that was too quick to be seen. */
static void tell_detected(struct Question *question)
{
    const struct DetectedQuestion *mine = (const struct DetectedQuestion *)question;
    struct RedisCluster *cluster = cluster_of(question);
    bool moved = cluster->first_epoch >= 0 && mine->epoch > cluster->first_epoch;
    if (mine->epoch > cluster->first_epoch)
        cluster->first_epoch = mine->epoch;
    enum Known detected = KNOWN_UNKNOWN;
    if (mine->down || moved)
        detected = KNOWN_YES;
    else if (mine->answers > question->system->role->host_count / 2)
        detected = KNOWN_NO;
    mine->done(mine->data, detected);
}

static bool take_suspicion(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct DetectedQuestion *mine = (struct DetectedQuestion *)question;
    struct ClusterView view;
    if (!cluster_take(question, answer, &view))
        return true;
    const struct ClusterNode *owner = cluster_owner(&view);
    mine->answers++;
    if (owner != NULL && owner->epoch > mine->epoch)
        mine->epoch = owner->epoch;
    mine->down = mine->down || (owner != NULL && (owner->suspected || owner->failed));
    return !mine->down;
}

void cluster_ask_detected(void *system, struct Mono deadline,
                          void (*done)(void *data, enum Known detected), void *data)
{
    struct DetectedQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_detected);
    mine->epoch = -1;
    mine->done = done;
    mine->data = data;
    ask_hosts(&mine->question, take_suspicion, cluster_nodes_words);
    question_go(&mine->question);
}
