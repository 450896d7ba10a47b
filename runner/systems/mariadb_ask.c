/* mariadb_ask.c - what each MariaDB says of itself: who takes writes, who follows whom. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "mariadb_system.h"

/* ---- the questions ---- */

/* In the order of read_variables(). */
static const char *const settings[] = {"read_only",
                                       "server_id",
                                       "version",
                                       "gtid_binlog_state",
                                       "gtid_slave_pos",
                                       "gtid_strict_mode",
                                       "log_bin",
                                       "log_slave_updates",
                                       "innodb_flush_log_at_trx_commit",
                                       "rpl_semi_sync_master_enabled",
                                       "rpl_semi_sync_slave_enabled",
                                       "rpl_semi_sync_master_wait_point",
                                       "rpl_semi_sync_master_timeout"};
static const char *const states[] = {"RPL_SEMI_SYNC_MASTER_STATUS", "RPL_SEMI_SYNC_MASTER_CLIENTS",
                                     "RPL_SEMI_SYNC_MASTER_NO_TIMES"};

static void write_question(struct Buf *out)
{
    for (size_t n = 0; n < COUNT_OF(settings); n++)
        buf_printf(out, "%s@@global.%s", n == 0 ? "select " : ", ", settings[n]);
    for (size_t n = 0; n < COUNT_OF(states); n++)
        buf_printf(out,
                   ", (select variable_value from information_schema.global_status where "
                   "variable_name = '%s')",
                   states[n]);
}

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

static void read_variables(struct MariadbLook *look, const struct MariadbRows *rows)
{
    size_t at = 0;
    look->says = true;
    look->read_only = !is_off(mariadb_value(rows, 0, at++));
    keep(look->server, sizeof(look->server), mariadb_value(rows, 0, at++));
    keep(look->version, sizeof(look->version), mariadb_value(rows, 0, at++));
    keep(look->log, sizeof(look->log), mariadb_value(rows, 0, at++));
    keep(look->followed, sizeof(look->followed), mariadb_value(rows, 0, at++));
    look->strict = is_on(mariadb_value(rows, 0, at++));
    look->logs_all = is_on(mariadb_value(rows, 0, at++));
    look->logs_all = is_on(mariadb_value(rows, 0, at++)) && look->logs_all;
    look->durable = text_equal(mariadb_value(rows, 0, at++), "1");
    look->semi_source = is_on(mariadb_value(rows, 0, at++));
    look->semi_replica = is_on(mariadb_value(rows, 0, at++));
    look->semi_after_sync = text_equal(mariadb_value(rows, 0, at++), "AFTER_SYNC");
    look->semi_timeout_ms = number_in(mariadb_value(rows, 0, at++), -1);
    look->semi_on = is_on(mariadb_value(rows, 0, at++));
    look->semi_clients = number_in(mariadb_value(rows, 0, at++), 0);
    look->semi_fallbacks = number_in(mariadb_value(rows, 0, at++), 0);
}

static void read_replication(struct MariadbLook *look, const struct MariadbRows *rows)
{
    const char *io = mariadb_named(rows, 0, "Slave_IO_Running");
    const char *fault = mariadb_named(rows, 0, "Last_SQL_Error");
    if (fault == NULL || fault[0] == '\0')
        fault = mariadb_named(rows, 0, "Last_IO_Error");
    look->shows = true;
    look->connections = mariadb_row_count(rows);
    if (look->connections == 0)
        return;
    const char *name = mariadb_named(rows, 0, "Connection_name");
    const char *gtid = mariadb_named(rows, 0, "Using_Gtid");
    look->named = name != NULL && name[0] != '\0';
    look->by_gtid = gtid != NULL && !text_equal(gtid, "No");
    look->applies = text_equal(mariadb_named(rows, 0, "Slave_SQL_Running"), "Yes");
    look->runs = look->applies && text_equal(io, "Yes");
    keep(look->source, sizeof(look->source), mariadb_named(rows, 0, "Master_Host"));
    look->source_port = number_in(mariadb_named(rows, 0, "Master_Port"), 0);
    look->behind_s = number_in(mariadb_named(rows, 0, "Seconds_Behind_Master"), -1);
    keep(look->received, sizeof(look->received), mariadb_named(rows, 0, "Gtid_IO_Pos"));
    keep(look->broken, sizeof(look->broken), fault);
}

/* ---- one round of them ---- */

static bool has_looked(struct MariadbAsk *mine, size_t host, const struct Answer *answer)
{
    struct MariadbLook *look = &mine->hosts[host];
    look->refused = look->refused ||
                    (answer->end == CALL_REFUSED && answer->code == ECONNREFUSED && !look->says);
    if (answer->end == CALL_ANSWERED && answer->code != MARIADB_ROWS)
        keep(look->error, sizeof(look->error), answer->bytes);
    mine->looking--;
    if (mine->each != NULL && !mine->each(mine, host))
        return false;
    return mine->looking > 0 || (mine->then != NULL && mine->then(mine));
}

static bool take_variables(struct Ask *ask, size_t host, const struct Answer *answer)
{
    struct MariadbAsk *mine = (struct MariadbAsk *)ask;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS)
        read_variables(&mine->hosts[host], mariadb_rows(answer));
    return has_looked(mine, host, answer);
}

static bool take_replication(struct Ask *ask, size_t host, const struct Answer *answer)
{
    struct MariadbAsk *mine = (struct MariadbAsk *)ask;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS)
        read_replication(&mine->hosts[host], mariadb_rows(answer));
    return has_looked(mine, host, answer);
}

void *mariadb_ask_begin(struct Mariadb *system, size_t size, struct Mono deadline,
                        void (*finish)(struct Ask *ask))
{
    struct MariadbAsk *mine = ask_begin(&system->asking, size, deadline, finish);
    mine->system = system;
    return mine;
}

void mariadb_look(struct MariadbAsk *mine, size_t host, struct Mono deadline)
{
    struct Buf text = BUF(4000);
    struct MariadbQuestion question = {.deadline = deadline};
    mine->hosts[host] = (struct MariadbLook){.behind_s = -1};
    write_question(&text);
    question.text = text.text;
    mine->looking +=
        mariadb_ask_host(&mine->ask, &mine->system->pool, host, &question, take_variables) ? 1 : 0;
    buf_free(&text);
    question.text = "show all slaves status";
    mine->looking +=
        mariadb_ask_host(&mine->ask, &mine->system->pool, host, &question, take_replication) ? 1
                                                                                             : 0;
}

void mariadb_look_all(struct MariadbAsk *mine, struct Mono deadline)
{
    for (size_t n = 0; n < mine->system->role->host_count; n++)
        mariadb_look(mine, n, deadline);
}

/* ---- what it comes to ---- */

bool mariadb_answers(const struct MariadbLook *look)
{
    return look->says && look->shows;
}

bool mariadb_leads(const struct MariadbLook *look)
{
    return mariadb_answers(look) && !look->read_only && look->connections == 0;
}

bool mariadb_follows(const struct MariadbLook *look)
{
    return mariadb_answers(look) && look->read_only && look->connections == 1 && !look->named;
}

/* Who was promoted later had followed further: that stays as it is when it is promoted. */
size_t mariadb_primary(const struct MariadbAsk *mine, size_t *count)
{
    size_t hosts = mine->system->role->host_count, best = hosts, leaders = 0;
    for (size_t n = 0; n < hosts; n++) {
        const struct MariadbLook *look = &mine->hosts[n];
        bool last = mariadb_leads(look);
        leaders += last ? 1 : 0;
        for (size_t other = 0; last && other < hosts; other++)
            last = other == n || !mariadb_leads(&mine->hosts[other]) ||
                   (gtid_later(look->followed, mine->hosts[other].followed) == KNOWN_YES);
        if (last)
            best = n;
    }
    if (count != NULL)
        *count = leaders;
    return best;
}

size_t mariadb_source(const struct MariadbAsk *mine, size_t host)
{
    const struct Mariadb *system = mine->system;
    const struct MariadbLook *look = &mine->hosts[host];
    size_t n = 0;
    while (n < system->role->host_count &&
           !text_equal(system->role->hosts[n]->name, look->source) &&
           !text_equal(target_address(system->role->hosts[n]), look->source))
        n++;
    return look->source_port == system->config->access.port ? n : system->role->host_count;
}

/* ---- one host, by its own word ---- */

struct StandingAsk {
    struct MariadbAsk look; /* first */
    size_t host;
    const struct Target *target;
    StandingFn *done;
    void *data;
};

static void tell_standing(struct Ask *ask)
{
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    const struct MariadbLook *look = &mine->look.hosts[mine->host];
    struct Standing standing = {.host = mine->target, .asked = ask->asked, .answered = mono_now()};
    if (mariadb_answers(look)) {
        standing.rank = mariadb_leads(look)      ? RANK_PRIMARY
                        : look->connections != 0 ? RANK_REPLICA
                                                 : RANK_OTHER; /* follows nobody, read-only */
        standing.writable = look->read_only ? KNOWN_NO : KNOWN_YES;
        snprintf(standing.identity, sizeof(standing.identity), "server %s", look->server);
    }
    mine->done(mine->data, &standing);
}

void mariadb_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *done_data)
{
    struct Mariadb *system = data;
    struct StandingAsk *mine = mariadb_ask_begin(system, sizeof(*mine), deadline, tell_standing);
    mine->target = host;
    mine->done = done;
    mine->data = done_data;
    for (size_t n = 0; n < system->role->host_count; n++)
        if (system->role->hosts[n] == host) {
            mine->host = n;
            mariadb_look(&mine->look, n, deadline);
        }
    ask_go(&mine->look.ask);
}

/* ---- all of them ---- */

struct LeaderAsk {
    struct MariadbAsk look; /* first */
    StandingFn *standing;
    void (*found)(void *data, const char *address, uint16_t port);
    void (*last)(void *data, const struct Target *host, size_t primaries);
    void *data;
};

/* There is no coordinator: the hosts together say who it is. */
static void tell_control(struct Ask *ask)
{
    struct LeaderAsk *mine = (struct LeaderAsk *)ask;
    const struct Role *role = mine->look.system->role;
    size_t host = mariadb_primary(&mine->look, NULL);
    struct Standing standing = {.asked = ask->asked, .answered = mono_now()};
    if (host < role->host_count) {
        standing.rank = RANK_PRIMARY;
        standing.host = role->hosts[host];
    }
    mine->standing(mine->data, &standing);
}

void mariadb_ask_control(void *data, struct Mono deadline, StandingFn *done, void *done_data)
{
    struct LeaderAsk *mine = mariadb_ask_begin(data, sizeof(*mine), deadline, tell_control);
    mine->standing = done;
    mine->data = done_data;
    mariadb_look_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}

/* As drivers do that are given all hosts: the first that takes writes. */
static bool take_found(struct MariadbAsk *mine, size_t host)
{
    return !mine->hosts[host].says || mine->hosts[host].read_only;
}

static void tell_found(struct Ask *ask)
{
    struct LeaderAsk *mine = (struct LeaderAsk *)ask;
    const struct Mariadb *system = mine->look.system;
    size_t n = 0;
    while (n < system->role->host_count && take_found(&mine->look, n))
        n++;
    bool known = n < system->role->host_count;
    mine->found(mine->data, known ? target_address(system->role->hosts[n]) : NULL,
                known ? (uint16_t)system->config->access.port : 0);
}

void mariadb_find_primary(void *data, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port),
                          void *done_data)
{
    struct LeaderAsk *mine = mariadb_ask_begin(data, sizeof(*mine), deadline, tell_found);
    mine->found = done;
    mine->data = done_data;
    mine->look.each = take_found;
    mariadb_look_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}

static void tell_last(struct Ask *ask)
{
    struct LeaderAsk *mine = (struct LeaderAsk *)ask;
    const struct Role *role = mine->look.system->role;
    size_t primaries = 0, host = mariadb_primary(&mine->look, &primaries);
    bool silent = false; /* one does not answer, and may be who was promoted last */
    for (size_t n = 0; n < role->host_count; n++)
        silent = silent || (!mariadb_answers(&mine->look.hosts[n]) && !mine->look.hosts[n].refused);
    mine->last(mine->data, host < role->host_count && !silent ? role->hosts[host] : NULL,
               primaries);
}

void mariadb_find_last(void *data, struct Mono deadline,
                       void (*done)(void *data, const struct Target *host, size_t primaries),
                       void *done_data)
{
    struct Mono now = mono_now(), half = mono_add(now, mono_since(now, deadline) / 2);
    struct LeaderAsk *mine = mariadb_ask_begin(data, sizeof(*mine), half, tell_last);
    mine->last = done;
    mine->data = done_data;
    mariadb_look_all(&mine->look, half);
    ask_go(&mine->look.ask);
}
