/* systems_elected_test.c - etcd, HAProxy and pages that say who leads, as they speak over HTTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../fakes/server.h"

#define SECOND "0.0.0.0" /* the kernel takes it for this machine */

/* Two hosts, both this machine; the server tells them apart by the Host that it was called. */
struct Scene {
    struct Loop *loop;
    struct Server *server;
    struct Arena *arena;
    struct Target hosts[2];
    const struct Target *list[2];
    struct Role role;
    const struct SystemKind *kind;
    void *system;
    const char *one, *two; /* what they answer; NULL: silence */
    int one_status, two_status;
    bool holds, held; /* the first is kept waiting, on this link */
    struct Link *link;
    char asked[2000];
    bool came;
    struct Standing standing;
    enum Known known;
    uint32_t in_sync;
    struct Prospect prospect;
    char text[400];
};

static void say(struct Link *link, int status, const char *body)
{
    char out[4000];
    snprintf(out, sizeof(out), "HTTP/1.0 %d X\r\nContent-Length: %zu\r\n\r\n%s", status,
             strlen(body), body);
    link_send(link, out);
}

static void answer(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Scene *s = data;
    if (size == 0)
        return;
    bool second = strstr(bytes, "Host: " SECOND) != NULL;
    if (!second && s->holds) {
        s->link = link;
        s->held = true;
        return;
    }
    const char *body = second ? s->two : s->one;
    int status = second ? s->two_status : s->one_status;
    if (text_starts(bytes, "POST /v3/maintenance/transfer-leadership"))
        body = "{}";
    snprintf(s->asked, sizeof(s->asked), "%.*s", (int)size, bytes);
    if (body != NULL)
        say(link, status, body);
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    s->loop = loop_new();
    s->server = server_new(s->loop, answer, s);
    s->arena = arena_new("elected", 16u << 20);
    s->one_status = s->two_status = 200;
    s->hosts[0] = (struct Target){.name = "web-1", .address = "127.0.0.1"};
    s->hosts[1] = (struct Target){.name = "web-2", .address = SECOND};
    s->list[0] = &s->hosts[0];
    s->list[1] = &s->hosts[1];
    s->role = (struct Role){.name = "web", .hosts = s->list, .host_count = 2};
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct Scene *s = *state;
    if (s->system != NULL)
        s->kind->close(s->system);
    server_free(s->server);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

/* The server's port stands where the config says %u. */
static void open_system(struct Scene *s, const struct SystemKind *kind, const char *format)
{
    struct Problems *problems = problems_new();
    struct Err err = {.code = ERR_OWN};
    char port[8], *yaml = arena_text(s->arena, format);
    snprintf(port, sizeof(port), "%05u", (unsigned)server_port(s->server));
    for (char *at = strstr(yaml, "PPPPP"); at != NULL; at = strstr(yaml, "PPPPP"))
        memcpy(at, port, 5);
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, kind->config.size);
    assert_true(decode_record(&decode, document->root, &kind->config, config));
    problems_free(problems);
    s->kind = s->role.system = kind;
    s->role.system_config = config;
    s->system = kind->open(config, &s->role, s->loop, &err);
    assert_non_null(s->system);
}

static void wait_for_it(struct Scene *s)
{
    assert_false(s->came);
    run_until(s->loop, &s->came);
    s->came = false;
}

static void keep_standing(void *data, const struct Standing *standing)
{
    struct Scene *s = data;
    s->standing = *standing;
    s->came = true;
}

static void keep_redundancy(void *data, const struct Redundancy *redundancy)
{
    struct Scene *s = data;
    s->known = redundancy->complete;
    s->in_sync = redundancy->in_sync;
    snprintf(s->text, sizeof(s->text), "%s", redundancy->why);
    s->came = true;
}

static void keep_why(void *data, enum Known known, const char *why)
{
    struct Scene *s = data;
    s->known = known;
    snprintf(s->text, sizeof(s->text), "%s", why);
    s->came = true;
}

static void keep_known(void *data, enum Known known)
{
    struct Scene *s = data;
    s->known = known;
    s->came = true;
}

static void keep_prospect(void *data, const struct Prospect *prospect)
{
    struct Scene *s = data;
    s->prospect = *prospect;
    snprintf(s->text, sizeof(s->text), "%s", prospect->not_ready ? prospect->not_ready : "");
    s->came = true;
}

static enum Rank rank_of(struct Scene *s, int host, int64_t ms)
{
    s->kind->ask_standing(s->system, &s->hosts[host], in_ms(ms), keep_standing, s);
    wait_for_it(s);
    return s->standing.rank;
}

static void ask_redundancy(struct Scene *s, int64_t ms)
{
    s->kind->ask_redundancy(s->system, in_ms(ms), keep_redundancy, s);
    wait_for_it(s);
}

static void ask_prospect(struct Scene *s)
{
    s->kind->ask_prospect(s->system, in_ms(20000), keep_prospect, s);
    wait_for_it(s);
}

/* ---- etcd ---- */

#define ETCD "port: PPPPP"
#define MEMBER(id, leader, more)                                                                   \
    "{\"header\":{\"cluster_id\":\"5\",\"member_id\":\"" id "\",\"raft_term\":\"7\"},"             \
    "\"version\":\"3.4.23\",\"leader\":\"" leader "\",\"raftIndex\":\"90\",\"raftTerm\":\"7\""     \
    ",\"raftAppliedIndex\":\"90\"" more "}"

static void test_etcd_leads_who_is_its_own_leader(void **state)
{
    struct Scene *s = *state;
    open_system(s, &etcd_system, ETCD);
    s->one = MEMBER("11", "11", "");
    s->two = MEMBER("22", "11", "");

    assert_int_equal(rank_of(s, 0, 20000), RANK_PRIMARY);
    assert_string_equal(s->standing.epoch, "7");
    assert_int_equal(rank_of(s, 1, 20000), RANK_REPLICA);
    ask_redundancy(s, 20000);
    assert_int_equal(s->known, KNOWN_YES);
    assert_int_equal(s->in_sync, 2);
}

static void test_etcd_without_a_leader_and_a_learner_are_neither(void **state)
{
    struct Scene *s = *state;
    open_system(s, &etcd_system, ETCD);
    s->one = MEMBER("11", "0", "");
    s->two = MEMBER("22", "11", ",\"isLearner\":true");

    assert_int_equal(rank_of(s, 0, 20000), RANK_OTHER);
    assert_int_equal(rank_of(s, 1, 20000), RANK_OTHER);
    ask_prospect(s);
    assert_string_equal(s->text, "no host says that it is the primary");
}

static void test_etcd_that_is_silent_is_unknown(void **state)
{
    struct Scene *s = *state;
    open_system(s, &etcd_system, ETCD);
    s->one = MEMBER("11", "11", "");

    assert_int_equal(rank_of(s, 1, 200), RANK_UNKNOWN);
    ask_redundancy(s, 3000);
    assert_int_equal(s->known, KNOWN_UNKNOWN);
    assert_string_equal(s->text, "web-2 does not answer");
}

static void test_what_etcd_says_to_one_question_decides_no_other(void **state)
{
    struct Scene *s = *state;
    open_system(s, &etcd_system, ETCD);
    s->one = MEMBER("11", "11", "");
    s->two = MEMBER("22", "11", "");
    s->holds = true;

    s->kind->ask_redundancy(s->system, in_ms(60000), keep_redundancy, s);
    run_until(s->loop, &s->held);
    (void)rank_of(s, 1, 20000); /* by now the second has told the first question as well */
    s->two = "";
    assert_int_equal(rank_of(s, 1, 20000), RANK_UNKNOWN);
    say(s->link, 200, s->one);
    wait_for_it(s);

    assert_string_equal(s->text, "");
    assert_int_equal(s->known, KNOWN_YES);
}

static void test_etcds_leader_is_asked_to_hand_over(void **state)
{
    struct Scene *s = *state;
    open_system(s, &etcd_system, ETCD);
    s->one = MEMBER("11", "11", "");
    s->two = MEMBER("22", "11", "");

    s->kind->failover(s->system, &(struct FailoverWish){.forced = false}, in_ms(20000), keep_why,
                      s);
    wait_for_it(s);

    assert_int_equal(s->known, KNOWN_YES);
    assert_non_null(strstr(s->asked, "Host: 127.0.0.1"));
    assert_non_null(strstr(s->asked, "{\"targetID\":\"22\"}"));
}

static void test_etcds_leader_hands_over_to_nobody_but_who_is_named(void **state)
{
    struct Scene *s = *state;
    open_system(s, &etcd_system, ETCD);
    s->one = MEMBER("11", "11", "");
    s->two = MEMBER("22", "11", "");

    s->kind->failover(s->system, &(struct FailoverWish){.to = &s->hosts[1]}, in_ms(20000), keep_why,
                      s);
    wait_for_it(s);
    assert_int_equal(s->known, KNOWN_YES);
    assert_non_null(strstr(s->asked, "{\"targetID\":\"22\"}"));
    s->kind->failover(s->system, &(struct FailoverWish){.to = &s->hosts[0]}, in_ms(20000), keep_why,
                      s);
    wait_for_it(s);

    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "web-1 does not follow the leader");
    s->two = NULL;
    s->kind->failover(s->system, &(struct FailoverWish){.to = &s->hosts[1]}, in_ms(500), keep_why,
                      s);
    wait_for_it(s);
    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "web-2, which is named, does not answer");
}

/* ---- pages ---- */

#define PAGES "primary: \"http://${host.address}:PPPPP/primary\""

static void test_a_page_of_200_says_who_leads(void **state)
{
    struct Scene *s = *state;
    open_system(s, &http_system, "{" PAGES "}");
    s->one = s->two = "";
    s->two_status = 503;

    assert_int_equal(rank_of(s, 0, 20000), RANK_PRIMARY);
    assert_int_equal(rank_of(s, 1, 20000), RANK_REPLICA);
    s->two = NULL;
    assert_int_equal(rank_of(s, 1, 200), RANK_UNKNOWN);
}

static void test_a_replica_whose_page_refuses_is_no_redundancy(void **state)
{
    struct Scene *s = *state;
    open_system(s, &http_system, "{" PAGES ", read: \"http://${host.address}:PPPPP/read\"}");
    s->one = s->two = "";
    s->two_status = 503;

    ask_redundancy(s, 20000);

    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "web-2 could not take over: its page says 503");
    ask_prospect(s);
    assert_int_equal(s->prospect.persistence, PERSIST_UNKNOWN);
}

/* ---- HAProxy ---- */

#define PROXY "{stats: \"http://127.0.0.1:PPPPP/\", backend: orders, inter: 1s, fastinter: 500ms}"
#define PAGE(one, two)                                                                             \
    "# pxname,svname,status,weight,act,bck,last_chk,check_status,check_rise,check_fall,addr,\n"    \
    "shop,web-2,UP,1,1,0,\"ok, and \"\"more\"\"\",L7OK,2,2,10.0.0.2:80,\n"                         \
    "orders,FRONTEND,OPEN,,,,,,,,,\n" one two "orders,BACKEND,UP,1,1,1,,,,,,\n"
#define UP_1 "orders,web-1,UP,1,1,0,\"a, b\",L7OK,2,3,10.0.0.1:80,\n"
#define DOWN_1 "orders,web-1,DOWN,1,1,0,,L4CON,2,3,10.0.0.1:80,\n"
#define BACKUP_2 "orders,web-2,UP 1/2,1,0,1,,L7OK,2,3,10.0.0.2:80,\n"
#define ACTIVE_2 "orders,web-2,UP,1,1,0,,L7OK,2,3,10.0.0.2:80,\n"

static void test_the_active_server_has_the_traffic_and_then_a_backup(void **state)
{
    struct Scene *s = *state;
    open_system(s, &haproxy_system, PROXY);
    s->one = PAGE(UP_1, BACKUP_2);
    assert_int_equal(rank_of(s, 0, 20000), RANK_PRIMARY);
    assert_int_equal(rank_of(s, 1, 20000), RANK_REPLICA);
    s->kind->ask_detected(s->system, in_ms(20000), keep_known, s);
    wait_for_it(s);
    assert_int_equal(s->known, KNOWN_NO);

    s->one = PAGE(DOWN_1, BACKUP_2);
    assert_int_equal(rank_of(s, 0, 20000), RANK_OTHER);
    assert_int_equal(rank_of(s, 1, 20000), RANK_PRIMARY);
    s->kind->ask_detected(s->system, in_ms(20000), keep_known, s);
    wait_for_it(s);
    assert_int_equal(s->known, KNOWN_YES);
    ask_redundancy(s, 20000);
    assert_int_equal(s->known, KNOWN_NO);
    assert_true(text_starts(s->text, "web-1 is DOWN (L4CON) at http://127.0.0.1:"));
}

static void test_a_proxy_promises_by_its_checks(void **state)
{
    struct Scene *s = *state;
    open_system(s, &haproxy_system, PROXY);
    s->one = PAGE(UP_1, BACKUP_2);

    ask_prospect(s);

    assert_string_equal(s->text, "");
    assert_int_equal(s->prospect.failover.low_ns, NS_PER_S); /* two more checks, 500 ms apart */
    assert_int_equal(s->prospect.failover.high_ns, 6 * NS_PER_S);
}

static void test_traffic_for_all_is_nobodys(void **state)
{
    struct Scene *s = *state;
    open_system(s, &haproxy_system, PROXY);
    s->one = PAGE(UP_1, ACTIVE_2);

    ask_prospect(s);

    assert_true(text_starts(s->text, "`orders` spreads its traffic over 2 servers"));
}

static void test_a_page_that_is_none_is_no_answer(void **state)
{
    struct Scene *s = *state;
    open_system(s, &haproxy_system, PROXY);
    s->one = "<html>";

    assert_int_equal(rank_of(s, 0, 20000), RANK_UNKNOWN);
    ask_redundancy(s, 20000);
    assert_int_equal(s->known, KNOWN_UNKNOWN);
    ask_prospect(s);
    assert_non_null(strstr(s->text, "is no statistics page that has `orders`"));
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        SCENE(test_etcd_leads_who_is_its_own_leader),
        SCENE(test_etcd_without_a_leader_and_a_learner_are_neither),
        SCENE(test_etcd_that_is_silent_is_unknown),
        SCENE(test_what_etcd_says_to_one_question_decides_no_other),
        SCENE(test_etcds_leader_is_asked_to_hand_over),
        SCENE(test_etcds_leader_hands_over_to_nobody_but_who_is_named),
        SCENE(test_a_page_of_200_says_who_leads),
        SCENE(test_a_replica_whose_page_refuses_is_no_redundancy),
        SCENE(test_the_active_server_has_the_traffic_and_then_a_backup),
        SCENE(test_a_proxy_promises_by_its_checks),
        SCENE(test_traffic_for_all_is_nobodys),
        SCENE(test_a_page_that_is_none_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
