/* faults_holding_test.c - faults that hold a resource plan one process, whose end is theirs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/holding.h"
#include "../../runner/faults/kinds.h"

static const struct Target host = {.name = "redis-1", .where = {.file = NULL}};
static const struct Token token = {"01k2"};
static const struct Role role = {.name = "redis"};
static const struct HostFacts facts = {.flock = true};

struct Bench {
    struct Arena *arena;
    struct ExhaustConfig exhaust; /* which begins with what all of them have */
    struct Procedure procedure;
    struct Err err;
};

static struct Bench bench_new(const char *path, int64_t share, int64_t leave)
{
    return (struct Bench){.arena = arena_new("test", 1 << 20),
                          .exhaust.amount = {.path = path, .share = share, .leave = leave}};
}

static bool plan(struct Bench *bench, const struct FaultKind *kind)
{
    const struct PlanInput input = {.target = &host,
                                    .role = &role,
                                    .facts = &facts,
                                    .token = &token,
                                    .number = 1,
                                    .hold_ns = -1,
                                    .lease_ns = 30 * NS_PER_S,
                                    .cap_ns = 75 * NS_PER_S};
    return kind->plan(&bench->exhaust, &input, bench->arena, &bench->procedure, &bench->err);
}

/* All five parts, by the words that they end with. */
static void holds(struct Bench *bench, const struct FaultKind *kind, const char *words)
{
    const struct {
        const struct Commands *commands;
        const char *verb;
        int timeout_s;
    } parts[] = {
        {&bench->procedure.save, "check", 20},      {&bench->procedure.apply, "take", 120},
        {&bench->procedure.in_place, "held", 20},   {&bench->procedure.undo, "free", 20},
        {&bench->procedure.all_clear, "freed", 20},
    };
    assert_true(plan(bench, kind));
    assert_true(procedure_check(kind, &bench->procedure, &bench->err));
    assert_int_equal(bench->procedure.ends_by, CLASS_PROCESS);
    assert_false(bench->procedure.once || bench->procedure.cuts_link);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *want =
            arena_printf(bench->arena, "\ntimeout -k 2 %d sh hold %s %s %s || exit\n",
                         parts[i].timeout_s, parts[i].verb, kind->name, words);
        const char *got = commands_shell(parts[i].commands, bench->arena);
        assert_int_equal(parts[i].commands->count, 1);
        assert_non_null(strchr(got, '\n'));
        assert_string_equal(strchr(got, '\n'), want);
    }
    arena_free(bench->arena);
}

static void test_disk_fill_to_a_share_or_leaving_a_rest(void **state)
{
    (void)state;
    struct Bench bench = bench_new("/var", 955000, FIELD_NOT_GIVEN);
    holds(&bench, &disk_fill_fault, "path /var share 955");
    bench = bench_new("/srv/my data;reboot", FIELD_NOT_GIVEN, 200 << 20);
    holds(&bench, &disk_fill_fault, "path '/srv/my data;reboot' leave 209715200");
}

static void test_memory_fill_to_a_share_or_leaving_a_rest(void **state)
{
    (void)state;
    struct Bench bench = bench_new(NULL, 900000, FIELD_NOT_GIVEN);
    holds(&bench, &memory_fill_fault, "share 900");
    bench = bench_new(NULL, FIELD_NOT_GIVEN, 64 << 20);
    holds(&bench, &memory_fill_fault, "leave 67108864");
}

static void test_cpu_load_of_a_share(void **state)
{
    (void)state;
    struct Bench bench = bench_new(NULL, 1000000, 0);
    holds(&bench, &cpu_load_fault, "share 1000");
}

static void test_disk_load_of_a_share(void **state)
{
    (void)state;
    struct Bench bench = bench_new("/var", 500000, 0);
    holds(&bench, &disk_load_fault, "path /var share 500");
}

static void test_exhaust_names_what(void **state)
{
    (void)state;
    struct Bench bench = bench_new(NULL, 950000, FIELD_NOT_GIVEN);
    bench.exhaust.what = EXHAUST_PIDS;
    holds(&bench, &exhaust_fault, "what pids share 950");
    bench = bench_new(NULL, FIELD_NOT_GIVEN, 300);
    bench.exhaust.what = EXHAUST_DESCRIPTORS;
    holds(&bench, &exhaust_fault, "what descriptors leave 300");
    bench = bench_new(NULL, FIELD_NOT_GIVEN, FIELD_NOT_GIVEN);
    bench.exhaust.what = EXHAUST_CONNECTIONS;
    bench.exhaust.address = "10.0.0.1";
    bench.exhaust.port = 6379;
    bench.exhaust.count = 200;
    bench.exhaust.ramp_ns = 9 * NS_PER_S;
    bench.exhaust.ramp_steps = 10;
    holds(&bench, &exhaust_fault,
          "what connections address 10.0.0.1 port 6379 count 200 ramp 900 steps 10");
}

static void test_clock_skew_is_sticky_and_compares(void **state)
{
    (void)state;
    const struct {
        const struct Node *target;
        int64_t by_ns;
        int back;
    } back = {NULL, 300 * NS_PER_S, 1};
    const struct PlanInput input = {.target = &host,
                                    .role = &role,
                                    .facts = &facts,
                                    .token = &token,
                                    .lease_ns = 30 * NS_PER_S,
                                    .cap_ns = 75 * NS_PER_S};
    struct Bench bench = bench_new(NULL, 0, 0);
    assert_true(clock_skew_fault.plan(&back, &input, bench.arena, &bench.procedure, &bench.err));
    assert_true(procedure_check(&clock_skew_fault, &bench.procedure, &bench.err));
    assert_int_equal(bench.procedure.ends_by, CLASS_STICKY);
    assert_string_equal(commands_shell(&bench.procedure.undo, bench.arena),
                        "# set it by the time since boot, if it still is as we set it\n"
                        "timeout -k 2 20 sh hold free clock_skew by -300 || exit\n");
    arena_free(bench.arena);
}

static void test_odd_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {"localhost", "10.0.0.1;reboot", "", "10.0.0"};
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        struct Bench bench = bench_new(NULL, FIELD_NOT_GIVEN, FIELD_NOT_GIVEN);
        bench.exhaust.what = EXHAUST_CONNECTIONS;
        bench.exhaust.address = addresses[i];
        assert_false(plan(&bench, &exhaust_fault));
        assert_int_equal(bench.err.code, ERR_VALUE);
        arena_free(bench.arena);
    }
}

static void test_odd_paths_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"var", "/var/../etc", "/var/..", "/var\nreboot", ""};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct Bench bench = bench_new(paths[i], 900000, FIELD_NOT_GIVEN);
        assert_false(plan(&bench, &disk_fill_fault));
        assert_int_equal(bench.err.code, ERR_VALUE);
        arena_free(bench.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk_fill_to_a_share_or_leaving_a_rest),
        cmocka_unit_test(test_memory_fill_to_a_share_or_leaving_a_rest),
        cmocka_unit_test(test_cpu_load_of_a_share),
        cmocka_unit_test(test_disk_load_of_a_share),
        cmocka_unit_test(test_exhaust_names_what),
        cmocka_unit_test(test_clock_skew_is_sticky_and_compares),
        cmocka_unit_test(test_odd_addresses_are_refused),
        cmocka_unit_test(test_odd_paths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
