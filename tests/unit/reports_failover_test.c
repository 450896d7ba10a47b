/* reports_failover_test.c - of several failovers each is counted from its own fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/analyse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../reports/kinds.h"
#include "../../runner/base/text.h"
#include "../../runner/model/system.h"
#include "../fakes/run_sample.h"

#define MS NS_PER_MS

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

static void look(struct RunSample *run, int64_t ms, uint32_t host, bool leads)
{
    struct Census *census = list_add(&run->census, run->arena, sizeof(*census));
    *census = (struct Census){.host = host,
                              .asked = at_ms(ms),
                              .answered = at_ms(ms + 2),
                              .rank = leads ? RANK_PRIMARY : RANK_REPLICA,
                              .identity = "run"};
}

static struct RunFault *ask_for(struct RunSample *run, int64_t ms)
{
    struct RunFault *fault = run_sample_fault(run, ms * MS, 0);
    fault->kind = "failover";
    fault->step = ms < 40000 ? "failover db" : "failover db back";
    fault->role = "db";
    fault->undone = fault->t0;
    return fault;
}

/* db-1 leads until `there` ms, db-2 until `back` ms, and then db-1 again; asked each 250 ms. */
static struct RunSample *led(struct Arena *arena, int64_t there, int64_t back)
{
    struct RunSample *run = run_sample_new(arena, 1);
    struct RunProbe *probe = run_sample_probe(run, "db", "primary");
    probe->role = "db";
    probe->interval_ns = 250 * MS;
    run_sample_expect(run, "db", "failover_within", 10 * NS_PER_S);
    run_sample_attempts(run, 0, NULL, 0);
    struct RunSystem *system = list_add(&run->systems, run->arena, sizeof(*system));
    *system = (struct RunSystem){.role = "db",
                                 .system = "patroni",
                                 .primary_before = "db-1",
                                 .failed_over_low = at_ms(there - 200),
                                 .failed_over_high = at_ms(there)};
    for (int64_t ms = 100; ms < 95000; ms += 250) {
        look(run, ms, 0, ms < there || ms >= back);
        look(run, ms + 1, 1, ms >= there && ms < back);
    }
    return run;
}

static void moved(struct RunSample *run, const char *host, int64_t ms)
{
    size_t count = run->record.move_count;
    struct RunMove *moves = arena_zero(run->arena, count + 1, sizeof(*moves));
    if (count > 0)
        memcpy(moves, run->record.moves, count * sizeof(*moves));
    moves[count] =
        (struct RunMove){.role = "db", .host = host, .low = at_ms(ms - 200), .high = at_ms(ms)};
    run->record.moves = moves;
    run->record.move_count = count + 1;
}

static struct Report analysed(struct RunSample *run)
{
    struct Report report;
    analyse(run_sample_done(run), NULL, 0, run->arena, &report);
    return report;
}

static void test_the_way_back_is_counted_from_its_own_begin(void **state)
{
    struct RunSample *run = led(*state, 25000, 52000);
    ask_for(run, 20000);
    ask_for(run, 50000);
    moved(run, "db-2", 25000);
    moved(run, "db-1", 52000);

    struct Report report = analysed(run);

    const struct PrimaryResult *db = &report.primaries[0];
    assert_int_equal(db->failover_count, 2);
    assert_true(db->failover.low_ns >= 4500 * MS && db->failover.high_ns <= 5300 * MS);
    assert_int_equal(db->failover_t0.low.ns, at_ms(20000).ns);
    assert_int_equal(report.judged[0].verdict, VERDICT_PASS);
    assert_string_equal(report.judged[0].note, "the slowest of 2");
}

static void test_the_slowest_is_judged(void **state)
{
    struct RunSample *run = led(*state, 25000, 65000);
    ask_for(run, 20000);
    ask_for(run, 50000);
    moved(run, "db-2", 25000);
    moved(run, "db-1", 65000);

    struct Report report = analysed(run);

    assert_true(report.primaries[0].failover.low_ns >= 14500 * MS);
    assert_true(report.primaries[0].failover.high_ns <= 15300 * MS);
    assert_int_equal(report.primaries[0].failover_t0.low.ns, at_ms(50000).ns);
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
}

static void test_one_that_never_came_misses_the_bound(void **state)
{
    struct RunSample *run = led(*state, 25000, 99000);
    ask_for(run, 20000);
    ask_for(run, 50000);
    moved(run, "db-2", 25000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 2);
    assert_true(report.primaries[0].failover.high_ns == NS_NEVER);
    assert_string_equal(report.judged[0].measured, "no new primary");
    assert_int_equal(report.judged[0].verdict, VERDICT_FAIL);
}

/* As long as nobody took over, it is the first fault that is waited for. */
static void test_without_a_change_between_them_the_first_fault_counts(void **state)
{
    struct RunSample *run = led(*state, 28000, 99000);
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    run_sample_fault(run, 26000 * MS, 60000 * MS)->step = "another";
    moved(run, "db-2", 28000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.low_ns >= 7500 * MS);
}

/* What strikes another host before has no part in it. */
static void test_it_counts_from_the_fault_that_struck_who_led(void **state)
{
    struct RunSample *run = led(*state, 35000, 99000);
    run_sample_fault(run, 20000 * MS, 60000 * MS)->host = "db-3";
    struct RunFault *kill = run_sample_fault(run, 30000 * MS, 60000 * MS);
    kill->step = "another", kill->host = "db-1";
    moved(run, "db-2", 35000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_int_equal(report.primaries[0].failover_t0.low.ns, at_ms(30000).ns);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
}

/* Undone, the first one leads again: that is no failover of what struck another host meanwhile. */
static void test_who_comes_back_after_its_undo_did_not_fail_over(void **state)
{
    struct RunSample *run = led(*state, 25000, 61000);
    run_sample_fault(run, 20000 * MS, 60000 * MS)->host = "db-1";
    struct RunFault *beside = run_sample_fault(run, 40000 * MS, 80000 * MS);
    beside->step = "another", beside->host = "db-3";
    moved(run, "db-2", 25000);
    moved(run, "db-1", 61000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
}

/* It went to and fro after one fault: the second time nobody had asked for. */
static void test_a_change_without_a_fault_of_its_own_is_none(void **state)
{
    struct RunSample *run = led(*state, 25000, 90000);
    run_sample_fault(run, 20000 * MS, 60000 * MS);
    moved(run, "db-2", 25000);
    moved(run, "db-1", 90000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
}

/* Versions before this one wrote down the first change alone. */
static void test_an_old_run_has_its_first_change(void **state)
{
    struct RunSample *run = led(*state, 25000, 52000);
    ask_for(run, 20000);
    ask_for(run, 50000);

    struct Report report = analysed(run);

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
    assert_string_equal(report.judged[0].note, "");
}

/* db-1 leads again from `leads` ms on, asked for at 85 s; 0: never. */
static struct RunSwitchBack *given_back(struct RunSample *run, int64_t leads)
{
    struct RunSwitchBack *back = arena_zero(run->arena, 1, sizeof(*back));
    *back = (struct RunSwitchBack){.role = "db", .to = "db-1", .asked = at_ms(85000), .why = ""};
    if (leads > 0) {
        back->leads = (struct Moment){at_ms(leads - 200), at_ms(leads)};
        back->whole = (struct Moment){at_ms(leads + 800), at_ms(leads + 1000)};
        back->last = "db-1";
    }
    run->record.switch_backs = back;
    run->record.switch_back_count = 1;
    return back;
}

/* A drill of one failover at 20 s, seen by a client that is out for 2 s, and for 3 s by the way
 * back. */
static struct RunSample *there_and_back(struct Arena *arena, int64_t leads)
{
    static const struct Outage outages[] = {{20000 * MS, 22000 * MS, DOWN_REFUSED},
                                            {85000 * MS, 88000 * MS, DOWN_REFUSED}};
    struct RunSample *run = led(arena, 25000, leads > 0 ? leads : 99000);
    run_sample_probe(run, "writes", "http");
    run_sample_expect(run, "writes", "recover_within", 5 * NS_PER_S);
    run_sample_attempts(run, 1, outages, COUNT_OF(outages));
    ask_for(run, 20000);
    moved(run, "db-2", 25000);
    given_back(run, leads);
    return run;
}

static const struct Judged *back_of(const struct Report *report)
{
    const struct Judged *last = &report->judged[report->judged_count - 1];
    assert_string_equal(last->expectation->word, "switch_back");
    assert_string_equal(last->expectation->probe, "db");
    return last;
}

static void test_a_switch_back_has_a_line_of_its_own_and_is_no_failover(void **state)
{
    struct Report report = analysed(there_and_back(*state, 87700));

    assert_int_equal(report.primaries[0].failover_count, 1);
    assert_true(report.primaries[0].failover.high_ns <= 5300 * MS);
    assert_true(report.probes[1].recovered.high_ns < 2500 * MS);
    assert_int_equal(report.judged_count, 3);
    assert_int_equal(back_of(&report)->verdict, VERDICT_PASS);
    assert_string_equal(back_of(&report)->measured, "2.5-2.7 s");
    assert_string_equal(back_of(&report)->limit, "10 s");
    assert_non_null(strstr(back_of(&report)->note, "db-1 leads again; redundant after 3.5-3.7 s"));
    assert_non_null(strstr(back_of(&report)->note, "; writes out for "));
    assert_int_equal(report.verdict, VERDICT_PASS);
}

static void test_a_switch_back_is_under_the_same_bounds(void **state)
{
    struct RunSample *run = there_and_back(*state, 97700);
    struct Report late = analysed(run);
    assert_int_equal(back_of(&late)->verdict, VERDICT_FAIL);
    assert_int_equal(late.judged[0].verdict, VERDICT_PASS);

    run = there_and_back(*state, 87700);
    run_sample_expect(run, "writes", "max_outage", 2500 * MS);
    struct Report felt = analysed(run);
    assert_int_equal(back_of(&felt)->verdict, VERDICT_FAIL);
    assert_int_equal(felt.judged[2].verdict, VERDICT_PASS); /* the drill's own outage */
    assert_true(text_starts(back_of(&felt)->broke, "writes out for "));
    assert_non_null(strstr(back_of(&felt)->broke, ", limit 2.5 s"));
    assert_true(text_starts(back_of(&felt)->note, back_of(&felt)->broke));
    assert_true(text_starts(felt.why, "db: switch back: writes out for "));
}

/* What broke a limit stands in the sentence, and no number that is within its own. */
static void test_what_is_not_redundant_again_is_not_explained_by_who_leads(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    struct RunSwitchBack *back = run->record.switch_backs;
    back->whole = (struct Moment){{0}, {0}};
    back->why = "not redundant again: db-3 does not answer";
    struct Report report = analysed(run);
    assert_int_equal(back_of(&report)->verdict, VERDICT_FAIL);
    assert_string_equal(report.why, "db: switch back: not redundant again: db-3 does not answer");

    run = there_and_back(*state, 87700);
    run_sample_expect(run, "db", "redundant_within", 3 * NS_PER_S);
    report = analysed(run);
    assert_string_equal(back_of(&report)->broke, "redundant after 3.5-3.7 s, limit 3 s");
}

static void test_clients_are_judged_though_nobody_leads_again(void **state)
{
    struct RunSample *run = there_and_back(*state, 0);
    run_sample_expect(run, "writes", "max_outage", 2500 * MS);
    run->record.switch_backs[0].why = "db-1 does not lead: db-2 does";
    struct Report report = analysed(run);

    assert_string_equal(back_of(&report)->measured, "not seen");
    assert_non_null(
        strstr(back_of(&report)->note, "db-1 does not lead: db-2 does; writes out for "));
    assert_non_null(strstr(back_of(&report)->note, ", limit 2.5 s"));
    assert_string_equal(back_of(&report)->broke, "");
}

static void test_who_leads_already_need_not_be_asked(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    run->record.switch_backs[0].asked = (struct Mono){0};
    struct Report report = analysed(run);

    assert_int_equal(back_of(&report)->verdict, VERDICT_PASS);
    assert_string_equal(back_of(&report)->measured, "leads already");
    assert_string_equal(back_of(&report)->note, "db-1");
}

static void test_a_leader_lost_on_the_way_back_is_a_finding(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    run->record.switch_backs[0].lost_again = 1;
    struct Report report = analysed(run);
    bool found = false;
    for (size_t n = 0; n < report.finding_count; n++)
        found = found || text_equal(report.findings[n].text,
                                    "db: on the way back db-1 led again and lost it before "
                                    "redundancy was whole, 1 time.");
    assert_true(found);
}

/* Since 85 s: what is lost by then is the way back's. */
static bool went_with_it(const struct Sample *sample, void *data)
{
    (void)data;
    return !mono_before(sample->ended, at_ms(86000)) && mono_before(sample->ended, at_ms(86400));
}

static void test_what_the_way_back_costs_is_its_own(void **state)
{
    struct RunSample *run = led(*state, 25000, 88000);
    struct RunProbe *ledger = run_sample_probe(run, "ids", "ledger");
    ledger->is_ledger = true;
    ledger->role = "db";
    run_sample_expect(run, "ids", "max_lost", 0);
    run_sample_expect(run, "db", "max_split", 500 * MS);
    run_sample_attempts(run, 1, NULL, 0);
    run_sample_found(run, 1, went_with_it, NULL);
    ask_for(run, 20000);
    moved(run, "db-2", 25000);
    given_back(run, 88000);
    for (int64_t ms = 88000; ms < 90000; ms += 250) /* db-2 goes on as if it had not heard */
        look(run, ms + 2, 1, true);
    struct Report report = analysed(run);
    const struct LedgerResult *ids = &report.ledgers[0];

    assert_int_equal(ids->lost, 0);
    assert_true(ids->back_lost >= 6 && ids->back_lost <= 9);
    assert_true(ids->back_acked > ids->back_lost);
    assert_int_equal(report.primaries[0].split.high_ns, 0);
    assert_true(report.primaries[0].back_split.high_ns > 0);
    assert_int_equal(report.judged[2].verdict, VERDICT_PASS); /* max_split of the drill */
    assert_int_equal(back_of(&report)->verdict, VERDICT_FAIL);
    assert_non_null(strstr(back_of(&report)->broke, "ids lost "));
    assert_non_null(strstr(back_of(&report)->broke, ", limit 0"));
    assert_non_null(strstr(back_of(&report)->note, "two primaries for "));
}

static void test_what_is_not_steady_after_the_switch_back_is_said_so(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    run->record.not_steady = true;
    struct Report report = analysed(run);

    assert_int_equal(report.verdict, VERDICT_FAIL);
    assert_string_equal(report.why, "not steady after the switch back");
}

/* Who leads at the end, and no more than that, stays changed. */
static void test_what_stays_changed_is_who_leads_at_the_end(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    ((struct RunSystem *)run->systems.items)[0].primary_after = "db-2";
    struct Report report = analysed(run);
    struct Buf text = BUF(20000);
    report_text_style(&report, (struct TextStyle){.unicode = true}, &text);
    assert_null(strstr(text.text, "stays changed"));

    run->record.switch_backs[0].last = "db-3";
    buf_clear(&text);
    report_text_style(&report, (struct TextStyle){.unicode = true}, &text);
    assert_non_null(strstr(text.text, "stays changed: primary db-1 -> db-3"));
    assert_int_equal(report.verdict, VERDICT_PASS);
    report = analysed(run); /* lost again after all was whole */
    assert_int_equal(report.verdict, VERDICT_FAIL);
    buf_clear(&text);
    report_text_style(&report, (struct TextStyle){.unicode = true}, &text);
    assert_non_null(strstr(text.text, "db-3 leads at the end"));

    run->record.switch_backs[0].last = NULL;
    assert_int_equal(analysed(run).verdict, VERDICT_INCONCLUSIVE);
    buf_free(&text);
}

static void test_no_limit_is_none(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    run->expectations.count = 0;
    struct Report report = analysed(run);
    struct Err err;
    struct Buf text = BUF((size_t)1 << 24);
    assert_true(report_json.write(&report, &text, &err));
    const char *line = strstr(text.text, "\"word\": \"switch_back\"");
    assert_non_null(line);
    assert_true(strstr(line, "\"limit\": null") != NULL &&
                strstr(line, "\"limit\": null") - line < 60);
    buf_free(&text);
}

static void test_a_switch_back_that_was_not_asked_for_is_unclear(void **state)
{
    struct RunSample *run = there_and_back(*state, 87700);
    struct RunSwitchBack *back = given_back(run, 0);
    back->asked = (struct Mono){0};
    back->why = "redundancy was not proven after the undo: db-3 does not answer";
    struct Report report = analysed(run);
    assert_int_equal(back_of(&report)->verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(back_of(&report)->measured, "not asked for");
    assert_string_equal(back_of(&report)->note, back->why);

    run = there_and_back(*state, 0);
    run->record.switch_backs[0].refused = true;
    run->record.switch_backs[0].why = "candidate does not exist";
    report = analysed(run);
    assert_int_equal(back_of(&report)->verdict, VERDICT_FAIL);
    assert_string_equal(back_of(&report)->measured, "refused");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_way_back_is_counted_from_its_own_begin),
        TEST(test_the_slowest_is_judged),
        TEST(test_one_that_never_came_misses_the_bound),
        TEST(test_without_a_change_between_them_the_first_fault_counts),
        TEST(test_it_counts_from_the_fault_that_struck_who_led),
        TEST(test_who_comes_back_after_its_undo_did_not_fail_over),
        TEST(test_a_change_without_a_fault_of_its_own_is_none),
        TEST(test_an_old_run_has_its_first_change),
        TEST(test_a_switch_back_has_a_line_of_its_own_and_is_no_failover),
        TEST(test_a_switch_back_is_under_the_same_bounds),
        TEST(test_a_switch_back_that_was_not_asked_for_is_unclear),
        TEST(test_what_is_not_redundant_again_is_not_explained_by_who_leads),
        TEST(test_clients_are_judged_though_nobody_leads_again),
        TEST(test_who_leads_already_need_not_be_asked),
        TEST(test_a_leader_lost_on_the_way_back_is_a_finding),
        TEST(test_what_the_way_back_costs_is_its_own),
        TEST(test_what_is_not_steady_after_the_switch_back_is_said_so),
        TEST(test_what_stays_changed_is_who_leads_at_the_end),
        TEST(test_no_limit_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
