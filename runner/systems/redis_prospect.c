/* redis_prospect.c - what the hosts' configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "redis_prospect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

void knob(struct RedisProspect *mine, const char *name, const char *format, ...)
{
    if (mine->knob_count == KNOBS_MAX)
        bug("more than %d knobs", KNOBS_MAX);
    char *value = mine->values[mine->knob_count];
    va_list values;
    va_start(values, format);
    vsnprintf(value, VALUE_MAX, format, values);
    va_end(values);
    mine->knobs[mine->knob_count++] = (struct Knob){.name = name, .value = value};
}

void trap(struct RedisProspect *mine, const char *format, ...)
{
    if (mine->not_ready[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->not_ready, sizeof(mine->not_ready), format, values);
    va_end(values);
}

/* ---- what the hosts' word comes to ---- */

/* Once a second it counts the replicas whose last word, which comes each second, is no more than
 * max-lag whole seconds old; either at 0 turns it off. */
struct Span redis_acked(int64_t least, int64_t max_lag_ns)
{
    if (least == KNOB_UNKNOWN || max_lag_ns == KNOB_UNKNOWN)
        return (struct Span){0, KNOB_UNKNOWN};
    if (least == 0 || max_lag_ns == 0)
        return (struct Span){NS_NEVER, NS_NEVER};
    return (struct Span){max_lag_ns - NS_PER_S, max_lag_ns + 2 * NS_PER_S};
}

void judge_primary(struct RedisProspect *mine, const struct HostSays *says, struct Prospect *out)
{
    if (text_equal(says->loading, "1"))
        trap(mine, "the primary is loading its data");
    if (text_equal(says->aof, "1")) {
        out->persistence = PERSIST_ALL;
        out->durable = "AOF";
    } else if (says->save_known && says->aof[0] != '\0') {
        out->persistence = says->save[0] != '\0' ? PERSIST_SNAPSHOT : PERSIST_NONE;
        out->durable = "RDB";
        out->keys_at_risk = says->save[0] != '\0' ? number_of(says->changes, -1) : says->keys;
    }
    if (says->version[0] != '\0')
        knob(mine, "Redis", "%s", says->version);
    if (says->aof[0] != '\0')
        knob(mine, "appendonly", "%s", text_equal(says->aof, "1") ? "yes" : "no");
    if (says->save_known)
        knob(mine, "save", "%s", says->save[0] != '\0' ? says->save : "never");
    if (!says->least_known) {
        snprintf(mine->loss, sizeof(mine->loss), "loss possible: min-replicas-to-write unknown");
        return;
    }
    knob(mine, "min-replicas-to-write", "%s", says->least);
    knob(mine, "min-replicas-max-lag", "%s s", says->lag);
    if (number_of(says->least, 0) == 0)
        snprintf(mine->loss, sizeof(mine->loss), "loss possible: min-replicas-to-write 0");
    else
        snprintf(mine->loss, sizeof(mine->loss),
                 "loss possible: up to min-replicas-max-lag %s s of writes", says->lag);
}

void judge_hosts(struct RedisProspect *mine, struct Prospect *out)
{
    const struct Role *role = mine->question.system->role;
    size_t primaries = 0, electable = 0, replicas = 0;
    char priorities[VALUE_MAX] = "";
    for (size_t n = 0; n < role->host_count; n++) {
        const struct HostSays *says = &mine->hosts[n];
        size_t used = strlen(priorities);
        if (!says->answered) {
            trap(mine, "Redis on %.100s does not answer", role->hosts[n]->name);
        } else if (says->leads) {
            if (++primaries == 1)
                judge_primary(mine, says, out);
        } else {
            replicas++;
            electable += !text_equal(says->priority, "0");
            snprintf(priorities + used, sizeof(priorities) - used, "%s%s", used > 0 ? ", " : "",
                     says->priority);
        }
    }
    if (replicas > 0)
        knob(mine, "replica-priority", "%s", priorities);
    if (primaries == 0)
        trap(mine, "no host says that it is the primary");
    if (primaries > 1)
        trap(mine, "%zu hosts say that they are the primary", primaries);
    if (primaries == 1 && electable == 0)
        trap(mine, replicas > 0 ? "replica-priority is 0 on every replica: none may be promoted"
                                : "there is no replica that could be promoted");
}

void prospect_tell(struct RedisProspect *mine, struct Prospect *prospect)
{
    prospect->knobs = mine->knobs;
    prospect->knob_count = mine->knob_count;
    prospect->not_ready = mine->not_ready[0] != '\0' ? mine->not_ready : NULL;
    prospect->loss = mine->loss[0] != '\0' ? mine->loss : NULL;
    mine->done(mine->data, prospect);
}

/* ---- what they say ---- */

/* Of all databases: lines "db0:keys=12,expires=0,avg_ttl=0". */
static int64_t count_keys(const char *info)
{
    int64_t keys = 0;
    for (const char *at = info; (at = strstr(at, ":keys=")) != NULL;) {
        at += strlen(":keys=");
        keys += strtoll(at, NULL, 10);
    }
    return keys;
}

static bool take_info(struct Question *question, size_t index, const struct Answer *answer)
{
    struct HostSays *says = &((struct RedisProspect *)question)->hosts[index];
    char role[16] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return true;
    says->answered = redis_info(answer->bytes, "role", role, sizeof(role));
    says->leads = text_equal(role, "master");
    says->keys = count_keys(answer->bytes);
    (void)redis_info(answer->bytes, "aof_enabled", says->aof, sizeof(says->aof));
    (void)redis_info(answer->bytes, "loading", says->loading, sizeof(says->loading));
    (void)redis_info(answer->bytes, "rdb_changes_since_last_save", says->changes,
                     sizeof(says->changes));
    (void)redis_info(answer->bytes, "redis_version", says->version, sizeof(says->version));
    (void)redis_info(answer->bytes, "slave_priority", says->priority, sizeof(says->priority));
    return true;
}

static bool take_config(struct Question *question, size_t index, const struct Answer *answer)
{
    struct HostSays *says = &((struct RedisProspect *)question)->hosts[index];
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY)
        return true;
    const struct RedisArray *values = redis_array(answer);
    const char *save = redis_pair(values, "save");
    const char *least = redis_pair(values, "min-replicas-to-write");
    const char *lag = redis_pair(values, "min-replicas-max-lag");
    if (save != NULL)
        snprintf(says->save, sizeof(says->save), "%.119s", save);
    if (least != NULL)
        snprintf(says->least, sizeof(says->least), "%.23s", least);
    if (lag != NULL)
        snprintf(says->lag, sizeof(says->lag), "%.23s", lag);
    says->save_known = says->save_known || save != NULL;
    says->least_known = says->least_known || least != NULL;
    return true;
}

void *prospect_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                     void (*finish)(struct Question *question), ProspectFn *done, void *data)
{
    static const char *const info[] = {"INFO", NULL};
    static const char *const save[] = {"CONFIG", "GET", "save", NULL};
    static const char *const least[] = {"CONFIG", "GET", "min-replicas-*", NULL};
    size_t hosts = system->role->host_count * sizeof(struct HostSays);
    struct RedisProspect *mine = question_begin(system, size + hosts, deadline, finish);
    mine->hosts = (struct HostSays *)(void *)((char *)mine + size);
    mine->done = done;
    mine->data = data;
    ask_hosts(&mine->question, take_info, info);
    ask_hosts(&mine->question, take_config, save);
    ask_hosts(&mine->question, take_config, least);
    return mine;
}
