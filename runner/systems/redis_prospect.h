/* redis_prospect.h - what the hosts' configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REDIS_PROSPECT_H
#define FD_SYSTEMS_REDIS_PROSPECT_H

#include "redis_system.h"

enum { KNOBS_MAX = 24, VALUE_MAX = 120 };

/* What one host said; "" = nothing. */
struct HostSays {
    bool answered, leads;
    char aof[8], loading[8], changes[24], priority[24], version[24]; /* INFO */
    int64_t keys;                                                    /* of all databases */
    bool save_known, least_known;                                    /* CONFIG GET is allowed */
    char save[VALUE_MAX], least[24], lag[24];
};
/* A system's own has this first. */
struct RedisProspect {
    struct Question question; /* first */
    struct Knob knobs[KNOBS_MAX];
    char values[KNOBS_MAX][VALUE_MAX];
    size_t knob_count;
    char not_ready[300], loss[120];
    struct HostSays *hosts; /* by host of the role */
    ProspectFn *done;
    void *data;
};
/* Asks all hosts; `size` is of the system's own. */
void *prospect_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                     void (*finish)(struct Question *question), ProspectFn *done, void *data);
__attribute__((format(printf, 3, 4))) void knob(struct RedisProspect *mine, const char *name,
                                                const char *format, ...);
/* What stands in a failover's way; the first counts. */
__attribute__((format(printf, 2, 3))) void trap(struct RedisProspect *mine, const char *format,
                                                ...);
/* Knobs and traps of one primary and its replicas; persistence and loss. */
void judge_primary(struct RedisProspect *mine, const struct HostSays *says, struct Prospect *out);
void judge_hosts(struct RedisProspect *mine, struct Prospect *out);
/* How long a primary that lost all replicas goes on acknowledging, by min-replicas-to-write and
 * min-replicas-max-lag: Forecast.acked. */
struct Span redis_acked(int64_t least, int64_t max_lag_ns);
#define REDIS_LEAST_REPLICAS                                                                       \
    {                                                                                              \
        .name = "min-replicas-to-write", .unit = KNOB_COUNT, .better = 1,                          \
        .line = "CONFIG SET min-replicas-to-write %s", .written = KNOB_COUNT                       \
    }
#define REDIS_MAX_LAG                                                                              \
    {                                                                                              \
        .name = "min-replicas-max-lag", .unit = KNOB_S, .least = 2 * NS_PER_S,                     \
        .usual = 10 * NS_PER_S, .line = "CONFIG SET min-replicas-max-lag %s", .written = KNOB_S    \
    }
void prospect_tell(struct RedisProspect *mine, struct Prospect *prospect);

#endif
