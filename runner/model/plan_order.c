/* plan_order.c - who is meant and for how long: the pure parts of a plan. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "../base/text.h"
#include "edges.h"
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct Place {
    char hash[65];
    const struct Target *host;
};

static int by_hash(const void *a, const void *b)
{
    const struct Place *left = a, *right = b;
    return strcmp(left->hash, right->hash);
}

/* The three parts stand on lines of their own, so that no two choices of names give the same bytes.
 */
void target_order(uint64_t seed, const char *target, const struct Role *role,
                  const struct Target **out)
{
    size_t count = role->host_count;
    struct Place *places = mem_zero(count + 1, sizeof *places);
    struct Buf text = BUF(4096);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&text);
        buf_printf(&text, "%" PRIu64 "\n%s\n%s", seed, target, role->hosts[i]->name);
        hash_hex(text.text, text.size, places[i].hash);
        places[i].host = role->hosts[i];
    }
    qsort(places, count, sizeof *places, by_hash);
    for (size_t i = 0; i < count; i++)
        out[i] = places[i].host;
    buf_free(&text);
    mem_free(places);
}

static int64_t drilled_at(const struct List *drilled, const struct Target *host)
{
    const struct LastDrilled *rows = drilled->items;
    for (size_t i = 0; i < drilled->count; i++)
        if (text_equal(rows[i].host, host->name))
            return rows[i].at.ns;
    return INT64_MIN;
}

void target_rotate(const struct List *drilled, size_t count, const struct Target **order)
{
    for (size_t i = 1; i < count; i++) {
        const struct Target *host = order[i];
        int64_t at = drilled_at(drilled, host);
        size_t place = i;
        for (; place > 0 && drilled_at(drilled, order[place - 1]) > at; place--)
            order[place] = order[place - 1];
        order[place] = host;
    }
}

size_t pick_count(const struct Pick *pick, size_t n)
{
    switch (pick->type) {
    case PICK_ALL:
        return n;
    case PICK_COUNT:
        return pick->value > 0 ? (size_t)pick->value : 0;
    case PICK_SHARE:
        return (size_t)((uint64_t)pick->value * n / 1000000);
    }
    return 0;
}

/* NULL where nothing of it is planned. */
static const struct StepSpec *fault_step(const struct Plan *plan, uint32_t step_index)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t i = 0; i < plan->faults.count; i++)
        if (faults[i].step_index == step_index)
            return faults[i].step;
    return NULL;
}

void plan_touched(const struct Plan *plan, uint32_t step_index, struct Arena *arena,
                  struct List *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct StepSpec *step = fault_step(plan, step_index);
    for (size_t i = 0; i < plan->faults.count; i++) {
        const struct StepSpec *other = faults[i].step;
        bool earlier = faults[i].step_index < step_index;
        bool stays = earlier && other->hold_ns < 0;
        bool beside = step != NULL && step->together != 0 && other->together == step->together;
        bool lasts = earlier && step != NULL && step->timed &&
                     other->at_ns + other->within_ns + other->hold_ns + plan->scenario->grace_ns >
                         step->at_ns;
        if (other->kind != NULL && faults[i].chosen &&
            (stays || beside || lasts || faults[i].step_index == step_index))
            *(const struct Target **)list_add(out, arena, sizeof(void *)) = faults[i].target;
    }
}

bool scenario_spends(const struct Scenario *scenario, const struct Role *role)
{
    const struct TargetSpec *targets = scenario->targets.items;
    for (size_t i = 0; i < scenario->targets.count; i++) {
        bool all = targets[i].pick.type == PICK_ALL && targets[i].is == RANK_UNKNOWN &&
                   targets[i].zone == NULL && targets[i].apart == NULL;
        if (text_equal(targets[i].role, role->name) && (all || role->host_count == 1))
            return true;
    }
    const struct StepSpec *steps = scenario->steps.items;
    for (size_t i = 0; i < scenario->steps.count; i++)
        if (step_names_whole(&steps[i], scenario, role))
            return true;
    return false;
}

int64_t step_longest_ns(const struct StepSpec *step)
{
    if (step->type == STEP_WAIT)
        return step->within_ns + step->wait_ns + (step->until != NULL ? step->timeout_ns : 0);
    if (step->type == STEP_NOTE)
        return step->within_ns;
    return step->within_ns + step->timeout_ns + (step->hold_ns > 0 ? step->hold_ns : 0);
}

size_t steps_together(const struct Scenario *scenario, size_t from)
{
    const struct StepSpec *steps = scenario->steps.items;
    size_t limit = from < scenario->always ? scenario->always : scenario->steps.count;
    size_t end = from + 1;
    if (steps[from].timed)
        return limit;
    while (steps[from].together != 0 && end < limit && steps[end].together == steps[from].together)
        end++;
    return end;
}

/* Of those that go on together, but one. */
static int64_t longest_but(const struct Scenario *scenario, size_t from, size_t end, size_t but)
{
    const struct StepSpec *steps = scenario->steps.items;
    int64_t longest = 0;
    for (size_t i = from; i < end; i++) {
        int64_t ends = steps[i].at_ns + step_longest_ns(&steps[i]);
        if (i != but && ends > longest)
            longest = ends;
    }
    return longest;
}

int64_t scenario_steps_ns(const struct Scenario *scenario)
{
    int64_t sum = 0;
    for (size_t from = 0, end; from < scenario->steps.count; from = end) {
        end = steps_together(scenario, from);
        sum += longest_but(scenario, from, end, SIZE_MAX);
    }
    return sum;
}

int64_t scenario_back_ns(const struct Scenario *scenario)
{
    const struct StepSpec *steps = scenario->steps.items;
    int64_t sum = 0;
    for (size_t at = 0; at < scenario->steps.count; at++)
        if (steps[at].switch_back)
            sum += SWITCH_BACK_FIT_NS + steps[at].timeout_ns + scenario->settle_ns;
    return sum;
}

/* DESIGN.md 11.4: without `for` it lasts through everything that follows, and goes on beside it. */
int64_t step_planned_ns(const struct Scenario *scenario, size_t step_index)
{
    const struct StepSpec *step = (const struct StepSpec *)scenario->steps.items + step_index;
    if (step->hold_ns >= 0)
        return step->hold_ns;
    int64_t sum = scenario->observe_ns;
    for (size_t from = 0, end; from < scenario->always; from = end) {
        end = steps_together(scenario, from);
        int64_t beside = longest_but(scenario, from, end, step_index) - step->at_ns;
        if (step_index < end && beside > 0)
            sum += beside;
    }
    return sum;
}

const struct HostFacts *plan_facts(const struct Plan *plan, const struct Target *host)
{
    const struct HostFacts *rows = plan->facts.items;
    for (size_t at = 0; at < plan->facts.count; at++)
        if (rows[at].host == host)
            return &rows[at];
    return NULL;
}
