/* gameday.h - a game day's combined report: a line a drill, and what people noted. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_GAMEDAY_H
#define FD_REPORTS_GAMEDAY_H

#include "kinds.h"

struct DayLine {
    const char *scenario, *owner, *why; /* why: of one that was left out, or waits; "" */
    const char *state;                  /* "done", "left_out", "waiting", "begun" */
    const char *run, *earlier;          /* earlier: the one before it, whose runner died; or NULL */
    enum Verdict verdict;               /* of what is done or left out */
    const struct Report *report;        /* NULL: no run was judged */
};
struct DayNote {
    struct Wall low, high;
    const char *who, *type, *text;
};
/* Everything is borrowed. */
struct DayReport {
    const char *id, *name, *environment, *who, *version, *why;
    const char *window, *lead, *observer, *scribe; /* or NULL; as its file says */
    const char *may_halt;                          /* names, comma and blank between; "" */
    bool is_protected, finished;
    struct Wall started, ended; /* ended 0 = not */
    enum Verdict verdict;
    const struct DayLine *lines;
    size_t line_count;
    const struct DayNote *notes;
    size_t note_count; /* in order of time */
};

/* What of a drill stands in its line; texts for people. */
struct DayFigures {
    char recovery[96], limit[48], lost[80], undone[32];
};
void day_figures(const struct DayLine *line, struct DayFigures *out);
/* "PASS", "left out: ...", "waits" */
const char *day_word(const struct DayLine *line);

void day_text(const struct DayReport *day, struct TextStyle style, struct Buf *out);
void day_markdown(const struct DayReport *day, struct Buf *out);
void day_json(const struct DayReport *day, struct Buf *out);
bool day_html(const struct DayReport *day, struct Buf *out, struct Err *err) MUST_CHECK;

#endif
