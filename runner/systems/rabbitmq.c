/* rabbitmq.c - a quorum queue of RabbitMQ, whose members elect a leader by Raft. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbitmq.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "../schema/decode.h"
#include "kinds.h"

static const struct Field rabbitmq_fields[] = {
    {.name = "queue",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RabbitmqConfig, queue),
     .flags = FIELD_REQUIRED,
     .example = "drills",
     .doc = "The quorum queue whose leader is the primary, and which ledgers write to: one that "
            "drills have to themselves, for what others take from it cannot be read back. It is to "
            "be there, and is not made. What was in doubt may come when all is read and tidied up; "
            "it goes by itself after a day."},
    {.name = "vhost",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RabbitmqConfig, vhost),
     .fallback = "/",
     .example = "shop",
     .doc = "The virtual host of the queue."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct RabbitmqConfig, port),
     .fallback = "5672",
     .min = 1,
     .max = 65535,
     .example = "5672",
     .doc = "The port where the role's hosts serve clients of AMQP 0-9-1."},
    {.name = "tls",
     .type = FIELD_BOOL,
     .offset = offsetof(struct RabbitmqConfig, tls),
     .fallback = "false",
     .example = "true",
     .doc = "They speak TLS there."},
    {.name = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RabbitmqConfig, user),
     .example = "drill",
     .doc = "Whom ledgers log in as, by PLAIN; it reads and writes the queue, and configures "
            "nothing. Default: guest, whom a server takes from its own machine alone."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RabbitmqConfig, password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.rabbitmq}\"",
     .doc = "The password of that user."},
    {.name = "node",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RabbitmqConfig, node),
     .fallback = "rabbit",
     .example = "rabbit",
     .doc = "What the nodes' names begin with; `@` and what `hostname -s` prints follow."},
    {.name = "long_names",
     .type = FIELD_BOOL,
     .offset = offsetof(struct RabbitmqConfig, long_names),
     .fallback = "false",
     .example = "true",
     .doc = "The nodes run with RABBITMQ_USE_LONGNAME: `hostname -f` follows."},
    {.name = "erl_call",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RabbitmqConfig, erl_call),
     .fallback = "erl_call",
     .example = "sudo -n -H -u rabbitmq erl_call",
     .doc = "Erlang's program of that name on the hosts, by which nodes are asked who leads, every "
            "250 ms; who runs it must be able to read the nodes' .erlang.cookie. A host whose key "
            "runs `doctor --helper` refuses it, and who leads is unknown there."},
    {.name = NULL}};

static void rabbitmq_check(const void *record, const struct Node *node, struct Decode *decode);
static void *rabbitmq_start(const void *config, const struct Role *role, struct Loop *loop,
                            struct Err *err);
static void rabbitmq_end(void *system);
static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
static void endpoint(const void *config, const struct Target *host, struct Endpoint *out);

const struct SystemKind rabbitmq_system = {
    .name = "rabbitmq",
    .summary = "a quorum queue of RabbitMQ, whose members elect a leader by Raft",
    .config = {.name = "rabbitmq",
               .doc = "A quorum queue of RabbitMQ, whose members elect a leader by Raft.",
               .size = sizeof(struct RabbitmqConfig),
               .fields = rabbitmq_fields,
               .check = rabbitmq_check},
    .open = rabbitmq_start,
    .ask_standing = elected_ask_standing,
    .ask_control = elected_ask_control,
    .ask_redundancy = ask_redundancy,
    .ask_prospect = rabbitmq_ask_prospect,
    .acts_on_hosts = true,
    .failover = rabbitmq_failover,
    .find_primary = elected_find_primary,
    .endpoint = endpoint,
    .knobs = &rabbitmq_knobs,
    .ledger = &rabbitmq_ledger,
    .cancel = elected_cancel,
    .close = rabbitmq_end,
};

enum { NODE_MAX = 60, NAME_MAX_BYTES = 255 /* what AMQP has for a name */ };

static bool is_node_part(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t size = strlen(text);
    return size > 0 && size <= NODE_MAX && strspn(text, letters) == size;
}

static void check_name(const char *text, const char *key, const struct Node *node,
                       struct Decode *decode)
{
    const struct Node *at = node_get(node, key);
    if (text != NULL && (text[0] == '\0' || strlen(text) > NAME_MAX_BYTES))
        problems_say(decode->problems, ERR_VALUE, at != NULL ? at->where : node->where,
                     "write the name as RabbitMQ has it", "%s: 1 to %d bytes are expected", key,
                     NAME_MAX_BYTES);
}

static void rabbitmq_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct RabbitmqConfig *config = record;
    const struct Node *at = node_get(node, "node");
    check_name(config->queue, "queue", node, decode);
    check_name(config->vhost, "vhost", node, decode);
    if (config->user != NULL && config->password == NULL)
        problems_say(decode->problems, ERR_RULE, node->where, "write password: \"${secret.NAME}\"",
                     "`user` wants a `password`");
    if (config->node != NULL && !is_node_part(config->node))
        problems_say(decode->problems, ERR_VALUE, at != NULL ? at->where : node->where,
                     "write what stands before the `@`, as `rabbit`",
                     "'%s' is no beginning of a node's name", config->node);
}

/* ---- asking a node ---- */

/* A node lets in one caller of a name at a time, and keeps each name that it ever heard for good:
 * so a name for each that asks at the same time, and few of them over all runs. */
enum { NAMES_A_RUN = 32, RUNS = 32 };
static unsigned next_name(void)
{
    static atomic_uint opened, run; /* run: 0 until it is drawn; a container's are all process 1 */
    unsigned none = 0, drawn = (unsigned)(mono_now().ns / 1000) % RUNS + 1;
    (void)atomic_compare_exchange_strong(&run, &none, drawn);
    return atomic_fetch_add(&opened, 1) % NAMES_A_RUN + (atomic_load(&run) - 1) * NAMES_A_RUN;
}

void rabbitmq_binary(struct Buf *out, const char *text)
{
    buf_put(out, "<<");
    for (const char *at = text; *at != '\0'; at++)
        buf_printf(out, "%s%u", at == text ? "" : ",", (unsigned)(unsigned char)*at);
    buf_put(out, ">>");
}

void rabbitmq_name_queue(struct Buf *out, const struct RabbitmqConfig *config)
{
    buf_put(out, "R = rabbit_misc:r(");
    rabbitmq_binary(out, config->vhost);
    buf_put(out, ", queue, ");
    rabbitmq_binary(out, config->queue);
    buf_put(out, "), ");
}

struct Call *rabbitmq_eval(struct Rabbitmq *system, size_t host, const char *expression,
                           struct Mono deadline, CallDone *done, void *data)
{
    const struct RabbitmqConfig *config = system->config;
    struct Buf line = BUF(4000);
    /* The cookie is read by erl_call from the home folder: as an argument, all could see it. */
    buf_printf(&line,
               "h=/var/lib/rabbitmq; test ! -r $h/.erlang.cookie || export HOME=$h; "
               "printf '%%s\\n' \"$2\" | %s -h faildrill%u -%sname \"$1@$(hostname -%s)\" -e",
               config->erl_call, system->name, config->long_names ? "" : "s",
               config->long_names ? "f" : "s");
    const char *const argv[] = {"sh", "-c", line.text, "faildrill", config->node, expression, NULL};
    struct Call *call = remote_call(system->remote, host, argv, deadline, done, data);
    buf_free(&line);
    return call;
}

bool rabbitmq_said(const struct Answer *answer, char *out, size_t size)
{
    static const char mark[] = "\"faildrill ";
    const char *at =
        answer->end == CALL_ANSWERED && answer->code == 0 ? strstr(answer->bytes, mark) : NULL;
    out[0] = '\0';
    if (at == NULL)
        return false;
    at += strlen(mark);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

/* Of the node alone, which all tables of are its own: one that is cut off from the rest waits for
 * nobody. Not the record of who leads, which others write, and cannot while one of them is silent.
 */
static const char rank_expression[] =
    "F = fun(X) -> lists:flatten(io_lib:format(\"faildrill ~s ~s ~w ~w ~w ~w\", [node() | X])) "
    "end, "
    "case rabbit_amqqueue:lookup(R) of {ok, A} -> case amqqueue:get_type(A) of "
    "rabbit_quorum_queue -> {N, _} = amqqueue:get_pid(A), "
    "S = case ets:lookup(ra_state, N) of [] -> none; [X | _] -> element(2, X) end, "
    "T = try #{names := #{log_meta := M}} = ra_system:fetch(quorum_queues), "
    "ra_log_meta:fetch(M, ra_directory:uid_of(quorum_queues, N), current_term) "
    "catch _:_ -> unknown end, "
    "I = try maps:get(last_written_index, ra:key_metrics({N, node()})) catch _:_ -> "
    "try element(6, hd(ets:lookup(ra_metrics, R))) catch _:_ -> -1 end end, "
    "L = case maps:get(nodes, amqqueue:get_type_state(A)) of Ns when is_list(Ns) -> length(Ns); "
    "Ns -> maps:size(Ns) end, "
    "P = try length(gen_server:call(rabbit_node_monitor, partitions, 200)) catch _:_ -> -1 end, "
    "F([S, T, I, L, P]); "
    "_ -> F([no_quorum_queue, unknown, -1, 0, 0]) end; "
    "_ -> F([no_queue, unknown, -1, 0, 0]) end.";

static struct Call *ask_rank(struct Elected *data, size_t host, struct Mono deadline,
                             CallDone *done, void *done_data)
{
    struct Rabbitmq *system = (struct Rabbitmq *)data;
    return rabbitmq_eval(system, host, system->rank, deadline, done, done_data);
}

static void hear_rank(struct Elected *system, size_t host, const struct Answer *answer,
                      struct Standing *out)
{
    char said[300], state[32], term[24];
    (void)system;
    (void)host;
    if (!rabbitmq_said(answer, said, sizeof(said)) ||
        sscanf(said, "%*s %31s %23s", state, term) != 2)
        return;
    out->rank = text_equal(state, "leader")     ? RANK_PRIMARY
                : text_equal(state, "follower") ? RANK_REPLICA
                                                : RANK_OTHER;
    /* Who leads is not told whether a majority still hears it. */
    out->writable = out->rank == RANK_PRIMARY ? KNOWN_UNKNOWN : KNOWN_NO;
    if (term[0] >= '0' && term[0] <= '9')
        snprintf(out->epoch, sizeof(out->epoch), "%s", term);
}

static void keep_member(const struct Answer *answer, void *kept)
{
    struct RabbitmqMember *member = kept;
    char said[300];
    *member = (struct RabbitmqMember){.index = -1, .split = -1};
    if (rabbitmq_said(answer, said, sizeof(said)))
        (void)sscanf(said, "%199s %31s %*s %" SCNd64 " %" SCNd64 " %" SCNd64, member->node,
                     member->state, &member->index, &member->members, &member->split);
}

static const struct ElectedKind raft = {.ask = ask_rank,
                                        .hear = hear_rank,
                                        .keep = keep_member,
                                        .kept_size = sizeof(struct RabbitmqMember)};

static void *rabbitmq_start(const void *config, const struct Role *role, struct Loop *loop,
                            struct Err *err)
{
    struct Rabbitmq *system = mem_zero(1, sizeof(*system));
    struct Buf rank = BUF(8000);
    system->config = config;
    system->name = next_name();
    system->elected.port = (uint16_t)system->config->port;
    if (!elected_open(&system->elected, &raft, role, loop, err)) {
        mem_free(system);
        return NULL;
    }
    rabbitmq_name_queue(&rank, config);
    buf_put(&rank, rank_expression);
    system->rank = mem_text(rank.text);
    buf_free(&rank);
    system->remote = remote_open(loop, role);
    return system;
}

static void rabbitmq_end(void *data)
{
    struct Rabbitmq *system = data;
    elected_cancel(system);
    remote_close(system->remote);
    mem_free(system->rank);
    mem_free(system);
}

static void endpoint(const void *data, const struct Target *host, struct Endpoint *out)
{
    const struct RabbitmqConfig *config = data;
    *out = (struct Endpoint){.host = elected_address(host),
                             .port = (uint16_t)config->port,
                             .tls = config->tls,
                             .user = config->user,
                             .secret = config->password,
                             .dsn = config->vhost};
}

/* ---- redundancy: one leads, all follow, none far behind, and the queue has no member beside ----
 */

/* Before it is known how far the leader was. */
enum { LAG_MOST = 5000 }; /* entries of the log */
#define PAST_NS (10 * NS_PER_S)

int64_t rabbitmq_was_at(struct RabbitmqPast past[2], size_t leader, int64_t index, struct Mono now)
{
    if (past[1].leader != leader)
        past[0] = past[1] = (struct RabbitmqPast){.leader = leader};
    if (past[1].at.ns == 0 || mono_since(past[1].at, now) >= PAST_NS) {
        past[0] = past[1];
        past[1] = (struct RabbitmqPast){.leader = leader, .index = index, .at = now};
    }
    return past[0].at.ns != 0 ? past[0].index : -1;
}

static bool is_unsaid(const struct RabbitmqMember *first, const struct RabbitmqMember *member,
                      const struct Role *role)
{
    return first->members == (int64_t)role->host_count && member->split <= 0 &&
           (first->index < 0 || member->index < 0 || member->split < 0);
}

static void tell_redundancy(struct Roll *roll)
{
    const struct Role *role = roll->system->role;
    struct Redundancy redundancy;
    char why[300];
    size_t leader = roll_leader(roll);
    roll_judge(roll, &redundancy, why);
    const struct RabbitmqMember *leads = leader < role->host_count ? roll_kept(roll, leader) : NULL;
    int64_t was = leads != NULL && leads->index >= 0
                      ? rabbitmq_was_at(((struct Rabbitmq *)roll->system)->past, leader,
                                        leads->index, mono_now())
                      : -1;
    for (size_t n = 0; n < role->host_count && redundancy.complete == KNOWN_YES; n++) {
        const struct RabbitmqMember *member = roll_kept(roll, n), *first = roll_kept(roll, leader);
        const char *name = role->hosts[n]->name;
        long long lag = (long long)(first->index - member->index);
        if (first->members != (int64_t)role->host_count)
            snprintf(why, sizeof(why), "the queue has %" PRId64 " members, the role %zu hosts",
                     first->members, role->host_count);
        else if (member->split > 0)
            snprintf(why, sizeof(why), "%.100s is split from %" PRId64 " of the nodes", name,
                     member->split);
        else if (first->index < 0 || member->index < 0 || member->split < 0)
            snprintf(why, sizeof(why), "%.100s does not say how far it is, or split from whom",
                     name);
        else if (lag > LAG_MOST || (member != first && member->index < was))
            snprintf(why, sizeof(why), "%.100s is %lld entries behind", name, lag);
        else
            continue;
        redundancy.complete = is_unsaid(first, member, role) ? KNOWN_UNKNOWN : KNOWN_NO;
        redundancy.in_sync--;
    }
    roll->done.redundancy(roll->data, &redundancy);
}

static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_redundancy);
    roll->done.redundancy = done;
    roll->data = data;
    roll_go(roll);
}
