/* ledger.h - numbered writes to a system, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_LEDGER_H
#define FD_MODEL_LEDGER_H

#include "../io/loop.h"
#include "endpoint.h"
#include "sample.h"

/* What a system does for the `ledger` probe, on the loop it was opened on. One ledger has one
 * connection, to the endpoint that was named last: made by its first use and again after it broke.
 * One question at a time; each ends once, in its done function, never within the function that
 * began it. */
struct LedgerInput {    /* outlives it */
    const void *config; /* the system's */
    struct Loop *loop;
    const char *run; /* the run's token */
    uint32_t probe;  /* index in the plan: names of what is written hold run, probe and writer */
};
/* OK: acknowledged. A failure says by its kind whether the write may have happened all the same. */
typedef void LedgerDone(void *data, const struct Reply *reply);
/* One numbered write; copied, but for `to`, which outlives it. */
struct LedgerWrite {
    const struct Endpoint *to;
    uint32_t writer;
    uint64_t number;
    struct Mono deadline;
    bool may_follow; /* to where a server sends it on: it stands for a client, not for one host */
    LedgerDone *done;
    void *data;
};
struct LedgerRead {
    bool of_primary; /* who does not take writes is not read: it may lag */
    void (*found)(void *data, uint32_t writer, uint64_t number);
    void (*done)(void *data, enum Known complete); /* KNOWN_NO: cut short */
    void *data;
};
struct LedgerKind {
    bool relays; /* a host that does not lead passes writes on, and acknowledges for who does */
    void *(*open)(const struct LedgerInput *input, struct Err *err);
    bool (*connected)(const void *ledger);
    void (*write)(void *ledger, const struct LedgerWrite *write);
    /* Every number of writers 1 to `writers` that is there. */
    void (*read)(void *ledger, const struct Endpoint *from, uint32_t writers, struct Mono deadline,
                 const struct LedgerRead *to);
    /* Deletes what it wrote in this run; found is not called. NULL: it goes by itself. */
    void (*tidy)(void *ledger, const struct Endpoint *at, struct Mono deadline,
                 const struct LedgerRead *to);
    void (*cancel)(void *ledger); /* no done function comes after it; the connection goes */
    void (*close)(void *ledger);
};

#endif
