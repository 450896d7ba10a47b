/* runs.c - `runs` and `status`: what ran, what runs, what is in effect. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

#include "../base/table.h"
#include "../base/text.h"
#include "follow.h"

static const struct Option RUNS_OPTIONS[] = {
    {.name = "since",
     .value = "TIME",
     .doc = "Only runs that began within this time, such as 30d."},
    {.name = NULL},
};

static const struct Option STATUS_OPTIONS[] = {
    {.name = "follow", .letter = 'f', .doc = "Look on until the run has ended; changes nothing."},
    {.name = NULL},
};

static const char *how(const struct RunRow *row)
{
    if (row->open_faults > 0 && !row->alive)
        return "NOT UNDONE";
    if (!row->finished)
        return row->alive ? "under way" : "did not end";
    return verdict_name(row->verdict);
}

static void runs_json(const struct RunRow *rows, size_t count, struct Buf *out)
{
    struct Json json = json_begin(out, true);
    json_open_array(&json);
    for (size_t at = 0; at < count; at++) {
        char started[32];
        wall_utc(rows[at].started, started);
        json_open_object(&json);
        json_put_text(&json, "run", rows[at].id);
        json_put_text(&json, "scenario", rows[at].scenario);
        json_put_text(&json, "environment", rows[at].environment);
        json_put_text(&json, "started", started);
        json_put_text(&json, "state", how(&rows[at]));
        json_put_bool(&json, "finished", rows[at].finished);
        json_put_bool(&json, "alive", rows[at].alive);
        if (rows[at].cycle.of > 1) {
            json_put_text(&json, "repeat", rows[at].cycle.first);
            json_put_int(&json, "cycle", rows[at].cycle.number);
            json_put_int(&json, "cycles", rows[at].cycle.of);
        }
        json_put_int(&json, "open_faults", rows[at].open_faults);
        json_put_text(&json, "who", rows[at].who);
        json_put_text(&json, "text_hash", rows[at].text_hash);
        json_end(&json);
    }
    json_end(&json);
    buf_char(out, '\n');
}

static void runs_table(const struct RunRow *rows, size_t count, struct Arena *arena,
                       struct Buf *out)
{
    struct Table *table = table_new(6);
    for (size_t at = 0; at < count; at++) {
        char started[48];
        wall_local(rows[at].started, started);
        const struct Cycle *cycle = &rows[at].cycle;
        const char *verdict = how(&rows[at]);
        if (cycle->of > 1)
            verdict = arena_printf(arena, "%s %u/%u", verdict, cycle->number, cycle->of);
        const char *cells[] = {
            short_id(rows[at].id), verdict, rows[at].scenario,
            rows[at].environment,  started, rows[at].unaffected ? "unaffected" : rows[at].who};
        table_row(table, cells);
    }
    table_write(table, out);
    table_free(table);
    if (count == 0)
        buf_put(out, "no runs yet\n");
}

static int runs(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    struct List rows = {0};
    struct History of = {.environment = cli->environment,
                         .scenario = cli->arg_count > 0 ? cli->args[0] : NULL};
    int64_t since = 0;
    if (!cli_duration(cli, "since", &since, &err))
        return cli_fail(cli, &err);
    if (since > 0)
        of.since = (struct Wall){wall_now().ns - since};
    if (!store_runs(drill->store, &of, cli->arena, &rows, &err))
        return cli_fail(cli, &err);
    struct Buf out = BUF(8U << 20);
    if (cli->json)
        runs_json(rows.items, rows.count, &out);
    else
        runs_table(rows.items, rows.count, cli->arena, &out);
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}

static void status_faults(const struct List *open, struct Buf *out)
{
    const struct OpenFault *fault = open->items;
    for (size_t at = 0; at < open->count; at++) {
        char by[48];
        if (text_equal(fault[at].step, "lock"))
            continue;
        wall_local(fault[at].acts_by, by);
        buf_printf(out, "  %s on %s: %s; its guard acts by %s\n", fault[at].step, fault[at].host,
                   fault_state_name(fault[at].state), by);
    }
}

/* The run that is meant where none is named: the one under way. NULL, with *err set or not, where
 * there is none. */
static const char *to_follow(struct Drill *drill, struct Err *err)
{
    struct Cli *cli = drill->cli;
    struct List rows = {0};
    const char *run = NULL;
    if (cli->arg_count > 0)
        return store_find_run(drill->store, cli->args[0], &(struct History){0}, cli->arena, &run,
                              err)
                   ? run
                   : NULL;
    if (!store_runs(drill->store, &(struct History){.most = 50}, cli->arena, &rows, err))
        return NULL;
    const struct RunRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++) {
        if (row[at].finished || row[at].gone)
            continue;
        if (run != NULL) {
            err_set(err, ERR_NOT_FOUND, NOWHERE, "more than one run is under way: name it");
            err_hint(err, "faildrill status lists them.");
            return NULL;
        }
        run = row[at].id;
    }
    if (run == NULL)
        err_set(err, ERR_NOT_FOUND, NOWHERE, "no run is under way");
    return run;
}

static int follow(struct Drill *drill)
{
    struct Err err;
    const char *run = to_follow(drill, &err);
    return run != NULL ? follow_run(drill, run) : cli_fail(drill->cli, &err);
}

static void status_locks(const struct List *locks, struct Buf *out)
{
    const struct LockHeld *lock = locks->items;
    for (size_t at = 0; at < locks->count; at++) {
        char since[48];
        wall_local(lock[at].since, since);
        buf_printf(out, "  %s is held by %s, by %s on %s (pid %lld) since %s%s\n",
                   lock[at].environment, short_id(lock[at].run), lock[at].who, lock[at].machine,
                   (long long)lock[at].pid, since,
                   lock[at].alive == KNOWN_NO ? ", which died" : "");
    }
}

static int status(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    const char *run = NULL;
    struct List rows = {0}, open = {0}, locks = {0};
    struct History recent = {.most = 50};
    if (cli_option(cli, "follow") != NULL)
        return follow(drill);
    if (!store_locks(drill->store, cli->arena, &locks, &err))
        return cli_fail(cli, &err);
    if ((cli->arg_count > 0 && !store_find_run(drill->store, cli->args[0], &(struct History){0},
                                               cli->arena, &run, &err)) ||
        !undolog_open(drill->store, cli->kinds, run, cli->arena, &open, &err) ||
        !store_runs(drill->store, &recent, cli->arena, &rows, &err))
        return cli_fail(cli, &err);
    struct Buf out = BUF(1U << 20);
    const struct RunRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        if (row[at].pauses)
            buf_printf(&out, "%s  %s  %s  cycle %u of %u is over; the next one is to come\n",
                       short_id(row[at].id), row[at].scenario,
                       loud(cli->arena, row[at].environment), row[at].cycle.number,
                       row[at].cycle.of);
        else if (!row[at].finished || row[at].open_faults > 0)
            buf_printf(&out, "%s  %s  %s  %s%s\n", short_id(row[at].id), row[at].scenario,
                       loud(cli->arena, row[at].environment), how(&row[at]),
                       row[at].alive ? "" : "; faildrill undo brings back what is left");
    if (out.size == 0)
        buf_put(&out, "nothing runs, nothing is in effect\n");
    status_locks(&locks, &out);
    status_faults(&open, &out);
    int exit_status = cli_print(&out, 0);
    buf_free(&out);
    return exit_status;
}

static int with_store(struct Cli *cli, int (*verb)(struct Drill *drill))
{
    struct Drill drill;
    int exit_status = drill_open(cli, &drill);
    if (exit_status == 0)
        exit_status = verb(&drill);
    drill_close(&drill);
    return exit_status;
}

static int runs_verb(struct Cli *cli)
{
    return with_store(cli, runs);
}

static int status_verb(struct Cli *cli)
{
    return with_store(cli, status);
}

const struct Verb verb_runs = {
    .name = "runs",
    .takes = "[SCENARIO]",
    .least = 0,
    .most = 1,
    .summary = "the history of runs",
    .options = RUNS_OPTIONS,
    .examples = "  faildrill runs --since 30d\n  faildrill runs -e staging redis_primary_dies\n",
    .next = "Next: faildrill report RUN",
    .run = runs_verb,
};

const struct Verb verb_status = {
    .name = "status",
    .takes = "[RUN]",
    .least = 0,
    .most = 1,
    .summary = "what runs, what is in effect, on which host, until when",
    .on_first_screen = true,
    .options = STATUS_OPTIONS,
    .examples =
        "  faildrill status\n"
        "  faildrill status --follow            as its runner sees it; any number may look\n",
    .next = "Next: faildrill halt, or faildrill undo",
    .run = status_verb,
};
