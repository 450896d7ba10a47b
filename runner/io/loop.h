/* loop.h - what one may ask of libuv. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_IO_LOOP_H
#define FD_IO_LOOP_H

#include <stdbool.h>

#include "../base/clock.h"

/* Prober and conductor have one each; only the owner's thread calls, but for loop_post() and
 * loop_stop(). */
struct Loop;
struct Timer;
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void LoopFn(void *data, int events);

struct Loop *loop_new(void);
/* After loop_run returned; no watch or timer may be left. What was posted and has not run is run,
 * so that its owner can free it. Accepts NULL. */
void loop_free(struct Loop *loop);
void loop_run(struct Loop *loop);  /* until loop_stop */
void loop_stop(struct Loop *loop); /* from any thread; before loop_run it ends that one at once */

/* Replaces any watch of fd; events 0 forgets it, which must come before fd closes or a library may
 * close it. `events` in fn: what is ready; both where the fd is in error. Level-triggered. */
void loop_watch(struct Loop *loop, int fd, int events, LoopFn *fn, void *data);
struct Timer *loop_timer(struct Loop *loop, LoopFn *fn, void *data);
/* One shot, absolute, by timerfd: no drift. Replaces what was set; equal times fire as they were
 * set. NS_NEVER turns it off. */
void loop_timer_at(struct Timer *timer, struct Mono when);
void loop_timer_off(struct Timer *timer);
void loop_timer_free(struct Timer *timer); /* accepts NULL; fn does not come any more */
/* From any thread: fn runs on the loop's, in the order of posting, never inside this call. */
void loop_post(struct Loop *loop, LoopFn *fn, void *data);
struct Mono loop_now(const struct Loop *loop); /* a fresh reading, never a cached one */
/* SIGINT, SIGTERM and SIGHUP as events of this loop, whichever thread they reach; conductor only.
 * Nothing is blocked, so that children inherit no mask. fn NULL gives them back. */
void loop_signals(struct Loop *loop, void (*fn)(void *data, int number), void *data);

#endif
