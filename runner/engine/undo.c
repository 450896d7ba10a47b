/* undo.c - brings back what earlier runs left; finds what no store knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "undo.h"

#include "../base/text.h"
#include "machine.h"

#define UNDO_TIMEOUT_NS (30 * NS_PER_S)
#define SCAN_TIMEOUT_NS (10 * NS_PER_S)
#define POWER_TIMEOUT_NS (180 * NS_PER_S)
#define BOOT_NS (180 * NS_PER_S) /* how long a host that was taken is waited for */

struct Undoing {
    struct Loop *loop;
    struct Hosts *hosts;
    struct Store *store;
    struct Arena *arena;
    size_t pending;
    struct Err err;
    bool store_failed;
};
struct Job {
    struct Undoing *all;
    struct UndoneFault *row;
    struct Token token;
    bool last_on_host, boots;  /* its host was taken, and has to boot */
    bool repeated;             /* over a new connection, for the one before broke */
    const struct Target *seat; /* this machine, while its part comes first; then NULL */
    const struct Target *host;
    struct Timer *again;
    struct Mono until;
};

/* The provider's part, by the guard's folder on this machine, or by the record where that is gone.
 */
static void seat_work(struct Job *job, struct HostCall *call, const struct UndoInput *input)
{
    struct UndoInput asked = *input;
    struct Moment undone;
    struct Buf detail = BUF(400);
    if (input->plain)
        asked.undo = asked.all_clear = "";
    job->row->clear = node_undo(call->node, &asked, call->deadline, &undone, &detail, &call->err);
    call->ok = job->row->clear == KNOWN_YES &&
               node_disarm(call->node, &job->token, input->number, call->deadline, &call->err) &&
               node_unlock(call->node, &job->token, call->deadline, &call->err);
    job->row->why = arena_text(call->arena, job->row->clear == KNOWN_NO ? detail.text : "");
    buf_free(&detail);
    call->lost = !call->ok;
}

/* The host's own part: it has booted anew, or nothing can strike it any more. */
static void return_work(struct Job *job, struct HostCall *call)
{
    const struct OpenFault *fault = &job->row->fault;
    struct Buf detail = BUF(400);
    bool sent = fault->strikes && fault->state >= FAULT_INJECTING;
    struct MachineLook look = {.token = &job->token,
                               .number = fault->number,
                               .boot_id = fault->boot_id,
                               .returned = fault->state < FAULT_INJECTING ? "" : fault->returned,
                               .may_strike =
                                   sent && wall_now().ns < fault->acts_by.ns + STRIKE_WAITS_NS};
    job->row->clear = machine_look(call->node, &look, call->deadline, &detail, &call->err);
    call->ok = job->row->clear == KNOWN_YES;
    if (call->ok && job->last_on_host)
        call->ok = node_unlock(call->node, &job->token, call->deadline, &call->err);
    job->row->why = arena_text(call->arena, job->row->clear == KNOWN_NO ? detail.text : "");
    buf_free(&detail);
    call->lost = !call->ok;
}

static void undo_work(struct HostCall *call)
{
    struct Job *job = call->data;
    const struct OpenFault *fault = &job->row->fault;
    if (text_equal(fault->step, "lock")) { /* goes with the last of this host */
        job->row->clear = KNOWN_YES;
        call->ok =
            !job->last_on_host || node_unlock(call->node, &job->token, call->deadline, &call->err);
        call->lost = !call->ok;
        return;
    }
    struct UndoInput input = {.token = &job->token,
                              .number = fault->number,
                              .undo = fault->undo,
                              .all_clear = fault->all_clear,
                              .boot_id = fault->boot_id,
                              .ends_by = fault->ends_by,
                              .other_boot = &job->row->rebooted,
                              .plain = fault->state < FAULT_INJECTING};
    if (fault->returned != NULL) {
        if (job->seat != NULL)
            seat_work(job, call, &input);
        else
            return_work(job, call);
        return;
    }
    struct Moment undone;
    struct Buf detail = BUF(400);
    job->row->clear = node_undo(call->node, &input, call->deadline, &undone, &detail, &call->err);
    call->ok = job->row->clear == KNOWN_YES &&
               node_disarm(call->node, &job->token, fault->number, call->deadline, &call->err);
    if (call->ok && job->last_on_host)
        call->ok = node_unlock(call->node, &job->token, call->deadline, &call->err);
    job->row->why = arena_text(call->arena, job->row->clear == KNOWN_NO ? detail.text : "");
    job->row->note = arena_text(call->arena, job->row->clear == KNOWN_YES ? detail.text : "");
    buf_free(&detail);
    call->lost = !call->ok;
}

static void undo_done(struct HostCall *call);

static void undo_send(void *data, int events)
{
    struct Job *job = data;
    (void)events;
    hosts_do(job->all->hosts,
             &(struct HostJob){.target = job->seat != NULL ? job->seat : job->host,
                               .lane = LANE_ACT,
                               .timeout_ns = job->seat != NULL ? POWER_TIMEOUT_NS : UNDO_TIMEOUT_NS,
                               .work = undo_work,
                               .done = undo_done,
                               .data = job});
}

/* A host that was taken has its provider's part behind it, or has yet to boot: not over. */
static bool undo_goes_on(struct Job *job, const struct HostCall *call)
{
    bool good = call->opened && call->ok;
    bool broke = call->opened && !call->ok && call->err.code == ERR_TARGET;
    if (broke && job->row->clear != KNOWN_NO && !job->repeated) {
        job->repeated = true;
        undo_send(job, 0);
        return true;
    }
    if (!job->boots || (job->seat != NULL && !good))
        return false;
    if (job->seat != NULL) {
        job->seat = NULL;
        job->until = mono_add(mono_now(), BOOT_NS);
        undo_send(job, 0);
        return true;
    }
    if (good || !mono_before(mono_now(), job->until) ||
        (call->opened && job->row->fault.returned == NULL))
        return false;
    if (job->again == NULL)
        job->again = loop_timer(job->all->loop, undo_send, job);
    loop_timer_at(job->again, mono_add(mono_now(), NS_PER_S));
    return true;
}

static void undo_done(struct HostCall *call)
{
    struct Job *job = call->data;
    struct Undoing *all = job->all;
    struct UndoneFault *row = job->row;
    if (undo_goes_on(job, call))
        return;
    if (job->again != NULL)
        loop_timer_free(job->again);
    if (!call->opened || !call->ok) {
        row->clear = call->opened ? row->clear : KNOWN_UNKNOWN;
        if (row->clear == KNOWN_YES)
            row->clear =
                KNOWN_UNKNOWN; /* gone, but its guard or lock is not: say so, and come again */
        if (row->why == NULL || row->why[0] == '\0')
            row->why = arena_text(all->arena, call->err.message);
    }
    struct ByHand closed = {.run = row->fault.run,
                            .number = row->fault.number,
                            .clear = row->clear == KNOWN_YES,
                            .why = row->clear == KNOWN_YES ? "undone by hand" : row->why,
                            .at = wall_now()};
    if (!undolog_close_by_hand(all->store, &closed, &all->err))
        all->store_failed = true;
    if (--all->pending == 0)
        loop_stop(all->loop);
}

static bool same_place(const struct OpenFault *a, const struct OpenFault *b)
{
    return text_equal(a->run, b->run) && text_equal(a->host, b->host);
}

/* Hosts are told apart by their Target: rows of one host share the first one's, so that its jobs
 * queue. */
static const struct Target *target_of(const struct List *rows, size_t index)
{
    struct UndoneFault *all = rows->items;
    for (size_t at = 0; at < index; at++)
        if (text_equal(all[at].fault.host, all[index].fault.host) &&
            text_equal(all[at].fault.environment, all[index].fault.environment))
            return &all[at].fault.target;
    return &all[index].fault.target;
}

static void begin(const struct UndoAsk *input, struct Undoing *all, const struct List *rows)
{
    struct UndoneFault *row = rows->items;
    for (size_t back = rows->count; back > 0; back--) {
        size_t at = back - 1;
        struct Job *job = arena_zero(all->arena, 1, sizeof *job);
        *job = (struct Job){.all = all, .row = &row[at], .last_on_host = true};
        snprintf(job->token.text, sizeof job->token.text, "%s", row[at].fault.run);
        for (size_t before = 0; before < at; before++)
            if (same_place(&row[before].fault, &row[at].fault))
                job->last_on_host = false;
        for (size_t other = 0; other < rows->count; other++)
            if (same_place(&row[other].fault, &row[at].fault) && row[other].fault.returned != NULL)
                job->boots = true;
        if (row[at].fault.target.reach == NULL) {
            row[at].why = arena_printf(all->arena, "this version cannot reach it: %s %s",
                                       row[at].fault.reach, row[at].fault.reach_text);
            continue;
        }
        all->pending++;
        job->host = target_of(rows, at);
        job->until = mono_add(mono_now(), BOOT_NS);
        if (row[at].fault.seat != NULL)
            job->seat = machine_seat(input->kinds, row[at].fault.seat, all->arena);
        undo_send(job, 0);
    }
}

static bool is_alive(const struct UndoAsk *input, const char *run)
{
    const char *const *rows = input->alive.items;
    for (size_t at = 0; at < input->alive.count; at++)
        if (text_equal(rows[at], run))
            return true;
    return false;
}

bool undo_open_faults(const struct UndoAsk *input, struct Arena *arena, struct List *out,
                      struct Err *err)
{
    struct List open = {0};
    if (!undolog_open(input->store, input->kinds, input->run, arena, &open, err))
        return false;
    const struct OpenFault *faults = open.items;
    for (size_t at = 0; at < open.count; at++) {
        if ((input->host != NULL && !text_equal(input->host, faults[at].host)) ||
            is_alive(input, faults[at].run))
            continue;
        struct UndoneFault *row = list_add(out, arena, sizeof *row);
        *row = (struct UndoneFault){.fault = faults[at], .clear = KNOWN_UNKNOWN};
    }
    struct Undoing all = {.loop = input->loop,
                          .hosts = input->hosts,
                          .store = input->store,
                          .arena = arena,
                          .pending = 1};
    begin(input, &all, out);
    if (--all.pending > 0)
        loop_run(input->loop);
    if (all.store_failed)
        *err = all.err;
    return !all.store_failed;
}

/* ---- scan ---- */

struct ScanJob {
    struct Loop *loop;
    struct Arena *arena;
    struct Scanned *row;
    size_t *pending;
};

static void scan_work(struct HostCall *call)
{
    struct ScanJob *job = call->data;
    call->ok = node_scan(call->node, call->deadline, call->arena, &job->row->traces, &call->err);
    job->row->why = arena_text(call->arena, call->ok ? "" : call->err.message);
    call->lost = !call->ok;
}

static void scan_done(struct HostCall *call)
{
    struct ScanJob *job = call->data;
    job->row->answered = call->opened && call->ok;
    if (!call->opened)
        job->row->why = arena_text(job->arena, call->err.message);
    if (--*job->pending == 0)
        loop_stop(job->loop);
}

void undo_scan(struct Hosts *hosts, struct Loop *loop, const struct List *targets,
               struct Arena *arena, struct List *out)
{
    const struct Target *const *target = targets->items;
    size_t pending = 1;
    for (size_t at = 0; at < targets->count; at++)
        *(struct Scanned *)list_add(out, arena, sizeof(struct Scanned)) =
            (struct Scanned){.target = target[at], .why = ""};
    for (size_t at = 0; at < out->count; at++) {
        struct ScanJob *job = arena_zero(arena, 1, sizeof *job);
        *job = (struct ScanJob){.loop = loop,
                                .arena = arena,
                                .row = (struct Scanned *)out->items + at,
                                .pending = &pending};
        if (target[at]->reach == NULL) {
            job->row->why = "this version does not know the way that was kept";
            continue;
        }
        pending++;
        hosts_do(hosts, &(struct HostJob){.target = target[at],
                                          .lane = LANE_ACT,
                                          .timeout_ns = SCAN_TIMEOUT_NS,
                                          .work = scan_work,
                                          .done = scan_done,
                                          .data = job});
    }
    if (--pending > 0)
        loop_run(loop);
}
