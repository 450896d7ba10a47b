/* redis_alone.h - what the files of the system `redis` share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REDIS_ALONE_H
#define FD_SYSTEMS_REDIS_ALONE_H

#include "redis_system.h"

enum { ALONE_HOSTS_MAX = 64 };

struct AloneConfig {
    struct RedisAccess access; /* first, and all */
};
struct RedisAlone {
    struct RedisSystem redis; /* first, and all */
};
void alone_failover(void *system, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data);

#endif
