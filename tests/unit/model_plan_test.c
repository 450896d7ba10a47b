/* model_plan_test.c - who is meant, for how long, and with which shell text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/base/text.h"
#include "../fakes/track.h"

#define HOSTS 8

struct Hosts {
    struct Target targets[HOSTS];
    const struct Target *list[HOSTS];
    struct Role role;
};

static void hosts_fill(struct Hosts *hosts)
{
    static const char *const names[HOSTS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (size_t i = 0; i < HOSTS; i++) {
        hosts->targets[i] = (struct Target){.name = names[i]};
        hosts->list[i] = &hosts->targets[i];
    }
    hosts->role = (struct Role){.name = "api", .hosts = hosts->list, .host_count = HOSTS};
}

static void order_text(uint64_t seed, const char *target, const struct Role *role,
                       char out[HOSTS + 1])
{
    const struct Target *order[HOSTS];
    target_order(seed, target, role, order);
    for (size_t i = 0; i < role->host_count; i++)
        out[i] = order[i]->name[0];
    out[role->host_count] = '\0';
}

/* Written down once: `printf '41\nvictim\na' | sha256sum` and so on, sorted by the hash. */
static void test_the_order_of_a_seed_never_changes(void **state)
{
    (void)state;
    struct Hosts hosts;
    char order[HOSTS + 1];
    hosts_fill(&hosts);
    order_text(41, "victim", &hosts.role, order);
    assert_string_equal(order, "cbegahdf");
}

static void test_another_seed_or_target_draws_anew(void **state)
{
    (void)state;
    struct Hosts hosts;
    char one[HOSTS + 1], seed[HOSTS + 1], target[HOSTS + 1];
    hosts_fill(&hosts);
    order_text(41, "victim", &hosts.role, one);
    order_text(42, "victim", &hosts.role, seed);
    order_text(41, "other", &hosts.role, target);
    assert_string_not_equal(one, seed);
    assert_string_not_equal(one, target);
}

static void test_the_order_of_the_file_does_not_matter(void **state)
{
    (void)state;
    struct Hosts hosts;
    char one[HOSTS + 1], other[HOSTS + 1];
    hosts_fill(&hosts);
    order_text(41, "victim", &hosts.role, one);
    for (size_t i = 0; i < HOSTS; i++)
        hosts.list[i] = &hosts.targets[HOSTS - 1 - i];
    order_text(41, "victim", &hosts.role, other);
    assert_string_equal(one, other);
}

/* A host more changes the place of no other: the rest stays in order. */
static void test_a_host_less_leaves_the_others_in_order(void **state)
{
    (void)state;
    struct Hosts hosts;
    char all[HOSTS + 1], fewer[HOSTS + 1];
    hosts_fill(&hosts);
    order_text(41, "victim", &hosts.role, all);
    hosts.role.host_count = HOSTS - 1;
    order_text(41, "victim", &hosts.role, fewer);
    char *gone = strchr(all, 'h');
    memmove(gone, gone + 1, strlen(gone));
    assert_string_equal(all, fewer);
}

static void test_a_share_rounds_down(void **state)
{
    (void)state;
    struct Pick all = {PICK_ALL, 0}, two = {PICK_COUNT, 2}, third = {PICK_SHARE, 340000};
    assert_int_equal(pick_count(&all, 3), 3);
    assert_int_equal(pick_count(&two, 3), 2);
    assert_int_equal(pick_count(&third, 3), 1);
    assert_int_equal(pick_count(&third, 2), 0);
    assert_int_equal(pick_count(&third, 100), 34);
}

static void test_a_fault_without_for_lasts_through_all_that_follows(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, "scenario: drill\n"
                                       "probes: {shop: {http: \"http://x/\"}}\n"
                                       "observe: 30s\n"
                                       "steps:\n"
                                       "  - kill: {role: api}\n"
                                       "  - {isolate: {role: api}, for: 20s, timeout: 1m}\n"
                                       "  - {run: \"true\", target: {role: api}, timeout: 10s}\n"
                                       "  - {isolate: {role: api}, for: 20m, timeout: 1m}\n"
                                       "expect: {shop: {max_outage: 20s}}\n");

    assert_true(step_planned_ns(c.scenario, 0) == (30 + 80 + 10 + 1260) * NS_PER_S);
    assert_true(step_planned_ns(c.scenario, 1) == 20 * NS_PER_S);
    assert_true(step_planned_ns(c.scenario, 3) == 20 * 60 * NS_PER_S);
    assert_true(step_planned_ns(c.scenario, 2) == (30 + 1260) * NS_PER_S);
    case_close(&c);
}

static void test_a_fault_lasts_through_what_goes_on_beside_it(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, "scenario: drill\n"
                                       "probes: {shop: {http: \"http://x/\"}}\n"
                                       "observe: 30s\n"
                                       "steps:\n"
                                       "  - note: begin\n"
                                       "  - parallel:\n"
                                       "    - kill: {role: api}\n"
                                       "    - {isolate: {role: web}, for: 20s, timeout: 1m}\n"
                                       "    - {wait: 3m}\n"
                                       "  - {wait: 10s}\n"
                                       "expect: {shop: {max_outage: 20s}}\n");
    const struct StepSpec *step = c.scenario->steps.items;

    assert_int_equal(c.scenario->steps.count, 5);
    assert_int_equal(step[0].together, 0);
    assert_int_not_equal(step[1].together, 0);
    assert_int_equal(step[3].together, step[1].together);
    assert_int_equal(step[4].together, 0);
    assert_int_equal(steps_together(c.scenario, 0), 1);
    assert_int_equal(steps_together(c.scenario, 1), 4);
    /* 3 m beside it, 10 s after it, 30 s of observing. */
    assert_true(step_planned_ns(c.scenario, 1) == (180 + 10 + 30) * NS_PER_S);
    assert_true(step_planned_ns(c.scenario, 2) == 20 * NS_PER_S);
    assert_true(scenario_steps_ns(c.scenario) == (300 + 10) * NS_PER_S); /* the kill's timeout */
    case_close(&c);
}

static void test_steps_that_say_at_are_in_order_of_time(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, "scenario: drill\n"
                                       "probes: {shop: {http: \"http://x/\"}}\n"
                                       "observe: 30s\n"
                                       "steps:\n"
                                       "  - {isolate: {role: web}, for: 20s, timeout: 1m, at: 4m}\n"
                                       "  - {kill: {role: api}, at: 1m}\n"
                                       "  - {note: begin, at: 0s}\n"
                                       "expect: {shop: {max_outage: 20s}}\n");
    const struct StepSpec *step = c.scenario->steps.items;

    assert_int_equal(step[0].type, STEP_NOTE);
    assert_string_equal(step[1].name, "kill api");
    assert_string_equal(step[2].name, "isolate web");
    assert_int_equal(steps_together(c.scenario, 0), 3);
    /* From 1 m until the last one's timeout and `for` have gone by, and 30 s of observing. */
    assert_true(step_planned_ns(c.scenario, 1) == (240 + 80 - 60 + 30) * NS_PER_S);
    assert_true(scenario_steps_ns(c.scenario) == (60 + 300) * NS_PER_S);
    case_close(&c);
}

/* ---- Scripts. ---- */
static const struct Target *drawn(void *data, const char *target)
{
    return text_equal(target, "victim") ? data : NULL;
}

struct Script {
    struct Case c;
    struct Target host;
    struct ScriptInput input;
    const char *text;
    struct List variables;
    struct Err err;
};

static struct Script script_of(const char *steps)
{
    char text[1000];
    snprintf(text, sizeof text,
             "scenario: drill\nparams: {word: \"it's; rm -rf /\"}\n"
             "targets: {victim: {role: api}}\n"
             "probes: {shop: {http: \"http://x/\"}}\nsteps:\n%sexpect: {shop: {max_outage: 9s}}\n",
             steps);
    struct Script script = {.c = good_case(STAGING, text)};
    script.host = (struct Target){.name = "api-1", .address = "10.0.0.1"};
    script.input = (struct ScriptInput){
        .scenario = script.c.scenario, .environment = script.c.environment, .run = "01k2"};
    return script;
}

static const char *variable(const struct Script *script, const char *name)
{
    const struct TextPair *pair = script->variables.items;
    for (size_t i = 0; i < script->variables.count; i++)
        if (text_equal(pair[i].name, name))
            return pair[i].value;
    return NULL;
}

static void test_no_value_is_pasted_into_shell_text(void **state)
{
    (void)state;
    struct Script script =
        script_of("  - {run: 'echo \"${param.word}\" ${param.word} $HOME ${HOME}', "
                  "target: victim}\n");
    const struct StepSpec *step = script.c.scenario->steps.items;

    assert_true(script_fill(&script.input, step->script, script.c.arena, &script.text,
                            &script.variables, &script.err));

    assert_string_equal(script.text, "echo \"${fd_param_word}\" ${fd_param_word} $HOME ${HOME}");
    assert_int_equal(script.variables.count, 1);
    assert_string_equal(variable(&script, "fd_param_word"), "it's; rm -rf /");
    case_close(&script.c);
}

static void test_a_script_knows_host_target_run_and_environment(void **state)
{
    (void)state;
    struct Script script =
        script_of("  - {run: '${host.name} ${host.address} ${target.victim.address} ${run.id} "
                  "${env.region} ${endpoint.api} ${secret.token}', target: victim}\n");
    const struct StepSpec *step = script.c.scenario->steps.items;
    script.input.host = &script.host;
    script.input.drawn = drawn;
    script.input.drawn_data = &script.host;

    assert_true(script_fill(&script.input, step->script, script.c.arena, &script.text,
                            &script.variables, &script.err));

    assert_string_equal(variable(&script, "fd_host_name"), "api-1");
    assert_string_equal(variable(&script, "fd_host_address"), "10.0.0.1");
    assert_string_equal(variable(&script, "fd_target_victim_address"), "10.0.0.1");
    assert_string_equal(variable(&script, "fd_run_id"), "01k2");
    assert_string_equal(variable(&script, "fd_env_region"), "eu-1");
    assert_string_equal(variable(&script, "fd_endpoint_api"), "http://10.0.0.21:8080");
    assert_string_equal(variable(&script, "fd_secret_token"), "${secret.token}");
    case_close(&script.c);
}

static void test_a_value_that_is_not_known_yet_is_an_error(void **state)
{
    (void)state;
    struct Script script = script_of("  - {run: 'echo ${host.name}', target: victim}\n");
    const struct StepSpec *step = script.c.scenario->steps.items;

    assert_false(script_fill(&script.input, step->script, script.c.arena, &script.text,
                             &script.variables, &script.err));

    assert_string_equal(script.err.message, "`${host.name}` has no value here");
    case_close(&script.c);
}

static void test_the_shell_texts_of_a_fault_carry_their_values(void **state)
{
    (void)state;
    struct Script script =
        script_of("  - {run: 'touch \"${param.word}\"', target: victim, fault: true, "
                  "undo: rm -f /x, proof: 'test -e \"${host.name}\"'}\n");
    const struct StepSpec *step = script.c.scenario->steps.items;
    const void *config;
    script.input.host = &script.host;

    assert_true(step_config(&script.input, step, script.c.arena, &config, &script.err));

    const char *texts[3];
    size_t count = 0;
    for (const struct Field *field = step->kind->config.fields; field->name != NULL; field++)
        if ((field->flags & FIELD_SCRIPT) != 0)
            texts[count++] = *(const char *const *)((const unsigned char *)config + field->offset);
    assert_ptr_not_equal(config, step->config);
    assert_int_equal(count, 3);
    assert_string_equal(texts[0], "fd_param_word='it'\\''s; rm -rf /'\ntouch \"${fd_param_word}\"");
    assert_string_equal(texts[1], "rm -f /x");
    assert_string_equal(texts[2], "fd_host_name=api-1\ntest -e \"${fd_host_name}\"");
    case_close(&script.c);
}

static void test_a_fault_without_shell_text_keeps_its_config(void **state)
{
    (void)state;
    struct Script script = script_of("  - kill: victim\n");
    const struct StepSpec *step = script.c.scenario->steps.items;
    const void *config;

    assert_true(step_config(&script.input, step, script.c.arena, &config, &script.err));

    assert_ptr_equal(config, step->config);
    case_close(&script.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_of_a_seed_never_changes),
        cmocka_unit_test(test_another_seed_or_target_draws_anew),
        cmocka_unit_test(test_the_order_of_the_file_does_not_matter),
        cmocka_unit_test(test_a_host_less_leaves_the_others_in_order),
        cmocka_unit_test(test_a_share_rounds_down),
        cmocka_unit_test(test_a_fault_lasts_through_what_goes_on_beside_it),
        cmocka_unit_test(test_steps_that_say_at_are_in_order_of_time),
        TRACK("litmus 953", test_a_fault_without_for_lasts_through_all_that_follows),
        cmocka_unit_test(test_no_value_is_pasted_into_shell_text),
        cmocka_unit_test(test_a_script_knows_host_target_run_and_environment),
        cmocka_unit_test(test_a_value_that_is_not_known_yet_is_an_error),
        cmocka_unit_test(test_the_shell_texts_of_a_fault_carry_their_values),
        cmocka_unit_test(test_a_fault_without_shell_text_keeps_its_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
