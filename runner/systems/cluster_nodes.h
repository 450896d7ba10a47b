/* cluster_nodes.h - what CLUSTER NODES says, as rows. Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_CLUSTER_NODES_H
#define FD_SYSTEMS_CLUSTER_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLUSTER_SLOTS = 16384, CLUSTER_NODES_MAX = 128 };

struct ClusterNode {
    char id[48], address[64];
    uint16_t port;
    char primary[48];                      /* the id that a replica follows; "" = none */
    bool myself, leads, suspected, failed; /* suspected: PFAIL, by this host alone */
    bool known;                            /* past its handshake, and with an address */
    int64_t epoch;                         /* its config epoch */
    uint32_t slots;                        /* how many it has */
    bool has_slot;                         /* the one that was asked for */
};
struct ClusterView {
    struct ClusterNode nodes[CLUSTER_NODES_MAX];
    size_t count;
    bool cut; /* there were more */
};
/* False: it is no such text. */
bool cluster_nodes_read(const char *text, uint32_t slot, struct ClusterView *out);
/* NULL: nobody. */
const struct ClusterNode *cluster_owner(const struct ClusterView *view); /* of the slot */
const struct ClusterNode *cluster_myself(const struct ClusterView *view);
const struct ClusterNode *cluster_node(const struct ClusterView *view, const char *id);

/* The slot of a key, which has no {tag}. */
uint32_t cluster_slot_of(const char *key);
/* "{7}": keys that begin with it are in this slot. */
void cluster_tag(uint32_t slot, char out[16]);

#endif
