/* parity.h - what differs between two environments in that which decides a recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_PARITY_H
#define FD_ENGINE_PARITY_H

#include "survey.h"

/* One of the two, as it was found. */
struct ParitySide {
    const struct Environment *environment;
    const struct Survey *survey; /* of the roles that are compared */
};
struct Difference {
    const char *role, *what;
    const char *values[2]; /* by side; "unknown" where nobody could tell */
    const char *unproven;  /* what a pass on one side does not prove of the other */
};
/* Pure. Compares roles of these names (of const char *); appends struct Difference in order of the
 * roles. Names of hosts, units and secrets make no difference. */
void parity_compare(const struct ParitySide sides[2], const struct List *roles, struct Arena *arena,
                    struct List *out);
/* Names (of const char *) of the roles that a scenario is about in either environment: those that
 * it names, and those that take no writes themselves, through which its clients may go. */
void parity_roles(const struct Scenario *scenario, const struct Environment *const environments[2],
                  struct Arena *arena, struct List *out);

#endif
