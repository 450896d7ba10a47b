/* advice.c - a FAIL names the settings that explain it, or none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "analyse_parts.h"

enum { ADVICE_MAX = 3 };

/* One system of the run, and what its settings would have to promise. */
struct Asked {
    const struct Analysis *analysis;
    const struct RunSystem *system;
    int64_t values[KNOB_ROWS_MAX];
    struct Forecast today;
    struct Span failover; /* as measured; high NS_NEVER: none */
    struct KnobWish wish;
    const struct ProbeResult *client; /* one that was back too late; else who asks who leads */
};

static bool is_sent_to(const struct RunFault *fault, const char *host)
{
    return fault->t0.low.ns != 0 && host != NULL && text_equal(fault->host, host) &&
           !text_equal(fault->kind, "failover"); /* settings do not say how long that takes */
}

/* The fault that struck who led; NULL where none did. */
static const struct RunFault *fault_of(const struct RunRecord *run, const struct RunSystem *system)
{
    for (size_t n = 0; n < run->fault_count; n++)
        if (is_sent_to(&run->faults[n], system->primary_before))
            return &run->faults[n];
    return NULL;
}

static struct Span measured(const struct Report *report, const struct RunSystem *system)
{
    for (size_t n = 0; n < report->primary_count; n++)
        if (report->primaries[n].system == system)
            return report->primaries[n].failover;
    if (system->failed_over_high.ns == 0)
        return (struct Span){0, NS_NEVER};
    return span_since(report->t0, system->failed_over_low, system->failed_over_high);
}

/* It took as long as its settings predict, or the fault was over before they would have acted. */
static bool as_predicted(const struct Asked *asked)
{
    const struct Report *report = asked->analysis->out;
    struct Span expected = asked->system->expected;
    if (expected.high_ns <= 0 || expected.high_ns == NS_NEVER)
        return false;
    if (asked->failover.high_ns != NS_NEVER)
        return asked->failover.low_ns <= expected.high_ns &&
               asked->failover.high_ns >= expected.low_ns;
    return report->undone.low.ns != 0 &&
           mono_since(report->t0.low, report->undone.low) < expected.low_ns;
}

/* A client of the role, or the only one that anything else can have waited for. */
static bool waits_for(const struct Asked *asked, const struct ProbeResult *probe)
{
    if (probe->probe->from != NULL)
        return false;
    if (probe->probe->role != NULL)
        return text_equal(probe->probe->role, asked->system->role);
    if (asked->analysis->run->system_count != 1 || probe->unaffected)
        return false;
    return asked->failover.high_ns == NS_NEVER ? probe->recovered.high_ns == NS_NEVER
                                               : probe->recovered.high_ns >= asked->failover.low_ns;
}

/* What clients needed beyond the failover; nobody knows where one of them never came. */
static int64_t reconnection(const struct Asked *asked, const struct ProbeResult *probe)
{
    if (asked->failover.high_ns == NS_NEVER || probe->recovered.high_ns == NS_NEVER)
        return 0;
    int64_t more = probe->recovered.high_ns - asked->failover.low_ns;
    return more > 0 ? more : 0;
}

/* A tenth is left to spare. */
static bool grantable(struct Asked *asked, struct KnobWish wish)
{
    struct KnobChange changes[3];
    struct Forecast promised;
    return knobs_grant(asked->system->table, asked->values, &wish, changes, &promised) > 0;
}

static void ask_time(struct Asked *asked, const struct Judged *judged, enum BoundWord word,
                     const struct ProbeResult *probe)
{
    struct KnobWish wish = {asked->system->expected, KNOB_UNKNOWN, KNOB_UNKNOWN};
    int64_t limit = judged->expectation->limit;
    if (!as_predicted(asked) || !waits_for(asked, probe))
        return;
    wish.failover_ns = limit - limit / 10;
    if (word != BOUND_FAILOVER_WITHIN)
        wish.failover_ns -= reconnection(asked, probe);
    if (wish.failover_ns <= 0 || !grantable(asked, wish))
        return;
    if (asked->wish.failover_ns == KNOB_UNKNOWN || wish.failover_ns < asked->wish.failover_ns)
        asked->wish.failover_ns = wish.failover_ns;
    if (asked->client == NULL || asked->client->probe->is_primary)
        asked->client = probe;
}

static bool is_cut(const struct RunFault *fault)
{
    return text_equal(fault->kind, "isolate") || text_equal(fault->kind, "cut");
}

/* The old primary acknowledged all of it, and as long as its settings let it. */
static bool losses_as_predicted(const struct Asked *asked, const struct LedgerResult *ledger)
{
    const struct RunRecord *run = asked->analysis->run;
    const struct RunFault *fault = fault_of(run, asked->system);
    bool one = ledger->lost_by > 0 && ledger->lost_by <= run->host_count &&
               text_equal(run->hosts[ledger->lost_by - 1], asked->system->primary_before);
    if (ledger->complete != KNOWN_YES || ledger->lost == 0 || !one || asked->today.lossless ||
        fault == NULL)
        return false;
    if (!is_cut(fault))
        return ledger->lost_after == 0;
    return asked->today.acked.high_ns == NS_NEVER ||
           (asked->today.acked.high_ns != KNOB_UNKNOWN &&
            ledger->zombie_ns <= asked->today.acked.high_ns + NS_PER_S);
}

static void ask_losses(struct Asked *asked, const struct Judged *judged,
                       const struct ProbeResult *probe)
{
    struct KnobWish wish = {asked->system->expected, KNOB_UNKNOWN, 0};
    const struct LedgerResult *ledger = ledger_result(asked->analysis->out, probe->probe);
    int64_t limit = judged->expectation->limit;
    if (ledger == NULL || !text_equal(probe->probe->role, asked->system->role) ||
        !losses_as_predicted(asked, ledger))
        return;
    if (!judged->expectation->limit_is_duration)
        limit = limit < 1000 * 1000 ? limit * ledger->spacing_ns : 0;
    if (is_cut(fault_of(asked->analysis->run, asked->system)))
        wish.acked_ns = limit - limit / 10;
    if (!grantable(asked, wish))
        return;
    if (asked->wish.acked_ns == KNOB_UNKNOWN || wish.acked_ns < asked->wish.acked_ns)
        asked->wish.acked_ns = wish.acked_ns;
}

static void ask(struct Asked *asked)
{
    const struct Report *report = asked->analysis->out;
    for (size_t n = 0; n < report->judged_count; n++) {
        const struct Judged *judged = &report->judged[n];
        enum BoundWord word = BOUND_COUNT;
        enum When when = WHEN_ALL;
        const struct ProbeResult *probe = probe_result(report, judged->expectation->probe);
        if (judged->verdict != VERDICT_FAIL || probe == NULL ||
            !bound_read(judged->expectation->word, &when, &word) || when != WHEN_ALL)
            continue;
        if (word == BOUND_MAX_LOST)
            ask_losses(asked, judged, probe);
        else if (word == BOUND_RECOVER_WITHIN || word == BOUND_FAILOVER_WITHIN ||
                 ((word == BOUND_MAX_OUTAGE || word == BOUND_MAX_DOWNTIME) && probe->windows == 1))
            ask_time(asked, judged, word, probe);
    }
}

/* ---- Words ---- */

static const char *gain_of(const struct Asked *asked, const struct KnobWish *wish,
                           const struct Forecast *promised, size_t count)
{
    char now[64], then[64];
    struct Buf text = BUF(300);
    if (count > 1)
        buf_put(&text, "together: ");
    if (wish->failover_ns != KNOB_UNKNOWN) {
        span_say(promised->failover.low_ns, promised->failover.high_ns, then);
        span_say(asked->system->expected.low_ns, asked->system->expected.high_ns, now);
        buf_printf(&text, "failover in %s instead of %s", then, now);
    }
    if (wish->acked_ns != KNOB_UNKNOWN) {
        buf_put(&text, wish->failover_ns != KNOB_UNKNOWN ? "; " : "");
        duration_say(promised->acked.high_ns, then);
        if (promised->lossless)
            buf_put(&text, "what is acknowledged is on another host as well");
        else
            buf_printf(&text, "cut off, it acknowledges for %s at most", then);
    }
    const char *gain = arena_text(asked->analysis->arena, text.text);
    buf_free(&text);
    return gain;
}

/* The line's one %s is the value. */
static const char *line_of(struct Arena *arena, const struct KnobRow *row, const char *value)
{
    struct Buf line = BUF(200);
    for (const char *at = row->line; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 's') {
            buf_put(&line, value);
            at++;
        } else {
            buf_char(&line, *at);
        }
    }
    const char *text = arena_text(arena, line.text);
    buf_free(&line);
    return text;
}

static bool advise(const struct Asked *asked, struct KnobWish wish)
{
    struct KnobChange changes[3];
    struct Forecast promised;
    struct Report *out = asked->analysis->out;
    struct Arena *arena = asked->analysis->arena;
    if (wish.failover_ns == KNOB_UNKNOWN && wish.acked_ns == KNOB_UNKNOWN)
        return false;
    size_t count = knobs_grant(asked->system->table, asked->values, &wish, changes, &promised);
    if (count == 0 || out->advice_count + count > ADVICE_MAX)
        return false;
    const char *gain = gain_of(asked, &wish, &promised, count);
    for (size_t n = 0; n < count; n++) {
        const struct KnobRow *row = changes[n].row;
        char today[40], value[40], written[40];
        knob_write(row, row->unit, changes[n].from, today);
        knob_write(row, row->unit, changes[n].to, value);
        knob_write(row, row->written, changes[n].to, written);
        out->advice[out->advice_count++] = (struct Advice){.role = asked->system->role,
                                                           .knob = row->name,
                                                           .today = arena_text(arena, today),
                                                           .value = arena_text(arena, value),
                                                           .line = line_of(arena, row, written),
                                                           .gain = gain};
    }
    return true;
}

static void add_phase(struct Buf *out, const char *what, int64_t low_ns, int64_t high_ns)
{
    char span[64];
    span_say(low_ns > 0 ? low_ns : 0, high_ns > 0 ? high_ns : 0, span);
    buf_printf(out, "%s%s %s", out->size > 0 ? ", " : "", what, span);
}

/* Where the time went: until the control plane saw it, until another led, until clients were back.
 */
static void say_phases(const struct Asked *asked)
{
    struct Report *report = asked->analysis->out;
    struct Buf text = BUF(300);
    struct Span detected = {0, NS_NEVER}, failover = asked->failover;
    if (asked->system->detected_high.ns != 0)
        detected =
            span_since(report->t0, asked->system->detected_low, asked->system->detected_high);
    if (asked->client == NULL || failover.high_ns == NS_NEVER || report->phases != NULL ||
        report->cause_count > 1)
        return;
    struct Span recovered = asked->client->recovered;
    if (detected.high_ns != NS_NEVER && detected.low_ns <= failover.high_ns) {
        add_phase(&text, "detection", detected.low_ns, detected.high_ns);
        add_phase(&text, "election", failover.low_ns - detected.high_ns,
                  failover.high_ns - detected.low_ns);
    } else {
        add_phase(&text, "detection and election", failover.low_ns, failover.high_ns);
    }
    if (!asked->client->probe->is_primary && recovered.high_ns != NS_NEVER)
        add_phase(&text, "reconnection", recovered.low_ns - failover.high_ns,
                  recovered.high_ns - failover.low_ns);
    report->phases = arena_text(asked->analysis->arena, text.text);
    buf_free(&text);
}

void analyse_advice(struct Analysis *analysis)
{
    const struct RunRecord *run = analysis->run;
    struct Report *out = analysis->out;
    out->advice = arena_zero(analysis->arena, ADVICE_MAX, sizeof(*out->advice));
    if (out->verdict != VERDICT_FAIL)
        return;
    for (size_t n = 0; n < run->system_count; n++) {
        const struct RunSystem *system = &run->systems[n];
        struct Asked asked = {.analysis = analysis,
                              .system = system,
                              .wish = {system->expected, KNOB_UNKNOWN, KNOB_UNKNOWN}};
        if (system->table == NULL || system->knobs == NULL || fault_of(run, system) == NULL)
            continue;
        knobs_read_text(system->table, system->knobs, asked.values);
        system->table->foretell(asked.values, &asked.today);
        asked.failover = measured(out, system);
        ask(&asked);
        struct KnobWish time = asked.wish, loss = asked.wish;
        time.acked_ns = loss.failover_ns = KNOB_UNKNOWN;
        bool both = advise(&asked, asked.wish);
        if (both || advise(&asked, time))
            say_phases(&asked);
        if (!both)
            (void)advise(&asked, loss);
    }
}
