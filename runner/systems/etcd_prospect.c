/* etcd_prospect.c - what etcd's configuration, as it is now, promises of an election. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "etcd.h"

enum { ELECTION_TIMEOUT };
static const struct KnobRow rows[] = {
    [ELECTION_TIMEOUT] = {.name = "election_timeout",
                          .unit = KNOB_TIME,
                          .least = NS_PER_S,
                          .usual = NS_PER_S,
                          .line = "--election-timeout=%s",
                          .written = KNOB_MS},
};

/* A follower waits one to two election timeouts since the last heartbeat, of which there are ten in
 * one; where two stand at once, another round. Acknowledged is what a majority has. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    int64_t election_ns = values[ELECTION_TIMEOUT];
    *out = (struct Forecast){
        .failover = {0, NS_NEVER}, .lossless = true, .allowed = true, .stays_primary = KNOWN_NO};
    if (election_ns != KNOB_UNKNOWN)
        out->failover =
            (struct Span){election_ns - election_ns / 10, 3 * election_ns + NS_PER_S / 2};
}

const struct KnobTable etcd_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* ---- what stands in the members' files ---- */

/* In milliseconds, "ELECTION HEARTBEAT", by etcd's own defaults where it does not say. The same
 * words are a key of YAML, a variable and an option; the last of each counts. */
static const char times_awk[] =
    "function last(key) { return match(line, \"(^|[^a-z])\" key \"[ :=]+[0-9]+\") ? "
    "substr(line, RSTART, RLENGTH) : \"\" } "
    "BEGIN { election = 1000; heartbeat = 100 } "
    "{ line = tolower($0); sub(/(^|[ \\t])#.*/, \"\", line); gsub(/[\"\\047]/, \"\", line); "
    "gsub(/_/, \"-\", line) } "
    "(found = last(\"election-timeout\")) != \"\" { gsub(/[^0-9]/, \"\", found); election = found "
    "} "
    "(found = last(\"heartbeat-interval\")) != \"\" { gsub(/[^0-9]/, \"\", found); heartbeat = "
    "found } "
    "END { print election, heartbeat }";

/* Of all members that were read: 0 of them, and nothing else is known. */
struct Times {
    size_t read;
    int64_t least_ns, election_ns, heartbeat_ns; /* the shortest; the longest */
    bool unread[ELECTED_HOSTS_MAX], differ;
};
struct EtcdProspect {
    struct Outlook outlook; /* first */
    struct Times times;
};

static bool take_times(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct Times *times = &((struct EtcdProspect *)ask)->times;
    long long election_ms = 0, heartbeat_ms = 0;
    times->unread[index] = answer->end != CALL_ANSWERED || answer->code != 0 ||
                           sscanf(answer->bytes, "%9lld %9lld", &election_ms, &heartbeat_ms) != 2 ||
                           election_ms == 0;
    if (times->unread[index])
        return true;
    int64_t election_ns = election_ms * NS_PER_MS, heartbeat_ns = heartbeat_ms * NS_PER_MS;
    bool first = times->read++ == 0;
    times->differ =
        times->differ ||
        (!first && (election_ns != times->election_ns || heartbeat_ns != times->heartbeat_ns));
    if (first || election_ns < times->least_ns)
        times->least_ns = election_ns;
    if (first || election_ns > times->election_ns)
        times->election_ns = election_ns;
    if (first || heartbeat_ns > times->heartbeat_ns)
        times->heartbeat_ns = heartbeat_ns;
    return true;
}

/* ---- what it comes to ---- */

static void say_times(struct EtcdProspect *mine, const struct Role *role, const char *file)
{
    const struct Times *times = &mine->times;
    char text[32];
    if (times->read > 0) {
        duration_write(times->election_ns, text);
        outlook_knob(&mine->outlook, "election_timeout", "%s", text);
    }
    if (times->read > 0 && times->heartbeat_ns > 0) {
        duration_write(times->heartbeat_ns, text);
        outlook_knob(&mine->outlook, "heartbeat_interval", "%s", text);
    }
    if (times->differ)
        outlook_knob(&mine->outlook, "members", "differ in these times");
    for (size_t n = 0; n < role->host_count; n++)
        if (times->unread[n])
            outlook_knob(&mine->outlook, "unread", "%.40s on %.30s", file, role->hosts[n]->name);
}

static void say_members(struct Outlook *outlook)
{
    const struct Role *role = outlook->roll.system->role;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct EtcdMember *member = roll_kept(&outlook->roll, n);
        const char *name = role->hosts[n]->name;
        if (n == 0 && member->version[0] != '\0')
            outlook_knob(outlook, "etcd", "%s", member->version);
        if (member->learner)
            outlook_trap(outlook, "%.100s is a learner, which no vote counts", name);
        if (member->errors[0] != '\0')
            outlook_trap(outlook, "%.100s says: %.79s", name, member->errors);
    }
}

/* The first to stand may be who waits least; that nobody else does, who waits longest. */
static void tell_prospect(struct Roll *roll)
{
    struct EtcdProspect *mine = (struct EtcdProspect *)roll;
    const struct Etcd *system = (const struct Etcd *)roll->system;
    const struct Times *times = &mine->times;
    struct Prospect *prospect = &mine->outlook.prospect;
    struct Forecast soonest, latest;
    outlook_judge(&mine->outlook);
    say_times(mine, roll->system->role, system->config->config_file);
    say_members(&mine->outlook);
    if (times->read > 0) {
        foretell((const int64_t[]){times->least_ns}, &soonest);
        foretell((const int64_t[]){times->election_ns}, &latest);
        prospect->failover = (struct Span){soonest.failover.low_ns, latest.failover.high_ns};
        prospect->planned = (struct Span){0, times->election_ns + NS_PER_S / 2};
    }
    prospect->persistence = PERSIST_ALL; /* acknowledged is what a majority has on disk */
    snprintf(mine->outlook.durable, sizeof(mine->outlook.durable), "WAL");
    outlook_tell(&mine->outlook);
}

/* Members and files side by side: either may take all the time there is. */
void etcd_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct Etcd *system = data;
    const struct EtcdConfig *config = system->config;
    const char *const argv[] = {"awk", times_awk, config->config_file, NULL};
    struct EtcdProspect *mine = (struct EtcdProspect *)outlook_begin(
        &system->elected, sizeof(*mine), deadline, tell_prospect, done, done_data);
    struct Ask *ask = &mine->outlook.roll.ask;
    bool said = config->config_file == NULL || config->config_file[0] == '\0';
    if (said)
        mine->times = (struct Times){
            .read = 1, .least_ns = config->election_ns, .election_ns = config->election_ns};
    for (size_t n = 0; !said && n < system->elected.role->host_count; n++) {
        struct AskPart *part = ask_part(ask, n, take_times);
        mine->times.unread[n] = true;
        part->call = remote_call(system->remote, n, argv, deadline, ask_answered, part);
    }
    roll_go(&mine->outlook.roll);
}
