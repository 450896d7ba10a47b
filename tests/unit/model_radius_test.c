/* model_radius_test.c - a machine carries more than one role, and the last healthy one stays. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/model/gate.h"

/* api-2 and haproxy-2 are two names of one machine; etcd stands on two of the api hosts. */
#define HOSTS                                                                                      \
    "environment: staging\n"                                                                       \
    "roles:\n"                                                                                     \
    "  api: {hosts: {api-1: {address: 10.0.0.1}, api-2: {address: 10.0.0.2}, api-3: {address: "    \
    "10.0.0.3}}}\n"                                                                                \
    "  haproxy: {hosts: {haproxy-1: {address: 10.0.0.9}, haproxy-2: {address: 10.0.0.2}}}\n"       \
    "  etcd: {hosts: [api-1, api-3]}\n"                                                            \
    "  alone: {hosts: {api-9: {address: 10.0.0.3}}}\n"                                             \
    "endpoints: {api: \"http://10.0.0.1\"}\n"

#define SPENDS_ALL                                                                                 \
    "scenario: drill\n"                                                                            \
    "targets: {victim: {role: api, pick: all}}\n"                                                  \
    "probes: {shop: {http: \"http://10.0.0.1\", every: 50ms}}\n"                                   \
    "steps: [{isolate: victim, for: 60s}]\n"                                                       \
    "expect: {shop: {recover_within: 20s}}\n"

struct Scene {
    struct Case c;
    struct RadiusInput input;
    struct List rules;
    enum Known healthy[4][3];
};

static struct Scene scene_of(const char *gate, const char *scenario)
{
    char text[2000];
    snprintf(text, sizeof text, "%s%s", HOSTS, gate);
    struct Scene scene = {.c = good_case(text, scenario)};
    scene.input.environment = scene.c.environment;
    scene.input.scenario = scene.c.scenario;
    for (size_t role = 0; role < 4; role++)
        for (size_t host = 0; host < 3; host++)
            scene.healthy[role][host] = KNOWN_YES;
    return scene;
}

static void touch(struct Scene *scene, const char *host)
{
    const struct Target *found = environment_host(scene->c.environment, host);
    assert_non_null(found);
    *(const struct Target **)list_add(&scene->input.touched, scene->c.arena, sizeof(void *)) =
        found;
}

static bool allowed(struct Scene *scene)
{
    const struct Role *roles = scene->c.environment->roles.items;
    scene->input.healths = (struct List){0};
    scene->rules = (struct List){0};
    for (size_t at = 0; at < 4; at++)
        *(struct RoleHealth *)list_add(&scene->input.healths, scene->c.arena,
                                       sizeof(struct RoleHealth)) =
            (struct RoleHealth){&roles[at], scene->healthy[at]};
    return gate_radius(&scene->input, scene->c.arena, &scene->rules);
}

static const char *says(const struct Scene *scene, const char *name)
{
    const struct GateRule *rule = scene->rules.items;
    for (size_t i = 0; i < scene->rules.count; i++)
        if (strcmp(rule[i].name, name) == 0)
            return rule[i].sentence;
    return "no such rule";
}

static void test_every_role_at_the_address_counts(void **state)
{
    (void)state;
    struct Scene scene = scene_of("", DRILL);
    struct Buf out = BUF(200);
    touch(&scene, "api-2");
    assert_true(allowed(&scene));
    assert_string_equal(says(&scene, "keep_healthy"), "left: 2 of 3 api, 1 of 2 haproxy");
    radius_carried(&scene.input, environment_host(scene.c.environment, "api-2"),
                   environment_role(scene.c.environment, "api"), &out);
    assert_string_equal(out.text, "haproxy (1 of 2 left)");
    buf_free(&out);
    case_close(&scene.c);
}

static void test_the_last_healthy_one_of_a_role_nobody_named_is_kept(void **state)
{
    (void)state;
    struct Scene scene = scene_of("", DRILL);
    touch(&scene, "api-2");
    scene.healthy[1][0] = KNOWN_NO;
    assert_false(allowed(&scene));
    assert_string_equal(says(&scene, "keep_healthy"),
                        "0 of 2 haproxy would be left, at least 1 (haproxy-1 does not serve)");
    scene.healthy[1][0] = KNOWN_UNKNOWN; /* silence is no health */
    assert_false(allowed(&scene));
    assert_string_equal(says(&scene, "keep_healthy"),
                        "0 of 2 haproxy would be left, at least 1 (haproxy-1 does not answer)");
    case_close(&scene.c);
}

static void test_the_only_host_of_a_role_beside_is_kept_unless_said(void **state)
{
    (void)state;
    struct Scene scene = scene_of("", DRILL);
    touch(&scene, "api-3");
    assert_false(allowed(&scene));
    assert_string_equal(says(&scene, "keep_healthy"), "0 of 1 alone would be left, at least 1");
    case_close(&scene.c);
    scene = scene_of("gate: {keep_healthy: {alone: 0}}\n", DRILL);
    touch(&scene, "api-3");
    assert_true(allowed(&scene));
    case_close(&scene.c);
}

static void test_pick_all_says_that_all_may_go(void **state)
{
    (void)state;
    struct Scene scene = scene_of("gate: {keep_healthy: {alone: 0, etcd: 0}}\n", DRILL);
    touch(&scene, "api-1");
    touch(&scene, "api-3");
    assert_true(allowed(&scene));
    scene.healthy[0][1] = KNOWN_NO;
    assert_false(allowed(&scene));
    case_close(&scene.c);
    scene = scene_of("gate: {keep_healthy: {alone: 0, etcd: 0}}\n", SPENDS_ALL);
    touch(&scene, "api-1");
    touch(&scene, "api-3");
    scene.healthy[0][1] = KNOWN_NO;
    assert_true(allowed(&scene));
    case_close(&scene.c);
}

static void test_keep_healthy_holds_for_roles_that_are_not_touched(void **state)
{
    (void)state;
    struct Scene scene = scene_of("gate: {keep_healthy: {etcd: 2, api: 2}}\n", DRILL);
    touch(&scene, "api-2");
    assert_true(allowed(&scene));
    scene.healthy[2][1] = KNOWN_NO;
    assert_false(allowed(&scene));
    assert_string_equal(says(&scene, "keep_healthy"),
                        "1 of 2 etcd would be left, at least 2 (api-3 does not serve)");
    case_close(&scene.c);
}

static void test_blast_radius_counts_machines_and_shares(void **state)
{
    (void)state;
    struct Scene scene = scene_of("gate: {blast_radius: {hosts: 1, of_role: 50%}}\n", DRILL);
    touch(&scene, "api-2");
    touch(&scene, "haproxy-2"); /* the same machine */
    assert_true(allowed(&scene));
    assert_string_equal(says(&scene, "blast_radius"),
                        "1 machine at once: 1 of 3 api, 1 of 2 haproxy");
    touch(&scene, "api-1");
    assert_false(allowed(&scene));
    assert_string_equal(says(&scene, "blast_radius"),
                        "2 machines at once, at most 1: 2 of 3 api, 1 of 2 haproxy, 1 of 2 etcd");
    case_close(&scene.c);
    scene = scene_of("gate: {blast_radius: {of_role: 34%}}\n", DRILL);
    touch(&scene, "api-2");
    assert_false(allowed(&scene));
    assert_string_equal(says(&scene, "blast_radius"),
                        "1 of 2 haproxy at once, at most 34 % of a role");
    case_close(&scene.c);
}

static void test_behind_a_loopback_address_many_machines_may_stand(void **state)
{
    (void)state;
    const struct Target a = {.name = "a", .address = "127.0.0.1"},
                        b = {.name = "b", .address = "127.0.0.1"},
                        c = {.name = "c", .address = "fd00::1"},
                        d = {.name = "d", .address = "fd00::1"}, e = {.name = "e"},
                        f = {.name = "f"};
    assert_false(machine_same(&a, &b));
    assert_true(machine_same(&a, &a));
    assert_true(machine_same(&c, &d));
    assert_false(machine_same(&e, &f));
}

static void test_one_address_may_be_written_in_many_ways(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } ROWS[] = {
        {"fd00::1", "FD00:0:0::0001", true},
        {"10.0.0.2", "::ffff:10.0.0.2", true},
        {"api-2.example", "API-2.Example", true},
        {"10.0.0.2", "10.0.0.20", false},
        {"fd00::1", "fd00::2", false},
        {"api-2.example", "10.0.0.2", false},
        {"0:0::1", "::1", false}, /* many machines may stand behind a loopback address */
        {"LocalHost", "localhost", false},
        {"::ffff:127.0.0.1", "127.0.0.1", false},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct Target a = {.name = "a", .address = ROWS[i].a},
                            b = {.name = "b", .address = ROWS[i].b};
        assert_int_equal(machine_same(&a, &b), ROWS[i].same);
        assert_int_equal(machine_same(&b, &a), ROWS[i].same);
    }
}

/* ---- A whole plan. ---- */

static const struct GateRule *rule_of(const struct Plan *plan, struct Arena *arena,
                                      const char *name)
{
    struct List rules = {0};
    (void)gate_check_plan(plan, arena, &rules);
    const struct GateRule *rule = rules.items;
    for (size_t i = 0; i < rules.count; i++)
        if (strcmp(rule[i].name, name) == 0)
            return &rule[i];
    return NULL;
}

static struct Plan plan_of(struct Case *c, struct PlannedFault *fault, const char *host)
{
    const struct StepSpec *steps = c->scenario->steps.items;
    *fault = (struct PlannedFault){
        .step = &steps[0],
        .target = environment_host(c->environment, host),
        .role = environment_role(c->environment, "api"),
        .chosen = true,
        .procedure = {.ends_by = CLASS_KERNEL, .cap_ns = 75 * NS_PER_S},
    };
    return (struct Plan){
        .scenario = c->scenario, .environment = c->environment, .faults = {fault, 1}};
}

static void test_what_is_forbidden_is_refused_by_its_name(void **state)
{
    (void)state;
    static const char *const GATES[][2] = {
        {"gate: {forbid: {faults: [isolate]}}\n", "isolate is forbidden here"},
        {"gate: {forbid: {classes: [S, K]}}\n", "class K is forbidden here: isolate on api-2"},
        {"gate: {forbid: {hosts: [api-2]}}\n", "host api-2 is forbidden here"},
        {"gate: {forbid: {hosts: [haproxy-2]}}\n", "host api-2 is forbidden here"},
    };
    for (size_t i = 0; i < COUNT_OF(GATES); i++) {
        struct Scene scene = scene_of(GATES[i][0], DRILL);
        struct PlannedFault fault;
        struct Plan plan = plan_of(&scene.c, &fault, "api-2");
        const struct GateRule *rule = rule_of(&plan, scene.c.arena, "forbid");
        assert_false(rule->holds);
        assert_string_equal(rule->sentence, GATES[i][1]);
        plan = plan_of(&scene.c, &fault, "api-1");
        if (i >= 2) /* the others speak of all hosts */
            assert_true(rule_of(&plan, scene.c.arena, "forbid")->holds);
        case_close(&scene.c);
    }
}

static void test_the_longest_fault_is_its_cap(void **state)
{
    (void)state;
    struct Scene scene = scene_of("gate: {longest_fault: 70s}\n", DRILL);
    struct PlannedFault fault;
    struct Plan plan = plan_of(&scene.c, &fault, "api-1");
    const struct GateRule *rule = rule_of(&plan, scene.c.arena, "longest_fault");
    assert_false(rule->holds);
    assert_string_equal(rule->sentence,
                        "isolate lasts 1 min 15 s with its grace, at most 1 min 10 s");
    case_close(&scene.c);
    scene = scene_of("gate: {longest_fault: 75s}\n", DRILL);
    plan = plan_of(&scene.c, &fault, "api-1");
    assert_true(rule_of(&plan, scene.c.arena, "longest_fault")->holds);
    case_close(&scene.c);
}

static void test_earlier_steps_without_for_count_along(void **state)
{
    (void)state;
    struct StepSpec steps[2] = {{.kind = (const struct FaultKind *)&steps, .hold_ns = -1},
                                {.kind = (const struct FaultKind *)&steps, .hold_ns = 5}};
    struct Target hosts[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    struct PlannedFault faults[] = {
        {.step = &steps[0], .step_index = 0, .target = &hosts[0], .chosen = true},
        {.step = &steps[1], .step_index = 1, .target = &hosts[1], .chosen = true},
        {.step = &steps[1], .step_index = 1, .target = &hosts[2], .candidate = true},
    };
    struct Plan plan = {.faults = {faults, 3}};
    struct Arena *arena = arena_new("test", 1U << 20);
    struct List touched = {0};
    plan_touched(&plan, 1, arena, &touched);
    assert_int_equal(touched.count, 2);
    steps[0].hold_ns = 5;
    steps[0].together = steps[1].together = 1; /* side by side */
    touched = (struct List){0};
    plan_touched(&plan, 0, arena, &touched);
    assert_int_equal(touched.count, 2);
    steps[0].together = steps[1].together = 0; /* over by then */
    touched = (struct List){0};
    plan_touched(&plan, 1, arena, &touched);
    assert_int_equal(touched.count, 1);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_role_at_the_address_counts),
        cmocka_unit_test(test_the_last_healthy_one_of_a_role_nobody_named_is_kept),
        cmocka_unit_test(test_the_only_host_of_a_role_beside_is_kept_unless_said),
        cmocka_unit_test(test_pick_all_says_that_all_may_go),
        cmocka_unit_test(test_keep_healthy_holds_for_roles_that_are_not_touched),
        cmocka_unit_test(test_blast_radius_counts_machines_and_shares),
        cmocka_unit_test(test_behind_a_loopback_address_many_machines_may_stand),
        cmocka_unit_test(test_one_address_may_be_written_in_many_ways),
        cmocka_unit_test(test_what_is_forbidden_is_refused_by_its_name),
        cmocka_unit_test(test_the_longest_fault_is_its_cap),
        cmocka_unit_test(test_earlier_steps_without_for_count_along),
    };
    return cmocka_run_group_tests_name("model_radius", tests, NULL, NULL);
}
