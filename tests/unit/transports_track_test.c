/* transports_track_test.c - what other tools left behind on hosts, tried on ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../fakes/track.h"
#include "transports_drill.h"

/* An apply that broke off is a fault. */
static void test_half_an_apply_is_undone(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "echo 'touch /run/broken; exit 1' >apply");
    drill_ready(&drill);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_UNKNOWN);
    on_host(&drill, "test -e /run/broken");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "test ! -e /run/broken");
    end(&drill);
}

/* All that an undo needs lies there before; it writes nothing that it cannot do without. */
static void test_a_full_run_stops_no_undo(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    drill_fire(&drill);
    on_host(&drill, "mount -o remount,size=2m /run; dd if=/dev/zero of=/run/full bs=4k 2>/dev/null "
                    "|| :; ! echo more >>/run/full 2>/dev/null");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "test ! -e /run/broken; rm -rf /run/full /run/mount; "
                    "mount -o remount,size=50% /run; rm -rf /run/mount");
    end(&drill);
}

static void test_what_is_applied_twice_is_undone_once(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_ISOLATE, LONG_NS);
    drill_fire(&drill);
    on_host(&drill, "export FD_ID=$(basename $PWD) FD_DIR=$PWD FD_PEER= FD_PORT= FD_LEASE=20; "
                    "sh ./apply; sh ./apply; sh ./place");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    end(&drill);
}

static void test_a_new_run_brings_back_nothing_of_an_old_one(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_ISOLATE, LONG_NS);
    drill_fire(&drill);
    drill_undo(&drill);
    node_unready(drill.firing);
    drill.firing = NULL;
    drill.token = (struct Token){"01k2other"};
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    on_host(&drill, "[ \"$(nft list tables)\" = 'table inet fd_01k2other_1' ]");
    end(&drill);
}

static void test_the_end_of_one_fault_ends_no_other(void **state)
{
    (void)state;
    struct Drill drill;
    struct Moment t0;
    struct Buf detail = BUF(1000);
    open_and_arm(&drill, DRILL_ISOLATE, LONG_NS);
    drill_fire(&drill);
    struct ArmInput second = drill.arm;
    second.number = 2;
    const struct Guarded *guarded =
        guard_arm(drill.node, &second, drill_in(30), drill.arena, &drill.err);
    assert_non_null(guarded);
    struct Firing *firing = node_ready(drill.node, guarded, drill_in(30), &drill.err);
    assert_non_null(firing);
    assert_int_equal(node_fire(firing, drill_in(30), &t0, &drill.err), EFFECT_PROVEN);
    node_unready(firing);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    assert_true(node_disarm(drill.node, &drill.token, 1, drill_in(30), &drill.err));
    on_host(&drill, "[ \"$(nft list tables)\" = 'table inet fd_01k2drill_2' ]; "
                    "test -d /run/faildrill/01k2drill_2");
    drill.undo.number = 2;
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    assert_true(node_disarm(drill.node, &drill.token, 2, drill_in(30), &drill.err));
    drill.undo.number = 1;
    buf_free(&detail);
    end(&drill);
}

static void test_what_is_still_under_way_is_not_proven(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "echo '(sleep 1; touch /run/broken) >/dev/null 2>&1 & exit 0' >apply");
    drill_ready(&drill);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_PROVEN);
    assert_true(mono_since(drill.t0.low, drill.t0.high) >= 900 * NS_PER_MS);
    on_host(&drill, "cp undo undo.true; echo '(until [ -e /run/go ]; do sleep 0.05; done; "
                    "rm /run/broken) >/dev/null 2>&1 & exit 0' >undo");
    assert_int_equal(undo_now(&drill), KNOWN_NO);
    on_host(&drill, "test -e /run/broken; touch /run/go");
    assert_true(space_until(&drill.space, "test ! -e /run/broken", 20));
    on_host(&drill, "mv undo.true undo; rm /run/go");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    end(&drill);
}

/* Runner gone, guard killed: the kernel takes its elements out. */
static void test_the_kernel_ends_it_with_nobody_left(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_ISOLATE, 6 * NS_PER_S);
    drill_fire(&drill);
    on_host(&drill, "set -- $(cat armed); kill -9 $1");
    node_unready(drill.firing);
    drill.firing = NULL;
    node_close(drill.node);
    assert_true(space_until(&drill.space,
                            "rules=$(nft list ruleset) && case $rules in "
                            "*expires*) false ;; *fd_01k2drill_1*) ;; *) false ;; esac",
                            40));
    drill.node = node_open(&drill.target, drill_in(30), &drill.err);
    assert_non_null(drill.node);
    end(&drill);
}

/* Whoever would have sent the undo has died in the middle. */
static void test_an_undo_comes_with_its_runner_dead(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, 5 * NS_PER_S);
    drill_fire(&drill);
    node_unready(drill.firing);
    drill.firing = NULL;
    node_close(drill.node);
    assert_true(space_until(&drill.space,
                            "! ls -d /run/faildrill/*_1 2>/dev/null && test ! -e /run/broken", 30));
    drill.node = node_open(&drill.target, drill_in(30), &drill.err);
    assert_non_null(drill.node);
    end(&drill);
}

static void test_an_undo_looks_nobody_up(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_FREEZE, LONG_NS);
    drill_fire(&drill);
    on_host(&drill, "mv /run/svc.pid /run/was"); /* by which it was found */
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "mv /run/was /run/svc.pid; ! grep -q 'State:.T' /proc/[0-9]*/status");
    end(&drill);
}

static void test_a_target_that_was_restarted_is_no_obstacle(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_FREEZE, LONG_NS);
    drill_fire(&drill);
    on_host(&drill, "while read -r pid _; do kill -9 $pid; done <ids");
    assert_int_equal(space_sh(&drill.space, drill.role.service.start, NULL), 0);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    end(&drill);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TRACK("chaosd 144", test_half_an_apply_is_undone),
        TRACK("chaosd 243", test_a_full_run_stops_no_undo),
        TRACK("chaosd 178", test_what_is_applied_twice_is_undone_once),
        TRACK("chaosd 207", test_a_new_run_brings_back_nothing_of_an_old_one),
        TRACK("chaosd 213", test_the_end_of_one_fault_ends_no_other),
        TRACK("chaosd PR 32", test_what_is_still_under_way_is_not_proven),
        TRACK("pumba 147", test_the_kernel_ends_it_with_nobody_left),
        TRACK("jepsen 602", test_an_undo_comes_with_its_runner_dead),
        TRACK("chaosblade 512", test_an_undo_looks_nobody_up),
        TRACK("chaosblade 881", test_a_target_that_was_restarted_is_no_obstacle),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
