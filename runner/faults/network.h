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

extern const struct Choice net_directions[];
/* Which packets of the peers; NULL or no ports: every one. */
struct NetWhich {
    enum Direction direction;
    const struct List *ports; /* of const char * */
};
/* Adds what is to be caught; false with *err where a port is none. */
bool network_catch(struct NetFault *fault, struct NetWhich which, const char *verdict,
                   struct Arena *arena, struct Err *err) MUST_CHECK;
/* `ports:` is a list of numbers; the rule of a record that has it. */
void network_check_ports(const struct List *ports, const struct Node *node, struct Decode *decode);

#endif
