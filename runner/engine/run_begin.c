/* run_begin.c - locks first, probes next; and both taken away at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

#define LOCK_TIMEOUT_NS (10 * NS_PER_S)
#define FORWARD_TIMEOUT_NS (15 * NS_PER_S)

static void finish(struct Run *run)
{
    run->ended = true;
    loop_stop(run->in.loop);
}

/* ---- locks: the row in the store, the lock host, then the touched hosts in sorted order ---- */

static int by_name(const void *a, const void *b)
{
    const struct Target *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* The same host; or both are pods, whose lock lies here, in one folder. */
static bool shares_lock(const struct Target *a, const struct Target *b)
{
    return a == b || (a->root != NULL && text_equal(a->root, b->root));
}

static void note_lock(struct Run *run, const struct Target *host)
{
    for (size_t at = 0; at < run->lock_count; at++)
        if (shares_lock(run->lock_hosts[at], host))
            return;
    run->lock_hosts[run->lock_count++] = host;
}

static const struct Target *lock_host(const struct Environment *environment)
{
    struct Target *const *hosts = environment->hosts.items;
    if (environment->lock_host != NULL)
        return environment_host(environment, environment->lock_host);
    return environment->hosts.count > 0 ? hosts[0] : NULL;
}

static void list_locks(struct Run *run)
{
    const struct Environment *environment = run->in.plan->environment;
    run->lock_hosts = arena_zero(run->arena, run->fault_count + 2, sizeof(void *));
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].planned->step->kind != NULL)
            note_lock(run, run->faults[at].planned->target);
    if (run->fault_count > 0 && lock_host(environment) != NULL)
        note_lock(run, lock_host(environment));
    qsort(run->lock_hosts, run->lock_count, sizeof(void *), by_name);
    for (size_t at = 1; at < run->lock_count; at++)
        if (shares_lock(run->lock_hosts[at], lock_host(environment))) {
            const struct Target *host = run->lock_hosts[at];
            memmove(run->lock_hosts + 1, run->lock_hosts, at * sizeof(void *));
            run->lock_hosts[0] = host;
        }
}

/* Until when this run may need its locks; a holder that vanished is set aside after it. */
int64_t run_longest(const struct Run *run)
{
    const struct Scenario *scenario = run->scenario;
    return run_steady_within(run) + scenario_steps_ns(scenario) + scenario->observe_ns +
           scenario->settle_ns + scenario->grace_ns + 60 * NS_PER_S + scenario_back_ns(scenario) +
           (int64_t)run->fault_count * scenario->undo_within_ns;
}

static int64_t longest_cap(const struct Run *run)
{
    int64_t longest = 0;
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].planned->procedure.cap_ns > longest)
            longest = run->faults[at].planned->procedure.cap_ns;
    return longest;
}

/* A lock is a row of the undo log too, so that `undo` finds the hosts of a run that was killed. */
static void list_lock_rows(struct Run *run)
{
    static const struct StepSpec LOCK = {.name = "lock"};
    run->lock_rows = arena_zero(run->arena, run->lock_count + 1, sizeof *run->lock_rows);
    run->lock_asks = arena_zero(run->arena, run->lock_count + 1, sizeof *run->lock_asks);
    for (size_t at = 0; at < run->lock_count; at++)
        run->lock_rows[at] = (struct PlannedFault){
            .step = &LOCK,
            .target = run->lock_hosts[at],
            .number = (uint32_t)(run->fault_count + 1 + at),
            .procedure = {.ends_by = CLASS_REBOOT, .cap_ns = longest_cap(run)}};
}

static bool log_lock(struct Run *run, size_t at)
{
    struct Err err;
    struct Arming arming = {.fault = &run->lock_rows[at],
                            .seat = run->lock_hosts[at]->root,
                            .token = &run->in.plan->token,
                            .boot_id = "",
                            .at = mono_now(),
                            .wall = wall_now()};
    return run_stored(run, undolog_arming(run->in.store, &arming, &err), &err);
}

static void log_unlocked(struct Run *run, size_t at)
{
    struct Err err;
    struct Mono now = mono_now();
    if (!run->lock_asks[at].asked)
        return;
    run->lock_asks[at].asked = false;
    (void)run_stored(
        run,
        undolog_clear(run->in.store, run->lock_rows[at].number, (struct Moment){now, now}, &err),
        &err);
}

static void lock_work(struct HostCall *call)
{
    const struct LockAsk *ask = call->data;
    struct Run *run = ask->run;
    struct NodeLock lock = {
        .token = &run->in.plan->token, .who = run->in.who, .longest_ns = run_longest(run)};
    call->ok = node_lock(call->node, &lock, call->deadline, &call->err);
    call->lost = !call->ok && call->err.code != ERR_LOCKED;
}

static void lock_next(struct Run *run);

/* A refusal says more than a host that does not answer. */
static void note_failed(struct Run *run, const struct Err *err)
{
    if (!run->begin_failed || (err_status(err->code) == 4 && err_status(run->begin_err.code) != 4))
        run->begin_err = *err;
    run->begin_failed = true;
}

static void lock_done(struct HostCall *call)
{
    const struct LockAsk *ask = call->data;
    struct Run *run = ask->run;
    if (!call->opened) /* never reached, so nothing to take back */
        log_unlocked(run, ask->at);
    if (!call->opened || !call->ok)
        note_failed(run, &call->err);
    if (--run->locking > 0 || run->state != RUN_PLANNED)
        return; /* aborted meanwhile: what was taken is given back by end_locks */
    if (!run->begin_failed) {
        lock_next(run);
        return;
    }
    run->begin_failed = false;
    run_abort(run, err_status(run->begin_err.code) == 4 ? VERDICT_REFUSED : VERDICT_NOT_READY,
              run->begin_err.message);
}

/* All rows stand in the undo log before the first host is asked. */
static void lock_several(struct Run *run, size_t end)
{
    size_t from = run->locked;
    run->locked = end;
    for (size_t at = from; at < end; at++)
        if (!log_lock(run, at))
            return;
    run->locking = end - from;
    for (size_t at = from; at < end; at++) {
        run->lock_asks[at] = (struct LockAsk){.run = run, .at = at, .asked = true};
        hosts_do(run->in.hosts, &(struct HostJob){.target = run->lock_hosts[at],
                                                  .lane = LANE_ACT,
                                                  .timeout_ns = LOCK_TIMEOUT_NS,
                                                  .work = lock_work,
                                                  .done = lock_done,
                                                  .data = &run->lock_asks[at]});
    }
}

/* The first decides between runners on one environment; who has it need not fear to meet another
 * one half-way, and takes the rest side by side. */
static void lock_next(struct Run *run)
{
    if (run->state != RUN_PLANNED)
        return;
    if (run->locked < run->lock_count)
        lock_several(run, run->locked == 0 ? 1 : run->lock_count);
    else if (begin_probes(run))
        run_enter(run, EVENT_BEGIN);
}

void begin_locks(struct Run *run)
{
    struct Err err;
    struct LockRow lock = {.environment = run->in.plan->environment->name,
                           .run = run->in.plan->token.text,
                           .who = run->in.who};
    if (!store_lock(run->in.store, &lock, &err)) {
        run->ended_as = err_status(err.code) == 4 ? VERDICT_REFUSED : VERDICT_OWN_FAILURE;
        snprintf(run->why, sizeof run->why, "%s", err.message);
        run->state = RUN_FINISHED;
        run->ended = true;
        return;
    }
    run->env_locked = true;
    struct RunBegin begin = {.plan = run->in.plan,
                             .who = run->in.who,
                             .version = run->in.version,
                             .now = run->began,
                             .wall = run->wall_began,
                             .boottime_ns = boottime_now_ns(),
                             .cycle = run->in.cycle};
    run->stored = store_run_begin(run->in.store, &begin, &err);
    if (!run->stored) {
        run->ended_as = err_status(err.code) == 4 ? VERDICT_REFUSED : VERDICT_OWN_FAILURE;
        snprintf(run->why, sizeof run->why, "%s", err.message);
        run_abort(run, run->ended_as, err.message);
        return;
    }
    list_locks(run);
    list_lock_rows(run);
    lock_next(run);
}

static void locks_gone(struct Run *run);

static void unlock_work(struct HostCall *call)
{
    struct Run *run = call->data;
    call->ok = node_unlock(call->node, &run->in.plan->token, call->deadline, &call->err);
    call->lost = !call->ok;
}

static void unlock_done(struct HostCall *call)
{
    struct Run *run = call->data;
    if (!call->opened || !call->ok)
        run_event(run, call->target->name, "lock not removed: %s", call->err.message);
    for (size_t at = 0; call->opened && call->ok && at < run->lock_count; at++)
        if (run->lock_hosts[at] == call->target)
            log_unlocked(run, at);
    run_lock_given(run);
}

/* A host that may still carry a fault keeps its lock: nobody else may begin there. */
static bool host_is_clean(const struct Run *run, const struct Target *host)
{
    for (size_t at = 0; at < run->fault_count; at++)
        if (shares_lock(run->faults[at].planned->target, host) && fault_counts(&run->faults[at]))
            return false;
    return true;
}

static void store_end(struct Run *run)
{
    struct Err err;
    struct Mono now = mono_now();
    struct RunEnd end = {.ended_as = run->state == RUN_DIRTY ? VERDICT_NOT_UNDONE : run->ended_as,
                         .why = run->why,
                         .not_steady = run->not_steady,
                         .now = now,
                         .wall = wall_now(),
                         .suspended_ns = boottime_now_ns() - now.ns - run->boottime_drift_ns};
    if (run->stored)
        (void)run_stored(run, store_run_end(run->in.store, &end, &err), &err);
    if (run->env_locked && run->state != RUN_DIRTY)
        (void)run_stored(run, store_unlock(run->in.store, run->in.plan->token.text, &err), &err);
}

static void locks_gone(struct Run *run)
{
    store_end(run);
    finish(run);
}

void run_lock_given(struct Run *run)
{
    if (--run->unlocking == 0)
        locks_gone(run);
}

/* Those that were taken, and those that may be under way. */
static void end_locks(struct Run *run)
{
    run->unlocking = 1;
    if (silence_take_back(run))
        run->unlocking++;
    for (size_t at = 0; at < run->lock_count; at++) {
        if (!run->lock_asks[at].asked || !host_is_clean(run, run->lock_hosts[at]))
            continue;
        run->unlocking++;
        hosts_do(run->in.hosts, &(struct HostJob){.target = run->lock_hosts[at],
                                                  .lane = LANE_ACT,
                                                  .timeout_ns = LOCK_TIMEOUT_NS,
                                                  .work = unlock_work,
                                                  .done = unlock_done,
                                                  .data = run});
    }
    run_lock_given(run);
}

void run_over(struct Run *run)
{
    prober_stop(run->prober);
    run->prober = NULL;
    sight_close(run->sight);
    run->sight = NULL;
    http_close(run->http);
    run->http = NULL;
    for (size_t at = 0; run->steps != NULL && at < run->scenario->steps.count; at++)
        statement_close(&run->steps[at]);
    run_gate_close(run);
    struct Forwarded *forwards = run->forwards.items;
    for (size_t at = 0; at < run->forwards.count; at++)
        forward_close(forwards[at].forward);
    end_locks(run);
}

/* ---- probes ---- */

/* Where a probe `from:` a host connects: through that host, by a forward that is opened when first
 * asked. */
static bool place(void *data, uint32_t probe, const char *host, uint16_t port, struct Endpoint *out)
{
    struct Run *run = data;
    const struct BoundProbe *bound = (const struct BoundProbe *)run->in.plan->probes.items + probe;
    out->host = host;
    out->port = port;
    if (bound->from == NULL)
        return true;
    struct Forwarded *forwards = run->forwards.items;
    for (size_t at = 0; at < run->forwards.count; at++)
        if (forwards[at].from == bound->from && forwards[at].port == port &&
            text_equal(forwards[at].host, host)) {
            out->host = "127.0.0.1";
            out->port = forwards[at].local;
            return true;
        }
    struct Err err;
    struct Forwarded row = {
        .from = bound->from, .host = arena_text(run->arena, host), .port = port};
    if (run->state != RUN_PLANNED)
        return false;
    row.forward = forward_open(bound->from, row.host, port,
                               mono_add(mono_now(), FORWARD_TIMEOUT_NS), &row.local, &err);
    if (row.forward == NULL) {
        run->begin_err = err;
        return false;
    }
    *(struct Forwarded *)list_add(&run->forwards, run->arena, sizeof row) = row;
    out->host = "127.0.0.1";
    out->port = row.local;
    return true;
}

static void woken(void *data)
{
    (void)data; /* the tick takes what is there; nothing waits for a sample less than that */
}

bool begin_probes(struct Run *run)
{
    struct Err err;
    size_t count = run->scenario->probes.count;
    const struct ProbeSpec *specs = run->scenario->probes.items;
    run->machines = arena_zero(run->arena, count + 1, sizeof(void *));
    run->oks = arena_zero(run->arena, count + 1, sizeof *run->oks);
    run->details = arena_zero(run->arena, count + 1, sizeof *run->details);
    run->probe_views = arena_zero(run->arena, count + 1, sizeof *run->probe_views);
    for (size_t at = 0; at < count; at++) {
        run->machines[at] = settle_machine(run, &specs[at]);
        run->probe_views[at] = (struct ProbeView){
            .name = specs[at].name, .kind = specs[at].kind->name, .machine = run->machines[at]};
    }
    halt_begin(run);
    if (run_gate_open(run, &err))
        run->sight = sight_open(run->in.plan, run->in.loop, run->arena, &err);
    if (run->sight != NULL)
        run->prober = prober_start(&(struct ProberInput){.plan = run->in.plan,
                                                         .place = place,
                                                         .place_data = run,
                                                         .wake = woken,
                                                         .wake_data = run},
                                   &err);
    if (run->prober == NULL)
        run_abort(run, VERDICT_NOT_READY,
                  run->begin_err.message[0] ? run->begin_err.message : err.message);
    return run->prober != NULL;
}
