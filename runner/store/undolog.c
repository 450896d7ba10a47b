/* undolog.c - each step of a fault, on disk before the next is taken; only forward. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "../model/redact.h"
#include "../schema/decode.h"
#include "inside.h"

#define CONFIG_BYTES_MAX (64 * 1024)

struct Armed { /* made in undolog_injecting() alone, once that is on disk */
    uint32_t number;
    const struct Guarded *guarded;
};

static const char *const state_names[] = {
    [FAULT_PLANNED] = "PLANNED",     [FAULT_ARMING] = "ARMING",       [FAULT_ARMED] = "ARMED",
    [FAULT_INJECTING] = "INJECTING", [FAULT_IN_EFFECT] = "IN_EFFECT", [FAULT_UNDOING] = "UNDOING",
    [FAULT_CLEAR] = "CLEAR",         [FAULT_UNKNOWN] = "UNKNOWN",
};

/* A bit for each state that may follow. An undo may be tried again after UNKNOWN; CLEAR is the end.
 */
static const unsigned followers[] = {
    [FAULT_PLANNED] = 1U << FAULT_ARMING,
    [FAULT_ARMING] =
        1U << FAULT_ARMED | 1U << FAULT_UNDOING | 1U << FAULT_CLEAR | 1U << FAULT_UNKNOWN,
    [FAULT_ARMED] =
        1U << FAULT_INJECTING | 1U << FAULT_UNDOING | 1U << FAULT_CLEAR | 1U << FAULT_UNKNOWN,
    [FAULT_INJECTING] =
        1U << FAULT_IN_EFFECT | 1U << FAULT_UNDOING | 1U << FAULT_CLEAR | 1U << FAULT_UNKNOWN,
    [FAULT_IN_EFFECT] = 1U << FAULT_UNDOING | 1U << FAULT_CLEAR | 1U << FAULT_UNKNOWN,
    [FAULT_UNDOING] = 1U << FAULT_CLEAR | 1U << FAULT_UNKNOWN,
    [FAULT_CLEAR] = 0,
    [FAULT_UNKNOWN] = 1U << FAULT_UNDOING | 1U << FAULT_CLEAR | 1U << FAULT_UNKNOWN,
};

const char *fault_state_name(enum FaultState state)
{
    return state_names[state];
}

enum FaultState state_stored(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(state_names); i++) {
        if (text_equal(name, state_names[i]))
            return (enum FaultState)i;
    }
    return FAULT_UNKNOWN;
}

static int64_t fault_id(const struct Store *store, uint32_t number)
{
    if (store->run == 0)
        bug("a fault was told to the store outside of a run");
    return row_id(store->run, number);
}

/* ---- Arming ---- */

static const char *config_text(const struct Target *target, struct Arena *arena)
{
    struct Buf buf = BUF(CONFIG_BYTES_MAX);
    struct Json json = json_begin(&buf, false);
    canonical_write(&target->reach->config, target->reach_config, 0, &json);
    if (buf.cut)
        bug("the way to host '%s' takes more than %d bytes", target->name, CONFIG_BYTES_MAX);
    const char *text = arena_bytes(arena, buf.text, buf.size);
    buf_free(&buf);
    return text;
}

static const char *proof_text(const struct Procedure *procedure, struct Arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < procedure->in_place.count; i++)
        text =
            arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", procedure->in_place.at[i].what);
    return text;
}

static void give_target(struct Query *query, const struct Target *target, struct Arena *arena)
{
    query_text(query, target->name);
    query_text(query, target->address);
    query_text(query, target->host_key);
    query_text(query, target->machine_id);
    query_text(query, target->reach->name);
    query_text(query, config_text(target, arena));
}

static void give_procedure(struct Query *query, const struct Procedure *procedure,
                           struct Arena *arena)
{
    query_text(query, arena_printf(arena, "%c", fault_class_letter(procedure->ends_by)));
    query_text(query, commands_shell(&procedure->apply, arena));
    query_text(query, commands_shell(&procedure->undo, arena));
    query_text(query, commands_shell(&procedure->all_clear, arena));
    query_text(query, proof_text(procedure, arena));
    query_text(query, procedure->stays);
    query_int(query, procedure->lease_ns);
    query_int(query, procedure->cap_ns);
}

static void give_machine(struct Query *query, const struct Arming *arming, struct Arena *arena)
{
    const struct Procedure *procedure = &arming->fault->procedure;
    query_text(query, arming->seat);
    query_text(query, procedure->from_here ? commands_shell(&procedure->strike, arena) : NULL);
    query_text(query, procedure->from_here ? commands_shell(&procedure->returned, arena) : NULL);
}

/* "lock": a lock on a host, kept here so that `undo` finds it; it is no fault of the run's record.
 */
static const char *kind_text(const struct StepSpec *step)
{
    if (step->kind != NULL)
        return step->kind->name;
    return step->type == STEP_FAILOVER ? "failover" : step->type == STEP_RUN ? "run" : "lock";
}

static bool add_fault(struct Store *store, const struct Arming *arming, struct Arena *arena,
                      struct Err *err)
{
    const struct PlannedFault *fault = arming->fault;
    struct Query query = query_begin(
        store,
        "INSERT INTO faults (id, state, token, step, kind, role, host, address, host_key,"
        " machine_id, reach, reach_config, boot_id, ends_by, apply, undo, all_clear, proof,"
        " stays, lease_ns, cap_ns, acts_by, seat, strike, returned, together)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&query, fault_id(store, fault->number));
    query_text(&query, state_names[FAULT_ARMING]);
    query_text(&query, arming->token->text);
    query_text(&query, fault->step->name);
    query_text(&query, kind_text(fault->step));
    query_text(&query, fault->role != NULL ? fault->role->name : NULL);
    give_target(&query, fault->target, arena);
    query_text(&query, arming->boot_id != NULL ? arming->boot_id : "");
    give_procedure(&query, &fault->procedure, arena);
    query_int(&query, arming->wall.ns + fault->procedure.cap_ns);
    give_machine(&query, arming, arena);
    query_int(&query, fault->step->together);
    if (query_run(&query, err))
        return true;
    if (sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
        err_set(err, ERR_OWN, NOWHERE, "fault %u of this run was armed before", fault->number);
    return false;
}

bool undolog_arming(struct Store *store, const struct Arming *arming, struct Err *err)
{
    fault_id(store, arming->fault->number);
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("arming", STORE_ARENA_BYTES);
    struct LogRow row = {.type = LOG_FAULT,
                         .run = store->run,
                         .at = arming->at,
                         .fault = arming->fault->number,
                         .subject = arming->fault->target->name,
                         .text = state_names[FAULT_ARMING]};
    bool ok = change_end(store,
                         add_fault(store, arming, arena, err) && log_append(store, &row, err), err);
    arena_free(arena);
    return ok;
}

/* ---- Steps ---- */

struct Advance {
    int64_t id;
    enum FaultState to;
    struct Mono at;
    /* 0 and NULL leave what is there. */
    int64_t acts_by, sent, proven, ended_early, undo_sent, undone, closed;
    const char *why, *boot_id;
    bool stays; /* notes something, and leaves the state as it is */
};

static bool read_state(struct Store *store, int64_t id, struct Arena *arena, enum FaultState *state,
                       const char **host, struct Err *err)
{
    struct Query query = query_begin(store, "SELECT state, host FROM faults WHERE id = ?");
    query_int(&query, id);
    enum Step step = query_step(&query, err);
    *state = FAULT_PLANNED;
    *host = "";
    if (step == STEP_ROW) {
        *state = state_stored(row_text(&query, arena));
        *host = row_text_or(&query, arena, "");
        query_end(&query);
    }
    return step != STEP_FAILED;
}

/* How long the guard may take to act is reckoned from when it began to live. */
static bool update_fault(struct Store *store, const struct Advance *step, enum FaultState to,
                         struct Err *err)
{
    struct Query query = query_begin(
        store, "UPDATE faults SET state = ?2, acts_by = iif(?3 <> 0, ?3 + cap_ns, acts_by),"
               " sent = iif(?4, ?4, sent), proven = iif(?5, ?5, proven),"
               " ended_early = iif(?6, ?6, ended_early), undo_sent = iif(?7, ?7, undo_sent),"
               " undone = iif(?8, ?8, undone), closed = iif(?9, ?9, closed),"
               " why = coalesce(?10, why), boot_id = coalesce(?11, boot_id) WHERE id = ?1");
    query_int(&query, step->id);
    query_text(&query, state_names[to]);
    query_int(&query, step->acts_by);
    query_int(&query, step->sent);
    query_int(&query, step->proven);
    query_int(&query, step->ended_early);
    query_int(&query, step->undo_sent);
    query_int(&query, step->undone);
    query_int(&query, step->closed);
    query_text(&query, step->why);
    query_text(&query, step->boot_id);
    return query_run(&query, err);
}

static bool advance_inside(struct Store *store, const struct Advance *step, struct Arena *arena,
                           struct Err *err)
{
    enum FaultState from = FAULT_PLANNED;
    const char *host = "";
    uint32_t number = (uint32_t)(step->id & UINT32_MAX);
    if (!read_state(store, step->id, arena, &from, &host, err))
        return false;
    enum FaultState to = step->stays ? from : step->to;
    if (from == FAULT_CLEAR && to == FAULT_CLEAR && step->closed != 0)
        return true; /* two `undo` at once: the other one was first */
    if (from == FAULT_PLANNED || (!step->stays && (followers[from] >> to & 1) == 0))
        return err_set(err, ERR_OWN, NOWHERE, "fault %u is %s and cannot become %s", number,
                       state_names[from], state_names[step->to]);
    struct LogRow row = {
        .type = LOG_FAULT,
        .run = step->id >> 32,
        .at = step->at,
        .fault = number,
        .subject = host,
        .text = arena_printf(arena, "%s%s%s", step->stays ? "ended early" : state_names[to],
                             step->why != NULL ? ": " : "", step->why != NULL ? step->why : ""),
    };
    return update_fault(store, step, to, err) && log_append(store, &row, err);
}

static bool advance(struct Store *store, const struct Advance *step, struct Err *err)
{
    if (!change_begin(store, err))
        return false;
    struct Arena *arena = arena_new("advance", STORE_ARENA_BYTES);
    struct Advance clean = *step;
    struct Buf why = BUF(STORE_ARENA_BYTES / 4);
    if (step->why != NULL) { /* hosts' words, which may hold a secret that was sent to them */
        redact(step->why, &why);
        clean.why = why.text;
    }
    bool ok = change_end(store, advance_inside(store, &clean, arena, err), err);
    buf_free(&why);
    arena_free(arena);
    return ok;
}

bool undolog_armed(struct Store *store, uint32_t number, const char *boot_id, struct Mono at,
                   struct Wall wall, struct Err *err)
{
    struct Advance step = {.id = fault_id(store, number),
                           .to = FAULT_ARMED,
                           .at = at,
                           .acts_by = wall.ns,
                           .boot_id = boot_id};
    return advance(store, &step, err);
}

const struct Armed *undolog_injecting(struct Store *store, uint32_t number,
                                      const struct Guarded *guarded, struct Mono at,
                                      struct Err *err)
{
    /* Sent no earlier than this; undolog_in_effect() knows it better. */
    struct Advance step = {
        .id = fault_id(store, number), .to = FAULT_INJECTING, .at = at, .sent = at.ns};
    if (!advance(store, &step, err))
        return NULL;
    struct Armed *armed = arena_zero(store->arena, 1, sizeof(*armed));
    *armed = (struct Armed){.number = number, .guarded = guarded};
    return armed;
}

const struct Guarded *armed_guard(const struct Armed *armed)
{
    return armed->guarded;
}

bool undolog_in_effect(struct Store *store, uint32_t number, struct Moment t0, struct Err *err)
{
    struct Advance step = {.id = fault_id(store, number),
                           .to = FAULT_IN_EFFECT,
                           .at = t0.high,
                           .sent = t0.low.ns,
                           .proven = t0.high.ns};
    return advance(store, &step, err);
}

bool undolog_ended_early(struct Store *store, uint32_t number, struct Mono at, struct Err *err)
{
    struct Advance step = {.id = fault_id(store, number),
                           .to = FAULT_IN_EFFECT,
                           .at = at,
                           .ended_early = at.ns,
                           .stays = true};
    return advance(store, &step, err);
}

bool undolog_undoing(struct Store *store, uint32_t number, struct Mono at, struct Err *err)
{
    struct Advance step = {
        .id = fault_id(store, number), .to = FAULT_UNDOING, .at = at, .undo_sent = at.ns};
    return advance(store, &step, err);
}

bool undolog_clear(struct Store *store, uint32_t number, struct Moment undone, struct Err *err)
{
    struct Advance step = {.id = fault_id(store, number),
                           .to = FAULT_CLEAR,
                           .at = undone.high,
                           .undo_sent = undone.low.ns,
                           .undone = undone.high.ns};
    return advance(store, &step, err);
}

bool undolog_unknown(struct Store *store, uint32_t number, const char *why, struct Mono at,
                     struct Err *err)
{
    struct Advance step = {
        .id = fault_id(store, number), .to = FAULT_UNKNOWN, .at = at, .why = why};
    return advance(store, &step, err);
}

bool undolog_close_by_hand(struct Store *store, const struct ByHand *closed, struct Err *err)
{
    int64_t run = 0;
    if (!run_key(store, closed->run, &run, err))
        return false;
    struct Advance step = {.id = row_id(run, closed->number),
                           .to = closed->clear ? FAULT_CLEAR : FAULT_UNKNOWN,
                           .closed = closed->at.ns,
                           .why = closed->why != NULL ? closed->why : ""};
    return advance(store, &step, err);
}
