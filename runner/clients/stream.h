/* stream.h - a connection, plain or TLS, for clients that speak a protocol of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_STREAM_H
#define FD_CLIENTS_STREAM_H

#include <stddef.h>

#include "call.h"
#include "tls.h"

/* Ends once: in ended(), after which it is gone, or in stream_close(). None of the functions is
 * called within stream_open() or stream_send(); each may call stream_close(). */
struct Stream;
struct StreamInput { /* copied; the strings are borrowed for stream_open() */
    struct Loop *loop;
    const struct Endpoint *endpoint;
    struct TlsTrust *trust; /* where endpoint->tls; outlives the stream */
    const char *name;       /* with TLS: whose certificate it must be; NULL = endpoint->host */
    struct Mono deadline;   /* of connecting and the handshake */
    void (*opened)(void *data, const char *peer);
    void (*bytes)(void *data, const char *bytes, size_t size);
    /* `why`: what the library says of the failure, or "". */
    void (*ended)(void *data, enum CallEnd end, int code, const char *why);
    void *data;
};
struct Stream *stream_open(const struct StreamInput *input);
void stream_send(struct Stream *stream, const char *bytes, size_t size); /* once opened */
void stream_close(struct Stream *stream);           /* by reset; accepts NULL */
bool stream_connected(const struct Stream *stream); /* TCP is, at least */
/* Once opened, with TLS: as tls_certificate_ends(). */
struct Wall stream_certificate_ends(const struct Stream *stream);

#endif
