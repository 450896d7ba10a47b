/* sentinel_ask.c - who leads: by each host's own word, by the Sentinels', as a client finds out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "sentinel.h"

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

void sentinel_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                           StandingFn *done, void *data)
{
    static const char *const role[] = {"ROLE", NULL};
    static const char *const replication[] = {"INFO", "replication", NULL};
    static const char *const server[] = {"INFO", "server", NULL};
    const struct Sentinel *self = system;
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

/* ---- the primary, by the Sentinels' word ---- */

struct ControlQuestion {
    struct Question question; /* first */
    struct {
        char address[64], port[8];
        size_t votes;
    } named[SENTINELS_MAX];
    size_t named_count, wanted; /* votes that decide */
    size_t winner;              /* named_count: none yet */
    StandingFn *done;
    void *data;
};

static void tell_control(struct Question *question)
{
    const struct ControlQuestion *mine = (const struct ControlQuestion *)question;
    const struct Sentinel *system = question->system;
    bool known = mine->winner < mine->named_count;
    const char *address = known ? mine->named[mine->winner].address : NULL;
    const char *port = known ? mine->named[mine->winner].port : NULL;
    struct Standing standing = {.rank = known ? RANK_PRIMARY : RANK_UNKNOWN,
                                .asked = question->asked,
                                .answered = mono_now()};
    size_t host = known ? sentinel_host_at(system, address, port) : system->role->host_count;
    if (host < system->role->host_count)
        standing.host = system->role->hosts[host];
    mine->done(mine->data, &standing);
}

static bool take_address(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ControlQuestion *mine = (struct ControlQuestion *)question;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY ||
        redis_count(redis_array(answer)) < 2)
        return true;
    const char *address = redis_item(redis_array(answer), 0);
    const char *port = redis_item(redis_array(answer), 1);
    size_t n = 0;
    while (n < mine->named_count &&
           !(text_equal(mine->named[n].address, address) && text_equal(mine->named[n].port, port)))
        n++;
    bool is_new = n == mine->named_count;
    if (is_new) {
        snprintf(mine->named[n].address, sizeof(mine->named[n].address), "%.63s", address);
        snprintf(mine->named[n].port, sizeof(mine->named[n].port), "%.7s", port);
        mine->named_count++;
    }
    mine->named[n].votes++;
    mine->winner = mine->named[n].votes >= mine->wanted ? n : mine->named_count;
    return mine->winner == mine->named_count;
}

void sentinel_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    const struct Sentinel *self = system;
    const char *const words[] = {"SENTINEL", "get-master-addr-by-name", self->config->master, NULL};
    struct ControlQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_control);
    mine->wanted = self->sentinel_count / 2 + 1;
    mine->done = done;
    mine->data = data;
    ask_sentinels(&mine->question, take_address, words);
    question_go(&mine->question);
}

/* ---- the primary, as a client finds it ---- */

/* As clients do: in the order of the configuration, and the first that answers is believed, for
 * while the news of a failover spreads they differ. One that is silent is not waited for. */
#define NEXT_AFTER_NS (50 * NS_PER_MS)

struct FindQuestion {
    struct Question question; /* first */
    size_t next;              /* Sentinel to ask */
    char address[64];         /* "": nobody said */
    uint16_t port;
    void (*done)(void *data, const char *address, uint16_t port);
    void *data;
};

static void tell_found(struct Question *question)
{
    const struct FindQuestion *mine = (const struct FindQuestion *)question;
    mine->done(mine->data, mine->address[0] != '\0' ? mine->address : NULL, mine->port);
}

static bool take_found(struct Question *question, size_t index, const struct Answer *answer);

static void find_at_next(struct FindQuestion *mine)
{
    const char *const words[] = {"SENTINEL", "get-master-addr-by-name",
                                 mine->question.system->config->master, NULL};
    if (mine->next < mine->question.system->sentinel_count)
        ask_sentinel(&mine->question, mine->next++, take_found, words);
}

static bool take_found(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct FindQuestion *mine = (struct FindQuestion *)question;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY ||
        redis_count(redis_array(answer)) < 2) {
        find_at_next(mine);
        return true;
    }
    snprintf(mine->address, sizeof(mine->address), "%.63s", redis_item(redis_array(answer), 0));
    mine->port = (uint16_t)number_of(redis_item(redis_array(answer), 1), 0);
    return false;
}

static bool is_silent(struct Question *question)
{
    struct FindQuestion *mine = (struct FindQuestion *)question;
    find_at_next(mine);
    if (mine->next < question->system->sentinel_count)
        question_wait(question, NEXT_AFTER_NS, is_silent);
    return true;
}

void sentinel_find_primary(void *system, struct Mono deadline,
                           void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    struct FindQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_found);
    mine->done = done;
    mine->data = data;
    find_at_next(mine);
    question_wait(&mine->question, NEXT_AFTER_NS, is_silent);
}

/* ---- the failure, by the Sentinels' word ---- */

struct DetectedQuestion {
    struct Question question; /* first */
    size_t answers;
    bool down;
    int64_t epoch; /* the highest config-epoch seen */
    void (*done)(void *data, enum Known detected);
    void *data;
};

/* Of those that answered: a switch since the first look is a detection that was too quick to be
 * seen. */
static void tell_detected(struct Question *question)
{
    struct DetectedQuestion *mine = (struct DetectedQuestion *)question;
    struct Sentinel *system = question->system;
    bool switched = system->first_epoch >= 0 && mine->epoch > system->first_epoch;
    if (mine->epoch > system->first_epoch)
        system->first_epoch = mine->epoch;
    enum Known detected = KNOWN_UNKNOWN;
    if (mine->down || switched)
        detected = KNOWN_YES;
    else if (mine->answers > system->sentinel_count / 2)
        detected = KNOWN_NO;
    mine->done(mine->data, detected);
}

static bool take_flags(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct DetectedQuestion *mine = (struct DetectedQuestion *)question;
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_ARRAY)
        return true;
    const char *flags = redis_pair(redis_array(answer), "flags");
    int64_t epoch = number_of(redis_pair(redis_array(answer), "config-epoch"), -1);
    mine->answers++;
    mine->epoch = epoch > mine->epoch ? epoch : mine->epoch;
    mine->down =
        mine->down ||
        (flags != NULL && (strstr(flags, "_down") != NULL || strstr(flags, "failover") != NULL));
    return !mine->down;
}

void sentinel_ask_detected(void *system, struct Mono deadline,
                           void (*done)(void *data, enum Known detected), void *data)
{
    const struct Sentinel *self = system;
    const char *const words[] = {"SENTINEL", "MASTER", self->config->master, NULL};
    struct DetectedQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_detected);
    mine->epoch = -1;
    mine->done = done;
    mine->data = data;
    ask_sentinels(&mine->question, take_flags, words);
    question_go(&mine->question);
}
