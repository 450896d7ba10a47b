/* network.h - the packets that a fault on one host catches, and what becomes of them. */
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

/* What becomes of them, in both languages, a statement a line. `chains` is of iptables, behind `-A
 * CHAIN`; it may say $icmp (a match: the destination was unreachable) and $refusal (how to say so),
 * and @ for a letter of its own chain; NULL: iptables cannot. */
struct NetVerdict {
    const char *nft, *chains;
    bool refuses;     /* iptables does so in its table filter only */
    bool each_family; /* iptables counts IPv4 and IPv6 each for itself */
};
struct NetCatch {
    enum NetHook hook;
    const char *matches[NET_MATCHES_MOST]; /* of nft, each alone is enough; none = every packet */
    const char *chains_matches;            /* the same for iptables, one a line; NULL = every one */
    struct NetVerdict verdict;
};
struct NetFault {
    const char *what; /* for people */
    const struct Peer *peers;
    size_t peer_count; /* 0: everybody */
    struct NetCatch catches[NET_CATCHES_MOST];
    size_t catch_count;
};
/* Class K: whom it is about stands in sets whose elements the kernel takes out after FD_LEASE. Our
 * own ssh is exempt first, in both directions. By nft; where that does not work, by iptables and
 * ipset. */
bool network_plan(const struct NetFault *fault, const struct PlanInput *input, struct Arena *arena,
                  struct Procedure *out, struct Err *err) MUST_CHECK;

extern const struct Choice net_directions[];
/* Which packets of the peers; NULL or no ports: every one. */
struct NetWhich {
    enum Direction direction;
    const struct List *ports; /* of const char * */
};
/* Adds what is to be caught; false with *err where a port is none. */
bool network_catch(struct NetFault *fault, struct NetWhich which, struct NetVerdict verdict,
                   struct Arena *arena, struct Err *err) MUST_CHECK;
/* The addresses of its peers that are IPv6, or are not, each once. List of const char *. */
struct List network_addresses(const struct NetFault *fault, bool six, struct Arena *arena);
/* Of a fault that flaps; the first three are texts for sh. beat puts all of its peers into the sets
 * for FD_PHASE milliseconds, wind again while they are in, peers says how many are in. */
struct NetRhythm {
    const char *beat, *wind, *peers;
    const char *count; /* how many there are */
};
void network_flap(const struct NetRhythm *rhythm, struct Flap flap, struct Procedure *procedure,
                  struct Arena *arena);
/* network_chains.c: network_plan where iptables and ipset do it. */
bool network_chains_plan(const struct NetFault *fault, const struct PlanInput *input,
                         struct Arena *arena, struct Procedure *out, struct Err *err) MUST_CHECK;
#define NET_TEXT_MOST (128U << 10)
/* How long our own ssh is spared where it is to be cut: until the fault is proven. */
#define NET_SPARED_S "10"
/* `ports:` is a list of numbers; the rule of a record that has it. */
void network_check_ports(const struct List *ports, const struct Node *node, struct Decode *decode);

#endif
