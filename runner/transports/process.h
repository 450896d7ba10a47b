/* process.h - a child process with pipes, each call with its deadline. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_PROCESS_H
#define FD_TRANSPORTS_PROCESS_H

#include <sys/types.h>

#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/err.h"

/* A child leads its own session, so that a Ctrl-C meant for us does not reach it, and lives on when
 * we die: its input ends then, which every script of ours takes as "do nothing". Of one thread. */
struct Process;
/* argv[0] is looked up in PATH; NULL, with *err, where it cannot be started. */
struct Process *process_start(const char *const *argv, struct Err *err);
/* Has our descriptor `kept` too, under the same number. */
struct Process *process_start_with(const char *const *argv, int kept, struct Err *err);
/* As in TransportKind. */
bool process_write(struct Process *process, const char *bytes, size_t size, struct Mono deadline,
                   struct Err *err) MUST_CHECK;
bool process_end_input(struct Process *process);
bool process_read(struct Process *process, struct Buf *out, bool *ended, struct Mono deadline,
                  struct Err *err) MUST_CHECK;
bool process_status(struct Process *process, int *status, struct Buf *errors, struct Mono deadline,
                    struct Err *err) MUST_CHECK;
pid_t process_pid(const struct Process *process); /* 0 once its status was taken */
bool process_runs(struct Process *process);
int process_hears(const struct Process *process); /* its output, to be polled; -1 once it ended */
void process_finish(struct Process *process); /* accepts NULL; whoever still runs is reaped later */

/* Starts argv with `fd` as its input and output: the socket under another library. 0 on failure. */
pid_t process_on_socket(const char *const *argv, int fd, struct Err *err);
void process_end(pid_t pid); /* TERM, and reaped later; never waits */

/* Runs argv to its end and takes its output, up to out->max. False where it cannot be started, does
 * not end in time, or ends with another status than 0 (its first line of errors is in *err). */
bool process_output(const char *const *argv, struct Buf *out, struct Mono deadline,
                    struct Err *err) MUST_CHECK;

/* Waits until fd is ready for `events` of poll(2), or in error. False at the deadline. */
bool fd_wait(int fd, short events, struct Mono deadline);
/* How long poll(2) may wait: whole milliseconds, rounded up, 0 where the deadline passed. In a job
 * of a worker (io/worker.h) not long, and 0 once that is dropped: ask again until it is 0.
 */
int deadline_ms(struct Mono deadline);

#endif
