/* run_edges.c - a step between hosts: who leads is asked, then the rows of now are taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "edging.h"
#include "run_parts.h"

#define RANKS_TIMEOUT_NS (3 * NS_PER_S)

static const struct StepSpec *step_now(const struct Run *run)
{
    return (const struct StepSpec *)run->scenario->steps.items + run->step;
}

static void cannot(struct Run *run, const char *why)
{
    run_abort(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY, why);
}

static struct FaultRun *fault_of(struct Run *run, const struct EdgeRow *row)
{
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct PlannedFault *planned = run->faults[at].planned;
        if (planned->step_index == run->step && planned->target == row->host &&
            edges_equal(&planned->edges, &row->edges))
            return &run->faults[at];
    }
    return NULL;
}

/* A line a host, so that the report has the edges that were cut, not those of the plan. */
static void say_edges(struct Run *run, const struct EdgeRow *row)
{
    const struct Edge *edges = row->edges.items;
    struct Buf text = BUF(2000);
    for (size_t at = 0; at < row->edges.count; at++)
        buf_printf(&text, "%s%s -> %s", at > 0 ? ", " : "", edges[at].from->name,
                   edges[at].to->name);
    run_event(run, row->host->name, "edges %s", text.text);
    buf_free(&text);
}

static void take_rows(struct Run *run)
{
    struct List rows = {.items = NULL};
    struct Err err;
    run->group_count = 0;
    if (!edging_rows(run->in.plan, step_now(run), &run->step_rankings, run->arena, &rows, &err)) {
        cannot(run, err.message);
        return;
    }
    const struct EdgeRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++) {
        struct FaultRun *fault = fault_of(run, &row[at]);
        if (fault == NULL) {
            cannot(run, "what the step is between now is not in the plan");
            return;
        }
        say_edges(run, &row[at]);
        run->group[run->group_count++] = fault;
    }
    group_arm(run);
}

static void ask_next(void *data)
{
    struct Run *run = data;
    const struct Role *const *roles = run->step_roles.items;
    if (run->state != RUN_STEPS)
        return;
    if (run->step_rankings.count == run->step_roles.count) {
        take_rows(run);
        return;
    }
    const struct Role *role = roles[run->step_rankings.count];
    enum Rank *ranks = arena_zero(run->arena, role->host_count + 1, sizeof *ranks);
    *(struct Ranking *)list_add(&run->step_rankings, run->arena, sizeof(struct Ranking)) =
        (struct Ranking){.role = role, .ranks = ranks};
    sight_ranks(run->sight, role, mono_add(mono_now(), RANKS_TIMEOUT_NS), ranks, ask_next, run);
}

void step_edges_begin(struct Run *run)
{
    run->step_roles = run->step_rankings = (struct List){.items = NULL};
    edging_roles(run->in.plan, step_now(run), true, run->arena, &run->step_roles);
    ask_next(run);
}
