/* exhaust.c - what a host has a number of is used up: processes, descriptors, connections. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <inttypes.h>

#include "holding.h"
#include "kinds.h"

static bool exhaust_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);
static void exhaust_check(const void *record, const struct Node *node, struct Decode *decode);

static const struct Choice what_choices[] = {
    {"pids", EXHAUST_PIDS, "Processes: the tightest of the kernel's and the group's limits."},
    {"descriptors", EXHAUST_DESCRIPTORS, "Open files of the whole host (fs.file-max)."},
    {"connections", EXHAUST_CONNECTIONS, "Connections to a service, from the host itself."},
    {.name = NULL},
};

static const struct Field exhaust_fields[] = {
    HOLDING_TARGET("On which host: the name of a target, or a target written in place."),
    {.name = "what",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct ExhaustConfig, what),
     .flags = FIELD_REQUIRED,
     .choices = what_choices,
     .example = "pids",
     .doc = "What is used up."},
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct ExhaustConfig, amount.share),
     .flags = FIELD_UNSET,
     .min = 10000,
     .max = 1000000,
     .example = "95%",
     .doc =
         "How much of the limit is in use then; 64 processes, 256 descriptors stay in any case."},
    {.name = "leave",
     .type = FIELD_INT,
     .offset = offsetof(struct ExhaustConfig, amount.leave),
     .flags = FIELD_UNSET,
     .min = 64,
     .max = INT64_MAX,
     .example = "100",
     .doc = "How many stay, instead of a share."},
    {.name = "address",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ExhaustConfig, address),
     .fallback = "127.0.0.1",
     .example = "10.0.0.7",
     .doc = "Of connections: the address that the service listens at."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct ExhaustConfig, port),
     .min = 1,
     .max = 65535,
     .example = "6379",
     .doc = "Of connections: the port; never that of our own way in."},
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct ExhaustConfig, count),
     .min = 1,
     .max = 60000,
     .example = "200",
     .doc = "Of connections: how many are opened, or fewer where the service takes no more."},
    {.name = NULL}};

const struct FaultKind exhaust_fault = {
    .name = "exhaust",
    .summary = "processes, descriptors or connections are used up",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "exhaust",
               .doc = "Too many: what a host has a number of is held by one process.",
               .size = sizeof(struct ExhaustConfig),
               .fields = exhaust_fields,
               .check = exhaust_check},
    .plan = exhaust_plan,
};

static void exhaust_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct ExhaustConfig *exhaust = record;
    bool connects = exhaust->what == EXHAUST_CONNECTIONS;
    static const char *const ours[] = {"port", "count"}, *const others[] = {"share", "leave"};
    const char *const *wanted = connects ? ours : others, *const *idle = connects ? others : ours;
    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        const struct Node *given = node_get(node, idle[i]);
        if (given != NULL)
            problems_say(decode->problems, ERR_RULE, given->where,
                         connects ? "port: 6379, and count: 200" : "share: 95%, or leave: 100",
                         "`%s` has no meaning for %s", idle[i], what_choices[exhaust->what].name);
        if (connects && node_get(node, wanted[i]) == NULL)
            problems_say(decode->problems, ERR_REQUIRED, node->where, NULL,
                         "connections need a `%s`", wanted[i]);
    }
    if (!connects)
        holding_check(record, node, decode);
}

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool exhaust_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    const struct ExhaustConfig *exhaust = config;
    struct Holding holding = {.kind = "exhaust", .taking = "take until so many are left"};
    holding_say(&holding, "what", what_choices[exhaust->what].name);
    if (exhaust->what == EXHAUST_CONNECTIONS) {
        if (!is_address(exhaust->address)) {
            err_set(err, ERR_VALUE, input->target->where, "'%s' is no address", exhaust->address);
            return err_hint(err, "Write it in numbers, like 127.0.0.1 or ::1.");
        }
        holding_say(&holding, "address", exhaust->address);
        holding_say(&holding, "port", arena_printf(arena, "%" PRId64, exhaust->port));
        holding_say(&holding, "count", arena_printf(arena, "%" PRId64, exhaust->count));
    } else {
        holding_say_amount(&holding, &exhaust->amount, arena);
    }
    *out = holding_plan(&holding, input, arena);
    return true;
}
