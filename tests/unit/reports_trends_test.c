/* reports_trends_test.c - trends say what the runs can bear, and no more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/trends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MS NS_PER_MS
#define DAY (86400 * NS_PER_S)

struct History {
    struct Arena *arena;
    struct List past;
};

static int setup(void **state)
{
    static struct History history;
    history = (struct History){.arena = arena_new("test", 64 << 20)};
    *state = &history;
    return 0;
}

static int teardown(void **state)
{
    arena_free(((struct History *)*state)->arena);
    return 0;
}

static struct Past *add(struct History *history, const char *environment, int64_t ms)
{
    size_t n = history->past.count;
    struct Past *past = list_add(&history->past, history->arena, sizeof(*past));
    *past = (struct Past){.id = arena_printf(history->arena, "run%zu", n),
                          .scenario = "lose_an_api_machine",
                          .environment = environment,
                          .behaviour_hash = "a",
                          .probe = "shop",
                          .why = "",
                          .started = {(int64_t)(20000 + n * 7) * DAY},
                          .verdict = VERDICT_PASS,
                          .finished = true,
                          .recovery_low_ns = (ms - 60) * MS,
                          .recovery_high_ns = ms * MS,
                          .limit_ns = 20 * NS_PER_S,
                          .lost = -1};
    return past;
}

static void add_many(struct History *history, const int64_t *ms, size_t count)
{
    for (size_t n = 0; n < count; n++)
        add(history, "staging", ms[n]);
}

static struct Trends made(struct History *history)
{
    struct Trends trends;
    trends_make(history->past.items, history->past.count, history->arena, &trends);
    return trends;
}

static void test_no_median_below_six_runs(void **state)
{
    struct History *history = *state;
    add_many(history, (const int64_t[]){4100, 4200, 9000, 2100, 3900}, 5);

    struct Trends trends = made(history);

    assert_int_equal(trends.row_count, 1);
    assert_int_equal(trends.rows[0].median_ns, -1);
    assert_int_equal(trends.rows[0].within, 5);
    assert_int_equal(trends.rows[0].most_ns, 9000 * MS);
    assert_int_equal(trends.rows[0].change, TREND_TOO_FEW);
    add(history, "staging", 4000);
    assert_int_equal(made(history).rows[0].median_ns, 4050 * MS);
}

static void test_unaffected_and_spoiled_runs_enter_no_median(void **state)
{
    struct History *history = *state;
    add_many(history, (const int64_t[]){4000, 4000, 4000, 4000, 4000, 4000}, 6);
    struct Past *quiet = add(history, "staging", 0);
    quiet->unaffected = true;
    quiet->recovery_low_ns = quiet->recovery_high_ns = -1;
    add(history, "staging", 90000)->verdict = VERDICT_INCONCLUSIVE;
    add(history, "staging", 90000)->verdict = VERDICT_HALTED;
    add(history, "staging", 90000)->finished = false;

    struct Trends trends = made(history);

    assert_int_equal(trends.rows[0].runs, 7);
    assert_int_equal(trends.rows[0].unaffected, 1);
    assert_int_equal(trends.rows[0].affected, 6);
    assert_int_equal(trends.rows[0].median_ns, 4000 * MS);
    assert_int_equal(trends.rows[0].last_ns, 4000 * MS);
    assert_int_equal(trends.counts.inconclusive, 2);
    assert_int_equal(trends.counts.halted, 1);
    assert_int_equal(trends.counts.passed, 7);
}

static void test_nothing_is_compared_across_a_change(void **state)
{
    struct History *history = *state;
    add_many(history, (const int64_t[]){30000, 31000, 32000, 33000}, 4);
    for (int n = 0; n < 4; n++)
        add(history, "staging", 4000 + n)->behaviour_hash = "b";

    struct Trends trends = made(history);

    assert_true(trends.rows[0].changed);
    assert_int_equal(trends.rows[0].point_count, 8);
    assert_int_equal(trends.rows[0].runs, 4);
    assert_int_equal(trends.rows[0].change, TREND_TOO_FEW);
    assert_int_equal(trends.rows[0].most_ns, 4003 * MS);
}

static void test_slower_wants_effect_and_evidence(void **state)
{
    struct History *history = *state;
    add_many(history,
             (const int64_t[]){9000, 9100, 8900, 9200, 8800, 14200, 14100, 14300, 14000, 13900},
             10);
    struct Trends trends = made(history);
    assert_int_equal(trends.rows[0].change, TREND_SLOWER);
    assert_true(trends.rows[0].percent > 55 && trends.rows[0].percent < 60);
    assert_int_equal(trends.rows[0].since.ns, (20000 + 5 * 7) * DAY);

    history->past.count = 0;
    add_many(history,
             (const int64_t[]){9000, 9100, 8900, 9200, 8800, 9900, 9800, 10000, 9950, 9850}, 10);
    assert_int_equal(made(history).rows[0].change, TREND_SAME); /* clear, yet only 9 % */

    history->past.count = 0;
    add_many(history,
             (const int64_t[]){9000, 3000, 15000, 6000, 12000, 20000, 4000, 7000, 16000, 9500}, 10);
    assert_int_equal(made(history).rows[0].change, TREND_CANNOT_TELL);

    history->past.count = 0;
    add_many(history, (const int64_t[]){9000, 9100, 8900, 14000, 14100, 14200}, 6);
    assert_int_equal(made(history).rows[0].change, TREND_TOO_FEW);
}

static void test_one_that_did_not_recover_is_neither_dropped_nor_a_number(void **state)
{
    struct History *history = *state;
    add_many(history, (const int64_t[]){4000, 4100, 4200, 4300, 4400, 4500, 4600}, 7);
    struct Past *never = add(history, "staging", 59900);
    never->censored = true;
    never->recovery_high_ns = -1;
    never->verdict = VERDICT_FAIL;

    struct Trends trends = made(history);

    assert_int_equal(trends.rows[0].affected, 8);
    assert_int_equal(trends.rows[0].within, 7);
    assert_int_equal(trends.rows[0].last_ns, NS_NEVER);
    assert_int_equal(trends.rows[0].most_ns, NS_NEVER);
    assert_int_equal(trends.rows[0].median_ns, 4350 * MS);
    assert_int_equal(trends.rows[0].change, TREND_CANNOT_TELL);
    assert_ptr_equal(trends.rows[0].finding.failed, never);
}

/* False alarms: the same drill, again and again, nothing changed. */
static void test_an_unchanged_drill_seldom_seems_to_change(void **state)
{
    (void)state;
    uint64_t random = 1;
    int alarms = 0;
    for (int trial = 0; trial < 2000; trial++) {
        struct History history = {.arena = arena_new("trial", 1 << 20)};
        for (int n = 0; n < 16; n++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            add(&history, "staging", 3000 + (int64_t)((random >> 33) % 6000));
        }
        struct Trends trends = made(&history);
        alarms += trends.rows[0].change == TREND_SLOWER || trends.rows[0].change == TREND_FASTER;
        arena_free(history.arena);
    }
    assert_true(alarms < 2000 * 6 / 100);
}

static void test_the_table_is_one_that_people_can_read(void **state)
{
    struct History *history = *state;
    struct Buf out = BUF(10000);
    add_many(history,
             (const int64_t[]){9000, 9100, 8900, 9200, 8800, 14200, 14100, 14300, 14000, 13900},
             10);
    for (int n = 0; n < 3; n++)
        add(history, "production", 5100 + 500 * n)->is_protected = true;
    struct Past *lossy = add(history, "staging", 5000);
    lossy->probe = "writes";
    lossy->verdict = VERDICT_FAIL;
    lossy->lost = 17;
    add(history, "staging", 1)->verdict = VERDICT_REFUSED;
    struct Trends trends = made(history);

    trends_text(&trends, (struct TextStyle){.unicode = true}, &out);

    assert_string_equal(
        out.text,
        "MTTR: the median recovery time of one drill, from 6 runs on (each mark a run, newest "
        "right; "
        "limits as now)\n"
        "                                         runs    last    MTTR       range  limit  within\n"
        "lose_an_api_machine  staging     shop      10  13.9 s  11.6 s  8.8-14.3 s   20 s  10 of "
        "10                     ▁▁▁▂▁████▇  slower +57 % since 11-08\n"
        "lose_an_api_machine  PRODUCTION  shop       3   6.1 s       –   5.1-6.1 s   20 s  3 of 3, "
        "worst 6.1 s of 20 s  ▁▅█\n"
        "lose_an_api_machine  staging     writes     1     5 s       –       5.0 s   20 s  1 of 1, "
        "worst 5 s of 20 s\n"
        "open: lose_an_api_machine staging writes lost 17 writes, 2025-01-03\n"
        "not in the figures: 1 refused\n");
    buf_free(&out);
}

static void test_no_runs_say_so(void **state)
{
    struct History *history = *state;
    struct Buf out = BUF(10000), page = BUF(1 << 20);
    struct Err err;
    struct Trends trends = made(history);

    trends_text(&trends, (struct TextStyle){.unicode = true}, &out);

    assert_string_equal(out.text, "no run yet from which a recovery could be told\n");
    assert_true(trends_html(&trends, "0.1.0", &page, &err));
    buf_free(&page);
    buf_free(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_no_median_below_six_runs),
        TEST(test_unaffected_and_spoiled_runs_enter_no_median),
        TEST(test_nothing_is_compared_across_a_change),
        TEST(test_slower_wants_effect_and_evidence),
        TEST(test_one_that_did_not_recover_is_neither_dropped_nor_a_number),
        TEST(test_an_unchanged_drill_seldom_seems_to_change),
        TEST(test_the_table_is_one_that_people_can_read),
        TEST(test_no_runs_say_so),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
