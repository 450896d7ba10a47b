/* watch.h - what a person sees while a run goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_WATCH_H
#define FD_CLI_WATCH_H

#include "../engine/run.h"
#include "drill.h"

/* On stderr; stdout is for the result. */
struct Watching;
struct Watching *watch_new(struct Drill *drill); /* in the cli's arena */
struct RunWatch watch_of(struct Watching *watching);
/* A line of ours, above the view. */
void watch_say(struct Watching *watching, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A question that stays on the terminal until NULL. */
void watch_question(struct Watching *watching, const char *question);
void watch_typed(struct Watching *watching); /* a line, with its end */
void watch_end(struct Watching *watching); /* the terminal is as it was */

#endif
