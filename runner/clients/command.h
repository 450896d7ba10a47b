/* command.h - a shell command on the runner's own machine, ended with all that it started. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_COMMAND_H
#define FD_CLIENTS_COMMAND_H

#include "call.h"

/* Each runs in a session of its own, in /, with /dev/null as its input, none of our descriptors,
 * and of our environment only what a login shell has too (PATH, HOME, LANG ...). Its session is
 * killed when it ends, at the deadline and by call_cancel(); where we die before, its process group
 * is seconds after the deadline. Who begins a session of his own (setsid) lives on. */
struct Commands;
struct Commands *commands_open(struct Loop *loop);
/* `script` goes to sh -c by its input, so that no word of it stands in a list of processes. */
struct Call *commands_call(struct Commands *commands, const char *script, struct Mono deadline,
                           CallDone *done, void *data);
size_t commands_running(const struct Commands *commands);
/* Cancels what is under way, and waits for it to be gone: at most a second. Accepts NULL. */
void commands_close(struct Commands *commands);

/* Within done, where answered: answer->code is the exit status, or minus the signal that ended it;
 * bytes its output, and this what it wrote as errors. Who writes more than 64 KiB is ended:
 * CALL_PROTOCOL. */
const char *command_errors(const struct Answer *answer);
/* NULL, or why this machine cannot: a kernel before 5.3. */
const char *commands_missing(void);

#endif
