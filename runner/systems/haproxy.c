/* haproxy.c - servers behind HAProxy, of which one has the traffic. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "../schema/decode.h"
#include "kinds.h"

static const struct Field haproxy_fields[] = {
    {.name = "stats",
     .type = FIELD_LIST,
     .offset = offsetof(struct HaproxyConfig, stats),
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = PROXIES_MAX,
     .example = "[\"http://lb-1.example.net:7000/\", \"http://lb-2.example.net:7000/\"]",
     .doc = "The statistics pages of all proxies that serve it: what `stats uri` names, without "
            "the `;csv` that is put behind."},
    {.name = "backend",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HaproxyConfig, backend),
     .flags = FIELD_REQUIRED,
     .example = "orders",
     .doc = "The backend or listen section, whose servers bear the names of the role's hosts; one "
            "that gives its traffic to one server at a time, for of the others nobody is primary."},
    {.name = "inter",
     .type = FIELD_DURATION,
     .offset = offsetof(struct HaproxyConfig, inter_ns),
     .fallback = "2s",
     .min = NS_PER_MS,
     .max = 3600 * NS_PER_S,
     .example = "2s",
     .doc = "The servers' `inter`, which the page does not say: the range that the plan foresees "
            "is made of it."},
    {.name = "fastinter",
     .type = FIELD_DURATION,
     .offset = offsetof(struct HaproxyConfig, fastinter_ns),
     .min = NS_PER_MS,
     .max = 3600 * NS_PER_S,
     .example = "500ms",
     .doc = "Their `fastinter`; default: as `inter`."},
    {.name = "check_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct HaproxyConfig, check_ns),
     .min = NS_PER_MS,
     .max = 3600 * NS_PER_S,
     .example = "1s",
     .doc = "Its `timeout check`; default: as `inter`."},
    {.name = "proxies",
     .type = FIELD_LIST,
     .offset = offsetof(struct HaproxyConfig, proxies),
     .max = PROXIES_MAX,
     .example = "[lb-1, lb-2]",
     .doc =
         "Hosts of this environment where those proxies run. The plan then reads `config` there, "
         "instead of `inter`, `fastinter` and `check_timeout` here."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HaproxyConfig, config_file),
     .fallback = "/etc/haproxy/haproxy.cfg",
     .example = "/etc/haproxy/haproxy.cfg",
     .doc = "The proxies' configuration on `proxies`; who logs in there must be able to read it, "
            "which one whose key runs `doctor --helper` is not."},
    {.name = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HaproxyConfig, user),
     .example = "drill",
     .doc = "The user of the pages, where they want one."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HaproxyConfig, password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.stats}\"",
     .doc = "The password of that user."},
    {.name = NULL}};

static void haproxy_check(const void *record, const struct Node *node, struct Decode *decode);
static void haproxy_bind(void *config, const struct Target *(*find)(void *data, const char *name),
                         void *data);
static void *haproxy_open(const void *config, const struct Role *role, struct Loop *loop,
                          struct Err *err);
static void haproxy_cancel(void *system);
static void haproxy_close(void *system);

const struct SystemKind haproxy_system = {
    .name = "haproxy",
    .summary = "servers behind HAProxy, of which one has the traffic",
    .config = {.name = "haproxy",
               .doc = "Servers behind HAProxy, of which one has the traffic.",
               .size = sizeof(struct HaproxyConfig),
               .fields = haproxy_fields,
               .check = haproxy_check},
    .bind = haproxy_bind,
    .open = haproxy_open,
    .ask_standing = haproxy_ask_standing,
    .ask_control = haproxy_ask_control,
    .ask_redundancy = haproxy_ask_redundancy,
    .ask_prospect = haproxy_ask_prospect,
    .ask_detected = haproxy_ask_detected,
    .find_primary = haproxy_find_primary,
    .knobs = &haproxy_knobs,
    .cancel = haproxy_cancel,
    .close = haproxy_close,
};

/* Either people say it, or the files do. */
static void check_files(const struct HaproxyConfig *config, const struct Node *node,
                        struct Decode *decode)
{
    static const char *const said[] = {"inter", "fastinter", "check_timeout"};
    const struct Node *file = node_get(node, "config");
    if (!reference_present(config->config_file) && config->config_file[0] != '/')
        problems_say(decode->problems, ERR_VALUE, file != NULL ? file->where : node->where,
                     "write the path from the root", "'%s' is no absolute path",
                     config->config_file);
    if (file != NULL && config->proxies.count == 0)
        problems_say(decode->problems, ERR_VALUE, file->where,
                     "name the hosts, as `proxies: [lb-1, lb-2]`",
                     "nobody knows on which hosts `config` stands");
    for (size_t n = 0; n < COUNT_OF(said) && config->proxies.count > 0; n++)
        if (node_get(node, said[n]) != NULL)
            problems_say(decode->problems, ERR_VALUE, node_get(node, said[n])->where,
                         "leave one of the two out", "`%s` is read on `proxies`", said[n]);
}

static void haproxy_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct HaproxyConfig *config = (struct HaproxyConfig *)record;
    check_files(config, node, decode);
    const struct Node *stats = node_get(node, "stats");
    const char *const *urls = config->stats.items;
    for (size_t n = 0; n < config->stats.count; n++) {
        const char *why =
            reference_present(urls[n]) ? NULL : http_url_fault(urls[n], NULL, 0, NULL);
        if (why != NULL)
            problems_say(decode->problems, ERR_VALUE, stats != NULL ? stats->where : node->where,
                         "write it like \"http://lb-1.example.net:7000/\"", "'%s': %s", urls[n],
                         why);
    }
    if (config->fastinter_ns == 0)
        config->fastinter_ns = config->inter_ns;
    if (config->check_ns == 0)
        config->check_ns = config->inter_ns;
}

static void haproxy_bind(void *data, const struct Target *(*find)(void *data, const char *name),
                         void *find_data)
{
    struct HaproxyConfig *config = data;
    const char *const *list = config->proxies.items;
    for (size_t n = 0; n < config->proxies.count && n < PROXIES_MAX; n++)
        config->hosts[n] = find(find_data, list[n]);
}

static bool names_hosts(const struct HaproxyConfig *config, const struct Role *role,
                        struct Err *err)
{
    const char *const *list = config->proxies.items;
    for (size_t n = 0; n < config->proxies.count; n++) {
        if (config->hosts[n] != NULL)
            continue;
        err_set(err, ERR_HOST, role->where,
                "proxy '%.80s' of role '%s' is no host of this environment", list[n], role->name);
        return err_hint(err, "Name a host of a role, say one of a role `proxy`.");
    }
    return true;
}

static void *haproxy_open(const void *config, const struct Role *role, struct Loop *loop,
                          struct Err *err)
{
    if (!names_hosts(config, role, err))
        return NULL;
    if (role->host_count > HAPROXY_HOSTS_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                HAPROXY_HOSTS_MAX);
        return NULL;
    }
    struct HttpClient *http = http_open(loop, err);
    if (http == NULL)
        return NULL;
    struct Haproxy *system = mem_zero(1, sizeof(*system));
    *system =
        (struct Haproxy){.config = config, .role = role, .http = http, .asking = {.loop = loop}};
    system->proxies = (struct Role){.name = role->name,
                                    .hosts = system->config->hosts,
                                    .host_count = system->config->proxies.count};
    system->remote = remote_open(loop, &system->proxies);
    return system;
}

static void haproxy_cancel(void *data)
{
    struct Haproxy *system = data;
    asks_cancel(&system->asking);
}

static void haproxy_close(void *data)
{
    struct Haproxy *system = data;
    asks_cancel(&system->asking);
    remote_close(system->remote);
    http_close(system->http);
    mem_free(system);
}

/* ---- its page: CSV, the first line says which columns there are ---- */

enum Column { PXNAME, SVNAME, STATUS, WEIGHT, ACTIVE, CHECK, RISE, FALL, ADDRESS, COLUMNS };
static const char *const names[COLUMNS] = {
    [PXNAME] = "pxname",   [SVNAME] = "svname",   [STATUS] = "status",
    [WEIGHT] = "weight",   [ACTIVE] = "act",      [CHECK] = "check_status",
    [RISE] = "check_rise", [FALL] = "check_fall", [ADDRESS] = "addr"};
struct Row {
    char at[COLUMNS][100];
};

/* One field from `*at`, cut to its room; behind it stands a comma, the line's end or nothing. */
static void read_field(const char **at, char *out, size_t room)
{
    bool quoted = **at == '"';
    size_t size = 0;
    for (*at += quoted ? 1 : 0; **at != '\0' && **at != '\n'; ++*at) {
        if (quoted && **at == '"' && (*at)[1] != '"') {
            ++*at;
            break;
        }
        if (!quoted && **at == ',')
            break;
        if (quoted && **at == '"')
            ++*at;
        if (size + 1 < room && **at != '\r')
            out[size++] = **at;
    }
    out[size] = '\0';
}

/* Of a line: those fields whose place is known. */
static void read_row(const char **at, const int places[COLUMNS], struct Row *row)
{
    char field[100];
    *row = (struct Row){.at = {""}};
    for (int place = 0; **at != '\0' && **at != '\n'; place++) {
        read_field(at, field, sizeof(field));
        for (int n = 0; n < COLUMNS; n++)
            if (places[n] == place)
                memcpy(row->at[n], field, sizeof(field));
        if (**at == ',')
            ++*at;
    }
    if (**at == '\n')
        ++*at;
}

static bool read_head(const char **at, int places[COLUMNS])
{
    char field[100];
    for (int n = 0; n < COLUMNS; n++)
        places[n] = -1;
    if (!text_starts(*at, "# "))
        return false;
    *at += 2;
    for (int place = 0; **at != '\0' && **at != '\n'; place++) {
        read_field(at, field, sizeof(field));
        for (int n = 0; n < COLUMNS; n++)
            if (text_equal(field, names[n]))
                places[n] = place;
        if (**at == ',')
            ++*at;
    }
    if (**at == '\n')
        ++*at;
    return places[PXNAME] >= 0 && places[SVNAME] >= 0 && places[STATUS] >= 0 && places[ACTIVE] >= 0;
}

static void read_server(const struct Row *row, struct Server *out)
{
    bool up = text_starts(row->at[STATUS], "UP") || text_equal(row->at[STATUS], "no check");
    const char *port = strrchr(row->at[ADDRESS], ':');
    *out =
        (struct Server){.state = up && !text_equal(row->at[WEIGHT], "0") ? SERVER_UP : SERVER_DOWN,
                        .port = port != NULL ? (uint16_t)strtoul(port + 1, NULL, 10) : 0,
                        .rise = -1,
                        .fall = -1};
    snprintf(out->status, sizeof(out->status), "%.31s", row->at[STATUS]);
    snprintf(out->check, sizeof(out->check), "%.31s", row->at[CHECK]);
    (void)int_parse(row->at[RISE], &out->rise, NULL);
    (void)int_parse(row->at[FALL], &out->fall, NULL);
}

/* All active servers that are up have the traffic; where there is none, the first backup. */
bool haproxy_read(const struct Haproxy *system, const char *bytes, size_t size,
                  struct Server servers[HAPROXY_HOSTS_MAX])
{
    const struct Role *role = system->role;
    int places[COLUMNS];
    struct Row row;
    bool seen = false, active = false, spare = false;
    struct Server *backup = NULL;
    (void)size;
    for (size_t n = 0; n < role->host_count; n++)
        servers[n] = (struct Server){.state = SERVER_UNSEEN, .rise = -1, .fall = -1};
    if (!read_head(&bytes, places))
        return false;
    while (*bytes != '\0') {
        read_row(&bytes, places, &row);
        if (!text_equal(row.at[PXNAME], system->config->backend))
            continue;
        seen = true;
        struct Server server = {.state = SERVER_UNSEEN, .rise = -1, .fall = -1}, *at = NULL;
        read_server(&row, &server);
        bool first = text_equal(row.at[ACTIVE], "1"), up = server.state == SERVER_UP;
        bool is_server =
            !text_equal(row.at[SVNAME], "FRONTEND") && !text_equal(row.at[SVNAME], "BACKEND");
        for (size_t n = 0; n < role->host_count; n++)
            if (text_equal(row.at[SVNAME], role->hosts[n]->name))
                at = &servers[n];
        if (at != NULL)
            *at = server;
        if (at != NULL && first && up)
            at->state = SERVER_TAKES;
        active = active || (is_server && first && up);
        if (is_server && !first && up && !spare) { /* which may be none of the role's */
            spare = true;
            backup = at;
        }
    }
    if (!active && backup != NULL)
        backup->state = SERVER_TAKES;
    return seen;
}
