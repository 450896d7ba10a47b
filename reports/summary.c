/* summary.c - the summary that a person reads first: LANGUAGE.md 5.2. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../runner/base/duration.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "cycles.h"
#include "summary_parts.h"
#include "statistics.h"

enum { WIDE = 86, PAST_MAX = 24, MEDIAN_FROM = 6 };

/* ---- Marks and colours ---- */

void summary_paint(struct Summary *text, const char *code, const char *what)
{
    if (text->style.color)
        buf_printf(text->out, "\x1b[%sm%s\x1b[0m", code, what);
    else
        buf_put(text->out, what);
}

static const char *color_of(enum Verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS:
        return "1;32";
    case VERDICT_FAIL:
        return "1;31";
    case VERDICT_NOT_UNDONE:
        return "1;37;41";
    case VERDICT_NOT_READY:
    case VERDICT_REFUSED:
    case VERDICT_HALTED:
    case VERDICT_INCONCLUSIVE:
    case VERDICT_OWN_FAILURE:
        return "1;33";
    }
    return "0";
}

void summary_mark(struct Summary *text, enum Verdict verdict)
{
    bool nice = text->style.unicode;
    if (verdict == VERDICT_PASS)
        summary_paint(text, "32", nice ? "✓" : "+");
    else if (verdict == VERDICT_FAIL)
        summary_paint(text, "31", nice ? "✗" : "x");
    else
        summary_paint(text, "33", "!");
}

static void pad_to(struct Buf *out, size_t from, size_t columns)
{
    size_t taken = text_columns(out->text + from);
    do
        buf_char(out, ' ');
    while (++taken < columns);
}

/* ---- First line ---- */

static void first_line(struct Summary *text)
{
    const struct RunRecord *run = text->report->run;
    struct Buf *out = text->out;
    enum Verdict verdict = text->report->verdict;
    char taken[32];
    size_t from = out->size;
    summary_paint(text, color_of(verdict), verdict_name(verdict));
    buf_put(out, "  ");
    say_outside(out, run->scenario);
    buf_put(out, "  ");
    say_environment(run, out);
    buf_printf(out, "  %s", run_short(run->id));
    if (run->cycle.of > 1)
        buf_printf(out, "  cycle %u of %u", run->cycle.number, run->cycle.of);
    if (verdict == VERDICT_PASS || verdict == VERDICT_FAIL) {
        duration_say(mono_since(run->mono_started, run->mono_ended), taken);
        pad_to(out, from, WIDE - 1 - strlen(taken));
        buf_printf(out, " %s\n", taken);
        return;
    }
    bool tells_below = verdict == VERDICT_NOT_UNDONE && run->why[0] != '\0';
    buf_put(out, "   ");
    say_outside(out, tells_below ? run->why : text->report->why);
    buf_char(out, '\n');
}

/* ---- Expectations ---- */

static bool is_quiet(const struct Judged *judged)
{
    return judged->verdict == VERDICT_PASS && text_starts(judged->measured, "no outage of ");
}

/* One line stands for all bounds of a probe that never failed. */
static bool said_before(const struct Report *report, size_t index)
{
    for (size_t n = 0; n < index; n++) {
        if (is_quiet(&report->judged[n]) && text_equal(report->judged[n].expectation->probe,
                                                       report->judged[index].expectation->probe))
            return is_quiet(&report->judged[index]);
    }
    return false;
}

static int widest(int so_far, const char *text)
{
    int columns = (int)text_columns(text);
    return columns > so_far ? columns : so_far;
}

static void measure(struct Summary *text)
{
    const struct Report *report = text->report;
    for (size_t n = 0; n < report->judged_count; n++) {
        const struct Judged *judged = &report->judged[n];
        text->name = widest(text->name, judged->expectation->probe);
        if (is_quiet(judged))
            continue;
        text->measures = widest(text->measures, judged->measures);
        text->measured = widest(text->measured, judged->measured);
        if (judged->limit[0] != '\0')
            text->limit = widest(text->limit, judged->limit);
    }
}

/* "median of 10: 4.2 s  <sparkline>"; below six runs no median. */
static void past_of(struct Summary *text, const struct Judged *judged, struct Buf *note)
{
    int64_t values[PAST_MAX];
    double reals[PAST_MAX];
    char one[32];
    const struct Report *report = text->report;
    if (!expects(judged->expectation, BOUND_RECOVER_WITHIN) || judged->note[0] != '\0')
        return;
    if (report->run->cycle.of > 1) {
        cycles_note(report, judged->expectation->probe, note);
        return;
    }
    size_t count = past_recoveries(report, judged->expectation->probe, values, PAST_MAX);
    if (count == 0)
        return;
    for (size_t n = 0; n < count; n++)
        reals[n] = (double)values[n];
    if (count >= MEDIAN_FROM) {
        duration_say((int64_t)median_of(reals, count), one);
        buf_printf(note, "median of %zu: %s", count, one);
    } else {
        duration_say(values[count - 1], one);
        buf_printf(note, "before: %s", one);
    }
    if (count >= 2) {
        buf_put(note, "  ");
        buf_sparkline(note, values, count, text->style.unicode);
    }
}

static void quiet_line(struct Summary *text, const struct Judged *judged)
{
    const struct Report *report = text->report;
    const struct ProbeResult *probe = NULL;
    for (size_t n = 0; n < report->probe_count; n++) {
        if (text_equal(report->probes[n].probe->name, judged->expectation->probe))
            probe = &report->probes[n];
    }
    buf_put(text->out, judged->measured);
    if (probe == NULL)
        return;
    struct PastCount count = past_count(report, probe);
    buf_printf(text->out, "     unaffected: %zu of %zu run%s, not in the median", count.unaffected,
               count.runs, count.runs == 1 ? "" : "s");
}

static void trim(struct Buf *out)
{
    while (out->size > 0 && out->text[out->size - 1] == ' ')
        out->text[--out->size] = '\0';
}

static void judged_line(struct Summary *text, const struct Judged *judged)
{
    struct Buf note = BUF(1000);
    size_t from = text->out->size;
    buf_padded(text->out, judged->measures, text->measures);
    buf_put(text->out, "  ");
    buf_padded(text->out, judged->measured, text->measured);
    buf_put(text->out, "  ");
    if (judged->limit[0] != '\0') {
        buf_put(text->out, "limit ");
        buf_padded(text->out, judged->limit, text->limit);
    } else {
        buf_padded(text->out, "", text->limit + (text->limit > 0 ? 6 : 0));
    }
    say_outside(&note, judged->note);
    past_of(text, judged, &note);
    if (note.size > 0 && text_columns(text->out->text + from) + text_columns(note.text) > WIDE) {
        trim(text->out);
        buf_char(text->out, '\n');
        buf_padded(text->out, "", text->name + 6);
    } else if (note.size > 0) {
        buf_put(text->out, "  ");
    }
    buf_put(text->out, note.text);
    buf_free(&note);
}

static void expectations(struct Summary *text)
{
    const struct Report *report = text->report;
    measure(text);
    for (size_t n = 0; n < report->judged_count; n++) {
        const struct Judged *judged = &report->judged[n];
        if (said_before(report, n))
            continue;
        struct Buf name = BUF(300);
        buf_put(text->out, "  ");
        summary_mark(text, judged->verdict);
        buf_char(text->out, ' ');
        say_outside(&name, judged->expectation->probe);
        buf_padded(text->out, name.text, text->name);
        buf_free(&name);
        buf_put(text->out, "  ");
        if (is_quiet(judged))
            quiet_line(text, judged);
        else
            judged_line(text, judged);
        trim(text->out);
        buf_char(text->out, '\n');
    }
}

void report_text_style(const struct Report *report, struct TextStyle style, struct Buf *out)
{
    struct Summary text = {.report = report, .style = style, .out = out};
    first_line(&text);
    summary_overrides(&text);
    expectations(&text);
    summary_sentences(&text);
    summary_people(&text);
    if (report->verdict != VERDICT_NOT_UNDONE)
        summary_undone(&text);
    summary_pointers(&text);
    if (report->verdict == VERDICT_NOT_UNDONE)
        summary_undone(&text);
}

static bool write(const struct Report *report, struct Buf *out, struct Err *err)
{
    report_text_style(report, (struct TextStyle){.unicode = true}, out);
    return out->cut ? err_set(err, ERR_OWN, NOWHERE, "the summary does not fit") : true;
}

const struct ReportFormat report_text = {
    .name = "text",
    .summary = "the summary for people",
    .extension = "txt",
    .write = write,
};
