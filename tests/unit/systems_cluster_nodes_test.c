/* systems_cluster_nodes_test.c - CLUSTER NODES as Redis 7 says it, and what is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/systems/cluster_nodes.h"

#define A "07c37dfeb235213a872192d90877d0cd55635b91"
#define B "67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1"
#define C "292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f"

static const char three[] =
    A " 10.0.0.1:6379@16379,one myself,slave " B " 0 1426238317239 4 connected\n" B
      " 10.0.0.2:6379@16379 master,fail? - 0 1426238316232 7 connected 0-5460 9000\n" C
      " fe80::2:6380@16380 master,fail - 1426238317741 0 3 disconnected 5461-8999 9001-16383 "
      "[77->-" B "]\n";

static void test_rows_say_who_has_what(void **state)
{
    (void)state;
    struct ClusterView view;

    assert_true(cluster_nodes_read(three, 5460, &view));

    assert_int_equal(view.count, 3);
    assert_string_equal(cluster_myself(&view)->id, A);
    assert_string_equal(cluster_myself(&view)->primary, B);
    const struct ClusterNode *owner = cluster_owner(&view);
    assert_string_equal(owner->id, B);
    assert_string_equal(owner->address, "10.0.0.2");
    assert_int_equal(owner->port, 6379);
    assert_int_equal(owner->epoch, 7);
    assert_int_equal(owner->slots, 5462);
    assert_true(owner->suspected && !owner->failed);
    assert_string_equal(owner->primary, "");
}

static void test_fail_is_not_suspicion_and_a_slot_on_its_way_is_not_counted_twice(void **state)
{
    (void)state;
    struct ClusterView view;

    assert_true(cluster_nodes_read(three, 9001, &view));

    const struct ClusterNode *owner = cluster_owner(&view);
    assert_string_equal(owner->id, C);
    assert_string_equal(owner->address, "fe80::2");
    assert_true(owner->failed && !owner->suspected);
    assert_int_equal(owner->slots, 16384 - 5462);
}

static void test_a_host_that_met_nobody_has_no_address(void **state)
{
    (void)state;
    struct ClusterView view;

    assert_true(cluster_nodes_read(A " :6379@16379 myself,master - 0 0 0 connected\n", 0, &view));

    assert_string_equal(cluster_myself(&view)->address, "");
    assert_null(cluster_owner(&view));
    assert_null(cluster_node(&view, B));
}

static void test_what_is_no_such_text_is_refused(void **state)
{
    (void)state;
    struct ClusterView view;

    assert_false(cluster_nodes_read("", 0, &view));
    assert_false(cluster_nodes_read("OK", 0, &view));
    assert_false(cluster_nodes_read(A " 10.0.0.1:6379@16379 myself,master -\n", 0, &view));
    assert_false(cluster_nodes_read(A " nowhere myself,master - 0 0 0 connected\n", 0, &view));
    assert_false(cluster_nodes_read(B " 10.0.0.2:6379@1 master - 0 0 7 connected 0-5\n", 0, &view));
}

/* `CLUSTER KEYSLOT` of Redis says the same. */
static void test_a_tag_falls_into_its_slot(void **state)
{
    (void)state;
    static const uint32_t slots[] = {0, 1, 866, 5460, 5461, 12182, 16383};
    char tag[16];

    assert_int_equal(cluster_slot_of("123456789"), 12739);
    assert_int_equal(cluster_slot_of("foo"), 12182);
    for (size_t n = 0; n < sizeof(slots) / sizeof(slots[0]); n++) {
        cluster_tag(slots[n], tag);
        size_t size = strlen(tag);
        assert_true(tag[0] == '{' && tag[size - 1] == '}');
        tag[size - 1] = '\0';
        assert_int_equal(cluster_slot_of(tag + 1), slots[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_say_who_has_what),
        cmocka_unit_test(test_fail_is_not_suspicion_and_a_slot_on_its_way_is_not_counted_twice),
        cmocka_unit_test(test_a_host_that_met_nobody_has_no_address),
        cmocka_unit_test(test_what_is_no_such_text_is_refused),
        cmocka_unit_test(test_a_tag_falls_into_its_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
