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
#include "../../reports/trends.h"
#include "../../runner/base/text.h"
#include "../fakes/run_sample.h"
#include "reports_payloads.h"

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

/* ---- Runs whose every text is a payload ---- */

enum { TOGETHER = 4 }; /* payloads in one text, where there is but one such text in a run */

static const char *several(struct Arena *arena, size_t page, size_t field)
{
    struct Buf text = BUF(4000);
    for (size_t n = 0; n < TOGETHER; n++)
        buf_put(&text, payloads[((page + field) * TOGETHER + n) % COUNT_OF(payloads)]);
    const char *copy = arena_text(arena, text.text);
    buf_free(&text);
    return copy;
}

static void add_hostile_rows(struct RunSample *run)
{
    for (size_t n = 0; n < COUNT_OF(payloads); n++) {
        const char *text = payloads[n];
        struct RunProbe *probe = run_sample_probe(run, text, n % 3 == 0 ? "ledger" : text);
        probe->interval_ns = 1000 * MS;
        probe->asks = probe->role = probe->from = text;
        probe->is_ledger = n % 3 == 0;
        probe->is_primary = n % 3 == 1;
        run_sample_host(run, text);
        struct RunFault *fault = run_sample_fault(run, 15000 * MS, 75000 * MS);
        fault->step = fault->kind = fault->host = fault->role = fault->proof = text;
        fault->undo_text = fault->apply_text = fault->stays = fault->guard_acts_by = text;
        fault->clear = n % 2 == 0;
        run_sample_expect(run, text, "recover_within", NS_PER_S);
        run_sample_expect(run, "none", text, 1);
        run_sample_event(run, (int64_t)n * NS_PER_S, text, text);
        struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
        *system = (struct RunSystem){.role = text,
                                     .system = text,
                                     .primary_before = text,
                                     .primary_after = "other",
                                     .knobs = text,
                                     .expected = {1, 2}};
    }
}

static void set_hostile_texts(struct RunSample *run, size_t page)
{
    struct RunRecord *record = &run->record;
    const char **const texts[] = {
        &record->id,         &record->scenario,       &record->environment,
        &record->hypothesis, &record->owner,          &record->runbook,
        &record->who,        &record->version,        &record->tags,
        &record->why,        &record->text,           &record->text_hash,
        &record->plan_hash,  &record->behaviour_hash, &record->bytes_hash};
    for (size_t n = 0; n < COUNT_OF(texts); n++)
        *texts[n] = several(run->arena, page, n);
}

/* Every payload as every text of which a run has many. */
static struct RunSample *hostile_rows(struct Arena *arena)
{
    static const struct Outage down = {15100 * MS, 25000 * MS, DOWN_REFUSED};
    struct RunSample *run = run_sample_new(arena, 1);
    set_hostile_texts(run, 0);
    add_hostile_rows(run);
    for (uint32_t n = 0; n < COUNT_OF(payloads); n++) {
        run_sample_attempts(run, n, &down, 1);
        run_sample_by(run, n, n + 1, 0, 100000 * MS);
    }
    struct Found *found = list_add(&run->found, arena, sizeof(*found));
    *found = (struct Found){.probe = 0, .writer = 1, .number = 1};
    for (size_t n = 0; n < COUNT_OF(payloads); n++)
        ((enum Known *)run->read_back.items)[n] = KNOWN_YES;
    return run;
}

static int write_hostile_trends(const char *folder)
{
    struct Arena *arena = arena_new("hostile", 64 << 20);
    struct List list = {0};
    for (size_t n = 0; n < COUNT_OF(payloads); n++) {
        struct Past *past = list_add(&list, arena, sizeof(*past));
        *past = (struct Past){.id = payloads[n],
                              .scenario = payloads[n],
                              .environment = payloads[n],
                              .behaviour_hash = payloads[n],
                              .probe = payloads[n],
                              .why = payloads[n],
                              .verdict = VERDICT_FAIL,
                              .finished = true,
                              .recovery_high_ns = NS_PER_S,
                              .limit_ns = 1,
                              .lost = 3};
    }
    struct Trends trends;
    struct Buf page = BUF(4 << 20);
    struct Err err;
    char path[4096];
    trends_make(list.items, list.count, arena, &trends);
    snprintf(path, sizeof(path), "%s/hostile-trends.html", folder);
    int status = trends_html(&trends, payloads[0], &page, &err) ? write_file(path, &page) : 1;
    buf_free(&page);
    arena_free(arena);
    return status;
}

static int write_page(struct RunSample *run, const char *folder, const char *name)
{
    struct Report report = report_of(run, payloads[0], 3);
    struct Buf text = BUF(16 << 20);
    struct Err err;
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s.html", folder, name);
    int status = report_html.write(&report, &text, &err) ? write_file(path, &text) : 1;
    buf_free(&text);
    arena_free(run->arena);
    return status;
}

/* usage: reports_test --hostile FOLDER     pages in which every payload stands in every text */
static int write_hostile(const char *folder)
{
    int status = write_hostile_trends(folder);
    status |= write_page(hostile_rows(arena_new("rows", (size_t)1 << 30)), folder, "hostile-rows");
    for (size_t page = 0; page * TOGETHER < COUNT_OF(payloads); page++) {
        char name[40];
        struct RunSample *run = run_sample_api(arena_new("hostile", 64 << 20));
        set_hostile_texts(run, page);
        snprintf(name, sizeof(name), "hostile-%02zu", page);
        status |= write_page(run, folder, name);
    }
    return status;
}

/* usage: reports_test --large FOLDER     a run of a million attempts */
static int write_large(const char *folder)
{
    static const struct Outage down = {15100 * MS, 25000 * MS, DOWN_REFUSED};
    struct Arena *arena = arena_new("large", (size_t)4 << 30);
    struct RunSample *run = run_sample_new(arena, 1);
    run->record.mono_ended.ns = SAMPLE_BEGAN_NS + 1000 * NS_PER_S;
    run_sample_fault(run, 15000 * MS, 900000 * MS);
    for (uint32_t n = 0; n < 4; n++) {
        static const char *const names[] = {"shop", "checkout", "search", "login"};
        run_sample_probe(run, names[n], "http")->interval_ns = 4 * MS;
        run_sample_attempts(run, n, &down, 1);
    }
    return write_page(run, folder, "large");
}

/* ---- A year of drills, for the page of trends ---- */

static void add_year(struct List *list, struct Arena *arena, struct Past one, const int64_t *ms,
                     size_t count)
{
    for (size_t n = 0; n < count; n++) {
        struct Past *past = list_add(list, arena, sizeof(*past));
        *past = one;
        past->id = arena_printf(arena, "%s-%s-%zu", one.scenario, one.environment, n);
        past->started.ns += (int64_t)n * 11 * 86400 * NS_PER_S;
        past->unaffected = ms[n] == 0;
        past->recovery_low_ns = ms[n] == 0 ? -1 : (ms[n] - 80) * MS;
        past->recovery_high_ns = ms[n] == 0 ? -1 : ms[n] * MS;
        past->verdict = ms[n] * MS > one.limit_ns ? VERDICT_FAIL : VERDICT_PASS;
        past->behaviour_hash = n < count / 3 ? "a" : "b";
    }
}

static int by_started(const void *a, const void *b)
{
    const struct Past *left = a, *right = b;
    return (left->started.ns > right->started.ns) - (left->started.ns < right->started.ns);
}

static int write_trends(const char *folder)
{
    static const int64_t api[] = {4100, 2900, 4000, 3500, 3400, 3800, 0, 6100,
                                  4200, 2700, 2900, 4400, 3100, 3600, 0, 4000,
                                  3300, 3900, 4100, 2800, 3700, 3500, 0, 4100};
    static const int64_t redis[] = {9200, 8800, 9500, 12100, 9000,  8900,  9100,  8700,  9300,
                                    9000, 8600, 9100, 13900, 14200, 14100, 15600, 14300, 14200};
    static const int64_t production[] = {5100, 5600, 6100};
    struct Arena *arena = arena_new("year", 16 << 20);
    struct List list = {0};
    struct Past one = {.scenario = "lose_an_api_machine",
                       .environment = "staging",
                       .probe = "shop",
                       .why = "",
                       .started = {1740000000LL * NS_PER_S},
                       .finished = true,
                       .limit_ns = 20 * NS_PER_S,
                       .lost = -1};
    add_year(&list, arena, one, api, COUNT_OF(api));
    one.environment = "production";
    one.is_protected = true;
    one.started.ns += 86400 * 100 * NS_PER_S;
    add_year(&list, arena, one, production, COUNT_OF(production));
    one.scenario = "redis_primary_dies";
    one.environment = "staging";
    one.is_protected = false;
    one.probe = "writes";
    one.limit_ns = 15 * NS_PER_S;
    add_year(&list, arena, one, redis, COUNT_OF(redis));
    qsort(list.items, list.count, sizeof(one), by_started);
    struct Trends trends;
    struct Buf page = BUF(4 << 20);
    struct Err err;
    char path[4096];
    trends_make(list.items, list.count, arena, &trends);
    snprintf(path, sizeof(path), "%s/trends.html", folder);
    int status = trends_html(&trends, "0.1.0", &page, &err) ? write_file(path, &page) : 1;
    buf_free(&page);
    arena_free(arena);
    return status;
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
    return status | write_trends(folder);
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
    if (argc == 3 && text_equal(argv[1], "--hostile"))
        return write_hostile(argv[2]);
    if (argc == 3 && text_equal(argv[1], "--large"))
        return write_large(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
