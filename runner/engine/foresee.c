/* foresee.c - what is missing, what would do harm, how long it takes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "foresee.h"

#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "edging.h"
#include "foretell.h"
#include "machine.h"

static void obstacle(struct Plan *plan, enum ErrCode code, const char *help, const char *text)
{
    const struct Obstacle *rows = plan->obstacles.items;
    for (size_t at = 0; at < plan->obstacles.count; at++)
        if (text_equal(rows[at].text, text))
            return;
    struct Obstacle *row = list_add(&plan->obstacles, plan->arena, sizeof *row);
    *row = (struct Obstacle){.code = code, .text = text, .help = arena_text(plan->arena, help)};
}

bool foresee_answers(struct Plan *plan, const struct Survey *survey, struct Err *err)
{
    const struct SurveyHost *hosts = survey->hosts.items;
    size_t answered = 0, silent = 0;
    for (size_t at = 0; at < survey->hosts.count; at++) {
        if (hosts[at].answered) {
            answered++;
        } else if (hosts[at].err.message[0] != '\0') {
            silent++;
            obstacle(plan, hosts[at].err.code, hosts[at].err.hint,
                     arena_text(plan->arena, hosts[at].err.message));
            *err = hosts[at].err;
        }
    }
    return answered > 0 || silent == 0;
}

/* Who takes a whole host must not stand on it, nor take the lock that keeps others out. */
static void foresee_machine(struct Plan *plan, const struct SurveyHost *host)
{
    const struct Environment *environment = plan->environment;
    const char *name = host->target->name;
    if (machine_is_this(&host->facts))
        obstacle(plan, ERR_REFUSED, "Run it from another machine: a small one beside your servers.",
                 arena_printf(plan->arena, "host '%s' is the machine that this runs on", name));
    if (environment->hosts.count > 1 && text_equal(environment->lock_host, name))
        obstacle(plan, ERR_REFUSED, "Name another host in the environment: `lock: HOST`.",
                 arena_printf(plan->arena, "host '%s' holds the lock of '%s', and would lose it",
                              name, environment->name));
}

/* The role's own: what is to be hit runs, and is what its system means. */
static void foresee_service(struct Plan *plan, const struct SurveyHost *host)
{
    const char *name = host->target->name;
    const struct HostFacts *facts = &host->facts;
    if (facts->active != KNOWN_YES)
        obstacle(plan, ERR_NOT_READY,
                 "A fault on a service that is down proves nothing; start it first.",
                 arena_printf(plan->arena, "the service of role '%s' does not run on host '%s'",
                              host->role->name, name));
    else if (text_equal(facts->main_pid, "1"))
        obstacle(plan, ERR_REFUSED, "Drill it from the machine that runs the container.",
                 arena_printf(plan->arena,
                              "the service of role '%s' is process 1 of '%s': no signal from "
                              "inside its container ends it, and its guard would end with it",
                              host->role->name, name));
    else if (facts->main_pid[0] != '\0' && host->standing.pid[0] != '\0' &&
             !text_equal(facts->main_pid, host->standing.pid))
        obstacle(plan, ERR_NOT_READY,
                 "Correct its pidfile or the role's `service:`; a wrong one would be killed.",
                 arena_printf(plan->arena,
                              "role '%s' on host '%s' is process %s as its service has it, but "
                              "%s by its own word",
                              host->role->name, name, facts->main_pid, host->standing.pid));
}

/* The step's own: process 1 cannot be hit by whoever is inside with it. */
static void foresee_named(struct Plan *plan, const struct StepSpec *step,
                          const struct SurveyHost *host)
{
    const struct Named *named = survey_named(host, step);
    if (named == NULL || named->is_unit ||
        (!text_starts(named->processes, "1:") && strstr(named->processes, " 1:") == NULL))
        return;
    obstacle(plan, ERR_REFUSED, "Drill it from the machine that runs the container.",
             arena_printf(plan->arena,
                          "'%s' is process 1 of '%s': no signal from inside its container ends it, "
                          "and its guard would end with it",
                          named->name, host->target->name));
}

bool foresee_host(struct Plan *plan, const struct StepSpec *step, const struct SurveyHost *host)
{
    if (host == NULL || !host->answered)
        return false;
    const char *name = host->target->name;
    const struct HostFacts *facts = &host->facts;
    if (facts->missing != NULL)
        obstacle(plan, ERR_NOT_READY, "",
                 arena_printf(plan->arena, "host '%s': %s", name, facts->missing));
    const char *machine = host->target->machine_id;
    if (machine != NULL && !text_equal(machine, facts->machine_id_hash))
        obstacle(plan, ERR_IDENTITY,
                 "Another machine has its address, or it was set up anew: see `faildrill doctor`.",
                 arena_printf(plan->arena, "host '%s' is not the machine that `machine_id:` names",
                              name));
    if (facts->traces != NULL && facts->traces[0] != '\0')
        obstacle(plan, ERR_LOCKED,
                 "Run `faildrill undo --scan -e ENV` to see whose they are, `faildrill undo` to "
                 "end them.",
                 arena_printf(plan->arena, "host '%s' carries traces of another drill: %s", name,
                              facts->traces));
    if (facts->unseen != NULL && facts->unseen[0] != '\0')
        obstacle(plan, ERR_NOT_READY, "Run it there as root and mend it: nobody can tell before.",
                 arena_printf(plan->arena,
                              "host '%s' cannot say whether another drill left something: %s", name,
                              facts->unseen));
    if (step->kind->needs_service && !step_names_service(step))
        foresee_service(plan, host);
    else if (step->kind->needs_service)
        foresee_named(plan, step, host);
    if (step->kind->takes_machine)
        foresee_machine(plan, host);
    if (step->kind->needs_filter && !facts->nft && !facts->iptables)
        obstacle(plan, ERR_NOT_READY, "It takes nftables; or iptables, ip6tables and ipset.",
                 arena_printf(plan->arena,
                              "host '%s' can load neither an nft table nor chains of iptables: %s",
                              name, facts->no_filter != NULL ? facts->no_filter : "not asked"));
    return facts->missing == NULL;
}

static bool has_address(const struct HostFacts *facts, const char *address)
{
    if (address == NULL || address[0] == '\0')
        return false;
    if (text_equal(facts->host->address, address))
        return true;
    const char *at = facts->addresses;
    for (size_t size; at != NULL && *at != '\0'; at += size + (at[size] == ' ')) {
        size = strcspn(at, " ");
        if (size == strlen(address) && strncmp(at, address, size) == 0)
            return true;
    }
    return false;
}

static bool cuts_between(const struct PlannedFault *fault, const struct Target *other)
{
    const struct Edge *edges = fault->edges.items;
    for (size_t at = 0; at < fault->edges.count; at++)
        if (edges[at].from == other || edges[at].to == other)
            return true;
    return fault->edges.count == 0;
}

/* Our ssh is spared on the host that it goes to, but not on one that it passes through, or that we
 * stand on. */
void foresee_ways(struct Plan *plan)
{
    const struct PlannedFault *faults = plan->faults.items;
    const struct HostFacts *facts = plan->facts.items;
    for (size_t i = 0; i < plan->faults.count; i++) {
        if (faults[i].step->kind == NULL || !faults[i].step->kind->partitions ||
            faults[i].step->cuts_link)
            continue;
        const struct HostFacts *way = plan_facts(plan, faults[i].target);
        for (size_t k = 0; way != NULL && k < plan->facts.count; k++)
            if (facts[k].host != way->host && has_address(way, facts[k].peer) &&
                cuts_between(&faults[i], facts[k].host))
                obstacle(plan, ERR_REFUSED,
                         "Drill it from elsewhere; or say `link: cut`, and the cap alone ends it.",
                         arena_printf(plan->arena,
                                      "our way to host '%s' leads through '%s', and `%s` would "
                                      "cut it",
                                      facts[k].host->name, way->host->name, faults[i].step->name));
    }
}

/* By its service, or with its whole machine. */
static bool stops_primary(const struct Plan *plan, const struct SurveyRole *role, bool machine)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (foresee_is_hit(&faults[at], role) && faults[at].step->kind->stops_service &&
            faults[at].procedure.from_here == machine)
            return true;
    return false;
}

bool foresee_touches(const struct Plan *plan, const struct StepSpec *step, const struct Role *role)
{
    struct List sides = {.items = NULL};
    if (step_has_edges(step))
        edging_roles(plan, step, false, plan->arena, &sides);
    const struct Role *const *side = sides.items;
    for (size_t at = 0; at < sides.count; at++)
        if (side[at] == role)
            return true;
    return (step->target && text_equal(step->target->role, role->name)) ||
           text_equal(step->role, role->name);
}

static bool touched(const struct Plan *plan, const struct Role *role)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (size_t at = 0; at < plan->scenario->steps.count; at++)
        if (foresee_touches(plan, &steps[at], role))
            return true;
    return false;
}

/* Nothing but a failover that is asked for happens to it. */
static bool only_planned(const struct Plan *plan, const struct Role *role)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    bool planned = false;
    for (size_t at = 0; at < plan->scenario->steps.count; at++) {
        planned =
            planned || (steps[at].type == STEP_FAILOVER && text_equal(steps[at].role, role->name));
        if (steps[at].kind != NULL)
            return false;
    }
    return planned;
}

static bool is_stopped(const struct Plan *plan, const struct Role *role)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (faults[at].role == role && faults[at].step->kind != NULL &&
            text_equal(faults[at].step->kind->name, "stop"))
            return true;
    return false;
}

/* One that is asked for is counted from then; where faults come beside it, it may be due to them.
 * Who is told to stop may hand over first. */
static struct Span range_of(const struct Plan *plan, const struct SurveyRole *role)
{
    const struct Prospect *prospect = &role->prospect;
    bool never = prospect->failover.high_ns == NS_NEVER;
    bool asked = foresee_failover(plan, role->role) != NULL;
    if (prospect->handover.high_ns > 0 && only_planned(plan, role->role))
        return prospect->handover;
    if (prospect->planned.high_ns > 0 && asked && (only_planned(plan, role->role) || never))
        return prospect->planned;
    if (asked)
        return (struct Span){0, NS_NEVER};
    if (!never && is_stopped(plan, role->role))
        return (struct Span){0, prospect->failover.high_ns};
    return prospect->failover;
}

/* DESIGN.md 12.2: what the disk of a killed primary gives back. */
static void foresee_persistence(struct Plan *plan, const struct SurveyRole *role, const char *by)
{
    const char *host = role->primary ? role->primary->name : "unknown";
    char risk[32] = "an unknown number";
    if (role->prospect.keys_at_risk >= 0)
        count_say((uint64_t)role->prospect.keys_at_risk, risk);
    switch (role->prospect.persistence) {
    case PERSIST_ALL:
        return;
    case PERSIST_SNAPSHOT:
        if (!plan->scenario->snapshot_first)
            obstacle(plan, ERR_REFUSED,
                     "Say `undo: {snapshot: true}`, and a BGSAVE comes first; or isolate or freeze "
                     "it instead.",
                     arena_printf(
                         plan->arena,
                         "kill of the primary '%s' is refused: it has snapshots (RDB) alone, and "
                         "%s changes since the last one would be gone from it",
                         host, risk));
        return;
    case PERSIST_NONE:
        obstacle(
            plan, ERR_REFUSED,
            "Turn on appendonly; or drill with isolate, freeze or failover, which keep its memory.",
            arena_printf(
                plan->arena,
                "%s of a Redis primary without persistence is refused: '%s' would come back "
                "empty, and where no failover came in time all %s keys with it",
                by, host, risk));
        return;
    case PERSIST_UNKNOWN:
        obstacle(plan, ERR_NOT_READY, "Nothing is killed whose persistence is not known.",
                 arena_printf(plan->arena, "the persistence of the primary '%s' could not be read",
                              host));
        return;
    }
}

static void foresee_handover(struct Plan *plan, const struct SurveyRole *role)
{
    const char *why = role->prospect.no_handover;
    if (why != NULL && (only_planned(plan, role->role) || foresee_switch_back(plan, role->role)))
        obstacle(plan, ERR_NOT_READY,
                 "Put a `stop:` of the primary before it: a replica is promoted then.",
                 arena_printf(plan->arena, "role '%s': %s", role->role->name, why));
}

/* Whether its system could fail over now. */
static void foresee_readiness(struct Plan *plan, const struct SurveyRole *role)
{
    const struct Prospect *prospect = &role->prospect;
    if (!role->prospect_known || prospect->not_ready != NULL)
        obstacle(
            plan, ERR_NOT_READY,
            "The next drill is possible as soon as that is mended: `faildrill doctor` looks again.",
            arena_printf(plan->arena, "role '%s': %s", role->role->name,
                         prospect->not_ready ? prospect->not_ready : "its system does not answer"));
    foresee_handover(plan, role);
    if (prospect->cool_down_ns > 0) {
        char wait[32];
        duration_say(prospect->cool_down_ns, wait);
        if (prospect->cool_down_ns > plan->cool_down_ns)
            plan->cool_down_ns = prospect->cool_down_ns;
        obstacle(plan, ERR_REFUSED,
                 "A failover that cannot start would be measured as one that failed.",
                 arena_printf(plan->arena,
                              "role '%s' is in its cool-down: next drill not before %s from now",
                              role->role->name, wait));
    }
}

static void foresee_role(struct Plan *plan, const struct Survey *survey,
                         const struct SurveyRole *role)
{
    const struct Prospect *prospect = &role->prospect;
    foresee_readiness(plan, role);
    bool machine = stops_primary(plan, role, true), service = stops_primary(plan, role, false);
    struct Obstacle two;
    if (machine || service)
        foresee_persistence(plan, role, "kill");
    else if (prospect->persistence == PERSIST_NONE && foresee_starts_plainly(plan, role))
        foresee_persistence(plan, role, "restart"); /* a clean stop writes a snapshot, if any */
    if (foresee_promotion(plan, role, &two))
        obstacle(plan, two.code, two.help, two.text);
    if (foresee_quorum(plan, role->role, prospect->voters, &two))
        obstacle(plan, two.code, two.help, two.text);
    if (foresee_promoted(plan, survey, role, &two))
        obstacle(plan, two.code, two.help, two.text);
    if (foresee_ends_on_primary(plan, role, &two))
        obstacle(plan, two.code, two.help, two.text);
    if (machine && foresee_return(plan, role, true, &two))
        obstacle(plan, two.code, two.help, two.text);
    if ((service || foresee_starts_plainly(plan, role)) && foresee_return(plan, role, false, &two))
        obstacle(plan, two.code, two.help, two.text);
    struct Foresight *row = list_add(&plan->foresights, plan->arena, sizeof *row);
    *row = (struct Foresight){.role = role->role,
                              .primary = role->primary,
                              .failover = range_of(plan, role),
                              .loss = prospect->loss};
    row->knobs =
        (struct List){.items = (void *)(uintptr_t)prospect->knobs, .count = prospect->knob_count};
    if (machine || service)
        row->returns = foresee_how_it_returns(plan, role, machine);
    foretell_course(plan, survey, role, only_planned(plan, role->role), row);
}

/* Roles that no step names, on hosts that one does. */
static void foresee_beside(struct Plan *plan)
{
    const struct Role *roles = plan->environment->roles.items;
    struct Obstacle two;
    for (size_t at = 0; at < plan->environment->roles.count; at++) {
        const struct Role *role = &roles[at];
        if (!touched(plan, role) &&
            (foresee_hidden(plan, role, &two) || foresee_quorum(plan, role, 0, &two)))
            obstacle(plan, two.code, two.help, two.text);
    }
}

void foresee_roles(struct Plan *plan, const struct Survey *survey)
{
    foresee_beside(plan);
    const struct SurveyRole *roles = survey->roles.items;
    for (size_t at = 0; at < survey->roles.count; at++)
        if (touched(plan, roles[at].role))
            foresee_role(plan, survey, &roles[at]);
}
