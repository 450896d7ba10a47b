/* postgres_look.c - what each PostgreSQL says of itself: who leads, who streams from whom. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "../base/text.h"
#include "postgres.h"

/* ---- the question ---- */

/* The timeline of a primary is that of its log: the control file has it only after a checkpoint. */
static const char look_text[] =
    "select pg_is_in_recovery(), current_setting('transaction_read_only'), case when "
    "pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint()) else ('x' || "
    "left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end, case when "
    "pg_is_in_recovery() then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else "
    "pg_current_wal_lsn() end - '0/0', (select system_identifier from pg_control_system()), "
    "(select string_agg(host(client_addr), ' ') from pg_stat_replication where state = "
    "'streaming'), (select count(*) from pg_stat_replication where state = 'streaming' and "
    "sync_state in ('sync', 'quorum')), current_setting('synchronous_standby_names'), "
    "current_setting('synchronous_commit'), current_setting('server_version'), "
    "'on' in (current_setting('data_checksums'), current_setting('wal_log_hints')), "
    "has_function_privilege('pg_promote(boolean, integer)', 'execute'), "
    "pg_has_role('pg_read_all_stats', 'usage'), case when pg_is_in_recovery() then "
    "pg_is_wal_replay_paused() end, (select status = 'streaming' from pg_stat_wal_receiver)";

static bool is_true(const struct PostgresRows *rows, size_t column)
{
    return text_equal(postgres_value(rows, 0, column), "t");
}

static void take_rows(struct HostLook *host, const struct PostgresRows *rows)
{
    host->answered = true;
    host->replica = is_true(rows, 0);
    host->writable = !host->replica && text_equal(postgres_value(rows, 0, 1), "off");
    host->timeline = postgres_number(rows, 0, 2, 0);
    host->location = postgres_number(rows, 0, 3, 0);
    postgres_text(rows, 0, 4, host->identity, sizeof(host->identity));
    postgres_text(rows, 0, 5, host->streams, sizeof(host->streams));
    host->in_sync = postgres_number(rows, 0, 6, 0);
    postgres_text(rows, 0, 7, host->waits_for, sizeof(host->waits_for));
    postgres_text(rows, 0, 8, host->commit, sizeof(host->commit));
    postgres_text(rows, 0, 9, host->version, sizeof(host->version));
    host->rewinds = is_true(rows, 10);
    host->promotes = is_true(rows, 11);
    host->sees = is_true(rows, 12);
    host->paused = is_true(rows, 13);
    host->receives = is_true(rows, 14);
}

static bool take_look(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct Look *look = (struct Look *)ask;
    struct HostLook *host = &look->hosts[index];
    look->over++;
    host->refused = answer->end == CALL_REFUSED && answer->code == ECONNREFUSED;
    if (answer->end == CALL_ANSWERED && answer->code == POSTGRES_ROWS)
        take_rows(host, postgres_rows(answer));
    else if (answer->end == CALL_ANSWERED)
        snprintf(host->error, sizeof(host->error), "%s", answer->bytes);
    return look->more == NULL || look->more(look, index);
}

void *look_begin(struct Postgres *system, size_t size, struct Mono deadline,
                 void (*finish)(struct Ask *ask))
{
    struct Look *look = ask_begin(&system->asking, size, deadline, finish);
    look->system = system;
    return look;
}

static bool send_to(struct Look *look, size_t host, const char *text, struct Mono deadline,
                    AskFn *fn)
{
    struct Postgres *system = look->system;
    struct Err err = {.code = ERR_OWN};
    if (system->lines[host] == NULL) {
        struct Endpoint at = {.host = NULL};
        access_endpoint(system->config, system->role->hosts[host], &at);
        system->lines[host] = postgres_open(system->asking.loop, &at, &err);
    }
    if (system->lines[host] == NULL)
        return false;
    struct AskPart *part = ask_part(&look->ask, host, fn);
    part->call = postgres_call(system->lines[host], &(struct PostgresQuery){.text = text}, deadline,
                               ask_answered, part);
    return true;
}

bool look_send(struct Look *look, size_t host, const char *text, AskFn *fn)
{
    return send_to(look, host, text, look->ask.deadline, fn);
}

void look_at_host(struct Look *look, size_t host, struct Mono deadline)
{
    if (!send_to(look, host, look_text, deadline, take_look))
        look->over++;
}

void look_at_all(struct Look *look, struct Mono deadline)
{
    for (size_t host = 0; host < look->system->role->host_count; host++)
        look_at_host(look, host, deadline);
}

static bool leads(const struct Postgres *system, const struct HostLook *host)
{
    return host->answered && !host->replica && (host->writable || !system->opens_late);
}

size_t look_primaries(const struct Look *look)
{
    size_t count = 0;
    for (size_t n = 0; n < look->system->role->host_count; n++)
        count += leads(look->system, &look->hosts[n]) ? 1 : 0;
    return count;
}

size_t look_primary(const struct Look *look)
{
    size_t count = look->system->role->host_count, best = count;
    bool alike = false;
    for (size_t n = 0; n < count; n++) {
        const struct HostLook *host = &look->hosts[n];
        if (!leads(look->system, host))
            continue;
        bool newer = best == count || host->timeline > look->hosts[best].timeline;
        alike = !newer && (alike || host->timeline == look->hosts[best].timeline);
        if (newer)
            best = n;
    }
    return alike ? count : best;
}

/* ---- one host, by its own word ---- */

struct StandingLook {
    struct Look look; /* first */
    size_t host;
    const struct Target *target;
    StandingFn *done;
    void *data;
};

static void tell_standing(struct Ask *ask)
{
    struct StandingLook *mine = (struct StandingLook *)ask;
    const struct HostLook *host = &mine->look.hosts[mine->host];
    struct Standing standing = {.host = mine->target, .asked = ask->asked, .answered = mono_now()};
    if (host->answered) {
        standing.rank = host->replica                    ? RANK_REPLICA
                        : leads(mine->look.system, host) ? RANK_PRIMARY
                                                         : RANK_OTHER;
        standing.writable = host->writable ? KNOWN_YES : KNOWN_NO;
        snprintf(standing.epoch, sizeof(standing.epoch), "%lld", (long long)host->timeline);
        snprintf(standing.identity, sizeof(standing.identity), "%s", host->identity);
    }
    mine->done(mine->data, &standing);
}

void postgres_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                           StandingFn *done, void *done_data)
{
    struct Postgres *system = data;
    struct StandingLook *mine = look_begin(system, sizeof(*mine), deadline, tell_standing);
    mine->target = host;
    mine->done = done;
    mine->data = done_data;
    for (size_t n = 0; n < system->role->host_count; n++)
        if (system->role->hosts[n] == host) {
            mine->host = n;
            look_at_host(&mine->look, n, deadline);
        }
    ask_go(&mine->look.ask);
}

/* ---- the primary, by all hosts' word ---- */

struct LeaderLook {
    struct Look look; /* first */
    StandingFn *standing;
    void (*found)(void *data, const char *address, uint16_t port);
    void *data;
};

/* Nobody watches over them: of two primaries the one of the newer timeline was promoted, and the
 * other does not know of it. */
static void tell_control(struct Ask *ask)
{
    struct LeaderLook *mine = (struct LeaderLook *)ask;
    const struct Role *role = mine->look.system->role;
    size_t host = look_primary(&mine->look);
    struct Standing standing = {.asked = ask->asked, .answered = mono_now()};
    if (host < role->host_count) {
        standing.rank = RANK_PRIMARY;
        standing.host = role->hosts[host];
    }
    mine->standing(mine->data, &standing);
}

void postgres_ask_control(void *data, struct Mono deadline, StandingFn *done, void *done_data)
{
    struct LeaderLook *mine = look_begin(data, sizeof(*mine), deadline, tell_control);
    mine->standing = done;
    mine->data = done_data;
    look_at_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}

/* As libpq does with several hosts and target_session_attrs=read-write: the first that says so. */
static bool take_found(struct Look *look, size_t host)
{
    return !look->hosts[host].writable;
}

static void tell_found(struct Ask *ask)
{
    struct LeaderLook *mine = (struct LeaderLook *)ask;
    const struct Postgres *system = mine->look.system;
    size_t n = 0;
    while (n < system->role->host_count && !mine->look.hosts[n].writable)
        n++;
    if (n < system->role->host_count)
        mine->found(mine->data, access_address(system->role->hosts[n]),
                    (uint16_t)system->config->access.db_port);
    else
        mine->found(mine->data, NULL, 0);
}

void postgres_find_primary(void *data, struct Mono deadline,
                           void (*done)(void *data, const char *address, uint16_t port),
                           void *done_data)
{
    struct LeaderLook *mine = look_begin(data, sizeof(*mine), deadline, tell_found);
    mine->look.more = take_found;
    mine->found = done;
    mine->data = done_data;
    look_at_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}

struct LastLook {
    struct Look look; /* first */
    void (*done)(void *data, const struct Target *host, size_t primaries);
    void *data;
};

static void tell_last(struct Ask *ask)
{
    struct LastLook *mine = (struct LastLook *)ask;
    const struct Role *role = mine->look.system->role;
    size_t host = look_primary(&mine->look);
    bool silent = false; /* one does not answer, and may be who was promoted last */
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostLook *look = &mine->look.hosts[n];
        silent = silent || (!look->answered && !look->refused && look->error[0] == '\0');
    }
    mine->done(mine->data, host < role->host_count && !silent ? role->hosts[host] : NULL,
               look_primaries(&mine->look));
}

void postgres_find_last(void *data, struct Mono deadline,
                        void (*done)(void *data, const struct Target *host, size_t primaries),
                        void *done_data)
{
    struct Mono now = mono_now(), half = mono_add(now, mono_since(now, deadline) / 2);
    struct LastLook *mine = look_begin(data, sizeof(*mine), half, tell_last);
    mine->done = done;
    mine->data = done_data;
    look_at_all(&mine->look, half);
    ask_go(&mine->look.ask);
}
