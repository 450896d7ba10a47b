/* page_head.c - the first screen: did it hold, how fast, is it over? */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "page_parts.h"
#include "statistics.h"

enum { PAST_MAX = 50, MEDIAN_FROM = 6 };

const char *verdict_class(enum Verdict verdict)
{
    return verdict == VERDICT_PASS                                    ? "good"
           : verdict == VERDICT_FAIL || verdict == VERDICT_NOT_UNDONE ? "bad"
                                                                      : "warn";
}

const char *verdict_sign(enum Verdict verdict)
{
    return verdict == VERDICT_PASS ? "✓" : verdict == VERDICT_FAIL ? "✗" : "!";
}

/* ---- Banner ---- */

static void when(const struct RunRecord *run, struct Buf *out)
{
    char local[48], utc[32], took[32];
    wall_local(run->started, local);
    wall_utc(run->started, utc);
    duration_say(mono_since(run->mono_started, run->mono_ended), took);
    char *zone = strrchr(local, ' ');
    buf_put(out, "<p class=\"when\">");
    buf_printf(out, "%.19s%s", local, zone != NULL ? zone : "");
    buf_printf(out, " (%.16sZ) · took %s", utc, took);
    if (run->who != NULL && run->who[0] != '\0') {
        buf_put(out, " · run by ");
        html_text(out, run->who);
    }
    if (run->owner != NULL && run->owner[0] != '\0') {
        buf_put(out, " · owner ");
        html_text(out, run->owner);
    }
    buf_put(out, " · run <span class=\"id\">");
    html_text(out, run->id);
    buf_put(out, "</span></p>\n");
}

static void overrides(const struct RunRecord *run, struct Buf *out)
{
    for (size_t n = 0; n < run->event_count; n++) {
        if (!text_equal(run->events[n].subject, EVENT_OVERRIDE))
            continue;
        buf_put(out, "<p class=\"why\"><strong>! Rule overridden:</strong> ");
        html_text(out, run->events[n].text);
        buf_put(out, "</p>\n");
    }
}

static void hypothesis(const struct Report *report, struct Buf *out)
{
    const char *held = report->verdict == VERDICT_PASS   ? "held"
                       : report->verdict == VERDICT_FAIL ? "did not hold"
                                                         : "was not tested";
    if (report->run->hypothesis == NULL || report->run->hypothesis[0] == '\0')
        return;
    buf_put(out, "<p class=\"hypothesis\"><q>");
    html_text(out, report->run->hypothesis);
    buf_printf(out, "</q> <strong>It %s.</strong></p>\n", held);
}

void page_banner(const struct Report *report, struct Buf *out)
{
    struct Buf environment = BUF(1000);
    say_environment(report->run, &environment);
    buf_printf(out, "<header class=\"banner %s\">\n<h1><span class=\"word\">%s %s</span> ",
               verdict_class(report->verdict), verdict_sign(report->verdict),
               verdict_name(report->verdict));
    html_text(out, report->run->scenario);
    buf_put(out, " <span class=\"env\">");
    html_text(out, environment.text);
    buf_put(out, "</span></h1>\n<p class=\"why\">");
    html_text(out, report->why);
    buf_put(out, ".</p>\n");
    overrides(report->run, out);
    hypothesis(report, out);
    when(report->run, out);
    buf_put(out, "</header>\n");
    buf_free(&environment);
}

/* ---- Three figures ---- */

static void figure_begin(const char *name, bool is_long, struct Buf *out)
{
    buf_put(out, "<div class=\"figure\"><div class=\"name\">");
    html_text(out, name);
    buf_printf(out, "</div><div class=\"value%s\">", is_long ? " long" : "");
}

static void figure_beside(struct Buf *out)
{
    buf_put(out, "</div><div class=\"beside\">");
}

static void figure_end(struct Buf *out)
{
    buf_put(out, "</div></div>\n");
}

/* The probe whose recovery is promised, else the slowest. */
static const struct ProbeResult *leading_probe(const struct Report *report)
{
    const struct ProbeResult *slowest = NULL;
    for (size_t n = 0; n < report->probe_count; n++) {
        const struct ProbeResult *probe = &report->probes[n];
        bool promised = false;
        for (size_t e = 0; e < report->judged_count; e++)
            promised |= text_equal(report->judged[e].expectation->probe, probe->probe->name) &&
                        expects(report->judged[e].expectation, BOUND_RECOVER_WITHIN);
        if (!promised || probe->unaffected || probe->recovered.low_ns == NS_NEVER)
            continue;
        if (slowest == NULL || probe->recovered.high_ns > slowest->recovered.high_ns)
            slowest = probe;
    }
    for (size_t n = 0; slowest == NULL && n < report->probe_count; n++) {
        if (!report->probes[n].unaffected && report->probes[n].recovered.low_ns != NS_NEVER)
            slowest = &report->probes[n];
    }
    return slowest;
}

static const struct Judged *judged_of(const struct Report *report, const char *probe,
                                      enum BoundWord word)
{
    for (size_t n = 0; n < report->judged_count; n++) {
        if (text_equal(report->judged[n].expectation->probe, probe) &&
            expects(report->judged[n].expectation, word))
            return &report->judged[n];
    }
    return NULL;
}

static void against_past(const struct Report *report, const struct ProbeResult *probe,
                         struct Buf *out)
{
    int64_t values[PAST_MAX];
    double reals[PAST_MAX];
    char text[32];
    size_t count = past_recoveries(report, probe->probe->name, values, PAST_MAX);
    for (size_t n = 0; n < count; n++)
        reals[n] = (double)values[n];
    if (count < MEDIAN_FROM) {
        buf_printf(out, "%zu comparable run%s before", count, count == 1 ? "" : "s");
        return;
    }
    duration_say((int64_t)median_of(reals, count), text);
    buf_printf(out, "median of the %zu runs before: %s", count, text);
}

static void recovery_figure(const struct Report *report, struct Buf *out)
{
    const struct ProbeResult *probe = leading_probe(report);
    char text[64];
    if (probe == NULL) {
        figure_begin("Recovery", true, out);
        const struct Judged *quiet = NULL;
        for (size_t n = 0; n < report->judged_count && quiet == NULL; n++) {
            if (text_starts(report->judged[n].measured, "no outage of "))
                quiet = &report->judged[n];
        }
        html_text(out, quiet != NULL             ? quiet->measured
                       : report->fault_count > 0 ? "no probe failed"
                                                 : "no fault was sent");
        figure_beside(out);
        if (quiet != NULL)
            buf_put(out, "counted as unaffected, not in any median");
        figure_end(out);
        return;
    }
    span_say(probe->recovered.low_ns, probe->recovered.high_ns, text);
    const struct Judged *judged = judged_of(report, probe->probe->name, BOUND_RECOVER_WITHIN);
    figure_begin(probe->censored ? "Not recovered by itself" : "Recovery, from the fault", false,
                 out);
    html_text(out, text);
    figure_beside(out);
    html_text(out, probe->probe->name);
    if (judged != NULL)
        buf_printf(out, " · limit %s", judged->limit);
    buf_put(out, " · ");
    against_past(report, probe, out);
    duration_say(probe->resolution_ns, text);
    buf_printf(out, " · resolution %s", text);
    figure_end(out);
}

static void errors_figure(const struct Report *report, struct Buf *out)
{
    const struct ProbeResult *probe = leading_probe(report);
    char text[64], bad[32], all[32], share[16];
    for (size_t n = 0; probe == NULL && n < report->probe_count; n++)
        probe = &report->probes[n];
    figure_begin("Downtime and errors", false, out);
    if (probe == NULL) {
        buf_put(out, "–");
        figure_beside(out);
        figure_end(out);
        return;
    }
    span_say(probe->downtime.low_ns, probe->downtime.high_ns, text);
    if (probe->windows == 0)
        buf_put(out, "none seen");
    else
        html_text(out, text);
    figure_beside(out);
    count_say(probe->during_failed, bad);
    count_say(probe->during_attempts, all);
    share_say(probe->during_attempts > 0
                  ? (int64_t)((uint64_t)probe->during_failed * 1000000 / probe->during_attempts)
                  : 0,
              share);
    html_text(out, probe->probe->name);
    buf_printf(out,
               " · %u failing stretch%s · %s of %s requests (%s) while the fault was in effect",
               probe->windows, probe->windows == 1 ? "" : "es", bad, all, share);
    figure_end(out);
}

static void ledger_beside(const struct LedgerResult *ledger, struct Buf *out)
{
    char acked[32], spacing[32];
    count_say(ledger->acked, acked);
    duration_say(ledger->spacing_ns, spacing);
    html_text(out, ledger->probe->name);
    buf_printf(out, " · of %s acknowledged, one each %s", acked, spacing);
    if (ledger->complete != KNOWN_YES)
        buf_put(out, " · the read-back is not complete");
    else if (ledger->lost == 0)
        buf_printf(out, " · %llu acknowledged in the second before the fault",
                   (unsigned long long)ledger->acked_in_last_second);
    else
        buf_printf(out, " · %llu before, %llu during, %llu after the fault struck",
                   (unsigned long long)ledger->lost_before, (unsigned long long)ledger->lost_inside,
                   (unsigned long long)ledger->lost_after);
    if (ledger->back_lost > 0)
        buf_printf(out, " · %llu of %llu since the switch back",
                   (unsigned long long)ledger->back_lost, (unsigned long long)ledger->back_acked);
}

static uint64_t all_lost(const struct LedgerResult *ledger)
{
    return ledger->lost + ledger->back_lost;
}

static void data_figure(const struct Report *report, struct Buf *out)
{
    const struct LedgerResult *worst = NULL;
    char text[32];
    for (size_t n = 0; n < report->ledger_count; n++) {
        const struct LedgerResult *ledger = &report->ledgers[n];
        if (worst == NULL || ledger->complete != KNOWN_YES || all_lost(ledger) > all_lost(worst))
            worst = ledger;
    }
    figure_begin("Acknowledged writes lost", false, out);
    if (worst == NULL)
        buf_put(out, "not measured");
    else if (worst->complete != KNOWN_YES)
        buf_put(out, "unknown");
    else {
        count_say(all_lost(worst), text);
        buf_put(out, text);
    }
    figure_beside(out);
    if (worst == NULL)
        buf_put(out, "no ledger in this drill");
    else
        ledger_beside(worst, out);
    if (report->cut_side_unmeasured)
        buf_put(out, " · losses on the cut side not measured");
    figure_end(out);
}

/* ---- Is it over? ---- */

static void fact(struct Buf *out, const char *name, const char *sign)
{
    buf_printf(out, "<li><span class=\"sign %s-text\">%s</span> ", name, sign);
}

void page_stays(const struct Report *report, struct Buf *out)
{
    for (size_t n = 0; n < report->primary_count; n++) {
        const struct PrimaryResult *primary = &report->primaries[n];
        const char *leads = leads_at_end(report->run, primary);
        if (primary->before == NULL || leads == NULL || text_equal(primary->before, leads))
            continue;
        buf_put(out, "the primary moved from ");
        html_text(out, primary->before);
        buf_put(out, " to ");
        html_text(out, leads);
        return;
    }
    for (size_t n = 0; n < report->run->fault_count; n++) {
        const struct RunFault *fault = &report->run->faults[n];
        if (fault->t0.low.ns == 0 || fault->stays == NULL || fault->stays[0] == '\0' ||
            (text_equal(fault->kind, "failover") && was_given_back(report->run, fault->role)))
            continue;
        html_text(out, fault->stays);
        return;
    }
}

static void still_there(const struct Report *report, struct Buf *out)
{
    for (size_t n = 0; n < report->run->fault_count; n++) {
        const struct RunFault *fault = &report->run->faults[n];
        if (fault->t0.low.ns == 0 || fault->clear)
            continue;
        fact(out, "bad", "!");
        buf_put(out, "<strong>Still in effect on ");
        html_text(out, fault->host);
        buf_put(out, ": ");
        html_text(out, fault->step);
        buf_put(out, ".</strong> ");
        if (fault->guard_acts_by != NULL && fault->guard_acts_by[0] != '\0') {
            buf_put(out, "Its guard acts by ");
            html_text(out, fault->guard_acts_by);
            buf_put(out, ". ");
        }
        buf_printf(out, "Now: <code>faildrill undo %s --host ", run_short(report->run->id));
        html_text(out, fault->host);
        buf_put(out, "</code>, or on the host: <code>sudo sh /run/faildrill/undo</code></li>\n");
    }
}

static void undone(const struct Report *report, struct Buf *out)
{
    char clock[16];
    if (report->fault_count == 0) {
        fact(out, "good", "✓");
        buf_put(out, "Nothing was injected.</li>\n");
        return;
    }
    if (report->undone_count < report->fault_count) {
        still_there(report, out);
        return;
    }
    fact(out, "good", "✓");
    buf_printf(out, "Undone: %u of %u", report->undone_count, report->fault_count);
    if (report->undone.high.ns != 0) {
        say_clock(report->run, report->undone.high, false, clock);
        buf_printf(out, ", proven %s", clock);
    }
    buf_put(out, ".</li>\n");
}

static void facts(const struct Report *report, struct Buf *out)
{
    struct Buf stays = BUF(2000);
    buf_put(out, "<ul class=\"facts\">\n");
    undone(report, out);
    page_stays(report, &stays);
    if (stays.size > 0) {
        fact(out, "warn", "→");
        buf_printf(out, "Stays changed: %s.</li>\n", stays.text);
    }
    for (size_t n = 0; n < report->spoiled_count; n++) {
        fact(out, "warn", "!");
        buf_put(out, "Inconclusive: ");
        html_text(out, report->spoiled[n]);
        buf_put(out, ".</li>\n");
    }
    for (size_t n = 0; n < report->finding_count; n++) {
        fact(out, "quiet", "·");
        html_text(out, report->findings[n].text);
        buf_put(out, "</li>\n");
    }
    buf_put(out, "</ul>\n");
    buf_free(&stays);
}

void page_figures(const struct Report *report, struct Buf *out)
{
    bool begun = report->fault_count > 0 || report->judged_count > 0;
    if (begun) {
        buf_put(out, "<div class=\"figures\">\n");
        recovery_figure(report, out);
        errors_figure(report, out);
        data_figure(report, out);
        buf_put(out, "</div>\n");
    }
    facts(report, out);
}
