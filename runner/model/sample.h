/* sample.h - one attempt of a probe, as measured and stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_SAMPLE_H
#define FD_MODEL_SAMPLE_H

#include "../base/clock.h"
#include <stdbool.h>

enum Outcome {
    OUTCOME_OK,
    OUTCOME_FAILED,
    OUTCOME_TIMEOUT, /* only the engine says so; counts as failing; a ledger's write is then unknown
                      */
    OUTCOME_BROKEN,  /* we could not ask (no descriptor left): counts for nothing */
    OUTCOME_SKIPPED  /* only the engine: all slots busy or too late; over 1 % with BROKEN:
                        INCONCLUSIVE */
};
enum Failure {
    FAILURE_NONE,
    FAILURE_REFUSED,
    FAILURE_RESET,
    FAILURE_SLOW,
    FAILURE_READ_ONLY,
    FAILURE_WRONG_RANK,
    FAILURE_STALE,
    FAILURE_CONTENT,
    FAILURE_UNAVAILABLE,
    FAILURE_UNRESOLVED,
    FAILURE_TLS,
    FAILURE_TIMEOUT,
    FAILURE_OTHER
};
const char *outcome_name(enum Outcome outcome);
const char *failure_name(
    enum Failure failure); /* "refused", "reset", "slow" ...: classes of errors in reports */

struct Sample {
    uint32_t probe, sequence;             /* probe: index in the plan; sequence from 0, no gaps */
    struct Mono intended, started, ended; /* latency counts from intended */
    uint16_t outcome, failure;
    int32_t code; /* HTTP status, errno */
    /* Ledgers only: the write. writer 0 = no ledger. */
    uint32_t writer; /* from 1 */
    uint64_t number; /* from 1, never used twice by one writer */
    uint32_t by;     /* who answered: index + 1 of a host in the plan's hosts; 0 = unknown */
    bool connected;  /* TCP connected though no answer came: the freeze signature */
};

/* How an attempt ended, as its kind says. */
struct Reply { /* copied; borrowed for the call */
    enum Outcome outcome;
    enum Failure failure;
    int code;
    bool connected; /* TCP was connected */
    const char *by; /* address of who answered, "" where unknown */
    const char
        *detail; /* text for people, "" where none; kept for the first failure of a stretch */
};

/* What a `primary` probe saw of one host, stored beside its sample. */
struct Census {
    uint32_t probe, host; /* host: index in the role */
    struct Mono asked, answered;
    int32_t rank; /* enum Rank */
    char epoch[64], identity[64];
};

/* A number that the read-back found, or the end of one host's read-back. */
struct Found {
    uint32_t probe, host, writer;
    uint64_t number; /* host: index + 1 in the role; 0 = the primary */
};

#endif
