/* store_writer.c - writes two runs, saying what was acknowledged; checks that none is lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "../unit/store_fixture.h"
#include "store_power.h"

/* usage: store_writer write FOLDER              acknowledgements go to stdout, a line each
 *        store_writer check FOLDER < ACKED      exit 0, 1 = lost, 2 = corrupt
 *        store_writer power FOLDER POINT SEED   as write, in a power cut at the POINT-th write or
 * sync */

enum { EVENTS = 12, SAMPLES = 20 };
static const char *const plans[] = {"{\"plan\": 1}", "{\"plan\": 2, \"longer\": true}"};

/* ---- Write ---- */

struct Writer {
    struct Fixture f;
    struct Store *store;
};

/* One write(2) a line, after the call has returned. */
static void tell(struct Writer *writer, bool done, const char *what, int number)
{
    char line[512];
    int size =
        done ? snprintf(line, sizeof(line), "%s %d\n", what, number)
             : snprintf(line, sizeof(line), "no %s %d: %s\n", what, number, writer->f.err.message);
    if (write(STDOUT_FILENO, line, (size_t)size) != size)
        _exit(9);
}

static struct Sample make_sample(uint32_t sequence)
{
    struct Mono at = {FIXTURE_MONO + sequence * 1000LL};
    return (struct Sample){
        .sequence = sequence, .intended = at, .started = at, .ended = mono_add(at, sequence)};
}

static void write_fault(struct Writer *writer, uint32_t number, bool to_the_end)
{
    struct Fixture *f = &writer->f;
    struct Store *store = writer->store;
    char what[] = "fault1";
    what[5] = (char)('0' + number);
    struct Moment moment = {{7}, {8}};
    tell(writer, fixture_arm(f, store, number), what, FAULT_ARMING);
    tell(writer, undolog_armed(store, number, NULL, (struct Mono){5}, (struct Wall){6}, &f->err),
         what, FAULT_ARMED);
    tell(writer, undolog_injecting(store, number, NULL, (struct Mono){7}, &f->err) != NULL, what,
         FAULT_INJECTING);
    tell(writer, undolog_in_effect(store, number, moment, &f->err), what, FAULT_IN_EFFECT);
    tell(writer, undolog_undoing(store, number, (struct Mono){9}, &f->err), what, FAULT_UNDOING);
    if (to_the_end)
        tell(writer, undolog_clear(store, number, moment, &f->err), what, FAULT_CLEAR);
}

static void write_first(struct Writer *writer)
{
    struct Fixture *f = &writer->f;
    struct Store *store = writer->store;
    struct LockRow lock = {.environment = "staging", .run = "01first", .who = "ana"};
    tell(writer, store_lock(store, &lock, &f->err), "lock", 1);
    bool begun = fixture_begin(f, store, "01first");
    tell(writer, begun, "begin", 1);
    if (!begun)
        return;
    for (int i = 1; i <= EVENTS; i++) {
        char text[32];
        snprintf(text, sizeof(text), "event %d", i);
        tell(writer, store_event(store, (struct Mono){i}, "db-1", text, &f->err), "event", i);
        for (int k = 0; k < SAMPLES; k++) {
            struct Sample sample = make_sample((uint32_t)((i - 1) * SAMPLES + k));
            store_sample(store, &sample);
        }
        tell(writer, store_flush(store, &f->err), "flush", i);
        if (i % 4 == 0)
            tell(writer, store_plan_save(store, &f->plan, plans[i / 8], &f->err), "plan", i / 8);
    }
    write_fault(writer, 1, true);
    write_fault(writer, 2, true);
    tell(writer, store_run_mark(store, "settled", (struct Mono){77}, &f->err), "mark", 1);
    tell(writer, store_request_halt(store, "01first", "why", "bo", &f->err), "halt", 1);
    tell(writer, fixture_end(f, store, VERDICT_PASS), "end", 1);
    tell(writer, store_unlock(store, "01first", &f->err), "unlock", 1);
}

/* Left open, as by a runner that dies. */
static void write_second(struct Writer *writer)
{
    struct Fixture *f = &writer->f;
    struct LockRow lock = {.environment = "staging", .run = "01second", .who = "ana"};
    tell(writer, store_lock(writer->store, &lock, &f->err), "lock", 2);
    bool begun = fixture_begin(f, writer->store, "01second");
    tell(writer, begun, "begin", 2);
    if (begun)
        write_fault(writer, 1, false);
}

static int write_runs(const char *folder)
{
    static struct Writer writer; /* large */
    for (int part = 1; part <= 2; part++) {
        writer.store = store_open(folder, &writer.f.err);
        tell(&writer, writer.store != NULL, "open", part);
        if (writer.store == NULL)
            return 0;
        if (part == 1)
            write_first(&writer);
        else
            write_second(&writer);
        store_close(writer.store);
    }
    return 0;
}

/* ---- Check ---- */

struct Acked {
    int lock, begin, event, flush, plan, fault1, fault2, mark, halt, end, unlock;
    int fault_of_second;
    bool begun[3], events[EVENTS + 1];
    int refused;  /* lines that begin with "no" */
    bool broken;  /* the disk failed: nothing may be acknowledged until the next open */
    bool trusted; /* and yet something was */
};

static void read_refusal(struct Acked *acked, const char *line)
{
    acked->refused++;
    if (strncmp(line, "no plan", 7) != 0 && strstr(line, "cannot be read or written") != NULL)
        acked->broken = true;
}

static void read_acked(struct Acked *acked)
{
    char line[512];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char what[16] = "";
        int number = 0;
        if (strncmp(line, "no ", 3) == 0)
            read_refusal(acked, line);
        if (sscanf(line, "%15s %d", what, &number) != 2)
            continue;
        if (strcmp(what, "open") == 0)
            acked->broken = false;
        if (strcmp(what, "begin") == 0 && number <= 2)
            acked->begun[number] = true;
        if (strcmp(what, "event") == 0 && number <= EVENTS)
            acked->events[number] = true;
        acked->trusted = acked->trusted || (acked->broken && strcmp(what, "plan") != 0);
        bool first = acked->begin < 2;
        struct {
            const char *name;
            int *to;
        } const rows[] = {
            {"lock", &acked->lock},
            {"begin", &acked->begin},
            {"event", &acked->event},
            {"flush", &acked->flush},
            {"plan", &acked->plan},
            {"mark", &acked->mark},
            {"halt", &acked->halt},
            {"end", &acked->end},
            {"unlock", &acked->unlock},
            {"fault2", &acked->fault2},
            {"fault1", first ? &acked->fault1 : &acked->fault_of_second},
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            if (strcmp(rows[i].name, what) == 0)
                *rows[i].to = number;
        }
    }
}

static int say(int status, const char *what, const char *detail)
{
    printf("%s: %s %s\n", status == 1 ? "lost" : "corrupt", what, detail);
    return status;
}

static int check_whole(const char *folder)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/history.db", folder);
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int status = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        status = say(2, "integrity_check", sqlite3_errmsg(db));
    else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
        status = say(2, "integrity_check", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return status;
}

static int check_plan(const char *folder, const struct Acked *acked, bool asked)
{
    char path[512];
    char text[64] = "";
    snprintf(path, sizeof(path), "%s/plans/01first.json", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return asked ? say(1, "plan", "is not there") : 0;
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    if (strcmp(text, plans[1]) == 0 || (acked->plan <= 0 && strcmp(text, plans[0]) == 0))
        return 0;
    return say(acked->plan <= 0 ? 2 : 1, "plan", text);
}

/* The state of a fault as far as its times and its being open tell. */
static int state_of(struct Fixture *f, struct Store *store, const char *run, uint32_t number)
{
    struct List open;
    must(f, undolog_open(store, &fake_kinds, run, f->arena, &open, &f->err));
    const struct OpenFault *faults = open.items;
    for (size_t i = 0; i < open.count; i++) {
        if (faults[i].number == number)
            return (int)faults[i].state;
    }
    struct RunRecord record;
    must(f, store_read_run(store, run, f->arena, &record, &f->err));
    for (size_t i = 0; i < record.fault_count; i++) {
        if (record.faults[i].number == number)
            return FAULT_CLEAR;
    }
    return FAULT_PLANNED;
}

static int check_rows(const struct RunRecord *run, const struct Acked *acked)
{
    bool seen[EVENTS + 1] = {false};
    int last = 0;
    for (size_t i = 0; i < run->event_count; i++) {
        int number = 0;
        if (sscanf(run->events[i].text, "event %d", &number) != 1 || number <= last ||
            number > EVENTS)
            return say(2, "event", run->events[i].text);
        seen[number] = true;
        last = number;
    }
    for (int i = 1; i <= EVENTS; i++) {
        if (acked->events[i] && !seen[i])
            return say(1, "event", "");
    }
    size_t certain = (size_t)acked->flush * SAMPLES;
    if (run->sample_count < certain)
        return say(1, "samples", "");
    for (size_t i = 0; i < (acked->refused == 0 ? run->sample_count : certain); i++) {
        struct Sample sample = make_sample((uint32_t)i);
        if (run->samples[i].sequence != i || run->samples[i].ended.ns != sample.ended.ns)
            return say(2, "samples", "");
    }
    if (acked->end && !run->finished)
        return say(1, "end", "");
    if (run->finished && acked->refused == 0 &&
        (!acked->halt || run->sample_count < EVENTS * SAMPLES))
        return say(2, "end", "that nobody wrote");
    if (acked->mark && run->settled.ns != 77)
        return say(1, "mark", "");
    return 0;
}

static int check_first(struct Fixture *f, struct Store *store, const struct Acked *acked)
{
    struct RunRecord run;
    uint64_t broken = 0;
    if (!store_read_run(store, "01first", f->arena, &run, &f->err)) {
        if (f->err.code != ERR_NOT_FOUND)
            return say(2, "read", f->err.message);
        return acked->begun[1] ? say(1, "begin", "") : 0;
    }
    if (!store_verify(store, "01first", &broken, &f->err) || broken != 0)
        return say(2, "log", f->err.message);
    int status = check_rows(&run, acked);
    if (status == 0 && (state_of(f, store, "01first", 1) < acked->fault1 ||
                        state_of(f, store, "01first", 2) < acked->fault2))
        status = say(1, "fault", "");
    const char *reason = NULL;
    must(f, store_halt_asked(store, "01first", f->arena, &reason, &f->err));
    if (status == 0 && acked->halt && reason == NULL)
        status = say(1, "halt", "");
    return status;
}

/* The writer is dead: what it left open keeps the environment locked, and nothing else does. */
static int check_lock(struct Fixture *f, struct Store *store, const struct Acked *acked)
{
    struct LockRow lock = {.environment = "staging", .run = "01third", .who = "bo"};
    struct List open;
    must(f, undolog_open(store, &fake_kinds, NULL, f->arena, &open, &f->err));
    bool got = store_lock(store, &lock, &f->err);
    bool held = acked->begin == 2 ? acked->lock == 2 : acked->lock == 1 && !acked->end;
    if (got && open.count > 0 && held && acked->refused == 0)
        return say(1, "lock", "");
    if (!got && open.count == 0)
        return say(2, "lock", f->err.message);
    const struct OpenFault *faults = open.items;
    for (size_t i = 0; i < open.count; i++) {
        struct ByHand closed = {.run = faults[i].run, .number = faults[i].number, .clear = true};
        must(f, undolog_close_by_hand(store, &closed, &f->err));
    }
    return store_lock(store, &lock, &f->err) ? 0 : say(2, "lock", f->err.message);
}

static int check_runs(const char *folder)
{
    static struct Fixture f;
    struct Acked acked = {.plan = -1};
    read_acked(&acked);
    f.arena = arena_new("check", (size_t)1 << 26);
    if (acked.trusted)
        return say(1, "trust", "after an error of the disk");
    struct Store *store = store_open(folder, &f.err);
    if (store == NULL)
        return say(2, "open", f.err.message);
    int status = check_first(&f, store, &acked);
    if (status == 0 && acked.begin == 2 &&
        state_of(&f, store, "01second", 1) < acked.fault_of_second)
        status = say(1, "fault of the second run", "");
    if (status == 0)
        status = check_plan(folder, &acked, acked.plan >= 0);
    if (status == 0)
        status = check_lock(&f, store, &acked);
    store_close(store);
    arena_free(f.arena);
    return status != 0 ? status : check_whole(folder);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return write_runs(argv[2]);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check_runs(argv[2]);
    if (argc == 5 && strcmp(argv[1], "power") == 0) {
        power_cut_at(argv[2], strtol(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10));
        int status = write_runs(argv[2]);
        fprintf(stderr, "%ld\n", power_points());
        return status;
    }
    fprintf(stderr, "usage: store_writer write|check|power FOLDER [POINT SEED]\n");
    return 2;
}
