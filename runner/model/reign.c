/* reign.c - who said "primary" from when to when: for halts and reports. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reign.h"

#include <stdio.h>

#include "../base/text.h"
#include "system.h"

/* The last look at a host. */
struct Seen {
    bool any;
    struct Mono asked, answered;
    int32_t rank;
    char identity[sizeof(((struct Census *)NULL)->identity)];
    size_t reign; /* index + 1 of its last; 0 = none */
};
struct Reigns {
    struct Arena *arena;
    int64_t patience_ns;
    struct List hosts;  /* of struct Seen, by host */
    struct List reigns; /* of struct Reign */
    size_t last;        /* index + 1 of the one that was looked at last; 0 = none */
};

int64_t reign_patience_ns(int64_t interval_ns, int64_t timeout_ns)
{
    return 3 * interval_ns + timeout_ns;
}

struct Reigns *reigns_new(struct Arena *arena, int64_t patience_ns)
{
    struct Reigns *reigns = arena_zero(arena, 1, sizeof(*reigns));
    *reigns = (struct Reigns){.arena = arena, .patience_ns = patience_ns};
    return reigns;
}

static struct Seen *seen_of(struct Reigns *reigns, uint32_t host)
{
    while (reigns->hosts.count <= host)
        (void)list_add(&reigns->hosts, reigns->arena, sizeof(struct Seen));
    return (struct Seen *)reigns->hosts.items + host;
}

static struct Reign *reign_of(const struct Reigns *reigns, const struct Seen *seen)
{
    return seen->reign > 0 ? (struct Reign *)reigns->reigns.items + seen->reign - 1 : NULL;
}

static void begin_reign(struct Reigns *reigns, struct Seen *seen, const struct Reign *reign)
{
    *(struct Reign *)list_add(&reigns->reigns, reigns->arena, sizeof(*reign)) = *reign;
    seen->reign = reigns->last = reigns->reigns.count;
}

/* Whoever said something else in between may have begun anew at the last look, and what is proven
 * of the time before it is what was proven until now: who asks has that. */
static void take_late(struct Reigns *reigns, struct Seen *seen, const struct Census *look)
{
    if (look->rank == RANK_PRIMARY || seen->rank != RANK_PRIMARY)
        return;
    struct Reign *before = reign_of(reigns, seen);
    before->surely.high = before->surely.low;
    begin_reign(reigns, seen,
                &(struct Reign){.host = look->host,
                                .said = {seen->asked, seen->answered},
                                .surely = {seen->answered, seen->answered},
                                .perhaps = {seen->asked, seen->answered}});
}

static void take_in_order(struct Reigns *reigns, struct Seen *seen, const struct Census *look)
{
    bool near = seen->any && seen->rank != RANK_UNKNOWN &&
                mono_since(seen->answered, look->asked) <= reigns->patience_ns;
    bool led = near && seen->rank == RANK_PRIMARY;
    struct Reign *reign = led ? reign_of(reigns, seen) : NULL;
    if (look->rank != RANK_PRIMARY) {
        if (reign != NULL && look->rank != RANK_UNKNOWN)
            reign->perhaps.high = look->answered;
        return;
    }
    if (reign != NULL && text_equal(seen->identity, look->identity)) {
        reign->said.high = reign->perhaps.high = look->answered;
        reign->surely.high = look->asked;
        reigns->last = seen->reign;
        return;
    }
    begin_reign(reigns, seen,
                &(struct Reign){.host = look->host,
                                .said = {look->asked, look->answered},
                                .surely = {look->answered, look->answered},
                                .perhaps = {near ? seen->asked : look->asked, look->answered}});
}

void reigns_look(struct Reigns *reigns, const struct Census *look)
{
    struct Seen *seen = seen_of(reigns, look->host);
    if (seen->any && mono_before(look->asked, seen->asked)) {
        take_late(reigns, seen, look);
        return;
    }
    take_in_order(reigns, seen, look);
    seen->any = true;
    seen->asked = look->asked;
    seen->answered = look->answered;
    seen->rank = look->rank;
    snprintf(seen->identity, sizeof(seen->identity), "%s", look->identity);
}

const struct Reign *reigns_at(const struct Reigns *reigns, size_t *count)
{
    *count = reigns->reigns.count;
    return reigns->reigns.items;
}

/* ---- Two at a time ---- */
static int64_t overlap(const struct Moment *a, const struct Moment *b, struct Mono from)
{
    struct Mono low = mono_before(a->low, b->low) ? b->low : a->low;
    struct Mono high = mono_min(a->high, b->high);
    if (mono_before(low, from))
        low = from;
    int64_t length = mono_since(low, high);
    return length > 0 ? length : 0;
}

static struct Span split_of(const struct Reign *one, const struct Reign *other, struct Mono from)
{
    if (one->host == other->host || overlap(&one->said, &other->said, from) == 0)
        return (struct Span){0, 0};
    return (struct Span){overlap(&one->surely, &other->surely, from),
                         overlap(&one->perhaps, &other->perhaps, from)};
}

struct Span reigns_split(const struct Reigns *reigns, struct Mono from)
{
    struct Span longest = {0, 0};
    const struct Reign *at = reigns->reigns.items;
    for (size_t a = 0; a < reigns->reigns.count; a++) {
        for (size_t b = a + 1; b < reigns->reigns.count; b++) {
            struct Span span = split_of(&at[a], &at[b], from);
            if (span.high_ns > longest.high_ns)
                longest = span;
        }
    }
    return longest;
}

int64_t reigns_split_last(const struct Reigns *reigns, struct Mono from)
{
    const struct Reign *at = reigns->reigns.items;
    int64_t longest = 0;
    for (size_t n = 0; reigns->last > 0 && n < reigns->reigns.count; n++) {
        struct Span span = split_of(&at[reigns->last - 1], &at[n], from);
        longest = span.low_ns > longest ? span.low_ns : longest;
    }
    return longest;
}
