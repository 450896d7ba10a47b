/* tls_server.c - a TLS server with a certificate of its own, on a thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void make_certificate(struct TlsServer *server, const char *good_for, long holds_s)
{
    server->key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    server->certificate = x;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), holds_s);
    X509_set_pubkey(x, server->key);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, good_for);
    X509_add_ext(x, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(x, server->key, EVP_sha256()) > 0);
    snprintf(server->file, sizeof(server->file), "/tmp/faildrill-tls-XXXXXX");
    int fd = mkstemp(server->file);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    PEM_write_X509(file, x);
    fclose(file);
}

static void *serve(void *data)
{
    struct TlsServer *server = data;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, server->certificate);
    SSL_CTX_use_PrivateKey(context, server->key);
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            break;
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1)
            server->talk(ssl);
        SSL_free(ssl);
        close(fd);
    }
    SSL_CTX_free(context);
    return NULL;
}

struct TlsServer *tls_server_open(const char *good_for, long holds_s, void (*talk)(SSL *ssl))
{
    struct TlsServer *server = calloc(1, sizeof(*server));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL); /* OpenSSL's server side writes as it likes */
    server->talk = talk;
    make_certificate(server, good_for, holds_s);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    getsockname(server->listener, (struct sockaddr *)&at, &size);
    server->port = ntohs(at.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
    return server;
}

void tls_server_close(struct TlsServer *server)
{
    shutdown(server->listener, SHUT_RDWR); /* ends accept() */
    pthread_join(server->thread, NULL);
    close(server->listener);
    unlink(server->file);
    X509_free(server->certificate);
    EVP_PKEY_free(server->key);
    free(server);
}
