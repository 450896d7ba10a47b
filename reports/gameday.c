/* gameday.c - a game day's combined report: figures of its drills, as text and as Markdown. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gameday.h"

#include <stdio.h>
#include <string.h>

#include "../runner/base/duration.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "people.h"
#include "say.h"

enum { CELLS = 8 };

/* ---- Figures. ---- */

/* The promised recovery that was worst; else the slowest probe's. */
static void recovery_of(const struct Report *report, struct DayFigures *out)
{
    const struct Judged *worst = NULL;
    for (size_t n = 0; n < report->judged_count; n++) {
        const struct Judged *judged = &report->judged[n];
        if (expects(judged->expectation, BOUND_RECOVER_WITHIN) &&
            (worst == NULL || verdict_worst(judged->verdict, worst->verdict) != worst->verdict))
            worst = judged;
    }
    if (worst != NULL) {
        snprintf(out->recovery, sizeof out->recovery, "%s", worst->measured);
        snprintf(out->limit, sizeof out->limit, "%s", worst->limit);
        return;
    }
    const struct ProbeResult *slowest = NULL;
    for (size_t n = 0; n < report->probe_count; n++) {
        const struct ProbeResult *probe = &report->probes[n];
        if (!probe->unaffected && probe->recovered.low_ns != NS_NEVER &&
            (slowest == NULL || probe->recovered.high_ns > slowest->recovered.high_ns))
            slowest = probe;
    }
    if (slowest != NULL)
        span_say(slowest->recovered.low_ns, slowest->recovered.high_ns, out->recovery);
}

/* Never 0 where one ledger could not be read back whole. */
static void lost_of(const struct Report *report, struct DayFigures *out)
{
    uint64_t lost = 0, acked = 0;
    bool known = true;
    char of[32], all[32];
    for (size_t n = 0; n < report->ledger_count; n++) {
        lost += report->ledgers[n].lost + report->ledgers[n].back_lost;
        acked += report->ledgers[n].acked + report->ledgers[n].back_acked;
        known = known && report->ledgers[n].complete == KNOWN_YES;
    }
    count_say(lost, of);
    count_say(acked, all);
    if (report->ledger_count > 0 && known)
        snprintf(out->lost, sizeof out->lost, "%s of %s", of, all);
    else if (report->ledger_count > 0)
        snprintf(out->lost, sizeof out->lost, lost > 0 ? "%s or more" : "unknown", of);
}

void day_figures(const struct DayLine *line, struct DayFigures *out)
{
    *out = (struct DayFigures){.recovery = ""};
    if (line->report == NULL)
        return;
    recovery_of(line->report, out);
    lost_of(line->report, out);
    if (line->report->fault_count > 0)
        snprintf(out->undone, sizeof out->undone, "%u of %u", line->report->undone_count,
                 line->report->fault_count);
}

const char *day_word(const struct DayLine *line)
{
    if (text_equal(line->state, "left_out"))
        return "left out";
    return text_equal(line->state, "done") ? verdict_name(line->verdict) : "not yet";
}

/* ---- Text. ---- */

static void put_row(struct Table *table, const struct DayLine *line, struct TextStyle style)
{
    struct DayFigures figures;
    struct Buf name = BUF(300), lost = BUF(100), undone = BUF(100), limit = BUF(100);
    bool done = text_equal(line->state, "done");
    const char *mark = !done                           ? "-"
                       : line->verdict == VERDICT_PASS ? (style.unicode ? "✓" : "+")
                       : line->verdict == VERDICT_FAIL ? (style.unicode ? "✗" : "x")
                                                       : "!";
    day_figures(line, &figures);
    say_outside(&name, line->scenario);
    buf_printf(&limit, figures.limit[0] != '\0' ? "limit %s" : "%s", figures.limit);
    buf_printf(&lost, figures.lost[0] != '\0' ? "lost %s" : "%s", figures.lost);
    buf_printf(&undone, figures.undone[0] != '\0' ? "undone %s" : "%s", figures.undone);
    const char *cells[CELLS] = {
        mark,       name.text, day_word(line), figures.recovery,
        limit.text, lost.text, undone.text,    line->run != NULL ? run_short(line->run) : ""};
    table_row(table, cells);
    buf_free(&name);
    buf_free(&lost);
    buf_free(&undone);
    buf_free(&limit);
}

static void put_reason(const struct DayLine *line, struct Buf *out)
{
    if (line->earlier != NULL) {
        buf_put(out, "  ");
        say_outside(out, line->scenario);
        buf_printf(out, ": run %s did not end, its runner died; undone, and begun anew\n",
                   run_short(line->earlier));
    }
    const char *why =
        text_equal(line->state, "done") && line->report != NULL && line->verdict != VERDICT_PASS
            ? line->report->why
            : line->why;
    if (why[0] == '\0')
        return;
    buf_put(out, "  ");
    say_outside(out, line->scenario);
    buf_printf(out, "%s: ", text_equal(line->state, "left_out") ? " was left out" : "");
    say_outside(out, why);
    buf_char(out, '\n');
}

static void put_note(const struct DayNote *note, struct Buf *out)
{
    char at[48];
    wall_local(note->low, at);
    buf_printf(out, "  %.8s  ", at + 11);
    say_outside(out, note->who);
    buf_printf(out, "  %s%s", text_equal(note->type, "note") ? "" : note->type,
               text_equal(note->type, "note") || note->text[0] == '\0' ? "" : ": ");
    say_outside(out, note->text);
    buf_char(out, '\n');
}

void day_text(const struct DayReport *day, struct TextStyle style, struct Buf *out)
{
    char took[32];
    const struct RunRecord place = {.environment = day->environment,
                                    .is_protected = day->is_protected};
    buf_printf(out, "%s  ", day->finished ? verdict_name(day->verdict) : "NOT ENDED");
    say_outside(out, day->name);
    buf_put(out, "  ");
    say_environment(&place, out);
    if (day->ended.ns > 0) {
        duration_say(day->ended.ns - day->started.ns, took);
        buf_printf(out, "   %s", took);
    }
    if (day->why[0] != '\0') {
        buf_put(out, "   ");
        say_outside(out, day->why);
    }
    buf_char(out, '\n');
    struct Table *table = table_new(CELLS);
    for (size_t n = 0; n < day->line_count; n++)
        put_row(table, &day->lines[n], style);
    table_write(table, out);
    table_free(table);
    for (size_t n = 0; n < day->line_count; n++)
        put_reason(&day->lines[n], out);
    for (size_t n = 0; n < day->note_count; n++)
        put_note(&day->notes[n], out);
}

/* ---- Markdown. ---- */

/* Nothing from outside makes a table, a link or HTML. */
static void plain(struct Buf *out, const char *text)
{
    struct Buf seen = BUF(4096);
    if (text != NULL)
        buf_visible(&seen, text, strlen(text), false);
    for (const char *c = seen.text; *c != '\0'; c++) {
        if (strchr("\\`*_{}[]<>()#+!|~&", *c) != NULL)
            buf_char(out, '\\');
        buf_char(out, *c);
    }
    buf_free(&seen);
}

static void person(struct Buf *out, const char *role, const char *name)
{
    if (name == NULL || name[0] == '\0')
        return;
    buf_printf(out, "- %s: ", role);
    plain(out, name);
    buf_char(out, '\n');
}

static void markdown_line(const struct DayLine *line, struct Buf *out)
{
    struct DayFigures figures;
    day_figures(line, &figures);
    buf_put(out, "| ");
    plain(out, line->scenario);
    buf_put(out, " | ");
    plain(out, line->owner);
    buf_printf(out, " | %s | ", day_word(line));
    const char *texts[] = {figures.recovery, figures.limit, figures.lost, figures.undone,
                           line->run != NULL ? run_short(line->run) : ""};
    for (size_t n = 0; n < COUNT_OF(texts); n++) {
        plain(out, texts[n]);
        buf_put(out, n + 1 < COUNT_OF(texts) ? " | " : " |\n");
    }
}

static void markdown_reasons(const struct DayReport *day, struct Buf *out)
{
    for (size_t n = 0; n < day->line_count; n++) {
        const struct DayLine *line = &day->lines[n];
        struct Buf text = BUF(2000), said = BUF(1000);
        put_reason(line, &text);
        if (line->report != NULL)
            people_say(line->report, &said);
        for (char *at = text.text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
            *end = '\0';
            buf_put(out, "- ");
            plain(out, at + 2);
            buf_char(out, '\n');
        }
        if (said.size > 0) {
            buf_put(out, "- ");
            plain(out, line->scenario);
            buf_printf(out, ": %s\n", said.text);
        }
        buf_free(&text);
        buf_free(&said);
    }
}

void day_markdown(const struct DayReport *day, struct Buf *out)
{
    char started[48];
    wall_local(day->started, started);
    buf_put(out, "# Game day ");
    plain(out, day->name);
    buf_printf(out, "\n\n%s in ", day->finished ? verdict_name(day->verdict) : "NOT ENDED");
    plain(out, day->environment);
    buf_printf(out, ", %s", started);
    if (day->why[0] != '\0') {
        buf_put(out, ": ");
        plain(out, day->why);
    }
    buf_put(out, "\n\n");
    person(out, "lead", day->lead);
    person(out, "observer", day->observer);
    person(out, "scribe", day->scribe);
    person(out, "may halt", day->may_halt);
    buf_put(out, "\n| drill | owner | verdict | recovery | limit | lost | undone | run |\n"
                 "|---|---|---|---|---|---|---|---|\n");
    for (size_t n = 0; n < day->line_count; n++)
        markdown_line(&day->lines[n], out);
    buf_char(out, '\n');
    markdown_reasons(day, out);
    buf_put(out, day->note_count > 0 ? "\n## Notes\n\n" : "");
    for (size_t n = 0; n < day->note_count; n++) {
        struct Buf text = BUF(4096);
        put_note(&day->notes[n], &text);
        text.text[text.size - 1] = '\0';
        buf_put(out, "- ");
        plain(out, text.text + 2);
        buf_char(out, '\n');
        buf_free(&text);
    }
    buf_put(out, "\n## Follow-ups\n\n| owner | what | by when |\n|---|---|---|\n| | | |\n");
}
