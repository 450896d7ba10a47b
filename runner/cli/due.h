/* due.h - which drills are overdue, by the dates that their files say. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_DUE_H
#define FD_CLI_DUE_H

#include "../../reports/trends.h"
#include "drill.h"

/* Fills trends->overdue and never_run, of the project's scenarios that `is_asked` wants. */
bool due_find(struct Drill *drill, bool (*is_asked)(const struct Cli *cli, const char *scenario),
              struct Trends *trends, struct Err *err) MUST_CHECK;

#endif
