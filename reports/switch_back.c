/* switch_back.c - a role that was given back: how long it took, who felt it, what it cost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "analyse_parts.h"
#include "say.h"

/* broken: what is beyond its limit; note: the rest. */
struct BackCase {
    struct Analysis *analysis;
    const struct RunSwitchBack *back;
    struct Judged *out;
    struct Buf broken, note;
};

/* The same bounds as the drill's; NULL: the probe has none by that word. */
static const struct RunExpectation *bound_of(const struct BackCase *of,
                                             const struct RunProbe *probe, enum BoundWord word)
{
    const struct RunRecord *run = of->analysis->run;
    for (size_t n = 0; n < run->expectation_count; n++)
        if (text_equal(run->expectations[n].probe, probe->name) &&
            expects(&run->expectations[n], word))
            return &run->expectations[n];
    return NULL;
}

static int64_t limit_of(const struct BackCase *of, const struct RunProbe *probe,
                        enum BoundWord word)
{
    const struct RunExpectation *bound = bound_of(of, probe, word);
    return bound != NULL ? bound->limit : NS_NEVER;
}

/* The strictest of those that ask who leads the role. */
static int64_t role_limit(const struct BackCase *of, enum BoundWord word)
{
    const struct RunRecord *run = of->analysis->run;
    int64_t least = NS_NEVER;
    for (size_t n = 0; n < run->probe_count; n++) {
        const struct RunProbe *probe = &run->probes[n];
        if (!probe->is_primary || !text_equal(probe->role, of->back->role))
            continue;
        int64_t limit = limit_of(of, probe, word);
        least = limit < least ? limit : least;
    }
    return least;
}

static void worsen(struct BackCase *of, enum Verdict verdict)
{
    of->out->verdict = verdict_worst(of->out->verdict, verdict);
}

__attribute__((format(printf, 2, 3))) static void add(struct Buf *to, const char *format, ...)
{
    char text[300];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    buf_printf(to, "%s%s", to->size > 0 ? "; " : "", text);
}

/* "writes out for 3.0-3.2 s, limit 2 s" */
static void breaks(struct BackCase *of, const char *what, struct Span span, int64_t limit)
{
    char text[64], most[32];
    span_say(span.low_ns, span.high_ns, text);
    duration_say(limit, most);
    worsen(of, VERDICT_FAIL);
    add(&of->broken, "%s %s, limit %s", what, text, most);
}

static void hold(struct BackCase *of, const char *what, struct Span span, int64_t limit)
{
    char text[64], most[32];
    span_say(span.low_ns, span.high_ns, text);
    if (span.low_ns > limit) {
        breaks(of, what, span, limit);
    } else if (span.high_ns > limit) {
        duration_say(limit, most);
        worsen(of, VERDICT_INCONCLUSIVE);
        add(&of->note, "%s %s, limit %s: the limit lies inside the interval, probe faster", what,
            text, most);
    } else {
        add(&of->note, "%s %s", what, text);
    }
}

/* The switches of other roles have times of their own. */
static struct Mono ends_by(const struct BackCase *of)
{
    const struct RunRecord *run = of->analysis->run;
    struct Mono end = {NS_NEVER};
    for (size_t n = 0; n < run->switch_back_count; n++)
        if (mono_before(of->back->asked, run->switch_backs[n].asked))
            end = mono_min(end, run->switch_backs[n].asked);
    return end;
}

/* How long a client was without the service by it. */
static void judge_client(struct BackCase *of, const struct ProbeResult *result)
{
    struct Moment from = {of->back->asked, of->back->asked};
    struct Mono end = ends_by(of);
    struct Span longest = {0, 0}, good = {0, 0};
    char what[160];
    for (size_t n = 0; n < result->stretch_count; n++) {
        const struct Stretch *stretch = &result->stretches[n];
        if (!mono_before(from.low, stretch->first_bad_ended) ||
            !mono_before(stretch->first_bad_ended, end))
            continue;
        struct Mono last = stretch->open ? (struct Mono){NS_NEVER} : stretch->first_good_ended;
        good = span_since(from, stretch->last_bad_started, last);
        if (stretch->length.high_ns > longest.high_ns)
            longest = stretch->length;
    }
    if (longest.high_ns == 0)
        return;
    snprintf(what, sizeof(what), "%.120s out for", result->probe->name);
    int64_t limit = limit_of(of, result->probe, BOUND_MAX_OUTAGE);
    if (limit == 0) /* one failed attempt is more than none */
        breaks(of, what, longest, limit);
    else
        hold(of, what, longest, limit);
    limit = limit_of(of, result->probe, BOUND_RECOVER_WITHIN);
    snprintf(what, sizeof(what), "%.120s ok again after", result->probe->name);
    if (good.high_ns > limit)
        hold(of, what, good, limit);
}

static void judge_clients(struct BackCase *of)
{
    const struct Report *report = of->analysis->out;
    for (size_t n = 0; n < report->probe_count; n++) {
        const struct RunProbe *probe = report->probes[n].probe;
        if (!probe->is_alert && !probe->is_primary && !(probe->is_ledger && probe->from != NULL))
            judge_client(of, &report->probes[n]);
    }
}

/* ---- What was acknowledged since, and who led beside it ---- */

static void judge_ledger(struct BackCase *of, const struct LedgerResult *ledger)
{
    const struct RunExpectation *bound = bound_of(of, ledger->probe, BOUND_MAX_LOST);
    const char *name = ledger->probe->name;
    char count[32], limit[32] = "";
    if (ledger->complete != KNOWN_YES) {
        if (bound != NULL)
            worsen(of, VERDICT_INCONCLUSIVE);
        add(&of->note, "whether it lost any of %.120s is unknown: the read-back is not complete",
            name);
        return;
    }
    if (ledger->back_lost == 0)
        return;
    count_say(ledger->back_lost, count);
    bool over =
        bound != NULL && (bound->limit_is_duration ? ledger->back_lost_span.low_ns > bound->limit
                                                   : ledger->back_lost > (uint64_t)bound->limit);
    if (bound != NULL && bound->limit_is_duration)
        duration_say(bound->limit, limit);
    else if (bound != NULL)
        count_say((uint64_t)bound->limit, limit);
    if (over || (bound != NULL && ledger->back_holes)) {
        worsen(of, VERDICT_FAIL);
        add(&of->broken, "%.120s lost %s, limit %s%s", name, count, limit,
            ledger->back_holes ? ", with holes: later ones survived" : "");
    } else {
        add(&of->note, "%.120s lost %s", name, count);
    }
}

static void judge_data(struct BackCase *of)
{
    const struct Report *report = of->analysis->out;
    for (size_t n = 0; n < report->ledger_count; n++)
        if (text_equal(report->ledgers[n].probe->role, of->back->role))
            judge_ledger(of, &report->ledgers[n]);
    for (size_t n = 0; n < report->primary_count; n++) {
        const struct PrimaryResult *primary = &report->primaries[n];
        if (text_equal(primary->probe->role, of->back->role) && primary->back_split.high_ns > 0)
            hold(of, "two primaries for", primary->back_split,
                 limit_of(of, primary->probe, BOUND_MAX_SPLIT));
    }
}

/* ---- The way back itself ---- */

static void say_measured(struct BackCase *of, const char *text)
{
    snprintf(of->out->measured, sizeof(of->out->measured), "%s", text);
}

/* Of a run that was cut short nobody knows how it went on. */
static void not_seen(struct BackCase *of)
{
    const struct RunRecord *run = of->analysis->run;
    bool cut = !run->finished || run->ended_as == VERDICT_HALTED;
    worsen(of, cut ? VERDICT_INCONCLUSIVE : VERDICT_FAIL);
    add(cut ? &of->note : &of->broken, "%s", of->back->why);
}

/* Somebody else may lead again after all was whole. */
static void judge_last(struct BackCase *of)
{
    const struct RunSwitchBack *back = of->back;
    if (back->last == NULL) {
        worsen(of, VERDICT_INCONCLUSIVE);
        add(&of->note, "nobody says who leads at the end");
    } else if (!text_equal(back->last, back->to)) {
        worsen(of, VERDICT_FAIL);
        add(&of->broken, "%s leads at the end", back->last);
    }
}

static bool judge_leads(struct BackCase *of)
{
    const struct RunSwitchBack *back = of->back;
    struct Moment from = {back->asked, back->asked};
    if (back->leads.high.ns == 0) {
        say_measured(of, back->refused ? "refused" : "not seen");
        not_seen(of);
        return false;
    }
    struct Span leads = span_since(from, back->leads.low, back->leads.high);
    int64_t limit = of->out->expectation->limit;
    span_say(leads.low_ns, leads.high_ns, of->out->measured);
    if (leads.low_ns > limit)
        worsen(of, VERDICT_FAIL);
    else if (leads.high_ns > limit)
        worsen(of, VERDICT_INCONCLUSIVE);
    add(&of->note, "%s leads again", back->to);
    judge_last(of);
    return leads.low_ns <= limit;
}

static void judge_whole(struct BackCase *of)
{
    const struct RunSwitchBack *back = of->back;
    struct Moment from = {back->asked, back->asked};
    if (back->leads.high.ns != 0 && back->whole.high.ns == 0)
        not_seen(of);
    else if (back->leads.high.ns != 0)
        hold(of, "redundant after", span_since(from, back->whole.low, back->whole.high),
             role_limit(of, BOUND_REDUNDANT_WITHIN));
    if (back->lost_again > 0)
        analysis_find(of->analysis,
                      "%s: on the way back %s led again and lost it before redundancy was whole, "
                      "%u time%s.",
                      back->role, back->to, back->lost_again, back->lost_again == 1 ? "" : "s");
}

static void judge_back(struct BackCase *of)
{
    const struct RunSwitchBack *back = of->back;
    if (back->asked.ns == 0 && back->leads.high.ns != 0) {
        say_measured(of, "leads already");
        add(&of->note, "%s", back->to);
        judge_last(of);
        return;
    }
    if (back->asked.ns == 0) {
        worsen(of, VERDICT_INCONCLUSIVE);
        say_measured(of, "not asked for");
        add(&of->note, "%s", back->why);
        return;
    }
    bool in_time = judge_leads(of);
    judge_whole(of);
    judge_clients(of);
    judge_data(of);
    if (in_time && of->broken.size > 0)
        snprintf(of->out->broke, sizeof(of->out->broke), "%s", of->broken.text);
}

static void say_note(struct BackCase *of)
{
    snprintf(of->out->note, sizeof(of->out->note), "%s%s%s",
             of->broken.size > 0 ? of->broken.text : "",
             of->broken.size > 0 && of->note.size > 0 ? "; " : "",
             of->note.size > 0 ? of->note.text : "");
    buf_free(&of->broken);
    buf_free(&of->note);
}

void judge_switch_backs(struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    struct Report *out = analysis->out;
    for (size_t n = 0; n < run->switch_back_count; n++) {
        struct RunExpectation *expectation = arena_zero(analysis->arena, 1, sizeof(*expectation));
        struct BackCase of = {.analysis = analysis,
                              .back = &run->switch_backs[n],
                              .out = &out->judged[out->judged_count++],
                              .broken = BUF(1000),
                              .note = BUF(1000)};
        *expectation = (struct RunExpectation){.probe = of.back->role,
                                               .word = "switch_back",
                                               .limit = role_limit(&of, BOUND_FAILOVER_WITHIN),
                                               .limit_is_duration = true};
        of.out->expectation = expectation;
        of.out->verdict = VERDICT_PASS;
        snprintf(of.out->measures, sizeof(of.out->measures), "switch back");
        if (expectation->limit != NS_NEVER)
            duration_say(expectation->limit, of.out->limit);
        judge_back(&of);
        say_note(&of);
    }
}
