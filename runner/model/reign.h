/* reign.h - who said "primary" from when to when: for halts and reports. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_REIGN_H
#define FD_MODEL_REIGN_H

#include "../base/arena.h"
#include "sample.h"

/* A time in which one host said "primary" and nothing else, look after look: `said` from the first
 * question to the last answer; `surely` lies within it; `perhaps` reaches to the looks beside it.
 */
struct Reign {
    uint32_t host;
    struct Moment said, surely, perhaps;
};

/* The reigns of one role's hosts, from the looks of one `primary` probe. Two looks at a host that
 * are further apart than `patience_ns`, or one that was not answered, are no neighbours: nothing is
 * known of the time between. All memory is in the arena; one thread. */
struct Reigns;
int64_t reign_patience_ns(int64_t interval_ns, int64_t timeout_ns); /* of a probe of this pace */
struct Reigns *reigns_new(struct Arena *arena, int64_t patience_ns);
/* Looks at one host come in the order in which they were asked. One that comes late after all ends
 * what is proven of a reign where it says anything but "primary", and adds nothing where it does
 * not. */
void reigns_look(struct Reigns *reigns, const struct Census *look);
/* In the order of their beginning; borrowed until the next look. */
const struct Reign *reigns_at(const struct Reigns *reigns, size_t *count);
/* The longest time with two, from `from` on; 0, 0 = none seen. Two that never said it at the same
 * time do not count. */
struct Span reigns_split(const struct Reigns *reigns, struct Mono from);
/* What of it is proven of the reign that was looked at last: nanoseconds. Who asks after every look
 * has seen all. */
int64_t reigns_split_last(const struct Reigns *reigns, struct Mono from);

#endif
