/* sentinel_prospect.c - what the configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "sentinel.h"

enum { KNOBS_MAX = 12, VALUE_MAX = 120 };
/* How long after the fault the Sentinels name another primary.
 * At least: a Sentinel counts down-after from the last reply to its PING, which it sends each
 * second (or each down-after, where that is shorter), so up to a ping period of it was over at the
 * fault. At most: down-after, and up to a second each for the PING that was not yet sent, for
 * asking the other Sentinels, for the random delay before the election, for its votes and for the
 * INFO by which the promotion is seen. An election that is lost is no part of it: it is held again
 * after the cool-down. */
#define PING_PERIOD_NS NS_PER_S
#define FAILOVER_MORE_NS (5 * NS_PER_S)

/* What one host said; "" = nothing. */
struct HostSays {
    bool answered, leads;
    char aof[8], loading[8], changes[24], priority[24]; /* INFO */
    int64_t keys;                                       /* of all databases */
    bool save_known, least_known;                       /* CONFIG GET is allowed */
    char save[VALUE_MAX], least[24], lag[24];
};
struct SentinelSays {
    bool answered, tilt;
    char state[40]; /* of a failover under way */
    int64_t down_after_ms, quorum, timeout_ms, others, parallel, epoch, voted;
};
struct ProspectQuestion {
    struct Question question; /* first */
    struct SentinelSays sentinels[SENTINELS_MAX];
    struct Knob knobs[KNOBS_MAX];
    char values[KNOBS_MAX][VALUE_MAX];
    size_t knob_count;
    char not_ready[300], loss[120];
    ProspectFn *done;
    void *data;
    struct HostSays hosts[];
};

__attribute__((format(printf, 3, 4))) static void knob(struct ProspectQuestion *mine,
                                                       const char *name, const char *format, ...)
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

/* The first trap counts. */
__attribute__((format(printf, 2, 3))) static void trap(struct ProspectQuestion *mine,
                                                       const char *format, ...)
{
    if (mine->not_ready[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->not_ready, sizeof(mine->not_ready), format, values);
    va_end(values);
}

static const char *sentinel_name(const struct ProspectQuestion *mine, size_t index)
{
    return ((const char *const *)mine->question.system->config->sentinels.items)[index];
}

/* ---- what the Sentinels' word comes to ---- */

/* Of those that answered, the slowest decides when most of them agree. NULL: nobody answered. */
static const struct SentinelSays *slowest(const struct ProspectQuestion *mine)
{
    const struct SentinelSays *found = NULL;
    for (size_t n = 0; n < mine->question.system->sentinel_count; n++) {
        const struct SentinelSays *says = &mine->sentinels[n];
        if (says->answered && (found == NULL || says->down_after_ms > found->down_after_ms))
            found = says;
    }
    return found;
}

static void judge_each_sentinel(struct ProspectQuestion *mine)
{
    for (size_t n = 0; n < mine->question.system->sentinel_count; n++) {
        const struct SentinelSays *says = &mine->sentinels[n];
        if (says->state[0] != '\0')
            trap(mine, "a failover is under way: Sentinel %.100s is in state %s",
                 sentinel_name(mine, n), says->state);
        if (says->tilt)
            trap(mine,
                 "Sentinel %.100s is in TILT mode after a jump of its clock, and starts no "
                 "failover",
                 sentinel_name(mine, n));
    }
}

/* Sentinel does not say when it last began a failover, so no cool-down is computed; only that it
 * voted in a later epoch than that of the last switch: a failover that came to nothing. */
static void judge_sentinels(struct ProspectQuestion *mine, struct Prospect *out)
{
    const struct SentinelSays *says = slowest(mine);
    if (says == NULL) {
        trap(mine, "no Sentinel answers");
        return;
    }
    int64_t epoch = 0, voted = 0;
    for (size_t n = 0; n < mine->question.system->sentinel_count; n++) {
        const struct SentinelSays *each = &mine->sentinels[n];
        epoch = each->answered && each->epoch > epoch ? each->epoch : epoch;
        voted = each->voted > voted ? each->voted : voted;
    }
    judge_each_sentinel(mine);
    if (says->others < 2)
        trap(mine,
             "there are %lld Sentinels: fewer than three cannot outvote a lost machine, and can "
             "split for good",
             (long long)says->others + 1);
    int64_t down_after_ns = says->down_after_ms * NS_PER_MS;
    out->failover.low_ns = down_after_ns > PING_PERIOD_NS ? down_after_ns - PING_PERIOD_NS : 0;
    out->failover.high_ns = down_after_ns + FAILOVER_MORE_NS;
    knob(mine, "down-after-milliseconds", "%lld", (long long)says->down_after_ms);
    knob(mine, "quorum", "%lld of %lld Sentinels", (long long)says->quorum,
         (long long)says->others + 1);
    knob(mine, "failover-timeout", "%lld", (long long)says->timeout_ms);
    knob(mine, "parallel-syncs", "%lld", (long long)says->parallel);
    if (voted > epoch)
        knob(mine, "last failover", "came to nothing; the next waits up to %lld s after it began",
             (long long)(2 * says->timeout_ms / 1000));
}

/* ---- what the hosts' word comes to ---- */

static void judge_primary(struct ProspectQuestion *mine, const struct HostSays *says,
                          struct Prospect *out)
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

static void judge_hosts(struct ProspectQuestion *mine, struct Prospect *out)
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

static void tell_prospect(struct Question *question)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    struct Prospect prospect = {.failover = {.high_ns = NS_NEVER}, .keys_at_risk = -1};
    judge_sentinels(mine, &prospect);
    judge_hosts(mine, &prospect);
    prospect.knobs = mine->knobs;
    prospect.knob_count = mine->knob_count;
    prospect.not_ready = mine->not_ready[0] != '\0' ? mine->not_ready : NULL;
    prospect.loss = mine->loss[0] != '\0' ? mine->loss : NULL;
    mine->done(mine->data, &prospect);
}

/* ---- what they say ---- */

static bool take_master(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    struct SentinelSays *says = &mine->sentinels[index];
    if (answer->end == CALL_ANSWERED && answer->code != REDIS_ARRAY)
        trap(mine, "Sentinel %.100s: %.120s", sentinel_name(mine, index), answer->bytes);
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY)
        return true;
    const struct RedisArray *master = redis_array(answer);
    const char *state = redis_pair(master, "failover-state");
    says->answered = true;
    says->down_after_ms = number_of(redis_pair(master, "down-after-milliseconds"), 0);
    says->quorum = number_of(redis_pair(master, "quorum"), 0);
    says->timeout_ms = number_of(redis_pair(master, "failover-timeout"), 0);
    says->others = number_of(redis_pair(master, "num-other-sentinels"), 0);
    says->parallel = number_of(redis_pair(master, "parallel-syncs"), 0);
    says->epoch = number_of(redis_pair(master, "config-epoch"), 0);
    snprintf(says->state, sizeof(says->state), "%.39s", state != NULL ? state : "");
    return true;
}

static bool take_votes(struct Question *question, size_t index, const struct Answer *answer)
{
    struct SentinelSays *says = &((struct ProspectQuestion *)question)->sentinels[index];
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY)
        return true;
    const struct RedisArray *others = redis_array(answer);
    for (size_t n = 0; n < redis_count(others); n++) {
        const struct RedisArray *other = redis_nested(others, n);
        int64_t voted = other != NULL ? number_of(redis_pair(other, "voted-leader-epoch"), 0) : 0;
        says->voted = voted > says->voted ? voted : says->voted;
    }
    return true;
}

static bool take_quorum(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        trap(mine, "Sentinel %.100s does not answer", sentinel_name(mine, index));
    else if (answer->code == REDIS_ERROR)
        trap(mine, "Sentinel %.100s: %.160s", sentinel_name(mine, index), answer->bytes);
    return true;
}

static bool take_tilt(struct Question *question, size_t index, const struct Answer *answer)
{
    char tilt[8] = "";
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE)
        (void)redis_info(answer->bytes, "sentinel_tilt", tilt, sizeof(tilt));
    ((struct ProspectQuestion *)question)->sentinels[index].tilt = text_equal(tilt, "1");
    return true;
}

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
    struct HostSays *says = &((struct ProspectQuestion *)question)->hosts[index];
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
    (void)redis_info(answer->bytes, "slave_priority", says->priority, sizeof(says->priority));
    return true;
}

static bool take_config(struct Question *question, size_t index, const struct Answer *answer)
{
    struct HostSays *says = &((struct ProspectQuestion *)question)->hosts[index];
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

void sentinel_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    static const char *const info[] = {"INFO", NULL};
    static const char *const save[] = {"CONFIG", "GET", "save", NULL};
    static const char *const least[] = {"CONFIG", "GET", "min-replicas-*", NULL};
    static const char *const tilt[] = {"INFO", "sentinel", NULL};
    const struct Sentinel *self = system;
    const char *const master[] = {"SENTINEL", "MASTER", self->config->master, NULL};
    const char *const votes[] = {"SENTINEL", "SENTINELS", self->config->master, NULL};
    const char *const quorum[] = {"SENTINEL", "CKQUORUM", self->config->master, NULL};
    size_t size =
        sizeof(struct ProspectQuestion) + self->role->host_count * sizeof(struct HostSays);
    struct ProspectQuestion *mine = question_begin(system, size, deadline, tell_prospect);
    mine->done = done;
    mine->data = data;
    for (size_t n = 0; n < self->role->host_count; n++) {
        ask_host(&mine->question, n, take_info, info);
        ask_host(&mine->question, n, take_config, save);
        ask_host(&mine->question, n, take_config, least);
    }
    ask_sentinels(&mine->question, take_master, master);
    ask_sentinels(&mine->question, take_votes, votes);
    ask_sentinels(&mine->question, take_tilt, tilt);
    ask_sentinels(&mine->question, take_quorum, quorum);
    question_go(&mine->question);
}
