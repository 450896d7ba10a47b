/* run_gate.c - the rules of the gate that may stop to hold while a drill goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "../model/gate.h"
#include "freeze.h"
#include "only_if.h"

#define TIMES_EVERY_NS NS_PER_S

static void shut(struct Run *run, const char *name, const char *sentence)
{
    char text[400];
    bool halts = run->any_sent || run->any_begun;
    snprintf(text, sizeof text, "%s%s: %s", halts ? "halted by the gate, " : "", name, sentence);
    run_abort(run, halts ? VERDICT_HALTED : VERDICT_REFUSED, text);
}

/* The rule of the calendar that does not hold; NULL: all of them do. */
static const struct GateRule *broken_time(struct Run *run, int64_t lasts_ns)
{
    const struct GateTimes *times = &run->in.plan->environment->times;
    struct Wall now = wall_now(), until;
    struct List rules = {.items = NULL};
    if (times_in_window(times, now, lasts_ns, &until) && times_frozen(times, now, lasts_ns) == NULL)
        return NULL;
    (void)gate_times(times, now, lasts_ns, run->arena, &rules);
    const struct GateRule *rule = rules.items;
    for (size_t at = 0; at < rules.count; at++)
        if (!rule[at].holds)
            return &rule[at];
    return NULL;
}

static bool times_hold(struct Run *run, int64_t lasts_ns)
{
    const struct GateRule *rule = broken_time(run, lasts_ns);
    if (rule != NULL)
        shut(run, rule->name, rule->sentence);
    return rule == NULL;
}

static bool switch_is_off(struct Run *run)
{
    const char *said = "";
    if (run->freeze == NULL || freeze_engaged(run->freeze, &said) == KNOWN_NO)
        return true;
    shut(run, "freeze_switch", said);
    return false;
}

static bool probes_are_good(struct Run *run)
{
    const char *said = "";
    if (run->only_if == NULL || only_if_holds(run->only_if, &said) == KNOWN_YES)
        return true;
    shut(run, "only_if", said);
    return false;
}

/* Once something was done, the halt key, `halt` and the rules above end it. */
static bool is_allowed(struct Run *run)
{
    const struct RunAsk *in = &run->in;
    const char *why = in->forbids == NULL || run->any_sent || run->any_begun
                          ? NULL
                          : in->forbids(in->forbids_data);
    if (why != NULL)
        run_abort(run, VERDICT_REFUSED, why);
    return why == NULL;
}

/* In the log, which is only ever appended to: reports show it from there. */
static void note_overrides(struct Run *run)
{
    const struct GateOverride *row = run->in.plan->environment->overrides.items;
    for (size_t at = 0; at < run->in.plan->environment->overrides.count; at++)
        run_event(run, EVENT_OVERRIDE, "%s", override_say(&row[at], run->arena));
}

bool run_gate_open(struct Run *run, struct Err *err)
{
    const struct Environment *environment = run->in.plan->environment;
    const char *at = environment->freeze_switch;
    note_overrides(run);
    run->freeze = at != NULL ? freeze_open(at, run->in.loop, err) : NULL;
    if (at != NULL && run->freeze == NULL)
        return false;
    bool asks = environment->only_if.count > 0;
    run->only_if = asks ? only_if_open(environment, err) : NULL;
    return !asks || run->only_if != NULL;
}

void run_gate_close(struct Run *run)
{
    freeze_close(run->freeze);
    run->freeze = NULL;
    only_if_close(run->only_if);
    run->only_if = NULL;
}

bool run_gate_knows(const struct Run *run)
{
    const char *said;
    return (run->freeze == NULL || freeze_engaged(run->freeze, &said) != KNOWN_UNKNOWN) &&
           (run->only_if == NULL || only_if_holds(run->only_if, &said) != KNOWN_UNKNOWN);
}

bool run_gate_holds(struct Run *run, int64_t lasts_ns)
{
    return times_hold(run, lasts_ns) && switch_is_off(run) && probes_are_good(run) &&
           is_allowed(run);
}

enum Known run_gate_lets_back(struct Run *run, int64_t lasts_ns, const char **why)
{
    const struct GateRule *rule = broken_time(run, lasts_ns);
    *why = rule != NULL ? rule->sentence : "";
    if (rule != NULL || (run->freeze != NULL && freeze_engaged(run->freeze, why) == KNOWN_YES) ||
        (run->only_if != NULL && only_if_holds(run->only_if, why) == KNOWN_NO))
        return KNOWN_NO;
    return run_gate_knows(run) ? KNOWN_YES : KNOWN_UNKNOWN;
}

/* Before the first fault as well: what begins to be forbidden then is not begun. After the undo
 * nothing ends by it, but a switch back is not begun. */
void run_gate_tick(struct Run *run, struct Mono now)
{
    const char *said = "";
    bool over = run->state > RUN_OBSERVING;
    if (over && !back_is_due(run))
        return;
    if (run->freeze != NULL) {
        freeze_tick(run->freeze, now);
        if (!over && freeze_engaged(run->freeze, &said) == KNOWN_YES) {
            shut(run, "freeze_switch", said);
            return;
        }
    }
    if (run->only_if != NULL) {
        only_if_tick(run->only_if, now);
        if (!over && only_if_holds(run->only_if, &said) == KNOWN_NO) {
            shut(run, "only_if", said);
            return;
        }
    }
    if (over || mono_since(run->times_asked, now) < TIMES_EVERY_NS)
        return;
    run->times_asked = now;
    (void)times_hold(run, 0);
}
