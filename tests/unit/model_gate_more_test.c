/* model_gate_more_test.c - further rules only tighten; overrides are few, and said. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/base/text.h"
#include "../../runner/model/environment_fields.h"
#include "../../runner/model/gate.h"

#define HERE                                                                                       \
    "environment: staging\n"                                                                       \
    "timezone: UTC\n"                                                                              \
    "roles: {api: {hosts: [a, b, c], unit: api.service}, web: {hosts: [a, b, c], unit: "           \
    "w.service}}\n"                                                                                \
    "endpoints: {api: \"http://10.0.0.1\"}\n"                                                      \
    "gate:\n"                                                                                      \
    "  windows: [Tue..Thu 10:00-15:00]\n"                                                          \
    "  freeze: 1970-02-01\n"                                                                       \
    "  longest_fault: 5m\n"                                                                        \
    "  max_per_day: 2\n"                                                                           \
    "  blast_radius: {hosts: 2, of_role: 50%}\n"                                                   \
    "  keep_healthy: {api: 2}\n"                                                                   \
    "  forbid: {faults: [crash]}\n"                                                                \
    "  passed_in: {environment: test}\n"
#define PLAIN                                                                                      \
    "environment: staging\n"                                                                       \
    "roles: {api: {hosts: [a, b, c], unit: api.service}}\n"                                        \
    "endpoints: {api: \"http://10.0.0.1\"}\n"

static const struct GateFields *rules(struct Case *c, const char *text)
{
    struct Decode decode = {.arena = c->arena, .problems = c->problems};
    struct GateFields *gate = arena_zero(c->arena, 1, sizeof *gate);
    decode.sets = kinds_sets(&faildrill_kinds, c->arena, &decode.set_count);
    const struct Document *document = case_document(c, "more.yaml", text);
    assert_true(decode_record(&decode, document->root, &MORE_GATE_RECORD, gate));
    assert_true(gate_check_more(gate, &faildrill_kinds, c->arena, c->problems));
    return gate;
}

static void assert_looser(const char *text, const char *why)
{
    struct Case c = good_case(HERE, DRILL);
    struct Err err;
    assert_false(gate_tighten(c.environment, rules(&c, text), "the scenario", &err));
    assert_string_equal(err.message, why);
    assert_int_equal(err_status(err.code), 4);
    case_close(&c);
}

static void test_what_would_loosen_a_rule_is_refused_by_its_name(void **state)
{
    (void)state;
    assert_looser(
        "longest_fault: 6m\n",
        "longest_fault: 6 min of the scenario would loosen 5 min of environment 'staging'");
    assert_looser("max_per_day: 3\n",
                  "max_per_day: 3 of the scenario would loosen 2 of environment 'staging'");
    assert_looser("blast_radius: {hosts: 3}\n",
                  "blast_radius.hosts: 3 of the scenario would loosen 2 of environment 'staging'");
    assert_looser(
        "blast_radius: {of_role: 51%}\n",
        "blast_radius.of_role: 51 % of the scenario would loosen 50 % of environment 'staging'");
    assert_looser("keep_healthy: {api: 1}\n",
                  "keep_healthy: api 1 of the scenario would loosen 2 of environment 'staging'");
    assert_looser("keep_healthy: {web: 0}\n",
                  "keep_healthy: web 0 of the scenario would loosen 1 of environment 'staging'");
    assert_looser("keep_healthy: {db: 1}\n", "keep_healthy: environment 'staging' has no role "
                                             "'db', of which the scenario wants 1 kept");
    assert_looser("keep_healthy: {web: 4}\n",
                  "keep_healthy: environment 'staging' has fewer hosts of role 'web', of which the "
                  "scenario wants 4 kept");
}

static void test_what_is_stricter_counts(void **state)
{
    (void)state;
    struct Case c = good_case(HERE, DRILL);
    struct Err err;
    const struct GateLimits *limits = &c.environment->limits;
    assert_true(gate_tighten(c.environment,
                             rules(&c, "longest_fault: 1m\nmax_per_day: 1\n"
                                       "blast_radius: {hosts: 1, of_role: 34%}\n"
                                       "keep_healthy: {api: 3, web: 2}\n"
                                       "forbid: {faults: [kill], classes: [S]}\n"),
                             "the scenario", &err));
    assert_int_equal(limits->longest_ns, 60 * NS_PER_S);
    assert_int_equal(limits->per_day, 1);
    assert_int_equal(limits->hosts, 1);
    assert_int_equal(limits->of_role, 340000);
    assert_int_equal(limits->keep.count, 2);
    assert_int_equal(((struct KeepHealthy *)limits->keep.items)[0].count, 3);
    assert_int_equal(limits->forbidden_faults.count, 2);
    assert_int_equal(limits->forbidden_classes.count, 1);
    assert_false(
        gate_tighten(c.environment, rules(&c, "longest_fault: 2m\n"), "the command line", &err));
    assert_string_equal(
        err.message,
        "longest_fault: 2 min of the command line would loosen 1 min of environment 'staging'");
    case_close(&c);
}

/* 1970-01-06 was a Tuesday. */
static struct Wall tuesday(int hour)
{
    return (struct Wall){((5 * 24) + hour) * 3600 * NS_PER_S};
}

static void test_all_windows_must_be_open_and_no_freeze_be_on(void **state)
{
    (void)state;
    struct Case c = good_case(HERE, DRILL);
    struct Err err;
    const struct GateTimes *times = &c.environment->times;
    assert_true(gate_times_hold(times, tuesday(10)));
    assert_true(gate_tighten(c.environment,
                             rules(&c, "windows: [Mon..Fri 12:00-20:00]\nfreeze: 1970-01-07\n"),
                             "x", &err));
    assert_false(gate_times_hold(times, tuesday(10)));
    assert_true(gate_times_hold(times, tuesday(13)));
    assert_false(gate_times_hold(times, tuesday(16)));
    assert_false(gate_times_hold(times, tuesday(13 + 24)));
    assert_true(gate_tighten(c.environment, rules(&c, "windows: 14:00-15:00\n"), "x", &err));
    assert_false(gate_times_hold(times, tuesday(13)));
    assert_true(gate_times_hold(times, tuesday(14)));
    struct List said = {.items = NULL};
    assert_false(gate_times(times, tuesday(13), 0, c.arena, &said));
    assert_non_null(strstr(
        ((struct GateRule *)said.items)[0].sentence,
        "open 14:00-15:00 and Mon..Fri 12:00-20:00 and Tue..Thu 10:00-15:00 UTC; next Tue 14:00"));
    case_close(&c);
}

static void test_windows_need_a_zone(void **state)
{
    (void)state;
    struct Case c = good_case(PLAIN, DRILL);
    struct Err err;
    assert_true(gate_tighten(c.environment, rules(&c, "longest_fault: 1m\n"), "x", &err));
    assert_false(gate_tighten(c.environment, rules(&c, "windows: 10:00-11:00\n"), "x", &err));
    assert_string_equal(err.message,
                        "the days and hours of x need `timezone:` in environment 'staging'");
    case_close(&c);
}

static bool override(struct Case *c, const char *rule, const char *reason, struct Err *err)
{
    return gate_override(c->environment,
                         &(struct GateOverride){.rule = rule, .who = "ana@box", .reason = reason},
                         err);
}

static void test_no_rule_that_keeps_harm_away_can_be_overridden(void **state)
{
    (void)state;
    static const char *const SAFE[] = {"protected",    "from_git",      "approvals",
                                       "blast_radius", "keep_healthy",  "longest_fault",
                                       "forbid",       "freeze_switch", "only_if"};
    struct Case c = good_case(HERE, DRILL);
    struct Err err;
    for (size_t i = 0; i < COUNT_OF(SAFE); i++) {
        assert_false(override(&c, SAFE[i], "a reason that is long", &err));
        assert_non_null(strstr(err.message, "this rule cannot be overridden"));
        assert_int_equal(err_status(err.code), 4);
    }
    assert_false(override(&c, "windoze", "a reason that is long", &err));
    assert_string_equal(err.message, "the gate knows no rule 'windoze'");
    assert_int_equal(c.environment->overrides.count, 0);
    case_close(&c);
}

static void test_an_override_is_said_with_who_and_why(void **state)
{
    (void)state;
    static const char *const RULES[] = {"windows", "freeze", "max_per_day", "passed_in"};
    struct Case c = good_case(HERE, DRILL);
    struct GateInput input = {
        .environment = c.environment, .scenario = c.scenario, .now = tuesday(3)};
    struct List said = {.items = NULL};
    struct Err err;
    assert_false(gate_check(&input, c.arena, &said));
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        assert_false(override(&c, RULES[i], NULL, &err));
        assert_false(override(&c, RULES[i], "why", &err));
        assert_false(override(&c, RULES[i], "a line\nand another", &err));
        assert_true(override(&c, RULES[i], "the outage of 12 May again", &err));
        assert_false(override(&c, RULES[i], "the outage of 12 May again", &err));
    }
    assert_true(gate_check(&input, c.arena, &said));
    const struct GateRule *rule = said.items;
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        assert_string_equal(rule[i].name, RULES[i]);
        assert_string_equal(rule[i].sentence, "OVERRIDDEN by ana@box: the outage of 12 May again");
    }
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_would_loosen_a_rule_is_refused_by_its_name),
        cmocka_unit_test(test_what_is_stricter_counts),
        cmocka_unit_test(test_all_windows_must_be_open_and_no_freeze_be_on),
        cmocka_unit_test(test_windows_need_a_zone),
        cmocka_unit_test(test_no_rule_that_keeps_harm_away_can_be_overridden),
        cmocka_unit_test(test_an_override_is_said_with_who_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
