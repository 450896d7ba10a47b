/* silence.h - one silence in the user's Alertmanager, for the length of a drill. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_SILENCE_H
#define FD_ENGINE_SILENCE_H

#include "../io/loop.h"
#include "../model/environment.h"
#include "../model/environment_notify.h"

/* Conductor only. Nothing here waits: each request has its deadline, and the silence ends by itself
 * at the time that it was made with. */
struct Silence;
struct SilenceAsk {
    const struct SilenceFields *spec; /* outlives it */
    const char *who, *scenario, *run;
    int64_t lasts_ns;
};
struct Silence *silence_open(struct Loop *loop, struct Err *err);
void silence_close(struct Silence *silence); /* accepts NULL; asks for nothing more */
/* The first call asks for it. KNOWN_UNKNOWN until that was answered; NO: *said is why not; YES:
 * *said is its id. */
enum Known silence_made(struct Silence *silence, const struct SilenceAsk *ask, const char **said);
/* Asks to end it, where it may have been made; `done` comes in any case, within five seconds, and
 * never within this call. `why`: NULL, or why it goes on until its own end. */
void silence_end(struct Silence *silence, void (*done)(void *data, const char *why), void *data);

#endif
