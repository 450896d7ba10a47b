/* halt.h - whether a halt rule is broken by what is known so far. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_HALT_H
#define FD_MODEL_HALT_H

#include "bound.h"
#include "stretch.h"

/* A bound of `halt`, read once. */
struct HaltRule {
    const struct Expectation *bound; /* borrowed */
    struct RateLimit rate;           /* of min_rate */
    int codes[STATUSES_MOST];        /* of status_only */
    size_t code_count;
    bool before_read;
    bool before_known;     /* false: too little was asked */
    struct RateNow before; /* up to the first fault, since the last attempt that failed */
};
void halt_rule_read(const struct Expectation *bound, struct HaltRule *out);

struct HaltSeen {
    const struct StretchMachine *machine; /* of the rule's probe */
    struct Mono since, now;               /* the first fault was sent; this moment */
    int64_t split_ns; /* the longest time with two primaries so far, as far as it is proven */
};
/* Reads the baseline's rate where the rule asks for one, when first asked: within a second of
 * `since`. A rule that cannot be asked is broken, and *why says so; else *why is NULL. */
bool halt_broken(struct HaltRule *rule, const struct HaltSeen *seen, const char **why);
/* "50 %", "2 min", "95% of before": the limit, for people. */
void halt_limit_say(const struct Expectation *bound, char *out, size_t size);

#endif
