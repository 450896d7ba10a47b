/* notify.h - tells people and charts of a drill: start, halt, end, and each fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_NOTIFY_H
#define FD_ENGINE_NOTIFY_H

#include "../model/environment_notify.h"
#include "notify_text.h"
#include "run.h"

/* Conductor. Everything is asked on its loop, each with a deadline of its own, and nothing is
 * waited for while a run goes on: who does not answer costs a line, never a moment. */
struct Notify;
struct NotifyInput {
    const struct List *to; /* of struct NotifyTo */
    const struct Plan *plan;
    const char *who;
    struct Loop *loop;
    void (*say)(void *data, const char *text); /* what did not get through */
    void *say_data;
};
struct Notify *notify_open(const struct NotifyInput *input, struct Err *err);
/* As often as the run shows itself; `halted`: NULL, or why it undoes. */
void notify_look(struct Notify *notify, const struct RunView *view, const char *halted);
struct NotifyEnd {
    const char *verdict, *why; /* "PASS" */
    const char *left;          /* what may still be in effect, a line each; "" = nothing */
};
/* Once the run is over: tells its end, closes what is open, and waits ten seconds at most, in which
 * the loop runs. */
void notify_end(struct Notify *notify, const struct NotifyEnd *end);
void notify_close(struct Notify *notify); /* accepts NULL */
/* How a game day ended, and waits as notify_end does; `input` has no plan. */
void notify_day(const struct NotifyInput *input, const struct NotifyDay *day);

#endif
