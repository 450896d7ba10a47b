/* repmgr_act.c - a planned switchover by repmgr itself, and how a former primary is taken back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "rejoin.h"
#include "repmgr.h"

static const char host_sh[] = {
#include "runner/systems/repmgr_host.sh.h"
    0};

/* A host that is silent for so long is not waited for. */
#define LOOK_NS (2 * NS_PER_S)
/* The host stops waiting so long before we do. */
#define SPARE_NS (3 * NS_PER_S)
/* With less time than that, none is begun. */
#define SWITCH_LEAST_NS (10 * NS_PER_S)
enum { REGISTER_MOST_S = 20 };
/* Its peers say `replica` until repmgrd's last look, its election and its promote_command are over:
 * a primary that is back in the midst of that is looked after for so long. */
enum { ELECTION_S = 20 };

/* ---- who takes over ---- */

static bool speaks_against(const struct Role *role, const struct HostLook *hosts, size_t *primary,
                           char *why, size_t size)
{
    size_t primaries = 0;
    *primary = role->host_count;
    for (size_t n = 0; n < role->host_count; n++) {
        if (!hosts[n].answered) {
            snprintf(why, size, "%.100s does not answer%s%.100s", role->hosts[n]->name,
                     hosts[n].error[0] != '\0' ? ": it says " : "", hosts[n].error);
            return true;
        }
        if (hosts[n].replica)
            continue;
        primaries++;
        *primary = n;
    }
    if (primaries != 1)
        snprintf(why, size, "%zu hosts say that they are the primary", primaries);
    return primaries != 1;
}

size_t repmgr_choose(const struct Role *role, const struct HostLook *hosts,
                     const struct FailoverWish *wish, char *why, size_t size)
{
    size_t primary, best = role->host_count;
    why[0] = '\0';
    if (wish->forced) {
        snprintf(why, size, "repmgr's switchover is never forced: it stops the primary first");
        return best;
    }
    if (speaks_against(role, hosts, &primary, why, size))
        return best;
    for (size_t n = 0; n < role->host_count; n++)
        if (hosts[n].replica && hosts[n].receives &&
            (wish->to != NULL
                 ? role->hosts[n] == wish->to
                 : best == role->host_count || hosts[n].location > hosts[best].location))
            best = n;
    if (best == role->host_count && wish->to != NULL)
        snprintf(why, size, "%.100s does not follow the primary", wish->to->name);
    else if (best == role->host_count)
        snprintf(why, size, "no replica follows the primary");
    return best;
}

/* "refused: WHY" of the host, without its line's end. */
static bool says_refused(const char *said, char *why, size_t size)
{
    static const char head[] = "refused: ";
    if (!text_starts(said, head))
        return false;
    said += strlen(head);
    snprintf(why, size, "repmgr: %.*s", (int)strcspn(said, "\r\n"), said);
    return true;
}

bool repmgr_is_ready(const struct Answer *answer, char *why, size_t size)
{
    bool said = answer->end == CALL_ANSWERED && answer->code == 0;
    if (said && text_starts(answer->bytes, "ready"))
        return true;
    if (!said || !says_refused(answer->bytes, why, size))
        snprintf(why, size, "repmgr's look at the hosts gave no answer: nothing was begun");
    return false;
}

enum Known repmgr_switched(const struct Answer *answer, char *why, size_t size)
{
    const char *said = answer->bytes;
    snprintf(why, size, "%s", "");
    if (answer->end != CALL_ANSWERED || answer->code != 0) {
        snprintf(why, size, "it was sent, and the host's answer is not known");
        return KNOWN_UNKNOWN;
    }
    if (text_starts(said, "paused: ")) {
        said += strlen("paused: ");
        snprintf(why, size, "it %.*s; and repmgrd may be paused: `repmgr service unpause`",
                 (int)strcspn(said, "\r\n"), said);
        return KNOWN_UNKNOWN;
    }
    if (text_starts(said, "switched") || text_starts(said, "incomplete"))
        return KNOWN_YES;
    if (says_refused(said, why, size))
        return KNOWN_NO;
    if (text_starts(said, "runs"))
        snprintf(why, size, "repmgr's switchover still runs");
    else
        snprintf(why, size, "repmgr's switchover %.*s", (int)strcspn(said, "\r\n"), said);
    return KNOWN_UNKNOWN;
}

/* ---- the switchover ---- */

struct ActAsk {
    struct Look look; /* first */
    struct FailoverWish wish;
    enum Known answer;
    char why[300];
    void (*done)(void *data, enum Known accepted, const char *why);
    void *data;
};

static void tell_act(struct Ask *ask)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    mine->done(mine->data, mine->answer, mine->why);
}

static bool take_switched(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    (void)index;
    mine->answer = repmgr_switched(answer, mine->why, sizeof(mine->why));
    return false;
}

static const char unfold_sh[] = "t=$(printf %b \"$1\"); shift; eval \"$t\"";

static void send(struct ActAsk *mine, size_t host, const char *verb, AskFn *fn)
{
    int64_t left_ns = mono_since(mono_now(), mine->look.ask.deadline) - SPARE_NS;
    struct Repmgr *system = (struct Repmgr *)mine->look.system;
    struct AskPart *part = ask_part(&mine->look.ask, host, fn);
    struct Buf script = BUF(16 * 1024);
    char seconds[24];
    remote_fold(rejoin_script(host_sh), &script);
    snprintf(seconds, sizeof(seconds), "%lld", (long long)(left_ns / NS_PER_S));
    const char *const argv[] = {
        "sh", "-c", unfold_sh, "repmgr", script.text, verb, system->config->file, seconds, NULL};
    part->call = remote_call(mine->look.system->remote, host, argv, mine->look.ask.deadline,
                             ask_answered, part);
    buf_free(&script);
}

/* Looked and sent are two calls: what a halt, or our end, finds looking is not begun. */
static bool take_ready(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (!repmgr_is_ready(answer, mine->why, sizeof(mine->why)))
        return false;
    if (mono_since(mono_now(), ask->deadline) < SWITCH_LEAST_NS) {
        snprintf(mine->why, sizeof(mine->why), "repmgr's look at the hosts took too long");
        return false;
    }
    mine->answer = KNOWN_UNKNOWN;
    send(mine, index, "switch", take_switched);
    return true;
}

static bool take_looks(struct Look *look, size_t host)
{
    struct ActAsk *mine = (struct ActAsk *)look;
    const struct Role *role = look->system->role;
    (void)host;
    if (look->over < role->host_count)
        return true;
    size_t chosen = repmgr_choose(role, look->hosts, &mine->wish, mine->why, sizeof(mine->why));
    if (chosen == role->host_count)
        return false;
    send(mine, chosen, "look", take_ready);
    return true;
}

void repmgr_failover(void *data, const struct FailoverWish *wish, struct Mono deadline,
                     void (*done)(void *data, enum Known accepted, const char *why),
                     void *done_data)
{
    struct ActAsk *mine = look_begin(data, sizeof(*mine), deadline, tell_act);
    mine->wish = *wish;
    mine->look.more = take_looks;
    mine->answer = KNOWN_NO;
    mine->done = done;
    mine->data = done_data;
    snprintf(mine->why, sizeof(mine->why), "no PostgreSQL answers");
    look_at_all(&mine->look, mono_min(mono_add(mono_now(), LOOK_NS), deadline));
    ask_go(&mine->look.ask);
}

/* ---- a former primary ---- */

bool repmgr_plan_rejoin(const void *data, const struct PlanInput *input, struct Arena *arena,
                        struct Commands *out, struct Err *err)
{
    const struct RepmgrConfig *config = data;
    struct Commands first, then;
    (void)err;
    postgres_plan_watched(&config->postgres, input, ELECTION_S, arena, &first);
    *out = first;
    if (first.count == 0)
        return true;
    const char *const words[] = {"register", config->file};
    rejoin_plan(&(struct Rejoin){.script = rejoin_script(host_sh),
                                 .what = "repmgr knows it as what it is",
                                 .words = words,
                                 .word_count = COUNT_OF(words),
                                 .timeout_ns = REGISTER_MOST_S * NS_PER_S},
                arena, &then);
    struct Command *both = arena_zero(arena, 2, sizeof(*both));
    both[0] = first.at[0];
    both[1] = then.at[0];
    *out = (struct Commands){.at = both, .count = 2};
    return true;
}
