/* redis_whole.c - is all the redundancy there that one primary and its replicas have. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "redis_whole.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

/* A replica acknowledges once a second; one that has not for so long is not in sync. */
enum { LAG_MAX_S = 3 };

void lacking(struct RedisWhole *mine, const char *format, ...)
{
    mine->redundancy.complete = KNOWN_NO;
    if (mine->why[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->why, sizeof(mine->why), format, values);
    va_end(values);
}

void whole_judge(struct RedisWhole *mine)
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
}

void whole_tell(struct RedisWhole *mine)
{
    mine->redundancy.members = (uint32_t)mine->question.system->role->host_count;
    mine->redundancy.why = mine->why;
    mine->done(mine->data, &mine->redundancy);
}

/* ---- what they say ---- */

/* "slave0:ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0" */
static void take_replica(struct RedisWhole *mine, const char *line, int64_t offset)
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

static void take_primary(struct RedisWhole *mine, const char *info)
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
    struct RedisWhole *mine = (struct RedisWhole *)question;
    const char *host = question->system->role->hosts[index]->name;
    char text[24];
    if (answer->end == CALL_REFUSED)
        lacking(mine, "Redis on %.100s cannot be reached", host);
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

void *whole_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                  void (*finish)(struct Question *question), RedundancyFn *done, void *data)
{
    static const char *const info[] = {"INFO", "replication", NULL};
    struct RedisWhole *mine = question_begin(system, size, deadline, finish);
    mine->done = done;
    mine->data = data;
    ask_hosts(&mine->question, take_info, info);
    return mine;
}
