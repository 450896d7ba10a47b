/* verdict.c - what spoils a run, and the one word and sentence that stand above it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../runner/base/duration.h"
#include "analyse_parts.h"

#define SUSPENDED_NS (100 * NS_PER_MS) /* reading two clocks in turn is never exact */

static void say(struct Report *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct Report *out, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(out->why, sizeof(out->why), format, values);
    va_end(values);
}

/* ---- What makes a run INCONCLUSIVE: DESIGN.md 9 ---- */

static void spoiled_faults(struct Analysis *analysis)
{
    for (size_t n = 0; n < analysis->run->fault_count; n++) {
        const struct RunFault *fault = &analysis->run->faults[n];
        if (fault->t0.low.ns == 0)
            continue;
        if (fault->t0.high.ns == 0)
            analysis_spoil(analysis, "the %s on %s was not proven", fault->kind, fault->host);
        if (fault->ended_early.ns != 0)
            analysis_spoil(analysis, "the %s on %s ended before its undo was sent", fault->kind,
                           fault->host);
    }
}

static bool over_one_percent(uint64_t part, uint64_t all)
{
    return part * 100 > all;
}

/* Attempts without a sample were lost on their way. */
static uint32_t lost_samples(const struct ProbeResult *result)
{
    if (result->sample_count == 0)
        return 0;
    uint32_t sent = result->samples[result->sample_count - 1]->sequence + 1;
    return sent > result->sample_count ? sent - (uint32_t)result->sample_count : 0;
}

static void spoiled_probe(struct Analysis *analysis, const struct ProbeResult *result)
{
    const char *name = result->probe->name;
    char share[16];
    uint32_t lost = lost_samples(result);
    uint32_t window = result->skipped + result->broken;
    bool in_window = over_one_percent(window, result->attempts);
    if (in_window || over_one_percent(result->all_unasked, result->all_attempts)) {
        uint32_t part = in_window ? window : result->all_unasked;
        uint32_t all = in_window ? result->attempts : result->all_attempts;
        share_say((int64_t)((uint64_t)part * 1000000 / all), share);
        analysis_spoil(analysis, "%s of the attempts of probe %s were skipped or broken", share,
                       name);
    }
    if (over_one_percent(lost, (uint64_t)result->sample_count + lost))
        analysis_spoil(analysis, "%u samples of probe %s were lost on their way", lost, name);
    if (result->attempts == 0)
        analysis_spoil(analysis, "probe %s took no sample after the fault", name);
    if (result->probe->control && result->failed > 0)
        analysis_spoil(analysis,
                       "control probe %s failed: the way to the service was bad, not only "
                       "the service",
                       name);
}

void analyse_spoiled(struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    bool begun = analysis->any_sent;
    if (!run->finished)
        analysis_spoil(analysis, "the runner was cut off before the run had ended");
    if (run->suspended_ns > SUSPENDED_NS || run->suspended_ns < -SUSPENDED_NS) {
        char text[32];
        duration_say(run->suspended_ns < 0 ? -run->suspended_ns : run->suspended_ns, text);
        analysis_spoil(analysis, "the runner's machine was suspended for %s", text);
    }
    spoiled_faults(analysis);
    for (size_t n = 0; begun && n < analysis->out->probe_count; n++)
        spoiled_probe(analysis, &analysis->out->probes[n]);
    if (run->ended_as == VERDICT_INCONCLUSIVE && analysis->spoiled.count == 0)
        analysis_spoil(analysis, "%s", run->why[0] != '\0' ? run->why : "the runner said so");
}

/* ---- The word ---- */

static const struct Judged *first_with(const struct Report *report, enum Verdict verdict,
                                       size_t *count)
{
    const struct Judged *first = NULL;
    *count = 0;
    for (size_t n = 0; n < report->judged_count; n++) {
        if (report->judged[n].verdict != verdict)
            continue;
        first = first == NULL ? &report->judged[n] : first;
        ++*count;
    }
    return first;
}

static enum Verdict decide(const struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    const struct Report *out = analysis->out;
    size_t failed = 0, unclear = 0;
    first_with(out, VERDICT_FAIL, &failed);
    first_with(out, VERDICT_INCONCLUSIVE, &unclear);
    enum Verdict verdict = run->ended_as;
    if (out->undone_count < out->fault_count)
        return VERDICT_NOT_UNDONE;
    if (verdict == VERDICT_HALTED || verdict == VERDICT_OWN_FAILURE ||
        verdict == VERDICT_NOT_UNDONE)
        return verdict;
    if (!analysis->any_sent && (verdict == VERDICT_REFUSED || verdict == VERDICT_NOT_READY))
        return verdict;
    if (analysis->spoiled.count > 0)
        return VERDICT_INCONCLUSIVE; /* outranks FAIL: the figures are of nothing */
    if (failed > 0 || run->not_steady)
        return verdict_worst(verdict, VERDICT_FAIL);
    return unclear > 0 ? verdict_worst(verdict, VERDICT_INCONCLUSIVE) : verdict;
}

/* ---- The sentence ---- */

static void say_judged(struct Report *out, enum Verdict verdict)
{
    size_t count = 0;
    const struct Judged *first = first_with(out, verdict, &count);
    char more[48] = "";
    if (count > 1)
        snprintf(more, sizeof(more), " (and %zu more)", count - 1);
    if (verdict == VERDICT_FAIL && first->broke[0] != '\0') {
        say(out, "%s: %s: %s%s", first->expectation->probe, first->measures, first->broke, more);
        return;
    }
    say(out, "%s: %s%s%s%s%s%s%s%s", first->expectation->probe, first->measures,
        first->measured[0] != '\0' ? " " : "", first->measured,
        first->limit[0] != '\0' ? ", limit " : "", first->limit,
        verdict == VERDICT_INCONCLUSIVE && first->note[0] != '\0' ? ": " : "",
        verdict == VERDICT_INCONCLUSIVE ? first->note : "", more);
}

static void say_not_undone(struct Report *out)
{
    for (size_t n = 0; n < out->run->fault_count; n++) {
        const struct RunFault *fault = &out->run->faults[n];
        if (fault->t0.low.ns != 0 && !fault->clear) {
            say(out, "%u of %u undone: the %s may still be in effect on %s", out->undone_count,
                out->fault_count, fault->kind, fault->host);
            return;
        }
    }
    say(out, "%s", out->run->why);
}

static void say_pass(struct Report *out)
{
    if (out->unaffected)
        say(out, "the fault was proven, and no probe noticed it");
    else if (out->judged_count == 0)
        say(out, "it ran to its end");
    else
        say(out, "%s",
            out->judged_count == 1 ? "the expectation was met" : "every expectation was met");
}

static void say_spoiled(const struct Analysis *analysis)
{
    const char *const *reasons = analysis->spoiled.items;
    size_t count = analysis->spoiled.count;
    if (count > 1)
        say(analysis->out, "%s (and %zu more)", reasons[0], count - 1);
    else
        say(analysis->out, "%s", reasons[0]);
}

void analyse_verdict(struct Analysis *analysis)
{
    struct Report *out = analysis->out;
    size_t failed = 0;
    out->verdict = decide(analysis);
    first_with(out, VERDICT_FAIL, &failed);
    switch (out->verdict) {
    case VERDICT_NOT_UNDONE:
        say_not_undone(out);
        return;
    case VERDICT_INCONCLUSIVE:
        if (analysis->spoiled.count > 0)
            say_spoiled(analysis);
        else
            say_judged(out, VERDICT_INCONCLUSIVE);
        return;
    case VERDICT_FAIL:
        if (failed > 0)
            say_judged(out, VERDICT_FAIL);
        else if (out->run->not_steady)
            say(out, "not steady after the %s",
                back_began(out->run).ns != NS_NEVER ? "switch back" : "undo");
        else
            say(out, "%s", out->run->why);
        return;
    case VERDICT_PASS:
        say_pass(out);
        return;
    case VERDICT_NOT_READY:
    case VERDICT_REFUSED:
    case VERDICT_HALTED:
    case VERDICT_OWN_FAILURE:
        say(out, "%s", out->run->why);
        return;
    }
}
