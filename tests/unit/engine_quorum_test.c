/* engine_quorum_test.c - a cluster that only a majority keeps going is left one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runner/engine/foresee.h"

static const struct Role APP = {.name = "app"};
static const struct TargetSpec BY_APP = {.role = "app"}; /* another name of the same machine */
static const struct TargetSpec LEADS = {.role = "db", .is = RANK_PRIMARY};
static const struct TargetSpec LED = {.role = "db", .is = RANK_PRIMARY, .stays = true};
static const struct Field NONE[] = {{.name = NULL}};
static const struct FaultKind STOP = {.name = "stop", .config.fields = NONE, .stops_service = true};
static const struct FaultKind KILL = {.name = "kill", .config.fields = NONE, .stops_service = true};
static const struct FaultKind REBOOT = {
    .name = "reboot", .config.fields = NONE, .stops_service = true, .takes_machine = true};
static const struct FaultKind LOAD = {.name = "cpu_load", .config.fields = NONE};
static const struct SystemKind BY_MAJORITY = {.name = "galera", .needs_majority = true};
static const struct FaultKind PARTITION = {
    .name = "cut", .config.fields = NONE, .partitions = true};
static const struct FaultKind ISOLATE = {
    .name = "isolate", .config.fields = NONE, .partitions = true};
static struct Target NODES[] = {{.name = "db-1"}, {.name = "db-2"}, {.name = "db-3"}};

#define FAULT(kind_, ...)                                                                          \
    {                                                                                              \
        .name = "it", .kind = &(kind_), .type = STEP_FAULT, __VA_ARGS__                            \
    }

/* Why this many steps, the nth on node at[n], are refused; NULL: they are not. */
static const char *majority(struct Arena *arena, size_t nodes, size_t voters,
                            const struct StepSpec *steps, size_t count, const size_t *at)
{
    static const struct Target *const hosts[] = {&NODES[0], &NODES[1], &NODES[2]};
    const struct Role db = {
        .name = "db", .system = &BY_MAJORITY, .hosts = hosts, .host_count = nodes};
    struct Scenario scenario = {.steps = {.items = (void *)(uintptr_t)steps, .count = count}};
    struct PlannedFault *faults = arena_zero(arena, count, sizeof *faults);
    struct Plan plan = {
        .arena = arena, .scenario = &scenario, .faults = {.items = faults, .count = count}};
    struct Obstacle obstacle;
    for (size_t n = 0; n < count; n++)
        faults[n] =
            (struct PlannedFault){.step = &steps[n],
                                  .step_index = (uint32_t)n,
                                  .target = &NODES[at[n]],
                                  .role = steps[n].target == &BY_APP ? &APP : &db,
                                  .candidate = steps[n].target == &LEADS || steps[n].target == &LED,
                                  .chosen = true};
    return foresee_quorum(&plan, &db, voters, &obstacle) ? obstacle.text : NULL;
}

static void test_a_majority_is_left(void **state)
{
    const size_t each[] = {0, 1, 2}, same[] = {0, 0};
    const struct StepSpec held[] = {FAULT(KILL, .hold_ns = 9), FAULT(STOP, .hold_ns = 9)};
    const struct StepSpec unheld[] = {FAULT(KILL, .hold_ns = -1), FAULT(STOP, .hold_ns = 9)};
    const struct StepSpec beside[] = {FAULT(ISOLATE, .hold_ns = 9, .together = 1),
                                      FAULT(KILL, .hold_ns = 9, .together = 1)};
    const struct StepSpec boots[] = {FAULT(STOP, .hold_ns = -1),
                                     FAULT(REBOOT, .hold_ns = -1, .target = &BY_APP)};
    const struct StepSpec loads[] = {FAULT(STOP, .hold_ns = -1), FAULT(LOAD, .hold_ns = 9)};

    assert_null(majority(*state, 3, 3, held, 2, each));
    assert_string_equal(majority(*state, 3, 3, unheld, 2, each),
                        "role 'db': 2 of its 3 nodes may be away at once, no majority is left, and "
                        "a plain start may not begin the cluster again");
    assert_null(
        majority(*state, 3, 5, unheld, 2, each)); /* others vote that are none of its hosts */
    assert_null(majority(*state, 3, 3, unheld, 2, same));
    assert_non_null(majority(*state, 3, 3, beside, 2, each));
    assert_non_null(majority(*state, 3, 3, boots, 2, each));
    assert_null(majority(*state, 3, 3, loads, 2, each));
    assert_non_null(majority(*state, 2, 2, held, 1, each));
    assert_null(majority(*state, 2, 2, &held[1], 1, each));     /* it takes its leave */
    assert_non_null(majority(*state, 1, 1, &held[1], 1, each)); /* the last */
}

static void test_who_leads_by_then_is_another_node(void **state)
{
    const size_t same[] = {0, 0};
    const struct StepSpec anew[] = {FAULT(KILL, .hold_ns = -1, .target = &LEADS),
                                    FAULT(KILL, .hold_ns = -1, .target = &LEADS)};
    const struct StepSpec again[] = {FAULT(KILL, .hold_ns = -1, .target = &LED),
                                     FAULT(KILL, .hold_ns = -1, .target = &LED)};

    assert_non_null(majority(*state, 3, 3, anew, 2, same));
    assert_null(majority(*state, 3, 3, again, 2, same));
}

/* A cut falls on both of its sides, and only one of them is away. */
static void test_a_cut_takes_the_smaller_side_away(void **state)
{
    static const struct Target *const hosts[] = {&NODES[0], &NODES[1], &NODES[2]};
    const struct Role db = {.name = "db", .system = &BY_MAJORITY, .hosts = hosts, .host_count = 3};
    struct Edge edges[] = {{&NODES[0], &NODES[1]}, {&NODES[0], &NODES[2]}, {&NODES[1], &NODES[2]}};
    const struct StepSpec step = FAULT(PARTITION, .hold_ns = 9);
    struct Scenario scenario = {.steps = {.items = (void *)(uintptr_t)&step, .count = 1}};
    struct PlannedFault faults[] = {{.step = &step,
                                     .target = &NODES[1],
                                     .role = &db,
                                     .chosen = true,
                                     .edges = {.items = edges, .count = 1}},
                                    {.step = &step,
                                     .target = &NODES[2],
                                     .role = &db,
                                     .chosen = true,
                                     .edges = {.items = &edges[1], .count = 1}}};
    struct Plan plan = {
        .arena = *state, .scenario = &scenario, .faults = {.items = faults, .count = 2}};
    struct Obstacle obstacle;

    assert_false(foresee_quorum(&plan, &db, 3, &obstacle));
    faults[1].edges.count = 2; /* and each is alone */
    assert_true(foresee_quorum(&plan, &db, 3, &obstacle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_majority_is_left),
        cmocka_unit_test(test_who_leads_by_then_is_another_node),
        cmocka_unit_test(test_a_cut_takes_the_smaller_side_away),
    };
    struct Arena *arena = arena_new("quorum", 1 << 20);
    for (size_t at = 0; at < sizeof tests / sizeof *tests; at++)
        ((struct CMUnitTest *)(uintptr_t)&tests[at])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
