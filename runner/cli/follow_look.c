/* follow_look.c - how a run of another process stands, as far as the store knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "follow_look.h"

#include <stdarg.h>
#include <stdlib.h>

#include "../base/text.h"

/* ---- What happened ---- */

enum LineType { LINE_MARK, LINE_FAULT, LINE_PROBE, LINE_EVENT };

static void add(struct Look *look, struct Mono at, uint64_t number, const char *subject,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
static void add(struct Look *look, struct Mono at, uint64_t number, const char *subject,
                const char *format, ...)
{
    va_list values;
    if (at.ns == 0)
        return;
    struct Line *line = list_add(&look->lines, look->arena, sizeof *line);
    *line = (struct Line){.at = at, .number = number, .subject = subject ? subject : ""};
    va_start(values, format);
    vsnprintf(line->text, sizeof line->text, format, values);
    va_end(values);
}

static uint64_t number_of(enum LineType type, size_t of, size_t which)
{
    return (uint64_t)type << 60 | (uint64_t)of << 32 | which;
}

static void add_faults(struct Look *look)
{
    for (size_t at = 0; at < look->run.fault_count; at++) {
        const struct RunFault *fault = &look->run.faults[at];
        add(look, fault->t0.high, number_of(LINE_FAULT, at, 0), fault->host, "%s proven",
            fault->step);
        add(look, fault->ended_early, number_of(LINE_FAULT, at, 1), fault->host,
            "%s was gone before its undo was sent", fault->step);
        if (fault->clear)
            add(look, fault->undone.high, number_of(LINE_FAULT, at, 2), fault->host,
                "%s undone, proven", fault->step);
    }
}

static enum Failure first_failure(const struct Stretch *stretch)
{
    enum Failure failure = FAILURE_REFUSED;
    while (failure < FAILURE_OTHER && stretch->failures[failure] == 0)
        failure++;
    return failure;
}

static void add_probes(struct Look *look)
{
    for (size_t at = 0; at < look->run.probe_count; at++) {
        const char *name = look->run.probes[at].name;
        for (size_t n = 0; n < stretch_count(look->machines[at]); n++) {
            const struct Stretch *stretch = stretch_at(look->machines[at], n);
            add(look, stretch->first_bad_ended, number_of(LINE_PROBE, at, 2 * n), name,
                "first failure: %s", failure_name(first_failure(stretch)));
            if (!stretch->open)
                add(look, stretch->first_good_ended, number_of(LINE_PROBE, at, 2 * n + 1), name,
                    "ok again, %u attempts failed", stretch->attempts);
        }
    }
}

static int by_time(const void *a, const void *b)
{
    const struct Line *left = a, *right = b;
    if (left->at.ns != right->at.ns)
        return left->at.ns < right->at.ns ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static void gather(struct Look *look)
{
    const struct RunRecord *run = &look->run;
    add(look, run->baseline_began, number_of(LINE_MARK, 0, 0), "run", "baseline begins");
    add(look, run->steps_began, number_of(LINE_MARK, 0, 1), "run", "steps begin");
    add(look, run->undo_began, number_of(LINE_MARK, 0, 2), "run", "undoing");
    add(look, run->settled, number_of(LINE_MARK, 0, 3), "run", "settled");
    for (size_t at = 0; at < run->event_count; at++)
        add(look, run->events[at].at, number_of(LINE_EVENT, 0, at), run->events[at].subject, "%s",
            run->events[at].text != NULL ? run->events[at].text : "");
    add_faults(look);
    add_probes(look);
    if (look->lines.count > 1)
        qsort(look->lines.items, look->lines.count, sizeof(struct Line), by_time);
}

/* ---- How it stands ---- */

static const char *state_word(const struct RunFault *fault)
{
    return fault->clear                 ? "clear"
           : fault->undone.low.ns != 0  ? "undoing"
           : fault->ended_early.ns != 0 ? "ended early"
           : fault->t0.high.ns != 0     ? "in effect"
           : fault->t0.low.ns != 0      ? "injecting"
                                        : "armed";
}

static void fill_faults(struct Look *look)
{
    const struct RunRecord *run = &look->run;
    struct LiveState *state = &look->state;
    struct LiveFault *faults = arena_zero(look->arena, run->fault_count + 1, sizeof *faults);
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct RunFault *fault = &run->faults[at];
        const char *word = state_word(fault);
        bool in_effect = text_equal(word, "in effect");
        faults[at] = (struct LiveFault){
            .number = fault->number,
            .step = fault->step,
            .host = fault->host,
            .state = word,
            .proven = fault->t0.high,
            .ends_by = arena_printf(look->arena, "its guard acts by %s", fault->guard_acts_by),
            .undo_unknown = true,
            .in_effect = in_effect,
            .clear = fault->clear};
        if (!in_effect)
            continue;
        state->phase = "fault in effect";
        state->phase_began = fault->t0.high;
    }
    state->faults = faults;
    state->fault_count = run->fault_count;
}

/* Seconds of the last minute, from the samples that ended in them. */
static void fill_history(struct Look *look, size_t probe, struct LiveHistory *history)
{
    const struct RunRecord *run = &look->run;
    int64_t age = mono_since(run->mono_started, look->now) / NS_PER_S;
    history->count = age < LIVE_CELLS ? (size_t)(age > 0 ? age : 0) : LIVE_CELLS;
    struct Mono from = mono_add(look->now, -(int64_t)history->count * NS_PER_S);
    for (size_t at = 0; at < history->count; at++)
        history->cells[at].latency_ns = -1;
    for (size_t at = 0; at < run->sample_count; at++) {
        const struct Sample *sample = &run->samples[at];
        int64_t cell = mono_since(from, sample->ended);
        if (sample->probe != probe || cell < 0 || cell / NS_PER_S >= (int64_t)history->count)
            continue;
        struct LiveCell *out = &history->cells[cell / NS_PER_S];
        int64_t latency = mono_since(sample->intended, sample->ended);
        if (sample->outcome == OUTCOME_FAILED || sample->outcome == OUTCOME_TIMEOUT)
            out->failing = true;
        else if (sample->outcome == OUTCOME_OK && latency > out->latency_ns)
            out->latency_ns = latency;
    }
    for (size_t at = 0; at < run->fault_count; at++) {
        int64_t cell = mono_since(from, run->faults[at].t0.low);
        if (run->faults[at].t0.low.ns != 0 && cell >= 0 &&
            cell / NS_PER_S < (int64_t)history->count)
            history->cells[cell / NS_PER_S].fault = true;
    }
}

static void fill_probes(struct Look *look)
{
    const struct RunRecord *run = &look->run;
    struct LiveProbe *probes = arena_zero(look->arena, run->probe_count + 1, sizeof *probes);
    for (size_t at = 0; at < run->probe_count; at++) {
        struct LiveHistory *history = arena_zero(look->arena, 1, sizeof *history);
        fill_history(look, at, history);
        probes[at] = (struct LiveProbe){
            .name = run->probes[at].name, .history = history, .halt_outage_ns = -1};
        stretch_now(look->machines[at], run->mono_started, look->now, &probes[at].seen);
    }
    look->state.probes = probes;
    look->state.probe_count = run->probe_count;
}

static void fill_phase(struct Look *look)
{
    const struct RunRecord *run = &look->run;
    const struct {
        struct Mono began;
        const char *phase;
    } marks[] = {{run->settled, "reading back"},     {run->undo_began, "undoing, settling"},
                 {run->observing_ended, "observed"}, {run->steps_began, "steps"},
                 {run->baseline_began, "baseline"},  {run->mono_started, "taking its locks"}};
    size_t at = 0;
    while (marks[at].began.ns == 0)
        at++;
    look->state.phase = run->finished ? "over" : marks[at].phase;
    look->state.phase_began = marks[at].began;
}

/* The clock of the runner is reckoned from the time of day, which both have. */
bool follow_look(struct Store *store, const char *id, struct Look *look, struct Err *err)
{
    struct RunRecord *run = &look->run;
    if (!store_read_run(store, id, look->arena, run, err))
        return false;
    look->now = mono_add(run->mono_started, wall_now().ns - run->started.ns);
    look->machines = arena_zero(look->arena, run->probe_count + 1, sizeof(void *));
    for (size_t at = 0; at < run->probe_count; at++) {
        const struct RunProbe *probe = &run->probes[at];
        struct StretchRules rules = {.interval_ns = probe->interval_ns,
                                     .timeout_ns = probe->timeout_ns,
                                     .gap_ns = probe->gap_ns,
                                     .hold_ns = probe->hold_ns};
        look->machines[at] = stretch_new(look->arena, &rules);
    }
    for (size_t at = 0; at < run->sample_count; at++)
        if (run->samples[at].probe < run->probe_count)
            (void)stretch_feed(look->machines[run->samples[at].probe], &run->samples[at]);
    look->state = (struct LiveState){.scenario = run->scenario,
                                     .environment = run->environment,
                                     .id = run->id,
                                     .is_protected = run->is_protected,
                                     .now = look->now,
                                     .mono_began = run->mono_started,
                                     .wall_began = run->started,
                                     .hint = "faildrill halt stops and undoes"};
    fill_phase(look);
    fill_faults(look);
    fill_probes(look);
    gather(look);
    return true;
}
