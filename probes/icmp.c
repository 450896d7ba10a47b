/* icmp.c - asks a host for an echo: the machine answers, whatever its services do. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/clients/icmp.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "reply.h"

struct IcmpOk {
    int64_t under_ns;
};
struct IcmpConfig {
    const char *host;
    const struct IcmpOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
};

static const struct Field ok_fields[] = {{.name = "under",
                                          .type = FIELD_DURATION,
                                          .offset = offsetof(struct IcmpOk, under_ns),
                                          .min = NS_PER_MS,
                                          .max = 60 * NS_PER_S,
                                          .example = "20ms",
                                          .doc = UNDER_DOC},
                                         {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct IcmpOk),
                                        .fields = ok_fields};
static const struct Field icmp_fields[] = {
    {.name = "host",
     .type = FIELD_TEXT,
     .offset = offsetof(struct IcmpConfig, host),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "\"${target.victim.address}\"",
     .doc = "The address or name that is asked for an echo."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct IcmpConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{under: 20ms}",
     .doc = "What a good answer is."},
    {.name = NULL}};

static void icmp_check(const void *record, const struct Node *node, struct Decode *decode);
static void *icmp_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void icmp_start(void *probe, void *slot, struct Attempt *attempt);
static void icmp_cancel(void *probe, void *slot);
static void icmp_close(void *probe);
static void icmp_say(const void *config, struct Buf *out);

struct IcmpSlot {
    struct Call *call;
    struct Attempt *attempt;
};
struct IcmpProbe {
    const struct IcmpConfig *config;
    struct Loop *loop;
};

const struct ProbeKind icmp_probe = {
    .name = "icmp",
    .summary = "pings a host",
    .config = {.name = "icmp",
               .doc = "Asks a host for an echo; its kernel answers, whatever its services do.",
               .size = sizeof(struct IcmpConfig),
               .fields = icmp_fields,
               .check = icmp_check},
    .under_offset = 1 + offsetof(struct IcmpConfig, under_ns),
    .slot_size = sizeof(struct IcmpSlot),
    .missing = icmp_missing,
    .open = icmp_open,
    .start = icmp_start,
    .cancel = icmp_cancel,
    .close = icmp_close,
    .say = icmp_say,
};

static void icmp_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct IcmpConfig *config = (struct IcmpConfig *)record;
    const struct Node *host = node_get(node, "icmp"), *from = node_get(node, "from");
    size_t size = strlen(config->host);
    config->under_ns = config->ok->under_ns;
    if (!reference_present(config->host) &&
        (size == 0 || size > 253 || strpbrk(config->host, " \t\r\n/[]") != NULL))
        problems_say(decode->problems, ERR_VALUE, host != NULL ? host->where : node->where,
                     "write it like \"10.0.0.1\", \"2001:db8::1\" or \"db-1.example.net\"",
                     "'%s' is no host that can be pinged", config->host);
    if (from != NULL)
        problems_say(decode->problems, ERR_RULE, from->where,
                     "use `tcp`: what goes through our connection to a host is TCP",
                     "`from` cannot be: an echo request is sent from here");
}

static void icmp_say(const void *data, struct Buf *out)
{
    const struct IcmpConfig *config = data;
    buf_printf(out, "ping %s", config->host);
}

static void on_answer(void *data, const struct Answer *answer)
{
    struct IcmpSlot *slot = data;
    slot->call = NULL;
    struct Reply reply = {.outcome = OUTCOME_OK, .by = answer->peer, .detail = ""};
    if (answer->end != CALL_ANSWERED)
        reply = reply_of_end(answer);
    attempt_done(slot->attempt, &reply);
}

static void icmp_start(void *data, void *memory, struct Attempt *attempt)
{
    struct IcmpProbe *probe = data;
    struct IcmpSlot *slot = memory;
    slot->attempt = attempt;
    slot->call =
        icmp_call(probe->loop, probe->config->host, attempt_deadline(attempt), on_answer, slot);
}

static void icmp_cancel(void *data, void *memory)
{
    (void)data;
    struct IcmpSlot *slot = memory;
    call_cancel(slot->call);
    slot->call = NULL;
}

static void *icmp_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    const char *missing = icmp_missing();
    if (missing != NULL) {
        err_set(err, ERR_NOT_READY, NOWHERE, "%s", missing);
        (void)err_hint(err, "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\" lets every group "
                            "of this machine; or use `tcp`.");
        return NULL;
    }
    struct IcmpProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    probe->loop = loop;
    return probe;
}

static void icmp_close(void *data)
{
    mem_free(data);
}
