/* reports_gameday_test.c - a day's report: its figures, and nothing in it that acts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../reports/analyse.h"
#include "../../reports/gameday.h"
#include "../fakes/run_sample.h"

#define BAD "<script>alert(1)</script>|x\x1b[31m"

struct Made {
    struct Arena *arena;
    struct Report report;
    struct DayLine lines[3];
    struct DayNote note;
    struct DayReport day;
};

static void make(struct Made *out)
{
    out->arena = arena_new("test", 1U << 30);
    analyse(run_sample_done(run_sample_redis(out->arena)), NULL, 0, out->arena, &out->report);
    out->lines[0] = (struct DayLine){.scenario = "redis_primary_dies",
                                     .owner = BAD,
                                     .why = "",
                                     .state = "done",
                                     .run = "01k24k9d",
                                     .earlier = "01k24k9c",
                                     .verdict = out->report.verdict,
                                     .report = &out->report};
    out->lines[1] = (struct DayLine){.scenario = "cut_off",
                                     .why = "redis_primary_dies did not pass",
                                     .state = "left_out",
                                     .verdict = VERDICT_NOT_READY};
    out->lines[2] = (struct DayLine){.scenario = "later", .why = "", .state = "waiting"};
    out->note = (struct DayNote){.who = BAD, .type = "declared", .text = BAD};
    out->day = (struct DayReport){.id = "01day",
                                  .name = "dec-day",
                                  .environment = "staging",
                                  .who = "ana@box",
                                  .version = "0",
                                  .why = BAD,
                                  .lead = BAD,
                                  .may_halt = "",
                                  .finished = true,
                                  .verdict = VERDICT_FAIL,
                                  .lines = out->lines,
                                  .line_count = 3,
                                  .notes = &out->note,
                                  .note_count = 1};
}

static void test_a_line_has_the_figures_of_its_run(void **state)
{
    (void)state;
    struct Made made;
    struct DayFigures figures;
    make(&made);
    day_figures(&made.lines[0], &figures);
    assert_non_null(strstr(figures.lost, "17 of "));
    assert_string_equal(figures.limit, "15 s");
    assert_true(figures.recovery[0] != '\0');
    assert_non_null(strstr(figures.undone, " of "));
    day_figures(&made.lines[1], &figures);
    assert_string_equal(figures.lost, "");
    assert_string_equal(day_word(&made.lines[1]), "left out");
    assert_string_equal(day_word(&made.lines[2]), "not yet");
    arena_free(made.arena);
}

static void test_a_ledger_that_was_not_read_back_lost_nobody_knows_how_much(void **state)
{
    (void)state;
    struct Made made;
    struct DayFigures figures;
    make(&made);
    made.report.ledgers[0].complete = KNOWN_UNKNOWN;
    made.report.ledgers[0].lost = 0;
    day_figures(&made.lines[0], &figures);
    assert_string_equal(figures.lost, "unknown");
    arena_free(made.arena);
}

static void test_nothing_from_outside_acts_in_any_form(void **state)
{
    (void)state;
    struct Made made;
    struct Buf page = BUF(8 << 20), text = BUF(1 << 20), markdown = BUF(1 << 20);
    struct Buf json = BUF(8 << 20);
    struct Err err;
    make(&made);
    assert_true(day_html(&made.day, &page, &err));
    day_text(&made.day, (struct TextStyle){.unicode = true}, &text);
    day_markdown(&made.day, &markdown);
    day_json(&made.day, &json);
    assert_null(strstr(page.text, "<script>alert"));
    assert_non_null(strstr(page.text, "&lt;script&gt;alert(1)"));
    assert_non_null(strstr(page.text, "default-src 'none'"));
    assert_null(strchr(page.text, '\x1b'));
    assert_null(strchr(text.text, '\x1b'));
    assert_non_null(strstr(text.text, "cut_off was left out: redis_primary_dies did not pass"));
    assert_non_null(strstr(text.text, "run 4k9c did not end"));
    assert_null(strstr(markdown.text, "<script>"));
    assert_non_null(strstr(markdown.text, "\\|x"));
    assert_null(strstr(json.text, "<script>"));
    json_t *read = json_loads(json.text, 0, NULL);
    assert_non_null(read);
    assert_int_equal(json_array_size(json_object_get(read, "drills")), 3);
    json_decref(read);
    buf_free(&page);
    buf_free(&text);
    buf_free(&markdown);
    buf_free(&json);
    arena_free(made.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_has_the_figures_of_its_run),
        cmocka_unit_test(test_a_ledger_that_was_not_read_back_lost_nobody_knows_how_much),
        cmocka_unit_test(test_nothing_from_outside_acts_in_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
