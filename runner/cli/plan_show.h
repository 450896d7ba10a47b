/* plan_show.h - a plan on one screen. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_PLAN_SHOW_H
#define FD_CLI_PLAN_SHOW_H

#include "drill.h"

/* What is signed: the steps on their hosts, the scenario's text, and what it refers to; the same
 * bytes for the same plan, at any time. */
void plan_show_whole(const struct Drill *drill, struct Buf *out);
/* rules: of struct GateRule. With -v the bytes for every host follow. */
void plan_show(const struct Drill *drill, const struct List *rules, int64_t valid_ns,
               struct Buf *out);

/* plan_foresight.c: what the settings, as read, promise of it. */
void plan_show_foresight(const struct Plan *plan, struct Buf *out);

#endif
