/* recent.h - the last 30 s of a probe: shares, latencies, rates and codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_RECENT_H
#define FD_MODEL_RECENT_H

#include "../base/arena.h"
#include "sample.h"

#define RECENT_NS (30 * NS_PER_S)
enum { RECENT_LEAST = 3 }; /* attempts before a share or a rate of them means something */

/* Every sample of the last 30 s. All memory is in the arena; one thread. */
struct Recents;
struct Recents *recents_new(struct Arena *arena, int64_t interval_ns);
/* In the order in which they ended; SKIPPED and BROKEN too. */
void recents_take(struct Recents *recents, const struct Sample *sample);

/* What ended in the 30 s before `now`, and not before `floor`. */
struct RecentNow {
    uint32_t counted, failed;
    int64_t p50_ns, p95_ns, p99_ns; /* of answered requests; -1 = none */
};
void recents_now(const struct Recents *recents, struct Mono floor, struct Mono now,
                 struct RecentNow *out);

/* Attempts that were sent since `since`, ended in the 30 s before `now` and have no answer with one
 * of these codes: refused, late and not answered are others too. */
uint32_t recents_others(const struct Recents *recents, struct Mono since, struct Mono now,
                        const int *codes, size_t count);

/* Good answers a second over the 30 s before `now`, or as much of them as the probe has asked in.
 * Each end may have missed one answer of the rhythm or caught one more; what was skipped or broken
 * may have been good. */
struct RateNow {
    uint32_t counted, good, unsure;
    double low, high;
    struct Mono from; /* where the time begins that it is over */
};
/* False: fewer than RECENT_LEAST attempts count, and the rate is not known. good_alone: only since
 * the last one that failed. What ended before `floor` does not count. */
bool recents_rate(const struct Recents *recents, struct Mono floor, struct Mono now,
                  bool good_alone, struct RateNow *out);

#endif
