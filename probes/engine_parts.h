/* engine_parts.h - what the files of the engine share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_ENGINE_PARTS_H
#define FD_PROBES_ENGINE_PARTS_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "engine.h"

struct ProberProbe;

/* One slot: an attempt that runs, or the room for one. */
struct Attempt {
    struct ProberProbe *probe;
    uint32_t slot;
    bool running;
    void *memory; /* the kind's */
    struct Timer *limit;
    struct Mono deadline;
    struct Sample sample; /* of the attempt that runs */
    uint64_t last_number; /* ledgers: given so far */
};

struct ProberProbe {
    struct Prober *prober;
    const struct BoundProbe *bound;
    uint32_t index;
    struct ProbeInput input; /* the kind holds on to it */
    void *state;             /* the kind's; NULL = not open */
    struct Attempt *attempts;
    uint32_t slots, running;
    char *slot_memory;
    struct Timer *pace;
    struct Mono start; /* attempt k is due at start + k * interval */
    uint64_t next;     /* k */
    bool failing;      /* inside a stretch whose first failure was told */
};

struct ReadBack {
    struct Prober *prober;
    struct ReadBack *next;
    struct ReadBackInput input;
};

struct Prober {
    struct ProberInput input;
    struct Loop *loop;
    pthread_t thread;
    bool threaded;
    struct Queue *queue;
    _Atomic bool told; /* the conductor was woken and has not found the queue empty since */
    struct ProberProbe *probes;
    uint32_t probe_count;
    bool pausing, stopping;
    sem_t paused;
    struct ReadBack *read_backs; /* the first is under way */
};

/* Prober thread, but for attempts_open and attempts_close. */
void attempts_open(struct ProberProbe *probe); /* slots and timers */
void attempts_begin(struct ProberProbe *probe, struct Mono start);
void attempts_pause(struct ProberProbe *probe); /* no new ones */
void attempts_cancel(struct ProberProbe *probe);
void attempts_close(struct ProberProbe *probe);
void prober_put(struct Prober *prober, const struct Flight *flight);
void prober_attempt_ended(struct Prober *prober);

#endif
