/* halt.c - whether a halt rule is broken by what is known so far. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "halt.h"

#include <stdio.h>

#include "../base/duration.h"
#include "../base/err.h"

#define WHOLE 1000000 /* 100 %, in millionths */

void halt_rule_read(const struct Expectation *bound, struct HaltRule *out)
{
    *out = (struct HaltRule){.bound = bound};
    if (bound->word == BOUND_MIN_RATE && !rate_limit_parse(bound->text, &out->rate, NULL))
        bug("a halt rule with a rate that is none: %s", bound->text);
    if (bound->word == BOUND_STATUS_ONLY)
        out->code_count = status_list_parse(bound->text, out->codes, COUNT_OF(out->codes));
}

/* After which a share or a rate counts: what failed before the fault, when it was not yet
 * steady, is none of its doing. */
static struct Mono steady_since(struct HaltRule *rule, const struct HaltSeen *seen)
{
    if (!rule->before_read) {
        rule->before_known = recents_rate(stretch_recents(seen->machine), (struct Mono){0},
                                          seen->since, true, &rule->before);
        rule->before_read = true;
    }
    return rule->before.from;
}

static bool over_share(struct HaltRule *rule, const struct HaltSeen *seen, bool success)
{
    struct RecentNow recent;
    const struct Mono from = mono_add(steady_since(rule, seen), 1); /* a failure ended there */
    recents_now(stretch_recents(seen->machine), from, seen->now, &recent);
    if (recent.counted < RECENT_LEAST)
        return false;
    int64_t failed = (int64_t)recent.failed * WHOLE / recent.counted, limit = rule->bound->limit;
    return success ? WHOLE - failed < limit : failed > limit;
}

/* Only where no rate that may have been reaches the limit. */
static bool below_rate(struct HaltRule *rule, const struct HaltSeen *seen, const char **why)
{
    struct RateNow now;
    bool known = recents_rate(stretch_recents(seen->machine), steady_since(rule, seen), seen->now,
                              false, &now);
    if (!rule->rate.of_before)
        return known && now.high < 1e9 / (double)rule->rate.value;
    if (!rule->before_known || rule->before.low <= 0) {
        *why = "too few good answers before the fault";
        return true;
    }
    return known && now.high / rule->before.low * WHOLE < (double)rule->rate.value;
}

/* Only what can be known while the drill goes on; `validate` refuses the other words in halt. */
bool halt_broken(struct HaltRule *rule, const struct HaltSeen *seen, const char **why)
{
    struct StretchNow now;
    int64_t limit = rule->bound->limit;
    *why = NULL;
    stretch_now(seen->machine, seen->since, seen->now, &now);
    switch (rule->bound->word) {
    case BOUND_MAX_OUTAGE:
        return now.outage_ns > limit;
    case BOUND_MAX_DOWNTIME:
        return now.downtime_ns > limit;
    case BOUND_MAX_ERRORS:
        return over_share(rule, seen, false);
    case BOUND_MIN_SUCCESS:
        return over_share(rule, seen, true);
    case BOUND_MAX_P50:
        return now.recent.p50_ns > limit;
    case BOUND_MAX_P95:
        return now.recent.p95_ns > limit;
    case BOUND_MAX_P99:
        return now.recent.p99_ns > limit;
    case BOUND_MAX_SPLIT:
        return seen->split_ns > limit;
    case BOUND_MIN_RATE:
        return below_rate(rule, seen, why);
    case BOUND_STATUS_ONLY:
        return recents_others(stretch_recents(seen->machine), seen->since, seen->now, rule->codes,
                              rule->code_count) > 0;
    case BOUND_MAX_LOST:
    case BOUND_MAX_DUPLICATED:
    case BOUND_MAX_STALE:
    case BOUND_RECOVER_WITHIN:
    case BOUND_RECOVER_NOT_BEFORE:
    case BOUND_FAILOVER_WITHIN:
    case BOUND_REDUNDANT_WITHIN:
    case BOUND_DETECTED_WITHIN:
    case BOUND_MUST_NOTICE:
    case BOUND_MAX:
    case BOUND_MIN:
    case BOUND_EQUALS:
    case BOUND_COUNT:
        break;
    }
    return false;
}

void halt_limit_say(const struct Expectation *bound, char *out, size_t size)
{
    char text[32];
    if (bound->text != NULL) {
        snprintf(out, size, "%s", bound->text);
        return;
    }
    if (bound->word == BOUND_MAX_ERRORS || bound->word == BOUND_MIN_SUCCESS)
        share_say(bound->limit, text);
    else
        duration_say(bound->limit, text);
    snprintf(out, size, "%s", text);
}
