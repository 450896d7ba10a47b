/* run_work.c - plain work of a step: the user's text, on one host or several. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/redact.h"
#include "planner.h"
#include "run_parts.h"

enum { OUTPUT_SAID = 4096 };

/* One host's part. Filled by the conductor before, and by the worker for the conductor after. */
struct Work {
    struct StepCall *call; /* shared by all hosts of the step */
    uint32_t number;       /* of the step, for people */
    const char *script;
    struct List variables; /* of struct TextPair; a value may be a ${secret.NAME} */
    bool keeps_output;
    struct Buf output; /* in the lane's arena */
};

static void work_on_host(struct HostCall *call)
{
    struct Work *work = call->data;
    struct RunResult result = {0};
    struct TextPair *pairs =
        arena_zero(call->arena, work->variables.count + 1, sizeof(struct TextPair));
    const struct TextPair *variables = work->variables.items;
    for (size_t at = 0; at < work->variables.count; at++) {
        pairs[at] = variables[at];
        pairs[at].value = environment_secret(pairs[at].value);
    }
    call->ok = node_run(call->node, &(struct RunText){work->script, pairs, work->variables.count},
                        call->deadline, &result, &call->err);
    call->lost = !call->ok;
    if (call->ok && result.status != 0) {
        struct Buf said = BUF(OUTPUT_SAID); /* whole, before it is cut off */
        redact(result.errors.text, &said);
        err_set(&call->err, ERR_TARGET, NOWHERE, "step %u ended with status %d on '%s': %.120s",
                work->number, result.status, call->target->name, said.text);
        buf_free(&said);
        call->ok = false;
    }
    if (call->ok && work->keeps_output) {
        work->output = result.out;
        work->output.text = arena_bytes(call->arena, result.out.text, result.out.size);
    }
    buf_free(&result.out);
    buf_free(&result.errors);
}

static void work_done(struct HostCall *call)
{
    struct Work *work = call->data;
    struct StepCall *all = work->call;
    struct StepRun *step = all->step;
    all->pending--;
    if (!call->opened || !call->ok) {
        all->failed = true;
        all->err = call->err;
    }
    if (all->pending > 0 || !step_stands(step))
        return;
    if (all->failed)
        step_fail(step, step_verdict(step->run), all->err.message);
    else if (!work->keeps_output || figures_capture(step, &work->output))
        step_done(step, call->target);
}

/* What is captured is known by now; a value is never pasted into the text. */
static struct Work *work_for(struct StepRun *step, const struct Target *host)
{
    struct Run *run = step->run;
    struct Work *work = arena_zero(run->arena, 1, sizeof *work);
    struct ScriptInput values = plan_script_input(run->in.plan, host);
    struct Err err;
    values.captured = &run->captured;
    work->number = step->index + 1;
    work->keeps_output = step->spec->captures.count > 0;
    if (script_fill(&values, step->spec->script, run->arena, &work->script, &work->variables, &err))
        return work;
    step_fail(step, step_verdict(run), err.message);
    return NULL;
}

void step_run_on(struct StepRun *step, const struct List *hosts)
{
    struct Run *run = step->run;
    const struct Target *const *rows = hosts->items;
    struct Work **works = arena_zero(run->arena, hosts->count + 1, sizeof(void *));
    struct StepCall *call = step_call(step);
    /* Under `always` nothing is watched any more, and work that hangs may hold the other lane. */
    enum Lane lane = run->state == RUN_ALWAYS ? LANE_WATCH : LANE_WORK;
    for (size_t at = 0; at < hosts->count; at++) {
        if ((works[at] = work_for(step, rows[at])) == NULL)
            return;
        works[at]->call = call;
    }
    call->pending = (uint32_t)hosts->count;
    step->call = call;
    run->any_begun = true;
    for (size_t at = 0; at < hosts->count; at++)
        hosts_do(run->in.hosts, &(struct HostJob){.target = rows[at],
                                                  .lane = lane,
                                                  .timeout_ns = step->spec->timeout_ns,
                                                  .work = work_on_host,
                                                  .done = work_done,
                                                  .data = works[at]});
}
