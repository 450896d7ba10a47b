/* reports_live_test.c - the live view fits its screen and says what is going on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../reports/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/table.h"

#define MS NS_PER_MS

struct Scene {
    struct LiveState state;
    struct LiveFault fault;
    struct LiveProbe probes[12];
    struct LiveHistory history;
    struct LiveEvent events[8];
};

static struct Mono at(int64_t ms)
{
    return (struct Mono){.ns = 50 * NS_PER_S + ms * MS};
}

static void fill_history(struct Scene *scene)
{
    for (int second = 0; second < 27; second++) {
        struct StretchNow seen = {.latency_ns = 4 * MS, .failing = second >= 7 && second < 11};
        if (second == 11)
            seen.latency_ns = 90 * MS;
        live_history_add(&scene->history, &seen, second == 6, at(second * 1000));
    }
}

static struct Scene *scene_new(void)
{
    static struct Scene scene;
    memset(&scene, 0, sizeof(scene));
    scene.fault = (struct LiveFault){.number = 1,
                                     .step = "isolate",
                                     .host = "api-2",
                                     .state = "in effect",
                                     .proven = at(7112),
                                     .undo_at = at(67112),
                                     .ends_by = "kernel timer armed",
                                     .in_effect = true};
    fill_history(&scene);
    for (size_t n = 0; n < 12; n++)
        scene.probes[n] = (struct LiveProbe){
            .name = n == 0 ? "shop" : "other",
            .seen = {.latency_ns = 142 * MS, .longest_ns = 3900 * MS, .failed = 27, .stretches = 1},
            .history = &scene.history,
            .halt_outage_ns = 45 * NS_PER_S};
    for (int n = 0; n < 8; n++)
        scene.events[n] =
            (struct LiveEvent){at(1000 * n), "fault", "proven on api-2 \x1b[2J (40 ms after it)"};
    scene.state = (struct LiveState){.scenario = "lose_an_api_machine",
                                     .environment = "staging",
                                     .id = "01kabcdefghjkmnpqrstvw4k2p",
                                     .phase = "fault in effect",
                                     .phase_began = at(7112),
                                     .phase_until = at(67112),
                                     .now = at(30400),
                                     .mono_began = at(0),
                                     .wall_began = {.ns = 1763289780 * NS_PER_S},
                                     .hint = "Ctrl-C halts and undoes",
                                     .faults = &scene.fault,
                                     .fault_count = 1,
                                     .probes = scene.probes,
                                     .probe_count = 1,
                                     .events = scene.events,
                                     .event_count = 2};
    return &scene;
}

static void test_the_view_says_what_is_going_on(void **state)
{
    (void)state;
    struct Scene *scene = scene_new();
    struct Buf out = BUF(10000);

    live_view(&scene->state, &(struct LiveStyle){.rows = 24, .columns = 100, .unicode = true},
              &out);

    assert_string_equal(
        out.text,
        "lose_an_api_machine  staging  4k2p   fault in effect 00:23 of 01:00"
        "          Ctrl-C halts and undoes\n"
        " 1 isolate  api-2   in effect   proven 10:43:07.112   undo in 36 s   kernel timer armed\n"
        " shop  ▁▁▁▁▁▁▁████▃▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   ok 142 ms   outage 3.9 s   27 errors   halt at 45 s\n"
        "             ^fault\n"
        " 10:43:00.000 fault     proven on api-2 \\x1b[2J (40 ms after it)\n"
        " 10:43:01.000 fault     proven on api-2 \\x1b[2J (40 ms after it)\n");
    buf_free(&out);
}

static void check_fits(struct Scene *scene, const struct LiveStyle *style)
{
    struct Buf out = BUF(100000);
    live_view(&scene->state, style, &out);
    unsigned lines = 0;
    for (char *line = out.text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        lines++;
        assert_true(text_columns(line) <= style->columns);
    }
    assert_true(lines <= style->rows);
    buf_free(&out);
}

static void test_the_view_never_leaves_its_screen(void **state)
{
    (void)state;
    struct Scene *scene = scene_new();
    struct LiveFault faults[9];
    for (size_t n = 0; n < 9; n++)
        faults[n] = scene->fault;
    scene->state.faults = faults;
    scene->state.event_count = 8;
    for (unsigned rows = 1; rows <= 30; rows++) {
        for (unsigned columns = 1; columns <= 130; columns += 3) {
            scene->state.fault_count = rows % 10;
            scene->state.probe_count = columns % 13;
            check_fits(scene, &(struct LiveStyle){rows, columns, columns % 2 == 0, rows % 2 == 0});
        }
    }
}

static void test_a_log_has_a_line_per_event(void **state)
{
    (void)state;
    struct Scene *scene = scene_new();
    struct Buf out = BUF(10000);

    live_event(&scene->state, &(struct LiveEvent){at(7112), "fault", "isolate api-2 proven"}, &out);
    live_alive(&scene->state, &out);

    assert_string_equal(out.text,
                        "10:43:07.112 fault     isolate api-2 proven\n"
                        "10:43:30.400 alive     fault in effect 00:23 of 01:00, shop ok\n");
    buf_free(&out);
}

static void test_ascii_has_no_other_bytes(void **state)
{
    (void)state;
    struct Scene *scene = scene_new();
    struct Buf out = BUF(10000);

    live_view(&scene->state, &(struct LiveStyle){.rows = 24, .columns = 100, .color = true}, &out);

    for (size_t n = 0; n < out.size; n++)
        assert_true((unsigned char)out.text[n] < 0x80);
    buf_free(&out);
}

static void test_a_minute_of_history_is_kept(void **state)
{
    (void)state;
    struct LiveHistory history = {.count = 0};
    for (int n = 0; n < 1000; n++)
        live_history_add(&history, &(struct StretchNow){.latency_ns = n}, false, at(n * 200));

    assert_int_equal(history.count, LIVE_CELLS);
    assert_int_equal(history.cells[LIVE_CELLS - 1].latency_ns, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_view_says_what_is_going_on),
        cmocka_unit_test(test_the_view_never_leaves_its_screen),
        cmocka_unit_test(test_a_log_has_a_line_per_event),
        cmocka_unit_test(test_ascii_has_no_other_bytes),
        cmocka_unit_test(test_a_minute_of_history_is_kept),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
