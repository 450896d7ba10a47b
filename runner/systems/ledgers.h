/* ledgers.h - what ledgers share: one client, one question at a time, one end of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_LEDGERS_H
#define FD_SYSTEMS_LEDGERS_H

#include "../clients/client.h"
#include "../model/ledger.h"

/* The first member of each ledger's own struct. */
struct Ledger {
    struct LedgerInput input;
    const struct ClientKind *kind;
    struct Client *client; /* NULL until its first use */
    struct Call *call;     /* to be set by whoever begins it; its done begins by ledger_ended() */
    struct LedgerWrite write;
    struct LedgerRead to; /* of a question that is no write */
    bool writes;          /* the question under way */
    bool fails;           /* it cannot be answered: see ledger_fail_soon */
    struct Mono deadline;
    struct Timer *timer; /* for ends that need no answer */
};
/* Fit a LedgerKind as they are. */
bool ledger_connected(const void *ledger);
void ledger_cancel(void *ledger);
void ledger_close(void *ledger);
/* A LedgerKind's open, of a ledger that has `size` bytes, zeroed. */
void *ledger_new(size_t size, const struct ClientKind *kind, const struct LedgerInput *input);

/* What begins a question. False: there is no way to ask it, and it ends so by itself. */
bool ledger_begin_write(struct Ledger *ledger, const struct LedgerWrite *write);
bool ledger_begin_read(struct Ledger *ledger, const struct Endpoint *at, struct Mono deadline,
                       const struct LedgerRead *to);
/* The question goes on at another place; false as above. Nothing is under way. */
bool ledger_point(struct Ledger *ledger, const struct Endpoint *at);
/* What ends it. */
void ledger_end_write(struct Ledger *ledger, const struct Reply *reply);
void ledger_end_read(struct Ledger *ledger, bool complete);
/* There is nothing to be read: ends it soon. */
void ledger_end_soon(struct Ledger *ledger);
/* Nothing can be known of what was to be read: ends it soon, and not as complete. */
void ledger_fail_soon(struct Ledger *ledger, const struct LedgerRead *to);

#endif
