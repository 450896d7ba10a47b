/* node.c - who we are on a host, what the host is, its lock, and plain work there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "node_guard.h"
#include "quote.h"

#define RUN_OUTPUT_MAX (64 * 1024)
#define LOCK_PATIENCE_NS (5 * NS_PER_S) /* the younger has yet to give back what it took */
#define LOCK_AGAIN_MS 100

/* By what we can do, not by the uid: in a user namespace root has another number. Who may do
 * nothing says who it is, what sudo said, and which `sh` sudo would find by the path it comes with.
 */
const char talk_who[] =
    "w=none; if [ -w /run ]; then w=direct; elif s=$(LC_ALL=C sudo -n sh -c : 2>&1); then w=sudo; "
    "fi; echo \"fd:who $w\"; echo \"fd:ssh ${SSH_CONNECTION:-}\"; [ \"$w\" != none ] || { "
    "echo \"fd:user $(id -un)\"; echo \"fd:uid $(id -u)\"; "
    "echo \"fd:sudo $(printf '%s\\n' \"$s\" | tail -n 1)\"; "
    "echo \"fd:sh $(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; "
    "command -v sh)\"; }; echo fd:end";

static void note_powerless(struct HostNode *node, const struct Buf *reply)
{
    reply_get(reply, "sudo", node->sudo_said, sizeof node->sudo_said);
    reply_get(reply, "sh", node->sh, sizeof node->sh);
    char uid[24] = "";
    if (!reply_get(reply, "user", node->user, sizeof node->user) ||
        !text_is_name(node->user, true)) { /* sudoers wants other names escaped, or the number */
        reply_get(reply, "uid", uid, sizeof uid);
        snprintf(node->user, sizeof node->user, "#%s", uid);
    }
}

/* Address and port come back only as we print them ourselves. */
static void note_connection(struct HostNode *node, char *connection)
{
    char *save = NULL;
    const char *words[4] = {NULL};
    unsigned char address[sizeof(struct in6_addr)];
    char *word = strtok_r(connection, " ", &save);
    for (int i = 0; i < 4 && word != NULL; i++, word = strtok_r(NULL, " ", &save))
        words[i] = word;
    int64_t port = 0;
    if (words[3] == NULL || !int_parse(words[3], &port, NULL) || port <= 0 || port > 65535)
        return;
    char peer[64];
    snprintf(peer, sizeof peer, "%.*s", (int)strcspn(words[0], "%"), words[0]);
    int family = strchr(peer, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, peer, address) != 1 ||
        inet_ntop(family, address, node->peer, sizeof node->peer) == NULL)
        return;
    if (text_starts(node->peer, "::ffff:") && strchr(node->peer, '.') != NULL) /* that is IPv4 */
        memmove(node->peer, node->peer + 7, strlen(node->peer + 7) + 1);
    snprintf(node->port, sizeof node->port, "%" PRId64, port);
    snprintf(node->own, sizeof node->own, "%.*s", (int)strcspn(words[2], "%"), words[2]);
}

struct HostNode *node_open(const struct Target *target, struct Mono deadline, struct Err *err)
{
    struct HostNode *node = mem_zero(1, sizeof *node);
    struct Buf reply = BUF(NODE_REPLY_MAX);
    char who[16] = "", connection[200] = "";
    node->target = target;
    node->session = target->reach->open(target->reach_config, target, deadline, err);
    void *channel = NULL;
    if (node->session != NULL && target->root != NULL) { /* as who we are, in a folder of ours */
        node->privilege = PRIVILEGE_DIRECT;
        buf_free(&reply);
        return node;
    }
    if (node->session != NULL)
        channel = target->reach->start(
            node->session, (const char *const[]){"sh", "-c", talk_who, NULL}, deadline, err);
    bool good =
        channel != NULL && talk_until(node, channel, NULL, &reply, deadline, err) == TALK_END;
    if (channel != NULL)
        target->reach->finish(channel);
    if (good) {
        reply_get(&reply, "who", who, sizeof who);
        reply_get(&reply, "ssh", connection, sizeof connection);
        note_connection(node, connection);
        if (strcmp(who, "direct") == 0)
            node->privilege = PRIVILEGE_DIRECT;
        else if (strcmp(who, "sudo") == 0)
            node->privilege = PRIVILEGE_SUDO;
        else
            note_powerless(node, &reply);
    }
    buf_free(&reply);
    if (good)
        return node;
    node_close(node);
    return NULL;
}

void node_close(struct HostNode *node)
{
    if (node == NULL)
        return;
    firings_lose(node);
    if (node->session != NULL)
        node->target->reach->close(node->session);
    mem_free(node);
}

const struct Target *node_target(const struct HostNode *node)
{
    return node->target;
}

bool node_reachable(const struct Target *target, struct Mono deadline, struct Err *err)
{
    void *session = target->reach->open(target->reach_config, target, deadline, err);
    if (session == NULL)
        return false;
    target->reach->close(session);
    return true;
}

static void ask_service(struct Buf *script, const struct Role *role)
{
    const struct Service *service = role != NULL ? &role->service : &(struct Service){.unit = NULL};
    const char *form = service->unit        ? "unit"
                       : service->pidfile   ? "pidfile"
                       : service->exe       ? "exe"
                       : service->container ? "container"
                                            : "none";
    const char *name = service->unit        ? service->unit
                       : service->pidfile   ? service->pidfile
                       : service->exe       ? service->exe
                       : service->container ? service->container
                                            : "";
    quote_assignment(script, "form", form);
    quote_assignment(script, "name", name);
    quote_assignment(script, "with", service->args != NULL ? service->args : "");
    buf_put(script, "only=\n");
}

static const char *known_missing(const struct HostNode *node, const struct Role *role,
                                 const struct HostFacts *facts, const char *told,
                                 struct Arena *arena)
{
    if (node->privilege == PRIVILEGE_NONE)
        return arena_printf(arena, "a way to be root (%s)",
                            node->sudo_said[0] != '\0' ? node->sudo_said : "sudo says nothing");
    if (*told != '\0')
        return arena_text(arena, told);
    if (role != NULL && role->service.unit != NULL && !facts->systemd)
        return arena_printf(arena, "systemd, which role '%s' names by its unit", role->name);
    return NULL;
}

const char *node_trace_ids(const struct Buf *reply, struct Arena *arena)
{
    struct Buf ids = BUF(4096);
    const char *at = NULL;
    for (char *line; (line = reply_next(reply, &at, "trace", arena)) != NULL;) {
        char *save = NULL;
        strtok_r(line, "\t", &save);
        const char *id = strtok_r(NULL, "\t", &save);
        if (id == NULL || strstr(ids.text, id) != NULL)
            continue;
        if (ids.size > 0)
            buf_char(&ids, ' ');
        buf_visible(&ids, id, strlen(id), false);
        strtok_r(NULL, "\t", &save);
        const char *who = strtok_r(NULL, "\t", &save);
        if (who == NULL)
            continue;
        buf_put(&ids, " of ");
        buf_visible(&ids, who, strlen(who), false);
    }
    const char *text = arena_text(arena, ids.text);
    buf_free(&ids);
    return text;
}

/* What the login user needs in sudoers, a line each. All that we do there is a script for this sh:
 * a narrower rule would only look safer. */
static const char *sudoers_lines(const struct HostNode *node, struct Arena *arena)
{
    if (node->privilege != PRIVILEGE_NONE)
        return NULL;
    const char *tty = strstr(node->sudo_said, " tty ") != NULL
                          ? arena_printf(arena, "\nDefaults:%s !requiretty", node->user)
                          : "";
    return arena_printf(arena, "%s ALL=(root) NOPASSWD: %s%s", node->user,
                        node->sh[0] == '/' ? node->sh : "/bin/sh", tty);
}

static const char *fact(const struct Buf *reply, const char *key, struct Arena *arena)
{
    char value[200] = "";
    reply_get(reply, key, value, sizeof value);
    return arena_text(arena, value);
}

static void read_filter(const struct Buf *reply, struct Arena *arena, struct HostFacts *facts)
{
    facts->nft = reply_get(reply, "nft", NULL, 0);
    facts->iptables = reply_get(reply, "iptables", NULL, 0);
    facts->no_filter = fact(reply, "no_filter", arena);
    facts->keepers = fact(reply, "keepers", arena);
}

static void read_traces(const struct Buf *reply, struct Arena *arena, struct HostFacts *facts)
{
    facts->traces = node_trace_ids(reply, arena);
    facts->unseen = fact(reply, "unseen", arena);
    reply_allow(reply, arena, facts);
}

static bool host_facts(struct HostNode *node, const struct Role *role, struct Mono deadline,
                       struct Arena *arena, struct HostFacts *out, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    struct HostFacts facts = {.host = node->target,
                              .asked = mono_now(),
                              .boot_id = "",
                              .machine_id_hash = "",
                              .main_pid = "",
                              .restart = "",
                              .traces = "",
                              .peer = arena_text(arena, node->peer),
                              .root = node->privilege != PRIVILEGE_NONE};
    bool good = true;
    if (facts.root) {
        ask_service(&script, role);
        talk_service(&script, role != NULL && role_is_run(role));
        buf_put(&script, files_sh);
        buf_put(&script, ask_sh);
        buf_put(&script, "facts\n");
        good = talk(node, &script, &reply, deadline, err);
    }
    if (good) {
        char told[400] = "";
        facts.boot_id = fact(&reply, "boot", arena);
        facts.machine_id_hash = fact(&reply, "machine", arena);
        facts.systemd = reply_get(&reply, "systemd", NULL, 0);
        facts.contained = reply_get(&reply, "contained", NULL, 0);
        facts.sysrq = reply_get(&reply, "sysrq", NULL, 0);
        if (!int_parse(fact(&reply, "panic", arena), &facts.panic_s, NULL))
            facts.panic_s = -1;
        facts.flock = reply_get(&reply, "flock", NULL, 0);
        read_filter(&reply, arena, &facts);
        facts.active = reply_get(&reply, "active", NULL, 0)     ? KNOWN_YES
                       : reply_get(&reply, "inactive", NULL, 0) ? KNOWN_NO
                                                                : KNOWN_UNKNOWN;
        int_parse(fact(&reply, "freezer", arena), &facts.freezer, NULL);
        facts.engine_starts = reply_get(&reply, "engine_starts", NULL, 0);
        char known[2000] = "";
        reply_get(&reply, "addresses", known, sizeof known);
        facts.addresses =
            arena_printf(arena, "%s%s%s", known, known[0] != '\0' ? " " : "", node->own);
        facts.main_pid = fact(&reply, "main", arena);
        facts.restart = fact(&reply, "restart", arena);
        read_traces(&reply, arena, &facts);
        reply_get(&reply, "missing", told, sizeof told);
        facts.missing = known_missing(node, role, &facts, told, arena);
        facts.sudoers = sudoers_lines(node, arena);
        *out = facts;
    }
    buf_free(&script);
    buf_free(&reply);
    return good;
}

bool node_facts(struct HostNode *node, const struct Role *role, struct Mono deadline,
                struct Arena *arena, struct HostFacts *out, struct Err *err)
{
    return role != NULL && role->service.pods != NULL
               ? pods_facts(node, role->service.pods, deadline, arena, out, err)
               : host_facts(node, role, deadline, arena, out, err);
}

bool node_names(struct HostNode *node, struct Named *named, struct Mono deadline,
                struct Arena *arena, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    char processes[4096] = "";
    quote_assignment(&script, "form", named->is_unit ? "unit" : "exe");
    quote_assignment(&script, "name", named->name);
    talk_service(&script, true);
    buf_put(&script, "names\n");
    bool good = talk(node, &script, &reply, deadline, err);
    if (good && !reply_get(&reply, "named", processes, sizeof processes))
        good =
            err_set(err, ERR_TARGET, node->target->where,
                    "'%s' does not say which processes '%s' are", node->target->name, named->name);
    named->processes = arena_text(arena, processes);
    int_parse(fact(&reply, "freezer", arena), &named->freezer, NULL);
    buf_free(&script);
    buf_free(&reply);
    return good;
}

enum Known node_serves(struct HostNode *node, const struct Role *role, struct Mono deadline,
                       struct Err *err)
{
    if (role != NULL && role->service.pods != NULL)
        return pods_serves(node, role->service.pods, deadline, err);
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    enum Known serves = KNOWN_UNKNOWN;
    ask_service(&script, role);
    talk_service(&script, role != NULL && role_is_run(role));
    buf_put(&script, "serves\n");
    if (talk(node, &script, &reply, deadline, err))
        serves = reply_get(&reply, "serves", NULL, 0) ? KNOWN_YES
                 : reply_get(&reply, "idle", NULL, 0) ? KNOWN_NO
                                                      : KNOWN_UNKNOWN;
    buf_free(&script);
    buf_free(&reply);
    return serves;
}

static bool lock_answer(const struct HostNode *node, const struct Buf *reply, struct Err *err)
{
    char holder[80] = "", who[160] = "", since[32] = "", ago[32] = "some time";
    int64_t centiseconds = 0;
    if (reply_get(reply, "locked", NULL, 0))
        return true;
    if (!reply_get(reply, "held", holder, sizeof holder))
        return err_set(err, ERR_TARGET, node->target->where, "cannot lock '%s': %s is not writable",
                       node->target->name, NODE_ROOT);
    reply_get(reply, "who", who, sizeof who);
    if (reply_get(reply, "since", since, sizeof since) && int_parse(since, &centiseconds, NULL))
        duration_say(centiseconds * 10 * NS_PER_MS, ago);
    err_set(err, ERR_LOCKED, node->target->where, "'%s' is locked by run %s of %s since %s",
            node->target->name, holder, who, ago);
    return err_hint(err, "Wait for it, halt it, or `faildrill undo %s` where it is gone.", holder);
}

/* Held by a run whose token was drawn later. */
static bool held_by_younger(const struct Buf *reply, const struct Token *ours)
{
    char holder[sizeof ours->text] = "";
    return reply_get(reply, "held", holder, sizeof holder) && strcmp(holder, ours->text) > 0;
}

/* Two runs that hold what the other one wants: the older waits, the younger goes at once and gives
 * back what it has. So one of them wins, whatever the order of their hosts. */
bool node_lock(struct HostNode *node, const struct NodeLock *lock, struct Mono deadline,
               struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    struct Mono patience = mono_add(mono_now(), LOCK_PATIENCE_NS);
    quote_assignment(&script, "FD_TOKEN", lock->token->text);
    quote_assignment(&script, "FD_WHO", lock->who);
    buf_printf(&script, "FD_LONGEST=%" PRId64 "\n", (int64_t)(lock->longest_ns / (10 * NS_PER_MS)));
    buf_put(&script, node_sh);
    buf_put(&script, drive_sh);
    buf_put(&script, "with_host lock_take\n");
    bool good = talk(node, &script, &reply, deadline, err);
    while (good && held_by_younger(&reply, lock->token) && mono_before(mono_now(), patience) &&
           mono_before(mono_now(), deadline)) {
        buf_clear(&reply);
        (void)poll(NULL, 0, LOCK_AGAIN_MS);
        good = talk(node, &script, &reply, deadline, err);
    }
    good = good && lock_answer(node, &reply, err);
    buf_free(&script);
    buf_free(&reply);
    return good;
}

bool node_unlock(struct HostNode *node, const struct Token *token, struct Mono deadline,
                 struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    quote_assignment(&script, "FD_TOKEN", token->text);
    buf_put(&script, node_sh);
    buf_put(&script, drive_sh);
    buf_put(&script, "with_host lock_give\n");
    bool good = talk(node, &script, &reply, deadline, err);
    if (good && !reply_get(&reply, "unlocked", NULL, 0))
        good = err_set(err, ERR_TARGET, node->target->where, "cannot remove the lock of '%s'",
                       node->target->name);
    buf_free(&script);
    buf_free(&reply);
    return good;
}
