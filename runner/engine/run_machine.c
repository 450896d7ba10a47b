/* run_machine.c - a fault that takes the whole host: what is sent to it, and what comes of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "executor.h"
#include "machine.h"
#include "planner.h"
#include "run_parts.h"

#define PREPARE_TIMEOUT_NS (30 * NS_PER_S)
#define STRIKE_TIMEOUT_NS (5 * NS_PER_S)
#define ASK_TIMEOUT_NS (2 * NS_PER_S)
#define ASK_EVERY_NS (100 * NS_PER_MS)
#define HANGS_AFTER_NS (5 * NS_PER_S) /* of silence; a link may be lost for less */
#define RETURN_TIMEOUT_NS (20 * NS_PER_S)
#define RETURN_EVERY_NS (500 * NS_PER_MS)

static void host_do(struct FaultRun *fault, enum Lane lane, int64_t timeout_ns, HostFn *work,
                    HostFn *done)
{
    hosts_do(fault->run->in.hosts, &(struct HostJob){.target = fault->planned->target,
                                                     .lane = lane,
                                                     .timeout_ns = timeout_ns,
                                                     .work = work,
                                                     .done = done,
                                                     .data = fault});
}

static const char *returned_text(const struct FaultRun *fault, struct Arena *arena)
{
    return commands_shell(&fault->planned->procedure.returned, arena);
}

/* ---- Before: the host is the one of the plan, and all that must come back is there now. ---- */

bool machine_open(struct FaultRun *fault, const char *boot_id, struct Err *err)
{
    struct Run *run = fault->run;
    const char *root = NULL;
    snprintf(fault->machine.boot_id, sizeof fault->machine.boot_id, "%s", boot_id);
    if (fault->planned->procedure.undo.count == 0)
        return true;
    if (!machine_root(run->in.state, &run->in.plan->token, run->arena, &root, err))
        return false;
    fault->machine.seat = machine_seat(run->in.kinds, root, run->arena);
    return true;
}

static void prepare_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    struct Buf detail = BUF(200);
    char boot_id[64] = "";
    call->ok = node_boot_id(call->node, boot_id, call->deadline, &call->err);
    if (call->ok && !text_equal(boot_id, fault->machine.boot_id))
        call->ok = err_set(&call->err, ERR_NOT_READY, NOWHERE,
                           "'%s' was rebooted since the plan was made", call->target->name);
    if (call->ok) {
        struct UndoInput back = machine_back(&fault->run->in.plan->token, fault->planned->number,
                                             returned_text(fault, call->arena));
        enum Known runs = node_look(call->node, &back, call->deadline, &detail, &call->err);
        call->ok = runs == KNOWN_YES;
        if (runs == KNOWN_NO)
            err_set(&call->err, ERR_NOT_READY, NOWHERE,
                    "'%s' is not as it would have to come back: %s", call->target->name,
                    detail.text);
    }
    buf_free(&detail);
    /* A session kept over the loss of the host would be found dead when the next is needed. */
    call->lost = !call->ok || fault->planned->procedure.strike.count == 0;
}

/* A job of this fault came back well, and nobody has begun to undo it meanwhile. */
static bool goes_on(struct FaultRun *fault, const struct HostCall *call, enum FaultState state)
{
    bool good = call->opened && call->ok && fault->state == state && fault->run->state == RUN_STEPS;
    if (!good)
        volley_job_ended(fault, call->opened && call->ok, &call->err);
    return good;
}

static void prepare_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    if (!goes_on(fault, call, FAULT_ARMING))
        return;
    if (fault->machine.seat != NULL) {
        fault_begin_job(fault, VOLLEY_ARM);
        return;
    }
    fault_armed(fault);
    volley_job_ended(fault, fault->state == FAULT_ARMED, &call->err);
}

static void ready_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    fault->machine.due = mono_add(mono_now(), STRIKE_WAITS_NS);
    fault->machine.strike = node_strike_ready(
        call->node, commands_shell(&fault->planned->procedure.strike, call->arena),
        fault->machine.boot_id, plan_allow(fault->run->in.plan, fault->planned, call->arena),
        call->deadline, &call->err);
    call->ok = fault->machine.strike != NULL;
    call->lost = !call->ok;
}

static void ready_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    if (!goes_on(fault, call, FAULT_ARMED))
        return;
    if (fault->machine.seat != NULL)
        fault_begin_job(fault, VOLLEY_READY);
    else
        volley_job_ended(fault, true, &call->err);
}

/* ---- The line itself. ---- */

static void unready(struct FaultRun *fault)
{
    node_unready(fault->machine.strike);
    fault->machine.strike = NULL;
}

static void strike_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    fault->effect = executor_strike(fault->armed, fault->machine.strike, call->deadline,
                                    &fault->t0.low, &call->err);
    fault->machine.struck = fault->effect != EFFECT_NONE;
    unready(fault);
    call->ok = fault->machine.struck;
    call->lost = true; /* whatever became of it */
}

static void strike_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    if (call->opened && call->ok && call->err.message[0] != '\0')
        run_event(fault->run, call->target->name, "%s", call->err.message);
    if (goes_on(fault, call, FAULT_INJECTING))
        fault->machine.awaited = true;
}

static void strike(struct FaultRun *fault)
{
    fault->machine.due = mono_add(mono_now(), STRIKE_WAITS_NS);
    host_do(fault, LANE_ACT, STRIKE_TIMEOUT_NS, strike_work, strike_done);
}

void machine_fired(struct FaultRun *fault, bool ok, const struct Err *err)
{
    if (!ok || fault->state != FAULT_INJECTING || fault->run->state != RUN_STEPS)
        volley_job_ended(fault, ok, err);
    else if (fault->planned->procedure.strike.count > 0)
        strike(fault);
    else
        fault->machine.awaited = true;
}

void machine_begin_job(struct FaultRun *fault, enum VolleyPhase phase)
{
    bool strikes = fault->planned->procedure.strike.count > 0;
    switch (phase) {
    case VOLLEY_ARM:
        host_do(fault, LANE_ACT, PREPARE_TIMEOUT_NS, prepare_work, prepare_done);
        return;
    case VOLLEY_READY:
        if (strikes)
            host_do(fault, LANE_ACT, PREPARE_TIMEOUT_NS, ready_work, ready_done);
        else
            fault_begin_job(fault, phase);
        return;
    case VOLLEY_FIRE:
        if (fault->machine.seat != NULL)
            fault_begin_job(fault, phase);
        else
            strike(fault);
        return;
    }
}

/* ---- The proof: it answers no more, and then, where we struck it, in another boot; one that is to
 * hang is silent, and stays so. ---- */

static void ask_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    call->ok = node_boot_id(call->node, fault->machine.now_id, call->deadline, &call->err);
    call->lost = !call->ok;
}

static void prove(struct FaultRun *fault, struct Mono proven)
{
    struct Err none = {.message = ""};
    fault->machine.awaited = false;
    fault->effect = EFFECT_PROVEN;
    fault->t0.high = proven;
    fault_proven(fault);
    volley_job_ended(fault, true, &none);
}

/* A link that is lost is no proof of a boot; seen afterwards in the light of one, it is the moment
 * by which the old one had ended. */
static void judge(struct FaultRun *fault, struct Mono now)
{
    struct Machine *machine = &fault->machine;
    bool struck = fault->planned->procedure.strike.count > 0;
    bool other = machine->answered && !text_equal(machine->now_id, machine->boot_id);
    bool hangs = fault->planned->procedure.hangs;
    if (machine->answered && !other) {
        machine->heard = now;
        machine->lost = (struct Mono){0};
    } else if (!machine->answered && machine->lost.ns == 0) {
        machine->lost = now;
        run_say(fault->run, fault->planned->target->name, "answers no more");
    }
    if (struck && other) {
        prove(fault, machine->lost.ns != 0 ? machine->lost : now);
    } else if (hangs && !machine->answered && mono_since(machine->lost, now) > HANGS_AFTER_NS) {
        prove(fault, machine->lost);
    } else if (!struck && !machine->answered) {
        prove(fault, mono_before(machine->heard, fault->t0.high) ? fault->t0.high : now);
    } else if (!struck && other) {
        struct Err err;
        machine->awaited = false;
        err_set(&err, ERR_UNPROVEN, NOWHERE, "'%s' was back before it was seen to be off",
                fault->planned->target->name);
        volley_job_ended(fault, false, &err);
    }
}

static void ask_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    fault->machine.asking = false;
    fault->machine.answered = call->opened && call->ok;
    if (fault->machine.awaited && fault->state == FAULT_INJECTING && fault->run->state == RUN_STEPS)
        judge(fault, mono_now());
}

/* ---- The way back: after the provider's word, the host's own. ---- */

static void return_work(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    struct Run *run = fault->run;
    struct Buf detail = BUF(sizeof fault->detail - 1);
    if (fault->machine.strike != NULL)
        unready(fault);
    struct NodeLock lock = {
        .token = &run->in.plan->token, .who = run->in.who, .longest_ns = run_longest(run)};
    struct MachineLook look = {.token = &run->in.plan->token,
                               .number = fault->planned->number,
                               .boot_id = fault->machine.boot_id,
                               .returned = fault->armed ? returned_text(fault, call->arena) : "",
                               .may_strike = fault->machine.struck &&
                                             mono_before(mono_now(), fault->machine.due),
                               .lock = &lock};
    if (fault->machine.seat == NULL)
        fault->undone.low = mono_now();
    fault->clear = machine_look(call->node, &look, call->deadline, &detail, &call->err);
    fault->undone.high = mono_now();
    snprintf(fault->detail, sizeof fault->detail, "%s", detail.text);
    buf_free(&detail);
    call->ok = fault->clear == KNOWN_YES;
    call->lost = fault->clear == KNOWN_UNKNOWN;
}

static void return_done(struct HostCall *call)
{
    struct FaultRun *fault = call->data;
    if (!call->opened)
        fault->clear = KNOWN_UNKNOWN;
    if (call->opened && call->ok) {
        undo_proven(fault, call);
        return;
    }
    struct Mono again = mono_add(mono_now(), RETURN_EVERY_NS);
    if (!mono_before(again, fault->undo_deadline)) {
        undo_failed(fault, call);
        return;
    }
    if (!fault->machine.returning)
        run_event(fault->run, call->target->name, "waiting for it to come back");
    fault->machine.returning = true;
    fault->machine.again = again;
}

void machine_return(struct FaultRun *fault)
{
    host_do(fault, LANE_ACT, RETURN_TIMEOUT_NS, return_work, return_done);
}

void machine_tick(struct Run *run, struct Mono now)
{
    for (size_t at = 0; at < run->fault_count; at++) {
        struct FaultRun *fault = &run->faults[at];
        struct Machine *machine = &fault->machine;
        if (machine->again.ns != 0 && !mono_before(now, machine->again)) {
            machine->again = (struct Mono){0};
            machine_return(fault);
        }
        if (!machine->awaited || machine->asking || fault->state != FAULT_INJECTING ||
            mono_since(machine->asked, now) < ASK_EVERY_NS)
            continue;
        machine->asking = true;
        machine->asked = now;
        host_do(fault, LANE_WATCH, ASK_TIMEOUT_NS, ask_work, ask_done);
    }
}
