/* init_template.h - scenarios to begin with, 15 lines at most each. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_INIT_TEMPLATE_H
#define FD_CLI_INIT_TEMPLATE_H

#include "../base/arena.h"
#include "../base/err.h"

struct Template {
    const char *name; /* of `init --from`; of a system: as that is called */
    const char *text; /* with @NAME, @ROLE and @PROBE */
    const char *role; /* what it is of, where no environment says */
};
/* NULL, and *err lists them, where there is none of that name. */
const struct Template *template_find(const char *name, struct Err *err);
const char *template_fill(const struct Template *template, const char *name, const char *role,
                          const char *probe, struct Arena *arena);

#endif
