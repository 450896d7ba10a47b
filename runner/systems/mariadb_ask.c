/* mariadb_ask.c - who leads: by each host's own word, and by what the others follow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "mariadb_system.h"

/* Whoever is silent is not waited for longer, once somebody answered. */
#define SILENT_AFTER_NS (300 * NS_PER_MS)

#define STATUS(name)                                                                               \
    "(select variable_value from information_schema.global_status where variable_name = '" name "')"

/* ---- looking at a host ---- */

static const char variables[] =
    "select @@global.read_only, @@global.server_id, @@global.version, @@global.gtid_binlog_pos, "
    "@@global.gtid_strict_mode, @@global.rpl_semi_sync_master_enabled, "
    "@@global.rpl_semi_sync_slave_enabled, " STATUS(
        "RPL_SEMI_SYNC_MASTER_STATUS") ", "
                                       "@@global.rpl_semi_sync_master_timeout, " STATUS(
                                           "RPL_SEMI_SYNC_MASTER_CLIENTS") ", " STATUS("RPL_SEMI_"
                                                                                       "SYNC_"
                                                                                       "MASTER_NO_"
                                                                                       "TIMES") ", "
                                                                                                "@@"
                                                                                                "gl"
                                                                                                "ob"
                                                                                                "al"
                                                                                                ".i"
                                                                                                "nn"
                                                                                                "od"
                                                                                                "b_"
                                                                                                "fl"
                                                                                                "us"
                                                                                                "h_"
                                                                                                "lo"
                                                                                                "g_"
                                                                                                "at"
                                                                                                "_t"
                                                                                                "rx"
                                                                                                "_c"
                                                                                                "om"
                                                                                                "mi"
                                                                                                "t,"
                                                                                                " "
                                                                                                "@@"
                                                                                                "gl"
                                                                                                "ob"
                                                                                                "al"
                                                                                                ".l"
                                                                                                "og"
                                                                                                "_b"
                                                                                                "i"
                                                                                                "n";

static bool is_on(const char *text)
{
    return text_equal(text, "1") || text_equal(text, "ON");
}

/* What it answers by depends on its version. */
static bool is_off(const char *text)
{
    return text_equal(text, "0") || text_equal(text, "OFF");
}

static int64_t number_in(const char *text, int64_t otherwise)
{
    int64_t number = 0;
    return text != NULL && int_parse(text, &number, NULL) ? number : otherwise;
}

static void keep(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "");
}

static bool has_looked(struct MariadbAsk *mine)
{
    return --mine->looking > 0 || (mine->then != NULL && mine->then(mine));
}

static void read_variables(struct MariadbLook *look, const struct MariadbRows *rows)
{
    look->says = true;
    look->read_only = !is_off(mariadb_value(rows, 0, 0));
    keep(look->server, sizeof(look->server), mariadb_value(rows, 0, 1));
    keep(look->version, sizeof(look->version), mariadb_value(rows, 0, 2));
    keep(look->position, sizeof(look->position), mariadb_value(rows, 0, 3));
    look->strict = is_on(mariadb_value(rows, 0, 4));
    look->semi_source = is_on(mariadb_value(rows, 0, 5));
    look->semi_replica = is_on(mariadb_value(rows, 0, 6));
    look->semi_on = is_on(mariadb_value(rows, 0, 7));
    look->semi_timeout_ms = number_in(mariadb_value(rows, 0, 8), -1);
    look->semi_clients = number_in(mariadb_value(rows, 0, 9), 0);
    look->semi_fallbacks = number_in(mariadb_value(rows, 0, 10), 0);
    look->durable = text_equal(mariadb_value(rows, 0, 11), "1");
    look->logs = is_on(mariadb_value(rows, 0, 12));
}

static bool take_variables(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct MariadbAsk *mine = (struct MariadbAsk *)ask;
    struct MariadbLook *look = &mine->hosts[index];
    look->refused = look->refused || answer->end == CALL_REFUSED;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS)
        read_variables(look, mariadb_rows(answer));
    else
        keep(look->error, sizeof(look->error), answer->bytes);
    return has_looked(mine);
}

static void read_replication(struct MariadbLook *look, const struct MariadbRows *rows)
{
    const char *io = mariadb_named(rows, 0, "Slave_IO_Running");
    const char *sql = mariadb_named(rows, 0, "Slave_SQL_Running");
    const char *fault = mariadb_named(rows, 0, "Last_IO_Error");
    if (fault == NULL || fault[0] == '\0')
        fault = mariadb_named(rows, 0, "Last_SQL_Error");
    look->shows = true;
    look->follows = mariadb_row_count(rows) > 0;
    look->runs = text_equal(io, "Yes") && text_equal(sql, "Yes");
    keep(look->source, sizeof(look->source), mariadb_named(rows, 0, "Master_Host"));
    look->behind_s = number_in(mariadb_named(rows, 0, "Seconds_Behind_Master"), -1);
    keep(look->error, sizeof(look->error), fault);
}

static bool take_replication(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct MariadbAsk *mine = (struct MariadbAsk *)ask;
    struct MariadbLook *look = &mine->hosts[index];
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS)
        read_replication(look, mariadb_rows(answer));
    else
        keep(look->error, sizeof(look->error), answer->bytes);
    return has_looked(mine);
}

void mariadb_look(struct MariadbAsk *mine, size_t host)
{
    mine->looking += 2;
    mariadb_ask_host(&mine->ask, &mine->system->pool, host,
                     &(struct MariadbQuestion){.text = variables}, take_variables);
    mariadb_ask_host(&mine->ask, &mine->system->pool, host,
                     &(struct MariadbQuestion){.text = "show slave status"}, take_replication);
}

void mariadb_look_all(struct MariadbAsk *mine)
{
    for (size_t n = 0; n < mine->system->role->host_count; n++)
        mariadb_look(mine, n);
}

bool mariadb_leads(const struct MariadbLook *look)
{
    return look->says && look->shows && !look->read_only && !look->follows;
}

size_t mariadb_host_at(const struct Mariadb *system, const char *address)
{
    size_t n = 0;
    while (n < system->role->host_count &&
           !text_equal(mariadb_address(system->role->hosts[n]), address) &&
           !text_equal(system->role->hosts[n]->name, address))
        n++;
    return n;
}

static size_t followers(const struct MariadbAsk *mine, size_t host)
{
    size_t count = 0;
    for (size_t n = 0; n < mine->system->role->host_count; n++)
        count += mine->hosts[n].follows && mine->hosts[n].runs &&
                         mariadb_host_at(mine->system, mine->hosts[n].source) == host
                     ? 1
                     : 0;
    return count;
}

size_t mariadb_primary(const struct MariadbAsk *mine, size_t *count)
{
    size_t hosts = mine->system->role->host_count, best = hosts, most = 0, leaders = 0;
    bool tied = false;
    for (size_t n = 0; n < hosts; n++) {
        if (!mariadb_leads(&mine->hosts[n]))
            continue;
        size_t has = followers(mine, n);
        tied = leaders > 0 && has == most;
        if (leaders++ == 0 || has > most) {
            best = n;
            most = has;
        }
    }
    if (count != NULL)
        *count = leaders;
    return tied ? hosts : best;
}

/* ---- one host, by its own word ---- */

struct StandingAsk {
    struct MariadbAsk look; /* first */
    size_t host;
    struct Standing standing;
    StandingFn *done;
    void *data;
};

static void tell_standing(struct Ask *ask)
{
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    const struct MariadbLook *look = &mine->look.hosts[mine->host];
    struct Standing *standing = &mine->standing;
    standing->asked = ask->asked;
    standing->answered = mono_now();
    if (mine->host < mine->look.system->role->host_count && look->says && look->shows) {
        standing->rank = mariadb_leads(look) ? RANK_PRIMARY
                         : look->follows     ? RANK_REPLICA
                                             : RANK_OTHER; /* it follows nobody, read-only */
        standing->writable = look->read_only ? KNOWN_NO : KNOWN_YES;
        snprintf(standing->identity, sizeof(standing->identity), "server %s", look->server);
    }
    mine->done(mine->data, standing);
}

void mariadb_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *done_data)
{
    struct Mariadb *system = data;
    struct StandingAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_standing);
    mine->look.system = system;
    mine->standing.host = host;
    mine->done = done;
    mine->data = done_data;
    while (mine->host < system->role->host_count && system->role->hosts[mine->host] != host)
        mine->host++;
    if (mine->host < system->role->host_count)
        mariadb_look(&mine->look, mine->host);
    ask_go(&mine->look.ask);
}

/* ---- all of them ---- */

struct LeaderAsk {
    struct MariadbAsk look; /* first */
    StandingFn *standing;
    void (*found)(void *data, const char *address, uint16_t port);
    void *data;
};

static void tell_leader(struct Ask *ask)
{
    struct LeaderAsk *mine = (struct LeaderAsk *)ask;
    const struct Role *role = mine->look.system->role;
    size_t host = mariadb_primary(&mine->look, NULL);
    if (mine->found != NULL) {
        bool known = host < role->host_count;
        mine->found(mine->data, known ? mariadb_address(role->hosts[host]) : NULL,
                    known ? (uint16_t)mine->look.system->config->access.port : 0);
        return;
    }
    struct Standing standing = {.asked = ask->asked, .answered = mono_now()};
    if (host < role->host_count) {
        standing.rank = RANK_PRIMARY;
        standing.host = role->hosts[host];
    }
    mine->standing(mine->data, &standing);
}

static bool is_enough(struct Ask *ask)
{
    (void)ask;
    return false;
}

static struct LeaderAsk *begin_leader(struct Mariadb *system, struct Mono deadline, void *data)
{
    struct LeaderAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_leader);
    mine->look.system = system;
    mine->data = data;
    mariadb_look_all(&mine->look);
    ask_wait(&mine->look.ask, SILENT_AFTER_NS, is_enough);
    return mine;
}

/* There is no coordinator: the hosts together say who it is. */
void mariadb_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    begin_leader(system, deadline, data)->standing = done;
}

void mariadb_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    begin_leader(system, deadline, data)->found = done;
}
