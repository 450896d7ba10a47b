/* foretell.h - what a drill will do to a system, by the settings that were read. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_FORETELL_H
#define FD_ENGINE_FORETELL_H

#include "survey.h"

/* Fills course, cut_off, lasts_ns, forecast and the lines why, twins, acked, returns, stays of a
 * row that has role, primary, failover and knobs. `planned`: nothing but a failover that is asked
 * for happens to it. */
void foretell_course(const struct Plan *plan, const struct Survey *survey,
                     const struct SurveyRole *role, bool planned, struct Foresight *row);

/* Whether what is expected can come true by it. PERHAPS: the limit lies within what is foreseen. */
enum Holds { HOLDS_UNSAID, HOLDS_SURELY, HOLDS_PERHAPS, HOLDS_NEVER };
enum Holds foretell_limit(const struct Plan *plan, const struct Foresight *row,
                          const struct Expectation *expectation);

#endif
