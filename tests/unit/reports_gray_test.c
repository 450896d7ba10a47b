/* reports_gray_test.c - how long clients failed while who led said that it leads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/analyse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/model/system.h"
#include "../fakes/run_sample.h"

#define MS NS_PER_MS
#define DOWN_MS 20000
#define BACK_MS 35000

static int setup(void **state)
{
    *state = arena_new("test", (size_t)1 << 30);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct Mono at_ms(int64_t ms)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ms * MS};
}

/* db-1 is cut off from the clients, who are not served from DOWN_MS to BACK_MS; it leads, but not
 * between these two: then it says nothing. */
static struct RunSample *cut_off(struct Arena *arena, int64_t silent_ms, int64_t heard_ms)
{
    struct RunSample *run = run_sample_new(arena, 1);
    struct RunProbe *probe = run_sample_probe(run, "db", "primary");
    probe->role = "db";
    probe->is_primary = true;
    probe->interval_ns = 250 * MS;
    run_sample_probe(run, "writes", "sql")->role = "db";
    struct RunFault *fault = run_sample_fault(run, DOWN_MS * MS, BACK_MS * MS);
    fault->host = "db-1";
    fault->role = "db";
    const struct Outage down = {DOWN_MS * MS, BACK_MS * MS, DOWN_REFUSED};
    run_sample_attempts(run, 0, NULL, 0);
    run_sample_attempts(run, 1, &down, 1);
    struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
    *system = (struct RunSystem){
        .role = "db", .system = "mariadb", .primary_before = "db-1", .primary_after = "db-1"};
    for (int64_t ms = 100; ms < 95000; ms += 250) {
        bool silent = ms >= silent_ms && ms < heard_ms;
        struct Census *census = list_add(&run->census, run->arena, sizeof(*census));
        *census = (struct Census){.asked = at_ms(ms),
                                  .answered = at_ms(ms + 2),
                                  .rank = silent ? RANK_UNKNOWN : RANK_PRIMARY,
                                  .identity = "run"};
    }
    return run;
}

static struct Report analysed(struct RunSample *run)
{
    struct Report report;
    analyse(run_sample_done(run), NULL, 0, run->arena, &report);
    return report;
}

static bool says_gray(const struct Report *report)
{
    for (size_t n = 0; n < report->finding_count; n++)
        if (strstr(report->findings[n].text, "gray window") != NULL)
            return true;
    return false;
}

static void test_clients_fail_and_nobody_sees_it(void **state)
{
    struct Report report = analysed(cut_off(*state, 0, 0));

    const struct PrimaryResult *db = &report.primaries[0];
    assert_string_equal(db->gray_of->name, "writes");
    assert_true(db->gray.low_ns >= 14500 * MS && db->gray.low_ns <= 15000 * MS);
    assert_true(db->gray.high_ns >= 15000 * MS && db->gray.high_ns <= 15500 * MS);
    assert_true(says_gray(&report));
}

static void test_time_in_which_it_did_not_say_so_does_not_count(void **state)
{
    struct Report report = analysed(cut_off(*state, 25000, 31000));

    const struct PrimaryResult *db = &report.primaries[0];
    assert_true(db->gray.low_ns >= 4500 * MS && db->gray.low_ns <= 5000 * MS);
    assert_true(db->gray.high_ns >= 15000 * MS && db->gray.high_ns <= 15500 * MS); /* perhaps */
}

static void test_what_it_did_not_say_at_all_is_none(void **state)
{
    struct Report report = analysed(cut_off(*state, 19000, 37000));

    assert_null(report.primaries[0].gray_of);
    assert_int_equal(report.primaries[0].gray.high_ns, 0);
    assert_false(says_gray(&report));
}

/* Killed and up again: clients are late, and it was dead before. */
static void test_who_was_dead_and_is_back_is_none(void **state)
{
    struct Report report = analysed(cut_off(*state, 19900, 25000));

    assert_null(report.primaries[0].gray_of);
}

static void test_what_is_shorter_than_a_second_is_none(void **state)
{
    struct Report report = analysed(cut_off(*state, 20500, 37000));

    assert_null(report.primaries[0].gray_of);
}

static void test_what_the_control_plane_saw_is_none(void **state)
{
    struct RunSample *run = cut_off(*state, 0, 0);
    struct RunSystem *system = run->systems.items;
    system->detected_low = at_ms(22000);
    system->detected_high = at_ms(23000);
    struct Report report = analysed(run);

    assert_null(report.primaries[0].gray_of);
}

static void test_who_took_over_saw_it(void **state)
{
    struct RunSample *run = cut_off(*state, 0, 0);
    struct RunSystem *system = run->systems.items;
    system->primary_after = "db-2";
    struct Report report = analysed(run);

    assert_null(report.primaries[0].gray_of);
}

static void test_who_leads_at_the_end_must_be_known(void **state)
{
    struct RunSample *run = cut_off(*state, 0, 0);
    ((struct RunSystem *)run->systems.items)->primary_after = NULL;
    struct Report report = analysed(run);

    assert_null(report.primaries[0].gray_of);
}

static void test_a_fault_elsewhere_is_not_the_primary_s(void **state)
{
    struct RunSample *run = cut_off(*state, 0, 0);
    ((struct RunFault *)run->faults.items)->host = "api-1";
    struct Report report = analysed(run);

    assert_null(report.primaries[0].gray_of);
}

static void test_a_control_is_no_client(void **state)
{
    struct RunSample *run = cut_off(*state, 0, 0);
    ((struct RunProbe *)run->probes.items)[1].control = true;
    struct Report report = analysed(run);

    assert_null(report.primaries[0].gray_of);
}

static void test_a_client_of_another_role_is_none_of_it(void **state)
{
    struct RunSample *run = cut_off(*state, 0, 0);
    ((struct RunProbe *)run->probes.items)[1].role = "queue";
    struct Report report = analysed(run);

    assert_null(report.primaries[0].gray_of);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_clients_fail_and_nobody_sees_it),
        TEST(test_time_in_which_it_did_not_say_so_does_not_count),
        TEST(test_what_it_did_not_say_at_all_is_none),
        TEST(test_who_was_dead_and_is_back_is_none),
        TEST(test_what_is_shorter_than_a_second_is_none),
        TEST(test_what_the_control_plane_saw_is_none),
        TEST(test_who_took_over_saw_it),
        TEST(test_who_leads_at_the_end_must_be_known),
        TEST(test_a_fault_elsewhere_is_not_the_primary_s),
        TEST(test_a_control_is_no_client),
        TEST(test_a_client_of_another_role_is_none_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
