/* ssh_config.h - where `ssh HOST` would go, and with what, as `ssh -G` says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_SSH_CONFIG_H
#define FD_TRANSPORTS_SSH_CONFIG_H

#include "kinds.h"

struct SshWay {
    const char *user, *host, *port;
    const char *alias;      /* HostKeyAlias, or NULL */
    struct List identities; /* of const char *: paths of private keys, in order */
    struct List known;      /* of const char *: paths of known_hosts files */
    const char *agent;      /* path of the agent's socket, or NULL */
    bool identities_only;
    const char *jump;    /* ProxyJump, or NULL */
    const char *command; /* ProxyCommand, filled in, or NULL */
};
/* Runs `ssh -G`. All of `out` is in the arena. */
bool ssh_way_read(const struct SshConfig *config, const struct Target *target, struct Mono deadline,
                  struct Arena *arena, struct SshWay *out, struct Err *err) MUST_CHECK;
/* A numeric address of a name, by the system's own resolver in a process that can be left behind.
 */
bool ssh_way_resolve(const char *host, struct Mono deadline, struct Arena *arena, const char **out,
                     struct Err *err) MUST_CHECK;

/* TransportKind.address: what `ssh -G` says, resolved. */
bool ssh_address(const void *config, const struct Target *target, struct Mono deadline,
                 struct Arena *arena, const char **out, struct Err *err) MUST_CHECK;

#endif
