/* foretell.c - what a drill will do to a system, by the settings that were read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "foretell.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "foresee.h"

/* ---- Who is hit, and how ---- */

static bool same_machine(const struct Target *a, const struct Target *b)
{
    return a == b ||
           (a != NULL && b != NULL && a->address != NULL && text_equal(a->address, b->address));
}

static const char *restart_of(const struct Plan *plan, const struct Target *host)
{
    const struct HostFacts *facts = plan->facts.items;
    for (size_t at = 0; at < plan->facts.count; at++)
        if (facts[at].host == host && facts[at].restart != NULL)
            return facts[at].restart;
    return "";
}

/* Everybody at the host is hit alike, or the role's own service is. */
static bool is_whole(const struct PlannedFault *fault, const struct Role *role)
{
    const struct FaultKind *kind = fault->step->kind;
    if (kind->partitions)
        return fault->edges.count == 0 && fault->step->flap.bad_ns == 0;
    return (kind->stops_service || kind->hangs_service) && !kind->takes_machine &&
           fault->role == role && !step_names_service(fault->step);
}

/* Down at least until the fault ends; without `for` whoever restarts it may be first. */
static bool stays_down(const struct Plan *plan, const struct PlannedFault *fault)
{
    return !fault->step->kind->stops_service || fault->step->hold_ns >= 0 ||
           text_equal(restart_of(plan, fault->target), "no");
}

static void hit(const struct Plan *plan, const struct PlannedFault *fault, struct Foresight *row)
{
    const struct StepSpec *step = fault->step;
    if (!is_whole(fault, row->role))
        return;
    if (!stays_down(plan, fault)) {
        const char *restart = restart_of(plan, fault->target);
        row->why = arena_printf(plan->arena,
                                "without `for:` whoever restarts it may be first%s%s: that is a "
                                "restart, and no failover",
                                restart[0] != '\0' ? ", Restart=" : "", restart);
        return;
    }
    row->course = COURSE_MOVES;
    row->why = NULL;
    row->cut_off = step->kind->partitions;
    row->lasts_ns =
        step->hold_ns >= 0 ? step->hold_ns : step_planned_ns(plan->scenario, fault->step_index);
}

/* One host of it that does not lead may go: who leads stays. */
static bool spares_primary(const struct Plan *plan, const struct Foresight *row)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct Target *other = NULL;
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (!faults[at].chosen || faults[at].step->kind == NULL)
            continue;
        if (!is_whole(&faults[at], faults[at].role) ||
            (other != NULL && other != faults[at].target))
            return false;
        other = faults[at].target;
    }
    return other != NULL && row->role->system->knobs != NULL;
}

static bool others_are_hit(const struct Plan *plan)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct Target *hit = NULL;
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (!faults[at].chosen || faults[at].step->kind == NULL ||
            !is_whole(&faults[at], faults[at].role))
            continue;
        if (hit != NULL && !same_machine(hit, faults[at].target))
            return true;
        hit = faults[at].target;
    }
    return false;
}

static void find_course(const struct Plan *plan, struct Foresight *row)
{
    const struct PlannedFault *faults = plan->faults.items;
    bool is_hit = false;
    if (others_are_hit(plan))
        return; /* who is left to promote, and by how many votes, is not reckoned */
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (!faults[at].chosen || faults[at].step->kind == NULL || row->primary == NULL ||
            !same_machine(faults[at].target, row->primary))
            continue;
        is_hit = true;
        if (row->course == COURSE_OPEN)
            hit(plan, &faults[at], row);
    }
    if (!is_hit && row->primary != NULL && spares_primary(plan, row))
        row->course = COURSE_STAYS;
    if (row->course != COURSE_MOVES || row->failover.low_ns < row->lasts_ns)
        return;
    row->course = COURSE_OVER_BEFORE;
    row->why = "the fault is over before they would promote another: no failover";
}

/* ---- Lines ---- */

static void say_stays(const struct Plan *plan, const struct Survey *survey, struct Foresight *row)
{
    const struct SurveyHost *hosts = survey->hosts.items;
    struct Buf others = BUF(400);
    const struct StepSpec *asked = foresee_last_failover(plan, row->role);
    const char *to = asked != NULL ? asked->promoted : NULL;
    if (row->primary == NULL || row->course == COURSE_STAYS || row->course == COURSE_OVER_BEFORE ||
        (to != NULL && text_equal(to, row->primary->name))) /* its last step is the way back */
        return;
    for (size_t at = 0; at < survey->hosts.count; at++)
        if (hosts[at].role == row->role && hosts[at].standing.rank == RANK_REPLICA &&
            hosts[at].target != row->primary &&
            (to == NULL || text_equal(to, hosts[at].target->name)))
            buf_printf(&others, "%s%s", others.size > 0 ? " or " : "", hosts[at].target->name);
    if (row->course == COURSE_MOVES && others.size > 0)
        row->stays = arena_printf(plan->arena, "the primary moves from %s to %s",
                                  row->primary->name, others.text);
    else
        row->stays =
            arena_printf(plan->arena, "the primary may move away from %s", row->primary->name);
    buf_free(&others);
    if (row->stays != NULL && foresee_switch_back(plan, row->role)) {
        row->given_back =
            arena_printf(plan->arena,
                         "%s; %s is asked to lead again once redundancy is proven, by a planned "
                         "switchover",
                         row->stays, row->primary->name);
        row->stays = NULL;
    }
}

/* The old one leads on where it is cut off; the new one from the failover on. */
static void say_twins(const struct Plan *plan, struct Foresight *row)
{
    char span[64];
    if (row->forecast.stays_primary == KNOWN_NO)
        row->twins = "one primary at any time: who is cut off gives up by itself";
    if (row->forecast.stays_primary != KNOWN_YES || row->failover.high_ns >= row->lasts_ns)
        return;
    span_say(row->lasts_ns - row->failover.high_ns, row->lasts_ns - row->failover.low_ns, span);
    row->twins = arena_printf(plan->arena,
                              "two primaries for %s and until it hears of the other: cut off, %s "
                              "goes on calling itself one",
                              span, row->primary->name);
}

/* False where another may not be promoted during the cut. Where the old one would acknowledge for
 * longer than that, it goes on until it hears of the other: high NS_NEVER. */
static bool acked_in(const struct Foresight *row, struct Span *out)
{
    *out = row->forecast.acked;
    if (out->high_ns > row->lasts_ns)
        out->high_ns = NS_NEVER;
    if (out->low_ns > row->lasts_ns)
        out->low_ns = row->lasts_ns;
    return row->forecast.acked.high_ns != KNOB_UNKNOWN && row->failover.high_ns < row->lasts_ns;
}

static void say_acked(const struct Plan *plan, struct Foresight *row)
{
    char span[64];
    struct Span acked;
    if (row->forecast.lossless) {
        row->acked =
            row->forecast.lossless_if != NULL
                ? arena_printf(plan->arena, "cut side: what is acknowledged is not lost %s",
                               row->forecast.lossless_if)
                : "cut side: what is acknowledged is not lost";
        return;
    }
    if (!acked_in(row, &acked) || (acked.high_ns == NS_NEVER && acked.low_ns == 0))
        return;
    bool open = acked.high_ns == NS_NEVER;
    span_say(acked.low_ns, open ? acked.low_ns : acked.high_ns, span);
    row->acked =
        arena_printf(plan->arena, "cut side: %s acknowledges writes for %s%s, and they are lost",
                     row->primary->name, span, open ? " and until it hears of the other" : "");
}

void foretell_course(const struct Plan *plan, const struct Survey *survey,
                     const struct SurveyRole *role, bool planned, struct Foresight *row)
{
    const struct KnobTable *table = role->role->system->knobs;
    int64_t values[KNOB_ROWS_MAX];
    row->lasts_ns = NS_NEVER;
    row->forecast = (struct Forecast){.acked = {0, KNOB_UNKNOWN}};
    if (table != NULL) {
        knobs_read(table, row->knobs.items, row->knobs.count, values);
        table->foretell(values, &row->forecast);
    }
    bool by_a_step = foresee_failover(plan, row->role) != NULL;
    if (planned || (by_a_step && role->role->system->unwatched)) {
        row->course = COURSE_MOVES;
    } else if (role->role->system->unwatched) {
        row->course = COURSE_STAYS;
        row->why = "nobody promotes another by itself";
    } else if (!by_a_step) { /* else whichever of them comes first */
        find_course(plan, row);
    }
    say_stays(plan, survey, row);
    if (row->course == COURSE_MOVES && row->cut_off && table != NULL) {
        say_twins(plan, row);
        say_acked(plan, row);
    }
    if (role->prospect.no_return != NULL && row->primary != NULL && row->course == COURSE_MOVES &&
        !planned)
        row->returns = arena_printf(plan->arena, "%s may not return: %s", row->primary->name,
                                    role->prospect.no_return);
}

/* ---- Limits ---- */

static const struct BoundProbe *probe_of(const struct Plan *plan, const char *name)
{
    const struct BoundProbe *probes = plan->probes.items;
    for (size_t at = 0; at < plan->probes.count; at++)
        if (text_equal(probes[at].spec->name, name))
            return &probes[at];
    return NULL;
}

static enum Holds within(struct Span span, int64_t limit)
{
    return limit >= span.high_ns ? HOLDS_SURELY : limit < span.low_ns ? HOLDS_NEVER : HOLDS_PERHAPS;
}

/* Of a ledger beside the primary that is cut off. */
static enum Holds losses(const struct Foresight *row, const struct Expectation *expectation,
                         int64_t every_ns)
{
    struct Span acked;
    if (row->cut_off && row->forecast.lossless && row->forecast.lossless_if == NULL)
        return HOLDS_SURELY;
    if (!row->cut_off || row->forecast.lossless || !acked_in(row, &acked))
        return HOLDS_UNSAID;
    struct Span lost = {acked.low_ns - NS_PER_S - every_ns,
                        acked.high_ns == NS_NEVER ? NS_NEVER : acked.high_ns + NS_PER_S};
    if (!expectation->limit_is_duration)
        lost = (struct Span){lost.low_ns / every_ns, lost.high_ns / every_ns};
    return within(lost, expectation->limit);
}

enum Holds foretell_limit(const struct Plan *plan, const struct Foresight *row,
                          const struct Expectation *expectation)
{
    const struct BoundProbe *probe = probe_of(plan, expectation->probe);
    if (row->course != COURSE_MOVES || expectation->when != WHEN_ALL || probe == NULL ||
        probe->role != row->role)
        return HOLDS_UNSAID;
    bool beside = probe->spec->from != NULL;
    if (expectation->word == BOUND_MAX_LOST && beside && probe->from == row->primary)
        return losses(row, expectation, probe->spec->interval_ns);
    if (beside || row->failover.high_ns == NS_NEVER)
        return HOLDS_UNSAID;
    enum Holds holds = within(row->failover, expectation->limit);
    if (holds == HOLDS_SURELY && row->failover.high_ns >= row->lasts_ns)
        holds = HOLDS_PERHAPS; /* it may be over before */
    if (expectation->word == BOUND_FAILOVER_WITHIN)
        return holds;
    if (expectation->word != BOUND_RECOVER_WITHIN || !probe->spec->kind->is_ledger)
        return HOLDS_UNSAID;                             /* what only reads may never have failed */
    return holds == HOLDS_SURELY ? HOLDS_UNSAID : holds; /* clients take a while longer */
}
