/* run_back.c - `switch_back`: the role is given back to who led at the start, and measured. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "../base/duration.h"
#include "../base/text.h"

/* Who streams again may take a round of its coordinator's until it may lead. */
#define FIT_WITHIN_NS (60 * NS_PER_S)
#define LOOK_EVERY_NS (1 * NS_PER_S)
#define LOOK_NS (5 * NS_PER_S)

static bool has_back(const struct Run *run, const char *role)
{
    for (size_t at = 0; at < run->back_count; at++)
        if (text_equal(run->backs[at].row.role, role))
            return true;
    return false;
}

/* One a role, however often it is failed over. */
static void find_backs(struct Run *run)
{
    const struct PlannedFault *faults = run->in.plan->faults.items;
    if (run->backs != NULL)
        return;
    run->backs = arena_zero(run->arena, run->in.plan->faults.count + 1, sizeof *run->backs);
    for (size_t at = 0; at < run->in.plan->faults.count; at++)
        if (faults[at].step->switch_back && !has_back(run, faults[at].role->name))
            run->backs[run->back_count++] =
                (struct SwitchBack){.run = run,
                                    .spec = faults[at].step,
                                    .role = faults[at].role,
                                    .row = {.role = faults[at].role->name, .why = ""}};
}

static struct SwitchBack *next_back(struct Run *run)
{
    find_backs(run);
    for (size_t at = 0; at < run->back_count; at++)
        if (run->backs[at].state != BACK_OVER)
            return &run->backs[at];
    return NULL;
}

bool back_is_due(struct Run *run)
{
    return next_back(run) != NULL;
}

static bool write_down(struct SwitchBack *back)
{
    struct Err err;
    return run_stored(back->run, store_switch_back(back->run->in.store, &back->row, &err), &err);
}

static void end_back(struct SwitchBack *back, const char *why)
{
    struct Run *run = back->run;
    back->state = BACK_OVER;
    back->row.why = arena_text(run->arena, why);
    (void)write_down(back);
    if (why[0] != '\0')
        run_event(run, back->row.role, "no switch back: %s", why);
    if (back->row.asked.ns == 0)
        return;
    run->state_until = mono_add(mono_now(), run->scenario->settle_ns); /* settles anew */
    for (size_t at = 0; at < run->scenario->probes.count; at++)
        run->oks[at].count = 0;
}

void back_leave(struct Run *run, const char *why)
{
    struct SwitchBack *back;
    while (run->any_sent && (back = next_back(run)) != NULL)
        end_back(back, why);
}

static void heard_fit(void *data, enum Known fit, const char *why)
{
    struct SwitchBack *back = data;
    back->looking = false;
    back->fit = fit;
    snprintf(back->lacks, sizeof back->lacks, "%s", why);
}

/* True: it may be asked for. */
static bool is_fit(struct SwitchBack *back, struct Mono now)
{
    const struct Target *host = sight_before(back->run->sight, back->role);
    if (back->fit == KNOWN_YES || host == NULL ||
        host == sight_primary(back->run->sight, back->role))
        return true;
    if (back->until.ns == 0)
        back->until = mono_add(now, FIT_WITHIN_NS);
    if (back->looking || mono_since(back->looked, now) < LOOK_EVERY_NS)
        return false;
    if (!mono_before(now, back->until)) {
        end_back(back, back->lacks[0] != '\0' ? back->lacks : "nobody says whether it may lead");
        return false;
    }
    back->looking = true;
    back->looked = now;
    sight_fit(back->run->sight, back->role, host, mono_add(now, LOOK_NS), heard_fit, back);
    return back->fit == KNOWN_YES;
}

/* Nothing is to be put back where the runner ends now: the system itself completes it or not. */
static void answered(void *data, enum Known accepted, const char *why)
{
    struct SwitchBack *back = data;
    if (back->state != BACK_UNDER_WAY)
        return;
    if (accepted == KNOWN_UNKNOWN)
        run_event(back->run, back->row.role, "no answer to the switch back: who leads will show");
    if (accepted != KNOWN_NO)
        return;
    back->row.refused = true;
    end_back(back, why != NULL && why[0] != '\0' ? why : "it was refused");
}

static void ask_back(struct SwitchBack *back, struct Mono now)
{
    struct Run *run = back->run;
    const struct Target *host = sight_before(run->sight, back->role);
    const struct Target *leads = sight_primary(run->sight, back->role);
    if (host == NULL || leads == NULL) {
        end_back(back, host == NULL ? "nobody knows who led before" : "nobody knows who leads");
        return;
    }
    back->row.to = host->name;
    if (host == leads) {
        end_back(back, arena_printf(run->arena, "%s leads already", host->name));
        return;
    }
    back->row.asked = now;
    back->row.why = "its end was not seen"; /* of a runner that dies from here on */
    if (!write_down(back)) {
        back->state = BACK_OVER;
        return;
    }
    back->state = BACK_UNDER_WAY;
    back->until = mono_add(now, back->spec->timeout_ns);
    run_event(run, back->row.role, "switch back: %s is asked to lead again", host->name);
    sight_back(run->sight, back->role, now);
    const struct FailoverWish wish = {.to = host};
    sight_failover(run->sight, back->role, &wish, mono_add(now, FAILOVER_TIMEOUT_NS), answered,
                   back);
}

/* Over where it leads, and all that there was before follows it. */
static void watch_back(struct SwitchBack *back, struct Mono now)
{
    struct Run *run = back->run;
    struct RunSwitchBack *row = &back->row;
    bool led = row->leads.high.ns != 0;
    bool leads = sight_came_back(run->sight, back->role, &row->leads, &row->whole);
    if (leads && !led)
        run_event(run, row->role, "switch back: %s leads again, after %.1f s", row->to,
                  (double)mono_since(row->asked, row->leads.high) / 1e9);
    if (leads && row->whole.high.ns != 0)
        end_back(back, "");
    else if (run->hurry)
        end_back(back, leads ? "whether redundancy is whole again was not awaited"
                             : "it was not awaited");
    else if (!mono_before(now, back->until))
        end_back(back, leads ? arena_printf(run->arena, "not redundant again: %s",
                                            sight_lacking(run->sight))
                             : arena_printf(run->arena, "%s did not lead again", row->to));
}

bool back_tick(struct Run *run, struct Mono now, bool steady)
{
    struct SwitchBack *back = next_back(run);
    const char *why = "";
    if (back == NULL)
        return false;
    if (back->state == BACK_UNDER_WAY) {
        watch_back(back, now);
        return true;
    }
    if (run->aborted || run->hurry) {
        back_leave(run, "the drill was stopped before its end");
        return false;
    }
    if (!steady || !sight_redundant(run->sight, back->role))
        return false;
    enum Known lets = run_gate_lets_back(run, &why);
    if (lets == KNOWN_NO)
        end_back(back, arena_printf(run->arena, "the gate is shut: %s", why));
    else if (lets == KNOWN_YES && is_fit(back, now))
        ask_back(back, now);
    return true;
}
