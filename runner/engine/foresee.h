/* foresee.h - what is missing, what would do harm, how long it takes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_FORESEE_H
#define FD_ENGINE_FORESEE_H

#include "survey.h"

/* Adds an obstacle for every touched host that did not answer. False with *err where none did. */
bool foresee_answers(struct Plan *plan, const struct Survey *survey, struct Err *err) MUST_CHECK;
/* Adds what speaks against this step on this host; false where not even its procedure can be
 * planned. */
bool foresee_host(struct Plan *plan, const struct StepSpec *step, const struct SurveyHost *host);
/* Refuses what would cut our own way to a host of the plan. */
void foresee_ways(struct Plan *plan);
/* The two harms of DESIGN.md 12.2, traps and cool-downs, and the expected range, per role with a
 * system. */
void foresee_roles(struct Plan *plan, const struct Survey *survey);
/* The role's primary may be hit: by a fault of the role itself, or by one that another role's name
 * sends to its machine, and that takes the machine or a service by its name. */
bool foresee_is_hit(const struct PlannedFault *fault, const struct SurveyRole *role);
/* Whether, and why, it may leave two primaries behind where nobody demotes one: by a failover of
 * ours, or by one that comes by itself. */
bool foresee_promotion(const struct Plan *plan, const struct SurveyRole *role,
                       struct Obstacle *out);
/* A fault on a host of the role may leave two primaries, whichever role's name it has; `out` says
 * why. Only where nobody demotes (never_demotes). */
bool foresee_hidden(const struct Plan *plan, const struct Role *role, struct Obstacle *out);
/* It leaves the role's servers running, and may keep one from hearing another. */
bool foresee_hides(const struct PlannedFault *fault, const struct Role *role);
/* While it is in effect the role's service on its host is down: kept so, or `restart: never` says
 * that nobody revives it where none is demoted. */
bool foresee_keeps_down(const struct PlannedFault *fault, const struct Role *role);
/* Whether, and why, who is named at `to` cannot be made primary. */
bool foresee_promoted(const struct Plan *plan, const struct Survey *survey,
                      const struct SurveyRole *role, struct Obstacle *out);
/* Whether the step names the role, or a side of its cut does. */
bool foresee_touches(const struct Plan *plan, const struct StepSpec *step, const struct Role *role);
/* Whether, and why, a fault that only a primary can take back may outlast the role's. */
bool foresee_ends_on_primary(const struct Plan *plan, const struct SurveyRole *role,
                             struct Obstacle *out);
/* One with `for` is proven over before the next step, unless they stand side by side. */
bool foresee_is_over_before(const struct PlannedFault *fault, uint32_t index);
/* So many nodes of a role that needs a majority may be away at once that none is left; `out` says
 * how many. Whichever role's name the faults have. `voters`: how many the system counts; 0 or fewer
 * than the role's hosts: the hosts are counted. */
bool foresee_quorum(const struct Plan *plan, const struct Role *role, size_t voters,
                    struct Obstacle *out);
/* A step asks that who led at the start leads again at the end. */
bool foresee_switch_back(const struct Plan *plan, const struct Role *role);
/* The first step that fails the role over, and the last one; NULL: there is none. */
const struct StepSpec *foresee_failover(const struct Plan *plan, const struct Role *role);
const struct StepSpec *foresee_last_failover(const struct Plan *plan, const struct Role *role);
/* Where a primary that is taken away with its machine, or by its service alone, may come back as a
 * second one; and what the plan says of its way back, NULL: nothing. */
bool foresee_return(const struct Plan *plan, const struct SurveyRole *role, bool machine,
                    struct Obstacle *out);
/* Whether a step starts the primary's service as it is, its system unasked: a restart, or the undo
 * of a step that names a service. */
bool foresee_starts_plainly(const struct Plan *plan, const struct SurveyRole *role);
const char *foresee_how_it_returns(const struct Plan *plan, const struct SurveyRole *role,
                                   bool machine);

#endif
