/* call.h - what all clients share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_CALL_H
#define FD_CLIENTS_CALL_H

#include "../base/err.h"
#include "../io/loop.h"
#include "../model/endpoint.h"
#include "../model/sample.h"

/* A call lives on the loop of the thread that began it, and ends once: in `done`, or in
 * call_cancel(), after which done never comes. Neither comes within the function that began it, nor
 * within a call_cancel(). No call blocks, retries, follows or resolves twice. A call is freed by
 * its end: a done function must not cancel the very call that it ends, and may do all else, closing
 * the client included. */
struct Call {
    void (*cancel)(struct Call *call); /* the client's; the first member of its own struct */
};
enum CallEnd {
    CALL_ANSWERED,
    CALL_REFUSED, /* also "no route", "unreachable" */
    CALL_RESET,   /* closed or reset after it was connected, before the answer was whole */
    CALL_TIMEOUT,
    CALL_UNRESOLVED, /* the name */
    CALL_TLS,
    CALL_PROTOCOL, /* an answer that is none */
    CALL_LOCAL     /* our side: descriptors, ports, memory: counts as BROKEN */
};
struct Answer { /* borrowed for the call of done */
    enum CallEnd end;
    int code;          /* HTTP status; errno where not answered; 0 else */
    const char *bytes; /* the body or reply, cut at the client's limit; where there is none, what
                          the library says of the failure, or ""; never NULL, NUL-terminated */
    size_t size;
    bool cut;         /* there was more than `bytes` */
    const char *peer; /* the address that answered, "" where none */
    struct Mono started, connected, first_byte, ended; /* ns 0 where it never came to it */
};
typedef void CallDone(void *data, const struct Answer *answer);
void call_cancel(struct Call *call);
const char *call_end_name(enum CallEnd end);
/* Of a call that was not answered; its texts are the answer's. Of one that was, it names no
 * failure. */
struct Reply reply_of_end(const struct Answer *answer);
/* Of one that a server answered by a refusal. */
struct Reply reply_of_refusal(const struct Answer *answer, enum Failure failure);

#endif
