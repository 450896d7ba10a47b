/* drill.c - one fault on one space, step by step, for the tests of guard, fence and undo. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <string.h>

#include "../../runner/faults/commands.h"
#include "../../runner/faults/kinds.h"

/* A main process with a child; without systemd, as a script of a distribution starts it. */
static const char start_line[] = "rm -f /run/svc.pid; setsid sh -c 'sleep 99999 & echo $$ "
                                 ">/run/svc.pid; wait' >/dev/null 2>&1 & "
                                 "while ! [ -s /run/svc.pid ]; do sleep 0.01; done";
static const char stop_line[] = "kill -- -$(cat /run/svc.pid)";

/* In every table that we may look into: iptables leaves those that it has made. */
static const char site_rules[] =
    "for t in iptables ip6tables; do\n"
    "    $t -t raw -A PREROUTING -p tcp --dport 9 -j DROP && $t -N SITE &&\n"
    "        $t -A SITE -p udp --dport 9 -j REJECT && $t -A INPUT -j SITE &&\n"
    "        $t -A INPUT -p tcp --dport 7 -j DROP && $t -A FORWARD -i site0 -j DROP && $t -A "
    "OUTPUT -o site0 -j DROP || exit 1\n"
    "done\n"
    "ipset create site hash:ip && ipset add site 192.0.2.7";

static const struct {
    const char *name;
    const struct FaultKind *fault;
    int64_t hold_ns;
} kinds[] = {
    [DRILL_ISOLATE] = {"isolate", &isolate_fault, -1},
    [DRILL_KILL] = {"kill", &kill_fault, -1},
    [DRILL_KILL_KEPT] = {"kill kept down", &kill_fault, 0},
    [DRILL_STOP] = {"stop", &stop_fault, -1},
    [DRILL_FREEZE] = {"freeze", &freeze_fault, -1},
    [DRILL_RESTART] = {"restart", &restart_fault, -1},
    [DRILL_RUN] = {"run", &run_fault, -1},
    [DRILL_DELAY] = {"delay", &delay_fault, -1},
    [DRILL_CHAINS] = {"chains", &isolate_fault, -1},
};

const char *drill_kind_name(enum DrillKind kind)
{
    return kinds[kind].name;
}

struct Mono drill_in(int seconds)
{
    return mono_add(mono_now(), seconds * NS_PER_S);
}

static void good(const struct Drill *drill, bool holds, const char *what)
{
    if (!holds)
        fail_msg("%s: %s", what, drill->err.message);
}

/* As run.c lays its config out: target, script, undo, proof, fault. */
static const struct {
    const struct Node *target;
    const char *script, *undo, *proof;
    bool fault;
} run_words = {NULL, "touch /run/broken", "rm -f /run/broken", "test -e /run/broken", true};

/* As delay.c lays its config out. */
static const struct {
    const struct Node *target;
    int64_t by_ns, jitter_ns, reorder, duplicate, corrupt;
} delay_words = {NULL, 100 * NS_PER_MS, 0, 0, 0, 0};

static const void *config_of(enum DrillKind kind)
{
    static const struct ServiceConfig whole_service;
    if (kind == DRILL_DELAY)
        return &delay_words;
    return kind == DRILL_RUN ? (const void *)&run_words : &whole_service;
}

static void make_procedure(struct Drill *drill, enum DrillKind kind, int64_t lease_ns,
                           int64_t cap_ns)
{
    struct PlanInput input = {.target = &drill->target,
                              .role = &drill->role,
                              .facts = &drill->facts,
                              .token = &drill->token,
                              .number = 1,
                              .hold_ns = kinds[kind].hold_ns,
                              .lease_ns = lease_ns,
                              .cap_ns = cap_ns};
    drill->fault = kinds[kind].fault;
    good(drill,
         drill->fault->plan(config_of(kind), &input, drill->arena, &drill->procedure, &drill->err),
         "plan");
    good(drill, procedure_check(drill->fault, &drill->procedure, &drill->err), "check");
}

/* Taken when its processes have become what they are, and wait. */
void drill_look(struct Drill *drill)
{
    struct Mono deadline = drill_in(60);
    for (;;) {
        struct Buf now = space_fingerprint(&drill->space);
        if (strstr(now.text, "\nS sleep 99999 \n") != NULL && strstr(now.text, "\nR ") == NULL &&
            strstr(now.text, "\nD ") == NULL) {
            buf_free(&drill->before);
            drill->before = now;
            return;
        }
        if (!mono_before(mono_now(), deadline))
            fail_msg("the host does not come to rest:\n%s", now.text);
        buf_free(&now);
        poll(NULL, 0, 10);
    }
}

void drill_open(struct Drill *drill, enum DrillKind kind, int64_t lease_ns, int64_t cap_ns)
{
    const char *why;
    memset(drill, 0, sizeof *drill);
    if (!space_open(&drill->space, "host", &why)) {
        print_message("skip: %s\n", why);
        skip();
    }
    cut_at(CUT_NEVER);
    drill->arena = arena_new("drill", 16 << 20);
    drill->target = cut_target(&drill->space);
    drill->token = (struct Token){"01k2drill"};
    drill->role = (struct Role){
        .name = "svc",
        .service = {.pidfile = "/run/svc.pid", .start = start_line, .stop = stop_line}};
    assert_int_equal(space_sh(&drill->space, start_line, NULL), 0);
    if (kind == DRILL_CHAINS)
        assert_int_equal(space_sh(&drill->space, site_rules, NULL), 0);
    drill_look(drill);
    drill->node = node_open(&drill->target, drill_in(30), &drill->err);
    good(drill, drill->node != NULL, "open");
    good(drill,
         node_facts(drill->node, &drill->role, drill_in(30), drill->arena, &drill->facts,
                    &drill->err),
         "facts");
    if (kind == DRILL_DELAY)
        good(drill,
             node_delays(drill->node, drill_in(30), drill->arena, &drill->facts, &drill->err),
             "delays");
    if (kind == DRILL_CHAINS) {
        drill->facts.nft = false;
        drill->facts.iptables = true;
    }
    make_procedure(drill, kind, lease_ns, cap_ns);
    drill->arm = (struct ArmInput){.procedure = &drill->procedure,
                                   .token = &drill->token,
                                   .number = 1,
                                   .what = kinds[kind].name,
                                   .who = "a test's \"own\""};
    drill->undo =
        (struct UndoInput){.token = &drill->token,
                           .number = 1,
                           .undo = commands_shell(&drill->procedure.undo, drill->arena),
                           .all_clear = commands_shell(&drill->procedure.all_clear, drill->arena),
                           .boot_id = drill->facts.boot_id,
                           .ends_by = drill->procedure.ends_by};
}

void drill_close(struct Drill *drill)
{
    node_unready(drill->firing);
    node_close(drill->node);
    buf_free(&drill->before);
    arena_free(drill->arena);
    space_close(&drill->space);
}

void drill_lock(struct Drill *drill)
{
    const struct NodeLock lock = {.token = &drill->token, .who = "a test", .longest_ns = NS_PER_S};
    good(drill, node_lock(drill->node, &lock, drill_in(30), &drill->err), "lock");
}

void drill_arm(struct Drill *drill)
{
    drill->guarded = guard_arm(drill->node, &drill->arm, drill_in(30), drill->arena, &drill->err);
    good(drill, drill->guarded != NULL, "arm");
}

/* As the engine does while it waits for others: a lease of two seconds is short on a busy machine.
 */
void drill_ready(struct Drill *drill)
{
    struct GuardState watched;
    good(drill,
         guard_watch(drill->node, drill->guarded, (struct Watch){.renew = true}, drill_in(30),
                     &watched, &drill->err),
         "renew");
    drill->firing = node_ready(drill->node, drill->guarded, drill_in(30), &drill->err);
    good(drill, drill->firing != NULL, "ready");
}

bool drill_fires(struct Drill *drill)
{
    struct GuardState watched;
    return guard_watch(drill->node, drill->guarded, (struct Watch){.renew = true}, drill_in(30),
                       &watched, &drill->err) &&
           (drill->firing = node_ready(drill->node, drill->guarded, drill_in(30), &drill->err)) &&
           node_fire(drill->firing, drill_in(30), &drill->t0, &drill->err) == EFFECT_PROVEN;
}

void drill_fire(struct Drill *drill)
{
    drill_ready(drill);
    good(drill, node_fire(drill->firing, drill_in(30), &drill->t0, &drill->err) == EFFECT_PROVEN,
         "fire");
}

void drill_undo(struct Drill *drill)
{
    struct Buf detail = BUF(1000);
    drill->err.message[0] = '\0';
    enum Known known =
        node_undo(drill->node, &drill->undo, drill_in(60), &drill->undone, &detail, &drill->err);
    if (known != KNOWN_YES)
        fail_msg("undo: %s %s", detail.text, drill->err.message);
    buf_free(&detail);
    good(drill, node_disarm(drill->node, &drill->token, 1, drill_in(30), &drill->err), "disarm");
    good(drill, node_unlock(drill->node, &drill->token, drill_in(30), &drill->err), "unlock");
}

void drill_is_clean(struct Drill *drill, int seconds)
{
    struct Mono deadline = drill_in(seconds);
    for (;;) {
        struct Buf now = space_fingerprint(&drill->space);
        bool same = strcmp(now.text, drill->before.text) == 0;
        if (!same && !mono_before(mono_now(), deadline)) {
            print_message("before:\n%s\nnow:\n%s\n", drill->before.text, now.text);
            fail_msg("the host is not as it was after %d s", seconds);
        }
        buf_free(&now);
        if (same)
            return;
        poll(NULL, 0, 50);
    }
}

bool drill_in_place(const struct Drill *drill)
{
    return space_sh(&drill->space,
                    "cd /run/faildrill/*_1 && FD_ID=$(basename $PWD) FD_DIR=$PWD sh ./place",
                    NULL) == 0;
}
