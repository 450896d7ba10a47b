/* base_units_test.c - durations, sizes, shares and rates are read exactly and said honestly. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "../../runner/base/clock.h"
#include "../../runner/base/duration.h"
#include "../../runner/base/err.h"

#define S NS_PER_S
#define MS NS_PER_MS

static void assert_duration(const char *text, int64_t expected)
{
    int64_t ns = -1;
    assert_true(duration_parse(text, &ns, NULL));
    assert_true(ns == expected);
}

static void assert_no_duration(const char *text, const char *reason)
{
    int64_t ns = -1;
    const char *why = "";
    assert_false(duration_parse(text, &ns, &why));
    assert_string_equal(why, reason);
    assert_true(ns == -1);
    assert_false(duration_parse(text, &ns, NULL));
}

static void test_durations_are_read(void **state)
{
    (void)state;
    assert_duration("500ms", 500 * MS);
    assert_duration("30s", 30 * S);
    assert_duration("1m30s", 90 * S);
    assert_duration("2h", 7200 * S);
    assert_duration("7d", 604800 * S);
    assert_duration("0s", 0);
    assert_duration("1.5s", 1500 * MS);
    assert_duration("1m0.25s", 60250 * MS);
    assert_duration("20us", 20000);
    assert_duration("1d2h3m4s5ms6us7ns", 93784 * S + 5 * MS + 6007);
    assert_duration("106751d", 106751LL * 86400 * S);
}

static void test_what_is_no_duration_says_why(void **state)
{
    (void)state;
    assert_no_duration("30", "a duration needs a unit, like 30s");
    assert_no_duration("0", "a duration needs a unit, like 30s");
    assert_no_duration("", "a duration is a number and a unit, like 30s");
    assert_no_duration("s", "a duration is a number and a unit, like 30s");
    assert_no_duration("-5s", "a duration is not negative");
    assert_no_duration("200 ms", "the units are ms, s, m, h and d");
    assert_no_duration("5min", "the units are ms, s, m, h and d");
    assert_no_duration("5M", "the units are ms, s, m, h and d");
    assert_no_duration("30s1m", "larger units come first, like 1m30s");
    assert_no_duration("1s1s", "larger units come first, like 1m30s");
    assert_no_duration("1.5m30s", "only the last number may have a point");
    assert_no_duration("1s ", "a duration is a number and a unit, like 30s");
    assert_no_duration("0.0000000001s", "it is finer than can be kept");
    assert_no_duration("0.5ns", "it is finer than can be kept");
    assert_no_duration("106752d", "it is too large");
    assert_no_duration("99999999999999999999s", "it is too large");
    assert_no_duration("1e3s", "the units are ms, s, m, h and d");
    assert_no_duration("1.s", "the units are ms, s, m, h and d");
}

static void test_sizes_shares_rates_and_numbers_are_read(void **state)
{
    int64_t value = 0;
    (void)state;
    assert_true(size_parse("64MiB", &value, NULL) && value == 64 << 20);
    assert_true(size_parse("10MB", &value, NULL) && value == 10000000);
    assert_true(size_parse("512 B", &value, NULL) && value == 512);
    assert_true(size_parse("1.5KiB", &value, NULL) && value == 1536);
    assert_false(size_parse("512", &value, NULL));
    assert_false(size_parse("512b", &value, NULL));
    assert_false(size_parse("512  B", &value, NULL));
    assert_true(share_parse("34%", &value, NULL) && value == 340000);
    assert_true(share_parse("0.5%", &value, NULL) && value == 5000);
    assert_true(share_parse("0.0001%", &value, NULL) && value == 1);
    assert_false(share_parse("0.00001%", &value, NULL));
    assert_false(share_parse("34", &value, NULL));
    assert_false(share_parse("34 %", &value, NULL));
    assert_true(rate_parse("20/s", &value, NULL) && value == 50 * MS);
    assert_true(rate_parse("0.5/s", &value, NULL) && value == 2 * S);
    assert_true(rate_parse("90/m", &value, NULL) && value == 666666667);
    assert_false(rate_parse("0/s", &value, NULL));
    assert_false(rate_parse("20", &value, NULL));
    assert_false(rate_parse("20/d", &value, NULL));
    assert_true(bits_parse("1Mbit/s", &value, NULL) && value == 1000000);
    assert_true(bits_parse("1.5kbit/s", &value, NULL) && value == 1500);
    assert_true(bits_parse("8bit/s", &value, NULL) && value == 8);
    assert_false(bits_parse("1Mbit", &value, NULL));
    assert_false(bits_parse("1MB/s", &value, NULL));
    assert_false(bits_parse("1000", &value, NULL));
    assert_false(bits_parse("0.5bit/s", &value, NULL));
    assert_true(int_parse("-12", &value, NULL) && value == -12);
    assert_true(int_parse("-9223372036854775808", &value, NULL) && value == INT64_MIN);
    assert_false(int_parse("9223372036854775808", &value, NULL));
    assert_false(int_parse("012", &value, NULL));
    assert_false(int_parse("+1", &value, NULL));
    assert_false(int_parse("-0", &value, NULL));
    assert_false(int_parse("1 ", &value, NULL));
    assert_false(int_parse("", &value, NULL));
}

static void test_what_was_written_reads_back_the_same(void **state)
{
    static const int64_t values[] = {
        0, 1, 999, MS, 1500 * MS, 90 * S, 3600 * S, 86400 * S, 93784 * S + 5 * MS, INT64_MAX};
    (void)state;
    for (size_t n = 0; n < COUNT_OF(values); n++) {
        char text[32];
        duration_write(values[n], text);
        if (values[n] < 200LL * 365 * 86400 * S)
            assert_duration(text, values[n]);
    }
    char text[32];
    duration_write(90 * S, text);
    assert_string_equal(text, "1m30s");
    duration_write(250 * MS, text);
    assert_string_equal(text, "250ms");
    duration_write(-90 * S, text);
    assert_string_equal(text, "-1m30s");
}

static void assert_said(int64_t ns, const char *expected)
{
    char text[32];
    duration_say(ns, text);
    assert_string_equal(text, expected);
}

static void test_durations_are_said_for_people(void **state)
{
    (void)state;
    assert_said(3200 * MS, "3.2 s");
    assert_said(450 * MS, "450 ms");
    assert_said(2500 * NS_PER_US, "2.5 ms");
    assert_said(0, "0 ms");
    assert_said(125 * S, "2 min 05 s");
    assert_said(120 * S, "2 min");
    assert_said(15 * S, "15 s");
    assert_said(3840 * S, "1 h 04 min");
    assert_said(26 * 3600 * S, "26 h");
    assert_said(74 * 3600 * S, "3 d 02 h");
    assert_said(999999999, "1.0 s");
    assert_said(59990 * MS, "1 min");
    assert_said(-5, "0 ms");
    assert_said(NS_NEVER, "for ever");
}

static void assert_span(int64_t low, int64_t high, const char *expected)
{
    char text[64];
    span_say(low, high, text);
    assert_string_equal(text, expected);
}

static void test_spans_never_say_more_than_is_known(void **state)
{
    (void)state;
    assert_span(3200 * MS, 4100 * MS, "3.2-4.1 s");
    assert_span(3299 * MS, 4001 * MS, "3.2-4.1 s");
    assert_span(8900 * MS, 8900 * MS, "8.9 s");
    assert_span(8910 * MS, 8920 * MS, "8.9-9.0 s");
    assert_span(30 * S, NS_NEVER, "> 30.0 s");
    assert_span(130 * S, NS_NEVER, "> 2 min 10 s");
    assert_span(420 * MS, 449500 * NS_PER_US, "420-450 ms");
    assert_span(0, 900 * NS_PER_US, "0-0.9 ms");
    assert_span(65 * S, 70 * S, "65.0-70.0 s");
    assert_span(124500 * MS, 130100 * MS, "2 min 04 s to 2 min 11 s");
    assert_span(3600 * S, 3661 * S, "1 h to 1 h 02 min");
    assert_span(-5, 100 * MS, "0-100 ms");
    assert_span(5 * S, 4 * S, "5.0 s");
}

static void assert_share(int64_t millionths, const char *expected)
{
    char text[16];
    share_say(millionths, text);
    assert_string_equal(text, expected);
}

static void test_shares_and_counts_are_said_for_people(void **state)
{
    (void)state;
    assert_share(22000, "2.2 %");
    assert_share(60000, "6 %");
    assert_share(0, "0 %");
    assert_share(50, "< 0.01 %");
    assert_share(420, "0.04 %");
    assert_share(999999, "99.9 %");
    assert_share(1000000, "100 %");
    assert_share(INT64_MAX, "> 999900 %");
    char text[32];
    count_say(41210, text);
    assert_string_equal(text, "41 210");
    count_say(999, text);
    assert_string_equal(text, "999");
    count_say(UINT64_MAX, text);
    assert_string_equal(text, "18 446 744 073 709 551 615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_are_read),
        cmocka_unit_test(test_what_is_no_duration_says_why),
        cmocka_unit_test(test_sizes_shares_rates_and_numbers_are_read),
        cmocka_unit_test(test_what_was_written_reads_back_the_same),
        cmocka_unit_test(test_durations_are_said_for_people),
        cmocka_unit_test(test_spans_never_say_more_than_is_known),
        cmocka_unit_test(test_shares_and_counts_are_said_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
