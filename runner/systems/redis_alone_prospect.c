/* redis_alone_prospect.c - what a failover by a step would meet: settings, ways, rights. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "redis_alone.h"
#include "redis_prospect.h"

/* Of one that is asked for: two looks, between them a login, and until it is seen. */
#define PLANNED_MOST_NS (12 * NS_PER_S)
/* Of one whose primary runs: the looks and a login before, and until it is seen. */
#define HANDOVER_MORE_NS (10 * NS_PER_S)

enum { LEAST_REPLICAS, MAX_LAG };
static const struct KnobRow rows[] = {
    [LEAST_REPLICAS] = REDIS_LEAST_REPLICAS, [MAX_LAG] = REDIS_MAX_LAG};

static void foretell(const int64_t *values, struct Forecast *out)
{
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = redis_acked(values[LEAST_REPLICAS], values[MAX_LAG]),
                             .stays_primary = KNOWN_YES,
                             .allowed = true};
}

const struct KnobTable alone_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* What one host said beyond what every Redis is asked; "" and false: nothing. */
struct AloneSays {
    bool answered, leads, follows, linked, clustered, watched;
    char file[200], whom[64], port[24], tls[8];
    char refused[120]; /* what we may not do there */
    char moves[32];    /* master_failover_state; "": before Redis 6.2 */
};
struct AloneProspect {
    struct RedisProspect prospect; /* first */
    bool rights_unseen;
    char no_handover[160];
    struct AloneSays hosts[ALONE_HOSTS_MAX];
};

/* ---- what it comes to ---- */

/* After a failover another one decides, by its own setting. */
static void judge_least(struct RedisProspect *mine)
{
    const struct Role *role = mine->question.system->role;
    int64_t replicas = (int64_t)role->host_count - 1;
    bool bare = false;
    for (size_t n = 0; n < role->host_count; n++) {
        int64_t least = number_of(mine->hosts[n].least, 0);
        if (least > replicas)
            trap(mine,
                 "min-replicas-to-write is %lld on %.100s, which would have %lld replicas: it "
                 "would take no write",
                 (long long)least, role->hosts[n]->name, (long long)replicas);
        bare = bare || (least > 0 && least == replicas);
    }
    if (bare)
        knob(mine, "beware", "while a host is away, min-replicas-to-write stops all writes");
}

/* Who is told to follow is told an address and the clients' port: both must be what they use. */
static void judge_way(struct RedisProspect *mine, const char *name, const struct AloneSays *says)
{
    const struct RedisSystem *system = mine->question.system;
    const char *wanted = system->access->tls ? "yes" : "no";
    if (says->tls[0] != '\0' && !text_equal(says->tls, wanted))
        trap(mine, "tls-replication is %s on %.80s: its replicas use another port than clients do",
             says->tls, name);
    if (says->follows && redis_host_at(system, says->whom, says->port) == system->role->host_count)
        trap(mine, "%.80s follows %.63s port %.20s, which is no host of role '%.60s' as written",
             name, says->whom, says->port, system->role->name);
}

static void judge_host(struct RedisProspect *mine, const char *name, const struct AloneSays *says)
{
    if (!says->answered)
        return;
    if (says->clustered)
        trap(mine, "%.80s is a node of a Redis Cluster: say `redis_cluster:`", name);
    if (says->watched)
        trap(mine, "a Sentinel watches %.80s, and would promote another: say `redis_sentinel:`",
             name);
    if (says->file[0] == '\0')
        trap(mine, "%.80s was started without a file: its next start takes its rank back", name);
    if (says->refused[0] != '\0')
        trap(mine, "%.80s: %.119s", name, says->refused);
    judge_way(mine, name, says);
}

/* Why a primary that runs could not hand over: "" where it could. */
static void judge_handover(struct AloneProspect *all)
{
    const struct Role *role = all->prospect.question.system->role;
    bool linked = false;
    char *why = all->no_handover;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct AloneSays *says = &all->hosts[n];
        const char *name = role->hosts[n]->name;
        linked = linked || says->linked;
        if (!says->answered || !says->leads)
            continue;
        if (says->moves[0] == '\0')
            snprintf(why, sizeof(all->no_handover),
                     "Redis on %.100s is older than 6.2, and has no FAILOVER", name);
        else if (!text_equal(says->moves, "no-failover"))
            snprintf(why, sizeof(all->no_handover), "%.100s is failing over already", name);
    }
    if (why[0] == '\0' && !linked)
        snprintf(why, sizeof(all->no_handover), "no replica is linked to its primary");
    if (why[0] != '\0')
        return;
    knob(&all->prospect, "switchover",
         "FAILOVER TO, which Redis gives up after %d s, until the replica is told",
         HAND_OVER_MS / 1000);
    knob(&all->prospect, "beware",
         "once the replica is told, writes wait until it answers, without a limit");
    knob(&all->prospect, "beware",
         "CONFIG REWRITE on both: what CONFIG SET changed before stays in their files");
}

static void tell_prospect(struct Question *question)
{
    struct AloneProspect *all = (struct AloneProspect *)question;
    struct RedisProspect *mine = &all->prospect;
    const struct Role *role = question->system->role;
    struct Prospect prospect = {
        .failover = {.high_ns = NS_NEVER},
        .planned = {.high_ns = PLANNED_MOST_NS},
        .handover = {.high_ns = HAND_OVER_MS * NS_PER_MS + HANDOVER_MORE_NS},
        .keys_at_risk = -1};
    judge_hosts(mine, &prospect);
    judge_least(mine);
    for (size_t n = 0; n < role->host_count; n++)
        judge_host(mine, role->hosts[n]->name, &all->hosts[n]);
    knob(mine, "promoted by", "nobody but us");
    judge_handover(all);
    prospect.no_handover = all->no_handover[0] != '\0' ? all->no_handover : NULL;
    if (all->rights_unseen)
        knob(mine, "beware", "this Redis does not say whether our user may REPLICAOF");
    prospect_tell(mine, &prospect);
}

/* ---- what they say ---- */

static struct AloneSays *says_of(struct Question *question, size_t index)
{
    return &((struct AloneProspect *)question)->hosts[index];
}

static bool take_info(struct Question *question, size_t index, const struct Answer *answer)
{
    struct AloneSays *says = says_of(question, index);
    char text[24] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return true;
    says->answered = redis_info(answer->bytes, "role", text, sizeof(text));
    says->follows = text_equal(text, "slave");
    says->leads = text_equal(text, "master");
    says->linked = redis_info(answer->bytes, "master_link_status", text, sizeof(text)) &&
                   text_equal(text, "up");
    (void)redis_info(answer->bytes, "master_failover_state", says->moves, sizeof(says->moves));
    says->clustered =
        redis_info(answer->bytes, "cluster_enabled", text, sizeof(text)) && text_equal(text, "1");
    (void)redis_info(answer->bytes, "config_file", says->file, sizeof(says->file));
    (void)redis_info(answer->bytes, "master_host", says->whom, sizeof(says->whom));
    (void)redis_info(answer->bytes, "master_port", says->port, sizeof(says->port));
    return true;
}

/* Every Sentinel is subscribed there to hear of the others. */
static bool take_watchers(struct Question *question, size_t index, const struct Answer *answer)
{
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY)
        says_of(question, index)->watched = number_of(redis_item(redis_array(answer), 1), 0) > 0;
    return true;
}

static bool take_tls(struct Question *question, size_t index, const struct Answer *answer)
{
    const char *value = NULL;
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY)
        value = redis_pair(redis_array(answer), "tls-replication");
    if (value != NULL)
        snprintf(says_of(question, index)->tls, sizeof(says_of(question, index)->tls), "%.7s",
                 value);
    return true;
}

/* ---- rights: seen before anything is stopped, not when the promotion is refused ---- */

static bool is_unknown(const struct Answer *answer)
{
    return answer->code == REDIS_ERROR && !text_starts(answer->bytes, "NOPERM");
}

static void refuse(struct Question *question, size_t index, const char *why)
{
    struct AloneSays *says = says_of(question, index);
    if (says->refused[0] == '\0')
        snprintf(says->refused, sizeof(says->refused), "%.119s", why);
}

/* "OK", or "User ... has no permissions to run the '...' command"; before Redis 7 an error. */
static bool take_dry(struct Question *question, size_t index, const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED)
        return true;
    if (is_unknown(answer) && !text_starts(answer->bytes, "ERR Command '")) /* it was renamed */
        ((struct AloneProspect *)question)->rights_unseen = true;
    else if (!text_equal(answer->bytes, "OK"))
        refuse(question, index, answer->bytes);
    return true;
}

static bool take_user(struct Question *question, size_t index, const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED || is_unknown(answer))
        return true; /* there are no users before Redis 6 */
    if (answer->code != REDIS_VALUE) {
        refuse(question, index, "our user may not ask ACL WHOAMI and ACL DRYRUN what it may do");
        return true;
    }
    char user[100];
    snprintf(user, sizeof(user), "%.99s", answer->bytes);
    const char *const replicaof[] = {"ACL", "DRYRUN", user, "REPLICAOF", "NO", "ONE", NULL};
    const char *const rewrite[] = {"ACL", "DRYRUN", user, "CONFIG", "REWRITE", NULL};
    const char *const multi[] = {"ACL", "DRYRUN", user, "MULTI", NULL};
    const char *const exec[] = {"ACL", "DRYRUN", user, "EXEC", NULL};
    ask_host(question, index, take_dry, replicaof);
    ask_host(question, index, take_dry, rewrite);
    ask_host(question, index, take_dry, multi);
    ask_host(question, index, take_dry, exec);
    return true;
}

void alone_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    static const char *const info[] = {"INFO", NULL};
    static const char *const watchers[] = {"PUBSUB", "NUMSUB", "__sentinel__:hello", NULL};
    static const char *const tls[] = {"CONFIG", "GET", "tls-replication", NULL};
    static const char *const user[] = {"ACL", "WHOAMI", NULL};
    struct AloneProspect *mine =
        prospect_begin(system, sizeof(*mine), deadline, tell_prospect, done, data);
    struct Question *question = &mine->prospect.question;
    ask_hosts(question, take_info, info);
    ask_hosts(question, take_watchers, watchers);
    ask_hosts(question, take_tls, tls);
    ask_hosts(question, take_user, user);
    question_go(question);
}
