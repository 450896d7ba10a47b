/* run_volley.c - faults that strike together: all are armed, then all are fired, then held. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "planner.h"
#include "run_parts.h"

/* That of the first of its `parallel` which began, or one of its own. */
struct Volley *volley_of(struct StepRun *step)
{
    struct Run *run = step->run;
    size_t faults = 0;
    for (size_t at = run->first; at < run->end; at++) {
        const struct StepRun *other = &run->steps[at];
        bool beside = other == step || (step->spec->together != 0 && !step->spec->timed);
        if (beside && other->volley != NULL)
            return other->volley;
        faults += beside && other->spec->type == STEP_FAULT ? 1 : 0;
    }
    struct Volley *volley = arena_zero(run->arena, 1, sizeof *volley);
    *volley =
        (struct Volley){.run = run,
                        .faults = arena_zero(run->arena, run->fault_count + 1, sizeof(void *)),
                        .awaited = faults};
    return volley;
}

static void volley_each(struct Volley *volley, enum VolleyPhase phase)
{
    volley->pending = (uint32_t)volley->count;
    for (size_t at = 0; at < volley->count; at++) {
        if (volley->faults[at]->planned->procedure.from_here)
            machine_begin_job(volley->faults[at], phase);
        else
            fault_begin_job(volley->faults[at], phase);
    }
}

static void volley_arm(struct Volley *volley)
{
    struct Run *run = volley->run;
    struct Err err;
    volley->phase = VOLLEY_ARM;
    for (size_t at = 0; at < volley->count; at++) {
        struct FaultRun *fault = volley->faults[at];
        if (fault->planned->procedure.from_here &&
            !machine_open(fault, fault_boot_id(fault), &err)) {
            run_abort(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_NOT_READY, err.message);
            return;
        }
        if (!run_stored(run, log_arming(fault, &err), &err))
            return;
        fault->state = FAULT_ARMING;
    }
    volley_each(volley, VOLLEY_ARM);
}

void volley_join(struct Volley *volley, struct FaultRun **faults, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        faults[at]->volley = volley;
        volley->faults[volley->count++] = faults[at];
    }
    if (--volley->awaited == 0)
        volley_arm(volley);
}

void volley_ready(struct Volley *volley)
{
    volley_each(volley, VOLLEY_READY);
}

/* From the row INJECTING on, the fault counts as present whatever the reply is. */
static void volley_fire(struct Volley *volley)
{
    struct Run *run = volley->run;
    struct Err err;
    for (size_t at = 0; at < volley->count; at++) {
        struct FaultRun *fault = volley->faults[at];
        fault->armed = undolog_injecting(run->in.store, fault->planned->number, fault->guarded,
                                         mono_now(), &err);
        if (!run_stored(run, fault->armed != NULL, &err))
            return;
        fault->state = FAULT_INJECTING;
    }
    note_sent(run);
    sight_fault(run->sight, mono_now());
    volley_each(volley, VOLLEY_FIRE);
}

/* One T0: all of them are held from the moment at which the last was proven. */
static void volley_in_effect(struct Volley *volley)
{
    struct Run *run = volley->run;
    struct Mono proven = {0};
    for (size_t at = 0; at < volley->count; at++)
        if (mono_before(proven, volley->faults[at]->t0.high))
            proven = volley->faults[at]->t0.high;
    for (size_t at = 0; at < volley->count; at++) {
        struct FaultRun *fault = volley->faults[at];
        int64_t hold_ns = fault->planned->step->hold_ns;
        struct Mono until = mono_add(proven, hold_ns);
        if (fault->planned->procedure.cuts_link && mono_before(until, fault->cap))
            until = fault->cap;
        fault->until = hold_ns >= 0 ? until : (struct Mono){0};
    }
    for (size_t at = run->first; at < run->end; at++)
        if (run->steps[at].volley == volley && run->steps[at].spec->hold_ns < 0)
            step_over(&run->steps[at]);
}

static void volley_next(struct Volley *volley)
{
    switch (volley->phase++) {
    case VOLLEY_ARM:
        radius_begin(volley);
        return;
    case VOLLEY_READY:
        volley_fire(volley);
        return;
    default:
        volley_in_effect(volley);
        return;
    }
}

/* After an abort the answers still count, the next phase does not begin. */
void volley_job_ended(struct FaultRun *fault, bool ok, const struct Err *err)
{
    struct Run *run = fault->run;
    struct Volley *volley = fault->volley;
    volley->pending--;
    if (!ok) {
        volley->failed = true;
        volley->err = *err;
        run_event(run, fault->planned->target->name, "%s", err->message);
    }
    if (volley->pending > 0 || run->state != RUN_STEPS)
        return;
    if (!volley->failed)
        volley_next(volley);
    else if (run->any_sent)
        run_abort(run, VERDICT_INCONCLUSIVE, volley->err.message);
    else
        run_abort(run, err_status(volley->err.code) == 4 ? VERDICT_REFUSED : VERDICT_NOT_READY,
                  volley->err.message);
}

/* ---- With `for` ---- */

static bool is_of(const struct StepRun *step, const struct FaultRun *fault)
{
    return fault->planned->step_index == step->index;
}

bool step_in_effect(const struct StepRun *step)
{
    const struct Volley *volley = step->volley;
    for (size_t at = 0; volley != NULL && at < volley->count; at++)
        if (is_of(step, volley->faults[at]))
            return volley->faults[at]->until.ns != 0;
    return false;
}

/* Undone when its time has come; over when all of it is clear. */
void step_hold(struct StepRun *step, struct Mono now)
{
    bool all_clear = true;
    for (size_t at = 0; at < step->volley->count; at++) {
        struct FaultRun *fault = step->volley->faults[at];
        if (!is_of(step, fault))
            continue;
        all_clear = all_clear && fault->state == FAULT_CLEAR && !fault->undo_busy;
        if (fault->given_up) {
            run_abort(step->run, VERDICT_INCONCLUSIVE, "an undo could not be proven");
            return;
        }
        if (!fault_counts(fault) || fault->undo_busy || mono_before(now, fault->until))
            continue;
        if (fault->undo_tries == 0 || !mono_before(now, fault->undo_again))
            undo_begin(fault);
    }
    if (all_clear)
        step_over(step);
}
