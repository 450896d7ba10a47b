/* freeze.h - the freeze switch: a file or URL that says `off`, or there is no drill. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_FREEZE_H
#define FD_ENGINE_FREEZE_H

#include "../base/err.h"
#include "../io/loop.h"

/* Asked each second while it is ticked. Only the word `off`, in a file or in an answer 200,
 * releases it; no answer within two seconds, another text or none: engaged. Conductor only. */
struct FreezeSwitch;
struct FreezeSwitch *freeze_open(const char *at, struct Loop *loop, struct Err *err);
void freeze_close(struct FreezeSwitch *freeze); /* accepts NULL */
void freeze_tick(struct FreezeSwitch *freeze, struct Mono now);
/* KNOWN_UNKNOWN until the first answer. *said: "off", or why it counts as engaged; valid until the
 * next tick. */
enum Known freeze_engaged(const struct FreezeSwitch *freeze, const char **said);
/* Asks once and waits for it; the loop must not run. Fills `said`; true: released. */
bool freeze_is_off(const char *at, struct Loop *loop, char said[200]);

#endif
