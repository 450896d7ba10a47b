/* model_reign_test.c - who led when, and how long two did, as computed by hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runner/model/reign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../runner/model/system.h"

#define MS NS_PER_MS

static int setup(void **state)
{
    *state = arena_new("test", 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* Asked at `when_ms`, answered 2 ms later. */
static void look(struct Reigns *reigns, int64_t when_ms, uint32_t host, enum Rank rank)
{
    reigns_look(reigns, &(struct Census){.host = host,
                                         .asked = {when_ms * MS},
                                         .answered = {(when_ms + 2) * MS},
                                         .rank = (int32_t)rank,
                                         .identity = "run"});
}

static int64_t split_last_ms(const struct Reigns *reigns, int64_t from_ms)
{
    return reigns_split_last(reigns, (struct Mono){from_ms * MS}) / MS;
}

/* The first host leads from 0 to 3.0 s at least, the second since between 1.0 and 2.0 s:
 * proven [2.003, 3.000], perhaps [1.001, 3.002]. */
static struct Reigns *two_lead(struct Arena *arena)
{
    struct Reigns *reigns = reigns_new(arena, 4000 * MS);
    for (int64_t when = 0; when <= 3000; when += 1000) {
        look(reigns, when, 0, RANK_PRIMARY);
        look(reigns, when + 1, 1, when < 2000 ? RANK_REPLICA : RANK_PRIMARY);
    }
    return reigns;
}

static void test_the_time_of_two_is_bounded_by_their_looks(void **state)
{
    struct Reigns *reigns = two_lead(*state);

    struct Span split = reigns_split(reigns, (struct Mono){0});

    assert_int_equal(split.low_ns, 997 * MS);
    assert_int_equal(split.high_ns, 2001 * MS);
    assert_int_equal(split_last_ms(reigns, 0), 997);
    assert_int_equal(split_last_ms(reigns, 2500), 500);
    assert_int_equal(split_last_ms(reigns, 3000), 0);
    size_t count;
    assert_int_equal(reigns_at(reigns, &count)[0].host, 0);
    assert_int_equal(count, 2);
}

static void test_each_look_proves_more_of_it(void **state)
{
    struct Reigns *reigns = two_lead(*state);

    look(reigns, 4000, 0, RANK_PRIMARY);

    assert_int_equal(split_last_ms(reigns, 0), 998); /* until the second's last look at 3.001 */
    look(reigns, 4001, 1, RANK_PRIMARY);
    assert_int_equal(split_last_ms(reigns, 0), 1997);
}

/* A planned change between two looks: each said so once at the same time, which proves nothing. */
static void test_one_look_each_proves_no_time(void **state)
{
    struct Reigns *reigns = reigns_new(*state, 4000 * MS);
    look(reigns, 0, 1, RANK_REPLICA);
    look(reigns, 1000, 0, RANK_PRIMARY);
    look(reigns, 1001, 1, RANK_PRIMARY);

    assert_int_equal(split_last_ms(reigns, 0), 0);
    assert_int_equal(reigns_split(reigns, (struct Mono){0}).high_ns, 2 * MS);
}

static void test_nothing_is_proven_across_a_look_without_an_answer(void **state)
{
    struct Reigns *reigns = two_lead(*state);
    look(reigns, 4000, 0, RANK_UNKNOWN);
    look(reigns, 4001, 1, RANK_PRIMARY);
    assert_int_equal(split_last_ms(reigns, 0), 997);

    look(reigns, 5000, 0, RANK_PRIMARY);
    look(reigns, 5001, 1, RANK_PRIMARY);
    look(reigns, 6000, 0, RANK_PRIMARY);

    assert_int_equal(split_last_ms(reigns, 0), 0); /* of the new one: from 5.002 to 5.001 */
    look(reigns, 6001, 1, RANK_PRIMARY);
    assert_int_equal(split_last_ms(reigns, 0), 998);
    size_t count;
    (void)reigns_at(reigns, &count);
    assert_int_equal(count, 3);
}

/* It hung while later ones were answered: its host may have stepped down meanwhile. */
static void test_a_late_look_that_is_no_primary_ends_what_was_proven(void **state)
{
    struct Reigns *reigns = two_lead(*state);

    look(reigns, 2500, 0, RANK_PRIMARY);
    look(reigns, 4000, 0, RANK_PRIMARY);
    assert_int_equal(split_last_ms(reigns, 0), 998);

    look(reigns, 3500, 0, RANK_UNKNOWN);

    assert_int_equal(split_last_ms(reigns, 0), 0);
    look(reigns, 5000, 0, RANK_PRIMARY);
    look(reigns, 5001, 1, RANK_PRIMARY);
    assert_int_equal(split_last_ms(reigns, 0), 998); /* the first since 4.002, until 5.000 */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_time_of_two_is_bounded_by_their_looks),
        TEST(test_each_look_proves_more_of_it),
        TEST(test_one_look_each_proves_no_time),
        TEST(test_nothing_is_proven_across_a_look_without_an_answer),
        TEST(test_a_late_look_that_is_no_primary_ends_what_was_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
