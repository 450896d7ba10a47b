/* picture_lane.c - one probe in the picture: latency, failures, who led, recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "../runner/base/arena.h"
#include "../runner/base/duration.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "html.h"
#include "picture_parts.h"

#define CURVE_TOP 30 /* of a lane, from its top */
#define CURVE_BOTTOM 70
#define STRIP_TOP 80
#define STRIP_HEIGHT 11

enum { COLUMNS = 556, COLUMNS_MANY = 278, MANY_PROBES = 5 };

/* ---- Columns ---- */

static void add_sample(struct Column *column, const struct Sample *sample)
{
    if (!sample_counts(sample)) {
        column->unasked++;
        return;
    }
    if (sample->outcome != OUTCOME_OK)
        column->failed++;
    if (!sample_answered(sample))
        return;
    int64_t taken = mono_since(sample->intended, sample->ended);
    if (column->most_ns < 0 || taken < column->least_ns)
        column->least_ns = taken;
    if (taken > column->most_ns)
        column->most_ns = taken;
}

size_t columns_of(const struct Plot *plot, const struct ProbeResult *probe, struct Column **out)
{
    size_t count = plot->report->probe_count > MANY_PROBES ? COLUMNS_MANY : COLUMNS;
    struct Column *columns = mem_zero(count, sizeof(*columns));
    double range = (double)mono_since(plot->view->from, plot->view->to);
    for (size_t n = 0; n < count; n++)
        columns[n].most_ns = -1;
    for (size_t n = 0; n < probe->sample_count; n++) {
        const struct Sample *sample = probe->samples[n];
        if (!plot_shows(plot, sample->started))
            continue;
        double share = (double)mono_since(plot->view->from, sample->started) / range;
        size_t at = (size_t)(share * (double)count);
        add_sample(&columns[at < count ? at : count - 1], sample);
    }
    *out = columns;
    return count;
}

static double column_x(size_t at, size_t count)
{
    return PICTURE_LEFT + ((double)at + 0.5) / (double)count * (PICTURE_RIGHT - PICTURE_LEFT);
}

/* ---- Latency, on a scale of tens ---- */

struct Scale {
    int low, high; /* powers of ten of nanoseconds */
    double top;
};

static struct Scale scale_of(const struct Column *columns, size_t count, double top)
{
    struct Scale scale = {.low = 6, .high = 8, .top = top}; /* 1 to 100 ms at least */
    for (size_t n = 0; n < count; n++) {
        if (columns[n].most_ns <= 0)
            continue;
        int low =
            (int)floor(log10((double)(columns[n].least_ns > 1000 ? columns[n].least_ns : 1000)));
        int high = (int)ceil(log10((double)columns[n].most_ns));
        scale.low = low < scale.low ? low : scale.low;
        scale.high = high > scale.high ? high : scale.high;
    }
    return scale;
}

static double scale_y(const struct Scale *scale, int64_t ns)
{
    double power = log10((double)(ns > 1 ? ns : 1));
    double share = (power - scale->low) / (scale->high - scale->low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return scale->top + CURVE_BOTTOM - share * (CURVE_BOTTOM - CURVE_TOP);
}

static void scale_write(const struct Plot *plot, const struct Scale *scale)
{
    for (int power = scale->low; power <= scale->high; power++) {
        char text[32];
        int64_t ns = (int64_t)llround(pow(10, power));
        double y = scale_y(scale, ns);
        bool ends = power == scale->low || power == scale->high;
        buf_printf(plot->out,
                   "<line class=\"grid\" stroke=\"#d8dee8\" stroke-dasharray=\"1 4\" x1=\"%d\" "
                   "x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
                   PICTURE_LEFT, PICTURE_RIGHT, y, y);
        if (!ends && scale->high - scale->low > 3)
            continue;
        duration_say(ns, text);
        buf_printf(plot->out,
                   "<text class=\"quiet\" fill=\"#566174\" font-size=\"10\" text-anchor=\"end\" "
                   "x=\"%d\" y=\"%.1f\">%s</text>\n",
                   PICTURE_LEFT - 6, y + 3.5, text);
    }
}

/* The band from least to most, and over it the line of the most: the slowest must be seen. */
static void curve_write(const struct Plot *plot, const struct Scale *scale,
                        const struct Column *columns, size_t count)
{
    buf_put(plot->out,
            "<path class=\"band\" stroke=\"#a9c3ec\" stroke-width=\"1.6\" fill=\"none\" d=\"");
    for (size_t n = 0; n < count; n++) {
        if (columns[n].most_ns >= 0)
            buf_printf(plot->out, "M%.1f %.1fV%.1f", column_x(n, count),
                       scale_y(scale, columns[n].most_ns),
                       scale_y(scale, columns[n].least_ns) + 0.6);
    }
    buf_put(plot->out, "\"/>\n<path class=\"track\" stroke=\"#2459b3\" stroke-width=\"1.2\" "
                       "stroke-linejoin=\"round\" fill=\"none\" d=\"");
    bool drawing = false;
    for (size_t n = 0; n < count; n++) {
        bool failed = columns[n].failed > 0 && columns[n].most_ns < 0;
        if (columns[n].most_ns >= 0) {
            buf_printf(plot->out, "%c%.1f %.1f", drawing ? 'L' : 'M', column_x(n, count),
                       scale_y(scale, columns[n].most_ns));
            drawing = true;
        } else if (failed) {
            drawing = false;
        }
    }
    buf_put(plot->out, "\"/>\n");
}

static void strip(const struct Plot *plot, const char *name, const char *color, double x,
                  double width, double top)
{
    buf_printf(plot->out,
               "<rect class=\"%s\" fill=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
               "height=\"%d\"/>\n",
               name, color, x, top + STRIP_TOP, width, STRIP_HEIGHT);
}

/* Attempts may be further apart than columns: what lies between two that failed is one mark. */
static void fill_between(struct Column *columns, size_t count)
{
    size_t last = count;
    for (size_t n = 0; n < count; n++) {
        if (columns[n].failed > 0) {
            for (size_t between = last; between < n; between++)
                columns[between].failed = 1;
            last = n;
        } else if (columns[n].most_ns >= 0 || columns[n].unasked > 0) {
            last = count;
        }
    }
}

/* Columns side by side become one mark. */
static void failures_write(const struct Plot *plot, struct Column *columns, size_t count,
                           double top)
{
    fill_between(columns, count);
    double width = (double)(PICTURE_RIGHT - PICTURE_LEFT) / (double)count;
    for (size_t n = 0; n < count;) {
        bool failed = columns[n].failed > 0, unasked = !failed && columns[n].unasked > 0;
        size_t end = n + 1;
        while (end < count && (columns[end].failed > 0) == failed &&
               (columns[end].failed == 0 && columns[end].unasked > 0) == unasked)
            end++;
        double x = PICTURE_LEFT + (double)n * width, long_ns = (double)(end - n) * width;
        if (failed)
            strip(plot, "failed", "#c0232c", x, long_ns, top);
        else if (unasked)
            strip(plot, "unasked", "#566174", x, long_ns, top);
        n = end;
    }
}

static void latency_write(const struct Plot *plot, const struct ProbeResult *probe, double top)
{
    struct Column *columns = NULL;
    size_t count = columns_of(plot, probe, &columns);
    struct Scale scale = scale_of(columns, count, top);
    scale_write(plot, &scale);
    curve_write(plot, &scale, columns, count);
    failures_write(plot, columns, count, top);
    mem_free(columns);
}

/* ---- Who led ---- */

static const struct PrimaryResult *primary_of(const struct Report *report,
                                              const struct ProbeResult *probe)
{
    for (size_t n = 0; n < report->primary_count; n++) {
        if (report->primaries[n].probe == probe->probe)
            return &report->primaries[n];
    }
    return NULL;
}

static void reign_name(const struct PrimaryResult *primary, uint32_t host, struct Buf *out)
{
    if (host == primary->old_host && primary->before != NULL)
        html_text(out, primary->before);
    else if (host == primary->new_host && primary->after != NULL)
        html_text(out, primary->after);
    else
        buf_printf(out, "host %u of the role", host + 1);
}

static void reigns_write(const struct Plot *plot, const struct PrimaryResult *primary, double top)
{
    uint32_t rows = primary->host_count > 0 ? primary->host_count : 1;
    double height = (double)(CURVE_BOTTOM - CURVE_TOP + 6) / rows;
    for (size_t n = 0; n < primary->reign_count; n++) {
        const struct Reign *reign = &primary->reigns[n];
        if (mono_before(reign->said.high, plot->view->from) ||
            mono_before(plot->view->to, reign->said.low))
            continue;
        bool sure = mono_before(reign->surely.low, reign->surely.high); /* more than one look */
        double x = plot_x(plot, sure ? reign->surely.low : reign->said.high);
        double width = sure ? plot_x(plot, reign->surely.high) - x : 0;
        double y = top + CURVE_TOP - 4 + height * reign->host;
        double thick = height > 18 ? 16 : height - 2;
        buf_printf(plot->out,
                   "<rect class=\"reign%s\" fill=\"%s\" rx=\"2\" x=\"%.1f\" y=\"%.1f\" "
                   "width=\"%.1f\" height=\"%.1f\"/>",
                   reign->host == primary->old_host ? " old" : "",
                   reign->host == primary->old_host ? "#566174" : "#2459b3", x, y,
                   width < 2 ? 2 : width, thick);
        struct Buf name = BUF(300);
        reign_name(primary, reign->host, &name);
        bool inside = width > 7 * (double)(text_columns(name.text) + 7);
        buf_printf(plot->out, "<text font-size=\"11\" %s x=\"%.1f\" y=\"%.1f\">",
                   inside ? "class=\"inside\" fill=\"#ffffff\"" : "class=\"label\"",
                   inside ? x + 6 : x + width + 5, y + thick / 2 + 4);
        buf_printf(plot->out, "%s leads</text>\n", name.text);
        buf_free(&name);
    }
}

/* ---- The way to recovery ---- */

void dimension_write(const struct Plot *plot, const struct Dimension *dimension)
{
    if (mono_before(plot->view->to, dimension->from) ||
        mono_before(dimension->to, plot->view->from))
        return;
    double from = plot_x(plot, dimension->from), to = plot_x(plot, dimension->to);
    double y = dimension->y;
    buf_printf(plot->out,
               "<path class=\"mark\" stroke=\"#1b2330\" stroke-width=\"1.3\" fill=\"none\" "
               "d=\"M%.1f %.1fV%.1fM%.1f %.1fH%.1f",
               from, y - 5, y + 5, from, y, to);
    if (!dimension->open)
        buf_printf(plot->out, "M%.1f %.1fV%.1f", to, y - 5, y + 5);
    buf_printf(plot->out, "\"/><path class=\"ends\" fill=\"#1b2330\" d=\"M%.1f %.1fl-6 -3v6z\"/>",
               to, y);
    bool late = to > PICTURE_RIGHT - 150;
    buf_printf(plot->out,
               "<text class=\"label\" font-size=\"12.5\" font-weight=\"600\" x=\"%.1f\" "
               "y=\"%.1f\"%s>",
               late ? to - 12 : to + 7, late ? y - 5 : y + 4.5, late ? " text-anchor=\"end\"" : "");
    html_text(plot->out, dimension->text);
    buf_put(plot->out, "</text>\n");
}

static void span_write(const struct Plot *plot, struct Mono t0, struct Span span, const char *what,
                       double y)
{
    char text[64], label[128];
    if (span.low_ns == NS_NEVER || t0.ns == 0)
        return;
    bool open = span.high_ns == NS_NEVER;
    span_say(span.low_ns, span.high_ns, text);
    snprintf(label, sizeof(label), "%s %s", what, text);
    dimension_write(plot, &(struct Dimension){.from = t0,
                                              .to = mono_add(t0, open ? span.low_ns : span.high_ns),
                                              .y = y,
                                              .text = label,
                                              .open = open});
}

/* A ledger on the cut side, say, is there to stop; that it did not recover is no news. */
static bool is_promised(const struct Report *report, const struct ProbeResult *probe)
{
    for (size_t n = 0; n < report->judged_count; n++) {
        const struct RunExpectation *expectation = report->judged[n].expectation;
        if (text_equal(expectation->probe, probe->probe->name) &&
            text_equal(expectation->word, "recover_within"))
            return true;
    }
    return false;
}

static void recoveries_write(const struct Plot *plot, const struct ProbeResult *probe, double top)
{
    const struct Report *report = plot->report;
    const struct PrimaryResult *primary = primary_of(report, probe);
    if (report->cause_count == 0)
        return;
    if (primary != NULL && primary->failover.high_ns != NS_NEVER) {
        span_write(plot, primary->failover_t0.low, primary->failover, "failover", top + 15);
        return;
    }
    for (size_t n = 0; n < report->cause_count; n++) {
        const struct CauseResult *cause = &probe->causes[n];
        if (cause->unaffected || (cause->censored && !is_promised(report, probe)))
            continue;
        span_write(plot, report->causes[n].t0.low, cause->recovered,
                   cause->censored ? "not recovered:" : "recovered", top + 15);
    }
}

static void name_write(const struct Plot *plot, const struct ProbeResult *probe, double top)
{
    buf_printf(plot->out, "<text font-size=\"13\" font-weight=\"600\" x=\"4\" y=\"%.1f\">",
               top + 22);
    html_text(plot->out, probe->probe->name);
    buf_printf(plot->out,
               "</text><text class=\"quiet\" fill=\"#566174\" font-size=\"11\" x=\"4\" y=\"%.1f\">",
               top + 38);
    html_text(plot->out, probe->probe->kind);
    buf_put(plot->out, "</text>\n");
    if (probe->attempts == 0)
        return;
    buf_printf(
        plot->out,
        "<text class=\"quiet\" fill=\"#566174\" font-size=\"10\" text-anchor=\"end\" x=\"%d\" "
        "y=\"%.1f\">failed</text>\n",
        PICTURE_LEFT - 6, top + STRIP_TOP + 9);
}

void lane_write(const struct Plot *plot, const struct ProbeResult *probe, double top)
{
    const struct PrimaryResult *primary = primary_of(plot->report, probe);
    name_write(plot, probe, top);
    if (primary != NULL && primary->reign_count > 0) {
        struct Column *columns = NULL;
        size_t count = columns_of(plot, probe, &columns);
        reigns_write(plot, primary, top);
        failures_write(plot, columns, count, top);
        mem_free(columns);
    } else {
        latency_write(plot, probe, top);
    }
    recoveries_write(plot, probe, top);
}
