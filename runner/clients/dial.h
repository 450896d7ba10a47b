/* dial.h - resolves a name and connects: the beginning of every client with a socket of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_DIAL_H
#define FD_CLIENTS_DIAL_H

#include "call.h"

/* Ends once: in done, or in dial_cancel(). A name is resolved anew each time; its further addresses
 * are tried where one refuses. The endpoint is copied. */
struct Dial;
struct Dialled {      /* borrowed for the call of done */
    enum CallEnd end; /* CALL_ANSWERED: connected, and fd is the receiver's */
    int fd, code;
    const char *peer, *why;
};
typedef void DialDone(void *data, const struct Dialled *dialled);
struct Dial *dial_begin(struct Loop *loop, const struct Endpoint *endpoint, struct Mono deadline,
                        DialDone *done, void *data);
void dial_cancel(struct Dial *dial);

#endif
