/* galera_ask.c - who is in the Primary component, by each node's own word. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "galera.h"

/* Whoever is silent is not waited for longer, once one that serves has answered. */
#define SILENT_AFTER_NS (300 * NS_PER_MS)

/* ---- looking at a node ---- */

/* What is asked, in the order of read_node(). A node outside of the Primary component answers what
 * is asked of this schema alone. */
static void write_question(struct Buf *out)
{
    static const char *const states[] = {
        "WSREP_READY",           "WSREP_CLUSTER_STATUS", "WSREP_LOCAL_STATE_COMMENT",
        "WSREP_CLUSTER_SIZE",    "WSREP_LOCAL_INDEX",    "WSREP_CLUSTER_STATE_UUID",
        "WSREP_CLUSTER_CONF_ID", "WSREP_GCOMM_UUID"};
    buf_put(out,
            "select @@global.wsrep_on, @@global.wsrep_desync, @@global.version, "
            "@@global.wsrep_provider_options, @@global.wsrep_cluster_address, @@global.read_only, "
            "@@global.wsrep_reject_queries");
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

/* read_only has more than two values in later versions. */
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

bool galera_joins(const char *address)
{
    static const char scheme[] = "gcomm://";
    return address != NULL && text_starts(address, scheme) && address[sizeof(scheme) - 1] != '\0' &&
           address[sizeof(scheme) - 1] != '?';
}

static void read_node(struct GaleraLook *look, const struct MariadbRows *rows)
{
    look->says = true;
    look->on = is_on(mariadb_value(rows, 0, 0));
    look->desynced = is_on(mariadb_value(rows, 0, 1));
    keep(look->version, sizeof(look->version), mariadb_value(rows, 0, 2));
    keep(look->options, sizeof(look->options), mariadb_value(rows, 0, 3));
    look->joins = galera_joins(mariadb_value(rows, 0, 4));
    look->shut =
        !is_off(mariadb_value(rows, 0, 5)) || !text_equal(mariadb_value(rows, 0, 6), "NONE");
    look->ready = is_on(mariadb_value(rows, 0, 7));
    keep(look->status, sizeof(look->status), mariadb_value(rows, 0, 8));
    look->primary = text_equal(look->status, "Primary");
    keep(look->state, sizeof(look->state), mariadb_value(rows, 0, 9));
    look->synced = text_equal(look->state, "Synced");
    look->size = number_in(mariadb_value(rows, 0, 10), 0);
    look->index = number_in(mariadb_value(rows, 0, 11), -1);
    keep(look->cluster, sizeof(look->cluster), mariadb_value(rows, 0, 12));
    keep(look->view, sizeof(look->view), mariadb_value(rows, 0, 13));
    keep(look->node, sizeof(look->node), mariadb_value(rows, 0, 14));
}

static void take(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct GaleraLook *look = &((struct GaleraAsk *)ask)->hosts[index];
    look->refused = answer->end == CALL_REFUSED && answer->code == ECONNREFUSED;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS)
        read_node(look, mariadb_rows(answer));
    else
        keep(look->error, sizeof(look->error), answer->bytes);
}

static bool take_look(struct Ask *ask, size_t index, const struct Answer *answer)
{
    take(ask, index, answer);
    return true;
}

void galera_look(struct GaleraAsk *mine, size_t host, AskFn *each)
{
    struct Buf text = BUF(4000);
    write_question(&text);
    mariadb_ask_host(&mine->ask, &mine->system->pool, host,
                     &(struct MariadbQuestion){.text = text.text}, each != NULL ? each : take_look);
    buf_free(&text);
}

bool galera_is_member(const struct GaleraLook *look)
{
    return look->says && look->on && look->ready && look->primary;
}

bool galera_serves(const struct GaleraLook *look)
{
    return galera_is_member(look) && !look->shut;
}

size_t galera_first(const struct GaleraAsk *mine, size_t *count)
{
    size_t hosts = mine->system->role->host_count, first = hosts, found = 0;
    for (size_t n = 0; n < hosts; n++)
        if (galera_is_member(&mine->hosts[n]) && mine->hosts[n].index == 0) {
            found++;
            if (first == hosts || mine->hosts[n].size > mine->hosts[first].size)
                first = n;
        }
    if (count != NULL)
        *count = found;
    return first;
}

/* ---- one node, by its own word ---- */

struct StandingAsk {
    struct GaleraAsk look; /* first */
    size_t host;
    struct Standing standing;
    StandingFn *done;
    void *data;
};

static void tell_standing(struct Ask *ask)
{
    struct StandingAsk *mine = (struct StandingAsk *)ask;
    struct Standing *standing = &mine->standing;
    standing->asked = ask->asked;
    standing->answered = mono_now();
    if (mine->host < mine->look.system->role->host_count && mine->look.hosts[mine->host].says) {
        const struct GaleraLook *look = &mine->look.hosts[mine->host];
        standing->rank = !galera_is_member(look) ? RANK_OTHER
                         : look->index == 0      ? RANK_PRIMARY
                                                 : RANK_REPLICA;
        standing->writable = galera_serves(look) ? KNOWN_YES : KNOWN_NO;
        keep(standing->epoch, sizeof(standing->epoch), look->view);
        keep(standing->identity, sizeof(standing->identity), look->node);
    }
    mine->done(mine->data, standing);
}

void galera_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                         StandingFn *done, void *done_data)
{
    struct Galera *system = data;
    struct StandingAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_standing);
    mine->look.system = system;
    mine->standing.host = host;
    mine->done = done;
    mine->data = done_data;
    while (mine->host < system->role->host_count && system->role->hosts[mine->host] != host)
        mine->host++;
    if (mine->host < system->role->host_count)
        galera_look(&mine->look, mine->host, NULL);
    ask_go(&mine->look.ask);
}

/* ---- all of them ---- */

struct FirstAsk {
    struct GaleraAsk look; /* first */
    StandingFn *standing;
    void (*found)(void *data, const char *address, uint16_t port);
    void *data;
    bool late; /* the time is over that the silent have; any that serves will do */
};

static void tell_first(struct Ask *ask)
{
    struct FirstAsk *mine = (struct FirstAsk *)ask;
    const struct Role *role = mine->look.system->role;
    size_t host = galera_first(&mine->look, NULL);
    struct Standing standing = {.asked = ask->asked, .answered = mono_now()};
    if (mine->standing != NULL) {
        standing.rank = host < role->host_count ? RANK_PRIMARY : RANK_UNKNOWN;
        standing.host = host < role->host_count ? role->hosts[host] : NULL;
        mine->standing(mine->data, &standing);
        return;
    }
    if (host == role->host_count || !galera_serves(&mine->look.hosts[host]))
        /* before the view has changed, or where the first one is shut: any that serves */
        for (host = 0; host < role->host_count && !galera_serves(&mine->look.hosts[host]);)
            host++;
    bool known = host < role->host_count;
    mine->found(mine->data, known ? target_address(role->hosts[host]) : NULL,
                known ? (uint16_t)mine->look.system->config->access.port : 0);
}

/* A client takes the first node of the view, as soon as that has answered. `ask->waiting` counts
 * the timer too, until it has fired. */
static bool take_any(struct Ask *ask, size_t index, const struct Answer *answer)
{
    const struct FirstAsk *mine = (struct FirstAsk *)ask;
    const struct GaleraLook *look = &mine->look.hosts[index];
    take(ask, index, answer);
    if (galera_serves(look) && (mine->late || look->index == 0))
        return false;
    return ask->waiting > (mine->late ? 0u : 1u);
}

/* Nobody that serves has answered yet: they may be far away, or slow. */
static bool wait_on(struct Ask *ask)
{
    struct FirstAsk *mine = (struct FirstAsk *)ask;
    mine->late = true;
    for (size_t n = 0; n < mine->look.system->role->host_count; n++)
        if (galera_serves(&mine->look.hosts[n]))
            return false;
    return true;
}

static struct FirstAsk *begin_first(struct Galera *system, struct Mono deadline, void *data)
{
    struct FirstAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_first);
    mine->look.system = system;
    mine->data = data;
    ask_wait(&mine->look.ask, SILENT_AFTER_NS, wait_on);
    for (size_t n = 0; n < system->role->host_count; n++)
        galera_look(&mine->look, n, take_any);
    return mine;
}

/* There is no other control plane than the view that the nodes agree on. */
void galera_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    begin_first(system, deadline, data)->standing = done;
}

void galera_find_primary(void *system, struct Mono deadline,
                         void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    begin_first(system, deadline, data)->found = done;
}
