/* node_pods.c - pods of a cluster, asked by kubectl on this machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/duration.h"
#include "node_talk.h"
#include "quote.h"

static void put_pods(struct Buf *script, const struct Pods *pods, const struct Target *pod,
                     const char *verb)
{
    quote_assignment(script, "context", pods->context);
    quote_assignment(script, "space", pods->space);
    quote_assignment(script, "selector", pods->selector);
    quote_assignment(script, "name", pod->name);
    quote_assignment(script, "uid", pod->uid != NULL ? pod->uid : "");
    buf_put(script, node_sh);
    buf_put(script, pods_sh);
    buf_printf(script, "%s\n", verb);
}

static bool ask(struct HostNode *node, const struct Pods *pods, const char *verb,
                struct Mono deadline, struct Buf *reply, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX);
    char why[300];
    put_pods(&script, pods, node->target, verb);
    bool good = talk(node, &script, reply, deadline, err);
    buf_free(&script);
    if (good && reply_get(reply, "unknown", why, sizeof why)) {
        good = err_set(err, ERR_NOT_READY, node->target->where, "%s", why);
        err_hint(err, "kubectl --context=%s --namespace=%s get pods --selector=%s", pods->context,
                 pods->space, pods->selector);
    }
    return good;
}

bool pods_list(struct HostNode *node, const struct Pods *pods, struct Mono deadline,
               struct Arena *arena, struct List *out, struct Err *err)
{
    struct Buf reply = BUF(NODE_REPLY_MAX);
    const char *at = NULL;
    bool good = ask(node, pods, "pods_all", deadline, &reply, err);
    for (char *line; good && (line = reply_next(&reply, &at, "pod", arena)) != NULL;) {
        char *save = NULL;
        struct PodRow row = {.name = strtok_r(line, " ", &save)};
        row.uid = strtok_r(NULL, " ", &save);
        row.address = strtok_r(NULL, " ", &save);
        if (row.address != NULL)
            *(struct PodRow *)list_add(out, arena, sizeof row) = row;
    }
    buf_free(&reply);
    return good;
}

bool pods_facts(struct HostNode *node, const struct Pods *pods, struct Mono deadline,
                struct Arena *arena, struct HostFacts *out, struct Err *err)
{
    struct Buf reply = BUF(NODE_REPLY_MAX);
    char boot[64] = "", missing[200] = "", ready[24] = "";
    bool good = ask(node, pods, "pods_facts", deadline, &reply, err);
    if (good) {
        reply_get(&reply, "boot", boot, sizeof boot);
        reply_get(&reply, "missing", missing, sizeof missing);
        reply_get(&reply, "ready", ready, sizeof ready);
        *out = (struct HostFacts){.host = node->target,
                                  .asked = mono_now(),
                                  .boot_id = arena_text(arena, boot),
                                  .machine_id_hash = "",
                                  .peer = "",
                                  .main_pid = "",
                                  .restart = "",
                                  .addresses = "",
                                  .unseen = "",
                                  .root = true,
                                  .flock = true,
                                  .panic_s = -1};
        out->traces = node_trace_ids(&reply, arena);
        out->missing = missing[0] != '\0' ? arena_text(arena, missing) : NULL;
        out->active = reply_get(&reply, "serves", NULL, 0) ? KNOWN_YES : KNOWN_NO;
        out->engine_starts = reply_get(&reply, "replaced", NULL, 0);
        out->pod_has_name = reply_get(&reply, "stateful", NULL, 0);
        if (!int_parse(ready, &out->pods_ready, NULL))
            out->pods_ready = 0;
    }
    buf_free(&reply);
    return good;
}

enum Known pods_serves(struct HostNode *node, const struct Pods *pods, struct Mono deadline,
                       struct Err *err)
{
    struct Buf reply = BUF(NODE_REPLY_MAX);
    enum Known serves = KNOWN_UNKNOWN;
    if (ask(node, pods, "pods_answer", deadline, &reply, err))
        serves = reply_get(&reply, "serves", NULL, 0) ? KNOWN_YES : KNOWN_NO;
    buf_free(&reply);
    return serves;
}

void pods_scan_script(struct Buf *script)
{
    buf_put(script, node_sh);
    buf_put(script, pods_sh);
    buf_put(script, "pods_traces\n");
}
