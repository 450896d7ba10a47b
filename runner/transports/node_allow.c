/* node_allow.c - what a host's own file says, as allow.sh tells it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/duration.h"
#include "node_talk.h"

static const char *words(const struct Buf *reply, const char *key, struct Arena *arena)
{
    char value[2000] = "";
    reply_get(reply, key, value, sizeof value);
    return arena_text(arena, value);
}

void reply_allow(const struct Buf *reply, struct Arena *arena, struct HostFacts *facts)
{
    int64_t centiseconds = 0;
    bool closed = reply_get(reply, "no_allow", NULL, 0);
    facts->no_allow = closed ? words(reply, "no_allow", arena) : NULL;
    facts->allow_environments = words(reply, "allow_environments", arena);
    facts->allow_kinds = words(reply, "allow_kinds", arena);
    if (int_parse(words(reply, "allow_longest", arena), &centiseconds, NULL))
        facts->allow_longest_ns = centiseconds * 10 * NS_PER_MS;
}
