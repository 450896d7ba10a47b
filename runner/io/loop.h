/* loop.h - what one may ask of libuv. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_IO_LOOP_H
#define FD_IO_LOOP_H

#include "../base/clock.h"
#include <stdbool.h>

/* Prober and conductor have one each; only the owner's thread calls, but for loop_post() and
 * loop_stop(). A fake stands in tests/fakes. */
struct Loop;
struct Timer;
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void LoopFn(void *data, int events);

struct Loop *loop_new(void);
void loop_free(struct Loop *loop); /* after loop_run returned; no watch or timer may be left */
void loop_run(struct Loop *loop);  /* until loop_stop */
void loop_stop(struct Loop *loop); /* from any thread */

/* Replaces any watch of fd; events 0 forgets it, which must come before fd closes or a library may
 * close it. `events` in fn: what is ready; both where the fd is in error. */
void loop_watch(struct Loop *loop, int fd, int events, LoopFn *fn, void *data);
struct Timer *loop_timer(struct Loop *loop, LoopFn *fn, void *data);
void loop_timer_at(struct Timer *timer, struct Mono when); /* one shot, absolute, by timerfd: no drift */
void loop_timer_off(struct Timer *timer);
void loop_timer_free(struct Timer *timer); /* accepts NULL; fn does not come any more */
void loop_post(struct Loop *loop, LoopFn *fn, void *data); /* from any thread: fn runs on the loop's */
struct Mono loop_now(const struct Loop *loop); /* a fresh reading, never a cached one */
/* SIGINT, SIGTERM, SIGHUP ... as events of this loop (signalfd); conductor only. */
void loop_signals(struct Loop *loop, void (*fn)(void *data, int number), void *data);

#endif
