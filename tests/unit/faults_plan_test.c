/* faults_plan_test.c - each kind of fault plans what FAULTS.md says, and nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/commands.h"
#include "../../runner/faults/kinds.h"
#include "../../runner/model/system.h"

static const struct FaultKind *const all_kinds[] = {&kill_fault,    &stop_fault,    &freeze_fault,
                                                    &restart_fault, &isolate_fault, &run_fault};
static const struct Target host = {.name = "redis-1", .where = {.file = NULL}};
static const struct Token token = {"01k2"};

/* As run.c lays its config out: target, script, undo, proof, fault. */
struct RunWords {
    const struct Node *target;
    const char *script, *undo, *proof;
    bool fault;
};

/* As restart.c does; all others know the first part alone. */
struct RestartWords {
    struct ServiceConfig of;
    int64_t every_ns;
};

struct Bench {
    struct Arena *arena;
    struct Role role;
    struct HostFacts facts;
    struct PlanInput input;
    struct RestartWords service;
    struct RunWords run;
    struct Procedure procedure;
    struct Err err;
};

static struct Bench bench_new(const struct Service *service)
{
    struct Bench bench = {.arena = arena_new("test", 1 << 20),
                          .role = {.name = "redis", .service = *service},
                          .facts = {.systemd = true, .nft = true},
                          .run = {.script = "touch /srv/down",
                                  .undo = "rm -f /srv/down",
                                  .proof = "test -e /srv/down",
                                  .fault = true}};
    bench.input = (struct PlanInput){.target = &host,
                                     .token = &token,
                                     .number = 1,
                                     .hold_ns = -1,
                                     .lease_ns = 30 * NS_PER_S,
                                     .cap_ns = 75 * NS_PER_S};
    return bench;
}

static bool plan(struct Bench *bench, const struct FaultKind *kind)
{
    bench->input.role = &bench->role;
    bench->input.facts = &bench->facts;
    const void *config = kind == &run_fault ? (const void *)&bench->run : &bench->service;
    return kind->plan(config, &bench->input, bench->arena, &bench->procedure, &bench->err);
}

static void shell_is(struct Bench *bench, const struct Commands *commands, const char *want)
{
    assert_string_equal(commands_shell(commands, bench->arena), want);
}

static void refused(struct Bench *bench, const struct FaultKind *kind, enum ErrCode code,
                    const char *message)
{
    assert_false(plan(bench, kind));
    assert_string_equal(bench->err.message, message);
    assert_int_equal(bench->err.code, code);
    arena_free(bench->arena);
}

static const struct Service unit = {.unit = "redis-server.service"};
static const struct Service pidfile = {
    .pidfile = "/run/redis.pid", .start = "redis up", .stop = "redis down"};
static const struct Service exe = {
    .exe = "/usr/bin/redis-server", .args = "*:6379", .start = "redis up"};

static void test_every_kind_passes_the_check_for_every_service(void **state)
{
    (void)state;
    const struct Service *const services[] = {&unit, &pidfile, &exe};
    for (size_t kind = 0; kind < COUNT_OF(all_kinds); kind++)
        for (size_t i = 0; i < COUNT_OF(services); i++)
            for (int64_t hold = -1; hold < 1; hold++)
                for (int left = 0; left < 2; left++) {
                    struct Bench bench = bench_new(services[i]);
                    bench.input.hold_ns = hold;
                    bench.input.leave_stopped = left == 1;
                    assert_true(plan(&bench, all_kinds[kind]));
                    assert_true(procedure_check(all_kinds[kind], &bench.procedure, &bench.err));
                    arena_free(bench.arena);
                }
}

static void test_a_plan_is_pure(void **state)
{
    (void)state;
    char hashes[2][65];
    for (size_t kind = 0; kind < COUNT_OF(all_kinds); kind++) {
        for (size_t i = 0; i < 2; i++) {
            struct Bench bench = bench_new(&pidfile);
            assert_true(plan(&bench, all_kinds[kind]));
            procedure_hash(&bench.procedure, hashes[i]);
            arena_free(bench.arena);
        }
        assert_string_equal(hashes[0], hashes[1]);
    }
}

static void test_kill_once_on_systemd(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    assert_true(plan(&bench, &kill_fault));
    assert_true(bench.procedure.once);
    assert_int_equal(bench.procedure.ends_by, CLASS_STICKY);
    shell_is(&bench, &bench.procedure.save,
             "# record all processes of the service\n"
             "timeout -k 2 20 sh service save unit redis-server.service || exit\n");
    shell_is(&bench, &bench.procedure.apply,
             "# see that it is the service that was recorded\n"
             "timeout -k 2 20 sh service record unit redis-server.service || exit\n"
             "# SIGKILL to all its processes\n"
             "timeout -k 2 10 systemctl kill -s KILL redis-server.service || exit\n");
    shell_is(&bench, &bench.procedure.in_place,
             "# none of those recorded lives\n"
             "timeout -k 2 20 sh service gone unit redis-server.service || exit\n");
    shell_is(&bench, &bench.procedure.undo,
             "# start the service if it is down\n"
             "timeout -k 2 90 sh service start unit redis-server.service || exit\n");
    shell_is(&bench, &bench.procedure.all_clear,
             "# the service runs\n"
             "timeout -k 2 20 sh service up unit redis-server.service || exit\n"
             "# no process of it is stopped\n"
             "timeout -k 2 20 sh service moving unit redis-server.service || exit\n");
    arena_free(bench.arena);
}

static void test_kill_kept_down_on_systemd_cancels_every_restart(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    bench.input.hold_ns = 60 * NS_PER_S;
    assert_true(plan(&bench, &kill_fault));
    assert_false(bench.procedure.once);
    shell_is(
        &bench, &bench.procedure.apply,
        "# see that it is the service that was recorded\n"
        "timeout -k 2 20 sh service record unit redis-server.service || exit\n"
        "# SIGKILL to all its processes, and cancel every restart\n"
        "timeout -k 2 30 sh -c 'systemctl kill -s KILL \"$1\"; systemctl "
        "--job-mode=ignore-dependencies stop \"$1\"' keep-down redis-server.service || exit\n");
    shell_is(&bench, &bench.procedure.in_place,
             "# no process of the service\n"
             "timeout -k 2 20 sh service down unit redis-server.service || exit\n");
    arena_free(bench.arena);
}

static void test_kill_without_systemd_starts_by_the_roles_line(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&exe);
    assert_true(plan(&bench, &kill_fault));
    shell_is(&bench, &bench.procedure.apply,
             "# SIGKILL to all its processes\n"
             "timeout -k 2 20 sh service kill exe /usr/bin/redis-server with '*:6379' || exit\n");
    shell_is(&bench, &bench.procedure.undo,
             "# start the service if it is down\n"
             "timeout -k 2 90 sh service start exe /usr/bin/redis-server with '*:6379' "
             "by 'redis up' || exit\n");
    arena_free(bench.arena);
}

static void test_a_former_primary_is_started_as_its_system_says(void **state)
{
    (void)state;
    const struct Command rejoin = {.what = "start it as a replica",
                                   .argv = (const char *const[]){"redis", "as", "replica", NULL},
                                   .timeout_ns = 10 * NS_PER_S};
    const struct FaultKind *const kinds[] = {&kill_fault, &stop_fault, &restart_fault};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct Bench bench = bench_new(&pidfile);
        bench.input.rejoin = (struct Commands){.at = &rejoin, .count = 1};
        assert_true(plan(&bench, kinds[i]));
        shell_is(&bench, &bench.procedure.undo,
                 "# start the service if it is down\n"
                 "timeout -k 2 90 sh service start pidfile /run/redis.pid rejoin "
                 "'# start it as a replica\ntimeout -k 2 10 redis as replica || exit\n' || exit\n");
        arena_free(bench.arena);
    }
}

static void test_one_that_comes_back_closed_is_rejoined_also_where_it_runs(void **state)
{
    (void)state;
    static const struct SystemKind closed = {.name = "closed", .left_as = "it is closed"};
    const struct Command rejoin = {.what = "open it",
                                   .argv = (const char *const[]){"open", NULL},
                                   .timeout_ns = 10 * NS_PER_S};
    struct Bench bench = bench_new(&pidfile);
    bench.role.system = &closed;
    bench.input.role = &bench.role;
    bench.input.rejoin = (struct Commands){.at = &rejoin, .count = 1};
    assert_true(plan(&bench, &kill_fault));
    assert_non_null(
        strstr(commands_shell(&bench.procedure.undo, bench.arena), "' over yes || exit"));
    arena_free(bench.arena);
}

/* Where nobody demotes, what is said of it is looked at all the time. */
static void test_a_kill_that_is_to_stay_dead_is_looked_at(void **state)
{
    (void)state;
    static const struct SystemKind never = {.name = "never", .never_demotes = true};
    struct Service dead = pidfile;
    dead.stays_dead = true;
    struct Bench bench = bench_new(&dead);
    bench.input.role = &bench.role;
    assert_true(plan(&bench, &kill_fault));
    assert_true(bench.procedure.once);

    bench.role.system = &never;
    assert_true(plan(&bench, &kill_fault));
    assert_false(bench.procedure.once);
    assert_non_null(
        strstr(commands_shell(&bench.procedure.in_place, bench.arena), "sh service down pidfile"));
    arena_free(bench.arena);
}

static void test_left_stopped_is_never_started(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    bench.input.leave_stopped = true;
    assert_true(plan(&bench, &kill_fault));
    assert_null(strstr(commands_shell(&bench.procedure.undo, bench.arena), "start"));
    assert_string_equal(bench.procedure.stays,
                        "the service stays down until somebody starts it: systemctl start "
                        "redis-server.service");
    arena_free(bench.arena);
}

static void test_freeze_thaws_every_one_recorded(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    bench.service.of.only_main = 1;
    assert_true(plan(&bench, &freeze_fault));
    shell_is(&bench, &bench.procedure.apply,
             "# SIGSTOP until none of them runs\n"
             "timeout -k 2 20 sh service freeze unit redis-server.service only main || exit\n");
    assert_int_equal(bench.procedure.ends_by, CLASS_REBOOT);
    shell_is(&bench, &bench.procedure.undo,
             "# SIGCONT to every one recorded\n"
             "timeout -k 2 20 sh service thaw unit redis-server.service only main || exit\n");
    arena_free(bench.arena);
}

static void test_freeze_takes_the_control_group_that_plan_found(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    bench.facts.freezer = 2;
    assert_true(plan(&bench, &freeze_fault));
    shell_is(&bench, &bench.procedure.apply,
             "# freeze its control group\n"
             "timeout -k 2 20 sh service freeze unit redis-server.service freezer 2 || exit\n");
    shell_is(&bench, &bench.procedure.undo,
             "# thaw the group, if it still is the one that we froze\n"
             "timeout -k 2 20 sh service thaw unit redis-server.service freezer 2 || exit\n");
    bench.service.of.only_main = 1; /* a group cannot be frozen but for one */
    assert_true(plan(&bench, &freeze_fault));
    assert_null(strstr(commands_shell(&bench.procedure.apply, bench.arena), "freezer"));
    bench.service.of.only_main = 0; /* another service than the role's was asked for itself */
    bench.service.of.unit = "haproxy.service";
    bench.input.named = &(struct Named){.name = "haproxy.service", .is_unit = true};
    assert_true(plan(&bench, &freeze_fault));
    assert_null(strstr(commands_shell(&bench.procedure.apply, bench.arena), "freezer"));
    arena_free(bench.arena);
}

static void test_a_restart_loop_is_held_on_the_host(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    bench.service.every_ns = 10 * NS_PER_S;
    assert_true(plan(&bench, &restart_fault));
    assert_false(bench.procedure.once);
    shell_is(&bench, &bench.procedure.apply,
             "# restart the service, and from then on in a rhythm\n"
             "timeout -k 2 120 sh hold take restart every 1000 || exit\n");
    shell_is(&bench, &bench.procedure.undo,
             "# end who restarts it\n"
             "timeout -k 2 20 sh hold free restart every 1000 || exit\n"
             "# start the service if it is down\n"
             "timeout -k 2 90 sh service start unit redis-server.service || exit\n");
    assert_non_null(strstr(commands_shell(&bench.procedure.save, bench.arena),
                           "sh service turn unit redis-server.service"));
    arena_free(bench.arena);
}

static void test_run_is_the_users_own_text(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    assert_true(plan(&bench, &run_fault));
    shell_is(&bench, &bench.procedure.apply,
             "# the step's own command\n"
             "timeout -k 2 120 sh -c '{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null\n"
             "unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE\n"
             "cd / && exec sh -c \"$1\"\n"
             "' run 'touch /srv/down' || exit\n");
    shell_is(&bench, &bench.procedure.in_place,
             "# its proof\ntimeout -k 2 20 sh -c 'test -e /srv/down' || exit\n");
    arena_free(bench.arena);
}

static void test_what_cannot_be_put_back_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&(struct Service){.exe = "/usr/bin/redis-server"});
    refused(&bench, &kill_fault, ERR_NO_UNDO,
            "nobody knows how '/usr/bin/redis-server' is started again");
    bench = bench_new(&unit);
    bench.run.undo = NULL;
    refused(&bench, &run_fault, ERR_NO_UNDO, "`run` with `fault: true` has no `undo`");
    bench = bench_new(&unit);
    bench.run.proof = NULL;
    refused(&bench, &run_fault, ERR_NO_UNDO, "`run` with `fault: true` has no `proof`");
}

static void test_what_the_host_lacks_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&unit);
    bench.facts.systemd = false;
    refused(&bench, &kill_fault, ERR_NOT_READY,
            "'redis-1' has no systemd, so no unit 'redis-server.service'");
    bench = bench_new(&unit);
    bench.facts.nft = false;
    refused(&bench, &isolate_fault, ERR_NOT_READY,
            "'redis-1' can load neither an nft table nor chains of iptables: it was not asked");
}

static void test_odd_names_are_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new(&(struct Service){.unit = "a b;reboot"});
    refused(&bench, &stop_fault, ERR_VALUE, "'a b;reboot' is no name of a unit");
    bench = bench_new(&(struct Service){.unit = "--force"});
    refused(&bench, &stop_fault, ERR_VALUE, "'--force' is no name of a unit");
    bench = bench_new(&(struct Service){.pidfile = "/run/../etc/passwd", .start = "x"});
    refused(&bench, &stop_fault, ERR_VALUE, "'/run/../etc/passwd' is no absolute path");
    bench = bench_new(&(struct Service){.unit = NULL});
    refused(&bench, &freeze_fault, ERR_RULE, "role 'redis' does not say how its service is run");
    bench = bench_new(&unit);
    bench.service.of.unit = "x.service";
    bench.service.of.process = "/usr/bin/x";
    refused(&bench, &freeze_fault, ERR_RULE, "a step names one thing: `unit` or `process`");
    bench = bench_new(&unit);
    bench.service.of.only_main = 1;
    bench.input.hold_ns = 0;
    refused(&bench, &kill_fault, ERR_RULE, "a main process alone cannot be kept down");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_passes_the_check_for_every_service),
        cmocka_unit_test(test_a_plan_is_pure),
        cmocka_unit_test(test_kill_once_on_systemd),
        cmocka_unit_test(test_kill_kept_down_on_systemd_cancels_every_restart),
        cmocka_unit_test(test_kill_without_systemd_starts_by_the_roles_line),
        cmocka_unit_test(test_a_former_primary_is_started_as_its_system_says),
        cmocka_unit_test(test_left_stopped_is_never_started),
        cmocka_unit_test(test_one_that_comes_back_closed_is_rejoined_also_where_it_runs),
        cmocka_unit_test(test_a_kill_that_is_to_stay_dead_is_looked_at),
        cmocka_unit_test(test_freeze_thaws_every_one_recorded),
        cmocka_unit_test(test_freeze_takes_the_control_group_that_plan_found),
        cmocka_unit_test(test_a_restart_loop_is_held_on_the_host),
        cmocka_unit_test(test_run_is_the_users_own_text),
        cmocka_unit_test(test_what_cannot_be_put_back_is_refused),
        cmocka_unit_test(test_what_the_host_lacks_is_refused),
        cmocka_unit_test(test_odd_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
