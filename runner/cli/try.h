/* try.h - the verbs of a step as options of `try`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_TRY_H
#define FD_CLI_TRY_H

#include "cli.h"

/* Those that want nothing but whom they hit; ends with a NULL name. */
const struct Option *try_verbs(const struct Kinds *kinds, struct Arena *arena);

#endif
