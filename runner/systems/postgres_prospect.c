/* postgres_prospect.c - is the redundancy whole, and what the configuration promises. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "postgres.h"

/* What a replica that streams is behind by all the same, under writes. */
enum { LAG_MOST = 16 * 1024 * 1024 };
/* One that is asked for: the log that is left is replayed, and a timeline begun. */
#define PROMOTION_NS (10 * NS_PER_S)

enum { STANDBY_NAMES, COMMIT };
enum { NOBODY, SOMEBODY };       /* of standby_words */
enum { OFF, LOCAL, REMOTE, ON }; /* of commit_words */
static const char *const standby_words[] = {"none", "ANY 1 (*)", NULL};
static const char *const commit_words[] = {"off", "local", "remote_write", "on", NULL};
static const struct KnobRow rows[] = {
    [STANDBY_NAMES] = {.name = "synchronous_standby_names",
                       .unit = KNOB_WORD,
                       .words = standby_words,
                       .better = SOMEBODY,
                       .line = "synchronous_standby_names = '%s'",
                       .written = KNOB_WORD},
    [COMMIT] = {.name = "synchronous_commit",
                .unit = KNOB_WORD,
                .words = commit_words,
                .better = ON,
                .line = "synchronous_commit = %s",
                .written = KNOB_WORD},
};

/* One that is cut off acknowledges as long as it runs: nobody demotes it. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    int64_t standbys = values[STANDBY_NAMES], commit = values[COMMIT];
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = {0, KNOB_UNKNOWN},
                             .lossless = standbys == SOMEBODY && commit >= REMOTE,
                             .lossless_if = "as long as a replica that confirmed is promoted",
                             .stays_primary = KNOWN_YES,
                             .allowed = true};
    if (out->lossless)
        out->acked = (struct Span){0, 0};
    else if (standbys == NOBODY || (commit != KNOB_UNKNOWN && commit < REMOTE))
        out->acked = (struct Span){NS_NEVER, NS_NEVER};
}

const struct KnobTable postgres_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* The first reason counts. */
__attribute__((format(printf, 3, 4))) static void say(char *out, size_t size, const char *format,
                                                      ...)
{
    if (out[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(out, size, format, values);
    va_end(values);
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += size)
        if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

/* By the address that the primary sees; a name is not resolved here, and the replica is believed.
 * Archives stream too, from elsewhere. */
static bool streams(const struct HostLook *leads, const struct HostLook *host, const char *address)
{
    bool numeric = address[strspn(address, "0123456789abcdefABCDEF.:")] == '\0';
    return has_word(leads->streams, address) || (!numeric && host->receives);
}

/* ---- redundancy ---- */

static void judge_replica(struct PostgresWhole *mine, size_t at, size_t primary)
{
    const struct Role *role = mine->look.system->role;
    const struct HostLook *host = &mine->look.hosts[at], *leads = &mine->look.hosts[primary];
    const char *name = role->hosts[at]->name;
    int64_t lag = host->answered ? leads->location - host->location : 0;
    if (host->refused)
        say(mine->lacks, sizeof(mine->lacks), "PostgreSQL on %.100s cannot be reached", name);
    else if (host->error[0] != '\0')
        say(mine->lacks, sizeof(mine->lacks), "%.100s says %.120s", name, host->error);
    else if (!host->answered)
        say(mine->unseen, sizeof(mine->unseen), "%.100s does not answer", name);
    else if (!leads->sees)
        say(mine->unseen, sizeof(mine->unseen),
            "our user does not see who streams: grant pg_monitor to it");
    else if (!streams(leads, host, access_address(role->hosts[at])))
        say(mine->lacks, sizeof(mine->lacks), "%.100s does not stream from %.100s", name,
            role->hosts[primary]->name);
    else if (lag > LAG_MOST)
        say(mine->lacks, sizeof(mine->lacks), "%.100s is %lld MiB behind", name,
            (long long)(lag / (1024 * 1024)));
    else
        mine->redundancy.in_sync++;
    if (lag > mine->redundancy.lag_bytes)
        mine->redundancy.lag_bytes = lag;
}

void postgres_judge_whole(struct PostgresWhole *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t primary = look_primary(&mine->look), count = look_primaries(&mine->look);
    mine->redundancy.members = (uint32_t)role->host_count;
    if (count > 1)
        say(mine->lacks, sizeof(mine->lacks), "%zu hosts say that they are the primary", count);
    if (count != 1) {
        say(mine->unseen, sizeof(mine->unseen), "no host says that it is the primary");
        return;
    }
    const struct HostLook *leads = &mine->look.hosts[primary];
    mine->redundancy.in_sync = 1;
    for (size_t n = 0; n < role->host_count; n++)
        if (n != primary)
            judge_replica(mine, n, primary);
    if (leads->waits_for[0] != '\0' && leads->sees && leads->in_sync == 0)
        say(mine->lacks, sizeof(mine->lacks), "no replica is synchronous, and commits wait");
}

void postgres_tell_whole(struct PostgresWhole *mine)
{
    struct Redundancy *redundancy = &mine->redundancy;
    redundancy->complete = mine->lacks[0] != '\0'    ? KNOWN_NO
                           : mine->unseen[0] != '\0' ? KNOWN_UNKNOWN
                                                     : KNOWN_YES;
    redundancy->why = mine->lacks[0] != '\0' ? mine->lacks : mine->unseen;
    mine->done(mine->data, redundancy);
}

static void tell_whole(struct Ask *ask)
{
    struct PostgresWhole *mine = (struct PostgresWhole *)ask;
    postgres_judge_whole(mine);
    postgres_tell_whole(mine);
}

void postgres_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done, void *done_data)
{
    struct PostgresWhole *mine = look_begin(data, sizeof(*mine), deadline, tell_whole);
    mine->done = done;
    mine->data = done_data;
    look_at_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}

/* ---- prospect ---- */

void postgres_knob(struct PostgresOutlook *mine, const char *name, const char *value)
{
    if (mine->knob_count == POSTGRES_KNOBS_MAX)
        bug("more than %d knobs", POSTGRES_KNOBS_MAX);
    char *out = mine->values[mine->knob_count];
    snprintf(out, POSTGRES_VALUE_MAX, "%s", value);
    mine->knobs[mine->knob_count++] = (struct Knob){.name = name, .value = out};
}

void postgres_trap(struct PostgresOutlook *mine, const char *format, ...)
{
    va_list values;
    if (mine->not_ready[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(mine->not_ready, sizeof(mine->not_ready), format, values);
    va_end(values);
}

static void judge_hosts(struct PostgresOutlook *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t replicas = 0, primaries = look_primaries(&mine->look);
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostLook *host = &mine->look.hosts[n];
        const char *name = role->hosts[n]->name;
        replicas += host->answered && host->replica ? 1 : 0;
        if (host->error[0] != '\0')
            postgres_trap(mine, "%.100s says %.120s", name, host->error);
        else if (!host->answered)
            postgres_trap(mine, "PostgreSQL on %.100s does not answer", name);
        else if (host->paused)
            postgres_trap(mine, "replay is paused on %.100s", name);
    }
    if (primaries != 1)
        postgres_trap(mine, "%zu hosts say that they are the primary", primaries);
    if (replicas == 0)
        postgres_trap(mine, "there is no replica that could be promoted");
}

static void judge_primary(struct PostgresOutlook *mine, const struct HostLook *leads)
{
    bool waits = leads->waits_for[0] != '\0' && !text_equal(leads->commit, "off") &&
                 !text_equal(leads->commit, "local");
    postgres_knob(mine, "PostgreSQL", leads->version);
    postgres_knob(mine, "synchronous_standby_names",
                  leads->waits_for[0] != '\0' ? leads->waits_for : "none");
    postgres_knob(mine, "synchronous_commit", leads->commit);
    postgres_knob(mine, "pg_rewind", leads->rewinds ? "possible" : "impossible: no wal_log_hints");
    if (!waits)
        say(mine->loss, sizeof(mine->loss),
            "loss possible: asynchronous, what did not reach the replica that is promoted, and all "
            "that a cut-off primary acknowledges");
}

void postgres_judge(struct PostgresOutlook *mine)
{
    size_t primary = look_primary(&mine->look);
    judge_hosts(mine);
    if (primary < mine->look.system->role->host_count)
        judge_primary(mine, &mine->look.hosts[primary]);
}

void postgres_tell(struct PostgresOutlook *mine, struct Span failover, struct Span planned)
{
    const struct Prospect prospect = {
        .knobs = mine->knobs,
        .knob_count = mine->knob_count,
        .failover = failover,
        .planned = planned,
        .not_ready = mine->not_ready[0] != '\0' ? mine->not_ready : NULL,
        .cool_down_ns = mine->cool_down_ns,
        .persistence = PERSIST_ALL, /* a log that was acknowledged is on its disk */
        .keys_at_risk = -1,
        .durable = "WAL",
        .loss = mine->loss[0] != '\0' ? mine->loss : NULL};
    mine->done(mine->data, &prospect);
}

static void tell_prospect(struct Ask *ask)
{
    struct PostgresOutlook *mine = (struct PostgresOutlook *)ask;
    size_t primary = look_primary(&mine->look);
    postgres_judge(mine);
    postgres_knob(mine, "promoted by", "nobody but us");
    if (primary < mine->look.system->role->host_count && !mine->look.hosts[primary].promotes)
        postgres_knob(mine, "beware", "our user may not execute pg_promote");
    postgres_tell(mine, (struct Span){0, NS_NEVER}, /* by itself it never comes */
                  (struct Span){0, PROMOTION_NS});
}

void postgres_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct PostgresOutlook *mine = look_begin(data, sizeof(*mine), deadline, tell_prospect);
    mine->done = done;
    mine->data = done_data;
    look_at_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}
