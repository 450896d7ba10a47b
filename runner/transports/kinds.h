/* kinds.h - the ways to reach a host, for main.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_KINDS_H
#define FD_TRANSPORTS_KINDS_H

#include "../model/transport.h"

extern const struct TransportKind ssh_transport, local_transport, prefix_transport;

/* The value of `ssh:`, of an environment or a host; the rest is what `ssh -G HOST` says. */
enum SshVia { VIA_LIBSSH2, VIA_OPENSSH };
struct SshConfig {
    int via;            /* enum SshVia */
    const char *user;   /* NULL: as ssh_config says */
    int64_t port;       /* 0: as ssh_config says */
    const char *config; /* path of the ssh_config to read instead of the user's; NULL: the user's */
};
/* The value of `reach: {prefix: [...]}`. */
struct PrefixConfig {
    struct List words; /* of const char *; ${host.name} filled in */
};

#endif
