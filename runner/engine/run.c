/* run.c - one run: its state, its tick, and the one way out of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include <stdarg.h>

#include "../model/redact.h"

enum { EVENT_MOST = 499, EVENT_ROOM = 4096 }; /* cut off after secrets were taken out */
#define RUN_ARENA_BYTES (256U << 20)
enum { VIEW_EVERY = 4, ASK_EVERY = 4 }; /* ticks; asked: for a halt from elsewhere */

struct Run *run_new(const struct RunAsk *input)
{
    struct Arena *arena = arena_new("run", RUN_ARENA_BYTES);
    struct Run *run = arena_zero(arena, 1, sizeof *run);
    run->arena = arena;
    run->in = *input;
    run->scenario = input->plan->scenario;
    run->state = RUN_PLANNED;
    run->ended_as = VERDICT_PASS;
    run->fault_count = input->plan->faults.count;
    run->faults = arena_zero(arena, run->fault_count + 1, sizeof *run->faults);
    const struct PlannedFault *planned = input->plan->faults.items;
    for (size_t at = 0; at < run->fault_count; at++)
        run->faults[at] = (struct FaultRun){.run = run, .planned = &planned[at]};
    return run;
}

void run_free(struct Run *run)
{
    if (run != NULL)
        arena_free(run->arena);
}

/* What hosts and services answer may hold a secret that was sent to them. */
static void without_secrets(char *text, size_t room)
{
    struct Buf out = BUF(room);
    redact(text, &out);
    snprintf(text, room, "%s", out.text);
    buf_free(&out);
}

static void tell(struct Run *run, struct Mono at, const char *subject, const char *text)
{
    if (run->in.watch.event != NULL)
        run->in.watch.event(run->in.watch.data, at, subject, text);
}

void run_say(struct Run *run, const char *subject, const char *format, ...)
{
    char text[EVENT_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    without_secrets(text, sizeof text);
    text[EVENT_MOST] = '\0';
    tell(run, mono_now(), subject, text);
}

void run_event(struct Run *run, const char *subject, const char *format, ...)
{
    char text[EVENT_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    without_secrets(text, sizeof text);
    text[EVENT_MOST] = '\0';
    struct Mono now = mono_now();
    struct Err err;
    tell(run, now, subject, text);
    if (run->stored)
        (void)run_stored(run, store_event(run->in.store, now, subject, text, &err), &err);
}

bool run_note(struct Run *run, const char *subject, const char *text)
{
    if (run->ended)
        return false;
    run_event(run, subject, "%s", text);
    return true;
}

static void end_as(struct Run *run, enum Verdict as, const char *why)
{
    struct Buf clean = BUF(EVENT_ROOM); /* whole, before it is cut off */
    redact(why, &clean);
    run->ended_as = as;
    snprintf(run->why, sizeof run->why, "%s", clean.text);
    buf_free(&clean);
}

/* A store that fails is the runner's own failure; what is in effect is undone all the same. */
bool run_stored(struct Run *run, bool ok, const struct Err *err)
{
    if (ok)
        return true;
    if (run->ended_as != VERDICT_OWN_FAILURE)
        end_as(run, VERDICT_OWN_FAILURE, err->message);
    run_abort(run, VERDICT_OWN_FAILURE, err->message);
    return false;
}

void note_sent(struct Run *run)
{
    if (!run->any_sent)
        run->first_sent = mono_now();
    run->any_sent = true;
}

static void say_work_goes_on(struct Run *run, const char *subject)
{
    for (size_t at = run->first; at < run->end; at++) {
        const struct StepRun *step = &run->steps[at];
        if (step->call != NULL && step->call->pending > 0 && step_stands(step))
            run_event(run, subject, "what step %u began on its hosts may go on there",
                      step->index + 1);
    }
}

/* What a run ended as before says more than its clean-up. The hosts of a step that was not awaited
 * do the next one at once. */
void step_fail(struct StepRun *step, enum Verdict as, const char *why)
{
    struct Run *run = step->run;
    if (run->state != RUN_ALWAYS) {
        run_abort(run, as, why);
        return;
    }
    run_event(run, "always", "%s", why);
    if (run->ended_as == VERDICT_PASS)
        end_as(run, VERDICT_FAIL, why);
    say_work_goes_on(run, "always");
    hosts_drop(run->in.hosts, LANE_WATCH);
    step_over(step);
}

static void mark(struct Run *run, const char *name)
{
    struct Err err;
    if (run->stored)
        (void)run_stored(run, store_run_mark(run->in.store, name, mono_now(), &err), &err);
}

static void enter_undoing(struct Run *run)
{
    mark(run, "undo_began");
    for (size_t at = 0; at < run->fault_count; at++)
        if (fault_counts(&run->faults[at]))
            return;
    run_enter(run, EVENT_UNDONE);
}

void run_enter(struct Run *run, enum RunSignal event)
{
    enum RunState next = run_state_next(run->state, event);
    if (next == run->state)
        return;
    if (next == RUN_ALWAYS)
        settle_end(run);
    if (next == RUN_ALWAYS && !always_due(run))
        next = run_state_next(next, event == EVENT_NOT_UNDONE ? event : EVENT_OVER);
    run->state = next;
    step_unask(run);
    steps_close(run);
    run->state_began = mono_now();
    run->state_until = (struct Mono){0};
    run_say(run, "state", "%s", run_state_name(next));
    if (run->state != next) /* the store failed, and that led on */
        return;
    switch (next) {
    case RUN_PLANNED:
        return;
    case RUN_BASELINE:
        mark(run, "baseline");
        run->state_until = mono_add(run->state_began, run_steady_within(run));
        return;
    case RUN_STEPS:
        mark(run, "steps");
        steps_begin(run);
        return;
    case RUN_OBSERVING:
        run->state_until = mono_add(run->steps_ended, run->scenario->observe_ns);
        return;
    case RUN_UNDOING:
        if (event == EVENT_OBSERVED)
            mark(run, "observing_ended");
        enter_undoing(run);
        return;
    case RUN_SETTLING:
        settle_begin(run);
        return;
    case RUN_ALWAYS:
        always_begin(run, event == EVENT_NOT_UNDONE);
        return;
    case RUN_FINISHED:
    case RUN_DIRTY:
        run_over(run);
        return;
    }
}

void run_abort(struct Run *run, enum Verdict as, const char *reason)
{
    if (run->ended)
        return;
    run->halted = run->halted || as == VERDICT_HALTED;
    if (run->aborted || run->state > RUN_OBSERVING) {
        if (as == VERDICT_HALTED && run->state <= RUN_ALWAYS &&
            verdict_worst(run->ended_as, as) == as)
            end_as(run, as, reason);
        run->hurry = run->hurry || (as == VERDICT_HALTED && run->state >= RUN_SETTLING);
        return;
    }
    run->aborted = true;
    if (run->ended_as != VERDICT_OWN_FAILURE)
        end_as(run, as, reason);
    run_event(run, "abort", "%s", reason);
    say_work_goes_on(run, "abort");
    run_enter(run, EVENT_ABORT);
}

void run_take_flights(struct Run *run)
{
    struct Flight flight;
    while (run->prober != NULL && prober_take(run->prober, &flight)) {
        switch (flight.type) {
        case FLIGHT_SAMPLE:
            store_sample(run->in.store, &flight.sample);
            settle_sample(run, &flight.sample);
            break;
        case FLIGHT_CENSUS:
            store_census(run->in.store, &flight.census);
            halt_census(run, &flight.census);
            break;
        case FLIGHT_DETAIL:
            snprintf(run->details[flight.detail.probe], sizeof *run->details, "%s",
                     flight.detail.text);
            break;
        }
    }
}

void run_hear_halt(struct Run *run)
{
    const char *reason = NULL;
    struct Err err;
    if (run->halt_heard)
        return;
    if (store_halt_asked(run->in.store, run->in.plan->token.text, run->arena, &reason, &err) &&
        reason != NULL) {
        run->halt_heard = true;
        run_abort(run, VERDICT_HALTED, reason);
    }
}

static void show(struct Run *run, struct Mono now)
{
    if (run->in.watch.tick == NULL)
        return;
    struct FaultView *faults = run->fault_views;
    size_t count = 0;
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct FaultRun *fault = &run->faults[at];
        if (fault->state != FAULT_PLANNED)
            faults[count++] = (struct FaultView){.step = fault->planned->step->name,
                                                 .host = fault->planned->target->name,
                                                 .number = fault->planned->number,
                                                 .state = fault->state,
                                                 .t0 = fault->t0,
                                                 .undone = fault->undone,
                                                 .until = fault->until};
    }
    struct RunView view = {.plan = run->in.plan,
                           .state = run->state,
                           .now = now,
                           .began = run->began,
                           .state_began = run->state_began,
                           .state_until = run->state_until,
                           .faults = faults,
                           .fault_count = count,
                           .probes = run->probe_views,
                           .probe_count = run->machines ? run->scenario->probes.count : 0};
    run->in.watch.tick(run->in.watch.data, &view);
}

static void tick_state(struct Run *run, struct Mono now)
{
    switch (run->state) {
    case RUN_PLANNED:
    case RUN_FINISHED:
    case RUN_DIRTY:
        return;
    case RUN_BASELINE:
        baseline_tick(run, now);
        return;
    case RUN_STEPS:
    case RUN_ALWAYS:
        steps_tick(run);
        return;
    case RUN_OBSERVING:
        if (!mono_before(now, run->state_until))
            run_enter(run, EVENT_OBSERVED);
        return;
    case RUN_UNDOING:
        undo_tick(run, now);
        return;
    case RUN_SETTLING:
        settle_tick(run, now);
        return;
    }
}

static void tick(void *data, int events)
{
    (void)events;
    struct Run *run = data;
    struct Mono now = mono_now();
    struct Err err;
    if (run->ended)
        return;
    run->ticked_before = run->ticked;
    run->ticked = now;
    run_take_flights(run);
    if (run->sight != NULL && run->state < RUN_ALWAYS)
        sight_tick(run->sight, now);
    if (run->stored && run->ticks % ASK_EVERY == 0)
        run_hear_halt(run);
    if (run->state >= RUN_BASELINE && run->state < RUN_ALWAYS)
        run_gate_tick(run, now);
    if (run->state == RUN_STEPS || run->state == RUN_OBSERVING)
        halt_tick(run, now);
    if (run->state >= RUN_STEPS && run->state <= RUN_UNDOING) {
        faults_watch(run, now);
        machine_tick(run, now);
    }
    tick_state(run, now);
    if (run->stored && run->state < RUN_FINISHED)
        (void)run_stored(run, store_flush(run->in.store, &err), &err);
    if (run->ticks++ % VIEW_EVERY == 0)
        show(run, now);
    loop_timer_at(run->tick, mono_add(now, TICK_NS));
}

void run_go(struct Run *run)
{
    run->began = mono_now();
    run->wall_began = wall_now();
    run->boottime_drift_ns = boottime_now_ns() - run->began.ns;
    run->fault_views = arena_zero(run->arena, run->fault_count + 1, sizeof *run->fault_views);
    run->tick = loop_timer(run->in.loop, tick, run);
    begin_locks(run);
    if (!run->ended) {
        loop_timer_at(run->tick, mono_now());
        loop_run(run->in.loop);
    }
    loop_timer_free(run->tick);
    silence_forget(run);
}

enum Verdict run_ended_as(const struct Run *run, const char **why)
{
    *why = run->why;
    return run->state == RUN_DIRTY ? VERDICT_NOT_UNDONE : run->ended_as;
}

bool run_tidies_up(const struct Run *run)
{
    return run->state == RUN_ALWAYS;
}

bool run_was_stored(const struct Run *run)
{
    return run->stored;
}

void run_left(const struct Run *run, struct Buf *out)
{
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct FaultRun *fault = &run->faults[at];
        if (!fault_counts(fault))
            continue;
        char by[48] = "its cap";
        if (fault->acts_by.ns != 0)
            wall_local(fault->acts_by, by);
        const struct Target *seat = fault->machine.seat;
        const char *root = (seat != NULL ? seat : fault->planned->target)->root;
        if (fault->planned->procedure.from_here && seat == NULL)
            buf_printf(out, "%s on %s; nobody but its own boot brings it back: see its console\n",
                       fault->planned->step->name, fault->planned->target->name);
        else
            buf_printf(out, "%s on %s; its guard acts by %s; by hand %s: %s%s/undo\n",
                       fault->planned->step->name, fault->planned->target->name, by,
                       root ? "here" : "there", root ? "sh " : "sudo sh ",
                       root ? root : "/run/faildrill");
    }
}
