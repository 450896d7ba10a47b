/* stretch.h - when a probe failed, and for how long: for halts, live view and reports. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_STRETCH_H
#define FD_MODEL_STRETCH_H

#include "../base/arena.h"
#include "recent.h"

/* One failing stretch of one probe. It opens at the first attempt that failed after one that was ok
 * and closes at the first ok of an ok stretch longer than `gap` (the ok between, shorter than that,
 * belong to it). The service answered at some instant between the start and the end of a good
 * attempt and did not at some instant of a bad one; so it began within (last_good, first_bad_ended]
 * and ended within (last_bad_started, first_good_ended]. */
struct Stretch {
    struct Mono last_good; /* started; 0 = none before it */
    struct Mono first_bad_started;
    struct Mono first_bad_ended; /* the earliest end of a bad one */
    struct Mono last_bad_started;
    struct Mono
        first_good_ended;  /* the earliest end of a good one after the last bad; 0 = none yet */
    struct Span length;    /* MEASURING.md B.8; high NS_NEVER while it is open */
    uint32_t attempts;     /* that failed */
    uint32_t failures[16]; /* of them, by enum Failure */
    bool open;             /* never ended */
};

struct StretchRules {
    int64_t interval_ns, timeout_ns; /* of the probe: how long an attempt can be waited for */
    int64_t gap_ns, hold_ns;
};

/* Attempts count in the order in which they were sent. Several are in flight, so they end in
 * another order: a sample that comes before one with a smaller sequence waits until that one is
 * there, or is later than its timeout (and a second) can explain: then it is taken as lost, and
 * ignored if it comes after all. SKIPPED and BROKEN count for nothing. All memory is in the arena;
 * one thread. */
struct StretchMachine;
struct StretchMachine *stretch_new(struct Arena *arena, const struct StretchRules *rules);

/* What a sample changed; several bits where it let others go that had waited for it. */
enum StretchChange {
    STRETCH_OPENED = 1, /* stretch_last() began */
    STRETCH_CLOSED = 2, /* the one before is closed: ok for longer than `gap` */
    STRETCH_HELD = 4 /* ok for `hold`, with 3 samples or more: recovered since `first_good_ended` */
};
unsigned stretch_feed(struct StretchMachine *machine, const struct Sample *sample);
/* No more samples come: those that wait are taken. */
unsigned stretch_flush(struct StretchMachine *machine);

/* In order of time; the last may be open. Borrowed until the next feed. */
size_t stretch_count(const struct StretchMachine *machine);
const struct Stretch *stretch_at(const struct StretchMachine *machine, size_t index);

/* How it stands now, those that wait included as far as they are known: what halt rules and the
 * live view ask. Stretches that closed before `since` do not count. */
struct StretchNow {
    bool failing;        /* the last attempt that ended (in order) failed */
    bool open;           /* a stretch is open; failing, or ok for less than `gap` */
    bool held;           /* ok for `hold` */
    int64_t outage_ns;   /* of the open stretch: from its first bad attempt's start until now, or
                            until its first ok; 0 = none open */
    int64_t longest_ns;  /* the longest stretch so far, the open one included */
    int64_t downtime_ns; /* all of them */
    uint32_t stretches;
    int64_t ok_ns; /* how long it is ok as proven by samples; 0 while failing */
    uint32_t ok_count;
    enum Failure failure; /* of the last one that failed */
    int64_t latency_ns;   /* of the last one that was ok; -1 = none */
    uint32_t failed;      /* attempts that failed since `since` */
    struct RecentNow recent;
};
void stretch_now(const struct StretchMachine *machine, struct Mono since, struct Mono now,
                 struct StretchNow *out);

/* Its last 30 s, borrowed until the next feed. */
const struct Recents *stretch_recents(const struct StretchMachine *machine);

/* It got an answer, good or bad: its latency counts. */
bool sample_answered(const struct Sample *sample);
/* OK, or a failure: it counts at all. */
bool sample_counts(const struct Sample *sample);
/* The status that it was answered with in time; 0 = refused, late, or none. */
int sample_status(const struct Sample *sample);
/* Its class; a TIMEOUT is FAILURE_TIMEOUT whatever else stands there. */
enum Failure sample_failure(const struct Sample *sample);
/* The value below which `percent` of the sorted values lie (nearest rank); -1 of none. */
int64_t sorted_percentile(const int64_t *sorted, size_t count, unsigned percent);

#endif
