/* redis_alone_follow.c - those that are left follow the promoted one, and each writes it down. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "redis_alone.h"

#define LEADS_MOST_NS (10 * NS_PER_S)
#define FOLLOW_MOST_NS (60 * NS_PER_S)
#define ROUND_NS (2 * NS_PER_S)
#define LEADS_POLL_NS (50 * NS_PER_MS)
#define AGAIN_NS (500 * NS_PER_MS)

struct FollowQuestion {
    struct Question question; /* first */
    size_t leader;
    struct Mono leads_by, until;
    bool open[ALONE_HOSTS_MAX]; /* who has yet to follow */
};

static const char *const role_words[] = {"ROLE", NULL};

static bool look_again(struct Question *question);

static struct Alone *alone_of(struct Question *question)
{
    return (struct Alone *)question->system;
}

/* ---- both changes at once ---- */

static bool take_word(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)question;
    (void)index;
    (void)answer;
    return true;
}

void alone_move(struct Question *question, size_t host, const char *whom, const char *port,
                PartFn *fn)
{
    static const char *const multi[] = {"MULTI", NULL}, *const exec[] = {"EXEC", NULL};
    static const char *const rewrite[] = {"CONFIG", "REWRITE", NULL};
    const char *const words[] = {"REPLICAOF", whom, port, NULL};
    ask_host(question, host, take_word, multi);
    ask_host(question, host, take_word, words);
    ask_host(question, host, take_word, rewrite);
    ask_host(question, host, fn, exec);
}

bool alone_moved(const struct Answer *answer, bool *moved, char why[160])
{
    *moved = false;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY) {
        snprintf(why, 160, "%.150s",
                 answer->end != CALL_ANSWERED ? "it did not answer" : answer->bytes);
        return false;
    }
    const char *role = redis_item(redis_array(answer), 0);
    const char *file = redis_item(redis_array(answer), 1);
    *moved = text_starts(role, "OK");
    snprintf(why, 160, "%.150s", *moved ? file : role);
    return *moved && text_starts(file, "OK");
}

/* ---- one after another, until all have ---- */

static void owe(struct FollowQuestion *mine, size_t host, const char *why)
{
    const struct Role *role = mine->question.system->role;
    struct Alone *system = alone_of(&mine->question);
    snprintf(system->owes, sizeof(system->owes),
             "%.50s has not written down that it follows %.50s: %.80s", role->hosts[host]->name,
             role->hosts[mine->leader]->name, why);
}

static bool take_followed(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FollowQuestion *mine = (struct FollowQuestion *)question;
    char why[160];
    bool moved = false, any = false;
    mine->open[index] = !alone_moved(answer, &moved, why);
    if (mine->open[index])
        owe(mine, index, why);
    for (size_t n = 0; n < question->system->role->host_count; n++)
        any = any || mine->open[n];
    if (!any) {
        alone_of(question)->owes[0] = '\0';
        return false;
    }
    if (question->waiting == 0)
        question_wait(question, AGAIN_NS, look_again);
    return true;
}

/* Told by somebody else to lead, it would throw away what it has. */
static bool take_follower(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FollowQuestion *mine = (struct FollowQuestion *)question;
    const struct RedisSystem *system = question->system;
    char port[24];
    snprintf(port, sizeof(port), "%lld", (long long)system->access->port);
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY &&
        text_equal(redis_item(redis_array(answer), 0), "slave")) {
        alone_move(question, index, target_address(system->role->hosts[mine->leader]), port,
                   take_followed);
        return true;
    }
    owe(mine, index, "it does not say that it is a replica");
    if (question->waiting == 0)
        question_wait(question, AGAIN_NS, look_again);
    return true;
}

static void tell_them(struct FollowQuestion *mine)
{
    alone_of(&mine->question)->owes[0] = '\0';
    for (size_t n = 0; n < mine->question.system->role->host_count; n++)
        if (mine->open[n]) {
            owe(mine, n, "it was told to");
            ask_host(&mine->question, n, take_follower, role_words);
        }
}

static bool take_rank(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FollowQuestion *mine = (struct FollowQuestion *)question;
    (void)index;
    bool leads = answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY &&
                 text_equal(redis_item(redis_array(answer), 0), "master");
    if (leads)
        tell_them(mine);
    else if (mono_before(mono_now(), mine->leads_by))
        question_wait(question, LEADS_POLL_NS, look_again);
    else
        alone_of(question)->owes[0] = '\0'; /* it was not promoted: nobody is to follow it */
    return true;
}

/* Looked at each time: who leads may be another by now, and nobody is told to follow a replica. */
static bool look_again(struct Question *question)
{
    struct FollowQuestion *mine = (struct FollowQuestion *)question;
    if (!mono_before(mono_now(), mine->until))
        return false;
    question->deadline = mono_add(mono_now(), ROUND_NS);
    ask_host(question, mine->leader, take_rank, role_words);
    return true;
}

static void tell_nobody(struct Question *question)
{
    (void)question;
}

void alone_let_follow(struct Alone *system, size_t leader, const bool *followers)
{
    struct FollowQuestion *mine =
        question_begin(&system->redis, sizeof(*mine), mono_now(), tell_nobody);
    mine->question.lasts = true;
    mine->leader = leader;
    mine->leads_by = mono_add(mono_now(), LEADS_MOST_NS);
    mine->until = mono_add(mono_now(), FOLLOW_MOST_NS);
    memcpy(mine->open, followers, system->redis.role->host_count * sizeof(*followers));
    snprintf(system->owes, sizeof(system->owes), "the replicas have yet to follow %.100s",
             system->redis.role->hosts[leader]->name);
    (void)look_again(&mine->question);
    question_go(&mine->question);
}
