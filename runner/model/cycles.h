/* cycles.h - the runs of a repeat as one: the worst verdict, the median recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_CYCLES_H
#define FD_MODEL_CYCLES_H

#include "report.h"

/* Rows of one probe, oldest first. Those of one repeat become one row, which has the id of the
 * worst of them; one that is not whole is INCONCLUSIVE. Returns how many rows are left. */
size_t cycles_join(struct Past *rows, size_t count, struct Arena *arena);
/* Of a cycle after the first: what was not begun spoils the repeat. */
enum Verdict cycle_verdict(const struct Cycle *cycle, enum Verdict verdict);

#endif
