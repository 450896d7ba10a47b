/* dns.c - asks for a name's records, and looks at what comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/clients/dns.h"
#include "../runner/clients/dns_records.h"
#include "../runner/clients/tcp.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "place.h"
#include "reply.h"

enum { DNS_PORT = 53, NAME_MOST = 253, LABEL_MOST = 63 };

struct DnsOk {
    const char *value;
    int64_t under_ns;
};
struct DnsConfig {
    const char *name, *server;
    int type;
    const struct DnsOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
};

static const struct Choice types[] = {{"A", DNS_A, "IPv4 addresses."},
                                      {"AAAA", DNS_AAAA, "IPv6 addresses."},
                                      {"CNAME", DNS_CNAME, "The name that it stands for."},
                                      {"MX", DNS_MX, "Mail servers: \"10 mail.example.net\"."},
                                      {"NS", DNS_NS, "Name servers."},
                                      {"PTR", DNS_PTR, "The name of an in-addr.arpa name."},
                                      {"SOA", DNS_SOA, "Server, mailbox and serial of a zone."},
                                      {"SRV", DNS_SRV, "Priority, weight, port and host."},
                                      {"TXT", DNS_TXT, "Texts, each as one."},
                                      {.name = NULL}};
static const struct Field ok_fields[] = {
    {.name = "value",
     .type = FIELD_TEXT,
     .offset = offsetof(struct DnsOk, value),
     .example = "192.0.2.7",
     .doc = "What one of the records must be; without it, any record is good."},
    {.name = "under",
     .type = FIELD_DURATION,
     .offset = offsetof(struct DnsOk, under_ns),
     .min = NS_PER_MS,
     .max = 60 * NS_PER_S,
     .example = "100ms",
     .doc = UNDER_DOC},
    {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct DnsOk),
                                        .fields = ok_fields};
static const struct Field dns_fields[] = {
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct DnsConfig, name),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "shop.example.net",
     .doc = "The name that is asked for, as it stands: no search list, no hosts file."},
    {.name = "type",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct DnsConfig, type),
     .fallback = "A",
     .choices = types,
     .example = "SRV",
     .doc = "The type of its records."},
    {.name = "server",
     .type = FIELD_TEXT,
     .offset = offsetof(struct DnsConfig, server),
     .example = "\"192.0.2.53\"",
     .doc =
         "The address of the server that is asked, once each attempt, with a port where it is "
         "not 53; with `from` it is needed, and asked by TCP; default: those of resolv.conf, each "
         "again where it does not answer."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct DnsConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{value: 192.0.2.7}",
     .doc = "What a good answer is."},
    {.name = NULL}};

static void dns_check(const void *record, const struct Node *node, struct Decode *decode);
static void *dns_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void dns_start(void *probe, void *slot, struct Attempt *attempt);
static void dns_cancel(void *probe, void *slot);
static void dns_probe_close(void *probe);
static void dns_say(const void *config, struct Buf *out);

struct DnsSlot {
    struct DnsClient *client; /* of the attempt that runs: a port of its own, and no memory */
    struct Attempt *attempt;
    struct DnsProbe *probe;
};
struct DnsProbe {
    const struct DnsConfig *config;
    struct Loop *loop;
    struct Place place;
    struct DnsServer server; /* address NULL: those of resolv.conf */
};

const struct ProbeKind dns_probe = {
    .name = "dns",
    .summary = "asks for a name's records",
    .config = {.name = "dns",
               .doc = "Asks for the records of a name; none, or no such name, is a failure.",
               .size = sizeof(struct DnsConfig),
               .fields = dns_fields,
               .check = dns_check},
    .under_offset = 1 + offsetof(struct DnsConfig, under_ns),
    .slot_size = sizeof(struct DnsSlot),
    .open = dns_probe_open,
    .start = dns_start,
    .cancel = dns_cancel,
    .close = dns_probe_close,
    .say = dns_say,
};

/* ---- what stands in the file ---- */

static bool is_name(const char *name)
{
    size_t size = strlen(name), label = 0;
    bool good = size > 0 && size <= NAME_MOST;
    for (size_t at = 0; at < size && good; at++) {
        bool dot = name[at] == '.';
        good = name[at] > ' ' && name[at] != 127 && name[at] != '\\' && name[at] != ':' &&
               (!dot || label > 0 || size == 1);
        label = dot ? 0 : label + 1;
        good = good && label <= LABEL_MOST;
    }
    return good;
}

/* With a port, or without. */
static bool read_server(const char *text, char host[256], uint16_t *port)
{
    if (tcp_address_split(text, host, port))
        return address_is_numeric(host);
    *port = DNS_PORT;
    snprintf(host, 256, "%.255s", text);
    return address_is_numeric(text);
}

static void dns_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct DnsConfig *config = (struct DnsConfig *)record;
    char host[256];
    uint16_t port = 0;
    config->under_ns = config->ok->under_ns;
    const struct Node *name = node_get(node, "dns"), *server = node_get(node, "server");
    const struct Node *from = node_get(node, "from");
    if (!reference_present(config->name) && !is_name(config->name))
        problems_say(decode->problems, ERR_VALUE, name != NULL ? name->where : node->where,
                     "write it like \"shop.example.net\"", "'%s' is no name to be asked for",
                     config->name);
    if (config->server != NULL && !reference_present(config->server) &&
        !read_server(config->server, host, &port))
        problems_say(decode->problems, ERR_VALUE, server != NULL ? server->where : node->where,
                     "write it like \"192.0.2.53\", \"192.0.2.53:5353\" or \"[2001:db8::53]:5353\"",
                     "'%s' is no address of a name server", config->server);
    if (from != NULL && config->server == NULL)
        problems_say(decode->problems, ERR_RULE, from->where,
                     "name the `server`: from beside a host it is asked by TCP",
                     "`from` does not know whom to ask");
}

static void dns_say(const void *data, struct Buf *out)
{
    const struct DnsConfig *config = data;
    const char *type = "";
    for (size_t n = 0; types[n].name != NULL; n++)
        if (types[n].value == config->type)
            type = types[n].name;
    buf_printf(out, "ask for %s of %s", type, config->name);
    if (config->server != NULL)
        buf_printf(out, " at %s", config->server);
}

/* ---- what a good answer is ---- */

/* Names are equal in any case, with a dot at the end or without; texts are not, and addresses have
 * one way to be written in which they come. */
static bool is_among(int type, const char *wanted, const char *records)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr bytes;
    if (type == DNS_AAAA && inet_pton(AF_INET6, wanted, &bytes) == 1)
        wanted = inet_ntop(AF_INET6, &bytes, address, sizeof(address));
    size_t size = strlen(wanted);
    if (type != DNS_TXT && size > 1 && wanted[size - 1] == '.')
        size--;
    for (const char *at = records; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        if (length == size &&
            (type == DNS_TXT ? strncmp(at, wanted, size) : strncasecmp(at, wanted, size)) == 0)
            return true;
        at += length;
        at += *at == '\n' ? 1 : 0;
    }
    return false;
}

/* What a server says for a name that it has no records for is its answer, and no trouble of its. */
static void judge_code(int code, struct Reply *reply, struct Buf *wrong)
{
    static const char *const words[] = {"", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    reply->failure = code == 3 ? FAILURE_UNRESOLVED : FAILURE_UNAVAILABLE;
    if (code == 3)
        buf_put(wrong, "there is no such name");
    else
        buf_printf(wrong, "the server says %s", code < (int)COUNT_OF(words) ? words[code] : "no");
}

static void judge(const struct DnsConfig *config, const struct Answer *answer, struct Reply *reply,
                  struct Buf *wrong)
{
    const char *wanted = config->ok->value;
    if (answer->code != 0) {
        judge_code(answer->code, reply, wrong);
    } else if (answer->size == 0) {
        reply->failure = FAILURE_UNRESOLVED;
        buf_put(wrong, "the name has no such record");
    } else if (wanted != NULL && !is_among(config->type, wanted, answer->bytes)) {
        reply->failure = FAILURE_CONTENT;
        buf_printf(wrong, "no record is %s: ", wanted);
        for (const char *at = answer->bytes; *at != '\0'; at++)
            buf_put(wrong, *at == '\n' ? ", " : (const char[2]){*at, '\0'});
    }
    reply->outcome = wrong->size > 0 ? OUTCOME_FAILED : OUTCOME_OK;
    if (reply->failure == FAILURE_CONTENT && answer->cut) {
        buf_clear(wrong);
        buf_put(wrong, "the answer is longer than is read: what is expected may stand in the rest");
        reply->outcome = OUTCOME_BROKEN;
        reply->failure = FAILURE_NONE;
    }
    reply->detail = wrong->text;
}

/* ---- attempts ---- */

static void on_answer(void *data, const struct Answer *answer)
{
    struct DnsSlot *slot = data;
    struct DnsClient *client = slot->client;
    slot->client = NULL;
    struct Buf wrong = BUF(DETAIL_MOST);
    struct Reply reply = {.by = answer->peer};
    if (answer->end != CALL_ANSWERED)
        reply = reply_of_end(answer);
    else
        judge(slot->probe->config, answer, &reply, &wrong);
    if (answer->end == CALL_REFUSED && slot->probe->server.address == NULL) {
        /* So it ends as well where each of them says SERVFAIL, and nobody refused a connection. */
        reply.failure = FAILURE_UNAVAILABLE;
        reply.detail = "no server of resolv.conf gave a good answer";
    }
    attempt_done(slot->attempt, &reply);
    buf_free(&wrong);
    dns_close(client);
}

static void dns_cancel(void *data, void *memory)
{
    (void)data;
    struct DnsSlot *slot = memory;
    dns_close(slot->client);
    slot->client = NULL;
}

static void dns_start(void *data, void *memory, struct Attempt *attempt)
{
    struct DnsSlot *slot = memory;
    struct DnsProbe *probe = data;
    struct Err err = {.code = ERR_OWN};
    slot->probe = probe;
    slot->attempt = attempt;
    slot->client = probe->server.address != NULL ? dns_open_to(probe->loop, &probe->server, &err)
                                                 : dns_open(probe->loop, &err);
    if (slot->client == NULL) {
        const struct Reply broken = {.outcome = OUTCOME_BROKEN, .by = "", .detail = err.message};
        attempt_done(attempt, &broken);
        return;
    }
    dns_ask(slot->client, probe->config->name, probe->config->type, attempt_deadline(attempt),
            on_answer, slot);
}

static bool place_it(struct DnsProbe *probe, const struct ProbeInput *input, struct Err *err)
{
    const struct DnsConfig *config = input->config;
    char host[256];
    uint16_t port = 0;
    if (config->server == NULL)
        return true;
    if (!read_server(config->server, host, &port))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no address of a name server",
                       config->server);
    if (!place_find(input, config->server, host, port, &probe->place, err))
        return false;
    probe->server = (struct DnsServer){
        .address = probe->place.host, .port = probe->place.port, .by_tcp = input->from != NULL};
    return true;
}

static void *dns_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct DnsProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    probe->loop = loop;
    if (place_it(probe, input, err))
        return probe;
    mem_free(probe);
    return NULL;
}

static void dns_probe_close(void *data)
{
    mem_free(data);
}
