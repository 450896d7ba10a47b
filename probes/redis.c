/* redis.c - sends a command to the primary of a role, or to a server, and looks at the reply. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/clients/redis.h"
#include "../runner/clients/tcp.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "leader.h"
#include "reply.h"

enum { WORDS_MAX = 16 };

struct RedisOk {
    const char *value;
    int64_t under_ns;
};
struct RedisConfig {
    const char *subject, *command;
    const struct RedisOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
    const char *role; /* the subject, where it is no URL */
};

static const struct Field ok_fields[] = {
    {.name = "value",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RedisOk, value),
     .example = "PONG",
     .doc = "What the reply must be; without it, any reply that is no error."},
    {.name = "under",
     .type = FIELD_DURATION,
     .offset = offsetof(struct RedisOk, under_ns),
     .min = NS_PER_MS,
     .max = 60 * NS_PER_S,
     .example = "100ms",
     .doc = UNDER_DOC},
    {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct RedisOk),
                                        .fields = ok_fields};
static const struct Field redis_fields[] = {
    {.name = "server",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RedisConfig, subject),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "redis",
     .doc =
         "A role, whose primary is found as a client finds it, or a URL: redis://10.0.0.1:6379."},
    {.name = "command",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RedisConfig, command),
     .fallback = "PING",
     .example = "\"GET shop:open\"",
     .doc = "The command that is sent, its words separated by blanks."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct RedisConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{value: PONG, under: 100ms}",
     .doc = "What a good answer is."},
    {.name = NULL}};

static void redis_check(const void *record, const struct Node *node, struct Decode *decode);
static void *redis_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void redis_start(void *probe, void *slot, struct Attempt *attempt);
static void redis_cancel(void *probe, void *slot);
static void redis_probe_close(void *probe);
static void redis_say(const void *config, struct Buf *out);

struct RedisSlot {
    struct RedisProbe *probe;
    struct RedisSlot *next; /* of all that were used */
    struct Attempt *attempt;
    struct Leader leader;
    struct RedisClient *client;
    struct Call *call; /* NULL while the primary is looked for */
    const struct Target *host;
};
struct RedisProbe {
    const struct RedisConfig *config;
    struct Loop *loop;
    bool keep;
    struct Ways ways;         /* of a role */
    struct Endpoint endpoint; /* of a URL */
    char host[256], place_host[64];
    char *text; /* the command, cut into words */
    const char *words[WORDS_MAX + 1];
    struct RedisSlot *used;
};

const struct ProbeKind redis_probe = {
    .name = "redis",
    .summary = "sends a Redis command",
    .config = {.name = "redis",
               .doc = "Sends a command to a role's primary or to one server, on a new connection.",
               .size = sizeof(struct RedisConfig),
               .fields = redis_fields,
               .check = redis_check},
    .needs_role = true,
    .role_offset = offsetof(struct RedisConfig, role),
    .under_offset = 1 + offsetof(struct RedisConfig, under_ns),
    .slot_size = sizeof(struct RedisSlot),
    .open = redis_probe_open,
    .start = redis_start,
    .cancel = redis_cancel,
    .close = redis_probe_close,
    .say = redis_say,
};

/* ---- what stands in the file ---- */

static bool read_url(const char *text, char host[256], struct Endpoint *out)
{
    bool tls = text_starts(text, "rediss://");
    if (!tls && !text_starts(text, "redis://"))
        return false;
    *out = (struct Endpoint){.host = host, .tls = tls};
    const char *address = text + (tls ? strlen("rediss://") : strlen("redis://"));
    return tcp_address_split(address, host, &out->port);
}

static void redis_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct RedisConfig *config = (struct RedisConfig *)record;
    char host[256];
    struct Endpoint endpoint;
    config->under_ns = config->ok->under_ns;
    const struct Node *subject = node_get(node, "redis");
    struct Where where = subject != NULL ? subject->where : node->where;
    if (strstr(config->subject, "://") == NULL && !reference_present(config->subject))
        config->role = config->subject;
    else if (!reference_present(config->subject) && !read_url(config->subject, host, &endpoint))
        problems_say(decode->problems, ERR_VALUE, where,
                     "write a role's name, or redis://10.0.0.1:6379 (rediss:// for TLS)",
                     "'%s' is no Redis server", config->subject);
    if (config->command[strspn(config->command, " ")] == '\0')
        problems_say(decode->problems, ERR_VALUE, where, NULL, "the command is empty");
}

static void redis_say(const void *data, struct Buf *out)
{
    const struct RedisConfig *config = data;
    buf_printf(out, "%s to %s%s", config->command, config->role != NULL ? "the primary of " : "",
               config->subject);
}

/* ---- opening ---- */

static void split_words(struct RedisProbe *probe)
{
    probe->text = mem_text(probe->config->command);
    size_t count = 0;
    for (char *at = probe->text; count < WORDS_MAX;) {
        at += strspn(at, " ");
        if (*at == '\0')
            break;
        probe->words[count++] = at;
        at += strcspn(at, " ");
        if (*at != '\0')
            *at++ = '\0';
    }
}

static bool open_url(struct RedisProbe *probe, const struct ProbeInput *input, struct Err *err)
{
    const char *subject = probe->config->subject;
    if (!read_url(subject, probe->host, &probe->endpoint))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no Redis server", subject);
    if (input->from == NULL)
        return true;
    struct Endpoint placed = {.host = NULL};
    if (!input->place(input->place_data, probe->host, probe->endpoint.port, &placed))
        return err_set(err, ERR_TARGET, NOWHERE, "'%s' cannot be reached from host '%s'", subject,
                       input->from->name);
    snprintf(probe->place_host, sizeof(probe->place_host), "%.63s", placed.host);
    probe->endpoint.host = probe->place_host;
    probe->endpoint.port = placed.port;
    return true;
}

static void *redis_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct RedisProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    probe->loop = loop;
    probe->keep = input->keep;
    split_words(probe);
    bool good =
        input->role != NULL ? ways_open(&probe->ways, input, err) : open_url(probe, input, err);
    if (good)
        return probe;
    redis_probe_close(probe);
    return NULL;
}

static void redis_probe_close(void *data)
{
    struct RedisProbe *probe = data;
    for (struct RedisSlot *slot = probe->used; slot != NULL; slot = slot->next) {
        redis_close(slot->client);
        if (probe->ways.role != NULL)
            leader_close(&slot->leader);
    }
    ways_close(&probe->ways);
    mem_free(probe->text);
    mem_free(probe);
}

/* ---- attempts ---- */

static void end_attempt(struct RedisSlot *slot, struct Reply *reply)
{
    struct Attempt *attempt = slot->attempt;
    bool stays = slot->probe->keep && reply->failure != FAILURE_READ_ONLY;
    slot->attempt = NULL;
    attempt_done(attempt, reply);
    if (!stays && slot->client != NULL)
        redis_disconnect(slot->client);
}

static void on_answer(void *data, const struct Answer *answer)
{
    struct RedisSlot *slot = data;
    const char *wanted = slot->probe->config->ok->value;
    struct Buf detail = BUF(DETAIL_MOST);
    slot->call = NULL;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    if (answer->end != CALL_ANSWERED) {
        reply = reply_of_end(answer);
    } else if (answer->code == REDIS_ERROR) {
        reply = reply_of_redis_error(answer);
    } else if (wanted != NULL && !text_equal(answer->bytes, wanted)) {
        reply.outcome = OUTCOME_FAILED;
        reply.failure = FAILURE_CONTENT;
        buf_printf(&detail, "the reply is %s%s", answer->code == REDIS_NIL ? "nil" : "",
                   answer->bytes);
        reply.detail = detail.text;
    }
    if (slot->host != NULL && answer->end == CALL_ANSWERED)
        reply.by = target_address(slot->host);
    end_attempt(slot, &reply);
    buf_free(&detail);
}

static void ask(struct RedisSlot *slot)
{
    slot->call = redis_call(slot->client, slot->probe->words, attempt_deadline(slot->attempt),
                            on_answer, slot);
}

static bool point_client(struct RedisSlot *slot, const struct Endpoint *at, struct Err *err)
{
    if (slot->client != NULL)
        redis_point(slot->client, at);
    else
        slot->client = redis_open(slot->probe->loop, at, err);
    return slot->client != NULL;
}

static void on_leader(void *data, const struct Endpoint *at, const struct Target *host)
{
    struct RedisSlot *slot = data;
    struct Err err = {.code = ERR_OWN};
    struct Reply reply = {.outcome = OUTCOME_FAILED,
                          .failure = FAILURE_UNRESOLVED,
                          .by = "",
                          .detail = "nobody says who is the primary"};
    slot->host = host;
    if (at != NULL && point_client(slot, at, &err)) {
        ask(slot);
        return;
    }
    if (at != NULL) {
        reply.outcome = OUTCOME_BROKEN;
        reply.failure = FAILURE_NONE;
        reply.detail = err.message;
    }
    end_attempt(slot, &reply);
}

static void redis_start(void *data, void *memory, struct Attempt *attempt)
{
    struct RedisProbe *probe = data;
    struct RedisSlot *slot = memory;
    struct Err err = {.code = ERR_OWN};
    if (slot->probe == NULL) {
        *slot = (struct RedisSlot){.probe = probe, .next = probe->used};
        slot->leader = (struct Leader){.ways = &probe->ways, .loop = probe->loop};
        probe->used = slot;
    }
    slot->attempt = attempt;
    if (slot->client != NULL && redis_connected(slot->client)) {
        ask(slot); /* it is kept */
    } else if (probe->ways.role != NULL) {
        leader_find(&slot->leader, attempt_deadline(attempt), on_leader, slot);
    } else if (point_client(slot, &probe->endpoint, &err)) {
        ask(slot);
    } else {
        struct Reply reply = {.outcome = OUTCOME_BROKEN, .by = "", .detail = err.message};
        end_attempt(slot, &reply);
    }
}

static void redis_cancel(void *data, void *memory)
{
    struct RedisProbe *probe = data;
    struct RedisSlot *slot = memory;
    if (slot->call != NULL)
        call_cancel(slot->call);
    else if (probe->ways.role != NULL)
        leader_cancel(&slot->leader);
    slot->call = NULL;
    slot->attempt = NULL;
}
