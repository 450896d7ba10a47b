/* foresee_quorum.c - a cluster that only a majority keeps going, and begins again, is left one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "edging.h"
#include "foresee.h"

enum { NODES_MAX = 32 };

/* Who is down, and who no longer hears whom. */
struct Nodes {
    size_t count;
    bool down[NODES_MAX], cut[NODES_MAX][NODES_MAX];
};

static size_t place_of(const struct Role *role, const struct Target *host)
{
    size_t n = 0;
    while (n < role->host_count && role->hosts[n] != host &&
           (host->address == NULL || !text_equal(role->hosts[n]->address, host->address)))
        n++;
    return n;
}

/* Takes its leave of the others. */
static bool is_in_order(const struct PlannedFault *fault)
{
    return text_equal(fault->step->kind->name, "stop") ||
           text_equal(fault->step->kind->name, "restart");
}

static bool takes_node(const struct PlannedFault *fault, const struct Role *role)
{
    const struct FaultKind *kind = fault->step->kind;
    if (fault->role != role && !kind->takes_machine && !kind->partitions)
        return step_names_service(fault->step);
    return kind->takes_machine || kind->stops_service || kind->hangs_service || kind->partitions ||
           text_equal(kind->name, "restart");
}

/* What the fault does to the role's nodes; whether it does anything. */
static bool apply(struct Nodes *nodes, const struct PlannedFault *fault, const struct Role *role)
{
    const struct Edge *edges = fault->edges.items;
    bool any = false;
    if (!fault->chosen || fault->step->kind == NULL || fault->target == NULL ||
        !takes_node(fault, role))
        return false;
    if (!fault->step->kind->partitions || fault->edges.count == 0) {
        size_t at = place_of(role, fault->target);
        any = at < nodes->count;
        if (any)
            nodes->down[at] = true;
    }
    for (size_t n = 0; fault->step->kind->partitions && n < fault->edges.count; n++) {
        size_t from = place_of(role, edges[n].from), to = place_of(role, edges[n].to);
        if (from < nodes->count && to < nodes->count) {
            nodes->cut[from][to] = nodes->cut[to][from] = true;
            any = true;
        }
    }
    return any;
}

/* How many are not with the largest part that stays together; nodes pass on what others say. */
static size_t away(const struct Nodes *nodes)
{
    size_t part[NODES_MAX], largest = 0;
    for (size_t n = 0; n < nodes->count; n++)
        part[n] = n;
    for (size_t round = 0; round < nodes->count; round++)
        for (size_t a = 0; a < nodes->count; a++)
            for (size_t b = 0; b < nodes->count; b++)
                if (!nodes->down[a] && !nodes->down[b] && !nodes->cut[a][b] && part[b] < part[a])
                    part[a] = part[b];
    for (size_t first = 0; first < nodes->count; first++) {
        size_t size = 0;
        for (size_t n = 0; n < nodes->count; n++)
            size += !nodes->down[n] && part[n] == first ? 1 : 0;
        largest = size > largest ? size : largest;
    }
    return nodes->count - largest;
}

/* Who leads by then may be another, which comes to those that are away. */
static bool draws_anew(const struct PlannedFault *fault)
{
    const struct TargetSpec *target = fault->step->target;
    return fault->candidate && (step_has_edges(fault->step) || target == NULL || !target->stays);
}

static bool in_effect(const struct Plan *plan, const struct PlannedFault *fault, uint32_t index)
{
    return fault->step_index <= index &&
           (plan->scenario->leave_stopped || !foresee_is_over_before(fault, index));
}

/* The most of them that may be away once the step has begun. */
static size_t away_at(const struct Plan *plan, const struct Role *role, uint32_t index,
                      bool *in_order)
{
    const struct PlannedFault *faults = plan->faults.items;
    struct Nodes stay = {.count = role->host_count};
    size_t sum = 0;
    *in_order = true;
    for (uint32_t step = 0; step <= index; step++) {
        struct Nodes drawn = {.count = role->host_count};
        for (size_t at = 0; at < plan->faults.count; at++)
            if (faults[at].step_index == step && in_effect(plan, &faults[at], index) &&
                apply(draws_anew(&faults[at]) ? &drawn : &stay, &faults[at], role))
                *in_order = *in_order && is_in_order(&faults[at]);
        sum += away(&drawn);
    }
    return sum + away(&stay);
}

bool foresee_quorum(const struct Plan *plan, const struct Role *role, size_t voters,
                    struct Obstacle *out)
{
    if (role->system == NULL || !role->system->needs_majority || role->host_count > NODES_MAX)
        return false;
    size_t of = voters > role->host_count ? voters : role->host_count;
    for (uint32_t index = 0; index < plan->scenario->steps.count; index++) {
        bool in_order = false;
        size_t gone = away_at(plan, role, index, &in_order);
        /* Whoever takes its leave is no longer counted by the others. */
        if (gone == 0 || 2 * gone < of || (in_order && gone == 1 && of > 1))
            continue;
        *out = (struct Obstacle){
            .code = ERR_REFUSED,
            .text = arena_printf(plan->arena,
                                 "role '%s': %zu of its %zu nodes may be away at once, no majority "
                                 "is left, and a plain start may not begin the cluster again",
                                 role->name, gone < of ? gone : of, of),
            .help = "Take fewer away, or give a step a `for:`, so that it is over before the next "
                    "begins; `stays: true` at a target means the same host all through."};
        return true;
    }
    return false;
}
