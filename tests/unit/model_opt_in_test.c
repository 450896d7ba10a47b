/* model_opt_in_test.c - under node_opt_in plain work too wants the word of its hosts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/base/text.h"
#include "../../runner/model/gate.h"

#define HERE                                                                                       \
    "environment: staging\n"                                                                       \
    "roles: {api: {hosts: [a, b, c], unit: api.service, http: {primary: "                          \
    "\"http://${host.address}/\"}}}\n"                                                             \
    "gate: {node_opt_in: true}\n"
#define DRILL_OF(target, steps)                                                                    \
    "scenario: drill\n"                                                                            \
    "targets: {one: " target "}\n"                                                                 \
    "probes: {shop: {http: \"http://10.0.0.1/\"}}\n" steps "expect: {shop: {max_errors: 5%}}\n"

/* What the gate says of the plan in which host `chosen` is drawn, and `files` are the hosts'. */
static const char *said(struct Case *c, size_t chosen, const char *const files[3])
{
    const struct Role *role = environment_role(c->environment, "api");
    const struct Target *hosts[] = {role->hosts[chosen]};
    struct Drawn drawn = {.spec = (const struct TargetSpec *)c->scenario->targets.items,
                          .role = role,
                          .hosts = hosts,
                          .count = 1};
    struct HostFacts facts[3];
    for (size_t at = 0; at < 3; at++)
        facts[at] = (struct HostFacts){.host = role->hosts[at],
                                       .no_allow = files[at] == NULL ? "it has none" : NULL,
                                       .allow_environments = "staging",
                                       .allow_kinds = files[at]};
    struct Plan plan = {.scenario = c->scenario,
                        .environment = c->environment,
                        .arena = c->arena,
                        .drawn = {&drawn, 1},
                        .facts = {facts, 3}};
    struct List rules = {.items = NULL};
    bool holds = gate_check_plan(&plan, c->arena, &rules);
    const struct GateRule *row = rules.items;
    for (size_t at = 0; at < rules.count; at++)
        if (text_equal(row[at].name, "node_opt_in")) {
            assert_int_equal(row[at].holds, holds);
            return row[at].sentence;
        }
    fail_msg("the gate did not ask");
    return NULL;
}

static void test_a_host_that_does_not_name_run_gets_no_plain_work(void **state)
{
    (void)state;
    struct Case c = good_case(
        HERE, DRILL_OF("{role: api, pick: 1}", "steps: [{run: \"true\", target: one}]\n"));
    static const char *const FILES[] = {NULL, "kill freeze", "kill run"};
    assert_string_equal(said(&c, 0, FILES), "a: it has none");
    assert_string_equal(said(&c, 1, FILES), "b: its file does not allow run");
    assert_string_equal(said(&c, 2, FILES), "every host that may be chosen allows it");
    case_close(&c);
}

static void test_steps_that_come_last_are_asked_as_well(void **state)
{
    (void)state;
    struct Case c =
        good_case(HERE, DRILL_OF("{role: api, pick: 1}",
                                 "steps: [{wait: 1s}]\nalways: [{run: \"true\", target: one}]\n"));
    static const char *const FILES[] = {"runs", "run", "run"};
    assert_string_equal(said(&c, 0, FILES), "a: its file does not allow run");
    case_close(&c);
}

/* Who leads may be another one by then. */
static void test_by_rank_every_host_of_the_role_is_asked(void **state)
{
    (void)state;
    struct Case c = good_case(
        HERE, DRILL_OF("{role: api, is: primary}", "steps: [{run: \"true\", target: one}]\n"));
    static const char *const FILES[] = {"run", "run", "kill"}, *const ALL[] = {"run", "run", "run"};
    assert_string_equal(said(&c, 0, FILES), "c: its file does not allow run");
    assert_string_equal(said(&c, 0, ALL), "every host that may be chosen allows it");
    case_close(&c);
}

#define STATEMENT DRILL_OF("{role: api, pick: 1}", "steps: [{run: \"true\", target: one}]\n")

static void make_statement(struct Case *c)
{
    struct StepSpec *step = c->scenario->steps.items;
    step->type = STEP_SQL;
    step->target = NULL;
    step->asked = "api";
}

static void test_a_statement_for_a_role_wants_the_word_of_all_its_hosts(void **state)
{
    (void)state;
    struct Case c = good_case(HERE, STATEMENT);
    static const char *const FILES[] = {"sql", "sql", "run"}, *const ALL[] = {"sql", "sql", "sql"};
    make_statement(&c);
    assert_string_equal(said(&c, 0, FILES), "c: its file does not allow sql");
    assert_string_equal(said(&c, 0, ALL), "every host that may be chosen allows it");
    case_close(&c);
}

static void test_no_statement_is_for_a_role_with_a_forbidden_host(void **state)
{
    (void)state;
    struct Case c = good_case("environment: staging\n"
                              "roles: {api: {hosts: [a, b, c], unit: api.service, "
                              "http: {primary: \"http://${host.address}/\"}}}\n"
                              "gate: {forbid: {hosts: [c]}}\n",
                              STATEMENT);
    struct Plan plan = {.scenario = c.scenario, .environment = c.environment, .arena = c.arena};
    struct List rules = {.items = NULL};
    make_statement(&c);
    assert_false(gate_check_plan(&plan, c.arena, &rules));
    assert_string_equal(((struct GateRule *)rules.items)[0].sentence,
                        "host c is forbidden here, and sql may be sent to it");
    case_close(&c);
}

/* A probe's command runs on this machine, whose file nobody reads. */
static void test_a_probe_that_runs_a_command_is_no_hosts_to_allow(void **state)
{
    (void)state;
    static const char *const DRILLS[] = {
        "scenario: drill\n"
        "probes: {shop: {run: \"true\"}}\nsteps: [{wait: 1s}]\nexpect: {shop: {max_errors: 5%}}\n",
        "scenario: drill\n"
        "probes: {web: {http: \"http://10.0.0.1/\"}}\n"
        "steps: [{wait: 1s, name: shop, until: {run: \"true\"}}]\n"
        "expect: {web: {max_errors: 5%}}\n"};
    for (size_t n = 0; n < COUNT_OF(DRILLS); n++) {
        struct Case c = good_case(HERE, DRILLS[n]);
        struct Plan plan = {.scenario = c.scenario, .environment = c.environment, .arena = c.arena};
        struct List rules = {.items = NULL};
        assert_false(gate_check_plan(&plan, c.arena, &rules));
        assert_string_equal(((struct GateRule *)rules.items)[0].sentence,
                            "shop runs a command on this machine, which no host's file can allow");
        case_close(&c);
    }
}

static void test_nor_does_it_run_where_this_machine_is_forbidden(void **state)
{
    (void)state;
    static const struct {
        const char *reach;
        bool may;
    } rows[] = {{"local", false}, {"{prefix: [env]}", true}};
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char here[300];
        snprintf(here, sizeof(here),
                 "environment: staging\n"
                 "roles: {api: {hosts: [a], unit: api.service, reach: %s}}\n"
                 "gate: {forbid: {hosts: [a]}}\n",
                 rows[n].reach);
        struct Case c = good_case(here, "scenario: drill\nprobes: {shop: {run: \"true\"}}\n"
                                        "steps: [{wait: 1s}]\nexpect: {shop: {max_errors: 5%}}\n");
        struct Plan plan = {.scenario = c.scenario, .environment = c.environment, .arena = c.arena};
        struct List rules = {.items = NULL};
        assert_int_equal(gate_check_plan(&plan, c.arena, &rules), rows[n].may);
        assert_string_equal(((struct GateRule *)rules.items)[0].sentence,
                            rows[n].may
                                ? "nothing of it is in the plan"
                                : "host a is forbidden here, and shop runs a command on it");
        case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_host_that_does_not_name_run_gets_no_plain_work),
        cmocka_unit_test(test_steps_that_come_last_are_asked_as_well),
        cmocka_unit_test(test_by_rank_every_host_of_the_role_is_asked),
        cmocka_unit_test(test_a_statement_for_a_role_wants_the_word_of_all_its_hosts),
        cmocka_unit_test(test_no_statement_is_for_a_role_with_a_forbidden_host),
        cmocka_unit_test(test_a_probe_that_runs_a_command_is_no_hosts_to_allow),
        cmocka_unit_test(test_nor_does_it_run_where_this_machine_is_forbidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
