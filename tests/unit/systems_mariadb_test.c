/* systems_mariadb_test.c - of several MariaDB, who is promoted and who is not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/systems/galera.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/systems/mariadb_system.h"

static const struct Target one = {.name = "one"}, two = {.name = "two"}, three = {.name = "three"};
static const struct Target *const list[] = {&one, &two, &three};
static const struct Role role = {
    .name = "db", .hosts = (const struct Target **)(uintptr_t)list, .host_count = 3};

/* ---- lists of GTID ---- */

static void test_what_another_server_logged_is_not_covered_by_number_alone(void **state)
{
    (void)state;

    assert_int_equal(gtid_covers("0-1-9,0-2-12", "", "0-1-9,0-2-11"), KNOWN_YES);
    assert_int_equal(gtid_covers("0-2-100", "", "0-1-9"), KNOWN_NO);
    assert_int_equal(gtid_covers("0-1-8", "", "0-1-9"), KNOWN_NO);
    assert_int_equal(gtid_covers("0-1-8", "0-1-9", "0-1-9"), KNOWN_YES);
    assert_int_equal(gtid_covers("0-1-9", "", "1-1-1"), KNOWN_NO);
    assert_int_equal(gtid_covers("", "", ""), KNOWN_YES);
}

static void test_what_is_no_list_is_unknown(void **state)
{
    static const char *const wrong[] = {"x",      "0-1",    "0-1-",  "0-1-2-3",
                                        "0-1-2;", "-1-1-1", "0--1-2"};
    char cut_off[MARIADB_POSITION_MAX] = "";
    (void)state;
    memset(cut_off, '1', sizeof(cut_off) - 1);

    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        assert_int_equal(gtid_covers("0-1-9", "", wrong[n]), KNOWN_UNKNOWN);
        assert_int_equal(gtid_covers(wrong[n], "", "0-1-9"), KNOWN_UNKNOWN);
        assert_int_equal(gtid_later(wrong[n], "0-1-9"), KNOWN_UNKNOWN);
    }
    assert_int_equal(gtid_covers(cut_off, "", "0-1-9"), KNOWN_UNKNOWN);
    assert_int_equal(gtid_covers("0-1-9", "", cut_off), KNOWN_UNKNOWN);
}

static void test_who_followed_further_was_promoted_later(void **state)
{
    (void)state;

    assert_int_equal(gtid_later("0-1-9", ""), KNOWN_YES);
    assert_int_equal(gtid_later("0-2-10", "0-1-9"), KNOWN_YES);
    assert_int_equal(gtid_later("0-1-9", "0-1-9"), KNOWN_NO);
    assert_int_equal(gtid_later("0-1-8", "0-1-9"), KNOWN_NO);
    assert_int_equal(gtid_later("0-1-9,1-1-1", "0-1-8,1-1-2"), KNOWN_UNKNOWN);
}

/* ---- who is promoted ---- */

static struct MariadbLook replica(const char *log, const char *received)
{
    struct MariadbLook look = {.says = true,
                               .shows = true,
                               .read_only = true,
                               .logs_all = true,
                               .connections = 1,
                               .by_gtid = true,
                               .applies = true};
    snprintf(look.log, sizeof(look.log), "%s", log);
    snprintf(look.received, sizeof(look.received), "%s", received);
    return look;
}

static const struct MariadbLook gone = {.refused = true};

/* "" or why nobody is. */
static const char *chosen(const struct MariadbLook hosts[3], const struct FailoverWish *wish,
                          size_t *best)
{
    static char why[300];
    why[0] = '\0';
    *best = mariadb_choose(&role, hosts, wish, why, sizeof(why));
    return *best < role.host_count ? "" : why;
}

static void test_who_received_most_is_promoted(void **state)
{
    const struct MariadbLook hosts[] = {gone, replica("0-1-5", "0-1-7"), replica("0-1-6", "0-1-9")};
    const struct FailoverWish wish = {.to = NULL}, named = {.to = &two};
    size_t best = 0;
    (void)state;

    assert_string_equal(chosen(hosts, &wish, &best), "");
    assert_int_equal(best, 2);
    assert_string_equal(chosen(hosts, &named, &best),
                        "three has more than two, which is named: what it alone has would be lost");
}

static void test_nobody_is_promoted_where_each_has_what_another_has_not(void **state)
{
    const struct MariadbLook hosts[] = {gone, replica("0-1-5,0-2-6", "0-1-5"),
                                        replica("0-1-9", "0-1-9")};
    const struct FailoverWish wish = {.forced = true};
    size_t best = 0;
    (void)state;

    assert_string_equal(chosen(hosts, &wish, &best),
                        "each replica has what another has not, by GTID: what one of them alone "
                        "has would be lost");
}

static void test_nobody_is_promoted_beside_one_that_may_lead(void **state)
{
    struct MariadbLook hosts[] = {gone, replica("0-1-5", "0-1-7"), replica("0-1-6", "0-1-9")};
    const struct FailoverWish wish = {.forced = true};
    size_t best = 0;
    (void)state;

    hosts[0] = (struct MariadbLook){.says = true, .shows = true};
    assert_non_null(strstr(chosen(hosts, &wish, &best), "one is a primary that runs"));
    hosts[0].read_only = true;
    assert_string_equal(chosen(hosts, &wish, &best),
                        "one runs, follows nobody, and may be a primary soon");
    hosts[0] = (struct MariadbLook){.error = "1045: Access denied"};
    assert_string_equal(chosen(hosts, &wish, &best),
                        "one lives and may be a primary: it says 1045: Access denied");
    hosts[0] = gone;
    hosts[2].read_only = false;
    assert_non_null(strstr(chosen(hosts, &wish, &best), "three is a primary that runs"));
}

static void test_who_could_not_be_followed_is_not_promoted(void **state)
{
    struct MariadbLook hosts[] = {gone, replica("0-1-5", "0-1-7"), gone};
    const struct FailoverWish wish = {.to = NULL}, named = {.to = &two};
    size_t best = 0;
    (void)state;

    hosts[1].by_gtid = false;
    assert_string_equal(chosen(hosts, &wish, &best), "no replica answers that could be promoted");
    hosts[1].by_gtid = true;
    hosts[1].logs_all = false;
    assert_string_equal(chosen(hosts, &named, &best), "no replica answers that could be promoted");
}

static void test_only_its_own_undo_gives_it_back_its_writes(void **state)
{
    (void)state;

    assert_true(mariadb_system.returns_safely(NULL, false));
    assert_false(mariadb_system.returns_safely(NULL, true));
    assert_non_null(mariadb_system.left_as);
}

/* ---- a host's own word ---- */

static void test_only_a_plain_word_says_that_it_is_stopped(void **state)
{
    struct Answer answer = {.end = CALL_ANSWERED, .bytes = "stopped\n", .size = 8};
    (void)state;

    assert_int_equal(mariadb_runs(&answer), KNOWN_NO);
    answer.bytes = "runs\n";
    assert_int_equal(mariadb_runs(&answer), KNOWN_YES);
    answer.bytes = "";
    assert_int_equal(mariadb_runs(&answer), KNOWN_UNKNOWN);
    answer = (struct Answer){.end = CALL_RESET, .bytes = "stopped\n", .size = 8};
    assert_int_equal(mariadb_runs(&answer), KNOWN_UNKNOWN);
    answer = (struct Answer){.end = CALL_ANSWERED, .code = 1, .bytes = "stopped\n", .size = 8};
    assert_int_equal(mariadb_runs(&answer), KNOWN_UNKNOWN);
}

/* ---- Galera ---- */

static void test_a_node_that_names_nobody_begins_a_cluster_of_its_own(void **state)
{
    (void)state;

    assert_true(galera_joins("gcomm://10.0.0.1,10.0.0.2"));
    assert_true(galera_joins("gcomm://db-2:4567?pc.wait_prim=yes"));
    assert_false(galera_joins("gcomm://"));
    assert_false(galera_joins("gcomm://?pc.bootstrap=1"));
    assert_false(galera_joins(""));
    assert_false(galera_joins(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_another_server_logged_is_not_covered_by_number_alone),
        cmocka_unit_test(test_what_is_no_list_is_unknown),
        cmocka_unit_test(test_who_followed_further_was_promoted_later),
        cmocka_unit_test(test_who_received_most_is_promoted),
        cmocka_unit_test(test_nobody_is_promoted_where_each_has_what_another_has_not),
        cmocka_unit_test(test_nobody_is_promoted_beside_one_that_may_lead),
        cmocka_unit_test(test_who_could_not_be_followed_is_not_promoted),
        cmocka_unit_test(test_only_its_own_undo_gives_it_back_its_writes),
        cmocka_unit_test(test_only_a_plain_word_says_that_it_is_stopped),
        cmocka_unit_test(test_a_node_that_names_nobody_begins_a_cluster_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
