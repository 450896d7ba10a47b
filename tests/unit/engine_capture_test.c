/* engine_capture_test.c - values from the output of steps. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/engine/capture.h"

struct Captured {
    struct Arena *arena;
    struct RunFigure figure;
    struct Err err;
    bool good;
};

static struct Captured take(struct CaptureSpec spec, const char *output)
{
    struct Captured c = {.arena = arena_new("capture", 1 << 20)};
    struct Buf buf = {.text = (char *)(uintptr_t)output, .size = strlen(output)};
    spec.name = "it";
    c.good = capture_read(&spec, &buf, c.arena, &c.figure, &c.err);
    return c;
}

static void assert_text(struct CaptureSpec spec, const char *output, const char *text)
{
    struct Captured c = take(spec, output);
    assert_true(c.good);
    assert_string_equal(c.figure.text, text);
    arena_free(c.arena);
}

static void assert_number(struct CaptureSpec spec, const char *output, int64_t value)
{
    struct Captured c = take(spec, output);
    assert_true(c.good);
    assert_true(c.figure.value.low_ns == value && c.figure.value.high_ns == value);
    arena_free(c.arena);
}

static void assert_refused(struct CaptureSpec spec, const char *output, const char *message)
{
    struct Captured c = take(spec, output);
    assert_false(c.good);
    assert_string_equal(c.err.message, message);
    arena_free(c.arena);
}

static void test_the_whole_output_loses_its_last_line_ends(void **state)
{
    (void)state;
    assert_text((struct CaptureSpec){.type = FIGURE_TEXT}, "two words\r\n\n", "two words");
    assert_text((struct CaptureSpec){.type = FIGURE_TEXT}, "a\nb\n", "a\nb");
    assert_refused((struct CaptureSpec){.type = FIGURE_TEXT}, "${secret.db}\n",
                   "`it` was not captured: it names a secret, and what a host prints is never "
                   "taken for one");
    assert_refused((struct CaptureSpec){.type = FIGURE_TEXT}, "\n",
                   "`it` was not captured: it is empty");
}

static void test_numbers_are_whole_or_refused(void **state)
{
    (void)state;
    struct CaptureSpec whole = {.type = FIGURE_INT}, seconds = {.type = FIGURE_SECONDS};
    assert_number(whole, "1000000\n", 1000000);
    assert_number(whole, "-3", -3);
    assert_refused(whole, "12 rows\n", "`it` was not captured: '12 rows' is no whole number");
    assert_refused(whole, "1.5", "`it` was not captured: '1.5' is no whole number");
    assert_number(seconds, "37\n", 37 * NS_PER_S);
    assert_number(seconds, "0.25", NS_PER_S / 4);
    assert_refused(seconds, "nan", "`it` was not captured: 'nan' is no number of seconds");
    assert_refused(seconds, "1e3", "`it` was not captured: '1e3' is no number of seconds");
    assert_refused(seconds, "99999999999",
                   "`it` was not captured: '99999999999' is no number of seconds");
}

static void test_a_path_finds_a_value_in_json(void **state)
{
    (void)state;
    const char *info = "[{\"backup\": [{\"label\": \"old\"}, {\"label\": \"new\"}], \"n\": 7}]";
    assert_text((struct CaptureSpec){.type = FIGURE_TEXT, .json = "0.backup.-1.label"}, info,
                "new");
    assert_text((struct CaptureSpec){.type = FIGURE_TEXT, .json = "0.backup.0.label"}, info, "old");
    assert_number((struct CaptureSpec){.type = FIGURE_INT, .json = "0.n"}, info, 7);
    assert_refused((struct CaptureSpec){.json = "0.backup.-3.label"}, info,
                   "`it` was not captured: no such path in the JSON");
    assert_refused((struct CaptureSpec){.json = "0"}, "{", "`it` was not captured: no JSON");
}

static void test_an_expression_gives_its_group_or_all(void **state)
{
    (void)state;
    const char *output = "version: 15.4\nsize: 812 MB\n";
    assert_number((struct CaptureSpec){.type = FIGURE_INT, .regex = "size: ([0-9]+)"}, output, 812);
    assert_text((struct CaptureSpec){.type = FIGURE_TEXT, .regex = "^size.*$"}, output,
                "size: 812 MB");
    assert_refused((struct CaptureSpec){.regex = "rows: (.*)"}, output,
                   "`it` was not captured: the regular expression matches nothing");
}

static void test_output_that_was_cut_off_gives_nothing(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("capture", 1 << 20);
    struct Buf half = {.text = (char *)(uintptr_t) "12", .size = 2, .cut = true};
    struct RunFigure figure;
    struct Err err;
    struct CaptureSpec spec = {.name = "it", .type = FIGURE_INT};

    assert_false(capture_read(&spec, &half, arena, &figure, &err));
    assert_string_equal(err.message, "`it` was not captured: there was more output than is kept");
    half = (struct Buf){.text = (char *)(uintptr_t) "1\0002", .size = 3};
    assert_false(capture_read(&spec, &half, arena, &figure, &err));
    assert_string_equal(err.message, "`it` was not captured: the output is no text");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole_output_loses_its_last_line_ends),
        cmocka_unit_test(test_numbers_are_whole_or_refused),
        cmocka_unit_test(test_a_path_finds_a_value_in_json),
        cmocka_unit_test(test_an_expression_gives_its_group_or_all),
        cmocka_unit_test(test_output_that_was_cut_off_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
