/* run_undo.c - brings back every fault, newest first, and believes nothing but a look. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#define UNDO_TIMEOUT_NS (20 * NS_PER_S)
#define POWER_TIMEOUT_NS (180 * NS_PER_S) /* of a provider */
#define BACK_OFF_FIRST_NS (NS_PER_S / 4)
#define BACK_OFF_DOUBLINGS 5 /* to 8 s */

static void fault_do(struct FaultRun *fault, HostFn *work, HostFn *done)
{
    int64_t left = mono_since(mono_now(), fault->undo_deadline);
    const struct Target *seat = fault->machine.seat;
    int64_t most = seat != NULL ? POWER_TIMEOUT_NS : UNDO_TIMEOUT_NS;
    hosts_do(fault->run->in.hosts,
             &(struct HostJob){.target = seat != NULL ? seat : fault->planned->target,
                               .lane = LANE_ACT,
                               .timeout_ns = left < most && left > NS_PER_S ? left : most,
                               .work = work,
                               .done = done,
                               .data = fault});
}

static void disarm_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    call->ok = node_disarm(call->node, &fault->run->in.plan->token, fault->planned->number,
                           call->deadline, &call->err);
    if (call->ok && fault->machine.seat != NULL)
        call->ok = node_unlock(call->node, &fault->run->in.plan->token, call->deadline, &call->err);
    call->lost = !call->ok;
}

/* The fault is gone; a guard that could not be disarmed sees that itself and goes. */
static void disarm_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    fault->undo_busy = false;
    if (!call->opened || !call->ok)
        run_event(fault->run, call->target->name, "the guard could not be disarmed: %s",
                  call->err.message);
}

static void undo_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    const struct Procedure *procedure = &fault->planned->procedure;
    if (fault->firing != NULL) {
        node_unready(fault->firing);
        fault->firing = NULL;
    }
    struct UndoInput input = {.token = &fault->run->in.plan->token,
                              .number = fault->planned->number,
                              .undo = commands_shell(&procedure->undo, call->arena),
                              .all_clear = commands_shell(&procedure->all_clear, call->arena),
                              .boot_id = "",
                              .ends_by = procedure->ends_by,
                              .plain = fault->armed == NULL};
    if (procedure->from_here && input.plain)
        input.undo = input.all_clear = ""; /* nothing was done, so its provider need not answer */
    if (fault->guarded != NULL)
        input.boot_id = guarded_boot_id(fault->guarded);
    struct Buf detail = BUF(sizeof fault->detail - 1);
    fault->clear =
        node_undo(call->node, &input, call->deadline, &fault->undone, &detail, &call->err);
    snprintf(fault->detail, sizeof fault->detail, "%s", detail.text);
    buf_free(&detail);
    call->ok = fault->clear == KNOWN_YES;
    call->lost = fault->clear == KNOWN_UNKNOWN;
}

void undo_failed(struct FaultRun *fault, const struct HostCall *call)
{
    struct Run *run = fault->run;
    struct Err err;
    const char *why = call->opened && fault->clear == KNOWN_NO ? fault->detail : call->err.message;
    run_event(run, call->target->name, "undo %u not proven: %s", fault->undo_tries, why);
    fault->undo_busy = false;
    uint32_t doublings = fault->undo_tries - 1;
    if (doublings > BACK_OFF_DOUBLINGS)
        doublings = BACK_OFF_DOUBLINGS;
    fault->undo_again = mono_add(mono_now(), BACK_OFF_FIRST_NS << doublings);
    if (mono_before(fault->undo_again, fault->undo_deadline))
        return;
    fault->given_up = true;
    fault->state = FAULT_UNKNOWN;
    (void)run_stored(
        run, undolog_unknown(run->in.store, fault->planned->number, why, mono_now(), &err), &err);
}

void undo_proven(struct FaultRun *fault, const struct HostCall *call)
{
    struct Run *run = fault->run;
    struct Err err;
    fault->state = FAULT_CLEAR;
    (void)run_stored(run, undolog_clear(run->in.store, fault->planned->number, fault->undone, &err),
                     &err);
    if (fault->armed != NULL)
        run_say(run, call->target->name, "%s undone, proven", fault->planned->step->kind->name);
    if (fault->detail[0] != '\0')
        run_event(run, call->target->name, "%s", fault->detail);
    if (fault->planned->procedure.from_here && fault->machine.seat == NULL)
        fault->undo_busy = false;
    else
        fault_do(fault, disarm_work, disarm_done);
}

static void undo_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    if (!call->opened)
        fault->clear = KNOWN_UNKNOWN;
    if (!call->opened || !call->ok)
        undo_failed(fault, call);
    else if (fault->planned->procedure.from_here)
        machine_return(fault);
    else
        undo_proven(fault, call);
}

bool lease_ran_out(const struct FaultRun *fault, struct Mono now)
{
    const struct Procedure *procedure = &fault->planned->procedure;
    return procedure->lease_ns > 0 && mono_since(fault->renewed, now) > procedure->lease_ns;
}

bool guard_came_first(const struct FaultRun *fault, struct Mono now)
{
    return fault->state == FAULT_IN_EFFECT && !fault->planned->procedure.once &&
           !fault->ended_early && lease_ran_out(fault, now);
}

/* A host that has to boot may take as long as its step. */
static int64_t boot_ns(const struct FaultRun *fault)
{
    return fault->planned->procedure.from_here ? fault->planned->step->timeout_ns : 0;
}

/* Sends the undo of one fault, once more where it was sent before. Nothing that the store answers
 * stops it. */
void undo_begin(struct FaultRun *fault)
{
    struct Run *run = fault->run;
    struct Err err;
    struct Mono now = mono_now();
    if (guard_came_first(fault, now))
        fault_ended_early(fault, "its lease had run out when its undo was to be sent");
    if (fault->undo_tries++ == 0) {
        fault->undo_began = now;
        fault->undo_deadline = mono_add(now, run->scenario->undo_within_ns + boot_ns(fault));
        fault->state = FAULT_UNDOING;
        (void)run_stored(run, undolog_undoing(run->in.store, fault->planned->number, now, &err),
                         &err);
    }
    fault->undo_busy = true;
    if (fault->armed != NULL) {
        run->undo_last = now;
        if (run->sight != NULL)
            sight_undo(run->sight, now);
    }
    if (fault->planned->procedure.from_here && fault->machine.seat == NULL)
        machine_return(fault);
    else
        fault_do(fault, undo_work, undo_done);
}

/* A planned failover has nothing to bring back: what stays changed is in the plan and the report.
 */
static void failover_over(struct FaultRun *fault)
{
    struct Run *run = fault->run;
    struct Err err;
    struct Moment at = fault->t0;
    fault->state = FAULT_CLEAR;
    (void)run_stored(run, undolog_undoing(run->in.store, fault->planned->number, at.low, &err),
                     &err);
    (void)run_stored(run, undolog_clear(run->in.store, fault->planned->number, at, &err), &err);
    run->undo_last = fault->t0.low;
}

bool fault_out_of_reach(const struct FaultRun *fault, struct Mono now)
{
    return fault->planned->procedure.cuts_link && fault->state >= FAULT_INJECTING &&
           fault->state <= FAULT_IN_EFFECT && mono_before(now, fault->cap);
}

bool fault_cap_is_near(const struct FaultRun *fault)
{
    return mono_since(fault->arming, mono_now()) >= fault->planned->procedure.cap_ns;
}

/* Once, for whoever waits: what would be sent now would only hang. */
static void say_out_of_reach(struct FaultRun *fault)
{
    int64_t left = mono_since(mono_now(), fault->cap);
    if (fault->waits_for_cap)
        return;
    fault->waits_for_cap = true;
    run_event(fault->run, fault->planned->target->name,
              "its link is cut: its guard ends the fault in %.0f s", (double)left / 1e9);
}

/* Steps of one `parallel` are of one age. */
static uint32_t age_of(const struct FaultRun *fault)
{
    const struct StepSpec *steps = fault->run->scenario->steps.items;
    uint32_t at = fault->planned->step_index;
    while (at > 0 && steps[at].together != 0 && steps[at - 1].together == steps[at].together)
        at--;
    return at;
}

/* An undo goes by the connection on which its fault was fired. Where that has not answered for a
 * lease, which is when the guard acts, nothing that comes behind it should wait: applying may take
 * minutes. */
static void leave_what_hangs(struct Run *run, struct Mono now)
{
    for (size_t at = 0; at < run->fault_count; at++) {
        struct FaultRun *fault = &run->faults[at];
        const struct PlannedFault *planned = fault->planned;
        if (!fault->fire_awaited || !lease_ran_out(fault, now))
            continue;
        fault->fire_awaited = false;
        run_event(run, planned->target->name, "%s was sent, and no answer came within its lease",
                  planned->step->kind->name);
        hosts_drop_of(run->in.hosts, planned->target, LANE_ACT);
    }
}

/* The newest step that still has something open: its faults are undone side by side, then the next.
 */
void undo_tick(struct Run *run, struct Mono now)
{
    uint32_t newest = 0;
    bool any = false, busy = false;
    leave_what_hangs(run, now);
    for (size_t at = 0; at < run->fault_count; at++) {
        struct FaultRun *fault = &run->faults[at];
        busy = busy || fault->undo_busy;
        if (!fault_counts(fault) || fault->given_up)
            continue;
        any = true;
        if (age_of(fault) >= newest)
            newest = age_of(fault);
    }
    for (size_t at = 0; any && at < run->fault_count; at++) {
        struct FaultRun *fault = &run->faults[at];
        if (!fault_counts(fault) || fault->given_up || fault->undo_busy || age_of(fault) != newest)
            continue;
        if (fault->planned->step->kind == NULL)
            failover_over(fault);
        else if (fault_out_of_reach(fault, now))
            say_out_of_reach(fault);
        else if (fault->undo_tries == 0 || !mono_before(now, fault->undo_again))
            undo_begin(fault);
    }
    if (run->state != RUN_UNDOING || any || busy)
        return;
    bool left = false;
    for (size_t at = 0; at < run->fault_count; at++)
        left = left || fault_counts(&run->faults[at]);
    run_enter(run, left ? EVENT_NOT_UNDONE : EVENT_UNDONE);
}
