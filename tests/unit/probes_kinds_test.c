/* probes_kinds_test.c - every kind of probe ends each attempt once, whatever it meets. */
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

static const char environment[] = "environment: test\n"
                                  "roles:\n"
                                  "  redis:\n"
                                  "    hosts: {one: {address: 127.0.0.1}}\n"
                                  "    process: /usr/bin/redis-server\n"
                                  "    redis_sentinel: {master: shop, sentinels: [one], port: PORT,"
                                  " sentinel_port: PORT}\n";

static const char no_system[] =
    "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n";

/* For whatever must be answered: a slow turn of a busy machine is no silence. */
#define LONG_NS (20 * NS_PER_S)

/* Every kind, asked of one port. */
static const char *const kinds[] = {
    "{http: \"http://127.0.0.1:PORT/\"}",
    "{tcp: \"127.0.0.1:PORT\"}",
    "{redis: \"redis://127.0.0.1:PORT\"}",
    "{redis: redis}",
    "{primary: redis}",
    "{ledger: redis}",
};

static void open_all(struct Probing *probing, uint16_t port, int64_t timeout_ns)
{
    struct Err err;
    probing_open(probing);
    probing->port = port;
    probing_environment(probing, environment);
    for (size_t n = 0; n < COUNT_OF(kinds); n++)
        probing_add(probing, kinds[n], 50 * NS_PER_MS, timeout_ns);
    assert_true(probing_start(probing, &err));
}

static void take_some(struct Probing *probing)
{
    for (uint32_t n = 0; n < COUNT_OF(kinds); n++)
        probing_take(probing, n, 5);
}

/* Each sequence number once: the engine stops the program where an attempt ends twice. */
static void assert_each_once(const struct Probing *probing)
{
    for (uint32_t probe = 0; probe < COUNT_OF(kinds); probe++) {
        static unsigned char seen[PROBING_SAMPLES];
        memset(seen, 0, sizeof(seen));
        for (size_t n = 0; n < probing->count; n++)
            if (probing->samples[n].probe == probe)
                assert_int_equal(seen[probing->samples[n].sequence]++, 0);
    }
}

static void test_a_refused_port_fails_once(void **state)
{
    (void)state;
    static struct Probing probing;
    uint16_t port = 0;
    int fd = refused_port(&port);
    open_all(&probing, port, LONG_NS);

    take_some(&probing);
    prober_pause(probing.prober);

    assert_each_once(&probing);
    for (size_t n = 0; n < probing.count; n++) {
        const struct Sample *sample = &probing.samples[n];
        if (sample->outcome == OUTCOME_SKIPPED)
            continue;
        assert_int_equal(sample->outcome, OUTCOME_FAILED);
        assert_false(sample->connected);
        enum Failure wanted = sample->probe < 3    ? FAILURE_REFUSED
                              : sample->probe == 4 ? FAILURE_UNAVAILABLE
                                                   : FAILURE_UNRESOLVED;
        assert_int_equal(sample->failure, wanted);
        assert_int_equal(sample->writer > 0, sample->probe == 5); /* each write has its number */
    }
    assert_string_equal(probing.detail[3], "nobody says who is the primary");
    assert_string_equal(probing.detail[4], "no host answers");
    probing_close(&probing);
    close(fd);
}

static void be_silent(void *data, struct Link *link, const char *bytes, size_t size)
{
    (void)data;
    (void)link;
    (void)bytes;
    (void)size;
}

static void test_silence_is_a_timeout_that_knows_it_was_connected(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Loop *loop = loop_new(); /* not run: the kernel accepts, nobody answers */
    struct Server *server = server_new(loop, be_silent, NULL);
    uint16_t port = server_port(server);
    open_all(&probing, port, NS_PER_S); /* a busy machine connects within it, too */

    take_some(&probing);

    assert_each_once(&probing);
    for (size_t n = 0; n < probing.count; n++) {
        const struct Sample *sample = &probing.samples[n];
        if (sample->outcome == OUTCOME_SKIPPED)
            continue;
        if (sample->probe == 1) { /* tcp: that is what it cannot see */
            assert_int_equal(sample->outcome, OUTCOME_OK);
        } else if (sample->probe == 0 || sample->probe == 2) {
            assert_int_equal(sample->outcome, OUTCOME_TIMEOUT);
            assert_true(sample->connected);
        } else {
            assert_int_not_equal(sample->outcome, OUTCOME_OK);
        }
    }
    probing_close(&probing); /* with attempts under way */
    server_free(server);
    loop_free(loop);
}

static void reset(void *data, struct Link *link, const char *bytes, size_t size)
{
    (void)data;
    (void)bytes;
    if (size > 0)
        link_reset(link);
}

static void test_a_reset_is_a_reset(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, no_system);
    struct Server *server = server_new(probing.loop, reset, NULL);
    probing.port = server_port(server);
    probing_add(&probing, kinds[0], 10 * NS_PER_MS, LONG_NS);
    probing_add(&probing, kinds[2], 10 * NS_PER_MS, LONG_NS);
    assert_true(probing_start(&probing, &err));

    probing_take(&probing, 0, 3);
    probing_take(&probing, 1, 3);

    for (size_t n = 0; n < probing.count; n++)
        if (probing.samples[n].outcome != OUTCOME_SKIPPED) {
            assert_int_equal(probing.samples[n].failure, FAILURE_RESET);
            assert_true(probing.samples[n].connected);
        }
    prober_stop(probing.prober);
    probing.prober = NULL;
    server_free(server);
    probing_close(&probing);
}

struct Web {
    const char *reply;
};

static void serve(void *data, struct Link *link, const char *bytes, size_t size)
{
    if (size > 0 && strstr(bytes, LINK_NAMES) != NULL)
        link_send(link, "+OK\r\n");
    if (size > 0)
        link_send(link, ((const struct Web *)data)->reply);
}

/* The outcome of one probe text against one reply. */
static struct Sample ask(const char *probe, const char *reply, char detail[120])
{
    static struct Probing probing;
    struct Web web = {.reply = reply};
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, no_system);
    struct Server *server = server_new(probing.loop, serve, &web);
    probing.port = server_port(server);
    probing_add(&probing, probe, 10 * NS_PER_MS, LONG_NS);
    assert_true(probing_start(&probing, &err));
    probing_take(&probing, 0, 1);
    struct Sample sample = *probing_last(&probing, 0);
    if (detail != NULL)
        snprintf(detail, 120, "%s", probing.detail[0]);
    prober_stop(probing.prober);
    probing.prober = NULL;
    server_free(server);
    probing_close(&probing);
    return sample;
}

static void test_http_answers_are_judged(void **state)
{
    (void)state;
    static const char json[] = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
                               "{\"status\":\"ok\",\"n\":2.0,\"a\":[{\"b\":true}]}";
    static const struct {
        const char *probe, *reply;
        enum Failure failure;
        int code;
        const char *detail;
    } rows[] = {
        {"{http: \"http://127.0.0.1:PORT/\"}", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
         FAILURE_NONE, 200, ""},
        {"{http: \"http://127.0.0.1:PORT/\"}", "HTTP/1.1 204 OK\r\n\r\n", FAILURE_CONTENT, 204,
         "status 204"},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {status: [200, 204]}}", "HTTP/1.1 204 OK\r\n\r\n",
         FAILURE_NONE, 204, ""},
        {"{http: \"http://127.0.0.1:PORT/\"}", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
         FAILURE_UNAVAILABLE, 503, "status 503"},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {body: ready}}",
         "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot yet..", FAILURE_CONTENT, 200,
         "the body lacks \"ready\""},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {json: {status: ok, n: 2, a.0.b: true}}}", json,
         FAILURE_NONE, 200, ""},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {json: {status: down}}}", json, FAILURE_CONTENT,
         200, "status is ok instead of down"},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {json: {a.1.b: true}}}", json, FAILURE_CONTENT,
         200, "a.1.b is missing"},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {json: {a: 1}}}",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", FAILURE_CONTENT, 200,
         "the body is no JSON"},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char detail[120];
        struct Sample sample = ask(rows[n].probe, rows[n].reply, detail);
        assert_int_equal(sample.failure, rows[n].failure);
        assert_int_equal(sample.outcome,
                         rows[n].failure == FAILURE_NONE ? OUTCOME_OK : OUTCOME_FAILED);
        assert_int_equal(sample.code, rows[n].code);
        assert_string_equal(detail, rows[n].detail);
    }
}

/* What is expected may stand in the part that nobody read: no failure, and no success. */
static void test_a_body_that_is_cut_is_judged_by_what_was_read(void **state)
{
    (void)state;
    static const struct {
        const char *probe;
        enum Outcome outcome;
    } rows[] = {
        {"{http: \"http://127.0.0.1:PORT/\"}", OUTCOME_OK},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {body: begins}}", OUTCOME_OK},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {body: ends}}", OUTCOME_BROKEN},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {json: {a: 1}}}", OUTCOME_BROKEN},
        {"{http: \"http://127.0.0.1:PORT/\", ok: {status: 204, body: ends}}", OUTCOME_FAILED},
    };
    static char reply[100 * 1024];
    int head =
        snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\nbegins");
    memset(reply + head, 'x', 90000);
    memcpy(reply + head + 90000 - 10, "ends", 5);
    for (size_t n = 0; n < COUNT_OF(rows); n++)
        assert_int_equal(ask(rows[n].probe, reply, NULL).outcome, rows[n].outcome);
}

static void test_a_secret_is_taken_out_before_a_detail_is_cut(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Err err;
    char detail[120], reply[200];
    setenv("FD_TEST_TOKEN", "sesame-street-4711", 1);
    probing_open(&probing);
    probing_environment(&probing, "environment: test\nroles: {web: {hosts: [web-1], unit: a}}\n"
                                  "secrets: {token: {env: FD_TEST_TOKEN}}\n");
    assert_true(environment_unlock(probing.environment, NULL, &err));

    for (int before = 40; before < 110; before++) {
        snprintf(reply, sizeof(reply), "+%0*dsesame-street-4711\r\n", before, 0);
        (void)ask("{redis: \"redis://127.0.0.1:PORT\", ok: {value: yes}}", reply, detail);
        assert_null(strstr(detail, "sesame"));
    }
    probing_close(&probing);
}

static void test_redis_replies_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *probe, *reply;
        enum Failure failure;
        const char *detail;
    } rows[] = {
        {"{redis: \"redis://127.0.0.1:PORT\"}", "+PONG\r\n", FAILURE_NONE, ""},
        {"{redis: \"redis://127.0.0.1:PORT\", ok: {value: PONG}}", "+PONG\r\n", FAILURE_NONE, ""},
        {"{redis: \"redis://127.0.0.1:PORT\", command: \"GET shop:open\", ok: {value: yes}}",
         "$2\r\nno\r\n", FAILURE_CONTENT, "the reply is no"},
        {"{redis: \"redis://127.0.0.1:PORT\", ok: {value: yes}}", "$-1\r\n", FAILURE_CONTENT,
         "the reply is nil"},
        {"{redis: \"redis://127.0.0.1:PORT\"}", "-READONLY You can't write\r\n", FAILURE_READ_ONLY,
         "READONLY You can't write"},
        {"{redis: \"redis://127.0.0.1:PORT\"}", "-LOADING wait\r\n", FAILURE_UNAVAILABLE,
         "LOADING wait"},
        {"{redis: \"redis://127.0.0.1:PORT\"}", "-ERR no\r\n", FAILURE_OTHER, "ERR no"},
        {"{redis: \"redis://127.0.0.1:PORT\"}", "HTTP/1.1 400 Bad\r\n", FAILURE_OTHER,
         "no reply of a Redis server"},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char detail[120];
        struct Sample sample = ask(rows[n].probe, rows[n].reply, detail);
        assert_int_equal(sample.failure, rows[n].failure);
        assert_string_equal(detail, rows[n].detail);
    }
}

#define HTTP_200 "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define VECTOR(rows)                                                                               \
    HTTP_200 "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" rows "]}}"
#define SERIES(value) "{\"metric\":{},\"value\":[1700000000.5,\"" value "\"]}"

/* A server that says where its answer ends, by its length. */
static struct Sample ask_api(const char *probe, const char *reply, char detail[120])
{
    static char whole[8192];
    const char *body = strstr(reply, "\r\n\r\n") + 4;
    size_t head = strcspn(reply, "\r");
    snprintf(whole, sizeof(whole), "%.*s\r\nContent-Length: %zu\r\n\r\n%s", (int)head, reply,
             strlen(body), body);
    return ask(probe, whole, detail);
}

static void test_prometheus_answers_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *reply;
        enum Outcome outcome;
        const char *detail;
    } rows[] = {
        {"< 2", VECTOR(SERIES("1.5")), OUTCOME_OK, ""},
        {"< 2", VECTOR(SERIES("1.5") "," SERIES("2")), OUTCOME_FAILED, "2, not < 2"},
        {"<= 2", VECTOR(SERIES("2")), OUTCOME_OK, ""},
        {"2", VECTOR(SERIES("2.0")), OUTCOME_OK, ""},
        {"!= 2", VECTOR(SERIES("2")), OUTCOME_FAILED, "2, not != 2"},
        {">= -1e3", VECTOR(SERIES("-1000")), OUTCOME_OK, ""},
        {"> 0", VECTOR(SERIES("+Inf")), OUTCOME_OK, ""},
        {"< 2", VECTOR(SERIES("NaN")), OUTCOME_FAILED, "NaN, not < 2"},
        {"== 2", VECTOR(SERIES("NaN")), OUTCOME_FAILED, "NaN, not == 2"},
        {"< 2", VECTOR(""), OUTCOME_FAILED, "no data"},
        {"< 2",
         HTTP_200
         "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}}",
         OUTCOME_OK, ""},
        {"< 2",
         HTTP_200 "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
         OUTCOME_FAILED, "the answer is a matrix, not values of now"},
        {"< 2",
         "HTTP/1.1 400 "
         "Bad\r\n\r\n{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse\"}",
         OUTCOME_FAILED, "status 400: parse"},
        {"< 2", HTTP_200 "<html>", OUTCOME_FAILED, "status 200: no answer of a Prometheus"},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char probe[200], detail[120];
        snprintf(probe, sizeof(probe),
                 "{prometheus: up, at: \"http://127.0.0.1:PORT\", ok: {value: \"%s\"}}",
                 rows[n].wanted);
        struct Sample sample = ask_api(probe, rows[n].reply, detail);
        assert_string_equal(detail, rows[n].detail);
        assert_int_equal(sample.outcome, rows[n].outcome);
    }
}

/* Firing is the failure; who does not know is no witness either way. */
static void test_alerts_are_silent_or_fire_or_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        enum Outcome outcome;
        const char *detail;
    } rows[] = {
        {HTTP_200 "[]", OUTCOME_OK, ""},
        {HTTP_200 "[{\"fingerprint\":\"1f\",\"status\":{\"state\":\"active\",\"silencedBy\":[]}}]",
         OUTCOME_FAILED, "Lost fires"},
        {HTTP_200 "[{\"fingerprint\":\"1f\",\"status\":{\"silencedBy\":[\"ab-12\"]}}]",
         OUTCOME_FAILED, "Lost fires, silenced by ab-12"},
        {HTTP_200 "{\"a\":1}", OUTCOME_BROKEN, "status 200, and no list of alerts"},
        {"HTTP/1.1 500 No\r\n\r\n[]", OUTCOME_BROKEN, "status 500, and no list of alerts"},
        {"HTTP/1.1 404 No\r\n\r\n<html>", OUTCOME_BROKEN, "status 404, and no list of alerts"},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char detail[120];
        struct Sample sample =
            ask_api("{alert: Lost, labels: {env: \"a b\"}, at: \"http://127.0.0.1:PORT/am/\"}",
                    rows[n].reply, detail);
        assert_string_equal(detail, rows[n].detail);
        assert_int_equal(sample.outcome, rows[n].outcome);
    }
}

static void test_an_alertmanager_that_is_gone_is_no_answer(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, no_system);
    int fd = refused_port(&probing.port);
    probing_add(&probing, "{alert: Lost, at: \"http://127.0.0.1:PORT\"}", 10 * NS_PER_MS, LONG_NS);
    probing_add(&probing, "{prometheus: up, at: \"http://127.0.0.1:PORT\", ok: {value: \"1\"}}",
                10 * NS_PER_MS, LONG_NS);
    assert_true(probing_start(&probing, &err));

    probing_take(&probing, 0, 3);
    probing_take(&probing, 1, 3);

    for (size_t n = 0; n < probing.count; n++)
        if (probing.samples[n].outcome != OUTCOME_SKIPPED)
            assert_int_equal(probing.samples[n].outcome,
                             probing.samples[n].probe == 0 ? OUTCOME_BROKEN : OUTCOME_FAILED);
    probing_close(&probing);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_port_fails_once),
        cmocka_unit_test(test_silence_is_a_timeout_that_knows_it_was_connected),
        cmocka_unit_test(test_a_reset_is_a_reset),
        cmocka_unit_test(test_http_answers_are_judged),
        cmocka_unit_test(test_a_body_that_is_cut_is_judged_by_what_was_read),
        cmocka_unit_test(test_a_secret_is_taken_out_before_a_detail_is_cut),
        cmocka_unit_test(test_redis_replies_are_judged),
        cmocka_unit_test(test_prometheus_answers_are_judged),
        cmocka_unit_test(test_alerts_are_silent_or_fire_or_unknown),
        cmocka_unit_test(test_an_alertmanager_that_is_gone_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
