/* clients_redis_test.c - Redis calls are answered in order, end once and by their right name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/redis.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"

struct Scene {
    struct Loop *loop;
    struct Server *server;
    struct RedisClient *client;
    const char *reply; /* to whatever comes; NULL: silence; "": reset */
    char asked[4096];
    bool heard, left;
    bool full; /* it lets nobody in */
};

static void answer(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Scene *scene = data;
    if (size == 0) {
        scene->left = true;
        return;
    }
    strncat(scene->asked, bytes, sizeof(scene->asked) - strlen(scene->asked) - 1);
    scene->heard = true;
    if (scene->reply != NULL && scene->reply[0] == '\0')
        link_reset(link);
    else if (scene->full)
        link_send(link, scene->reply);
    else if (scene->reply != NULL)
        link_send(link, link_named(link, scene->asked, scene->reply));
}

static void begin(struct Scene *scene, const char *reply, const char *secret)
{
    struct Err err;
    *scene = (struct Scene){.loop = loop_new(), .reply = reply};
    scene->server = server_new(scene->loop, answer, scene);
    struct Endpoint endpoint = {
        .host = "127.0.0.1", .port = server_port(scene->server), .secret = secret};
    scene->client = redis_open(scene->loop, &endpoint, &err);
    assert_non_null(scene->client);
}

static void end(struct Scene *scene)
{
    redis_close(scene->client);
    server_free(scene->server);
    loop_free(scene->loop);
}

static struct Call *ask(struct Scene *scene, const char *word, struct Ended *ended)
{
    const char *words[] = {word, NULL};
    *ended = (struct Ended){.came = false};
    return redis_call(scene->client, words, in_ms(20000), keep_ended, ended);
}

static struct Ended reply_to(struct Scene *scene, const char *word)
{
    struct Ended ended;
    ask(scene, word, &ended);
    assert_false(ended.came);
    run_until(scene->loop, &ended.came);
    return ended;
}

static void test_replies_come_as_text(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "+PONG\r\n", NULL);
    struct Ended ended = reply_to(&scene, "PING");
    assert_int_equal(ended.code, REDIS_VALUE);
    assert_string_equal(ended.text, "PONG");
    assert_string_equal(ended.peer, "127.0.0.1");
    assert_string_equal(scene.asked, "*1\r\n$4\r\nPING\r\n");
    scene.reply = ":17\r\n";
    assert_string_equal(reply_to(&scene, "INCR").text, "17");
    scene.reply = "$-1\r\n";
    assert_int_equal(reply_to(&scene, "GET").code, REDIS_NIL);
    scene.reply = "-READONLY You can't write\r\n";
    ended = reply_to(&scene, "SET");
    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, REDIS_ERROR);
    assert_string_equal(ended.text, "READONLY You can't write");
    assert_int_equal(server_accepted(scene.server), 1);
    end(&scene);
}

static void see_array(void *data, const struct Answer *answer_)
{
    assert_int_equal(answer_->code, REDIS_ARRAY);
    const struct RedisArray *array = redis_array(answer_);
    assert_int_equal(redis_count(array), 6);
    assert_string_equal(redis_item(array, 0), "name");
    assert_string_equal(redis_pair(array, "name"), "shop");
    assert_string_equal(redis_pair(array, "quorum"), "2");
    assert_null(redis_pair(array, "shop"));
    assert_string_equal(redis_item(array, 5), "");
    assert_string_equal(redis_item(array, 99), "");
    assert_null(redis_nested(array, 0));
    assert_string_equal(redis_item(redis_nested(array, 5), 1), "b");
    *(bool *)data = true;
}

static void test_arrays_are_read_by_index_and_by_name(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene,
          "*6\r\n$4\r\nname\r\n$4\r\nshop\r\n$6\r\nquorum\r\n:2\r\n$1\r\nx\r\n*2\r\n+a\r\n+b\r\n",
          NULL);
    bool came = false;
    const char *words[] = {"SENTINEL", "MASTER", "shop", NULL};

    redis_call(scene.client, words, in_ms(20000), see_array, &came);
    run_until(scene.loop, &came);

    end(&scene);
}

static void test_calls_are_answered_in_order(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "+1\r\n+2\r\n+3\r\n", NULL);
    struct Ended ended[3];
    for (int n = 0; n < 3; n++)
        ask(&scene, "GET", &ended[n]);

    run_until(scene.loop, &ended[2].came);

    assert_string_equal(ended[0].text, "1");
    assert_string_equal(ended[1].text, "2");
    assert_string_equal(ended[2].text, "3");
    end(&scene);
}

static void test_auth_goes_first_and_its_refusal_is_the_answer(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "-WRONGPASS no\r\n-NOAUTH Authentication required.\r\n", "secret-1");

    struct Ended ended = reply_to(&scene, "PING");

    assert_int_equal(ended.code, REDIS_ERROR);
    assert_string_equal(ended.text, "WRONGPASS no");
    assert_string_equal(scene.asked, "*2\r\n$4\r\nAUTH\r\n$8\r\nsecret-1\r\n*1\r\n$4\r\nPING\r\n");
    end(&scene);
}

static void test_who_is_not_let_in_is_told_why(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "-ERR max number of clients reached\r\n", NULL);
    scene.full = true;

    struct Ended ended = reply_to(&scene, "PING");

    assert_int_equal(ended.code, REDIS_ERROR);
    assert_string_equal(ended.text, "ERR max number of clients reached");
    end(&scene);
}

static void test_a_broken_connection_is_made_again_by_the_next_call(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "", NULL);
    struct Ended first, second;
    ask(&scene, "PING", &first);
    ask(&scene, "PING", &second);

    run_until(scene.loop, &second.came);
    assert_int_equal(first.end, CALL_RESET);
    assert_int_equal(second.end, CALL_RESET);
    assert_true(first.connected.ns > 0);
    assert_false(client_connected((struct Client *)scene.client));

    scene.reply = "+PONG\r\n";
    assert_int_equal(reply_to(&scene, "PING").end, CALL_ANSWERED);
    end(&scene);
}

static void test_failures_have_their_names(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "HTTP/1.1 400 Bad Request\r\n", NULL);
    assert_int_equal(reply_to(&scene, "PING").end, CALL_PROTOCOL);
    scene.reply = "*2000000000\r\n";
    assert_int_equal(reply_to(&scene, "PING").end, CALL_PROTOCOL);
    scene.reply = "*5000000\r\n";
    assert_int_equal(reply_to(&scene, "PING").end, CALL_PROTOCOL);

    struct Endpoint nobody = {.host = "127.0.0.1"};
    int fd = refused_port(&nobody.port);
    struct Client *client = (struct Client *)scene.client;
    struct Err err;
    assert_true(client_use(&client, &redis_client, scene.loop, &nobody, &err));
    struct Ended ended = reply_to(&scene, "PING");
    assert_int_equal(ended.end, CALL_REFUSED);
    assert_int_equal(ended.connected.ns, 0);
    close(fd);
    end(&scene);
}

/* What came late for the first must not be taken for the second's. */
static void test_a_reply_after_its_deadline_is_nobody_elses(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "+PONG\r\n", NULL);
    struct Ended first = {.came = false}, second;
    const char *words[] = {"GET", "a", NULL};
    (void)reply_to(&scene, "PING"); /* connected, however late a busy machine sees it */
    scene.reply = NULL;
    redis_call(scene.client, words, in_ms(20), keep_ended, &first);
    ask(&scene, "PING", &second);
    run_until(scene.loop, &first.came);
    assert_int_equal(first.end, CALL_TIMEOUT);
    assert_true(first.connected.ns > 0);
    assert_true(client_connected((struct Client *)scene.client)); /* the second waits on it */

    scene.reply = "+late\r\n+PONG\r\n+third\r\n";
    struct Ended third;
    ask(&scene, "ECHO", &third);
    run_until(scene.loop, &third.came);

    assert_string_equal(second.text, "PONG");
    assert_string_equal(third.text, "third");
    assert_int_equal(first.times, 1);
    end(&scene);
}

static void test_the_last_call_takes_the_connection_with_it(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, NULL, NULL);
    struct Ended first, second;
    struct Call *one = ask(&scene, "PING", &first);
    struct Call *two = ask(&scene, "PING", &second);
    run_until(scene.loop, &scene.heard);

    call_cancel(two);
    assert_true(client_connected((struct Client *)scene.client));
    call_cancel(one);
    assert_false(client_connected((struct Client *)scene.client));
    run_until(scene.loop, &scene.left);

    assert_false(first.came || second.came);
    end(&scene);
}

struct Closer {
    struct Scene *scene;
    bool came;
};

static void close_client(void *data, const struct Answer *given)
{
    struct Closer *closer = data;
    redis_close(closer->scene->client);
    closer->scene->client = NULL;
    assert_string_equal(given->bytes, "1"); /* still borrowed */
    closer->came = true;
}

static void test_the_client_may_be_closed_in_done(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "+1\r\n+2\r\n", NULL);
    struct Closer closer = {.scene = &scene};
    struct Ended second;
    const char *words[] = {"PING", NULL};
    redis_call(scene.client, words, in_ms(20000), close_client, &closer);
    ask(&scene, "PING", &second);

    run_until(scene.loop, &closer.came);
    run_turn(scene.loop);

    assert_false(second.came);
    end(&scene);
}

struct Again {
    struct Scene *scene;
    struct Ended ended;
};

static void disconnect_and_ask(void *data, const struct Answer *given)
{
    (void)given;
    struct Again *again = data;
    client_disconnect((struct Client *)again->scene->client);
    ask(again->scene, "PING", &again->ended);
}

static void test_a_connection_may_be_changed_in_done(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene, "+PONG\r\n", NULL);
    struct Again again = {.scene = &scene};
    const char *words[] = {"PING", NULL};
    redis_call(scene.client, words, in_ms(20000), disconnect_and_ask, &again);

    run_until(scene.loop, &again.ended.came);

    assert_int_equal(again.ended.end, CALL_ANSWERED);
    assert_int_equal(server_accepted(scene.server), 2);
    end(&scene);
}

static void test_info_is_read_by_name(void **state)
{
    (void)state;
    char out[8];
    const char *info = "# Replication\r\nrole:master\r\nmaster_replid:abcdefghijk\r\nempty:\r\n";
    assert_true(redis_info(info, "role", out, sizeof(out)));
    assert_string_equal(out, "master");
    assert_true(redis_info(info, "master_replid", out, sizeof(out)));
    assert_string_equal(out, "abcdefg");
    assert_true(redis_info(info, "empty", out, sizeof(out)));
    assert_string_equal(out, "");
    assert_false(redis_info(info, "replid", out, sizeof(out)));
    assert_false(redis_info("", "role", out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_come_as_text),
        cmocka_unit_test(test_arrays_are_read_by_index_and_by_name),
        cmocka_unit_test(test_calls_are_answered_in_order),
        cmocka_unit_test(test_auth_goes_first_and_its_refusal_is_the_answer),
        cmocka_unit_test(test_who_is_not_let_in_is_told_why),
        cmocka_unit_test(test_a_broken_connection_is_made_again_by_the_next_call),
        cmocka_unit_test(test_failures_have_their_names),
        cmocka_unit_test(test_a_reply_after_its_deadline_is_nobody_elses),
        cmocka_unit_test(test_the_last_call_takes_the_connection_with_it),
        cmocka_unit_test(test_the_client_may_be_closed_in_done),
        cmocka_unit_test(test_a_connection_may_be_changed_in_done),
        cmocka_unit_test(test_info_is_read_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
