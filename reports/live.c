/* live.c - a run while it goes on: one screen on a terminal, one line per event in a log. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <stdio.h>
#include <string.h>

#include "../runner/base/duration.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "say.h"

enum { SUBJECT_COLUMNS = 9, NAME_MAX_COLUMNS = 18 };

/* ---- History ---- */

void live_history_add(struct LiveHistory *history, const struct StretchNow *seen, bool fault,
                      struct Mono now)
{
    bool next = history->count == 0 || mono_since(history->cell_began, now) >= NS_PER_S;
    if (next && history->count == LIVE_CELLS) {
        memmove(&history->cells[0], &history->cells[1],
                (LIVE_CELLS - 1) * sizeof(history->cells[0]));
        history->count--;
    }
    if (next) {
        history->cells[history->count++] = (struct LiveCell){.latency_ns = -1};
        history->cell_began = now;
    }
    struct LiveCell *cell = &history->cells[history->count - 1];
    cell->failing |= seen->failing;
    cell->fault |= fault;
    if (seen->latency_ns > cell->latency_ns)
        cell->latency_ns = seen->latency_ns;
}

/* ---- Lines ---- */

struct Screen {
    const struct LiveState *state;
    const struct LiveStyle *style;
    struct Buf *out;
    struct Buf line;
    unsigned left; /* rows */
    int name;      /* columns of the probes' names */
};

static void paint(struct Screen *screen, const char *code, const char *text)
{
    if (screen->style->color)
        buf_printf(&screen->line, "\x1b[%sm%s\x1b[0m", code, text);
    else
        buf_put(&screen->line, text);
}

/* The bytes of a colour sequence, or 0. */
static size_t color_size(const char *text)
{
    if (text[0] != '\x1b')
        return 0;
    const char *end = strchr(text, 'm');
    return end != NULL ? (size_t)(end - text) + 1 : 0;
}

/* Ends the line, cut where the terminal ends. */
static void end_line(struct Screen *screen)
{
    const char *text = screen->line.text;
    size_t size = screen->line.size, columns = 0;
    if (screen->left == 0) {
        buf_clear(&screen->line);
        return;
    }
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t taken = color_size(text + at);
        if (taken == 0) {
            char one[8] = "";
            taken = text_decode(text + at, size - at, &code);
            taken = taken > 0 ? taken : 1;
            memcpy(one, text + at, taken);
            columns += text_columns(one);
            if (columns > screen->style->columns)
                break;
        }
        buf_add(screen->out, text + at, taken);
        at += taken;
    }
    if (screen->style->color && columns > screen->style->columns)
        buf_put(screen->out, "\x1b[0m");
    buf_char(screen->out, '\n');
    screen->left--;
    buf_clear(&screen->line);
}

/* "00:23", "1:02:05" */
static void put_clock(struct Buf *out, int64_t ns)
{
    long long seconds = ns > 0 ? ns / NS_PER_S : 0;
    if (seconds >= 3600)
        buf_printf(out, "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        buf_printf(out, "%02lld:%02lld", seconds / 60, seconds % 60);
}

static void put_phase(const struct LiveState *state, struct Buf *out)
{
    say_outside(out, state->phase);
    buf_char(out, ' ');
    put_clock(out, mono_since(state->phase_began, state->now));
    if (state->phase_until.ns == 0)
        return;
    buf_put(out, " of ");
    put_clock(out, mono_since(state->phase_began, state->phase_until));
}

static void time_of_day(const struct LiveState *state, struct Mono at, char out[16])
{
    char whole[48];
    wall_local((struct Wall){state->wall_began.ns + mono_since(state->mono_began, at)}, whole);
    snprintf(out, 16, "%.12s", whole + 11);
}

static void put_environment(const struct LiveState *state, struct Buf *out)
{
    const struct RunRecord run = {.environment = state->environment,
                                  .is_protected = state->is_protected};
    say_environment(&run, out);
}

static void head_line(struct Screen *screen)
{
    const struct LiveState *state = screen->state;
    struct Buf phase = BUF(300);
    say_outside(&screen->line, state->scenario);
    buf_put(&screen->line, "  ");
    put_environment(state, &screen->line);
    buf_printf(&screen->line, "  %s   ", run_short(state->id));
    put_phase(state, &phase);
    paint(screen, "1", phase.text);
    buf_free(&phase);
    size_t taken = text_columns(screen->line.text);
    size_t hint = state->hint != NULL ? text_columns(state->hint) : 0;
    if (hint > 0 && taken + hint + 2 <= screen->style->columns) {
        for (size_t n = taken + hint; n < screen->style->columns; n++)
            buf_char(&screen->line, ' ');
        say_outside(&screen->line, state->hint);
    }
    end_line(screen);
}

/* ---- Faults ---- */

static void fault_line(struct Screen *screen, const struct LiveFault *fault)
{
    char clock[16], in[32];
    struct Buf *line = &screen->line;
    buf_printf(line, " %u ", fault->number);
    say_outside(line, fault->step);
    buf_put(line, "  ");
    say_outside(line, fault->host);
    buf_put(line, "   ");
    paint(screen, fault->clear ? "32" : fault->in_effect ? "31" : "33", fault->state);
    if (fault->proven.ns != 0) {
        time_of_day(screen->state, fault->proven, clock);
        buf_printf(line, "   proven %s", clock);
    }
    if (fault->in_effect && fault->undo_at.ns != 0) {
        int64_t left = mono_since(screen->state->now, fault->undo_at);
        duration_say(left > 0 ? left / NS_PER_S * NS_PER_S : 0, in);
        buf_printf(line, "   undo in %s", in);
    } else if (fault->in_effect && !fault->undo_unknown) {
        buf_put(line, "   undo at the end");
    }
    if (fault->ends_by != NULL && !fault->clear) {
        buf_put(line, "   ");
        say_outside(line, fault->ends_by);
    }
    end_line(screen);
}

/* ---- Probes ---- */

/* A tenfold latency is one and a half steps more; failing stands out. */
static void put_cell(struct Screen *screen, const struct LiveCell *cell)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆"};
    static const char *const marks[] = {".", ",", "-", "=", "+", "*"};
    bool nice = screen->style->unicode;
    size_t step = 0;
    if (cell->failing) {
        paint(screen, "31", nice ? "█" : "#");
        return;
    }
    if (cell->latency_ns < 0) {
        buf_char(&screen->line, ' ');
        return;
    }
    for (int64_t limit = 10 * NS_PER_MS; step < 5 && cell->latency_ns > limit; limit *= 5)
        step++;
    buf_put(&screen->line, nice ? blocks[step] : marks[step]);
}

static size_t first_cell(const struct Screen *screen, const struct LiveHistory *history)
{
    size_t room = screen->style->columns > 110 ? LIVE_CELLS : 30;
    return history->count > room ? history->count - room : 0;
}

static void put_status(struct Screen *screen, const struct LiveProbe *probe)
{
    const struct StretchNow *seen = &probe->seen;
    char text[64];
    struct Buf status = BUF(200);
    if (seen->failing) {
        buf_printf(&status, "failing: %s", failure_name(seen->failure));
        paint(screen, "31", status.text);
    } else if (seen->latency_ns >= 0) {
        duration_say(seen->latency_ns, text);
        buf_printf(&status, "ok %s", text);
        paint(screen, "32", status.text);
    } else {
        buf_put(&screen->line, "no answer yet");
    }
    buf_free(&status);
    if (seen->longest_ns > 0) {
        duration_say(seen->open ? seen->outage_ns : seen->longest_ns, text);
        buf_printf(&screen->line, "   outage %s", text);
    }
    if (seen->failed > 0) {
        count_say(seen->failed, text);
        buf_printf(&screen->line, "   %s error%s", text, seen->failed == 1 ? "" : "s");
    }
    if (probe->halt_outage_ns >= 0) {
        duration_say(probe->halt_outage_ns, text);
        buf_printf(&screen->line, "   halt at %s", text);
    }
}

static void probe_line(struct Screen *screen, const struct LiveProbe *probe)
{
    struct Buf name = BUF(200);
    say_outside(&name, probe->name);
    buf_char(&screen->line, ' ');
    buf_padded(&screen->line, name.text, screen->name);
    buf_put(&screen->line, "  ");
    buf_free(&name);
    if (probe->history != NULL) {
        for (size_t n = first_cell(screen, probe->history); n < probe->history->count; n++)
            put_cell(screen, &probe->history->cells[n]);
        buf_put(&screen->line, "   ");
    }
    put_status(screen, probe);
    end_line(screen);
}

/* Under the probes, where the faults were sent. */
static void marker_line(struct Screen *screen)
{
    const struct LiveHistory *history =
        screen->state->probe_count > 0 ? screen->state->probes[0].history : NULL;
    bool any = false;
    if (history == NULL)
        return;
    size_t from = first_cell(screen, history), taken = 0;
    buf_padded(&screen->line, "", screen->name + 3);
    for (size_t n = from; n < history->count; n++, taken++) {
        if (!history->cells[n].fault || any)
            continue;
        for (size_t blank = 0; blank < taken; blank++)
            buf_char(&screen->line, ' ');
        buf_put(&screen->line, "^fault");
        any = true;
    }
    if (any)
        end_line(screen);
    buf_clear(&screen->line);
}

/* ---- The screen ---- */

static void put_event(const struct LiveState *state, const struct LiveEvent *event, struct Buf *out)
{
    char clock[16];
    struct Buf subject = BUF(200);
    time_of_day(state, event->at, clock);
    say_outside(&subject, event->subject);
    buf_printf(out, "%s ", clock);
    buf_padded(out, subject.text, SUBJECT_COLUMNS);
    buf_char(out, ' ');
    say_outside(out, event->text);
    buf_free(&subject);
}

static void more_line(struct Screen *screen, size_t count, const char *what)
{
    if (count == 0)
        return;
    buf_printf(&screen->line, " and %zu more %s", count, what);
    end_line(screen);
}

/* How many of `count` fit into `room` rows, one of which says how many more there are. */
static size_t fitting(size_t count, size_t room)
{
    return count <= room ? count : room > 0 ? room - 1 : 0;
}

static void events(struct Screen *screen)
{
    const struct LiveState *state = screen->state;
    size_t shown = state->event_count < screen->left ? state->event_count : screen->left;
    for (size_t n = state->event_count - shown; n < state->event_count; n++) {
        buf_char(&screen->line, ' ');
        put_event(state, &state->events[n], &screen->line);
        end_line(screen);
    }
}

void live_view(const struct LiveState *state, const struct LiveStyle *style, struct Buf *out)
{
    struct Screen screen = {
        .state = state, .style = style, .out = out, .line = BUF(4000), .left = style->rows};
    for (size_t n = 0; n < state->probe_count; n++) {
        int columns = (int)text_columns(state->probes[n].name);
        screen.name = columns > screen.name ? columns : screen.name;
    }
    screen.name = screen.name > NAME_MAX_COLUMNS ? NAME_MAX_COLUMNS : screen.name;
    head_line(&screen);
    size_t probes_wanted =
        state->probe_count < screen.left / 2 ? state->probe_count : screen.left / 2;
    size_t faults = fitting(state->fault_count, screen.left - probes_wanted);
    for (size_t n = 0; n < faults; n++)
        fault_line(&screen, &state->faults[n]);
    more_line(&screen, state->fault_count - faults, "faults");
    size_t probes = fitting(state->probe_count, screen.left);
    for (size_t n = 0; n < probes; n++)
        probe_line(&screen, &state->probes[n]);
    more_line(&screen, state->probe_count - probes, "probes");
    marker_line(&screen);
    events(&screen);
    buf_free(&screen.line);
}

void live_event(const struct LiveState *state, const struct LiveEvent *event, struct Buf *out)
{
    put_event(state, event, out);
    buf_char(out, '\n');
}

void live_alive(const struct LiveState *state, struct Buf *out)
{
    struct Buf text = BUF(1000);
    put_phase(state, &text);
    for (size_t n = 0; n < state->probe_count && n < 6; n++) {
        buf_put(&text, ", ");
        say_outside(&text, state->probes[n].name);
        buf_put(&text, state->probes[n].seen.failing ? " failing" : " ok");
    }
    live_event(state, &(struct LiveEvent){.at = state->now, .subject = "alive", .text = text.text},
               out);
    buf_free(&text);
}
