/* gameday_html.c - a game day's combined report as one self-contained page, and for machines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "gameday.h"
#include "json_out.h"
#include "page_parts.h"
#include "people.h"

/* ---- JSON. ---- */

static void put_line(struct Json *json, const struct DayLine *line)
{
    struct DayFigures figures;
    day_figures(line, &figures);
    json_open_object(json);
    json_put_text(json, "scenario", line->scenario);
    json_put_text(json, "owner", line->owner);
    json_put_text(json, "state", line->state);
    bool ended = text_equal(line->state, "done") || text_equal(line->state, "left_out");
    json_put_text(json, "verdict", ended ? verdict_name(line->verdict) : NULL);
    json_put_text(json, "why", line->report != NULL ? line->report->why : line->why);
    json_put_text(json, "run", line->run);
    json_put_text(json, "earlier", line->earlier);
    json_put_text(json, "recovery", figures.recovery);
    json_put_text(json, "limit", figures.limit);
    json_put_text(json, "lost", figures.lost);
    if (line->report != NULL) {
        struct Said said[PEOPLE_WORDS];
        struct JsonOut out = {.json = *json, .run = line->report->run};
        json_put_int(&out.json, "faults_sent", line->report->fault_count);
        json_put_int(&out.json, "faults_undone", line->report->undone_count);
        people_said(line->report, said);
        out_object(&out, "people");
        for (size_t n = 0; n < PEOPLE_WORDS; n++)
            if (said[n].note != NULL)
                out_span(&out, said[n].word, said[n].since_fault);
        json_end(&out.json);
        *json = out.json;
    }
    json_end(json);
}

static void put_notes(struct Json *json, const struct DayReport *day)
{
    json_key(json, "notes");
    json_open_array(json);
    for (size_t n = 0; n < day->note_count; n++) {
        char low[32], high[32];
        wall_utc(day->notes[n].low, low);
        wall_utc(day->notes[n].high, high);
        json_open_object(json);
        json_put_text(json, "from", low);
        json_put_text(json, "to", high);
        json_put_text(json, "who", day->notes[n].who);
        json_put_text(json, "type", day->notes[n].type);
        json_put_text(json, "text", day->notes[n].text);
        json_end(json);
    }
    json_end(json);
}

void day_json(const struct DayReport *day, struct Buf *out)
{
    char started[32], ended[32];
    struct Json json = json_begin(out, true);
    wall_utc(day->started, started);
    wall_utc(day->ended, ended);
    json_open_object(&json);
    json_put_text(&json, "gameday", day->name);
    json_put_text(&json, "id", day->id);
    json_put_text(&json, "environment", day->environment);
    json_put_bool(&json, "protected", day->is_protected);
    json_put_text(&json, "verdict", day->finished ? verdict_name(day->verdict) : NULL);
    json_put_text(&json, "why", day->why);
    json_put_text(&json, "who", day->who);
    json_put_text(&json, "lead", day->lead);
    json_put_text(&json, "observer", day->observer);
    json_put_text(&json, "scribe", day->scribe);
    json_put_text(&json, "may_halt", day->may_halt);
    json_put_text(&json, "window", day->window);
    json_put_text(&json, "started", started);
    json_put_text(&json, "ended", day->ended.ns > 0 ? ended : NULL);
    json_key(&json, "drills");
    json_open_array(&json);
    for (size_t n = 0; n < day->line_count; n++)
        put_line(&json, &day->lines[n]);
    json_end(&json);
    put_notes(&json, day);
    json_end(&json);
    buf_char(out, '\n');
}

/* ---- The page. ---- */

static void person(const char *role, const char *name, struct Buf *out)
{
    if (name == NULL || name[0] == '\0')
        return;
    buf_printf(out, " · %s ", role);
    html_text(out, name);
}

static void banner(const struct DayReport *day, struct Buf *out)
{
    const struct RunRecord place = {.environment = day->environment,
                                    .is_protected = day->is_protected};
    struct Buf environment = BUF(500);
    char started[48], utc[32], took[32] = "";
    enum Verdict verdict = day->finished ? day->verdict : VERDICT_INCONCLUSIVE;
    wall_local(day->started, started);
    wall_utc(day->started, utc);
    say_environment(&place, &environment);
    buf_printf(out, "<header class=\"banner %s\">\n<h1><span class=\"word\">%s %s</span> ",
               verdict_class(verdict), verdict_sign(verdict),
               day->finished ? verdict_name(verdict) : "NOT ENDED");
    html_text(out, day->name);
    buf_put(out, " <span class=\"env\">");
    html_text(out, environment.text);
    buf_put(out, "</span></h1>\n<p class=\"why\">");
    html_text(out, day->why);
    if (day->ended.ns > 0)
        duration_say(day->ended.ns - day->started.ns, took);
    buf_printf(out, "</p>\n<p class=\"when\">%s (%.16sZ)%s%s", started, utc,
               took[0] != '\0' ? " · took " : "", took);
    person("run by", day->who, out);
    person("lead", day->lead, out);
    person("observer", day->observer, out);
    person("scribe", day->scribe, out);
    person("may halt", day->may_halt, out);
    person("window", day->window, out);
    buf_put(out, "</p>\n</header>\n");
    buf_free(&environment);
}

static void cell(const char *text, struct Buf *out)
{
    buf_put(out, "<td>");
    html_text(out, text);
    buf_put(out, "</td>");
}

static void line(const struct DayLine *drill, struct Buf *out)
{
    struct DayFigures figures;
    bool done = text_equal(drill->state, "done");
    day_figures(drill, &figures);
    buf_put(out, "<tr>");
    cell(drill->scenario, out);
    cell(drill->owner, out);
    buf_printf(out, "<td class=\"%s\">%s %s</td>", done ? verdict_class(drill->verdict) : "warn",
               done ? verdict_sign(drill->verdict) : "–", day_word(drill));
    cell(figures.recovery, out);
    cell(figures.limit, out);
    cell(figures.lost, out);
    cell(figures.undone, out);
    buf_put(out, "<td class=\"tight\">");
    html_text(out, drill->run != NULL ? run_short(drill->run) : "");
    buf_put(out, "</td><td>");
    if (drill->earlier != NULL) {
        buf_put(out, "run ");
        html_text(out, run_short(drill->earlier));
        buf_put(out, " did not end, its runner died; undone, and begun anew. ");
    }
    html_text(out, done && drill->report != NULL ? drill->report->why : drill->why);
    buf_put(out, "</td></tr>\n");
}

static void drills(const struct DayReport *day, struct Buf *out)
{
    buf_put(out, "<h2>Drills</h2>\n<div class=\"wide\"><table><thead><tr><th>drill</th>"
                 "<th>owner</th><th>verdict</th><th>recovery</th><th>limit</th><th>lost</th>"
                 "<th>undone</th><th>run</th><th>why</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < day->line_count; n++)
        line(&day->lines[n], out);
    buf_put(out, "</tbody></table></div>\n");
}

static void people(const struct DayReport *day, struct Buf *out)
{
    for (size_t n = 0; n < day->line_count; n++) {
        struct Buf said = BUF(1000);
        if (day->lines[n].report != NULL)
            people_say(day->lines[n].report, &said);
        if (said.size > 0) {
            buf_put(out, "<p><strong>");
            html_text(out, day->lines[n].scenario);
            buf_printf(out, "</strong> %s.</p>\n", said.text);
        }
        buf_free(&said);
    }
}

static void timeline(const struct DayReport *day, struct Buf *out)
{
    if (day->note_count == 0)
        return;
    buf_put(out, "<h2>Notes</h2>\n");
    people(day, out);
    buf_put(out, "<div class=\"wide\"><table class=\"timeline\"><thead><tr><th>time</th>"
                 "<th>who</th><th>what</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < day->note_count; n++) {
        const struct DayNote *note = &day->notes[n];
        char at[48];
        bool simple = text_equal(note->type, "note");
        wall_local(note->low, at);
        buf_printf(out, "<tr class=\"note\"><td class=\"tight\">%.8s</td>", at + 11);
        cell(note->who, out);
        buf_put(out, "<td>");
        html_text(out, simple ? "" : note->type);
        buf_put(out, simple || note->text[0] == '\0' ? "" : ": ");
        html_text(out, note->text);
        buf_put(out, "</td></tr>\n");
    }
    buf_put(out, "</tbody></table></div>\n");
}

bool day_html(const struct DayReport *day, struct Buf *out, struct Err *err)
{
    struct Buf title = BUF(1000), data = BUF(200 << 10);
    buf_printf(&title, "game day %s", day->name);
    html_begin(out, title.text);
    banner(day, out);
    drills(day, out);
    timeline(day, out);
    buf_put(out, "<footer>Made by faildrill ");
    html_text(out, day->version);
    buf_put(out, " from its store; each run has a page of its own: <code>faildrill report "
                 "RUN</code>. All times local.</footer>\n");
    day_json(day, &data);
    html_end(out, data.cut ? NULL : data.text);
    buf_free(&title);
    buf_free(&data);
    return out->cut ? err_set(err, ERR_OWN, NOWHERE, "the page does not fit") : true;
}
