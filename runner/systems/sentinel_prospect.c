/* sentinel_prospect.c - what the configuration, as it is now, promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "redis_prospect.h"
#include "sentinel.h"

/* How long after the fault the Sentinels name another primary.
 * At least: a Sentinel counts down-after from the last reply to its PING, which it sends each
 * second (or each down-after, where that is shorter), so up to a ping period of it was over at the
 * fault. At most: down-after, and up to a second each for the PING that was not yet sent, for
 * asking the other Sentinels, for the random delay before the election, for its votes and for the
 * INFO by which the promotion is seen. An election that is lost is no part of it: it is held again
 * after the cool-down. */
#define PING_PERIOD_NS NS_PER_S
#define FAILOVER_MORE_NS (5 * NS_PER_S)

enum { DOWN_AFTER, LEAST_REPLICAS, MAX_LAG };
static const struct KnobRow rows[] = {
    [DOWN_AFTER] = {.name = "down-after-milliseconds",
                    .unit = KNOB_MS,
                    .least = NS_PER_S,
                    .usual = 30 * NS_PER_S,
                    .line = "SENTINEL SET <master> down-after-milliseconds %s"},
    [LEAST_REPLICAS] = REDIS_LEAST_REPLICAS,
    [MAX_LAG] = REDIS_MAX_LAG,
};

/* One that is cut off learns of its successor when the cut ends. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    int64_t down_after_ns = values[DOWN_AFTER];
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = redis_acked(values[LEAST_REPLICAS], values[MAX_LAG]),
                             .stays_primary = KNOWN_YES,
                             .allowed = true};
    if (down_after_ns == KNOB_UNKNOWN)
        return;
    out->failover.low_ns = down_after_ns > PING_PERIOD_NS ? down_after_ns - PING_PERIOD_NS : 0;
    out->failover.high_ns = down_after_ns + FAILOVER_MORE_NS;
}

const struct KnobTable sentinel_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

struct SentinelSays {
    bool answered, tilt;
    char state[40]; /* of a failover under way */
    int64_t down_after_ms, quorum, timeout_ms, others, parallel, epoch, voted;
};
struct ProspectQuestion {
    struct RedisProspect redis; /* first */
    struct SentinelSays sentinels[SENTINELS_MAX];
    int64_t *watched_s; /* by host of the role: for how long each Sentinel has had its connection to
                           it, the shortest of them; -1: it does not say */
};

static const char *sentinel_name(const struct ProspectQuestion *mine, size_t index)
{
    return (
        (const char *const *)sentinel_of(&mine->redis.question)->config->sentinels.items)[index];
}

/* ---- what the Sentinels' word comes to ---- */

/* Of those that answered, the slowest decides when most of them agree. NULL: nobody answered. */
static const struct SentinelSays *slowest(const struct ProspectQuestion *mine)
{
    const struct SentinelSays *found = NULL;
    for (size_t n = 0; n < sentinel_of(&mine->redis.question)->sentinel_count; n++) {
        const struct SentinelSays *says = &mine->sentinels[n];
        if (says->answered && (found == NULL || says->down_after_ms > found->down_after_ms))
            found = says;
    }
    return found;
}

static void judge_each_sentinel(struct ProspectQuestion *mine)
{
    for (size_t n = 0; n < sentinel_of(&mine->redis.question)->sentinel_count; n++) {
        const struct SentinelSays *says = &mine->sentinels[n];
        if (says->state[0] != '\0')
            trap(&mine->redis, "a failover is under way: Sentinel %.100s is in state %s",
                 sentinel_name(mine, n), says->state);
        if (says->tilt)
            trap(&mine->redis,
                 "Sentinel %.100s is in TILT mode after a jump of its clock, and starts no "
                 "failover",
                 sentinel_name(mine, n));
    }
}

/* A Sentinel that voted in a later epoch than that of the last switch took part in a failover that
 * came to nothing, and starts no other for twice failover-timeout; whoever leads it asks after up
 * to a second. It does not say when that was; but it gives up its connection to a primary that it
 * holds for down, so that it was before the connection that it has now. */
static void judge_attempt(struct ProspectQuestion *mine, int64_t timeout_ms, struct Prospect *out)
{
    const struct Role *role = mine->redis.question.system->role;
    int64_t cool_down_ns = 2 * timeout_ms * NS_PER_MS + NS_PER_S;
    knob(&mine->redis, "last failover",
         "came to nothing; the next waits up to %lld s after it began",
         (long long)(cool_down_ns / NS_PER_S));
    for (size_t n = 0; n < role->host_count; n++) {
        /* whole seconds, rounded down */
        int64_t since_ns = mine->watched_s[n] * NS_PER_S;
        if (mine->redis.hosts[n].leads && since_ns >= 0 && since_ns < cool_down_ns)
            out->cool_down_ns = cool_down_ns - since_ns;
    }
}

static void judge_sentinels(struct ProspectQuestion *mine, struct Prospect *out)
{
    const struct SentinelSays *says = slowest(mine);
    if (says == NULL) {
        trap(&mine->redis, "no Sentinel answers");
        return;
    }
    int64_t epoch = 0, voted = 0;
    for (size_t n = 0; n < sentinel_of(&mine->redis.question)->sentinel_count; n++) {
        const struct SentinelSays *each = &mine->sentinels[n];
        epoch = each->answered && each->epoch > epoch ? each->epoch : epoch;
        voted = each->voted > voted ? each->voted : voted;
    }
    judge_each_sentinel(mine);
    if (says->others < 2)
        trap(&mine->redis,
             "there are %lld Sentinels: fewer than three cannot outvote a lost machine, and can "
             "split for good",
             (long long)says->others + 1);
    struct Forecast forecast;
    foretell((const int64_t[]){says->down_after_ms * NS_PER_MS, KNOB_UNKNOWN, KNOB_UNKNOWN},
             &forecast);
    out->failover = forecast.failover;
    out->planned = (struct Span){0, FAILOVER_MORE_NS};
    knob(&mine->redis, "down-after-milliseconds", "%lld", (long long)says->down_after_ms);
    knob(&mine->redis, "quorum", "%lld of %lld Sentinels", (long long)says->quorum,
         (long long)says->others + 1);
    knob(&mine->redis, "failover-timeout", "%lld", (long long)says->timeout_ms);
    knob(&mine->redis, "parallel-syncs", "%lld", (long long)says->parallel);
    if (voted > epoch)
        judge_attempt(mine, says->timeout_ms, out);
}

static void tell_prospect(struct Question *question)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    struct Prospect prospect = {.failover = {.high_ns = NS_NEVER}, .keys_at_risk = -1};
    judge_sentinels(mine, &prospect);
    judge_hosts(&mine->redis, &prospect);
    prospect_tell(&mine->redis, &prospect);
}

/* ---- what they say ---- */

static bool take_master(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ProspectQuestion *mine = (struct ProspectQuestion *)question;
    struct SentinelSays *says = &mine->sentinels[index];
    if (answer->end == CALL_ANSWERED && answer->code != REDIS_ARRAY)
        trap(&mine->redis, "Sentinel %.100s: %.120s", sentinel_name(mine, index), answer->bytes);
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
        trap(&mine->redis, "Sentinel %.100s does not answer", sentinel_name(mine, index));
    else if (answer->code == REDIS_ERROR)
        trap(&mine->redis, "Sentinel %.100s: %.160s", sentinel_name(mine, index), answer->bytes);
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

/* Lines "id=3 ... name=sentinel-1f0e9d8c-cmd age=12 ...". */
static bool take_clients(struct Question *question, size_t index, const struct Answer *answer)
{
    static const char name[] = " name=sentinel-";
    int64_t *watched_s = &((struct ProspectQuestion *)question)->watched_s[index];
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE || answer->cut)
        return true;
    for (const char *at = answer->bytes; (at = strstr(at, name)) != NULL; at += strlen(name)) {
        const char *end = at + strcspn(at, "\n"), *age = strstr(at, " age=");
        int64_t age_s = age != NULL && age < end ? strtoll(age + strlen(" age="), NULL, 10) : 0;
        if (*watched_s < 0 || age_s < *watched_s)
            *watched_s = age_s;
    }
    return true;
}

void sentinel_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    static const char *const tilt[] = {"INFO", "sentinel", NULL};
    static const char *const clients[] = {"CLIENT", "LIST", "TYPE", "NORMAL", NULL};
    const struct Sentinel *self = system;
    const char *const master[] = {"SENTINEL", "MASTER", self->config->master, NULL};
    const char *const votes[] = {"SENTINEL", "SENTINELS", self->config->master, NULL};
    const char *const quorum[] = {"SENTINEL", "CKQUORUM", self->config->master, NULL};
    size_t hosts = self->redis.role->host_count;
    struct ProspectQuestion *mine = prospect_begin(system, sizeof(*mine) + hosts * sizeof(int64_t),
                                                   deadline, tell_prospect, done, data);
    mine->watched_s = (int64_t *)(mine + 1);
    for (size_t n = 0; n < hosts; n++)
        mine->watched_s[n] = -1;
    ask_hosts(&mine->redis.question, take_clients, clients);
    ask_sentinels(&mine->redis.question, take_master, master);
    ask_sentinels(&mine->redis.question, take_votes, votes);
    ask_sentinels(&mine->redis.question, take_tilt, tilt);
    ask_sentinels(&mine->redis.question, take_quorum, quorum);
    question_go(&mine->redis.question);
}
