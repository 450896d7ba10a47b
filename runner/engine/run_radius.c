/* run_radius.c - right before a fault: is enough left, of every role that its hosts carry? */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "../model/gate.h"

#define SERVES_TIMEOUT_NS (5 * NS_PER_S)

/* One host of one role that is asked whether it serves; its worker writes `serves` alone. */
struct ServesAsk {
    struct RadiusAsk *all;
    const struct Role *role;
    const struct Target *host;
    enum Known *serves;
};
struct RadiusAsk {
    struct Run *run;
    struct Volley *volley;
    struct RadiusInput input;
    size_t pending;
};

/* All hosts that would be under a fault: of the volley, and of faults that are in effect. */
static void list_touched(struct Run *run, struct List *out)
{
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].planned->step->kind != NULL && fault_counts(&run->faults[at]))
            *(const struct Target **)list_add(out, run->arena, sizeof(void *)) =
                run->faults[at].planned->target;
}

static int64_t longest_cap_ns(const struct Volley *volley)
{
    int64_t longest = 0;
    for (size_t at = 0; at < volley->count; at++)
        if (volley->faults[at]->planned->procedure.cap_ns > longest)
            longest = volley->faults[at]->planned->procedure.cap_ns;
    return longest;
}

static void judge(struct RadiusAsk *all)
{
    struct Run *run = all->run;
    struct List rules = {.items = NULL};
    if (run->state != RUN_STEPS)
        return;
    if (gate_radius(&all->input, run->arena, &rules)) {
        if (run_gate_holds(run, longest_cap_ns(all->volley)))
            volley_ready(all->volley);
        return;
    }
    const struct GateRule *rule = rules.items;
    while (rule->holds)
        rule++;
    char text[400];
    snprintf(text, sizeof text, "right before the fault, %s: %s", rule->name, rule->sentence);
    run_abort(run, run->any_sent ? VERDICT_INCONCLUSIVE : VERDICT_REFUSED, text);
}

static void serves_work(struct HostCall *call)
{
    struct ServesAsk *ask = call->data;
    *ask->serves = node_serves(call->node, ask->role, call->deadline, &call->err);
    call->lost = *ask->serves == KNOWN_UNKNOWN;
}

static void serves_done(struct HostCall *call)
{
    struct ServesAsk *ask = call->data;
    if (--ask->all->pending == 0)
        judge(ask->all);
}

static bool is_touched(const struct RadiusAsk *all, const struct Target *host)
{
    const struct Target *const *touched = all->input.touched.items;
    for (size_t at = 0; at < all->input.touched.count; at++)
        if (machine_same(touched[at], host))
            return true;
    return false;
}

/* Only those that are to be left: nothing is asked of a host with a fault. */
static void ask_role(struct RadiusAsk *all, const struct Role *role)
{
    struct Run *run = all->run;
    enum Known *serves = arena_zero(run->arena, role->host_count + 1, sizeof *serves);
    *(struct RoleHealth *)list_add(&all->input.healths, run->arena, sizeof(struct RoleHealth)) =
        (struct RoleHealth){.role = role, .healthy = serves};
    for (size_t at = 0; at < role->host_count; at++) {
        if (is_touched(all, role->hosts[at]))
            continue;
        struct ServesAsk *ask = arena_zero(run->arena, 1, sizeof *ask);
        *ask = (struct ServesAsk){
            .all = all, .role = role, .host = role->hosts[at], .serves = &serves[at]};
        all->pending++;
        hosts_do(run->in.hosts, &(struct HostJob){.target = role->hosts[at],
                                                  .lane = LANE_ACT,
                                                  .timeout_ns = SERVES_TIMEOUT_NS,
                                                  .work = serves_work,
                                                  .done = serves_done,
                                                  .data = ask});
    }
}

void radius_begin(struct Volley *volley)
{
    struct Run *run = volley->run;
    struct RadiusAsk *all = arena_zero(run->arena, 1, sizeof *all);
    const struct RoleHealth *planned = run->in.plan->healths.items;
    *all = (struct RadiusAsk){
        .run = run,
        .volley = volley,
        .input = {.environment = run->in.plan->environment, .scenario = run->scenario},
        .pending = 1};
    list_touched(run, &all->input.touched);
    for (size_t at = 0; at < run->in.plan->healths.count; at++)
        ask_role(all, planned[at].role);
    if (--all->pending == 0)
        judge(all);
}
