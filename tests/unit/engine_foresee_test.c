/* engine_foresee_test.c - what a plan says of a host before anything is done there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runner/engine/foresee.h"

static const struct FaultKind KIND = {.name = "break"};
static const struct StepSpec STEP = {.name = "break it", .kind = &KIND};
static const struct Role ROLE = {.name = "api"};

/* What the plan says of a host that is found with this machine-id; NULL where it is content. */
static const struct Obstacle *seen(const char *wanted, const char *found, struct Arena *arena)
{
    struct Plan *plan = arena_zero(arena, 1, sizeof *plan);
    struct Target *target = arena_zero(arena, 1, sizeof *target);
    plan->arena = arena;
    *target = (struct Target){.name = "api-1", .machine_id = wanted};
    struct SurveyHost host = {
        .role = &ROLE,
        .target = target,
        .answered = true,
        .facts = {.host = target, .machine_id_hash = found, .main_pid = "", .traces = ""}};
    assert_true(foresee_host(plan, &STEP, &host));
    return plan->obstacles.count > 0 ? plan->obstacles.items : NULL;
}

static void test_another_machine_at_the_address_is_refused(void **state)
{
    const struct Obstacle *said = seen("7c1e", "90ab", *state);
    assert_non_null(said);
    assert_int_equal(said->code, ERR_IDENTITY);
    assert_string_equal(said->text, "host 'api-1' is not the machine that `machine_id:` names");
    assert_non_null(seen("7c1e", "", *state)); /* it has none, or does not say */
}

static void test_the_machine_that_is_named_or_any_is_fine(void **state)
{
    assert_null(seen("7c1e", "7c1e", *state));
    assert_null(seen(NULL, "90ab", *state));
}

/* A step that asks for a failover has a row in the plan, and no kind of fault. */
static void test_a_failover_that_is_asked_for_has_a_range_of_its_own(void **state)
{
    struct Arena *arena = *state;
    struct StepSpec step = {.name = "move it", .type = STEP_FAILOVER, .role = "api"};
    struct Scenario scenario = {.steps = {.items = &step, .count = 1}};
    struct PlannedFault fault = {.step = &step, .role = &ROLE, .chosen = true};
    struct Plan plan = {
        .arena = arena, .scenario = &scenario, .faults = {.items = &fault, .count = 1}};
    struct SurveyRole role = {.role = &ROLE, .prospect_known = true};
    struct Survey survey = {.arena = arena, .roles = {.items = &role, .count = 1}};
    role.prospect.failover = (struct Span){8, 17};
    role.prospect.planned = (struct Span){0, 7};

    foresee_roles(&plan, &survey);

    assert_int_equal(plan.foresights.count, 1);
    assert_int_equal(((struct Foresight *)plan.foresights.items)->failover.high_ns, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_machine_at_the_address_is_refused),
        cmocka_unit_test(test_the_machine_that_is_named_or_any_is_fine),
        cmocka_unit_test(test_a_failover_that_is_asked_for_has_a_range_of_its_own),
    };
    struct Arena *arena = arena_new("foresee", 1 << 20);
    for (size_t at = 0; at < sizeof tests / sizeof *tests; at++)
        ((struct CMUnitTest *)(uintptr_t)&tests[at])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
