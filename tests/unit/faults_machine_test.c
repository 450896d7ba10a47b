/* faults_machine_test.c - faults that take a whole machine: what is sent, and to whom not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/commands.h"
#include "../../runner/faults/kinds.h"

static const struct Target host = {.name = "redis-1", .where = {.file = NULL}};
static const struct Token token = {"01k2"};
static const struct Role role = {.name = "redis", .service = {.unit = "redis-server.service"}};
static const struct Role *const roles[] = {&role};
static const struct Power power = {.down = "vm off", .up = "vm on", .status = "vm is"};

/* As reboot.c lays its config out; the others begin alike. */
struct MachineWords {
    const struct Node *target;
    int by_sysrq;
};

struct Bench {
    struct Arena *arena;
    struct HostFacts facts;
    struct Power power;
    struct MachineWords words;
    struct Procedure procedure;
    struct Err err;
};

static struct Bench bench_new(void)
{
    return (struct Bench){.arena = arena_new("test", 1 << 20),
                          .facts = {.systemd = true, .sysrq = true, .panic_s = 10}};
}

static bool plan(struct Bench *bench, const struct FaultKind *kind)
{
    const struct PlanInput input = {.target = &host,
                                    .role = &role,
                                    .facts = &bench->facts,
                                    .token = &token,
                                    .number = 1,
                                    .hold_ns = -1,
                                    .lease_ns = 30 * NS_PER_S,
                                    .cap_ns = 75 * NS_PER_S,
                                    .power = bench->power,
                                    .roles = roles,
                                    .role_count = COUNT_OF(roles)};
    return kind->plan(&bench->words, &input, bench->arena, &bench->procedure, &bench->err) &&
           procedure_check(kind, &bench->procedure, &bench->err);
}

static const char *strike(struct Bench *bench)
{
    return commands_shell(&bench->procedure.strike, bench->arena);
}

static void refused(struct Bench *bench, const struct FaultKind *kind, enum ErrCode code,
                    const char *message)
{
    assert_false(plan(bench, kind));
    assert_string_equal(bench->err.message, message);
    assert_int_equal(bench->err.code, code);
    arena_free(bench->arena);
}

static void test_reboot_is_struck_once_and_ends_by_its_own_boot(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan(&bench, &reboot_fault));
    assert_string_equal(strike(&bench), "# reboot, by its systemd\n"
                                        "timeout -k 2 30 systemctl reboot || exit\n");
    assert_int_equal(bench.procedure.apply.count, 0);
    assert_int_equal(bench.procedure.undo.count, 0);
    assert_int_equal(bench.procedure.returned.count, 2);
    assert_string_equal(bench.procedure.returned.at[1].what, "the service of role redis runs");
    assert_true(bench.procedure.from_here && bench.procedure.once && !bench.procedure.hangs);
    assert_null(bench.procedure.stays);
    arena_free(bench.arena);
}

static void test_sysrq_writes_nothing_and_says_so(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.words.by_sysrq = 1;
    bench.facts.systemd = false;
    assert_true(plan(&bench, &reboot_fault));
    assert_non_null(strstr(strike(&bench), "' sysrq b || exit\n"));
    assert_string_equal(bench.procedure.stays, "what was not yet on the disks of the host is lost");
    arena_free(bench.arena);
}

/* The machine that a container is on would go with it. */
static void test_a_container_gets_no_sysrq(void **state)
{
    (void)state;
    static const char said[] =
        "host 'redis-1' shares its kernel: sysrq would take the machine under it";
    struct Bench bench = bench_new();
    bench.words.by_sysrq = 1;
    bench.facts.contained = true;
    refused(&bench, &reboot_fault, ERR_REFUSED, said);
    bench = bench_new();
    bench.facts.contained = true;
    refused(&bench, &crash_fault, ERR_REFUSED, said);
    bench = bench_new();
    bench.facts.contained = true;
    assert_true(plan(&bench, &reboot_fault)); /* by its own systemd it may be booted */
    assert_non_null(strstr(strike(&bench), "systemctl reboot"));
    arena_free(bench.arena);
}

static void test_what_the_host_lacks_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.facts.systemd = false;
    refused(&bench, &reboot_fault, ERR_NOT_READY,
            "host 'redis-1' has no systemd that could reboot it");
    bench = bench_new();
    bench.facts.sysrq = false;
    refused(&bench, &crash_fault, ERR_NOT_READY,
            "host 'redis-1' has no /proc/sysrq-trigger that we may write");
}

/* 0: hangs for ever; -1: unknown. */
static void test_a_crash_that_would_hang_needs_a_provider(void **state)
{
    (void)state;
    for (int64_t panic = -1; panic <= 0; panic++) {
        struct Bench bench = bench_new();
        bench.facts.panic_s = panic;
        refused(&bench, &crash_fault, ERR_NO_UNDO,
                "host 'redis-1' would hang: its kernel.panic is not above 0, and it has no "
                "`power`");
        bench = bench_new();
        bench.facts.panic_s = panic;
        bench.power = power;
        assert_true(plan(&bench, &crash_fault));
        assert_true(bench.procedure.hangs && !bench.procedure.once);
        assert_string_equal(bench.procedure.undo.at[0].what, "power off and on again: it hangs");
        assert_non_null(strstr(strike(&bench), "' sysrq c || exit\n"));
        arena_free(bench.arena);
    }
}

/* It asks once more there: what the plan saw may have been set otherwise since. */
static void test_a_crash_that_boots_by_itself_looks_again(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan(&bench, &crash_fault));
    assert_true(bench.procedure.once && !bench.procedure.hangs);
    assert_int_equal(bench.procedure.undo.count, 0);
    assert_non_null(strstr(strike(&bench), "' sysrq C || exit\n"));
    arena_free(bench.arena);
}

/* What came back by itself is not switched off. */
static void test_a_provider_gives_a_rebooted_host_power_and_no_more(void **state)
{
    (void)state;
    const struct FaultKind *const kinds[] = {&reboot_fault, &crash_fault};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct Bench bench = bench_new();
        bench.power = power;
        assert_true(plan(&bench, kinds[i]));
        assert_string_equal(bench.procedure.undo.at[0].what, "power on, unless it is");
        assert_null(strstr(commands_shell(&bench.procedure.undo, bench.arena), "vm off"));
        arena_free(bench.arena);
    }
}

static void test_power_off_needs_who_gives_it_back(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    refused(&bench, &power_off_fault, ERR_NO_UNDO,
            "nobody can give 'redis-1' its power back: it has no `power`");
    bench = bench_new();
    bench.power = power;
    assert_true(plan(&bench, &power_off_fault));
    assert_int_equal(bench.procedure.strike.count, 0);
    arena_free(bench.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reboot_is_struck_once_and_ends_by_its_own_boot),
        cmocka_unit_test(test_sysrq_writes_nothing_and_says_so),
        cmocka_unit_test(test_a_container_gets_no_sysrq),
        cmocka_unit_test(test_what_the_host_lacks_is_refused),
        cmocka_unit_test(test_a_crash_that_would_hang_needs_a_provider),
        cmocka_unit_test(test_a_crash_that_boots_by_itself_looks_again),
        cmocka_unit_test(test_a_provider_gives_a_rebooted_host_power_and_no_more),
        cmocka_unit_test(test_power_off_needs_who_gives_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
