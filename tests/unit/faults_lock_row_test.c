/* faults_lock_row_test.c - a locked row: who holds it, who waits, and what is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/kinds.h"
#include "../../runner/faults/database.h"
#include "../../runner/model/system.h"

static void at_port(const void *config, const struct Target *target, struct Endpoint *out)
{
    (void)target;
    *out = *(const struct Endpoint *)config;
}

static const struct SystemKind system_kind = {.name = "redis_sentinel", .endpoint = at_port};
static const struct Endpoint postgres = {.port = 6543, .dsn = "postgresql://drill@pg/shop"};
static const struct Endpoint redis = {.port = 6379};
static const struct Target host = {.name = "pg-1", .where = {.file = NULL}};
static const struct Token token = {"01k2"};
static const struct HostFacts facts = {.flock = true};

struct Bench {
    struct Arena *arena;
    struct LockRowConfig lock;
    struct Role role;
    struct PlanInput input;
    struct Procedure procedure;
    struct Err err;
};

static struct Bench bench_new(const struct Endpoint *at)
{
    return (struct Bench){
        .arena = arena_new("test", 1 << 20),
        .lock = {.database = "shop", .at.port = FIELD_NOT_GIVEN, .ramp_steps = 1},
        .role = {.name = "db", .system = at != NULL ? &system_kind : NULL, .system_config = at},
        .input = {.target = &host,
                  .facts = &facts,
                  .token = &token,
                  .number = 1,
                  .hold_ns = 60 * NS_PER_S,
                  .lease_ns = 30 * NS_PER_S,
                  .cap_ns = 75 * NS_PER_S}};
}

static bool plan(struct Bench *bench)
{
    bench->input.role = &bench->role;
    return lock_row_fault.plan(&bench->lock, &bench->input, bench->arena, &bench->procedure,
                               &bench->err);
}

static void is_command(struct Bench *bench, const struct Commands *commands, const char *want)
{
    const char *got = strchr(commands_shell(commands, bench->arena), '\n');
    assert_int_equal(commands->count, 1);
    assert_non_null(got);
    assert_string_equal(got + 1, arena_printf(bench->arena, "timeout -k 2 %s || exit\n", want));
}

static void test_every_part_has_the_same_words(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    bench.lock.query = "select 'it' from stock for update";
    bench.lock.waiters = 50;
    bench.lock.ramp_ns = 12 * NS_PER_S;
    bench.lock.ramp_steps = 10;
    assert_true(plan(&bench));
    assert_true(procedure_check(&lock_row_fault, &bench.procedure, &bench.err));
    assert_int_equal(bench.procedure.ends_by, CLASS_PROCESS);
    assert_false(bench.procedure.once || bench.procedure.cuts_link ||
                 bench.procedure.ends_on_primary);
    const struct {
        const struct Commands *commands;
        const char *head;
    } parts[] = {
        {&bench.procedure.save, "20 sh hold check"},
        {&bench.procedure.apply, "120 sh hold take"},
        {&bench.procedure.in_place, "20 sh hold held"},
        {&bench.procedure.undo, "20 sh hold free"},
        {&bench.procedure.all_clear, "20 sh hold freed"},
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        is_command(&bench, parts[i].commands,
                   arena_printf(bench.arena,
                                "%s lock_row query 'select '\\''it'\\'' from stock for update' "
                                "database shop port 6543 waiters 50 ramp 1200 steps 10",
                                parts[i].head));
    arena_free(bench.arena);
}

static void test_without_a_query_a_helper_table_is_made_and_dropped(void **state)
{
    (void)state;
    struct Bench bench = bench_new(NULL);
    assert_true(plan(&bench));
    is_command(&bench, &bench.procedure.undo,
               "20 sh hold free lock_row database shop port 5432 waiters 0 ramp 0 steps 1");
    assert_int_equal(bench.procedure.ends_by, CLASS_STICKY); /* a reboot leaves the table */
    assert_true(bench.procedure.ends_on_primary);
    assert_non_null(strstr(bench.procedure.apply.at[0].what, "make a helper table"));
    assert_non_null(strstr(bench.procedure.undo.at[0].what, "drop the helper table"));
    bench.lock.query = "select 1 from stock for update";
    assert_true(plan(&bench));
    assert_null(strstr(bench.procedure.undo.at[0].what, "helper"));
    arena_free(bench.arena);
}

static void test_a_port_of_the_step_goes_before_the_roles(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    bench.lock.at.port = 5433;
    assert_true(plan(&bench));
    assert_non_null(strstr(commands_shell(&bench.procedure.apply, bench.arena), " port 5433 "));
    arena_free(bench.arena);
}

static void test_a_role_of_another_system_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&redis);
    assert_false(plan(&bench));
    assert_int_equal(bench.err.code, ERR_RULE);
    assert_string_equal(bench.err.message, "role 'db' is no PostgreSQL, but redis_sentinel");
    arena_free(bench.arena);
}

static void test_a_lock_that_ends_before_its_ramp_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    bench.lock.waiters = 50;
    bench.lock.ramp_ns = 60 * NS_PER_S;
    assert_false(plan(&bench));
    assert_int_equal(bench.err.code, ERR_RULE);
    assert_string_equal(bench.err.message, "the lock is released before all 50 sessions wait");
    bench.input.hold_ns = -1;
    assert_true(plan(&bench));
    arena_free(bench.arena);
}

static void test_what_psql_would_read_otherwise_is_refused(void **state)
{
    (void)state;
    static const char *const queries[] = {"", "select 1; drop table stock", "\\! id",
                                          "select 1\nfrom"};
    static const char *const databases[] = {"",    "dbname=shop", "-c", "postgresql://other/shop",
                                            "a b", "a'b"};
    for (size_t i = 0; i < COUNT_OF(queries) + COUNT_OF(databases); i++) {
        struct Bench bench = bench_new(&postgres);
        if (i < COUNT_OF(queries))
            bench.lock.query = queries[i];
        else
            bench.lock.database = databases[i - COUNT_OF(queries)];
        assert_false(plan(&bench));
        assert_int_equal(bench.err.code, ERR_VALUE);
        arena_free(bench.arena);
    }
}

static void test_a_query_that_ends_its_transaction_is_refused(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "prepare transaction 'x'", " COMMIT", "end", "Rollback", "abort", "/* */ commit", "-- it"};
    for (size_t at = 0; at < COUNT_OF(queries); at++) {
        struct Bench bench = bench_new(&postgres);
        bench.lock.query = queries[at];
        assert_false(plan(&bench));
        arena_free(bench.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_query_that_ends_its_transaction_is_refused),
        cmocka_unit_test(test_every_part_has_the_same_words),
        cmocka_unit_test(test_without_a_query_a_helper_table_is_made_and_dropped),
        cmocka_unit_test(test_a_port_of_the_step_goes_before_the_roles),
        cmocka_unit_test(test_a_role_of_another_system_is_refused),
        cmocka_unit_test(test_a_lock_that_ends_before_its_ramp_is_refused),
        cmocka_unit_test(test_what_psql_would_read_otherwise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
