/* node_test.c - each kind of fault, and all that may go wrong: nothing is left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../fakes/drill.h"

#define LEASE_NS (2 * NS_PER_S)
#define LONG_NS (20 * NS_PER_S) /* where nobody is meant to run out of it */
#define CAP_NS (600 * NS_PER_S) /* what ends before SOON ends by something else */
/* And waits: a signal that was sent has not yet been received. */
static const char kill_guard[] = "set -- $(cat /run/faildrill/*_1/armed); kill -9 $1 && "
                                 "while kill -0 $1 2>/dev/null; do sleep 0.01; done";
/* As a starved machine sees it: what is undone, or undoes itself after its lease. How long that
 * takes is measured by the observer of drills.sh. */
#define SOON 60 /* s */

static enum DrillKind kind_of(void **state)
{
    return *(const enum DrillKind *)*state;
}

static bool stays_broken(enum DrillKind kind)
{
    return kind != DRILL_RESTART; /* it is over by itself */
}

static void vanish(struct Drill *drill)
{
    node_unready(drill->firing);
    drill->firing = NULL;
    node_close(drill->node);
    drill->node = NULL;
}

/* Arms, fires; the fault is there. On a machine so busy that a lease of 2 s runs out before that
 * (or nearly so, when nothing is fired any more), which the host undoes, once more. */
static void begin_until(struct Drill *drill, void **state, int64_t lease_ns, int64_t cap_ns)
{
    for (int tries = 4;; tries--) {
        drill_open(drill, kind_of(state), lease_ns, cap_ns);
        drill_lock(drill);
        struct Mono armed = mono_now();
        drill_arm(drill);
        if (drill_fires(drill) && (!stays_broken(kind_of(state)) || drill_in_place(drill)))
            break;
        if (tries == 0 || mono_since(armed, mono_now()) < lease_ns / 2)
            fail_msg("fire: %s", drill->err.message);
        vanish(drill);
        drill_is_clean(drill, 60);
        drill_close(drill);
    }
}

static void begin(struct Drill *drill, void **state, int64_t lease_ns)
{
    begin_until(drill, state, lease_ns, CAP_NS);
}

/* Its lease is over, again and again, since a line that arrives only now still begins anew. */
static const char run_out[] =
    "for folder in /run/faildrill/*_1; do\n"
    "    [ -d $folder ] || exit 0\n"
    "    echo 0 0 >$folder/lease.end && mv $folder/lease.end $folder/lease\n"
    "done\n"
    "exit 1\n";

static void come_back(struct Drill *drill)
{
    cut_at(CUT_NEVER);
    if (drill->node == NULL)
        drill->node = node_open(&drill->target, drill_in(30), &drill->err);
    assert_non_null(drill->node);
}

static void undone_and_disarmed(void **state)
{
    struct Drill drill;
    struct GuardState watched;
    begin(&drill, state, LONG_NS);
    assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, true}, drill_in(30),
                            &watched, &drill.err));
    assert_true(watched.alive && !watched.undone && !watched.halt_asked && !watched.rebooted);
    if (stays_broken(kind_of(state)))
        assert_int_equal(watched.in_place, KNOWN_YES);
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void undone_twice(void **state)
{
    struct Drill drill;
    struct Buf detail = BUF(1000);
    begin(&drill, state, LONG_NS);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            node_undo(drill.node, &drill.undo, drill_in(60), &drill.undone, &detail, &drill.err),
            KNOWN_YES);
    drill_undo(&drill);
    assert_int_equal(
        node_undo(drill.node, &drill.undo, drill_in(60), &drill.undone, &detail, &drill.err),
        KNOWN_YES);
    drill_is_clean(&drill, SOON);
    buf_free(&detail);
    drill_close(&drill);
}

/* False where the machine let us renew it too late: then the guard is right to undo it. */
static bool outlasts_its_lease(struct Drill *drill, void **state)
{
    struct GuardState watched = {.alive = true};
    struct Mono until = mono_add(mono_now(), 5 * NS_PER_S), renewed = mono_now();
    assert_true(guard_watch(drill->node, drill->guarded, (struct Watch){true, false}, drill_in(30),
                            &watched, &drill->err));
    while (watched.renewed && mono_before(mono_now(), until)) {
        struct Mono asked = mono_now();
        assert_true(guard_watch(drill->node, drill->guarded, (struct Watch){true, true},
                                drill_in(30), &watched, &drill->err));
        if (mono_since(renewed, mono_now()) >= LEASE_NS)
            return false;
        assert_true(watched.alive && watched.renewed && !watched.undone);
        if (stays_broken(kind_of(state)))
            assert_int_equal(watched.in_place, KNOWN_YES);
        renewed = asked;
        poll(NULL, 0, 300);
    }
    return watched.renewed;
}

static void renewed_it_outlasts_its_lease(void **state)
{
    struct Drill drill;
    begin(&drill, state, LEASE_NS);
    for (int tries = 4; !outlasts_its_lease(&drill, state); tries--) {
        if (tries == 0)
            fail_msg("the machine is too busy to renew a lease of 2 s");
        vanish(&drill);
        drill_is_clean(&drill, SOON);
        drill_close(&drill);
        begin(&drill, state, LEASE_NS);
    }
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void runner_gone_the_guard_undoes(void **state)
{
    struct Drill drill;
    begin(&drill, state, LEASE_NS);
    vanish(&drill);
    drill_is_clean(&drill, SOON);
    come_back(&drill);
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void a_live_runner_learns_that_the_guard_undid(void **state)
{
    struct Drill drill;
    struct GuardState watched = {.alive = true};
    begin(&drill, state, LEASE_NS);
    struct Mono until = drill_in(SOON);
    while (!watched.undone && mono_before(mono_now(), until)) {
        assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){false, false},
                                drill_in(30), &watched, &drill.err));
        poll(NULL, 0, 100);
    }
    assert_true(watched.undone && !watched.rebooted);
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void cap_ends_it_though_it_is_renewed(void **state)
{
    struct Drill drill;
    struct GuardState watched = {.alive = true};
    begin_until(&drill, state, 6 * NS_PER_S, 6 * NS_PER_S); /* no lease is longer than its cap */
    struct Mono until = drill_in(SOON);
    while (!watched.undone && mono_before(mono_now(), until)) {
        assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, false},
                                drill_in(30), &watched, &drill.err));
        poll(NULL, 0, 100);
    }
    assert_true(watched.undone);
    vanish(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void guard_killed_the_runner_still_undoes(void **state)
{
    struct Drill drill;
    struct GuardState watched;
    begin(&drill, state, 6 * NS_PER_S); /* the guard is to be killed before it acts */
    assert_int_equal(space_sh(&drill.space, kill_guard, NULL), 0);
    assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, false}, drill_in(30),
                            &watched, &drill.err));
    assert_false(watched.alive);
    if (kind_of(state) == DRILL_ISOLATE) /* class K: the kernel ends it, with nobody left */
        assert_true(
            space_until(&drill.space, "! nft list ruleset | grep -q '0.0.0.0/0 timeout'", SOON));
    if (kind_of(state) == DRILL_CHAINS)
        assert_true(space_until(&drill.space, "! ipset save | grep -q '^add fd_'", SOON));
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void no_guard_no_fire(void **state)
{
    struct Drill drill;
    drill_open(&drill, kind_of(state), LONG_NS, CAP_NS);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_ready(&drill);
    assert_int_equal(space_sh(&drill.space, kill_guard, NULL), 0);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_NONE);
    assert_string_equal(drill.err.message, "'host' refused to fire: its guard is dead");
    assert_null(node_ready(drill.node, drill.guarded, drill_in(30), &drill.err));
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void halt_from_anywhere_undoes(void **state)
{
    struct Drill drill;
    struct GuardState watched = {.alive = true};
    begin(&drill, state, LONG_NS); /* it is not for its lease that it is undone */
    assert_true(node_halt(drill.node, NULL, drill_in(30), &drill.err));
    struct Mono until = drill_in(SOON);
    while (!watched.undone && mono_before(mono_now(), until))
        assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, false},
                                drill_in(30), &watched, &drill.err));
    assert_true(watched.undone && watched.halt_asked);
    vanish(&drill);
    assert_true(space_until(&drill.space, run_out, SOON)); /* till then it waits for us to see it */
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void by_hand_it_is_over_at_once(void **state)
{
    struct Drill drill;
    struct Buf out = BUF(1000);
    begin(&drill, state, LONG_NS);
    vanish(&drill);
    struct Mono asked = mono_now();
    assert_int_equal(space_sh(&drill.space, "sh /run/faildrill/undo", &out), 0);
    assert_true(mono_since(asked, mono_now()) < LONG_NS / 2);
    assert_int_equal(strncmp(out.text, "undone: ", 8), 0);
    drill_is_clean(&drill, SOON);
    buf_free(&out);
    drill_close(&drill);
}

/* All that was sent before is dead with its boot id; what a reboot clears is only looked at. */
static void rebooted_nothing_fires_and_nothing_is_left(void **state)
{
    struct Drill drill;
    struct GuardState watched;
    drill_open(&drill, kind_of(state), LONG_NS, CAP_NS);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_ready(&drill);
    assert_int_equal(space_sh(&drill.space,
                              "echo another >/run/boot_id; "
                              "mount --bind /run/boot_id /proc/sys/kernel/random/boot_id",
                              NULL),
                     0);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_NONE);
    assert_string_equal(drill.err.message, "'host' refused to fire: the host was rebooted");
    node_unready(drill.firing);
    drill.firing = NULL;
    assert_int_equal(space_sh(&drill.space, kill_guard, NULL), 0);
    assert_int_equal(space_sh(&drill.space, "rm -rf /run/faildrill /run/motd.d", NULL), 0);
    assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, true}, drill_in(30),
                            &watched, &drill.err));
    assert_true(watched.rebooted && !watched.alive && !watched.undone);
    drill_undo(&drill);
    assert_int_equal(
        space_sh(&drill.space,
                 "umount /proc/sys/kernel/random/boot_id; rm -rf /run/boot_id /run/mount", NULL),
        0);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

/* ---- An apply that lands while, or after, the undo does. ---- */

struct Racer {
    struct Drill *drill;
    int64_t wait_ns;
    enum Effect effect;
    enum Known known;
};

static void *fire_late(void *data)
{
    struct Racer *racer = data;
    struct Moment t0;
    struct Err err;
    poll(NULL, 0, (int)(racer->wait_ns / NS_PER_MS));
    racer->effect = node_fire(racer->drill->firing, drill_in(30), &t0, &err);
    return NULL;
}

static void late_apply_never_wins(void **state)
{
    struct Drill drill;
    enum DrillKind kind = kind_of(state);
    int races = kind == DRILL_RUN       ? 200
                : kind == DRILL_ISOLATE ? 100
                                        : 10,
        applied = 0, refused = 0;
    drill_open(&drill, kind, LONG_NS, CAP_NS);
    for (int i = 0; i < races; i++) {
        struct Buf detail = BUF(1000);
        struct Racer racer = {.drill = &drill, .wait_ns = i * 7 % 60 * NS_PER_MS};
        pthread_t thread;
        drill_lock(&drill);
        drill_arm(&drill);
        drill_ready(&drill);
        assert_int_equal(pthread_create(&thread, NULL, fire_late, &racer), 0);
        assert_int_equal(
            node_undo(drill.node, &drill.undo, drill_in(60), &drill.undone, &detail, &drill.err),
            KNOWN_YES);
        pthread_join(thread, NULL);
        applied += racer.effect == EFFECT_PROVEN;
        refused += racer.effect == EFFECT_NONE;
        node_unready(drill.firing);
        drill.firing = NULL;
        drill_undo(&drill);
        drill_is_clean(&drill, SOON);
        buf_free(&detail);
    }
    print_message("%s: %d races, %d applied before the undo, %d refused, 0 left\n",
                  drill_kind_name(kind), races, applied, refused);
    drill_close(&drill);
}

/* The line was sent, and lies in a channel that nobody reads, until long after the undo. */
static void a_line_read_after_the_tombstone_does_nothing(void **state)
{
    struct Drill drill;
    drill_open(&drill, kind_of(state), LONG_NS, CAP_NS);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_ready(&drill);
    assert_int_equal(space_sh(&drill.space, "cd /run/faildrill/*_1 && mv permit tomb", NULL), 0);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_NONE);
    assert_string_equal(drill.err.message, "'host' refused to fire: it was undone before");
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

static void *undo_aside(void *data)
{
    struct Racer *racer = data;
    struct Buf detail = BUF(1000);
    racer->known = node_undo(racer->drill->node, &racer->drill->undo, drill_in(60),
                             &racer->drill->undone, &detail, &racer->drill->err);
    buf_free(&detail);
    return NULL;
}

/* A guard that is late with putting its own away finds the one in which the runner looks once more,
 * by the same name. */
static void nobody_takes_the_folder_in_which_one_looks(void **state)
{
    if (kind_of(state) != DRILL_RUN)
        return; /* it is the same for all */
    struct Drill drill;
    struct Racer racer = {.drill = &drill};
    pthread_t thread;
    drill_open(&drill, kind_of(state), LONG_NS, CAP_NS);
    drill_lock(&drill);
    drill_arm(&drill);
    assert_int_equal(space_sh(&drill.space, "cp -r /run/faildrill/*_1 /run/kept", NULL), 0);
    assert_true(node_disarm(drill.node, &drill.token, 1, drill_in(30), &drill.err));
    const char *proof = drill.undo.all_clear;
    drill.undo.all_clear = "touch /run/looks; while [ -e /run/looks ]; do sleep 0.02; done\n"
                           "test -s clear || exit 125\n";
    assert_int_equal(pthread_create(&thread, NULL, undo_aside, &racer), 0);
    assert_true(space_until(&drill.space, "test -e /run/looks", SOON));
    assert_int_equal(space_sh(&drill.space,
                              ". /run/kept/vars; . /run/kept/node; put_away; kept=$?\n"
                              "rm -r /run/kept /run/looks; [ $kept -eq 1 ]",
                              NULL),
                     0);
    pthread_join(thread, NULL);
    assert_int_equal(racer.known, KNOWN_YES);
    drill.undo.all_clear = proof;
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    drill_close(&drill);
}

/* ---- The link is cut, at each step, before, within and after what is sent. ---- */

static void cut_here(void **state, int step, enum CutAt when)
{
    struct Drill drill;
    struct Buf detail = BUF(1000);
    drill_open(&drill, kind_of(state), step == 0 ? LEASE_NS : LONG_NS, CAP_NS);
    drill_lock(&drill);
    if (step == 0)
        cut_at(when);
    drill.guarded = guard_arm(drill.node, &drill.arm, drill_in(30), drill.arena, &drill.err);
    if (drill.guarded != NULL) {
        drill_ready(&drill);
        if (step == 1)
            cut_at(when);
        enum Effect effect = node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err);
        assert_int_equal(effect, step == 1 ? EFFECT_UNKNOWN : EFFECT_PROVEN);
    }
    if (step == 2) {
        cut_at(when);
        assert_int_equal(
            node_undo(drill.node, &drill.undo, drill_in(30), &drill.undone, &detail, &drill.err),
            KNOWN_UNKNOWN);
    }
    vanish(&drill);
    /* A lock alone may stand where nothing was armed; nothing else. */
    assert_true(
        space_until(&drill.space, step == 0 ? "! ls -d /run/faildrill/*_*" : run_out, SOON));
    come_back(&drill);
    drill_undo(&drill);
    drill_is_clean(&drill, SOON);
    buf_free(&detail);
    drill_close(&drill);
}

static void arming_cut_before(void **state)
{
    cut_here(state, 0, CUT_BEFORE_SEND);
}
static void arming_cut_within(void **state)
{
    cut_here(state, 0, CUT_MID_SEND);
}
static void arming_cut_after(void **state)
{
    cut_here(state, 0, CUT_BEFORE_REPLY);
}
static void firing_cut_before(void **state)
{
    cut_here(state, 1, CUT_BEFORE_SEND);
}
static void firing_cut_within(void **state)
{
    cut_here(state, 1, CUT_MID_SEND);
}
static void firing_cut_after(void **state)
{
    cut_here(state, 1, CUT_BEFORE_REPLY);
}
static void undo_cut_before(void **state)
{
    cut_here(state, 2, CUT_BEFORE_SEND);
}
static void undo_cut_within(void **state)
{
    cut_here(state, 2, CUT_MID_SEND);
}
static void undo_cut_after(void **state)
{
    cut_here(state, 2, CUT_BEFORE_REPLY);
}

#define ROW(test)                                                                                  \
    {                                                                                              \
#test, test                                                                                \
    }
static const struct {
    const char *name;
    CMUnitTestFunction function;
} rows[] = {
    ROW(undone_and_disarmed),
    ROW(undone_twice),
    ROW(renewed_it_outlasts_its_lease),
    ROW(runner_gone_the_guard_undoes),
    ROW(a_live_runner_learns_that_the_guard_undid),
    ROW(cap_ends_it_though_it_is_renewed),
    ROW(guard_killed_the_runner_still_undoes),
    ROW(no_guard_no_fire),
    ROW(halt_from_anywhere_undoes),
    ROW(by_hand_it_is_over_at_once),
    ROW(rebooted_nothing_fires_and_nothing_is_left),
    ROW(a_line_read_after_the_tombstone_does_nothing),
    ROW(late_apply_never_wins),
    ROW(nobody_takes_the_folder_in_which_one_looks),
    ROW(arming_cut_before),
    ROW(arming_cut_within),
    ROW(arming_cut_after),
    ROW(firing_cut_before),
    ROW(firing_cut_within),
    ROW(firing_cut_after),
    ROW(undo_cut_before),
    ROW(undo_cut_within),
    ROW(undo_cut_after),
};

int main(int argc, char **argv)
{
    static enum DrillKind kinds[DRILL_KINDS];
    static char names[DRILL_KINDS][COUNT_OF(rows)][96];
    static struct CMUnitTest tests[DRILL_KINDS * COUNT_OF(rows)];
    size_t count = 0;
    for (int kind = 0; kind < DRILL_KINDS; kind++) {
        kinds[kind] = (enum DrillKind)kind;
        if (argc > 1 && strstr(drill_kind_name(kinds[kind]), argv[1]) == NULL)
            continue;
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            snprintf(names[kind][i], sizeof names[kind][i], "%s: %s", drill_kind_name(kinds[kind]),
                     rows[i].name);
            if (argc > 2 && strstr(rows[i].name, argv[2]) == NULL)
                continue;
            tests[count++] = (struct CMUnitTest){.name = names[kind][i],
                                                 .test_func = rows[i].function,
                                                 .initial_state = &kinds[kind]};
        }
    }
    return _cmocka_run_group_tests("node", tests, count, NULL, NULL);
}
