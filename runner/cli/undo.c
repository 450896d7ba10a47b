/* undo.c - `undo`: brings back whatever is left; `--scan` finds it without any store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../engine/undo.h"

#include "../base/text.h"
#include "break_lock.h"
#include "drill.h"

static const struct Option OPTIONS[] = {
    {.name = "scan",
     .doc = "Ask every host of the environment (-e) for our marks, without any store."},
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

static bool same_run(const struct Trace *a, const struct Trace *b)
{
    size_t size = strcspn(a->id, "_");
    return size > 0 && size == strcspn(b->id, "_") && strncmp(a->id, b->id, size) == 0;
}

/* Only folder and lock say it themselves; what carries the same token is of the same run. */
static const char *whose(const struct List *traces, const struct Trace *trace, struct Arena *arena)
{
    const struct Trace *rows = traces->items;
    char run[32];
    if (trace->who[0] != '\0')
        return trace->who;
    for (size_t at = 0; at < traces->count; at++)
        if (rows[at].who[0] != '\0' && same_run(&rows[at], trace))
            return rows[at].who;
    snprintf(run, sizeof run, "%.*s", (int)strcspn(trace->id, "_"), trace->id);
    return arena_printf(arena, "run %s, which says no more here", short_id(run));
}

/* "iptables raw PREROUTING fd_NAME", a jump from there, or "iptables raw fd_NAME". */
static const char *chain_ended_by(const struct Trace *trace, struct Arena *arena)
{
    char tables[16] = "", table[16] = "", from[32] = "", name[32] = "";
    if (sscanf(trace->what, "%15s %15s %31s %31s", tables, table, from, name) == 4)
        return arena_printf(arena, "sudo %s -w 5 -t %s -D %s -m comment --comment fd_%s -j %s",
                            tables, table, from, trace->id, name);
    return arena_printf(arena, "sudo sh -c '%s -w 5 -t %s -F %s && %s -w 5 -t %s -X %s'", tables,
                        table, from, tables, table, from);
}

/* The script on the host knows what has a folder; the rest is ended by its own name. */
static const char *ended_by(const struct List *traces, const struct Trace *trace,
                            struct Arena *arena)
{
    const struct Trace *rows = traces->items;
    for (size_t at = 0; at < traces->count; at++)
        if (text_equal(rows[at].kind, "folder") &&
            (text_equal(rows[at].id, trace->id) || same_run(&rows[at], trace)))
            return "sudo sh /run/faildrill/undo";
    const char *name = strrchr(trace->what, ' ');
    name = name != NULL ? name + 1 : trace->what;
    if (text_equal(trace->kind, "table"))
        return arena_printf(arena, "sudo nft delete %s", trace->what + strlen("nft "));
    if (text_equal(trace->kind, "jump") || text_equal(trace->kind, "chain"))
        return chain_ended_by(trace, arena);
    if (text_equal(trace->kind, "set"))
        return arena_printf(arena, "sudo ipset destroy %s", name);
    if (text_equal(trace->kind, "unit"))
        return arena_printf(arena, "sudo systemctl stop %s", name);
    if (text_equal(trace->kind, "mount"))
        return arena_printf(arena, "sudo umount %s", name);
    if (text_equal(trace->kind, "process"))
        return arena_printf(arena, "sudo kill -9 %s", name);
    if (text_equal(trace->kind, "clock"))
        return arena_printf(arena, "set the clock right, then sudo rm %s", name);
    if (text_equal(trace->kind, "file")) { /* FOLDER/.NAME.fd_ID */
        const char *file = strrchr(name, '/'), *end = strstr(name, ".fd_");
        if (file != NULL && end != NULL && end > file + 2)
            return arena_printf(arena, "sudo mv %s %.*s/%.*s", name, (int)(file - name), name,
                                (int)(end - file - 2), file + 2);
    }
    if (text_equal(trace->kind, "lock"))
        return "sudo rm -r /run/faildrill/lock";
    if (text_equal(trace->kind, "banner"))
        return "sudo rm /run/motd.d/faildrill";
    return "sudo sh /run/faildrill/undo";
}

/* Their names are not known then; what lies on this machine is. */
static bool say_not_found(const struct Environment *environment, struct Buf *out)
{
    const struct Role *roles = environment->roles.items;
    bool all = true;
    for (size_t at = 0; at < environment->roles.count; at++)
        if (roles[at].service.pods != NULL && roles[at].host_count == 0) {
            buf_printf(out, "unknown  role %s: its pods are not found by kubectl\n",
                       roles[at].name);
            all = false;
        }
    return all;
}

static int scan(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct Err err;
    if (!cli_environment_named(cli, &err))
        return cli_fail(cli, &err);
    int status = drill_load(drill, NULL, cli->environment);
    if (status != 0)
        return status;
    struct List rows = {0};
    struct Buf out = BUF(1U << 20);
    undo_scan(drill->hosts, drill->loop, drill->loaded.environment, cli->arena, &rows);
    const struct Scanned *row = rows.items;
    if (!say_not_found(drill->loaded.environment, &out))
        status = err_status(ERR_NOT_UNDONE);
    for (size_t at = 0; at < rows.count; at++) {
        const struct Trace *traces = row[at].traces.items;
        if (!row[at].answered)
            buf_printf(&out, "unknown  %s: %s\n", row[at].target->name, row[at].why);
        else if (row[at].traces.count == 0)
            buf_printf(&out, "clean    %s\n", row[at].target->name);
        for (size_t trace = 0; trace < row[at].traces.count; trace++)
            if (text_equal(traces[trace].kind, TRACE_UNSEEN))
                buf_printf(&out, "unknown  %s: cannot look for traces: %s\n", row[at].target->name,
                           traces[trace].what);
            else
                buf_printf(&out, "FOUND    %s: %s %s %s, of %s; to end it there: %s\n",
                           row[at].target->name, traces[trace].kind, traces[trace].id,
                           traces[trace].what, whose(&row[at].traces, &traces[trace], cli->arena),
                           ended_by(&row[at].traces, &traces[trace], cli->arena));
        if (!row[at].answered || row[at].traces.count > 0)
            status = err_status(ERR_NOT_UNDONE);
    }
    status = cli_print(&out, status);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    struct Drill drill;
    int status = drill_open(cli, &drill);
    if (status == 0)
        status = cli_option(cli, "break-lock") ? break_lock(&drill)
                 : cli_option(cli, "scan")     ? scan(&drill)
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
