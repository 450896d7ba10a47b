/* cluster.h - what the files of redis_cluster share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_CLUSTER_H
#define FD_SYSTEMS_CLUSTER_H

#include "cluster_nodes.h"
#include "redis_system.h"

struct ClusterConfig {
    struct RedisAccess access; /* first */
    int64_t slot;
};
struct RedisCluster {
    struct RedisSystem redis; /* first */
    uint32_t slot;
    int64_t first_epoch; /* the shard's when the failure was first looked for; -1 = not yet */
};
static inline struct RedisCluster *cluster_of(const struct Question *question)
{
    return (struct RedisCluster *)question->system;
}
/* What CLUSTER NODES said; false where it said nothing of the kind. */
bool cluster_take(const struct Question *question, const struct Answer *answer,
                  struct ClusterView *out);
/* The address of a node as this host sees it: a host that has met nobody has no name for itself. */
const char *cluster_address(const struct Question *question, size_t index,
                            const struct ClusterNode *node);
extern const char *const cluster_nodes_words[];

extern const struct KnobTable cluster_knobs;

/* What one host says of itself before a failover. */
struct ClusterCandidate {
    bool answered;
    bool replica; /* of the shard's primary */
    bool in_step; /* its link to it is up */
    int64_t offset;
};
/* Which host is asked to take over: who is wished for, or who has most; host_count: nobody, and
 * why. By force nobody waits for what another replica alone has: it would be lost by our choice. */
size_t cluster_choose(const struct Role *role, const struct ClusterCandidate *at,
                      const struct FailoverWish *wish, char *why, size_t size);

/* ---- by file: cluster_ask.c, cluster_whole.c, cluster_prospect.c, cluster_act.c ---- */
void cluster_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data);
void cluster_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void cluster_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data);
void cluster_ask_detected(void *system, struct Mono deadline,
                          void (*done)(void *data, enum Known detected), void *data);
void cluster_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void cluster_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void cluster_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data);

#endif
