/* model_cycles_test.c - the runs of a repeat as one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../runner/model/cycles.h"

static struct Past row(const char *id, uint32_t number, uint32_t of, int64_t ns)
{
    return (struct Past){.id = id,
                         .probe = "shop",
                         .verdict = VERDICT_PASS,
                         .finished = true,
                         .recovery_low_ns = ns - 1,
                         .recovery_high_ns = ns,
                         .limit_ns = 100,
                         .cycle = {of > 1 ? "a" : NULL, number, of}};
}

static void test_cycles_become_one_point_with_their_median(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    struct Past rows[] = {row("z", 0, 0, 50), row("a", 1, 3, 9), row("b", 2, 3, 7),
                          row("c", 3, 3, 8), row("d", 0, 0, 60)};

    size_t count = cycles_join(rows, 5, arena);

    assert_int_equal(count, 3);
    assert_string_equal(rows[0].id, "z");
    assert_null(rows[0].recoveries);
    assert_int_equal(rows[1].recovery_high_ns, 8);
    assert_int_equal(rows[1].recovery_low_ns, 7);
    assert_int_equal(rows[1].verdict, VERDICT_PASS);
    assert_int_equal(rows[1].recovery_count, 3);
    assert_int_equal(rows[1].recoveries[0], 9);
    assert_int_equal(rows[1].recoveries[2], 8);
    assert_string_equal(rows[2].id, "d");
    arena_free(arena);
}

static void test_the_worst_cycle_is_judged(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    struct Past rows[] = {row("a", 1, 3, 5), row("b", 2, 3, 90), row("c", 3, 3, 6)};
    rows[0].lost = 1;
    rows[1].verdict = VERDICT_FAIL;
    rows[1].lost = 17;

    assert_int_equal(cycles_join(rows, 3, arena), 1);

    assert_int_equal(rows[0].verdict, VERDICT_FAIL);
    assert_string_equal(rows[0].id, "b");
    assert_int_equal(rows[0].lost, 17);
    assert_int_equal(rows[0].recovery_high_ns, 6);
    arena_free(arena);
}

static void test_a_loss_that_is_unknown_once_is_unknown(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    struct Past rows[] = {row("a", 1, 2, 5), row("b", 2, 2, 7)};
    rows[0].lost = 3;
    rows[1].lost = -1;

    assert_int_equal(cycles_join(rows, 2, arena), 1);

    assert_int_equal(rows[0].lost, -1);
    assert_int_equal(rows[0].recovery_high_ns, 6); /* of two: between them */
    arena_free(arena);
}

static void test_fewer_cycles_than_wanted_are_no_pass(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    struct Past cut[] = {row("a", 1, 3, 5), row("b", 2, 3, 7)};
    struct Past refused[] = {row("a", 1, 2, 5), row("b", 2, 2, -1)};
    refused[1].verdict = VERDICT_NOT_READY;

    assert_int_equal(cycles_join(cut, 2, arena), 1);
    assert_int_equal(cycles_join(refused, 2, arena), 1);

    assert_int_equal(cut[0].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(refused[0].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(refused[0].recoveries[1], -1);
    arena_free(arena);
}

static void test_unaffected_cycles_stay_out_of_the_median(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    struct Past some[] = {row("a", 1, 3, 5), row("b", 2, 3, -1), row("c", 3, 3, 9)};
    struct Past none[] = {row("a", 1, 2, -1), row("b", 2, 2, -1)};
    some[1].unaffected = none[0].unaffected = none[1].unaffected = true;

    assert_int_equal(cycles_join(some, 3, arena), 1);
    assert_int_equal(cycles_join(none, 2, arena), 1);

    assert_false(some[0].unaffected);
    assert_int_equal(some[0].recovery_high_ns, 7);
    assert_true(none[0].unaffected);
    assert_int_equal(none[0].recovery_high_ns, -1);
    arena_free(arena);
}

static void test_half_that_never_recovered_have_no_median(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 20);
    struct Past rows[] = {row("a", 1, 2, 5), row("b", 2, 2, 7)};
    rows[1].censored = true;
    rows[1].recovery_high_ns = -1;

    assert_int_equal(cycles_join(rows, 2, arena), 1);

    assert_true(rows[0].censored);
    assert_int_equal(rows[0].recovery_high_ns, -1);
    assert_int_equal(rows[0].recoveries[1], NS_NEVER);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycles_become_one_point_with_their_median),
        cmocka_unit_test(test_the_worst_cycle_is_judged),
        cmocka_unit_test(test_a_loss_that_is_unknown_once_is_unknown),
        cmocka_unit_test(test_fewer_cycles_than_wanted_are_no_pass),
        cmocka_unit_test(test_unaffected_cycles_stay_out_of_the_median),
        cmocka_unit_test(test_half_that_never_recovered_have_no_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
