/* engine_only_if_test.c - the probes of the gate hold where each answers, and well. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/engine/only_if.h"
#include "../fakes/server.h"

#include <unistd.h>

#define HEAD(code, size) "HTTP/1.1 " code " X\r\nContent-Length: " size "\r\n\r\n"

struct Row {
    const char *text; /* of the second; NULL: silence */
    bool holds;
    const char *said;
};
static const struct Row ROWS[] = {
    {HEAD("200", "2") "[]", true, "errors, no_incident"},
    {HEAD("200", "3") "[1]", false, "no_incident: wrong content"},
    {HEAD("503", "2") "[]", false, "no_incident: unavailable"},
    {NULL, false, "no_incident: timeout"},
};

static void reply(void *data, struct Link *link, const char *bytes, size_t size)
{
    const struct Row *row = data;
    if (size == 0)
        return;
    if (strncmp(bytes, "GET /errors", 11) == 0)
        link_send(link, HEAD("200", "2") "ok");
    else if (row->text != NULL)
        link_send(link, row->text);
}

/* What must be answered is waited for: a busy machine is slow. */
static struct Case case_at(uint16_t port, const char *timeout)
{
    struct Buf text = BUF(4000);
    buf_printf(
        &text,
        "environment: staging\n"
        "roles: {api: {hosts: [a, b], unit: api.service}}\n"
        "endpoints: {api: \"http://10.0.0.1\"}\n"
        "gate: {only_if: {errors: {http: \"http://127.0.0.1:%u/errors\", every: 50ms, timeout: "
        "20s},\n"
        "  no_incident: {http: \"http://127.0.0.1:%u/\", every: 50ms, timeout: %s,\n"
        "    ok: {body: \"[]\"}}}}\n",
        (unsigned)port, (unsigned)port, timeout);
    struct Case c = good_case(text.text, DRILL);
    buf_free(&text);
    return c;
}

static void test_each_must_answer_and_well(void **state)
{
    (void)state;
    for (size_t at = 0; at < COUNT_OF(ROWS); at++) {
        struct Loop *loop = loop_new();
        struct Server *server = server_new(loop, reply, (void *)(uintptr_t)&ROWS[at]);
        struct Case c = case_at(server_port(server), ROWS[at].text != NULL ? "20s" : "300ms");
        char said[200];
        bool holds = only_if_holds_now(c.environment, loop, said);
        if (holds != ROWS[at].holds || strncmp(said, ROWS[at].said, strlen(ROWS[at].said)) != 0)
            fail_msg("row %zu: %d, %s", at, holds, said);
        server_free(server);
        loop_free(loop);
        case_close(&c);
    }
}

static void test_nobody_there_does_not_hold(void **state)
{
    (void)state;
    uint16_t port;
    int held = refused_port(&port);
    struct Loop *loop = loop_new();
    struct Case c = case_at(port, "20s");
    char said[200];
    assert_false(only_if_holds_now(c.environment, loop, said));
    assert_non_null(strstr(said, "refused"));
    loop_free(loop);
    case_close(&c);
    close(held);
}

/* It stays so: who drills where an incident was open a moment ago does not know that it is over. */
static void test_one_bad_answer_counts_whatever_comes_after(void **state)
{
    (void)state;
    struct Row row = ROWS[1];
    struct Err err;
    const char *said;
    struct Loop *loop = loop_new();
    struct Server *server = server_new(loop, reply, &row);
    struct Case c = case_at(server_port(server), "20s");
    struct OnlyIf *only_if = only_if_open(c.environment, &err);
    assert_non_null(only_if);
    assert_int_equal(only_if_holds(only_if, &said), KNOWN_UNKNOWN);
    struct Mono limit = mono_add(mono_now(), 20 * NS_PER_S);
    while (only_if_holds(only_if, &said) == KNOWN_UNKNOWN && mono_before(mono_now(), limit)) {
        run_turn(loop);
        only_if_tick(only_if, mono_now());
    }
    assert_int_equal(only_if_holds(only_if, &said), KNOWN_NO);
    int accepted = server_accepted(server);
    row = ROWS[0];
    while (server_accepted(server) < accepted + 6 && mono_before(mono_now(), limit)) {
        run_turn(loop);
        only_if_tick(only_if, mono_now());
    }
    assert_int_equal(only_if_holds(only_if, &said), KNOWN_NO);
    only_if_close(only_if);
    server_free(server);
    loop_free(loop);
    case_close(&c);
}

/* Silence beyond the interval, the timeout and two seconds, by a clock that runs ahead. */
static void test_no_answer_at_all_does_not_hold(void **state)
{
    (void)state;
    struct Err err;
    const char *said;
    struct Loop *loop = loop_new();
    struct Server *server = server_new(loop, reply, (void *)(uintptr_t)&ROWS[3]);
    struct Case c = case_at(server_port(server), "20s");
    struct OnlyIf *only_if = only_if_open(c.environment, &err);
    assert_non_null(only_if);
    only_if_tick(only_if, mono_add(mono_now(), 3600 * NS_PER_S));
    assert_int_equal(only_if_holds(only_if, &said), KNOWN_NO);
    assert_non_null(strstr(said, ": it was not answered"));
    only_if_close(only_if);
    server_free(server);
    loop_free(loop);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_must_answer_and_well),
        cmocka_unit_test(test_nobody_there_does_not_hold),
        cmocka_unit_test(test_one_bad_answer_counts_whatever_comes_after),
        cmocka_unit_test(test_no_answer_at_all_does_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
