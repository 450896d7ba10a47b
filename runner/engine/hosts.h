/* hosts.h - the hosts in use: two threads and sessions each, jobs in, answers back on the loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_HOSTS_H
#define FD_ENGINE_HOSTS_H

#include "../io/loop.h"
#include "../transports/node.h"

/* Conductor only, but for the work functions. LANE_ACT arms, fires and undoes; LANE_WATCH renews
 * and looks, over a connection of its own that is opened when first needed: while a fault is in
 * effect that is the proof that a new connection still gets through. LANE_WORK runs the user's own
 * scripts, so that no undo waits behind one; those under `always` go by LANE_WATCH, so that they
 * do not either. */
enum Lane { LANE_ACT, LANE_WATCH, LANE_WORK, LANE_COUNT };

struct Hosts;
struct HostCall {
    const struct Target *target;
    struct HostNode *node; /* in work: open */
    struct Arena *arena;   /* the lane's: what work leaves there lives as long as the Hosts */
    struct Mono deadline;  /* in work: what was asked for, counted from the start of the work */
    bool opened;           /* in done: false = no session, work was not called; err says why */
    bool lost; /* set by work: the session cannot be trusted, the next job opens a new one */
    bool ok;   /* set by work */
    struct Err err;
    void *data;
};
typedef void HostFn(struct HostCall *call);
struct HostJob {
    const struct Target *target;
    enum Lane lane;
    int64_t timeout_ns; /* of opening, and again of the work */
    HostFn *work;       /* on the lane's thread */
    HostFn *done;       /* on the loop; always comes, once */
    void *data;         /* the caller's; must outlive done */
};
struct Hosts *hosts_new(struct Loop *loop);
void hosts_do(struct Hosts *hosts, const struct HostJob *job);
/* What was asked for on this lane, of any host, gives up within 250 ms, over a connection that is
 * not used again; what is asked for later is done as ever. */
void hosts_drop(struct Hosts *hosts, enum Lane lane);
void hosts_drop_of(struct Hosts *hosts, const struct Target *target, enum Lane lane);
size_t hosts_pending(const struct Hosts *hosts);
/* Closes all sessions; waits for jobs under way (each has its deadline). Their done no longer
 * comes. */
void hosts_free(struct Hosts *hosts);

#endif
