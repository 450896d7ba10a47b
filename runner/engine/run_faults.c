/* run_faults.c - arms the faults of a step, fires them together, watches them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "executor.h"
#include "planner.h"
#include "run_parts.h"

#define ARM_TIMEOUT_NS (30 * NS_PER_S)
#define READY_TIMEOUT_NS (10 * NS_PER_S)
#define LOOK_TIMEOUT_NS (3 * NS_PER_S)
#define LOOK_EVERY_NS (1 * NS_PER_S)
#define ASK_TIMEOUT_NS (25 * NS_PER_S) /* a provider's command line takes its time, */
#define ASK_EVERY_NS (5 * NS_PER_S)    /* and its service counts how often it is asked */
#define CUT_EVERY_NS (5 * NS_PER_S)    /* a look that gets no answer, since our link is cut */
#define MISSED_MOST 3

bool fault_counts(const struct FaultRun *fault)
{
    return fault->state >= FAULT_ARMING && fault->state != FAULT_CLEAR;
}

static void fault_do(struct FaultRun *fault, enum Lane lane, int64_t timeout_ns, HostFn *work,
                     HostFn *done)
{
    const struct Target *seat = fault->machine.seat;
    hosts_do(fault->run->in.hosts, &(struct HostJob){.target = seat ? seat : fault->planned->target,
                                                     .lane = lane,
                                                     .timeout_ns = timeout_ns,
                                                     .work = work,
                                                     .done = done,
                                                     .data = fault});
}

const char *fault_boot_id(const struct FaultRun *fault)
{
    const struct List *facts = &fault->run->in.plan->facts;
    const struct HostFacts *rows = facts->items;
    for (size_t at = 0; at < facts->count; at++)
        if (rows[at].host == fault->planned->target)
            return rows[at].boot_id;
    return "";
}

bool log_arming(struct FaultRun *fault, struct Err *err)
{
    const struct Target *seat = fault->machine.seat;
    bool failover = fault->planned->step->kind == NULL;
    return undolog_arming(fault->run->in.store,
                          &(struct Arming){.fault = fault->planned,
                                           .seat = (seat ? seat : fault->planned->target)->root,
                                           .token = &fault->run->in.plan->token,
                                           .boot_id = failover ? "" : fault_boot_id(fault),
                                           .at = mono_now(),
                                           .wall = wall_now()},
                          err);
}

static void arm_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    struct ArmInput input =
        plan_arming(fault->run->in.plan, fault->planned, fault->run->in.who, call->arena);
    struct NodeLock lock = {
        .token = input.token, .who = input.who, .longest_ns = run_longest(fault->run)};
    fault->renewed = fault->arming = mono_now(); /* its lease and its cap begin no earlier */
    if (fault->machine.seat == NULL || node_lock(call->node, &lock, call->deadline, &call->err))
        fault->guarded = guard_arm(call->node, &input, call->deadline, call->arena, &call->err);
    call->ok = fault->guarded != NULL;
    call->lost = !call->ok;
}

void fault_armed(struct FaultRun *fault)
{
    struct Store *store = fault->run->in.store;
    bool there = fault->machine.seat == NULL && fault->guarded != NULL; /* the guard, on the host */
    const char *boot = there ? guarded_boot_id(fault->guarded) : NULL;
    uint32_t n = fault->planned->number;
    struct Err err;
    if (fault->state == FAULT_ARMING &&
        run_stored(fault->run, undolog_armed(store, n, boot, mono_now(), wall_now(), &err), &err))
        fault->state = FAULT_ARMED;
}

static void arm_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    struct Run *run = fault->run;
    bool ok = call->opened && call->ok;
    if (ok)
        fault_armed(fault);
    if (ok && fault->state == FAULT_ARMED)
        run_event(run, fault->planned->target->name, "guard armed%s: lease %.1f s, at most %.0f s",
                  fault->machine.seat ? " on this machine" : "",
                  (double)fault->planned->procedure.lease_ns / 1e9,
                  (double)fault->planned->procedure.cap_ns / 1e9);
    fault->watched = mono_now();
    fault->cap = mono_add(fault->watched, fault->planned->procedure.cap_ns + NS_PER_S);
    fault->acts_by = (struct Wall){wall_now().ns + (ok ? fault->planned->procedure.cap_ns : 0)};
    volley_job_ended(fault, ok, &call->err);
}

static void ready_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    fault->firing = node_ready(call->node, fault->guarded, call->deadline, &call->err);
    call->ok = fault->firing != NULL;
    call->lost = !call->ok;
}

static void ready_done(struct HostCall *call)
{
    volley_job_ended(call->data, call->opened && call->ok, &call->err);
}

static void fire_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    fault->effect =
        executor_fire(fault->armed, fault->firing, call->deadline, &fault->t0, &call->err);
    node_unready(fault->firing);
    fault->firing = NULL;
    call->ok = fault->effect == EFFECT_PROVEN;
    call->lost = fault->effect == EFFECT_UNKNOWN;
}

void fault_proven(struct FaultRun *fault)
{
    struct Run *run = fault->run;
    struct Err err;
    if (fault->state != FAULT_INJECTING)
        return;
    fault->state = FAULT_IN_EFFECT;
    fault->watched = fault->t0.high;
    /* The line that fires it begins its lease anew on the host. */
    if (fault->machine.seat == NULL && mono_before(fault->renewed, fault->t0.low))
        fault->renewed = fault->t0.low;
    (void)run_stored(run, undolog_in_effect(run->in.store, fault->planned->number, fault->t0, &err),
                     &err);
    run_say(run, fault->planned->target->name, "%s proven (%.0f ms after it was sent)",
            fault->planned->step->kind->name,
            (double)mono_since(fault->t0.low, fault->t0.high) / 1e6);
}

static void fire_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    bool ok = call->opened && call->ok;
    fault->fire_awaited = false;
    if (!call->opened)
        fault->effect = EFFECT_UNKNOWN;
    if (fault->machine.seat != NULL) {
        machine_fired(fault, ok, &call->err);
        return;
    }
    if (ok)
        fault_proven(fault);
    volley_job_ended(fault, ok, &call->err);
}

/* The longest that applying and proving may take on a host. */
static int64_t fire_timeout(const struct Volley *volley)
{
    int64_t longest = 0;
    for (size_t at = 0; at < volley->count; at++) {
        const struct Procedure *procedure = &volley->faults[at]->planned->procedure;
        int64_t sum = 0;
        for (size_t row = 0; row < procedure->apply.count; row++)
            sum += procedure->apply.at[row].timeout_ns;
        for (size_t row = 0; row < procedure->in_place.count; row++)
            sum += procedure->in_place.at[row].timeout_ns;
        longest = sum > longest ? sum : longest;
    }
    return longest + 5 * NS_PER_S;
}

void fault_begin_job(struct FaultRun *fault, enum VolleyPhase phase)
{
    switch (phase) {
    case VOLLEY_ARM:
        fault_do(fault, LANE_ACT, ARM_TIMEOUT_NS, arm_work, arm_done);
        return;
    case VOLLEY_READY:
        fault_do(fault, LANE_ACT, READY_TIMEOUT_NS, ready_work, ready_done);
        return;
    case VOLLEY_FIRE:
        fault->fire_awaited = true;
        fault_do(fault, LANE_ACT, fire_timeout(fault->volley), fire_work, fire_done);
        return;
    }
}

static void look_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    call->ok =
        guard_watch(call->node, fault->guarded, (struct Watch){fault->renewing, fault->looking},
                    call->deadline, &fault->look, &call->err);
    call->lost = !call->ok;
}

void fault_ended_early(struct FaultRun *fault, const char *how)
{
    struct Run *run = fault->run;
    struct Err err;
    fault->ended_early = true;
    (void)run_stored(
        run, undolog_ended_early(run->in.store, fault->planned->number, mono_now(), &err), &err);
    char text[200];
    snprintf(text, sizeof text, "the fault on %s ended early: %s", fault->planned->target->name,
             how);
    run_abort(run, VERDICT_INCONCLUSIVE, text);
}

static void look_missed(struct FaultRun *fault, const struct HostCall *call)
{
    struct Run *run = fault->run;
    run_event(run, fault->planned->target->name, "no answer to a look: %s", call->err.message);
    /* Where it is over here, it must not go on where hosts still answer. */
    if (guard_came_first(fault, mono_now())) {
        fault_ended_early(fault, "it did not answer until its lease ran out");
        return;
    }
    char text[200];
    if (fault->fire_awaited && lease_ran_out(fault, mono_now())) {
        snprintf(text, sizeof text, "%s did not answer until the lease of its fault ran out",
                 fault->planned->target->name);
        run_abort(run, VERDICT_INCONCLUSIVE, text);
    } else if (fault->renewing && ++fault->missed >= MISSED_MOST) {
        snprintf(text, sizeof text,
                 "%s was not reached %d times in a row while its fault was in effect",
                 fault->planned->target->name, MISSED_MOST);
        run_abort(run, VERDICT_INCONCLUSIVE, text);
    }
}

/* How far a fault has come that comes in steps. */
static void look_noted(struct FaultRun *fault)
{
    const char *note = strstr(fault->look.said, "note: ");
    if (note == NULL)
        return;
    note += strlen("note: ");
    if (strncmp(note, fault->noted, sizeof fault->noted - 1) == 0)
        return;
    snprintf(fault->noted, sizeof fault->noted, "%s", note);
    run_event(fault->run, fault->planned->target->name, "%s", note);
}

static void look_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    struct Run *run = fault->run;
    fault->watching = false;
    if (fault->state > FAULT_IN_EFFECT)
        return;
    if (fault->planned->procedure.cuts_link && fault->state == FAULT_IN_EFFECT &&
        (!call->opened || !call->ok || fault_cap_is_near(fault)))
        return;
    if (!call->opened || !call->ok) {
        look_missed(fault, call);
        return;
    }
    if (fault->look.rebooted) {
        char text[200];
        snprintf(text, sizeof text, "%s was rebooted under its fault", call->target->name);
        fault->ended_early = true;
        run_abort(run, VERDICT_INCONCLUSIVE, text);
        return;
    }
    if (fault->looking && fault->look.in_place == KNOWN_YES)
        look_noted(fault);
    if (fault->looking && fault->look.in_place == KNOWN_NO && !fault->look.undone) {
        if (fault->look.said[0] != '\0')
            run_event(run, call->target->name, "%s", fault->look.said);
        fault_ended_early(fault, "a look at it found it gone");
    }
    fault->missed = 0;
    if (fault->renewing)
        fault->renewed = fault->watched; /* its lease begins no earlier */
    if (fault->look.halt_asked)
        run_abort(run, VERDICT_HALTED, "somebody asked for a halt on the host");
    else if (fault->look.undone)
        fault_ended_early(fault, "its guard has undone it");
    else if (!fault->look.alive)
        run_abort(run, VERDICT_INCONCLUSIVE, "a guard is gone, so its fault ends now");
}

/* Each fault in effect is looked at each second, and the lease of each that is armed renewed each
 * third of it: also while others are armed or undone. */
void faults_watch(struct Run *run, struct Mono now)
{
    for (size_t at = 0; at < run->fault_count; at++) {
        struct FaultRun *fault = &run->faults[at];
        if (fault->planned->step->kind == NULL || fault->watching || fault->guarded == NULL)
            continue;
        if (fault->state < FAULT_ARMED || fault->state > FAULT_IN_EFFECT)
            continue;
        int64_t third = fault->planned->procedure.lease_ns / 3;
        bool here = fault->machine.seat != NULL;
        int64_t most = here ? ASK_EVERY_NS : LOOK_EVERY_NS;
        if (fault_out_of_reach(fault, now))
            most = CUT_EVERY_NS;
        int64_t every = third > 0 && third < most ? third : most;
        if (mono_since(fault->watched, now) < every)
            continue;
        fault->watched = now;
        fault->watching = true;
        fault->looking = fault->state == FAULT_IN_EFFECT && !fault->planned->procedure.once &&
                         run->state != RUN_UNDOING;
        fault->renewing = third > 0 && mono_since(fault->renewed, now) >= third - every;
        fault_do(fault, LANE_WATCH, here ? ASK_TIMEOUT_NS : LOOK_TIMEOUT_NS, look_work, look_done);
    }
}
