/* redis_alone.h - what the files of the system `redis` share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REDIS_ALONE_H
#define FD_SYSTEMS_REDIS_ALONE_H

#include "redis_system.h"

enum { ALONE_HOSTS_MAX = 64 };

struct AloneConfig {
    struct RedisAccess access; /* first, and all */
};

/* ---- by file: redis_alone_act.c, redis_rejoin.c ---- */
void alone_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data);
bool alone_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Commands *out, struct Err *err);
void alone_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Commands *out);

#endif
