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
    char owes[240]; /* what a promotion of ours has yet to bring to its end; "": nothing */
};

extern const struct KnobTable alone_knobs; /* redis_alone_prospect.c */

/* ---- redis_alone_act.c, redis_alone_follow.c, redis_alone_runs.c, redis_alone_prospect.c,
 * redis_rejoin.c ---- */
void alone_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data);
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
