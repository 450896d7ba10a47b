/* run_settle.c - steady before and after; then the ledgers are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#define STEADY_SAMPLES 3
#define READ_BACK_NS (15 * NS_PER_S)
#define READ_BACK_LATE_NS (5 * NS_PER_S)

/* One read-back under way; filled on the prober's thread, read by the conductor once it has ended.
 */
struct Reading {
    struct Run *run;
    uint32_t probe, host; /* host: index + 1 in the role; 0 = the primary */
    bool tidy;
    struct Found *found;
    size_t count, room;
    enum Known complete;
    const char *note; /* NULL: none */
};

struct StretchMachine *settle_machine(struct Run *run, const struct ProbeSpec *spec)
{
    struct StretchRules rules = {.interval_ns = spec->interval_ns,
                                 .timeout_ns = spec->timeout_ns,
                                 .gap_ns = spec->gap_ns,
                                 .hold_ns = spec->hold_ns};
    return stretch_new(run->arena, &rules);
}

/* What a fault that comes in steps had taken when it was last looked at, or NULL. */
static const char *last_noted(const struct Run *run)
{
    for (size_t at = run->fault_count; at-- > 0;)
        if (run->faults[at].state == FAULT_IN_EFFECT && run->faults[at].noted[0] != '\0')
            return run->faults[at].noted;
    return NULL;
}

/* One line where a failing stretch begins, one where ok has held; never one an attempt. */
static void say_change(struct Run *run, const struct Sample *sample, unsigned change)
{
    const struct ProbeSpec *spec =
        (const struct ProbeSpec *)run->scenario->probes.items + sample->probe;
    const struct StretchMachine *machine = run->machines[sample->probe];
    if (stretch_count(machine) == 0)
        return;
    const struct Stretch *last = stretch_at(machine, stretch_count(machine) - 1);
    enum Failure failure = FAILURE_NONE;
    while (failure < FAILURE_OTHER && last->failures[failure] == 0)
        failure++;
    if (change & STRETCH_OPENED) {
        const char *noted = last_noted(run);
        run_say(run, spec->name, "first failure: %s%s%s%s%s", failure_name(failure),
                run->details[sample->probe][0] ? ", " : "", run->details[sample->probe],
                noted != NULL ? "; last seen before: " : "", noted != NULL ? noted : "");
    }
    if (change & STRETCH_HELD)
        run_say(run, spec->name, "ok again, and held for %.1f s", (double)spec->hold_ns / 1e9);
}

void settle_sample(struct Run *run, const struct Sample *sample)
{
    struct OkStretch *ok = &run->oks[sample->probe];
    say_change(run, sample, stretch_feed(run->machines[sample->probe], sample));
    if (sample->outcome == OUTCOME_BROKEN || sample->outcome == OUTCOME_SKIPPED)
        return;
    if (sample->outcome != OUTCOME_OK) {
        ok->count = 0;
        return;
    }
    if (ok->count++ == 0)
        ok->since = sample->ended;
    ok->last = sample->started; /* proven in between: the same reckoning as the report's */
}

/* After the undo a ledger beside a host of its own role is only read back, and an alert ends when
 * its rules say so; and for the report a failing stretch has ended only where ok outlasted `gap`.
 */
bool probes_steady(const struct Run *run, int64_t hold_ns, bool after_undo)
{
    const struct BoundProbe *probes = run->in.plan->probes.items;
    for (size_t at = 0; at < run->in.plan->probes.count; at++) {
        const struct OkStretch *ok = &run->oks[at];
        if (after_undo && ((probes[at].spec->kind->is_ledger && probes[at].from != NULL) ||
                           probes[at].spec->kind->is_alert))
            continue;
        if (ok->count < STEADY_SAMPLES || mono_since(ok->since, ok->last) < hold_ns ||
            (after_undo && mono_since(ok->since, ok->last) <= probes[at].spec->gap_ns))
            return false;
    }
    return true;
}

/* As long as the scenario says, or the environment, whose systems settle as fast as they can. */
int64_t run_steady_within(const struct Run *run)
{
    int64_t here = run->in.plan->environment->wait_steady_ns, asked = run->in.steady_within_ns;
    int64_t said = run->scenario->steady_within_ns, most = here > asked ? here : asked;
    return most > said ? most : said;
}

static int64_t baseline_ns(const struct Run *run)
{
    int64_t asked = run->in.steady_ns, said = run->scenario->steady_ns;
    return run->state == RUN_BASELINE && asked > said ? asked : said;
}

const char *unsteady_what(const struct Run *run)
{
    const struct ProbeSpec *specs = run->scenario->probes.items;
    int64_t hold_ns = baseline_ns(run);
    for (size_t at = 0; at < run->scenario->probes.count; at++)
        if (run->oks[at].count < STEADY_SAMPLES ||
            mono_since(run->oks[at].since, run->oks[at].last) < hold_ns)
            return arena_printf(run->arena, "probe '%s' was not ok for %.1f s in a row",
                                specs[at].name, (double)hold_ns / 1e9);
    return sight_lacking(run->sight);
}

void baseline_tick(struct Run *run, struct Mono now)
{
    bool steady = probes_steady(run, baseline_ns(run), false) && sight_answered(run->sight) &&
                  sight_whole(run->sight);
    if (steady && silence_stands(run)) {
        run_enter(run, EVENT_STEADY);
        return;
    }
    if (steady || mono_before(now, run->state_until))
        return;
    char text[250];
    snprintf(text, sizeof text, "not steady before the fault: %s", unsteady_what(run));
    run_abort(run, VERDICT_NOT_READY, text);
}

/* ---- after the undo ---- */

static void read_over(struct Run *run);

static void reading_stored(void *data, int events)
{
    (void)events;
    struct Reading *reading = data;
    struct Run *run = reading->run;
    struct Err err;
    for (size_t at = 0; !run->ended && at < reading->count; at++)
        store_found(run->in.store, &reading->found[at]);
    mem_free(reading->found);
    if (run->ended)
        return;
    const struct BoundProbe *probes = run->in.plan->probes.items;
    if (reading->note != NULL)
        run_event(run, probes[reading->probe].spec->name, "%s", reading->note);
    if (reading->host == 0 && !reading->tidy)
        (void)run_stored(
            run, store_read_back(run->in.store, reading->probe, reading->complete, &err), &err);
    if (--run->read_backs == 0 && run->state == RUN_SETTLING)
        read_over(run);
}

static void reading_found(void *data, uint32_t writer, uint64_t number)
{
    struct Reading *reading = data;
    if (reading->count == reading->room) {
        reading->room = reading->room ? reading->room * 2 : 1024;
        reading->found = mem_grow(reading->found, reading->room * sizeof *reading->found);
    }
    reading->found[reading->count++] = (struct Found){
        .probe = reading->probe, .host = reading->host, .writer = writer, .number = number};
}

static void reading_done(void *data, enum Known complete)
{
    struct Reading *reading = data;
    reading->complete = complete;
    loop_post(reading->run->in.loop, reading_stored, reading);
}

static void reading_note(void *data, const char *text)
{
    struct Reading *reading = data;
    reading->note = text;
}

static void read_back(struct Run *run, const struct Reading *what, const struct Target *target)
{
    struct Reading *reading = arena_zero(run->arena, 1, sizeof *reading);
    *reading = *what;
    run->read_backs++;
    run->reading_until = mono_add(run->reading_until, READ_BACK_NS); /* one after another */
    prober_read_back(run->prober, &(struct ReadBackInput){.probe = what->probe,
                                                          .tidy = what->tidy,
                                                          .host = target,
                                                          .deadline = run->reading_until,
                                                          .found = reading_found,
                                                          .done = reading_done,
                                                          .note = reading_note,
                                                          .data = reading});
}

/* From the primary, which decides what is lost: all ledgers first. Then from each host, for the
 * record. */
static void read_all_back(struct Run *run)
{
    struct Err err;
    const struct BoundProbe *probes = run->in.plan->probes.items;
    run->reading = true;
    run->tidied = false;
    prober_pause(run->prober);
    run_take_flights(run);
    (void)run_stored(run, store_flush(run->in.store, &err), &err);
    run->read_backs = 1;
    run->reading_until = mono_now();
    for (uint32_t at = 0; run->any_sent && at < run->in.plan->probes.count; at++) {
        if (!probes[at].spec->kind->is_ledger)
            continue;
        read_back(run, &(struct Reading){.run = run, .probe = at}, NULL);
    }
    for (uint32_t at = 0; run->any_sent && at < run->in.plan->probes.count; at++) {
        if (!probes[at].spec->kind->is_ledger)
            continue;
        for (uint32_t host = 0; host < probes[at].role->host_count; host++)
            read_back(run, &(struct Reading){.run = run, .probe = at, .host = host + 1},
                      probes[at].role->hosts[host]);
    }
    if (--run->read_backs == 0)
        read_over(run);
}

/* What was found is in the store: only now what was written may go. */
static void read_over(struct Run *run)
{
    struct Err err;
    const struct BoundProbe *probes = run->in.plan->probes.items;
    if (!run->tidied)
        (void)run_stored(run, store_flush(run->in.store, &err), &err);
    for (uint32_t at = 0; !run->tidied && run->any_sent && at < run->in.plan->probes.count; at++)
        if (probes[at].spec->kind->is_ledger && probes[at].role->system->ledger->tidy != NULL)
            read_back(run, &(struct Reading){.run = run, .probe = at, .tidy = true}, NULL);
    run->tidied = true;
    if (run->read_backs == 0 && run->state == RUN_SETTLING)
        run_enter(run, EVENT_SETTLED);
}

void settle_begin(struct Run *run)
{
    run->state_until = mono_add(run->state_began, run->scenario->settle_ns);
    for (size_t at = 0; at < run->scenario->probes.count && run->oks != NULL; at++)
        run->oks[at].count = 0; /* ok from now on */
    if (run->prober == NULL)
        run_enter(run, EVENT_SETTLED);
}

static const char *settles_after(const struct Run *run)
{
    return run->fault_count == 0 ? "the steps" : "the undo";
}

const char *settle_lacks(struct Run *run)
{
    const char *lacking = sight_lacking(run->sight);
    const char *after = back_was_asked(run) ? "the switch back before" : settles_after(run);
    if (!probes_steady(run, run->scenario->hold_ns, true))
        return arena_printf(run->arena, "the probes were not steady after %s", after);
    return arena_printf(run->arena, "redundancy was not proven after %s%s%s", after,
                        lacking[0] != '\0' ? ": " : "", lacking);
}

void settle_tick(struct Run *run, struct Mono now)
{
    struct Err err;
    if (run->reading) {
        if (mono_since(run->reading_until, now) > READ_BACK_LATE_NS)
            run_enter(run, EVENT_SETTLED); /* what was not read back is unknown */
        return;
    }
    bool steady = probes_steady(run, run->scenario->hold_ns, true) && sight_whole(run->sight);
    if (run->any_sent && back_tick(run, now, steady))
        return;
    if (run->any_sent && !steady && !run->hurry && mono_before(now, run->state_until))
        return;
    back_leave(run, settle_lacks(run));
    if (run->any_sent && !steady) {
        run->not_steady = !run->hurry;
        run_event(run, "settle", "%s",
                  run->hurry ? "not awaited"
                  : back_was_asked(run)
                      ? arena_printf(run->arena, "not steady after the switch back: %s",
                                     sight_lacking(run->sight))
                      : arena_printf(run->arena, "not steady after %s: %s", settles_after(run),
                                     sight_lacking(run->sight)));
    }
    (void)run_stored(run, store_run_mark(run->in.store, "settled", now, &err), &err);
    read_all_back(run);
}

/* The last steps come after this: what they mend is not to the service's credit. */
void settle_end(struct Run *run)
{
    struct Err err;
    back_close(run);
    for (size_t at = 0; run->sight != NULL && at < sight_count(run->sight); at++) {
        struct RunSystem seen = sight_system(run->sight, at);
        (void)run_stored(run, store_system(run->in.store, &seen, &err), &err);
        (void)run_stored(run, store_moves(run->in.store, sight_moves(run->sight, at), &err), &err);
    }
    if (run->prober != NULL && prober_lost(run->prober) > 0 && run->ended_as == VERDICT_PASS) {
        run->ended_as = VERDICT_INCONCLUSIVE;
        snprintf(run->why, sizeof run->why, "samples were lost: the runner could not keep up");
    }
}
