/* engine_foresee_handover_test.c - beside which faults a primary is not asked to hand over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runner/engine/foresee.h"

static const struct SystemKind UNWATCHED = {.name = "unwatched", .unwatched = true};
static const struct Field NONE[] = {{.name = NULL}};
static const struct FaultKind STOP = {.name = "stop", .config.fields = NONE, .stops_service = true};
static const struct FaultKind FREEZE = {
    .name = "freeze", .config.fields = NONE, .hangs_service = true};
static const struct FaultKind LOAD = {.name = "load", .config.fields = NONE};

/* Why a fault on `host` before or behind a failover of a primary that could hand over is refused.
 */
static const char *hands_over(struct Arena *arena, const struct FaultKind *fault_kind, size_t host,
                              bool before, bool timed)
{
    struct Target *hosts = arena_zero(arena, 2, sizeof *hosts);
    const struct Target **both = arena_zero(arena, 2, sizeof *both);
    hosts[0] = (struct Target){.name = "db-1"};
    hosts[1] = (struct Target){.name = "db-2"};
    both[0] = &hosts[0];
    both[1] = &hosts[1];
    const struct Role db = {.name = "db", .system = &UNWATCHED, .hosts = both, .host_count = 2};
    struct StepSpec failover = {.name = "move it", .type = STEP_FAILOVER, .role = "db"};
    struct StepSpec fault = {
        .name = "it", .kind = fault_kind, .type = STEP_FAULT, .hold_ns = -1, .timed = timed};
    struct StepSpec steps[] = {before ? fault : failover, before ? failover : fault};
    struct Scenario scenario = {.steps = {.items = steps, .count = 2}};
    struct PlannedFault planned = {
        .step = &steps[before ? 0 : 1], .target = both[host], .role = &db, .chosen = true};
    struct SurveyRole role = {
        .role = &db, .primary = both[0], .prospect = {.handover = {.high_ns = 5}}};
    struct Plan plan = {
        .arena = arena, .scenario = &scenario, .faults = {.items = &planned, .count = 1}};
    struct Obstacle obstacle;
    return foresee_promotion(&plan, &role, &obstacle) ? obstacle.text : NULL;
}

static void test_nobody_hands_over_while_a_server_may_be_cut_off(void **state)
{
    assert_string_equal(hands_over(*state, &FREEZE, 1, true, false),
                        "`it` on host 'db-2' may cut off or hang a server of role 'db' while its "
                        "primary hands over, which has no limit then");
    assert_non_null(hands_over(*state, &FREEZE, 1, false, true));
    assert_null(hands_over(*state, &FREEZE, 1, false, false));
    assert_null(hands_over(*state, &LOAD, 1, true, false));
    assert_null(hands_over(*state, &STOP, 0, true, false)); /* another is promoted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_hands_over_while_a_server_may_be_cut_off),
    };
    struct Arena *arena = arena_new("handover", 1 << 20);
    ((struct CMUnitTest *)(uintptr_t)&tests[0])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
