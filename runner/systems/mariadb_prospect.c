/* mariadb_prospect.c - what the configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "mariadb_system.h"

enum { KNOBS_MAX = 8 + 2 * MARIADB_HOSTS_MAX, VALUE_MAX = 120 };
/* One that is asked for: what was received is applied, and the replica told. */
#define PROMOTION_NS (10 * NS_PER_S)

struct ProspectAsk {
    struct MariadbAsk look; /* first */
    struct Knob knobs[KNOBS_MAX];
    char values[KNOBS_MAX][VALUE_MAX];
    size_t knob_count;
    bool above;         /* the user writes in spite of read_only */
    bool may, told;     /* our admin may promote; and has said what it may */
    const char *strays; /* the primary may log what no replica ever gets: why; or NULL */
    char not_ready[400], loss[200];
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

static void judge_host(struct ProspectAsk *mine, size_t host)
{
    const struct MariadbLook *look = &mine->look.hosts[host];
    const char *name = mine->look.system->role->hosts[host]->name;
    if (!mariadb_answers(look))
        trap(mine, "MariaDB on %.80s does not say how it stands: %.200s", name,
             look->error[0] != '\0' ? look->error : "no answer");
    else if (look->connections > 1 || look->named)
        trap(mine, "%.80s follows by more than one connection, or by a named one", name);
    else if (look->connections == 1 && !look->read_only)
        trap(mine, "read_only is off on the replica %.80s: who lands there writes past the primary",
             name);
    else if (look->connections == 1 && !look->by_gtid)
        trap(mine, "%.80s does not follow by GTID (MASTER_USE_GTID)", name);
    else if (look->connections == 0 && look->read_only)
        trap(mine, "%.80s follows nobody and takes no writes", name);
    else if (!look->logs_all)
        trap(mine, "log_bin or log_slave_updates is off on %.80s: promoted, nobody could follow it",
             name);
    else if (!look->strict)
        trap(mine,
             "gtid_strict_mode is off on %.80s: a replica that has writes of its own would "
             "go on with them",
             name);
}

static void judge_semi_sync(struct ProspectAsk *mine, const struct MariadbLook *primary)
{
    if (!primary->semi_source) {
        knob(mine, "semi-sync", "off");
        mine->strays =
            "without semi-sync it may have logged what no replica has, and stays stopped then";
        snprintf(mine->loss, sizeof(mine->loss),
                 "loss possible: asynchronous, what did not reach a replica");
        return;
    }
    if (!primary->semi_after_sync)
        mine->strays = "rpl_semi_sync_master_wait_point is not AFTER_SYNC on it: what it wrote is "
                       "committed before a replica has it, and then it stays stopped";
    else if (!primary->semi_replica)
        mine->strays = "rpl_semi_sync_slave_enabled is off on it: its recovery from a crash keeps "
                       "what waited for a replica, and then it stays stopped";
    double timeout_s = (double)primary->semi_timeout_ms / 1000;
    knob(mine, "semi-sync",
         "waits %.1f s for one of %lld replicas, then for nobody; gave up %lld x", timeout_s,
         (long long)primary->semi_clients, (long long)primary->semi_fallbacks);
    snprintf(mine->loss, sizeof(mine->loss),
             "loss possible: semi-sync waits %.1f s for a replica, and goes on without one",
             timeout_s);
    if (!primary->semi_on)
        trap(mine,
             "semi-sync has fallen back to asynchronous (rpl_semi_sync_master_status is off): "
             "what is acknowledged now may be nowhere else");
}

/* Whoever is promoted would go on without it, and say nothing. */
static void judge_successors(struct ProspectAsk *mine)
{
    const struct Role *role = mine->look.system->role;
    const char *first = NULL;
    size_t without = 0;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct MariadbLook *look = &mine->look.hosts[n];
        if (!mariadb_follows(look) || look->semi_source)
            continue;
        first = first != NULL ? first : role->hosts[n]->name;
        without++;
    }
    if (first != NULL)
        knob(mine, "semi-sync once promoted",
             "off on %zu replica%s (%.40s: rpl_semi_sync_master_enabled): waits for nobody",
             without, without == 1 ? "" : "s", first);
}

static void judge_primary(struct ProspectAsk *mine, const struct MariadbLook *look)
{
    knob(mine, "MariaDB", "%s", look->version);
    knob(mine, "promoted by", "nobody but us");
    judge_semi_sync(mine, look);
    if (look->semi_source)
        judge_successors(mine);
    knob(mine, "innodb_flush_log_at_trx_commit", "%s",
         look->durable ? "1" : "not 1: a crash loses what was acknowledged");
    if (!mine->may)
        knob(mine, "beware", "%s",
             mine->told ? "`admin:` may not promote: it takes READ_ONLY ADMIN "
                          "and REPLICATION SLAVE ADMIN"
                        : "what `admin:` may is not known");
}

static void judge(struct ProspectAsk *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t leaders = 0, replicas = 0, primary = mariadb_primary(&mine->look, &leaders);
    for (size_t n = 0; n < role->host_count; n++) {
        judge_host(mine, n);
        replicas += mariadb_follows(&mine->look.hosts[n]) ? 1 : 0;
    }
    if (leaders == 0)
        trap(mine, "no host takes writes: read_only is on everywhere");
    if (leaders > 1)
        trap(mine, "%zu hosts take writes and follow nobody", leaders);
    if (replicas == 0)
        trap(mine, "there is no replica that could be promoted");
    if (mine->above)
        trap(mine, "the user of the DSN writes in spite of read_only (READ_ONLY ADMIN): on a "
                   "replica it would be acknowledged, and seen as a primary's");
    if (primary < role->host_count)
        judge_primary(mine, &mine->look.hosts[primary]);
}

static void tell_prospect(struct Ask *ask)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    judge(mine);
    const struct Prospect prospect = {.knobs = mine->knobs,
                                      .knob_count = mine->knob_count,
                                      .failover = {0, NS_NEVER}, /* by itself it never comes */
                                      .planned = {0, PROMOTION_NS},
                                      .not_ready =
                                          mine->not_ready[0] != '\0' ? mine->not_ready : NULL,
                                      .persistence = PERSIST_ALL, /* InnoDB's log is on its disk */
                                      .keys_at_risk = -1,
                                      .durable = "InnoDB log",
                                      .loss = mine->loss[0] != '\0' ? mine->loss : NULL,
                                      .no_return = mine->strays};
    mine->done(mine->data, &prospect);
}

/* ---- what else is asked ---- */

static bool grants(const struct Answer *answer, const char *const *words, size_t count)
{
    const struct MariadbRows *rows = mariadb_rows(answer);
    for (size_t n = 0; n < mariadb_row_count(rows); n++) {
        const char *line = mariadb_value(rows, n, 0);
        for (size_t word = 0; line != NULL && word < count; word++)
            if (strstr(line, words[word]) != NULL)
                return true;
    }
    return false;
}

static const char *const writes_always[] = {"ALL PRIVILEGES ON *.*", "READ_ONLY ADMIN",
                                            "READ ONLY ADMIN"};
static const char *const moves_replicas[] = {"ALL PRIVILEGES ON *.*", "REPLICATION SLAVE ADMIN",
                                             "REPLICA ADMIN"};

static bool take_grants(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS)
        mine->above = mine->above || grants(answer, writes_always, COUNT_OF(writes_always));
    return true;
}

static bool take_admin(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    bool told = answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS;
    bool may = told && grants(answer, writes_always, COUNT_OF(writes_always)) &&
               grants(answer, moves_replicas, COUNT_OF(moves_replicas));
    (void)index;
    mine->may = told && (mine->told ? mine->may && may : may);
    mine->told = told;
    return true;
}

static bool ask_grants(struct MariadbAsk *look)
{
    const struct MariadbConfig *config = look->system->config;
    for (size_t n = 0; n < look->system->role->host_count; n++) {
        if (!look->hosts[n].says)
            continue;
        (void)mariadb_ask_host(&look->ask, &look->system->pool, n,
                               &(struct MariadbQuestion){.text = "show grants"}, take_grants);
        (void)mariadb_ask_host(&look->ask, &look->system->pool, n,
                               &(struct MariadbQuestion){.text = "show grants",
                                                         .user = config->admin,
                                                         .secret = config->admin_password},
                               take_admin);
    }
    return true;
}

void mariadb_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct ProspectAsk *mine = mariadb_ask_begin(data, sizeof(*mine), deadline, tell_prospect);
    mine->look.then = ask_grants;
    mine->done = done;
    mine->data = done_data;
    mariadb_look_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}
