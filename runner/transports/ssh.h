/* ssh.h - an open session, for the files of the ssh transport. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_SSH_H
#define FD_TRANSPORTS_SSH_H

#include <libssh2.h>

#include "ssh_config.h"

/* Who speaks SSH; neither has a config of its own. */
extern const struct TransportKind ssh_by_libssh2, ssh_by_openssh;

struct SshSession {
    const struct Target *target;
    LIBSSH2_SESSION *link;
    int fd;      /* the socket under it; -1 = none */
    pid_t jump;  /* the process at its other end; 0 = none */
    bool broken; /* something timed out half-way: nothing more can be said on it */
    struct SshWay way;
    struct Arena *arena;
    struct List left; /* of LIBSSH2_CHANNEL *: finished, but not yet let go by the other side */
};

/* Waits until the session can go on. False at the deadline. */
bool ssh_wait(struct SshSession *session, struct Mono deadline);
/* The error of the last call on the session, with `what` that was tried. */
bool ssh_say(struct SshSession *session, enum ErrCode code, const char *what, struct Err *err);

/* The two halves of opening, in this order; each leaves the session to be closed. */
bool ssh_connect(struct SshSession *session, const char *key_types, struct Mono deadline,
                 struct Err *err);
bool ssh_log_in(struct SshSession *session, struct Mono deadline, struct Err *err);
/* The host's key is the pinned one, or known. *other: it is not, but a key of another type may be.
 */
bool ssh_check_host(struct SshSession *session, bool *other, struct Err *err);
/* The types of key to ask the host for, the known ones first. In the arena. */
bool ssh_key_types(struct SshSession *session, const char **out, struct Err *err);
/* Ends the connection at once; the session's memory stays. */
void ssh_cut(struct SshSession *session);

#endif
