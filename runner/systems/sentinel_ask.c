/* sentinel_ask.c - who leads: by each host's own word, by the Sentinels', as a client finds out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "sentinel.h"

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
    const struct Sentinel *system = sentinel_of(question);
    bool known = mine->winner < mine->named_count;
    const char *address = known ? mine->named[mine->winner].address : NULL;
    const char *port = known ? mine->named[mine->winner].port : NULL;
    struct Standing standing = {.rank = known ? RANK_PRIMARY : RANK_UNKNOWN,
                                .asked = question->asked,
                                .answered = mono_now()};
    size_t host =
        known ? redis_host_at(&system->redis, address, port) : system->redis.role->host_count;
    if (host < system->redis.role->host_count)
        standing.host = system->redis.role->hosts[host];
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
 * while the news of a failover spreads they differ. */
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

static void ask_next(struct FindQuestion *mine)
{
    const char *const words[] = {"SENTINEL", "get-master-addr-by-name",
                                 sentinel_of(&mine->question)->config->master, NULL};
    ask_sentinel(&mine->question, mine->next++, take_found, words);
}

void sentinel_find_primary(void *system, struct Mono deadline,
                           void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    struct FindQuestion *mine = find_begin(system, deadline, done, data);
    mine->ask_next = ask_next;
    mine->count = sentinel_of(&mine->question)->sentinel_count;
    find_go(mine);
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
    struct Sentinel *system = sentinel_of(question);
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
