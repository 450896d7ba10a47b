/* include_parts.h - what the files that expand fragments share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_INCLUDE_PARTS_H
#define FD_MODEL_INCLUDE_PARTS_H

#include "../base/err.h"
#include "include.h"
#include "scenario_fields.h"

struct Include {
    const struct IncludeInput *input;
    struct Arena *arena;
    struct Problems *problems;
    struct List included; /* of struct Inclusion */
    size_t bytes;         /* of all files so far */
    bool full;            /* a limit was reached, and said */
};

/* include_merge.c: what both say; `first` comes first in lists and maps, but not in `params`,
 * whose defaults may refer to what stands above. A name that both have is a problem. */
const struct Node *include_merge(struct Include *include, const struct Node *first,
                                 const struct Node *own);

/* include_params.c: the fragment's parameters are the scenario's under a name of their own:
 * `pace` of fragment `watch` is `watch_pace`, also where the fragment refers to it. */
const struct Node *include_rename(struct Include *include, const struct Node *root,
                                  const char *prefix);
/* What `with` says becomes the defaults of the renamed parameters; `declared`: the fragment's
 * `params` as it names them, or NULL. */
const struct Node *include_give(struct Include *include, const struct Node *root,
                                const struct Node *declared, const char *prefix,
                                const struct Node *with);

#endif
