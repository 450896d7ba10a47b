/* run_back.c - `switch_back`: the role is given back to who led at the start, and measured. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_parts.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "../model/redact.h"

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

/* After a halt, however late it came, nothing is begun. */
static bool stops(const struct Run *run)
{
    return run->aborted || run->hurry || run->halted || run->ended_as != VERDICT_PASS;
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
    struct Buf clean = BUF(1000);
    back->state = BACK_OVER;
    redact(why, &clean);
    back->row.why = arena_text(run->arena, clean.text != NULL ? clean.text : "");
    buf_free(&clean);
    (void)write_down(back);
    if (why[0] != '\0')
        run_event(run, back->row.role, "%s: %s",
                  back->row.asked.ns != 0 ? "switch back" : "no switch back", why);
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
    if (back->looking || mono_since(back->looked, now) < LOOK_EVERY_NS)
        return false;
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
        run_event(back->run, back->row.role,
                  "the switch back is not confirmed%s%s: who leads will show",
                  why != NULL && why[0] != '\0' ? ", " : "", why != NULL ? why : "");
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
    run_hear_halt(run);
    if (stops(run))
        return;
    if (host == NULL || leads == NULL) {
        end_back(back, host == NULL ? "nobody knows who led before" : "nobody knows who leads");
        return;
    }
    back->row.to = host->name;
    if (host == leads) {
        back->row.leads = (struct Moment){now, now};
        run_event(run, back->row.role, "switch back: %s leads already", host->name);
        end_back(back, "");
        return;
    }
    back->row.asked = now;
    back->row.why = "its end was not seen"; /* of a runner that dies from here on */
    if (!write_down(back)) {
        back->row.asked = (struct Mono){0};
        back->state = BACK_OVER;
        return;
    }
    back->state = BACK_UNDER_WAY;
    back->until = mono_add(now, back->spec->timeout_ns);
    run_event(run, back->row.role, "switch back: %s is asked to lead again", host->name);
    sight_back(run->sight, back->role, now);
    const struct FailoverWish wish = {.to = host};
    sight_failover(run->sight, back->role, &wish,
                   mono_min(back->until, mono_add(now, FAILOVER_TIMEOUT_NS)), answered, back);
}

/* Not for ever: how long is part of what the drill may take. */
static void may_begin(struct SwitchBack *back, struct Mono now)
{
    const char *why = "";
    struct Run *run = back->run;
    if (back->until.ns == 0) {
        back->until = mono_add(now, SWITCH_BACK_FIT_NS);
        run->state_until = mono_add(back->until, run->scenario->settle_ns);
    }
    enum Known lets = run_gate_lets_back(run, FAILOVER_TIMEOUT_NS, &why);
    if (lets == KNOWN_NO)
        end_back(back, arena_printf(run->arena, "the gate is shut: %s", why));
    else if (lets == KNOWN_YES && is_fit(back, now))
        ask_back(back, now);
    else if (back->state == BACK_DUE && !mono_before(now, back->until))
        end_back(back, lets != KNOWN_YES        ? "the gate did not answer"
                       : back->lacks[0] != '\0' ? back->lacks
                                                : "nobody says whether it may lead");
}

static const char *who_leads(const struct SwitchBack *back)
{
    const struct Target *leads = sight_primary(back->run->sight, back->role);
    return leads != NULL ? leads->name : "nobody";
}

static void look_back(struct SwitchBack *back)
{
    struct RunSwitchBack *row = &back->row;
    struct CameBack came;
    bool led = row->leads.high.ns != 0;
    bool leads = sight_came_back(back->run->sight, back->role, &came);
    if (came.lost_again > row->lost_again)
        run_event(back->run, row->role, "switch back: %s led again, and %s does now", row->to,
                  who_leads(back));
    row->leads = came.leads;
    row->whole = came.whole;
    row->lost_again = came.lost_again;
    if (leads && !led)
        run_event(back->run, row->role, "switch back: %s leads again, after %.1f s", row->to,
                  (double)mono_since(row->asked, row->leads.high) / 1e9);
}

/* Over where it leads, and all that there was before follows it. */
static void watch_back(struct SwitchBack *back, struct Mono now)
{
    struct Run *run = back->run;
    struct RunSwitchBack *row = &back->row;
    look_back(back);
    bool leads = row->leads.high.ns != 0, in_time = mono_before(now, back->until);
    if (leads && row->whole.high.ns != 0) {
        end_back(back, "");
        return;
    }
    if (in_time && !run->hurry)
        return;
    sight_drop(run->sight, back->role);
    if (run->hurry)
        end_back(back, leads ? "whether redundancy is whole again was not awaited"
                             : "it was not awaited, and may still come");
    else
        end_back(back, leads ? arena_printf(run->arena, "not redundant again: %s",
                                            sight_lacking(run->sight))
                             : arena_printf(run->arena, "%s does not lead: %s does", row->to,
                                            who_leads(back)));
}

bool back_tick(struct Run *run, struct Mono now, bool steady)
{
    struct SwitchBack *back = next_back(run);
    if (back == NULL)
        return false;
    if (back->state == BACK_UNDER_WAY) {
        watch_back(back, now);
        return true;
    }
    if (stops(run)) {
        back_leave(run, "the drill was stopped before its end");
        return false;
    }
    if (!steady || !sight_redundant(run->sight, back->role)) {
        back->fit = KNOWN_UNKNOWN; /* what was said before says nothing any more */
        return false;
    }
    may_begin(back, now);
    return true;
}

bool back_was_asked(const struct Run *run)
{
    for (size_t at = 0; at < run->back_count; at++)
        if (run->backs[at].row.asked.ns != 0)
            return true;
    return false;
}

void back_close(struct Run *run)
{
    back_leave(run, "the drill did not come to it");
    for (size_t at = 0; run->any_sent && at < run->back_count; at++) {
        struct SwitchBack *back = &run->backs[at];
        const struct Target *leads = sight_primary(run->sight, back->role);
        if (back->row.asked.ns != 0)
            look_back(back); /* it may have become whole since nobody waited for that any more */
        back->row.last = leads != NULL ? leads->name : NULL;
        (void)write_down(back);
    }
}
