/* page_timeline.c - what happened when: faults, probes and the runner's own events in one order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "page_parts.h"
#include "people.h"

enum { ROWS_MAX = 300, STRETCHES_MAX = 40 };

struct Line {
    struct Mono at;
    const char *kind; /* fault, probe, event: a class of the style */
    const char *subject;
    char text[200];
    size_t order;
};
struct Timeline {
    const struct Report *report;
    struct List lines;
    struct Arena *arena;
};

static void add(struct Timeline *timeline, struct Mono at, const char *kind, const char *subject,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
static void add(struct Timeline *timeline, struct Mono at, const char *kind, const char *subject,
                const char *format, ...)
{
    va_list values;
    if (at.ns == 0)
        return;
    struct Line *line = list_add(&timeline->lines, timeline->arena, sizeof(*line));
    *line = (struct Line){.at = at,
                          .kind = kind,
                          .subject = subject != NULL ? subject : "",
                          .order = timeline->lines.count};
    va_start(values, format);
    vsnprintf(line->text, sizeof(line->text), format, values);
    va_end(values);
}

static void add_fault(struct Timeline *timeline, const struct RunFault *fault)
{
    const char *kind = fault->kind != NULL ? fault->kind : "";
    add(timeline, fault->t0.low, "fault", fault->host, "%s sent", kind);
    add(timeline, fault->t0.high, "fault", fault->host, "%s proven%s%s", kind,
        fault->proof != NULL && fault->proof[0] != '\0' ? ": " : "",
        fault->proof != NULL ? fault->proof : "");
    add(timeline, fault->ended_early, "fault", fault->host, "%s was gone before its undo was sent",
        kind);
    add(timeline, fault->undone.low, "fault", fault->host, "undo of %s sent", kind);
    add(timeline, fault->undone.high, "fault", fault->host, "undone, proven");
}

static const char *first_failure(const struct Stretch *stretch)
{
    unsigned most = FAILURE_OTHER;
    for (unsigned n = FAILURE_REFUSED; n <= FAILURE_OTHER; n++) {
        if (stretch->failures[n] > stretch->failures[most])
            most = n;
    }
    return failure_name((enum Failure)most);
}

static void add_probe(struct Timeline *timeline, const struct ProbeResult *probe)
{
    for (size_t n = 0; n < probe->stretch_count && n < STRETCHES_MAX; n++) {
        const struct Stretch *stretch = &probe->stretches[n];
        char length[64];
        span_say(stretch->length.low_ns, stretch->length.high_ns, length);
        add(timeline, stretch->first_bad_ended, "probe", probe->probe->name, "first failure: %s",
            first_failure(stretch));
        add(timeline, stretch->first_good_ended, "probe", probe->probe->name,
            "ok again after %s, %u attempts failed", length, stretch->attempts);
    }
}

static void add_events(struct Timeline *timeline)
{
    const struct RunRecord *run = timeline->report->run;
    add(timeline, run->baseline_began, "event", "run", "baseline begins");
    add(timeline, run->steps_began, "event", "run", "steps begin");
    add(timeline, run->observing_ended, "event", "run", "observing ends");
    add(timeline, run->settled, "event", "run", "settling ends");
    for (size_t n = 0; n < run->event_count; n++)
        add(timeline, run->events[n].at, "event", run->events[n].subject, "%s",
            run->events[n].text != NULL ? run->events[n].text : "");
}

static void add_notes(struct Timeline *timeline)
{
    const struct RunRecord *run = timeline->report->run;
    for (size_t n = 0; n < run->note_count; n++) {
        const struct RunNote *note = &run->notes[n];
        bool plain = text_equal(note->type, "note");
        add(timeline, note->at.low, "note", note->who, "%s%s%s", plain ? "" : note->type,
            plain || note->text[0] == '\0' ? "" : ": ", note->text);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct Line *left = a, *right = b;
    if (left->at.ns != right->at.ns)
        return left->at.ns < right->at.ns ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static void write_line(const struct Report *report, const struct Line *line, struct Buf *out)
{
    char clock[16];
    say_clock(report->run, line->at, true, clock);
    buf_printf(out, "<tr class=\"%s\"><td class=\"tight\">%s</td>", line->kind, clock);
    if (report->t0.low.ns != 0)
        buf_printf(out, "<td class=\"number\">%+.2f s</td>",
                   (double)mono_since(report->t0.low, line->at) / 1e9);
    else
        buf_put(out, "<td></td>");
    buf_put(out, "<td>");
    html_text(out, line->subject);
    buf_put(out, "</td><td>");
    html_text(out, line->text);
    buf_put(out, "</td></tr>\n");
}

static void put_people(const struct Report *report, struct Buf *out)
{
    struct Buf said = BUF(1000);
    people_say(report, &said);
    if (said.size > 0)
        buf_printf(out, "<p>People: %s.</p>\n", said.text);
    buf_free(&said);
}

void page_timeline(const struct Report *report, struct Buf *out)
{
    struct Timeline timeline = {.report = report, .arena = arena_new("timeline", 64 << 20)};
    for (size_t n = 0; n < report->run->fault_count; n++)
        add_fault(&timeline, &report->run->faults[n]);
    for (size_t n = 0; n < report->probe_count; n++)
        add_probe(&timeline, &report->probes[n]);
    add_events(&timeline);
    add_notes(&timeline);
    struct Line *lines = timeline.lines.items;
    if (timeline.lines.count > 1)
        qsort(lines, timeline.lines.count, sizeof(*lines), by_time);
    buf_put(out, "<h2>Timeline</h2>\n<div class=\"wide\"><table class=\"timeline\"><thead><tr>"
                 "<th>time</th><th class=\"number\">since the fault</th><th>who</th><th>what</th>"
                 "</tr></thead><tbody>\n");
    for (size_t n = 0; n < timeline.lines.count && n < ROWS_MAX; n++)
        write_line(report, &lines[n], out);
    buf_put(out, "</tbody></table></div>\n");
    put_people(report, out);
    if (timeline.lines.count > ROWS_MAX)
        buf_printf(out, "<p class=\"note\">%zu more lines are in the JSON report.</p>\n",
                   timeline.lines.count - ROWS_MAX);
    arena_free(timeline.arena);
}
