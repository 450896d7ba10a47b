/* judge_phase.c - bounds of one phase, and what is compared with the run's own baseline. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runner/base/duration.h"
#include "judge_parts.h"

/* A share or a rate of fewer requests says nothing. */
enum { REQUESTS_LEAST = 10 };
#define WHOLE 1000000

/* What may be: one attempt across an end of the phase belongs to it, or does not. */
struct Tally {
    uint32_t good, bad;               /* wholly inside */
    uint32_t good_across, bad_across; /* perhaps */
};

static struct Tally tally_of(const struct Phase *phase)
{
    struct Tally tally = {0};
    for (size_t n = 0; n < phase->probe->sample_count; n++) {
        const struct Sample *sample = phase->probe->samples[n];
        enum Lies lies = phase_has(phase, sample);
        if (lies == LIES_OUTSIDE || !sample_counts(sample))
            continue;
        bool good = sample->outcome == OUTCOME_OK, inside = lies == LIES_INSIDE;
        tally.good += good && inside;
        tally.bad += !good && inside;
        tally.good_across += good && !inside;
        tally.bad_across += !good && !inside;
    }
    return tally;
}

static void too_few(const struct Case *of, uint32_t count, const char *what)
{
    of->out->verdict = VERDICT_INCONCLUSIVE;
    case_note(of, "%u %s: too few to tell; probe faster, or make the phase longer", count, what);
}

/* Met where all of [low, high] is, missed where none of it is. */
static void judge_between(const struct Case *of, bool low_met, bool high_met)
{
    if (low_met == high_met)
        case_met(of, low_met);
    else
        case_unclear(of, "the limit lies inside the interval: probe faster");
}

/* ---- Shares ---- */
static int64_t share_of(uint32_t part, uint32_t all)
{
    return all == 0 ? 0 : (int64_t)part * WHOLE / all;
}

static void say_shares(const struct Case *of, int64_t low, int64_t high)
{
    char from[16], to[16];
    share_say(low, from);
    share_say(high, to);
    if (strcmp(from, to) == 0)
        case_measured(of, "%s", from);
    else
        case_measured(of, "%s - %s", from, to);
}

static void judge_share(const struct Case *of, const struct Phase *phase, bool of_errors)
{
    struct Tally tally = tally_of(phase);
    uint32_t counted = tally.good + tally.bad, part = of_errors ? tally.bad : tally.good;
    uint32_t with = of_errors ? tally.bad_across : tally.good_across;
    uint32_t without = of_errors ? tally.good_across : tally.bad_across;
    int64_t low = share_of(part, counted + without), high = share_of(part + with, counted + with);
    int64_t limit = of->expectation->limit, room = of_errors ? limit : WHOLE - limit;
    char some[32], all[32];
    count_say(part, some);
    count_say(counted, all);
    say_shares(of, low, high);
    case_note(of, "%s of %s requests", some, all);
    if (of_errors)
        judge_between(of, low <= limit, high <= limit);
    else
        judge_between(of, low >= limit, high >= limit);
    /* Where one request more would have been over the limit, that none was shows little. */
    bool coarse = room > 0 && counted > 0 && WHOLE / (int64_t)counted > room;
    if (counted < REQUESTS_LEAST || (coarse && of->out->verdict == VERDICT_PASS))
        too_few(of, counted, "requests");
}

/* ---- Latencies ---- */
static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The percentile of those inside and, of those across, the ones that move it down, or up. */
static int64_t percentile(const struct Phase *phase, unsigned percent, int64_t pivot, int side,
                          uint32_t *count)
{
    size_t samples = phase->probe->sample_count, used = 0;
    int64_t *values = mem_zero(samples + 1, sizeof(*values));
    for (size_t n = 0; n < samples; n++) {
        const struct Sample *sample = phase->probe->samples[n];
        enum Lies lies = phase_has(phase, sample);
        int64_t taken = mono_since(sample->intended, sample->ended);
        bool moves = lies == LIES_ACROSS && (side < 0 ? taken < pivot : taken > pivot);
        if (sample_answered(sample) && (lies == LIES_INSIDE || (side != 0 && moves)))
            values[used++] = taken;
    }
    if (used > 1)
        qsort(values, used, sizeof(*values), compare_ns);
    int64_t value = sorted_percentile(values, used, percent);
    *count = (uint32_t)used;
    mem_free(values);
    return value;
}

static void judge_latency(const struct Case *of, const struct Phase *phase, unsigned percent)
{
    uint32_t count = 0, unused = 0, least = percent == 99 ? 100 : percent == 95 ? 20 : 2;
    int64_t value = percentile(phase, percent, 0, 0, &count);
    if (count == 0) {
        case_unclear(of, "no request was answered");
        return;
    }
    int64_t low = percentile(phase, percent, value, -1, &unused);
    int64_t high = percentile(phase, percent, value, 1, &unused);
    span_say(low, high, of->out->measured);
    case_note(of, "of %u answered requests", count);
    judge_between(of, low <= of->expectation->limit, high <= of->expectation->limit);
    if (count < least)
        too_few(of, count, "answers");
}

/* ---- Outages ---- */
static int64_t overlap(struct Mono from, struct Mono to, const struct Moment *time)
{
    int64_t low = from.ns > time->low.ns ? from.ns : time->low.ns;
    int64_t high = to.ns < time->high.ns ? to.ns : time->high.ns;
    return high > low ? high - low : 0;
}

/* What of a failing stretch lies in the phase: surely, and at most. */
static struct Span stretch_in(const struct Stretch *stretch, const struct Moment *time)
{
    struct Mono end = stretch->open ? (struct Mono){NS_NEVER} : stretch->first_good_ended;
    return (struct Span){overlap(stretch->first_bad_ended, stretch->last_bad_started, time),
                         overlap(stretch->last_good, end, time)};
}

static void judge_failing(const struct Case *of, const struct Phase *phase, bool sum)
{
    struct Span all = {0, 0};
    struct Tally tally = tally_of(phase);
    for (size_t n = 0; n < of->probe->stretch_count; n++) {
        for (size_t k = 0; k < phase->count; k++) {
            struct Span one = stretch_in(&of->probe->stretches[n], &phase->times[k]);
            all.low_ns =
                sum ? all.low_ns + one.low_ns : (one.low_ns > all.low_ns ? one.low_ns : all.low_ns);
            all.high_ns = sum ? all.high_ns + one.high_ns
                              : (one.high_ns > all.high_ns ? one.high_ns : all.high_ns);
        }
    }
    if (all.high_ns == 0)
        case_measured(of, "none seen");
    else
        span_say(all.low_ns, all.high_ns, of->out->measured);
    judge_between(of, all.low_ns <= of->expectation->limit, all.high_ns <= of->expectation->limit);
    if (of->expectation->limit == 0 && tally.bad > 0)
        case_met(of, false); /* one failed attempt is more than none */
    if (tally.good + tally.bad < 3)
        too_few(of, tally.good + tally.bad, "requests");
}

/* ---- Rates: good answers a second ---- */
struct Rate {
    double low, high;
    uint32_t count; /* good, and wholly inside */
};

/* What was asked for before the phase and answered in it need not be its doing: what hung since the
 * fault comes all at once. Each end of the phase may have missed one answer of the rhythm, or
 * caught one more. */
static struct Rate rate_of(const struct Phase *phase)
{
    struct Rate rate = {0, 0, 0};
    uint32_t ended = 0;
    for (size_t n = 0; n < phase->probe->sample_count; n++) {
        const struct Sample *sample = phase->probe->samples[n];
        for (size_t k = 0; k < phase->count && sample->outcome == OUTCOME_OK; k++) {
            const struct Moment *time = &phase->times[k];
            bool is_in =
                !mono_before(sample->ended, time->low) && mono_before(sample->ended, time->high);
            ended += is_in;
            rate.count += is_in && !mono_before(sample->started, time->low);
        }
    }
    double seconds = (double)phase->length_ns / 1e9, ends = (double)phase->count;
    if (phase->length_ns <= 0)
        return rate;
    rate.low = fmax(0, ((double)rate.count - ends) / seconds);
    rate.high = ((double)ended + ends) / seconds;
    return rate;
}

static void judge_absolute(const struct Case *of, const struct Rate *rate, int64_t between_ns)
{
    double limit = 1e9 / (double)between_ns;
    case_measured(of, "%.4g-%.4g/s", rate->low, rate->high);
    case_note(of, "%u good answers", rate->count);
    judge_between(of, rate->low >= limit, rate->high >= limit);
    if (rate->count < REQUESTS_LEAST && rate->high >= limit)
        too_few(of, rate->count, "good answers");
}

/* What the base may be: BASELINE since the last attempt that failed in it. What came before that is
 * the wait for steadiness. */
static void steady_before(const struct Case *of, struct Phase *before)
{
    phase_read(of, WHEN_BEFORE, before);
    if (before->count == 0)
        return;
    struct Moment *time = &before->times[0]; /* the only one */
    for (size_t n = 0; n < before->probe->sample_count; n++) {
        const struct Sample *sample = before->probe->samples[n];
        if (sample_counts(sample) && sample->outcome != OUTCOME_OK &&
            mono_before(time->low, sample->ended) && !mono_before(time->high, sample->ended))
            time->low = sample->ended;
    }
    before->length_ns = mono_since(time->low, time->high);
}

static void judge_of_before(const struct Case *of, const struct Rate *rate, int64_t share)
{
    struct Phase before;
    steady_before(of, &before);
    struct Rate base = rate_of(&before);
    if (base.count < REQUESTS_LEAST || base.low <= 0) {
        too_few(of, base.count, "good answers before the fault");
        return;
    }
    double low = rate->low / base.high * WHOLE, high = rate->high / base.low * WHOLE;
    case_measured(of, "%.3g-%.3g %% of before", low / 10000, high / 10000);
    case_note(of, "%u good answers, %u before, where it was %.4g-%.4g/s", rate->count, base.count,
              base.low, base.high);
    judge_between(of, low >= (double)share, high >= (double)share);
}

static void judge_rate_in(const struct Case *of, const struct Phase *phase)
{
    struct RateLimit limit;
    const char *text = of->expectation->text;
    struct Rate rate = rate_of(phase);
    if (text == NULL || !rate_limit_parse(text, &limit, NULL) || limit.value <= 0)
        case_unclear(of, "this version does not know the limit");
    else if (limit.of_before)
        judge_of_before(of, &rate, limit.value);
    else
        judge_absolute(of, &rate, limit.value);
}

/* ---- Status ---- */
static bool has_code(const struct Sample *sample, const int *codes, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (sample_status(sample) == codes[n])
            return true;
    return false;
}

/* Of the whole time: what began before the fault and ended in the span, after the fault was proven,
 * is its answer to the fault. */
static bool is_the_fault_s(const struct Case *of, const struct Sample *sample)
{
    const struct Report *report = of->analysis->out;
    return of->when == WHEN_ALL && report->t0.high.ns != 0 &&
           mono_before(report->t0.high, sample->ended) &&
           !mono_before(report->window_end, sample->ended);
}

/* A good answer across an end is that of the service before the fault, or after the undo. */
static void judge_status_in(const struct Case *of, const struct Phase *phase)
{
    int codes[STATUSES_MOST];
    uint32_t counted = 0, other = 0, perhaps = 0;
    const char *text = of->expectation->text;
    size_t count = text != NULL ? status_list_parse(text, codes, COUNT_OF(codes)) : 0;
    for (size_t n = 0; n < phase->probe->sample_count; n++) {
        const struct Sample *sample = phase->probe->samples[n];
        enum Lies lies = phase_has(phase, sample);
        if (lies == LIES_OUTSIDE || !sample_counts(sample))
            continue;
        bool is_other = !has_code(sample, codes, count);
        bool counts = lies == LIES_INSIDE || (is_other && is_the_fault_s(of, sample));
        counted += counts;
        other += counts && is_other;
        perhaps += !counts && is_other && sample->outcome != OUTCOME_OK;
    }
    case_measured(of, "%u other", other);
    case_note(of, "of %u requests", counted);
    case_met(of, other == 0);
    if (count == 0)
        case_unclear(of, "this version does not know the limit");
    else if (other == 0 && perhaps > 0)
        case_unclear(of, "one that was under way at an end of it was answered with another");
    else if (other == 0 && counted < 3)
        too_few(of, counted, "requests");
}

/* ---- All ---- */
static void judge_in(const struct Case *of, const struct Phase *phase)
{
    if (phase->lacks != NULL)
        case_unclear(of, phase->lacks);
    else if (of->word == BOUND_MAX_ERRORS || of->word == BOUND_MIN_SUCCESS)
        judge_share(of, phase, of->word == BOUND_MAX_ERRORS);
    else if (of->word == BOUND_MAX_OUTAGE || of->word == BOUND_MAX_DOWNTIME)
        judge_failing(of, phase, of->word == BOUND_MAX_DOWNTIME);
    else if (of->word == BOUND_MIN_RATE)
        judge_rate_in(of, phase);
    else if (of->word == BOUND_STATUS_ONLY)
        judge_status_in(of, phase);
    else
        judge_latency(of, phase,
                      of->word == BOUND_MAX_P99   ? 99
                      : of->word == BOUND_MAX_P95 ? 95
                                                  : 50);
}

static void judge_now(const struct Case *of, enum When when)
{
    struct Phase phase;
    phase_read(of, when, &phase);
    judge_in(of, &phase);
    if (!phase.whole && of->out->verdict == VERDICT_PASS)
        case_unclear(of, "the phase was cut short");
}

void judge_phase(const struct Case *of)
{
    judge_now(of, of->when);
}

void judge_rate(const struct Case *of)
{
    judge_now(of, WHEN_ALL);
}

void judge_status(const struct Case *of)
{
    judge_now(of, WHEN_ALL);
}
