/* patroni_ask.c - who leads: by each host's own word, by the coordinator's, as Patroni reads it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "patroni.h"

/* ---- one host, by its own word ---- */

/* Patroni asks its PostgreSQL and answers for it. Where no Patroni answers, PostgreSQL itself is
 * asked: it may have lost its agent, take writes all the same, and be the second primary. */
#define SILENT_AFTER_NS (400 * NS_PER_MS)

struct StandingAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    size_t host;
    bool itself; /* PostgreSQL was asked */
    int over;    /* who was asked and said nothing */
    struct Standing standing;
    StandingFn *done;
    void *data;
};

static void tell_standing(struct Ask *ask)
{
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    mine->standing.asked = ask->asked;
    mine->standing.answered = mono_now();
    mine->done(mine->data, &mine->standing);
}

static bool take_sql(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    struct Standing *standing = &mine->standing;
    if (answer->end != CALL_ANSWERED || answer->code != POSTGRES_ROWS)
        return ++mine->over < 2; /* Patroni may answer yet */
    const struct PostgresRows *rows = postgres_rows(answer);
    const char *timeline = postgres_value(rows, 0, 2), *identity = postgres_value(rows, 0, 3);
    bool replica = text_equal(postgres_value(rows, 0, 0), "t");
    standing->rank = replica ? RANK_REPLICA : RANK_PRIMARY;
    standing->writable = text_equal(postgres_value(rows, 0, 1), "off") ? KNOWN_YES : KNOWN_NO;
    snprintf(standing->epoch, sizeof(standing->epoch), "%s", timeline != NULL ? timeline : "");
    snprintf(standing->identity, sizeof(standing->identity), "%s",
             identity != NULL ? identity : "");
    return false;
}

static void release_client(void *client)
{
    postgres_close(client);
}

/* The timeline of a primary is that of its log: the control file has it only after a checkpoint. */
static bool ask_postgres(struct Ask *ask)
{
    static const char text[] =
        "select pg_is_in_recovery(), current_setting('transaction_read_only'), case when "
        "pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint()) else "
        "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end, "
        "(select system_identifier from pg_control_system())";
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    struct Endpoint at = {.host = NULL};
    struct Err err = {.code = ERR_OWN};
    if (mine->itself)
        return true;
    mine->itself = true;
    access_endpoint(mine->system->config, mine->system->role->hosts[mine->host], &at);
    struct PostgresClient *client = postgres_open(ask->all->loop, &at, &err);
    if (client == NULL)
        return true;
    struct AskPart *part = ask_part(ask, mine->host, take_sql);
    part->owned = client;
    part->release = release_client;
    part->call = postgres_call(client, &(struct PostgresQuery){.text = text}, ask->deadline,
                               ask_answered, part);
    return true;
}

/* A PostgreSQL that is down or on its way is neither, and that is known. */
static enum Rank rank_of(const char *role, const char *state)
{
    if (!text_equal(state, "running"))
        return RANK_OTHER;
    if (patroni_leads(role))
        return RANK_PRIMARY;
    return text_equal(role, "replica") ? RANK_REPLICA : RANK_OTHER;
}

static bool take_patroni(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    struct Standing *standing = &mine->standing;
    struct JsonText *json = patroni_json(answer);
    char role[32], state[40];
    member_text(json, "role", role, sizeof(role));
    member_text(json, "state", state, sizeof(state));
    bool says = role[0] != '\0' && patroni_knows(state);
    if (says) {
        standing->rank = rank_of(role, state);
        standing->writable = standing->rank == RANK_PRIMARY ? KNOWN_YES : KNOWN_NO;
        member_text(json, "timeline", standing->epoch, sizeof(standing->epoch));
        member_text(json, "database_system_identifier", standing->identity,
                    sizeof(standing->identity));
    }
    json_text_free(json);
    return !says && ++mine->over < 2 && ask_postgres(ask);
}

void patroni_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *done_data)
{
    struct Patroni *system = data;
    struct StandingAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_standing);
    mine->system = system;
    mine->standing.host = host;
    mine->done = done;
    mine->data = done_data;
    while (mine->host < system->role->host_count && system->role->hosts[mine->host] != host)
        mine->host++;
    if (mine->host < system->role->host_count) {
        patroni_ask_host(&mine->ask, system, mine->host,
                         &(struct PatroniRequest){.path = "/patroni", .deadline = deadline},
                         take_patroni);
        ask_wait(&mine->ask, SILENT_AFTER_NS, ask_postgres);
    }
    ask_go(&mine->ask);
}

/* ---- who holds the leader's lock ---- */

/* Each host says what it has read; one that is cut off may say what was. */
struct LeaderAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    struct {
        char address[64];
        uint16_t port;
        size_t votes;
    } named[PATRONI_HOSTS_MAX];
    size_t named_count, answers, wanted; /* votes that decide */
    size_t winner;                       /* named_count: none */
    size_t leaderless;                   /* hosts that say that nobody has it */
    void (*told)(struct LeaderAsk *mine);
    StandingFn *standing;
    void (*found)(void *data, const char *address, uint16_t port);
    void (*detected)(void *data, enum Known detected);
    void *data;
};

static void vote(struct LeaderAsk *mine, const char *address, int64_t port)
{
    size_t n = 0;
    while (n < mine->named_count && !text_equal(mine->named[n].address, address))
        n++;
    if (n == mine->named_count) {
        snprintf(mine->named[n].address, sizeof(mine->named[n].address), "%.63s", address);
        mine->named[n].port = (uint16_t)port;
        mine->named_count++;
    }
    mine->named[n].votes++;
}

static void take_members(struct LeaderAsk *mine, const struct JsonText *json)
{
    char path[40], role[32], address[64];
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++) {
        snprintf(path, sizeof(path), "members.%d.role", n);
        member_text(json, path, role, sizeof(role));
        if (!text_equal(role, "leader"))
            continue;
        snprintf(path, sizeof(path), "members.%d.host", n);
        member_text(json, path, address, sizeof(address));
        snprintf(path, sizeof(path), "members.%d.port", n);
        vote(mine, address, member_number(json, path, 5432));
        return;
    }
    mine->leaderless++;
}

static bool take_cluster(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct LeaderAsk *mine = (struct LeaderAsk *)ask;
    struct JsonText *json = patroni_json(answer);
    char first[32];
    member_text(json, "members.0.role", first, sizeof(first));
    if (first[0] != '\0') {
        mine->answers++;
        take_members(mine, json);
    }
    json_text_free(json);
    for (size_t n = 0; n < mine->named_count; n++)
        if (mine->named[n].votes >= mine->wanted)
            return false;
    return true;
}

/* The only one that is named, where not enough answered for a majority of two hosts. */
static void decide(struct LeaderAsk *mine)
{
    mine->winner = mine->named_count;
    for (size_t n = 0; n < mine->named_count; n++)
        if (mine->named[n].votes >= mine->wanted)
            mine->winner = n;
    if (mine->system->role->host_count <= 2 && mine->named_count == 1 && mine->leaderless == 0)
        mine->winner = 0;
}

static void finish_leader(struct Ask *ask)
{
    struct LeaderAsk *mine = (struct LeaderAsk *)ask;
    decide(mine);
    mine->told(mine);
}

static struct LeaderAsk *begin_leader(struct Patroni *system, struct Mono deadline,
                                      void (*told)(struct LeaderAsk *mine), void *data)
{
    struct LeaderAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, finish_leader);
    mine->system = system;
    mine->wanted = system->role->host_count / 2 + 1;
    mine->told = told;
    mine->data = data;
    patroni_ask_hosts(&mine->ask, system, "/cluster", take_cluster);
    ask_go(&mine->ask);
    return mine;
}

static void tell_control(struct LeaderAsk *mine)
{
    const struct Role *role = mine->system->role;
    bool known = mine->winner < mine->named_count;
    struct Standing standing = {.rank = known ? RANK_PRIMARY : RANK_UNKNOWN,
                                .asked = mine->ask.asked,
                                .answered = mono_now()};
    size_t host =
        known ? patroni_host_at(mine->system, mine->named[mine->winner].address) : role->host_count;
    if (host < role->host_count)
        standing.host = role->hosts[host];
    mine->standing(mine->data, &standing);
}

void patroni_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    begin_leader(system, deadline, tell_control, data)->standing = done;
}

static void tell_found(struct LeaderAsk *mine)
{
    bool known = mine->winner < mine->named_count;
    mine->found(mine->data, known ? mine->named[mine->winner].address : NULL,
                known ? mine->named[mine->winner].port : 0);
}

void patroni_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    begin_leader(system, deadline, tell_found, data)->found = done;
}

/* ---- the failure, by the coordinator's word ---- */

/* The lock is gone; or somebody else has it, and its loss was too quick to be seen. */
static void tell_detected(struct LeaderAsk *mine)
{
    struct Patroni *system = mine->system;
    bool known = mine->winner < mine->named_count;
    const char *leader = known ? mine->named[mine->winner].address : "";
    enum Known detected = KNOWN_UNKNOWN;
    if (mine->leaderless >= mine->wanted)
        detected = KNOWN_YES;
    else if (known && system->first_leader[0] != '\0' && !text_equal(leader, system->first_leader))
        detected = KNOWN_YES;
    else if (known)
        detected = KNOWN_NO;
    if (known)
        snprintf(system->first_leader, sizeof(system->first_leader), "%s", leader);
    mine->detected(mine->data, detected);
}

void patroni_ask_detected(void *system, struct Mono deadline,
                          void (*done)(void *data, enum Known detected), void *data)
{
    begin_leader(system, deadline, tell_detected, data)->detected = done;
}
