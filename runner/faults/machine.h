/* machine.h - what the faults that take a whole machine share: its provider, and its return. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_MACHINE_H
#define FD_FAULTS_MACHINE_H

#include "commands.h"

/* A procedure that runs from here, with `returned`: every service that the host's roles have there
 * runs, and the host is not on its way down. */
struct Procedure machine_procedure(const struct PlanInput *input, struct Arena *arena);
/* save, undo and all_clear by the provider: it said on before, and does so again. Nothing where the
 * host has no provider. `cycle`: a machine that hangs is on, so it is switched off first. */
void machine_add_power(const struct PlanInput *input, bool cycle, struct Arena *arena,
                       struct Procedure *procedure);
/* in_place and apply of power_off. */
void machine_add_down(const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *procedure);
/* Whether the host has a sysrq of its own, and then what is said to it: `b`, `c`, or `C`, which is
 * `c` where the kernel still boots by itself. */
bool machine_may_sysrq(const struct PlanInput *input, struct Err *err) MUST_CHECK;
void machine_add_sysrq(const char *what, const char *letter, struct Arena *arena,
                       struct Procedure *procedure);

#endif
