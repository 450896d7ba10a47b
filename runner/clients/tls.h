/* tls.h - OpenSSL between a stream and its bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_TLS_H
#define FD_CLIENTS_TLS_H

#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/err.h"

/* What connections share: the trusted certificates of this machine (SSL_CERT_FILE and SSL_CERT_DIR
 * where set). */
struct TlsTrust;
struct TlsTrust *tls_trust_new(struct Err *err);
void tls_trust_free(struct TlsTrust *trust); /* accepts NULL */

/* A client's side of one connection; no I/O: what the peer sent goes in, what it must get comes
 * out. The certificate must be good for `name`, a host name or a numeric address. */
struct Tls;
struct Tls *tls_new(struct TlsTrust *trust, const char *name);
void tls_free(struct Tls *tls); /* accepts NULL */
enum TlsState { TLS_SHAKING, TLS_OPEN, TLS_ENDED, TLS_FAILED };
/* `plain` is appended to with what was said to us, `wire` with what must be sent. */
enum TlsState tls_feed(struct Tls *tls, const char *bytes, size_t size, struct Buf *plain,
                       struct Buf *wire);
/* Once TLS_OPEN. */
enum TlsState tls_say(struct Tls *tls, const char *bytes, size_t size, struct Buf *wire);
/* Once TLS_OPEN: until when the peer's certificate is good. */
struct Wall tls_certificate_ends(const struct Tls *tls);
/* The same of a certificate as PEM; ns 0 where it is none. */
struct Wall tls_pem_ends(const char *pem);
const char *tls_why(const struct Tls *tls); /* of TLS_FAILED */

#endif
