/* files.h - what the faults that put one file in the place of another have in common. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_FILES_H
#define FD_FAULTS_FILES_H

#include "../schema/decode.h"
#include "commands.h"

/* Files and folders, a blank between them, that our own way to a host and its undo need: no fault
 * touches them. files.sh gets them too, for what a link means is only known there. */
extern const char files_kept[];
#define RELOAD_DOC                                                                                 \
    "A line that makes the service read it anew; run on the host as root, after the change and "   \
    "after the undo."
/* The text as a file holds it: it ends with a newline, or is empty. */
const char *files_text(const char *text, struct Arena *arena);
/* NULL, or why this is no path that a fault may put another file at. */
const char *files_path_fault(const char *path);
/* Problems at the keys of `node`, while its values are known; references are left for the plan. */
void files_check_path(const struct Node *node, const char *key, const char *path,
                      struct Decode *decode);
void files_check_text(const struct Node *node, const char *key, const char *text,
                      struct Decode *decode);
/* Of a file that is only read. */
void files_check_source(const struct Node *node, const char *key, const char *path,
                        struct Decode *decode);
/* The same for values that came later. */
bool files_source_is_good(const char *path, const struct PlanInput *input,
                          struct Err *err) MUST_CHECK;
bool files_path_is_good(const char *path, const struct PlanInput *input,
                        struct Err *err) MUST_CHECK;

#endif
