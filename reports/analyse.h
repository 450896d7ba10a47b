/* analyse.h - from what a run left behind to what it means. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_ANALYSE_H
#define FD_REPORTS_ANALYSE_H

#include "../runner/model/report.h"

/* Pure and repeatable: same record, same report. `past` (oldest first; any runs of the scenario:
 * those that are not comparable are told apart) and the record outlive the report; all else is in
 * the arena. A record of any shape is taken: what is missing is unknown, never good. */
void analyse(const struct RunRecord *run, const struct Past *past, size_t past_count,
             struct Arena *arena, struct Report *out);

#endif
