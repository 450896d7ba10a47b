/* run_figures.c - what steps measure and capture. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/duration.h"
#include "../base/text.h"
#include "../model/redact.h"
#include "capture.h"
#include "planner.h"
#include "run_parts.h"

static const struct StepSpec *step_at(const struct Run *run, size_t index)
{
    return (const struct StepSpec *)run->scenario->steps.items + index;
}

static bool names(const struct StepSpec *step, const char *clock)
{
    const char *const *clocks = step->measures.items;
    for (size_t at = 0; at < step->measures.count; at++)
        if (text_equal(clocks[at], clock))
            return true;
    return false;
}

static struct Mono *began(const struct Run *run, const char *clock)
{
    const struct FigureSpec *figures = run->scenario->figures.items;
    for (size_t at = 0; at < run->scenario->figures.count; at++)
        if (text_equal(figures[at].name, clock))
            return &run->clocks_began[at];
    bug("a clock that the scenario does not know: %s", clock);
}

/* By the value as it is: what is kept may lack a part of it. */
static enum Known is_equal(const struct Run *run, const struct RunFigure *figure)
{
    const struct Expectation *bounds = run->scenario->expectations.items;
    for (size_t at = 0; at < run->scenario->expectations.count; at++)
        if (bounds[at].word == BOUND_EQUALS && text_equal(bounds[at].probe, figure->name))
            return text_equal(bounds[at].text, figure->text) ? KNOWN_YES : KNOWN_NO;
    return KNOWN_UNKNOWN;
}

static bool keep(struct Run *run, const struct RunFigure *figure)
{
    struct Err err;
    struct RunFigure kept = *figure;
    kept.equal = is_equal(run, figure);
    struct Buf text = BUF(2 * CAPTURE_BYTES_MAX);
    redact(figure->text, &text); /* only the next step gets it as it is */
    kept.text = text.text;
    bool good = run_stored(run, store_figure(run->in.store, &kept, &err), &err);
    buf_free(&text);
    return good;
}

void figures_step_begins(struct Run *run)
{
    const struct StepSpec *step = step_at(run, run->step);
    const char *const *clocks = step->measures.items;
    for (size_t at = 0; at < step->measures.count; at++)
        if (began(run, clocks[at])->ns == 0)
            *began(run, clocks[at]) = run->step_began;
}

/* When the step may have ended at the earliest. What only the tick sees has ended since the tick
 * before; what a fault did was known here later than it was so there. */
static struct Mono earliest_end(const struct Run *run)
{
    const struct StepSpec *step = step_at(run, run->step);
    struct Mono end = run->ticked_before;
    if (step->until != NULL)
        return run->until_from;
    if (step->type == STEP_RUN || step->type == STEP_REQUEST)
        return run->step_ended;
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct FaultRun *fault = &run->faults[at];
        bool held = step->type == STEP_FAULT && step->hold_ns >= 0;
        struct Mono low = held ? fault->undone.low : fault->t0.low;
        if (fault->planned->step_index == run->step && low.ns != 0 && mono_before(low, end))
            end = low;
    }
    return end;
}

static void clock_ends(struct Run *run, const char *clock)
{
    int64_t high = mono_since(*began(run, clock), run->step_ended);
    int64_t low = mono_since(*began(run, clock), earliest_end(run));
    low = low > 0 ? low : 0;
    struct RunFigure figure = {.name = clock, .type = "clock", .value = {low, high}, .text = ""};
    char text[64];
    span_say(low, high, text);
    run_event(run, "measure", "%s %s", clock, text);
    (void)keep(run, &figure);
}

void figures_step_over(struct Run *run)
{
    const struct StepSpec *step = step_at(run, run->step);
    const char *const *clocks = step->measures.items;
    for (size_t at = 0; at < step->measures.count; at++) {
        bool last = true;
        for (size_t later = run->step + 1; later < run->scenario->steps.count; later++)
            last = last && !names(step_at(run, later), clocks[at]);
        if (last)
            clock_ends(run, clocks[at]);
    }
}

bool figures_capture(struct Run *run, const struct Buf *output)
{
    const struct StepSpec *step = step_at(run, run->step);
    const struct CaptureSpec *specs = step->captures.items;
    for (size_t at = 0; at < step->captures.count; at++) {
        struct RunFigure figure;
        struct Err err;
        if (!capture_read(&specs[at], output, run->arena, &figure, &err)) {
            run_abort(run, step_verdict(run),
                      arena_printf(run->arena, "step %u: %s", run->step + 1, err.message));
            return false;
        }
        struct TextPair *pair = list_add(&run->captured, run->arena, sizeof *pair);
        *pair = (struct TextPair){.name = specs[at].name, .value = figure.text};
        run_event(run, "capture", "%s = %s", specs[at].name, figure.text);
        if (!keep(run, &figure))
            return false;
    }
    return true;
}

const char *figures_fill(struct Run *run, const char *text)
{
    struct ScriptInput values = plan_script_input(run->in.plan, NULL);
    const char *filled = NULL;
    struct Err err;
    values.captured = &run->captured;
    if (script_fill(&values, text, run->arena, &filled, NULL, &err))
        return filled;
    step_fail(run, step_verdict(run), err.message);
    return NULL;
}
