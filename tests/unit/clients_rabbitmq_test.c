/* clients_rabbitmq_test.c - messages to a queue, confirmed or not, and all of them back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/rabbitmq.h"
#include "../../runner/clients/rabbitmq_wire.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"

enum Mood { CONFIRMS, REFUSES_LOGIN, NACKS, RETURNS, CLOSES, SILENT, RAVES, CLOSES_CHANNEL };
enum { MESSAGES_MAX = 8 };

struct Scene {
    struct Loop *loop;
    struct Server *server;
    struct RabbitmqClient *client;
    struct Wire *wire; /* of the link now open */
    enum Mood mood;
    const char *queue[MESSAGES_MAX]; /* "": taken out */
    size_t count, next, given_back;
    uint32_t given, held; /* on this link; looks at which others hold messages */
    bool eats_even, hides, lies;
    char login[80], published[200], seen[200];
};

/* ---- the server ---- */

static void tell(struct Link *link, uint16_t channel, amqp_method_number_t id, void *method)
{
    struct Buf out = BUF(WIRE_OUT_MAX);
    assert_true(wire_put_method(&out, channel, id, method));
    link_send_bytes(link, out.text, out.size);
    buf_free(&out);
}

static void greet(struct Scene *s, struct Link *link)
{
    amqp_connection_start_t start = {.version_minor = 9,
                                     .mechanisms = amqp_cstring_bytes("PLAIN AMQPLAIN"),
                                     .locales = amqp_cstring_bytes("en_US")};
    wire_free(s->wire);
    s->wire = wire_new();
    s->next = s->given = 0;
    tell(link, 0, AMQP_CONNECTION_START_METHOD, &start);
}

static void give(struct Scene *s, struct Link *link)
{
    amqp_basic_get_empty_t empty = {.cluster_id = {.len = 0}};
    while (s->next < s->count && s->queue[s->next][0] == '\0')
        s->next++;
    if (s->next == s->count) {
        tell(link, 1, AMQP_BASIC_GET_EMPTY_METHOD, &empty);
        return;
    }
    struct Buf out = BUF(WIRE_OUT_MAX);
    amqp_basic_get_ok_t ok = {.delivery_tag = ++s->next};
    s->given++;
    tell(link, 1, AMQP_BASIC_GET_OK_METHOD, &ok);
    assert_true(wire_put_message(&out, 1, s->queue[s->next - 1], "1"));
    for (size_t n = 0; n < out.size; n += 5) /* as a network may */
        link_send_bytes(link, out.text + n, out.size - n < 5 ? out.size - n : 5);
    buf_free(&out);
}

static void confirm(struct Scene *s, struct Link *link)
{
    amqp_basic_ack_t ack = {.delivery_tag = 1};
    amqp_basic_nack_t nack = {.delivery_tag = 1};
    amqp_basic_return_t comes_back = {.reply_code = 312,
                                      .reply_text = amqp_cstring_bytes("NO_ROUTE")};
    amqp_connection_close_t closes = {.reply_code = 320,
                                      .reply_text = amqp_cstring_bytes("CONNECTION_FORCED")};
    struct Buf out = BUF(WIRE_OUT_MAX);
    if (s->mood == RETURNS) {
        tell(link, 1, AMQP_BASIC_RETURN_METHOD, &comes_back);
        assert_true(wire_put_message(&out, 1, "it", "1"));
        link_send_bytes(link, out.text, out.size);
    }
    if (s->mood == CLOSES)
        tell(link, 0, AMQP_CONNECTION_CLOSE_METHOD, &closes);
    else if (s->mood == CLOSES_CHANNEL)
        tell(link, 1, AMQP_CHANNEL_CLOSE_METHOD, &closes);
    else if (s->mood == NACKS)
        tell(link, 1, AMQP_BASIC_NACK_METHOD, &nack);
    else if (s->mood == RAVES)
        link_send(link, "HTTP/1.1 400 Bad Request\r\n\r\n");
    else if (s->mood != SILENT)
        tell(link, 1, AMQP_BASIC_ACK_METHOD, &ack);
    buf_free(&out);
}

static void let_in(struct Scene *s, struct Link *link, const amqp_method_t *method)
{
    const amqp_connection_start_ok_t *said = method->decoded;
    amqp_connection_tune_t tune = {.channel_max = 7, .frame_max = 131072, .heartbeat = 60};
    amqp_connection_close_t refuses = {.reply_code = 403,
                                       .reply_text = amqp_cstring_bytes("ACCESS_REFUSED")};
    for (size_t n = 0; n < said->response.len && n + 1 < sizeof(s->login); n++) {
        char one = ((const char *)said->response.bytes)[n];
        s->login[n] = one == '\0' ? ':' : one;
    }
    if (s->mood == REFUSES_LOGIN)
        tell(link, 0, AMQP_CONNECTION_CLOSE_METHOD, &refuses);
    else
        tell(link, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
}

static void hear(struct Scene *s, struct Link *link, const amqp_method_t *method)
{
    amqp_connection_open_ok_t open = {.known_hosts = {.len = 0}};
    amqp_channel_open_ok_t channel = {.channel_id = {.len = 0}};
    amqp_confirm_select_ok_t select = {0};
    amqp_basic_recover_ok_t recovered = {0};
    amqp_queue_declare_ok_t look = {.queue = amqp_cstring_bytes("drills"),
                                    .message_count = s->hides ? 0 : (uint32_t)s->count,
                                    .consumer_count = s->held > 0 ? 1
                                                      : s->lies   ? 0
                                                                  : s->given};
    switch (method->id) {
    case AMQP_CONNECTION_START_OK_METHOD:
        let_in(s, link, method);
        return;
    case AMQP_CONNECTION_OPEN_METHOD:
        tell(link, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &open);
        return;
    case AMQP_CHANNEL_OPEN_METHOD:
        tell(link, 1, AMQP_CHANNEL_OPEN_OK_METHOD, &channel);
        return;
    case AMQP_CONFIRM_SELECT_METHOD:
        tell(link, 1, AMQP_CONFIRM_SELECT_OK_METHOD, &select);
        return;
    case AMQP_QUEUE_DECLARE_METHOD:
        s->held -= s->held > 0 ? 1 : 0;
        tell(link, 1, AMQP_QUEUE_DECLARE_OK_METHOD, &look);
        return;
    case AMQP_BASIC_GET_METHOD:
        give(s, link);
        return;
    case AMQP_BASIC_ACK_METHOD:
        s->queue[((amqp_basic_ack_t *)method->decoded)->delivery_tag - 1] = "";
        return;
    case AMQP_BASIC_RECOVER_METHOD:
        s->given_back++;
        tell(link, 1, AMQP_BASIC_RECOVER_OK_METHOD, &recovered);
        return;
    default:
        return;
    }
}

static void answer(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Scene *s = data;
    if (size == 0)
        return;
    if (size >= 8 && memcmp(bytes, "AMQP\0\0\x09\x01", 8) == 0) {
        greet(s, link);
        return;
    }
    amqp_frame_t frame;
    while (wire_next(s->wire, &bytes, &size, &frame) == WIRE_FRAME) {
        if (frame.frame_type == AMQP_FRAME_METHOD)
            hear(s, link, &frame.payload.method);
        if (frame.frame_type != AMQP_FRAME_BODY)
            continue;
        snprintf(s->published, sizeof(s->published), "%.*s", (int)frame.payload.body_fragment.len,
                 (const char *)frame.payload.body_fragment.bytes);
        confirm(s, link);
    }
}

/* ---- the client ---- */

static int begin(void **state)
{
    static struct Scene scene;
    struct Err err;
    scene = (struct Scene){.loop = loop_new(), .queue = {"one", "two", "three"}, .count = 3};
    scene.server = server_new(scene.loop, answer, &scene);
    struct Endpoint endpoint = {.host = "127.0.0.1",
                                .port = server_port(scene.server),
                                .user = "drill",
                                .secret = "secret-1",
                                .dsn = "shop"};
    scene.client = rabbitmq_open(scene.loop, &endpoint, &err);
    assert_non_null(scene.client);
    *state = &scene;
    return 0;
}

static int end(void **state)
{
    struct Scene *s = *state;
    rabbitmq_close(s->client);
    server_free(s->server);
    wire_free(s->wire);
    loop_free(s->loop);
    return 0;
}

static struct Ended publish(struct Scene *s, int64_t ms)
{
    struct Ended ended = {.came = false};
    rabbitmq_publish(s->client, "drills", "faildrill 1", in_ms(ms), keep_ended, &ended);
    assert_false(ended.came);
    run_until(s->loop, &ended.came);
    return ended;
}

/* What take and done are given. */
struct Reading {
    struct Ended ended; /* first */
    struct Scene *scene;
    int number;
};

static bool take(void *data, const char *body)
{
    struct Reading *reading = data;
    char *seen = reading->scene->seen;
    snprintf(seen + strlen(seen), sizeof(reading->scene->seen) - strlen(seen), "%s,", body);
    return reading->scene->eats_even && ++reading->number % 2 == 0;
}

static struct Ended read_all(struct Scene *s, int64_t ms)
{
    struct Reading reading = {.scene = s};
    s->seen[0] = '\0';
    rabbitmq_read(s->client, "drills", take, in_ms(ms), keep_ended, &reading);
    run_until(s->loop, &reading.ended.came);
    return reading.ended;
}

static void test_a_message_is_confirmed_on_a_connection_that_stays(void **state)
{
    struct Scene *s = *state;
    struct Ended ended = publish(s, 20000);
    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, RABBITMQ_DONE);
    assert_string_equal(ended.peer, "127.0.0.1");
    assert_string_equal(s->login, ":drill:secret-1");
    assert_string_equal(s->published, "faildrill 1");
    assert_true(client_connected((struct Client *)s->client));
    assert_int_equal(publish(s, 20000).code, RABBITMQ_DONE);
    assert_int_equal(server_accepted(s->server), 1);
}

static void test_what_is_not_confirmed_is_told_apart(void **state)
{
    struct Scene *s = *state;
    s->mood = REFUSES_LOGIN;
    struct Ended ended = publish(s, 20000);
    assert_int_equal(ended.code, RABBITMQ_REFUSED);
    assert_string_equal(ended.text, "403 ACCESS_REFUSED");
    s->mood = NACKS;
    assert_int_equal(publish(s, 20000).code, RABBITMQ_NACKED);
    s->mood = RETURNS;
    assert_int_equal(publish(s, 20000).code, RABBITMQ_NOWHERE);
    s->mood = CLOSES;
    ended = publish(s, 20000);
    assert_int_equal(ended.code, RABBITMQ_CLOSED);
    assert_string_equal(ended.text, "320 CONNECTION_FORCED");
    assert_false(client_connected((struct Client *)s->client));
    s->mood = CLOSES_CHANNEL;
    assert_int_equal(publish(s, 20000).code, RABBITMQ_CLOSED);
    s->mood = RAVES;
    assert_int_equal(publish(s, 20000).end, CALL_PROTOCOL);
    s->mood = SILENT;
    assert_int_equal(publish(s, 300).end, CALL_TIMEOUT);
    assert_false(client_connected((struct Client *)s->client));
    s->mood = CONFIRMS;
    assert_int_equal(publish(s, 20000).code, RABBITMQ_DONE);
}

static void test_all_messages_are_read_and_given_back(void **state)
{
    struct Scene *s = *state;
    struct Ended ended = read_all(s, 20000);
    assert_int_equal(ended.code, RABBITMQ_DONE);
    assert_string_equal(s->seen, "one,two,three,");
    assert_int_equal(s->given_back, 1);
    assert_false(client_connected((struct Client *)s->client));
    s->eats_even = true;
    assert_int_equal(read_all(s, 20000).code, RABBITMQ_DONE);
    assert_string_equal(s->queue[1], "");
    s->eats_even = false;
    assert_int_equal(read_all(s, 20000).code, RABBITMQ_DONE);
    assert_string_equal(s->seen, "one,three,");
}

static void test_what_others_hold_is_waited_for(void **state)
{
    struct Scene *s = *state;
    s->held = 3;
    assert_int_equal(read_all(s, 20000).code, RABBITMQ_DONE);
    assert_string_equal(s->seen, "one,two,three,");
    s->held = 1000;
    assert_int_equal(read_all(s, 500).end, CALL_TIMEOUT);
    assert_string_equal(s->seen, "");
}

static void test_who_hides_what_it_has_may_hide_who_holds_it(void **state)
{
    struct Scene *s = *state;
    s->hides = true;
    assert_int_equal(read_all(s, 500).end, CALL_TIMEOUT);
    assert_string_equal(s->seen, "");
    s->hides = false;
    s->lies = true;
    assert_int_equal(read_all(s, 20000).code, RABBITMQ_UNSURE);
    assert_string_equal(s->seen, "one,two,three,");
    assert_int_equal(s->given_back, 1);
}

static void test_who_is_not_there_refuses(void **state)
{
    struct Scene *s = *state;
    struct Endpoint nobody = {.host = "127.0.0.1"};
    int fd = refused_port(&nobody.port);
    struct Client *client = (struct Client *)s->client;
    struct Err err;
    assert_true(client_use(&client, &rabbitmq_client, s->loop, &nobody, &err));
    assert_int_equal(publish(s, 20000).end, CALL_REFUSED);
    close(fd);
}

static void test_a_call_that_is_cancelled_takes_its_connection_with_it(void **state)
{
    struct Scene *s = *state;
    struct Ended ended = {.came = false};
    s->mood = SILENT;
    struct Call *call =
        rabbitmq_publish(s->client, "drills", "x", in_ms(20000), keep_ended, &ended);
    run_turn(s->loop);
    call_cancel(call);
    s->mood = CONFIRMS;
    assert_int_equal(publish(s, 20000).code, RABBITMQ_DONE);
    assert_false(ended.came);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        SCENE(test_a_message_is_confirmed_on_a_connection_that_stays),
        SCENE(test_what_is_not_confirmed_is_told_apart),
        SCENE(test_all_messages_are_read_and_given_back),
        SCENE(test_what_others_hold_is_waited_for),
        SCENE(test_who_hides_what_it_has_may_hide_who_holds_it),
        SCENE(test_who_is_not_there_refuses),
        SCENE(test_a_call_that_is_cancelled_takes_its_connection_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
