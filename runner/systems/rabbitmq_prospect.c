/* rabbitmq_prospect.c - what a quorum queue's settings promise. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "rabbitmq.h"

enum { POLL_INTERVAL };
static const struct KnobRow rows[] = {
    [POLL_INTERVAL] = {.name = "poll_interval",
                       .unit = KNOB_MS,
                       .least = NS_PER_S,
                       .usual = 5 * NS_PER_S,
                       .line = "{aten, [{poll_interval, %s}]}",
                       .written = KNOB_MS},
};

/* Where a connection breaks, a follower stands after 0.1 to 0.6 s. Where a leader falls silent, it
 * is looked at once in an interval, and given one more with up to a second on top. A second for the
 * votes. A leader that is cut off goes on calling itself so: Ra asks no majority for that. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    int64_t poll_ns = values[POLL_INTERVAL];
    *out = (struct Forecast){
        .failover = {0, NS_NEVER}, .lossless = true, .allowed = true, .stays_primary = KNOWN_YES};
    if (poll_ns != KNOB_UNKNOWN)
        out->failover = (struct Span){NS_PER_S / 10, 2 * poll_ns + 2 * NS_PER_S};
}

const struct KnobTable rabbitmq_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* Asked of the leader's node. What a message may go by that nobody took: its own age, the queue's
 * end, its length (but not where more are refused), and being read back too often. */
static const char config_expression[] =
    "{ok, A} = rabbit_amqqueue:lookup(R), "
    "G = fun(X, K) -> case application:get_env(X, K) of {ok, Y} -> Y; _ -> unknown end end, "
    "D = case rabbit_policy:effective_definition(A) of Ds when is_list(Ds) -> Ds; _ -> [] end, "
    "Q = [{K, V} || {<<\"x-\", K/binary>>, _, V} <- amqqueue:get_arguments(A)] ++ "
    "[{K, V} || {K, V} <- D], "
    "W = lists:member({<<\"overflow\">>, <<\"reject-publish\">>}, Q), "
    "B = [K || {K, V} <- Q, lists:member(K, [<<\"message-ttl\">>, <<\"expires\">>]) orelse "
    "(not W andalso lists:member(K, [<<\"max-length\">>, <<\"max-length-bytes\">>])) orelse "
    "(K =:= <<\"delivery-limit\">> andalso V < 20)], "
    "C = try {ok, _, Cs} = rabbit_amqqueue:stat(A), Cs catch _:_ -> unknown end, "
    "H = case try rabbit_khepri:is_enabled() catch _:_ -> false end of true -> khepri; "
    "_ -> case G(rabbit, cluster_partition_handling) of T when is_tuple(T) -> element(1, T); "
    "O -> O end end, "
    "lists:flatten(io_lib:format(\"faildrill ~s ~w ~w ~w ~w ~s\", [try rabbit_misc:version() "
    "catch _:_ -> unknown end, G(aten, poll_interval), net_kernel:get_net_ticktime(), "
    "H, C, "
    "case B of [] -> none; [F | _] -> F end])).";

static bool take_config(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct Outlook *outlook = (struct Outlook *)ask;
    struct Prospect *prospect = &outlook->prospect;
    struct Forecast forecast;
    char said[400], version[40], poll[24], tick[24], handling[80], consumers[24], goes[40];
    int64_t poll_ns = KNOB_UNKNOWN;
    if (!rabbitmq_said(answer, said, sizeof(said)) ||
        sscanf(said, "%39s %23s %23s %79s %23s %39s", version, poll, tick, handling, consumers,
               goes) != 6) {
        outlook_trap(outlook, "the leader does not say how its queue is configured");
        return false;
    }
    outlook_knob(outlook, "RabbitMQ", "%s", version);
    outlook_knob(outlook, "poll_interval", "%s", poll);
    outlook_knob(outlook, "net_ticktime", "%s", tick);
    outlook_knob(outlook, "cluster_partition_handling", "%s", handling);
    if (text_equal(handling, "ignore"))
        outlook_trap(outlook,
                     "cluster_partition_handling is `ignore`: a node that was cut off or hung "
                     "for longer than net_ticktime stays split from the others until somebody "
                     "restarts it");
    if (text_equal(consumers, "unknown"))
        outlook_trap(outlook, "the leader does not say whether others take from the queue");
    else if (!text_equal(consumers, "0"))
        outlook_trap(outlook,
                     "%s consumers take from the queue: what a drill writes there could "
                     "not be read back",
                     consumers);
    if (!text_equal(goes, "none"))
        outlook_trap(outlook, "the queue loses what it acknowledged by its %s", goes);
    if (int_parse(poll, &poll_ns, NULL))
        poll_ns *= NS_PER_MS;
    else
        poll_ns = KNOB_UNKNOWN;
    foretell(&poll_ns, &forecast);
    prospect->failover = forecast.failover;
    return false;
}

static void tell_prospect(struct Roll *roll)
{
    struct Outlook *outlook = (struct Outlook *)roll;
    struct Prospect *prospect = &outlook->prospect;
    prospect->planned = (struct Span){0, 3 * NS_PER_S};
    prospect->persistence = PERSIST_ALL; /* acknowledged is what a majority has in its log */
    snprintf(outlook->durable, sizeof(outlook->durable), "Raft log");
    outlook_tell(outlook);
}

static void tell_ranks(struct Roll *roll)
{
    struct Rabbitmq *system = (struct Rabbitmq *)roll->system;
    struct Outlook *first = (struct Outlook *)roll;
    size_t leader = roll_leader(roll);
    struct Buf line = BUF(8000);
    outlook_judge(first);
    for (size_t n = 0; n < roll->system->role->host_count; n++) {
        const struct RabbitmqMember *member = roll_kept(roll, n);
        if (text_starts(member->state, "no_"))
            outlook_trap(first, "%s knows no quorum queue '%.100s'", member->node,
                         system->config->queue);
    }
    if (leader == roll->system->role->host_count) {
        tell_prospect(roll);
        return;
    }
    struct Outlook *next = outlook_begin(roll->system, sizeof(*next), roll->ask.deadline,
                                         tell_prospect, roll->done.prospect, roll->data);
    snprintf(next->not_ready, sizeof(next->not_ready), "%s", first->not_ready);
    rabbitmq_name_queue(&line, system->config);
    buf_put(&line, config_expression);
    struct AskPart *part = ask_part(&next->roll.ask, leader, take_config);
    part->call = rabbitmq_eval(system, leader, line.text, roll->ask.deadline, ask_answered, part);
    buf_free(&line);
}

void rabbitmq_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    struct Outlook *outlook =
        outlook_begin(system, sizeof(*outlook), deadline, tell_ranks, done, data);
    roll_go(&outlook->roll);
}
