/* transports_safety_test.c - what nobody misses until it is gone: one promise each, on a host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../../runner/base/text.h"
#include "../fakes/track.h"
#include "transports_drill.h"

static void open_and_fire(struct Drill *drill, enum DrillKind kind, int64_t lease_ns)
{
    open_and_arm(drill, kind, lease_ns);
    drill_fire(drill);
}

static void vanish(struct Drill *drill)
{
    node_unready(drill->firing);
    drill->firing = NULL;
    node_close(drill->node);
    drill->node = NULL;
}

static void come_back(struct Drill *drill)
{
    drill->node = node_open(&drill->target, drill_in(30), &drill->err);
    assert_non_null(drill->node);
}

static const char kill_guard[] = "set -- $(cat armed); kill -9 $1; "
                                 "while kill -0 $1 2>/dev/null; do sleep 0.01; done";

/* ---- what may act ---- */

static void test_nothing_fires_at_the_end_of_a_lease(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, CAP_NS);
    /* 12 of 60 seconds are left: less than a quarter. */
    on_host(&drill, "read -r up _ </proc/uptime; now=${up%.*}${up#*.}; "
                    "echo $((now + 1200)) $((now + 1200)) >lease");
    assert_null(node_ready(drill.node, drill.guarded, drill_in(30), &drill.err));
    assert_string_equal(drill.err.message, "'host' refused to fire: its guard is about to act");
    end(&drill);
}

static void test_nothing_fires_where_a_halt_was_asked_for(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "read -r pid _ <armed; kill -STOP $pid; echo >halt"); /* or it would be first */
    assert_null(node_ready(drill.node, drill.guarded, drill_in(30), &drill.err));
    assert_string_equal(drill.err.message, "'host' refused to fire: halt was asked for");
    on_host(&drill, "rm halt; read -r pid _ <armed; kill -CONT $pid");
    end(&drill);
}

static void test_what_was_undone_is_never_fired(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    assert_null(node_ready(drill.node, drill.guarded, drill_in(30), &drill.err));
    assert_string_equal(drill.err.message, "'host' refused to fire: it was undone before");
    end(&drill);
}

static void test_whoever_waits_for_a_line_ends_with_the_undo(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    drill_ready(&drill);
    on_host(&drill, "read -r pid _ <waiting; kill -0 $pid; cp waiting /run/waited");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    assert_true(space_until(&drill.space,
                            "read -r pid _ </run/waited; ! kill -0 $pid 2>/dev/null || "
                            "grep -q 'State:.Z' /proc/$pid/status",
                            30));
    on_host(&drill, "rm /run/waited");
    node_unready(drill.firing);
    drill.firing = NULL;
    end(&drill);
}

/* Behind the fence stands whoever is in the middle of it: the undo waits. */
static void test_an_apply_under_way_is_awaited(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "flock . sh -c 'sleep 2; touch /run/over' >/dev/null 2>&1 & "
                    "until ! flock -n . true; do :; done");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "test -e /run/over; rm /run/over");
    end(&drill);
}

/* Whose death leaves an apply that goes on: of the shell that fires and holds the fence, or of its
 * own. `slow` waits in a process that neither of them waits for afterwards. */
static void overtake(const char *killed)
{
    static const char slow[] = "printf 'timeout 60 sh -c \"until [ -e /run/go ]; do sleep 0.05; "
                               "done; touch /run/broken\"\\n' >apply";
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, slow);
    drill_ready(&drill);
    struct Mono soon = mono_add(mono_now(), 300 * NS_PER_MS);
    assert_int_equal(node_fire(drill.firing, soon, &drill.t0, &drill.err), EFFECT_UNKNOWN);
    assert_true(space_until(&drill.space, "pgrep -f '^sh -c until .*/run/go'", 20));
    on_host(&drill, killed);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "if pgrep -f '^sh -c until .*/run/go'; then exit 1; fi");
    node_unready(drill.firing);
    drill.firing = NULL;
    end(&drill);
}

static void test_an_apply_without_its_fence_ends_with_the_undo(void **state)
{
    (void)state;
    overtake("read -r pid _ <holder; kill -9 $pid");
}

static void test_what_a_killed_apply_began_ends_with_the_undo(void **state)
{
    (void)state;
    overtake("kill -9 $(pgrep -f 'sh ./apply$')");
}

static void test_no_lease_is_renewed_once_it_is_undone(void **state)
{
    (void)state;
    struct Drill drill;
    struct GuardState watched;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "mv permit tomb; cp lease /run/before");
    assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, false}, drill_in(30),
                            &watched, &drill.err));
    assert_false(watched.renewed);
    on_host(&drill, "cmp lease /run/before && rm /run/before");
    end(&drill);
}

/* ---- the guard ---- */

static void test_a_guard_tries_until_it_is_clear(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "rm /run/broken; mkdir -p /run/broken/x; " /* rm -f cannot take that away */
                    "echo 0 0 >lease.end; mv lease.end lease");
    vanish(&drill);
    assert_true(
        space_until(&drill.space, "grep -q 'cannot remove' /run/faildrill/*_1/log.undo", 30));
    /* Two more tries, and it is there still. */
    on_host(&drill, "rm log.undo");
    assert_true(space_until(&drill.space, "test -s /run/faildrill/*_1/log.undo", 30));
    on_host(&drill, "test -e permit -o -e tomb; test -e dirty -o -e FAILED; test ! -e clean; "
                    "test -e /run/faildrill/undo; test -d /run/broken; rm -r /run/broken");
    assert_true(space_until(&drill.space, "! ls -d /run/faildrill/*_1", 60));
    come_back(&drill);
    end(&drill);
}

static void test_a_guard_reckons_by_time_since_boot(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "read -r lease _ <lease; read -r up _ </proc/uptime; "
                    "left=$((lease / 100 - ${up%.*})); [ $left -ge 0 ] && [ $left -le 21 ]");
    end(&drill);
}

static void test_what_an_undo_starts_does_not_hold_the_fence(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_KILL, LONG_NS);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "for fd in /proc/$(cat /run/svc.pid)/fd/*; do [ ! $fd -ef . ] || exit 1; done");
    end(&drill);
}

/* ---- what a look proves ---- */

static void test_a_look_without_an_answer_proves_nothing(void **state)
{
    (void)state;
    struct Drill drill;
    struct GuardState watched;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "cp place place.true; cp clear clear.true; echo 'exit 124' >place; "
                    "echo 'exit 125' >clear");
    assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){false, true}, drill_in(30),
                            &watched, &drill.err));
    assert_int_equal(watched.in_place, KNOWN_UNKNOWN);
    assert_int_equal(undo_now(&drill), KNOWN_UNKNOWN);
    assert_true(text_starts(drill.err.message, "'host' cannot say whether it is clear"));
    on_host(&drill, "test ! -e clean; mv place.true place; mv clear.true clear");
    end(&drill);
}

/* A shell that cannot read on believes that the file has ended. */
static void test_a_look_that_is_cut_off_proves_nothing(void **state)
{
    (void)state;
    static const char *const cuts[] = {": >", "rm ", "echo true >"};
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "cp clear clear.true");
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        char line[64];
        snprintf(line, sizeof line, "%sclear", cuts[i]);
        on_host(&drill, line);
        assert_int_equal(undo_now(&drill), KNOWN_UNKNOWN);
        on_host(&drill, "test ! -e clean; cp clear.true clear");
    }
    end(&drill);
}

static void test_a_look_without_nft_proves_nothing(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_ISOLATE, LONG_NS);
    on_host(&drill, "printf '#!/bin/sh\\nexit 1\\n' >/run/nft; chmod 755 /run/nft; "
                    "mount --bind /run/nft $(command -v nft)");
    assert_int_equal(undo_now(&drill), KNOWN_UNKNOWN);
    on_host(&drill, "umount $(command -v nft); rm -r /run/nft /run/mount");
    end(&drill);
}

static void test_an_undo_that_says_yes_is_not_believed(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "cp undo undo.true; echo 'exit 0' >undo");
    assert_int_equal(undo_now(&drill), KNOWN_NO);
    on_host(&drill, "test ! -e clean; test -e /run/broken; mv undo.true undo");
    end(&drill);
}

static void test_an_apply_that_does_nothing_is_not_proven(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, "echo 'exit 0' >apply; sed -i 's/FD_PROOF=[0-9]*/FD_PROOF=30/' vars");
    drill_ready(&drill);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_UNKNOWN);
    assert_true(text_starts(drill.err.message, "not proven on 'host'"));
    end(&drill);
}

/* Who took the folder away may have had no look at the fault. */
static void test_a_lost_folder_is_no_proof(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, kill_guard);
    on_host(&drill, "rm -rf /run/faildrill/*_1; test -e /run/broken");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "test ! -e /run/broken");
    end(&drill);
}

/* A guard was killed when it had taken the folder away, before the rest: banner and way out. */
static void test_whoever_finds_the_folder_gone_sweeps(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, kill_guard);
    on_host(&drill, "cp node vars /run; rm -r \"$PWD\"; . /run/vars; . /run/node; "
                    "put_away || exit 1; rm /run/node /run/vars; "
                    "test ! -e /run/faildrill/undo; test ! -e /run/motd.d");
    end(&drill);
}

/* The runner dies while its undo looks at a host whose folder is gone: nobody reads the answer. */
static void test_a_look_that_nobody_awaits_leaves_nothing(void **state)
{
    (void)state;
    struct Drill drill;
    struct Buf detail = BUF(1000);
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    on_host(&drill, kill_guard);
    on_host(&drill, "rm -rf /run/faildrill/*_1");
    struct UndoInput slow = drill.undo;
    slow.all_clear = arena_printf(drill.arena, "sleep 1\n%s", drill.undo.all_clear);
    struct Mono soon = mono_add(mono_now(), 700 * NS_PER_MS);
    assert_int_equal(node_undo(drill.node, &slow, soon, &drill.undone, &detail, &drill.err),
                     KNOWN_UNKNOWN);
    vanish(&drill);
    assert_true(space_until(&drill.space, "! ls -d /run/faildrill/*_1", 20));
    buf_free(&detail);
    come_back(&drill);
    end(&drill);
}

/* A reboot clears a table; something may have brought it back. */
static void test_a_reboot_is_no_proof(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_ISOLATE, LONG_NS);
    on_host(&drill, kill_guard);
    on_host(&drill, "rm -rf /run/faildrill/*_1; echo another >/run/boot_id; "
                    "mount --bind /run/boot_id /proc/sys/kernel/random/boot_id");
    assert_int_equal(undo_now(&drill), KNOWN_NO);
    on_host(&drill, "nft delete table inet fd_01k2drill_1");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "umount /proc/sys/kernel/random/boot_id; rm -r /run/boot_id /run/mount");
    end(&drill);
}

/* ---- arming ---- */

/* In place of a program of the host, for a moment. */
static void with_false(struct Drill *drill, const char *program, const char *text)
{
    struct Buf line = BUF(4000);
    buf_printf(&line,
               "printf '#!/bin/sh\\n%s\\n' >/run/false; chmod 755 /run/false; "
               "mount --bind /run/false $(readlink -f $(command -v %s))",
               text, program);
    on_host(drill, line.text);
    buf_free(&line);
    drill->guarded = guard_arm(drill->node, &drill->arm, drill_in(30), drill->arena, &drill->err);
    assert_null(drill->guarded);
    line = BUF(4000);
    buf_printf(&line, "umount $(readlink -f $(command -v %s)); rm -r /run/false /run/mount",
               program);
    on_host(drill, line.text);
    buf_free(&line);
}

static void test_an_undo_that_is_not_ours_is_not_armed(void **state)
{
    (void)state;
    struct Drill drill;
    drill_open(&drill, DRILL_RUN, LONG_NS, CAP_NS);
    drill_lock(&drill);
    with_false(&drill, "sha256sum", "echo 0123456789abcdef -");
    assert_string_equal(drill.err.message,
                        "the undo that 'host' holds is not the one that was sent");
    end(&drill);
}

static void test_a_guard_that_does_not_live_is_not_armed(void **state)
{
    (void)state;
    struct Drill drill;
    drill_open(&drill, DRILL_RUN, LONG_NS, CAP_NS);
    drill_lock(&drill);
    with_false(&drill, "setsid", "echo 4190000 1 x 1 >${2%%/guard}/armed");
    assert_string_equal(drill.err.message, "the guard on 'host' is not alive");
    end(&drill);
}

/* The runner dies while its guard does not start: nobody reads that. */
static void test_an_arming_that_nobody_awaits_leaves_nothing(void **state)
{
    (void)state;
    struct Drill drill;
    drill_open(&drill, DRILL_RUN, LONG_NS, CAP_NS);
    drill_lock(&drill);
    on_host(&drill, "printf '#!/bin/sh\\nuntil [ -e /run/go ]; do sleep 0.05; done\\n' "
                    ">/run/false; chmod 755 /run/false; "
                    "mount --bind /run/false $(command -v setsid)");
    struct Mono soon = mono_add(mono_now(), 300 * NS_PER_MS);
    assert_null(guard_arm(drill.node, &drill.arm, soon, drill.arena, &drill.err));
    assert_true(space_until(&drill.space, "pgrep -f '^/bin/sh .*setsid'", 20));
    vanish(&drill);
    on_host(&drill, "echo >/run/go");
    assert_true(space_until(&drill.space, "! ls -d /run/faildrill/*_1", 20));
    on_host(&drill, "umount $(command -v setsid); rm -r /run/false /run/go /run/mount");
    come_back(&drill);
    end(&drill);
}

/* ---- others ---- */

static void test_a_number_given_out_anew_is_nobody_we_know(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_FREEZE, LONG_NS);
    on_host(&drill, "setsid sleep 77777 >/dev/null 2>&1 & until grep -q sleep /proc/$!/comm; do :; "
                    "done; kill -STOP $!; echo $! >/run/other; "
                    "echo $! 1 /bin/sleep >>ids");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "grep -q 'State:.T' /proc/$(cat /run/other)/status; "
                    "kill -9 $(cat /run/other); rm /run/other");
    end(&drill);
}

static void test_only_what_was_frozen_is_thawed(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_FREEZE, LONG_NS);
    on_host(&drill, "setsid sleep 99999 >/dev/null 2>&1 & until grep -q sleep /proc/$!/comm; do :; "
                    "done; kill -STOP $!; echo $! >/run/other");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "grep -q 'State:.T' /proc/$(cat /run/other)/status || exit 1; "
                    "kill -9 $(cat /run/other); rm /run/other");
    end(&drill);
}

static void test_a_namesake_of_the_service_lives(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_arm(&drill, DRILL_KILL, LONG_NS);
    on_host(&drill, "sleep 99999 >/dev/null 2>&1 & echo $! >/run/other");
    drill_fire(&drill);
    on_host(&drill, "kill -9 $(cat /run/other) || exit 1; rm /run/other");
    end(&drill);
}

static void test_a_service_that_runs_is_not_started_again(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_KILL, LONG_NS);
    assert_int_equal(space_sh(&drill.space, drill.role.service.start, NULL), 0);
    on_host(&drill, "cp /run/svc.pid /run/was");
    assert_int_equal(undo_now(&drill), KNOWN_YES);
    on_host(&drill, "cmp /run/svc.pid /run/was || exit 1; rm /run/was");
    end(&drill);
}

static void test_rules_of_others_stay(void **state)
{
    (void)state;
    struct Drill drill;
    drill_open(&drill, DRILL_ISOLATE, LONG_NS, CAP_NS);
    on_host(&drill, "nft add table inet site; "
                    "nft add chain inet site c '{ type filter hook input priority 0; }'; "
                    "nft add rule inet site c tcp dport 9 drop; nft list ruleset >/run/site");
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    drill_undo(&drill);
    on_host(&drill, "nft list ruleset | cmp - /run/site || exit 1; rm /run/site; "
                    "nft delete table inet site");
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_the_way_out_stays_as_long_as_a_fault(void **state)
{
    (void)state;
    struct Drill drill;
    open_and_fire(&drill, DRILL_RUN, LONG_NS);
    struct ArmInput second = drill.arm;
    second.number = 2;
    assert_non_null(guard_arm(drill.node, &second, drill_in(30), drill.arena, &drill.err));
    assert_true(node_disarm(drill.node, &drill.token, 2, drill_in(30), &drill.err));
    on_host(&drill, "test -e /run/faildrill/undo && test -e /run/motd.d/faildrill");
    end(&drill);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_fires_at_the_end_of_a_lease),
        cmocka_unit_test(test_nothing_fires_where_a_halt_was_asked_for),
        cmocka_unit_test(test_what_was_undone_is_never_fired),
        cmocka_unit_test(test_whoever_waits_for_a_line_ends_with_the_undo),
        cmocka_unit_test(test_an_apply_under_way_is_awaited),
        cmocka_unit_test(test_an_apply_without_its_fence_ends_with_the_undo),
        cmocka_unit_test(test_what_a_killed_apply_began_ends_with_the_undo),
        cmocka_unit_test(test_no_lease_is_renewed_once_it_is_undone),
        TRACK("litmus 2359", test_a_guard_tries_until_it_is_clear),
        cmocka_unit_test(test_a_guard_reckons_by_time_since_boot),
        cmocka_unit_test(test_what_an_undo_starts_does_not_hold_the_fence),
        TRACK("chaos-mesh PR 4953", test_a_look_without_an_answer_proves_nothing),
        cmocka_unit_test(test_a_look_that_is_cut_off_proves_nothing),
        cmocka_unit_test(test_a_look_without_nft_proves_nothing),
        TRACK("chaosblade 131", test_an_undo_that_says_yes_is_not_believed),
        cmocka_unit_test(test_an_apply_that_does_nothing_is_not_proven),
        TRACK("chaos-mesh PR 4955", test_a_lost_folder_is_no_proof),
        cmocka_unit_test(test_whoever_finds_the_folder_gone_sweeps),
        cmocka_unit_test(test_a_look_that_nobody_awaits_leaves_nothing),
        TRACK("chaos-mesh 1884", test_a_reboot_is_no_proof),
        cmocka_unit_test(test_an_undo_that_is_not_ours_is_not_armed),
        cmocka_unit_test(test_a_guard_that_does_not_live_is_not_armed),
        cmocka_unit_test(test_an_arming_that_nobody_awaits_leaves_nothing),
        cmocka_unit_test(test_a_number_given_out_anew_is_nobody_we_know),
        TRACK("chaosblade 398", test_only_what_was_frozen_is_thawed),
        cmocka_unit_test(test_a_namesake_of_the_service_lives),
        cmocka_unit_test(test_a_service_that_runs_is_not_started_again),
        TRACK("pumba 349", test_rules_of_others_stay),
        cmocka_unit_test(test_the_way_out_stays_as_long_as_a_fault),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
