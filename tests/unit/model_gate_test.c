/* model_gate_test.c - nothing runs where it should not, and every refusal says why. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/model/gate.h"

#define PRODUCTION                                                                                 \
    "environment: staging\n" /* the file's name in tests */                                        \
    "protected: true\n"                                                                            \
    "roles: {api: {hosts: [a, b], unit: api.service}}\n"                                           \
    "endpoints: {api: \"http://10.0.0.1\"}\n"                                                      \
    "gate: {passed_in: {environment: test, within: 14d}}\n"
#define TWICE                                                                                      \
    "environment: staging\n"                                                                       \
    "roles: {api: {hosts: [a, b], unit: api.service}}\n"                                           \
    "endpoints: {api: \"http://10.0.0.1\"}\n"                                                      \
    "gate: {passed_in: {environment: test, times: 2}}\n"

#define NOW_NS (1000 * 24 * 3600 * NS_PER_S)
#define DAYS_AGO(n) ((struct Wall){NOW_NS - (n)*24 * 3600 * NS_PER_S})

struct Gate {
    struct Case c;
    struct GateInput input;
    struct List rules;
};

static struct Gate gate_of(const char *environment)
{
    struct Gate gate = {.c = good_case(environment, DRILL)};
    gate.input = (struct GateInput){.environment = gate.c.environment,
                                    .scenario = gate.c.scenario,
                                    .now = {NOW_NS},
                                    .ask_name = true,
                                    .confirmed = "staging"};
    return gate;
}

static struct GatePass pass_of(const struct Gate *gate, const char *run, struct Wall ended)
{
    return (struct GatePass){.run = run,
                             .text_hash = gate->c.scenario->text_hash,
                             .canonical = gate->c.scenario->canonical,
                             .ended = ended};
}

/* The sentence of a rule, after asserting whether it holds. */
static const char *sentence(struct Gate *gate, const char *name, bool holds)
{
    bool all = gate_check(&gate->input, gate->c.arena, &gate->rules);
    const struct GateRule *rule = gate->rules.items;
    bool every = true;
    const char *found = NULL;
    for (size_t i = 0; i < gate->rules.count; i++) {
        every = every && rule[i].holds;
        if (strcmp(rule[i].name, name) != 0)
            continue;
        assert_int_equal(rule[i].holds, holds);
        found = rule[i].sentence;
    }
    assert_int_equal(all, every);
    assert_non_null(found);
    return found;
}

static void test_a_protected_environment_wants_its_name(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(3)); /* the name alone decides */
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    gate.input.confirmed = NULL;
    assert_string_equal(sentence(&gate, "protected", false),
                        "type the name, or say --confirm staging");
    gate.input.confirmed = "Staging";
    assert_string_equal(sentence(&gate, "protected", false), "'Staging' is not staging");
    gate.input.confirmed = "staging";
    assert_string_equal(sentence(&gate, "protected", true), "staging was named");
    case_close(&gate.c);
}

static void test_plan_only_says_that_the_name_will_be_asked(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    gate.input.ask_name = false;
    gate.input.confirmed = NULL;
    assert_string_equal(sentence(&gate, "protected", true), "`run` asks for the name staging");
    case_close(&gate.c);
}

static void test_what_never_passed_is_refused(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    assert_string_equal(sentence(&gate, "passed_in", false), "test has not passed `drill` yet");
    case_close(&gate.c);
}

static void test_a_fresh_pass_of_the_same_text_is_enough(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(3));
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    assert_string_equal(sentence(&gate, "passed_in", true), "test 1 of 1 in 14d: 4k2p, same text");
    case_close(&gate.c);
}

static void test_a_pass_that_nobody_noticed_counts_and_is_said(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(3));
    pass.unaffected = true;
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    assert_string_equal(sentence(&gate, "passed_in", true),
                        "test 1 of 1 in 14d: 4k2p, same text (nobody noticed)");
    case_close(&gate.c);
}

static void test_an_old_pass_is_refused(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(15));
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    assert_string_equal(
        sentence(&gate, "passed_in", false),
        "test passed this text in 4k2p at 1972-09-12T00:00:00.000Z, which is not within 14d");
    case_close(&gate.c);
}

static void test_a_pass_from_the_future_counts_for_nothing(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(-1));
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    sentence(&gate, "passed_in", false);
    case_close(&gate.c);
}

static void test_another_text_is_refused_with_the_difference(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct Case before =
        good_case(PRODUCTION, "scenario: drill\n"
                              "params: {machines: {type: int, default: 1, max: 2}, path: /x}\n"
                              "targets: {victim: {role: api, pick: \"${param.machines}\"}}\n"
                              "probes: {shop: {http: \"${endpoint.api}/healthz\", every: 50ms}}\n"
                              "steps: [{isolate: victim, for: 60s}]\n"
                              "halt: {shop: {max_outage: 5m}}\n"
                              "expect: {shop: {recover_within: 20s}}\n");
    struct GatePass pass = {.run = "01k2abcd4k2p",
                            .text_hash = before.scenario->text_hash,
                            .canonical = before.scenario->canonical,
                            .ended = DAYS_AGO(1)};
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    assert_string_equal(sentence(&gate, "passed_in", false),
                        "test has not passed this text: changed since 4k2p: "
                        "halt.shop.max_outage 5m -> 45s");
    case_close(&before);
    case_close(&gate.c);
}

static void test_one_pass_of_two_is_refused(void **state)
{
    (void)state;
    struct Gate gate = gate_of(TWICE);
    struct GatePass passes[] = {pass_of(&gate, "run2", DAYS_AGO(1)),
                                pass_of(&gate, "run1", DAYS_AGO(2))};
    gate.input.passes = passes;
    gate.input.pass_count = 1;
    assert_string_equal(sentence(&gate, "passed_in", false),
                        "test has passed this text 1 of 2 times in 14d");
    gate.input.pass_count = 2;
    sentence(&gate, "passed_in", true);
    case_close(&gate.c);
}

static void test_a_receipt_counts_and_names_its_signer(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(3));
    pass.by = "staging_box";
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    assert_string_equal(sentence(&gate, "passed_in", true),
                        "test 1 of 1 in 14d: 4k2p, same text (receipt by staging_box)");
    case_close(&gate.c);
}

static void test_receipts_that_were_set_aside_are_named(void **state)
{
    (void)state;
    struct Gate gate = gate_of(PRODUCTION);
    const char *texts[] = {"receipt a.json is signed by nobody in box.signers"};
    gate.input.troubles = (struct List){.items = texts, .count = 1};
    assert_string_equal(sentence(&gate, "passed_in", false),
                        "test has not passed `drill` yet; "
                        "receipt a.json is signed by nobody in box.signers");
    struct GatePass pass = pass_of(&gate, "01k2abcd4k2p", DAYS_AGO(3));
    gate.input.passes = &pass;
    gate.input.pass_count = 1;
    sentence(&gate, "passed_in", true);
    case_close(&gate.c);
}

/* A wider window, more runs: each rule of the scenario's own text, before a host is asked. */
static void test_what_the_text_alone_breaks_is_refused(void **state)
{
    (void)state;
    struct Gate gate = gate_of("environment: staging\n"
                               "roles: {api: {hosts: [a, b], unit: api.service}}\n"
                               "endpoints: {api: \"http://10.0.0.1\"}\n"
                               "gate: {longest_fault: 74s, forbid: {faults: [isolate]}}\n");
    assert_string_equal(sentence(&gate, "longest_fault", false),
                        "a fault lasts 1 min 15 s with its grace, at most 1 min 14 s");
    assert_string_equal(sentence(&gate, "forbid", false), "isolate is forbidden here");
    case_close(&gate.c);
}

static void test_a_plain_environment_has_no_rules(void **state)
{
    (void)state;
    struct Gate gate = gate_of(STAGING);
    gate.input.confirmed = NULL;
    assert_true(gate_check(&gate.input, gate.c.arena, &gate.rules));
    assert_int_equal(gate.rules.count, 0);
    case_close(&gate.c);
}

static void assert_difference(const char *before, const char *after, const char *said)
{
    struct Buf out = BUF(1000);
    canonical_difference(before, after, 2, &out);
    assert_string_equal(out.text, said);
    buf_free(&out);
}

static void test_differences_are_said_by_their_path(void **state)
{
    (void)state;
    assert_difference("{\"scenario\":{\"a\":1}}", "{\"scenario\":{\"a\":1}}", "");
    assert_difference("{\"scenario\":{\"a\":1}}", "{\"scenario\":{}}", "a 1 -> nothing");
    assert_difference("{\"scenario\":{\"s\":[{\"for\":\"1s\"}]}}",
                      "{\"scenario\":{\"s\":[{\"for\":\"2s\"},{\"kill\":\"x\"}]}}",
                      "s[1].for 1s -> 2s, s[2] nothing -> {\"kill\":\"x\"}");
    assert_difference("{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":2,\"b\":3,\"c\":4}",
                      "a 1 -> 2, b 2 -> 3, and 1 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_protected_environment_wants_its_name),
        cmocka_unit_test(test_plan_only_says_that_the_name_will_be_asked),
        cmocka_unit_test(test_what_never_passed_is_refused),
        cmocka_unit_test(test_a_fresh_pass_of_the_same_text_is_enough),
        cmocka_unit_test(test_a_pass_that_nobody_noticed_counts_and_is_said),
        cmocka_unit_test(test_an_old_pass_is_refused),
        cmocka_unit_test(test_a_pass_from_the_future_counts_for_nothing),
        cmocka_unit_test(test_another_text_is_refused_with_the_difference),
        cmocka_unit_test(test_one_pass_of_two_is_refused),
        cmocka_unit_test(test_a_receipt_counts_and_names_its_signer),
        cmocka_unit_test(test_receipts_that_were_set_aside_are_named),
        cmocka_unit_test(test_what_the_text_alone_breaks_is_refused),
        cmocka_unit_test(test_a_plain_environment_has_no_rules),
        cmocka_unit_test(test_differences_are_said_by_their_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
