/* page_tables.c - expectations, lost writes and latencies as tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/duration.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "cycles.h"
#include "page_parts.h"

enum { PAST_MAX = 24 };

/* ---- Expectations ---- */

static void spark_cell(const struct Report *report, const struct Judged *judged, struct Buf *out)
{
    int64_t values[PAST_MAX];
    buf_put(out, "<td class=\"spark\">");
    if (expects(judged->expectation, BOUND_RECOVER_WITHIN)) {
        size_t count = past_recoveries(report, judged->expectation->probe, values, PAST_MAX);
        if (count >= 2)
            buf_sparkline(out, values, count, true);
    }
    buf_put(out, "</td>");
}

static void expectation_row(const struct Report *report, const struct Judged *judged,
                            struct Buf *out)
{
    buf_put(out, "<tr><td class=\"tight\">");
    html_text(out, judged->expectation->probe);
    buf_put(out, "</td><td class=\"tight\"><code>");
    html_text(out, judged->expectation->word);
    buf_put(out, "</code></td><td class=\"tight\">");
    html_text(out, judged->measured);
    buf_put(out, "</td><td class=\"tight\">");
    html_text(out, judged->limit);
    buf_printf(out, "</td><td class=\"verdict %s\">%s %s</td>", verdict_class(judged->verdict),
               verdict_sign(judged->verdict), verdict_name(judged->verdict));
    spark_cell(report, judged, out);
    struct Buf cycles = BUF(4000);
    if (expects(judged->expectation, BOUND_RECOVER_WITHIN))
        cycles_note(report, judged->expectation->probe, &cycles);
    buf_put(out, "<td class=\"note\">");
    html_text(out, judged->note);
    buf_put(out, judged->note[0] != '\0' && cycles.size > 0 ? "; " : "");
    html_text(out, cycles.text);
    buf_put(out, "</td></tr>\n");
    buf_free(&cycles);
}

static void advice(const struct Report *report, struct Buf *out)
{
    if (report->advice_count == 0)
        return;
    buf_put(out,
            "<h3>What would have met it</h3>\n<div class=\"wide\"><table><thead><tr><th>of</th>"
            "<th>setting</th><th>today</th><th>to set</th><th>to expect</th></tr></thead>"
            "<tbody>\n");
    for (size_t n = 0; n < report->advice_count; n++) {
        const struct Advice *row = &report->advice[n];
        const char *const cells[] = {row->role, row->knob, row->today, row->line, row->gain};
        buf_put(out, "<tr>");
        for (size_t cell = 0; cell < COUNT_OF(cells); cell++) {
            buf_put(out, cell == 3 ? "<td><code>" : "<td>");
            html_text(out, cells[cell]);
            buf_put(out, cell == 3 ? "</code></td>" : "</td>");
        }
        buf_put(out, "</tr>\n");
    }
    buf_put(out, "</tbody></table></div>\n");
    if (report->phases != NULL) {
        buf_put(out, "<p class=\"note\">Today: ");
        html_text(out, report->phases);
        buf_put(out, ".</p>\n");
    }
}

static void knobs(const struct Report *report, struct Buf *out)
{
    for (size_t n = 0; n < report->run->system_count; n++) {
        const struct RunSystem *system = &report->run->systems[n];
        if (system->knobs == NULL || system->knobs[0] == '\0')
            continue;
        buf_put(out, "<p class=\"note\">Settings of ");
        html_text(out, system->role);
        buf_put(out, " as read in this run: ");
        html_text(out, system->knobs);
        if (system->expected.high_ns > 0) {
            char range[64];
            span_say(system->expected.low_ns, system->expected.high_ns, range);
            buf_printf(out, ". They predict a failover in %s", range);
        }
        buf_put(out, ".</p>\n");
    }
}

void page_expectations(const struct Report *report, struct Buf *out)
{
    if (report->judged_count == 0)
        return;
    buf_put(out, "<h2>What was expected</h2>\n<div class=\"wide\"><table><thead><tr><th>probe</th>"
                 "<th>bound</th><th>measured</th><th>limit</th><th>verdict</th><th>before</th>"
                 "<th></th></tr></thead><tbody>\n");
    for (size_t n = 0; n < report->judged_count; n++)
        expectation_row(report, &report->judged[n], out);
    buf_put(out, "</tbody></table></div>\n");
    advice(report, out);
    knobs(report, out);
}

/* ---- Ledgers ---- */

static void number_cell(struct Buf *out, uint64_t value)
{
    char text[32];
    count_say(value, text);
    buf_printf(out, "<td class=\"number\">%s</td>", text);
}

static void ledger_row(const struct LedgerResult *ledger, struct Buf *out)
{
    buf_put(out, "<tr><td class=\"tight\">");
    html_text(out, ledger->probe->name);
    if (ledger->probe->from != NULL) {
        buf_put(out, "<br><span class=\"note\">from ");
        html_text(out, ledger->probe->from);
        buf_put(out, "</span>");
    }
    if (ledger->back_acked > 0 && ledger->complete == KNOWN_YES)
        buf_printf(out,
                   "<br><span class=\"note\">since the switch back, beside these: %llu "
                   "acknowledged, %llu lost</span>",
                   (unsigned long long)ledger->back_acked, (unsigned long long)ledger->back_lost);
    buf_put(out, "</td>");
    number_cell(out, ledger->acked);
    number_cell(out, ledger->unknown);
    number_cell(out, ledger->failed);
    number_cell(out, ledger->read);
    if (ledger->complete == KNOWN_YES)
        number_cell(out, ledger->lost);
    else
        buf_put(out, "<td class=\"number warn\">unknown</td>");
    number_cell(out, ledger->lost_before);
    number_cell(out, ledger->lost_inside);
    number_cell(out, ledger->lost_after);
    number_cell(out, ledger->ghosts);
    number_cell(out, ledger->duplicated);
    number_cell(out, ledger->unexpected);
    buf_put(out, "</tr>\n");
}

static void lost_rows(const struct Report *report, const struct LedgerResult *ledger,
                      struct Buf *out)
{
    const struct RunRecord *run = report->run;
    for (size_t n = 0; n < ledger->first_lost_count; n++) {
        const struct LostWrite *lost = &ledger->first_lost[n];
        char clock[16];
        say_clock(run, lost->acked, true, clock);
        buf_printf(out, "<tr><td class=\"number\">%u</td><td class=\"number\">%llu</td><td>",
                   lost->writer, (unsigned long long)lost->number);
        html_text(out, lost->by > 0 && lost->by <= run->host_count ? run->hosts[lost->by - 1]
                                                                   : "unknown");
        buf_printf(out, "</td><td>%s</td><td class=\"number\">%+.3f s</td></tr>\n", clock,
                   (double)mono_since(report->t0.low, lost->acked) / 1e9);
    }
}

static void lost_list(const struct Report *report, const struct LedgerResult *ledger,
                      struct Buf *out)
{
    char count[32];
    if (ledger->lost == 0 || ledger->complete != KNOWN_YES)
        return;
    count_say(ledger->lost, count);
    buf_put(out, "<details><summary>Lost writes of ");
    html_text(out, ledger->probe->name);
    buf_printf(out,
               ": %s%zu of %s</summary>\n<table><thead><tr><th class=\"number\">writer</th>"
               "<th class=\"number\">number</th><th>acknowledged by</th><th>at</th>"
               "<th class=\"number\">since the fault</th></tr></thead><tbody>\n",
               ledger->lost > ledger->first_lost_count ? "the first " : "",
               ledger->first_lost_count, count);
    lost_rows(report, ledger, out);
    buf_put(out, "</tbody></table></details>\n");
}

void page_data(const struct Report *report, struct Buf *out)
{
    if (report->ledger_count == 0)
        return;
    buf_put(out,
            "<h2>Data</h2>\n<p class=\"note\">Every acknowledged number was looked for on the "
            "primary after healing. Lost: acknowledged, not there. Ghost: no answer, yet there "
            "(allowed).</p>\n<div class=\"wide\"><table><thead><tr><th>ledger</th>"
            "<th class=\"number\">acknowledged</th><th class=\"number\">unknown</th>"
            "<th class=\"number\">failed</th><th class=\"number\">read back</th>"
            "<th class=\"number\">lost</th><th class=\"number\">before T0</th>"
            "<th class=\"number\">in T0</th><th class=\"number\">after T0</th>"
            "<th class=\"number\">ghosts</th><th class=\"number\">duplicated</th>"
            "<th class=\"number\">unexpected</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < report->ledger_count; n++)
        ledger_row(&report->ledgers[n], out);
    buf_put(out, "</tbody></table></div>\n");
    for (size_t n = 0; n < report->ledger_count; n++)
        lost_list(report, &report->ledgers[n], out);
}

/* ---- Latency and errors ---- */

static void ns_cell(struct Buf *out, int64_t ns)
{
    char text[32];
    duration_say(ns, text);
    buf_printf(out, "<td class=\"number\">%s</td>", ns < 0 ? "–" : text);
}

static void latency_row(const struct ProbeResult *probe, const char *phase,
                        const struct Latency *latency, struct Buf *out)
{
    buf_put(out, "<tr><td class=\"tight\">");
    html_text(out, probe->probe->name);
    buf_printf(out, "</td><td class=\"tight\">%s</td>", phase);
    number_cell(out, latency->count);
    ns_cell(out, latency->p50_ns);
    ns_cell(out, latency->p95_ns);
    ns_cell(out, latency->p99_ns);
    ns_cell(out, latency->max_ns);
    buf_put(out, "</tr>\n");
}

static void failure_row(const struct ProbeResult *probe, struct Buf *out)
{
    bool any = false;
    buf_put(out, "<tr><td class=\"tight\">");
    html_text(out, probe->probe->name);
    buf_put(out, "</td><td>");
    for (unsigned n = FAILURE_REFUSED; n <= FAILURE_OTHER; n++) {
        char text[32];
        if (probe->failures[n] == 0)
            continue;
        count_say(probe->failures[n], text);
        buf_printf(out, "%s%s %s", any ? ", " : "", text, failure_name((enum Failure)n));
        any = true;
    }
    buf_printf(out, "%s</td>", any ? "" : "none");
    number_cell(out, probe->skipped);
    number_cell(out, probe->broken);
    buf_put(out, "</tr>\n");
}

void page_latency(const struct Report *report, struct Buf *out)
{
    if (report->probe_count == 0 || report->fault_count == 0)
        return;
    buf_put(out, "<h2>Latency and errors</h2>\n<div class=\"wide\"><table><thead><tr><th>probe</th>"
                 "<th>phase</th><th class=\"number\">answered</th><th class=\"number\">median</th>"
                 "<th class=\"number\">p95</th><th class=\"number\">p99</th>"
                 "<th class=\"number\">slowest</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < report->probe_count; n++) {
        latency_row(&report->probes[n], "before the fault", &report->probes[n].before, out);
        latency_row(&report->probes[n], "while in effect", &report->probes[n].during, out);
        latency_row(&report->probes[n], "after the undo", &report->probes[n].after, out);
    }
    buf_put(out, "</tbody></table></div>\n<h3>Errors while the fault was in effect</h3>\n"
                 "<div class=\"wide\"><table><thead><tr><th>probe</th><th>kinds</th>"
                 "<th class=\"number\">skipped</th><th class=\"number\">broken</th></tr></thead>"
                 "<tbody>\n");
    for (size_t n = 0; n < report->probe_count; n++)
        failure_row(&report->probes[n], out);
    buf_put(out, "</tbody></table></div>\n");
}
