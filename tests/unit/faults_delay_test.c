/* faults_delay_test.c - a delay: by netem, or else by a line of ours, or not at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/kinds.h"

static const struct Target host = {.name = "redis-1", .where = {.file = NULL}};
static const struct Token token = {"01k2"};

/* As delay.c lays its config out. */
struct DelayWords {
    const struct Node *target;
    int64_t by_ns, jitter_ns;
    int64_t reorder, duplicate, corrupt;
};

struct Bench {
    struct Arena *arena;
    struct Role role;
    struct HostFacts facts;
    struct PlanInput input;
    struct DelayWords words;
    struct Procedure procedure;
    struct Err err;
};

static struct Bench bench_new(void)
{
    struct Bench bench = {
        .arena = arena_new("test", 1 << 20),
        .role = {.name = "redis"},
        .facts = {.nft = true, .netem = true, .root_qdisc = ""},
        .words = {NULL, 200 * NS_PER_MS, 20 * NS_PER_MS, 50000, 10000, 1250},
    };
    bench.input = (struct PlanInput){.target = &host,
                                     .token = &token,
                                     .number = 1,
                                     .hold_ns = -1,
                                     .lease_ns = 30 * NS_PER_S,
                                     .cap_ns = 75 * NS_PER_S};
    return bench;
}

static bool plan(struct Bench *bench)
{
    bench->input.role = &bench->role;
    bench->input.facts = &bench->facts;
    return delay_fault.plan(&bench->words, &bench->input, bench->arena, &bench->procedure,
                            &bench->err);
}

/* The words of a command behind `sh -c TEXT`, with a blank between two; a text is "..." */
static void words_are(const struct Command *command, const char *want)
{
    struct Buf words = BUF(4096);
    for (size_t i = 3; command->argv[i] != NULL; i++)
        buf_printf(&words, "%s%s", i > 3 ? " " : "",
                   strchr(command->argv[i], '\n') != NULL ? "..." : command->argv[i]);
    assert_string_equal(words.text, want);
    buf_free(&words);
}

static const char *text_of(const struct Command *command)
{
    return command->argv[2];
}

static void test_netem_under_our_own_handle(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan(&bench));
    assert_true(procedure_check(&delay_fault, &bench.procedure, &bench.err));
    const struct Procedure *procedure = &bench.procedure;
    words_are(&procedure->save.at[0], "delay save netem");
    words_are(&procedure->apply.at[1],
              "delay apply netem limit 22000 delay 200000us 20000us reorder 5.0000% "
              "duplicate 1.0000% corrupt 0.1250%");
    words_are(&procedure->in_place.at[1], "delay place netem");
    words_are(&procedure->undo.at[1], "delay undo netem 0.220");
    words_are(&procedure->all_clear.at[1], "delay clear netem");
    assert_non_null(strstr(text_of(&procedure->apply.at[0]), "meta priority set fd1d:4"));
    assert_non_null(strstr(text_of(&procedure->apply.at[0]), "hook postrouting"));
    arena_free(bench.arena);
}

/* FAULTS.md 3.9: both destroy what is not ours. */
static void test_no_qdisc_is_replaced_and_none_deleted_but_by_its_handle(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan(&bench));
    const char *text = text_of(&bench.procedure.undo.at[1]);
    assert_null(strstr(text, "qdisc replace"));
    assert_null(strstr(text, "qdisc change"));
    for (const char *at = text; (at = strstr(at, "qdisc del")) != NULL; at++) {
        const char *end = strchr(at, '\n'), *handle = strstr(at, "handle fd1d:");
        assert_true(handle != NULL && handle < end);
    }
    arena_free(bench.arena);
}

static void test_a_line_of_ours_where_there_is_no_netem(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.facts.netem = false;
    bench.facts.tun = true;
    assert_true(plan(&bench));
    assert_true(procedure_check(&delay_fault, &bench.procedure, &bench.err));
    const struct Procedure *procedure = &bench.procedure;
    words_are(&procedure->save.at[0], "delay save line");
    words_are(&procedure->apply.at[1], "delay apply line ... 200000 20000 50000 10000 1250 22000");
    words_are(&procedure->undo.at[1], "delay undo line 4");
    const char *table = text_of(&procedure->apply.at[0]);
    assert_non_null(strstr(table, "type route hook output"));
    assert_non_null(strstr(table, "meta mark set 0xfd1d"));
    arena_free(bench.arena);
}

static void test_the_kernel_ends_it_and_our_ssh_is_spared(void **state)
{
    (void)state;
    for (int line = 0; line < 2; line++) {
        struct Bench bench = bench_new();
        bench.facts.netem = line == 0;
        bench.facts.tun = line == 1;
        assert_true(plan(&bench));
        assert_int_equal(bench.procedure.ends_by, CLASS_KERNEL);
        const char *table = text_of(&bench.procedure.apply.at[0]);
        const char *spared = strstr(table, "sport $FD_PORT accept");
        assert_non_null(spared);
        assert_non_null(strstr(table, "timeout ${FD_LEASE}s"));
        assert_non_null(strstr(text_of(&bench.procedure.renew.at[0]), "timeout ${FD_LEASE}s"));
        arena_free(bench.arena);
    }
}

static void test_what_is_held_has_its_time_to_leave_but_not_all_day(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.words = (struct DelayWords){.by_ns = 5 * NS_PER_S};
    assert_true(plan(&bench));
    words_are(&bench.procedure.apply.at[1], "delay apply netem limit 500000 delay 5000000us");
    words_are(&bench.procedure.undo.at[1], "delay undo netem 0.500");
    arena_free(bench.arena);
}

static void test_a_host_that_can_neither_is_not_ready(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.facts.netem = false;
    bench.facts.no_delay = "no netem (Error: Specified qdisc kind is unknown.), and no line of "
                           "ours (python3: not found)";
    assert_false(plan(&bench));
    assert_int_equal(bench.err.code, ERR_NOT_READY);
    assert_string_equal(bench.err.message,
                        "'redis-1' can delay nothing: no netem (Error: Specified qdisc kind is "
                        "unknown.), and no line of ours (python3: not found)");
    arena_free(bench.arena);
}

/* Pumba #349: the site's own traffic control was gone after the drill. */
static void test_a_root_qdisc_of_somebody_else_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.facts.root_qdisc = "tbf 8001: on eth0";
    assert_false(plan(&bench));
    assert_int_equal(bench.err.code, ERR_REFUSED);
    assert_string_equal(
        bench.err.message,
        "'redis-1' has a root qdisc of its own, tbf 8001: on eth0: it is not replaced");
    arena_free(bench.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netem_under_our_own_handle),
        cmocka_unit_test(test_no_qdisc_is_replaced_and_none_deleted_but_by_its_handle),
        cmocka_unit_test(test_a_line_of_ours_where_there_is_no_netem),
        cmocka_unit_test(test_the_kernel_ends_it_and_our_ssh_is_spared),
        cmocka_unit_test(test_what_is_held_has_its_time_to_leave_but_not_all_day),
        cmocka_unit_test(test_a_host_that_can_neither_is_not_ready),
        cmocka_unit_test(test_a_root_qdisc_of_somebody_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
