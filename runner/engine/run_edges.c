/* run_edges.c - a step between hosts: who leads is asked, then the rows of now are taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "edging.h"
#include "run_parts.h"

#define RANKS_TIMEOUT_NS (3 * NS_PER_S)

static struct FaultRun *fault_of(const struct StepRun *step, const struct EdgeRow *row)
{
    struct Run *run = step->run;
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct PlannedFault *planned = run->faults[at].planned;
        if (planned->step_index == step->index && planned->target == row->host &&
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

static void take_rows(struct StepRun *step)
{
    struct Run *run = step->run;
    struct List rows = {.items = NULL};
    struct Err err;
    if (!edging_rows(run->in.plan, step->spec, &step->rankings, run->arena, &rows, &err)) {
        step_cannot(step, err.message);
        return;
    }
    const struct EdgeRow *row = rows.items;
    struct FaultRun **faults = arena_zero(run->arena, rows.count + 1, sizeof(void *));
    for (size_t at = 0; at < rows.count; at++) {
        faults[at] = fault_of(step, &row[at]);
        if (faults[at] == NULL) {
            step_cannot(step, "what the step is between now is not in the plan");
            return;
        }
        say_edges(run, &row[at]);
    }
    step_faults_begin(step, faults, rows.count);
}

static void ask_next(void *data)
{
    struct StepRun *step = data;
    struct Run *run = step->run;
    const struct Role *const *roles = step->roles.items;
    if (!step_stands(step))
        return;
    if (step->rankings.count == step->roles.count) {
        take_rows(step);
        return;
    }
    const struct Role *role = roles[step->rankings.count];
    enum Rank *ranks = arena_zero(run->arena, role->host_count + 1, sizeof *ranks);
    *(struct Ranking *)list_add(&step->rankings, run->arena, sizeof(struct Ranking)) =
        (struct Ranking){.role = role, .ranks = ranks};
    sight_ranks(run->sight, role, mono_add(mono_now(), RANKS_TIMEOUT_NS), ranks, ask_next, step);
}

void step_edges_begin(struct StepRun *step)
{
    edging_roles(step->run->in.plan, step->spec, true, step->run->arena, &step->roles);
    ask_next(step);
}
