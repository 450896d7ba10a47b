/* redis_alone_act.c - a failover that nobody else would begin: by FAILOVER, or by promotion. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "../base/text.h"
#include "redis_alone.h"

/* A host that is silent for so long is not waited for. */
#define LOOK_NS (2 * NS_PER_S)
/* What was not answered by then is dropped with its connection: a promotion that comes late would
 * meet an old primary that is back. */
#define SAY_NS (2 * NS_PER_S)
#define FOLLOW_MOST_NS (10 * NS_PER_S)
#define FOLLOW_POLL_NS (50 * NS_PER_MS)
#define FAILOVER_MS "5000"

static const char *const replication_words[] = {"INFO", "replication", NULL};
static const char *const role_words[] = {"ROLE", NULL};

struct HostLook {
    bool answered;
    bool refused;    /* nobody listens there: it is no primary now; not: no way leads there */
    char error[120]; /* it lives, and answers no question */
    bool leads, linked, promotable, again;
    int64_t offset; /* of what it has of the primary */
};
struct FailoverQuestion {
    struct ActQuestion act; /* first */
    struct FailoverWish wish;
    size_t waiting, best; /* hosts not heard yet; who is promoted */
    struct Mono deadline, asked;
    struct HostLook hosts[ALONE_HOSTS_MAX];
};

/* ---- those that are left follow ---- */

struct FollowQuestion {
    struct Question question; /* first */
    size_t leader;
    bool answered[ALONE_HOSTS_MAX], follows[ALONE_HOSTS_MAX];
};

static bool look_again(struct Question *question);

static bool take_word(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)question;
    (void)index;
    (void)answer;
    return true;
}

/* What each is now also stands in its file, for the next start: the one that led would lead again,
 * and the one that leads would follow. */
static void let_each_follow(struct FollowQuestion *mine)
{
    static const char *const rewrite[] = {"CONFIG", "REWRITE", NULL};
    const struct RedisSystem *system = mine->question.system;
    char port[24];
    snprintf(port, sizeof(port), "%lld", (long long)system->access->port);
    const char *const words[] = {"REPLICAOF", target_address(system->role->hosts[mine->leader]),
                                 port, NULL};
    for (size_t n = 0; n < system->role->host_count; n++) {
        if (mine->follows[n])
            ask_host(&mine->question, n, take_word, words);
        if (mine->answered[n])
            ask_host(&mine->question, n, take_word, rewrite);
    }
}

static bool take_rank(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY &&
        text_equal(redis_item(redis_array(answer), 0), "master"))
        let_each_follow((struct FollowQuestion *)question);
    else
        question_wait(question, FOLLOW_POLL_NS, look_again);
    return true;
}

static bool look_again(struct Question *question)
{
    if (!mono_before(mono_now(), question->deadline))
        return false;
    ask_host(question, ((struct FollowQuestion *)question)->leader, take_rank, role_words);
    return true;
}

static void tell_nobody(struct Question *question)
{
    (void)question;
}

/* FAILOVER and REPLICAOF move no other replica: it would stay behind the old primary. */
static void let_follow(const struct FailoverQuestion *mine)
{
    struct RedisSystem *system = mine->act.question.system;
    struct FollowQuestion *follow =
        question_begin(system, sizeof(*follow), mono_add(mono_now(), FOLLOW_MOST_NS), tell_nobody);
    follow->leader = mine->best;
    for (size_t n = 0; n < system->role->host_count; n++) {
        follow->answered[n] = mine->hosts[n].answered;
        follow->follows[n] = n != mine->best && mine->hosts[n].answered && !mine->hosts[n].leads;
    }
    (void)look_again(&follow->question);
    question_go(&follow->question);
}

/* ---- what is said to one of them ---- */

static void tell_failover(struct Question *question)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    if (mine->act.answer == KNOWN_YES)
        let_follow(mine);
    mine->act.done(mine->act.data, mine->act.answer, mine->act.why);
}

static void say_to(struct FailoverQuestion *mine, size_t host, PartFn *fn, const char *const *words)
{
    mine->act.question.deadline = mono_min(mono_add(mono_now(), SAY_NS), mine->deadline);
    ask_host(&mine->act.question, host, fn, words);
}

static bool take_said(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ActQuestion *act = (struct ActQuestion *)question;
    (void)index;
    if (answer->end == CALL_REFUSED)
        return act_say(act, KNOWN_NO, "the host refuses the connection");
    if (answer->end != CALL_ANSWERED)
        return act_say(act, KNOWN_UNKNOWN, "it was sent, and the host did not answer");
    if (answer->code == REDIS_VALUE && text_starts(answer->bytes, "OK"))
        return act_say(act, KNOWN_YES, "");
    return act_say(act, KNOWN_NO, answer->bytes);
}

/* Who has most of what the primary wrote; one that is not linked may never have been: it says 1.
 * host_count: nobody can be promoted. */
static size_t best_replica(const struct FailoverQuestion *mine, bool linked)
{
    const struct Role *role = mine->act.question.system->role;
    size_t best = role->host_count;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostLook *host = &mine->hosts[n];
        if (!host->promotable || (linked ? !host->linked : host->offset <= 1) ||
            (mine->wish.to != NULL && role->hosts[n] != mine->wish.to))
            continue;
        if (best == role->host_count || host->offset > mine->hosts[best].offset)
            best = n;
    }
    return best;
}

static bool nobody(struct FailoverQuestion *mine, const char *of_all, const char *of_the_wished)
{
    char why[200];
    if (mine->wish.to == NULL)
        return act_say(&mine->act, KNOWN_NO, of_all);
    snprintf(why, sizeof(why), "%.100s %s", mine->wish.to->name, of_the_wished);
    return act_say(&mine->act, KNOWN_NO, why);
}

/* The primary pauses its clients, waits until the replica has all, and hands over. */
static bool hand_over(struct FailoverQuestion *mine, size_t leader)
{
    const struct RedisSystem *system = mine->act.question.system;
    char port[24];
    mine->best = best_replica(mine, true);
    if (mine->best == system->role->host_count)
        return nobody(mine, "no replica is in step with the primary",
                      "is no replica in step with the primary");
    snprintf(port, sizeof(port), "%lld", (long long)system->access->port);
    const char *const words[] = {
        "FAILOVER",  "TO", target_address(system->role->hosts[mine->best]), port, "TIMEOUT",
        FAILOVER_MS, NULL};
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    say_to(mine, leader, take_said, words);
    return true;
}

/* ---- where no primary answers ---- */

/* Why nobody is promoted, for there could be two primaries then; false: nothing speaks against. */
static bool speaks_against(const struct FailoverQuestion *mine, char *why, size_t size)
{
    const struct Role *role = mine->act.question.system->role;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostLook *host = &mine->hosts[n];
        const char *name = role->hosts[n]->name;
        if (host->error[0] != '\0')
            snprintf(why, size, "%.60s lives and may be a primary: it says %.80s", name,
                     host->error);
        else if (!host->answered && !host->refused && !mine->wish.forced)
            snprintf(why, size,
                     "%.60s does not answer and may still take writes: `forced: true` promotes a "
                     "replica all the same",
                     name);
        else
            continue;
        return true;
    }
    return false;
}

static bool take_last_look(struct Question *question, size_t index, const struct Answer *answer);

static bool look_last(struct Question *question)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    say_to(mine, mine->best, take_last_look, role_words);
    return true;
}

/* Looked at once more, at the last moment: the old primary may be back, and our side was held up.
 * Where a machine is lost, its replica holds it for connected for a while; one
 * that has just died, for an instant. */
static bool take_last_look(struct Question *question, size_t index, const struct Answer *answer)
{
    static const char *const words[] = {"REPLICAOF", "NO", "ONE", NULL};
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        return act_say(&mine->act, KNOWN_NO, "the replica no longer answers");
    const struct RedisArray *role = answer->code == REDIS_ARRAY ? redis_array(answer) : NULL;
    if (role == NULL || !text_equal(redis_item(role, 0), "slave"))
        return act_say(&mine->act, KNOWN_NO, "the replica no longer says that it is one");
    int64_t late_ns = mono_since(mine->asked, mono_now());
    bool connected = !mine->wish.forced && text_equal(redis_item(role, 3), "connected");
    if (connected && late_ns > LOOK_NS)
        return act_say(&mine->act, KNOWN_NO, "the replica is connected: its primary is back");
    if (late_ns > LOOK_NS + SAY_NS)
        return act_say(&mine->act, KNOWN_NO, "our side was held up, and who leads may be another");
    if (connected) {
        question_wait(question, FOLLOW_POLL_NS, look_last);
        return true;
    }
    say_to(mine, index, take_said, words);
    return true;
}

static bool promote(struct FailoverQuestion *mine)
{
    const struct RedisSystem *system = mine->act.question.system;
    char why[200];
    if (speaks_against(mine, why, sizeof(why)))
        return act_say(&mine->act, KNOWN_NO, why);
    mine->best = best_replica(mine, false);
    if (mine->best == system->role->host_count)
        return nobody(mine, "no replica answers that could be promoted",
                      "is no replica that could be promoted");
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    return look_last(&mine->act.question);
}

/* ---- the look at all of them ---- */

static bool decide(struct FailoverQuestion *mine)
{
    size_t hosts = mine->act.question.system->role->host_count, leader = hosts, leaders = 0;
    for (size_t n = 0; n < hosts; n++)
        if (mine->hosts[n].leads) {
            leader = n;
            leaders++;
        }
    if (leaders > 1)
        return act_say(&mine->act, KNOWN_NO, "more than one host says that it is the primary");
    return leaders == 1 ? hand_over(mine, leader) : promote(mine);
}

static bool says(const char *info, const char *name, const char *value)
{
    char text[24] = "";
    return redis_info(info, name, text, sizeof(text)) && text_equal(text, value);
}

/* One in the midst of a first copy has thrown its own data away. */
static void take_info(struct HostLook *host, const char *info)
{
    char text[24] = "";
    host->answered = redis_info(info, "role", text, sizeof(text));
    host->leads = text_equal(text, "master");
    host->linked = says(info, "master_link_status", "up");
    if (redis_info(info, "slave_repl_offset", text, sizeof(text)))
        host->offset = number_of(text, 0);
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
    host->refused = answer->end == CALL_REFUSED && answer->code == ECONNREFUSED;
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE)
        take_info(host, answer->bytes);
    else if (answer->end == CALL_ANSWERED)
        snprintf(host->error, sizeof(host->error), "%.119s", answer->bytes);
    return --mine->waiting > 0 || decide(mine);
}

void alone_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    const struct RedisSystem *self = system;
    struct FailoverQuestion *mine = question_begin(
        system, sizeof(*mine), mono_min(mono_add(mono_now(), LOOK_NS), deadline), tell_failover);
    mine->act.done = done;
    mine->act.data = data;
    mine->wish = *wish;
    mine->waiting = self->role->host_count;
    mine->asked = mono_now();
    mine->deadline = deadline;
    (void)act_say(&mine->act, KNOWN_NO, "no host answers");
    ask_hosts(&mine->act.question, take_look, replication_words);
    question_go(&mine->act.question);
}
