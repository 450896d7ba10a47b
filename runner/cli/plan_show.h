/* plan_show.h - a plan on one screen. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_PLAN_SHOW_H
#define FD_CLI_PLAN_SHOW_H

#include "drill.h"

/* rules: of struct GateRule. With -v the bytes for every host follow. */
void plan_show(const struct Drill *drill, const struct List *rules, int64_t valid_ns,
               struct Buf *out);

#endif
