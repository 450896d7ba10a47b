/* node_fire.c - a script that waits for one line, then applies the fault and proves it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node_guard.h"

struct Firing *firing_start(struct HostNode *node, const struct Buf *script, struct Mono deadline,
                            struct Err *err)
{
    struct Firing *firing = mem_zero(1, sizeof *firing);
    firing->node = node;
    firing->next = node->firings;
    node->firings = firing;
    firing->reply = BUF(NODE_REPLY_MAX);
    firing->channel = talk_start(node, script, deadline, err);
    enum Talk talked = TALK_BROKEN;
    if (firing->channel != NULL)
        talked = talk_until(node, firing->channel, "ready", &firing->reply, deadline, err);
    if (talked == TALK_END && reply_allowed(node, &firing->reply, ERR_NOT_READY, "fire", err))
        err_set(err, ERR_NOT_READY, node->target->where, "'%s' is no longer armed",
                node->target->name);
    if (talked == TALK_WORD)
        return firing;
    node_unready(firing);
    return NULL;
}

struct Firing *node_ready(struct HostNode *node, const struct Guarded *guarded,
                          struct Mono deadline, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX);
    guard_watch_script(&script, &guarded->token, guarded->number, "fire");
    struct Firing *firing = firing_start(node, &script, deadline, err);
    buf_free(&script);
    return firing;
}

/* What the script said, once it was sent off and came to its end. */
static enum Effect judge(const struct Firing *firing, struct Err *err)
{
    const struct Target *target = firing->node->target;
    char applied[16] = "", place[16] = "", said[320] = "";
    if (!reply_allowed(firing->node, &firing->reply, ERR_NOT_READY, "fire", err))
        return EFFECT_NONE;
    if (!reply_get(&firing->reply, "applied", applied, sizeof applied)) {
        err_set(err, ERR_NOT_READY, target->where, "'%s' was undone before it was sent",
                target->name);
        return EFFECT_NONE;
    }
    reply_get(&firing->reply, "said", said, sizeof said);
    reply_get(&firing->reply, "place", place, sizeof place);
    if (strcmp(place, "yes") == 0)
        return EFFECT_PROVEN;
    if (strcmp(applied, "0") != 0)
        err_set(err, ERR_UNPROVEN, target->where, "applying on '%s' ended with status %s: %s",
                target->name, applied, said);
    else
        err_set(err, ERR_UNPROVEN, target->where, "not proven on '%s': %s", target->name, said);
    return EFFECT_UNKNOWN;
}

enum Effect node_fire(struct Firing *firing, struct Mono deadline, struct Moment *t0,
                      struct Err *err)
{
    enum Effect effect = EFFECT_UNKNOWN;
    t0->low = t0->high = mono_now();
    if (firing->node == NULL) {
        err_set(err, ERR_NOT_READY, NOWHERE, "the connection was lost before it was sent");
        return EFFECT_NONE;
    }
    if (firing->node->target->reach->write(firing->channel, "go\n", 3, deadline, err)) {
        /* The proof's own line, not the end: nothing but the way back lies between. */
        enum Talk talked =
            talk_until(firing->node, firing->channel, "place", &firing->reply, deadline, err);
        t0->high = mono_now();
        if (talked == TALK_WORD)
            talked = talk_until(firing->node, firing->channel, NULL, &firing->reply, deadline, err);
        if (talked == TALK_END || reply_get(&firing->reply, "place", NULL, 0))
            effect = judge(firing, err);
    }
    if (effect != EFFECT_PROVEN)
        t0->high = mono_now();
    return effect;
}

static void end_channel(struct Firing *firing)
{
    if (firing->channel != NULL)
        firing->node->target->reach->finish(firing->channel);
    firing->channel = NULL;
    firing->node = NULL;
}

void firings_lose(struct HostNode *node)
{
    for (struct Firing *firing = node->firings; firing != NULL; firing = firing->next)
        end_channel(firing);
    node->firings = NULL;
}

void node_unready(struct Firing *firing)
{
    if (firing == NULL)
        return;
    if (firing->node != NULL) {
        struct Firing **at = &firing->node->firings;
        while (*at != firing)
            at = &(*at)->next;
        *at = firing->next;
        end_channel(firing);
    }
    buf_free(&firing->reply);
    mem_free(firing);
}
