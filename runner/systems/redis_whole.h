/* redis_whole.h - is all the redundancy there that one primary and its replicas have. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REDIS_WHOLE_H
#define FD_SYSTEMS_REDIS_WHOLE_H

#include "redis_system.h"

/* A system's own has this first. */
struct RedisWhole {
    struct Question question; /* first */
    struct Redundancy redundancy;
    size_t primaries, primary; /* how many say so; index of the last */
    uint32_t online;           /* replicas of primaries, by their word, that keep up */
    uint32_t linked;           /* hosts that say that their primary is reached */
    bool silent;               /* somebody did not answer */
    char why[300];
    RedundancyFn *done;
    void *data;
};
/* Asks all hosts; `size` is of the system's own. */
void *whole_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                  void (*finish)(struct Question *question), RedundancyFn *done, void *data);
/* What is missing for sure; the first counts. */
__attribute__((format(printf, 2, 3))) void lacking(struct RedisWhole *mine, const char *format,
                                                   ...);
/* One primary, and all others in sync with it. */
void whole_judge(struct RedisWhole *mine);
void whole_tell(struct RedisWhole *mine);

#endif
