/* clients_mariadb_test.c - statements end once and by their right name, on a real MariaDB. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/clients/mariadb.h"
#include "../fakes/ended.h"
#include "../fakes/mariadb_process.h"
#include "../fakes/redis_process.h"
#include "../fakes/server.h"

static struct MariadbProcess mariadb;

struct Scene {
    struct Loop *loop;
    struct MariadbClient *client;
};

static struct MariadbClient *client_to(struct Loop *loop, uint16_t port, const char *secret)
{
    struct Err err;
    const struct Endpoint endpoint = {.host = "127.0.0.1",
                                      .port = port,
                                      .secret = secret,
                                      .dsn = "mariadb://drill@elsewhere/shop"};
    struct MariadbClient *client = mariadb_open(loop, &endpoint, &err);
    assert_non_null(client);
    return client;
}

static void begin(struct Scene *scene)
{
    scene->loop = loop_new();
    scene->client = client_to(scene->loop, mariadb.port, "sesame");
}

static void end(struct Scene *scene)
{
    mariadb_close(scene->client);
    loop_free(scene->loop);
}

static struct Call *ask(struct Scene *scene, const char *text, struct Ended *ended, int64_t ms)
{
    *ended = (struct Ended){.came = false};
    return mariadb_call(scene->client, text, in_ms(ms), keep_ended, ended);
}

static struct Ended reply_to(struct Scene *scene, const char *text)
{
    struct Ended ended;
    ask(scene, text, &ended, 20000);
    assert_false(ended.came);
    run_until(scene->loop, &ended.came);
    return ended;
}

static bool is_open(const struct Scene *scene)
{
    return client_connected((struct Client *)scene->client);
}

static void test_the_first_value_is_the_text(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended = reply_to(&scene, "select 6 * 7, 'x'");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, MARIADB_ROWS);
    assert_string_equal(ended.text, "42");
    assert_string_equal(ended.peer, "127.0.0.1");
    assert_true(is_open(&scene));
    assert_string_equal(reply_to(&scene, "select database()").text, "shop");
    assert_string_equal(reply_to(&scene, "select null").text, "");
    assert_string_equal(reply_to(&scene, "set @a = 1").text, "");
    assert_string_equal(reply_to(&scene, "select @a").text, "1");
    end(&scene);
}

static void see_rows(void *data, const struct Answer *answer)
{
    const struct MariadbRows *rows = mariadb_rows(answer);
    assert_int_equal(answer->code, MARIADB_ROWS);
    assert_int_equal(mariadb_row_count(rows), 2);
    assert_string_equal(mariadb_value(rows, 0, 0), "it's");
    assert_null(mariadb_value(rows, 0, 1));
    assert_string_equal(mariadb_value(rows, 1, 0), "");
    assert_string_equal(mariadb_named(rows, 1, "two"), "b");
    assert_null(mariadb_named(rows, 1, "three"));
    assert_null(mariadb_value(rows, 2, 0));
    assert_null(mariadb_value(rows, 0, 2));
    *(bool *)data = true;
}

static void test_rows_are_found_by_place_and_name(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    bool came = false;

    mariadb_call(scene.client, "select 'it''s' one, null two union all select '', 'b'",
                 in_ms(20000), see_rows, &came);
    run_until(scene.loop, &came);

    end(&scene);
}

static void test_an_error_is_an_answer_with_its_number(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended = reply_to(&scene, "select * from nothing");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, MARIADB_ERROR);
    assert_string_equal(ended.text, "1146: Table 'shop.nothing' doesn't exist");
    assert_true(is_open(&scene));
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&scene);
}

static void test_an_error_amid_the_rows_is_one(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended = reply_to(
        &scene, "select if(seq = 5000, (select 1 union select 2), seq) from seq_1_to_6000");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, MARIADB_ERROR);
    assert_true(text_starts(ended.text, "1242: "));
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&scene);
}

static void test_a_wrong_password_is_the_servers_answer(void **state)
{
    (void)state;
    struct Scene scene = {.loop = loop_new()};
    scene.client = client_to(scene.loop, mariadb.port, "wrong");

    struct Ended ended = reply_to(&scene, "select 1");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, MARIADB_ERROR);
    assert_true(text_starts(ended.text, "1045: Access denied for user 'drill'"));
    assert_false(is_open(&scene));
    end(&scene);
}

static void test_who_refuses_is_refused(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = refused_port(&port);
    struct Scene scene = {.loop = loop_new()};
    scene.client = client_to(scene.loop, port, NULL);

    struct Ended ended = reply_to(&scene, "select 1");

    assert_int_equal(ended.end, CALL_REFUSED);
    assert_int_equal(ended.connected.ns, 0);
    end(&scene);
    close(fd);
}

static void say(void *data, struct Link *link, const char *bytes, size_t size)
{
    const char *answer = data;
    (void)bytes;
    (void)size;
    if (answer != NULL && answer[0] == '\0')
        link_reset(link);
    else if (answer != NULL)
        link_send(link, answer);
}

static struct Ended from_a_server(const char *answer)
{
    struct Scene scene = {.loop = loop_new()};
    struct Server *server = server_new(scene.loop, say, (void *)(uintptr_t)answer);
    scene.client = client_to(scene.loop, server_port(server), NULL);
    struct Ended ended;
    ask(&scene, "select 1", &ended, answer == NULL ? 1000 : 20000);
    run_until(scene.loop, &ended.came);
    server_free(server);
    end(&scene);
    return ended;
}

static void test_silence_has_a_name(void **state)
{
    (void)state;

    struct Ended silent = from_a_server(NULL);

    assert_int_equal(silent.end, CALL_TIMEOUT);
    assert_true(silent.connected.ns != 0);
}

static void test_a_late_answer_is_none_and_takes_the_connection(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    struct Ended late;
    reply_to(&scene, "select 1");

    ask(&scene, "select sleep(60)", &late, 50);
    run_until(scene.loop, &late.came);

    assert_int_equal(late.end, CALL_TIMEOUT);
    assert_true(late.connected.ns != 0);
    assert_false(is_open(&scene));
    assert_string_equal(reply_to(&scene, "select 7").text, "7");
    end(&scene);
}

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

static void test_a_cancelled_call_never_ends_and_leaves_no_file(void **state)
{
    (void)state;
    struct Scene scene;
    struct Ended never;
    begin(&scene);
    reply_to(&scene, "select 1");
    int before = open_files();
    for (int n = 0; n < 20; n++) {
        struct Call *call = ask(&scene, "select sleep(60)", &never, 20000);
        for (int turn = 0; turn < n % 5; turn++) /* while it connects, logs in, waits */
            run_turn(scene.loop);
        call_cancel(call);
    }

    assert_string_equal(reply_to(&scene, "select 8").text, "8");

    assert_false(never.came);
    assert_int_equal(open_files(), before);
    end(&scene);
}

static void test_whoever_is_thrown_out_hears_of_it(void **state)
{
    (void)state;
    struct Scene scene, other;
    struct Ended ended;
    char text[100];
    begin(&scene);
    begin(&other);
    long id = strtol(reply_to(&scene, "select connection_id()").text, NULL, 10);
    ask(&scene, "select sleep(60)", &ended, 20000);
    run_turn(scene.loop);
    run_turn(scene.loop);
    snprintf(text, sizeof(text), "kill %ld", id);

    assert_int_equal(reply_to(&other, text).code, MARIADB_ROWS);
    run_until(scene.loop, &ended.came);

    assert_true(ended.end == CALL_RESET || ended.code == MARIADB_ERROR);
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&other);
    end(&scene);
}

static void test_a_reply_without_end_is_not_read(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    struct Ended ended = reply_to(&scene, "select repeat('x', 1000) from seq_1_to_100000");

    assert_int_equal(ended.end, CALL_PROTOCOL);
    assert_string_equal(reply_to(&scene, "select 1").text, "1");
    end(&scene);
}

static void close_it(void *data, const struct Answer *answer)
{
    struct Scene *scene = data;
    assert_int_equal(answer->end, CALL_ANSWERED);
    mariadb_close(scene->client);
    scene->client = NULL;
    loop_stop(scene->loop);
}

static void test_done_may_close_the_client(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);

    mariadb_call(scene.client, "select 1", in_ms(20000), close_it, &scene);
    loop_run(scene.loop);

    assert_null(scene.client);
    end(&scene);
}

static void test_a_dsn_names_one_host_and_no_password(void **state)
{
    (void)state;
    struct MariadbDsn said;

    assert_null(mariadb_dsn_fault("mariadb://drill@db.example.net:4006/shop", false, &said));
    assert_string_equal(said.user, "drill");
    assert_string_equal(said.host, "db.example.net");
    assert_string_equal(said.database, "shop");
    assert_int_equal(said.port, 4006);
    assert_null(mariadb_dsn_fault("mysql://[fd00::1]/shop", false, &said));
    assert_string_equal(said.host, "fd00::1");
    assert_int_equal(said.port, 3306);
    assert_null(mariadb_dsn_fault("mysql://drill@/shop", true, &said));
    assert_string_equal(said.host, "");
    assert_string_equal(mariadb_dsn_fault("mysql://drill@/shop", false, &said), "it names no host");
    assert_string_equal(mariadb_dsn_fault("postgresql://a/shop", false, &said),
                        "it begins with mariadb:// or mysql://");
    assert_string_equal(mariadb_dsn_fault("mysql://a,b/shop", false, &said),
                        "it names several hosts; name one, or the proxy before them");
    assert_string_equal(mariadb_dsn_fault("mysql://u:p@a/shop", false, &said),
                        "a password stands in it; give it as `password:`");
    assert_string_equal(mariadb_dsn_fault("mysql://a:0/shop", false, &said), "its port is none");
    assert_string_equal(mariadb_dsn_fault("mysql://a/shop?tls=1", false, &said),
                        "its database is none");
    assert_string_equal(mariadb_dsn_fault("mysql://a'b/shop", false, &said), "its host is none");
}

static int group_begin(void **state)
{
    (void)state;
    mariadb_process_start(&mariadb, 1, free_port_of_all(1), NULL);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    mariadb_process_end(&mariadb);
    return 0;
}

static void test_the_server_knows_the_end_itself(void **state)
{
    (void)state;
    struct Scene scene;
    begin(&scene);
    mariadb_until(scene.client, in_ms(300));

    struct Ended ended =
        reply_to(&scene, "select count(*) from seq_1_to_100000 a, seq_1_to_100000 b");

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_non_null(strstr(ended.text, "1969"));
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dsn_names_one_host_and_no_password),
        cmocka_unit_test(test_the_first_value_is_the_text),
        cmocka_unit_test(test_the_server_knows_the_end_itself),
        cmocka_unit_test(test_rows_are_found_by_place_and_name),
        cmocka_unit_test(test_an_error_is_an_answer_with_its_number),
        cmocka_unit_test(test_an_error_amid_the_rows_is_one),
        cmocka_unit_test(test_a_wrong_password_is_the_servers_answer),
        cmocka_unit_test(test_who_refuses_is_refused),
        cmocka_unit_test(test_silence_has_a_name),
        cmocka_unit_test(test_a_late_answer_is_none_and_takes_the_connection),
        cmocka_unit_test(test_a_cancelled_call_never_ends_and_leaves_no_file),
        cmocka_unit_test(test_whoever_is_thrown_out_hears_of_it),
        cmocka_unit_test(test_a_reply_without_end_is_not_read),
        cmocka_unit_test(test_done_may_close_the_client),
    };
    if (mariadb_process_missing()) {
        print_message("skip clients_mariadb: there is no MariaDB server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
