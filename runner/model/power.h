/* power.h - how a host's power is cut and given back from outside: its provider's commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_POWER_H
#define FD_MODEL_POWER_H

#include "plan.h"

/* `power:` of one host, ready to run on the runner's machine: ${host.name} and the like are shell
 * variables that are set, quoted, before the line; a secret is read from its file when it runs, so
 * that its value stands in no plan, no store and no argv. *out is all NULL where the host has none.
 */
bool power_fill(const struct ScriptInput *values, const struct Power *power, struct Arena *arena,
                struct Power *out, struct Err *err) MUST_CHECK;

#endif
