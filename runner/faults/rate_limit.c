/* rate_limit.c - a machine with a thin line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../schema/value.h"
#include "kinds.h"
#include "network.h"

/* The kernel meets packets that its driver has put together: none may be larger than what is
 * allowed at once, or it would never pass. */
#define BURST_BYTES 65536

struct RateLimitConfig {
    const struct Node *target;
    int64_t rate;
    int direction;
    const struct Node *to;
    struct List ports;
};

static bool rate_limit_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                            struct Procedure *out, struct Err *err);

static const struct Field rate_limit_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct RateLimitConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = "rate",
     .type = FIELD_BITS,
     .offset = offsetof(struct RateLimitConfig, rate),
     .flags = FIELD_REQUIRED,
     .min = 8000,
     .max = 100000000000,
     .example = "1Mbit/s",
     .doc =
         "How much passes, in each direction for itself; the rest is dropped. By iptables, where "
         "there is no nft, IPv4 and IPv6 count each for itself; `plan` says so."},
    {.name = "direction",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct RateLimitConfig, direction),
     .choices = net_directions,
     .fallback = "both",
     .example = "out",
     .doc = "Which packets: those that come in, that leave, or both."},
    {.name = "to",
     .type = FIELD_ANY,
     .offset = offsetof(struct RateLimitConfig, to),
     .example = "peers",
     .doc = "Only between it and these: targets, roles, a list, or `peers`, the rest of its role."},
    {.name = "ports",
     .type = FIELD_LIST,
     .offset = offsetof(struct RateLimitConfig, ports),
     .min = 1,
     .max = 32,
     .example = "[6379]",
     .doc = "Only packets from or to one of these ports."},
    {.name = NULL}};

static void check(const void *record, const struct Node *node, struct Decode *decode)
{
    network_check_ports(&((const struct RateLimitConfig *)record)->ports, node, decode);
}

const struct FaultKind rate_limit_fault = {
    .name = "rate_limit",
    .summary = "a machine's line is thin: what is above the rate is dropped; our ssh is spared",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_filter = true,
    .config = {.name = "rate_limit",
               .doc = "A thin line, by dropping what is too much: the first second and 64 KiB pass "
                      "freely. Our ssh stays; ends by a kernel timer.",
               .size = sizeof(struct RateLimitConfig),
               .fields = rate_limit_fields,
               .check = check},
    .plan = rate_limit_plan,
};

static bool rate_limit_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                            struct Procedure *out, struct Err *err)
{
    const struct RateLimitConfig *limit = config;
    char rate[32];
    number_write(FIELD_BITS, limit->rate, rate);
    struct NetFault fault = {
        .peers = input->peers,
        .peer_count = input->peer_count,
        .what = arena_printf(arena, "drop what is more than %s of the packets %s", rate,
                             limit->direction == DIRECTION_IN ? "that come in"
                             : limit->direction == DIRECTION_OUT
                                 ? "that leave"
                                 : "that come in, and of those that leave")};
    long long bytes = limit->rate / 8;
    /* hashlimit lets a packet that is larger than that pass where it has let nothing pass before.
     */
    const struct NetVerdict verdict = {
        .nft = arena_printf(arena, "limit rate over %lld bytes/second burst %d bytes counter drop",
                            bytes, BURST_BYTES),
        .chains = arena_printf(
            arena, "-m hashlimit --hashlimit-name ${meter}@ --hashlimit-above %lldb/s -j DROP",
            bytes),
        .each_family = true};
    struct NetWhich which = {.direction = (enum Direction)limit->direction, .ports = &limit->ports};
    return network_catch(&fault, which, verdict, arena, err) &&
           network_plan(&fault, input, arena, out, err);
}
