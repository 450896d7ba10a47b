/* clients_tls_test.c - Redis over TLS: trusted, untrusted, another's name, none at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/clients/redis.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"
#include "../fakes/tls_server.h"

enum { BIG = 200000 };

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
        if (strstr(bytes, LINK_NAMES) != NULL && SSL_write(ssl, "+OK\r\n", 5) <= 0)
            break;
        if (SSL_write(ssl, reply, is_get ? head + BIG + 2 : 7) <= 0)
            break;
    }
}

static int start(void **state)
{
    *state = tls_server_open("IP:127.0.0.1,DNS:localhost", 3600, talk);
    return 0;
}

static int stop(void **state)
{
    tls_server_close(*state);
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
    struct TlsServer *server = tls_server_open("IP:127.0.0.2", 3600, talk);
    setenv("SSL_CERT_FILE", server->file, 1);

    struct Ended ended = ask("127.0.0.1", server->port, "PING");

    assert_int_equal(ended.end, CALL_TLS);
    assert_non_null(strstr(ended.text, "mismatch"));
    tls_server_close(server);
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
