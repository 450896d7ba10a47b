/* cut.c - hosts that hear one another no more, while all else goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/sides.h"
#include "kinds.h"
#include "network.h"

enum { CUT_DROP, CUT_REJECT };
struct CutConfig {
    const struct CutFields *sides;
    struct List ports;
    int with;
};

static bool cut_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                     struct Procedure *out, struct Err *err);

static const struct Choice ways[] = {
    {"drop", CUT_DROP, "Silence: clients wait for their timeouts."},
    {"reject", CUT_REJECT, "Each packet is refused at once: clients fail fast."},
    {.name = NULL},
};
static const struct Field cut_fields[] = {
    {.name = "sides",
     .type = FIELD_RECORD,
     .offset = offsetof(struct CutConfig, sides),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .of = &CUT_RECORD,
     .example = "{between: [primary, peers]}",
     .doc = "Between whom: {between: [A, B]}, one way {from: A, to: B}, or {shape: halves, of: "
            "ROLE}; `plan` prints the edges."},
    {.name = "ports",
     .type = FIELD_LIST,
     .offset = offsetof(struct CutConfig, ports),
     .min = 1,
     .max = 32,
     .example = "[6379]",
     .doc = "Only packets from or to one of these ports."},
    {.name = "with",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct CutConfig, with),
     .choices = ways,
     .fallback = "drop",
     .example = "reject",
     .doc = "Whether packets vanish or are refused."},
    {.name = NULL}};

static void check(const void *record, const struct Node *node, struct Decode *decode)
{
    network_check_ports(&((const struct CutConfig *)record)->ports, node, decode);
}

const struct FaultKind cut_fault = {
    .name = "cut",
    .summary = "hosts hear one another no more, all or one way; our ssh is spared",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_filter = true,
    .partitions = true,
    .config = {.name = "cut",
               .doc = "A partition: each end drops what it must not hear, so nobody is told. Ends "
                      "by a kernel timer.",
               .size = sizeof(struct CutConfig),
               .fields = cut_fields,
               .check = check},
    .plan = cut_plan,
};

/* A refusal of one end must pass the other end's rules, or nobody would hear that he is refused. */
static const struct NetVerdict refuse = {.nft = "tcp flags & rst == rst accept\n"
                                                "icmp type destination-unreachable accept\n"
                                                "icmpv6 type destination-unreachable accept\n"
                                                "meta l4proto tcp counter reject with tcp reset\n"
                                                "counter reject with icmpx type port-unreachable",
                                         .chains = "-p tcp --tcp-flags RST RST -j RETURN\n"
                                                   "$icmp -j RETURN\n"
                                                   "-p tcp -j REJECT --reject-with tcp-reset\n"
                                                   "-j REJECT --reject-with $refusal",
                                         .refuses = true};
static const struct NetVerdict drop = {.nft = "counter drop", .chains = "-j DROP"};

/* Of one host: it drops what comes from its peers. */
static bool cut_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                     struct Procedure *out, struct Err *err)
{
    const struct CutConfig *cut = config;
    const char *peers = "";
    for (size_t i = 0; i < input->peer_count; i++)
        peers = arena_printf(arena, "%s%s%s", peers, i > 0 ? ", " : "", input->peers[i].host->name);
    struct NetFault fault = {.peers = input->peers,
                             .peer_count = input->peer_count,
                             .what =
                                 arena_printf(arena, "%s what comes from %s",
                                              cut->with == CUT_REJECT ? "refuse" : "drop", peers)};
    struct NetWhich which = {.direction = DIRECTION_IN, .ports = &cut->ports};
    if (input->peer_count == 0)
        return err_set(err, ERR_RULE, input->target->where, "a cut of '%s' from nobody",
                       input->target->name);
    return network_catch(&fault, which, cut->with == CUT_REJECT ? refuse : drop, arena, err) &&
           network_plan(&fault, input, arena, out, err);
}
