/* scenario_warn.c - what may be meant so, and probably is not. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "scenario_build.h"

#include "../base/duration.h"
#include "../base/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- W301: a number in the hypothesis that equals no bound. ---- */
struct Unit {
    const char *word;
    int64_t worth;
};
static const struct Unit UNITS[] = {
    {"milliseconds", NS_PER_MS},
    {"millisecond", NS_PER_MS},
    {"ms", NS_PER_MS},
    {"seconds", NS_PER_S},
    {"second", NS_PER_S},
    {"sec", NS_PER_S},
    {"s", NS_PER_S},
    {"minutes", 60 * NS_PER_S},
    {"minute", 60 * NS_PER_S},
    {"min", 60 * NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"hours", 3600 * NS_PER_S},
    {"hour", 3600 * NS_PER_S},
    {"h", 3600 * NS_PER_S},
    {"percent", 10000},
    {"%", 10000},
};

/* The value of "15 seconds" at `text`, which begins with a digit; 0 where no unit follows. */
static int64_t number_with_unit(const char *text, size_t *size)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    while (*unit == ' ' || *unit == '-')
        unit++;
    size_t letters = *unit == '%' ? 1 : 0;
    while (*unit != '%' && isalpha((unsigned char)unit[letters]))
        letters++;
    *size = digits;
    if (digits == 0 || digits > 9 || letters == 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (strlen(UNITS[i].word) != letters || strncasecmp(UNITS[i].word, unit, letters) != 0)
            continue;
        *size = (size_t)(unit - text) + letters;
        return strtoll(text, NULL, 10) * UNITS[i].worth;
    }
    return 0;
}

static bool is_a_bound(const struct Scenario *scenario, int64_t value)
{
    const struct Expectation *bounds = scenario->expectations.items;
    for (size_t i = 0; i < scenario->expectations.count; i++)
        if (bounds[i].limit == value)
            return true;
    const struct StepSpec *steps = scenario->steps.items;
    for (size_t i = 0; i < scenario->steps.count; i++)
        if (steps[i].hold_ns == value)
            return true;
    return false;
}

static void warn_of_hypothesis(struct ScenarioBuild *build)
{
    const char *text = build->scenario->hypothesis;
    const struct Node *node = node_get(build->root, "hypothesis");
    for (size_t i = 0; text != NULL && text[i] != '\0';) {
        size_t size = 1;
        bool begins =
            isdigit((unsigned char)text[i]) && (i == 0 || !isalnum((unsigned char)text[i - 1]));
        int64_t value = begins ? number_with_unit(text + i, &size) : 0;
        if (value > 0 && !is_a_bound(build->scenario, value))
            err_hint(scenario_say(build, ERR_W_UNPROVEN_HYPOTHESIS, node->where,
                                  "the hypothesis says '%.*s', and no bound does", (int)size,
                                  text + i),
                     "write the bound under `expect`, or say it without the number");
        i += size > 0 ? size : 1;
    }
}

/* ---- W302: a lost machine that is only killed. ---- */
static bool has_word(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; text != NULL && i < count; i++)
        if (strcasestr(text, words[i]) != NULL)
            return true;
    return false;
}

static void warn_of_kill(struct ScenarioBuild *build)
{
    static const char *const MACHINES[] = {"machine",    "server is", "host is", "node is",
                                           "hosts are",  "a host",    "a node",  "a server",
                                           "one server", "one host"};
    static const char *const LOSSES[] = {"lost",  "lose",   "loss", "vanish",     "disappear",
                                         "power", "unplug", "gone", "unreachable"};
    const struct Scenario *scenario = build->scenario;
    const char *text = scenario->hypothesis;
    if (!has_word(text, MACHINES, COUNT_OF(MACHINES)) || !has_word(text, LOSSES, COUNT_OF(LOSSES)))
        return;
    const struct StepSpec *steps = scenario->steps.items;
    const struct StepSpec *kill = NULL;
    for (size_t i = 0; i < scenario->steps.count; i++) {
        if (steps[i].kind == NULL)
            continue;
        bool ends_process =
            steps[i].kind->stops_service || text_equal(steps[i].kind->name, "restart");
        if (!ends_process)
            return;
        kill = kill != NULL ? kill : &steps[i];
    }
    if (kill != NULL)
        err_hint(scenario_say(build, ERR_W_KILL_IS_NOT_LOSS, kill->where,
                              "the hypothesis loses a machine, the steps only end a process"),
                 "a dead process answers with a reset, a lost machine with silence: isolate");
}

/* ---- W303: a partition without a ledger on the cut side. ---- */
static void warn_of_role(struct ScenarioBuild *build, const struct StepSpec *step, const char *role)
{
    const struct ProbeSpec *probes = build->scenario->probes.items;
    const struct Environment *environment = build->input->environment;
    const struct Role *of = environment != NULL ? environment_role(environment, role) : NULL;
    bool stranded = of != NULL && of->system != NULL && of->system->ledger == NULL; /* none can */
    for (size_t k = 0; k < build->scenario->probes.count; k++)
        stranded = stranded || (text_equal(probes[k].role, role) && probes[k].kind->is_ledger &&
                                probes[k].from != NULL);
    if (!stranded)
        err_hint(scenario_say(build, ERR_W_NO_STRANDED_LEDGER, step->where,
                              "no ledger counts what the cut side of role `%s` acknowledges", role),
                 "stranded: {ledger: %s, from: TARGET}", role);
}

static void warn_of_cut_side(struct ScenarioBuild *build)
{
    const struct Scenario *scenario = build->scenario;
    const struct StepSpec *steps = scenario->steps.items;
    const struct ProbeSpec *probes = scenario->probes.items;
    for (size_t i = 0; i < scenario->steps.count; i++) {
        if (steps[i].kind == NULL || !steps[i].kind->partitions)
            continue;
        for (size_t k = 0; k < scenario->probes.count; k++) {
            bool said = false;
            for (size_t before = 0; before < k; before++)
                said = said || text_equal(probes[before].role, probes[k].role);
            if (probes[k].role != NULL && !said &&
                step_meets_role(&steps[i], scenario, probes[k].role))
                warn_of_role(build, &steps[i], probes[k].role);
        }
    }
}

/* ---- W304: a probe that is too slow for its bound. ---- */
static void warn_of_rate(struct ScenarioBuild *build)
{
    const struct Scenario *scenario = build->scenario;
    const struct Expectation *bounds = scenario->expectations.items;
    for (size_t i = 0; i < scenario->expectations.count; i++) {
        const struct ProbeSpec *probe = scenario_probe(scenario, bounds[i].probe);
        enum BoundWord word = bounds[i].word;
        bool is_time = word == BOUND_MAX_OUTAGE || word == BOUND_MAX_DOWNTIME ||
                       word == BOUND_RECOVER_WITHIN || word == BOUND_FAILOVER_WITHIN;
        if (probe == NULL || !is_time || bounds[i].limit == 0 ||
            probe->interval_ns * 4 <= bounds[i].limit)
            continue;
        char every[32], limit[32], better[32];
        duration_write(probe->interval_ns, every);
        duration_write(bounds[i].limit, limit);
        int64_t quick = bounds[i].limit / 20 / NS_PER_MS * NS_PER_MS;
        duration_write(quick > 0 ? quick : NS_PER_MS, better);
        err_hint(scenario_say(build, ERR_W_PROBE_RATE, bounds[i].where,
                              "probe `%s` asks every %s only: too slow to judge %s",
                              bounds[i].probe, every, limit),
                 "every: %s", better);
    }
}

void scenario_warn(struct ScenarioBuild *build)
{
    warn_of_hypothesis(build);
    warn_of_kill(build);
    warn_of_cut_side(build);
    warn_of_rate(build);
}
