/* redis.c - sends a command to the primary of a role, or to a server, and looks at the reply. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/clients/redis.h"
#include "../runner/clients/tcp.h"
#include "../runner/schema/decode.h"
#include "asker.h"
#include "kinds.h"
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
static void redis_probe_close(void *probe);
static void redis_say(const void *config, struct Buf *out);

struct RedisProbe {
    struct Asker asker; /* first */
    const struct RedisConfig *config;
    char *text; /* the command, cut into words */
    const char *words[WORDS_MAX + 1];
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
    .slot_size = sizeof(struct AskerSlot),
    .open = redis_probe_open,
    .start = asker_start,
    .cancel = asker_cancel,
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

/* ---- what is asked, and what came ---- */

static struct Call *ask(const void *data, struct Client *client, struct Mono deadline, void *slot)
{
    const struct RedisProbe *probe = data;
    return redis_call((struct RedisClient *)client, probe->words, deadline, asker_answered, slot);
}

static void judge(const void *data, const struct Answer *answer, struct Reply *reply,
                  struct Buf *detail)
{
    const struct RedisProbe *probe = data;
    const char *wanted = probe->config->ok->value;
    if (answer->code == REDIS_ERROR) {
        *reply = reply_of_refusal(answer, redis_failure(answer));
    } else if (wanted != NULL && !text_equal(answer->bytes, wanted)) {
        reply->outcome = OUTCOME_FAILED;
        reply->failure = FAILURE_CONTENT;
        buf_printf(detail, "the reply is %s%s", answer->code == REDIS_NIL ? "nil" : "",
                   answer->bytes);
        reply->detail = detail->text;
    }
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

static bool open_it(struct RedisProbe *probe, const struct ProbeInput *input, struct Loop *loop,
                    struct Err *err)
{
    static const struct AskerKind kind = {.client = &redis_client, .ask = ask, .judge = judge};
    char host[256];
    struct Endpoint server = {.host = NULL};
    if (input->role == NULL && !read_url(probe->config->subject, host, &server))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no Redis server", probe->config->subject);
    return asker_open(&probe->asker, &kind, input, loop, &server, err);
}

static void *redis_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct RedisProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    split_words(probe);
    if (open_it(probe, input, loop, err))
        return probe;
    redis_probe_close(probe);
    return NULL;
}

static void redis_probe_close(void *data)
{
    struct RedisProbe *probe = data;
    asker_close(&probe->asker);
    mem_free(probe->text);
    mem_free(probe);
}
