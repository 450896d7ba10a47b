/* clients_postgres_test.c - statements end once and by their right name, on a real PostgreSQL. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/clients/postgres.h"
#include "../fakes/ended.h"
#include "../fakes/postgres_process.h"
#include "../fakes/server.h"

static struct PostgresProcess postgres;

struct Scene {
    struct Loop *loop;
    struct PostgresClient *client;
};

static struct PostgresClient *client_to(struct Loop *loop, uint16_t port, const char *secret)
{
    struct Err err;
    const struct Endpoint endpoint = {.host = "127.0.0.1",
                                      .port = port,
                                      .secret = secret,
                                      .dsn = "postgresql://drill@elsewhere/postgres"};
    struct PostgresClient *client = postgres_open(loop, &endpoint, &err);
    assert_non_null(client);
    return client;
}

static void begin(struct Scene *scene)
{
    scene->loop = loop_new();
    scene->client = client_to(scene->loop, postgres.port, "sesame");
}

static void end(struct Scene *scene)
{
    postgres_close(scene->client);
    loop_free(scene->loop);
}

static struct Call *ask(struct Scene *scene, const char *text, struct Ended *ended, int64_t ms)
{
    *ended = (struct Ended){.came = false};
    return postgres_call(scene->client, &(struct PostgresQuery){.text = text}, in_ms(ms),
                         keep_ended, ended);
}

static struct Ended reply_to(struct Scene *scene, const char *text)
{
    struct Ended ended;
    ask(scene, text, &ended, 20000);
    assert_false(ended.came);
    run_until(scene->loop, &ended.came);
    return ended;
}

static void test_the_first_value_is_the_text(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended = reply_to(&scene, "select 6 * 7, 'x'");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, POSTGRES_ROWS);
    assert_string_equal(ended.text, "42");
    assert_string_equal(ended.peer, "127.0.0.1");
    assert_true(client_connected((struct Client *)scene.client));
    assert_string_equal(reply_to(&scene, "select null").text, "");
    assert_string_equal(reply_to(&scene, "set work_mem = '1MB'").text, "");
    end(&scene);
}

static void see_rows(void *data, const struct Answer *answer)
{
    const struct PostgresRows *rows = postgres_rows(answer);
    assert_int_equal(answer->code, POSTGRES_ROWS);
    assert_int_equal(postgres_row_count(rows), 2);
    assert_string_equal(postgres_value(rows, 0, 0), "it's; drop");
    assert_null(postgres_value(rows, 0, 1));
    assert_string_equal(postgres_value(rows, 1, 0), "");
    assert_string_equal(postgres_value(rows, 1, 1), "b");
    assert_null(postgres_value(rows, 2, 0));
    assert_null(postgres_value(rows, 0, 2));
    *(bool *)data = true;
}

static void test_values_are_parameters_and_null_is_null(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    bool came = false;
    const char *const values[] = {"it's; drop", NULL, "", "b"};

    postgres_call(scene.client,
                  &(struct PostgresQuery){.text = "values ($1::text, $2::text), ($3, $4)",
                                          .values = values,
                                          .count = 4},
                  in_ms(20000), see_rows, &came);
    run_until(scene.loop, &came);

    end(&scene);
}

static void test_an_error_is_an_answer_with_its_state(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended = reply_to(&scene, "select 1 / 0");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, POSTGRES_ERROR);
    assert_string_equal(ended.text, "22012: division by zero");
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&scene);
}

static void test_a_wrong_password_is_the_servers_answer(void **state)
{
    (void)state;
    struct Scene scene = {.loop = loop_new()};
    scene.client = client_to(scene.loop, postgres.port, "wrong");

    struct Ended ended = reply_to(&scene, "select 1");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, POSTGRES_ERROR);
    assert_true(text_starts(ended.text, "28P01: password authentication failed"));
    end(&scene);
}

static void test_who_refuses_is_refused(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = refused_port(&port);
    struct Scene scene = {.loop = loop_new()};
    scene.client = client_to(scene.loop, port, NULL);
    struct Ended second;
    struct Ended first;

    ask(&scene, "select 1", &first, 20000);
    ask(&scene, "select 2", &second, 20000);
    run_until(scene.loop, &second.came);

    assert_int_equal(first.end, CALL_REFUSED);
    assert_int_equal(second.end, CALL_REFUSED);
    assert_int_equal(first.connected.ns, 0);
    end(&scene);
    close(fd);
}

static void say_nothing(void *data, struct Link *link, const char *bytes, size_t size)
{
    const char *answer = data;
    (void)bytes;
    if (size > 0 && answer != NULL && answer[0] == '\0')
        link_reset(link);
    else if (size > 0 && answer != NULL)
        link_send(link, answer);
}

static struct Ended from_a_server(const char *answer)
{
    struct Scene scene = {.loop = loop_new()};
    struct Server *server = server_new(scene.loop, say_nothing, (void *)(uintptr_t)answer);
    scene.client = client_to(scene.loop, server_port(server), NULL);
    struct Ended ended;
    ask(&scene, "select 1", &ended, answer == NULL ? 2000 : 20000);
    run_until(scene.loop, &ended.came);
    server_free(server);
    end(&scene);
    return ended;
}

static void test_silence_resets_and_rubbish_have_names(void **state)
{
    (void)state;

    struct Ended silent = from_a_server(NULL);
    struct Ended reset = from_a_server("");
    struct Ended rubbish = from_a_server("HTTP/1.0 400 Bad Request\r\n\r\n");

    assert_int_equal(silent.end, CALL_TIMEOUT);
    assert_true(silent.connected.ns != 0);
    assert_int_equal(reset.end, CALL_RESET);
    assert_int_equal(rubbish.end, CALL_PROTOCOL);
}

static void test_calls_end_in_their_order(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    struct Ended ended[3];
    ask(&scene, "select pg_sleep(0.05), 1", &ended[0], 20000);
    ask(&scene, "select 2", &ended[1], 20000);
    ask(&scene, "select 3", &ended[2], 20000);

    run_until(scene.loop, &ended[2].came);

    assert_true(ended[0].came && ended[1].came);
    assert_string_equal(ended[1].text, "2");
    assert_string_equal(ended[2].text, "3");
    assert_true(mono_before(ended[0].ended, ended[1].ended));
    end(&scene);
}

static void test_a_late_answer_is_none_and_takes_the_connection(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    struct Ended late, next;
    reply_to(&scene, "select 1");
    ask(&scene, "select pg_sleep(60)", &late, 50);
    ask(&scene, "select 7", &next, 20000);

    run_until(scene.loop, &next.came);

    assert_int_equal(late.end, CALL_TIMEOUT);
    assert_string_equal(next.text, "7");
    end(&scene);
}

static void test_a_cancelled_call_never_ends_and_leaves_no_watch(void **state)
{
    (void)state;
    struct Scene scene;
    struct Ended never, next;
    begin(&scene);
    call_cancel(ask(&scene, "select 1", &never, 20000)); /* while it connects */
    reply_to(&scene, "select 1");
    struct Call *call = ask(&scene, "select pg_sleep(60)", &never, 20000);
    ask(&scene, "select 8", &next, 20000);
    run_turn(scene.loop);

    call_cancel(call);
    run_until(scene.loop, &next.came);

    assert_false(never.came);
    assert_string_equal(next.text, "8");
    end(&scene);
}

static void test_whoever_is_thrown_out_hears_why(void **state)
{
    (void)state;
    struct Scene scene, other;
    struct Ended ended;
    char text[100];
    begin(&scene);
    begin(&other);
    int pid = (int)strtol(reply_to(&scene, "select pg_backend_pid()").text, NULL, 10);
    ask(&scene, "select pg_sleep(60)", &ended, 20000);
    run_turn(scene.loop);
    snprintf(text, sizeof(text),
             "select pg_terminate_backend(%d) from pg_stat_activity where pid = %d", pid, pid);

    assert_string_equal(reply_to(&other, text).text, "t");
    run_until(scene.loop, &ended.came);

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, POSTGRES_ERROR);
    assert_true(text_starts(ended.text, "57P01: "));
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&other);
    end(&scene);
}

static void test_a_reply_without_end_is_not_read(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended =
        reply_to(&scene, "select repeat('x', 1000) from generate_series(1, 100000)");

    assert_int_equal(ended.end, CALL_PROTOCOL);
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&scene);
}

static void close_it(void *data, const struct Answer *answer)
{
    struct Scene *scene = data;
    assert_int_equal(answer->end, CALL_ANSWERED);
    postgres_close(scene->client);
    scene->client = NULL;
    loop_stop(scene->loop);
}

static void test_done_may_close_the_client(void **state)
{
    (void)state;
    struct Scene scene;
    struct Ended never = {.came = false};
    begin(&scene);

    postgres_call(scene.client, &(struct PostgresQuery){.text = "select 1"}, in_ms(20000), close_it,
                  &scene);
    ask(&scene, "select 2", &never, 20000);
    loop_run(scene.loop);

    assert_null(scene.client);
    assert_false(never.came);
    end(&scene);
}

static void test_a_dsn_names_one_host_and_no_password(void **state)
{
    (void)state;
    char host[64];
    uint16_t port = 0;

    assert_null(postgres_dsn_fault("postgresql://drill@pg.example.net:5000/shop?sslmode=require",
                                   host, sizeof(host), &port));
    assert_string_equal(host, "pg.example.net");
    assert_int_equal(port, 5000);
    assert_null(postgres_dsn_fault("postgresql://pg/shop", host, sizeof(host), &port));
    assert_int_equal(port, 5432);
    assert_string_equal(postgres_dsn_fault("mysql://pg/shop", NULL, 0, &port),
                        "it begins with postgresql://");
    assert_string_equal(postgres_dsn_fault("postgresql:///shop", NULL, 0, &port),
                        "it names no host");
    assert_string_equal(postgres_dsn_fault("postgresql://a,b/shop", NULL, 0, &port),
                        "it names several hosts; name one, or the proxy before them");
    assert_string_equal(postgres_dsn_fault("postgresql://u:p@a/shop", NULL, 0, &port),
                        "a password stands in it; give it as `password:`");
    assert_string_equal(postgres_dsn_fault("postgresql://a/shop?nonsense=1", NULL, 0, &port),
                        "libpq cannot read it");
    assert_string_equal(postgres_dsn_fault("postgresql://a:0/shop", NULL, 0, &port),
                        "its port is none");
}

static int group_begin(void **state)
{
    (void)state;
    postgres_process_start(&postgres);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    postgres_process_end(&postgres);
    return 0;
}

static void test_the_server_knows_the_end_itself(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    postgres_until(scene.client, in_ms(300));

    struct Ended ended = reply_to(&scene, "select pg_sleep(15)");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_string_equal(ended.text, "57014: canceling statement due to statement timeout");
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dsn_names_one_host_and_no_password),
        cmocka_unit_test(test_the_first_value_is_the_text),
        cmocka_unit_test(test_the_server_knows_the_end_itself),
        cmocka_unit_test(test_values_are_parameters_and_null_is_null),
        cmocka_unit_test(test_an_error_is_an_answer_with_its_state),
        cmocka_unit_test(test_a_wrong_password_is_the_servers_answer),
        cmocka_unit_test(test_who_refuses_is_refused),
        cmocka_unit_test(test_silence_resets_and_rubbish_have_names),
        cmocka_unit_test(test_calls_end_in_their_order),
        cmocka_unit_test(test_a_late_answer_is_none_and_takes_the_connection),
        cmocka_unit_test(test_a_cancelled_call_never_ends_and_leaves_no_watch),
        cmocka_unit_test(test_whoever_is_thrown_out_hears_why),
        cmocka_unit_test(test_a_reply_without_end_is_not_read),
        cmocka_unit_test(test_done_may_close_the_client),
    };
    if (postgres_process_missing()) {
        print_message("skip clients_postgres: there is no PostgreSQL server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
