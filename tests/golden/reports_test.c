/* reports_test.c - reports of runs made by hand are the files in tests/golden/reports. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../reports/analyse.h"
#include "../../runner/base/text.h"
#include "../fakes/run_sample.h"

#define MS NS_PER_MS
#define FOLDER "tests/golden/reports"

/* ---- The runs ---- */

static struct Past past_of(const struct RunRecord *run, const char *probe, int ago, int64_t ms)
{
    return (struct Past){.id = "earlier",
                         .scenario = run->scenario,
                         .environment = run->environment,
                         .behaviour_hash = run->behaviour_hash,
                         .probe = probe,
                         .why = "",
                         .started = {run->started.ns - ago * 86400 * NS_PER_S},
                         .verdict = VERDICT_PASS,
                         .finished = true,
                         .unaffected = ms == 0,
                         .recovery_low_ns = ms == 0 ? -1 : ms * MS,
                         .recovery_high_ns = ms == 0 ? -1 : ms * MS + 90 * MS,
                         .limit_ns = 20 * NS_PER_S,
                         .lost = -1};
}

static struct Report report_of(struct RunSample *run, const char *probe, size_t past_count)
{
    static const int64_t ms[] = {3900, 2600, 4800, 3900, 2800, 3800, 6600, 3900, 2700, 0, 2900};
    struct Report report;
    struct RunRecord *record = run_sample_done(run);
    struct Past *past = arena_zero(run->arena, past_count + 1, sizeof(*past));
    for (size_t n = 0; n < past_count; n++)
        past[n] = past_of(record, probe, (int)(past_count - n) * 7, ms[n % 11]);
    analyse(record, past, past_count, run->arena, &report);
    return report;
}

static struct Report passing(struct Arena *arena)
{
    return report_of(run_sample_api(arena), "shop", 11);
}

static struct Report failing(struct Arena *arena)
{
    return report_of(run_sample_redis(arena), "writes", 3);
}

static struct Report unnoticed(struct Arena *arena)
{
    struct RunSample *run = run_sample_new(arena, 7);
    run_sample_probe(run, "shop", "http");
    run_sample_fault(run, 15000 * MS, 75000 * MS);
    run_sample_expect(run, "shop", "recover_within", 20 * NS_PER_S);
    run_sample_expect(run, "shop", "max_outage", 10 * NS_PER_S);
    run_sample_attempts(run, 0, NULL, 0);
    return report_of(run, "shop", 11);
}

static struct Report unproven(struct Arena *arena)
{
    struct RunSample *run = run_sample_api(arena);
    struct RunFault *fault = run->faults.items;
    fault->t0.high = (struct Mono){0};
    run->record.suspended_ns = 4200 * MS;
    return report_of(run, "shop", 0);
}

static struct Report not_undone(struct Arena *arena)
{
    struct RunSample *run = run_sample_api(arena);
    struct RunFault *fault = run->faults.items;
    fault->clear = false;
    fault->undone.high = (struct Mono){0};
    run->record.is_protected = true;
    run->record.environment = "production";
    run->record.ended_as = VERDICT_HALTED;
    run->record.why = "halted by rule: shop.max_outage 2 min";
    run->record.observing_ended = (struct Mono){0};
    return report_of(run, "shop", 0);
}

static struct Report refused(struct Arena *arena)
{
    struct RunSample *run = run_sample_new(arena, 7);
    run_sample_probe(run, "shop", "http");
    run->record.ended_as = VERDICT_REFUSED;
    run->record.why = "staging has not passed this text yet";
    run->record.is_protected = true;
    run->record.environment = "production";
    run->record.baseline_began = run->record.steps_began = run->record.observing_ended =
        run->record.undo_began = run->record.settled = (struct Mono){0};
    return report_of(run, "shop", 0);
}

static struct Report unclear(struct Arena *arena)
{
    struct RunSample *run = run_sample_api(arena);
    struct RunExpectation *expectations = run->expectations.items;
    expectations[0].limit = 3700 * MS;
    return report_of(run, "shop", 0);
}

struct Case {
    const char *name;
    struct Report (*make)(struct Arena *arena);
};
static const struct Case cases[] = {
    {"pass", passing},      {"fail", failing},    {"unnoticed", unnoticed},
    {"unproven", unproven}, {"unclear", unclear}, {"not_undone", not_undone},
    {"refused", refused},
};
static const struct ReportFormat *const formats[] = {&report_text, &report_json, &report_html};

/* ---- Files ---- */

static void read_file(const char *path, struct Buf *out)
{
    char part[4096];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return;
    for (size_t size; (size = fread(part, 1, sizeof(part), file)) > 0;)
        buf_add(out, part, size);
    fclose(file);
}

static int write_file(const char *path, const struct Buf *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return 1;
    bool ok = fwrite(text->text, 1, text->size, file) == text->size;
    return fclose(file) == 0 && ok ? 0 : 1;
}

static void written(const struct Case *of, const struct ReportFormat *format, struct Buf *out)
{
    struct Arena *arena = arena_new("golden", (size_t)1 << 30);
    struct Report report = of->make(arena);
    struct Err err;
    if (!format->write(&report, out, &err))
        fail_msg("%s", err.message);
    arena_free(arena);
}

static void assert_golden(size_t format)
{
    for (size_t n = 0; n < COUNT_OF(cases); n++) {
        char path[256];
        struct Buf wanted = BUF(4 << 20), is = BUF(4 << 20);
        snprintf(path, sizeof(path), FOLDER "/%s.%s", cases[n].name, formats[format]->extension);
        read_file(path, &wanted);
        written(&cases[n], formats[format], &is);
        assert_string_equal(is.text, wanted.text);
        buf_free(&wanted);
        buf_free(&is);
    }
}

static void test_summaries_are_those_of_the_golden_files(void **state)
{
    (void)state;
    assert_golden(0);
}

static void test_json_is_that_of_the_golden_files(void **state)
{
    (void)state;
    assert_golden(1);
}

static void test_ascii_summaries_have_no_other_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT_OF(cases); n++) {
        struct Arena *arena = arena_new("golden", (size_t)1 << 30);
        struct Buf text = BUF(1 << 20);
        struct Report report = cases[n].make(arena);

        report_text_style(&report, (struct TextStyle){.unicode = false, .color = true}, &text);

        for (size_t at = 0; at < text.size; at++)
            assert_true((unsigned char)text.text[at] < 0x80);
        buf_free(&text);
        arena_free(arena);
    }
}

/* usage: reports_test --write FOLDER     writes every report in every format there */
static int write_all(const char *folder)
{
    int status = 0;
    for (size_t n = 0; n < COUNT_OF(cases) * COUNT_OF(formats); n++) {
        const struct Case *of = &cases[n / COUNT_OF(formats)];
        const struct ReportFormat *format = formats[n % COUNT_OF(formats)];
        char path[4096];
        struct Buf text = BUF(4 << 20);
        snprintf(path, sizeof(path), "%s/%s.%s", folder, of->name, format->extension);
        written(of, format, &text);
        status |= write_file(path, &text);
        buf_free(&text);
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summaries_are_those_of_the_golden_files),
        cmocka_unit_test(test_json_is_that_of_the_golden_files),
        cmocka_unit_test(test_ascii_summaries_have_no_other_bytes),
    };
    setenv("TZ", "UTC", 1);
    if (argc == 3 && text_equal(argv[1], "--write"))
        return write_all(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
