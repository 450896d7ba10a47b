/* findings.c - sentences for people, beside the figures. */
/* SPDX-License-Identifier: Apache-2.0 */
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
        duration_say(ledger->zombie_ns, age);
        analysis_find(analysis,
                      "%s: %llu of the lost writes were acknowledged after the fault, over %s: "
                      "the old primary went on.",
                      name, (unsigned long long)ledger->lost_after, age);
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
    if (expected.high_ns <= 0 || primary->failover.high_ns == NS_NEVER)
        return;
    span_say(expected.low_ns, expected.high_ns, range);
    span_say(primary->failover.low_ns, primary->failover.high_ns, measured);
    bool slow = primary->failover.low_ns > expected.high_ns;
    bool fast = primary->failover.high_ns < expected.low_ns;
    analysis_find(analysis, "%s: failover took %s; %s its settings predict, %s.",
                  primary->probe->name, measured,
                  slow   ? "longer than"
                  : fast ? "less than"
                         : "within what",
                  range);
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
