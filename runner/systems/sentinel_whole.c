/* sentinel_whole.c - is all the redundancy there that the layout has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "sentinel.h"

/* A replica acknowledges once a second; one that has not for so long is not in sync. */
enum { LAG_MAX_S = 3 };

/* The hosts themselves are asked, not Sentinel, which asks them every 10 s only. */
struct WholeQuestion {
    struct Question question; /* first */
    struct Redundancy redundancy;
    size_t primaries, primary; /* how many say so; index of the last */
    uint32_t online;           /* replicas of the primary, by its word, that keep up */
    uint32_t linked;           /* hosts that say that their primary is reached */
    size_t sentinels;          /* that answered */
    char named[64];            /* whom the first Sentinel names */
    bool named_other, silent;  /* the Sentinels disagree; somebody did not answer */
    char why[300];
    RedundancyFn *done;
    void *data;
};

/* What is missing for sure; the first counts. */
__attribute__((format(printf, 2, 3))) static void lacking(struct WholeQuestion *mine,
                                                          const char *format, ...)
{
    mine->redundancy.complete = KNOWN_NO;
    if (mine->why[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->why, sizeof(mine->why), format, values);
    va_end(values);
}

/* ---- what it comes to ---- */

static void judge_hosts(struct WholeQuestion *mine)
{
    const struct Role *role = mine->question.system->role;
    uint32_t wanted = (uint32_t)role->host_count - 1;
    uint32_t in_sync = mine->online < mine->linked ? mine->online : mine->linked;
    if (mine->primaries > 1)
        lacking(mine, "%zu hosts say that they are the primary", mine->primaries);
    if (mine->primaries == 0 && !mine->silent)
        lacking(mine, "no host says that it is the primary");
    if (mine->primaries != 1)
        return;
    mine->redundancy.in_sync = in_sync + 1;
    if (in_sync < wanted && (mine->online < wanted || !mine->silent))
        lacking(mine, "%u of %u replicas of %.100s are in sync", (unsigned)in_sync,
                (unsigned)wanted, role->hosts[mine->primary]->name);
    if (mine->named_other)
        lacking(mine, "the Sentinels do not agree on the primary");
    else if (mine->named[0] != '\0' &&
             !text_equal(mine->named, target_address(role->hosts[mine->primary])))
        lacking(mine, "the Sentinels name %.63s as primary, and %.100s says that it is it",
                mine->named, role->hosts[mine->primary]->name);
}

static void tell_whole(struct Question *question)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const struct Sentinel *system = question->system;
    mine->redundancy.members = (uint32_t)system->role->host_count;
    judge_hosts(mine);
    bool all = mine->primaries == 1 && mine->sentinels == system->sentinel_count && !mine->silent;
    if (mine->redundancy.complete == KNOWN_UNKNOWN && all)
        mine->redundancy.complete = KNOWN_YES;
    if (mine->redundancy.complete == KNOWN_UNKNOWN && mine->why[0] == '\0')
        snprintf(mine->why, sizeof(mine->why), "not all hosts and Sentinels answer");
    mine->redundancy.why = mine->why;
    mine->done(mine->data, &mine->redundancy);
}

/* ---- what they say ---- */

/* "slave0:ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0" */
static void take_replica(struct WholeQuestion *mine, const char *line, int64_t offset)
{
    const char *at = strstr(line, "offset="), *lag = strstr(line, "lag=");
    if (strstr(line, "state=online") == NULL || at == NULL || lag == NULL)
        return;
    int64_t behind = offset - strtoll(at + strlen("offset="), NULL, 10);
    if (strtoll(lag + strlen("lag="), NULL, 10) > LAG_MAX_S)
        return;
    mine->online++;
    if (behind > mine->redundancy.lag_bytes)
        mine->redundancy.lag_bytes = behind;
}

static void take_primary(struct WholeQuestion *mine, const char *info)
{
    char offset[24] = "", count[24] = "", name[32], line[160];
    (void)redis_info(info, "master_repl_offset", offset, sizeof(offset));
    (void)redis_info(info, "connected_slaves", count, sizeof(count));
    for (int64_t n = 0; n < number_of(count, 0); n++) {
        snprintf(name, sizeof(name), "slave%lld", (long long)n);
        if (redis_info(info, name, line, sizeof(line)))
            take_replica(mine, line, number_of(offset, 0));
    }
}

static bool take_info(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const char *host = question->system->role->hosts[index]->name;
    char text[24];
    if (answer->end == CALL_REFUSED)
        lacking(mine, "Redis on %.100s does not run", host);
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ERROR)
        lacking(mine, "Redis on %.100s: %.100s", host, answer->bytes);
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE ||
        !redis_info(answer->bytes, "role", text, sizeof(text))) {
        mine->silent = true;
        return true;
    }
    if (text_equal(text, "master")) {
        mine->primaries++;
        mine->primary = index;
        take_primary(mine, answer->bytes);
    } else if (redis_info(answer->bytes, "master_link_status", text, sizeof(text)) &&
               text_equal(text, "up")) {
        mine->linked++;
    }
    return true;
}

static const char *sentinel_name(const struct Question *question, size_t index)
{
    return ((const char *const *)question->system->config->sentinels.items)[index];
}

/* False with `silent`, and with what it said instead. */
static bool answered(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const char *name = sentinel_name(question, index);
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY)
        return true;
    mine->silent = true;
    if (answer->end == CALL_REFUSED)
        lacking(mine, "Sentinel %.100s does not run", name);
    if (answer->end == CALL_ANSWERED)
        lacking(mine, "Sentinel %.100s: %.100s", name, answer->bytes);
    return false;
}

static bool take_master(struct Question *question, size_t index, const struct Answer *answer)
{
    struct WholeQuestion *mine = (struct WholeQuestion *)question;
    const struct Sentinel *system = question->system;
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
        lacking(mine, "Sentinel %.100s knows %lld of %zu others", name, (long long)others,
                system->sentinel_count - 1);
    else if (replicas + 1 < (int64_t)system->role->host_count)
        lacking(mine, "Sentinel %.100s knows %lld of %zu replicas", name, (long long)replicas,
                system->role->host_count - 1);
    else if (flags != NULL && !text_equal(flags, "master"))
        lacking(mine, "Sentinel %.100s says of the primary: %.60s", name, flags);
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
            lacking(mine, "Sentinel %.100s says of the replica %.60s: %.60s",
                    sentinel_name(question, index), name != NULL ? name : "", flags);
    }
    return true;
}

void sentinel_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    static const char *const info[] = {"INFO", "replication", NULL};
    const struct Sentinel *self = system;
    const char *const master[] = {"SENTINEL", "MASTER", self->config->master, NULL};
    const char *const replicas[] = {"SENTINEL", "REPLICAS", self->config->master, NULL};
    struct WholeQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_whole);
    mine->done = done;
    mine->data = data;
    for (size_t n = 0; n < self->role->host_count; n++)
        ask_host(&mine->question, n, take_info, info);
    ask_sentinels(&mine->question, take_master, master);
    ask_sentinels(&mine->question, take_replicas, replicas);
    question_go(&mine->question);
}
