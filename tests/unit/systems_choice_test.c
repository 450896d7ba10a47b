/* systems_choice_test.c - who is promoted, of those that were looked at, and who is not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/systems/cluster.h"
#include "../../runner/systems/postgres.h"

static const struct Target one = {.name = "one"}, two = {.name = "two"}, three = {.name = "three"};
static const struct Target *const hosts[] = {&one, &two, &three};
static const struct Role role = {
    .name = "db", .hosts = (const struct Target **)(uintptr_t)hosts, .host_count = 3};
static char why[300];

#define REPLICA(at)                                                                                \
    {                                                                                              \
        .answered = true, .replica = true, .location = (at)                                        \
    }

static size_t promoted(const struct HostLook *looks, const struct Target *to, bool forced)
{
    const struct FailoverWish wish = {.to = to, .forced = forced};
    return postgres_choose(&role, looks, &wish, why, sizeof(why));
}

static void test_who_has_less_of_the_log_is_not_promoted(void **state)
{
    (void)state;
    const struct HostLook looks[] = {{.refused = true}, REPLICA(700), REPLICA(500)};
    const struct HostLook alike[] = {{.refused = true}, REPLICA(700), REPLICA(700)};

    assert_int_equal(promoted(looks, NULL, false), 1);
    assert_int_equal(promoted(looks, &two, false), 1);
    assert_int_equal(promoted(looks, &three, false), 3);
    assert_string_equal(why, "two has more of the log than three, which is named: what it alone "
                             "has would be lost");
    assert_int_equal(promoted(looks, &three, true), 3);
    assert_int_equal(promoted(alike, &three, false), 2);
}

static void test_who_is_named_and_silent_is_said_by_name(void **state)
{
    (void)state;
    const struct HostLook silent[] = {{.refused = true}, REPLICA(700), {.answered = false}};
    const struct HostLook refuses[] = {{.refused = true}, REPLICA(700), {.refused = true}};

    assert_int_equal(promoted(silent, &three, true), 3);
    assert_string_equal(why, "three, which is named, does not answer: it cannot be promoted");
    assert_int_equal(promoted(refuses, &three, false), 3);
    assert_string_equal(why, "three, which is named, does not answer: it cannot be promoted");
    assert_int_equal(promoted(silent, &two, false), 3);
    assert_non_null(strstr(why, "three does not answer and may still take writes"));
    assert_int_equal(promoted(silent, &two, true), 1);
}

static void test_nobody_is_promoted_beside_a_primary_though_named(void **state)
{
    (void)state;
    const struct HostLook looks[] = {
        {.answered = true, .location = 900}, REPLICA(700), REPLICA(700)};

    assert_int_equal(promoted(looks, &two, true), 3);
    assert_non_null(strstr(why, "one is a primary that runs"));
}

static size_t taken(const struct ClusterCandidate *at, const struct Target *to, bool forced)
{
    const struct FailoverWish wish = {.to = to, .forced = forced};
    return cluster_choose(&role, at, &wish, why, sizeof(why));
}

static void test_by_force_no_replica_takes_over_that_has_less(void **state)
{
    (void)state;
    const struct ClusterCandidate at[] = {{.answered = true},
                                          {.answered = true, .replica = true, .offset = 700},
                                          {.answered = true, .replica = true, .offset = 500}};
    const struct ClusterCandidate up[] = {
        {.answered = true},
        {.answered = true, .replica = true, .in_step = true, .offset = 700},
        {.answered = true, .replica = true, .in_step = true, .offset = 500}};

    assert_int_equal(taken(at, NULL, true), 1);
    assert_int_equal(taken(at, &two, true), 1);
    assert_int_equal(taken(at, &three, true), 3);
    assert_string_equal(why,
                        "two has more than three, which is named: what it alone has would be lost");
    assert_int_equal(taken(up, &three, false), 2); /* it waits until it has all */
}

static void test_a_replica_that_cannot_take_over_is_said_by_name(void **state)
{
    (void)state;
    const struct ClusterCandidate at[] = {
        {.answered = true}, {.answered = true, .replica = true, .offset = 700}, {.offset = 0}};

    assert_int_equal(taken(at, &three, true), 3);
    assert_string_equal(why, "three, which is named, does not answer");
    assert_int_equal(taken(at, &one, true), 3);
    assert_string_equal(why, "one is no replica of the shard in step with its primary");
    assert_int_equal(taken(at, &two, false), 3);
    assert_string_equal(why, "two is no replica of the shard in step with its primary");
    assert_int_equal(taken(at, NULL, false), 3);
    assert_string_equal(why, "no replica of the shard is in step with its primary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_less_of_the_log_is_not_promoted),
        cmocka_unit_test(test_who_is_named_and_silent_is_said_by_name),
        cmocka_unit_test(test_nobody_is_promoted_beside_a_primary_though_named),
        cmocka_unit_test(test_by_force_no_replica_takes_over_that_has_less),
        cmocka_unit_test(test_a_replica_that_cannot_take_over_is_said_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
