/* systems_postgres_test.c - a PostgreSQL that nobody watches over is asked, and promoted. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* setenv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/transports/kinds.h"
#include "../fakes/speaking.h"
#include "../fakes/ended.h"
#include "../fakes/server.h"
#include "../fakes/postgres_process.h"

static const struct SystemKind *const kind = &postgres_system;
static struct PostgresProcess postgres;

/* Two hosts: on one PostgreSQL runs, on the other nothing listens. */
struct Scene {
    const struct Target *last;
    struct Loop *loop;
    struct Arena *arena;
    struct Target one, two;
    const struct Target *list[2];
    struct Role role;
    void *system;
    /* what came of it */
    bool came;
    struct Standing standing;
    struct Redundancy redundancy;
    struct Prospect prospect;
    enum Known known;
    char text[400], address[64];
};

static void *read_config(struct Scene *s, const char *yaml, size_t errors)
{
    struct Problems *problems = problems_new();
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, kind->config.size);
    (void)decode_record(&decode, document->root, &kind->config, config);
    assert_int_equal(problems_errors(problems), errors);
    problems_free(problems);
    return config;
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    struct Err err = {.code = ERR_OWN};
    s->loop = loop_new();
    s->arena = arena_new("postgres", 16u << 20);
    s->one = (struct Target){.name = "one", .address = "127.0.0.1"};
    s->two = (struct Target){.name = "two", .address = "127.0.0.9"};
    s->list[0] = &s->one;
    s->list[1] = &s->two;
    s->role = (struct Role){.name = "db", .hosts = s->list, .host_count = 2, .system = kind};
    s->role.system_config = read_config(
        s,
        arena_printf(s->arena, "{dsn: \"postgresql://drill@127.0.0.1:%u/postgres\", db_port: %u}",
                     (unsigned)postgres.port, (unsigned)postgres.port),
        0);
    s->system = kind->open(s->role.system_config, &s->role, s->loop, &err);
    *state = s;
    return s->system == NULL;
}

static int end(void **state)
{
    struct Scene *s = *state;
    kind->close(s->system);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

static void keep_standing(void *data, const struct Standing *standing)
{
    struct Scene *s = data;
    s->standing = *standing;
    s->came = true;
}

static const struct Standing *standing_of(struct Scene *s, const struct Target *host)
{
    s->came = false;
    if (host != NULL)
        kind->ask_standing(s->system, host, in_ms(20000), keep_standing, s);
    else
        kind->ask_control(s->system, in_ms(20000), keep_standing, s);
    run_until(s->loop, &s->came);
    return &s->standing;
}

static void test_a_host_says_who_it_is(void **state)
{
    struct Scene *s = *state;

    const struct Standing *standing = standing_of(s, &s->one);
    assert_int_equal(standing->rank, RANK_PRIMARY);
    assert_int_equal(standing->writable, KNOWN_YES);
    assert_string_equal(standing->epoch, "1");
    assert_true(standing->identity[0] != '\0');

    assert_int_equal(standing_of(s, &s->two)->rank, RANK_UNKNOWN);
}

static void keep_found(void *data, const char *address, uint16_t port)
{
    struct Scene *s = data;
    snprintf(s->address, sizeof(s->address), "%s", address != NULL ? address : "");
    assert_true(address == NULL || port == postgres.port);
    s->came = true;
}

static void test_the_leader_is_who_takes_writes(void **state)
{
    struct Scene *s = *state;

    assert_ptr_equal(standing_of(s, NULL)->host, &s->one);
    s->came = false;
    kind->find_primary(s->system, in_ms(20000), keep_found, s);
    run_until(s->loop, &s->came);

    assert_string_equal(s->address, "127.0.0.1");
}

static void keep_last(void *data, const struct Target *host, size_t primaries)
{
    struct Scene *s = data;
    s->last = host;
    assert_int_equal(primaries, 1);
    s->came = true;
}

static void test_the_one_that_was_promoted_last_decides(void **state)
{
    struct Scene *s = *state;

    kind->find_last(s->system, in_ms(40000), keep_last, s);

    run_until(s->loop, &s->came);
    assert_ptr_equal(s->last, &s->one);
}

/* Who does not answer may be that one. */
static void test_beside_a_silent_host_the_only_primary_decides_nothing(void **state)
{
    struct Scene *s = *state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(postgres.port)};
    int mute = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.9", &at.sin_addr), 1);
    assert_int_equal(bind(mute, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(mute, 8), 0);

    kind->find_last(s->system, in_ms(6000), keep_last, s);
    run_until(s->loop, &s->came);
    close(mute);

    assert_null(s->last);
}

static void keep_redundancy(void *data, const struct Redundancy *redundancy)
{
    struct Scene *s = data;
    s->redundancy = *redundancy;
    snprintf(s->text, sizeof(s->text), "%s", redundancy->why);
    s->came = true;
}

static void test_a_replica_that_cannot_be_reached_is_missed(void **state)
{
    struct Scene *s = *state;

    kind->ask_redundancy(s->system, in_ms(20000), keep_redundancy, s);
    run_until(s->loop, &s->came);

    assert_int_equal(s->redundancy.complete, KNOWN_NO);
    assert_int_equal(s->redundancy.in_sync, 1);
    assert_string_equal(s->text, "PostgreSQL on two cannot be reached");
}

static void keep_prospect(void *data, const struct Prospect *prospect)
{
    struct Scene *s = data;
    s->prospect = *prospect;
    snprintf(s->text, sizeof(s->text), "%s",
             prospect->not_ready != NULL ? prospect->not_ready : "");
    assert_non_null(strstr(prospect->loss, "asynchronous"));
    s->came = true;
}

static void test_nothing_fails_over_by_itself(void **state)
{
    struct Scene *s = *state;

    kind->ask_prospect(s->system, in_ms(20000), keep_prospect, s);
    run_until(s->loop, &s->came);

    assert_true(s->prospect.failover.high_ns == NS_NEVER);
    assert_true(s->prospect.planned.high_ns < 60 * NS_PER_S);
    assert_string_equal(s->text, "PostgreSQL on two does not answer");
}

static void keep_why(void *data, enum Known known, const char *why)
{
    struct Scene *s = data;
    s->known = known;
    snprintf(s->text, sizeof(s->text), "%s", why);
    s->came = true;
}

static enum Known fail_over(struct Scene *s, const struct FailoverWish *wish)
{
    s->came = false;
    kind->failover(s->system, wish, in_ms(20000), keep_why, s);
    run_until(s->loop, &s->came);
    return s->known;
}

static void test_nobody_is_promoted_beside_a_primary(void **state)
{
    struct Scene *s = *state;

    assert_int_equal(fail_over(s, &(struct FailoverWish){.forced = false}), KNOWN_NO);
    assert_int_equal(fail_over(s, &(struct FailoverWish){.forced = true}), KNOWN_NO);

    assert_string_equal(s->text,
                        "one is a primary that runs: stop it or kill it first, or there would be "
                        "two");
}

/* A loopback address that TCP finds no way to: the kernel says so at once, with or without a route.
 * The server is a replica from here on. */
static void test_nobody_is_promoted_past_a_host_that_no_way_leads_to(void **state)
{
    struct Scene *s = *state;
    postgres_process_demote(&postgres);
    s->two.address = "127.255.255.255";

    assert_int_equal(fail_over(s, &(struct FailoverWish){.forced = false}), KNOWN_NO);

    assert_string_equal(s->text,
                        "two does not answer and may still take writes: `forced: true` promotes a "
                        "replica all the same");
    assert_int_equal(standing_of(s, &s->one)->rank, RANK_REPLICA);
}

/* One that refuses the connection as a firewall does; the server, a replica by now, is on the same
 * machine, so that its word is that it runs. */
static void test_nobody_is_promoted_past_a_host_that_runs_and_refuses(void **state)
{
    struct Scene *s = *state;
    s->two.reach = &local_transport;

    assert_int_equal(fail_over(s, &(struct FailoverWish){.forced = false}), KNOWN_NO);

    assert_string_equal(s->text,
                        "PostgreSQL runs on two, which refuses our connection, and may still take "
                        "writes: stop it or kill it first");
    assert_int_equal(standing_of(s, &s->one)->rank, RANK_REPLICA);
}

static void test_nobody_is_promoted_past_a_host_that_refuses_and_says_nothing(void **state)
{
    struct Scene *s = *state;
    s->two.reach = &speaking;
    s->two.reach_config = (void *)(uintptr_t)&strange;

    assert_int_equal(fail_over(s, &(struct FailoverWish){.forced = false}), KNOWN_NO);

    assert_string_equal(s->text, "two refuses our connection, and does not say whether PostgreSQL "
                                 "runs there: `forced: true` promotes a replica all the same");
    assert_int_equal(standing_of(s, &s->one)->rank, RANK_REPLICA);
}

/* The last one: it is another server afterwards. */
static void test_a_replica_is_promoted_where_no_primary_is(void **state)
{
    struct Scene *s = *state;
    s->two.reach = &speaking;
    s->two.reach_config = (void *)(uintptr_t)&stopped;
    assert_int_equal(standing_of(s, &s->one)->rank, RANK_REPLICA);
    assert_null(standing_of(s, NULL)->host);

    assert_int_equal(fail_over(s, &(struct FailoverWish){.forced = false}), KNOWN_YES);

    while (standing_of(s, &s->one)->rank != RANK_PRIMARY)
        continue;
    assert_string_equal(s->standing.epoch, "2");
}

static void test_a_former_primary_is_started_by_a_script(void **state)
{
    struct Scene *s = *state;
    struct Err err = {.code = ERR_OWN};
    struct Commands out = {.at = NULL};
    struct PlanInput input = {.target = &s->one, .role = &s->role};

    s->role.service.start = "start it";
    assert_true(kind->plan_rejoin(s->role.system_config, &input, s->arena, &out, &err));
    const char *text = commands_shell(&out, s->arena);
    assert_int_equal(out.count, 1);
    assert_non_null(strstr(text, " 3 'start it' 127.0.0.9"));
    assert_null(strstr(text, "sesame"));

    kind->plan_ready(s->role.system_config, &input, s->arena, &out);
    assert_int_equal(out.count, 1);
    assert_non_null(strstr(commands_shell(&out, s->arena), "'' 127.0.0.9"));

    input.leave_stopped = true;
    assert_true(kind->plan_rejoin(s->role.system_config, &input, s->arena, &out, &err));
    assert_int_equal(out.count, 0);
}

static void test_a_login_that_leads_elsewhere_is_refused(void **state)
{
    struct Scene *s = *state;

    (void)read_config(s, "{dsn: \"postgresql://d@a/b\", rewind: \"user=a host=b\"}", 1);
    (void)read_config(s, "{dsn: \"postgresql://d@a/b\", config: postgresql.conf}", 1);
}

static int group_begin(void **state)
{
    (void)state;
    setenv("PGPASSWORD", "sesame", 1);
    postgres_process_start(&postgres);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    postgres_process_end(&postgres);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_host_says_who_it_is),
        TEST(test_the_leader_is_who_takes_writes),
        TEST(test_the_one_that_was_promoted_last_decides),
        TEST(test_beside_a_silent_host_the_only_primary_decides_nothing),
        TEST(test_a_replica_that_cannot_be_reached_is_missed),
        TEST(test_nothing_fails_over_by_itself),
        TEST(test_nobody_is_promoted_beside_a_primary),
        TEST(test_a_former_primary_is_started_by_a_script),
        TEST(test_a_login_that_leads_elsewhere_is_refused),
        TEST(test_nobody_is_promoted_past_a_host_that_no_way_leads_to),
        TEST(test_nobody_is_promoted_past_a_host_that_runs_and_refuses),
        TEST(test_nobody_is_promoted_past_a_host_that_refuses_and_says_nothing),
        TEST(test_a_replica_is_promoted_where_no_primary_is),
    };
    if (postgres_process_missing()) {
        print_message("skip systems_postgres: there is no PostgreSQL server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
