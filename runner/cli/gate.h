/* gate.h - the rules of the gate, with what they ask of the store, of git and of others. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_GATE_H
#define FD_CLI_GATE_H

#include "../model/report.h"
#include "drill.h"

/* Each adds its rule where the environment has one; false where it does not hold. */
bool gate_from_git(struct Drill *drill, struct List *rules);

/* A list of signers as it is for the whole of this command: what was compared with the branch is
 * what is believed. NULL where it cannot be read. */
const struct Document *signers_read(struct Drill *drill, const char *path);
/* All of a file, up to out->max; false where it cannot be read or is longer. */
bool file_read(const char *path, struct Buf *out) MUST_CHECK;

/* ---- Receipts: how a pass travels (LANGUAGE.md 3.3). ---- */
/* Adds the passes that signed receipts tell of, and in `troubles` (of const char *) what is wrong
 * with those that count for nothing. */
void receipts_read(struct Drill *drill, struct List *passes, struct List *troubles);
/* After a PASS, where the environment says `receipts:`. */
bool receipt_write(struct Drill *drill, const struct Report *report, struct Err *err) MUST_CHECK;

#endif
