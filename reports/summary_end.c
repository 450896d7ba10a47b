/* summary_end.c - the lower lines of the summary: findings, the undo, where to look. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../runner/base/text.h"
#include "people.h"
#include "summary_parts.h"

void summary_sentences(struct Summary *text)
{
    const struct Report *report = text->report;
    for (size_t n = 1; n < report->spoiled_count; n++) {
        buf_put(text->out, "  ");
        summary_mark(text, VERDICT_INCONCLUSIVE);
        buf_char(text->out, ' ');
        say_outside(text->out, report->spoiled[n]);
        buf_char(text->out, '\n');
    }
    for (size_t n = 0; n < report->finding_count; n++) {
        buf_put(text->out, text->style.unicode ? "  · " : "  - ");
        say_outside(text->out, report->findings[n].text);
        buf_char(text->out, '\n');
    }
}

void summary_overrides(struct Summary *text)
{
    const struct RunRecord *run = text->report->run;
    for (size_t n = 0; n < run->event_count; n++) {
        if (!text_equal(run->events[n].subject, EVENT_OVERRIDE))
            continue;
        buf_put(text->out, "  ");
        summary_mark(text, VERDICT_INCONCLUSIVE);
        buf_put(text->out, " OVERRIDDEN ");
        say_outside(text->out, run->events[n].text);
        buf_char(text->out, '\n');
    }
}

void summary_people(struct Summary *text)
{
    struct Buf said = BUF(1000);
    people_say(text->report, &said);
    if (said.size > 0)
        buf_printf(text->out, text->style.unicode ? "  · people  %s\n" : "  - people  %s\n",
                   said.text);
    buf_free(&said);
}

static void add_once(struct Buf *out, const char *host)
{
    struct Buf one = BUF(300);
    say_outside(&one, host);
    if (strstr(out->text, one.text) == NULL)
        buf_printf(out, "%s%s", out->size > 0 ? ", " : "", one.text);
    buf_free(&one);
}

static void stays_changed(const struct Report *report, struct Buf *out)
{
    for (size_t n = 0; n < report->primary_count; n++) {
        const struct PrimaryResult *primary = &report->primaries[n];
        const char *leads = leads_at_end(report->run, primary);
        if (primary->before == NULL || leads == NULL || text_equal(primary->before, leads))
            continue;
        buf_put(out, "primary ");
        say_outside(out, primary->before);
        buf_put(out, " -> ");
        say_outside(out, leads);
        return;
    }
    for (size_t n = 0; n < report->run->fault_count; n++) {
        const struct RunFault *fault = &report->run->faults[n];
        if (fault->t0.low.ns != 0 && fault->stays != NULL && fault->stays[0] != '\0' &&
            !(text_equal(fault->kind, "failover") && was_given_back(report->run, fault->role)))
            add_once(out, fault->stays);
    }
}

static void undone_line(struct Summary *text)
{
    const struct Report *report = text->report;
    struct Buf hosts = BUF(1000), stays = BUF(1000);
    char clock[16];
    struct Mono last = {0};
    for (size_t n = 0; n < report->run->fault_count; n++) {
        const struct RunFault *fault = &report->run->faults[n];
        if (fault->t0.low.ns == 0)
            continue;
        add_once(&hosts, fault->host);
        if (mono_before(last, fault->undone.high))
            last = fault->undone.high;
    }
    stays_changed(report, &stays);
    buf_put(text->out, "  ");
    summary_mark(text, VERDICT_PASS);
    buf_printf(text->out, " undone   %u of %u", report->undone_count, report->fault_count);
    if (last.ns != 0) {
        say_clock(report->run, last, false, clock);
        buf_printf(text->out, ", proven %s", clock);
    }
    if (stays.size > 0)
        buf_printf(text->out, "      stays changed: %s", stays.text);
    else
        buf_printf(text->out, "; nothing left on %s", hosts.text);
    buf_char(text->out, '\n');
    buf_free(&hosts);
    buf_free(&stays);
}

/* "look at: redis down-after-milliseconds 30000: SENTINEL SET ... 5000", and what that gains. */
static void advice(const struct Report *report, struct Buf *out)
{
    for (size_t n = 0; n < report->advice_count; n++) {
        const struct Advice *row = &report->advice[n];
        bool last = n + 1 == report->advice_count || report->advice[n + 1].gain != row->gain;
        buf_put(out, "look at: ");
        say_outside(out, row->role);
        buf_printf(out, " %s %s: %s\n", row->knob, row->today, row->line);
        if (last)
            buf_printf(out, "  %s\n", row->gain);
    }
    if (report->phases != NULL)
        buf_printf(out, "  today: %s\n", report->phases);
}

void summary_pointers(struct Summary *text)
{
    const struct Report *report = text->report;
    const struct RunRecord *run = report->run;
    if (report->verdict == VERDICT_PASS || report->verdict == VERDICT_REFUSED ||
        report->verdict == VERDICT_NOT_READY)
        return;
    advice(report, text->out);
    if (run->runbook == NULL || run->runbook[0] == '\0')
        return;
    buf_put(text->out, "runbook ");
    say_outside(text->out, run->runbook);
    buf_char(text->out, '\n');
}

/* The last lines, because they are the most important ones. */
static void still_in_effect(struct Summary *text, const struct RunFault *fault)
{
    const struct RunRecord *run = text->report->run;
    char clock[16];
    struct Buf *out = text->out;
    say_clock(run, fault->t0.low, false, clock);
    buf_put(out, "  ");
    summary_mark(text, VERDICT_NOT_UNDONE);
    buf_printf(out, " undo %u of %u proven.  ", text->report->undone_count,
               text->report->fault_count);
    summary_paint(text, "1;31", "STILL IN EFFECT");
    buf_put(out, " on ");
    say_outside(out, fault->host);
    buf_put(out, ": ");
    say_outside(out, fault->step);
    buf_printf(out, " since %s\n    ", clock);
    if (fault->guard_acts_by != NULL && fault->guard_acts_by[0] != '\0') {
        buf_put(out, "its guard acts by ");
        say_outside(out, fault->guard_acts_by);
        buf_put(out, "; ");
    }
    buf_printf(out, "now: faildrill undo %s --host ", run_short(run->id));
    say_outside(out, fault->host);
    buf_put(out, ", or on the host:\n      sudo sh /run/faildrill/undo\n");
}

void summary_undone(struct Summary *text)
{
    const struct Report *report = text->report;
    if (report->fault_count == 0)
        return;
    if (report->undone_count == report->fault_count) {
        undone_line(text);
        return;
    }
    for (size_t n = 0; n < report->run->fault_count; n++) {
        const struct RunFault *fault = &report->run->faults[n];
        if (fault->t0.low.ns != 0 && !fault->clear)
            still_in_effect(text, fault);
    }
}
