/* recent.c - the last 30 s of a probe: shares, latencies, rates and codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "recent.h"

#include <stdlib.h>

#include "stretch.h"

enum { ROOM_MAX = 1 << 16 };

struct Recent {
    struct Mono started, ended;
    int64_t latency_ns; /* -1: not answered */
    int status;         /* sample_status() */
    bool counts, good;
};
struct Recents {
    struct Recent *at; /* a ring */
    uint32_t room, next, count;
};

struct Recents *recents_new(struct Arena *arena, int64_t interval_ns)
{
    struct Recents *recents = arena_zero(arena, 1, sizeof(*recents));
    int64_t room = RECENT_NS / interval_ns + 66;
    recents->room = room < ROOM_MAX ? (uint32_t)room : ROOM_MAX;
    recents->at = arena_zero(arena, recents->room, sizeof(*recents->at));
    return recents;
}

void recents_take(struct Recents *recents, const struct Sample *sample)
{
    int64_t latency = sample_answered(sample) ? mono_since(sample->intended, sample->ended) : -1;
    recents->at[recents->next] = (struct Recent){.started = sample->started,
                                                 .ended = sample->ended,
                                                 .latency_ns = latency,
                                                 .status = sample_status(sample),
                                                 .counts = sample_counts(sample),
                                                 .good = sample->outcome == OUTCOME_OK};
    recents->next = (recents->next + 1) % recents->room;
    if (recents->count < recents->room)
        recents->count++;
}

/* The n-th before the next; 1 = the last. */
static const struct Recent *recent_at(const struct Recents *recents, uint32_t n)
{
    return &recents->at[(recents->next + recents->room - n) % recents->room];
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static struct Mono begin_of(struct Mono floor, struct Mono now)
{
    struct Mono first = mono_add(now, -RECENT_NS);
    return mono_before(first, floor) ? floor : first;
}

void recents_now(const struct Recents *recents, struct Mono floor, struct Mono now,
                 struct RecentNow *out)
{
    const struct Mono first = begin_of(floor, now);
    int64_t *latencies = mem_zero(recents->count + 1, sizeof(*latencies));
    size_t answered = 0;
    *out = (struct RecentNow){.counted = 0};
    for (uint32_t n = 1; n <= recents->count; n++) {
        const struct Recent *recent = recent_at(recents, n);
        if (mono_before(recent->ended, first))
            break;
        out->counted += recent->counts;
        out->failed += recent->counts && !recent->good;
        if (recent->latency_ns >= 0)
            latencies[answered++] = recent->latency_ns;
    }
    if (answered > 1)
        qsort(latencies, answered, sizeof(*latencies), compare_ns);
    out->p50_ns = sorted_percentile(latencies, answered, 50);
    out->p95_ns = sorted_percentile(latencies, answered, 95);
    out->p99_ns = sorted_percentile(latencies, answered, 99);
    mem_free(latencies);
}

uint32_t recents_others(const struct Recents *recents, struct Mono since, struct Mono now,
                        const int *codes, size_t count)
{
    uint32_t others = 0;
    for (uint32_t n = 1; n <= recents->count; n++) {
        const struct Recent *recent = recent_at(recents, n);
        bool other = recent->counts && !mono_before(recent->started, since);
        if (mono_since(recent->ended, now) > RECENT_NS)
            break;
        for (size_t at = 0; at < count; at++)
            other = other && recent->status != codes[at];
        others += other;
    }
    return others;
}

bool recents_rate(const struct Recents *recents, struct Mono floor, struct Mono now,
                  bool good_alone, struct RateNow *out)
{
    struct Mono from = now, first = begin_of(floor, now);
    *out = (struct RateNow){.counted = 0};
    for (uint32_t n = 1; n <= recents->count; n++) {
        const struct Recent *recent = recent_at(recents, n);
        if (mono_before(now, recent->ended))
            continue;
        bool before = mono_before(recent->ended, first);
        from = before ? first : mono_min(from, recent->ended);
        if (before || (good_alone && recent->counts && !recent->good))
            break;
        out->counted += recent->counts;
        out->good += recent->good;
        out->unsure += !recent->counts;
    }
    double seconds = (double)mono_since(from, now) / 1e9;
    out->from = from;
    if (out->counted < RECENT_LEAST || seconds <= 0)
        return false;
    out->low = out->good > 0 ? (out->good - 1) / seconds : 0;
    out->high = (out->good + out->unsure + 1.0) / seconds;
    return true;
}
