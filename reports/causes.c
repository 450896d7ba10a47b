/* causes.c - which faults were fired together, when, and when they were undone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../runner/base/text.h"
#include "analyse_parts.h"

#define TOGETHER_NS NS_PER_S

static int by_sent(const void *a, const void *b)
{
    const struct RunFault *left = *(const struct RunFault *const *)a;
    const struct RunFault *right = *(const struct RunFault *const *)b;
    if (left->t0.low.ns != right->t0.low.ns)
        return left->t0.low.ns < right->t0.low.ns ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

/* Hosts of one step are fired by one line on channels that wait for it, and so are those of all
 * steps of a `parallel`. A step of the same name later in the drill is another cause. */
static bool is_together(const struct Cause *cause, const struct RunFault *fault)
{
    if (fault->together != 0 && cause->faults[0]->together == fault->together)
        return true;
    if (!text_equal(cause->step, fault->step))
        return false;
    return fault->t0.low.ns <= cause->t0.high.ns ||
           mono_since(cause->t0.low, fault->t0.low) < TOGETHER_NS;
}

static struct Mono later(struct Mono a, struct Mono b)
{
    return mono_before(a, b) ? b : a;
}

/* Nothing of it is undone: what follows it, to the end of the run, is its own doing. */
static bool is_undone(const struct RunFault *fault)
{
    return !text_equal(fault->kind, "failover");
}

static void add_to_cause(struct Cause *cause, const struct RunFault *fault)
{
    bool first = cause->fault_count == 0;
    bool unproven = fault->t0.high.ns == 0 || (!first && cause->t0.high.ns == 0);
    bool unclear = fault->undone.high.ns == 0 || (!first && cause->undone.high.ns == 0);
    cause->t0.low = first ? fault->t0.low : mono_min(cause->t0.low, fault->t0.low);
    cause->t0.high = unproven ? (struct Mono){0} : later(cause->t0.high, fault->t0.high);
    if (fault->undone.low.ns != 0 && is_undone(fault))
        cause->undone.low = cause->undone.low.ns == 0
                                ? fault->undone.low
                                : mono_min(cause->undone.low, fault->undone.low);
    cause->undone.high = unclear || !is_undone(fault)
                             ? (struct Mono){0}
                             : later(cause->undone.high, fault->undone.high);
    cause->fault_count++;
}

/* What ended without being asked (its own timer, a failover) counts as undone when that was seen.
 */
static void fill_undo(struct Cause *cause)
{
    if (cause->undone.low.ns == 0)
        cause->undone.low = cause->undone.high;
}

static void totals(struct Report *out)
{
    const struct Cause *causes = out->causes;
    out->t0 = causes[0].t0;
    out->undone = causes[0].undone;
    for (size_t n = 1; n < out->cause_count; n++) {
        const struct Moment *undone = &causes[n].undone;
        if (undone->low.ns != 0)
            out->undone.low =
                out->undone.low.ns == 0 ? undone->low : mono_min(out->undone.low, undone->low);
        out->undone.high = undone->high.ns == 0 || out->undone.high.ns == 0
                               ? (struct Mono){0}
                               : later(out->undone.high, undone->high);
    }
}

void analyse_causes(struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    struct Report *out = analysis->out;
    const struct RunFault **sent = arena_zero(analysis->arena, run->fault_count + 1, sizeof(*sent));
    struct Cause *causes = arena_zero(analysis->arena, run->fault_count + 1, sizeof(*causes));
    for (size_t n = 0; n < run->fault_count; n++) {
        if (run->faults[n].t0.low.ns == 0)
            continue;
        sent[out->fault_count++] = &run->faults[n];
        out->undone_count += run->faults[n].clear ? 1 : 0;
    }
    if (out->fault_count > 1)
        qsort(sent, out->fault_count, sizeof(*sent), by_sent);
    for (size_t n = 0; n < out->fault_count; n++) {
        struct Cause *last = out->cause_count > 0 ? &causes[out->cause_count - 1] : NULL;
        if (last == NULL || !is_together(last, sent[n])) {
            last = &causes[out->cause_count++];
            *last =
                (struct Cause){.step = sent[n]->step, .kind = sent[n]->kind, .faults = &sent[n]};
        }
        add_to_cause(last, sent[n]);
    }
    for (size_t n = 0; n < out->cause_count; n++)
        fill_undo(&causes[n]);
    out->causes = causes;
    analysis->any_sent = out->cause_count > 0;
    if (analysis->any_sent)
        totals(out);
    else
        out->t0 = (struct Moment){run->steps_began, run->steps_began};
    out->window_end = run->observing_ended.ns != 0 ? run->observing_ended
                      : run->undo_began.ns != 0    ? run->undo_began
                                                   : run->mono_ended;
}

/* Those of a `parallel` may last for different times: until the last of them, the cause is there.
 */
struct Mono cause_last_undo(const struct Cause *cause)
{
    struct Mono last = {0};
    for (size_t n = 0; n < cause->fault_count; n++) {
        const struct RunFault *fault = cause->faults[n];
        struct Mono undone = fault->undone.low.ns != 0 ? fault->undone.low : fault->undone.high;
        if (undone.ns == 0 || !is_undone(fault))
            return (struct Mono){0};
        last = later(last, undone);
    }
    return last;
}

bool cause_is_failover(const struct Cause *cause)
{
    for (size_t n = 0; n < cause->fault_count; n++)
        if (is_undone(cause->faults[n]))
            return false;
    return true;
}

bool cause_struck(const struct Cause *cause, const char *host)
{
    for (size_t n = 0; n < cause->fault_count; n++)
        if (host != NULL && text_equal(cause->faults[n]->host, host))
            return true;
    return false;
}

bool causes_gave_back(const struct Report *report, const char *host, struct Mono until)
{
    for (size_t n = 0; n < report->cause_count; n++)
        if (cause_struck(&report->causes[n], host) && report->causes[n].undone.low.ns != 0 &&
            mono_before(report->causes[n].undone.low, until))
            return true;
    return false;
}

struct Mono back_began_of(const struct RunRecord *run, const char *role)
{
    struct Mono first = {NS_NEVER};
    for (size_t n = 0; n < run->switch_back_count; n++)
        if (run->switch_backs[n].asked.ns != 0 &&
            (role == NULL || text_equal(run->switch_backs[n].role, role)))
            first = mono_min(first, run->switch_backs[n].asked);
    return first;
}

struct Mono back_began(const struct RunRecord *run)
{
    return back_began_of(run, NULL);
}

struct Mono cause_boundary(const struct RunRecord *run, const struct Cause *cause)
{
    struct Mono last = cause_last_undo(cause);
    return last.ns != 0 ? last : mono_min(run->mono_ended, back_began(run));
}

bool while_in_effect(const struct Report *report, struct Mono at)
{
    for (size_t n = 0; n < report->cause_count; n++) {
        const struct Cause *cause = &report->causes[n];
        if (!mono_before(at, cause->t0.low) && mono_before(at, cause_boundary(report->run, cause)))
            return true;
    }
    return false;
}

struct Span span_since(struct Moment from, struct Mono low, struct Mono high)
{
    int64_t low_ns = from.high.ns != 0 && low.ns != 0 ? mono_since(from.high, low) : 0;
    int64_t high_ns = high.ns == NS_NEVER ? NS_NEVER : mono_since(from.low, high);
    low_ns = low_ns > 0 ? low_ns : 0;
    return (struct Span){low_ns, high_ns > low_ns ? high_ns : low_ns};
}
