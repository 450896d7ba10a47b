/* clients_http_test.c - HTTP calls end once, in time and by their right name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/http.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"

struct Scene {
    struct Loop *loop;
    struct Server *server;
    struct HttpClient *client;
    const char *reply; /* NULL: stays silent; "": resets */
    char asked[4096], url[128];
    bool heard;
};

static void reply(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Scene *scene = data;
    if (size == 0)
        return;
    snprintf(scene->asked, sizeof(scene->asked), "%s", bytes);
    scene->heard = true;
    if (scene->reply != NULL && scene->reply[0] == '\0')
        link_reset(link);
    else if (scene->reply != NULL)
        link_send(link, scene->reply);
}

static struct Scene begin(const char *text)
{
    struct Err err;
    struct Scene scene = {.loop = loop_new(), .reply = text};
    scene.client = http_open(scene.loop, &err);
    assert_non_null(scene.client);
    return scene;
}

static void serve(struct Scene *scene, const char *host)
{
    scene->server = server_new(scene->loop, reply, scene);
    snprintf(scene->url, sizeof(scene->url), "http://%s:%u/healthz", host,
             (unsigned)server_port(scene->server));
}

static void end(struct Scene *scene)
{
    http_close(scene->client);
    server_free(scene->server);
    loop_free(scene->loop);
}

static struct Ended get(struct Scene *scene, bool keep)
{
    struct Ended ended = {.came = false};
    struct HttpRequest request = {.url = scene->url, .keep = keep};
    http_call(scene->client, &request, in_ms(20000), keep_ended, &ended);
    assert_false(ended.came);
    run_until(scene->loop, &ended.came);
    return ended;
}

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void test_an_answer_has_status_body_and_times(void **state)
{
    (void)state;
    struct Scene scene = begin(ok);
    serve(&scene, "127.0.0.1");

    struct Ended ended = get(&scene, false);

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, 200);
    assert_string_equal(ended.text, "ok");
    assert_string_equal(ended.peer, "127.0.0.1");
    assert_true(ended.connected.ns > ended.started.ns);
    assert_true(ended.first_byte.ns >= ended.connected.ns);
    assert_true(ended.ended.ns >= ended.first_byte.ns);
    assert_non_null(strstr(scene.asked, "GET /healthz HTTP/1.1\r\n"));
    end(&scene);
}

static void test_each_call_has_its_connection_unless_kept(void **state)
{
    (void)state;
    struct Scene scene = begin(ok);
    serve(&scene, "localhost"); /* a name: kept connections need no second look */

    for (int n = 0; n < 3; n++)
        assert_int_equal(get(&scene, false).code, 200);
    assert_int_equal(server_accepted(scene.server), 3);
    for (int n = 0; n < 3; n++)
        assert_int_equal(get(&scene, true).code, 200);
    assert_int_equal(server_accepted(scene.server), 4);
    end(&scene);
}

static void test_a_kept_name_is_resolved_again_for_a_new_connection(void **state)
{
    (void)state;
    struct Scene scene = begin("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    serve(&scene, "localhost");

    assert_int_equal(get(&scene, true).code, 200);
    assert_int_equal(get(&scene, true).code, 200);
    assert_int_equal(server_accepted(scene.server), 2);
    end(&scene);
}

static void test_method_headers_and_body_are_sent(void **state)
{
    (void)state;
    struct Scene scene = begin(ok);
    serve(&scene, "127.0.0.1");
    struct TextPair headers[] = {{.name = "X-Drill", .value = "yes"},
                                 {.name = "X-Empty", .value = ""}};
    struct HttpRequest request = {.url = scene.url,
                                  .method = "PUT",
                                  .body = "{\"a\": 1}",
                                  .headers = headers,
                                  .header_count = COUNT_OF(headers)};
    struct Ended ended = {.came = false};

    http_call(scene.client, &request, in_ms(20000), keep_ended, &ended);
    run_until(scene.loop, &ended.came);

    assert_non_null(strstr(scene.asked, "PUT /healthz HTTP/1.1\r\n"));
    assert_non_null(strstr(scene.asked, "X-Drill: yes\r\n"));
    assert_non_null(strstr(scene.asked, "X-Empty:\r\n"));
    assert_null(strstr(scene.asked, "Expect:"));
    assert_non_null(strstr(scene.asked, "\r\n\r\n{\"a\": 1}"));
    end(&scene);
}

/* Of AWS' published test suite of signatures: each with its name there. */
static const struct {
    const char *name, *method, *body, *header, *value, *token, *signature;
} vectors[] = {
    {.name = "get-vanilla",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "post-vanilla",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-x-www-form-urlencoded",
     .method = "POST",
     .body = "Param1=value1",
     .header = "Content-Type",
     .value = "application/x-www-form-urlencoded",
     .signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {.name = "post-header-key-sort",
     .method = "POST",
     .header = "My-Header1",
     .value = "value1",
     .signature = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {.name = "post-sts-header-before",
     .method = "POST",
     .token =
         "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRX"
         "mxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsbur"
         "EDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPP"
         "kUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
     .signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
};

static void test_a_signature_is_that_of_the_published_vectors(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT_OF(vectors); n++) {
        struct Scene scene = begin(ok);
        struct AwsSigv4 signing = {.region = "us-east-1",
                                   .service = "service",
                                   .access_key_id = "AKIDEXAMPLE",
                                   .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                   .session_token = vectors[n].token};
        struct TextPair headers[] = {{.name = "Host", .value = "example.amazonaws.com"},
                                     {.name = "X-Amz-Date", .value = "20150830T123600Z"},
                                     {.name = vectors[n].header, .value = vectors[n].value}};
        struct Ended ended = {.came = false};
        char signature[80];
        serve(&scene, "127.0.0.1");
        *strstr(scene.url, "healthz") = '\0';
        struct HttpRequest request = {.url = scene.url,
                                      .method = vectors[n].method,
                                      .body = vectors[n].body,
                                      .headers = headers,
                                      .header_count = vectors[n].header != NULL ? 3 : 2,
                                      .signing = &signing};
        http_call(scene.client, &request, in_ms(20000), keep_ended, &ended);
        run_until(scene.loop, &ended.came);

        snprintf(signature, sizeof(signature), "Signature=%s\r\n", vectors[n].signature);
        if (strstr(scene.asked, signature) == NULL)
            fail_msg("%s: %s", vectors[n].name, scene.asked);
        assert_null(strstr(scene.asked, "wJalr"));
        end(&scene);
    }
}

static void test_what_cannot_be_signed_is_known(void **state)
{
    (void)state;
    static const char *const good[] = {"https://rds.eu-west-1.amazonaws.com",
                                       "https://rds.eu-west-1.amazonaws.com/",
                                       "HTTPS://rds.eu-west-1.amazonaws.com/",
                                       "http://localhost:4566/",
                                       "http://127.0.0.1:8080",
                                       "http://[::1]:8080/v1/a-b_c.d~e"};
    static const char *const bad[] = {"https://h/?b=1&a=2", "https://h?a=1",
                                      "https://h/a%20b",    "https://h/a:b",
                                      "https://h//a",       "https://h/a/../b",
                                      "https://u:p@h/",     "http://rds.eu-west-1.amazonaws.com/",
                                      "http://10.0.0.1/",   "http://127.0.0.1.example.net/",
                                      "http://[::2]/",      "http://localhost.example.net/"};
    for (size_t n = 0; n < COUNT_OF(good); n++)
        assert_null(http_signing_fault(good[n]));
    for (size_t n = 0; n < COUNT_OF(bad); n++)
        assert_non_null(http_signing_fault(bad[n]));
}

/* Else libcurl would send both as name and password. */
static void test_no_key_is_sent_where_nothing_signs(void **state)
{
    (void)state;
    static char region[200];
    memset(region, 'a', sizeof(region) - 1);
    struct Scene scene = begin(ok);
    struct AwsSigv4 signing = {.region = region,
                               .service = "service",
                               .access_key_id = "AKIDEXAMPLE",
                               .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
    struct Ended ended = {.came = false};
    serve(&scene, "127.0.0.1");
    struct HttpRequest request = {.url = scene.url, .signing = &signing};
    http_call(scene.client, &request, in_ms(20000), keep_ended, &ended);
    run_until(scene.loop, &ended.came);

    assert_int_equal(ended.end, CALL_LOCAL);
    assert_int_equal(server_accepted(scene.server), 0);
    end(&scene);
}

static void test_no_redirect_is_followed(void **state)
{
    (void)state;
    struct Scene scene =
        begin("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    serve(&scene, "127.0.0.1");

    assert_int_equal(get(&scene, false).code, 302);
    assert_int_equal(server_accepted(scene.server), 1);
    end(&scene);
}

static void test_a_long_body_is_cut_and_is_an_answer(void **state)
{
    (void)state;
    static char text[100 * 1024];
    int head = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    memset(text + head, 'x', sizeof(text) - (size_t)head - 1);
    struct Scene scene = begin(text);
    serve(&scene, "127.0.0.1");

    struct Ended ended = get(&scene, false);

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_int_equal(ended.code, 200);
    assert_true(ended.cut);
    assert_true(ended.size <= 64 * 1024 && ended.size > 60 * 1024);
    end(&scene);
}

static void test_failures_have_their_names(void **state)
{
    (void)state;
    struct Scene scene = begin("");
    serve(&scene, "127.0.0.1");
    assert_int_equal(get(&scene, false).end, CALL_RESET);
    scene.reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal\xff";
    struct Ended ended = {.came = false};
    struct HttpRequest request = {.url = scene.url};
    http_call(scene.client, &request, in_ms(50), keep_ended, &ended);
    run_until(scene.loop, &ended.came);
    assert_int_equal(ended.end, CALL_TIMEOUT);
    scene.reply = "+PONG\r\n";
    assert_int_equal(get(&scene, false).end, CALL_PROTOCOL);

    uint16_t port = 0;
    int fd = refused_port(&port);
    snprintf(scene.url, sizeof(scene.url), "http://127.0.0.1:%u/", (unsigned)port);
    ended = get(&scene, false);
    assert_int_equal(ended.end, CALL_REFUSED);
    assert_int_equal(ended.code, ECONNREFUSED);
    assert_int_equal(ended.connected.ns, 0);
    snprintf(scene.url, sizeof(scene.url), "https://127.0.0.1:%u/",
             (unsigned)server_port(scene.server));
    ended = get(&scene, false);
    assert_int_equal(ended.end, CALL_TLS);
    assert_true(ended.connected.ns > 0); /* TCP was */
    close(fd);
    end(&scene);
}

static void test_silence_ends_at_the_deadline_and_says_it_was_connected(void **state)
{
    (void)state;
    struct Scene scene = begin(NULL);
    serve(&scene, "127.0.0.1");
    struct HttpRequest request = {.url = scene.url};
    struct Ended ended = {.came = false};
    struct Mono deadline = in_ms(500); /* a busy machine connects within it, too */

    http_call(scene.client, &request, deadline, keep_ended, &ended);
    run_until(scene.loop, &ended.came);

    assert_int_equal(ended.end, CALL_TIMEOUT);
    assert_true(ended.ended.ns >= deadline.ns);
    assert_true(ended.connected.ns > 0);
    assert_int_equal(ended.first_byte.ns, 0);
    end(&scene);
}

static void test_cancel_and_close_are_silent_at_any_moment(void **state)
{
    (void)state;
    struct Scene scene = begin(NULL);
    serve(&scene, "127.0.0.1");
    struct HttpRequest request = {.url = scene.url};
    struct HttpRequest named = {.url = "http://no-such-host.invalid/"};
    struct Ended none = {.came = false}, last = {.came = false};

    call_cancel(http_call(scene.client, &request, in_ms(20000), keep_ended, &none));
    call_cancel(http_call(scene.client, &named, in_ms(20000), keep_ended, &none));
    struct Call *open = http_call(scene.client, &request, in_ms(20000), keep_ended, &none);
    run_until(scene.loop, &scene.heard);
    call_cancel(open);
    last.also_cancel = http_call(scene.client, &request, in_ms(20000), keep_ended, &none);
    http_call(scene.client, &request, in_ms(10), keep_ended, &last);
    run_until(scene.loop, &last.came);
    http_call(scene.client, &request, in_ms(20000), keep_ended, &none);
    http_call(scene.client, &named, in_ms(20000), keep_ended, &none);
    http_close(scene.client);
    scene.client = NULL;
    run_turn(scene.loop);

    assert_false(none.came);
    end(&scene);
}

struct Closer {
    struct Scene *scene;
    bool came;
};

static void close_client(void *data, const struct Answer *answer)
{
    struct Closer *closer = data;
    assert_int_equal(answer->end, CALL_ANSWERED);
    http_close(closer->scene->client);
    closer->scene->client = NULL;
    assert_string_equal(answer->bytes, "ok"); /* still borrowed */
    closer->came = true;
}

static void test_the_client_may_be_closed_in_done(void **state)
{
    (void)state;
    struct Scene scene = begin(ok);
    serve(&scene, "127.0.0.1");
    struct HttpRequest request = {.url = scene.url};
    struct Closer closer = {.scene = &scene};
    struct Ended none = {.came = false};

    http_call(scene.client, &request, in_ms(20000), close_client, &closer);
    http_call(scene.client, &request, in_ms(20000), keep_ended, &none);
    run_until(scene.loop, &closer.came);

    assert_false(none.came);
    end(&scene);
}

static void test_urls_are_checked_beforehand(void **state)
{
    (void)state;
    char host[64];
    uint16_t port = 0;
    assert_null(http_url_fault("http://127.0.0.1:8080/x?y=z", host, sizeof(host), &port));
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 8080);
    assert_null(http_url_fault("https://[::1]/", host, sizeof(host), &port));
    assert_string_equal(host, "::1");
    assert_int_equal(port, 443);
    assert_string_equal(http_url_fault("ftp://host/", NULL, 0, NULL),
                        "only http and https are asked");
    assert_non_null(http_url_fault("http://", NULL, 0, NULL));
    assert_non_null(http_url_fault("http://host:99999/", NULL, 0, NULL));
}

static void test_a_call_may_go_through_another_place(void **state)
{
    (void)state;
    struct Scene scene = begin(ok);
    serve(&scene, "127.0.0.1");
    struct Endpoint through = {.host = "127.0.0.1", .port = server_port(scene.server)};
    struct HttpRequest request = {.url = "http://no-such-host.invalid:81/x", .through = &through};
    struct Ended ended = {.came = false};

    http_call(scene.client, &request, in_ms(20000), keep_ended, &ended);
    run_until(scene.loop, &ended.came);

    assert_int_equal(ended.code, 200);
    assert_non_null(strstr(scene.asked, "Host: no-such-host.invalid:81\r\n"));
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_has_status_body_and_times),
        cmocka_unit_test(test_each_call_has_its_connection_unless_kept),
        cmocka_unit_test(test_a_kept_name_is_resolved_again_for_a_new_connection),
        cmocka_unit_test(test_method_headers_and_body_are_sent),
        cmocka_unit_test(test_a_signature_is_that_of_the_published_vectors),
        cmocka_unit_test(test_what_cannot_be_signed_is_known),
        cmocka_unit_test(test_no_key_is_sent_where_nothing_signs),
        cmocka_unit_test(test_no_redirect_is_followed),
        cmocka_unit_test(test_a_long_body_is_cut_and_is_an_answer),
        cmocka_unit_test(test_failures_have_their_names),
        cmocka_unit_test(test_silence_ends_at_the_deadline_and_says_it_was_connected),
        cmocka_unit_test(test_cancel_and_close_are_silent_at_any_moment),
        cmocka_unit_test(test_the_client_may_be_closed_in_done),
        cmocka_unit_test(test_urls_are_checked_beforehand),
        cmocka_unit_test(test_a_call_may_go_through_another_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
