/* node_guard.h - what the files behind node.h know of an armed guard. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_NODE_GUARD_H
#define FD_TRANSPORTS_NODE_GUARD_H

#include "node_talk.h"

struct Guarded {
    struct Token token;
    uint32_t number;
    char boot_id[64];
    enum FaultClass ends_by;
    const char *all_clear; /* in the arena of guard_arm */
};

struct Firing {
    struct HostNode *node; /* NULL: it was closed meanwhile, and the channel with it */
    void *channel;
    struct Buf reply;
    struct Firing *next; /* of the same node */
};
/* Of a node about to be closed. The script on the host sees that its line will not come. */
void firings_lose(struct HostNode *node);
/* Starts a script that says "ready" and then waits for its line. NULL where it refused. */
struct Firing *firing_start(struct HostNode *node, const struct Buf *script, struct Mono deadline,
                            struct Err *err);

/* Runs a verb of node.sh from the fault's own folder; "fd:gone" where that is no more. */
void guard_watch_script(struct Buf *script, const struct Token *token, uint32_t number,
                        const char *verb);

#endif
