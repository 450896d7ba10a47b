/* only_if.h - the probes of the gate: one bad answer, or none, and there is no drill. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_ONLY_IF_H
#define FD_ENGINE_ONLY_IF_H

#include "../io/loop.h"
#include "../model/environment.h"

/* Each is asked at its own pace while it is ticked. A bad answer counts from then on, whatever
 * comes after it; so does one that is missing for an interval, its timeout and two seconds.
 * Conductor only; `environment` outlives it. */
struct OnlyIf;
struct OnlyIf *only_if_open(const struct Environment *environment, struct Err *err);
void only_if_close(struct OnlyIf *only_if); /* accepts NULL */
void only_if_tick(struct OnlyIf *only_if, struct Mono now);
/* KNOWN_UNKNOWN until each has answered. *said: who holds, or which does not and why. */
enum Known only_if_holds(const struct OnlyIf *only_if, const char **said);
/* Asks each once and waits for it; the loop must not run. Fills `said`. */
bool only_if_holds_now(const struct Environment *environment, struct Loop *loop, char said[200]);

#endif
