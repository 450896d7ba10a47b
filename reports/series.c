/* series.c - one probe's attempts: in order, cut into stretches, counted by phase. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "analyse_parts.h"

static int by_sequence(const void *a, const void *b)
{
    const struct Sample *left = *(const struct Sample *const *)a;
    const struct Sample *right = *(const struct Sample *const *)b;
    return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static void gather(struct Analysis *analysis, uint32_t probe, struct Series *out)
{
    const struct RunRecord *run = analysis->run;
    bool sorted = true;
    size_t count = 0;
    for (size_t n = 0; n < run->sample_count; n++)
        count += run->samples[n].probe == probe ? 1 : 0;
    out->at = arena_zero(analysis->arena, count + 1, sizeof(*out->at));
    for (size_t n = 0; n < run->sample_count; n++) {
        const struct Sample *sample = &run->samples[n];
        if (sample->probe != probe)
            continue;
        if (out->count > 0 && sample->sequence < out->at[out->count - 1]->sequence)
            sorted = false;
        out->at[out->count++] = sample;
    }
    if (!sorted)
        qsort(out->at, out->count, sizeof(*out->at), by_sequence);
}

/* Numbered anew: a sample that was lost on its way must not make the machine wait. */
static void cut(struct Analysis *analysis, uint32_t probe, struct Series *out)
{
    const struct RunProbe *of = &analysis->run->probes[probe];
    const struct StretchRules rules = {.interval_ns = of->interval_ns,
                                       .timeout_ns = of->timeout_ns,
                                       .gap_ns = of->gap_ns,
                                       .hold_ns = of->hold_ns};
    struct StretchMachine *machine = stretch_new(analysis->arena, &rules);
    struct List held = {0};
    for (size_t n = 0; n < out->count; n++) {
        struct Sample sample = *out->at[n];
        sample.sequence = (uint32_t)n;
        unsigned change = stretch_feed(machine, &sample);
        if ((change & STRETCH_OPENED) != 0)
            *(bool *)list_add(&held, analysis->arena, sizeof(bool)) = false;
        if ((change & STRETCH_HELD) != 0 && held.count > 0)
            ((bool *)held.items)[held.count - 1] = true;
    }
    out->stretch_count = stretch_count(machine);
    out->stretches = arena_zero(analysis->arena, out->stretch_count + 1, sizeof(*out->stretches));
    for (size_t n = 0; n < out->stretch_count; n++)
        out->stretches[n] = *stretch_at(machine, n);
    out->held = held.items;
}

void series_read(struct Analysis *analysis, uint32_t probe, struct Series *out)
{
    *out = (struct Series){.normal_ns = 0};
    gather(analysis, probe, out);
    cut(analysis, probe, out);
    for (size_t n = 0; n < out->count; n++) {
        const struct Sample *sample = out->at[n];
        int64_t taken = mono_since(sample->started, sample->ended);
        bool before = mono_before(sample->ended, analysis->out->t0.low);
        if (before && sample->outcome == OUTCOME_OK && taken > out->normal_ns)
            out->normal_ns = taken;
    }
    if (out->normal_ns == 0)
        out->normal_ns = analysis->run->probes[probe].interval_ns;
}

/* ---- Counts by phase ---- */

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

struct Latencies {
    int64_t *at;
    size_t count;
};

static struct Latency summary(struct Latencies *latencies)
{
    size_t count = latencies->count;
    if (count > 1)
        qsort(latencies->at, count, sizeof(*latencies->at), compare_ns);
    return (struct Latency){.count = (uint32_t)count,
                            .p50_ns = sorted_percentile(latencies->at, count, 50),
                            .p95_ns = sorted_percentile(latencies->at, count, 95),
                            .p99_ns = sorted_percentile(latencies->at, count, 99),
                            .max_ns = count > 0 ? latencies->at[count - 1] : -1};
}

static void count_window(const struct Sample *sample, struct ProbeResult *out)
{
    out->attempts++;
    switch ((enum Outcome)sample->outcome) {
    case OUTCOME_OK:
        out->ok++;
        break;
    case OUTCOME_FAILED:
    case OUTCOME_TIMEOUT:
        out->failed++;
        break;
    case OUTCOME_BROKEN:
        out->broken++;
        break;
    case OUTCOME_SKIPPED:
        out->skipped++;
        break;
    }
}

/* Connected, yet no answer: what a stopped process looks like to its clients. */
static bool looks_frozen(const struct Sample *sample)
{
    return sample->connected &&
           (sample->outcome == OUTCOME_TIMEOUT || sample->failure == FAILURE_SLOW);
}

static void count_during(const struct Sample *sample, struct ProbeResult *out, uint32_t *frozen)
{
    out->during_attempts++;
    if (sample->outcome == OUTCOME_OK)
        return;
    out->during_failed++;
    *frozen += looks_frozen(sample) ? 1 : 0;
    size_t failure = (size_t)sample_failure(sample);
    if (failure < COUNT_OF(out->failures))
        out->failures[failure]++;
}

enum Phase { PHASE_BEFORE, PHASE_DURING, PHASE_AFTER, PHASE_WINDOW, PHASE_COUNT };

static void count_one(const struct Analysis *analysis, const struct Sample *sample,
                      struct Latencies *phases, struct ProbeResult *out, uint32_t *frozen)
{
    const struct Report *report = analysis->out;
    struct Mono at = sample->started;
    bool window = !mono_before(at, report->t0.low) && mono_before(at, report->window_end);
    bool during = analysis->any_sent && while_in_effect(report, at);
    out->all_attempts++;
    out->all_unasked += sample_counts(sample) ? 0 : 1;
    if (window)
        count_window(sample, out);
    if (during && sample_counts(sample))
        count_during(sample, out, frozen);
    if (!sample_answered(sample))
        return;
    int64_t taken = mono_since(sample->intended, sample->ended);
    bool after = report->undone.high.ns != 0 && !mono_before(at, report->undone.high) &&
                 mono_before(at, back_began(analysis->run));
    if (mono_before(at, report->t0.low) || report->t0.low.ns == 0)
        phases[PHASE_BEFORE].at[phases[PHASE_BEFORE].count++] = taken;
    else if (during)
        phases[PHASE_DURING].at[phases[PHASE_DURING].count++] = taken;
    else if (after)
        phases[PHASE_AFTER].at[phases[PHASE_AFTER].count++] = taken;
    if (window)
        phases[PHASE_WINDOW].at[phases[PHASE_WINDOW].count++] = taken;
}

/* "No outage of this length or longer": between two good attempts in a row one may hide that is as
 * long as from the start of the first to the end of the second. */
static int64_t longest_unseen(const struct Analysis *analysis, const struct Series *series)
{
    const struct Report *report = analysis->out;
    const struct Sample *last = NULL;
    int64_t longest = 0;
    for (size_t n = 0; n < series->count; n++) {
        const struct Sample *sample = series->at[n];
        if (sample->outcome != OUTCOME_OK)
            continue;
        bool counts = last != NULL && mono_before(report->t0.low, sample->ended) &&
                      mono_before(last->started, report->window_end);
        int64_t unseen = counts ? mono_since(last->started, sample->ended) : 0;
        longest = unseen > longest ? unseen : longest;
        last = sample;
    }
    return longest;
}

void series_count(const struct Analysis *analysis, const struct Series *series,
                  struct ProbeResult *out)
{
    struct Latencies phases[PHASE_COUNT];
    uint32_t frozen = 0;
    for (int n = 0; n < PHASE_COUNT; n++)
        phases[n] = (struct Latencies){.at = mem_zero(series->count + 1, sizeof(int64_t))};
    for (size_t n = 0; n < series->count; n++)
        count_one(analysis, series->at[n], phases, out, &frozen);
    out->before = summary(&phases[PHASE_BEFORE]);
    out->during = summary(&phases[PHASE_DURING]);
    out->after = summary(&phases[PHASE_AFTER]);
    struct Latency window = summary(&phases[PHASE_WINDOW]);
    out->p50_ns = window.p50_ns;
    out->p95_ns = window.p95_ns;
    out->p99_ns = window.p99_ns;
    for (int n = 0; n < PHASE_COUNT; n++)
        mem_free(phases[n].at);
    out->froze = frozen >= 2 && frozen * 2 >= out->during_failed;
    out->resolution_ns = longest_unseen(analysis, series);
}
