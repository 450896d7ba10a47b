/* judge_figures.c - what steps measured and captured, against its bounds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "judge_parts.h"

const struct RunFigure *figure_of(const struct RunRecord *run, const char *name)
{
    for (size_t n = 0; n < run->figure_count; n++)
        if (text_equal(run->figures[n].name, name))
            return &run->figures[n];
    return NULL;
}

static void say_figure(const struct Case *of)
{
    const struct RunFigure *figure = of->figure;
    if (text_equal(figure->type, "clock"))
        span_say(figure->value.low_ns, figure->value.high_ns, of->out->measured);
    else if (text_equal(figure->type, "seconds"))
        case_measured(of, "%.40s s", figure->text);
    else
        case_measured(of, "%.90s", figure->text);
}

void judge_max(const struct Case *of)
{
    struct Span value = of->figure->value;
    int64_t limit = of->expectation->limit;
    say_figure(of);
    if (value.high_ns <= limit || value.low_ns > limit)
        case_met(of, value.high_ns <= limit);
    else
        case_unclear(of, "the limit lies inside the interval");
}

void judge_min(const struct Case *of)
{
    struct Span value = of->figure->value;
    int64_t limit = of->expectation->limit;
    say_figure(of);
    if (value.low_ns >= limit || value.high_ns < limit)
        case_met(of, value.low_ns >= limit);
    else
        case_unclear(of, "the limit lies inside the interval");
}

void judge_equals(const struct Case *of)
{
    say_figure(of);
    if (!text_equal(of->figure->type, "text"))
        case_met(of, of->figure->value.low_ns == of->expectation->limit);
    else if (of->figure->equal != KNOWN_UNKNOWN)
        case_met(of, of->figure->equal == KNOWN_YES);
    else /* of a run before this was kept */
        case_met(of, text_equal(of->figure->text, of->expectation->text));
}
