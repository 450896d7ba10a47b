/* redis_ask.c - what is asked alike of all systems that are made of Redis. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "redis_system.h"

enum { SAVE_POLL_NS = 50 * NS_PER_MS };

void redis_access_check(const struct RedisAccess *access, const struct Node *node,
                        struct Decode *decode)
{
    const struct Node *file = node_get(node, "config");
    if (!reference_present(access->config_file) && access->config_file[0] != '/')
        problems_say(decode->problems, ERR_VALUE, file != NULL ? file->where : node->where,
                     "write the path from the root", "'%s' is no absolute path",
                     access->config_file);
}

void redis_endpoint(const void *data, const struct Target *host, struct Endpoint *out)
{
    const struct RedisAccess *access = data;
    *out = (struct Endpoint){.host = target_address(host),
                             .port = (uint16_t)access->port,
                             .tls = access->tls,
                             .user = access->user,
                             .secret = access->password,
                             .config_file = access->config_file};
}

size_t redis_host_at(const struct RedisSystem *system, const char *address, const char *port)
{
    size_t n = 0;
    while (n < system->role->host_count &&
           ((port != NULL && number_of(port, 0) != system->access->port) ||
            !text_equal(target_address(system->role->hosts[n]), address)))
        n++;
    return n;
}

int64_t number_of(const char *text, int64_t otherwise)
{
    int64_t number = 0;
    return text != NULL && int_parse(text, &number, NULL) ? number : otherwise;
}

void *redis_system_new(size_t size, const void *config, const struct Role *role, struct Loop *loop)
{
    struct RedisSystem *system = mem_zero(1, size);
    *system = (struct RedisSystem){.access = config, .role = role, .loop = loop};
    system->hosts = mem_zero(role->host_count, sizeof(*system->hosts));
    return system;
}

void redis_system_cancel(void *data)
{
    questions_cancel(data);
}

void redis_system_close(void *data)
{
    struct RedisSystem *system = data;
    questions_end(system);
    lines_close(system->hosts, system->role->host_count);
    mem_free(system);
}

/* ---- one host, by its own word ---- */

struct StandingQuestion {
    struct Question question; /* first */
    struct Standing standing;
    StandingFn *done;
    void *data;
};

static void tell_standing(struct Question *question)
{
    struct StandingQuestion *mine = (struct StandingQuestion *)question;
    mine->standing.asked = question->asked;
    mine->standing.answered = mono_now();
    mine->done(mine->data, &mine->standing);
}

static bool take_role(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct StandingQuestion *mine = (struct StandingQuestion *)question;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY)
        return false;
    const char *role = redis_item(redis_array(answer), 0);
    bool leads = text_equal(role, "master");
    mine->standing.rank = leads                       ? RANK_PRIMARY
                          : text_equal(role, "slave") ? RANK_REPLICA
                                                      : RANK_OTHER;
    mine->standing.writable = leads ? KNOWN_YES : KNOWN_NO;
    return true;
}

static bool take_info(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct Standing *standing = &((struct StandingQuestion *)question)->standing;
    char good[16];
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return false;
    (void)redis_info(answer->bytes, "master_replid", standing->epoch, sizeof(standing->epoch));
    (void)redis_info(answer->bytes, "run_id", standing->identity, sizeof(standing->identity));
    (void)redis_info(answer->bytes, "process_id", standing->pid, sizeof(standing->pid));
    /* Only there with min-replicas-to-write: without a replica in time it takes no write. */
    if (standing->rank == RANK_PRIMARY &&
        redis_info(answer->bytes, "min_slaves_good_slaves", good, sizeof(good)) &&
        text_equal(good, "0"))
        standing->writable = KNOWN_NO;
    return true;
}

void redis_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                        StandingFn *done, void *data)
{
    static const char *const role[] = {"ROLE", NULL};
    static const char *const replication[] = {"INFO", "replication", NULL};
    static const char *const server[] = {"INFO", "server", NULL};
    const struct RedisSystem *self = system;
    struct StandingQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_standing);
    mine->standing.host = host;
    mine->done = done;
    mine->data = data;
    for (size_t n = 0; n < self->role->host_count; n++)
        if (self->role->hosts[n] == host) {
            ask_host(&mine->question, n, take_role, role);
            ask_host(&mine->question, n, take_info, replication);
            ask_host(&mine->question, n, take_info, server);
        }
    question_go(&mine->question);
}

/* ---- the primary, as a client finds it ---- */

#define NEXT_AFTER_NS (50 * NS_PER_MS)

static void tell_found(struct Question *question)
{
    const struct FindQuestion *mine = (const struct FindQuestion *)question;
    mine->done(mine->data, mine->address[0] != '\0' ? mine->address : NULL, mine->port);
}

void find_at_next(struct FindQuestion *mine)
{
    if (mine->next < mine->count)
        mine->ask_next(mine);
}

static bool is_silent(struct Question *question)
{
    struct FindQuestion *mine = (struct FindQuestion *)question;
    find_at_next(mine);
    if (mine->next < mine->count)
        question_wait(question, NEXT_AFTER_NS, is_silent);
    return true;
}

struct FindQuestion *find_begin(struct RedisSystem *system, struct Mono deadline,
                                void (*done)(void *data, const char *address, uint16_t port),
                                void *data)
{
    struct FindQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_found);
    mine->done = done;
    mine->data = data;
    return mine;
}

void find_go(struct FindQuestion *mine)
{
    find_at_next(mine);
    question_wait(&mine->question, NEXT_AFTER_NS, is_silent);
}

/* ---- yes, no or unknown, and why ---- */

static void tell_act(struct Question *question)
{
    struct ActQuestion *mine = (struct ActQuestion *)question;
    mine->done(mine->data, mine->answer, mine->why);
}

struct ActQuestion *act_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                              void (*done)(void *data, enum Known answer, const char *why),
                              void *data)
{
    struct ActQuestion *mine = question_begin(system, size, deadline, tell_act);
    mine->done = done;
    mine->data = data;
    return mine;
}

bool act_say(struct ActQuestion *mine, enum Known answer, const char *why)
{
    mine->answer = answer;
    snprintf(mine->why, sizeof(mine->why), "%.199s", why);
    return false;
}

/* ---- snapshot ---- */

static bool again(struct Question *question);

static bool take_persistence(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActQuestion *mine = (struct ActQuestion *)question;
    char text[16] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return act_say(mine, KNOWN_UNKNOWN, "the host no longer answers");
    if (!redis_info(answer->bytes, "rdb_bgsave_in_progress", text, sizeof(text)) ||
        !text_equal(text, "0")) {
        question_wait(question, SAVE_POLL_NS, again);
        return true;
    }
    if (!redis_info(answer->bytes, "rdb_last_bgsave_status", text, sizeof(text)) ||
        !text_equal(text, "ok"))
        return act_say(mine, KNOWN_NO, "Redis says rdb_last_bgsave_status:err; see its log");
    return act_say(mine, KNOWN_YES, "");
}

/* One that began before us, for a replica or by itself, holds less than is asked for: BGSAVE is
 * refused during it, and sent again after it. */
static bool take_bgsave(struct Question *question, size_t index, const struct Answer *answer)
{
    static const char *const info[] = {"INFO", "persistence", NULL};
    struct ActQuestion *mine = (struct ActQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        return act_say(mine, KNOWN_UNKNOWN, "the host does not answer");
    if (text_starts(answer->bytes, "Background saving started")) {
        mine->sent = true;
        act_say(mine, KNOWN_UNKNOWN, "the snapshot takes longer");
        ask_host(question, index, take_persistence, info);
        return true;
    }
    if (!text_starts(answer->bytes, "ERR Background save already in progress") &&
        !text_starts(answer->bytes, "ERR Another child process is active"))
        return act_say(mine, KNOWN_NO, answer->bytes);
    act_say(mine, KNOWN_NO, answer->bytes);
    question_wait(question, SAVE_POLL_NS, again);
    return true;
}

/* The timer comes at the deadline at the latest, and nothing is asked then. */
static bool again(struct Question *question)
{
    static const char *const bgsave[] = {"BGSAVE", NULL};
    static const char *const info[] = {"INFO", "persistence", NULL};
    const struct ActQuestion *mine = (const struct ActQuestion *)question;
    if (!mono_before(mono_now(), question->deadline))
        return false;
    if (mine->sent)
        ask_host(question, mine->host, take_persistence, info);
    else
        ask_host(question, mine->host, take_bgsave, bgsave);
    return true;
}

void redis_snapshot(void *system, const struct Target *host, struct Mono deadline,
                    void (*done)(void *data, enum Known saved, const char *why), void *data)
{
    const struct RedisSystem *self = system;
    struct ActQuestion *mine = act_begin(system, sizeof(*mine), deadline, done, data);
    act_say(mine, KNOWN_NO, "it is no host of the role");
    while (mine->host < self->role->host_count && self->role->hosts[mine->host] != host)
        mine->host++;
    if (mine->host < self->role->host_count)
        (void)again(&mine->question);
    question_go(&mine->question);
}
