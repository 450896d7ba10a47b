/* analyse.c - from what a run left behind to what it means. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse.h"

#include <stdarg.h>
#include <stdio.h>

#include "../runner/base/text.h"
#include "analyse_parts.h"

static void add_sentence(struct List *list, struct Arena *arena, const char *format, va_list values)
    __attribute__((format(printf, 3, 0)));
static void add_sentence(struct List *list, struct Arena *arena, const char *format, va_list values)
{
    char text[512];
    vsnprintf(text, sizeof(text), format, values);
    *(const char **)list_add(list, arena, sizeof(const char *)) = arena_text(arena, text);
}

void analysis_spoil(struct Analysis *analysis, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    add_sentence(&analysis->spoiled, analysis->arena, format, values);
    va_end(values);
}

void analysis_find(struct Analysis *analysis, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    add_sentence(&analysis->findings, analysis->arena, format, values);
    va_end(values);
}

const struct ProbeResult *probe_result(const struct Report *report, const char *name)
{
    for (size_t n = 0; n < report->probe_count; n++) {
        if (text_equal(report->probes[n].probe->name, name))
            return &report->probes[n];
    }
    return NULL;
}

const struct LedgerResult *ledger_result(const struct Report *report, const struct RunProbe *probe)
{
    for (size_t n = 0; n < report->ledger_count; n++) {
        if (report->ledgers[n].probe == probe)
            return &report->ledgers[n];
    }
    return NULL;
}

const struct PrimaryResult *primary_result(const struct Report *report,
                                           const struct RunProbe *probe)
{
    for (size_t n = 0; n < report->primary_count; n++) {
        if (report->primaries[n].probe == probe)
            return &report->primaries[n];
    }
    return NULL;
}

static void analyse_probe(struct Analysis *analysis, uint32_t probe)
{
    struct ProbeResult *result = &analysis->out->probes[probe];
    struct Series series;
    result->probe = &analysis->run->probes[probe];
    series_read(analysis, probe, &series);
    result->samples = (const struct Sample *const *)series.at;
    result->sample_count = series.count;
    series_count(analysis, &series, result);
    analyse_recovery(analysis, &series, result);
}

static void analyse_probes(struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    struct Report *out = analysis->out;
    out->probes = arena_zero(analysis->arena, run->probe_count + 1, sizeof(*out->probes));
    out->ledgers = arena_zero(analysis->arena, run->probe_count + 1, sizeof(*out->ledgers));
    out->primaries = arena_zero(analysis->arena, run->probe_count + 1, sizeof(*out->primaries));
    out->probe_count = run->probe_count;
    for (uint32_t n = 0; n < run->probe_count; n++) {
        analyse_probe(analysis, n);
        if (run->probes[n].is_ledger)
            analyse_ledger(analysis, n, &out->ledgers[out->ledger_count++]);
        if (run->probes[n].is_primary)
            analyse_primary(analysis, n, &out->primaries[out->primary_count++]);
    }
}

/* Proven, and nobody was hurt: no request failed, no write is gone, nobody else led. */
static bool nobody_noticed(const struct Analysis *analysis)
{
    const struct Report *out = analysis->out;
    if (!analysis->any_sent || out->probe_count == 0)
        return false;
    for (size_t n = 0; n < out->cause_count; n++) {
        if (out->causes[n].t0.high.ns == 0)
            return false;
    }
    for (size_t n = 0; n < out->probe_count; n++) {
        if (out->probes[n].probe->is_alert)
            continue; /* that somebody is told hurts nobody */
        if (!out->probes[n].unaffected || out->probes[n].attempts == 0)
            return false;
    }
    for (size_t n = 0; n < out->ledger_count; n++) {
        if (out->ledgers[n].lost + out->ledgers[n].back_lost > 0)
            return false;
    }
    for (size_t n = 0; n < out->primary_count; n++) {
        if (out->primaries[n].split.high_ns > 0 || out->primaries[n].back_split.high_ns > 0)
            return false;
    }
    return true;
}

void analyse(const struct RunRecord *run, const struct Past *past, size_t past_count,
             struct Arena *arena, struct Report *out)
{
    *out = (struct Report){.run = run, .past = past, .past_count = past_count};
    struct Analysis analysis = {.run = run, .arena = arena, .out = out};
    analyse_causes(&analysis);
    analyse_probes(&analysis);
    if (analysis.any_sent)
        analyse_gray(out);
    out->unaffected = nobody_noticed(&analysis);
    analyse_spoiled(&analysis);
    analyse_judge(&analysis);
    analyse_findings(&analysis);
    analyse_verdict(&analysis);
    out->spoiled = analysis.spoiled.items;
    out->spoiled_count = analysis.spoiled.count;
    struct Finding *findings = arena_zero(arena, analysis.findings.count + 1, sizeof(*findings));
    for (size_t n = 0; n < analysis.findings.count; n++)
        findings[n].text = ((const char *const *)analysis.findings.items)[n];
    out->findings = findings;
    out->finding_count = analysis.findings.count;
    analyse_advice(&analysis);
}
