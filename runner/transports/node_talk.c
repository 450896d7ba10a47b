/* node_talk.c - how the files of node.h talk with a host: scripts out, lines back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node_talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "quote.h"

const char node_sh[] = {
#include "runner/transports/node.sh.h"
#include "runner/transports/family.sh.h"
    0};
const char drive_sh[] = {
#include "runner/transports/drive.sh.h"
#include "runner/transports/allow.sh.h"
    0};
const char ask_sh[] = {
#include "runner/transports/ask.sh.h"
#include "runner/transports/ask_chains.sh.h"
#include "runner/transports/chains.sh.h"
#include "runner/transports/allow.sh.h"
    0};
const char strike_sh[] = {
#include "runner/transports/strike.sh.h"
#include "runner/transports/allow.sh.h"
    0};

/* Reads as many bytes as were announced and runs them only if the last line is there: a script that
 * was cut off never runs by half. Its commands read /dev/null; 3 stays with the sender. */
const char talk_boot[] =
    "s=$(head -c \"$1\"); case $s in *\"#end $2\") exec 3<&0 </dev/null; eval \"$s\";; "
    "*) echo \"the script was cut off\" >&2; exit 97;; esac";

void talk_fault(struct Buf *script, const struct Token *token, uint32_t number)
{
    char id[64];
    snprintf(id, sizeof id, "%s_%" PRIu32, token->text, number);
    quote_assignment(script, "FD_ID", id);
    buf_printf(script, "FD_DIR=${FD_ROOT:-%s}/%s\n", NODE_ROOT, id);
}

static void no_privilege(const struct HostNode *node, struct Err *err)
{
    err_set(err, ERR_TARGET, node->target->where, "cannot become root on '%s'", node->target->name);
    err_hint(err, "`faildrill doctor` prints what its sudoers must say.");
}

static bool send_script(struct HostNode *node, void *channel, const struct Buf *script,
                        struct Mono deadline, struct Err *err)
{
    const struct TransportKind *reach = node->target->reach;
    if (script->cut)
        return err_set(err, ERR_OWN, node->target->where, "a script of more than %d bytes",
                       NODE_SCRIPT_MAX);
    return reach->write(channel, script->text, script->size, deadline, err);
}

/* Here, on the runner's machine, with no more than a home, a path and the way to clusters: what the
 * runner sends and what the guard does later must find the same. */
static void *start_shell(struct HostNode *node, const char *size, const char *hash,
                         struct Mono deadline, struct Err *err)
{
    const struct TransportKind *reach = node->target->reach;
    const char *argv[] = {"sudo", "-n", "sh", "-c", talk_boot, "fd", size, hash, NULL};
    if (node->target->root == NULL)
        return reach->start(node->session, node->privilege == PRIVILEGE_SUDO ? argv : argv + 2,
                            deadline, err);
    char home[4096], path[4096], clusters[4096];
    snprintf(home, sizeof home, "HOME=%s", getenv("HOME") ? getenv("HOME") : "/");
    snprintf(path, sizeof path, "PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    snprintf(clusters, sizeof clusters, "KUBECONFIG=%s",
             getenv("KUBECONFIG") ? getenv("KUBECONFIG") : "");
    const char *here[] = {"env", "-i",      home, path, clusters, "sh",
                          "-c",  talk_boot, "fd", size, hash,     NULL};
    return reach->start(node->session, here, deadline, err);
}

void *talk_start(struct HostNode *node, const struct Buf *body, struct Mono deadline,
                 struct Err *err)
{
    const struct TransportKind *reach = node->target->reach;
    struct Buf script = BUF(NODE_SCRIPT_MAX);
    char hash[65], size[24];
    if (node->privilege == PRIVILEGE_NONE) {
        no_privilege(node, err);
        return NULL;
    }
    quote_assignment(&script, "FD_ROOT", node->target->root != NULL ? node->target->root : "");
    quote_assignment(&script, "FD_PEER", node->peer);
    quote_assignment(&script, "FD_PORT", node->port);
    buf_add(&script, body->text, body->size);
    hash_hex(script.text, script.size, hash);
    hash[16] = '\0';
    script.cut |= body->cut;
    buf_printf(&script, "echo fd:end\n#end %s", hash);
    snprintf(size, sizeof size, "%zu", script.size);
    void *channel = start_shell(node, size, hash, deadline, err);
    if (channel != NULL && !send_script(node, channel, &script, deadline, err)) {
        reach->finish(channel);
        channel = NULL;
    }
    buf_free(&script);
    return channel;
}

/* Lines begin at the start of the reply or behind a newline, and are whole. */
static const char *line_find(const struct Buf *reply, const char *from, const char *key)
{
    char start[64];
    int length = snprintf(start, sizeof start, "fd:%s", key);
    for (const char *at = from; (at = strstr(at, start)) != NULL; at += length) {
        char after = at[length];
        bool begins = at == reply->text || at[-1] == '\n';
        if (begins && (after == ' ' || after == '\t' || after == '\n') && strchr(at, '\n') != NULL)
            return at + length;
    }
    return NULL;
}

/* The script ended without its last word: what it, or sudo, or the shell said is the reason. */
static void broken_off(struct HostNode *node, void *channel, struct Mono deadline, struct Err *err)
{
    struct Buf errors = BUF(4096), seen = BUF(1024);
    int status = -1;
    struct Err ignored;
    if (node->target->reach->status(channel, &status, &errors, deadline, &ignored)) {
        const char *line = errors.text + strspn(errors.text, "\r\n");
        buf_visible(&seen, line, strcspn(line, "\r\n"), false);
    }
    err_set(err, ERR_TARGET, node->target->where, "'%s' broke off with status %d: %s",
            node->target->name, status, seen.size > 0 ? seen.text : "it said nothing");
    if (strstr(seen.text, "sudo") != NULL)
        err_hint(err, "`faildrill doctor` prints what its sudoers must say.");
    buf_free(&errors);
    buf_free(&seen);
}

enum Talk talk_until(struct HostNode *node, void *channel, const char *word, struct Buf *reply,
                     struct Mono deadline, struct Err *err)
{
    for (;;) {
        bool ended = false;
        if (word != NULL && line_find(reply, reply->text, word) != NULL)
            return TALK_WORD;
        if (line_find(reply, reply->text, "end") != NULL)
            return TALK_END;
        if (reply->cut) {
            err_set(err, ERR_TARGET, node->target->where, "'%s' answers more than %zu bytes",
                    node->target->name, reply->max);
            return TALK_BROKEN;
        }
        if (!node->target->reach->read(channel, reply, &ended, deadline, err))
            return TALK_BROKEN;
        if (ended && line_find(reply, reply->text, "end") == NULL) {
            broken_off(node, channel, deadline, err);
            return TALK_BROKEN;
        }
    }
}

bool talk(struct HostNode *node, const struct Buf *body, struct Buf *reply, struct Mono deadline,
          struct Err *err)
{
    void *channel = talk_start(node, body, deadline, err);
    if (channel == NULL)
        return false;
    bool good = talk_until(node, channel, NULL, reply, deadline, err) == TALK_END;
    node->target->reach->finish(channel);
    return good;
}

bool reply_get(const struct Buf *reply, const char *key, char *out, size_t size)
{
    const char *value = line_find(reply, reply->text, key);
    if (value == NULL)
        return false;
    if (out != NULL) {
        struct Buf seen = BUF(size);
        value += strspn(value, " ");
        buf_visible(&seen, value, strcspn(value, "\n"), false);
        while (seen.size > 0 && seen.text[seen.size - 1] == ' ')
            seen.text[--seen.size] = '\0';
        snprintf(out, size, "%s", seen.text);
        buf_free(&seen);
    }
    return true;
}

char *reply_next(const struct Buf *reply, const char **at, const char *key, struct Arena *arena)
{
    const char *value = line_find(reply, *at == NULL ? reply->text : *at, key);
    if (value == NULL)
        return NULL;
    size_t size = strcspn(value + 1, "\n");
    *at = value + 1 + size;
    return *value == '\n' ? arena_text(arena, "") : arena_bytes(arena, value + 1, size);
}

bool reply_allowed(const struct HostNode *node, const struct Buf *reply, enum ErrCode code,
                   const char *what, struct Err *err)
{
    char why[320];
    if (!reply_get(reply, "refused", why, sizeof why))
        return true;
    return err_set(err, code, node->target->where, "'%s' refused to %s: %s", node->target->name,
                   what, why);
}
