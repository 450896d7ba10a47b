/* worker.h - a thread that does jobs in their order and reports to a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_IO_WORKER_H
#define FD_IO_WORKER_H

#include <stddef.h>

#include "loop.h"

/* One per target in use: what blocks (SSH) blocks here. All calls come from the home loop's thread.
 * A job is what its fn and done make of it; `own` is the worker's own data (a session), touched by
 * fn only. Signals are left as they are: a call that blocks may see EINTR. */
struct Worker;
typedef void WorkFn(void *own, void *job);
struct Worker *worker_new(struct Loop *home, void *own);
/* fn runs on the worker's thread after all earlier jobs; then done on the home loop, in the order
 * of the jobs. done may be NULL. */
void worker_do(struct Worker *worker, WorkFn *fn, WorkFn *done, void *job);
size_t worker_open(const struct Worker *worker); /* jobs whose done has not run */
/* The job under way, and those behind it, are to give up: worker_dropped is true for them from now
 * on, and who waits in a job asks it four times a second at least. False for jobs that come later,
 * and on any other thread. */
void worker_drop(struct Worker *worker);
bool worker_dropped(void);
bool worker_is_here(void); /* whether the caller is a job */
/* Waits for the job under way; jobs not begun are dropped. No done comes after it, so whoever wants
 * them all waits until worker_open is 0. Also from within done. Accepts NULL. */
void worker_free(struct Worker *worker);

#endif
