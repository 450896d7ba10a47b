/* redis_alone_act.c - a failover that nobody else would begin: by FAILOVER, or by promotion. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "redis_alone.h"

/* A host that is silent for so long is not waited for. */
#define LOOK_NS (2 * NS_PER_S)
#define FOLLOW_MOST_NS (10 * NS_PER_S)
#define FOLLOW_POLL_NS (50 * NS_PER_MS)
#define FAILOVER_MS "5000"

static const char *const replication_words[] = {"INFO", "replication", NULL};

struct HostLook {
    bool answered, refused, leads, linked;
    int64_t offset;
};
struct FailoverQuestion {
    struct ActQuestion act; /* first */
    bool forced;
    size_t waiting, best; /* hosts not heard yet; who is promoted */
    struct Mono deadline;
    struct HostLook hosts[ALONE_HOSTS_MAX];
};

/* ---- those that are left follow ---- */

struct FollowQuestion {
    struct Question question; /* first */
    size_t leader;
    bool follows[ALONE_HOSTS_MAX];
};

static bool look_again(struct Question *question);

static bool take_word(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)question;
    (void)index;
    (void)answer;
    return true;
}

static bool take_rank(struct Question *question, size_t index, const struct Answer *answer)
{
    const struct FollowQuestion *mine = (const struct FollowQuestion *)question;
    const struct RedisSystem *system = question->system;
    char port[24];
    (void)index;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY ||
        !text_equal(redis_item(redis_array(answer), 0), "master")) {
        question_wait(question, FOLLOW_POLL_NS, look_again);
        return true;
    }
    snprintf(port, sizeof(port), "%lld", (long long)system->access->port);
    const char *const words[] = {"REPLICAOF", target_address(system->role->hosts[mine->leader]),
                                 port, NULL};
    for (size_t n = 0; n < system->role->host_count; n++)
        if (mine->follows[n])
            ask_host(question, n, take_word, words);
    return true;
}

static bool look_again(struct Question *question)
{
    static const char *const role[] = {"ROLE", NULL};
    if (!mono_before(mono_now(), question->deadline))
        return false;
    ask_host(question, ((struct FollowQuestion *)question)->leader, take_rank, role);
    return true;
}

static void tell_nobody(struct Question *question)
{
    (void)question;
}

/* FAILOVER moves no other replica: it would stay behind the old primary, a chain of two. */
static void let_follow(const struct FailoverQuestion *mine)
{
    struct RedisSystem *system = mine->act.question.system;
    struct FollowQuestion *follow =
        question_begin(system, sizeof(*follow), mono_add(mono_now(), FOLLOW_MOST_NS), tell_nobody);
    follow->leader = mine->best;
    for (size_t n = 0; n < system->role->host_count; n++)
        follow->follows[n] = n != mine->best && mine->hosts[n].answered && !mine->hosts[n].leads;
    (void)look_again(&follow->question);
    question_go(&follow->question);
}

/* ---- the failover ---- */

static void tell_failover(struct Question *question)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    if (mine->act.answer == KNOWN_YES)
        let_follow(mine);
    mine->act.done(mine->act.data, mine->act.answer, mine->act.why);
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

/* Who has most of what the primary wrote; host_count: nobody can be promoted. */
static size_t best_replica(const struct FailoverQuestion *mine, bool linked)
{
    size_t hosts = mine->act.question.system->role->host_count, best = hosts;
    for (size_t n = 0; n < hosts; n++) {
        const struct HostLook *host = &mine->hosts[n];
        if (host->answered && !host->leads && (host->linked || !linked) &&
            (best == hosts || host->offset > mine->hosts[best].offset))
            best = n;
    }
    return best;
}

/* The primary pauses its clients, waits until the replica has all, and hands over. */
static bool hand_over(struct FailoverQuestion *mine, size_t leader)
{
    const struct RedisSystem *system = mine->act.question.system;
    char port[24];
    mine->best = best_replica(mine, true);
    if (mine->best == system->role->host_count)
        return act_say(&mine->act, KNOWN_NO, "no replica is in step with the primary");
    snprintf(port, sizeof(port), "%lld", (long long)system->access->port);
    const char *const to = target_address(system->role->hosts[mine->best]);
    const char *const asked[] = {"FAILOVER", "TO", to, port, "TIMEOUT", FAILOVER_MS, NULL};
    const char *const forced[] = {"FAILOVER", "TO",      to,          port,
                                  "FORCE",    "TIMEOUT", FAILOVER_MS, NULL};
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    ask_host(&mine->act.question, leader, take_said, mine->forced ? forced : asked);
    return true;
}

static bool promote(struct FailoverQuestion *mine)
{
    static const char *const words[] = {"REPLICAOF", "NO", "ONE", NULL};
    const struct RedisSystem *system = mine->act.question.system;
    char why[200];
    for (size_t n = 0; n < system->role->host_count; n++)
        if (!mine->hosts[n].answered && !mine->hosts[n].refused && !mine->forced) {
            snprintf(why, sizeof(why),
                     "%.60s does not answer and may still take writes: `forced: true` promotes a "
                     "replica all the same",
                     system->role->hosts[n]->name);
            return act_say(&mine->act, KNOWN_NO, why);
        }
    mine->best = best_replica(mine, false);
    if (mine->best == system->role->host_count)
        return act_say(&mine->act, KNOWN_NO, "no replica answers");
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    ask_host(&mine->act.question, mine->best, take_said, words);
    return true;
}

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

static bool take_look(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    struct HostLook *host = &mine->hosts[index];
    char text[24] = "";
    host->refused = answer->end == CALL_REFUSED;
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE &&
        redis_info(answer->bytes, "role", text, sizeof(text))) {
        host->answered = true;
        host->leads = text_equal(text, "master");
        host->linked = redis_info(answer->bytes, "master_link_status", text, sizeof(text)) &&
                       text_equal(text, "up");
        if (redis_info(answer->bytes, "slave_repl_offset", text, sizeof(text)))
            host->offset = number_of(text, 0);
    }
    if (--mine->waiting > 0)
        return true;
    question->deadline = mine->deadline;
    return decide(mine);
}

void alone_failover(void *system, struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    const struct RedisSystem *self = system;
    struct FailoverQuestion *mine = question_begin(
        system, sizeof(*mine), mono_min(mono_add(mono_now(), LOOK_NS), deadline), tell_failover);
    mine->act.done = done;
    mine->act.data = data;
    mine->waiting = self->role->host_count;
    mine->deadline = deadline;
    (void)act_say(&mine->act, KNOWN_NO, "no host answers");
    ask_hosts(&mine->act.question, take_look, replication_words);
    question_go(&mine->act.question);
}
