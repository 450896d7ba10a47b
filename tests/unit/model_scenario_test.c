/* model_scenario_test.c - a scenario file becomes targets, probes, steps, bounds and two hashes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/base/text.h"

static struct Scenario *hashes_of(struct Case *c, const char *text)
{
    *c = good_case(STAGING, text);
    return c->scenario;
}

static void assert_hashes(const char *left, const char *right, bool same_text, bool same_behaviour)
{
    struct Case a, b;
    const struct Scenario *one = hashes_of(&a, left), *other = hashes_of(&b, right);
    assert_int_equal(text_equal(one->text_hash, other->text_hash), same_text);
    assert_int_equal(text_equal(one->behaviour_hash, other->behaviour_hash), same_behaviour);
    case_close(&a);
    case_close(&b);
}

#define REST                                                                                       \
    "targets: {victim: {role: api, pick: 1}}\n"                                                    \
    "probes: {shop: {http: \"${endpoint.api}/healthz\", every: 50ms}}\n"                           \
    "steps: [{isolate: victim, for: 60s}]\n"
#define JUDGED REST "expect: {shop: {recover_within: 20s}}\n"

static void test_prose_comments_and_layout_are_in_no_hash(void **state)
{
    (void)state;
    assert_hashes(
        "scenario: drill\n" JUDGED,
        "scenario: drill\nowner: ana\nhypothesis: All is well.\ntags: [a]\n# hello\n" JUDGED, true,
        true);
}

static void test_defaults_written_out_are_the_same_text(void **state)
{
    (void)state;
    assert_hashes("scenario: drill\n" JUDGED, "scenario: drill\nhold: 10000ms\ngap: 1s\n" JUDGED,
                  true, true);
}

static void test_bounds_are_in_the_text_hash_alone(void **state)
{
    (void)state;
    assert_hashes("scenario: drill\n" JUDGED,
                  "scenario: drill\n" REST "expect: {shop: {recover_within: 30s}}\n", false, true);
    assert_hashes("scenario: drill\n" JUDGED,
                  "scenario: drill\nhalt: {shop: {max_outage: 50s}}\n" JUDGED, false, true);
}

static void test_a_step_is_in_both_hashes(void **state)
{
    (void)state;
    assert_hashes("scenario: drill\n" JUDGED, "scenario: drill\nobserve: 40s\n" JUDGED, false,
                  false);
}

static void test_another_parameter_value_is_another_text(void **state)
{
    (void)state;
    struct Case one = good_case(STAGING, DRILL);
    struct ParamValue two = {"machines", "2"};
    struct Case other = case_with(STAGING, DRILL, &two, 1);

    assert_string_not_equal(one.scenario->text_hash, other.scenario->text_hash);
    assert_string_not_equal(one.scenario->behaviour_hash, other.scenario->behaviour_hash);
    case_close(&one);
    case_close(&other);
}

static void test_a_parameter_given_is_as_if_it_were_the_default(void **state)
{
    (void)state;
    struct ParamValue given = {"machines", "1"};
    struct Case one = good_case(STAGING, DRILL), other = case_with(STAGING, DRILL, &given, 1);

    assert_string_equal(one.scenario->text_hash, other.scenario->text_hash);
    case_close(&one);
    case_close(&other);
}

static void test_a_parameter_used_in_a_script_is_in_the_hash(void **state)
{
    (void)state;
#define SCRIPT                                                                                     \
    "targets: {victim: {role: api, pick: 1}}\n"                                                    \
    "probes: {shop: {http: \"http://x/\"}}\n"                                                      \
    "steps: [{run: \"echo ${param.word}\", target: victim}]\n"                                     \
    "expect: {shop: {max_outage: 20s}}\n"
    assert_hashes("scenario: drill\nparams: {word: a}\n" SCRIPT,
                  "scenario: drill\nparams: {word: b}\n" SCRIPT, false, false);
}

static void test_references_to_the_environment_are_hashed_as_written(void **state)
{
    (void)state;
    struct Case one = good_case(STAGING, DRILL), none = good_case(NULL, DRILL);

    assert_string_equal(one.scenario->text_hash, none.scenario->text_hash);
    assert_string_equal(one.scenario->canonical, none.scenario->canonical);
    assert_non_null(strstr(one.scenario->canonical, "${endpoint.api}/healthz"));
    case_close(&one);
    case_close(&none);
}

static void test_the_text_hash_is_that_of_the_canonical_text(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, DRILL);
    char hash[65];

    hash_hex(c.scenario->canonical, strlen(c.scenario->canonical), hash);

    assert_string_equal(c.scenario->text_hash, hash);
    case_close(&c);
}

/* ---- Values. ---- */
static const void *config_text(const struct ProbeSpec *probe, const char *name)
{
    for (const struct Field *field = probe->kind->config.fields; field->name != NULL; field++)
        if (text_equal(field->name, name))
            return *(const char *const *)((const unsigned char *)probe->config + field->offset);
    return NULL;
}

static void test_references_are_filled_in_where_an_environment_is_given(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, DRILL);

    const struct ProbeSpec *probe = c.scenario->probes.items;

    assert_string_equal(config_text(probe, "url"), "http://10.0.0.21:8080/healthz");
    case_close(&c);
}

static void test_steps_know_their_targets_and_times(void **state)
{
    (void)state;
    struct Case c =
        good_case(STAGING, "scenario: drill\n"
                           "targets: {victim: {role: api, pick: 34%, seed: 7}}\n"
                           "probes: {shop: {http: \"http://x/\"}}\n"
                           "steps:\n"
                           "  - {kill: victim}\n"
                           "  - {name: mine, isolate: {role: redis, is: primary}, for: 30s}\n"
                           "  - {failover: redis, timeout: 1m}\n"
                           "  - {run: \"true\", target: victim}\n"
                           "expect: {shop: {max_outage: 20s}}\n");
    const struct StepSpec *step = c.scenario->steps.items;

    assert_int_equal(c.scenario->steps.count, 4);
    assert_string_equal(step[0].name, "kill victim");
    assert_string_equal(step[0].kind->name, "kill");
    assert_int_equal(step[0].target->pick.type, PICK_SHARE);
    assert_true(step[0].target->seed_given && step[0].target->seed == 7);
    assert_int_equal(step[0].hold_ns, -1);
    assert_string_equal(step[1].name, "mine");
    assert_string_equal(step[1].target->name, "step 2");
    assert_int_equal(step[1].target->is, RANK_PRIMARY);
    assert_true(step[1].hold_ns == 30 * NS_PER_S);
    assert_true(step[2].type == STEP_FAILOVER && step[2].kind == NULL);
    assert_string_equal(step[2].role, "redis");
    assert_true(step[2].timeout_ns == 60 * NS_PER_S);
    assert_true(step[3].type == STEP_RUN && step[3].kind == NULL);
    assert_string_equal(step[3].script, "true");
    assert_ptr_equal(step[3].target, step[0].target);
    case_close(&c);
}

#define KV                                                                                         \
    "environment: staging\nroles: {kv: {hosts: [kv-1, kv-2], unit: etcd.service, etcd: {}}}\n"

static void test_a_failover_names_who_is_to_lead_and_is_taken_back(void **state)
{
    (void)state;
    struct Case c = good_case(KV, "scenario: drill\n"
                                  "probes: {kv: {primary: kv, every: 100ms}}\n"
                                  "steps:\n"
                                  "  - {failover: kv, to: kv-2, switch_back: true, timeout: 1m}\n"
                                  "  - {failover: kv}\n"
                                  "expect: {kv: {failover_within: 5s}}\n");
    const struct StepSpec *step = c.scenario->steps.items;

    assert_string_equal(step[0].promoted, "kv-2");
    assert_true(step[0].switch_back);
    assert_null(step[1].promoted);
    assert_false(step[1].switch_back);
    assert_true(scenario_back_ns(c.scenario) ==
                SWITCH_BACK_FIT_NS + 60 * NS_PER_S + c.scenario->settle_ns);
    case_close(&c);
}

static void test_steps_wait_note_and_ask(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, "scenario: drill\n"
                                       "params: {pause: {type: duration, default: 90s}}\n"
                                       "probes: {shop: {http: \"http://x/\"}}\n"
                                       "observe: 10s\n"
                                       "steps:\n"
                                       "  - freeze: {role: api}\n"
                                       "  - wait: ${param.pause}\n"
                                       "  - {wait: steady, timeout: 2m}\n"
                                       "  - note: half of it\n"
                                       "  - {ask: \"Go on?\", timeout: 1m}\n"
                                       "expect: {shop: {max_outage: 20s}}\n");
    const struct StepSpec *step = c.scenario->steps.items;

    assert_int_equal(step[1].type, STEP_WAIT);
    assert_true(step[1].wait_ns == 90 * NS_PER_S);
    assert_string_equal(step[1].name, "wait 90s");
    assert_int_equal(step[2].type, STEP_STEADY);
    assert_int_equal(step[3].type, STEP_NOTE);
    assert_string_equal(step[3].said, "half of it");
    assert_int_equal(step[4].type, STEP_ASK);
    /* A fault without `for` lasts through all of them: 90 s, 2 m, nothing, 1 m, and observing. */
    assert_true(step_planned_ns(c.scenario, 0) == (90 + 120 + 60 + 10) * NS_PER_S);
    case_close(&c);
}

static void test_a_run_with_fault_is_a_fault(void **state)
{
    (void)state;
    struct Case c =
        good_case(STAGING, "scenario: drill\n"
                           "probes: {shop: {http: \"http://x/\"}}\n"
                           "steps:\n"
                           "  - {run: touch /x, target: {role: api}, fault: true, undo: rm -f /x,"
                           " proof: test -e /x, for: 30s}\n"
                           "expect: {shop: {max_outage: 20s}}\n");
    const struct StepSpec *step = c.scenario->steps.items;

    assert_int_equal(step->type, STEP_FAULT);
    assert_string_equal(step->kind->name, "run");
    case_close(&c);
}

static void test_bounds_keep_the_order_of_the_file(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, "scenario: drill\n"
                                       "probes: {w: {ledger: redis}, shop: {http: \"http://x/\"}}\n"
                                       "steps: [{restart: {role: api}}]\n"
                                       "halt: {shop: {max_errors: 50%}}\n"
                                       "expect: {shop: {must_notice: true, max_outage: 20s}, "
                                       "w: {max_lost: 12s, max_duplicated: 0}}\n");
    const struct Expectation *bound = c.scenario->expectations.items;

    assert_int_equal(c.scenario->expectations.count, 4);
    assert_int_equal(bound[0].word, BOUND_MUST_NOTICE);
    assert_int_equal(bound[0].limit, 1);
    assert_int_equal(bound[1].word, BOUND_MAX_OUTAGE);
    assert_int_equal(bound[2].word, BOUND_MAX_LOST);
    assert_true(bound[2].limit_is_duration && bound[2].limit == 12 * NS_PER_S);
    assert_int_equal(bound[3].word, BOUND_MAX_DUPLICATED);
    assert_int_equal(c.scenario->halts.count, 1);
    assert_int_equal(((const struct Expectation *)c.scenario->halts.items)->limit, 500000);
    case_close(&c);
}

static void test_times_that_nobody_wrote_follow_from_the_bounds(void **state)
{
    (void)state;
    struct Case c =
        good_case(STAGING, "scenario: drill\n"
                           "hold: 5s\n"
                           "probes: {redis: {primary: redis, every: 100ms, hold: 8s}}\n"
                           "steps: [{failover: redis}]\n"
                           "expect: {redis: {failover_within: 12s, redundant_within: 5m}}\n");

    assert_true(c.scenario->observe_ns == 20 * NS_PER_S);
    assert_true(c.scenario->settle_ns == 308 * NS_PER_S);
    assert_true(c.scenario->lease_ns == 30 * NS_PER_S);
    assert_true(c.scenario->grace_ns == 15 * NS_PER_S);
    assert_true(c.scenario->steady_ns == 10 * NS_PER_S);
    assert_true(c.scenario->halt_after_ns == -1);
    case_close(&c);
}

static const char *drawn_address(void *data, const char *name)
{
    return text_equal(name, "victim") ? data : NULL;
}
static void test_a_drawn_target_gives_its_address(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);
    char address[] = "10.0.0.99";
    struct ScenarioInput input = {
        .document = case_document(&c, "drill.yaml",
                                  "scenario: drill\n"
                                  "targets: {victim: {role: api}}\n"
                                  "probes: {a: {http: \"http://${target.victim.address}:80/\"}}\n"
                                  "steps: [{kill: victim}]\n"
                                  "expect: {a: {max_outage: 20s}}\n"),
        .kinds = &faildrill_kinds,
        .environment = c.environment,
        .target_address = drawn_address,
        .target_data = address,
    };

    c.scenario = scenario_new(&input, c.problems);

    assert_string_equal(config_text(c.scenario->probes.items, "url"), "http://10.0.0.99:80/");
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prose_comments_and_layout_are_in_no_hash),
        cmocka_unit_test(test_defaults_written_out_are_the_same_text),
        cmocka_unit_test(test_bounds_are_in_the_text_hash_alone),
        cmocka_unit_test(test_a_step_is_in_both_hashes),
        cmocka_unit_test(test_another_parameter_value_is_another_text),
        cmocka_unit_test(test_a_parameter_given_is_as_if_it_were_the_default),
        cmocka_unit_test(test_a_parameter_used_in_a_script_is_in_the_hash),
        cmocka_unit_test(test_references_to_the_environment_are_hashed_as_written),
        cmocka_unit_test(test_the_text_hash_is_that_of_the_canonical_text),
        cmocka_unit_test(test_references_are_filled_in_where_an_environment_is_given),
        cmocka_unit_test(test_steps_know_their_targets_and_times),
        cmocka_unit_test(test_a_failover_names_who_is_to_lead_and_is_taken_back),
        cmocka_unit_test(test_steps_wait_note_and_ask),
        cmocka_unit_test(test_a_run_with_fault_is_a_fault),
        cmocka_unit_test(test_bounds_keep_the_order_of_the_file),
        cmocka_unit_test(test_times_that_nobody_wrote_follow_from_the_bounds),
        cmocka_unit_test(test_a_drawn_target_gives_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
