/* page_context.c - what was done on hosts, with what, and what the words mean. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/duration.h"
#include "page_parts.h"

/* ---- Faults and undos ---- */

static const char *class_words(char letter)
{
    return letter == 'K'   ? "K: the kernel ends it by itself"
           : letter == 'P' ? "P: ends with one process"
           : letter == 'R' ? "R: ends with a reboot"
                           : "S: only an undo ends it";
}

static void clock_cell(const struct Report *report, struct Mono at, struct Buf *out)
{
    char clock[16];
    if (at.ns == 0) {
        buf_put(out, "<td class=\"tight warn\">not seen</td>");
        return;
    }
    say_clock(report->run, at, true, clock);
    buf_printf(out, "<td class=\"tight\">%s</td>", clock);
}

static void fault_row(const struct Report *report, const struct RunFault *fault, struct Buf *out)
{
    buf_printf(out, "<tr><td class=\"number\">%u</td><td>", fault->number);
    html_text(out, fault->step);
    buf_put(out, "</td><td>");
    html_text(out, fault->host);
    buf_put(out, "</td>");
    clock_cell(report, fault->t0.low, out);
    clock_cell(report, fault->t0.high, out);
    clock_cell(report, fault->undone.low, out);
    clock_cell(report, fault->undone.high, out);
    buf_printf(out, "<td class=\"verdict %s\">%s</td><td class=\"note\">%s</td></tr>\n",
               fault->clear ? "good" : "bad", fault->clear ? "✓ clear" : "! not proven",
               class_words(fault->class_letter));
}

static void script(const char *name, const char *text, struct Buf *out)
{
    if (text == NULL || text[0] == '\0')
        return;
    html_element(out, "h3", name);
    buf_put(out, "\n<pre>");
    html_lines(out, text);
    buf_put(out, "</pre>\n");
}

static void fault_scripts(const struct RunFault *fault, struct Buf *out)
{
    buf_put(out, "<details><summary>What ran on ");
    html_text(out, fault->host);
    buf_put(out, " (");
    html_text(out, fault->step);
    buf_put(out, ")</summary>\n");
    script("apply", fault->apply_text, out);
    script("proof", fault->proof, out);
    script("undo", fault->undo_text, out);
    script("stays changed", fault->stays, out);
    buf_put(out, "</details>\n");
}

void page_faults(const struct Report *report, struct Buf *out)
{
    if (report->fault_count == 0)
        return;
    buf_put(out,
            "<h2>Faults and their undo</h2>\n<div class=\"wide\"><table><thead><tr>"
            "<th class=\"number\">no.</th><th>step</th><th>host</th><th>sent</th><th>proven</th>"
            "<th>undo sent</th><th>all clear</th><th></th><th>class</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < report->run->fault_count; n++) {
        if (report->run->faults[n].t0.low.ns != 0)
            fault_row(report, &report->run->faults[n], out);
    }
    buf_put(out, "</tbody></table></div>\n");
    for (size_t n = 0; n < report->run->fault_count; n++) {
        if (report->run->faults[n].t0.low.ns != 0)
            fault_scripts(&report->run->faults[n], out);
    }
}

/* ---- Context ---- */

static void pair(const char *name, const char *value, struct Buf *out)
{
    if (value == NULL || value[0] == '\0')
        return;
    buf_printf(out, "<dt>%s</dt><dd>", name);
    html_text(out, value);
    buf_put(out, "</dd>\n");
}

static void hash_pair(const char *name, const char *value, struct Buf *out)
{
    if (value == NULL || value[0] == '\0')
        return;
    buf_printf(out, "<dt>%s</dt><dd class=\"id\">", name);
    html_text(out, value);
    buf_put(out, "</dd>\n");
}

static void probe_pair(const struct RunProbe *probe, struct Buf *out)
{
    char every[32], timeout[32], under[32], hold[32], gap[32];
    duration_write(probe->interval_ns, every);
    duration_write(probe->timeout_ns, timeout);
    duration_write(probe->under_ns, under);
    duration_write(probe->hold_ns, hold);
    duration_write(probe->gap_ns, gap);
    buf_put(out, "<dt>probe ");
    html_text(out, probe->name);
    buf_put(out, "</dt><dd>");
    html_text(out, probe->asks);
    buf_printf(out, " · every %s, timeout %s", every, timeout);
    if (probe->under_ns > 0)
        buf_printf(out, ", under %s", under);
    buf_printf(out, ", hold %s, gap %s", hold, gap);
    if (probe->from != NULL && probe->from[0] != '\0') {
        buf_put(out, " · from ");
        html_text(out, probe->from);
    }
    buf_printf(out, "%s</dd>\n", probe->control ? " · control" : "");
}

static void again(const struct RunRecord *run, struct Buf *out)
{
    buf_put(out, "<dt>run it again</dt><dd><code>faildrill run -e ");
    html_text(out, run->environment);
    buf_printf(out, " --seed %llu ", (unsigned long long)run->seed);
    html_text(out, run->scenario);
    buf_put(out, "</code></dd>\n");
}

static void definitions(struct Buf *out)
{
    buf_put(
        out,
        "<details><summary>How it is computed</summary>\n<dl>\n"
        "<dt>T0</dt><dd>The interval from the fault sent to the fault proven; of several hosts "
        "first "
        "sent to last proven. Durations from it have their lower bound from proven, their upper "
        "bound "
        "from sent; the upper bound is the one that is judged and kept.</dd>\n"
        "<dt>recovery</dt><dd>From T0 to the start of the ok stretch that holds "
        "(<code>hold</code>, "
        "three samples or more) after the last failing stretch that began before the undo was "
        "sent. "
        "What only the undo mended is no recovery.</dd>\n"
        "<dt>healed</dt><dd>The same, counted from the undo, for stretches that reach or follow "
        "it.</dd>\n"
        "<dt>downtime, outage</dt><dd>The sum of all failing stretches, each from its first "
        "failure to "
        "the next ok that lasts longer than <code>gap</code>; the longest is the outage.</dd>\n"
        "<dt>interval</dt><dd>The service answered at some instant of a good attempt and did not "
        "at "
        "some instant of a bad one. Recovery lies between the start of the last bad attempt and "
        "the "
        "end of the first good one.</dd>\n"
        "<dt>resolution</dt><dd>Probe interval, plus that request's time, plus the width of T0; "
        "where "
        "the service was silent also the timeout (or <code>under</code>). Met: upper bound within "
        "the "
        "limit; missed: lower bound beyond it; else INCONCLUSIVE.</dd>\n"
        "<dt>split</dt><dd>Overlap of two hosts that each said that they are primary, from the "
        "looks "
        "beside it; proven when both acknowledged writes.</dd>\n"
        "<dt>gray window</dt><dd>How long a client failed while the primary said that it leads, "
        "and "
        "nobody took over; told from 1 s on.</dd>\n"
        "<dt>errors</dt><dd>Attempts sent while a fault was in effect, from sent to undo sent. "
        "Skipped "
        "and broken attempts count neither as good nor as bad; over 1 % of them make the run "
        "INCONCLUSIVE.</dd>\n</dl>\n</details>\n");
}

void page_context(const struct Report *report, struct Buf *out)
{
    const struct RunRecord *run = report->run;
    buf_put(out, "<h2>Context</h2>\n<dl>\n");
    for (size_t n = 0; n < run->probe_count; n++)
        probe_pair(&run->probes[n], out);
    if (run->cycle.of > 1)
        buf_printf(out, "<dt>repeat</dt><dd>cycle %u of %u; the first is run %s</dd>\n",
                   run->cycle.number, run->cycle.of, run_short(run->cycle.first));
    pair("tags", run->tags, out);
    pair("runbook", run->runbook, out);
    pair("faildrill", run->version, out);
    hash_pair("scenario text", run->text_hash, out);
    hash_pair("behaviour", run->behaviour_hash, out);
    hash_pair("plan", run->plan_hash, out);
    hash_pair("bytes on hosts", run->bytes_hash, out);
    again(run, out);
    buf_put(out, "</dl>\n");
    definitions(out);
    if (run->text != NULL && run->text[0] != '\0') {
        buf_put(out, "<details><summary>The scenario as it ran</summary>\n<pre>");
        html_lines(out, run->text);
        buf_put(out, "</pre></details>\n");
    }
}
