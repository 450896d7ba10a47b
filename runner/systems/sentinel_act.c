/* sentinel_act.c - a planned failover, and a snapshot before a kill. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "sentinel.h"

enum { SAVE_POLL_NS = 50 * NS_PER_MS };

struct ActQuestion {
    struct Question question; /* first */
    bool sent;
    size_t host; /* of the snapshot */
    enum Known answer;
    char why[200];
    void (*done)(void *data, enum Known answer, const char *why);
    void *data;
};

static void tell_act(struct Question *question)
{
    struct ActQuestion *mine = (struct ActQuestion *)question;
    mine->done(mine->data, mine->answer, mine->why);
}

static bool say(struct ActQuestion *mine, enum Known answer, const char *why)
{
    mine->answer = answer;
    snprintf(mine->why, sizeof(mine->why), "%.199s", why);
    return false;
}

/* ---- failover ---- */

static bool take_failover(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActQuestion *mine = (struct ActQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        return say(mine, KNOWN_UNKNOWN, "it was sent, and the Sentinel did not answer");
    if (answer->code == REDIS_VALUE && text_equal(answer->bytes, "OK"))
        return say(mine, KNOWN_YES, "");
    return say(mine, KNOWN_NO, answer->bytes);
}

/* Sent to one Sentinel only, the first that shows that it answers: a second one could start a
 * second failover. */
static bool take_ping(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ActQuestion *mine = (struct ActQuestion *)question;
    const char *const words[] = {"SENTINEL", "FAILOVER", question->system->config->master, NULL};
    if (mine->sent || answer->end != CALL_ANSWERED)
        return true;
    if (!text_equal(answer->bytes, "PONG")) {
        say(mine, KNOWN_NO, answer->bytes);
        return true;
    }
    mine->sent = true;
    say(mine, KNOWN_UNKNOWN, "");
    ask_sentinel(question, index, take_failover, words);
    return true;
}

void sentinel_failover(void *system, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    static const char *const ping[] = {"PING", NULL};
    struct ActQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_act);
    mine->done = done;
    mine->data = data;
    say(mine, KNOWN_NO, "no Sentinel answers");
    ask_sentinels(&mine->question, take_ping, ping);
    question_go(&mine->question);
}

/* ---- snapshot ---- */

static bool again(struct Question *question);

static bool take_persistence(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActQuestion *mine = (struct ActQuestion *)question;
    char text[16] = "";
    if (answer->end != CALL_ANSWERED || answer->code != REDIS_VALUE)
        return say(mine, KNOWN_UNKNOWN, "the host no longer answers");
    if (!redis_info(answer->bytes, "rdb_bgsave_in_progress", text, sizeof(text)) ||
        !text_equal(text, "0")) {
        question_wait(question, SAVE_POLL_NS, again);
        return true;
    }
    if (!redis_info(answer->bytes, "rdb_last_bgsave_status", text, sizeof(text)) ||
        !text_equal(text, "ok"))
        return say(mine, KNOWN_NO, "Redis says rdb_last_bgsave_status:err; see its log");
    return say(mine, KNOWN_YES, "");
}

/* One that began before us, for a replica or by itself, holds less than is asked for: BGSAVE is
 * refused during it, and sent again after it. */
static bool take_bgsave(struct Question *question, size_t index, const struct Answer *answer)
{
    static const char *const info[] = {"INFO", "persistence", NULL};
    struct ActQuestion *mine = (struct ActQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        return say(mine, KNOWN_UNKNOWN, "the host does not answer");
    if (text_starts(answer->bytes, "Background saving started")) {
        mine->sent = true;
        say(mine, KNOWN_UNKNOWN, "the snapshot takes longer");
        ask_host(question, index, take_persistence, info);
        return true;
    }
    if (!text_starts(answer->bytes, "ERR Background save already in progress") &&
        !text_starts(answer->bytes, "ERR Another child process is active"))
        return say(mine, KNOWN_NO, answer->bytes);
    say(mine, KNOWN_NO, answer->bytes);
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

void sentinel_snapshot(void *system, const struct Target *host, struct Mono deadline,
                       void (*done)(void *data, enum Known saved, const char *why), void *data)
{
    const struct Sentinel *self = system;
    struct ActQuestion *mine = question_begin(system, sizeof(*mine), deadline, tell_act);
    mine->done = done;
    mine->data = data;
    say(mine, KNOWN_NO, "it is no host of the role");
    while (mine->host < self->role->host_count && self->role->hosts[mine->host] != host)
        mine->host++;
    if (mine->host < self->role->host_count)
        (void)again(&mine->question);
    question_go(&mine->question);
}
