/* transports_node_test.c - lock, facts, scan, plan text and plain work, on a host in namespaces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../runner/base/text.h"
#include "../fakes/drill.h"
#include "../fakes/track.h"

static const struct Token ours = {"01k2drill"}, theirs = {"01k2other"};

static bool take_lock(struct Drill *drill, const struct Token *token, int64_t longest_ns)
{
    const struct NodeLock lock = {
        .token = token, .who = "ana@box, \"x\" in 'staging'", .longest_ns = longest_ns};
    return node_lock(drill->node, &lock, drill_in(30), &drill->err);
}

static void open_one(struct Drill *drill)
{
    drill_open(drill, DRILL_RUN, 20 * NS_PER_S, 60 * NS_PER_S);
}

static void test_one_run_holds_a_host(void **state)
{
    (void)state;
    struct Drill drill;
    open_one(&drill);
    assert_true(take_lock(&drill, &ours, 60 * NS_PER_S));
    assert_true(take_lock(&drill, &ours, 60 * NS_PER_S));
    assert_false(take_lock(&drill, &theirs, 60 * NS_PER_S));
    assert_int_equal(drill.err.code, ERR_LOCKED);
    assert_true(
        text_starts(drill.err.message,
                    "'host' is locked by run 01k2drill of ana@box, \"x\" in 'staging' since "));
    assert_true(node_unlock(drill.node, &theirs, drill_in(30), &drill.err));
    assert_false(take_lock(&drill, &theirs, 60 * NS_PER_S));
    assert_true(node_unlock(drill.node, &ours, drill_in(30), &drill.err));
    assert_true(take_lock(&drill, &theirs, 60 * NS_PER_S));
    assert_true(node_unlock(drill.node, &theirs, drill_in(30), &drill.err));
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_a_stale_lock_is_set_aside(void **state)
{
    (void)state;
    struct Drill drill;
    open_one(&drill);
    assert_true(take_lock(&drill, &ours, 0)); /* its time is over at once */
    assert_true(take_lock(&drill, &theirs, 60 * NS_PER_S));
    assert_int_equal(space_sh(&drill.space, "echo another >/run/faildrill/lock/boot", NULL), 0);
    assert_true(take_lock(&drill, &ours, 60 * NS_PER_S)); /* of another boot */
    assert_int_equal(space_sh(&drill.space, "rm /run/faildrill/lock/*", NULL), 0);
    assert_true(take_lock(&drill, &theirs, 0)); /* its maker died half-way */
    drill_close(&drill);
}

static void test_a_lock_with_a_fault_behind_it_is_never_stale(void **state)
{
    (void)state;
    struct Drill drill;
    open_one(&drill);
    assert_true(take_lock(&drill, &ours, 0));
    drill_arm(&drill);
    assert_false(take_lock(&drill, &theirs, 60 * NS_PER_S));
    drill_undo(&drill);
    drill_close(&drill);
}

static void test_nothing_is_armed_without_the_lock(void **state)
{
    (void)state;
    struct Drill drill;
    open_one(&drill);
    assert_null(guard_arm(drill.node, &drill.arm, drill_in(30), drill.arena, &drill.err));
    assert_string_equal(drill.err.message,
                        "'host' refused to arm: the lock of this host is not ours");
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_a_second_arming_leaves_the_first_alone(void **state)
{
    (void)state;
    struct Drill drill;
    struct GuardState watched;
    open_one(&drill);
    drill_lock(&drill);
    drill_arm(&drill);
    assert_null(guard_arm(drill.node, &drill.arm, drill_in(30), drill.arena, &drill.err));
    assert_string_equal(drill.err.message,
                        "'host' refused to arm: /run/faildrill/01k2drill_1 is there already");
    assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, false}, drill_in(30),
                            &watched, &drill.err));
    assert_true(watched.alive);
    drill_undo(&drill);
    drill_close(&drill);
}

static void test_a_save_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct Drill drill;
    drill_open(&drill, DRILL_KILL, 20 * NS_PER_S, 60 * NS_PER_S);
    drill_lock(&drill);
    assert_int_equal(space_sh(&drill.space, "mv /run/svc.pid /run/x", NULL), 0);
    assert_null(guard_arm(drill.node, &drill.arm, drill_in(30), drill.arena, &drill.err));
    assert_string_equal(drill.err.message, "'host' refused to arm: no service: /run/svc.pid names "
                                           "no process that runs");
    assert_int_equal(drill.err.code, ERR_NOT_READY);
    assert_int_equal(space_sh(&drill.space, "mv /run/x /run/svc.pid", NULL), 0);
    assert_true(node_unlock(drill.node, &ours, drill_in(30), &drill.err));
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_a_pidfile_that_names_a_stranger_is_refused(void **state)
{
    (void)state;
    struct Drill drill;
    struct Buf out = BUF(1000);
    drill_open(&drill, DRILL_KILL, 20 * NS_PER_S, 60 * NS_PER_S);
    drill_lock(&drill);
    /* An old file whose number was given out anew. */
    assert_int_equal(space_sh(&drill.space, "touch -d '1 hour ago' /run/svc.pid", NULL), 0);
    assert_null(guard_arm(drill.node, &drill.arm, drill_in(30), drill.arena, &drill.err));
    assert_non_null(strstr(drill.err.message, "/run/svc.pid is older than process"));
    /* Another one since it was recorded. */
    assert_int_equal(space_sh(&drill.space, "touch /run/svc.pid", NULL), 0);
    drill_arm(&drill);
    drill.firing = node_ready(drill.node, drill.guarded, drill_in(30), &drill.err);
    assert_non_null(drill.firing);
    assert_int_equal(space_sh(&drill.space,
                              "sleep 77777 >/dev/null 2>&1 & cp /run/svc.pid /run/x; "
                              "echo $! >/run/svc.pid",
                              NULL),
                     0);
    assert_int_equal(node_fire(drill.firing, drill_in(30), &drill.t0, &drill.err), EFFECT_UNKNOWN);
    assert_non_null(strstr(drill.err.message, "is not the one that was recorded"));
    assert_int_equal(
        space_sh(&drill.space, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep 77777", NULL), 0);
    buf_free(&out);
    drill_close(&drill);
}

static void test_scan_finds_what_others_left(void **state)
{
    (void)state;
    struct Drill drill;
    struct List traces = {.count = 0};
    drill_open(&drill, DRILL_ISOLATE, 20 * NS_PER_S, 60 * NS_PER_S);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    assert_int_equal(
        space_sh(&drill.space, "nft add table inet fd_01old_7; nft add table inet other", NULL), 0);
    assert_true(node_scan(drill.node, drill_in(30), drill.arena, &traces, &drill.err));
    const struct Trace *trace = traces.items;
    assert_int_equal(traces.count, 4);
    assert_string_equal(trace[0].kind, "folder");
    assert_string_equal(trace[0].id, "01k2drill_1");
    assert_string_equal(trace[0].what, "isolate");
    assert_string_equal(trace[0].who, "a test's \"own\"");
    assert_string_equal(trace[1].kind, "table");
    assert_string_equal(trace[2].id, "01old_7");
    assert_string_equal(trace[3].kind, "lock");
    assert_true(
        node_facts(drill.node, &drill.role, drill_in(30), drill.arena, &drill.facts, &drill.err));
    assert_string_equal(drill.facts.traces, "01k2drill_1 of a test's \"own\" 01old_7");
    /* By its name alone, with no store: what has a folder, and what has none. */
    const struct Token old = {"01old"};
    const struct UndoInput orphans[] = {{.token = &old, .number = 7},
                                        {.token = &drill.token, .number = 1}};
    struct Buf detail = BUF(1000);
    for (size_t i = 0; i < COUNT_OF(orphans); i++) {
        assert_int_equal(
            node_undo(drill.node, &orphans[i], drill_in(30), &drill.undone, &detail, &drill.err),
            KNOWN_YES);
        assert_true(
            node_disarm(drill.node, orphans[i].token, orphans[i].number, drill_in(30), &drill.err));
    }
    assert_true(node_unlock(drill.node, &ours, drill_in(30), &drill.err));
    assert_int_equal(space_sh(&drill.space, "nft delete table inet other", NULL), 0);
    drill_is_clean(&drill, 30);
    buf_free(&detail);
    drill_close(&drill);
}

static void test_disarm_waits_for_the_proof(void **state)
{
    (void)state;
    struct Drill drill;
    open_one(&drill);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    assert_false(node_disarm(drill.node, &drill.token, 1, drill_in(30), &drill.err));
    assert_string_equal(drill.err.message, "'host' refused to disarm: it was not proven undone");
    assert_true(drill_in_place(&drill));
    drill_undo(&drill);
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_an_undo_that_fails_says_so(void **state)
{
    (void)state;
    struct Drill drill;
    struct Buf detail = BUF(1000);
    open_one(&drill);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    assert_int_equal(space_sh(&drill.space, "rm /run/broken; mkdir -p /run/broken/x", NULL), 0);
    assert_int_equal(
        node_undo(drill.node, &drill.undo, drill_in(30), &drill.undone, &detail, &drill.err),
        KNOWN_NO);
    assert_non_null(strstr(detail.text, "cannot remove '/run/broken'"));
    assert_false(node_disarm(drill.node, &drill.token, 1, drill_in(30), &drill.err));
    assert_int_equal(space_sh(&drill.space, "rm -r /run/broken", NULL), 0);
    drill_undo(&drill);
    drill_is_clean(&drill, 30);
    buf_free(&detail);
    drill_close(&drill);
}

/* The bytes of `plan` are those of `run`: no instant, no connection in them. */
static void test_plan_text_is_what_is_sent(void **state)
{
    (void)state;
    struct Drill drill;
    struct Buf first = BUF(1 << 20), second = BUF(1 << 20);
    open_one(&drill);
    node_plan_text(&drill.arm, &first);
    node_plan_text(&drill.arm, &second);
    assert_string_equal(first.text, second.text);
    assert_non_null(strstr(first.text, "touch /run/broken"));
    assert_false(first.cut);
    buf_free(&first);
    buf_free(&second);
    drill_close(&drill);
}

static void test_plain_work_gets_values_and_no_input(void **state)
{
    (void)state;
    struct Drill drill;
    struct RunResult result;
    const struct TextPair value = {.name = "name", .value = "it's $(touch /run/pwned)\n`id`"};
    open_one(&drill);
    assert_true(
        node_run(drill.node,
                 &(struct RunText){"printf '%s' \"$name\"; cat; echo oops >&2\nexit 3", &value, 1},
                 drill_in(30), &result, &drill.err));
    assert_int_equal(result.status, 3);
    assert_string_equal(result.out.text, value.value);
    assert_string_equal(result.errors.text, "oops\n");
    buf_free(&result.out);
    buf_free(&result.errors);
    assert_true(node_run(drill.node,
                         &(struct RunText){.script = "head -c 300000 /dev/zero | tr '\\0' x"},
                         drill_in(30), &result, &drill.err));
    assert_int_equal(result.out.size, 64 * 1024);
    assert_true(result.out.cut);
    buf_free(&result.out);
    buf_free(&result.errors);
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_a_deadline_holds(void **state)
{
    (void)state;
    struct Drill drill;
    struct RunResult result;
    open_one(&drill);
    struct Mono begin = mono_now();
    assert_false(node_run(drill.node, &(struct RunText){.script = "exec sleep 60"},
                          mono_add(begin, 200 * NS_PER_MS), &result, &drill.err));
    assert_int_equal(drill.err.code, ERR_TIMEOUT);
    assert_true(mono_since(begin, mono_now()) < 4 * NS_PER_S);
    drill_close(&drill);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_run_holds_a_host),
        cmocka_unit_test(test_a_stale_lock_is_set_aside),
        cmocka_unit_test(test_a_lock_with_a_fault_behind_it_is_never_stale),
        cmocka_unit_test(test_nothing_is_armed_without_the_lock),
        cmocka_unit_test(test_a_second_arming_leaves_the_first_alone),
        cmocka_unit_test(test_a_save_that_fails_leaves_nothing),
        cmocka_unit_test(test_a_pidfile_that_names_a_stranger_is_refused),
        TRACK("chaos-mesh 3906", test_scan_finds_what_others_left),
        cmocka_unit_test(test_disarm_waits_for_the_proof),
        cmocka_unit_test(test_an_undo_that_fails_says_so),
        cmocka_unit_test(test_plan_text_is_what_is_sent),
        cmocka_unit_test(test_plain_work_gets_values_and_no_input),
        cmocka_unit_test(test_a_deadline_holds),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
