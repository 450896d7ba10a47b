/* patroni_whole.c - is all the redundancy there that the role has hosts for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"
#include "patroni.h"

/* What a replica that streams is behind by all the same, under writes. */
enum { LAG_MOST = 16 * 1024 * 1024 };
/* Connections of replication that are looked at; archivers and subscribers have some too. */
enum { STREAMS_MAX = 64 };

struct HostSays {
    bool answered, leads;
    char role[32], state[40], timeline[24];
    char member[64];  /* its name in Patroni, where that says it */
    int64_t location; /* of the log: written, or received */
};
struct Stream {
    char application[64], address[64];
};
struct WholeAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    struct HostSays hosts[PATRONI_HOSTS_MAX];
    struct Redundancy redundancy;
    struct Stream streams[STREAMS_MAX]; /* by the primary's word */
    size_t stream_count;
    bool silent;
    char why[300];
    RedundancyFn *done;
    void *data;
};

/* What is missing for sure; the first counts. */
__attribute__((format(printf, 2, 3))) static void lacking(struct WholeAsk *mine, const char *format,
                                                          ...)
{
    mine->redundancy.complete = KNOWN_NO;
    if (mine->why[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->why, sizeof(mine->why), format, values);
    va_end(values);
}

static void judge_replica(struct WholeAsk *mine, size_t host, const struct HostSays *primary)
{
    const struct HostSays *says = &mine->hosts[host];
    const char *name = mine->system->role->hosts[host]->name;
    int64_t lag = primary->location - says->location;
    if (!text_equal(says->role, "replica") || !text_equal(says->state, "running"))
        lacking(mine, "PostgreSQL on %.100s: role %s, %s", name, says->role, says->state);
    else if (!text_equal(says->timeline, primary->timeline))
        lacking(mine, "%.100s is on timeline %s, the primary on %s", name, says->timeline,
                primary->timeline);
    else if (lag > LAG_MOST)
        lacking(mine, "%.100s is %lld MiB behind", name, (long long)(lag / (1024 * 1024)));
    else
        mine->redundancy.in_sync++;
    if (lag > mine->redundancy.lag_bytes)
        mine->redundancy.lag_bytes = lag;
}

/* Patroni names the application after the member. */
static bool streams_to(const struct WholeAsk *mine, size_t host)
{
    const char *member = mine->hosts[host].member;
    for (size_t n = 0; n < mine->stream_count; n++) {
        const struct Stream *stream = &mine->streams[n];
        if (patroni_host_at(mine->system, stream->application) == host ||
            patroni_host_at(mine->system, stream->address) == host ||
            (member[0] != '\0' && text_equal(stream->application, member)))
            return true;
    }
    return false;
}

static void judge(struct WholeAsk *mine)
{
    const struct Role *role = mine->system->role;
    size_t primaries = 0, primary = 0, streaming = 0;
    for (size_t n = 0; n < role->host_count; n++)
        if (mine->hosts[n].leads) {
            primaries++;
            primary = n;
        }
    if (primaries > 1)
        lacking(mine, "%zu hosts say that they are the primary", primaries);
    if (primaries == 0 && !mine->silent)
        lacking(mine, "no host says that it is the primary");
    if (primaries != 1)
        return;
    mine->redundancy.in_sync = 1;
    for (size_t n = 0; n < role->host_count; n++)
        if (n != primary && mine->hosts[n].answered)
            judge_replica(mine, n, &mine->hosts[primary]);
    for (size_t n = 0; n < role->host_count; n++)
        streaming += n != primary && streams_to(mine, n) ? 1 : 0;
    if (streaming + 1 < role->host_count)
        lacking(mine, "%zu of %zu replicas stream from %.100s", streaming, role->host_count - 1,
                role->hosts[primary]->name);
    else if (mine->redundancy.complete == KNOWN_UNKNOWN && !mine->silent)
        mine->redundancy.complete = KNOWN_YES;
}

static void tell_whole(struct Ask *ask)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    mine->redundancy.members = (uint32_t)mine->system->role->host_count;
    judge(mine);
    if (mine->redundancy.complete == KNOWN_UNKNOWN && mine->why[0] == '\0')
        snprintf(mine->why, sizeof(mine->why), "not all hosts answer");
    mine->redundancy.why = mine->why;
    mine->done(mine->data, &mine->redundancy);
}

static void take_primary(struct WholeAsk *mine, struct HostSays *says, const struct JsonText *json)
{
    char path[48], state[24];
    says->location = member_number(json, "xlog.location", 0);
    mine->stream_count = 0;
    for (int n = 0; n < STREAMS_MAX; n++) {
        struct Stream *stream = &mine->streams[mine->stream_count];
        snprintf(path, sizeof(path), "replication.%d.state", n);
        member_text(json, path, state, sizeof(state));
        snprintf(path, sizeof(path), "replication.%d.application_name", n);
        member_text(json, path, stream->application, sizeof(stream->application));
        snprintf(path, sizeof(path), "replication.%d.client_addr", n);
        member_text(json, path, stream->address, sizeof(stream->address));
        mine->stream_count += text_equal(state, "streaming") ? 1 : 0;
    }
}

static bool take_host(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    struct HostSays *says = &mine->hosts[index];
    const char *name = mine->system->role->hosts[index]->name;
    struct JsonText *json = patroni_json(answer);
    member_text(json, "role", says->role, sizeof(says->role));
    member_text(json, "state", says->state, sizeof(says->state));
    member_text(json, "timeline", says->timeline, sizeof(says->timeline));
    member_text(json, "patroni.name", says->member, sizeof(says->member));
    says->answered = says->role[0] != '\0' && patroni_knows(says->state);
    says->leads = patroni_leads(says->role) && text_equal(says->state, "running");
    if (answer->end == CALL_REFUSED)
        lacking(mine, "Patroni on %.100s cannot be reached", name);
    if (!says->answered)
        mine->silent = true;
    else if (says->leads)
        take_primary(mine, says, json);
    else
        says->location = member_number(json, "xlog.received_location", 0);
    json_text_free(json);
    return true;
}

void patroni_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done, void *done_data)
{
    struct Patroni *system = data;
    struct WholeAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_whole);
    mine->system = system;
    mine->done = done;
    mine->data = done_data;
    patroni_ask_hosts(&mine->ask, system, "/patroni", take_host);
    ask_go(&mine->ask);
}
