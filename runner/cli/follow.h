/* follow.h - a run of another process, as it goes on, from what the store knows of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_FOLLOW_H
#define FD_CLI_FOLLOW_H

#include "drill.h"

/* Until the run has ended: a view that is drawn anew where stdout is a terminal, else a line an
 * event. Changes nothing; any number of people may look on. Returns the exit status. */
int follow_run(struct Drill *drill, const char *run);

#endif
