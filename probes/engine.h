/* engine.h - the engine of attempts: sent on time, ended on time, handed on as samples. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_ENGINE_H
#define FD_PROBES_ENGINE_H

#include "../runner/base/queue.h"
#include "../runner/model/plan.h"

/* The prober thread and all its probes. Attempt k of a probe is sent at start + k * interval, on an
 * absolute timerfd, whether or not earlier ones are still waiting; all slots busy, or later than
 * two intervals (and 20 ms) = SKIPPED. At its timeout, from when it was sent, an attempt is
 * cancelled: TIMEOUT. An answer later than `under`, from when it was sent (our own lateness is not
 * the service's), is FAILED/SLOW. Sample.by counts the hosts of plan->environment. Samples leave
 * through a queue; nothing else may run on this thread. */
struct Prober;

/* What leaves the prober, in order of time of each probe. */
enum FlightType { FLIGHT_SAMPLE, FLIGHT_CENSUS, FLIGHT_DETAIL };
struct Flight {
    enum FlightType type;
    union {
        struct Sample sample;
        struct Census census;
        struct {
            uint32_t probe, sequence;
            char text[120];
        } detail; /* of the first failure of a stretch; before its sample: who has that has both */
    };
};

struct ProberInput {
    const struct Plan *plan; /* its probes; roles and configs with secrets resolved on use */
    /* Where a probe `from:` a host connects: opened beforehand by the engine (forwards). May be
     * NULL. */
    bool (*place)(void *data, uint32_t probe, const char *host, uint16_t port,
                  struct Endpoint *out);
    void *place_data;
    /* Called on the prober thread when the queue was empty before: must only wake the conductor. */
    void (*wake)(void *data);
    void *wake_data;
};
/* Opens every probe (on the caller's thread: `place` may block there) and starts the thread;
 * attempts begin at once. NULL with *err where a kind refuses. `plan` outlives it. */
struct Prober *prober_start(const struct ProberInput *input, struct Err *err) MUST_CHECK;
bool prober_take(struct Prober *prober,
                 struct Flight *out); /* conductor; false: nothing there now */
uint64_t prober_lost(
    const struct Prober *prober); /* samples that found the queue full: the run is INCONCLUSIVE */
/* No new attempts; those under way end by answer or timeout; returns when all have ended (at most
 * the longest timeout). The ledgers stay open for read-back. Conductor, blocking. */
void prober_pause(struct Prober *prober);
/* Reads a ledger back: host NULL = the primary. Results come to the callbacks on the prober thread,
 * the end last. found may be called many thousand times. Several are read one after the other;
 * after prober_stop none ends. */
struct ReadBackInput {
    uint32_t probe;
    bool tidy; /* nothing is read any more: what the ledger wrote is deleted */
    const struct Target *host;
    struct Mono deadline;
    void (*found)(void *data, uint32_t writer, uint64_t number);
    void (*done)(void *data, enum Known complete);
    void (*note)(void *data, const char *text); /* static text; NULL: nobody listens */
    void *data;
};
void prober_read_back(struct Prober *prober, const struct ReadBackInput *input);
void prober_stop(struct Prober *prober); /* closes all, joins the thread; accepts NULL */

#endif
