/* asker.h - one question an attempt, to the primary of a role or to a named server. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_ASKER_H
#define FD_PROBES_ASKER_H

#include "../runner/clients/client.h"
#include "leader.h"
#include "place.h"

/* What is left to a kind of probe: what it asks, and what it makes of the answer. */
struct AskerKind {
    const struct ClientKind *client;
    /* The call of this attempt; its done is asker_answered, its data the slot. */
    struct Call *(*ask)(const void *probe, struct Client *client, struct Mono deadline, void *slot);
    /* Of an answer: changes the reply, which is OK as it comes, where it is no good one; `detail`
     * is room for what is said of it. */
    void (*judge)(const void *probe, const struct Answer *answer, struct Reply *reply,
                  struct Buf *detail);
};
struct AskerSlot {
    struct Asker *asker;
    struct AskerSlot *next; /* of all that were used */
    struct Attempt *attempt;
    struct Leader leader;
    struct Client *client;
    struct Call *call; /* NULL while the primary is looked for */
    const struct Target *host;
};
/* The first member of such a probe; its slots are struct AskerSlot. */
struct Asker {
    const struct AskerKind *kind;
    struct Loop *loop;
    bool keep;
    struct Ways ways;         /* of a role */
    struct Endpoint endpoint; /* of a server */
    struct Place place;       /* its host */
    struct AskerSlot *used;
};
/* `server` (copied, its strings borrowed) is asked where the input has no role. */
bool asker_open(struct Asker *asker, const struct AskerKind *kind, const struct ProbeInput *input,
                struct Loop *loop, const struct Endpoint *server, struct Err *err);
void asker_close(struct Asker *asker);
void asker_answered(void *slot, const struct Answer *answer);
/* Fit a ProbeKind as they are. */
void asker_start(void *asker, void *slot, struct Attempt *attempt);
void asker_cancel(void *asker, void *slot);

#endif
