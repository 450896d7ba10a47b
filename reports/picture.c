/* picture.c - the run as one drawing: all probes over one time axis. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <math.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "html.h"
#include "picture_parts.h"

double plot_x(const struct Plot *plot, struct Mono at)
{
    double share = (double)mono_since(plot->view->from, at) /
                   (double)mono_since(plot->view->from, plot->view->to);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return PICTURE_LEFT + share * (PICTURE_RIGHT - PICTURE_LEFT);
}

bool plot_shows(const struct Plot *plot, struct Mono at)
{
    return at.ns != 0 && !mono_before(at, plot->view->from) && !mono_before(plot->view->to, at);
}

static double bottom_of(const struct Plot *plot)
{
    return PICTURE_TOP + LANE_HEIGHT * (double)plot->report->probe_count;
}

/* ---- Faults ---- */

static void shade(const struct Plot *plot, const struct Cause *cause)
{
    struct Mono end = cause->undone.low.ns != 0 ? cause->undone.low : plot->report->run->mono_ended;
    double x = plot_x(plot, cause->t0.low), width = plot_x(plot, end) - x;
    double height = bottom_of(plot) - 16;
    if (width > 0)
        buf_printf(plot->out,
                   "<rect class=\"fault\" fill=\"#fbe3e1\" x=\"%.1f\" y=\"16\" width=\"%.1f\" "
                   "height=\"%.1f\"/>\n",
                   x, width, height);
    if (!plot_shows(plot, cause->undone.low))
        return;
    x = plot_x(plot, cause->undone.low);
    width = cause->undone.high.ns != 0 ? plot_x(plot, cause->undone.high) - x : 0;
    buf_printf(plot->out,
               "<rect fill=\"url(#hatch)\" x=\"%.1f\" y=\"16\" width=\"%.1f\" height=\"%.1f\"/>\n",
               x, width < 5 ? 5 : width, height);
}

static void edge(const struct Plot *plot, struct Mono at, const char *name, const char *color)
{
    if (!plot_shows(plot, at))
        return;
    double x = plot_x(plot, at);
    buf_printf(plot->out,
               "<line class=\"%s\" stroke=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"16\" y2=\"%.1f\"/>\n",
               name, color, x, x, bottom_of(plot));
}

/* Names of what was done where stand above the shaded window, as far as there is room. */
static void name_fault(const struct Plot *plot, const struct Cause *cause)
{
    struct Mono at = plot_shows(plot, cause->t0.low) ? cause->t0.low : plot->view->from;
    if (mono_before(plot->view->to, cause->t0.low) ||
        (cause->undone.high.ns != 0 && mono_before(cause->undone.high, plot->view->from)))
        return;
    double x = plot_x(plot, at);
    bool late = x > PICTURE_LEFT + 0.7 * (PICTURE_RIGHT - PICTURE_LEFT);
    buf_printf(plot->out, "<text class=\"label\" font-size=\"12\" x=\"%.1f\" y=\"28\"%s>",
               late ? x - 4 : x + 4, late ? " text-anchor=\"end\"" : "");
    html_text(plot->out, cause->kind);
    for (size_t n = 0; n < cause->fault_count && n < 4; n++) {
        buf_put(plot->out, n == 0 ? " " : ", ");
        html_text(plot->out, cause->faults[n]->host);
    }
    if (cause->fault_count > 4)
        buf_printf(plot->out, " and %zu more", cause->fault_count - 4);
    buf_put(plot->out, "</text>\n");
}

static void name_undo(const struct Plot *plot, const struct Cause *cause)
{
    if (!plot_shows(plot, cause->undone.low))
        return;
    double x = plot_x(plot, cause->undone.low);
    bool late = x > PICTURE_RIGHT - 60;
    buf_printf(plot->out,
               "<text class=\"label\" font-size=\"12\" x=\"%.1f\" y=\"28\"%s>undo</text>\n",
               late ? x - 5 : x + 8, late ? " text-anchor=\"end\"" : "");
}

static void faults(const struct Plot *plot)
{
    for (size_t n = 0; n < plot->report->cause_count; n++)
        shade(plot, &plot->report->causes[n]);
    for (size_t n = 0; n < plot->report->cause_count; n++) {
        const struct Cause *cause = &plot->report->causes[n];
        edge(plot, cause->t0.low, "edge", "#c0232c");
        edge(plot, cause->undone.low, "undo", "#8f5a00");
    }
}

/* ---- Time axis ---- */

static double nice_step(double seconds)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1,   2,    5,    10,   20,    30,
                                   60,  120, 300, 600, 1800, 3600, 7200, 21600, 86400};
    for (size_t n = 0; n < COUNT_OF(steps); n++) {
        if (seconds / steps[n] <= 12)
            return steps[n];
    }
    return seconds / 10;
}

static void axis(const struct Plot *plot, struct Mono zero)
{
    double from = (double)mono_since(zero, plot->view->from) / 1e9;
    double to = (double)mono_since(zero, plot->view->to) / 1e9;
    double step = nice_step(to - from), y = bottom_of(plot);
    for (double at = ceil(from / step) * step; at <= to; at += step) {
        double x = PICTURE_LEFT + (at - from) / (to - from) * (PICTURE_RIGHT - PICTURE_LEFT);
        buf_printf(plot->out,
                   "<line class=\"grid\" stroke=\"#d8dee8\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" "
                   "y2=\"%.1f\"/>\n",
                   x, x, PICTURE_TOP, y);
        bool zero_mark = fabs(at) < step / 1000;
        buf_printf(plot->out,
                   "<text class=\"quiet\" fill=\"#566174\" font-size=\"11\" text-anchor=\"middle\" "
                   "x=\"%.1f\" y=\"%.1f\">",
                   x, y + 15);
        if (zero_mark)
            buf_put(plot->out, plot->report->cause_count > 0 ? "T0" : "0 s");
        else
            buf_printf(plot->out, "%s%.*f s", at < 0 ? "−" : "+", step < 1 ? 1 : 0, fabs(at));
        buf_put(plot->out, "</text>\n");
    }
}

/* ---- Lanes ---- */

static void between_lanes(const struct Plot *plot)
{
    for (size_t n = 0; n <= plot->report->probe_count; n++)
        buf_printf(plot->out,
                   "<line class=\"grid\" stroke=\"#d8dee8\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" "
                   "y2=\"%.1f\"/>\n",
                   PICTURE_RIGHT, PICTURE_TOP + LANE_HEIGHT * (double)n,
                   PICTURE_TOP + LANE_HEIGHT * (double)n);
}

static void begin(const struct Plot *plot, struct Mono zero)
{
    buf_put(plot->out, "<figure class=\"picture\"><figcaption>");
    html_text(plot->out, plot->view->caption);
    buf_printf(plot->out,
               "</figcaption>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
               "role=\"img\" font-family=\"system-ui, sans-serif\" data-from=\"%.3f\" "
               "data-to=\"%.3f\" data-left=\"%d\" data-right=\"%d\">\n<title>",
               PICTURE_WIDTH, bottom_of(plot) + 22,
               (double)mono_since(zero, plot->view->from) / 1e9,
               (double)mono_since(zero, plot->view->to) / 1e9, PICTURE_LEFT, PICTURE_RIGHT);
    html_text(plot->out, plot->view->caption);
    buf_put(plot->out,
            "</title>\n<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" "
            "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"hatch\" "
            "stroke=\"#8f5a00\" x1=\"0\" x2=\"0\" y1=\"0\" y2=\"5\" stroke-width=\"2\"/></pattern>"
            "</defs>\n");
}

void picture_write(const struct Report *report, const struct View *view, struct Buf *out)
{
    const struct Plot plot = {.report = report, .view = view, .out = out};
    struct Mono zero = report->t0.low.ns != 0 ? report->t0.low : report->run->mono_started;
    if (report->probe_count == 0 || !mono_before(view->from, view->to))
        return;
    begin(&plot, zero);
    faults(&plot);
    axis(&plot, zero);
    between_lanes(&plot);
    for (size_t n = 0; n < report->probe_count; n++)
        lane_write(&plot, &report->probes[n], PICTURE_TOP + LANE_HEIGHT * (double)n);
    for (size_t n = 0; n < report->cause_count; n++) {
        name_fault(&plot, &report->causes[n]);
        name_undo(&plot, &report->causes[n]);
    }
    buf_put(out, "</svg></figure>\n");
}
