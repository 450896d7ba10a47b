/* engine_foretell_test.c - what a plan says of a failover, by the settings that were read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runner/engine/foresee.h"
#include "../../runner/engine/foretell.h"
#include "../../runner/systems/kinds.h"

#define S NS_PER_S

/* Three hosts; a fault of this kind and length on one of them; clients on both sides. */
struct Drilled {
    struct FaultKind kind;
    struct StepSpec step;
    struct Target hosts[3];
    const struct Target *list[3];
    struct Role role;
    struct PlannedFault fault;
    struct ProbeKind asks, writes;
    struct ProbeSpec specs[3];
    struct BoundProbe probes[3];
    struct Scenario scenario;
    struct Plan plan;
    struct SurveyRole seen;
    struct SurveyHost standings[3];
    struct Survey survey;
};

static const struct Knob REDIS[] = {{"down-after-milliseconds", "5000"},
                                    {"min-replicas-to-write", "0"},
                                    {"min-replicas-max-lag", "10 s"}};

static struct Drilled *drilled(struct Arena *arena, const struct SystemKind *system,
                               struct FaultKind kind, size_t victim, int64_t hold_ns)
{
    static const char *const names[] = {"db-1", "db-2", "db-3"};
    static const char *const clients[] = {"writes", "db", "stranded"};
    struct Drilled *d = arena_zero(arena, 1, sizeof *d);
    d->kind = kind;
    d->writes.is_ledger = true;
    d->step = (struct StepSpec){.name = "break it", .kind = &d->kind, .hold_ns = hold_ns};
    d->role = (struct Role){.name = "db", .system = system, .hosts = d->list, .host_count = 3};
    for (size_t n = 0; n < 3; n++) {
        d->hosts[n] = (struct Target){.name = names[n], .address = names[n]};
        d->list[n] = &d->hosts[n];
        d->specs[n] = (struct ProbeSpec){.name = clients[n],
                                         .kind = n == 1 ? &d->asks : &d->writes,
                                         .interval_ns = 100 * NS_PER_MS};
        d->probes[n] = (struct BoundProbe){.spec = &d->specs[n], .role = &d->role};
        d->standings[n] =
            (struct SurveyHost){.role = &d->role,
                                .target = &d->hosts[n],
                                .standing = {.rank = n == 0 ? RANK_PRIMARY : RANK_REPLICA}};
    }
    d->specs[2].from = "primary";
    d->probes[2].from = &d->hosts[0];
    d->fault = (struct PlannedFault){
        .step = &d->step, .role = &d->role, .target = &d->hosts[victim], .chosen = true};
    d->scenario = (struct Scenario){.steps = {.items = &d->step, .count = 1}};
    d->plan = (struct Plan){.arena = arena,
                            .scenario = &d->scenario,
                            .faults = {.items = &d->fault, .count = 1},
                            .probes = {.items = d->probes, .count = 3}};
    d->seen = (struct SurveyRole){.role = &d->role, .primary = &d->hosts[0]};
    d->survey = (struct Survey){.hosts = {.items = d->standings, .count = 3}};
    return d;
}

static struct Foresight told(struct Drilled *d, struct Span failover, const struct Knob *knobs,
                             size_t count)
{
    struct Foresight row = {.role = &d->role,
                            .primary = &d->hosts[0],
                            .failover = failover,
                            .knobs = {.items = (void *)(uintptr_t)knobs, .count = count}};
    foretell_course(&d->plan, &d->survey, &d->seen, false, &row);
    return row;
}

static enum Holds limit(const struct Drilled *d, const struct Foresight *row, const char *probe,
                        enum BoundWord word, int64_t ns)
{
    return foretell_limit(
        &d->plan, row,
        &(struct Expectation){
            .probe = probe, .word = word, .limit = ns, .limit_is_duration = true});
}

static const struct Field NONE[] = {{.name = NULL}};
static const struct FaultKind KILL = {
    .name = "kill", .stops_service = true, .config = {.fields = NONE}};
static const struct FaultKind ISOLATE = {
    .name = "isolate", .partitions = true, .config = {.fields = NONE}};
static const struct Span RANGE = {4 * S, 10 * S};

static void test_a_killed_primary_moves_it_and_limits_are_judged(void **state)
{
    struct Drilled *d = drilled(*state, &redis_sentinel_system, KILL, 0, 30 * S);

    struct Foresight row = told(d, RANGE, REDIS, 3);

    assert_int_equal(row.course, COURSE_MOVES);
    assert_string_equal(row.stays, "the primary moves from db-1 to db-2 or db-3");
    assert_null(row.twins);
    assert_int_equal(limit(d, &row, "db", BOUND_FAILOVER_WITHIN, 12 * S), HOLDS_SURELY);
    d->step.hold_ns = 8 * S; /* it may be over before anybody fails over */
    struct Foresight soon = told(d, RANGE, REDIS, 3);
    assert_int_equal(limit(d, &soon, "db", BOUND_FAILOVER_WITHIN, 12 * S), HOLDS_PERHAPS);
    assert_int_equal(limit(d, &row, "db", BOUND_FAILOVER_WITHIN, 8 * S), HOLDS_PERHAPS);
    assert_int_equal(limit(d, &row, "writes", BOUND_RECOVER_WITHIN, 3 * S), HOLDS_NEVER);
    assert_int_equal(limit(d, &row, "writes", BOUND_RECOVER_WITHIN, 12 * S), HOLDS_UNSAID);
    assert_int_equal(limit(d, &row, "stranded", BOUND_RECOVER_WITHIN, 3 * S), HOLDS_UNSAID);
    assert_int_equal(limit(d, &row, "stranded", BOUND_MAX_LOST, 3 * S), HOLDS_UNSAID);
}

static void test_who_is_cut_off_goes_on_as_its_settings_let_it(void **state)
{
    struct Drilled *d = drilled(*state, &redis_sentinel_system, ISOLATE, 0, 60 * S);
    const struct Knob bounded[] = {REDIS[0], {"min-replicas-to-write", "1"}, REDIS[2]};

    struct Foresight free = told(d, RANGE, REDIS, 3), bound = told(d, RANGE, bounded, 3);

    assert_string_equal(free.twins, "two primaries for 50.0-56.0 s and until it hears of the "
                                    "other: cut off, db-1 goes on calling itself one");
    assert_string_equal(
        free.acked,
        "cut side: db-1 acknowledges writes for 60.0 s and until it hears of the other, "
        "and they are lost");
    assert_string_equal(bound.acked,
                        "cut side: db-1 acknowledges writes for 9.0-12.0 s, and they are lost");
    assert_int_equal(limit(d, &free, "stranded", BOUND_MAX_LOST, 15 * S), HOLDS_NEVER);
    assert_int_equal(limit(d, &free, "stranded", BOUND_MAX_LOST, 62 * S), HOLDS_PERHAPS);
    assert_int_equal(limit(d, &bound, "stranded", BOUND_MAX_LOST, 15 * S), HOLDS_SURELY);
    assert_int_equal(limit(d, &bound, "stranded", BOUND_MAX_LOST, 10 * S), HOLDS_PERHAPS);
}

static void test_a_lossless_system_has_one_primary_and_loses_nothing(void **state)
{
    static const struct Knob knobs[] = {{"ttl", "30 s"},
                                        {"loop_wait", "10 s"},
                                        {"retry_timeout", "10 s"},
                                        {"synchronous_mode", "on"}};
    struct Drilled *d = drilled(*state, &patroni_system, ISOLATE, 0, 60 * S);

    struct Foresight row = told(d, (struct Span){20 * S, 45 * S}, knobs, 4);

    assert_string_equal(row.twins, "one primary at any time: who is cut off gives up by itself");
    assert_string_equal(row.acked,
                        "cut side: what is acknowledged is not lost as long as a replica "
                        "is synchronous");
    assert_int_equal(limit(d, &row, "stranded", BOUND_MAX_LOST, 0), HOLDS_UNSAID);
}

static void test_what_moves_nobody_promises_no_failover(void **state)
{
    struct Drilled *replica = drilled(*state, &redis_sentinel_system, KILL, 1, 60 * S);
    struct Drilled *brief = drilled(*state, &redis_sentinel_system, KILL, 0, 3 * S);
    struct Drilled *restarted = drilled(*state, &redis_sentinel_system, KILL, 0, -1);
    struct FaultKind slow = {.name = "delay", .config = {.fields = NONE}};
    struct Drilled *other = drilled(*state, &redis_sentinel_system, slow, 0, 60 * S);

    struct Foresight row = told(replica, RANGE, REDIS, 3);
    assert_int_equal(row.course, COURSE_STAYS);
    assert_null(row.stays);
    assert_int_equal(limit(replica, &row, "db", BOUND_FAILOVER_WITHIN, 3 * S), HOLDS_UNSAID);
    assert_int_equal(told(brief, RANGE, REDIS, 3).course, COURSE_OVER_BEFORE);
    assert_int_equal(told(restarted, RANGE, REDIS, 3).course, COURSE_OPEN);
    assert_int_equal(told(other, RANGE, REDIS, 3).course, COURSE_OPEN);
}
static void test_a_role_that_is_given_back_does_not_stay_changed(void **state)
{
    struct Drilled *d = drilled(*state, &etcd_system, KILL, 0, -1);
    d->step = (struct StepSpec){
        .name = "move it", .type = STEP_FAILOVER, .role = "db", .promoted = "db-3"};
    struct Foresight moved = {.role = &d->role, .primary = &d->hosts[0]}, back = moved;

    foretell_course(&d->plan, &d->survey, &d->seen, true, &moved);
    d->step.switch_back = true;
    foretell_course(&d->plan, &d->survey, &d->seen, true, &back);

    assert_string_equal(moved.stays, "the primary moves from db-1 to db-3");
    assert_null(moved.given_back);
    assert_null(back.stays);
    assert_string_equal(back.given_back,
                        "the primary moves from db-1 to db-3; db-1 is asked to lead again once "
                        "redundancy is proven, by a planned switchover");
}

static void test_of_several_failovers_the_last_names_who_leads(void **state)
{
    struct Drilled *d = drilled(*state, &etcd_system, KILL, 0, -1);
    const struct StepSpec steps[] = {
        {.name = "there", .type = STEP_FAILOVER, .role = "db", .promoted = "db-2"},
        {.name = "on", .type = STEP_FAILOVER, .role = "db", .promoted = "db-3"},
        {.name = "back", .type = STEP_FAILOVER, .role = "db", .promoted = "db-1"}};
    struct Foresight moved = {.role = &d->role, .primary = &d->hosts[0]}, back = moved;

    d->scenario.steps = (struct List){.items = (void *)(uintptr_t)steps, .count = 2};
    foretell_course(&d->plan, &d->survey, &d->seen, true, &moved);
    d->scenario.steps.count = 3;
    foretell_course(&d->plan, &d->survey, &d->seen, true, &back);

    assert_string_equal(moved.stays, "the primary moves from db-1 to db-3");
    assert_null(back.stays);
}

static void test_what_nobody_watches_moves_by_a_step_alone(void **state)
{
    const struct SystemKind unwatched = {.name = "unwatched", .unwatched = true};
    struct Drilled *d = drilled(*state, &unwatched, KILL, 0, 60 * S);

    struct Foresight row = told(d, RANGE, NULL, 0);
    assert_int_equal(row.course, COURSE_STAYS);
    assert_string_equal(row.why, "nobody promotes another by itself");

    const struct StepSpec steps[] = {d->step, {.type = STEP_FAILOVER, .role = "db"}};
    d->scenario.steps = (struct List){.items = (void *)(uintptr_t)steps, .count = 2};
    assert_int_equal(told(d, RANGE, NULL, 0).course, COURSE_MOVES);
}

/* Beside a fault the primary does not run, and is asked for nothing. */
static void test_a_primary_that_cannot_hand_over_is_not_asked_to(void **state)
{
    static const struct FaultKind kill = {.name = "none"};
    struct Arena *arena = *state;
    struct StepSpec steps[] = {{.name = "hit it", .type = STEP_FAULT, .kind = &kill},
                               {.name = "move it", .type = STEP_FAILOVER, .role = "api"}};
    struct Scenario scenario = {.steps = {.items = &steps[1], .count = 1}};
    const struct Environment staging = {.name = "staging"};
    struct Plan plan = {.arena = arena, .environment = &staging, .scenario = &scenario};
    const struct Role led = {.name = "api", .system = &http_system};
    struct SurveyRole role = {.role = &led, .prospect_known = true};
    struct Survey survey = {.arena = arena, .roles = {.items = &role, .count = 1}};
    role.prospect.planned = (struct Span){0, 7};
    role.prospect.handover = (struct Span){0, 5};
    role.prospect.failover = (struct Span){0, NS_NEVER};
    role.prospect.no_handover = "it is too old";

    foresee_roles(&plan, &survey);
    scenario.steps = (struct List){.items = steps, .count = 2};
    foresee_roles(&plan, &survey);

    const struct Foresight *rows = plan.foresights.items;
    assert_int_equal(rows[0].failover.high_ns, 5);
    assert_int_equal(rows[1].failover.high_ns, 7);
    assert_int_equal(plan.obstacles.count, 1);
    assert_string_equal(((struct Obstacle *)plan.obstacles.items)->text,
                        "role 'api': it is too old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_killed_primary_moves_it_and_limits_are_judged),
        cmocka_unit_test(test_who_is_cut_off_goes_on_as_its_settings_let_it),
        cmocka_unit_test(test_a_lossless_system_has_one_primary_and_loses_nothing),
        cmocka_unit_test(test_what_moves_nobody_promises_no_failover),
        cmocka_unit_test(test_a_role_that_is_given_back_does_not_stay_changed),
        cmocka_unit_test(test_of_several_failovers_the_last_names_who_leads),
        cmocka_unit_test(test_what_nobody_watches_moves_by_a_step_alone),
        cmocka_unit_test(test_a_primary_that_cannot_hand_over_is_not_asked_to),
    };
    struct Arena *arena = arena_new("foretell", 1 << 20);
    for (size_t at = 0; at < sizeof tests / sizeof *tests; at++)
        ((struct CMUnitTest *)(uintptr_t)&tests[at])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
