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

#endif
