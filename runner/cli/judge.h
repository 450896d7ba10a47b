/* judge.h - from a stored run to its report: read, analyse, keep the verdict, write the pages. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_JUDGE_H
#define FD_CLI_JUDGE_H

#include "../model/report.h"
#include "drill.h"

/* Reads a run with its earlier comparable ones and analyses it. Everything in the arena. */
bool judge_read(struct Drill *drill, const char *run, struct Arena *arena, struct Report *out,
                struct Err *err) MUST_CHECK;
/* After a run: verdict stored, summary on stdout, report.html and report.json in STATE/runs/ID/.
 * Returns the exit status. */
int judge_run(struct Drill *drill, const char *run);
const struct ReportFormat *judge_format(const struct Drill *drill,
                                        const char *name); /* NULL = no such */
/* Writes a whole file, or none: a temporary one beside it, then rename. */
bool file_write(const char *path, const struct Buf *text, struct Err *err) MUST_CHECK;

#endif
