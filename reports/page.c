/* page.c - one run as one self-contained page: LANGUAGE.md 6.1. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "page_parts.h"
#include "picture.h"

#define DATA_BYTES (100 << 10) /* data beyond this stays in the JSON report */

/* From a little before the first fault to a little after the last undo, or all there is. */
static struct View whole_view(const struct Report *report)
{
    const struct RunRecord *run = report->run;
    struct View view = {.from = run->mono_started,
                        .to = run->mono_ended,
                        .caption =
                            "The whole drill: latency of each probe, failed attempts in red, "
                            "the fault shaded, its undo hatched"};
    if (report->cause_count == 0)
        return view;
    struct Mono end = report->undone.high.ns != 0 ? report->undone.high : run->mono_ended;
    int64_t length = mono_since(report->t0.low, end);
    int64_t margin = length / 6 > 3 * NS_PER_S ? length / 6 : 3 * NS_PER_S;
    struct Mono from = mono_add(report->t0.low, -margin), to = mono_add(end, margin);
    for (size_t n = 0; n < report->probe_count; n++) {
        int64_t healed = report->probes[n].healed.high_ns;
        if (healed != NS_NEVER && healed > 0)
            to = mono_before(to, mono_add(end, healed + margin / 2))
                     ? mono_add(end, healed + margin / 2)
                     : to;
    }
    view.from = mono_before(from, run->mono_started) ? run->mono_started : from;
    view.to = mono_min(to, run->mono_ended);
    return view;
}

/* The same, close up, where the recovery would be a few pixels wide. */
static bool close_view(const struct Report *report, const struct View *whole, struct View *out)
{
    int64_t longest = 0;
    if (report->cause_count != 1)
        return false;
    for (size_t n = 0; n < report->probe_count; n++) {
        int64_t took = report->probes[n].recovered.high_ns;
        if (report->probes[n].recovered.low_ns != NS_NEVER && took != NS_NEVER && took > longest)
            longest = took;
    }
    for (size_t n = 0; n < report->primary_count; n++) {
        int64_t took = report->primaries[n].failover.high_ns;
        if (took != NS_NEVER && took > longest)
            longest = took;
    }
    if (longest == 0 || longest * 3 > mono_since(whole->from, whole->to))
        return false;
    int64_t margin = longest / 4 > NS_PER_S / 2 ? longest / 4 : NS_PER_S / 2;
    *out = (struct View){.from = mono_add(report->t0.low, -margin),
                         .to = mono_add(report->t0.low, longest + 3 * margin),
                         .caption = "From the fault to recovery"};
    return true;
}

void page_pictures(const struct Report *report, struct Buf *out)
{
    struct View whole = whole_view(report), close;
    if (report->probe_count == 0)
        return;
    buf_put(out, "<h2>What the probes saw</h2>\n");
    if (close_view(report, &whole, &close))
        picture_write(report, &close, out);
    picture_write(report, &whole, out);
}

static void foot(const struct Report *report, struct Buf *out)
{
    buf_put(out, "<footer>Made by faildrill ");
    html_text(out, report->run->version);
    buf_put(out, " from its store; made anew by <code>faildrill report ");
    html_text(out, run_short(report->run->id));
    buf_put(out, "</code>. All times local; durations by a monotonic clock.</footer>\n");
}

static bool write(const struct Report *report, struct Buf *out, struct Err *err)
{
    struct Buf title = BUF(1000), data = BUF(DATA_BYTES);
    struct Err ignored;
    buf_printf(&title, "%s %s in %s", verdict_name(report->verdict),
               report->run->scenario != NULL ? report->run->scenario : "",
               report->run->environment != NULL ? report->run->environment : "");
    html_begin(out, title.text);
    page_banner(report, out);
    page_figures(report, out);
    page_pictures(report, out);
    page_expectations(report, out);
    page_timeline(report, out);
    page_data(report, out);
    page_latency(report, out);
    page_faults(report, out);
    page_context(report, out);
    foot(report, out);
    html_end(out, report_json.write(report, &data, &ignored) ? data.text : NULL);
    buf_free(&title);
    buf_free(&data);
    return out->cut ? err_set(err, ERR_OWN, NOWHERE, "the page does not fit") : true;
}

const struct ReportFormat report_html = {
    .name = "html",
    .summary = "one self-contained page",
    .extension = "html",
    .write = write,
};
