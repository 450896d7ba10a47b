/* mariadb_act.c - the promotion of a replica, where no primary can be hurt by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "mariadb_system.h"

/* A host that is silent for so long is not waited for, and nothing is decided by a look that is
 * older than that. */
#define LOOK_NS (2 * NS_PER_S)
#define LATE_NS (3 * NS_PER_S)
/* A replica that is stopped may wait for a network that is silent. It streams no more from there
 * on, and where one does not, mariadb_rejoin.sh gives no primary back: a late promotion meets none.
 */
#define OVER_NS (30 * NS_PER_S)
/* Until what was received is applied. */
#define AGAIN_NS (100 * NS_PER_MS)

/* One statement, so that nobody is left between the two ranks; who may not do all of it is told
 * before it is begun. It says no where the replica is connected: its primary is back. A machine
 * that is lost says no word of farewell, and its replica holds it for connected for a while. */
#define BEGIN                                                                                      \
    "begin not atomic declare exit handler for sqlexception begin start slave; resignal; end; "    \
    "set global read_only = 1; "
#define UNLESS_CONNECTED                                                                           \
    "if (select variable_value from information_schema.global_status where variable_name = "       \
    "'SLAVE_RUNNING') = 'ON' then signal sqlstate '45000' set message_text = 'it is connected "    \
    "to its primary, or has not noticed yet that it is gone (slave_net_timeout)'; end if; "
#define PROMOTE "stop slave; reset slave all; set global read_only = 0; end"
static const char promote_alone[] = BEGIN UNLESS_CONNECTED PROMOTE;
static const char promote[] = BEGIN PROMOTE;

struct ActAsk {
    struct MariadbAsk look; /* first */
    struct FailoverWish wish;
    struct Mono asked; /* when the last look began */
    size_t chosen, unheard;
    bool stopped[MARIADB_HOSTS_MAX]; /* they have said so themselves */
    enum Known answer;
    char why[300];
    void (*done)(void *data, enum Known accepted, const char *why);
    void *data;
};

static void tell_act(struct Ask *ask)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    mine->done(mine->data, mine->answer, mine->why);
}

/* Always false, as the end of a question is. */
__attribute__((format(printf, 3, 4))) static bool say(struct ActAsk *mine, enum Known answer,
                                                      const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(mine->why, sizeof(mine->why), format, values);
    va_end(values);
    mine->why[strcspn(mine->why, "\r\n")] = '\0';
    mine->answer = answer;
    return false;
}

/* ---- who ---- */

/* Why nobody is promoted, for there could be two primaries then; false: nothing speaks against. */
static bool speaks_against(const struct Role *role, const struct MariadbLook *hosts, char *why,
                           size_t size)
{
    for (size_t n = 0; n < role->host_count; n++) {
        const struct MariadbLook *host = &hosts[n];
        const char *name = role->hosts[n]->name;
        bool answers = mariadb_answers(host);
        if (answers && !host->read_only)
            snprintf(why, size,
                     "%.100s is a primary that runs: stop it or kill it first, or there would be "
                     "two",
                     name);
        else if (answers && host->connections == 0)
            snprintf(why, size, "%.100s runs, follows nobody, and may be a primary soon", name);
        else if (host->error[0] != '\0')
            snprintf(why, size, "%.100s lives and may be a primary: it says %.120s", name,
                     host->error);
        else
            continue;
        return true;
    }
    return false;
}

static bool can_lead(const struct MariadbLook *host)
{
    return mariadb_follows(host) && host->by_gtid && host->logs_all;
}

/* Who has all that each of the others has; host_count: nobody, for each has what another has not.
 */
static size_t has_most(const struct Role *role, const struct MariadbLook *hosts)
{
    for (size_t n = 0; n < role->host_count; n++) {
        bool all = can_lead(&hosts[n]);
        for (size_t other = 0; all && other < role->host_count; other++)
            all = !mariadb_follows(&hosts[other]) ||
                  mariadb_covers(&hosts[n], &hosts[other]) == KNOWN_YES;
        if (all)
            return n;
    }
    return role->host_count;
}

static size_t replica_named(const struct Role *role, const struct MariadbLook *hosts,
                            const struct Target *to)
{
    size_t named = 0;
    while (named < role->host_count && (role->hosts[named] != to || !can_lead(&hosts[named])))
        named++;
    return named;
}

size_t mariadb_choose(const struct Role *role, const struct MariadbLook *hosts,
                      const struct FailoverWish *wish, char *why, size_t size)
{
    size_t none = role->host_count, replicas = 0;
    if (speaks_against(role, hosts, why, size))
        return none;
    for (size_t n = 0; n < none; n++)
        replicas += can_lead(&hosts[n]) ? 1 : 0;
    size_t best = has_most(role, hosts);
    if (best == none) {
        snprintf(why, size, "%s",
                 replicas == 0 ? "no replica answers that could be promoted"
                               : "each replica has what another has not, by GTID: what one of them "
                                 "alone has would be lost");
        return none;
    }
    if (wish->to == NULL)
        return best;
    size_t named = replica_named(role, hosts, wish->to);
    if (named == none)
        snprintf(why, size, "%.100s, which is named, does not answer: it cannot be promoted",
                 wish->to->name);
    else if (mariadb_covers(&hosts[named], &hosts[best]) != KNOWN_YES)
        snprintf(why, size,
                 "%.100s has more than %.100s, which is named: what it alone has would be lost",
                 role->hosts[best]->name, wish->to->name);
    else
        return named;
    return none;
}

/* ---- it is told ---- */

/* Those that have no more than the new primary lose nothing by it. */
static void let_follow(struct ActAsk *mine)
{
    struct Mariadb *system = mine->look.system;
    bool followers[MARIADB_HOSTS_MAX] = {false};
    for (size_t n = 0; n < system->role->host_count; n++)
        followers[n] =
            n != mine->chosen && mariadb_follows(&mine->look.hosts[n]) &&
            mariadb_covers(&mine->look.hosts[mine->chosen], &mine->look.hosts[n]) == KNOWN_YES;
    mariadb_let_follow(system, mine->chosen, followers);
}

static bool take_promoted(struct Ask *ask, size_t host, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    (void)host;
    if (answer->end == CALL_REFUSED)
        return say(mine, KNOWN_NO, "the replica refuses the connection");
    if (answer->end != CALL_ANSWERED)
        return say(mine, KNOWN_UNKNOWN, "it was sent, and the replica did not answer");
    if (answer->code != MARIADB_ROWS)
        return say(mine, KNOWN_NO, "%.60s was not promoted: %.200s",
                   mine->look.system->role->hosts[mine->chosen]->name, answer->bytes);
    let_follow(mine);
    return say(mine, KNOWN_YES, "%s", "");
}

static bool send_promotion(struct ActAsk *mine)
{
    const struct MariadbConfig *config = mine->look.system->config;
    const struct MariadbQuestion question = {.text = mine->wish.forced ? promote : promote_alone,
                                             .user = config->admin,
                                             .secret = config->admin_password,
                                             .deadline = mono_add(mine->asked, OVER_NS)};
    if (mono_since(mine->asked, mono_now()) > LATE_NS)
        return say(mine, KNOWN_NO, "our side was held up, and who leads may be another");
    say(mine, KNOWN_UNKNOWN, "%s", "");
    return mariadb_ask_host(&mine->look.ask, &mine->look.system->pool, mine->chosen, &question,
                            take_promoted);
}

/* ---- the others are asked ---- */

static bool look(struct ActAsk *mine)
{
    mine->asked = mono_now();
    mariadb_look_all(&mine->look,
                     mono_min(mono_add(mine->asked, LOOK_NS), mine->look.ask.deadline));
    return true;
}

static bool look_again(struct Ask *ask)
{
    return look((struct ActAsk *)ask);
}

static bool take_word(struct Ask *ask, size_t host, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    const char *name = mine->look.system->role->hosts[host]->name;
    const char *how = mine->look.hosts[host].refused ? "refuses our connection" : "does not answer";
    const enum Known runs = mariadb_runs(answer);
    if (runs == KNOWN_YES)
        return say(mine, KNOWN_NO,
                   "MariaDB runs on %.100s, which %s, and may still take writes: stop it or kill "
                   "it first",
                   name, how);
    if (runs == KNOWN_UNKNOWN)
        return say(mine, KNOWN_NO,
                   "%.100s %s, and does not say whether MariaDB runs there: `forced: true` "
                   "promotes a replica all the same",
                   name, how);
    mine->stopped[host] = true;
    return --mine->unheard > 0 || look(mine);
}

static bool is_unknown(const struct ActAsk *mine, size_t host)
{
    return !mine->wish.forced && !mine->stopped[host] && !mariadb_answers(&mine->look.hosts[host]);
}

/* A reject of this very drill, or of a firewall, refuses as a host does where nobody listens; and a
 * machine that is cut off may be reached by another way, and say that nothing runs there. */
static bool ask_the_silent(struct ActAsk *mine)
{
    const size_t hosts = mine->look.system->role->host_count;
    mine->unheard = 0;
    for (size_t n = 0; n < hosts; n++)
        mine->unheard += is_unknown(mine, n) ? 1 : 0;
    if (mine->unheard == 0)
        return false;
    say(mine, KNOWN_NO, "nobody said in time whether MariaDB runs there");
    for (size_t n = 0; n < hosts; n++)
        if (is_unknown(mine, n))
            mariadb_ask_runs(&mine->look.ask, mine->look.system, n, take_word);
    return true;
}

/* What it received and has not applied would be thrown away by its promotion. */
static bool take_all(struct MariadbAsk *all)
{
    struct ActAsk *mine = (struct ActAsk *)all;
    const struct Role *role = all->system->role;
    char why[300];
    mine->chosen = mariadb_choose(role, all->hosts, &mine->wish, why, sizeof(why));
    if (mine->chosen == role->host_count)
        return say(mine, KNOWN_NO, "%s", why);
    const struct MariadbLook *chosen = &all->hosts[mine->chosen];
    const char *name = role->hosts[mine->chosen]->name;
    if (!chosen->applies)
        return say(mine, KNOWN_NO, "%.80s does not apply what it received: %.180s", name,
                   chosen->broken[0] != '\0' ? chosen->broken : "its SQL thread is stopped");
    if (ask_the_silent(mine))
        return true;
    if (gtid_covers(chosen->log, "", chosen->received) == KNOWN_YES)
        return send_promotion(mine);
    say(mine, KNOWN_NO, "%.80s has not yet applied all that it received", name);
    if (mono_since(mono_now(), all->ask.deadline) < LOOK_NS)
        return false;
    ask_wait(&all->ask, AGAIN_NS, look_again);
    return true;
}

void mariadb_failover(void *data, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why),
                      void *done_data)
{
    struct ActAsk *mine = mariadb_ask_begin(data, sizeof(*mine), deadline, tell_act);
    mine->wish = *wish;
    mine->look.then = take_all;
    mine->done = done;
    mine->data = done_data;
    say(mine, KNOWN_NO, "no MariaDB answers");
    look(mine);
    ask_go(&mine->look.ask);
}
