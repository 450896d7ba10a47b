/* telling.h - a run is shown here, and told to those whom `notify` names. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_TELLING_H
#define FD_CLI_TELLING_H

#include "../engine/run.h"
#include "drill.h"

struct Telling;
/* What is shown goes on to `shown`. In the cli's arena. */
struct Telling *telling_open(struct Drill *drill, const struct RunWatch *shown);
struct RunWatch telling_watch(struct Telling *telling);
void telling_run(struct Telling *telling, struct Run *run); /* which it is, before it goes */
/* The run is over and judged; its loop runs once more, ten seconds at most. */
void telling_end(struct Telling *telling, int status);
/* Before the loop is freed. */
void telling_close(struct Telling *telling);

#endif
