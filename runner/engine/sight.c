/* sight.c - what the systems of the roles say, asked all through a run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sight_parts.h"

#define ASK_EVERY_NS (250 * NS_PER_MS)
#define ASK_TIMEOUT_NS (1 * NS_PER_S)

enum { MOVES_MOST = 64 };

/* One that leads since the fault was sent, and did not before. */
static void move_to(struct SightRole *role, struct Mono answered)
{
    if (role->seen.failed_over_high.ns == 0) {
        role->seen.failed_over_low = role->last_old;
        role->seen.failed_over_high = answered;
    }
    if (role->moves.count < MOVES_MOST)
        *(struct RunMove *)list_add(&role->moves, role->sight->arena, sizeof(struct RunMove)) =
            (struct RunMove){.role = role->role->name,
                             .host = role->primary->name,
                             .low = role->last_old,
                             .high = answered};
}

static void standing_done(void *data, const struct Standing *standing)
{
    struct SightRole *role = data;
    struct Sight *sight = role->sight;
    bool leads = standing->rank == RANK_PRIMARY && standing->writable != KNOWN_NO;
    bool before = sight->fault.ns == 0 || mono_before(role->control_asked, sight->fault);
    role->asking_standing = false;
    if (!leads) { /* named, but not yet a primary that takes writes: not failed over by then */
        if (sight->fault.ns != 0 && standing->rank != RANK_UNKNOWN)
            role->last_old = role->control_asked;
        return;
    }
    role->primary = role->named;
    if (before)
        role->before = role->primary;
    else if (!sight_back_leads(role, standing->answered) && role->primary != role->leader)
        move_to(role, standing->answered);
    role->leader = role->primary;
    role->last_old = role->control_asked;
}

static void control_done(void *data, const struct Standing *standing)
{
    struct SightRole *role = data;
    role->asking_control = false;
    if (standing->rank != RANK_PRIMARY || standing->host == NULL || role->asking_standing)
        return;
    struct Sight *sight = role->sight;
    if (sight->fault.ns != 0 && standing->host == role->leader)
        role->last_old = role->control_asked; /* the control plane still named that one */
    role->named = standing->host;
    role->asking_standing = true;
    role->role->system->ask_standing(role->system, role->named,
                                     mono_add(mono_now(), ASK_TIMEOUT_NS), standing_done, role);
}

static void detected_done(void *data, enum Known detected)
{
    struct SightRole *role = data;
    role->asking_detected = false;
    if (role->back_sent.ns != 0)
        return;
    if (role->sight->fault.ns == 0 || mono_before(role->detected_asked, role->sight->fault) ||
        detected == KNOWN_NO)
        role->last_undetected = role->detected_asked;
    else if (detected == KNOWN_YES && role->seen.detected_high.ns == 0) {
        role->seen.detected_low = role->last_undetected;
        role->seen.detected_high = mono_now();
    }
}

/* Redundant again: whole, asked after the undo was sent (or after the fault where nothing is
 * undone), and not lacking since. */
static void redundancy_done(void *data, const struct Redundancy *redundancy)
{
    struct SightRole *role = data;
    struct Sight *sight = role->sight;
    role->asking_redundancy = false;
    if (sight->fault.ns != 0 && mono_before(role->redundancy_asked, sight->fault))
        return; /* from before the fault: says nothing about after it */
    role->redundancy_seen = true;
    snprintf(role->why, sizeof role->why, "%s", redundancy->why ? redundancy->why : "");
    if (sight_back_whole(role, redundancy->complete))
        return;
    role->whole = redundancy->complete;
    if (sight->fault.ns == 0) {
        role->was_whole = role->was_whole || redundancy->complete == KNOWN_YES;
        return;
    }
    if (redundancy->complete != KNOWN_YES) {
        role->last_lacking = role->redundancy_asked;
        if (sight->back.ns == 0)
            role->seen.redundant_low = role->seen.redundant_high = (struct Mono){0};
    } else if (role->seen.redundant_high.ns == 0 && sight->undo.ns != 0 &&
               !mono_before(role->redundancy_asked, sight->undo)) {
        role->seen.redundant_low =
            mono_before(role->last_lacking, sight->undo) ? sight->undo : role->last_lacking;
        role->seen.redundant_high = mono_now();
    }
}

struct Sight *sight_open(const struct Plan *plan, struct Loop *loop, struct Arena *arena,
                         struct Err *err)
{
    struct Sight *sight = arena_zero(arena, 1, sizeof *sight);
    sight->arena = arena;
    const struct Role *roles = plan->environment->roles.items;
    const struct Foresight *foresights = plan->foresights.items;
    const struct BoundProbe *probes = plan->probes.items;
    sight->roles = arena_zero(arena, plan->environment->roles.count + 1, sizeof *sight->roles);
    for (size_t at = 0; at < plan->environment->roles.count; at++) {
        const struct Foresight *foresight = NULL;
        bool used = false;
        for (size_t row = 0; row < plan->foresights.count; row++)
            if (foresights[row].role == &roles[at])
                foresight = &foresights[row];
        for (size_t row = 0; row < plan->probes.count; row++)
            used = used || probes[row].role == &roles[at];
        if (roles[at].system == NULL || (!used && foresight == NULL))
            continue;
        struct SightRole *role = &sight->roles[sight->count];
        *role = (struct SightRole){.sight = sight, .role = &roles[at]};
        role->seen.role = roles[at].name;
        role->seen.system = roles[at].system->name;
        role->seen.expected = foresight ? foresight->failover : (struct Span){0, NS_NEVER};
        struct Buf knobs = BUF(1000);
        const struct Knob *knob = foresight ? foresight->knobs.items : NULL;
        for (size_t row = 0; foresight && row < foresight->knobs.count; row++)
            buf_printf(&knobs, "%s%s %s", row ? ", " : "", knob[row].name, knob[row].value);
        role->seen.knobs = arena_text(arena, knobs.text);
        buf_free(&knobs);
        role->system = roles[at].system->open(roles[at].system_config, &roles[at], loop, err);
        if (role->system == NULL) {
            sight_close(sight);
            return NULL;
        }
        sight->count++;
    }
    return sight;
}

static void ask(struct SightRole *role, struct Mono now)
{
    const struct SystemKind *kind = role->role->system;
    struct Mono deadline = mono_add(now, ASK_TIMEOUT_NS);
    if (kind->ask_control != NULL && !role->asking_control && !role->asking_standing &&
        role->ranking.pending == 0) {
        role->asking_control = true;
        role->control_asked = now;
        kind->ask_control(role->system, deadline, control_done, role);
    }
    if (kind->ask_detected != NULL && !role->asking_detected) {
        role->asking_detected = true;
        role->detected_asked = now;
        kind->ask_detected(role->system, deadline, detected_done, role);
    }
    if (!role->asking_redundancy) {
        role->asking_redundancy = true;
        role->redundancy_asked = now;
        kind->ask_redundancy(role->system, deadline, redundancy_done, role);
    }
}

void sight_tick(struct Sight *sight, struct Mono now)
{
    if (sight->asked.ns != 0 && mono_since(sight->asked, now) < ASK_EVERY_NS)
        return;
    sight->asked = now;
    for (size_t at = 0; at < sight->count; at++)
        ask(&sight->roles[at], now);
}

void sight_fault(struct Sight *sight, struct Mono sent)
{
    if (sight->fault.ns != 0)
        return;
    sight->fault = sent;
    for (size_t at = 0; at < sight->count; at++)
        sight->roles[at].last_lacking = sent;
}

void sight_undo(struct Sight *sight, struct Mono sent)
{
    sight->undo = sent;
    for (size_t at = 0; at < sight->count; at++)
        sight->roles[at].seen.redundant_low = sight->roles[at].seen.redundant_high =
            (struct Mono){0};
}

bool sight_answered(const struct Sight *sight)
{
    for (size_t at = 0; at < sight->count; at++)
        if (!sight->roles[at].redundancy_seen || sight->roles[at].primary == NULL)
            return false;
    return true;
}

bool sight_whole(const struct Sight *sight)
{
    for (size_t at = 0; at < sight->count; at++) {
        const struct SightRole *role = &sight->roles[at];
        bool needed = sight->fault.ns == 0 || role->was_whole;
        if (needed && role->whole != KNOWN_YES)
            return false;
        if (needed && sight->undo.ns != 0 && role->seen.redundant_high.ns == 0)
            return false;
    }
    return true;
}

const char *sight_lacking(const struct Sight *sight)
{
    for (size_t at = 0; at < sight->count; at++) {
        if (sight->roles[at].primary == NULL)
            return "nobody is known to be primary";
        if (sight->roles[at].whole != KNOWN_YES)
            return sight->roles[at].why[0] ? sight->roles[at].why : "redundancy is not whole";
    }
    return "";
}

const struct Target *sight_primary(const struct Sight *sight, const struct Role *role)
{
    const struct SightRole *row = sight_role(sight, role);
    return row ? row->primary : NULL;
}

bool sight_failed_over(const struct Sight *sight, const struct Role *role)
{
    const struct SightRole *row = sight_role(sight, role);
    return row != NULL && row->seen.failed_over_high.ns != 0;
}

void sight_failover(struct Sight *sight, const struct Role *role, const struct FailoverWish *wish,
                    struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    struct SightRole *row = sight_role(sight, role);
    if (row == NULL || role->system->failover == NULL)
        done(data, KNOWN_NO, "its system has no failover");
    else
        role->system->failover(row->system, wish, deadline, done, data);
}

void sight_snapshot(struct Sight *sight, const struct Role *role, const struct Target *host,
                    struct Mono deadline,
                    void (*done)(void *data, enum Known saved, const char *why), void *data)
{
    struct SightRole *row = sight_role(sight, role);
    if (row == NULL || role->system->snapshot == NULL)
        done(data, KNOWN_NO, "its system takes no snapshots");
    else
        role->system->snapshot(row->system, host, deadline, done, data);
}

static void rank_done(void *data, const struct Standing *standing)
{
    struct RankAsked *asked = data;
    struct Ranking *ranking = asked->ranking;
    ranking->ranks[asked->at] = standing->rank;
    if (--ranking->pending == 0)
        ranking->done(ranking->data);
}

/* Its questions, the census too; it asks anew. */
static void forget(struct SightRole *row)
{
    row->role->system->cancel(row->system);
    row->asking_control = row->asking_standing = row->asking_detected = row->asking_redundancy =
        false;
    row->ranking.pending = 0;
}

void sight_drop(struct Sight *sight, const struct Role *role)
{
    struct SightRole *row = sight_role(sight, role);
    if (row != NULL)
        forget(row);
}

void sight_ranks(struct Sight *sight, const struct Role *role, struct Mono deadline,
                 enum Rank *ranks, void (*done)(void *data), void *data)
{
    struct SightRole *row = sight_role(sight, role);
    for (size_t at = 0; at < role->host_count; at++)
        ranks[at] = RANK_UNKNOWN;
    if (row == NULL) {
        done(data);
        return;
    }
    /* One question of a kind and host at a time: the census of this role pauses meanwhile. */
    if (row->asking_control || row->asking_standing || row->ranking.pending > 0)
        forget(row);
    row->ranking = (struct Ranking){
        .role = row, .ranks = ranks, .pending = role->host_count, .done = done, .data = data};
    struct RankAsked *asked = arena_zero(sight->arena, role->host_count, sizeof *asked);
    for (size_t at = 0; at < role->host_count; at++) {
        asked[at] = (struct RankAsked){.ranking = &row->ranking, .at = at};
        role->system->ask_standing(row->system, role->hosts[at], deadline, rank_done, &asked[at]);
    }
}

size_t sight_count(const struct Sight *sight)
{
    return sight->count;
}

struct RunSystem sight_system(const struct Sight *sight, size_t index)
{
    const struct SightRole *role = &sight->roles[index];
    struct RunSystem seen = role->seen;
    seen.redundancy_was_whole = role->was_whole;
    seen.primary_before = role->before ? role->before->name : NULL;
    if (seen.primary_after == NULL) /* else before it was given back */
        seen.primary_after = role->primary ? role->primary->name : NULL;
    return seen;
}

const struct List *sight_moves(const struct Sight *sight, size_t index)
{
    return &sight->roles[index].moves;
}

void sight_close(struct Sight *sight)
{
    for (size_t at = 0; sight != NULL && at < sight->count; at++)
        sight->roles[at].role->system->close(sight->roles[at].system);
}
