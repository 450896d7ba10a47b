/* loss.c - a share of the packets of a machine is lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../schema/value.h"
#include "kinds.h"
#include "network.h"

#define SHARE_WHOLE 1000000LL

struct LossConfig {
    const struct Node *target;
    int64_t share;
    int direction;
    const struct Node *to;
    struct List ports;
};

static bool loss_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err);

static const struct Field loss_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct LossConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct LossConfig, share),
     .flags = FIELD_REQUIRED,
     .min = 1000,
     .max = 1000000,
     .example = "20%",
     .doc = "How many of the packets are lost, each for itself by chance."},
    {.name = "direction",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct LossConfig, direction),
     .choices = net_directions,
     .fallback = "in",
     .example = "both",
     .doc = "Which packets: those that come in, that leave, or both."},
    {.name = "to",
     .type = FIELD_ANY,
     .offset = offsetof(struct LossConfig, to),
     .example = "peers",
     .doc = "Only between it and these: targets, roles, a list, or `peers`, the rest of its role."},
    {.name = "ports",
     .type = FIELD_LIST,
     .offset = offsetof(struct LossConfig, ports),
     .min = 1,
     .max = 32,
     .example = "[6379]",
     .doc = "Only packets from or to one of these ports."},
    {.name = NULL}};

static void check(const void *record, const struct Node *node, struct Decode *decode)
{
    network_check_ports(&((const struct LossConfig *)record)->ports, node, decode);
}

const struct FaultKind loss_fault = {
    .name = "loss",
    .summary = "a share of a machine's packets is lost, as on a bad line; our ssh is spared",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_filter = true,
    .config = {.name = "loss",
               .doc = "Packets get lost by chance. Our ssh stays; ends by a kernel timer.",
               .size = sizeof(struct LossConfig),
               .fields = loss_fields,
               .check = check},
    .plan = loss_plan,
};

static bool loss_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err)
{
    const struct LossConfig *loss = config;
    char share[32];
    number_write(FIELD_SHARE, loss->share, share);
    struct NetFault fault = {.peers = input->peers,
                             .peer_count = input->peer_count,
                             .what = arena_printf(arena, "drop %s of the packets %s", share,
                                                  loss->direction == DIRECTION_IN ? "that come in"
                                                  : loss->direction == DIRECTION_OUT
                                                      ? "that leave"
                                                      : "that come in, and of those that leave")};
    /* nft refuses a number that is never reached. */
    struct NetVerdict verdict = {.nft = "counter drop", .chains = "-j DROP"};
    if (loss->share < SHARE_WHOLE) {
        verdict.nft = arena_printf(arena, "numgen random mod %lld < %lld counter drop", SHARE_WHOLE,
                                   (long long)loss->share);
        verdict.chains =
            arena_printf(arena, "-m statistic --mode random --probability 0.%06lld -j DROP",
                         (long long)loss->share);
    }
    struct NetWhich which = {.direction = (enum Direction)loss->direction, .ports = &loss->ports};
    return network_catch(&fault, which, verdict, arena, err) &&
           network_plan(&fault, input, arena, out, err);
}
