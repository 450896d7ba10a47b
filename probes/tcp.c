/* tcp.c - connects, and no more: a frozen service still answers it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "../runner/base/arena.h"
#include "../runner/clients/tcp.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "place.h"
#include "reply.h"

struct TcpOk {
    int64_t under_ns;
};
struct TcpConfig {
    const char *address;
    const struct TcpOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
};

static const struct Field ok_fields[] = {{.name = "under",
                                          .type = FIELD_DURATION,
                                          .offset = offsetof(struct TcpOk, under_ns),
                                          .min = NS_PER_MS,
                                          .max = 60 * NS_PER_S,
                                          .example = "800ms",
                                          .doc = UNDER_DOC},
                                         {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct TcpOk),
                                        .fields = ok_fields};
static const struct Field tcp_fields[] = {{.name = "address",
                                           .type = FIELD_TEXT,
                                           .offset = offsetof(struct TcpConfig, address),
                                           .flags = FIELD_SUBJECT | FIELD_REQUIRED,
                                           .example = "\"${target.victim.address}:6379\"",
                                           .doc = "Host and port that are connected to."},
                                          {.name = "ok",
                                           .type = FIELD_RECORD,
                                           .offset = offsetof(struct TcpConfig, ok),
                                           .flags = FIELD_ALWAYS,
                                           .of = &ok_record,
                                           .example = "{under: 200ms}",
                                           .doc = "What a good answer is."},
                                          {.name = NULL}};

static void tcp_check(const void *record, const struct Node *node, struct Decode *decode);
static void *tcp_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void tcp_start(void *probe, void *slot, struct Attempt *attempt);
static void tcp_cancel(void *probe, void *slot);
static void tcp_close(void *probe);
static void tcp_say(const void *config, struct Buf *out);

struct TcpSlot {
    struct Call *call;
    struct Attempt *attempt;
};
struct TcpProbe {
    struct Loop *loop;
    struct Endpoint endpoint;
    struct Place place;
};

const struct ProbeKind tcp_probe = {
    .name = "tcp",
    .summary = "connects to a port",
    .config = {.name = "tcp",
               .doc = "Connects to a port and leaves; the kernel answers for a frozen service.",
               .size = sizeof(struct TcpConfig),
               .fields = tcp_fields,
               .check = tcp_check},
    .under_offset = 1 + offsetof(struct TcpConfig, under_ns),
    .slot_size = sizeof(struct TcpSlot),
    .open = tcp_open,
    .start = tcp_start,
    .cancel = tcp_cancel,
    .close = tcp_close,
    .say = tcp_say,
};

static void tcp_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct TcpConfig *config = (struct TcpConfig *)record;
    char host[256];
    uint16_t port = 0;
    config->under_ns = config->ok->under_ns;
    const struct Node *place = node_get(node, "tcp");
    if (!reference_present(config->address) && !tcp_address_split(config->address, host, &port))
        problems_say(decode->problems, ERR_VALUE, place != NULL ? place->where : node->where,
                     "write it like \"10.0.0.1:6379\" or \"[::1]:6379\"",
                     "'%s' is no host and port", config->address);
}

static void tcp_say(const void *data, struct Buf *out)
{
    const struct TcpConfig *config = data;
    buf_printf(out, "connect to %s", config->address);
}

static bool place_it(struct TcpProbe *probe, const struct ProbeInput *input, struct Err *err)
{
    const struct TcpConfig *config = input->config;
    char host[256];
    uint16_t port = 0;
    if (!tcp_address_split(config->address, host, &port))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no host and port", config->address);
    if (!place_find(input, config->address, host, port, &probe->place, err))
        return false;
    probe->endpoint = (struct Endpoint){.host = probe->place.host, .port = probe->place.port};
    return true;
}

static void *tcp_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct TcpProbe *probe = mem_zero(1, sizeof(*probe));
    probe->loop = loop;
    if (place_it(probe, input, err))
        return probe;
    mem_free(probe);
    return NULL;
}

static void on_answer(void *data, const struct Answer *answer)
{
    struct TcpSlot *slot = data;
    slot->call = NULL;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    if (answer->end != CALL_ANSWERED)
        reply = reply_of_end(answer);
    attempt_done(slot->attempt, &reply);
}

static void tcp_start(void *data, void *memory, struct Attempt *attempt)
{
    struct TcpProbe *probe = data;
    struct TcpSlot *slot = memory;
    slot->attempt = attempt;
    slot->call =
        tcp_call(probe->loop, &probe->endpoint, attempt_deadline(attempt), on_answer, slot);
}

static void tcp_cancel(void *data, void *memory)
{
    (void)data;
    struct TcpSlot *slot = memory;
    call_cancel(slot->call);
    slot->call = NULL;
}

static void tcp_close(void *data)
{
    mem_free(data);
}
