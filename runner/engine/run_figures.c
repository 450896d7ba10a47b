/* run_figures.c - what steps measure and capture. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/duration.h"
#include "../base/text.h"
#include "../model/procedure_fill.h"
#include "../model/redact.h"
#include "capture.h"
#include "planner.h"
#include "run_parts.h"

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

void figures_step_begins(const struct StepRun *step)
{
    const char *const *clocks = step->spec->measures.items;
    for (size_t at = 0; at < step->spec->measures.count; at++)
        if (began(step->run, clocks[at])->ns == 0)
            *began(step->run, clocks[at]) = step->began;
}

/* When the step may have ended at the earliest. What only the tick sees has ended since the tick
 * before; what a fault did was known here later than it was so there. */
static struct Mono earliest_end(const struct StepRun *step)
{
    const struct Run *run = step->run;
    const struct StepSpec *spec = step->spec;
    struct Mono end = run->ticked_before;
    if (step->until != NULL)
        return step->until_from;
    if (spec->type == STEP_RUN || spec->type == STEP_REQUEST || spec->type == STEP_SQL)
        return step->ended;
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct FaultRun *fault = &run->faults[at];
        bool held = spec->type == STEP_FAULT && spec->hold_ns >= 0;
        struct Mono low = held ? fault->undone.low : fault->t0.low;
        if (fault->planned->step_index == step->index && low.ns != 0 && mono_before(low, end))
            end = low;
    }
    return end;
}

/* It runs until the last step that names it is over, whichever that is; then it is kept. */
static void clock_may_end(struct StepRun *step, const char *clock)
{
    struct Run *run = step->run;
    struct Mono low_end = {0};
    for (size_t at = 0; at < run->scenario->steps.count; at++) {
        const struct StepRun *other = &run->steps[at];
        if (!names(other->spec, clock))
            continue;
        if (other->ended.ns == 0)
            return;
        if (mono_before(low_end, other->ended_low))
            low_end = other->ended_low;
    }
    int64_t high = mono_since(*began(run, clock), step->ended);
    int64_t low = mono_since(*began(run, clock), low_end);
    low = low > 0 ? low : 0;
    struct RunFigure figure = {.name = clock, .type = "clock", .value = {low, high}, .text = ""};
    char text[64];
    span_say(low, high, text);
    run_event(run, "measure", "%s %s", clock, text);
    (void)keep(run, &figure);
}

void figures_step_over(struct StepRun *step)
{
    const char *const *clocks = step->spec->measures.items;
    step->ended_low = earliest_end(step);
    for (size_t at = 0; at < step->spec->measures.count; at++)
        clock_may_end(step, clocks[at]);
}

/* It is known from here on; false, and aborted, where it was not read. */
static bool take(struct StepRun *step, const struct RunFigure *figure, bool read,
                 const struct Err *err)
{
    struct Run *run = step->run;
    if (!read) {
        run_abort(run, step_verdict(run),
                  arena_printf(run->arena, "step %u: %s", step->index + 1, err->message));
        return false;
    }
    struct TextPair *pair = list_add(&run->captured, run->arena, sizeof *pair);
    *pair = (struct TextPair){.name = figure->name, .value = figure->text};
    run_event(run, "capture", "%s = %s", figure->name, figure->text);
    return keep(run, figure);
}

bool figures_capture(struct StepRun *step, const struct Buf *output)
{
    const struct CaptureSpec *specs = step->spec->captures.items;
    bool good = true;
    for (size_t at = 0; at < step->spec->captures.count && good; at++) {
        struct RunFigure figure;
        struct Err err;
        bool read = capture_read(&specs[at], output, step->run->arena, &figure, &err);
        good = take(step, &figure, read, &err);
    }
    return good;
}

bool figures_capture_row(struct StepRun *step, const char *(*named)(void *data, const char *column),
                         void *data)
{
    const struct CaptureSpec *specs = step->spec->captures.items;
    bool good = true;
    for (size_t at = 0; at < step->spec->captures.count && good; at++) {
        struct RunFigure figure;
        struct Err err;
        bool read = capture_column(&specs[at], named(data, specs[at].column), step->run->arena,
                                   &figure, &err);
        good = take(step, &figure, read, &err);
    }
    return good;
}

const char *figures_fill(struct StepRun *step, const char *text)
{
    struct Run *run = step->run;
    struct ScriptInput values = plan_script_input(run->in.plan, NULL);
    const char *filled = NULL;
    struct Err err;
    values.captured = &run->captured;
    if (script_fill(&values, text, run->arena, &filled, NULL, &err))
        return filled;
    step_fail(step, step_verdict(run), err.message);
    return NULL;
}

bool figures_fill_fault(struct StepRun *step, struct FaultRun *fault)
{
    struct Run *run = step->run;
    struct PlannedFault *filled = arena_zero(run->arena, 1, sizeof *filled);
    struct Err err;
    *filled = *fault->planned;
    if (!procedure_fill(&fault->planned->procedure, &run->in.plan->token, &run->captured,
                        run->arena, &filled->procedure, &err)) {
        step_cannot(step, err.message);
        return false;
    }
    fault->planned = filled;
    return true;
}
