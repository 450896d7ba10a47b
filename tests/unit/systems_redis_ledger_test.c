/* systems_redis_ledger_test.c - a ledger goes where a cluster's node sends it, as a client does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/systems/redis_system.h"
#include "../fakes/server.h"

/* Two nodes; each answers whatever comes with its reply. */
struct Member {
    struct Server *server;
    char reply[120], asked[1024];
};
struct Scene {
    struct Loop *loop;
    struct Member nodes[2];
    struct RedisAccess access;
    struct LedgerInput input;
    void *ledger;
    bool came;
    enum Outcome outcome;
    enum Failure failure;
};

static void answer(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Member *node = data;
    if (size == 0)
        return;
    strncat(node->asked, bytes, sizeof(node->asked) - strlen(node->asked) - 1);
    const char *reply = link_named(link, node->asked, node->reply);
    link_send(link, strstr(bytes, "ASKING") != NULL ? "+OK\r\n" : reply);
}

static void begin(struct Scene *s)
{
    struct Err err;
    *s = (struct Scene){.loop = loop_new(), .access = {.key_prefix = "drill:", .tag = "{7}"}};
    for (int n = 0; n < 2; n++)
        s->nodes[n].server = server_new(s->loop, answer, &s->nodes[n]);
    s->input = (struct LedgerInput){.config = &s->access, .loop = s->loop, .run = "run"};
    s->ledger = redis_ledger.open(&s->input, &err);
    snprintf(s->nodes[1].reply, sizeof(s->nodes[1].reply), ":2\r\n");
}

/* What the first node says: to go to the second. */
static void send_on(struct Scene *s, const char *how)
{
    snprintf(s->nodes[0].reply, sizeof(s->nodes[0].reply), "-%s 866 127.0.0.1:%u\r\n", how,
             (unsigned)server_port(s->nodes[1].server));
}

static void end(struct Scene *s)
{
    redis_ledger.close(s->ledger);
    for (int n = 0; n < 2; n++)
        server_free(s->nodes[n].server);
    loop_free(s->loop);
}

static void keep_reply(void *data, const struct Reply *reply)
{
    struct Scene *s = data;
    s->came = true;
    s->outcome = reply->outcome;
    s->failure = reply->failure;
}

static void write_number(struct Scene *s, uint64_t number, bool may_follow)
{
    const struct Endpoint to = {.host = "127.0.0.1", .port = server_port(s->nodes[0].server)};
    s->came = false;
    redis_ledger.write(s->ledger,
                       &(struct LedgerWrite){.to = &to,
                                             .writer = 1,
                                             .number = number,
                                             .deadline = mono_add(mono_now(), 5 * NS_PER_S),
                                             .may_follow = may_follow,
                                             .done = keep_reply,
                                             .data = s});
    run_until(s->loop, &s->came);
}

static void test_who_was_moved_stays_there(void **state)
{
    (void)state;
    struct Scene s;
    begin(&s);
    send_on(&s, "MOVED");

    write_number(&s, 1, true);
    assert_int_equal(s.outcome, OUTCOME_OK);
    write_number(&s, 2, true);

    assert_int_equal(s.outcome, OUTCOME_OK);
    assert_int_equal(server_accepted(s.nodes[0].server), 1);
    assert_int_equal(server_accepted(s.nodes[1].server), 1);
    assert_non_null(strstr(s.nodes[1].asked, "drill:{7}run:0:1"));
    assert_null(strstr(s.nodes[1].asked, "ASKING"));
    end(&s);
}

static void test_who_is_asked_to_ask_comes_back(void **state)
{
    (void)state;
    struct Scene s;
    begin(&s);
    send_on(&s, "ASK");

    write_number(&s, 1, true);
    assert_int_equal(s.outcome, OUTCOME_OK);
    write_number(&s, 2, true);

    assert_int_equal(s.outcome, OUTCOME_OK);
    assert_int_equal(server_accepted(s.nodes[0].server), 2);
    assert_non_null(strstr(s.nodes[1].asked, "ASKING"));
    end(&s);
}

/* With `from:` a host of the role, that host itself is what is looked at. */
static void test_who_stands_for_one_host_does_not_follow(void **state)
{
    (void)state;
    struct Scene s;
    begin(&s);
    send_on(&s, "MOVED");

    write_number(&s, 1, false);

    assert_int_equal(s.outcome, OUTCOME_FAILED);
    assert_int_equal(s.failure, FAILURE_WRONG_RANK);
    assert_int_equal(server_accepted(s.nodes[1].server), 0);
    end(&s);
}

static void test_nobody_is_sent_on_for_ever(void **state)
{
    (void)state;
    struct Scene s;
    begin(&s);
    send_on(&s, "MOVED");
    memcpy(s.nodes[1].reply, s.nodes[0].reply, sizeof(s.nodes[1].reply));

    write_number(&s, 1, true);

    assert_int_equal(s.outcome, OUTCOME_FAILED);
    assert_int_equal(s.failure, FAILURE_WRONG_RANK);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_was_moved_stays_there),
        cmocka_unit_test(test_who_is_asked_to_ask_comes_back),
        cmocka_unit_test(test_who_stands_for_one_host_does_not_follow),
        cmocka_unit_test(test_nobody_is_sent_on_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
