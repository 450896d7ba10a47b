/* clients_tls_test.c - Redis over TLS: trusted, untrusted, another's name, none at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/redis.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"

enum { BIG = 200000 };

/* A server with a certificate of its own, on a thread: a connection after the other.
 */
struct TlsServer {
    EVP_PKEY *key;
    X509 *certificate;
    char file[64]; /* the certificate, to be trusted */
    int listener;
    uint16_t port;
    pthread_t thread;
};

static void make_certificate(struct TlsServer *server, const char *good_for)
{
    server->key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    server->certificate = x;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
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

/* Answers PING, and GET with a long text. */
static void talk(SSL *ssl)
{
    static char big[BIG + 32];
    char bytes[512];
    int got = 0;
    int head = snprintf(big, sizeof(big), "$%d\r\n", BIG);
    memset(big + head, 'x', BIG);
    snprintf(big + head + BIG, 3, "\r\n");
    while ((got = SSL_read(ssl, bytes, sizeof(bytes) - 1)) > 0) {
        bytes[got] = '\0';
        bool is_get = strstr(bytes, "GET") != NULL;
        const char *reply = is_get ? big : "+PONG\r\n";
        if (SSL_write(ssl, reply, is_get ? head + BIG + 2 : 7) <= 0)
            break;
    }
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
            talk(ssl);
        SSL_free(ssl);
        close(fd);
    }
    SSL_CTX_free(context);
    return NULL;
}

static struct TlsServer *open_server(const char *good_for)
{
    struct TlsServer *server = calloc(1, sizeof(*server));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL); /* OpenSSL's server side writes as it likes */
    make_certificate(server, good_for);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    getsockname(server->listener, (struct sockaddr *)&at, &size);
    server->port = ntohs(at.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
    return server;
}

static void close_server(struct TlsServer *server)
{
    shutdown(server->listener, SHUT_RDWR); /* ends accept() */
    pthread_join(server->thread, NULL);
    close(server->listener);
    unlink(server->file);
    X509_free(server->certificate);
    EVP_PKEY_free(server->key);
    free(server);
}

static int start(void **state)
{
    *state = open_server("IP:127.0.0.1,DNS:localhost");
    return 0;
}

static int stop(void **state)
{
    close_server(*state);
    return 0;
}

static struct Ended ask(const char *host, uint16_t port, const char *word)
{
    struct Err err;
    struct Loop *loop = loop_new();
    const struct Endpoint endpoint = {.host = host, .port = port, .tls = true};
    struct RedisClient *client = redis_open(loop, &endpoint, &err);
    assert_non_null(client);
    struct Ended ended = {.came = false};
    const char *const words[] = {word, NULL};
    redis_call(client, words, mono_add(mono_now(), 20 * NS_PER_S), keep_ended, &ended);
    run_until(loop, &ended.came);
    redis_close(client);
    loop_free(loop);
    return ended;
}

static void test_a_trusted_server_answers(void **state)
{
    const struct TlsServer *server = *state;
    setenv("SSL_CERT_FILE", server->file, 1);

    struct Ended by_address = ask("127.0.0.1", server->port, "PING");
    struct Ended by_name = ask("localhost", server->port, "PING");

    assert_int_equal(by_address.end, CALL_ANSWERED);
    assert_string_equal(by_address.text, "PONG");
    assert_true(by_address.connected.ns > 0);
    assert_string_equal(by_name.text, "PONG");
}

static void test_a_long_reply_comes_whole(void **state)
{
    const struct TlsServer *server = *state;
    setenv("SSL_CERT_FILE", server->file, 1);

    struct Ended ended = ask("127.0.0.1", server->port, "GET");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.size, BIG);
}

static void test_a_stranger_is_refused_and_said_why(void **state)
{
    const struct TlsServer *server = *state;
    setenv("SSL_CERT_FILE", "/dev/null", 1);

    struct Ended ended = ask("127.0.0.1", server->port, "PING");

    assert_int_equal(ended.end, CALL_TLS);
    assert_non_null(strstr(ended.text, "certificate"));
    assert_true(ended.connected.ns > 0);
}

static void test_another_name_is_refused(void **state)
{
    (void)state;
    struct TlsServer *server = open_server("IP:127.0.0.2");
    setenv("SSL_CERT_FILE", server->file, 1);

    struct Ended ended = ask("127.0.0.1", server->port, "PING");

    assert_int_equal(ended.end, CALL_TLS);
    assert_non_null(strstr(ended.text, "mismatch"));
    close_server(server);
}

static void close_at_once(void *data, struct Link *link, const char *bytes, size_t size)
{
    (void)data;
    (void)bytes;
    if (size > 0)
        link_send(link, "-ERR no TLS here\r\n");
}

static void test_a_server_without_tls_is_said_so(void **state)
{
    (void)state;
    struct Err err;
    struct Loop *loop = loop_new();
    struct Server *plain = server_new(loop, close_at_once, NULL);
    const struct Endpoint endpoint = {.host = "127.0.0.1", .port = server_port(plain), .tls = true};
    struct RedisClient *client = redis_open(loop, &endpoint, &err);
    struct Ended ended = {.came = false};
    const char *const words[] = {"PING", NULL};

    redis_call(client, words, mono_add(mono_now(), 20 * NS_PER_S), keep_ended, &ended);
    run_until(loop, &ended.came);

    assert_int_equal(ended.end, CALL_TLS);
    redis_close(client);
    server_free(plain);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trusted_server_answers),
        cmocka_unit_test(test_a_long_reply_comes_whole),
        cmocka_unit_test(test_a_stranger_is_refused_and_said_why),
        cmocka_unit_test(test_another_name_is_refused),
        cmocka_unit_test(test_a_server_without_tls_is_said_so),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
