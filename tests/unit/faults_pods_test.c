/* faults_pods_test.c - pods are ended by their uid, through kubectl, and nothing else is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/commands.h"
#include "../../runner/faults/kinds.h"

static const struct Pods pods = {"staging", "shop", "app=billing,tier!=test"};
static const struct Target pod = {
    .name = "billing-1", .uid = "u-1", .root = "/srv/state/pods/here"};
static const struct Token token = {"01k2"};

/* As restart.c lays its config out; kill knows the first part alone. */
struct Words {
    struct ServiceConfig of;
    int64_t every_ns;
};
struct Bench {
    struct Arena *arena;
    struct Role role;
    struct HostFacts facts;
    struct PlanInput input;
    struct Words words;
    struct Procedure procedure;
    struct Err err;
};

static void bench_open(struct Bench *bench)
{
    *bench = (struct Bench){.arena = arena_new("test", 1 << 20),
                            .role = {.name = "billing", .service = {.pods = &pods}},
                            .facts = {.engine_starts = true, .pods_ready = 3}};
    bench->input = (struct PlanInput){.target = &pod,
                                      .role = &bench->role,
                                      .facts = &bench->facts,
                                      .token = &token,
                                      .number = 1,
                                      .hold_ns = -1,
                                      .lease_ns = 30 * NS_PER_S,
                                      .cap_ns = 75 * NS_PER_S};
}

static bool plan(struct Bench *bench, const struct FaultKind *kind)
{
    return kind->plan(&bench->words, &bench->input, bench->arena, &bench->procedure, &bench->err);
}

static void shell_is(struct Bench *bench, const struct Commands *commands, const char *want)
{
    assert_string_equal(commands_shell(commands, bench->arena), want);
}

#define WHOM " staging shop 'app=billing,tier!=test' billing-1 u-1 3 || exit\n"

static void test_kill_is_of_one_uid(void **state)
{
    (void)state;
    struct Bench bench;
    bench_open(&bench);
    assert_true(plan(&bench, &kill_fault));
    assert_true(procedure_check(&kill_fault, &bench.procedure, &bench.err));
    assert_true(bench.procedure.once);
    assert_int_equal(bench.procedure.ends_by, CLASS_STICKY);
    shell_is(&bench, &bench.procedure.save,
             "# it is there, by its uid, ready, and has a controller\n"
             "timeout -k 2 20 sh pods save" WHOM);
    shell_is(&bench, &bench.procedure.apply,
             "# delete the pod of that uid, without a grace period\n"
             "timeout -k 2 20 sh pods kill" WHOM);
    shell_is(&bench, &bench.procedure.in_place,
             "# its uid is gone, or its containers were started anew\n"
             "timeout -k 2 20 sh pods gone" WHOM);
    shell_is(&bench, &bench.procedure.undo,
             "# nothing: its controller makes another one\n"
             "timeout -k 2 20 true || exit\n");
    shell_is(&bench, &bench.procedure.all_clear,
             "# 3 of the role's pods are ready\n"
             "timeout -k 2 20 sh pods back" WHOM);
    arena_free(bench.arena);
}

static void test_restart_leaves_the_pod_its_grace(void **state)
{
    (void)state;
    struct Bench bench;
    bench_open(&bench);
    assert_true(plan(&bench, &restart_fault));
    assert_true(procedure_check(&restart_fault, &bench.procedure, &bench.err));
    shell_is(&bench, &bench.procedure.apply,
             "# delete the pod of that uid, with its own grace period\n"
             "timeout -k 2 20 sh pods restart" WHOM);
    arena_free(bench.arena);
}

static void refused(const struct FaultKind *kind, const struct Bench *like, enum ErrCode code,
                    const char *message)
{
    struct Bench bench;
    bench_open(&bench);
    bench.words = like->words;
    bench.facts.engine_starts = like->facts.engine_starts;
    bench.facts.pod_has_name = like->facts.pod_has_name;
    bench.input.hold_ns = like->input.hold_ns;
    assert_false(plan(&bench, kind));
    assert_string_equal(bench.err.message, message);
    assert_int_equal(bench.err.code, code);
    arena_free(bench.arena);
}

static void test_what_cannot_be_done_to_a_pod(void **state)
{
    (void)state;
    struct Bench like;
    bench_open(&like);
    arena_free(like.arena);
    like.input.hold_ns = NS_PER_S;
    refused(&kill_fault, &like, ERR_RULE,
            "pod 'billing-1' cannot be kept down: its controller makes another one at once");
    like.input.hold_ns = -1;
    like.facts.engine_starts = false;
    refused(&kill_fault, &like, ERR_NO_UNDO,
            "nobody would make another pod: 'billing-1' has no controller");
    like.facts.engine_starts = true;
    like.facts.pod_has_name = true;
    refused(&kill_fault, &like, ERR_NO_UNDO,
            "pod 'billing-1' is of a StatefulSet: killed, there might be two of it for a while");
    like.facts.pod_has_name = false;
    like.words.every_ns = NS_PER_S;
    refused(&restart_fault, &like, ERR_RULE,
            "pod 'billing-1' is restarted once: another one takes its place");
    like.words = (struct Words){.of = {.only_main = 1}};
    refused(&kill_fault, &like, ERR_RULE, "pod 'billing-1' is ended as a whole, or not at all");
    like.words = (struct Words){.of = {.unit = "app.service"}};
    refused(&restart_fault, &like, ERR_RULE, "pod 'billing-1' is ended as a whole, or not at all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_is_of_one_uid),
        cmocka_unit_test(test_restart_leaves_the_pod_its_grace),
        cmocka_unit_test(test_what_cannot_be_done_to_a_pod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
