/* helper.h - the node's helper: a forced command that does what its host allows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_HELPER_H
#define FD_TRANSPORTS_HELPER_H

#include "node.h"

/* The whole script, as it lies on a host: for people to read and to install. */
void helper_write(const char *version, struct Buf *out);
/* What `procedure KIND ARM UNDO` in /etc/faildrill.allow says of a procedure, as hex. */
void helper_hashes(const struct Procedure *procedure, struct Arena *arena, char arm[65],
                   char undo[65]);

#endif
