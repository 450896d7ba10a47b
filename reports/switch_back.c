/* switch_back.c - a role that was given back: how long it took, and who felt it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "analyse_parts.h"
#include "say.h"

struct BackCase {
    const struct Analysis *analysis;
    const struct RunSwitchBack *back;
    struct Judged *out;
    struct Buf note;
};

/* The same bounds as the drill's; NS_NEVER: the probe has none by that word. */
static int64_t limit_of(const struct RunRecord *run, const char *probe, enum BoundWord word)
{
    for (size_t n = 0; n < run->expectation_count; n++)
        if (text_equal(run->expectations[n].probe, probe) && expects(&run->expectations[n], word))
            return run->expectations[n].limit;
    return NS_NEVER;
}

static int64_t failover_limit(const struct RunRecord *run, const char *role)
{
    int64_t least = NS_NEVER;
    for (size_t n = 0; n < run->probe_count; n++) {
        const struct RunProbe *probe = &run->probes[n];
        if (!probe->is_primary || !text_equal(probe->role, role))
            continue;
        int64_t limit = limit_of(run, probe->name, BOUND_FAILOVER_WITHIN);
        least = limit < least ? limit : least;
    }
    return least;
}

static void worsen(struct BackCase *of, enum Verdict verdict)
{
    of->out->verdict = verdict_worst(of->out->verdict, verdict);
}

__attribute__((format(printf, 2, 3))) static void add_note(struct BackCase *of, const char *format,
                                                           ...)
{
    char text[200];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    buf_printf(&of->note, "%s%s", of->note.size > 0 ? "; " : "", text);
}

static void hold_against(struct BackCase *of, struct Span span, int64_t limit)
{
    if (span.low_ns > limit)
        worsen(of, VERDICT_FAIL);
    else if (span.high_ns > limit)
        worsen(of, VERDICT_INCONCLUSIVE);
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
static void judge_client(struct BackCase *of, const struct ProbeResult *probe)
{
    const struct RunRecord *run = of->analysis->run;
    const char *name = probe->probe->name;
    struct Moment from = {of->back->asked, of->back->asked};
    struct Mono end = ends_by(of);
    struct Span longest = {0, 0}, good = {0, 0};
    char text[64];
    for (size_t n = 0; n < probe->stretch_count; n++) {
        const struct Stretch *stretch = &probe->stretches[n];
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
    span_say(longest.low_ns, longest.high_ns, text);
    hold_against(of, longest, limit_of(run, name, BOUND_MAX_OUTAGE));
    hold_against(of, good, limit_of(run, name, BOUND_RECOVER_WITHIN));
    add_note(of, "%s out for %s", name, text);
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

static void say_measured(struct BackCase *of, const char *text)
{
    snprintf(of->out->measured, sizeof(of->out->measured), "%s", text);
}

/* Of a run that was cut short nobody knows how it went on. */
static void not_seen(struct BackCase *of, const char *what)
{
    const struct RunRecord *run = of->analysis->run;
    bool cut = !run->finished || run->ended_as == VERDICT_HALTED;
    worsen(of, cut ? VERDICT_INCONCLUSIVE : VERDICT_FAIL);
    if (of->back->leads.high.ns == 0)
        say_measured(of, what);
    add_note(of, "%s", of->back->why);
}

static void judge_back(struct BackCase *of)
{
    const struct RunSwitchBack *back = of->back;
    struct Moment from = {back->asked, back->asked};
    char text[64];
    if (back->asked.ns == 0) {
        worsen(of, VERDICT_INCONCLUSIVE);
        say_measured(of, "not asked for");
        add_note(of, "%s", back->why);
        return;
    }
    if (back->leads.high.ns == 0) {
        not_seen(of, back->refused ? "refused" : "not seen");
        return;
    }
    struct Span leads = span_since(from, back->leads.low, back->leads.high);
    span_say(leads.low_ns, leads.high_ns, of->out->measured);
    hold_against(of, leads, of->out->expectation->limit);
    add_note(of, "%s leads again", back->to);
    if (back->whole.high.ns == 0) {
        not_seen(of, "");
    } else {
        struct Span whole = span_since(from, back->whole.low, back->whole.high);
        span_say(whole.low_ns, whole.high_ns, text);
        add_note(of, "redundant after %s", text);
    }
    judge_clients(of);
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
                              .note = BUF(1000)};
        *expectation = (struct RunExpectation){.probe = of.back->role,
                                               .word = "switch_back",
                                               .limit = failover_limit(run, of.back->role),
                                               .limit_is_duration = true};
        of.out->expectation = expectation;
        of.out->verdict = VERDICT_PASS;
        snprintf(of.out->measures, sizeof(of.out->measures), "switch back");
        if (expectation->limit != NS_NEVER)
            duration_say(expectation->limit, of.out->limit);
        judge_back(&of);
        snprintf(of.out->note, sizeof(of.out->note), "%s", of.note.text ? of.note.text : "");
        buf_free(&of.note);
    }
}
