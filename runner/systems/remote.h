/* remote.h - commands on the hosts of a role, each a call that ends once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REMOTE_H
#define FD_SYSTEMS_REMOTE_H

#include "../clients/call.h"
#include "../base/buf.h"
#include "../model/target.h"

/* Of one loop. A host gets a thread and a session of its own, by its `reach:`, at its first
 * command; as whoever we log in there, not as root. A host that was silent is reached anew. */
struct Remote;
struct Remote *remote_open(struct Loop *loop, const struct Role *role);
/* argv is copied. CALL_ANSWERED: it ended; code is its exit status (-1: by a signal), bytes what it
 * printed, 16 KiB at most, or its errors where it printed nothing. CALL_RESET: the host could not
 * be reached, or the connection was lost: it may have run. A cancel does not stop it; the host
 * itself does, within two seconds of the deadline. */
struct Call *remote_call(struct Remote *remote, size_t host, const char *const *argv,
                         struct Mono deadline, CallDone *done, void *data);
/* No word of a command may have a line's end: %b of printf on the host makes a text anew of what is
 * put here. More than `out` holds is a bug. */
void remote_fold(const char *text, struct Buf *out);
void remote_close(struct Remote *remote); /* no done function comes after it; accepts NULL */

#endif
