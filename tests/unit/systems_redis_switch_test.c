/* systems_redis_switch_test.c - which Redis hands over, to whom, and what its answer means. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/systems/redis_alone.h"

static const struct Target one = {.name = "one"}, two = {.name = "two"}, three = {.name = "three"};
static const struct Target *const hosts[] = {&one, &two, &three};
static const struct Role role = {
    .name = "redis", .hosts = (const struct Target **)(uintptr_t)hosts, .host_count = 3};
static char why[200];

#define LEADS                                                                                      \
    {                                                                                              \
        .answered = true, .leads = true, .moves = "no-failover"                                    \
    }
#define FOLLOWS(whom, has)                                                                         \
    {                                                                                              \
        .answered = true, .linked = true, .promotable = true, .follows = (whom), .offset = (has),  \
        .moves = "no-failover"                                                                     \
    }

static size_t heir(const struct HostLook *looks, const struct Target *to)
{
    return alone_heir(&role, looks, 0, &(struct FailoverWish){.to = to}, why, sizeof(why));
}

static void test_the_only_primary_hands_over_and_never_by_force(void **state)
{
    (void)state;
    const struct FailoverWish plain = {.forced = false}, forced = {.forced = true};
    const struct HostLook single[] = {FOLLOWS(1, 5), LEADS, FOLLOWS(1, 5)};
    const struct HostLook twins[] = {LEADS, LEADS, FOLLOWS(1, 5)};
    const struct HostLook dead[] = {{.refused = true}, FOLLOWS(0, 5), FOLLOWS(0, 5)};

    assert_int_equal(alone_primary(&role, single, &plain), 1);
    assert_int_equal(alone_primary(&role, single, &forced), 3);
    assert_int_equal(alone_primary(&role, twins, &plain), 3);
    assert_int_equal(alone_primary(&role, dead, &plain), 3);
}

static void test_who_has_most_takes_over_or_who_is_named(void **state)
{
    (void)state;
    const struct HostLook looks[] = {LEADS, FOLLOWS(0, 5), FOLLOWS(0, 7)};

    assert_int_equal(heir(looks, NULL), 2);
    assert_int_equal(heir(looks, &two), 1); /* it is given the rest before it leads */
}

static void test_who_is_not_linked_to_it_takes_nothing_over(void **state)
{
    (void)state;
    const struct HostLook chained[] = {LEADS, FOLLOWS(2, 7), FOLLOWS(0, 5)};
    const struct HostLook last[] = {
        LEADS, {.answered = true, .promotable = true}, {.answered = true, .linked = true}};

    assert_int_equal(heir(chained, NULL), 2);
    assert_int_equal(heir(chained, &two), 3);
    assert_string_equal(why, "two is no linked replica of one that may lead");
    assert_int_equal(heir(last, NULL), 3);
    assert_string_equal(why, "one has no linked replica that may lead");
}

static void test_a_replica_of_a_replica_stays_one(void **state)
{
    (void)state;
    struct FailoverQuestion chained = {
        .primary = 0,
        .best = 1,
        .hosts = {LEADS, FOLLOWS(0, 5), FOLLOWS(1, 5), FOLLOWS(0, 5), {.answered = true}}};

    assert_true(alone_is_moved(&chained, 0));
    assert_false(alone_is_moved(&chained, 1));
    assert_false(alone_is_moved(&chained, 2));
    assert_true(alone_is_moved(&chained, 3));
    assert_false(alone_is_moved(&chained, 4));
}

static void test_beside_a_host_that_says_nothing_it_is_not_asked(void **state)
{
    (void)state;
    const struct HostLook silent[] = {LEADS, FOLLOWS(0, 5), {.answered = false}};
    const struct HostLook lives[] = {LEADS, FOLLOWS(0, 5), {.error = "NOAUTH"}};

    assert_int_equal(heir(silent, &two), 3);
    assert_string_equal(why, "three does not answer");
    assert_int_equal(heir(lives, &two), 3);
    assert_string_equal(why, "three does not answer: it says NOAUTH");
}

static void test_one_that_cannot_or_does_already_is_not_asked(void **state)
{
    (void)state;
    const struct HostLook old[] = {{.answered = true, .leads = true}, FOLLOWS(0, 5), FOLLOWS(0, 5)};
    const struct HostLook moves[] = {{.answered = true, .leads = true, .moves = "waiting-for-sync"},
                                     FOLLOWS(0, 5),
                                     FOLLOWS(0, 5)};

    assert_int_equal(heir(old, NULL), 3);
    assert_string_equal(
        why, "Redis on one is older than 6.2 and cannot hand over: stop it or kill it first");
    assert_int_equal(heir(moves, NULL), 3);
    assert_string_equal(why, "one is failing over already: waiting-for-sync");
}

static enum Known says(const char *text, int code)
{
    return alone_switched(
        &(struct Answer){.end = CALL_ANSWERED, .bytes = text, .size = strlen(text), .code = code},
        why);
}

static void test_what_the_host_does_not_say_is_unknown(void **state)
{
    (void)state;

    assert_int_equal(says("switched\n", 0), KNOWN_YES);
    assert_string_equal(why, "");
    assert_int_equal(says("incomplete: a file\n", 0), KNOWN_YES);
    assert_string_equal(why, "a file");
    assert_int_equal(says("refused: Redis gave it up\n", 0), KNOWN_NO);
    assert_string_equal(why, "Redis gave it up");
    assert_int_equal(says("failed: it hangs\n", 0), KNOWN_UNKNOWN);
    assert_string_equal(why, "it hangs");
    assert_int_equal(says("", 0), KNOWN_UNKNOWN);
    assert_int_equal(says("refused: it was ended\n", 124), KNOWN_UNKNOWN);
    assert_int_equal(alone_switched(&(struct Answer){.end = CALL_RESET, .bytes = ""}, why),
                     KNOWN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_only_primary_hands_over_and_never_by_force),
        cmocka_unit_test(test_who_has_most_takes_over_or_who_is_named),
        cmocka_unit_test(test_who_is_not_linked_to_it_takes_nothing_over),
        cmocka_unit_test(test_a_replica_of_a_replica_stays_one),
        cmocka_unit_test(test_beside_a_host_that_says_nothing_it_is_not_asked),
        cmocka_unit_test(test_one_that_cannot_or_does_already_is_not_asked),
        cmocka_unit_test(test_what_the_host_does_not_say_is_unknown),
    };
    return cmocka_run_group_tests_name("redis_switch", tests, NULL, NULL);
}
