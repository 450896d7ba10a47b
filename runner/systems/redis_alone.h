/* redis_alone.h - what the files of the system `redis` share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REDIS_ALONE_H
#define FD_SYSTEMS_REDIS_ALONE_H

#include "redis_system.h"

enum { ALONE_HOSTS_MAX = 64 };

struct AloneConfig {
    struct RedisAccess access; /* first, and all */
};
struct Alone {
    struct RedisSystem redis; /* first */
    struct Remote *remote;
    char owes[240];      /* what a promotion of ours has yet to bring to its end; "": nothing */
    char unwritten[240]; /* what a switchover of ours could not write down; "": nothing */
};

/* What each host said when it was asked last, before anybody is promoted. */
struct HostLook {
    bool answered;
    bool refused;    /* nobody listens there: it is no primary now; not: no way leads there */
    char error[120]; /* it lives, and answers no question */
    bool leads, linked, promotable, again;
    int64_t offset; /* of what it has of the primary */
    size_t follows; /* host of the role; host_count: none of them */
    char history[48];
    char moves[32]; /* master_failover_state; "": before Redis 6.2 */
};
struct FailoverQuestion {
    struct ActQuestion act; /* first */
    struct FailoverWish wish;
    size_t waiting, best; /* hosts not heard yet; who is promoted */
    size_t primary;       /* who hands over */
    bool stopped;         /* those that refuse have said themselves that nothing runs there */
    struct Mono deadline, asked;
    struct HostLook hosts[ALONE_HOSTS_MAX];
};

extern const struct KnobTable alone_knobs; /* redis_alone_prospect.c */

/* The server itself gives up a switchover after so long, and takes writes again. */
enum { HAND_OVER_MS = 5000 };

/* ---- redis_alone_act.c, redis_alone_switch.c, redis_alone_follow.c, redis_alone_runs.c,
 * redis_alone_prospect.c, redis_rejoin.c ---- */
void alone_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data);
/* The one of `hosts` that hands over, once all of them were looked at: the only one that leads,
 * which is not to be forced; host_count: nobody. */
size_t alone_primary(const struct Role *role, const struct HostLook *hosts,
                     const struct FailoverWish *wish);
/* To whom: a linked replica of the primary; host_count, with `why` of `size` bytes: to nobody. */
size_t alone_heir(const struct Role *role, const struct HostLook *hosts, size_t primary,
                  const struct FailoverWish *wish, char *why, size_t size);
/* Has `mine->primary` hand over. As the end of a PartFn. */
bool alone_hand_over(struct FailoverQuestion *mine);
/* Whether `host` is to follow `mine->best` after it: the old primary, and who followed it. A
 * replica of a replica stays one. */
bool alone_is_moved(const struct FailoverQuestion *mine, size_t host);
/* What the host of the primary answered: yes, no (nothing was changed) or unknown. `why` holds 200
 * bytes. */
enum Known alone_switched(const struct Answer *answer, char why[200]);
/* MULTI, REPLICAOF whom port, CONFIG REWRITE, EXEC: what it is and what its file says change
 * together. `fn` is called with what EXEC answers. */
void alone_move(struct Question *question, size_t host, const char *whom, const char *port,
                PartFn *fn);
/* Whether EXEC says that all was done; else why not. `moved`: its first command was. */
bool alone_moved(const struct Answer *answer, bool *moved, char why[160]);
/* Once `leader` leads, each of `followers` is told to follow it, again and again; what is not yet
 * done stands in `owes`. Ends with the system alone. */
void alone_let_follow(struct Alone *system, size_t leader, const bool *followers);
/* Asks a host whether Redis runs there, by its `reach:`: a refused connection alone does not say
 * that it is stopped. */
void alone_ask_host(struct Question *question, size_t host, PartFn *fn);
enum Known alone_runs(const struct Answer *answer);
void alone_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
bool alone_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Commands *out, struct Err *err);
void alone_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Commands *out);

#endif
