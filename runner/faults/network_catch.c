/* network_catch.c - which packets of its peers a network fault is about. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/duration.h"
#include "../schema/decode.h"
#include "network.h"

const struct Choice net_directions[] = {
    {"in", DIRECTION_IN, "What comes in."},
    {"out", DIRECTION_OUT,
     "What leaves; local UDP senders are told of each packet that is dropped."},
    {"both", DIRECTION_BOTH, "What comes in, and what leaves."},
    {.name = NULL},
};

static bool is_port(const char *text)
{
    int64_t port = 0;
    return text != NULL && int_parse(text, &port, NULL) && port >= 1 && port <= 65535;
}

/* "6379, 7000"; NULL with *err where one is no number: it would be pasted into a table. */
static const char *port_set(const struct List *ports, struct Arena *arena, struct Err *err)
{
    const char *const *port = ports->items;
    const char *set = "";
    for (size_t i = 0; i < ports->count; i++) {
        if (!is_port(port[i])) {
            err_set(err, ERR_VALUE, NOWHERE, "'%s' is no port", port[i]);
            return NULL;
        }
        set = arena_printf(arena, "%s%s%s", set, i > 0 ? ", " : "", port[i]);
    }
    return set;
}

/* iptables takes so many at once. */
#define PORTS_AT_ONCE 15

/* "-p tcp -m multiport --dports 6379,7000", a line for each end and protocol. */
static const char *multiport_lines(const struct List *ports, struct Arena *arena)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"}, *const ends[] = {"d", "s"};
    const char *const *port = ports->items;
    const char *lines = "";
    for (size_t from = 0; from < ports->count; from += PORTS_AT_ONCE) {
        const char *some = port[from];
        for (size_t i = from + 1; i < ports->count && i < from + PORTS_AT_ONCE; i++)
            some = arena_printf(arena, "%s,%s", some, port[i]);
        for (size_t i = 0; i < COUNT_OF(protocols) * COUNT_OF(ends); i++)
            lines = arena_printf(arena, "%s-p %s -m multiport --%sports %s\n", lines,
                                 protocols[i % COUNT_OF(protocols)], ends[i / COUNT_OF(protocols)],
                                 some);
    }
    return lines;
}

bool network_catch(struct NetFault *fault, struct NetWhich which, struct NetVerdict verdict,
                   struct Arena *arena, struct Err *err)
{
    static const enum NetHook hooks[] = {NET_HEARS, NET_SAYS};
    static const char *const ends[NET_MATCHES_MOST] = {"dport", "sport"};
    bool some = which.ports != NULL && which.ports->count > 0;
    const char *set = some ? port_set(which.ports, arena, err) : "";
    for (size_t i = 0; set != NULL && i < COUNT_OF(hooks); i++) {
        if ((which.direction & (i == 0 ? DIRECTION_IN : DIRECTION_OUT)) == 0)
            continue;
        struct NetCatch *caught = &fault->catches[fault->catch_count++];
        *caught = (struct NetCatch){.hook = hooks[i], .verdict = verdict};
        if (some)
            caught->chains_matches = multiport_lines(which.ports, arena);
        for (size_t k = 0; some && k < NET_MATCHES_MOST; k++)
            caught->matches[k] =
                arena_printf(arena, "meta l4proto { tcp, udp, sctp } th %s { %s }", ends[k], set);
    }
    return set != NULL;
}

void network_check_ports(const struct List *ports, const struct Node *node, struct Decode *decode)
{
    const struct Node *list = node_get(node, "ports");
    const char *const *text = ports->items;
    for (size_t i = 0; i < ports->count; i++) {
        if (is_port(text[i]) || text[i] == NULL || strstr(text[i], "${") != NULL)
            continue; /* a reference is looked at when its value is known */
        const struct Node *at = list->type == NODE_LIST ? list->items[i] : list;
        problems_say(decode->problems, ERR_VALUE, at->where, NULL, "'%s' is no port", text[i]);
        err_at(problems_last(decode->problems), "from 1 to 65535");
    }
}
