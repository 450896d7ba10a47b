/* patroni_prospect.c - what the configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"
#include "patroni.h"

enum { KNOBS_MAX = 12 + PATRONI_HOSTS_MAX, VALUE_MAX = 80 };
/* How long after the fault another primary is named. The leader's lock was renewed up to a
 * loop_wait before it, so it lasts ttl - loop_wait at least. At most ttl, a loop_wait until the
 * replicas look, two seconds for the promotion; and three for the coordinator's own election, for a
 * new leader of etcd counts every lease anew and may have stood on the lost machine. */
#define FAILOVER_MORE_NS (5 * NS_PER_S)

enum { TTL, LOOP_WAIT, RETRY_TIMEOUT, SYNCHRONOUS };
static const struct KnobRow rows[] = {
    [TTL] = {.name = "ttl",
             .unit = KNOB_S,
             .least = 20 * NS_PER_S,
             .usual = 30 * NS_PER_S,
             .line = "patronictl edit-config -s ttl=%s",
             .written = KNOB_S},
    [LOOP_WAIT] = {.name = "loop_wait",
                   .unit = KNOB_S,
                   .least = NS_PER_S,
                   .usual = 10 * NS_PER_S,
                   .line = "patronictl edit-config -s loop_wait=%s",
                   .written = KNOB_S},
    [RETRY_TIMEOUT] = {.name = "retry_timeout",
                       .unit = KNOB_S,
                       .least = 3 * NS_PER_S,
                       .usual = 10 * NS_PER_S,
                       .line = "patronictl edit-config -s retry_timeout=%s",
                       .written = KNOB_S},
    [SYNCHRONOUS] = {.name = "synchronous_mode",
                     .unit = KNOB_SWITCH,
                     .better = 1,
                     .line = "patronictl edit-config -s synchronous_mode=%s",
                     .written = KNOB_SWITCH},
};

/* One that is cut off gives up before its lease is over. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    int64_t ttl_ns = values[TTL], loop_ns = values[LOOP_WAIT], retry_ns = values[RETRY_TIMEOUT];
    bool known = ttl_ns != KNOB_UNKNOWN && loop_ns != KNOB_UNKNOWN && retry_ns != KNOB_UNKNOWN;
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = {0, KNOB_UNKNOWN},
                             .lossless = values[SYNCHRONOUS] == 1,
                             .lossless_if = "as long as a replica is synchronous",
                             .stays_primary = KNOWN_NO,
                             .allowed = known && loop_ns + 2 * retry_ns <= ttl_ns};
    if (!known)
        return;
    out->failover = (struct Span){ttl_ns - loop_ns, ttl_ns + loop_ns + FAILOVER_MORE_NS};
    out->acked = (struct Span){0, out->lossless ? 0 : ttl_ns + FAILOVER_MORE_NS};
}

const struct KnobTable patroni_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

struct ProspectAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    struct Knob knobs[KNOBS_MAX];
    char values[KNOBS_MAX][VALUE_MAX];
    size_t knob_count, answers, primaries, replicas, electable;
    bool configured, paused, synchronous, rewinds;
    int64_t ttl_ns, loop_ns, retry_ns;
    int64_t lag_most;
    char not_ready[300], loss[160];
    ProspectFn *done;
    void *data;
};

__attribute__((format(printf, 3, 4))) static void knob(struct ProspectAsk *mine, const char *name,
                                                       const char *format, ...)
{
    if (mine->knob_count == KNOBS_MAX)
        bug("more than %d knobs", KNOBS_MAX);
    char *value = mine->values[mine->knob_count];
    va_list values;
    va_start(values, format);
    vsnprintf(value, VALUE_MAX, format, values);
    va_end(values);
    mine->knobs[mine->knob_count++] = (struct Knob){.name = name, .value = value};
}

/* The first trap counts. */
__attribute__((format(printf, 2, 3))) static void trap(struct ProspectAsk *mine, const char *format,
                                                       ...)
{
    if (mine->not_ready[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->not_ready, sizeof(mine->not_ready), format, values);
    va_end(values);
}

/* ---- what it comes to ---- */

static void judge(struct ProspectAsk *mine)
{
    if (mine->answers == 0)
        trap(mine, "no Patroni answers");
    else if (!mine->configured)
        trap(mine, "no Patroni says how it is configured");
    if (mine->paused)
        trap(mine, "Patroni is paused (maintenance mode): no failover will start");
    if (mine->primaries == 0)
        trap(mine, "no host says that it is the primary");
    if (mine->primaries > 1)
        trap(mine, "%zu hosts say that they are the primary", mine->primaries);
    if (mine->replicas == 0)
        trap(mine, "there is no replica that could be promoted");
    else if (mine->electable == 0)
        trap(mine, "every replica is tagged nofailover: none may be promoted");
    if (mine->configured && mine->loop_ns + 2 * mine->retry_ns > mine->ttl_ns)
        knob(mine, "beware", "loop_wait + 2 * retry_timeout is more than ttl");
}

static void tell_prospect(struct Ask *ask)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    struct Prospect prospect = {.failover = {.high_ns = NS_NEVER}, .keys_at_risk = -1};
    judge(mine);
    if (mine->configured) {
        struct Forecast forecast;
        foretell((const int64_t[]){mine->ttl_ns, mine->loop_ns, mine->retry_ns, mine->synchronous},
                 &forecast);
        prospect.failover = forecast.failover;
        prospect.planned = (struct Span){0, mine->loop_ns + FAILOVER_MORE_NS};
        if (!mine->synchronous)
            snprintf(mine->loss, sizeof(mine->loss),
                     "loss possible: asynchronous, what did not reach the replica (%lld KiB at "
                     "most at the last look, and up to ttl of writes since)",
                     (long long)(mine->lag_most / 1024));
    }
    prospect.persistence = PERSIST_ALL; /* a log that was acknowledged is on its disk */
    prospect.durable = "WAL";
    if (mine->configured && !mine->rewinds)
        prospect.no_return = "use_pg_rewind is off: once it wrote what its successor has not, it "
                             "stays out until it is copied anew";
    prospect.knobs = mine->knobs;
    prospect.knob_count = mine->knob_count;
    prospect.not_ready = mine->not_ready[0] != '\0' ? mine->not_ready : NULL;
    prospect.loss = mine->loss[0] != '\0' ? mine->loss : NULL;
    mine->done(mine->data, &prospect);
}

/* ---- what they say ---- */

static int64_t seconds(struct ProspectAsk *mine, const struct JsonText *json, const char *name,
                       int64_t otherwise)
{
    int64_t value = member_number(json, name, otherwise);
    knob(mine, name, "%lld s", (long long)value);
    return value * NS_PER_S;
}

/* What does not stand there is Patroni's default. The same on all hosts: the first that says it. */
static bool take_config(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    struct JsonText *json = answer->code == 200 && !mine->configured ? patroni_json(answer) : NULL;
    if (json == NULL)
        return true;
    mine->configured = true;
    mine->ttl_ns = seconds(mine, json, "ttl", 30);
    mine->loop_ns = seconds(mine, json, "loop_wait", 10);
    mine->retry_ns = seconds(mine, json, "retry_timeout", 10);
    mine->lag_most = member_number(json, "maximum_lag_on_failover", 1048576);
    knob(mine, "maximum_lag_on_failover", "%lld KiB", (long long)(mine->lag_most / 1024));
    mine->synchronous = member_is_true(json, "synchronous_mode");
    knob(mine, "synchronous_mode", "%s%s", mine->synchronous ? "on" : "off",
         member_is_true(json, "synchronous_mode_strict") ? ", strict" : "");
    knob(mine, "failsafe_mode", "%s", member_is_true(json, "failsafe_mode") ? "on" : "off");
    mine->rewinds = member_is_true(json, "postgresql.use_pg_rewind");
    knob(mine, "use_pg_rewind", "%s", mine->rewinds ? "on" : "off");
    mine->paused = mine->paused || member_is_true(json, "pause");
    json_text_free(json);
    return true;
}

static bool take_host(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    const char *name = mine->system->role->hosts[index]->name;
    struct JsonText *json = patroni_json(answer);
    char role[32], state[40];
    member_text(json, "role", role, sizeof(role));
    member_text(json, "state", state, sizeof(state));
    bool runs = text_equal(state, "running");
    char version[24];
    member_text(json, "patroni.version", version, sizeof(version));
    if (version[0] != '\0' && index == 0)
        knob(mine, "Patroni", "%s", version);
    int64_t server = member_number(json, "server_version", 0);
    if (server > 100000 && index == 0)
        knob(mine, "PostgreSQL", "%lld.%lld", (long long)(server / 10000),
             (long long)(server % 10000));
    if (role[0] == '\0')
        trap(mine, "Patroni on %.100s does not answer", name);
    else
        mine->answers++;
    mine->primaries += patroni_leads(role) && runs ? 1 : 0;
    if (text_equal(role, "replica") && runs) {
        mine->replicas++;
        mine->electable += member_is_true(json, "tags.nofailover") ? 0 : 1;
    }
    if (member_is_true(json, "pause"))
        mine->paused = true;
    if (member_is_true(json, "cluster_unlocked"))
        trap(mine, "nobody holds the leader's lock");
    if (member_is_true(json, "pending_restart"))
        knob(mine, "pending_restart", "on %s", name);
    json_text_free(json);
    return true;
}

void patroni_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct Patroni *system = data;
    struct ProspectAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_prospect);
    mine->system = system;
    mine->done = done;
    mine->data = done_data;
    patroni_ask_hosts(&mine->ask, system, "/config", take_config);
    patroni_ask_hosts(&mine->ask, system, "/patroni", take_host);
    ask_go(&mine->ask);
}
