/* patroni.c - PostgreSQL with its replicas, failed over by Patroni. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "kinds.h"
#include "patroni.h"

static const struct Field patroni_fields[] = {
    {.name = "dsn",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PatroniConfig, access.dsn),
     .flags = FIELD_REQUIRED,
     .example = "\"postgresql://drill@pg.staging.example.net:5000/shop\"",
     .doc = "Where clients connect: the proxy, the floating address or one host; with its user, "
            "database and options the hosts themselves are asked too."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PatroniConfig, access.password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.db}\"",
     .doc = "The password of the DSN's user."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct PatroniConfig, port),
     .fallback = "8008",
     .min = 1,
     .max = 65535,
     .example = "8008",
     .doc = "The port of Patroni's REST API on the role's hosts."},
    {.name = "tls",
     .type = FIELD_BOOL,
     .offset = offsetof(struct PatroniConfig, tls),
     .fallback = "false",
     .example = "true",
     .doc = "The REST API speaks https."},
    {.name = "rest_user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PatroniConfig, rest_user),
     .example = "drill",
     .doc = "The user of the REST API, where it wants one for a switchover."},
    {.name = "rest_password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PatroniConfig, rest_password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.patroni}\"",
     .doc = "The password of that user."},
    {.name = "db_port",
     .type = FIELD_INT,
     .offset = offsetof(struct PatroniConfig, access.db_port),
     .fallback = "5432",
     .min = 1,
     .max = 65535,
     .example = "5432",
     .doc = "The port of PostgreSQL on the role's hosts."},
    {.name = "ledger_table",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PatroniConfig, access.ledger_table),
     .fallback = "faildrill_ledger",
     .example = "drill.ledger",
     .doc = "The table of ledgers; made by the first write where it is missing, a run's rows are "
            "deleted at its end."},
    {.name = NULL}};

static void patroni_check(const void *record, const struct Node *node, struct Decode *decode);
static void *patroni_open(const void *config, const struct Role *role, struct Loop *loop,
                          struct Err *err);
static void patroni_cancel(void *system);
static void patroni_close(void *system);

const struct SystemKind patroni_system = {
    .name = "patroni",
    .summary = "PostgreSQL and its replicas, failed over by Patroni",
    .config = {.name = "patroni",
               .doc = "PostgreSQL with replicas, failed over by Patroni.",
               .size = sizeof(struct PatroniConfig),
               .fields = patroni_fields,
               .check = patroni_check},
    .open = patroni_open,
    .ask_standing = patroni_ask_standing,
    .ask_control = patroni_ask_control,
    .ask_redundancy = patroni_ask_redundancy,
    .ask_prospect = patroni_ask_prospect,
    .ask_detected = patroni_ask_detected,
    .failover = patroni_failover,
    .ask_fit = patroni_ask_fit,
    .find_primary = patroni_find_primary,
    .endpoint = access_endpoint,
    .front = access_front,
    .knobs = &patroni_knobs,
    .ledger = &patroni_ledger,
    .cancel = patroni_cancel,
    .close = patroni_close,
};

static void patroni_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct PatroniConfig *config = (struct PatroniConfig *)record;
    access_check(&config->access, node, decode);
}

/* ---- opening and closing ---- */

static void *patroni_open(const void *config, const struct Role *role, struct Loop *loop,
                          struct Err *err)
{
    if (role->host_count > PATRONI_HOSTS_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                PATRONI_HOSTS_MAX);
        return NULL;
    }
    struct HttpClient *http = http_open(loop, err);
    if (http == NULL)
        return NULL;
    struct Patroni *system = mem_zero(1, sizeof(*system));
    *system =
        (struct Patroni){.config = config, .role = role, .http = http, .asking = {.loop = loop}};
    return system;
}

static void patroni_cancel(void *data)
{
    struct Patroni *system = data;
    asks_cancel(&system->asking);
}

static void patroni_close(void *data)
{
    struct Patroni *system = data;
    asks_cancel(&system->asking);
    http_close(system->http);
    mem_free(system);
}

/* ---- what is asked of its REST API ---- */

void patroni_ask_host(struct Ask *ask, struct Patroni *system, size_t index,
                      const struct PatroniRequest *request, AskFn *fn)
{
    static const struct TextPair json = {.name = "Content-Type", .value = "application/json"};
    const char *address = access_address(system->role->hosts[index]);
    bool bare6 = strchr(address, ':') != NULL;
    bool asks = request->body == NULL; /* whoever may look needs no password */
    char url[400];
    snprintf(url, sizeof(url), "http%s://%s%.255s%s:%lld%s", system->config->tls ? "s" : "",
             bare6 ? "[" : "", address, bare6 ? "]" : "", (long long)system->config->port,
             request->path);
    struct AskPart *part = ask_part(ask, index, fn);
    part->call = http_call(system->http,
                           &(struct HttpRequest){.url = url,
                                                 .method = request->body != NULL ? "POST" : "GET",
                                                 .body = request->body,
                                                 .headers = &json,
                                                 .header_count = request->body != NULL,
                                                 .user = asks ? NULL : system->config->rest_user,
                                                 .secret = system->config->rest_password},
                           request->deadline, ask_answered, part);
}

void patroni_ask_hosts(struct Ask *ask, struct Patroni *system, const char *path, AskFn *fn)
{
    const struct PatroniRequest request = {.path = path, .deadline = ask->deadline};
    for (size_t n = 0; n < system->role->host_count; n++)
        patroni_ask_host(ask, system, n, &request, fn);
}

struct JsonText *patroni_json(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED ? json_text_read(answer->bytes, answer->size) : NULL;
}

void member_text(const struct JsonText *json, const char *path, char *out, size_t size)
{
    struct Buf text = BUF(size - 1);
    out[0] = '\0';
    if (json != NULL && json_text_find(json, path, &text))
        snprintf(out, size, "%s", text.text);
    buf_free(&text);
}

int64_t member_number(const struct JsonText *json, const char *path, int64_t otherwise)
{
    char text[32];
    int64_t number = 0;
    member_text(json, path, text, sizeof(text));
    return int_parse(text, &number, NULL) ? number : otherwise;
}

bool member_is_true(const struct JsonText *json, const char *path)
{
    char text[8];
    member_text(json, path, text, sizeof(text));
    return text_equal(text, "true");
}

/* Patroni 4 says primary where 3 said master. */
bool patroni_leads(const char *role)
{
    return text_equal(role, "master") || text_equal(role, "primary");
}

bool patroni_knows(const char *state)
{
    return state[0] != '\0' && !text_equal(state, "unknown");
}

size_t patroni_host_at(const struct Patroni *system, const char *address)
{
    size_t n = 0;
    while (n < system->role->host_count &&
           !text_equal(access_address(system->role->hosts[n]), address) &&
           !text_equal(system->role->hosts[n]->name, address))
        n++;
    return n;
}
