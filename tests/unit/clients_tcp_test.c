/* clients_tcp_test.c - connecting and resolving end once, in time and by their right name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/dns.h"
#include "../../runner/clients/tcp.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"

static void hear(void *data, struct Link *link, const char *bytes, size_t size)
{
    (void)link;
    (void)bytes;
    if (size == 0)
        *(bool *)data = true;
}

static void test_tcp_connects_and_leaves_by_reset(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    bool left = false;
    struct Server *server = server_new(loop, hear, &left);
    struct Endpoint endpoint = {.host = "127.0.0.1", .port = server_port(server)};
    struct Ended ended = {.came = false};

    tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &ended);
    assert_false(ended.came); /* never within the function that begins */
    run_until(loop, &ended.came);
    run_until(loop, &left);

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_string_equal(ended.peer, "127.0.0.1");
    assert_true(ended.connected.ns >= ended.started.ns);
    server_free(server);
    loop_free(loop);
}

/* What was sent and not yet taken does not come later, from a kernel that goes on sending it. */
static void test_who_is_killed_leaves_nothing_on_its_way(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    bool left = false;
    struct Server *server = server_new(loop, hear, &left);
    struct linger how = {.l_onoff = 0};
    socklen_t size = sizeof(how);
    enum CallEnd end;
    int code;

    int fd = tcp_connect("127.0.0.1", server_port(server), &end, &code);
    assert_true(fd >= 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &how, &size), 0);
    close(fd);

    assert_int_equal(how.l_onoff, 1);
    assert_int_equal(how.l_linger, 0);
    server_free(server);
    loop_free(loop);
}

static void test_a_refused_port_is_refused(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    struct Endpoint endpoint = {.host = "127.0.0.1"};
    int fd = refused_port(&endpoint.port);
    struct Ended ended = {.came = false};

    tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &ended);
    run_until(loop, &ended.came);

    assert_int_equal(ended.end, CALL_REFUSED);
    assert_int_equal(ended.code, ECONNREFUSED);
    assert_int_equal(ended.times, 1);
    close(fd);
    loop_free(loop);
}

static void test_a_name_is_resolved_and_its_addresses_tried(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    bool left = false;
    struct Server *server = server_new(loop, hear, &left); /* 127.0.0.1 only */
    struct Endpoint endpoint = {.host = "localhost", .port = server_port(server)};
    struct Ended ended = {.came = false};

    tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &ended);
    run_until(loop, &ended.came);

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_string_equal(ended.peer, "127.0.0.1");
    server_free(server);
    loop_free(loop);
}

static void test_a_cancelled_call_says_nothing(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    bool left = false;
    struct Server *server = server_new(loop, hear, &left);
    struct Endpoint endpoint = {.host = "127.0.0.1", .port = server_port(server)};
    struct Ended first = {.came = false}, second = {.came = false};

    call_cancel(tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &first));
    endpoint.host = "localhost";
    call_cancel(tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &first));
    tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &second);
    run_until(loop, &second.came);

    assert_false(first.came);
    server_free(server);
    loop_free(loop);
}

static void test_one_call_may_cancel_another_as_it_ends(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    struct Endpoint endpoint = {.host = "127.0.0.1"};
    int fd = refused_port(&endpoint.port);
    struct Ended first = {.came = false}, second = {.came = false};

    tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &first);
    first.also_cancel = tcp_call(loop, &endpoint, in_ms(20000), keep_ended, &second);
    run_until(loop, &first.came);
    run_turn(loop);

    assert_false(second.came);
    close(fd);
    loop_free(loop);
}

static void test_numbers_need_no_query_and_names_find_their_address(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    struct Err err;
    struct DnsClient *dns = dns_open(loop, &err);
    struct Ended number = {.came = false}, name = {.came = false}, late = {.came = false};

    dns_call(dns, "::1", in_ms(20000), keep_ended, &number);
    dns_call(dns, "localhost", in_ms(20000), keep_ended, &name);
    dns_call(dns, "localhost", in_ms(-1), keep_ended, &late);
    assert_false(number.came);
    run_until(loop, &number.came);
    run_until(loop, &name.came);
    run_until(loop, &late.came);

    assert_string_equal(number.text, "::1");
    assert_int_equal(name.end, CALL_ANSWERED);
    assert_true(address_is_numeric(name.text));
    dns_close(dns);
    loop_free(loop);
}

static void test_closing_cancels_what_is_under_way(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    struct Err err;
    struct DnsClient *dns = dns_open(loop, &err);
    struct Ended ended = {.came = false};
    dns_call(dns, "no-such-host.invalid", in_ms(20000), keep_ended, &ended);
    dns_call(dns, "127.0.0.1", in_ms(20000), keep_ended, &ended);

    dns_close(dns);
    run_turn(loop);

    assert_false(ended.came);
    loop_free(loop);
}

static void test_ends_of_connections_have_their_names(void **state)
{
    (void)state;
    assert_int_equal(tcp_end_of_errno(ECONNREFUSED), CALL_REFUSED);
    assert_int_equal(tcp_end_of_errno(EHOSTUNREACH), CALL_REFUSED);
    assert_int_equal(tcp_end_of_errno(ECONNRESET), CALL_RESET);
    assert_int_equal(tcp_end_of_errno(ETIMEDOUT), CALL_TIMEOUT);
    assert_int_equal(tcp_end_of_errno(EADDRNOTAVAIL), CALL_LOCAL);
    assert_int_equal(tcp_end_of_errno(EMFILE), CALL_LOCAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_connects_and_leaves_by_reset),
        cmocka_unit_test(test_who_is_killed_leaves_nothing_on_its_way),
        cmocka_unit_test(test_a_refused_port_is_refused),
        cmocka_unit_test(test_a_name_is_resolved_and_its_addresses_tried),
        cmocka_unit_test(test_a_cancelled_call_says_nothing),
        cmocka_unit_test(test_one_call_may_cancel_another_as_it_ends),
        cmocka_unit_test(test_numbers_need_no_query_and_names_find_their_address),
        cmocka_unit_test(test_closing_cancels_what_is_under_way),
        cmocka_unit_test(test_ends_of_connections_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
