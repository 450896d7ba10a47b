/* run_halt.c - the halt rules: the same words as expect, asked all the while. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "../base/duration.h"
#include "../base/text.h"

#define SHARE_WHOLE 1000000LL
#define RECENT_LEAST 3 /* attempts before a share of them may halt a drill */

static bool over_share(const struct StretchNow *seen, int64_t limit, bool success)
{
    if (seen->recent < RECENT_LEAST)
        return false;
    int64_t failed = (int64_t)seen->recent_failed * SHARE_WHOLE / seen->recent;
    return success ? SHARE_WHOLE - failed < limit : failed > limit;
}

/* Only what can be known while the drill goes on; `validate` refuses the other words in halt. */
static bool broken(const struct Expectation *rule, const struct StretchNow *seen)
{
    switch (rule->word) {
    case BOUND_MAX_OUTAGE:
        return seen->outage_ns > rule->limit;
    case BOUND_MAX_DOWNTIME:
        return seen->downtime_ns > rule->limit;
    case BOUND_MAX_ERRORS:
        return over_share(seen, rule->limit, false);
    case BOUND_MIN_SUCCESS:
        return over_share(seen, rule->limit, true);
    case BOUND_MAX_P50:
        return seen->p50_ns > rule->limit;
    case BOUND_MAX_P95:
        return seen->p95_ns > rule->limit;
    case BOUND_MAX_P99:
        return seen->p99_ns > rule->limit;
    case BOUND_MAX_LOST:
    case BOUND_MAX_DUPLICATED:
    case BOUND_MAX_STALE:
    case BOUND_MAX_SPLIT:
    case BOUND_RECOVER_WITHIN:
    case BOUND_RECOVER_NOT_BEFORE:
    case BOUND_FAILOVER_WITHIN:
    case BOUND_REDUNDANT_WITHIN:
    case BOUND_DETECTED_WITHIN:
    case BOUND_MIN_RATE:
    case BOUND_STATUS_ONLY:
    case BOUND_MUST_NOTICE:
    case BOUND_MAX:
    case BOUND_MIN:
    case BOUND_EQUALS:
    case BOUND_COUNT:
        break;
    }
    return false;
}

static void halt_by(struct Run *run, const struct Expectation *rule)
{
    char text[200], limit[32];
    if (rule->word == BOUND_MAX_ERRORS || rule->word == BOUND_MIN_SUCCESS)
        share_say(rule->limit, limit);
    else
        duration_say(rule->limit, limit);
    snprintf(text, sizeof text, "halted by rule: %s.%s %s", rule->probe, bound_name(rule->word),
             limit);
    run_abort(run, VERDICT_HALTED, text);
}

static uint32_t probe_index(const struct Run *run, const char *name)
{
    const struct ProbeSpec *specs = run->scenario->probes.items;
    for (uint32_t at = 0; at < run->scenario->probes.count; at++)
        if (text_equal(specs[at].name, name))
            return at;
    bug("a halt rule for a probe that does not exist: %s", name);
}

static void halt_on_lost_host(struct Run *run)
{
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].state == FAULT_IN_EFFECT && run->faults[at].missed > 1)
            run_abort(run, VERDICT_HALTED, "halted by rule: any_host_lost");
}

void halt_tick(struct Run *run, struct Mono now)
{
    const struct Expectation *rules = run->scenario->halts.items;
    for (size_t at = 0; run->any_sent && at < run->scenario->halts.count; at++) {
        struct StretchNow seen;
        stretch_now(run->machines[probe_index(run, rules[at].probe)], run->first_sent, now, &seen);
        if (broken(&rules[at], &seen)) {
            halt_by(run, &rules[at]);
            return;
        }
    }
    if (run->scenario->halt_any_host_lost)
        halt_on_lost_host(run);
    if (run->scenario->halt_after_ns > 0 &&
        mono_since(run->began, now) > run->scenario->halt_after_ns)
        run_abort(run, VERDICT_HALTED, "halted by rule: after");
}
