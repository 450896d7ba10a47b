/* base_text_test.c - strings, buffers, tables, JSON and hashes: what goes in comes out whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "../../runner/base/arena.h"
#include "../../runner/base/err.h"
#include "../../runner/base/json.h"
#include "../../runner/base/table.h"
#include "../../runner/base/text.h"
#include "../../runner/base/ulid.h"

static void test_names_have_letters_digits_and_underscores(void **state)
{
    (void)state;
    assert_true(text_is_name("redis_2", false));
    assert_false(text_is_name("redis-2", false));
    assert_true(text_is_name("redis-2", true));
    assert_false(text_is_name("2redis", true));
    assert_false(text_is_name("_x", true));
    assert_false(text_is_name("", true));
    assert_false(text_is_name("a.b", true));
    assert_true(text_same_name("a-b_c", "a_b-c"));
    assert_false(text_same_name("a-b", "a-bc"));
    assert_false(text_same_name("a-b", "axb"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_true(text_starts("abc", "ab") && !text_starts("ab", "abc"));
    assert_true(text_ends("abc", "bc") && !text_ends("bc", "abc"));
}

static void test_the_nearest_name_is_near(void **state)
{
    static const char *const names[] = {
        "recover_within", "failover_within", "max_outage", "http", "kill", "for"};
    (void)state;
    assert_string_equal(text_nearest("recover_withn", names, 6), "recover_within");
    assert_string_equal(text_nearest("recover-within", names, 6), "recover_within");
    assert_string_equal(text_nearest("HTTP", names, 6), "http");
    assert_string_equal(text_nearest("kil", names, 6), "kill");
    assert_string_equal(text_nearest("fro", names, 6), "for");
    assert_null(text_nearest("zebra", names, 6));
    assert_null(text_nearest("x", names, 6));
    assert_null(text_nearest("", names, 6));
    assert_null(text_nearest("http", NULL, 0));
    char longer[100];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[99] = '\0';
    assert_null(text_nearest(longer, names, 6));
}

static void test_only_shortest_utf8_is_decoded(void **state)
{
    uint32_t code = 0;
    (void)state;
    assert_int_equal(text_decode("\xc3\xbc", 2, &code), 2);
    assert_int_equal(code, 0xfc);
    assert_int_equal(text_decode("\xf0\x9f\x98\x80", 4, &code), 4);
    assert_int_equal(code, 0x1f600);
    assert_int_equal(text_decode("\xc3", 1, &code), 0);
    assert_int_equal(text_decode("\xc0\x80", 2, &code), 0);
    assert_int_equal(text_decode("\xe0\x80\x80", 3, &code), 0);
    assert_int_equal(text_decode("\xed\xa0\x80", 3, &code), 0);
    assert_int_equal(text_decode("\xf4\x90\x80\x80", 4, &code), 0);
    assert_int_equal(text_decode("\x80", 1, &code), 0);
    assert_int_equal(text_decode("a", 0, &code), 0);
    assert_int_equal(text_whole("a\xc3\xbc", 3), 3);
    assert_int_equal(text_whole("a\xc3\xbc", 2), 1);
    assert_int_equal(text_whole("\xf0\x9f\x98", 3), 0);
    assert_int_equal(text_whole("", 0), 0);
}

static void test_sha_256_is_sha_256(void **state)
{
    char hash[65];
    (void)state;
    hash_hex("abc", 3, hash);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_a_buffer_stops_at_its_maximum(void **state)
{
    (void)state;
    struct Buf buf = BUF(5);
    assert_string_equal(buf.text, "");

    buf_put(&buf, "abc");
    buf_printf(&buf, "%s", "defg");
    buf_put(&buf, "h");

    assert_string_equal(buf.text, "abcde");
    assert_true(buf.cut);
    buf_clear(&buf);
    assert_string_equal(buf.text, "");
    assert_false(buf.cut);
    buf_char(&buf, 'x');
    assert_string_equal(buf.text, "x");
    buf_free(&buf);
    assert_string_equal(buf.text, "");
    buf_free(&buf);
}

static void test_long_formats_are_whole(void **state)
{
    (void)state;
    struct Buf buf = BUF(100000);
    buf_printf(&buf, "%1000d|%s", 7, "end");
    assert_int_equal(buf.size, 1004);
    assert_string_equal(buf.text + 999, "7|end");
    buf_free(&buf);
}

static void assert_visible(const char *text, bool keep_lines, const char *expected)
{
    struct Buf buf = BUF(1000);
    buf_visible(&buf, text, strlen(text), keep_lines);
    assert_string_equal(buf.text, expected);
    buf_free(&buf);
}

static void test_what_could_deceive_is_made_visible(void **state)
{
    (void)state;
    assert_visible("\x1b[31mred\n", false, "\\x1b[31mred\\n");
    assert_visible("a\nb\tc\r", true, "a\nb\\tc\\r");
    assert_visible("\xff ok \xc3\xbc", false, "\\xff ok \xc3\xbc");
    assert_visible("a\xe2\x80\xae"
                   "b",
                   false, "a\\u202eb");
    assert_visible("\xc2\x9b"
                   "31m\x7f",
                   false, "\\u009b31m\\x7f");
    assert_visible("\xe2\x80\xa8\xef\xbb\xbf", false, "\\u2028\\ufeff");
}

static void test_columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("\xc3\xbc"), 1);
    assert_int_equal(text_columns("u\xcc\x88"), 1);
    assert_int_equal(text_columns("\xe6\x97\xa5\xe6\x9c\xac"), 4);
    assert_int_equal(text_columns("\x1b[1;31mred\x1b[0m"), 3);
    assert_int_equal(text_columns("\xff"), 1);
    struct Buf buf = BUF(100);
    buf_padded(&buf, "\xc3\xbc", 3);
    buf_padded(&buf, "b", -3);
    buf_padded(&buf, "long", 2);
    assert_string_equal(buf.text, "\xc3\xbc    blong");
    buf_free(&buf);
}

static void test_a_table_aligns_and_leaves_no_blanks_behind(void **state)
{
    (void)state;
    struct Table *table = table_new(3);
    struct Buf out = BUF(1000);
    table_right(table, 1);
    table_row(table, (const char *[]){"name", "runs", "why"});
    table_row(table, (const char *[]){"\xc3\xbc", "3", NULL});
    table_row(table, (const char *[]){"", NULL, "x"});

    table_write(table, &out);

    assert_string_equal(out.text, "name  runs  why\n"
                                  "\xc3\xbc        3\n"
                                  "            x\n");
    buf_free(&out);
    table_free(table);
    table_free(NULL);
}

static void assert_sparkline(const int64_t *values, size_t count, bool unicode,
                             const char *expected)
{
    struct Buf out = BUF(1000);
    buf_sparkline(&out, values, count, unicode);
    assert_string_equal(out.text, expected);
    buf_free(&out);
}

static void test_a_sparkline_spans_from_least_to_most(void **state)
{
    static const int64_t values[] = {0, 7, 70}, same[] = {5, 5};
    static const int64_t widest[] = {INT64_MIN, INT64_MAX};
    (void)state;
    assert_sparkline(values, 3, true, "▁▂█");
    assert_sparkline(values, 3, false, ".,#");
    assert_sparkline(same, 2, true, "▁▁");
    assert_sparkline(widest, 2, true, "▁█");
    assert_sparkline(NULL, 0, true, "");
}

static void test_json_is_json(void **state)
{
    (void)state;
    struct Buf out = BUF(10000);
    struct Json json = json_begin(&out, false);
    json_open_object(&json);
    json_put_text(&json, "a", "</script>&\"\\\n\x01\xff\xe2\x80\xa8");
    json_put_int(&json, "b", INT64_MIN);
    json_key(&json, "c");
    json_open_array(&json);
    json_number(&json, 1.25, 1);
    json_number(&json, INFINITY, 1);
    json_nothing(&json);
    json_bool(&json, true);
    json_end(&json);
    json_put_text(&json, "d", NULL);
    json_end(&json);

    assert_string_equal(out.text,
                        "{\"a\":\"\\u003c/script\\u003e\\u0026\\\"\\\\\\n\\u0001\xef\xbf\xbd"
                        "\\u2028\",\"b\":-9223372036854775808,\"c\":[1.2,null,null,true],"
                        "\"d\":null}");
    json_t *parsed = json_loads(out.text, 0, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
    buf_free(&out);
}

static void test_pretty_json_is_indented(void **state)
{
    (void)state;
    struct Buf out = BUF(1000);
    struct Json json = json_begin(&out, true);
    json_open_object(&json);
    json_key(&json, "a");
    json_open_array(&json);
    json_int(&json, 1);
    json_open_object(&json);
    json_end(&json);
    json_end(&json);
    json_put_bool(&json, "b", false);
    json_end(&json);
    assert_string_equal(out.text, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": false\n}");
    buf_free(&out);
}

static void test_names_of_runs_sort_by_time_and_never_repeat(void **state)
{
    char early[27], late[27], again[27];
    (void)state;
    ulid_new((struct Wall){.ns = 1469918176385 * NS_PER_MS}, early);
    ulid_new((struct Wall){.ns = 1469918176386 * NS_PER_MS}, late);
    ulid_new((struct Wall){.ns = 1469918176386 * NS_PER_MS}, again);
    assert_int_equal(strlen(early), 26);
    assert_memory_equal(early, "01aryz6s41", 10);
    assert_true(strcmp(early, late) < 0);
    assert_string_not_equal(late, again);
    assert_int_equal(strspn(late, "0123456789abcdefghjkmnpqrstvwxyz"), 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_have_letters_digits_and_underscores),
        cmocka_unit_test(test_the_nearest_name_is_near),
        cmocka_unit_test(test_only_shortest_utf8_is_decoded),
        cmocka_unit_test(test_sha_256_is_sha_256),
        cmocka_unit_test(test_a_buffer_stops_at_its_maximum),
        cmocka_unit_test(test_long_formats_are_whole),
        cmocka_unit_test(test_what_could_deceive_is_made_visible),
        cmocka_unit_test(test_columns_are_those_of_a_terminal),
        cmocka_unit_test(test_a_table_aligns_and_leaves_no_blanks_behind),
        cmocka_unit_test(test_a_sparkline_spans_from_least_to_most),
        cmocka_unit_test(test_json_is_json),
        cmocka_unit_test(test_pretty_json_is_indented),
        cmocka_unit_test(test_names_of_runs_sort_by_time_and_never_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
