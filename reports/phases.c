/* phases.c - when a drill was before, during and after its faults: DESIGN.md 11.5. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/text.h"
#include "judge_parts.h"

static struct Mono later(struct Mono a, struct Mono b)
{
    return mono_before(a, b) ? b : a;
}

/* Only while the probe asked: nobody knows how it was before and afterwards. */
static void add_time(struct Phase *phase, struct Mono from, struct Mono to)
{
    const struct ProbeResult *probe = phase->probe;
    if (probe->sample_count == 0)
        return;
    struct Mono first = probe->samples[0]->intended;
    struct Mono last =
        mono_add(probe->samples[probe->sample_count - 1]->intended, probe->probe->interval_ns);
    from = later(from, first);
    to = mono_min(to, last);
    struct Moment *before = phase->count > 0 ? &phase->times[phase->count - 1] : NULL;
    if (before != NULL)
        from = later(from, before->high); /* faults side by side: each instant counts once */
    if (!mono_before(from, to))
        return;
    phase->length_ns += mono_since(from, to);
    if (before != NULL && before->high.ns == from.ns)
        before->high = to;
    else
        phase->times[phase->count++] = (struct Moment){from, to};
}

static void read_before(const struct Case *of, struct Phase *out)
{
    const struct RunRecord *run = of->analysis->run;
    struct Mono from = run->baseline_began.ns != 0 ? run->baseline_began : run->mono_started;
    struct Mono to = run->steps_began;
    if (of->analysis->any_sent)
        to = mono_min(to, of->analysis->out->t0.low);
    add_time(out, from, to);
    out->whole = true; /* or the steps would not have begun */
    out->lacks = "nothing was asked before the first step";
}

static bool only_failovers(const struct Report *report)
{
    for (size_t n = 0; n < report->cause_count; n++)
        if (!cause_is_failover(&report->causes[n]))
            return false;
    return report->cause_count > 0;
}

/* When the new primary was there; 0 where that is not known. Runs of earlier versions know of the
 * first one of a role alone. */
static struct Moment failover_over(const struct RunRecord *run, const struct RunFault *fault)
{
    const struct RunSystem *system = system_of(run, fault->role);
    bool any = false;
    for (size_t n = 0; n < run->move_count; n++) {
        const struct RunMove *move = &run->moves[n];
        any = any || text_equal(move->role, fault->role);
        if (text_equal(move->role, fault->role) && mono_before(fault->t0.low, move->high))
            return (struct Moment){move->low, move->high};
    }
    if (any || system == NULL || !mono_before(fault->t0.low, system->failed_over_high))
        return (struct Moment){{0}, {0}};
    return (struct Moment){system->failed_over_low, system->failed_over_high};
}

/* When it was over, [earliest, latest]; 0 where that is not known. */
static struct Moment cause_over(const struct Case *of, const struct Cause *cause)
{
    struct Moment over = {cause_last_undo(cause), cause->undone.high};
    for (size_t n = 0; cause_is_failover(cause) && n < cause->fault_count; n++) {
        struct Moment one = failover_over(of->analysis->run, cause->faults[n]);
        if (one.high.ns == 0)
            return one;
        over.low = n == 0 ? one.low : mono_min(over.low, one.low);
        over.high = later(over.high, one.high);
    }
    return over;
}

/* Beside faults that are undone, a failover of which no end is known is none of the phases'. */
static bool is_left_out(const struct Case *of, const struct Cause *cause)
{
    return cause_is_failover(cause) && cause_over(of, cause).high.ns == 0 &&
           !only_failovers(of->analysis->out);
}

static void read_during(const struct Case *of, struct Phase *out)
{
    const struct Report *report = of->analysis->out;
    struct Mono end = mono_min(report->run->mono_ended, back_began(report->run));
    out->whole = true;
    for (size_t n = 0; n < report->cause_count; n++) {
        const struct Cause *cause = &report->causes[n];
        struct Mono over = cause_over(of, cause).low;
        if (is_left_out(of, cause))
            continue;
        if (cause->t0.high.ns != 0)
            add_time(out, cause->t0.high, over.ns != 0 ? over : end);
        out->whole = out->whole && cause->t0.high.ns != 0 && over.ns != 0;
    }
    out->lacks = "nothing was asked while a fault was proven to be there";
}

static void read_after(const struct Case *of, struct Phase *out)
{
    const struct RunRecord *run = of->analysis->run;
    const struct Report *report = of->analysis->out;
    struct Mono last = {0};
    bool all = report->cause_count > 0;
    for (size_t n = 0; n < report->cause_count; n++) {
        struct Mono over = cause_over(of, &report->causes[n]).high;
        all = all && (over.ns != 0 || is_left_out(of, &report->causes[n]));
        last = later(last, over);
    }
    if (all)
        add_time(out, last, mono_min(run->mono_ended, back_began(run)));
    out->whole = run->finished;
    out->lacks = all                      ? "nothing was asked after the undo"
                 : only_failovers(report) ? "no new primary was seen"
                                          : "nothing was proven to be undone";
}

void phase_read(const struct Case *of, enum When when, struct Phase *out)
{
    const struct Report *report = of->analysis->out;
    *out = (struct Phase){.probe = of->probe};
    out->times = arena_zero(of->analysis->arena, report->cause_count + 1, sizeof(*out->times));
    switch (when) {
    case WHEN_ALL:
        add_time(out, report->t0.low, report->window_end);
        out->whole = true; /* the judge of all words looks at that */
        out->lacks = "nothing was asked";
        break;
    case WHEN_BEFORE:
        read_before(of, out);
        break;
    case WHEN_DURING:
        read_during(of, out);
        break;
    case WHEN_AFTER:
        read_after(of, out);
        break;
    }
    if (out->count > 0)
        out->lacks = NULL;
}

enum Lies phase_has(const struct Phase *phase, const struct Sample *sample)
{
    for (size_t n = 0; n < phase->count; n++) {
        const struct Moment *time = &phase->times[n];
        if (!mono_before(sample->started, time->low) && !mono_before(time->high, sample->ended))
            return LIES_INSIDE;
        if (mono_before(sample->started, time->high) && mono_before(time->low, sample->ended))
            return LIES_ACROSS;
    }
    return LIES_OUTSIDE;
}
