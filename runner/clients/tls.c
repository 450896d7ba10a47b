/* tls.c - OpenSSL between a stream and its bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "../base/arena.h"
#include "dns.h"

struct TlsTrust {
    SSL_CTX *context;
};

struct Tls {
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    char why[160];
};

struct TlsTrust *tls_trust_new(struct Err *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_default_verify_paths(context) != 1 ||
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        err_set(err, ERR_OWN, NOWHERE, "TLS is not to be had: %s",
                ERR_reason_error_string(ERR_get_error()));
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    struct TlsTrust *trust = mem_zero(1, sizeof(*trust));
    trust->context = context;
    return trust;
}

void tls_trust_free(struct TlsTrust *trust)
{
    if (trust == NULL)
        return;
    SSL_CTX_free(trust->context);
    mem_free(trust);
}

struct Tls *tls_new(struct TlsTrust *trust, const char *name)
{
    struct Tls *tls = mem_zero(1, sizeof(*tls));
    tls->ssl = SSL_new(trust->context);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL)
        bug("OpenSSL has no memory");
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_connect_state(tls->ssl);
    int named = 0;
    if (address_is_numeric(name))
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), name);
    else
        named = SSL_set1_host(tls->ssl, name) == 1 && SSL_set_tlsext_host_name(tls->ssl, name) == 1;
    if (named != 1)
        bug("OpenSSL takes no name '%s'", name);
    return tls;
}

void tls_free(struct Tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    mem_free(tls);
}

static void drain(struct Tls *tls, struct Buf *wire)
{
    char chunk[4096];
    int size = 0;
    while ((size = BIO_read(tls->out, chunk, sizeof(chunk))) > 0)
        buf_add(wire, chunk, (size_t)size);
}

static enum TlsState failed(struct Tls *tls)
{
    long verified = SSL_get_verify_result(tls->ssl);
    unsigned long code = ERR_get_error();
    const char *why = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (verified != X509_V_OK)
        why = X509_verify_cert_error_string(verified);
    snprintf(tls->why, sizeof(tls->why), "%.159s", why != NULL ? why : "the handshake broke off");
    return TLS_FAILED;
}

/* What a result of SSL_do_handshake, SSL_read or SSL_write below 1 means. */
static enum TlsState state_of(struct Tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SSL_is_init_finished(tls->ssl) ? TLS_OPEN : TLS_SHAKING;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default: /* OpenSSL has no enum */
        return failed(tls);
    }
}

enum TlsState tls_feed(struct Tls *tls, const char *bytes, size_t size, struct Buf *plain,
                       struct Buf *wire)
{
    ERR_clear_error();
    if (size > 0 && BIO_write(tls->in, bytes, (int)size) != (int)size)
        bug("OpenSSL has no memory");
    enum TlsState state = TLS_OPEN;
    if (!SSL_is_init_finished(tls->ssl)) {
        int done = SSL_do_handshake(tls->ssl);
        state = done == 1 ? TLS_OPEN : state_of(tls, done);
    }
    while (state == TLS_OPEN) {
        char chunk[4096];
        int got = SSL_read(tls->ssl, chunk, sizeof(chunk));
        if (got > 0) {
            buf_add(plain, chunk, (size_t)got);
            continue;
        }
        state = state_of(tls, got);
        break;
    }
    drain(tls, wire);
    return state;
}

enum TlsState tls_say(struct Tls *tls, const char *bytes, size_t size, struct Buf *wire)
{
    ERR_clear_error();
    int done = size > 0 ? SSL_write(tls->ssl, bytes, (int)size) : 1;
    enum TlsState state = done > 0 ? TLS_OPEN : state_of(tls, done);
    drain(tls, wire);
    return state;
}

/* Past the year 2262 nanoseconds count no further. */
static struct Wall ends_of(const X509 *certificate)
{
    struct tm parts;
    if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
        return (struct Wall){.ns = 0};
    int64_t seconds = (int64_t)timegm(&parts), most = INT64_MAX / NS_PER_S;
    return (struct Wall){.ns = (seconds < most ? seconds : most) * NS_PER_S};
}

struct Wall tls_certificate_ends(const struct Tls *tls)
{
    return ends_of(SSL_get0_peer_certificate(tls->ssl));
}

struct Wall tls_pem_ends(const char *pem)
{
    ERR_clear_error();
    BIO *bytes = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bytes, NULL, NULL, NULL);
    struct Wall ends = ends_of(certificate);
    X509_free(certificate);
    BIO_free(bytes);
    return ends;
}

const char *tls_why(const struct Tls *tls)
{
    return tls->why;
}
