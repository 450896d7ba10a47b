/* model_signed_test.c - a request that is signed for AWS counts as something that breaks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/base/text.h"
#include "../../runner/model/gate.h"

#define HERE(more)                                                                                 \
    "environment: staging\n"                                                                       \
    "roles: {web: {hosts: [a], unit: web.service}}\n"                                              \
    "secrets: {key: {env: FD_TEST_KEY}}\n" more
#define SIGNING                                                                                    \
    ", aws_sigv4: {region: eu-west-1, service: rds, access_key_id: AKIDEXAMPLE, "                  \
    "secret_access_key: \"${secret.key}\"}"
#define DRILL_OF(signing, more)                                                                    \
    "scenario: drill\n"                                                                            \
    "probes: {shop: {http: \"http://10.0.0.1/\", every: 50ms}}\n"                                  \
    "steps: [{http: \"https://rds.eu-west-1.amazonaws.com/\", method: POST, body: "                \
    "\"Action=x\"" signing "}]\n" more
#define EXPECTS "expect: {shop: {max_outage: 5s}}\n"
#define PLAIN DRILL_OF("", EXPECTS)
#define SIGNED DRILL_OF(SIGNING, EXPECTS)

/* What the gate says of the plan in the rule of that name. */
static const char *said(struct Case *c, const char *name, bool holds)
{
    struct Plan plan = {.scenario = c->scenario, .environment = c->environment, .arena = c->arena};
    struct List rules = {.items = NULL};
    assert_int_equal(gate_check_plan(&plan, c->arena, &rules), holds);
    const struct GateRule *row = rules.items;
    for (size_t at = 0; at < rules.count; at++)
        if (text_equal(row[at].name, name))
            return row[at].sentence;
    fail_msg("the gate did not ask for %s", name);
    return NULL;
}

static void test_forbid_sees_a_request(void **state)
{
    (void)state;
    static const char *const DRILLS[] = {PLAIN, SIGNED};
    static const char *const OTHERS[] = {"kill", "failover"};
    for (size_t n = 0; n < COUNT_OF(DRILLS); n++) {
        struct Case c = good_case(HERE("gate: {forbid: {faults: [kill, http]}}\n"), DRILLS[n]);
        struct GateInput input = {.environment = c.environment, .scenario = c.scenario};
        struct List rules = {.items = NULL};
        assert_string_equal(said(&c, "forbid", false), "http is forbidden here");
        assert_false(gate_check_text(&input, c.arena, &rules));
        assert_string_equal(((struct GateRule *)rules.items)[0].sentence, "http is forbidden here");
        case_close(&c);
    }
    for (size_t n = 0; n < COUNT_OF(OTHERS); n++) {
        char here[300];
        snprintf(here, sizeof here, HERE("gate: {forbid: {faults: [%s]}}\n"), OTHERS[n]);
        struct Case c = good_case(here, SIGNED);
        assert_string_equal(said(&c, "forbid", true), "nothing of it is in the plan");
        case_close(&c);
    }
}

static void test_no_hosts_file_can_allow_a_signed_one(void **state)
{
    (void)state;
    struct Case c = good_case(HERE("gate: {node_opt_in: true}\n"), SIGNED);
    assert_string_equal(said(&c, "node_opt_in", false),
                        "a request that is signed for AWS is sent by this machine, which no host's "
                        "file can allow");
    case_close(&c);
    c = good_case(HERE("gate: {node_opt_in: true}\n"), PLAIN);
    assert_string_equal(said(&c, "node_opt_in", true), "every host that may be chosen allows it");
    case_close(&c);
}

static void test_where_it_is_protected_a_signed_one_needs_a_halt(void **state)
{
    (void)state;
    static const struct {
        const char *drill;
        bool may;
    } rows[] = {{SIGNED, false},
                {DRILL_OF(SIGNING, EXPECTS "halt: {shop: {max_outage: 60s}}\n"), true},
                {PLAIN, true}};
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        struct Case c = case_with(HERE("protected: true\n"), rows[n].drill, NULL, 0);
        const char *words = c.said.text != NULL ? c.said.text : "";
        assert_int_equal(c.scenario != NULL, rows[n].may);
        assert_int_equal(strstr(words, "a drill without `halt` does not run there") == NULL,
                         rows[n].may);
        case_close(&c);
    }
}

static void test_what_counts_from_a_fault_needs_one(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"recover_within", "recover_not_before"};
    for (size_t n = 0; n < COUNT_OF(WORDS); n++) {
        char drill[900], wanted[200];
        snprintf(drill, sizeof drill, DRILL_OF(SIGNING, "expect: {shop: {%s: 5s}}\n"), WORDS[n]);
        snprintf(wanted, sizeof wanted,
                 "`%s` counts from a fault or a failover, and no step is one", WORDS[n]);
        struct Case c = case_with(HERE(""), drill, NULL, 0);
        assert_null(c.scenario);
        assert_non_null(strstr(c.said.text, wanted));
        case_close(&c);
    }
}

static void test_where_it_goes_is_known_before(void **state)
{
    (void)state;
    static const struct {
        const char *region, *said;
    } rows[] = {{"\"${secret.key}\"", "`region` is known before the run"},
                {"\"${env.zone}\"", "'eu-west-1a' is no region of AWS"},
                {"\"${env.region}\"", NULL}};
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char drill[900];
        snprintf(drill, sizeof drill,
                 DRILL_OF(", aws_sigv4: {region: %s, service: rds, access_key_id: AKIDEXAMPLE, "
                          "secret_access_key: \"${secret.key}\"}",
                          EXPECTS),
                 rows[n].region);
        struct Case c =
            case_with(HERE("vars: {region: eu-west-1, zone: eu-west-1a}\n"), drill, NULL, 0);
        assert_int_equal(c.scenario != NULL, rows[n].said == NULL);
        if (rows[n].said != NULL)
            assert_non_null(strstr(c.said.text, rows[n].said));
        case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forbid_sees_a_request),
        cmocka_unit_test(test_no_hosts_file_can_allow_a_signed_one),
        cmocka_unit_test(test_where_it_is_protected_a_signed_one_needs_a_halt),
        cmocka_unit_test(test_what_counts_from_a_fault_needs_one),
        cmocka_unit_test(test_where_it_goes_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
