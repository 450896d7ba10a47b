/* tls_server.h - a TLS server with a certificate of its own, on a thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_TLS_SERVER_H
#define FD_FAKES_TLS_SERVER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>

/* On 127.0.0.1, a connection after the other. */
struct TlsServer {
    EVP_PKEY *key;
    X509 *certificate;
    char file[64]; /* the certificate, to be trusted: SSL_CERT_FILE */
    int listener;
    uint16_t port;
    void (*talk)(SSL *ssl); /* on the server's thread, after the handshake */
    pthread_t thread;
};
/* `good_for`: as in "IP:127.0.0.1,DNS:localhost"; its certificate ends in holds_s seconds, or ended
 * that long ago. */
struct TlsServer *tls_server_open(const char *good_for, long holds_s, void (*talk)(SSL *ssl));
void tls_server_close(struct TlsServer *server);

#endif
