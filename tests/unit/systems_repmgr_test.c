/* systems_repmgr_test.c - repmgr.conf is read, who takes over is chosen, its word is understood. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/systems/repmgr.h"

static const struct Target one = {.name = "one", .address = "10.0.0.1"},
                           two = {.name = "two", .address = "10.0.0.2"},
                           three = {.name = "three", .address = "10.0.0.3"};
static const struct Target *const list[] = {&one, &two, &three};
static const struct Role role = {.name = "db", .hosts = list, .host_count = 3};

static void test_a_file_that_says_little_is_as_repmgr_has_it(void **state)
{
    struct RepmgrSettings read;
    (void)state;
    repmgr_read_settings("repmgr\n", &read);
    assert_true(read.known && !read.automatic); /* failover=manual is the default */
    assert_int_equal(read.attempts, 6);
    assert_int_equal(read.interval_s, 10);

    repmgr_read_settings("repmgr\nfailover automatic\nreconnect_attempts 3\nreconnect_interval 2\n"
                         "primary_visibility_consensus true\npriority 0\nreconnect_attempts 4\n",
                         &read);
    assert_true(read.automatic && read.consensus);
    assert_int_equal(read.attempts, 4); /* the last one counts */
    assert_int_equal(read.interval_s, 2);
    assert_int_equal(read.priority, 0);

    repmgr_read_settings("repmgr\nincludes\nfailover automatic\n",
                         &read); /* of what else it says */
    assert_true(read.includes && !read.known);

    repmgr_read_settings("", &read); /* no file, no answer */
    assert_false(read.known);
}

static void test_the_range_is_that_of_the_attempts(void **state)
{
    struct Forecast forecast;
    (void)state;
    const int64_t defaults[] = {6, 10 * NS_PER_S, 2 * NS_PER_S, 2 * NS_PER_S};
    repmgr_knobs.foretell(defaults, &forecast);
    assert_true(forecast.failover.low_ns == 50 * NS_PER_S);
    assert_true(forecast.failover.high_ns >= 60 * NS_PER_S);
    assert_int_equal(forecast.stays_primary, KNOWN_YES);
    assert_true(forecast.acked.low_ns == NS_NEVER);

    const int64_t unknown[] = {6, KNOB_UNKNOWN, 2 * NS_PER_S, 2 * NS_PER_S};
    repmgr_knobs.foretell(unknown, &forecast);
    assert_true(forecast.failover.high_ns == NS_NEVER);
}

static size_t chosen(const struct HostLook *hosts, const struct FailoverWish *wish, char *why)
{
    return repmgr_choose(&role, hosts, wish, why, 300);
}

static void test_who_has_most_takes_over_and_nobody_past_a_silent_host(void **state)
{
    char why[300];
    (void)state;
    struct HostLook hosts[] = {
        {.answered = true, .location = 90},
        {.answered = true, .replica = true, .receives = true, .location = 80},
        {.answered = true, .replica = true, .receives = true, .location = 85}};
    struct FailoverWish any = {.to = NULL}, named = {.to = &two}, forced = {.forced = true};

    assert_int_equal(chosen(hosts, &any, why), 2);
    assert_int_equal(chosen(hosts, &named, why), 1); /* the stop hands the whole log over */
    assert_int_equal(chosen(hosts, &forced, why), 3);
    assert_non_null(strstr(why, "never forced"));

    hosts[1].receives = false;
    assert_int_equal(chosen(hosts, &named, why), 3);
    assert_string_equal(why, "two does not follow the primary");
    hosts[1] = (struct HostLook){.refused = true};
    assert_int_equal(chosen(hosts, &any, why), 3);
    assert_string_equal(why, "two does not answer");
    hosts[1] = (struct HostLook){.answered = true, .location = 70};
    assert_int_equal(chosen(hosts, &any, why), 3);
    assert_string_equal(why, "2 hosts say that they are the primary");
}

static enum Known heard(enum CallEnd end, int code, const char *said, char *why)
{
    return repmgr_switched(
        &(struct Answer){.end = end, .code = code, .bytes = said, .size = strlen(said)}, why, 300);
}

/* Only what changed nothing is a no. */
static void test_what_the_host_says_of_its_switchover(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(heard(CALL_ANSWERED, 0, "switched\n", why), KNOWN_YES);
    assert_int_equal(heard(CALL_ANSWERED, 0, "incomplete: it does not follow\n", why), KNOWN_YES);
    assert_int_equal(heard(CALL_ANSWERED, 0, "refused: no ssh\n", why), KNOWN_NO);
    assert_string_equal(why, "repmgr: no ssh");
    assert_int_equal(heard(CALL_ANSWERED, 0, "failed: it stays up\n", why), KNOWN_UNKNOWN);
    assert_string_equal(why, "repmgr's switchover failed: it stays up");
    assert_int_equal(heard(CALL_ANSWERED, 0, "runs\n", why), KNOWN_UNKNOWN);
    assert_int_equal(heard(CALL_ANSWERED, 0, "paused: switched\n", why), KNOWN_UNKNOWN);
    assert_string_equal(why, "it switched; and repmgrd may be paused: `repmgr service unpause`");
    assert_int_equal(heard(CALL_ANSWERED, 127, "", why), KNOWN_UNKNOWN);
    assert_int_equal(heard(CALL_RESET, 0, "", why), KNOWN_UNKNOWN);
}

static bool ready(enum CallEnd end, int code, const char *said, char *why)
{
    return repmgr_is_ready(
        &(struct Answer){.end = end, .code = code, .bytes = said, .size = strlen(said)}, why, 300);
}

static void test_nothing_is_begun_but_after_a_yes(void **state)
{
    char why[300];
    (void)state;
    assert_true(ready(CALL_ANSWERED, 0, "ready\n", why));
    assert_false(ready(CALL_ANSWERED, 0, "refused: no ssh\n", why));
    assert_string_equal(why, "repmgr: no ssh");
    assert_false(ready(CALL_ANSWERED, 0, "", why));
    assert_non_null(strstr(why, "nothing was begun"));
    assert_false(ready(CALL_ANSWERED, 127, "ready\n", why));
    assert_false(ready(CALL_RESET, 0, "ready\n", why));
}

static void name_primary(struct RepmgrLook *look, const char *text)
{
    snprintf(look->primary, sizeof(look->primary), "%s", text);
}

static void test_its_tables_name_one_primary_or_none(void **state)
{
    (void)state;
    struct RepmgrLook look = {.answered = true, .primary_count = 1};
    name_primary(&look, "node-b 10.0.0.2");
    assert_int_equal(repmgr_primary(&role, &look), 1);
    name_primary(&look, "three db3.example.net");
    assert_int_equal(repmgr_primary(&role, &look), 2);
    name_primary(&look, "node-b 10.0.0.20");
    assert_int_equal(repmgr_primary(&role, &look), 3);
    look.primary_count = 2;
    name_primary(&look, "one 10.0.0.1 two 10.0.0.2");
    assert_int_equal(repmgr_primary(&role, &look), 3);
    look.answered = false;
    assert_int_equal(repmgr_primary(&role, &look), 3);
}

static void test_tables_that_name_another_primary_are_said(void **state)
{
    char out[300];
    struct RepmgrLook look = {.answered = true, .primary_count = 1};
    (void)state;
    name_primary(&look, "node-b 10.0.0.2");
    assert_false(repmgr_differs(&role, &look, 1, 0, out, sizeof(out)));
    assert_false(repmgr_differs(&role, &look, 3, 0, out, sizeof(out))); /* nobody knows */
    assert_true(repmgr_differs(&role, &look, 2, 0, out, sizeof(out)));
    assert_string_equal(out, "repmgr on one takes two for the primary, and PostgreSQL three");
    look.primary_count = 0;
    assert_true(repmgr_differs(&role, &look, 1, 0, out, sizeof(out)));
    assert_string_equal(out, "repmgr on one names no primary of this role");
}

/* A former primary is looked after twice: it comes back as a replica, and repmgr is told. */
static void test_a_former_primary_is_registered_after_its_rejoin(void **state)
{
    struct Arena *arena = *state;
    struct Err err = {.code = ERR_OWN};
    struct RepmgrConfig config = {
        .postgres = {.access = {.db_port = 5432}, .config_file = "/c", .rewind = "user=r"},
        .file = "/etc/repmgr.conf"};
    struct Role db = role;
    db.service.start = "start-it";
    struct PlanInput input = {.target = &one, .role = &db};
    struct Commands out;

    assert_true(repmgr_plan_rejoin(&config, &input, arena, &out, &err));

    assert_int_equal(out.count, 2);
    assert_string_equal(out.at[0].argv[3], "rejoin");
    assert_string_equal(out.at[0].argv[7], "20"); /* a promotion that is under way has its time */
    assert_string_equal(out.at[1].argv[4], "register");
    assert_string_equal(out.at[1].argv[5], "/etc/repmgr.conf");
    input.leave_stopped = true;
    assert_true(repmgr_plan_rejoin(&config, &input, arena, &out, &err));
    assert_int_equal(out.count, 0);
}

static int begin(void **state)
{
    *state = arena_new("repmgr", 1u << 20);
    return 0;
}

static int end(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_that_says_little_is_as_repmgr_has_it),
        cmocka_unit_test(test_the_range_is_that_of_the_attempts),
        cmocka_unit_test(test_who_has_most_takes_over_and_nobody_past_a_silent_host),
        cmocka_unit_test(test_what_the_host_says_of_its_switchover),
        cmocka_unit_test(test_nothing_is_begun_but_after_a_yes),
        cmocka_unit_test(test_its_tables_name_one_primary_or_none),
        cmocka_unit_test(test_tables_that_name_another_primary_are_said),
        cmocka_unit_test(test_a_former_primary_is_registered_after_its_rejoin),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
