/* keyscan.h - the key that a host offers now, for people to compare; nobody logs in. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_KEYSCAN_H
#define FD_TRANSPORTS_KEYSCAN_H

#include "../model/transport.h"

struct OfferedKey {
    char fingerprint[64]; /* "SHA256:..." */
    bool is_known;        /* as a known_hosts file that ssh_config names has it */
};
/* By ssh-keyscan, at the address that `ssh -G` says. What anybody offers there is no proof of who
 * it is. False with *err where there is none to be had. */
bool keyscan(const struct Target *target, struct Mono deadline, struct Arena *arena,
             struct OfferedKey *out, struct Err *err) MUST_CHECK;

#endif
