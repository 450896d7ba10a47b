/* probe.h - a kind of probe asks a service one question, again and again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_PROBE_H
#define FD_MODEL_PROBE_H

#include "../io/loop.h"
#include "endpoint.h"
#include "sample.h"
#include "system.h"

/* It never blocks, sleeps, retries, times or judges: the engine of attempts (probes/engine.h) says
 * when to start and when it is too late; reports say what it means. Prober thread. Several attempts
 * are in flight: the engine keeps ceil(timeout / interval) + 1 slots (2048 at most), each with
 * `slot_size` bytes of the kind's own, zeroed once; under `connection: keep` the slot's connection
 * lives there. */
struct Attempt;
struct ReadBack;
/* What a probe is opened with; outlives it. */
struct ProbeInput {
    const void *config;      /* decoded by kind->config */
    const struct Role *role; /* of kinds that name one, else NULL */
    const struct Target
        *from; /* `from:` host, else NULL; then forward_port answers where to connect */
    /* Address and port to connect to for host:port as seen from `from`: itself where from is NULL,
     * else 127.0.0.1 and the forwarded port. Never blocks; false where there is no forward for it.
     */
    bool (*place)(void *place_data, const char *host, uint16_t port, struct Endpoint *out);
    void *place_data;
    const char *run; /* the run's token: names of what it writes */
    uint32_t index;  /* of the probe in the plan */
    uint32_t slots;  /* how many there will be */
    bool keep;       /* connection: keep */
    /* A `primary` probe's sight of one host; any time during an attempt. */
    void (*census)(void *census_data, const struct Census *census);
    void *census_data;
};

struct ProbeKind {
    const char *name, *summary;
    struct Record config; /* FIELD_SUBJECT takes the value of the kind's key */
    bool needs_role; /* the subject names a role with a system: `ledger: redis`, `primary: redis` */
    bool is_ledger, is_primary;
    bool is_alert;       /* it fails where an alert fires: what `detected_within` asks of it */
    bool runs_command;   /* of the file's author, on the runner's machine: what the gate asks of */
    bool has_status;     /* a sample's code is the HTTP status of its answer */
    size_t role_offset;  /* where needs_role: offsetof a const char * in config */
    size_t under_offset; /* 1 + offsetof an int64_t in config: answers later than this are
                            FAILED/SLOW; 0 = none */
    size_t slot_size;
    const char *(*missing)(void); /* may be NULL; returns NULL, or why this machine cannot */
    void *(*open)(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
    void (*start)(void *probe, void *slot,
                  struct Attempt *attempt); /* ends in one attempt_done(), now or later */
    void (*cancel)(
        void *probe,
        void *slot); /* after it neither attempt nor loop is touched until the next start() */
    /* Ledgers only, else NULL. Every number found goes to readback_found(), the end to
     * readback_done(): KNOWN_NO if cut short. host NULL = the host that leads, itself. */
    void (*read_back)(void *probe, const struct Target *host, struct Mono deadline,
                      struct ReadBack *to);
    /* Ledgers only: what was written is deleted, once all is read back; ends in readback_done(). */
    void (*tidy)(void *probe, struct Mono deadline, struct ReadBack *to);
    void (*close)(
        void *probe); /* frees slots' connections too; not while an attempt runs; never fails */
    /* "GET https://api.example.net/healthz": what it asks, for plan and report. */
    void (*say)(const void *config, struct Buf *out);
};

/* Called by kinds. A reply FAILED with FAILURE_TIMEOUT (a client's own deadline) becomes
 * OUTCOME_TIMEOUT. */
void attempt_done(struct Attempt *attempt, const struct Reply *reply);
/* What the clients' calls get; the engine itself cancels a little later, so that they can say
 * whether they were connected. */
struct Mono attempt_deadline(const struct Attempt *attempt);
/* Ledgers: the number that this attempt writes; the engine never gives one twice. Writer = slot
 * + 1. */
uint32_t attempt_writer(const struct Attempt *attempt);
uint64_t attempt_number(struct Attempt *attempt);
void readback_found(struct ReadBack *to, uint32_t writer, uint64_t number);
void readback_done(struct ReadBack *to, enum Known complete);
void readback_note(struct ReadBack *to, const char *text); /* for people; before its end */

#endif
