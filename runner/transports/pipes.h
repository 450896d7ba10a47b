/* pipes.h - what `local` and `prefix` share: a session is a list of words before every command. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_PIPES_H
#define FD_TRANSPORTS_PIPES_H

#include "../model/transport.h"

/* words: of const char *, borrowed while the session is open. */
void *pipes_open(const struct List *words);
void *pipes_start(void *session, const char *const *argv, struct Mono deadline, struct Err *err);
bool pipes_write(void *channel, const char *bytes, size_t size, struct Mono deadline,
                 struct Err *err);
bool pipes_end_input(void *channel, struct Mono deadline, struct Err *err);
bool pipes_read(void *channel, struct Buf *out, bool *ended, struct Mono deadline, struct Err *err);
bool pipes_status(void *channel, int *status, struct Buf *errors, struct Mono deadline,
                  struct Err *err);
void pipes_finish(void *channel);
void pipes_close(void *session);
int pipes_fd(void *session);

#endif
