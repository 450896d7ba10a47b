/* redis_alone_act.c - the promotion of a replica, where no primary can be hurt by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"
#include "redis_alone.h"

/* A host that is silent for so long is not waited for; nothing is decided by a look that is older
 * than that; and what was not answered by then is dropped with its connection: a promotion that
 * comes late would meet an old primary that is back. redis_alone_rejoin.sh waits for longer. */
#define LOOK_NS (2 * NS_PER_S)
#define LATE_NS (3 * NS_PER_S)
#define OVER_NS (4 * NS_PER_S)
#define AGAIN_NS (50 * NS_PER_MS)

static const char *const replication_words[] = {"INFO", "replication", NULL};
static const char *const role_words[] = {"ROLE", NULL};

static void look(struct FailoverQuestion *mine);

/* ---- what is said to one of them ---- */

static void tell_failover(struct Question *question)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    mine->act.done(mine->act.data, mine->act.answer, mine->act.why);
}

/* Always false, as the end of a question is. */
__attribute__((format(printf, 2, 3))) static bool no(struct FailoverQuestion *mine,
                                                     const char *format, ...)
{
    char why[200];
    va_list values;
    va_start(values, format);
    vsnprintf(why, sizeof(why), format, values);
    va_end(values);
    return act_say(&mine->act, KNOWN_NO, why);
}

static bool take_promoted(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    const char *name = question->system->role->hosts[index]->name;
    char why[160];
    bool moved = false;
    if (answer->end == CALL_REFUSED)
        return act_say(&mine->act, KNOWN_NO, "the host refuses the connection");
    if (answer->end != CALL_ANSWERED)
        return act_say(&mine->act, KNOWN_UNKNOWN, "it was sent, and the host did not answer");
    if (alone_moved(answer, &moved, why) || moved)
        return act_say(&mine->act, KNOWN_YES, "");
    if (answer->code == REDIS_ERROR && !text_starts(why, "EXECABORT")) /* without MULTI, say */
        return act_say(&mine->act, KNOWN_UNKNOWN, why);
    return no(mine, "%.60s cannot be promoted: %.100s", name, why);
}

/* Those with another history are told nothing: they would throw theirs away. */
static bool send_promotion(struct FailoverQuestion *mine)
{
    const struct Role *role = mine->act.question.system->role;
    bool followers[ALONE_HOSTS_MAX] = {false};
    for (size_t n = 0; n < role->host_count; n++)
        followers[n] = n != mine->best && mine->hosts[n].answered &&
                       text_equal(mine->hosts[n].history, mine->hosts[mine->best].history);
    mine->act.question.deadline = mono_add(mine->asked, OVER_NS);
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    alone_move(&mine->act.question, mine->best, "NO", "ONE", take_promoted);
    alone_let_follow((struct Alone *)mine->act.question.system, mine->best, followers);
    return true;
}

static bool take_last_look(struct Question *question, size_t index, const struct Answer *answer);

static bool look_last(struct FailoverQuestion *mine)
{
    ask_host(&mine->act.question, mine->best, take_last_look, role_words);
    return true;
}

/* Looked at once more, at the last moment: the old primary may be back, and our side was held up.
 * Where a machine is lost, its replica holds it for connected for a while. */
static bool take_last_look(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    (void)index;
    if (answer->end != CALL_ANSWERED)
        return act_say(&mine->act, KNOWN_NO, "the replica no longer answers");
    const struct RedisArray *role = answer->code == REDIS_ARRAY ? redis_array(answer) : NULL;
    if (role == NULL || !text_equal(redis_item(role, 0), "slave"))
        return act_say(&mine->act, KNOWN_NO, "the replica no longer says that it is one");
    const char *link = redis_item(role, 3);
    if (!mine->wish.forced && (text_equal(link, "connected") || text_equal(link, "sync") ||
                               text_equal(link, "handshake")))
        return act_say(&mine->act, KNOWN_NO, "the replica is connected: its primary is back");
    if (mono_since(mine->asked, mono_now()) > LATE_NS)
        return act_say(&mine->act, KNOWN_NO, "our side was held up, and who leads may be another");
    return send_promotion(mine);
}

/* What it is to be must stand in its file, or its next start takes it back. */
static bool take_written(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    const char *name = question->system->role->hosts[index]->name;
    if (answer->end != CALL_ANSWERED)
        return act_say(&mine->act, KNOWN_NO, "the replica no longer answers");
    if (answer->code != REDIS_VALUE || !text_starts(answer->bytes, "OK"))
        return no(mine,
                  "%.60s cannot write down that it leads, and would follow again after its next "
                  "start: %.80s",
                  name, answer->bytes);
    return look_last(mine);
}

/* ---- who it is, and what speaks against ---- */

/* Who has most of what the primary wrote; one that is not linked may never have been: it says 1.
 * host_count: nobody can be promoted. */
static size_t best_replica(const struct FailoverQuestion *mine)
{
    const struct Role *role = mine->act.question.system->role;
    size_t best = role->host_count;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostLook *host = &mine->hosts[n];
        if (!host->promotable || host->offset <= 1)
            continue;
        if (best == role->host_count || host->offset > mine->hosts[best].offset ||
            (host->offset == mine->hosts[best].offset && role->hosts[n] == mine->wish.to))
            best = n;
    }
    return best;
}

/* Whether nobody is promoted beside this host, for there could be two primaries then. */
static bool speaks_against(struct FailoverQuestion *mine, size_t index)
{
    const struct HostLook *host = &mine->hosts[index];
    const char *name = mine->act.question.system->role->hosts[index]->name;
    if (host->leads)
        (void)no(mine,
                 "%.60s is a primary that runs: stop it or kill it first, or there would be two",
                 name);
    else if (host->error[0] != '\0')
        (void)no(mine, "%.60s lives and may be a primary: it says %.80s", name, host->error);
    return host->leads || host->error[0] != '\0';
}

/* The same of one that does not answer: `forced` passes by whom the best one follows, which is
 * proven stopped, and by one that does not run and may have more. */
static bool speaks_silent(struct FailoverQuestion *mine, size_t index)
{
    const struct HostLook *host = &mine->hosts[index];
    const char *name = mine->act.question.system->role->hosts[index]->name;
    bool old = index == mine->hosts[mine->best].follows;
    if (!host->refused && !old)
        return !no(mine, "%.60s does not answer, and nobody knows whether it is a primary", name);
    if (mine->wish.forced || (host->refused && old))
        return false;
    if (old)
        return !no(mine,
                   "%.60s does not answer and may still take writes: `forced: true` promotes a "
                   "replica all the same",
                   name);
    return !no(mine,
               "%.60s does not run and may have more: `forced: true` promotes another all the same",
               name);
}

static bool speaks_other(struct FailoverQuestion *mine, size_t index)
{
    const struct Role *role = mine->act.question.system->role;
    const struct HostLook *host = &mine->hosts[index], *best = &mine->hosts[mine->best];
    if (!host->answered)
        return speaks_silent(mine, index);
    if (mine->wish.forced || text_equal(host->history, best->history))
        return false;
    return !no(mine,
               "%.50s has another history than %.50s and may have more: `forced: true` promotes "
               "it all the same",
               role->hosts[index]->name, role->hosts[mine->best]->name);
}

/* Who is named has less than another replica, or cannot be promoted at all. */
static bool is_less(const struct FailoverQuestion *mine)
{
    return mine->wish.to != NULL &&
           mine->act.question.system->role->hosts[mine->best] != mine->wish.to;
}

static bool nobody(struct FailoverQuestion *mine)
{
    const struct Role *role = mine->act.question.system->role;
    for (size_t n = 0; n < role->host_count && mine->wish.to == NULL; n++)
        if (!mine->hosts[n].answered && !mine->hosts[n].refused)
            return no(mine,
                      "%.60s does not answer, and among the others is no replica that could be "
                      "promoted",
                      role->hosts[n]->name);
    if (mine->wish.to == NULL)
        return act_say(&mine->act, KNOWN_NO, "no replica answers that could be promoted");
    if (mine->best < role->host_count)
        return no(mine, "%.60s, which is named, could not be promoted, or has less than %.60s",
                  mine->wish.to->name, role->hosts[mine->best]->name);
    return no(mine, "%.100s is no replica that could be promoted", mine->wish.to->name);
}

/* One behind another replica stays so. */
static bool is_linked(const struct FailoverQuestion *mine)
{
    size_t hosts = mine->act.question.system->role->host_count;
    for (size_t n = 0; n < hosts; n++) {
        const struct HostLook *host = &mine->hosts[n];
        if (host->linked && (host->follows == hosts || !mine->hosts[host->follows].answered))
            return true;
    }
    return false;
}

static bool look_again(struct Question *question)
{
    look((struct FailoverQuestion *)question);
    return true;
}

/* A primary that has just died is connected for an instant, and what it sent still arrives: who has
 * most is known when nobody is connected any more. */
static bool await_end(struct FailoverQuestion *mine)
{
    if (mono_since(mine->asked, mono_now()) > LOOK_NS - 2 * AGAIN_NS)
        return act_say(&mine->act, KNOWN_NO, "a replica is connected: its primary is back");
    question_wait(&mine->act.question, AGAIN_NS, look_again);
    return true;
}

/* A reject of this very drill, or of a firewall, refuses as a host does where nobody listens. */
static bool take_runs(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    const char *name = question->system->role->hosts[index]->name;
    switch (alone_runs(answer)) {
    case KNOWN_YES:
        return no(mine,
                  "Redis runs on %.60s, which refuses our connection, and may still take writes: "
                  "stop it or kill it first",
                  name);
    case KNOWN_UNKNOWN:
        return no(mine,
                  "%.60s refuses our connection, and does not say whether Redis runs there: "
                  "`forced: true` promotes a replica all the same",
                  name);
    case KNOWN_NO:
        break;
    }
    if (--mine->waiting > 0)
        return true;
    mine->stopped = true; /* a login takes long: all is looked at anew */
    mine->asked = mono_now();
    question->deadline = mono_min(mono_add(mine->asked, LOOK_NS), mine->deadline);
    look(mine);
    return true;
}

/* False: there is nobody to ask, or no need to. */
static bool ask_who_refused(struct FailoverQuestion *mine)
{
    size_t hosts = mine->act.question.system->role->host_count;
    mine->waiting = 0;
    for (size_t n = 0; n < hosts && !mine->wish.forced && !mine->stopped; n++)
        if (mine->hosts[n].refused) {
            mine->waiting++;
            alone_ask_host(&mine->act.question, n, take_runs);
        }
    return mine->waiting > 0;
}

static bool decide(struct FailoverQuestion *mine)
{
    static const char *const rewrite[] = {"CONFIG", "REWRITE", NULL};
    const struct Role *role = mine->act.question.system->role;
    mine->primary = alone_primary(role, mine->hosts, &mine->wish);
    if (mine->primary < role->host_count)
        return alone_hand_over(mine);
    for (size_t n = 0; n < role->host_count; n++)
        if (speaks_against(mine, n))
            return false;
    mine->best = best_replica(mine);
    for (size_t n = 0; n < role->host_count && mine->best < role->host_count; n++)
        if (speaks_other(mine, n))
            return false;
    if (mine->best == role->host_count || is_less(mine))
        return nobody(mine);
    if (ask_who_refused(mine))
        return true;
    if (!mine->wish.forced && is_linked(mine))
        return await_end(mine);
    if (mine->hosts[mine->best].follows == role->host_count)
        return no(mine, "%.60s follows nobody of this role", role->hosts[mine->best]->name);
    mine->act.question.deadline = mono_add(mine->asked, LATE_NS);
    (void)act_say(&mine->act, KNOWN_NO, "the replica no longer answers");
    ask_host(&mine->act.question, mine->best, take_written, rewrite);
    return true;
}

/* ---- the look at all of them ---- */

static bool says(const char *info, const char *name, const char *value)
{
    char text[24] = "";
    return redis_info(info, name, text, sizeof(text)) && text_equal(text, value);
}

/* One in the midst of a first copy has thrown its own data away. */
static void take_info(struct FailoverQuestion *mine, struct HostLook *host, const char *info)
{
    char text[24] = "", whom[64] = "", port[24] = "";
    host->answered = redis_info(info, "role", text, sizeof(text));
    host->leads = text_equal(text, "master");
    host->linked = says(info, "master_link_status", "up");
    if (redis_info(info, "slave_repl_offset", text, sizeof(text)))
        host->offset = number_of(text, 0);
    (void)redis_info(info, "master_replid", host->history, sizeof(host->history));
    (void)redis_info(info, "master_failover_state", host->moves, sizeof(host->moves));
    (void)redis_info(info, "master_host", whom, sizeof(whom));
    (void)redis_info(info, "master_port", port, sizeof(port));
    host->follows = redis_host_at(mine->act.question.system, whom, port);
    host->promotable = host->answered && !host->leads &&
                       !says(info, "master_sync_in_progress", "1") &&
                       !says(info, "slave_priority", "0");
}

static bool take_look(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    struct HostLook *host = &mine->hosts[index];
    if (answer->end == CALL_RESET && !host->again) { /* a connection that was kept has ended */
        host->again = true;
        ask_host(question, index, take_look, replication_words);
        return true;
    }
    *host =
        (struct HostLook){.refused = answer->end == CALL_REFUSED && answer->code == ECONNREFUSED,
                          .follows = question->system->role->host_count};
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE)
        take_info(mine, host, answer->bytes);
    else if (answer->end == CALL_ANSWERED)
        snprintf(host->error, sizeof(host->error), "%.119s", answer->bytes);
    return --mine->waiting > 0 || decide(mine);
}

static void look(struct FailoverQuestion *mine)
{
    mine->waiting = mine->act.question.system->role->host_count;
    ask_hosts(&mine->act.question, take_look, replication_words);
}

void alone_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    struct FailoverQuestion *mine = question_begin(
        system, sizeof(*mine), mono_min(mono_add(mono_now(), LOOK_NS), deadline), tell_failover);
    mine->act.done = done;
    mine->act.data = data;
    mine->wish = *wish;
    mine->asked = mono_now();
    mine->deadline = deadline;
    (void)act_say(&mine->act, KNOWN_NO, "no host answers");
    look(mine);
    question_go(&mine->act.question);
}
