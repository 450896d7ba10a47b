/* probes_tls_test.c - handshakes and certificates, as `tls` and `http` probes see them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../fakes/probing.h"
#include "../fakes/server.h"
#include "../fakes/tls_server.h"

#define NO_SYSTEM "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n"
#define DAY (24 * 3600L)
/* For whatever must be answered: a slow turn of a busy machine is no silence. */
#define LONG_NS (20 * NS_PER_S)

/* A web server, where it is asked as one. */
static void talk(SSL *ssl)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
    char bytes[2048];
    if (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
        (void)SSL_write(ssl, reply, sizeof(reply) - 1);
}

/* The first sample of a probe of this port. */
static struct Sample ask_port(const char *text, uint16_t port, int64_t timeout_ns, char detail[120])
{
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    probing.port = port;
    probing_add(&probing, text, 50 * NS_PER_MS, timeout_ns);
    assert_true(probing_start(&probing, &err));
    probing_take(&probing, 0, 1);
    struct Sample sample = *probing_last(&probing, 0);
    snprintf(detail, 120, "%s", probing.detail[0]);
    probing_close(&probing); /* with attempts under way */
    return sample;
}

struct Row {
    const char *probe;
    enum Failure failure;
    const char *detail; /* what is in it; NULL: nothing is */
};

static void ask_rows(const struct Row *rows, size_t count, const char *good_for, long holds_s)
{
    struct TlsServer *server = tls_server_open(good_for, holds_s, talk);
    setenv("SSL_CERT_FILE", server->file, 1);
    for (size_t n = 0; n < count; n++) {
        char detail[120];
        struct Sample sample = ask_port(rows[n].probe, server->port, LONG_NS, detail);
        assert_string_equal(failure_name((enum Failure)sample.failure),
                            failure_name(rows[n].failure));
        assert_int_equal(sample.outcome,
                         rows[n].failure == FAILURE_NONE ? OUTCOME_OK : OUTCOME_FAILED);
        assert_true(sample.connected);
        if (rows[n].detail == NULL)
            assert_string_equal(detail, "");
        else
            assert_non_null(strstr(detail, rows[n].detail));
    }
    tls_server_close(server);
}

static void test_a_certificate_must_be_the_servers_own_and_hold_on(void **state)
{
    (void)state;
    static const struct Row rows[] = {
        {"{tls: \"127.0.0.1:PORT\"}", FAILURE_NONE, NULL},
        {"{tls: \"127.0.0.1:PORT\", server_name: shop.test}", FAILURE_NONE, NULL},
        {"{tls: \"127.0.0.1:PORT\", server_name: other.test}", FAILURE_TLS, "mismatch"},
        {"{tls: \"127.0.0.1:PORT\", ok: {certificate_days: 19}}", FAILURE_NONE, NULL},
        {"{tls: \"127.0.0.1:PORT\", ok: {certificate_days: 20}}", FAILURE_TLS,
         "the certificate ends in 19 days, not in 20 or more"},
        {"{http: \"https://127.0.0.1:PORT/\", ok: {body: ready}}", FAILURE_NONE, NULL},
        {"{http: \"https://127.0.0.1:PORT/\", ok: {certificate_days: 19}}", FAILURE_NONE, NULL},
        {"{http: \"https://127.0.0.1:PORT/\", ok: {certificate_days: 20}}", FAILURE_CONTENT,
         "the certificate ends in 19 days, not in 20 or more"},
        {"{http: \"https://127.0.0.1:PORT/\", ok: {status: 204, certificate_days: 20}}",
         FAILURE_CONTENT, "status 200"},
    };
    ask_rows(rows, COUNT_OF(rows), "IP:127.0.0.1,DNS:shop.test", 20 * DAY - 60);
}

static void test_one_that_has_ended_is_said_so(void **state)
{
    (void)state;
    static const struct Row rows[] = {
        {"{tls: \"127.0.0.1:PORT\"}", FAILURE_TLS, "expired"},
        {"{http: \"https://127.0.0.1:PORT/\"}", FAILURE_TLS, "expired"},
    };
    ask_rows(rows, COUNT_OF(rows), "IP:127.0.0.1", -60);
}

static void test_a_stranger_is_refused(void **state)
{
    (void)state;
    struct TlsServer *server = tls_server_open("IP:127.0.0.1", DAY, talk);
    char detail[120];
    setenv("SSL_CERT_FILE", "/dev/null", 1);

    struct Sample sample = ask_port("{tls: \"127.0.0.1:PORT\"}", server->port, LONG_NS, detail);

    assert_int_equal(sample.failure, FAILURE_TLS);
    assert_non_null(strstr(detail, "certificate"));
    tls_server_close(server);
}

static void test_who_takes_the_connection_and_is_silent_is_known(void **state)
{
    (void)state;
    struct Loop *loop = loop_new(); /* not run: the kernel accepts, nobody answers */
    struct Server *server = server_new(loop, NULL, NULL);
    static const char *const texts[] = {"{tls: \"127.0.0.1:PORT\"}",
                                        "{http: \"https://127.0.0.1:PORT/\"}"};
    unsetenv("SSL_CERT_FILE");
    for (size_t n = 0; n < COUNT_OF(texts); n++) {
        char detail[120];

        struct Sample sample = ask_port(texts[n], server_port(server), NS_PER_S, detail);

        assert_int_equal(sample.outcome, OUTCOME_TIMEOUT);
        assert_true(sample.connected);
    }
    server_free(server);
    loop_free(loop);
}

static void test_a_refused_port_is_refused(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = refused_port(&port);
    char detail[120];

    struct Sample sample = ask_port("{tls: \"127.0.0.1:PORT\"}", port, LONG_NS, detail);

    assert_int_equal(sample.outcome, OUTCOME_FAILED);
    assert_int_equal(sample.failure, FAILURE_REFUSED);
    assert_false(sample.connected);
    close(fd);
}

static bool place(void *data, uint32_t probe, const char *host, uint16_t port, struct Endpoint *out)
{
    const struct Probing *probing = data;
    (void)probe;
    assert_string_equal(host, "shop.test");
    assert_int_equal(port, 443);
    *out = (struct Endpoint){.host = "127.0.0.1", .port = probing->port};
    return true;
}

/* Through a forward the server is still the one that the file names. */
static void test_from_beside_a_host_the_name_stays(void **state)
{
    (void)state;
    static struct Probing probing;
    struct TlsServer *server = tls_server_open("DNS:shop.test", DAY, talk);
    const struct Target beside = {.name = "web-1"};
    struct Err err;
    setenv("SSL_CERT_FILE", server->file, 1);
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    probing.port = server->port;
    probing.place = place;
    uint32_t index = probing_add(&probing, "{tls: \"shop.test:443\"}", 100 * NS_PER_MS, LONG_NS);
    probing.bound[index].from = &beside;
    assert_true(probing_start(&probing, &err));

    probing_take(&probing, 0, 1);

    assert_string_equal(probing.detail[0], "");
    assert_int_equal(probing_last(&probing, 0)->outcome, OUTCOME_OK);
    probing_close(&probing);
    tls_server_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certificate_must_be_the_servers_own_and_hold_on),
        cmocka_unit_test(test_one_that_has_ended_is_said_so),
        cmocka_unit_test(test_a_stranger_is_refused),
        cmocka_unit_test(test_who_takes_the_connection_and_is_silent_is_known),
        cmocka_unit_test(test_a_refused_port_is_refused),
        cmocka_unit_test(test_from_beside_a_host_the_name_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
