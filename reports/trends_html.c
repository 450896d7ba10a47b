/* trends_html.c - trends as one self-contained page: LANGUAGE.md 6.2. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/duration.h"
#include "html.h"
#include "say.h"
#include "trends_plot.h"

enum { MEDIAN_FROM = 6 };

/* ---- What it comes to ---- */

static void sentence_changes(const struct Trends *trends, struct Buf *out)
{
    for (size_t n = 0; n < trends->row_count; n++) {
        const struct TrendRow *row = &trends->rows[n];
        char date[32];
        if (row->change != TREND_SLOWER && row->change != TREND_FASTER)
            continue;
        wall_utc(row->since, date);
        buf_put(out, "<li><span class=\"sign\">");
        buf_put(out, row->change == TREND_SLOWER ? "↑" : "↓");
        buf_put(out, "</span> <strong>");
        html_text(out, row->scenario);
        buf_put(out, "</strong> ");
        html_text(out, row->environment);
        buf_put(out, " ");
        html_text(out, row->probe);
        buf_printf(out, " is %.0f %% %s since %.10s.</li>\n",
                   row->percent < 0 ? -row->percent : row->percent, trend_change_name(row->change),
                   date);
    }
}

static void sentence_findings(const struct Trends *trends, struct Buf *out)
{
    for (size_t n = 0; n < trends->row_count; n++) {
        const struct TrendRow *row = &trends->rows[n];
        const struct Past *failed = row->finding.failed;
        char date[32];
        if (failed == NULL || row->finding.passed != NULL)
            continue;
        wall_utc(failed->started, date);
        buf_put(out, "<li><span class=\"sign bad-text\">✗</span> Open: <strong>");
        html_text(out, row->scenario);
        buf_put(out, "</strong> ");
        html_text(out, row->environment);
        buf_put(out, " ");
        html_text(out, row->probe);
        buf_printf(out, " failed on %.10s and has not passed since", date);
        if (failed->lost > 0)
            buf_printf(out, "; it lost %lld writes", (long long)failed->lost);
        buf_put(out, failed->advice != NULL ? "; look at " : "");
        html_text(out, failed->advice != NULL ? failed->advice : "");
        buf_put(out, failed->owner != NULL ? "; owner " : "");
        html_text(out, failed->owner != NULL ? failed->owner : "");
        buf_put(out, ".</li>\n");
    }
}

static void sentence_due(const struct Trends *trends, struct Buf *out)
{
    const struct TrendDue *overdue = trends->overdue.items, *never = trends->never_run.items;
    for (size_t n = 0; n < trends->overdue.count; n++) {
        char due[32];
        wall_utc(overdue[n].due, due);
        buf_put(out, "<li><span class=\"sign bad-text\">!</span> Overdue: <strong>");
        html_text(out, overdue[n].scenario);
        buf_printf(out, "</strong>, due on %.10s; its last run is %lld days ago.</li>\n", due,
                   (long long)(overdue[n].since_ns / (86400 * NS_PER_S)));
    }
    for (size_t n = 0; n < trends->never_run.count; n++) {
        buf_put(out, "<li><span class=\"sign\">·</span> Scheduled, and never run: <strong>");
        html_text(out, never[n].scenario);
        buf_put(out, "</strong>.</li>\n");
    }
}

static void put_apart(struct Buf *out, size_t count, const char *what, bool *any)
{
    if (count == 0)
        return;
    buf_printf(out, "%s%zu %s", *any ? ", " : "", count, what);
    *any = true;
}

static void sentences(const struct Trends *trends, struct Buf *out)
{
    size_t promised = 0, within = 0;
    const struct TrendCounts *counts = &trends->counts;
    struct Buf apart = BUF(500);
    bool any = false;
    for (size_t n = 0; n < trends->row_count; n++) {
        const struct TrendRow *row = &trends->rows[n];
        promised += row->limit_ns >= 0 && row->last_ns >= 0 ? 1 : 0;
        within += row->limit_ns >= 0 && row->last_ns >= 0 && row->last_ns <= row->limit_ns ? 1 : 0;
    }
    buf_put(out, "<ul class=\"facts\">\n");
    if (promised > 0)
        buf_printf(
            out,
            "<li><span class=\"sign\">·</span> %zu of %zu recoveries were within their limit "
            "the last time.</li>\n",
            within, promised);
    sentence_changes(trends, out);
    sentence_findings(trends, out);
    sentence_due(trends, out);
    put_apart(&apart, counts->inconclusive, "inconclusive", &any);
    put_apart(&apart, counts->halted, "halted", &any);
    put_apart(&apart, counts->refused, "refused", &any);
    put_apart(&apart, counts->not_ready, "not ready", &any);
    put_apart(&apart, counts->not_undone, "not undone", &any);
    put_apart(&apart, counts->own_failure, "failures of the runner itself", &any);
    if (any)
        buf_printf(out, "<li><span class=\"sign\">·</span> Not in the figures: %s.</li>\n",
                   apart.text);
    buf_put(out, "</ul>\n");
    buf_free(&apart);
}

/* ---- The table ---- */

static void ns_cell(struct Buf *out, int64_t ns)
{
    char text[32];
    duration_say(ns, text);
    if (ns < 0)
        buf_put(out, "<td class=\"number\" data-value=\"-1\">–</td>");
    else if (ns == NS_NEVER)
        buf_put(out, "<td class=\"number bad\" data-value=\"1e18\">not recovered</td>");
    else
        buf_printf(out, "<td class=\"number\" data-value=\"%lld\">%s</td>", (long long)ns, text);
}

static void within_cell(const struct TrendRow *row, struct Buf *out)
{
    char worst[32];
    buf_put(out, "<td class=\"tight\">");
    if (row->limit_ns >= 0 && row->affected > 0) {
        buf_printf(out, "%zu of %zu", row->within, row->affected);
        duration_say(row->most_ns, worst);
        if (row->affected < MEDIAN_FROM && row->most_ns != NS_NEVER)
            buf_printf(out, "<br><span class=\"note\">worst %s</span>", worst);
    }
    buf_put(out, "</td>");
}

static void change_cell(const struct TrendRow *row, struct Buf *out)
{
    const char *name = row->change == TREND_SLOWER   ? "bad"
                       : row->change == TREND_FASTER ? "good"
                                                     : "";
    buf_printf(out, "<td class=\"%s\">", name);
    if (row->change == TREND_TOO_FEW)
        buf_printf(out, "<span class=\"note\">have %zu runs, need 8</span>",
                   row->affected - row->censored);
    else
        buf_put(out, trend_change_name(row->change));
    if (row->change == TREND_SLOWER || row->change == TREND_FASTER)
        buf_printf(out, " %+.0f %%", row->percent);
    buf_put(out, "</td>");
}

static void table_line(const struct TrendRow *row, struct Buf *out)
{
    const struct RunRecord run = {.environment = row->environment,
                                  .is_protected = row->is_protected};
    struct Buf environment = BUF(500);
    char range[64] = "";
    say_environment(&run, &environment);
    buf_put(out, "<tr><td>");
    html_text(out, row->scenario);
    buf_put(out, "</td><td>");
    html_text(out, environment.text);
    buf_put(out, "</td><td>");
    html_text(out, row->probe);
    buf_printf(out, "</td><td class=\"number\" data-value=\"%zu\">%zu</td>", row->runs, row->runs);
    ns_cell(out, row->last_ns);
    ns_cell(out, row->median_ns);
    if (row->affected > 0)
        span_say(row->least_ns == NS_NEVER ? 0 : row->least_ns, row->most_ns, range);
    buf_printf(out, "<td class=\"number\" data-value=\"%lld\">%s</td>", (long long)row->most_ns,
               range);
    ns_cell(out, row->limit_ns);
    within_cell(row, out);
    buf_printf(out, "<td class=\"number\" data-value=\"%zu\">%zu</td>", row->unaffected,
               row->unaffected);
    change_cell(row, out);
    buf_put(out, "</tr>\n");
    buf_free(&environment);
}

static void table(const struct Trends *trends, struct Buf *out)
{
    buf_put(out,
            "<h2>Drills, least margin first</h2>\n<div class=\"wide\"><table class=\"sortable\">"
            "<thead><tr><th>drill</th><th>environment</th><th>probe</th>"
            "<th class=\"number\">runs</th><th class=\"number\">last</th>"
            "<th class=\"number\">MTTR</th><th class=\"number\">range</th>"
            "<th class=\"number\">limit</th><th>within</th><th class=\"number\">unaffected</th>"
            "<th>change</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < trends->row_count; n++)
        table_line(&trends->rows[n], out);
    buf_put(out, "</tbody></table></div>\n");
}

static void method(struct Buf *out)
{
    buf_put(
        out,
        "<details><summary>How it is computed</summary>\n<dl>\n"
        "<dt>MTTR</dt><dd>The median recovery time of one drill in one environment, of runs that "
        "were "
        "affected; never an average over drills, and none below 6 runs. It is a median and not a "
        "mean, "
        "because recovery times are skewed and few.</dd>\n"
        "<dt>unaffected</dt><dd>The fault was proven and the probe never failed: counted, and in "
        "no "
        "median, or recovery would seem to get better by doing nothing.</dd>\n"
        "<dt>comparable</dt><dd>Same scenario name, environment and behaviour; an upright line in "
        "a "
        "plot means that the scenario changed, and nothing is compared across it.</dd>\n"
        "<dt>slower, faster</dt><dd>The last runs (10 at most, half of all) against those before: "
        "Mann-Whitney, two-sided, p below 0.05, not adjusted for the number of rows; and the "
        "Hodges-Lehmann shift of the logarithms is 20 % or more, with its 95 % interval on one "
        "side of "
        "zero. Same: that interval lies within 20 % either way. Else: cannot tell. At least 4 + 4 "
        "runs.</dd>\n"
        "<dt>not in the figures</dt><dd>Inconclusive, halted and refused runs. A rising number of "
        "refusals means that the gate bites, not that systems fail.</dd>\n</dl>\n</details>\n");
}

bool trends_html(const struct Trends *trends, const char *version, struct Buf *out, struct Err *err)
{
    html_begin(out, "faildrill: recovery, drill by drill");
    buf_put(
        out,
        "<h1>Recovery, drill by drill</h1>\n<p class=\"note\">Each time is the upper bound of a "
        "measured interval. MTTR here is the median recovery time of one drill.</p>\n");
    sentences(trends, out);
    if (trends->row_count == 0)
        buf_put(out, "<p>No run yet from which a recovery could be told.</p>\n");
    else
        table(trends, out);
    if (trends->row_count > 0)
        buf_put(out,
                "<h2>Every run</h2>\n<p class=\"note\">Green passed, red failed; round is staging, "
                "square is protected; hollow was not affected. Line: the median of the last "
                "five.</p>\n");
    for (size_t n = 0; n < trends->row_count; n++)
        trends_plot(trends, n, out);
    method(out);
    buf_put(out, "<footer>Made by faildrill ");
    html_text(out, version);
    buf_put(out, " from its store.</footer>\n");
    struct Buf data = BUF(200 << 10);
    trends_json(trends, &data);
    html_end(out, data.cut ? NULL : data.text);
    buf_free(&data);
    return out->cut ? err_set(err, ERR_OWN, NOWHERE, "the page does not fit") : true;
}
