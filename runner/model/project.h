/* project.h - the project file: where scenarios, environments and the state are. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_PROJECT_H
#define FD_MODEL_PROJECT_H

#include "environment_notify.h"

/* All in the arena it was found with. Without a project file `path` is NULL, `dir` the folder where
 * the search began, and every other key has its default. */
struct Project {
    const char *name, *path;
    const char *dir;                     /* absolute; other paths in it are relative to this */
    struct List scenarios, environments; /* of const char *: folders, as written */
    struct List receipts;                /* of const char *: folders; the first is written to */
    const char *state;                   /* as written, or NULL */
    const struct NotifyFields *notify;   /* environment_notify.h; NULL = nobody */
};
extern const struct Record PROJECT_RECORD;

/* The nearest `faildrill.yaml` (or `.faildrill.yaml`) from `start` upwards, to the git root.
 * Documents read are appended to `documents` (of const struct Document *). False where the file is
 * broken. */
bool project_find(const char *start, struct Arena *arena, struct List *documents,
                  struct Problems *problems, struct Project *out) MUST_CHECK;

/* A NAME or a path on the command line as a path that exists, relative to the caller where
 * possible. NAME is NAME.yaml in the project's folders; '-' and '_' are equal. False names what
 * exists. */
bool project_scenario(const struct Project *project, const char *name, struct Arena *arena,
                      const char **path, struct Err *err) MUST_CHECK;
bool project_environment(const struct Project *project, const char *name, struct Arena *arena,
                         const char **path, struct Err *err) MUST_CHECK;
/* The file that `name` means in the file `beside`, as people would write it here, one way for each
 * file. False, with *err, where there is none, or it lies outside of both the project's folder and
 * that of `beside`. */
bool project_file(const struct Project *project, const char *beside, const char *name,
                  struct Arena *arena, const char **path, struct Err *err) MUST_CHECK;
/* Every *.yaml in the folders, sorted: list of const char *. */
void project_scenarios(const struct Project *project, struct Arena *arena, struct List *paths);
void project_environments(const struct Project *project, struct Arena *arena, struct List *paths);

/* --state, else FAILDRILL_STATE, `state:`, .faildrill/ beside the project file,
 * $XDG_STATE_HOME/faildrill. `option` may be NULL. Never NULL; absolute. */
const char *project_state(const struct Project *project, const char *option, struct Arena *arena);

#endif
