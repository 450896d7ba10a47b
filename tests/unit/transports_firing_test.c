/* transports_firing_test.c - scripts that wait for their line on a connection that goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/model/transport.h"
#include "../../runner/transports/node_guard.h"

struct Channel {
    int finished;
};

static void finish(void *channel)
{
    ((struct Channel *)channel)->finished++;
}

static const struct TransportKind REACH = {.name = "fake", .finish = finish};

/* As firing_start leaves it, once the host has said "ready". */
static struct Firing *stand_ready(struct HostNode *node, struct Channel *channel)
{
    struct Firing *firing = mem_zero(1, sizeof *firing);
    *firing =
        (struct Firing){.node = node, .channel = channel, .reply = BUF(100), .next = node->firings};
    node->firings = firing;
    return firing;
}

static void test_a_connection_that_goes_takes_its_firings_along(void **state)
{
    (void)state;
    const struct Target target = {.name = "one", .reach = &REACH};
    struct HostNode *node = mem_zero(1, sizeof *node);
    struct Channel first = {0}, second = {0};
    struct Moment t0;
    struct Err err;
    node->target = &target;
    struct Firing *a = stand_ready(node, &first), *b = stand_ready(node, &second);

    node_close(node);

    assert_int_equal(first.finished, 1);
    assert_int_equal(second.finished, 1);
    assert_int_equal(node_fire(a, mono_now(), &t0, &err), EFFECT_NONE);
    assert_string_equal(err.message, "the connection was lost before it was sent");
    node_unready(a);
    node_unready(b);
    assert_int_equal(first.finished, 1);
    assert_int_equal(second.finished, 1);
}

static void test_one_that_is_given_up_leaves_the_others(void **state)
{
    (void)state;
    const struct Target target = {.name = "one", .reach = &REACH};
    struct HostNode *node = mem_zero(1, sizeof *node);
    struct Channel first = {0}, second = {0};
    node->target = &target;
    struct Firing *a = stand_ready(node, &first), *b = stand_ready(node, &second);

    node_unready(a);

    assert_int_equal(first.finished, 1);
    assert_int_equal(second.finished, 0);
    assert_ptr_equal(node->firings, b);
    node_close(node);
    assert_int_equal(first.finished, 1);
    assert_int_equal(second.finished, 1);
    node_unready(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_that_goes_takes_its_firings_along),
        cmocka_unit_test(test_one_that_is_given_up_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
