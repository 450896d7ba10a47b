/* leader.h - where the primary of a role is, asked as a client asks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_LEADER_H
#define FD_PROBES_LEADER_H

#include "place.h"

/* What a probe knows of the ways to its role's hosts; opened before the prober's thread runs. */
struct Ways {
    const struct ProbeInput *input;
    const struct Role *role;
    struct Place *at;           /* by host of the role; NULL without `from:` */
    const struct Target *fixed; /* `from:` a host of its own role: it is asked itself */
    struct Place *front;        /* a proxy, where clients go whoever leads; NULL: there is none */
};
bool ways_open(struct Ways *ways, const struct ProbeInput *input, struct Err *err);
/* The same, but never through a proxy. */
bool ways_open_direct(struct Ways *ways, const struct ProbeInput *input, struct Err *err);
void ways_close(struct Ways *ways);
/* How to connect to a host of the role from where the probe stands. Borrowed from ways. */
void ways_to(const struct Ways *ways, const struct Target *host, struct Endpoint *out);

/* One slot's eye on the system. Ends once, never within the function that begins. */
struct Leader {
    const struct Ways *ways;
    struct Loop *loop;
    void *system; /* opened by the first use */
    struct Timer *timer;
    void (*done)(void *data, const struct Endpoint *at, const struct Target *host);
    void *data;
    char address[48];
    size_t primaries; /* how many said that they are, by leader_find_last; 0: it does not know */
};
/* `at` NULL: nobody says who it is. `host` NULL: none of the role's hosts has that address, or it
 * is a proxy's. */
void leader_find(struct Leader *leader, struct Mono deadline,
                 void (*done)(void *data, const struct Endpoint *at, const struct Target *host),
                 void *data);
/* The one that decides what is lost, where several take writes (SystemKind.find_last). */
void leader_find_last(struct Leader *leader, struct Mono deadline,
                      void (*done)(void *data, const struct Endpoint *at,
                                   const struct Target *host),
                      void *data);
/* What an attempt ends with then. */
extern const struct Reply nobody_leads;
void leader_cancel(struct Leader *leader);
void leader_close(struct Leader *leader); /* also one that was never used */

#endif
