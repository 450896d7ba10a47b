/* redis_alone_switch.c - a primary that runs hands over to a replica of it, by Redis' FAILOVER. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "redis_alone.h"
#include "rejoin.h"

static const char switch_sh[] = {
#include "runner/systems/redis_host.sh.h"
#include "runner/systems/redis_alone_switch.sh.h"
    0};

/* The host stops waiting so long before we do. */
#define SPARE_NS (3 * NS_PER_S)
/* With less time than that, none is begun. */
#define SWITCH_LEAST_NS (15 * NS_PER_S)
#define LOOK_NS (20 * NS_PER_S)

/* ---- who, and to whom ---- */

size_t alone_primary(const struct Role *role, const struct HostLook *hosts,
                     const struct FailoverWish *wish)
{
    size_t primary = role->host_count, primaries = 0;
    for (size_t n = 0; n < role->host_count; n++)
        if (hosts[n].leads) {
            primary = n;
            primaries++;
        }
    return primaries == 1 && !wish->forced ? primary : role->host_count;
}

/* A host that says nothing may be a second primary, or have been told to follow another. */
static bool speaks_against(const struct Role *role, const struct HostLook *hosts, size_t primary,
                           char *why, size_t size)
{
    for (size_t n = 0; n < role->host_count; n++)
        if (!hosts[n].answered) {
            snprintf(why, size, "%.60s does not answer%s%.80s", role->hosts[n]->name,
                     hosts[n].error[0] != '\0' ? ": it says " : "", hosts[n].error);
            return true;
        }
    const char *name = role->hosts[primary]->name, *moves = hosts[primary].moves;
    if (moves[0] == '\0')
        snprintf(why, size,
                 "Redis on %.60s is older than 6.2 and cannot hand over: stop it or kill it first",
                 name);
    else if (!text_equal(moves, "no-failover"))
        snprintf(why, size, "%.60s is failing over already: %.31s", name, moves);
    return why[0] != '\0';
}

size_t alone_heir(const struct Role *role, const struct HostLook *hosts, size_t primary,
                  const struct FailoverWish *wish, char *why, size_t size)
{
    size_t best = role->host_count;
    why[0] = '\0';
    if (speaks_against(role, hosts, primary, why, size))
        return best;
    for (size_t n = 0; n < role->host_count; n++)
        if (hosts[n].promotable && hosts[n].linked && hosts[n].follows == primary &&
            (wish->to != NULL ? role->hosts[n] == wish->to
                              : best == role->host_count || hosts[n].offset > hosts[best].offset))
            best = n;
    if (best == role->host_count && wish->to != NULL)
        snprintf(why, size, "%.60s is no linked replica of %.60s that may lead", wish->to->name,
                 role->hosts[primary]->name);
    else if (best == role->host_count)
        snprintf(why, size, "%.60s has no linked replica that may lead",
                 role->hosts[primary]->name);
    return best;
}

/* ---- on the host of the primary ---- */

/* Its file is root's or its own to read, so as root where we may be. */
static const char unfold_sh[] =
    "t=$(printf %b \"$1\"); shift; "
    "if [ -w /run ] || ! sudo -n sh -c : 2>/dev/null; then exec sh -c \"$t\" redis \"$t\" \"$@\"; "
    "fi; exec sudo -n sh -c \"$t\" redis \"$t\" \"$@\"";

static void send(struct FailoverQuestion *mine, const char *verb, int64_t limit_ns, PartFn *fn)
{
    struct Alone *system = (struct Alone *)mine->act.question.system;
    const struct Role *role = system->redis.role;
    const struct RedisAccess *access = system->redis.access;
    struct Buf script = BUF(24 * 1024);
    char seconds[24], port[24], limit_ms[24];
    const char *argv[16 + ALONE_HOSTS_MAX] = {"sh", "-c", unfold_sh, "faildrill"};
    size_t count = 4;
    remote_fold(rejoin_script(switch_sh), &script);
    snprintf(seconds, sizeof(seconds), "%lld", (long long)((limit_ns - SPARE_NS) / NS_PER_S));
    snprintf(port, sizeof(port), "%lld", (long long)access->port);
    snprintf(limit_ms, sizeof(limit_ms), "%d", HAND_OVER_MS);
    const char *const words[] = {script.text,
                                 verb,
                                 target_address(role->hosts[mine->primary]),
                                 port,
                                 access->config_file,
                                 access->tls ? "tls" : "",
                                 seconds,
                                 limit_ms,
                                 target_address(role->hosts[mine->best])};
    for (size_t n = 0; n < COUNT_OF(words); n++)
        argv[count++] = words[n];
    for (size_t n = 0; n < role->host_count; n++)
        if (n != mine->primary)
            argv[count++] = target_address(role->hosts[n]);
    ask_remote(&mine->act.question, system->remote,
               &(struct PartOf){.fn = fn, .index = mine->primary}, argv,
               mono_add(mono_now(), limit_ns));
    buf_free(&script);
}

/* "HEAD: WHY" of the host, without its line's end. */
static bool says(const char *said, const char *head, char why[200])
{
    if (!text_starts(said, head))
        return false;
    said += strlen(head);
    snprintf(why, 200, "%.*s", (int)strcspn(said, "\r\n"), said);
    return true;
}

enum Known alone_switched(const struct Answer *answer, char why[200])
{
    const char *said = answer->bytes;
    why[0] = '\0';
    if (answer->end != CALL_ANSWERED || answer->code != 0) {
        snprintf(why, 200, "it was sent, and the host's answer is not known");
        return KNOWN_UNKNOWN;
    }
    if (text_starts(said, "switched") || says(said, "incomplete: ", why))
        return KNOWN_YES;
    if (says(said, "refused: ", why))
        return KNOWN_NO;
    if (!says(said, "failed: ", why))
        snprintf(why, 200, "the host does not say how it ended");
    return KNOWN_UNKNOWN;
}

bool alone_is_moved(const struct FailoverQuestion *mine, size_t host)
{
    const struct HostLook *look = &mine->hosts[host];
    return host == mine->primary ||
           (host != mine->best && look->linked && look->follows == mine->primary);
}

static void let_follow(struct FailoverQuestion *mine)
{
    const struct Role *role = mine->act.question.system->role;
    bool followers[ALONE_HOSTS_MAX] = {false};
    for (size_t n = 0; n < role->host_count; n++)
        followers[n] = alone_is_moved(mine, n);
    alone_let_follow((struct Alone *)mine->act.question.system, mine->best, followers);
}

static bool take_switched(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    struct Alone *system = (struct Alone *)question->system;
    char why[200];
    (void)index;
    enum Known switched = alone_switched(answer, why);
    if (switched == KNOWN_YES) {
        snprintf(system->unwritten, sizeof(system->unwritten), "%s", why);
        let_follow(mine);
    }
    return act_say(&mine->act, switched, switched == KNOWN_YES ? "" : why);
}

/* Looked and sent are two calls: what a halt, or our end, finds looking is not begun. */
static bool take_ready(struct Question *question, size_t index, const struct Answer *answer)
{
    struct FailoverQuestion *mine = (struct FailoverQuestion *)question;
    int64_t left_ns = mono_since(mono_now(), mine->deadline);
    char why[200] = "the host of the primary does not say whether it could hand over";
    (void)index;
    bool said = answer->end == CALL_ANSWERED && answer->code == 0;
    if (!said || !text_starts(answer->bytes, "ready")) {
        if (said)
            (void)says(answer->bytes, "refused: ", why);
        return act_say(&mine->act, KNOWN_NO, why);
    }
    if (left_ns < SWITCH_LEAST_NS)
        return act_say(&mine->act, KNOWN_NO, "the look at the hosts took too long");
    (void)act_say(&mine->act, KNOWN_UNKNOWN, "");
    send(mine, "switch", left_ns, take_switched);
    return true;
}

bool alone_hand_over(struct FailoverQuestion *mine)
{
    const struct Role *role = mine->act.question.system->role;
    char why[200];
    mine->best = alone_heir(role, mine->hosts, mine->primary, &mine->wish, why, sizeof(why));
    if (mine->best == role->host_count)
        return act_say(&mine->act, KNOWN_NO, why);
    mine->act.question.deadline = mine->deadline;
    (void)act_say(&mine->act, KNOWN_NO, "the host of the primary does not answer");
    send(mine, "look", LOOK_NS, take_ready);
    return true;
}
