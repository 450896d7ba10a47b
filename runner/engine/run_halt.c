/* run_halt.c - the halt rules: the same words as expect, asked all the while. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "../base/text.h"

static uint32_t probe_index(const struct Run *run, const char *name)
{
    const struct ProbeSpec *specs = run->scenario->probes.items;
    for (uint32_t at = 0; at < run->scenario->probes.count; at++)
        if (text_equal(specs[at].name, name))
            return at;
    bug("a halt rule for a probe that does not exist: %s", name);
}

void halt_begin(struct Run *run)
{
    size_t count = run->scenario->halts.count, probes = run->scenario->probes.count;
    const struct Expectation *bounds = run->scenario->halts.items;
    const struct ProbeSpec *specs = run->scenario->probes.items;
    run->halt_rules = arena_zero(run->arena, count + 1, sizeof *run->halt_rules);
    run->splits = arena_zero(run->arena, probes + 1, sizeof *run->splits);
    for (size_t at = 0; at < count; at++) {
        uint32_t probe = probe_index(run, bounds[at].probe);
        const struct ProbeSpec *spec = &specs[probe];
        halt_rule_read(&bounds[at], &run->halt_rules[at]);
        if (bounds[at].word == BOUND_MAX_SPLIT)
            run->splits[probe].reigns =
                reigns_new(run->arena, reign_patience_ns(spec->interval_ns, spec->timeout_ns));
    }
}

void halt_census(struct Run *run, const struct Census *look)
{
    struct SplitSoFar *split = &run->splits[look->probe];
    if (split->reigns == NULL)
        return;
    reigns_look(split->reigns, look);
    int64_t longest = run->any_sent ? reigns_split_last(split->reigns, run->first_sent) : 0;
    split->longest_ns = longest > split->longest_ns ? longest : split->longest_ns;
}

static void halt_by(struct Run *run, const struct Expectation *bound, const char *why)
{
    char text[300], limit[120];
    halt_limit_say(bound, limit, sizeof limit);
    snprintf(text, sizeof text, "halted by rule: %s.%s %s%s%s", bound->probe,
             bound_name(bound->word), limit, why != NULL ? ": " : "", why != NULL ? why : "");
    run_abort(run, VERDICT_HALTED, text);
}

static void halt_on_lost_host(struct Run *run)
{
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].state == FAULT_IN_EFFECT && run->faults[at].missed > 1)
            run_abort(run, VERDICT_HALTED, "halted by rule: any_host_lost");
}

void halt_tick(struct Run *run, struct Mono now)
{
    for (size_t at = 0; run->any_sent && at < run->scenario->halts.count; at++) {
        struct HaltRule *rule = &run->halt_rules[at];
        uint32_t probe = probe_index(run, rule->bound->probe);
        const char *why = NULL;
        if (halt_broken(rule,
                        &(struct HaltSeen){.machine = run->machines[probe],
                                           .since = run->first_sent,
                                           .now = now,
                                           .split_ns = run->splits[probe].longest_ns},
                        &why)) {
            halt_by(run, rule->bound, why);
            return;
        }
    }
    if (run->scenario->halt_any_host_lost)
        halt_on_lost_host(run);
    if (run->scenario->halt_after_ns > 0 &&
        mono_since(run->began, now) > run->scenario->halt_after_ns)
        run_abort(run, VERDICT_HALTED, "halted by rule: after");
}
