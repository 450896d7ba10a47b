/* systems_redis_alone_test.c - real Redis that nobody watches over: asked, told, promoted. */
/* SPDX-License-Identifier: Apache-2.0 */
#define CLUSTER_ALONE
#include "systems_scene.h"

static const struct FailoverWish plain = {.forced = false};

/* ---- what is known ---- */

static void test_of_two_primaries_the_one_that_is_followed_leads(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s), second = (primary + 1) % NODES;
    char back[100];
    snprintf(back, sizeof(back), "replicaof %s %u", s->cluster.address[primary], s->cluster.port);

    send_command(s, second, "replicaof no one");
    struct Heard whole = whole_of(s), refused = fail_over(s, &plain), prospect = prospect_of(s);
    int leads = primary_of(s);
    send_command(s, second, back);

    assert_int_equal(leads, primary);
    assert_int_equal(whole.known, KNOWN_NO);
    assert_string_equal(whole.text, "2 hosts say that they are the primary");
    assert_int_equal(refused.known, KNOWN_NO);
    assert_string_equal(refused.text, "more than one host says that it is the primary");
    assert_string_equal(prospect.text, "2 hosts say that they are the primary");
}

static void test_a_client_finds_the_primary(void **state)
{
    struct Scene *s = *state;
    struct Heard heard = {.loop = s->loop};

    kind->find_primary(s->system, in_ms(s->patience_ms), keep_address, &heard);
    loop_run(s->loop);

    assert_string_equal(heard.text, s->cluster.address[primary_of(s)]);
    assert_int_equal(heard.port, s->cluster.port);
}

static void test_nothing_fails_over_by_itself(void **state)
{
    struct Scene *s = *state;

    struct Heard heard = prospect_of(s);

    assert_string_equal(heard.text, "");
    assert_true(heard.prospect.failover.high_ns == NS_NEVER);
    assert_true(heard.prospect.planned.high_ns < 10 * NS_PER_S);
    assert_int_equal(heard.prospect.persistence, PERSIST_ALL);
    assert_string_equal(heard.loss, "loss possible: min-replicas-to-write 0");
    assert_non_null(strstr(heard.knobs, "promoted by=nobody but us;"));
}

static void test_settings_that_stop_all_writes_are_seen(void **state)
{
    struct Scene *s = *state;
    int replica = (primary_of(s) + 1) % NODES;

    send_command(s, replica, "config set min-replicas-to-write 2");
    struct Heard bare = prospect_of(s);
    send_command(s, replica, "config set min-replicas-to-write 3");
    struct Heard trapped = prospect_of(s);
    send_command(s, replica, "config set min-replicas-to-write 0");

    assert_string_equal(bare.text, "");
    assert_non_null(strstr(bare.knobs, "beware=while a host is away"));
    if (strstr(trapped.text, "min-replicas-to-write is 3 on redis-") == NULL)
        fail_msg("%s", trapped.text);
}

/* ---- what is done ---- */

/* Its own file, so that its next start makes it no second primary. */
static bool file_says(struct Scene *s, int host, const char *line)
{
    char command[300];
    snprintf(command, sizeof(command), "grep -q '^%s' %s/redis-%d.conf", line, s->cluster.dir,
             host);
    const char *const argv[] = {"sh", "-c", command, NULL};
    int status = 1;
    waitpid(start_process(&s->cluster, argv), &status, 0);
    return status == 0;
}

static bool old_one_would_follow(struct Scene *s)
{
    return file_says(s, s->old_primary, "replicaof ");
}

static bool new_one_would_lead(struct Scene *s)
{
    int primary = primary_of(s);
    return primary >= 0 && !file_says(s, primary, "replicaof ");
}

static void test_asked_for_it_hands_over(void **state)
{
    struct Scene *s = *state;
    s->old_primary = primary_of(s);

    struct Heard heard = fail_over(s, &plain);

    assert_string_equal(heard.text, "");
    assert_int_equal(heard.known, KNOWN_YES);
    wait_until(s, has_moved, "moved");
    wait_until(s, is_whole, "whole again");
    assert_int_equal(standing_of(s, s->old_primary).standing.rank, RANK_REPLICA);
    wait_until(s, old_one_would_follow, "written down where it led");
    wait_until(s, new_one_would_lead, "written down where it leads");
}

/* Without the connections that it had. */
static void open_anew(struct Scene *s)
{
    struct Err err = {.code = ERR_OWN};
    kind->close(s->system);
    s->system = kind->open(s->cluster.config, &s->cluster.role, s->loop, &err);
    assert_non_null(s->system);
}

static void test_past_a_silent_primary_nobody_is_promoted(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s);

    kill(s->cluster.redis[primary], SIGSTOP);
    struct Heard heard = fail_over(s, &plain);
    kill(s->cluster.redis[primary], SIGCONT);

    assert_int_equal(heard.known, KNOWN_NO);
    assert_non_null(
        strstr(heard.text, "does not answer and may still take writes: `forced: true`"));
    assert_int_equal(standing_of(s, (primary + 1) % NODES).standing.rank, RANK_REPLICA);
}

/* A loopback address that TCP finds no way to: the kernel says so at once, with or without a route.
 */
static void test_past_a_primary_that_no_way_leads_to_nobody_is_promoted(void **state)
{
    struct Scene *s = *state;
    struct Target *primary = &s->cluster.hosts[primary_of(s)];
    const char *address = primary->address;

    primary->address = "127.255.255.255";
    open_anew(s);
    struct Heard heard = fail_over(s, &plain);
    primary->address = address;
    open_anew(s);

    assert_int_equal(heard.known, KNOWN_NO);
    assert_non_null(
        strstr(heard.text, "does not answer and may still take writes: `forced: true`"));
    assert_ptr_equal(&s->cluster.hosts[primary_of(s)], primary);
}

static void test_who_is_to_lead_leads(void **state)
{
    struct Scene *s = *state;
    s->old_primary = primary_of(s);
    int to = (s->old_primary + NODES - 1) % NODES;

    struct Heard itself =
        fail_over(s, &(struct FailoverWish){.to = &s->cluster.hosts[s->old_primary]});
    struct Heard heard = fail_over(s, &(struct FailoverWish){.to = &s->cluster.hosts[to]});

    assert_int_equal(itself.known, KNOWN_NO);
    assert_non_null(strstr(itself.text, " is no replica in step with the primary"));
    assert_string_equal(heard.text, "");
    assert_int_equal(heard.known, KNOWN_YES);
    wait_until(s, has_moved, "moved");
    assert_int_equal(primary_of(s), to);
}

/* The words of the command that undo would run. */
static const char *const *rejoin_argv(struct Scene *s, int host)
{
    struct Cluster *c = &s->cluster;
    struct Err err;
    struct Commands commands;
    void *config = read_config(
        c, arena_printf(c->arena, "{port: %u, config: %s/redis-%d.conf}", c->port, c->dir, host));
    c->role.service.start =
        arena_printf(c->arena, "redis-server %s/redis-%d.conf --daemonize yes", c->dir, host);
    struct PlanInput input = {.target = &c->hosts[host], .role = &c->role};
    assert_true(kind->plan_rejoin(config, &input, c->arena, &commands, &err));
    assert_int_equal(commands.count, 1);
    return commands.at[0].argv;
}

static int rejoin(struct Scene *s, int host)
{
    int status = -1;
    waitpid(start_process(&s->cluster, rejoin_argv(s, host)), &status, 0);
    return status;
}

/* A child of ours again, which the next test can stop. */
static void adopt(struct Scene *s, int host)
{
    send_command(s, host, "shutdown nosave now 2>/dev/null; echo OK");
    start_redis(&s->cluster, host);
}

static void test_a_dead_primary_is_replaced_and_follows(void **state)
{
    struct Scene *s = *state;
    struct Cluster *c = &s->cluster;
    s->old_primary = primary_of(s);
    send_command(s, s->old_primary, "set kept yes");
    send_command(s, s->old_primary, "wait 2 5000 | sed s/2/OK/");

    end_process(&c->redis[s->old_primary]);
    struct Heard heard = fail_over(s, &plain);
    assert_string_equal(heard.text, "");
    wait_until(s, has_moved, "promoted");
    int status = rejoin(s, s->old_primary);
    wait_until(s, is_whole, "whole again");

    assert_int_equal(heard.known, KNOWN_YES);
    assert_int_equal(status, 0);
    assert_int_equal(standing_of(s, s->old_primary).standing.rank, RANK_REPLICA);
    for (int n = 0; n < NODES; n++)
        send_command(s, n, "get kept | sed s/yes/OK/");
    assert_true(file_says(s, s->old_primary, "replicaof "));
    adopt(s, s->old_primary);
}

static void test_what_nobody_can_start_has_no_rejoin(void **state)
{
    struct Scene *s = *state;
    struct Err err;
    struct Commands commands;
    struct Role role = s->cluster.role;
    role.service = (struct Service){.exe = "/usr/bin/redis-server"};
    struct PlanInput input = {.target = &s->cluster.hosts[0], .role = &role};

    assert_true(kind->plan_rejoin(s->cluster.config, &input, s->cluster.arena, &commands, &err));
    assert_int_equal(commands.count, 0);

    kind->plan_ready(s->cluster.config, &input, s->cluster.arena, &commands);
    assert_int_equal(commands.count, 1);
    assert_non_null(strstr(commands_shell(&commands, s->cluster.arena), "'' '' 127.0.0.3"));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_of_two_primaries_the_one_that_is_followed_leads),
        TEST(test_a_client_finds_the_primary),
        TEST(test_nothing_fails_over_by_itself),
        TEST(test_settings_that_stop_all_writes_are_seen),
        TEST(test_asked_for_it_hands_over),
        TEST(test_past_a_silent_primary_nobody_is_promoted),
        TEST(test_past_a_primary_that_no_way_leads_to_nobody_is_promoted),
        TEST(test_who_is_to_lead_leads),
        TEST(test_a_dead_primary_is_replaced_and_follows),
        TEST(test_what_nobody_can_start_has_no_rejoin),
    };
    return cmocka_run_group_tests_name("redis", tests, group_begin, group_end);
}
