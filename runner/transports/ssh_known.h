/* ssh_known.h - whose host key is accepted: a pinned fingerprint, or what known_hosts says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_SSH_KNOWN_H
#define FD_TRANSPORTS_SSH_KNOWN_H

#include "ssh_config.h"

struct KnownKey {
    const char *type; /* "ssh-ed25519" */
    const unsigned char *blob;
    size_t size;
    bool revoked;
};
/* All keys that the files name for `host` at `port` (hashed names, [host]:port, wildcards and
 * negation as in sshd(8)); lines of authorities are left out. A file that is not there is no file;
 * one that cannot be read is an error. In the arena. */
bool ssh_known_read(const struct List *files, const char *host, const char *port,
                    struct Arena *arena, struct List *out, struct Err *err) MUST_CHECK;
/* "SHA256:..." as ssh-keygen prints it; out must hold 64 bytes. */
void ssh_fingerprint(const unsigned char *blob, size_t size, char out[64]);
/* Bytes of base64 text up to a blank; NULL where it is none. */
unsigned char *base64_bytes(const char *text, struct Arena *arena, size_t *size);

#endif
