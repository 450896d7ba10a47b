/* sentinel.h - what the files of redis_sentinel share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_SENTINEL_H
#define FD_SYSTEMS_SENTINEL_H

#include "redis_system.h"

enum { SENTINELS_MAX = 15 };

struct SentinelConfig {
    struct RedisAccess access; /* first */
    const char *master;
    struct List sentinels; /* of const char *: hosts of the environment, or host:port */
    int64_t sentinel_port;
    const char *sentinel_password;
    const struct Target
        *hosts[SENTINELS_MAX]; /* by sentinel; NULL: not a host of the environment */
};
/* Where the sentinel listens. `host` must hold 256 bytes. False: its text names no place. */
bool sentinel_endpoint(const struct SentinelConfig *config, size_t index, char host[256],
                       struct Endpoint *out);

struct Sentinel {
    struct RedisSystem redis; /* first */
    const struct SentinelConfig *config;
    struct Line **sentinels; /* as the hosts' */
    size_t sentinel_count;
    int64_t first_epoch; /* config-epoch when the failure was first looked for; -1 = not yet */
};
static inline struct Sentinel *sentinel_of(const struct Question *question)
{
    return (struct Sentinel *)question->system;
}
void ask_sentinel(struct Question *question, size_t index, PartFn *fn, const char *const *words);
void ask_sentinels(struct Question *question, PartFn *fn, const char *const *words);

extern const struct KnobTable sentinel_knobs;

/* ---- by file: sentinel_ask.c, sentinel_whole.c, sentinel_prospect.c, sentinel_act.c,
 * redis_rejoin.c ---- */
void sentinel_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void sentinel_find_primary(void *system, struct Mono deadline,
                           void (*done)(void *data, const char *address, uint16_t port),
                           void *data);
void sentinel_ask_detected(void *system, struct Mono deadline,
                           void (*done)(void *data, enum Known detected), void *data);
void sentinel_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void sentinel_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void sentinel_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data);
bool sentinel_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err);

#endif
