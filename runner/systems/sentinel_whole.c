/* sentinel_whole.c - is all the redundancy there that the layout has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "redis_whole.h"
#include "sentinel.h"

/* The hosts themselves are asked, not Sentinel, which asks them every 10 s only. */
struct WholeQuestion {
    struct RedisWhole redis; /* first */
    size_t sentinels;        /* that answered */
    char named[64];          /* whom the first Sentinel names */
    bool named_other;        /* the Sentinels disagree */
};

/* ---- what it comes to ---- */

/* Whom they name is whom the hosts have. */
static void judge_names(struct WholeQuestion *mine)
{
    const struct RedisWhole *redis = &mine->redis;
    const struct Role *role = redis->question.system->role;
    if (redis->primaries != 1)
        return;
    if (mine->named_other)
        lacking(&mine->redis, "the Sentinels do not agree on the primary");
    else if (mine->named[0] != '\0' &&
             !text_equal(mine->named, target_address(role->hosts[redis->primary])))
        lacking(&mine->redis, "the Sentinels name %.63s as primary, and %.100s says that it is it",
                mine->named, role->hosts[redis->primary]->name);
}

static void tell_whole(struct Question *question)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const struct Sentinel *system = sentinel_of(question);
    struct RedisWhole *redis = &mine->redis;
    whole_judge(redis);
    judge_names(mine);
    bool all = redis->primaries == 1 && mine->sentinels == system->sentinel_count && !redis->silent;
    if (redis->redundancy.complete == KNOWN_UNKNOWN && all)
        redis->redundancy.complete = KNOWN_YES;
    if (redis->redundancy.complete == KNOWN_UNKNOWN && redis->why[0] == '\0')
        snprintf(redis->why, sizeof(redis->why), "not all hosts and Sentinels answer");
    whole_tell(redis);
}

/* ---- what they say ---- */

static const char *sentinel_name(const struct Question *question, size_t index)
{
    return ((const char *const *)sentinel_of(question)->config->sentinels.items)[index];
}

/* False with `silent`, and with what it said instead. */
static bool answered(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const char *name = sentinel_name(question, index);
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY)
        return true;
    mine->redis.silent = true;
    if (answer->end == CALL_REFUSED)
        lacking(&mine->redis, "Sentinel %.100s cannot be reached", name);
    if (answer->end == CALL_ANSWERED)
        lacking(&mine->redis, "Sentinel %.100s: %.100s", name, answer->bytes);
    return false;
}

static bool take_master(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const struct Sentinel *system = sentinel_of(question);
    const char *name = sentinel_name(question, index);
    if (!answered(question, index, answer))
        return true;
    const struct RedisArray *master = redis_array(answer);
    int64_t others = number_of(redis_pair(master, "num-other-sentinels"), 0);
    int64_t replicas = number_of(redis_pair(master, "num-slaves"), 0);
    const char *flags = redis_pair(master, "flags"), *ip = redis_pair(master, "ip");
    mine->sentinels++;
    if (ip != NULL && mine->named[0] != '\0' && !text_equal(mine->named, ip))
        mine->named_other = true;
    if (ip != NULL && mine->named[0] == '\0')
        snprintf(mine->named, sizeof(mine->named), "%.63s", ip);
    if (others + 1 < (int64_t)system->sentinel_count)
        lacking(&mine->redis, "Sentinel %.100s knows %lld of %zu others", name, (long long)others,
                system->sentinel_count - 1);
    else if (replicas + 1 < (int64_t)system->redis.role->host_count)
        lacking(&mine->redis, "Sentinel %.100s knows %lld of %zu replicas", name,
                (long long)replicas, system->redis.role->host_count - 1);
    else if (flags != NULL && !text_equal(flags, "master"))
        lacking(&mine->redis, "Sentinel %.100s says of the primary: %.60s", name, flags);
    return true;
}

/* A replica that a Sentinel holds for down is none to it: also one that is no host of the role, and
 * one that is long gone, for a Sentinel forgets none. */
static bool take_replicas(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    if (!answered(question, index, answer))
        return true;
    const struct RedisArray *replicas = redis_array(answer);
    for (size_t n = 0; n < redis_count(replicas); n++) {
        const struct RedisArray *replica = redis_nested(replicas, n);
        const char *flags = replica != NULL ? redis_pair(replica, "flags") : NULL;
        const char *name = replica != NULL ? redis_pair(replica, "name") : NULL;
        if (flags != NULL && strstr(flags, "s_down") != NULL)
            lacking(&mine->redis, "Sentinel %.100s says of the replica %.60s: %.60s",
                    sentinel_name(question, index), name != NULL ? name : "", flags);
    }
    return true;
}

void sentinel_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    const struct Sentinel *self = system;
    const char *const master[] = {"SENTINEL", "MASTER", self->config->master, NULL};
    const char *const replicas[] = {"SENTINEL", "REPLICAS", self->config->master, NULL};
    struct WholeQuestion *mine =
        whole_begin(system, sizeof(*mine), deadline, tell_whole, done, data);
    ask_sentinels(&mine->redis.question, take_master, master);
    ask_sentinels(&mine->redis.question, take_replicas, replicas);
    question_go(&mine->redis.question);
}
