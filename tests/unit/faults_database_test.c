/* faults_database_test.c - faults inside a database: what a host is told, and what is refused. */
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

static const struct SystemKind system_kind = {.name = "a_system", .endpoint = at_port};
static const struct SystemKind proxy_kind = {.name = "haproxy"};
static const struct Endpoint postgres = {.port = 6543, .dsn = "postgresql://drill@pg/shop"};
static const struct Endpoint redis = {.port = 6380, .config_file = "/etc/redis/a.conf"};
static const struct Endpoint redis_tls = {.port = 6380, .config_file = "/etc/r", .tls = true};
static const struct Target host = {.name = "db-1", .address = "10.0.0.7"};
static const struct Token token = {"01k2"};
static const struct HostFacts facts = {.flock = true};

struct Bench {
    struct Arena *arena;
    struct Role role;
    struct PlanInput input;
    struct Procedure procedure;
    struct Err err;
};

static struct Bench bench_new(const struct Endpoint *at)
{
    return (struct Bench){
        .arena = arena_new("test", 1 << 20),
        .role = {.name = "db", .system = at != NULL ? &system_kind : NULL, .system_config = at},
        .input = {.target = &host,
                  .facts = &facts,
                  .token = &token,
                  .number = 1,
                  .hold_ns = 60 * NS_PER_S,
                  .lease_ns = 30 * NS_PER_S,
                  .cap_ns = 75 * NS_PER_S}};
}

static bool plan(struct Bench *bench, const struct FaultKind *kind, const void *config)
{
    bench->input.role = &bench->role;
    return kind->plan(config, &bench->input, bench->arena, &bench->procedure, &bench->err) &&
           procedure_check(kind, &bench->procedure, &bench->err);
}

static void is_command(struct Bench *bench, const struct Commands *commands, const char *want)
{
    const char *got = strchr(commands_shell(commands, bench->arena), '\n');
    assert_int_equal(commands->count, 1);
    assert_non_null(got);
    assert_string_equal(got + 1, arena_printf(bench->arena, "timeout -k 2 %s || exit\n", want));
}

/* Refused, with the words. */
static void is_refused(const struct Endpoint *at, const struct FaultKind *kind, const void *config,
                       const char *want)
{
    struct Bench bench = bench_new(at);
    assert_false(plan(&bench, kind, config));
    assert_string_equal(bench.err.message, want);
    arena_free(bench.arena);
}

/* ---- session_kill ---- */

static struct SessionKillConfig sessions(void)
{
    return (struct SessionKillConfig){.at.port = FIELD_NOT_GIVEN};
}

static void test_sessions_are_ended_once_and_nothing_is_put_back(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    struct SessionKillConfig config = sessions();
    config.user = "shop";
    config.application = "shop api";
    config.client = "10.0.0.9";
    config.database = "orders";
    config.replication = true;
    assert_true(plan(&bench, &session_kill_fault, &config));
    assert_true(bench.procedure.once);
    assert_int_equal(bench.procedure.undo.count, 0);
    const char *words = "session_kill database postgres port 6543 user shop "
                        "application 'shop api' client 10.0.0.9 of orders replication yes";
    is_command(&bench, &bench.procedure.save,
               arena_printf(bench.arena, "20 sh hold check %s", words));
    is_command(&bench, &bench.procedure.apply,
               arena_printf(bench.arena, "120 sh hold take %s", words));
    is_command(&bench, &bench.procedure.all_clear,
               arena_printf(bench.arena, "20 sh hold freed %s", words));
    arena_free(bench.arena);
}

static void test_a_redis_is_asked_at_its_address_with_its_file(void **state)
{
    (void)state;
    const struct SessionKillConfig config = sessions();
    const struct {
        const struct Endpoint *at;
        const char *words;
    } rows[] = {
        {&redis, "port 6380 address 10.0.0.7 config /etc/redis/a.conf"},
        {&redis_tls, "port 6380 address 10.0.0.7 config /etc/r tls tls"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct Bench bench = bench_new(rows[i].at);
        assert_true(plan(&bench, &session_kill_fault, &config));
        is_command(&bench, &bench.procedure.in_place,
                   arena_printf(bench.arena, "20 sh hold held session_kill %s", rows[i].words));
        arena_free(bench.arena);
    }
}

static void test_what_would_end_a_statement_is_no_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "x' or true or 'x", "a\\b", "a\nb", "a;b", "a$b", "a\"b"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct SessionKillConfig config = sessions();
        struct Bench bench = bench_new(&postgres);
        const char **fields[] = {&config.user, &config.application, &config.database,
                                 &config.client};
        *fields[i % COUNT_OF(fields)] = bad[i];
        assert_false(plan(&bench, &session_kill_fault, &config));
        assert_int_equal(bench.err.code, ERR_VALUE);
        arena_free(bench.arena);
    }
}

static void test_sessions_of_what_is_no_database_are_refused(void **state)
{
    (void)state;
    struct SessionKillConfig config = sessions();
    static const struct Endpoint other = {.port = 80};
    is_refused(&other, &session_kill_fault, &config,
               "role 'db' is no PostgreSQL and no Redis, but a_system");
    struct Bench bench = bench_new(NULL);
    bench.role.system = &proxy_kind; /* it has no endpoint at all */
    assert_false(plan(&bench, &session_kill_fault, &config));
    arena_free(bench.arena);
    config.database = "shop";
    is_refused(&redis, &session_kill_fault, &config,
               "sessions of a Redis are in no database of their own");
}

/* ---- exhaust: sessions ---- */

static struct ExhaustConfig connections(void)
{
    return (struct ExhaustConfig){
        .what = EXHAUST_SESSIONS, .count = 300, .ramp_ns = 9 * NS_PER_S, .ramp_steps = 10};
}

static void test_sessions_are_taken_in_steps_and_end_with_their_process(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    struct ExhaustConfig config = connections();
    assert_true(plan(&bench, &exhaust_fault, &config));
    assert_int_equal(bench.procedure.ends_by, CLASS_PROCESS);
    is_command(&bench, &bench.procedure.undo,
               "20 sh hold free exhaust what sessions database postgres port 6543 count 300 "
               "ramp 900 steps 10");
    config.port = 5433;
    assert_true(plan(&bench, &exhaust_fault, &config));
    assert_non_null(strstr(commands_shell(&bench.procedure.apply, bench.arena), " port 5433 "));
    arena_free(bench.arena);
}

static void test_sessions_that_are_released_before_all_are_held_are_refused(void **state)
{
    (void)state;
    struct ExhaustConfig config = connections();
    config.ramp_ns = 60 * NS_PER_S;
    is_refused(&postgres, &exhaust_fault, &config, "they are released before all 300 are held");
    config.ramp_ns = 0;
    is_refused(&redis, &exhaust_fault, &config, "role 'db' is no PostgreSQL, but a_system");
}

/* ---- pause_replication ---- */

static void test_a_pause_ends_with_the_server_and_has_a_bound(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    struct PauseReplicationConfig config = {.at.port = FIELD_NOT_GIVEN, .most = INT64_C(3) << 30};
    assert_true(plan(&bench, &pause_replication_fault, &config));
    assert_int_equal(bench.procedure.ends_by, CLASS_REBOOT);
    assert_false(bench.procedure.once || bench.procedure.ends_on_primary);
    is_command(&bench, &bench.procedure.undo,
               "20 sh hold free pause_replication database postgres port 6543 leave 3072");
    arena_free(bench.arena);
    is_refused(&redis, &pause_replication_fault, &config,
               "role 'db' is no PostgreSQL, but a_system");
}

/* ---- set_config, read_only ---- */

static struct SetConfigConfig set_to(const char *setting, const char *value)
{
    return (struct SetConfigConfig){.at.port = FIELD_NOT_GIVEN, .setting = setting, .value = value};
}

static void test_a_setting_is_gone_with_a_reboot_and_stays_where_it_was_set(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&postgres);
    const struct SetConfigConfig config = set_to("work_mem", "64 kB");
    assert_true(plan(&bench, &set_config_fault, &config));
    assert_int_equal(bench.procedure.ends_by, CLASS_REBOOT);
    assert_true(bench.procedure.ends_on_primary);
    is_command(&bench, &bench.procedure.undo,
               "20 sh hold free set_config database postgres port 6543 setting work_mem value "
               "'64 kB'");
    arena_free(bench.arena);
}

static void test_a_redis_gets_its_old_value_back_and_is_no_matter_of_who_leads(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&redis);
    const struct SetConfigConfig config = set_to("maxmemory", "10mb");
    assert_true(plan(&bench, &set_config_fault, &config));
    assert_false(bench.procedure.ends_on_primary);
    is_command(&bench, &bench.procedure.undo,
               "20 sh hold free set_config port 6380 address 10.0.0.7 config /etc/redis/a.conf "
               "setting maxmemory value 10mb");
    arena_free(bench.arena);
}

static void test_a_primary_that_takes_no_writes_is_a_setting_of_it(void **state)
{
    (void)state;
    const struct DatabaseFault at = {.port = FIELD_NOT_GIVEN};
    const struct {
        const struct Endpoint *endpoint;
        const char *words;
    } rows[] = {
        {&postgres, " setting default_transaction_read_only value on on_primary yes"},
        {&redis, " setting min-replicas-to-write value 1000 on_primary yes"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct Bench bench = bench_new(rows[i].endpoint);
        assert_true(plan(&bench, &read_only_fault, &at));
        assert_non_null(strstr(commands_shell(&bench.procedure.apply, bench.arena), rows[i].words));
        arena_free(bench.arena);
    }
}

static void test_what_cannot_simply_be_put_back_is_no_setting_of_a_fault(void **state)
{
    (void)state;
    const struct {
        const struct Endpoint *at;
        const char *setting, *value, *want;
    } rows[] = {
        {&postgres, "fsync", "off", "no fault may set 'fsync' of a PostgreSQL"},
        {&postgres, "archive_command", "x", "no fault may set 'archive_command' of a PostgreSQL"},
        {&postgres, "synchronous_commit", "off",
         "no fault may set 'synchronous_commit' of a PostgreSQL"},
        {&postgres, "synchronous_standby_names", "ANY 1 (a)",
         "no fault may set 'synchronous_standby_names' of a PostgreSQL"},
        {&postgres, "maxmemory", "1mb", "no fault may set 'maxmemory' of a PostgreSQL"},
        {&redis, "work_mem", "1MB", "no fault may set 'work_mem' of a Redis"},
        {&redis, "maxmemory-policy", "x", "no fault may set 'maxmemory-policy' of a Redis"},
        {&redis, "maxclients", "1", "no fault may set 'maxclients' of a Redis"},
        {&redis, "dir", "/tmp", "no fault may set 'dir' of a Redis"},
        {&postgres, "work_mem'", "1", "no fault may set 'work_mem'' of a PostgreSQL"},
        {&postgres, "work_mem", "1' x",
         "'1' x' is no plain value: letters, digits, blanks and _.,:/@*()%+-"},
        {&postgres, "work_mem", "1\nfsync = off",
         "'1\nfsync = off' is no plain value: letters, digits, blanks and _.,:/@*()%+-"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct SetConfigConfig config = set_to(rows[i].setting, rows[i].value);
        is_refused(rows[i].at, &set_config_fault, &config, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions_are_ended_once_and_nothing_is_put_back),
        cmocka_unit_test(test_a_redis_is_asked_at_its_address_with_its_file),
        cmocka_unit_test(test_what_would_end_a_statement_is_no_name),
        cmocka_unit_test(test_sessions_of_what_is_no_database_are_refused),
        cmocka_unit_test(test_sessions_are_taken_in_steps_and_end_with_their_process),
        cmocka_unit_test(test_sessions_that_are_released_before_all_are_held_are_refused),
        cmocka_unit_test(test_a_pause_ends_with_the_server_and_has_a_bound),
        cmocka_unit_test(test_a_setting_is_gone_with_a_reboot_and_stays_where_it_was_set),
        cmocka_unit_test(test_a_redis_gets_its_old_value_back_and_is_no_matter_of_who_leads),
        cmocka_unit_test(test_a_primary_that_takes_no_writes_is_a_setting_of_it),
        cmocka_unit_test(test_what_cannot_simply_be_put_back_is_no_setting_of_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
