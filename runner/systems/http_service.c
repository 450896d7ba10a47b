/* http_service.c - a service that says by HTTP which of its hosts is primary. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "../clients/http.h"
#include "../schema/decode.h"
#include "elected.h"
#include "kinds.h"

struct HttpServiceConfig {
    const char *primary, *read, *durable, *user, *password;
    int plain_start;
};
struct HttpService {
    struct Elected elected; /* first */
    const struct HttpServiceConfig *config;
    struct HttpClient *http;
};

static const struct Field http_fields[] = {
    {.name = "primary",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpServiceConfig, primary),
     .flags = FIELD_REQUIRED,
     .example = "\"http://${host.address}:8008/primary\"",
     .doc = "Asked of every host: 200 says that it is the primary, another status that it is not "
            "(502 and "
            "504 are a proxy's and say nothing), "
            "and silence nothing; with ${host.address} or ${host.name}."},
    {.name = "read",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpServiceConfig, read),
     .example = "\"http://${host.address}:8008/replica\"",
     .doc = "Asked of the others: 200 says that it could take over; without it redundancy is that "
            "all hosts answer and one is the primary."},
    {.name = "durable",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpServiceConfig, durable),
     .example = "its log, synced at every write",
     .doc = "What a killed primary comes back with, in your words; such pages do not say it, and "
            "without it no primary is killed."},
    {.name = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpServiceConfig, user),
     .example = "drill",
     .doc = "The user to ask as, where these pages want one."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpServiceConfig, password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.pages}\"",
     .doc = "The password of that user."},
    PLAIN_START_FIELD(struct HttpServiceConfig),
    {.name = NULL}};

static void http_check(const void *record, const struct Node *node, struct Decode *decode);
static void *http_service_open(const void *config, const struct Role *role, struct Loop *loop,
                               struct Err *err);
static void http_service_close(void *system);
static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
static bool returns_safely(const void *config, bool by_boot);
static void ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);

const struct SystemKind http_system = {
    .name = "http",
    .summary = "a service that says by HTTP which of its hosts is primary",
    .config = {.name = "http",
               .doc = "A service that says by HTTP which of its hosts is primary.",
               .size = sizeof(struct HttpServiceConfig),
               .fields = http_fields,
               .check = http_check},
    .open = http_service_open,
    .ask_standing = elected_ask_standing,
    .ask_control = elected_ask_control,
    .ask_redundancy = ask_redundancy,
    .ask_prospect = ask_prospect,
    .returns_safely = returns_safely,
    .find_primary = elected_find_primary,
    .cancel = elected_cancel,
    .close = http_service_close,
};

/* "${host.address}" and "${host.name}", which differ from host to host. */
static void fill(const char *url, const char *name, const char *address, struct Buf *out)
{
    for (const char *at = url; *at != '\0';) {
        bool by_name = text_starts(at, "${host.name}");
        bool by_address = text_starts(at, "${host.address}");
        bool bare6 = by_address && strchr(address, ':') != NULL;
        if (by_name)
            buf_put(out, name);
        else if (by_address)
            buf_printf(out, "%s%s%s", bare6 ? "[" : "", address, bare6 ? "]" : "");
        else
            buf_char(out, *at);
        at += by_name ? strlen("${host.name}") : by_address ? strlen("${host.address}") : 1;
    }
}

static void check_url(const char *url, const char *key, const struct Node *node,
                      struct Decode *decode)
{
    struct Buf filled = BUF(1000);
    const struct Node *at = node_get(node, key);
    if (url == NULL)
        return;
    fill(url, "a", "10.0.0.1", &filled);
    const char *why =
        reference_present(filled.text) ? NULL : http_url_fault(filled.text, NULL, 0, NULL);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, at != NULL ? at->where : node->where,
                     "write it like \"http://${host.address}:8008/primary\"", "'%s': %s", url, why);
    else if (text_equal(filled.text, url))
        problems_say(decode->problems, ERR_RULE, at != NULL ? at->where : node->where,
                     "put ${host.address} or ${host.name} into it",
                     "`%s` names no host: all would be asked for one answer", key);
    buf_free(&filled);
}

static void http_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct HttpServiceConfig *config = record;
    check_url(config->primary, "primary", node, decode);
    check_url(config->read, "read", node, decode);
}

static bool returns_safely(const void *data, bool by_boot)
{
    const struct HttpServiceConfig *config = data;
    (void)by_boot;
    return config->plain_start == 1;
}

/* ---- asking ---- */

static struct Call *ask_url(struct HttpService *system, const char *url, size_t host,
                            struct Mono deadline, CallDone *done, void *data)
{
    const struct Target *target = system->elected.role->hosts[host];
    struct Buf filled = BUF(1000);
    fill(url, target->name, elected_address(target), &filled);
    struct Call *call = http_call(system->http,
                                  &(struct HttpRequest){.url = filled.text,
                                                        .user = system->config->user,
                                                        .secret = system->config->password},
                                  deadline, done, data);
    buf_free(&filled);
    return call;
}

static struct Call *ask_primary(struct Elected *data, size_t host, struct Mono deadline,
                                CallDone *done, void *done_data)
{
    struct HttpService *system = (struct HttpService *)data;
    return ask_url(system, system->config->primary, host, deadline, done, done_data);
}

static void hear_primary(struct Elected *system, size_t host, const struct Answer *answer,
                         struct Standing *out)
{
    (void)system;
    (void)host;
    /* These are a proxy's, which could not ask the service itself. */
    if (answer->end != CALL_ANSWERED || answer->code == 502 || answer->code == 504)
        return;
    out->rank = answer->code == 200 ? RANK_PRIMARY : RANK_REPLICA;
    out->writable = answer->code == 200 ? KNOWN_YES : KNOWN_NO;
}

static const struct ElectedKind service = {.ask = ask_primary, .hear = hear_primary};

static void *http_service_open(const void *config, const struct Role *role, struct Loop *loop,
                               struct Err *err)
{
    struct HttpService *system = mem_zero(1, sizeof(*system));
    system->config = config;
    if (elected_open(&system->elected, &service, role, loop, err))
        system->http = http_open(loop, err);
    if (system->http == NULL) {
        mem_free(system);
        return NULL;
    }
    struct Buf filled = BUF(1000);
    char host[64];
    fill(system->config->primary, "a", "10.0.0.1", &filled);
    (void)http_url_fault(filled.text, host, sizeof(host), &system->elected.port);
    buf_free(&filled);
    return system;
}

static void http_service_close(void *data)
{
    struct HttpService *system = data;
    elected_cancel(system);
    http_close(system->http);
    mem_free(system);
}

/* ---- who could take over ---- */

struct ReadAsk {
    struct Ask ask; /* first */
    struct HttpService *system;
    struct Redundancy redundancy;
    char why[300];
    RedundancyFn *done;
    void *data;
};

static bool take_read(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ReadAsk *mine = (struct ReadAsk *)ask;
    const char *name = mine->system->elected.role->hosts[index]->name;
    if (answer->end == CALL_ANSWERED && answer->code == 200)
        return true;
    mine->redundancy.in_sync--;
    if (answer->end == CALL_ANSWERED) {
        mine->redundancy.complete = KNOWN_NO;
        snprintf(mine->why, sizeof(mine->why), "%.100s could not take over: its page says %d", name,
                 answer->code);
    } else if (mine->redundancy.complete == KNOWN_YES) {
        mine->redundancy.complete = KNOWN_UNKNOWN;
        snprintf(mine->why, sizeof(mine->why), "%.100s does not answer", name);
    }
    return true;
}

static void tell_read(struct Ask *ask)
{
    struct ReadAsk *mine = (struct ReadAsk *)ask;
    mine->redundancy.why = mine->why;
    mine->done(mine->data, &mine->redundancy);
}

static void tell_roll(struct Roll *roll)
{
    struct HttpService *system = (struct HttpService *)roll->system;
    struct Redundancy redundancy;
    char why[300];
    size_t leader = roll_leader(roll);
    roll_judge(roll, &redundancy, why);
    if (redundancy.complete != KNOWN_YES || system->config->read == NULL) {
        roll->done.redundancy(roll->data, &redundancy);
        return;
    }
    struct ReadAsk *mine =
        ask_begin(&system->elected.asking, sizeof(*mine), roll->ask.deadline, tell_read);
    mine->system = system;
    mine->redundancy = redundancy;
    mine->done = roll->done.redundancy;
    mine->data = roll->data;
    for (size_t n = 0; n < roll->system->role->host_count; n++) {
        if (n == leader)
            continue;
        struct AskPart *part = ask_part(&mine->ask, n, take_read);
        part->call =
            ask_url(system, system->config->read, n, roll->ask.deadline, ask_answered, part);
    }
    ask_go(&mine->ask);
}

static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_roll);
    roll->done.redundancy = done;
    roll->data = data;
    roll_go(roll);
}

/* Such a page says nothing of times, nor of what its host has on disk. */
static void tell_prospect(struct Roll *roll)
{
    const struct HttpService *system = (const struct HttpService *)roll->system;
    struct Outlook *outlook = (struct Outlook *)roll;
    outlook_judge(outlook);
    if (system->config->durable != NULL) {
        snprintf(outlook->durable, sizeof(outlook->durable), "%s", system->config->durable);
        outlook->prospect.persistence = PERSIST_ALL;
    }
    outlook_tell(outlook);
}

static void ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    struct Outlook *outlook =
        outlook_begin(system, sizeof(*outlook), deadline, tell_prospect, done, data);
    roll_go(&outlook->roll);
}
