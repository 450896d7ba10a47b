/* reports_people_test.c - what people said counts from the fault, as wide as it is known. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../reports/analyse.h"
#include "../../reports/kinds.h"
#include "../../reports/people.h"
#include "../fakes/run_sample.h"

#define S NS_PER_S

static struct RunNote note_of(int64_t low, int64_t high, const char *type, const char *text)
{
    return (struct RunNote){.at = {{SAMPLE_BEGAN_NS + low}, {SAMPLE_BEGAN_NS + high}},
                            .who = "raj@laptop",
                            .type = type,
                            .text = text};
}

/* The fault of run_sample_api is some 15 s after the start, and proven within a second. */
static struct Report report_of(struct Arena *arena, struct RunNote *notes, size_t count)
{
    struct Report report;
    struct RunRecord *record = run_sample_done(run_sample_api(arena));
    record->notes = notes;
    record->note_count = count;
    analyse(record, NULL, 0, arena, &report);
    return report;
}

static void test_the_first_of_each_after_the_fault_counts(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 30);
    struct RunNote notes[] = {
        note_of(2 * S, 2 * S, "declared", "too early"),
        note_of(40 * S, 40 * S, "note", "declared"),
        note_of(50 * S, 50 * S, "declared", ""),
        note_of(55 * S, 55 * S, "declared", "again"),
        note_of(60 * S, 120 * S, "mitigated", ""),
    };
    struct Report report = report_of(arena, notes, COUNT_OF(notes));
    struct Said said[PEOPLE_WORDS];
    people_said(&report, said);
    assert_ptr_equal(said[0].note, &notes[2]);
    assert_int_equal(said[0].since_fault.low_ns, SAMPLE_BEGAN_NS + 50 * S - report.t0.high.ns);
    assert_int_equal(said[0].since_fault.high_ns, SAMPLE_BEGAN_NS + 50 * S - report.t0.low.ns);
    assert_null(said[1].note);
    assert_int_equal(said[2].since_fault.high_ns - said[2].since_fault.low_ns,
                     60 * S + report.t0.high.ns - report.t0.low.ns);
    arena_free(arena);
}

static void test_without_a_proven_fault_there_is_no_time(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 30);
    struct RunNote notes[] = {note_of(50 * S, 50 * S, "declared", "")};
    struct Report report = report_of(arena, notes, 1);
    struct Said said[PEOPLE_WORDS];
    struct Buf out = BUF(1000);
    report.t0.high.ns = 0;
    people_said(&report, said);
    assert_null(said[0].note);
    people_say(&report, &out);
    assert_int_equal(out.size, 0);
    buf_free(&out);
    arena_free(arena);
}

static void test_every_report_says_it_and_escapes_it(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1U << 30);
    struct RunNote notes[] = {note_of(50 * S, 50 * S, "declared", "<b>4711</b>")};
    struct Report report = report_of(arena, notes, 1);
    struct Buf text = BUF(1 << 20), page = BUF(8 << 20), json = BUF(8 << 20);
    struct Err err;
    assert_true(report_text.write(&report, &text, &err));
    assert_true(report_html.write(&report, &page, &err));
    assert_true(report_json.write(&report, &json, &err));
    assert_non_null(strstr(text.text, "declared "));
    assert_non_null(strstr(text.text, " after the fault"));
    assert_non_null(strstr(page.text, "declared: &lt;b&gt;4711&lt;/b&gt;"));
    assert_null(strstr(page.text, "<b>4711"));
    assert_non_null(strstr(json.text, "\"declared\": {"));
    buf_free(&text);
    buf_free(&page);
    buf_free(&json);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_of_each_after_the_fault_counts),
        cmocka_unit_test(test_without_a_proven_fault_there_is_no_time),
        cmocka_unit_test(test_every_report_says_it_and_escapes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
