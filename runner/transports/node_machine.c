/* node_machine.c - faults that take the whole host, sent over our link. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node_guard.h"
#include "quote.h"

struct Firing *node_strike_ready(struct HostNode *node, const char *strike, const char *boot_id,
                                 const char *allow, struct Mono deadline, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX);
    quote_assignment(&script, "FD_ALLOW", allow != NULL ? allow : "");
    quote_assignment(&script, "FD_BOOT", boot_id);
    quote_assignment(&script, "FD_STRIKE", strike);
    buf_printf(&script, "FD_WAITS=%" PRId64 "\n", (int64_t)(STRIKE_WAITS_NS / (10 * NS_PER_MS)));
    buf_put(&script, node_sh);
    buf_put(&script, strike_sh);
    buf_put(&script, "strike\n");
    struct Firing *firing = firing_start(node, &script, deadline, err);
    buf_free(&script);
    return firing;
}

enum Effect node_strike(struct Firing *firing, struct Mono deadline, struct Mono *sent,
                        struct Err *err)
{
    struct HostNode *node = firing->node;
    char applied[16] = "", said[320] = "";
    struct Err lost; /* that the link goes is what is meant */
    *sent = mono_now();
    if (node == NULL) {
        err_set(err, ERR_NOT_READY, NOWHERE, "the connection was lost before it was sent");
        return EFFECT_NONE;
    }
    if (!node->target->reach->write(firing->channel, "go\n", 3, deadline, &lost))
        return EFFECT_UNKNOWN;
    (void)talk_until(node, firing->channel, NULL, &firing->reply, deadline, &lost);
    if (!reply_allowed(node, &firing->reply, ERR_NOT_READY, "fire", err))
        return EFFECT_NONE;
    reply_get(&firing->reply, "said", said, sizeof said);
    if (reply_get(&firing->reply, "applied", applied, sizeof applied) && strcmp(applied, "0") != 0)
        err_set(err, ERR_UNPROVEN, node->target->where, "applying on '%s' ended with status %s: %s",
                node->target->name, applied, said);
    return EFFECT_UNKNOWN;
}

bool node_boot_id(struct HostNode *node, char out[64], struct Mono deadline, struct Err *err)
{
    struct Buf script = BUF(1024), reply = BUF(NODE_REPLY_MAX);
    buf_put(&script, "read -r boot </proc/sys/kernel/random/boot_id\necho \"fd:boot $boot\"\n");
    bool good = talk(node, &script, &reply, deadline, err);
    if (good && !reply_get(&reply, "boot", out, 64))
        good = err_set(err, ERR_TARGET, node->target->where, "'%s' did not say which boot it is",
                       node->target->name);
    buf_free(&script);
    buf_free(&reply);
    return good;
}
