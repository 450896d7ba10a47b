/* cycles.c - what the runs of a repeat come to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cycles.h"

#include "../runner/base/duration.h"
#include "../runner/base/json.h"
#include "../runner/base/table.h"
#include "../runner/base/text.h"
#include "../runner/model/cycles.h"
#include "say.h"

enum { CYCLES_MOST = 100 };

enum Verdict cycles_verdict(const struct CyclesReport *report)
{
    enum Verdict worst = report->halted ? VERDICT_HALTED : VERDICT_PASS;
    for (size_t n = 0; n < report->ran_count; n++) {
        const struct Cycle cycle = {.number = (uint32_t)n + 1, .of = report->cycle.of};
        worst = verdict_worst(worst, cycle_verdict(&cycle, report->ran[n].verdict));
    }
    return report->ran_count < report->cycle.of ? verdict_worst(worst, VERDICT_INCONCLUSIVE)
                                                : worst;
}

/* One row for each probe: all cycles of it made one. */
static struct List by_probe(const struct CyclesReport *report, struct Arena *arena)
{
    struct List out = {.items = NULL};
    for (size_t n = 0; n < report->row_count; n++) {
        struct Past *of = arena_zero(arena, report->row_count, sizeof *of);
        size_t count = 0;
        bool before = false;
        for (size_t k = 0; k < report->row_count; k++) {
            bool same = text_equal(report->rows[k].probe, report->rows[n].probe);
            before = before || (same && k < n);
            if (same)
                of[count++] = report->rows[k];
        }
        if (before)
            continue;
        (void)cycles_join(of, count, arena);
        *(struct Past *)list_add(&out, arena, sizeof *of) = of[0];
    }
    return out;
}

static void put_one(struct Buf *out, int64_t ns)
{
    char text[32] = "never";
    if (ns >= 0 && ns != NS_NEVER)
        duration_say(ns, text);
    buf_put(out, ns < 0 ? "-" : text);
}

static void put_all(struct Buf *out, const int64_t *ns, size_t count)
{
    buf_printf(out, "%zu cycle%s:", count, count == 1 ? "" : "s");
    for (size_t n = 0; n < count; n++) {
        buf_put(out, n == 0 ? " " : "  ");
        put_one(out, ns[n]);
    }
}

static int64_t median_of_row(const struct Past *row)
{
    return row->censored ? NS_NEVER : row->recovery_high_ns;
}

static void probe_line(const struct Past *row, int widest, struct Buf *out)
{
    struct Buf name = BUF(300);
    say_outside(&name, row->probe);
    buf_put(out, "  ");
    buf_padded(out, name.text, widest);
    buf_free(&name);
    if (median_of_row(row) < 0) {
        if (row->unaffected)
            buf_printf(out, "  no outage seen in %zu cycle%s\n", row->recovery_count,
                       row->recovery_count == 1 ? "" : "s");
        else
            buf_put(out, "  not judged\n");
        return;
    }
    buf_put(out, "  recovery  median ");
    put_one(out, median_of_row(row));
    buf_put(out, "   ");
    put_all(out, row->recoveries, row->recovery_count);
    if (row->limit_ns >= 0) {
        buf_put(out, "   limit ");
        put_one(out, row->limit_ns);
    }
    buf_char(out, '\n');
}

void cycles_text(const struct CyclesReport *report, struct TextStyle style, struct Buf *out)
{
    const struct RunRecord run = {.environment = report->environment,
                                  .is_protected = report->is_protected};
    struct Arena *arena = arena_new("cycles", (size_t)64 << 20);
    struct List rows = by_probe(report, arena);
    const struct Past *row = rows.items;
    int widest = 0;
    (void)style;
    buf_printf(out, "%s  ", verdict_name(cycles_verdict(report)));
    say_outside(out, report->scenario);
    buf_put(out, "  ");
    say_environment(&run, out);
    buf_printf(out, "  %zu of %u cycles, the worst is judged:", report->ran_count,
               report->cycle.of);
    for (size_t n = 0; n < report->ran_count; n++)
        buf_printf(out, "%s %s %s", n > 0 ? "," : "",
                   report->ran[n].run != NULL ? run_short(report->ran[n].run) : "not begun,",
                   verdict_name(report->ran[n].verdict));
    buf_put(out, report->halted ? "; halted before the next one\n" : "\n");
    for (size_t n = 0; n < rows.count; n++)
        widest =
            (int)text_columns(row[n].probe) > widest ? (int)text_columns(row[n].probe) : widest;
    for (size_t n = 0; n < rows.count; n++)
        probe_line(&row[n], widest, out);
    arena_free(arena);
}

static void put_ns(struct Json *json, int64_t ns)
{
    if (ns < 0 || ns == NS_NEVER)
        json_nothing(json);
    else
        json_int(json, ns);
}

void cycles_json(const struct CyclesReport *report, struct Buf *out)
{
    struct Arena *arena = arena_new("cycles", (size_t)64 << 20);
    struct List rows = by_probe(report, arena);
    const struct Past *row = rows.items;
    struct Json json = json_begin(out, true);
    json_open_object(&json);
    json_put_text(&json, "repeat", report->cycle.first);
    json_put_int(&json, "of", report->cycle.of);
    json_put_text(&json, "verdict", verdict_name(cycles_verdict(report)));
    json_put_bool(&json, "halted_between", report->halted);
    json_key(&json, "cycles");
    json_open_array(&json);
    for (size_t n = 0; n < report->ran_count; n++) {
        json_open_object(&json);
        json_put_text(&json, "run", report->ran[n].run);
        json_put_text(&json, "verdict", verdict_name(report->ran[n].verdict));
        json_end(&json);
    }
    json_end(&json);
    json_key(&json, "probes");
    json_open_array(&json);
    for (size_t n = 0; n < rows.count; n++) {
        json_open_object(&json);
        json_put_text(&json, "probe", row[n].probe);
        json_key(&json, "median_ns");
        put_ns(&json, median_of_row(&row[n]));
        json_key(&json, "recoveries_ns");
        json_open_array(&json);
        for (size_t k = 0; k < row[n].recovery_count; k++)
            put_ns(&json, row[n].recoveries[k]);
        json_end(&json);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    buf_char(out, '\n');
    arena_free(arena);
}

void cycles_note(const struct Report *report, const char *probe, struct Buf *out)
{
    int64_t all[CYCLES_MOST];
    size_t count = 0;
    const struct Cycle *cycle = &report->run->cycle;
    for (uint32_t number = 1; number <= cycle->of && count < CYCLES_MOST; number++) {
        for (size_t n = 0; number != cycle->number && n < report->cycle_count; n++) {
            const struct Past *row = &report->cycles[n];
            if (row->cycle.number == number && text_equal(row->probe, probe))
                all[count++] = row->unaffected ? -1
                               : row->censored ? NS_NEVER
                                               : row->recovery_high_ns;
        }
        for (size_t n = 0; number == cycle->number && n < report->probe_count; n++) {
            const struct ProbeResult *result = &report->probes[n];
            if (text_equal(result->probe->name, probe))
                all[count++] = result->unaffected ? -1 : result->recovered.high_ns;
        }
    }
    if (cycle->of > 1 && count > 0)
        put_all(out, all, count);
}
