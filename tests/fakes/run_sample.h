/* run_sample.h - makes records of runs whose truth is known: what was down, when, and how. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_RUN_SAMPLE_H
#define FD_TESTS_RUN_SAMPLE_H

#include "../../runner/model/report.h"

#define SAMPLE_BEGAN_NS (100 * NS_PER_S) /* the run's Mono at its start; its Wall is fixed too */

enum Down { DOWN_REFUSED, DOWN_FROZEN, DOWN_DROPPED };
struct Outage { /* the truth, in Mono nanoseconds */
    int64_t from_ns, to_ns;
    enum Down how;
};
struct RunSample {
    struct Arena *arena;
    uint64_t random;
    struct RunRecord record; /* what analyse() takes; run_sample_done() fills its arrays */
    struct List probes, faults, events, expectations, systems, samples, census, found, hosts,
        read_back;
    uint64_t next_number;
};

/* A run of 100 s in staging that ended well: baseline at 0, steps at 15 s, observed until 80 s. */
struct RunSample *run_sample_new(struct Arena *arena, uint64_t seed);
uint64_t run_sample_random(struct RunSample *run, uint64_t below);
/* 50 ms, timeout 2 s, hold 10 s, gap 1 s; the caller changes what it likes before attempts. */
struct RunProbe *run_sample_probe(struct RunSample *run, const char *name, const char *kind);
/* isolate on api-2, sent at `sent_ns`, proven 40 ms later, undone at `undo_ns` within 60 ms. */
struct RunFault *run_sample_fault(struct RunSample *run, int64_t sent_ns, int64_t undo_ns);
void run_sample_expect(struct RunSample *run, const char *probe, const char *word, int64_t limit);
void run_sample_event(struct RunSample *run, int64_t at_ns, const char *subject, const char *text);
uint32_t run_sample_host(struct RunSample *run, const char *name); /* index + 1 */
/* The probe's attempts over the whole run, by a service with these outages. */
void run_sample_attempts(struct RunSample *run, uint32_t probe, const struct Outage *outages,
                         size_t count);
/* Gives every write of a ledger that was acknowledged before `until_ns` to host `by`. */
void run_sample_by(struct RunSample *run, uint32_t probe, uint32_t by, int64_t from_ns,
                   int64_t until_ns);
/* Everything acknowledged is found on the primary, but what `lost` says is not. */
void run_sample_found(struct RunSample *run, uint32_t probe,
                      bool (*lost)(const struct Sample *sample, void *data), void *data);
struct RunRecord *run_sample_done(struct RunSample *run);

/* The two that one likes to look at: an API machine is lost; a Redis primary dies and 17 writes go.
 */
struct RunSample *run_sample_api(struct Arena *arena);
struct RunSample *run_sample_redis(struct Arena *arena);

#endif
