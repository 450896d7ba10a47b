/* postgres_act.c - the promotion of a replica, where no primary can be hurt by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "postgres.h"

/* A host that is silent for so long is not waited for. */
#define LOOK_NS (2 * NS_PER_S)

/* It is late where our side was held up, and the old primary may be back: then its replica streams.
 * A machine that is lost says no word of farewell, and the replica streams for a while. */
static const char promote[] = "select pg_promote(false)";
static const char promote_alone[] =
    "select pg_promote(false) where not exists (select from pg_stat_wal_receiver where status = "
    "'streaming')";

struct ActLook {
    struct Look look; /* first */
    struct FailoverWish wish;
    size_t unheard; /* hosts that are still asked whether it runs there */
    enum Known answer;
    char why[300];
    void (*done)(void *data, enum Known accepted, const char *why);
    void *data;
};

static void tell_act(struct Ask *ask)
{
    struct ActLook *mine = (struct ActLook *)ask;
    mine->done(mine->data, mine->answer, mine->why);
}

static bool answer(struct ActLook *mine, enum Known said, const char *why)
{
    mine->answer = said;
    snprintf(mine->why, sizeof(mine->why), "%s", why);
    return false;
}

/* It comes at once: the replica was told, and a change of primary must follow. */
static bool take_promoted(struct Ask *ask, size_t index, const struct Answer *reply)
{
    struct ActLook *mine = (struct ActLook *)ask;
    char why[300];
    (void)index;
    if (reply->end == CALL_REFUSED)
        return answer(mine, KNOWN_NO, "the replica refuses the connection");
    if (reply->end != CALL_ANSWERED)
        return answer(mine, KNOWN_UNKNOWN, "it was sent, and the replica did not answer");
    if (reply->code == POSTGRES_ROWS && postgres_value(postgres_rows(reply), 0, 0) != NULL)
        return answer(mine, KNOWN_YES, "");
    if (reply->code == POSTGRES_ROWS)
        return answer(mine, KNOWN_NO, "the replica streams again: its primary is back");
    snprintf(why, sizeof(why), "the replica cannot be promoted: %.*s",
             (int)strcspn(reply->bytes, "\r\n"), reply->bytes);
    return answer(mine, KNOWN_NO, why);
}

/* Why nobody is promoted, for there could be two primaries then; false: nothing speaks against. */
static bool speaks_against(const struct Role *role, const struct HostLook *hosts, bool forced,
                           char *why, size_t size)
{
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostLook *host = &hosts[n];
        const char *name = role->hosts[n]->name;
        if (host->answered && !host->replica)
            snprintf(
                why, size,
                "%.100s is a primary that runs: stop it or kill it first, or there would be two",
                name);
        else if (host->error[0] != '\0')
            snprintf(why, size, "%.100s lives and may be a primary soon: it says %.100s", name,
                     host->error);
        else if (!host->answered && !host->refused && !forced)
            snprintf(why, size,
                     "%.100s does not answer and may still take writes: `forced: true` promotes a "
                     "replica all the same",
                     name);
        else
            continue;
        return true;
    }
    return false;
}

/* Of two that have as much, the one that does not get it from the other. */
static bool has_more(const struct HostLook *host, const struct HostLook *best)
{
    return host->location > best->location ||
           (host->location == best->location && best->receives && !host->receives);
}

/* Who has most of the log. */
static size_t best_replica(const struct Role *role, const struct HostLook *hosts)
{
    size_t best = role->host_count;
    for (size_t n = 0; n < role->host_count; n++)
        if (hosts[n].answered && hosts[n].replica &&
            (best == role->host_count || has_more(&hosts[n], &hosts[best])))
            best = n;
    return best;
}

static size_t replica_named(const struct Role *role, const struct HostLook *hosts,
                            const struct Target *to)
{
    size_t named = 0;
    while (named < role->host_count &&
           (role->hosts[named] != to || !hosts[named].answered || !hosts[named].replica))
        named++;
    return named;
}

size_t postgres_choose(const struct Role *role, const struct HostLook *hosts,
                       const struct FailoverWish *wish, char *why, size_t size)
{
    size_t none = role->host_count;
    if (speaks_against(role, hosts, wish->forced, why, size))
        return none;
    size_t best = best_replica(role, hosts);
    if (wish->to == NULL) {
        snprintf(why, size, "%s", best < none ? "" : "no replica answers that could be promoted");
        return best;
    }
    size_t named = replica_named(role, hosts, wish->to);
    if (named == none)
        snprintf(why, size, "%.100s, which is named, does not answer: it cannot be promoted",
                 wish->to->name);
    else if (hosts[best].location > hosts[named].location)
        snprintf(why, size,
                 "%.100s has more of the log than %.100s, which is named: what it alone has would "
                 "be lost",
                 role->hosts[best]->name, wish->to->name);
    else
        return named;
    return none;
}

static bool promote_chosen(struct ActLook *mine)
{
    struct Look *look = &mine->look;
    char why[300];
    size_t chosen = postgres_choose(look->system->role, look->hosts, &mine->wish, why, sizeof(why));
    if (chosen == look->system->role->host_count)
        return answer(mine, KNOWN_NO, why);
    (void)answer(mine, KNOWN_UNKNOWN, "");
    return look_send(look, chosen, mine->wish.forced ? promote : promote_alone, take_promoted);
}

static bool take_word(struct Ask *ask, size_t index, const struct Answer *reply)
{
    struct ActLook *mine = (struct ActLook *)ask;
    const char *name = mine->look.system->role->hosts[index]->name;
    const enum Known runs = postgres_runs(reply);
    char why[300];
    if (runs == KNOWN_NO)
        return --mine->unheard > 0 || promote_chosen(mine);
    if (runs == KNOWN_YES)
        snprintf(why, sizeof(why),
                 "PostgreSQL runs on %.100s, which refuses our connection, and may still take "
                 "writes: stop it or kill it first",
                 name);
    else
        snprintf(why, sizeof(why),
                 "%.100s refuses our connection, and does not say whether PostgreSQL runs there: "
                 "`forced: true` promotes a replica all the same",
                 name);
    return answer(mine, KNOWN_NO, why);
}

/* A reject of this very drill, or of a firewall, refuses as a host does where nobody listens. */
static bool ask_who_refused(struct ActLook *mine)
{
    const size_t hosts = mine->look.system->role->host_count;
    (void)answer(mine, KNOWN_NO, "nobody said in time whether PostgreSQL runs there");
    for (size_t n = 0; n < hosts && !mine->wish.forced; n++)
        mine->unheard += mine->look.hosts[n].refused ? 1 : 0;
    if (mine->unheard == 0)
        return promote_chosen(mine);
    for (size_t n = 0; n < hosts; n++)
        if (mine->look.hosts[n].refused)
            postgres_ask_host(&mine->look.ask, mine->look.system, n, take_word);
    return true;
}

static bool take_all(struct Look *look, size_t host)
{
    struct ActLook *mine = (struct ActLook *)look;
    char why[300];
    (void)host;
    if (look->over < look->system->role->host_count)
        return true;
    size_t chosen = postgres_choose(look->system->role, look->hosts, &mine->wish, why, sizeof(why));
    if (chosen == look->system->role->host_count)
        return answer(mine, KNOWN_NO, why);
    return ask_who_refused(mine);
}

void postgres_failover(void *data, const struct FailoverWish *wish, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why),
                       void *done_data)
{
    struct ActLook *mine = look_begin(data, sizeof(*mine), deadline, tell_act);
    mine->wish = *wish;
    mine->look.more = take_all;
    mine->done = done;
    mine->data = done_data;
    (void)answer(mine, KNOWN_NO, "no PostgreSQL answers");
    look_at_all(&mine->look, mono_min(mono_add(mono_now(), LOOK_NS), deadline));
    ask_go(&mine->look.ask);
}
