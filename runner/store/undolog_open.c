/* undolog_open.c - what may still be in effect, with all that undoing it needs; where runs were. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "../schema/decode.h"
#include "inside.h"

static const struct TransportKind *find_reach(const struct Kinds *kinds, const char *name)
{
    for (size_t i = 0; kinds->transports[i] != NULL; i++) {
        if (text_equal(kinds->transports[i]->name, name))
            return kinds->transports[i];
    }
    return NULL;
}

/* NULL where this version cannot read it: the fault is listed all the same. */
static const void *read_config(const struct TransportKind *reach, const char *text,
                               struct Arena *arena)
{
    struct Problems *problems = problems_new();
    const struct Document *document =
        document_parse("undo log", text, strlen(text), arena, problems);
    void *config = arena_zero(arena, 1, reach->config.size);
    struct Decode decode = {.arena = arena, .problems = problems};
    if (document->root == NULL || !decode_record(&decode, document->root, &reach->config, config))
        config = NULL;
    problems_free(problems);
    return config;
}

static enum FaultClass class_stored(const char *letter)
{
    static const enum FaultClass classes[] = {CLASS_KERNEL, CLASS_PROCESS, CLASS_REBOOT};
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (letter[0] == fault_class_letter(classes[i]))
            return classes[i];
    }
    return CLASS_STICKY; /* the one that is not waited for */
}

/* Its columns: host, address, host_key, machine_id, reach, reach_config. */
static void read_target(struct Query *query, const struct Kinds *kinds, struct Arena *arena,
                        struct Target *out, const char **reach_name, const char **reach_text)
{
    out->name = row_text(query, arena);
    out->address = row_text(query, arena);
    out->host_key = row_text(query, arena);
    out->machine_id = row_text(query, arena);
    *reach_name = row_text(query, arena);
    *reach_text = row_text(query, arena);
    const struct TransportKind *reach = find_reach(kinds, *reach_name);
    out->reach_config = reach != NULL ? read_config(reach, *reach_text, arena) : NULL;
    out->reach = out->reach_config != NULL ? reach : NULL;
}

static void read_fault(struct Query *query, const struct Kinds *kinds, struct Arena *arena,
                       struct OpenFault *out)
{
    out->run = row_text(query, arena);
    out->environment = row_text(query, arena);
    out->scenario = row_text(query, arena);
    out->number = (uint32_t)row_int(query);
    out->state = state_stored(row_text(query, arena));
    out->step = row_text(query, arena);
    out->ends_by = class_stored(row_text_or(query, arena, ""));
    out->undo = row_text(query, arena);
    out->all_clear = row_text(query, arena);
    out->boot_id = row_text(query, arena);
    out->acts_by.ns = row_int(query);
    read_target(query, kinds, arena, &out->target, &out->reach, &out->reach_text);
    out->host = out->target.name;
    out->seat = row_text(query, arena);
    out->strikes = row_text_or(query, arena, "")[0] != '\0';
    out->returned = row_text(query, arena);
}

bool undolog_open(struct Store *store, const struct Kinds *kinds, const char *run,
                  struct Arena *arena, struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store,
        "SELECT r.id, environment, scenario, f.id & 4294967295, state, step, ends_by, undo,"
        " all_clear, boot_id, acts_by, host, address, host_key, machine_id, reach,"
        " reach_config, seat, strike, returned FROM faults f JOIN runs r ON r.key = f.id >> 32"
        " WHERE state <> 'CLEAR' AND (?1 IS NULL OR r.id = ?1) ORDER BY f.id");
    query_text(&query, run);
    struct List faults = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW)
        read_fault(&query, kinds, arena, list_add(&faults, arena, sizeof(struct OpenFault)));
    if (step == STEP_END)
        *out = faults;
    return step == STEP_END;
}

/* A pod's row has a seat and nothing to return: its name does not outlive it. */
bool undolog_hosts(struct Store *store, const struct Kinds *kinds, const char *environment,
                   struct Arena *arena, struct List *out, struct Err *err)
{
    struct Query query = query_begin(
        store, "SELECT r.id, sum(state <> 'CLEAR'), host, address, host_key, machine_id, reach,"
               " reach_config, max(f.id) FROM faults f JOIN runs r ON r.key = f.id >> 32"
               " WHERE environment = ? AND (seat IS NULL OR returned IS NOT NULL)"
               " GROUP BY host, address ORDER BY host, max(f.id) DESC");
    query_text(&query, environment);
    struct List hosts = {.items = NULL};
    enum Step step;
    while ((step = query_step(&query, err)) == STEP_ROW) {
        struct KeptHost *host = list_add(&hosts, arena, sizeof *host);
        host->run = row_text(&query, arena);
        host->open_faults = row_int(&query);
        read_target(&query, kinds, arena, &host->target, &host->reach, &host->reach_text);
    }
    if (step == STEP_END)
        *out = hosts;
    return step == STEP_END;
}
