/* tls.c - connects, shakes hands by TLS, looks at the certificate, and leaves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/clients/stream.h"
#include "../runner/clients/tcp.h"
#include "../runner/schema/decode.h"
#include "certificate.h"
#include "kinds.h"
#include "place.h"
#include "reply.h"

struct TlsOk {
    int64_t certificate_days, under_ns;
};
struct TlsConfig {
    const char *address, *server_name;
    const struct TlsOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
};

static const struct Field ok_fields[] = {CERTIFICATE_DAYS_FIELD(struct TlsOk),
                                         {.name = "under",
                                          .type = FIELD_DURATION,
                                          .offset = offsetof(struct TlsOk, under_ns),
                                          .min = NS_PER_MS,
                                          .max = 60 * NS_PER_S,
                                          .example = "800ms",
                                          .doc = UNDER_DOC},
                                         {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct TlsOk),
                                        .fields = ok_fields};
static const struct Field tls_fields[] = {
    {.name = "address",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TlsConfig, address),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "\"shop.example.net:443\"",
     .doc = "Host and port that are connected to."},
    {.name = "server_name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TlsConfig, server_name),
     .example = "shop.example.net",
     .doc = "Whom the server is asked for, and whose certificate it must show; default: the "
            "host of `tls`."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct TlsConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{certificate_days: 14}",
     .doc = "What a good answer is."},
    {.name = NULL}};

static void tls_check(const void *record, const struct Node *node, struct Decode *decode);
static void *tls_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void tls_start(void *probe, void *slot, struct Attempt *attempt);
static void tls_cancel(void *probe, void *slot);
static void tls_close(void *probe);
static void tls_probe_say(const void *config, struct Buf *out);

struct TlsSlot {
    struct TlsProbe *probe;
    struct Stream *stream;
    struct Timer *timer; /* the attempt's deadline */
    struct Attempt *attempt;
};
struct TlsProbe {
    const struct TlsConfig *config;
    struct Loop *loop;
    struct TlsTrust *trust;
    char name[256]; /* whose certificate it must be */
    struct Endpoint endpoint;
    struct Place place;
};

const struct ProbeKind tls_probe = {
    .name = "tls",
    .summary = "shakes hands by TLS, and looks at the certificate",
    .config = {.name = "tls",
               .doc = "Connects and shakes hands by TLS: the certificate must be trusted here, be "
                      "the server's own, and hold on.",
               .size = sizeof(struct TlsConfig),
               .fields = tls_fields,
               .check = tls_check},
    .under_offset = 1 + offsetof(struct TlsConfig, under_ns),
    .slot_size = sizeof(struct TlsSlot),
    .open = tls_open,
    .start = tls_start,
    .cancel = tls_cancel,
    .close = tls_close,
    .say = tls_probe_say,
};

/* ---- what stands in the file ---- */

static bool is_server_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < 256 && strpbrk(name, " /\t\r\n") == NULL;
}

static void tls_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct TlsConfig *config = (struct TlsConfig *)record;
    char host[256];
    uint16_t port = 0;
    config->under_ns = config->ok->under_ns;
    const struct Node *place = node_get(node, "tls"), *name = node_get(node, "server_name");
    if (!reference_present(config->address) && !tcp_address_split(config->address, host, &port))
        problems_say(decode->problems, ERR_VALUE, place != NULL ? place->where : node->where,
                     "write it like \"shop.example.net:443\" or \"[::1]:443\"",
                     "'%s' is no host and port", config->address);
    if (config->server_name != NULL && !reference_present(config->server_name) &&
        !is_server_name(config->server_name))
        problems_say(decode->problems, ERR_VALUE, name != NULL ? name->where : node->where,
                     "write it like \"shop.example.net\", without a port", "'%s' is no server name",
                     config->server_name);
}

static void tls_probe_say(const void *data, struct Buf *out)
{
    const struct TlsConfig *config = data;
    buf_printf(out, "shake hands by TLS with %s", config->address);
    if (config->server_name != NULL)
        buf_printf(out, " as %s", config->server_name);
}

/* ---- attempts ---- */

/* The stream is gone, or goes now. */
static void finish(struct TlsSlot *slot, const struct Reply *reply)
{
    stream_close(slot->stream);
    slot->stream = NULL;
    loop_timer_free(slot->timer);
    slot->timer = NULL;
    attempt_done(slot->attempt, reply);
}

static void on_opened(void *data, const char *peer)
{
    struct TlsSlot *slot = data;
    struct Buf wrong = BUF(DETAIL_MOST);
    char by[64];
    snprintf(by, sizeof(by), "%s", peer);
    struct Reply reply = {.outcome = OUTCOME_OK, .connected = true, .by = by};
    certificate_judge(slot->probe->config->ok->certificate_days,
                      stream_certificate_ends(slot->stream), &reply, &wrong);
    reply.detail = wrong.text;
    finish(slot, &reply);
    buf_free(&wrong);
}

static void on_bytes(void *data, const char *bytes, size_t size)
{
    (void)data;
    (void)bytes;
    (void)size;
}

static void on_ended(void *data, enum CallEnd end, int code, const char *why)
{
    struct TlsSlot *slot = data;
    slot->stream = NULL;
    bool connected = end == CALL_RESET || end == CALL_TLS;
    const struct Answer answer = {.end = end, .code = code, .bytes = why, .peer = ""};
    struct Reply reply = reply_of_end(&answer);
    reply.connected = connected;
    finish(slot, &reply);
}

static void on_deadline(void *data, int events)
{
    (void)events;
    struct TlsSlot *slot = data;
    const struct Answer answer = {.end = CALL_TIMEOUT, .bytes = "", .peer = ""};
    struct Reply reply = reply_of_end(&answer);
    reply.connected = stream_connected(slot->stream);
    finish(slot, &reply);
}

static void tls_start(void *data, void *memory, struct Attempt *attempt)
{
    struct TlsProbe *probe = data;
    struct TlsSlot *slot = memory;
    *slot = (struct TlsSlot){.probe = probe, .attempt = attempt};
    const struct StreamInput input = {.loop = probe->loop,
                                      .endpoint = &probe->endpoint,
                                      .trust = probe->trust,
                                      .name = probe->name,
                                      .deadline = {.ns = NS_NEVER}, /* the attempt has its own */
                                      .opened = on_opened,
                                      .bytes = on_bytes,
                                      .ended = on_ended,
                                      .data = slot};
    slot->timer = loop_timer(probe->loop, on_deadline, slot);
    loop_timer_at(slot->timer, attempt_deadline(attempt));
    slot->stream = stream_open(&input);
}

static void tls_cancel(void *data, void *memory)
{
    (void)data;
    struct TlsSlot *slot = memory;
    stream_close(slot->stream);
    slot->stream = NULL;
    loop_timer_free(slot->timer);
    slot->timer = NULL;
}

static bool place_it(struct TlsProbe *probe, const struct ProbeInput *input, struct Err *err)
{
    const struct TlsConfig *config = input->config;
    char host[256];
    uint16_t port = 0;
    if (!tcp_address_split(config->address, host, &port))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no host and port", config->address);
    const char *name = config->server_name != NULL ? config->server_name : host;
    if (!is_server_name(name))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no server name", name);
    snprintf(probe->name, sizeof(probe->name), "%s", name);
    if (!place_find(input, config->address, host, port, &probe->place, err))
        return false;
    probe->endpoint =
        (struct Endpoint){.host = probe->place.host, .port = probe->place.port, .tls = true};
    return true;
}

static void *tls_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct TlsProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    probe->loop = loop;
    if (place_it(probe, input, err))
        probe->trust = tls_trust_new(err);
    if (probe->trust != NULL)
        return probe;
    mem_free(probe);
    return NULL;
}

static void tls_close(void *data)
{
    struct TlsProbe *probe = data;
    tls_trust_free(probe->trust);
    mem_free(probe);
}
