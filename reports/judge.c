/* judge.c - each expectation against what was measured. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "judge_parts.h"

void case_measured(const struct Case *of, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(of->out->measured, sizeof(of->out->measured), format, values);
    va_end(values);
}

void case_note(const struct Case *of, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(of->out->note, sizeof(of->out->note), format, values);
    va_end(values);
}

static void say_limit(const struct Case *of)
{
    char text[32];
    switch (of->row->type) {
    case FIELD_DURATION:
        duration_say(of->expectation->limit, text);
        break;
    case FIELD_SHARE:
        share_say(of->expectation->limit, text);
        break;
    case FIELD_LOSS:
        if (of->expectation->limit_is_duration)
            duration_say(of->expectation->limit, text);
        else
            count_say((uint64_t)of->expectation->limit, text);
        break;
    case FIELD_BOOL:
        return;
    case FIELD_TEXT:
        if (!of->expectation->limit_is_duration) {
            snprintf(of->out->limit, sizeof(of->out->limit), "%s",
                     of->expectation->text != NULL ? of->expectation->text : "");
            return;
        }
        duration_say(of->expectation->limit, text);
        break;
    default:
        count_say((uint64_t)of->expectation->limit, text);
    }
    snprintf(of->out->limit, sizeof(of->out->limit), "%s", text);
}

void case_unclear(const struct Case *of, const char *why)
{
    of->out->verdict = VERDICT_INCONCLUSIVE;
    case_note(of, "%s", why);
}

/* Upper bound <= limit is met, lower bound > limit is missed; between them nobody knows. */
void case_span(const struct Case *of, struct Span span, const char *open)
{
    int64_t limit = of->expectation->limit;
    span_say(span.low_ns, span.high_ns, of->out->measured);
    if (span.high_ns != NS_NEVER && span.high_ns <= limit) {
        of->out->verdict = VERDICT_PASS;
    } else if (span.low_ns > limit) {
        of->out->verdict = VERDICT_FAIL;
        if (span.high_ns == NS_NEVER)
            case_note(of, "%s", open);
    } else if (span.high_ns == NS_NEVER) {
        case_unclear(of, open);
    } else {
        case_unclear(of, of->probe->silent ? "the limit lies inside the interval: set `under`, "
                                             "or probe faster"
                                           : "the limit lies inside the interval: probe faster");
    }
}

void case_met(const struct Case *of, bool met)
{
    of->out->verdict = met ? VERDICT_PASS : VERDICT_FAIL;
}

/* ---- Words that every probe knows ---- */

static void judge_outage(const struct Case *of, struct Span span)
{
    case_span(of, span, "still failing when observing ended");
    if (of->expectation->limit == 0 && of->probe->failed > 0)
        of->out->verdict = VERDICT_FAIL; /* one failed attempt is more than none */
    if (of->word == BOUND_MAX_DOWNTIME && of->probe->windows > 1 && of->out->note[0] == '\0')
        case_note(of, "in %u stretches", of->probe->windows);
}

static void judge_errors(const struct Case *of)
{
    uint64_t attempts = of->probe->during_attempts, failed = of->probe->during_failed;
    if (attempts == 0) {
        case_unclear(of, "nothing was asked while the fault was in effect");
        return;
    }
    char share[16], bad[32], all[32];
    share_say((int64_t)(failed * 1000000 / attempts), share);
    count_say(failed, bad);
    count_say(attempts, all);
    case_measured(of, "%s", share);
    case_note(of, "%s of %s requests while the fault was in effect", bad, all);
    case_met(of, failed * 1000000 <= (uint64_t)of->expectation->limit * attempts);
}

static void judge_success(const struct Case *of)
{
    uint64_t good = of->probe->ok, counted = good + of->probe->failed;
    if (counted == 0) {
        case_unclear(of, "nothing was asked");
        return;
    }
    char share[16], some[32], all[32];
    share_say((int64_t)(good * 1000000 / counted), share);
    count_say(good, some);
    count_say(counted, all);
    case_measured(of, "%s", share);
    case_note(of, "%s of %s requests", some, all);
    case_met(of, good * 1000000 >= (uint64_t)of->expectation->limit * counted);
}

static void judge_latency(const struct Case *of, int64_t value_ns)
{
    char text[32];
    if (value_ns < 0) {
        case_unclear(of, "no request was answered");
        return;
    }
    duration_say(value_ns, text);
    case_measured(of, "%s", text);
    case_note(of, "of answered requests");
    case_met(of, value_ns <= of->expectation->limit);
}

static void judge_recover(const struct Case *of)
{
    const struct ProbeResult *probe = of->probe;
    if (probe->recovered.low_ns == NS_NEVER) {
        case_measured(of, "no outage before the undo");
        case_note(of, "it failed only afterwards");
        case_met(of, true);
        return;
    }
    case_span(of, probe->recovered, "not recovered when the undo was sent or the run stopped");
    if (probe->first_recovered.high_ns != probe->recovered.high_ns && of->out->note[0] == '\0') {
        char first[64];
        span_say(probe->first_recovered.low_ns, probe->first_recovered.high_ns, first);
        case_note(of, "first ok after %s, then failed again", first);
    }
}

static void judge_not_before(const struct Case *of)
{
    struct Span span = of->probe->recovered;
    int64_t limit = of->expectation->limit;
    if (of->probe->unaffected || span.low_ns == NS_NEVER) {
        case_measured(of, "never failed");
        case_note(of, "nothing to recover from");
        case_met(of, false);
        return;
    }
    span_say(span.low_ns, span.high_ns, of->out->measured);
    if (span.low_ns >= limit)
        case_met(of, true);
    else if (span.high_ns < limit)
        case_met(of, false);
    else
        case_unclear(of, "the limit lies inside the interval: probe faster");
}

/* ---- All ---- */

static void judge_max_outage(const struct Case *of)
{
    judge_outage(of, of->probe->outage);
}

static void judge_downtime(const struct Case *of)
{
    judge_outage(of, of->probe->downtime);
}

static void judge_p50(const struct Case *of)
{
    judge_latency(of, of->probe->p50_ns);
}

static void judge_p95(const struct Case *of)
{
    judge_latency(of, of->probe->p95_ns);
}

static void judge_p99(const struct Case *of)
{
    judge_latency(of, of->probe->p99_ns);
}

static void judge_noticed(const struct Case *of)
{
    case_measured(of, "%u failed", of->probe->failed);
    case_met(of, true);
}

static void judge_nothing(const struct Case *of)
{
    case_unclear(of, "nothing measures this");
}

static void (*const JUDGES[BOUND_COUNT])(const struct Case *of) = {
    [BOUND_MAX_OUTAGE] = judge_max_outage,
    [BOUND_MAX_DOWNTIME] = judge_downtime,
    [BOUND_MAX_ERRORS] = judge_errors,
    [BOUND_MAX_LOST] = judge_lost,
    [BOUND_MAX_DUPLICATED] = judge_duplicated,
    [BOUND_MAX_STALE] = judge_nothing,
    [BOUND_MAX_SPLIT] = judge_split,
    [BOUND_MAX_P50] = judge_p50,
    [BOUND_MAX_P95] = judge_p95,
    [BOUND_MAX_P99] = judge_p99,
    [BOUND_RECOVER_WITHIN] = judge_recover,
    [BOUND_RECOVER_NOT_BEFORE] = judge_not_before,
    [BOUND_FAILOVER_WITHIN] = judge_failover,
    [BOUND_REDUNDANT_WITHIN] = judge_redundant,
    [BOUND_DETECTED_WITHIN] = judge_detected,
    [BOUND_MIN_SUCCESS] = judge_success,
    [BOUND_MIN_RATE] = judge_rate,
    [BOUND_STATUS_ONLY] = judge_status,
    [BOUND_MUST_NOTICE] = judge_noticed,
    [BOUND_MAX] = judge_max,
    [BOUND_MIN] = judge_min,
    [BOUND_EQUALS] = judge_equals,
};

/* Whether the figure is one that a shorter run would have made better. */
static bool wants_the_whole_run(enum BoundWord word)
{
    return word != BOUND_RECOVER_WITHIN && word != BOUND_FAILOVER_WITHIN &&
           word != BOUND_DETECTED_WITHIN && word != BOUND_REDUNDANT_WITHIN &&
           word != BOUND_MUST_NOTICE;
}

static bool is_about_requests(const struct Case *of)
{
    return of->row->needs == BOUND_NEEDS_NOTHING && !of->row->wants_event &&
           of->word != BOUND_MAX_P50 && of->word != BOUND_MAX_P95 && of->word != BOUND_MAX_P99 &&
           of->word != BOUND_MAX_ERRORS && of->word != BOUND_MIN_SUCCESS &&
           of->word != BOUND_MIN_RATE;
}

static void judge_unaffected(const struct Case *of)
{
    char text[32];
    int64_t unseen = of->probe->resolution_ns;
    int64_t unit = unseen < NS_PER_S ? 10 * NS_PER_MS : 100 * NS_PER_MS;
    duration_say((unseen + unit - 1) / unit * unit, text);
    case_measured(of, "no outage of %s or more seen", text);
    of->out->verdict = VERDICT_PASS;
}

static void judge_one(const struct Case *of)
{
    const struct RunRecord *run = of->analysis->run;
    bool whole = run->finished && run->observing_ended.ns != 0;
    if (of->row->needs == BOUND_NEEDS_FIGURE) {
        if (of->figure != NULL)
            JUDGES[of->word](of);
        else
            case_unclear(of, "the run did not come to measuring it");
        return;
    }
    if (of->probe == NULL || of->probe->all_attempts == 0) {
        case_unclear(of, "the probe took no sample");
        return;
    }
    if ((of->row->needs == BOUND_NEEDS_LEDGER && of->ledger == NULL) ||
        (of->row->needs == BOUND_NEEDS_PRIMARY && of->primary == NULL) ||
        (of->row->needs == BOUND_NEEDS_NOTICE && of->primary == NULL &&
         !of->probe->probe->is_alert)) {
        case_unclear(of, "this probe does not measure it");
        return;
    }
    if (of->when != WHEN_ALL) {
        judge_phase(of);
        return;
    }
    if (bound_counts_from_fault(of->word) && !of->analysis->any_sent) {
        case_measured(of, "unknown");
        case_unclear(of, "no fault was sent that it could be counted from");
        return;
    }
    if (of->word == BOUND_MUST_NOTICE && of->probe->failed == 0) {
        case_measured(of, "never failed");
        case_unclear(of, "it must notice the fault, or the run shows nothing");
        return;
    }
    if (of->probe->failing_at_t0 && is_about_requests(of))
        case_unclear(of, "it failed already when the fault was sent");
    else if (of->probe->unaffected && is_about_requests(of))
        judge_unaffected(of);
    else
        JUDGES[of->word](of);
    bool cut_short = !whole && (wants_the_whole_run(of->word) || of->probe->unaffected);
    if (cut_short && of->out->verdict == VERDICT_PASS)
        case_unclear(of, "the run ended before the end of observing");
}

void analyse_judge(struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    struct Report *out = analysis->out;
    bool begun = analysis->any_sent ||
                 (run->ended_as != VERDICT_NOT_READY && run->ended_as != VERDICT_REFUSED);
    if (!begun || run->steps_began.ns == 0)
        return;
    out->judged = arena_zero(analysis->arena, run->expectation_count + run->switch_back_count + 1,
                             sizeof(*out->judged));
    for (size_t n = 0; n < run->expectation_count; n++) {
        enum BoundWord word = BOUND_COUNT;
        enum When when = WHEN_ALL;
        struct Judged *judged = &out->judged[out->judged_count++];
        judged->expectation = &run->expectations[n];
        judged->verdict = VERDICT_INCONCLUSIVE;
        bool known = bound_read(run->expectations[n].word, &when, &word);
        snprintf(judged->measures, sizeof(judged->measures), "%s%s%s",
                 known ? bound_row(word)->measures : run->expectations[n].word,
                 when != WHEN_ALL && known ? " " : "", known ? when_name(when) : "");
        if (!known) {
            snprintf(judged->note, sizeof(judged->note), "this version does not know the word");
            continue;
        }
        struct Case of = {.analysis = analysis,
                          .expectation = judged->expectation,
                          .row = bound_row(word),
                          .when = when,
                          .word = word,
                          .probe = probe_result(out, judged->expectation->probe),
                          .out = judged};
        of.figure = figure_of(run, judged->expectation->probe);
        if (of.probe != NULL) {
            of.ledger = ledger_result(out, of.probe->probe);
            of.primary = primary_result(out, of.probe->probe);
        }
        say_limit(&of);
        judge_one(&of);
    }
    judge_switch_backs(analysis);
}
