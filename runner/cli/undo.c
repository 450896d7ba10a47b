/* undo.c - `undo`: brings back whatever is left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../engine/undo.h"

#include "../base/text.h"
#include "break_lock.h"
#include "drill.h"
#include "undo_scan.h"

static const struct Option OPTIONS[] = {
    {.name = "scan",
     .doc = "Ask every host of the environment (-e) for our marks, without any store; and those "
            "that left it, where the store has a run of them."},
    {.name = "host", .value = "NAME", .doc = "Only what is left on this host."},
    {.name = "break-lock",
     .doc = "Take the locks of the environment (-e) away from a run that is no more."},
    {.name = "confirm",
     .value = "NAME",
     .doc = "With --break-lock: the environment's name, instead of typing it."},
    {.name = NULL},
};

static void say_left(const struct UndoneFault *row, struct Buf *out)
{
    char by[48];
    wall_local(row->fault.acts_by, by);
    buf_printf(out, "  ! STILL IN EFFECT, as far as is known, on %s: %s (%s)\n", row->fault.host,
               row->fault.step, row->why && row->why[0] ? row->why : "no answer");
    if (row->fault.returned != NULL && row->fault.seat == NULL)
        buf_put(out, "    nobody but its own boot brings it back; look at its console\n");
    else if (row->rebooted && row->fault.seat == NULL)
        buf_put(out, "    the host was booted anew since: its guard and its undo script went with "
                     "that; mend it there, then once more\n");
    else if (row->fault.seat != NULL)
        buf_printf(out, "    its guard acts by %s; now, on this machine:\n      sh %s/undo\n", by,
                   row->fault.seat);
    else
        buf_printf(
            out, "    its guard acts by %s; now, on the host:\n      sudo sh /run/faildrill/undo\n",
            by);
}

static int say(const struct List *rows, struct Buf *out)
{
    size_t left = 0;
    const struct UndoneFault *row = rows->items;
    for (size_t at = 0; at < rows->count; at++) {
        if (row[at].clear != KNOWN_YES) {
            left++;
            continue;
        }
        buf_printf(out, "clear   %s  %s on %s: proven just now\n", short_id(row[at].fault.run),
                   row[at].fault.step, row[at].fault.host);
        if (row[at].note != NULL && row[at].note[0] != '\0')
            buf_printf(out, "        note: %s\n", row[at].note);
    }
    if (rows->count == 0)
        buf_put(out, "nothing is left to undo\n");
    for (size_t at = 0; at < rows->count && left > 0; at++)
        if (row[at].clear != KNOWN_YES) {
            if (left > 0)
                buf_printf(out, "NOT UNDONE  %s\n", short_id(row[at].fault.run));
            say_left(&row[at], out);
        }
    return cli_print(out, left > 0 ? err_status(ERR_NOT_UNDONE) : 0);
}

static bool list_alive(struct Drill *drill, struct List *runs, struct List *alive, struct Err *err)
{
    struct Arena *arena = drill->cli->arena;
    struct History all = {0};
    if (!store_runs(drill->store, &all, arena, runs, err))
        return false;
    const struct RunRow *row = runs->items;
    for (size_t at = 0; at < runs->count; at++)
        if (row[at].alive && !row[at].finished)
            *(const char **)list_add(alive, arena, sizeof(char *)) = row[at].id;
    return true;
}

static bool alive_is_asked(const struct UndoAsk *ask, struct Err *err)
{
    const char *const *rows = ask->alive.items;
    for (size_t at = 0; ask->run != NULL && at < ask->alive.count; at++)
        if (text_equal(rows[at], ask->run)) {
            err_set(err, ERR_REFUSED, NOWHERE, "run %s is under way", short_id(ask->run));
            err_hint(err, "faildrill halt %s stops it, and it undoes itself.", short_id(ask->run));
            return true;
        }
    return false;
}

/* Runs of which nothing is left are over: their lock goes with them. */
static bool close_runs(struct Drill *drill, const char *run, struct Err *err)
{
    struct List runs = {0}, alive = {0};
    if (!list_alive(drill, &runs, &alive, err))
        return false;
    const struct RunRow *row = runs.items;
    for (size_t at = 0; at < runs.count; at++)
        if ((run == NULL || text_equal(run, row[at].id)) && !row[at].alive &&
            row[at].open_faults == 0 && !store_unlock(drill->store, row[at].id, err))
            return false;
    return true;
}

static int undo(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    struct UndoAsk ask = {.store = drill->store,
                          .kinds = cli->kinds,
                          .loop = drill->loop,
                          .hosts = drill->hosts,
                          .host = cli_option(cli, "host")};
    struct History all = {0};
    if (cli->arg_count > 0 &&
        !store_find_run(drill->store, cli->args[0], &all, cli->arena, &ask.run, &err))
        return cli_fail(cli, &err);
    struct List rows = {0}, runs = {0};
    struct Buf out = BUF(1U << 20);
    int status = 0;
    if (!list_alive(drill, &runs, &ask.alive, &err) || alive_is_asked(&ask, &err))
        return cli_fail(cli, &err);
    if (!undo_open_faults(&ask, cli->arena, &rows, &err) || !close_runs(drill, ask.run, &err))
        status = cli_fail(cli, &err);
    else
        status = say(&rows, &out);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    struct Drill drill;
    int status = drill_open(cli, &drill);
    if (status == 0)
        status = cli_option(cli, "break-lock") ? break_lock(&drill)
                 : cli_option(cli, "scan")     ? undo_by_scan(&drill)
                                               : undo(&drill);
    drill_close(&drill);
    return status;
}

const struct Verb verb_undo = {
    .name = "undo",
    .takes = "[RUN]",
    .least = 0,
    .most = 1,
    .summary = "bring back whatever is left; may be repeated",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples =
        "  faildrill undo                       every run that did not end\n"
        "  faildrill undo 4k2p --host pg-1      one host of one run\n"
        "  faildrill undo --scan -e staging     ask the hosts, with no store at all\n"
        "  faildrill undo --break-lock -e staging    who holds it, then whether to break it\n",
    .next = "Next: faildrill status; on a host, without us: sudo sh /run/faildrill/undo",
    .asks = true,
    .run = verb,
};
