/* systems_autofailover_test.c - what its settings promise, and in which states a node leads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/systems/autofailover.h"

static const struct Target one = {.name = "one"}, two = {.name = "two"};
static const struct Target *const list[] = {&one, &two};
static const struct Role role = {.name = "db", .hosts = list, .host_count = 2};

static void add_node(struct MonitorLook *look, size_t host, const char *state, const char *goal)
{
    struct MonitorNode *node = &look->nodes[look->count++];
    node->host = host;
    snprintf(node->state, sizeof(node->state), "%s", state);
    snprintf(node->goal, sizeof(node->goal), "%s", goal);
}

static void test_who_leads_is_in_a_state_and_meant_to_stay_in_one(void **state)
{
    (void)state;
    struct MonitorLook whole = {.answered = true}, moving = whole, done = whole,
                       two_of_them = whole;
    add_node(&whole, 0, "primary", "primary");
    add_node(&whole, 1, "secondary", "secondary");
    add_node(&moving, 0, "primary", "demote_timeout"); /* it is dead: its word is old */
    add_node(&moving, 1, "stop_replication", "stop_replication");
    add_node(&done, 0, "primary", "demoted");
    add_node(&done, 1, "wait_primary", "wait_primary");
    add_node(&two_of_them, 0, "primary", "primary");
    add_node(&two_of_them, 1, "wait_primary", "wait_primary");

    assert_int_equal(monitor_leader(&whole, &role), 0);
    assert_int_equal(monitor_leader(&moving, &role), 2);
    assert_int_equal(monitor_leader(&done, &role), 1);
    assert_int_equal(monitor_leader(&two_of_them, &role), 2);
}

static void test_the_range_is_that_of_its_timeouts(void **state)
{
    (void)state;
    struct Forecast forecast;
    int64_t usual[] = {
        20 * NS_PER_S, 30 * NS_PER_S, 5 * NS_PER_S, 5 * NS_PER_S, 2, 2 * NS_PER_S, 1};

    autofailover_knobs.foretell(usual, &forecast);
    assert_true(forecast.failover.low_ns == 47 * NS_PER_S);
    assert_true(forecast.failover.high_ns == 62 * NS_PER_S); /* the checks last longer: 24 s */
    assert_true(forecast.lossless && forecast.acked.high_ns == 0);

    usual[6] = 0;
    autofailover_knobs.foretell(usual, &forecast);
    assert_false(forecast.lossless);
    assert_true(forecast.acked.high_ns == KNOB_UNKNOWN);

    usual[1] = KNOB_UNKNOWN;
    autofailover_knobs.foretell(usual, &forecast);
    assert_true(forecast.failover.high_ns == NS_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_leads_is_in_a_state_and_meant_to_stay_in_one),
        cmocka_unit_test(test_the_range_is_that_of_its_timeouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
