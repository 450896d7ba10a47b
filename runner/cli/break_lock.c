/* break_lock.c - takes the locks of an environment away from who will not give them back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "break_lock.h"

#include <string.h>

#include "../base/text.h"
#include "../engine/undo.h"
#include "undo_scan.h"

#define UNLOCK_TIMEOUT_NS (15 * NS_PER_S)

struct Breaking {
    struct Drill *drill;
    const struct LockHeld *held;          /* in our store, or NULL */
    struct List hosts;                    /* of struct Scanned */
    struct Buf said;                      /* who holds what, a line each */
    struct Err err;                       /* why not */
    size_t found, left, unknown, pending; /* unknown: hosts that do not answer */
    size_t open;                          /* roles of which nobody knows the hosts now */
    bool all_named;                       /* the hosts of earlier runs, too */
    bool refused;
};
struct Unlock {
    struct Breaking *breaking;
    struct Token token;
};

static void refuse(struct Breaking *breaking, const char *hint, const char *what, const char *who)
{
    if (breaking->refused)
        return;
    breaking->refused = true;
    err_set(&breaking->err, ERR_REFUSED, NOWHERE, "%s: %s", who, what);
    err_hint(&breaking->err, "%s", hint);
}

static void look_at_store(struct Breaking *breaking)
{
    const struct LockHeld *held = breaking->held;
    char since[48];
    if (held == NULL)
        return;
    const char *how = held->alive == KNOWN_YES  ? "is alive"
                      : held->alive == KNOWN_NO ? "died"
                                                : "cannot be seen from here";
    const char *id = short_id(held->run);
    wall_local(held->since, since);
    buf_printf(&breaking->said, "  %s: run %s, by %s on %s (pid %lld) since %s; it %s\n",
               held->environment, id, held->who, held->machine, (long long)held->pid, since, how);
    breaking->found++;
    if (held->alive == KNOWN_YES)
        refuse(breaking, "`faildrill halt` ends it, and it gives its locks back.",
               "its runner is alive", id);
    else if (held->open_faults > 0)
        refuse(breaking, "`faildrill undo` brings them back, and gives the locks back.",
               "it left faults or locks that are not undone", id);
}

static bool is_of(const struct Trace *trace, const char *token)
{
    size_t size = strlen(token);
    return size > 0 && strncmp(trace->id, token, size) == 0 &&
           (trace->id[size] == '_' || trace->id[size] == '\0');
}

/* The run of this token lives, as far as our store knows. */
static bool lives(struct Drill *drill, const char *token)
{
    struct List rows = {0};
    struct Err err;
    if (!store_runs(drill->store, &(struct History){0}, drill->cli->arena, &rows, &err))
        return true;
    const struct RunRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        if (text_equal(row[at].id, token))
            return row[at].alive;
    return false;
}

/* `kept`: it is of an earlier run, and no longer in the environment. One that is gone as well, and
 * was left clean, holds nothing that anybody waits for. */
static void look_at_host(struct Breaking *breaking, const struct Scanned *host,
                         const struct KeptHost *kept)
{
    const struct Trace *traces = host->traces.items, *lock = NULL;
    if (!host->answered && kept != NULL && kept->open_faults == 0 && breaking->open == 0)
        return;
    if (!host->answered) {
        buf_printf(&breaking->said, "  %s: unknown: %s\n", host->target->name, host->why);
        breaking->unknown++;
    }
    for (size_t at = 0; at < host->traces.count; at++)
        if (text_equal(traces[at].kind, "lock"))
            lock = &traces[at];
    if (lock == NULL)
        return;
    buf_printf(&breaking->said, "  %s: %s, by run %s of %s\n", host->target->name, lock->what,
               short_id(lock->id), lock->who);
    breaking->found++;
    if (lives(breaking->drill, lock->id))
        refuse(breaking, "`faildrill halt` ends it, and it gives its locks back.",
               "the run that holds it is alive", host->target->name);
    for (size_t at = 0; at < host->traces.count; at++)
        if (&traces[at] != lock && is_of(&traces[at], lock->id))
            refuse(breaking, "`faildrill undo --scan -e ENV` says what, and how it is ended.",
                   "what the run did there is still there", host->target->name);
}

/* Those of the environment, and those that runs of ours knew. */
static void look_at_hosts(struct Breaking *breaking)
{
    const struct Drill *drill = breaking->drill;
    const struct List *named = &drill->loaded.environment->hosts;
    struct List targets = {0}, kept = {0};
    for (size_t at = 0; at < named->count; at++)
        *(const struct Target **)list_add(&targets, drill->cli->arena, sizeof(void *)) =
            ((struct Target *const *)named->items)[at];
    breaking->all_named = scan_add_kept(drill, &targets, &kept);
    undo_scan(drill->hosts, drill->loop, &targets, drill->cli->arena, &breaking->hosts);
    const struct Scanned *hosts = breaking->hosts.items;
    const struct KeptHost *const *known = kept.items;
    for (size_t at = 0; at < breaking->hosts.count; at++)
        look_at_host(breaking, &hosts[at], at < named->count ? NULL : known[at - named->count]);
}

static void unlock_work(struct HostCall *call)
{
    const struct Unlock *unlock = call->data;
    call->ok = node_unlock(call->node, &unlock->token, call->deadline, &call->err);
    call->lost = !call->ok;
}

static void unlock_done(struct HostCall *call)
{
    const struct Unlock *unlock = call->data;
    struct Breaking *breaking = unlock->breaking;
    if (!call->opened || !call->ok) {
        fprintf(stderr, "%s keeps its lock: %s\n", call->target->name, call->err.message);
        breaking->left++;
    }
    if (--breaking->pending == 0)
        loop_stop(breaking->drill->loop);
}

static bool take_away(struct Breaking *breaking)
{
    struct Drill *drill = breaking->drill;
    const struct Scanned *hosts = breaking->hosts.items;
    breaking->pending = 1;
    for (size_t at = 0; at < breaking->hosts.count; at++) {
        const struct Trace *traces = hosts[at].traces.items;
        for (size_t n = 0; n < hosts[at].traces.count; n++) {
            if (!text_equal(traces[n].kind, "lock"))
                continue;
            struct Unlock *unlock = arena_zero(drill->cli->arena, 1, sizeof *unlock);
            unlock->breaking = breaking;
            snprintf(unlock->token.text, sizeof unlock->token.text, "%s", traces[n].id);
            breaking->pending++;
            hosts_do(drill->hosts, &(struct HostJob){.target = hosts[at].target,
                                                     .lane = LANE_ACT,
                                                     .timeout_ns = UNLOCK_TIMEOUT_NS,
                                                     .work = unlock_work,
                                                     .done = unlock_done,
                                                     .data = unlock});
        }
    }
    if (--breaking->pending > 0)
        loop_run(drill->loop);
    return breaking->held == NULL ||
           store_unlock(drill->store, breaking->held->run, &breaking->err);
}

/* By the name of the environment, typed or given: whose lock this is was just said. */
static bool confirmed(struct Breaking *breaking)
{
    struct Cli *cli = breaking->drill->cli;
    const char *name = breaking->drill->loaded.environment->name;
    const char *given = cli_option(cli, "confirm");
    char typed[200] = "";
    if (given == NULL && cli->may_ask) {
        fputs(breaking->said.text, stderr);
        const char *question = arena_printf(
            cli->arena, "If one of them still works, two will. Type %s to break the locks: ", name);
        if (cli_ask_line(question, typed, sizeof typed))
            given = typed;
    }
    if (text_equal(given, name))
        return true;
    err_set(&breaking->err, ERR_REFUSED, NOWHERE, "not confirmed");
    return err_hint(&breaking->err, "Type the environment's name, or give --confirm %s.", name);
}

static int ended(struct Breaking *breaking)
{
    struct Buf out = BUF(1U << 16);
    buf_put(&out, breaking->said.text);
    if (breaking->found > 0)
        buf_put(&out, "broken\n");
    else if (breaking->unknown + breaking->open == 0 && breaking->all_named)
        buf_put(&out, "nobody holds it\n");
    if (breaking->unknown > 0)
        buf_printf(&out, "unknown on %zu host%s: a lock there is as it was\n", breaking->unknown,
                   breaking->unknown == 1 ? "" : "s");
    if (breaking->open > 0)
        buf_put(&out, "a lock on a host that nobody could name is as it was\n");
    bool all = breaking->left + breaking->unknown + breaking->open == 0 && breaking->all_named;
    int status = all ? 0 : err_status(ERR_NOT_READY);
    status = cli_print(&out, status);
    buf_free(&out);
    return status;
}

static int go(struct Breaking *breaking)
{
    struct Drill *drill = breaking->drill;
    const struct Environment *environment = drill->loaded.environment;
    struct List locks = {0};
    if (!store_locks(drill->store, drill->cli->arena, &locks, &breaking->err))
        return cli_fail(drill->cli, &breaking->err);
    const struct LockHeld *held = locks.items;
    for (size_t at = 0; at < locks.count; at++)
        if (text_equal(held[at].environment, environment->name))
            breaking->held = &held[at];
    look_at_store(breaking);
    breaking->open = scan_say_open(drill, &breaking->said);
    look_at_hosts(breaking);
    if (breaking->found == 0)
        return ended(breaking);
    if (breaking->refused || !confirmed(breaking)) {
        fputs(breaking->said.text, stderr);
        return cli_fail(drill->cli, &breaking->err);
    }
    return take_away(breaking) ? ended(breaking) : cli_fail(drill->cli, &breaking->err);
}

int break_lock(struct Drill *drill)
{
    struct Breaking breaking = {.drill = drill, .said = BUF(1U << 15)};
    struct Err err;
    if (!cli_environment_named(drill->cli, &err))
        return cli_fail(drill->cli, &err);
    int status = drill_load(drill, NULL, drill->cli->environment);
    if (status == 0)
        status = go(&breaking);
    buf_free(&breaking.said);
    return status;
}
