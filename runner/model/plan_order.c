/* plan_order.c - who is meant and for how long: the pure parts of a plan. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "../base/text.h"
#include <inttypes.h>
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

/* DESIGN.md 11.4: without `for` it lasts through everything that follows. */
int64_t step_planned_ns(const struct Scenario *scenario, size_t step_index)
{
    const struct StepSpec *steps = scenario->steps.items;
    if (steps[step_index].hold_ns >= 0)
        return steps[step_index].hold_ns;
    int64_t sum = scenario->observe_ns;
    for (size_t i = step_index + 1; i < scenario->steps.count; i++)
        sum += steps[i].timeout_ns + (steps[i].hold_ns > 0 ? steps[i].hold_ns : 0);
    return sum;
}
