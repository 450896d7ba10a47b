/* edges.c - who stops hearing whom, of sides and of shapes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "edges.h"

#include <stdlib.h>
#include <string.h>

static bool is_known(const struct List *edges, const struct Target *from, const struct Target *to)
{
    const struct Edge *rows = edges->items;
    for (size_t i = 0; i < edges->count; i++)
        if (rows[i].from == from && rows[i].to == to)
            return true;
    return false;
}

static void add(struct List *out, struct Arena *arena, const struct Target *from,
                const struct Target *to)
{
    if (from != to && !is_known(out, from, to))
        *(struct Edge *)list_add(out, arena, sizeof(struct Edge)) =
            (struct Edge){.from = from, .to = to};
}

void edges_one_way(struct HostList from, struct HostList to, struct Arena *arena, struct List *out)
{
    for (size_t i = 0; i < from.count; i++)
        for (size_t k = 0; k < to.count; k++)
            add(out, arena, from.at[i], to.at[k]);
}

static void both_ways(struct HostList a, struct HostList b, struct Arena *arena, struct List *out)
{
    edges_one_way(a, b, arena, out);
    edges_one_way(b, a, arena, out);
}

static struct HostList part(struct HostList hosts, size_t first, size_t count)
{
    return (struct HostList){.at = hosts.at + first, .count = count};
}

/* Who leads comes first or last; the others stay in order. */
static struct HostList led(struct HostList hosts, const struct Target *leader, bool first,
                           struct Arena *arena)
{
    const struct Target **order = arena_zero(arena, hosts.count + 1, sizeof(void *));
    size_t used = 0;
    if (first && leader != NULL)
        order[used++] = leader;
    for (size_t i = 0; i < hosts.count; i++)
        if (hosts.at[i] != leader)
            order[used++] = hosts.at[i];
    if (!first && leader != NULL)
        order[used++] = leader;
    return (struct HostList){.at = order, .count = used};
}

/* Each hears the nearest on both sides of a ring, and so with itself a majority; no two hear the
 * same one. */
static void ring(struct HostList hosts, struct Arena *arena, struct List *out)
{
    size_t n = hosts.count, majority = n / 2 + 1, reach = majority / 2;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            size_t ahead = (k + n - i) % n, behind = n - ahead;
            if (ahead > reach && behind > reach)
                add(out, arena, hosts.at[k], hosts.at[i]);
        }
}

size_t shape_least(enum CutShape shape)
{
    static const size_t LEAST[] = {
        [SHAPE_NONE] = 0,     [SHAPE_HALVES] = 2, [SHAPE_MAJORITY] = 3,
        [SHAPE_MINORITY] = 3, [SHAPE_RING] = 4,   [SHAPE_BRIDGE] = 3,
    };
    return LEAST[shape];
}

bool edges_shape(enum CutShape shape, struct HostList hosts, const struct Target *leader,
                 struct Arena *arena, struct List *out)
{
    size_t n = hosts.count, few = n > 0 ? (n - 1) / 2 : 0;
    if (n < shape_least(shape))
        return false;
    switch (shape) {
    case SHAPE_NONE:
        break;
    case SHAPE_HALVES:
        both_ways(part(hosts, 0, n / 2), part(hosts, n / 2, n - n / 2), arena, out);
        break;
    case SHAPE_MAJORITY:
    case SHAPE_MINORITY:
        hosts = led(hosts, leader, shape == SHAPE_MINORITY, arena);
        both_ways(part(hosts, 0, few), part(hosts, few, n - few), arena, out);
        break;
    case SHAPE_RING:
        ring(hosts, arena, out);
        break;
    case SHAPE_BRIDGE: /* the one in the middle hears all */
        both_ways(part(hosts, 0, (n - 1) / 2), part(hosts, (n - 1) / 2 + 1, n / 2), arena, out);
        break;
    }
    return true;
}

static int by_names(const void *a, const void *b)
{
    const struct Edge *left = a, *right = b;
    int to = strcmp(left->to->name, right->to->name);
    return to != 0 ? to : strcmp(left->from->name, right->from->name);
}

void edges_sort(struct List *edges)
{
    if (edges->count > 1)
        qsort(edges->items, edges->count, sizeof(struct Edge), by_names);
}

bool edges_equal(const struct List *a, const struct List *b)
{
    const struct Edge *left = a->items, *right = b->items;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (left[i].from != right[i].from || left[i].to != right[i].to)
            return false;
    return true;
}

void edges_of(const struct List *edges, const struct Target *host, enum Direction direction,
              struct Arena *arena, struct List *out)
{
    const struct Edge *rows = edges->items;
    for (size_t i = 0; i < edges->count; i++)
        if ((rows[i].to == host && (direction & DIRECTION_IN) != 0) ||
            (rows[i].from == host && (direction & DIRECTION_OUT) != 0))
            add(out, arena, rows[i].from, rows[i].to);
}
