/* exhaust.c - what a host has a number of is used up: processes, descriptors, connections. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <inttypes.h>

#include "database.h"
#include "kinds.h"

#define SESSIONS_MOST 1000
#define TICKS_PER_S 100 /* of the host's clock since boot */

static bool exhaust_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);
static void exhaust_check(const void *record, const struct Node *node, struct Decode *decode);

static const struct Choice what_choices[] = {
    {"pids", EXHAUST_PIDS, "Processes: the tightest of the kernel's and the group's limits."},
    {"descriptors", EXHAUST_DESCRIPTORS, "Open files of the whole host (fs.file-max)."},
    {"connections", EXHAUST_CONNECTIONS, "Connections to a service, from the host itself."},
    {"sessions", EXHAUST_SESSIONS,
     "Sessions of the host's own PostgreSQL, logged in; its reserved connections stay free."},
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
     .doc = "Of connections: the port, never that of our own way in; of sessions: without it, what "
            "the role says, or 5432."},
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct ExhaustConfig, count),
     .min = 1,
     .max = 60000,
     .example = "200",
     .doc = "Of connections and sessions: how many are opened, or fewer where no more can be had; "
            "of sessions 1000 at the most."},
    {.name = "ramp",
     .type = FIELD_DURATION,
     .offset = offsetof(struct ExhaustConfig, ramp_ns),
     .fallback = "0s",
     .min = 0,
     .max = 3600 * NS_PER_S,
     .example = "15m",
     .doc = "Of connections and sessions: from the first step to the last; the timeline says how "
            "many are held."},
    {.name = "ramp_steps",
     .type = FIELD_INT,
     .offset = offsetof(struct ExhaustConfig, ramp_steps),
     .fallback = "1",
     .min = 1,
     .max = 500,
     .example = "15",
     .doc = "In how many equal steps they come."},
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

static void check_ramp(const struct ExhaustConfig *exhaust, const struct Node *node,
                       struct Decode *decode)
{
    const struct Node *ramp = node_get(node, "ramp"), *steps = node_get(node, "ramp_steps");
    if (exhaust->ramp_ns > 0 && exhaust->ramp_steps == 1)
        problems_say(decode->problems, ERR_RULE, ramp->where, "ramp_steps: 15",
                     "`ramp` has no meaning in one step");
    if (exhaust->ramp_steps > 1 && exhaust->ramp_ns == 0)
        problems_say(decode->problems, ERR_RULE, steps->where, "ramp: 15m",
                     "`ramp_steps` has no meaning without `ramp`");
    else if (exhaust->count > 0 && exhaust->ramp_steps > exhaust->count)
        problems_say(decode->problems, ERR_RULE, steps->where,
                     "take as many steps as `count`, or fewer",
                     "a step of the ramp would take nothing");
}

static void exhaust_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct ExhaustConfig *exhaust = record;
    const char *what = what_choices[exhaust->what].name;
    bool sessions = exhaust->what == EXHAUST_SESSIONS;
    bool counts = sessions || exhaust->what == EXHAUST_CONNECTIONS;
    static const char *const ours[] = {"count", "port", "ramp", "ramp_steps"};
    static const char *const others[] = {"share", "leave"};
    const char *const *idle = counts ? others : ours;
    size_t idle_count = counts ? COUNT_OF(others) : COUNT_OF(ours);
    for (size_t i = 0; i < idle_count; i++) {
        const struct Node *given = node_get(node, idle[i]);
        if (given != NULL)
            problems_say(decode->problems, ERR_RULE, given->where,
                         counts ? "port: 6379, and count: 200" : "share: 95%, or leave: 100",
                         "`%s` has no meaning for %s", idle[i], what);
    }
    for (size_t i = 0; counts && i < (sessions ? 1U : 2U); i++)
        if (node_get(node, ours[i]) == NULL)
            problems_say(decode->problems, ERR_REQUIRED, node->where, NULL, "%s need a `%s`", what,
                         ours[i]);
    if (sessions && exhaust->count > SESSIONS_MOST)
        problems_say(decode->problems, ERR_VALUE, node_get(node, "count")->where,
                     "take `what: connections`, which need no memory each",
                     "%d sessions are the most", SESSIONS_MOST);
    if (!counts)
        holding_check(record, node, decode);
    else
        check_ramp(exhaust, node, decode);
}

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool say_ramp(const struct ExhaustConfig *exhaust, const struct PlanInput *input,
                     struct Arena *arena, struct Holding *holding, struct Err *err)
{
    if (exhaust->ramp_ns > 0 && input->hold_ns >= 0 && exhaust->ramp_ns >= input->hold_ns) {
        err_set(err, ERR_RULE, input->target->where,
                "they are released before all %" PRId64 " are held", exhaust->count);
        return err_hint(err, "Let `for` be longer than `ramp`.");
    }
    const struct {
        const char *word;
        int64_t value;
    } numbers[] = {{"count", exhaust->count},
                   {"ramp", exhaust->ramp_ns / (NS_PER_S / TICKS_PER_S)},
                   {"steps", exhaust->ramp_steps}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        holding_say(holding, numbers[i].word, arena_printf(arena, "%" PRId64, numbers[i].value));
    return true;
}

static bool exhaust_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    const struct ExhaustConfig *exhaust = config;
    const struct DatabaseFault at = {.port = exhaust->port > 0 ? exhaust->port : FIELD_NOT_GIVEN};
    struct Holding holding = {.kind = "exhaust", .taking = "take until so many are left"};
    holding_say(&holding, "what", what_choices[exhaust->what].name);
    switch (exhaust->what) {
    case EXHAUST_CONNECTIONS:
        holding.taking = "open connections, and hold them";
        if (!is_address(exhaust->address)) {
            err_set(err, ERR_VALUE, input->target->where, "'%s' is no address", exhaust->address);
            return err_hint(err, "Write it in numbers, like 127.0.0.1 or ::1.");
        }
        holding_say(&holding, "address", exhaust->address);
        holding_say(&holding, "port", arena_printf(arena, "%" PRId64, exhaust->port));
        break;
    case EXHAUST_SESSIONS:
        holding.taking = "log in, as often as others could, and hold the sessions";
        holding.clearing = "no session of ours is left";
        if (!database_say(&at, "postgres", input, arena, &holding, err))
            return false;
        break;
    default:
        holding_say_amount(&holding, &exhaust->amount, arena);
        *out = holding_plan(&holding, input, arena);
        return true;
    }
    if (!say_ramp(exhaust, input, arena, &holding, err))
        return false;
    *out = holding_plan(&holding, input, arena);
    return true;
}
