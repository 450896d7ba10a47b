/* network.h - the nft table of a fault on one host: what it catches, and what becomes of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_NETWORK_H
#define FD_FAULTS_NETWORK_H

#include "commands.h"

/* Where packets are caught. Those that come in are known by their source, the others by where they
 * go. */
enum NetHook {
    NET_HEARS,    /* all that comes in, before connection tracking and forwarding */
    NET_SAYS,     /* all that leaves */
    NET_ASKS,     /* what leaves by this host's own processes, while it can still be refused */
    NET_FORWARDS, /* what leaves by its containers */
    NET_STEERS    /* what leaves by this host's own processes, routed anew by its mark */
};
enum { NET_CATCHES_MOST = 4, NET_MATCHES_MOST = 2 };

struct NetCatch {
    enum NetHook hook;
    const char *matches[NET_MATCHES_MOST]; /* of nft, each alone is enough; none = every packet */
    const char *verdict;                   /* of nft, a statement a line */
};
struct NetFault {
    const char *what; /* for people */
    const struct Peer *peers;
    size_t peer_count; /* 0: everybody */
    struct NetCatch catches[NET_CATCHES_MOST];
    size_t catch_count;
};
/* Class K: whom it is about stands in sets whose elements the kernel takes out after FD_LEASE. Our
 * own ssh is exempt first, in both directions. */
bool network_plan(const struct NetFault *fault, const struct PlanInput *input, struct Arena *arena,
                  struct Procedure *out, struct Err *err) MUST_CHECK;

/* `direction: in, out, both`, for those kinds that have it. */
enum NetDirection { NET_IN = 1, NET_OUT = 2, NET_BOTH = 3 };
extern const struct Choice net_directions[];
/* Adds what `direction` catches, of the packets that `matches` name. */
void network_catch(struct NetFault *fault, int direction, const char *verdict);

#endif
