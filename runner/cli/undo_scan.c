/* undo_scan.c - `undo --scan`: finds what is left by our marks on hosts, without any store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "undo_scan.h"

#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "../engine/pods.h"
#include "../engine/undo.h"

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
    static const char end_all[] = "sudo sh /run/faildrill/undo";
    const struct Trace *rows = traces->items;
    for (size_t at = 0; at < traces->count; at++)
        if (text_equal(rows[at].kind, "folder") &&
            (text_equal(rows[at].id, trace->id) || same_run(&rows[at], trace)))
            return end_all;
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
    if (text_equal(trace->kind, "pause"))
        return arena_printf(arena, "select pg_wal_replay_resume(), then sudo rm %s", name);
    if (text_equal(trace->kind, "setting"))
        return arena_printf(arena, "set it to the first line of %s, then sudo rm that", name);
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
    return end_all;
}

/* ---- who is asked ---- */

/* The environment's hosts, then those of kept runs that it does not name there, then this machine
 * for pods that nobody found. */
struct Scan {
    struct Drill *drill;
    struct List targets; /* of const struct Target * */
    struct List kept;    /* of const struct KeptHost *: those of the second kind */
    struct Buf out;
    bool complete; /* the environment names all of its hosts */
    bool left;     /* something may be */
};

static void add_target(struct List *targets, const struct Target *target, struct Arena *arena)
{
    *(const struct Target **)list_add(targets, arena, sizeof(void *)) = target;
}

/* A name may have moved to another machine since: the old one is asked as well. */
static bool is_same(const struct Target *now, const struct Target *kept)
{
    return now != NULL && (kept->address == NULL || text_equal(now->address, kept->address));
}

bool scan_add_kept(const struct Drill *drill, struct List *targets, struct List *kept)
{
    struct Arena *arena = drill->cli->arena;
    const struct Environment *environment = drill->loaded.environment;
    struct List hosts = {.items = NULL};
    struct Err err;
    bool good =
        undolog_hosts(drill->store, drill->cli->kinds, environment->name, arena, &hosts, &err);
    if (!good)
        fprintf(stderr, "warning: hosts of earlier runs are not asked: %s\n", err.message);
    const struct KeptHost *host = hosts.items;
    for (size_t at = 0; at < hosts.count; at++) {
        if (is_same(environment_host(environment, host[at].target.name), &host[at].target))
            continue;
        add_target(targets, &host[at].target, arena);
        *(const struct KeptHost **)list_add(kept, arena, sizeof(void *)) = &host[at];
    }
    return good;
}

static void add_seat(struct Scan *scan)
{
    const struct Drill *drill = scan->drill;
    const struct Environment *environment = drill->loaded.environment;
    struct Target *const *hosts = environment->hosts.items;
    const struct Target *seat = NULL;
    struct Err err;
    if (!pods_seat(environment, drill->cli->kinds, drill->cli->state, &seat, &err) ||
        access(seat->root, F_OK) != 0)
        return; /* nothing was ever done to pods from here */
    for (size_t at = 0; at < environment->hosts.count; at++)
        if (hosts[at]->uid != NULL)
            return;
    add_target(&scan->targets, seat, drill->cli->arena);
}

size_t scan_say_open(const struct Drill *drill, struct Buf *out)
{
    const struct Environment *environment = drill->loaded.environment;
    const struct Role *roles = environment->roles.items;
    size_t open = 0;
    for (size_t at = 0; at < environment->roles.count; at++) {
        if (!role_is_open(&roles[at]))
            continue;
        if (roles[at].service.pods != NULL)
            buf_printf(out, "unknown  role %s: its pods are not found by kubectl\n",
                       roles[at].name);
        else
            buf_printf(out,
                       "unknown  role %s: the inventory does not say who its group '%s' "
                       "is\n",
                       roles[at].name, roles[at].group);
        open++;
    }
    return open;
}

/* ---- what they say ---- */

/* Where the environment has another machine of that name, with its address. */
static const char *name_of(const struct Scan *scan, const struct Target *target)
{
    const struct Environment *environment = scan->drill->loaded.environment;
    const struct Target *now = environment_host(environment, target->name);
    if (now == NULL || now == target || target->address == NULL)
        return target->name;
    return arena_printf(scan->drill->cli->arena, "%s at %s", target->name, target->address);
}

static void say_trace(struct Scan *scan, const struct Scanned *host, const struct Trace *trace)
{
    struct Arena *arena = scan->drill->cli->arena;
    const char *name = name_of(scan, host->target), *root = host->target->root;
    if (text_equal(trace->kind, TRACE_UNSEEN))
        buf_printf(&scan->out, "unknown  %s: cannot look for traces: %s\n", name, trace->what);
    else if (root != NULL) /* of a pod: what undoes it lies here */
        buf_printf(&scan->out,
                   "FOUND    %s: %s %s %s, of %s; to end it, on this machine: sh %s/undo\n", name,
                   trace->kind, trace->id, trace->what, whose(&host->traces, trace, arena), root);
    else
        buf_printf(&scan->out, "FOUND    %s: %s %s %s, of %s; to end it there: %s\n", name,
                   trace->kind, trace->id, trace->what, whose(&host->traces, trace, arena),
                   ended_by(&host->traces, trace, arena));
}

/* A host that the environment no longer names, does not answer, and was left clean is gone. */
static void say_host(struct Scan *scan, const struct Scanned *host, const struct KeptHost *kept)
{
    const struct Trace *traces = host->traces.items;
    const char *name = name_of(scan, host->target);
    const char *of = scan->drill->loaded.environment->name;
    if (kept != NULL && !host->answered && kept->open_faults == 0 && scan->complete) {
        buf_printf(&scan->out,
                   "gone     %s: no longer in %s, and does not answer; all that was done there "
                   "was proven undone, last by run %s\n",
                   name, of, short_id(kept->run));
        return;
    }
    if (!host->answered)
        buf_printf(&scan->out, "unknown  %s: %s\n", name, host->why);
    else if (host->traces.count == 0)
        buf_printf(&scan->out, "clean    %s%s%s\n", name, kept != NULL ? ", known by run " : "",
                   kept != NULL ? short_id(kept->run) : "");
    for (size_t at = 0; at < host->traces.count; at++)
        say_trace(scan, host, &traces[at]);
    scan->left |= !host->answered || host->traces.count > 0;
}

static int go(struct Scan *scan)
{
    struct Drill *drill = scan->drill;
    const struct Environment *environment = drill->loaded.environment;
    struct List rows = {.items = NULL};
    for (size_t at = 0; at < environment->hosts.count; at++)
        add_target(&scan->targets, ((struct Target *const *)environment->hosts.items)[at],
                   drill->cli->arena);
    scan->left = !scan_add_kept(drill, &scan->targets, &scan->kept);
    add_seat(scan);
    undo_scan(drill->hosts, drill->loop, &scan->targets, drill->cli->arena, &rows);
    scan->complete = scan_say_open(drill, &scan->out) == 0;
    scan->left |= !scan->complete;
    const struct Scanned *row = rows.items;
    const struct KeptHost *const *kept = scan->kept.items;
    for (size_t at = 0; at < rows.count; at++) {
        size_t behind = at - environment->hosts.count;
        bool is_kept = at >= environment->hosts.count && behind < scan->kept.count;
        say_host(scan, &row[at], is_kept ? kept[behind] : NULL);
    }
    return cli_print(&scan->out, scan->left ? err_status(ERR_NOT_UNDONE) : 0);
}

int undo_by_scan(struct Drill *drill)
{
    struct Scan scan = {.drill = drill, .out = BUF(1U << 20)};
    struct Err err;
    if (!cli_environment_named(drill->cli, &err))
        return cli_fail(drill->cli, &err);
    int status = drill_load(drill, NULL, drill->cli->environment);
    if (status == 0)
        status = go(&scan);
    buf_free(&scan.out);
    return status;
}
