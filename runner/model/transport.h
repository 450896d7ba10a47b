/* transport.h - reaches one host and runs sh there. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_TRANSPORT_H
#define FD_MODEL_TRANSPORT_H

#include "../base/buf.h"
#include "target.h"

/* Worker threads; a session and its channels belong to one thread. Nothing blocks past its
 * deadline + 250 ms, nothing is tried twice. Every failure says in *err whose fault it was. */
struct TransportKind {
    const char *name, *summary;
    struct Record config; /* keys under `ssh:` (ssh) or the value of `reach:` */
    /* A session to a host, identity checked (host key), or NULL. target outlives it. */
    void *(*open)(const void *config, const struct Target *target, struct Mono deadline,
                  struct Err *err);
    /* Starts argv on the host with pipes for its streams; several may run at once. NULL on failure,
     * after which it may nevertheless have been started. argv is quoted by the transport. */
    void *(*start)(void *session, const char *const *argv, struct Mono deadline, struct Err *err);
    /* Writes all of it, or fails: then any part may have arrived. */
    bool (*write)(void *channel, const char *bytes, size_t size, struct Mono deadline,
                  struct Err *err);
    bool (*end_input)(void *channel, struct Mono deadline, struct Err *err);
    /* Appends what has arrived on stdout (at least one byte) to `out`. *ended at its end. */
    bool (*read)(void *channel, struct Buf *out, bool *ended, struct Mono deadline,
                 struct Err *err);
    /* Exit status after the end of output; *status -1 = ended by a signal. Standard error so far
     * goes to `errors` (may be NULL). */
    bool (*status)(void *channel, int *status, struct Buf *errors, struct Mono deadline,
                   struct Err *err);
    void (*finish)(void *channel); /* frees it; never waits */
    void (*close)(
        void *session); /* the socket first, if anything timed out; never waits; accepts NULL */
    /* The socket on which the session hears, to be polled while idle; -1 = none. */
    int (*fd)(void *session);
    /* Opens a byte stream from the host to address:port. NULL in kinds without it. Channel calls
     * read, write, finish apply. */
    void *(*dial)(void *session, const char *address, uint16_t port, struct Mono deadline,
                  struct Err *err);
    /* The command line by which a person would run `argv` on that host, for messages and `plan`. */
    void (*by_hand)(const void *config, const struct Target *target, struct Buf *out);
    /* The numeric address under which clients know a host whose file gives none. May be NULL. *out
     * NULL: not known here (behind a jump). Before threads start. */
    bool (*address)(const void *config, const struct Target *target, struct Mono deadline,
                    struct Arena *arena, const char **out, struct Err *err);
};

#endif
