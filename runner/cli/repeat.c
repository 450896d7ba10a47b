/* repeat.c - the cycles of `repeat:` and `--times`: runs one after the other, judged as one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "repeat.h"

#include "../../reports/cycles.h"
#include "../base/duration.h"
#include "../base/text.h"

#define LOOK_EVERY_NS (200 * NS_PER_MS)

enum { TIMES_MOST = 100, WAITS_MOST = 20, TEXT_BYTES = 1 << 20 };

/* ---- What the cycles have in common ---- */

static bool times_given(struct Repeat *repeat, const struct Drill *drill, struct Err *err)
{
    const struct Scenario *scenario = drill->loaded.scenario;
    const char *given = cli_option(repeat->cli, "times"), *why = NULL;
    int64_t times = scenario->cycles;
    if (given != NULL && (scenario->cycles > 1 || drill->saved != NULL)) {
        err_set(err, ERR_USAGE, NOWHERE, "--times %s: the %s says how often", given,
                drill->saved != NULL ? "plan" : "scenario");
        return err_hint(err, "Leave it away, or change `repeat: {times}`.");
    }
    if (given != NULL && (!int_parse(given, &times, &why) || times < 1 || times > TIMES_MOST))
        return err_set(err, ERR_USAGE, NOWHERE, "--times takes a number from 1 to %d, not '%s'",
                       TIMES_MOST, given);
    repeat->cycle.of = (uint32_t)times;
    repeat->pause_ns = scenario->pause_ns;
    return true;
}

bool repeat_loaded(struct Repeat *repeat, const struct Drill *drill, struct Err *err)
{
    struct Arena *arena = repeat->cli->arena;
    const struct Environment *environment = drill->loaded.environment;
    const struct Scenario *scenario = drill->loaded.scenario;
    if (repeat->cycle.number == 1) {
        repeat->scenario = arena_text(arena, scenario->name);
        repeat->environment = arena_text(arena, environment->name);
        repeat->text_hash = arena_text(arena, scenario->text_hash);
        repeat->environment_hash = arena_text(arena, environment->hash);
        repeat->is_protected = environment->is_protected;
        repeat->who = drill->who;
        return times_given(repeat, drill, err);
    }
    if (text_equal(repeat->text_hash, scenario->text_hash) &&
        text_equal(repeat->environment_hash, environment->hash))
        return true;
    return err_set(err, ERR_REFUSED, NOWHERE, "the files changed since the first cycle");
}

bool repeat_planned(struct Repeat *repeat, const struct Plan *plan)
{
    if (repeat->cycle.number == 1)
        repeat->seed = plan->seed;
    else
        repeat->waits_ns = plan->cool_down_ns;
    return repeat->waits_ns == 0;
}

struct Cycle repeat_begins(struct Repeat *repeat, const struct Plan *plan)
{
    repeat->begun = arena_text(repeat->cli->arena, plan->token.text);
    if (repeat->cycle.number == 1)
        repeat->cycle.first = repeat->begun;
    return repeat->cycle;
}

/* ---- Between two of them ---- */

struct Pausing {
    struct Repeat *repeat;
    struct Drill drill;
    struct Timer *timer;
    struct Mono until;
    const char *halted; /* NULL: it may go on */
};

static void pause_tick(void *data, int events)
{
    struct Pausing *pausing = data;
    struct Err err;
    (void)events;
    if (!store_halt_asked(pausing->drill.store, pausing->repeat->begun, pausing->repeat->cli->arena,
                          &pausing->halted, &err))
        pausing->halted = NULL; /* the next run says what is wrong with the store */
    if (pausing->halted != NULL || !mono_before(mono_now(), pausing->until))
        loop_stop(pausing->drill.loop);
    else
        loop_timer_at(pausing->timer, mono_add(mono_now(), LOOK_EVERY_NS));
}

static void pause_signalled(void *data, int number)
{
    struct Pausing *pausing = data;
    (void)number;
    pausing->halted = "by a signal";
    loop_stop(pausing->drill.loop);
}

static void say_pause(const struct Repeat *repeat, int64_t ns, const char *why)
{
    char text[32];
    duration_say(ns, text);
    if (!repeat->cli->quiet)
        fprintf(stderr, "cycle %zu of %u is over; the next one begins in %s%s; Ctrl-C ends it\n",
                repeat->ran.count, repeat->cycle.of, text, why);
}

/* The environment stays ours: where somebody else was quicker, the next run says who. False where
 * it was halted, and nothing more is to begin. */
static bool pause_for(struct Repeat *repeat, int64_t ns, const char *why)
{
    struct Pausing pausing = {.repeat = repeat, .until = mono_add(mono_now(), ns)};
    struct Err err;
    if (drill_open(repeat->cli, &pausing.drill) != 0) {
        drill_close(&pausing.drill);
        return false;
    }
    struct Store *store = pausing.drill.store;
    const struct LockRow lock = {repeat->environment, repeat->begun, repeat->who};
    bool held = store_lock(store, &lock, &err);
    say_pause(repeat, ns, why);
    loop_signals(pausing.drill.loop, pause_signalled, &pausing);
    pausing.timer = loop_timer(pausing.drill.loop, pause_tick, &pausing);
    loop_timer_at(pausing.timer, mono_now());
    loop_run(pausing.drill.loop);
    loop_timer_free(pausing.timer);
    loop_signals(pausing.drill.loop, NULL, NULL);
    if (held && !store_unlock(store, repeat->begun, &err))
        fprintf(stderr, "the lock of '%s' stays: %s\n", repeat->environment, err.message);
    drill_close(&pausing.drill);
    return pausing.halted == NULL;
}

/* ---- All of them ---- */

static enum Verdict verdict_of(int status)
{
    for (int verdict = VERDICT_PASS; verdict <= VERDICT_NOT_UNDONE; verdict++)
        if (verdict_status((enum Verdict)verdict) == status)
            return (enum Verdict)verdict;
    return VERDICT_REFUSED; /* a file that could be read before cannot be now */
}

static void note(struct Repeat *repeat, int status)
{
    struct RanCycle *ran = list_add(&repeat->ran, repeat->cli->arena, sizeof *ran);
    *ran = (struct RanCycle){.run = repeat->begun, .verdict = verdict_of(status)};
}

static int summary(struct Repeat *repeat, bool halted)
{
    struct Cli *cli = repeat->cli;
    struct Drill drill;
    struct List rows = {.items = NULL};
    struct Err err;
    int status = drill_open(cli, &drill);
    if (status == 0 && !store_cycles(drill.store, repeat->cycle.first, cli->arena, &rows, &err))
        status = cli_fail(cli, &err);
    drill_close(&drill);
    struct CyclesReport report = {.scenario = repeat->scenario,
                                  .environment = repeat->environment,
                                  .is_protected = repeat->is_protected,
                                  .cycle = repeat->cycle,
                                  .halted = halted,
                                  .ran = repeat->ran.items,
                                  .ran_count = repeat->ran.count,
                                  .rows = rows.items,
                                  .row_count = rows.count};
    struct Buf out = BUF(TEXT_BYTES);
    enum Verdict verdict = cycles_verdict(&report);
    if (verdict == VERDICT_PASS && cli_option(cli, "unattended") != NULL)
        return status;
    if (cli->json)
        cycles_json(&report, &out);
    else
        cycles_text(&report, (struct TextStyle){.unicode = cli->out.unicode}, &out);
    int printed = cli_print(&out, verdict_status(verdict));
    if (repeat->not_undone != NULL)
        fputs(repeat->not_undone, stderr);
    buf_free(&out);
    return status != 0 && verdict != VERDICT_NOT_UNDONE ? status : printed;
}

int repeat_run(struct Cli *cli, int (*once)(struct Cli *cli, struct Repeat *repeat), void *data)
{
    struct Repeat repeat = {.cli = cli, .data = data, .cycle = {.number = 1}};
    int status = 0;
    bool halted = false;
    for (int waits = 0; !halted;) {
        repeat.waits_ns = 0;
        const char *before = repeat.begun;
        status = once(cli, &repeat);
        if (repeat.waits_ns > 0 && waits++ < WAITS_MOST) {
            halted = !pause_for(&repeat, repeat.waits_ns, ": a system is in its cool-down");
            continue;
        }
        repeat.begun = repeat.begun == before ? NULL : repeat.begun;
        if (repeat.begun == NULL && status == 0) /* it was waited for long enough */
            status = err_status(ERR_NOT_READY);
        note(&repeat, status);
        bool goes_on = repeat.begun != NULL && (status == 0 || status == 1);
        if (!goes_on || repeat.cycle.number >= repeat.cycle.of)
            break;
        halted = repeat.pause_ns > 0 && !pause_for(&repeat, repeat.pause_ns, "");
        repeat.cycle.number++;
        waits = 0;
    }
    return repeat.cycle.of > 1 && repeat.cycle.first != NULL ? summary(&repeat, halted) : status;
}
