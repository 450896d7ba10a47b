/* node_delay.c - asks a host whether it can delay packets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node_talk.h"

static const char ask_delay_sh[] = {
#include "runner/transports/ask_delay.sh.h"
    0};

bool node_delays(struct HostNode *node, struct Mono deadline, struct Arena *arena,
                 struct HostFacts *facts, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    char why[400] = "", root[200] = "";
    buf_put(&script, node_sh);
    buf_put(&script, ask_delay_sh);
    buf_put(&script, "delays\n");
    bool good = talk(node, &script, &reply, deadline, err);
    if (good) {
        facts->netem = reply_get(&reply, "netem", NULL, 0);
        facts->tun = reply_get(&reply, "line", NULL, 0);
        if (!facts->netem && !facts->tun && !reply_get(&reply, "no_delay", why, sizeof why))
            snprintf(why, sizeof why, "it did not say why");
        reply_get(&reply, "root", root, sizeof root);
        facts->no_delay = why[0] != '\0' ? arena_text(arena, why) : NULL;
        facts->root_qdisc = arena_text(arena, root);
    }
    buf_free(&script);
    buf_free(&reply);
    return good;
}
