/* watch.c - what a person sees while a run goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../reports/live.h"
#include "../base/text.h"
#include "../model/redact.h"

#define HEARTBEAT_NS (30 * NS_PER_S)
#define EVENTS_KEPT 6
#define VIEW_BYTES (256U << 10)

struct KeptEvent {
    struct Mono at;
    char subject[40], text[160];
};
struct Watching {
    struct Drill *drill;
    struct LiveState state;
    struct KeptEvent kept[EVENTS_KEPT];
    size_t kept_count;
    struct LiveHistory *histories; /* one a probe */
    struct Mono spoke;
    size_t faults_seen;
    unsigned drawn;       /* lines of the view that stand on the terminal */
    const char *question; /* put below it; NULL = none */
};

static bool redraws(const struct Watching *watching)
{
    const struct Cli *cli = watching->drill->cli;
    return cli->err.tty && !cli->quiet;
}

struct Watching *watch_new(struct Drill *drill)
{
    struct Arena *arena = drill->cli->arena;
    struct Watching *watching = arena_zero(arena, 1, sizeof *watching);
    const struct Plan *plan = drill->plan;
    watching->drill = drill;
    watching->spoke = mono_now();
    watching->histories =
        arena_zero(arena, plan->scenario->probes.count + 1, sizeof *watching->histories);
    watching->state = (struct LiveState){.scenario = plan->scenario->name,
                                         .environment = plan->environment->name,
                                         .id = plan->token.text,
                                         .is_protected = plan->environment->is_protected,
                                         .phase = "begins",
                                         .now = mono_now(),
                                         .mono_began = mono_now(),
                                         .wall_began = wall_now(),
                                         .hint = "Ctrl-C halts and undoes"};
    return watching;
}

/* Takes the view off the terminal, so that a line can be printed where it stood. */
static void take_off(struct Watching *watching)
{
    if (watching->drawn > 0)
        fprintf(stderr, "\x1b[%uA\r\x1b[J", watching->drawn);
    watching->drawn = 0;
}

static void event(void *data, struct Mono at, const char *subject, const char *text)
{
    struct Watching *watching = data;
    if (watching->drill->cli->quiet)
        return;
    if (redraws(watching)) {
        if (watching->kept_count == EVENTS_KEPT)
            memmove(watching->kept, watching->kept + 1,
                    --watching->kept_count * sizeof *watching->kept);
        struct KeptEvent *kept = &watching->kept[watching->kept_count++];
        kept->at = at;
        snprintf(kept->subject, sizeof kept->subject, "%s", subject);
        snprintf(kept->text, sizeof kept->text, "%s", text);
        return;
    }
    struct Buf out = BUF(2000);
    live_event(&watching->state, &(struct LiveEvent){.at = at, .subject = subject, .text = text},
               &out);
    fputs(out.text, stderr);
    buf_free(&out);
    watching->spoke = mono_now();
}

static const char *state_word(enum FaultState state)
{
    switch (state) {
    case FAULT_PLANNED:
        return "planned";
    case FAULT_ARMING:
        return "arming";
    case FAULT_ARMED:
        return "armed";
    case FAULT_INJECTING:
        return "injecting";
    case FAULT_IN_EFFECT:
        return "in effect";
    case FAULT_UNDOING:
        return "undoing";
    case FAULT_CLEAR:
        return "clear";
    case FAULT_UNKNOWN:
        break;
    }
    return "UNKNOWN";
}

static const char *phase_word(const struct RunView *view, bool in_effect)
{
    switch (view->state) {
    case RUN_PLANNED:
        return "taking its locks";
    case RUN_BASELINE:
        return "baseline";
    case RUN_STEPS:
        return in_effect ? "fault in effect" : "steps";
    case RUN_OBSERVING:
        return "observing";
    case RUN_UNDOING:
        return "undoing";
    case RUN_SETTLING:
        return "settling";
    case RUN_ALWAYS:
        return "last steps";
    case RUN_FINISHED:
    case RUN_DIRTY:
        break;
    }
    return "over";
}

static int64_t halt_outage(const struct Scenario *scenario, const char *probe)
{
    const struct Expectation *rules = scenario->halts.items;
    for (size_t at = 0; at < scenario->halts.count; at++)
        if (rules[at].word == BOUND_MAX_OUTAGE && text_equal(rules[at].probe, probe))
            return rules[at].limit;
    return -1;
}

/* Fills the two arrays, which have room for all; the phase is that of the newest fault in effect.
 */
static void fill(struct Watching *watching, const struct RunView *view, struct LiveFault *faults,
                 struct LiveProbe *probes)
{
    struct LiveState *state = &watching->state;
    const struct FaultView *newest = NULL;
    for (size_t at = 0; at < view->fault_count; at++) {
        const struct FaultView *fault = &view->faults[at];
        faults[at] = (struct LiveFault){.number = fault->number,
                                        .step = fault->step,
                                        .host = fault->host,
                                        .state = state_word(fault->state),
                                        .proven = fault->t0.high,
                                        .undo_at = fault->until,
                                        .in_effect = fault->state == FAULT_IN_EFFECT,
                                        .clear = fault->state == FAULT_CLEAR};
        if (faults[at].in_effect)
            newest = fault;
    }
    bool fault_now = view->fault_count > watching->faults_seen;
    watching->faults_seen = view->fault_count;
    for (size_t at = 0; at < view->probe_count; at++) {
        const struct ProbeView *probe = &view->probes[at];
        probes[at] =
            (struct LiveProbe){.name = probe->name,
                               .history = &watching->histories[at],
                               .halt_outage_ns = halt_outage(view->plan->scenario, probe->name)};
        stretch_now(probe->machine, view->began, view->now, &probes[at].seen);
        live_history_add(&watching->histories[at], &probes[at].seen, fault_now, view->now);
    }
    state->now = view->now;
    state->phase = phase_word(view, newest != NULL);
    state->phase_began = newest ? newest->t0.high : view->state_began;
    state->phase_until = newest ? newest->until : view->state_until;
    state->faults = faults;
    state->fault_count = view->fault_count;
    state->probes = probes;
    state->probe_count = view->probe_count;
}

static void put_question(const struct Watching *watching, unsigned columns, struct Buf *out)
{
    struct Buf text = BUF(200);
    if (watching->question == NULL)
        return;
    buf_visible(&text, watching->question, strlen(watching->question), false);
    buf_printf(out, "%.*s [y/n] ", (int)columns - 8, text.text);
    buf_free(&text);
}

void watch_question(struct Watching *watching, const char *question)
{
    watching->question = question;
    if (question != NULL && !redraws(watching))
        fprintf(stderr, "%s [y/n] ", question);
}

void watch_typed(struct Watching *watching)
{
    if (redraws(watching) && watching->drawn > 0)
        watching->drawn++;
}

static void draw(struct Watching *watching)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct LiveEvent events[EVENTS_KEPT];
    for (size_t at = 0; at < watching->kept_count; at++)
        events[at] = (struct LiveEvent){.at = watching->kept[at].at,
                                        .subject = watching->kept[at].subject,
                                        .text = watching->kept[at].text};
    watching->state.events = events;
    watching->state.event_count = watching->kept_count;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 4 || size.ws_col < 20)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    struct LiveStyle style = {.rows = size.ws_row - (watching->question != NULL ? 2U : 1U),
                              .columns = size.ws_col,
                              .unicode = watching->drill->cli->err.unicode,
                              .color = watching->drill->cli->err.color};
    struct Buf out = BUF(VIEW_BYTES);
    live_view(&watching->state, &style, &out);
    put_question(watching, size.ws_col, &out);
    take_off(watching);
    fputs(out.text, stderr);
    for (const char *at = out.text; *at != '\0'; at++)
        watching->drawn += *at == '\n';
    fflush(stderr);
    buf_free(&out);
    watching->state.events = NULL;
    watching->state.event_count = 0;
}

/* On a terminal the view is drawn anew; a log says at least each half minute that we live. */
static void tick(void *data, const struct RunView *view)
{
    struct Watching *watching = data;
    struct LiveFault *faults = mem_zero(view->fault_count + 1, sizeof *faults);
    struct LiveProbe *probes = mem_zero(view->probe_count + 1, sizeof *probes);
    fill(watching, view, faults, probes);
    if (redraws(watching)) {
        draw(watching);
    } else if (!watching->drill->cli->quiet &&
               mono_since(watching->spoke, view->now) >= HEARTBEAT_NS) {
        struct Buf out = BUF(2000);
        live_alive(&watching->state, &out);
        fputs(out.text, stderr);
        buf_free(&out);
        watching->spoke = view->now;
    }
    watching->state.faults = NULL;
    watching->state.fault_count = 0;
    watching->state.probes = NULL;
    watching->state.probe_count = 0;
    mem_free(faults);
    mem_free(probes);
}

struct RunWatch watch_of(struct Watching *watching)
{
    return (struct RunWatch){.event = event, .tick = tick, .data = watching};
}

void watch_say(struct Watching *watching, const char *format, ...)
{
    char text[4096];
    struct Buf clean = BUF(2 * sizeof text);
    va_list args;
    take_off(watching);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    redact(text, &clean);
    fprintf(stderr, "%s\n", clean.text);
    buf_free(&clean);
}

void watch_end(struct Watching *watching)
{
    take_off(watching);
    fflush(stderr);
}
