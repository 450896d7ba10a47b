/* judge_data.c - the words that only ledgers and primaries know. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../runner/base/duration.h"
#include "judge_parts.h"

static const char *host_named(const struct RunRecord *run, uint32_t by)
{
    return by > 0 && by <= run->host_count ? run->hosts[by - 1] : "";
}

/* "of 41 210 acknowledged; ids 8112..8128; all by redis-1, after the fault" */
static void say_lost(const struct Case *of)
{
    const struct LedgerResult *ledger = of->ledger;
    char acked[32], ids[64] = "", by[80] = "";
    count_say(ledger->acked, acked);
    const struct LostWrite *first = ledger->first_lost;
    if (ledger->lost > 0 && ledger->lost <= ledger->first_lost_count) {
        unsigned long long low = first[0].number, high = first[ledger->lost - 1].number;
        if (ledger->lost == 1)
            snprintf(ids, sizeof(ids), "; id %llu", low);
        else
            snprintf(ids, sizeof(ids), "; ids %llu..%llu", low, high);
    }
    if (ledger->lost > 0)
        snprintf(by, sizeof(by), "; acknowledged%s%s", ledger->lost_by > 0 ? " by " : "",
                 host_named(of->analysis->run, ledger->lost_by));
    const char *when = ledger->lost == 0                     ? ""
                       : ledger->lost_before == ledger->lost ? " before the fault"
                       : ledger->lost_after == ledger->lost  ? " after the fault"
                       : ledger->lost_inside == ledger->lost ? " as the fault struck"
                                                             : " around the fault";
    case_note(of, "of %s acknowledged%s%s%s", acked, ids, by, when);
    if (ledger->holes)
        strncat(of->out->note, "; holes: later ones survived",
                sizeof(of->out->note) - strlen(of->out->note) - 1);
}

static void measure_lost(const struct Case *of)
{
    const struct LedgerResult *ledger = of->ledger;
    char count[32], span[64];
    count_say(ledger->lost, count);
    if (ledger->complete != KNOWN_YES)
        case_measured(of, "unknown");
    else if (of->expectation->limit_is_duration && ledger->lost > 0) {
        span_say(ledger->lost_span.low_ns, ledger->lost_span.high_ns, span);
        case_measured(of, "%s (%s writes)", span, count);
    } else
        case_measured(of, "%s", count);
}

/* A loss that was found stays one; that nothing was lost needs a whole read-back, and a writer who
 * stood where the fault struck. */
void judge_lost(const struct Case *of)
{
    const struct LedgerResult *ledger = of->ledger;
    bool over = of->expectation->limit_is_duration
                    ? ledger->lost_span.low_ns > of->expectation->limit
                    : ledger->lost > (uint64_t)of->expectation->limit;
    measure_lost(of);
    if (ledger->complete != KNOWN_YES) {
        case_unclear(of, "the read-back is not complete");
        if (ledger->read > 0 && ledger->lost > 0)
            case_note(of, "the read-back is not complete; %llu not found in what was read",
                      (unsigned long long)ledger->lost);
        return;
    }
    say_lost(of);
    case_met(of, !over && !ledger->holes);
    if (of->out->verdict == VERDICT_PASS && !ledger->acked_by_target_before_t0)
        case_unclear(of, ledger->not_by_target);
}

void judge_duplicated(const struct Case *of)
{
    char count[32];
    count_say(of->ledger->duplicated, count);
    case_measured(of, "%s", count);
    case_met(of, of->ledger->duplicated <= (uint64_t)of->expectation->limit);
    if (of->out->verdict == VERDICT_PASS && of->ledger->complete != KNOWN_YES) {
        case_measured(of, "unknown");
        case_unclear(of, "the read-back is not complete");
    }
}

void judge_split(const struct Case *of)
{
    const struct PrimaryResult *primary = of->primary;
    if (!primary->seen) {
        case_unclear(of, "no host could be asked who leads");
        return;
    }
    if (primary->split.high_ns == 0) {
        case_measured(of, "none seen");
        case_met(of, true);
        return;
    }
    case_span(of, primary->split, "two primaries to the end");
    if (of->out->note[0] == '\0' && primary->split_proven)
        case_note(of, "proven: both acknowledged writes");
}

void judge_redundant(const struct Case *of)
{
    const struct PrimaryResult *primary = of->primary;
    const struct Report *report = of->analysis->out;
    if (primary->system != NULL && !primary->system->redundancy_was_whole) {
        case_unclear(of, "it was not whole before the fault");
        return;
    }
    struct Span span = primary->redundant;
    if (span.high_ns == NS_NEVER) {
        struct Moment from = report->undone.low.ns != 0 ? report->undone : report->t0;
        struct Mono end = of->analysis->run->mono_ended;
        span.low_ns = span_since(from, end, end).low_ns;
    }
    case_span(of, span, "not seen by the end of the run");
}

static void judge_event(const struct Case *of, struct Span span, const char *never)
{
    if (span.high_ns == NS_NEVER) {
        case_measured(of, "%s", never);
        case_met(of, false);
        return;
    }
    case_span(of, span, never);
}

void judge_failover(const struct Case *of)
{
    judge_event(of, of->primary->failover, "no new primary");
    if (of->out->note[0] == '\0' && of->primary->failover_count > 1)
        case_note(of, "the slowest of %zu", of->primary->failover_count);
}

static bool is_firing(const struct Sample *sample)
{
    return sample->outcome == OUTCOME_FAILED && sample->failure == FAILURE_CONTENT;
}

/* From T0 to the first attempt that found it firing; it was silent at some instant of a good one.
 */
static struct Span fired(const struct Case *of)
{
    const struct ProbeResult *probe = of->probe;
    struct Moment t0 = of->analysis->out->t0;
    struct Mono low = t0.low, high = {NS_NEVER}, back = back_began(of->analysis->run);
    for (size_t n = 0; n < probe->sample_count; n++) {
        const struct Sample *sample = probe->samples[n];
        if (is_firing(sample) && mono_before(t0.low, sample->ended) &&
            mono_before(sample->started, back))
            high = mono_min(high, sample->ended);
    }
    for (size_t n = 0; n < probe->sample_count; n++) {
        const struct Sample *sample = probe->samples[n];
        if (sample->outcome == OUTCOME_OK && mono_before(sample->ended, high) &&
            mono_before(low, sample->started) && mono_before(sample->started, back))
            low = sample->started;
    }
    return span_since(t0, low, high);
}

/* The last attempt before the fault decides, whatever came before it. */
static bool fired_before(const struct Case *of)
{
    bool firing = false;
    for (size_t n = 0; n < of->probe->sample_count; n++) {
        const struct Sample *sample = of->probe->samples[n];
        if (mono_before(of->analysis->out->t0.low, sample->ended))
            break;
        if (is_firing(sample) || sample->outcome == OUTCOME_OK)
            firing = is_firing(sample);
    }
    return firing;
}

static void judge_alert(const struct Case *of)
{
    struct Span span = fired(of);
    if (fired_before(of)) {
        case_unclear(of, "it fired already when the fault was sent");
        return;
    }
    if (span.high_ns != NS_NEVER) {
        case_span(of, span, "");
        return;
    }
    case_measured(of, "never fired");
    if (span.low_ns < of->expectation->limit)
        case_unclear(of, "the run ended before the limit");
    else
        case_met(of, false);
}

void judge_detected(const struct Case *of)
{
    if (of->primary == NULL)
        judge_alert(of);
    else
        judge_event(of, of->primary->detected, "not noticed");
}
