/* clients_inventory_test.c - an inventory is read as Ansible writes it, and nothing else of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/clients/inventory_json.h"

static struct Arena *arena;
static struct Inventory inventory;
static const char *why;

static bool reads(const char *json)
{
    return inventory_read(json, strlen(json), arena, &inventory, &why);
}

static void test_groups_have_the_hosts_of_their_children(void **state)
{
    struct Buf said = BUF(400);
    (void)state;

    assert_true(reads("{\"_meta\":{\"hostvars\":{"
                      "\"api-1\":{\"ansible_host\":\"10.0.0.1\",\"ansible_password\":\"s3cret\"},"
                      "\"api-2\":{\"ansible_port\":2222},"
                      "\"db-1\":{\"ansible_host\":\"10.0.0.3\",\"ansible_port\":\"22\","
                      "\"ansible_connection\":\"docker\"}}},"
                      "\"all\":{\"children\":[\"api\",\"db\"]},"
                      "\"api\":{\"hosts\":[\"api-1\",\"api-2\"]},"
                      "\"db\":[\"db-1\",\"api-2\"]}"));

    inventory_group_say(inventory_group(&inventory, "all"), &said);
    assert_string_equal(said.text, "all: api-1 (10.0.0.1), api-2 (:2222), db-1 (10.0.0.3:22)");
    assert_string_equal(inventory_host(&inventory, "db-1")->connection, "docker");
    assert_null(inventory_group(&inventory, "_meta"));
    assert_null(inventory_group(&inventory, "web"));
    buf_free(&said);
}

static void test_what_is_no_inventory_is_named(void **state)
{
    (void)state;

    assert_false(reads("[WARNING]: no inventory\n{}"));
    assert_string_equal(why, "it is no JSON object of groups");
    assert_false(reads("[]"));
    assert_false(reads("{\"a\":{\"hosts\":[7]}}"));
    assert_string_equal(why, "a group has a host that is no name");
    assert_false(reads("{\"a\":{\"children\":[{}]}}"));
    assert_string_equal(why, "a group has a child that is no name");
    assert_false(
        reads("{\"a\":[\"x\"],\"_meta\":{\"hostvars\":{\"x\":{\"ansible_port\":70000}}}}"));
    assert_string_equal(why, "an ansible_port is no port");
    assert_true(reads("{\"a\":{\"hosts\":[]}}"));
}

static void test_groups_in_a_circle_end(void **state)
{
    struct Buf wide = BUF(1 << 20);
    (void)state;

    assert_false(reads("{\"a\":{\"children\":[\"b\"]},\"b\":{\"children\":[\"a\"]}}"));
    assert_string_equal(why, "its groups are children of each other");

    buf_put(&wide, "{"); /* each has the next one twice: 2^30 ways down */
    for (int n = 0; n < 30; n++)
        buf_printf(&wide, "\"g%d\":{\"children\":[\"g%d\",\"g%d\"]},", n, n + 1, n + 1);
    buf_put(&wide, "\"g30\":[\"x\"]}");
    assert_false(reads(wide.text));
    buf_free(&wide);
}

int main(void)
{
    arena = arena_new("test", 64 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_have_the_hosts_of_their_children),
        cmocka_unit_test(test_what_is_no_inventory_is_named),
        cmocka_unit_test(test_groups_in_a_circle_end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
