/* redis_alone.c - Redis that nobody watches over: steps promote a replica, or have it take over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "kinds.h"
#include "redis_alone.h"
#include "redis_whole.h"

static const struct Field alone_fields[] = {REDIS_ACCESS_FIELDS, {.name = NULL}};

static void alone_check(const void *record, const struct Node *node, struct Decode *decode);
static void *alone_open(const void *config, const struct Role *role, struct Loop *loop,
                        struct Err *err);
static void alone_close(void *system);
static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
static void find_primary(void *system, struct Mono deadline,
                         void (*done)(void *data, const char *address, uint16_t port), void *data);
static void find_last(void *system, struct Mono deadline,
                      void (*done)(void *data, const struct Target *host, size_t primaries),
                      void *data);
static void ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);

const struct SystemKind redis_system = {
    .name = "redis",
    .summary = "Redis and its replicas, failed over by people",
    .config = {.name = "redis",
               .doc = "Redis with replicas and no Sentinel, failed over by people. `failover` "
                      "promotes a replica of a dead primary; one that runs hands over by Redis' "
                      "own FAILOVER (6.2 and later), which a script on its host follows to its "
                      "end.",
               .size = sizeof(struct AloneConfig),
               .fields = alone_fields,
               .check = alone_check},
    .open = alone_open,
    .ask_standing = redis_ask_standing,
    .ask_control = ask_control,
    .ask_redundancy = ask_redundancy,
    .ask_prospect = alone_ask_prospect,
    .failover = alone_failover,
    .acts_on_hosts = true,
    .unwatched = true,
    .snapshot = redis_snapshot,
    .plan_rejoin = alone_plan_rejoin,
    .plan_ready = alone_plan_ready,
    .find_primary = find_primary,
    .find_last = find_last,
    .endpoint = redis_endpoint,
    .knobs = &alone_knobs,
    .ledger = &redis_ledger,
    .cancel = redis_system_cancel,
    .close = alone_close,
};

static void alone_check(const void *record, const struct Node *node, struct Decode *decode)
{
    redis_access_check(record, node, decode);
}

static void *alone_open(const void *config, const struct Role *role, struct Loop *loop,
                        struct Err *err)
{
    if (role->host_count > ALONE_HOSTS_MAX) {
        err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                ALONE_HOSTS_MAX);
        return NULL;
    }
    struct Alone *system = redis_system_new(sizeof(*system), config, role, loop);
    system->remote = remote_open(loop, role);
    return system;
}

static void alone_close(void *data)
{
    struct Alone *system = data;
    questions_end(&system->redis);
    remote_close(system->remote);
    redis_system_close(system);
}

static const char *const replication_words[] = {"INFO", "replication", NULL};

/* ---- who leads, by all that is heard ---- */

struct ControlQuestion {
    struct Question question; /* first */
    size_t leaders, leader;
    int64_t followers; /* of the leader that has most */
    bool tied;
    StandingFn *done;
    void *data;
};

/* Of two the one that is followed: nobody else could say which of them is meant. */
static void tell_control(struct Question *question)
{
    const struct ControlQuestion *mine = (const struct ControlQuestion *)question;
    bool known = mine->leaders > 0 && !mine->tied;
    const struct Standing standing = {.host = known ? question->system->role->hosts[mine->leader]
                                                    : NULL,
                                      .rank = known ? RANK_PRIMARY : RANK_UNKNOWN,
                                      .asked = question->asked,
                                      .answered = mono_now()};
    mine->done(mine->data, &standing);
}

/* Who has half of the others behind it is not outdone by one that is silent. */
static bool take_control(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ControlQuestion *mine = (struct ControlQuestion *)question;
    char text[24] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE ||
        !redis_info(answer->bytes, "role", text, sizeof(text)) || !text_equal(text, "master"))
        return true;
    (void)redis_info(answer->bytes, "connected_slaves", text, sizeof(text));
    int64_t followers = number_of(text, 0);
    mine->tied = mine->leaders > 0 && followers == mine->followers;
    if (mine->leaders++ == 0 || followers > mine->followers) {
        mine->leader = index;
        mine->followers = followers;
    }
    return mine->followers == 0 ||
           mine->followers * 2 < (int64_t)question->system->role->host_count - 1;
}

static void ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    struct ControlQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_control);
    mine->done = done;
    mine->data = data;
    ask_hosts(&mine->question, take_control, replication_words);
    question_go(&mine->question);
}

/* ---- redundancy ---- */

static void tell_whole(struct Question *question)
{
    struct RedisWhole *mine = (struct RedisWhole *)question;
    const struct Alone *system = (const struct Alone *)question->system;
    whole_judge(mine);
    if (system->owes[0] != '\0')
        lacking(mine, "%s", system->owes);
    if (system->unwritten[0] != '\0')
        lacking(mine, "%s", system->unwritten);
    if (mine->redundancy.complete == KNOWN_UNKNOWN && mine->primaries == 1 && !mine->silent)
        mine->redundancy.complete = KNOWN_YES;
    if (mine->redundancy.complete == KNOWN_UNKNOWN)
        snprintf(mine->why, sizeof(mine->why), "not all hosts answer");
    whole_tell(mine);
}

static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    struct RedisWhole *mine = whole_begin(system, sizeof(*mine), deadline, tell_whole, done, data);
    question_go(&mine->question);
}

/* ---- who leads, as a client finds it ---- */

/* Clients have a list of hosts; they stay with the first that says that it leads. */
static bool take_found(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FindQuestion *mine = (struct FindQuestion *)question;
    const struct RedisSystem *system = question->system;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY ||
        !text_equal(redis_item(redis_array(answer), 0), "master")) {
        find_at_next(mine);
        return true;
    }
    snprintf(mine->address, sizeof(mine->address), "%.63s",
             target_address(system->role->hosts[index]));
    mine->port = (uint16_t)system->access->port;
    return false;
}

static void ask_next(struct FindQuestion *mine)
{
    static const char *const words[] = {"ROLE", NULL};
    ask_host(&mine->question, mine->next++, take_found, words);
}

static void find_primary(void *data, struct Mono deadline,
                         void (*done)(void *data, const char *address, uint16_t port),
                         void *done_data)
{
    const struct RedisSystem *system = data;
    struct FindQuestion *mine = find_begin(data, deadline, done, done_data);
    mine->ask_next = ask_next;
    mine->count = system->role->host_count;
    find_go(mine);
}

/* ---- who decides what is lost ---- */

struct LastQuestion {
    struct Question question; /* first */
    size_t primaries, primary, promoted, last;
    bool silent; /* one does not answer, and may be who was promoted */
    void (*done)(void *data, const struct Target *host, size_t primaries);
    void *data;
};

static void tell_last(struct Question *question)
{
    const struct LastQuestion *mine = (const struct LastQuestion *)question;
    const struct Role *role = question->system->role;
    const struct Target *host = mine->promoted == 1                     ? role->hosts[mine->last]
                                : mine->primaries == 1 && !mine->silent ? role->hosts[mine->primary]
                                                                        : NULL;
    mine->done(mine->data, host, mine->primaries);
}

/* Of several the one that was a replica since its start: the others were primaries all along. */
static bool take_last(struct Question *question, size_t index, const struct Answer *answer)
{
    struct LastQuestion *mine = (struct LastQuestion *)question;
    char text[24] = "";
    bool said = answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE &&
                redis_info(answer->bytes, "role", text, sizeof(text));
    mine->silent = mine->silent || (!said && answer->end != CALL_REFUSED);
    if (!said || !text_equal(text, "master"))
        return true;
    mine->primaries++;
    mine->primary = index;
    if (redis_info(answer->bytes, "second_repl_offset", text, sizeof(text)) &&
        number_of(text, -1) > 0) {
        mine->promoted++;
        mine->last = index;
    }
    return true;
}

static void find_last(void *system, struct Mono deadline,
                      void (*done)(void *data, const struct Target *host, size_t primaries),
                      void *data)
{
    struct Mono now = mono_now(), half = mono_add(now, mono_since(now, deadline) / 2);
    struct LastQuestion *mine = question_begin(system, sizeof(*mine), half, tell_last);
    mine->done = done;
    mine->data = data;
    ask_hosts(&mine->question, take_last, replication_words);
    question_go(&mine->question);
}
