/* findings.c - sentences for people, beside the figures. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "analyse_parts.h"

static void find_probe(struct Analysis *analysis, const struct ProbeResult *result)
{
    const char *name = result->probe->name;
    char first[64], last[64];
    bool asks_service =
        text_equal(result->probe->kind, "http") || text_equal(result->probe->kind, "redis");
    if (result->froze && asks_service)
        analysis_find(analysis,
                      "%s: TCP still connects, the service does not answer. That is what a frozen "
                      "process looks like to its clients.",
                      name);
    if (result->failing_at_t0)
        analysis_find(analysis, "%s failed already when the fault was sent.", name);
    if (result->unaffected || result->recovered.high_ns == NS_NEVER)
        return;
    if (result->first_recovered.high_ns != result->recovered.high_ns) {
        span_say(result->first_recovered.low_ns, result->first_recovered.high_ns, first);
        span_say(result->recovered.low_ns, result->recovered.high_ns, last);
        analysis_find(analysis,
                      "%s was ok %s after the fault and failed again; it held from %s on "
                      "(%u failing stretches).",
                      name, first, last, result->windows);
    }
}

static void find_healed(struct Analysis *analysis, const struct ProbeResult *result)
{
    char text[64];
    bool beside = result->probe->is_ledger && result->probe->from != NULL; /* only read back then */
    if (result->healed.high_ns == 0 || beside)
        return;
    span_say(result->healed.low_ns, result->healed.high_ns, text);
    if (result->healed.high_ns == NS_NEVER)
        analysis_find(analysis, "%s did not heal after the undo.", result->probe->name);
    else
        analysis_find(analysis, "%s healed %s after the undo.", result->probe->name, text);
}

/* Beside how long its settings let a primary that nobody hears go on; "" where nobody can tell. */
static void say_acked(const struct Analysis *analysis, const struct LedgerResult *ledger,
                      char out[160])
{
    const struct RunRecord *run = analysis->run;
    const struct RunSystem *system = system_of(run, ledger->probe->role);
    int64_t values[KNOB_ROWS_MAX], lasted_ns = 0;
    size_t cuts = 0;
    struct Forecast forecast;
    char range[64];
    out[0] = '\0';
    if (system == NULL || system->table == NULL || system->knobs == NULL ||
        ledger->probe->from == NULL || !text_equal(ledger->probe->from, system->primary_before))
        return;
    for (size_t n = 0; n < run->fault_count; n++) {
        const struct RunFault *fault = &run->faults[n];
        if (!text_equal(fault->host, ledger->probe->from) || fault->t0.high.ns == 0 ||
            text_equal(fault->kind, "failover"))
            continue;
        if (!text_equal(fault->kind, "isolate") || fault->undone.low.ns == 0)
            return; /* something else ended it, a fence say */
        lasted_ns = mono_since(fault->t0.low, fault->undone.low);
        cuts++;
    }
    knobs_read_text(system->table, system->knobs, values);
    system->table->foretell(values, &forecast);
    struct Span acked = forecast.acked;
    /* One that would go on longer than it was cut off also does so until it hears of the other. */
    if (cuts != 1 || acked.high_ns == KNOB_UNKNOWN)
        return;
    bool open = acked.high_ns > lasted_ns;
    acked.low_ns = acked.low_ns < lasted_ns ? acked.low_ns : lasted_ns;
    acked.high_ns = open ? acked.low_ns : acked.high_ns;
    span_say(acked.low_ns, acked.high_ns, range);
    bool longer = !open && ledger->zombie_ns > acked.high_ns + NS_PER_S;
    bool shorter = ledger->zombie_ns + 2 * (ledger->spacing_ns + NS_PER_S) < acked.low_ns;
    snprintf(out, 160,
             longer || shorter ? ", %s than the %s%s that its settings predict" : ", %s (%s%s)",
             longer    ? "longer"
             : shorter ? "shorter"
                       : "as predicted",
             range, open ? " or more" : "");
}

static void find_ledger(struct Analysis *analysis, const struct LedgerResult *ledger)
{
    const char *name = ledger->probe->name;
    char age[32];
    if (ledger->complete == KNOWN_YES && ledger->lost_found_elsewhere > 0)
        analysis_find(analysis,
                      "%s: %llu of the %llu lost writes are still on another host than the "
                      "primary.",
                      name, (unsigned long long)ledger->lost_found_elsewhere,
                      (unsigned long long)ledger->lost);
    if (ledger->complete == KNOWN_YES && ledger->holes)
        analysis_find(analysis,
                      "%s: writes are missing between others that survived. That is no lag: look "
                      "for divergence.",
                      name);
    if (ledger->complete == KNOWN_YES && ledger->loss_age_ns >= 0) {
        duration_say(ledger->loss_age_ns, age);
        analysis_find(analysis, "%s: the oldest lost write was %s old when the fault struck.", name,
                      age);
    }
    if (ledger->complete == KNOWN_YES && ledger->lost_after > 0) {
        char as_predicted[160];
        duration_say(ledger->zombie_ns, age);
        say_acked(analysis, ledger, as_predicted);
        analysis_find(analysis,
                      "%s: %llu of the lost writes were acknowledged after the fault, over %s: "
                      "the old primary went on%s.",
                      name, (unsigned long long)ledger->lost_after, age, as_predicted);
    }
    if (ledger->refused_but_there > 0)
        analysis_find(analysis, "%s: %llu writes are there though the service had said no.", name,
                      (unsigned long long)ledger->refused_but_there);
    if (ledger->unexpected > 0)
        analysis_find(analysis, "%s: %llu numbers are there that nobody wrote.", name,
                      (unsigned long long)ledger->unexpected);
    if (!ledger->acked_by_target_before_t0 && ledger->not_by_target != NULL)
        analysis_find(analysis, "%s: %s; that nothing was lost cannot be said.", name,
                      ledger->not_by_target);
}

static void find_expected(struct Analysis *analysis, const struct PrimaryResult *primary)
{
    struct Span expected = primary->system->expected;
    char measured[64], range[64];
    if (expected.high_ns <= 0 || expected.high_ns == NS_NEVER ||
        primary->failover.high_ns == NS_NEVER)
        return;
    span_say(expected.low_ns, expected.high_ns, range);
    span_say(primary->failover.low_ns, primary->failover.high_ns, measured);
    bool slow = primary->failover.low_ns > expected.high_ns;
    bool fast = primary->failover.high_ns < expected.low_ns;
    if (!slow && !fast)
        analysis_find(analysis, "%s: failover took %s, as predicted (%s).", primary->probe->name,
                      measured, range);
    else
        analysis_find(analysis,
                      "%s: failover took %s, %s than the %s that its settings predict: look for "
                      "what they do not say.",
                      primary->probe->name, measured, slow ? "longer" : "less", range);
}

static bool is_partition(const struct RunFault *fault)
{
    return text_equal(fault->kind, "isolate") || text_equal(fault->kind, "cut");
}

static bool has_ledger_from(const struct RunRecord *run, const char *host)
{
    for (size_t n = 0; n < run->probe_count; n++) {
        if (host != NULL && run->probes[n].is_ledger && text_equal(run->probes[n].from, host))
            return true;
    }
    return false;
}

static void find_primary(struct Analysis *analysis, const struct PrimaryResult *primary)
{
    const struct Report *report = analysis->out;
    const char *name = primary->probe->name;
    char text[64];
    if (primary->system != NULL)
        find_expected(analysis, primary);
    if (primary->split_after_undo.high_ns > 0) {
        span_say(primary->split_after_undo.low_ns, primary->split_after_undo.high_ns, text);
        analysis_find(analysis, "%s: two hosts called themselves primary for %s after the undo.",
                      name, text);
    }
    if (primary->gray_of != NULL) {
        span_say(primary->gray.low_ns, primary->gray.high_ns, text);
        analysis_find(analysis,
                      "%s failed for %s while %s said that it leads, and nobody took over: a gray "
                      "window.",
                      primary->gray_of->name, text, primary->before);
    }
    bool beside = has_ledger_from(analysis->run, primary->before);
    bool partition =
        !beside && report->cause_count > 0 && is_partition(report->causes[0].faults[0]);
    if (partition && primary->unasked_ns > 0) {
        duration_say(primary->unasked_ns, text);
        analysis_find(
            analysis,
            "%s: for %s the old primary could not be asked while another one led. Whether "
            "it led too is unknown; a ledger `from:` it would show.",
            name, text);
    }
    if (primary->system != NULL && primary->system->redundancy_was_whole &&
        primary->redundant.high_ns == NS_NEVER && report->undone.low.ns != 0)
        analysis_find(analysis, "%s: the service recovered, redundancy was NOT seen restored.",
                      name);
}

/* A machine that was cut off may go on acknowledging writes that nobody else will ever see. */
static bool cut_side_unmeasured(const struct RunRecord *run)
{
    for (size_t n = 0; n < run->fault_count; n++) {
        const struct RunFault *fault = &run->faults[n];
        const struct RunSystem *system = system_of(run, fault->role);
        if (fault->t0.low.ns == 0 || !is_partition(fault) || system == NULL)
            continue;
        if (system->primary_before != NULL && system->primary_before[0] != '\0' &&
            !text_equal(system->primary_before, fault->host))
            continue;
        if (!has_ledger_from(run, fault->host))
            return true;
    }
    return false;
}

void analyse_findings(struct Analysis *analysis)
{
    struct Report *out = analysis->out;
    if (!analysis->any_sent)
        return;
    for (size_t n = 0; n < out->probe_count; n++) {
        find_probe(analysis, &out->probes[n]);
        find_healed(analysis, &out->probes[n]);
    }
    for (size_t n = 0; n < out->ledger_count; n++)
        find_ledger(analysis, &out->ledgers[n]);
    for (size_t n = 0; n < out->primary_count; n++)
        find_primary(analysis, &out->primaries[n]);
    out->cut_side_unmeasured = cut_side_unmeasured(analysis->run);
    if (out->cut_side_unmeasured)
        analysis_find(analysis, "Losses on the cut side were not measured: no ledger had its "
                                "client there (`from:`).");
}
