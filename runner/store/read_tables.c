/* read_tables.c - what a run consists of: hosts, probes, expectations, faults, events, systems. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "inside.h"

/* One kind of row of a run: appended to `out` by `read`. */
struct Part {
    const char *sql; /* ?1 = the first id of the run, ?2 = its last */
    size_t size;
    void (*read)(struct Query *query, struct Arena *arena, void *item);
};

static bool read_part(struct Store *store, int64_t key, const struct Part *part,
                      struct Arena *arena, struct List *out, struct Err *err)
{
    struct Query query = query_begin(store, part->sql);
    query_int(&query, row_id(key, 0));
    query_int(&query, row_id(key, UINT32_MAX));
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW)
        part->read(&query, arena, list_add(out, arena, part->size));
    return step == STEP_END;
}

static void read_host(struct Query *query, struct Arena *arena, void *item)
{
    *(const char **)item = row_text(query, arena);
}

static const struct Part hosts_part = {
    .sql = "SELECT name FROM hosts WHERE id BETWEEN ? AND ? ORDER BY id",
    .size = sizeof(const char *),
    .read = read_host,
};

static void read_probe(struct Query *query, struct Arena *arena, void *item)
{
    struct RunProbe *probe = item;
    probe->name = row_text(query, arena);
    probe->kind = row_text(query, arena);
    probe->asks = row_text(query, arena);
    probe->role = row_text(query, arena);
    probe->from = row_text(query, arena);
    probe->interval_ns = row_int(query);
    probe->timeout_ns = row_int(query);
    probe->under_ns = row_int(query);
    probe->hold_ns = row_int(query);
    probe->gap_ns = row_int(query);
    probe->is_ledger = row_int(query) != 0;
    probe->is_primary = row_int(query) != 0;
    probe->is_alert = text_equal(probe->kind, "alert");
    probe->control = row_int(query) != 0;
}

static const struct Part probes_part = {
    .sql = "SELECT name, kind, asks, role, from_host, interval_ns, timeout_ns, under_ns, hold_ns,"
           " gap_ns, is_ledger, is_primary, control FROM probes WHERE id BETWEEN ? AND ?"
           " ORDER BY id",
    .size = sizeof(struct RunProbe),
    .read = read_probe,
};

static void read_known(struct Query *query, struct Arena *arena, void *item)
{
    (void)arena;
    int64_t stored = row_int(query);
    *(enum Known *)item =
        stored == KNOWN_NO || stored == KNOWN_YES ? (enum Known)stored : KNOWN_UNKNOWN;
}

static const struct Part read_back_part = {
    .sql = "SELECT read_back FROM probes WHERE id BETWEEN ? AND ? ORDER BY id",
    .size = sizeof(enum Known),
    .read = read_known,
};

static void read_expectation(struct Query *query, struct Arena *arena, void *item)
{
    struct RunExpectation *expectation = item;
    expectation->probe = row_text(query, arena);
    expectation->word = row_text(query, arena);
    expectation->limit = row_int(query);
    expectation->limit_is_duration = row_int(query) != 0;
    expectation->text = row_text(query, arena);
}

static const struct Part expectations_part = {
    .sql = "SELECT probe, word, bound, is_duration, text FROM expectations WHERE id BETWEEN ? AND ?"
           " ORDER BY id",
    .size = sizeof(struct RunExpectation),
    .read = read_expectation,
};

static void read_fault(struct Query *query, struct Arena *arena, void *item)
{
    struct RunFault *fault = item;
    fault->number = (uint32_t)row_int(query);
    fault->step = row_text(query, arena);
    fault->kind = row_text(query, arena);
    fault->host = row_text(query, arena);
    fault->role = row_text(query, arena);
    fault->t0.low.ns = row_int(query);
    fault->t0.high.ns = row_int(query);
    fault->undone.low.ns = row_int(query);
    fault->undone.high.ns = row_int(query);
    fault->ended_early.ns = row_int(query);
    fault->class_letter = row_text_or(query, arena, "S")[0];
    fault->clear = state_stored(row_text(query, arena)) == FAULT_CLEAR;
    fault->proof = row_text(query, arena);
    fault->undo_text = row_text(query, arena);
    fault->apply_text = row_text(query, arena);
    fault->stays = row_text(query, arena);
    char acts_by[48];
    wall_local((struct Wall){.ns = row_int(query)}, acts_by);
    fault->guard_acts_by = arena_text(arena, acts_by);
    fault->together = (uint32_t)row_int(query);
}

static const struct Part faults_part = {
    .sql = "SELECT id & 4294967295, step, kind, host, role, sent, proven, undo_sent, undone,"
           " ended_early, ends_by, state, proof, undo, apply, stays, acts_by, together FROM faults"
           " WHERE id BETWEEN ? AND ? AND kind <> 'lock' ORDER BY id",
    .size = sizeof(struct RunFault),
    .read = read_fault,
};

static void read_event(struct Query *query, struct Arena *arena, void *item)
{
    struct RunEvent *event = item;
    event->at.ns = row_int(query);
    event->subject = row_text(query, arena);
    event->text = row_text(query, arena);
}

static const struct Part events_part = {
    .sql = "SELECT at, subject, text FROM log WHERE id BETWEEN ? AND ? AND type = 'event'"
           " ORDER BY id",
    .size = sizeof(struct RunEvent),
    .read = read_event,
};

static void read_system(struct Query *query, struct Arena *arena, void *item)
{
    struct RunSystem *system = item;
    system->role = row_text(query, arena);
    system->system = row_text(query, arena);
    system->detected_low.ns = row_int(query);
    system->detected_high.ns = row_int(query);
    system->failed_over_low.ns = row_int(query);
    system->failed_over_high.ns = row_int(query);
    system->redundant_low.ns = row_int(query);
    system->redundant_high.ns = row_int(query);
    system->redundancy_was_whole = row_int(query) != 0;
    system->primary_before = row_text(query, arena);
    system->primary_after = row_text(query, arena);
    system->expected.low_ns = row_int(query);
    system->expected.high_ns = row_int(query);
    system->knobs = row_text(query, arena);
}

static const struct Part systems_part = {
    .sql = "SELECT role, system, detected_low, detected_high, failed_over_low, failed_over_high,"
           " redundant_low, redundant_high, redundancy_was_whole, primary_before, primary_after,"
           " expected_low, expected_high, knobs FROM systems"
           " WHERE run BETWEEN ? >> 32 AND ? >> 32 ORDER BY rowid",
    .size = sizeof(struct RunSystem),
    .read = read_system,
};

static void read_move(struct Query *query, struct Arena *arena, void *item)
{
    struct RunMove *move = item;
    move->role = row_text(query, arena);
    move->host = row_text(query, arena);
    move->low.ns = row_int(query);
    move->high.ns = row_int(query);
}

static const struct Part moves_part = {
    .sql = "SELECT role, host, low, high FROM moves WHERE run BETWEEN ? >> 32 AND ? >> 32"
           " ORDER BY role, number",
    .size = sizeof(struct RunMove),
    .read = read_move,
};

static void read_switch_back(struct Query *query, struct Arena *arena, void *item)
{
    struct RunSwitchBack *back = item;
    back->role = row_text(query, arena);
    back->to = row_text(query, arena);
    back->asked.ns = row_int(query);
    back->leads.low.ns = row_int(query);
    back->leads.high.ns = row_int(query);
    back->whole.low.ns = row_int(query);
    back->whole.high.ns = row_int(query);
    back->lost_again = (uint32_t)row_int(query);
    back->refused = row_int(query) != 0;
    back->why = row_text(query, arena);
    back->last = row_text(query, arena);
}

static const struct Part switch_backs_part = {
    .sql = "SELECT role, host, asked, leads_low, leads_high, whole_low, whole_high, lost_again, "
           "refused,"
           " why, last FROM switch_backs WHERE run BETWEEN ? >> 32 AND ? >> 32 ORDER BY role",
    .size = sizeof(struct RunSwitchBack),
    .read = read_switch_back,
};

static void read_figure(struct Query *query, struct Arena *arena, void *item)
{
    struct RunFigure *figure = item;
    figure->name = row_text(query, arena);
    figure->type = row_text(query, arena);
    figure->value.low_ns = row_int(query);
    figure->value.high_ns = row_int(query);
    figure->text = row_text(query, arena);
    figure->equal = (enum Known)row_int(query);
}

static const struct Part figures_part = {
    .sql = "SELECT name, type, low, high, text, equal FROM figures"
           " WHERE run BETWEEN ? >> 32 AND ? >> 32 ORDER BY rowid",
    .size = sizeof(struct RunFigure),
    .read = read_figure,
};

static void read_note(struct Query *query, struct Arena *arena, void *item)
{
    struct RunNote *note = item;
    note->at.low.ns = row_int(query);
    note->at.high.ns = row_int(query);
    note->who = row_text(query, arena);
    note->type = row_text(query, arena);
    note->text = row_text(query, arena);
}

/* By the run's own clock. */
static const struct Part notes_part = {
    .sql = "SELECT mono_started + at_low - started, mono_started + at_high - started, n.who, type,"
           " n.text FROM notes n JOIN runs r ON r.key = n.run JOIN details d ON d.run = r.key"
           " WHERE n.run BETWEEN ? >> 32 AND ? >> 32 ORDER BY at_low, n.key",
    .size = sizeof(struct RunNote),
    .read = read_note,
};

bool read_tables(struct Store *store, int64_t key, struct Arena *arena, struct RunRecord *run,
                 struct Err *err)
{
    struct List hosts = {.items = NULL};
    struct List probes = hosts, read_back = hosts, expectations = hosts;
    struct List faults = hosts, events = hosts, systems = hosts, figures = hosts;
    struct List notes = hosts, moves = hosts, backs = hosts;
    if (!read_part(store, key, &hosts_part, arena, &hosts, err) ||
        !read_part(store, key, &probes_part, arena, &probes, err) ||
        !read_part(store, key, &read_back_part, arena, &read_back, err) ||
        !read_part(store, key, &expectations_part, arena, &expectations, err) ||
        !read_part(store, key, &faults_part, arena, &faults, err) ||
        !read_part(store, key, &events_part, arena, &events, err) ||
        !read_part(store, key, &systems_part, arena, &systems, err) ||
        !read_part(store, key, &moves_part, arena, &moves, err) ||
        !read_part(store, key, &switch_backs_part, arena, &backs, err) ||
        !read_part(store, key, &figures_part, arena, &figures, err) ||
        !read_part(store, key, &notes_part, arena, &notes, err))
        return false;
    run->hosts = hosts.items;
    run->host_count = hosts.count;
    run->probes = probes.items;
    run->probe_count = probes.count;
    run->read_back = read_back.items;
    run->expectations = expectations.items;
    run->expectation_count = expectations.count;
    run->faults = faults.items;
    run->fault_count = faults.count;
    run->events = events.items;
    run->event_count = events.count;
    run->systems = systems.items;
    run->system_count = systems.count;
    run->moves = moves.items;
    run->move_count = moves.count;
    run->switch_backs = backs.items;
    run->switch_back_count = backs.count;
    run->figures = figures.items;
    run->figure_count = figures.count;
    run->notes = notes.items;
    run->note_count = notes.count;
    return true;
}
