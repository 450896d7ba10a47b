/* plan_file.h - a plan as a file: what `plan` saves and `run PLAN` finds again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_PLAN_FILE_H
#define FD_CLI_PLAN_FILE_H

#include "drill.h"

/* What was approved is what runs: another byte for any host, another step shown, and the plan is
 * void. Each cycle of a repeat has a token of its own, and is the same but for that. */
bool plan_is_same(const struct Drill *drill, const struct SavedPlan *saved,
                  struct Err *err) MUST_CHECK;
void plan_file_write(const struct Drill *drill, int64_t valid_ns, struct Buf *out);

#endif
