/* store_series_test.c - samples, census and found numbers come back bit for bit. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../../runner/store/inside.h"
#include "store_fixture.h"

static struct Sample make_sample(uint32_t probe, uint32_t sequence)
{
    struct Mono intended = {FIXTURE_MONO + sequence * 1000LL};
    return (struct Sample){.probe = probe,
                           .sequence = sequence,
                           .intended = intended,
                           .started = mono_add(intended, 20),
                           .ended = mono_add(intended, 700 + sequence),
                           .outcome = OUTCOME_OK,
                           .code = 200};
}

static void assert_same(const struct Sample *a, const struct Sample *b)
{
    assert_int_equal(a->probe, b->probe);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->intended.ns, b->intended.ns);
    assert_int_equal(a->started.ns, b->started.ns);
    assert_int_equal(a->ended.ns, b->ended.ns);
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->failure, b->failure);
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->writer, b->writer);
    assert_true(a->number == b->number);
    assert_int_equal(a->by, b->by);
    assert_int_equal(a->connected, b->connected);
}

static void test_every_value_of_a_sample_comes_back(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    struct Sample samples[3] = {make_sample(1, 0), make_sample(1, 1), make_sample(1, 2)};
    samples[0].intended.ns = samples[0].started.ns = samples[0].ended.ns = FIXTURE_MONO - 77;
    samples[1].started.ns = samples[1].ended.ns = 0; /* skipped: it never was */
    samples[1].outcome = OUTCOME_SKIPPED;
    samples[2].outcome = OUTCOME_TIMEOUT;
    samples[2].failure = FAILURE_TIMEOUT;
    samples[2].code = -111;
    samples[2].writer = 7;
    samples[2].number = UINT64_MAX;
    samples[2].by = UINT32_MAX;
    samples[2].connected = true;

    for (int i = 0; i < 3; i++)
        store_sample(store, &samples[i]);
    must(&f, store_flush(store, &f.err));
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.sample_count, 3);
    for (int i = 0; i < 3; i++)
        assert_same(&run.samples[i], &samples[i]);
    store_close(store);
    fixture_close(&f);
}

static void test_more_than_a_batch_arrives_without_being_asked(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));

    for (uint32_t i = 0; i < 2500; i++) {
        struct Sample sample = make_sample(i % 2, i / 2);
        store_sample(store, &sample);
    }
    assert_int_equal(fixture_read(&f).sample_count, 2000);
    must(&f, fixture_end(&f, store, VERDICT_PASS)); /* flushes */

    struct RunRecord run = fixture_read(&f);
    assert_int_equal(run.sample_count, 2500);
    for (uint32_t i = 0; i < 2500; i++) {
        struct Sample sample = make_sample(i % 2, i / 2);
        assert_same(&run.samples[i], &sample);
    }
    store_close(store);
    fixture_close(&f);
}

static void test_answers_out_of_order_are_put_in_the_order_of_time(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    static const uint32_t order[] = {0, 2, 1, 3};

    for (int i = 0; i < 4; i++) {
        struct Sample a = make_sample(0, order[i]);
        struct Sample b = make_sample(1, (uint32_t)i);
        store_sample(store, &a);
        store_sample(store, &b);
    }
    must(&f, store_flush(store, &f.err));
    struct RunRecord run = fixture_read(&f);

    uint32_t next[2] = {0, 0};
    assert_int_equal(run.sample_count, 8);
    for (size_t i = 0; i < run.sample_count; i++)
        assert_int_equal(run.samples[i].sequence, next[run.samples[i].probe]++);
    store_close(store);
    fixture_close(&f);
}

static void test_census_and_found_numbers_come_back(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    struct Census census = {.probe = 3,
                            .host = 2,
                            .asked = {FIXTURE_MONO - 4},
                            .answered = {FIXTURE_MONO + 5},
                            .rank = RANK_PRIMARY,
                            .epoch = "17"};
    memset(census.identity, 'x', sizeof(census.identity) - 1);
    struct Found found = {.probe = 1, .host = 2, .writer = 3, .number = UINT64_MAX - 2};

    for (int i = 0; i < 1001; i++) {
        store_census(store, &census);
        store_found(store, &found);
    }
    must(&f, store_flush(store, &f.err));
    struct RunRecord run = fixture_read(&f);

    assert_int_equal(run.census_count, 1001);
    assert_memory_equal(&run.census[1000], &census, sizeof(census));
    assert_int_equal(run.found_count, 1001);
    assert_int_equal(run.found[1000].probe, 1);
    assert_int_equal(run.found[1000].host, 2);
    assert_int_equal(run.found[1000].writer, 3);
    assert_true(run.found[1000].number == UINT64_MAX - 2);
    store_close(store);
    fixture_close(&f);
}

static void test_two_runs_side_by_side_keep_their_own(void **state)
{
    (void)state;
    struct Fixture f;
    struct Fixture g;
    fixture_open(&f);
    struct Store *one = fixture_store(&f);
    struct Store *two = fixture_store(&f);
    must(&f, fixture_begin(&f, one, "01one"));
    g = f;
    must(&g, fixture_begin(&g, two, "01two"));

    for (uint32_t i = 0; i < 10; i++) {
        struct Sample sample = make_sample(0, i);
        store_sample(one, &sample);
        must(&f, store_flush(one, &f.err));
        sample.code = 500;
        store_sample(two, &sample);
        store_sample(two, &sample);
        must(&g, store_flush(two, &g.err));
    }

    struct RunRecord run = fixture_read(&f);
    assert_int_equal(run.sample_count, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(run.samples[i].code, 200);
    assert_int_equal(fixture_read(&g).sample_count, 20);
    store_close(one);
    store_close(two);
    fixture_close(&f);
}

/* Somebody holds the database for longer than we wait. */
static void test_a_run_that_lost_samples_never_ends_as_a_pass(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01run"));
    char path[128];
    snprintf(path, sizeof(path), "%s/history.db", f.folder);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_busy_timeout(store->db, 20); /* need not be 5 s here */
    struct Sample sample = make_sample(0, 0);
    store_sample(store, &sample);

    assert_false(store_flush(store, &f.err));
    assert_non_null(strstr(f.err.message, "locked for more than 5 s"));
    sqlite3_close(other);
    sample = make_sample(0, 1);
    store_sample(store, &sample);
    assert_false(store_flush(store, &f.err)); /* remembered */
    must(&f, fixture_end(&f, store, VERDICT_PASS));

    struct RunRecord run = fixture_read(&f);
    assert_int_equal(run.ended_as, VERDICT_OWN_FAILURE);
    assert_non_null(strstr(run.why, "samples were lost on the way to the store: another process"));
    assert_int_equal(run.sample_count, 1);
    assert_int_equal(run.samples[0].sequence, 1);
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_value_of_a_sample_comes_back),
        cmocka_unit_test(test_more_than_a_batch_arrives_without_being_asked),
        cmocka_unit_test(test_answers_out_of_order_are_put_in_the_order_of_time),
        cmocka_unit_test(test_census_and_found_numbers_come_back),
        cmocka_unit_test(test_two_runs_side_by_side_keep_their_own),
        cmocka_unit_test(test_a_run_that_lost_samples_never_ends_as_a_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
