/* sentinel_act.c - a planned failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "sentinel.h"

static bool take_failover(struct Question *question, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActQuestion *mine = (struct ActQuestion *)question;
    if (answer->end != CALL_ANSWERED)
        return act_say(mine, KNOWN_UNKNOWN, "it was sent, and the Sentinel did not answer");
    if (answer->code == REDIS_VALUE && text_equal(answer->bytes, "OK"))
        return act_say(mine, KNOWN_YES, "");
    return act_say(mine, KNOWN_NO, answer->bytes);
}

/* Sent to one Sentinel only, the first that shows that it answers: a second one could start a
 * second failover. */
static bool take_ping(struct Question *question, size_t index, const struct Answer *answer)
{
    struct ActQuestion *mine = (struct ActQuestion *)question;
    const char *const words[] = {"SENTINEL", "FAILOVER", sentinel_of(question)->config->master,
                                 NULL};
    if (mine->sent || answer->end != CALL_ANSWERED)
        return true;
    if (!text_equal(answer->bytes, "PONG")) {
        act_say(mine, KNOWN_NO, answer->bytes);
        return true;
    }
    mine->sent = true;
    act_say(mine, KNOWN_UNKNOWN, "");
    ask_sentinel(question, index, take_failover, words);
    return true;
}

void sentinel_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    (void)wish; /* this one asks nobody whether the primary is well: it is forced anyway */
    static const char *const ping[] = {"PING", NULL};
    struct ActQuestion *mine = act_begin(system, sizeof(*mine), deadline, done, data);
    act_say(mine, KNOWN_NO, "no Sentinel answers");
    ask_sentinels(&mine->question, take_ping, ping);
    question_go(&mine->question);
}
