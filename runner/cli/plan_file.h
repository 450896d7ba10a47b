/* plan_file.h - a plan as a file: what `plan` saves and `run PLAN` finds again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_PLAN_FILE_H
#define FD_CLI_PLAN_FILE_H

#include "drill.h"

/* Whether a saved plan shows people the steps that this one has. */
bool plan_shows_same(const struct Drill *drill, const struct SavedPlan *saved);
void plan_file_write(const struct Drill *drill, int64_t valid_ns, struct Buf *out);

#endif
