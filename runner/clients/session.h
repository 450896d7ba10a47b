/* session.h - ends all processes of a session. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_SESSION_H
#define FD_CLIENTS_SESSION_H

#include <sys/types.h>

/* SIGKILL to each process of the session that `leader` began, also those with groups of their own
 * (`timeout`, `set -m`). To be called before the leader is reaped: until then nobody else can have
 * its number. Who began another session (setsid) lives on. Any thread; takes a look at /proc. */
void session_kill(pid_t leader);

#endif
