/* trends_plot.c - every run of a drill as a dot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "trends_plot.h"

#include <stdlib.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "html.h"
#include "statistics.h"

enum { LEFT = 70, RIGHT = 984, TOP = 16, BOTTOM = 196, HEIGHT = 222, RUNNING = 5 };

struct Dot {
    const struct TrendRow *row;
    const struct TrendPoint *point;
};
struct Plot {
    struct Buf *out;
    struct Dot *dots; /* all environments, by time */
    size_t count;
    int64_t most_ns; /* of the axis */
};

static bool same_drill(const struct TrendRow *a, const struct TrendRow *b)
{
    return text_equal(a->scenario, b->scenario) && text_equal(a->probe, b->probe);
}

static int by_time(const void *a, const void *b)
{
    const struct Past *left = ((const struct Dot *)a)->point->past;
    const struct Past *right = ((const struct Dot *)b)->point->past;
    return (left->started.ns > right->started.ns) - (left->started.ns < right->started.ns);
}

static void gather(const struct Trends *trends, const struct TrendRow *of, struct Plot *plot)
{
    size_t room = 0;
    for (size_t n = 0; n < trends->row_count; n++)
        room += same_drill(of, &trends->rows[n]) ? trends->rows[n].point_count : 0;
    plot->dots = mem_zero(room + 1, sizeof(*plot->dots));
    for (size_t n = 0; n < trends->row_count; n++) {
        const struct TrendRow *row = &trends->rows[n];
        if (!same_drill(of, row))
            continue;
        for (size_t p = 0; p < row->point_count; p++) {
            const struct Past *past = row->points[p].past;
            plot->dots[plot->count++] = (struct Dot){row, &row->points[p]};
            if (past->recovery_high_ns > plot->most_ns && past->recovery_high_ns != NS_NEVER)
                plot->most_ns = past->recovery_high_ns;
            for (size_t k = 0; k < past->recovery_count; k++)
                if (past->recoveries[k] > plot->most_ns && past->recoveries[k] != NS_NEVER)
                    plot->most_ns = past->recoveries[k];
        }
        if (row->limit_ns > plot->most_ns)
            plot->most_ns = row->limit_ns;
    }
    if (plot->count > 1)
        qsort(plot->dots, plot->count, sizeof(*plot->dots), by_time);
    plot->most_ns = plot->most_ns > 0 ? plot->most_ns + plot->most_ns / 8 : NS_PER_S;
}

static double x_of(const struct Plot *plot, size_t at)
{
    return LEFT + ((double)at + 0.5) / (double)plot->count * (RIGHT - LEFT);
}

static double y_of(const struct Plot *plot, int64_t ns)
{
    double share = ns == NS_NEVER ? 1 : (double)ns / (double)plot->most_ns;
    return BOTTOM - share * (BOTTOM - TOP);
}

static void level(const struct Plot *plot, int64_t ns, const char *name, const char *color,
                  const char *dashes)
{
    char text[32];
    duration_say(ns, text);
    buf_printf(
        plot->out,
        "<line class=\"%s\" stroke=\"%s\"%s x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
        "<text class=\"quiet\" fill=\"#566174\" font-size=\"11\" text-anchor=\"end\" x=\"%d\" "
        "y=\"%.1f\">%s%s</text>\n",
        name, color, dashes, LEFT, RIGHT, y_of(plot, ns), y_of(plot, ns), LEFT - 6,
        y_of(plot, ns) + 4, dashes[0] != '\0' ? "limit " : "", text);
}

static int64_t nice(int64_t most_ns)
{
    static const int64_t steps[] = {50 * NS_PER_MS,  100 * NS_PER_MS, 200 * NS_PER_MS,
                                    500 * NS_PER_MS, NS_PER_S,        2 * NS_PER_S,
                                    5 * NS_PER_S,    10 * NS_PER_S,   20 * NS_PER_S,
                                    60 * NS_PER_S,   300 * NS_PER_S,  1800 * NS_PER_S};
    for (size_t n = 0; n < COUNT_OF(steps); n++) {
        if (most_ns / steps[n] <= 4)
            return steps[n];
    }
    return most_ns / 3;
}

static void levels(const struct Plot *plot, int64_t limit_ns)
{
    int64_t step = nice(plot->most_ns);
    for (int64_t ns = 0; ns <= plot->most_ns; ns += step) {
        double distance = y_of(plot, ns) - (limit_ns > 0 ? y_of(plot, limit_ns) : -100);
        if (distance > 12 || distance < -12)
            level(plot, ns, "grid", "#d8dee8", "");
    }
    if (limit_ns > 0)
        level(plot, limit_ns, "limit", "#8f5a00", " stroke-dasharray=\"6 4\"");
}

/* The running median of five of one environment, broken where the behaviour changed. */
static void median_line(const struct Plot *plot, const struct TrendRow *row)
{
    double last[RUNNING];
    size_t count = 0;
    bool drawing = false;
    buf_printf(plot->out,
               "<path class=\"track\" stroke=\"#2459b3\" stroke-width=\"1.5\" fill=\"none\"%s d=\"",
               row->is_protected ? " stroke-dasharray=\"3 3\"" : "");
    for (size_t n = 0; n < plot->count; n++) {
        const struct Past *past = plot->dots[n].point->past;
        if (plot->dots[n].row != row)
            continue;
        if (plot->dots[n].point->after_change) {
            count = 0;
            drawing = false;
        }
        if (past->unaffected || past->censored || past->recovery_high_ns < 0)
            continue;
        for (size_t k = RUNNING - 1; k > 0; k--)
            last[k] = last[k - 1];
        last[0] = (double)past->recovery_high_ns;
        if (++count < RUNNING)
            continue;
        buf_printf(plot->out, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(plot, n),
                   y_of(plot, (int64_t)median_of(last, RUNNING)));
        drawing = true;
    }
    buf_put(plot->out, "\"/>\n");
}

static void shape(const struct Plot *plot, const struct Dot *dot, double x, double y)
{
    const struct Past *past = dot->point->past;
    bool pass = past->verdict == VERDICT_PASS;
    const char *name = past->unaffected ? "dot hollow" : pass ? "dot good" : "dot bad";
    const char *fill = past->unaffected ? "#ffffff" : pass ? "#0f7a43" : "#c0232c";
    const char *stroke = past->unaffected ? "#0f7a43" : "#ffffff";
    if (dot->row->is_protected)
        buf_printf(plot->out,
                   "<rect class=\"%s\" fill=\"%s\" stroke=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"9\" "
                   "height=\"9\">",
                   name, fill, stroke, x - 4.5, y - 4.5);
    else
        buf_printf(
            plot->out,
            "<circle class=\"%s\" fill=\"%s\" stroke=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\">", name,
            fill, stroke, x, y);
}

/* The cycles of a repeat, small, beside the dot that is their median. */
static void cycles_write(const struct Plot *plot, const struct Past *past, double x)
{
    char took[32] = "not recovered";
    for (size_t n = 0; n < past->recovery_count; n++) {
        if (past->recoveries[n] < 0)
            continue;
        if (past->recoveries[n] != NS_NEVER)
            duration_say(past->recoveries[n], took);
        buf_printf(plot->out,
                   "<circle class=\"cycle\" fill=\"#566174\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\">"
                   "<title>cycle %zu: %s</title></circle>\n",
                   x + 8, y_of(plot, past->recoveries[n]), n + 1,
                   past->recoveries[n] == NS_NEVER ? "not recovered" : took);
    }
}

static void dot_write(const struct Plot *plot, size_t at)
{
    const struct Dot *dot = &plot->dots[at];
    const struct Past *past = dot->point->past;
    char date[32], took[64] = "no outage seen";
    double x = x_of(plot, at);
    int64_t ns = past->censored ? NS_NEVER : past->recovery_high_ns;
    bool timed = !past->unaffected && ns >= 0;
    if (dot->point->after_change)
        buf_printf(plot->out,
                   "<line class=\"changed\" stroke=\"#566174\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" "
                   "y2=\"%d\"/>\n",
                   x - (double)(RIGHT - LEFT) / (double)plot->count / 2,
                   x - (double)(RIGHT - LEFT) / (double)plot->count / 2, TOP - 8, BOTTOM);
    wall_utc(past->started, date);
    if (timed)
        span_say(past->recovery_low_ns > 0 ? past->recovery_low_ns : 0, ns, took);
    shape(plot, dot, x, timed ? y_of(plot, ns) : BOTTOM);
    buf_printf(plot->out, "<title>%.10s ", date);
    html_text(plot->out, past->environment);
    buf_printf(plot->out, ": %s, %s</title></%s>\n", verdict_name(past->verdict), took,
               dot->row->is_protected ? "rect" : "circle");
    cycles_write(plot, past, x);
}

static void dates(const struct Plot *plot)
{
    char first[32], last[32];
    wall_utc(plot->dots[0].point->past->started, first);
    wall_utc(plot->dots[plot->count - 1].point->past->started, last);
    buf_printf(
        plot->out,
        "<text class=\"quiet\" fill=\"#566174\" font-size=\"11\" x=\"%d\" y=\"%d\">%.10s</text>",
        LEFT, HEIGHT - 6, first);
    buf_printf(
        plot->out,
        "<text class=\"quiet\" fill=\"#566174\" font-size=\"11\" text-anchor=\"end\" x=\"%d\" "
        "y=\"%d\">%.10s</text>\n",
        RIGHT, HEIGHT - 6, last);
}

static void draw(const struct Trends *trends, const struct TrendRow *row, struct Plot *plot)
{
    buf_put(plot->out, "<figure class=\"picture\"><figcaption><strong>");
    html_text(plot->out, row->scenario);
    buf_put(plot->out, "</strong> ");
    html_text(plot->out, row->probe);
    buf_printf(plot->out,
               "</figcaption>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1000 %d\" "
               "role=\"img\" font-family=\"system-ui, sans-serif\">\n",
               HEIGHT);
    levels(plot, row->limit_ns);
    for (size_t n = 0; n < trends->row_count; n++) {
        if (same_drill(row, &trends->rows[n]))
            median_line(plot, &trends->rows[n]);
    }
    for (size_t n = 0; n < plot->count; n++)
        dot_write(plot, n);
    dates(plot);
    buf_put(plot->out, "</svg></figure>\n");
}

void trends_plot(const struct Trends *trends, size_t row, struct Buf *out)
{
    struct Plot plot = {.out = out};
    for (size_t n = 0; n < row; n++) {
        if (same_drill(&trends->rows[n], &trends->rows[row]))
            return;
    }
    gather(trends, &trends->rows[row], &plot);
    if (plot.count > 0)
        draw(trends, &trends->rows[row], &plot);
    mem_free(plot.dots);
}
