/* reports_cycles_test.c - what is said of a repeat. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/cycles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* Two cycles of one probe. */
static void say(const struct Past rows[2], struct Buf *out)
{
    const struct RanCycle ran[] = {
        {.run = "01kabcdefghjkmnpqrstv4k2p9", .verdict = rows[0].verdict},
        {.run = "01kabcdefghjkmnpqrstv4k2pa", .verdict = rows[1].verdict}};
    const struct CyclesReport report = {.scenario = "lose_an_api_machine",
                                        .environment = "staging",
                                        .cycle = {"a", 2, 2},
                                        .ran = ran,
                                        .ran_count = 2,
                                        .rows = rows,
                                        .row_count = 2};
    buf_clear(out);
    cycles_text(&report, (struct TextStyle){.unicode = false}, out);
}

static struct Past row(uint32_t number, enum Verdict verdict, bool unaffected)
{
    return (struct Past){.id = "a",
                         .probe = "shop",
                         .verdict = verdict,
                         .unaffected = unaffected,
                         .finished = true,
                         .recovery_low_ns = unaffected ? -1 : NS_PER_S,
                         .recovery_high_ns = unaffected ? -1 : 2 * NS_PER_S,
                         .limit_ns = -1,
                         .cycle = {"a", number, 2}};
}

static void test_no_outage_is_said_only_of_what_was_judged(void **state)
{
    (void)state;
    struct Buf out = BUF(10000);

    say((struct Past[]){row(1, VERDICT_PASS, true), row(2, VERDICT_PASS, true)}, &out);
    assert_non_null(strstr(out.text, "shop  no outage seen in 2 cycles\n"));
    say((struct Past[]){row(1, VERDICT_INCONCLUSIVE, false), row(2, VERDICT_HALTED, false)}, &out);
    assert_non_null(strstr(out.text, "shop  not judged\n"));
    say((struct Past[]){row(1, VERDICT_PASS, true), row(2, VERDICT_INCONCLUSIVE, true)}, &out);
    assert_non_null(strstr(out.text, "shop  not judged\n"));
    say((struct Past[]){row(1, VERDICT_PASS, false), row(2, VERDICT_INCONCLUSIVE, true)}, &out);
    assert_non_null(strstr(out.text, "median 2 s   2 cycles: 2 s  -"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_outage_is_said_only_of_what_was_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
