/* openssh.h - a connection kept by the system's ssh, for the files of that transport. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_OPENSSH_H
#define FD_TRANSPORTS_OPENSSH_H

#include "process.h"
#include "ssh.h"

/* A socket's path holds 107 bytes, and ssh adds 18 of its own while it binds. */
#define OPENSSH_FOLDER_MOST 70

/* The connection is a `ssh -M` with a command that ends when its input does: when we die, it ends
 * too, and takes its folder along. What goes through it are `ssh` processes that know nothing but
 * its socket: without it they fail, and never connect anew. */
struct OpenSsh {
    const struct Target *target;
    struct Process *master;
    int hears; /* an epoll of what is dialled */
    char folder[OPENSSH_FOLDER_MOST];
};

/* Makes session->folder, 0700, for the socket, with the config for the connection. What was made
 * before a failure is dropped by the other one, which accepts "". */
bool openssh_folder(struct OpenSsh *session, const struct SshConfig *config,
                    struct Err *err) MUST_CHECK;
void openssh_folder_drop(struct OpenSsh *session);

#endif
