/* etcd.c - etcd, whose members elect a leader by Raft. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "../schema/decode.h"
#include "kinds.h"

static const struct Field etcd_fields[] = {
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct EtcdConfig, port),
     .fallback = "2379",
     .min = 1,
     .max = 65535,
     .example = "2379",
     .doc = "The port where the role's hosts serve clients."},
    {.name = "tls",
     .type = FIELD_BOOL,
     .offset = offsetof(struct EtcdConfig, tls),
     .fallback = "false",
     .example = "true",
     .doc = "They speak https."},
    {.name = "election_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct EtcdConfig, election_ns),
     .fallback = "1s",
     .min = 10 * NS_PER_MS,
     .max = 50 * NS_PER_S,
     .example = "1s",
     .doc = "Their --election-timeout, which they tell nobody; the range that the plan foresees "
            "is made of it."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct EtcdConfig, config_file),
     .example = "/etc/default/etcd",
     .doc = "Their configuration on the hosts: YAML, a file of variables or a unit, from which the "
            "plan reads election and heartbeat times, instead of `election_timeout` here; who logs "
            "in there must be able to read it, which one whose key runs `doctor --helper` is not."},
    {.name = "key_prefix",
     .type = FIELD_TEXT,
     .offset = offsetof(struct EtcdConfig, key_prefix),
     .fallback = "faildrill/",
     .example = "drill/",
     .doc = "What the keys of ledgers begin with; a run's keys are deleted at its end."},
    {.name = NULL}};

static void etcd_check(const void *record, const struct Node *node, struct Decode *decode);
static void *etcd_open(const void *config, const struct Role *role, struct Loop *loop,
                       struct Err *err);
static void etcd_close(void *system);
static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
static void endpoint(const void *config, const struct Target *host, struct Endpoint *out);

const struct SystemKind etcd_system = {
    .name = "etcd",
    .summary = "etcd, whose members elect a leader by Raft",
    .config = {.name = "etcd",
               .doc = "etcd, whose members elect a leader by Raft.",
               .size = sizeof(struct EtcdConfig),
               .fields = etcd_fields,
               .check = etcd_check},
    .open = etcd_open,
    .ask_standing = elected_ask_standing,
    .ask_control = elected_ask_control,
    .ask_redundancy = ask_redundancy,
    .ask_prospect = etcd_ask_prospect,
    .failover = etcd_failover,
    .find_primary = elected_find_primary,
    .endpoint = endpoint,
    .knobs = &etcd_knobs,
    .ledger = &etcd_ledger,
    .cancel = elected_cancel,
    .close = etcd_close,
};

static void etcd_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct EtcdConfig *config = record;
    const struct Node *file = node_get(node, "config"), *said = node_get(node, "election_timeout");
    if (file == NULL)
        return;
    if (!reference_present(config->config_file) && config->config_file[0] != '/')
        problems_say(decode->problems, ERR_VALUE, file->where, "write the path from the root",
                     "'%s' is no absolute path", config->config_file);
    if (said != NULL)
        problems_say(decode->problems, ERR_VALUE, said->where, "leave one of the two out",
                     "`election_timeout` is read from `config`");
}

/* ---- what goes over the wire ---- */

struct Call *etcd_call(const struct EtcdRequest *request, CallDone *done, void *data)
{
    static const struct TextPair json = {.name = "Content-Type", .value = "application/json"};
    bool bare6 = strchr(request->address, ':') != NULL;
    char url[400];
    snprintf(url, sizeof(url), "http%s://%s%.255s%s:%u%s", request->config->tls ? "s" : "",
             bare6 ? "[" : "", request->address, bare6 ? "]" : "", (unsigned)request->port,
             request->path);
    return http_call(request->http,
                     &(struct HttpRequest){.url = url,
                                           .method = "POST",
                                           .body = request->body,
                                           .headers = &json,
                                           .header_count = 1,
                                           .keep = request->keep},
                     request->deadline, done, data);
}

void etcd_text(const struct JsonText *json, const char *path, char *out, size_t size)
{
    struct Buf text = BUF(size - 1);
    out[0] = '\0';
    if (json != NULL && json_text_find(json, path, &text))
        snprintf(out, size, "%s", text.text);
    buf_free(&text);
}

int64_t etcd_number(const struct JsonText *json, const char *path, int64_t otherwise)
{
    char text[32];
    int64_t number = 0;
    etcd_text(json, path, text, sizeof(text));
    return int_parse(text, &number, NULL) ? number : otherwise;
}

static struct Call *ask_status(struct Elected *data, size_t host, struct Mono deadline,
                               CallDone *done, void *done_data)
{
    struct Etcd *system = (struct Etcd *)data;
    return etcd_call(
        &(struct EtcdRequest){.config = system->config,
                              .http = system->http,
                              .address = elected_address(system->elected.role->hosts[host]),
                              .path = "/v3/maintenance/status",
                              .body = "{}",
                              .port = (uint16_t)system->config->port,
                              .deadline = deadline},
        done, done_data);
}

static struct JsonText *status_of(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED && answer->code == 200
               ? json_text_read(answer->bytes, answer->size)
               : NULL;
}

static void keep_member(const struct Answer *answer, void *kept)
{
    struct EtcdMember *member = kept;
    struct JsonText *json = status_of(answer);
    char learner[8];
    *member = (struct EtcdMember){.index = -1};
    etcd_text(json, "header.member_id", member->id, sizeof(member->id));
    etcd_text(json, "leader", member->leader, sizeof(member->leader));
    etcd_text(json, "version", member->version, sizeof(member->version));
    etcd_text(json, "errors.0", member->errors, sizeof(member->errors));
    etcd_text(json, "isLearner", learner, sizeof(learner));
    member->index = etcd_number(json, "raftIndex", -1);
    member->applied = etcd_number(json, "raftAppliedIndex", member->index);
    member->learner = text_equal(learner, "true");
    json_text_free(json);
}

/* A member without a leader, and a learner, are neither. A leader that lost its followers gives up
 * by itself after an election timeout. */
static void hear_status(struct Elected *data, size_t host, const struct Answer *answer,
                        struct Standing *out)
{
    struct EtcdMember member;
    struct JsonText *json = status_of(answer);
    (void)data;
    (void)host;
    keep_member(answer, &member);
    if (member.id[0] != '\0') {
        bool led = member.leader[0] != '\0' && !text_equal(member.leader, "0");
        out->rank = !led || member.learner                 ? RANK_OTHER
                    : text_equal(member.leader, member.id) ? RANK_PRIMARY
                                                           : RANK_REPLICA;
        out->writable = out->rank == RANK_PRIMARY ? KNOWN_YES : KNOWN_NO;
        etcd_text(json, "raftTerm", out->epoch, sizeof(out->epoch));
        etcd_text(json, "header.cluster_id", out->identity, sizeof(out->identity));
    }
    json_text_free(json);
}

static const struct ElectedKind raft = {.ask = ask_status,
                                        .hear = hear_status,
                                        .keep = keep_member,
                                        .kept_size = sizeof(struct EtcdMember)};

static void *etcd_open(const void *config, const struct Role *role, struct Loop *loop,
                       struct Err *err)
{
    struct Etcd *system = mem_zero(1, sizeof(*system));
    system->config = config;
    system->elected.port = (uint16_t)system->config->port;
    if (elected_open(&system->elected, &raft, role, loop, err))
        system->http = http_open(loop, err);
    if (system->http != NULL) {
        system->remote = remote_open(loop, role);
        return system;
    }
    mem_free(system);
    return NULL;
}

static void etcd_close(void *data)
{
    struct Etcd *system = data;
    elected_cancel(system);
    remote_close(system->remote);
    http_close(system->http);
    mem_free(system);
}

static void endpoint(const void *data, const struct Target *host, struct Endpoint *out)
{
    const struct EtcdConfig *config = data;
    *out = (struct Endpoint){
        .host = elected_address(host), .port = (uint16_t)config->port, .tls = config->tls};
}

/* ---- redundancy: all of one term and leader, and none far behind ---- */

enum { LAG_MOST = 5000 }; /* entries; etcd itself sends a snapshot from 10 000 on */

static void tell_redundancy(struct Roll *roll)
{
    const struct Role *role = roll->system->role;
    struct Redundancy redundancy;
    char why[300];
    size_t leader = roll_leader(roll);
    roll_judge(roll, &redundancy, why);
    for (size_t n = 0; n < role->host_count && redundancy.complete == KNOWN_YES; n++) {
        const struct EtcdMember *member = roll_kept(roll, n), *first = roll_kept(roll, leader);
        const char *name = role->hosts[n]->name;
        long long lag = (long long)(first->index - member->applied);
        if (!text_equal(member->leader, first->id))
            snprintf(why, sizeof(why), "%.100s follows another leader", name);
        else if (lag > LAG_MOST)
            snprintf(why, sizeof(why), "%.100s is %lld entries behind", name, lag);
        else
            continue;
        redundancy.complete = KNOWN_NO;
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
