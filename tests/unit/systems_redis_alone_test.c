/* systems_redis_alone_test.c - real Redis that nobody watches over: asked, told, promoted. */
/* SPDX-License-Identifier: Apache-2.0 */
#define CLUSTER_ALONE
#include "systems_scene.h"
#include "../../runner/transports/kinds.h"

static const struct FailoverWish plain = {.forced = false};

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* Without a write there is nothing that a replica could have. */
static void write_to_all(struct Scene *s)
{
    send_command(s, primary_of(s), "set kept yes");
    send_command(s, primary_of(s), "wait 2 5000 | sed s/2/OK/");
}

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
    struct Last last = last_of(s);
    send_command(s, second, back);

    assert_int_equal(leads, primary);
    assert_int_equal(last.primaries, 2);
    assert_ptr_equal(last.host, &s->cluster.hosts[second]); /* it was a replica */
    assert_int_equal(whole.known, KNOWN_NO);
    assert_string_equal(whole.text, "2 hosts say that they are the primary");
    assert_int_equal(refused.known, KNOWN_NO);
    assert_says(refused.text, " is a primary that runs: stop it or kill it first");
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
    assert_true(heard.prospect.planned.high_ns < 15 * NS_PER_S);
    assert_true(heard.prospect.handover.high_ns == 15 * NS_PER_S);
    assert_null(heard.prospect.no_handover);
    assert_non_null(strstr(heard.knobs, "switchover=FAILOVER TO, which Redis gives up after 5 s, "
                                        "until the replica is told;"));
    assert_non_null(strstr(heard.knobs, "writes wait until it answers, without a limit;"));
    assert_non_null(strstr(heard.knobs, "CONFIG REWRITE on both"));
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

/* Without the connections that it had. */
static void open_anew(struct Scene *s)
{
    struct Err err = {.code = ERR_OWN};
    kind->close(s->system);
    s->system = kind->open(s->cluster.config, &s->cluster.role, s->loop, &err);
    assert_non_null(s->system);
}

static void test_nobody_is_promoted_beside_a_primary_that_runs(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s);

    struct Heard unsaid = fail_over(s, &plain); /* its host does not say that it could hand over */
    struct Heard forced = fail_over(s, &(struct FailoverWish){.forced = true});

    assert_int_equal(unsaid.known, KNOWN_NO);
    assert_string_equal(unsaid.text,
                        "the host of the primary does not say whether it could hand over");
    assert_int_equal(forced.known, KNOWN_NO);
    assert_says(forced.text, " is a primary that runs: stop it or kill it first");
    assert_int_equal(primary_of(s), primary);
}

/* On their own machine, as whoever we are; what was opened by the other way is closed by it. */
static void reach_them(struct Scene *s, const struct TransportKind *reach)
{
    struct Err err = {.code = ERR_OWN};
    kind->close(s->system);
    for (int n = 0; n < NODES; n++) {
        s->cluster.hosts[n].reach = reach;
        s->cluster.hosts[n].reach_config = reach == &local_transport ? NULL : &stopped;
    }
    s->system = kind->open(s->cluster.config, &s->cluster.role, s->loop, &err);
    assert_non_null(s->system);
}

static struct Heard hand_over(struct Scene *s, int to)
{
    struct Heard heard = {.loop = s->loop};
    const struct FailoverWish wish = {.to = &s->cluster.hosts[to]};
    kind->failover(s->system, &wish, in_ms(60000), keep_why, &heard);
    loop_run(s->loop);
    return heard;
}

static bool files_say_who_follows(struct Scene *s)
{
    int leader = primary_of(s);
    char line[60];
    snprintf(line, sizeof(line), "replicaof %s ", s->cluster.address[leader]);
    for (int n = 0; n < NODES; n++)
        if (file_says(s, n, n == leader ? "replicaof " : line) != (n != leader))
            return false;
    return true;
}

static void test_a_primary_that_runs_hands_over(void **state)
{
    struct Scene *s = *state;
    int old = primary_of(s), heir = (old + 1) % NODES;
    write_to_all(s);

    reach_them(s, &local_transport);
    struct Heard itself = hand_over(s, old), there = hand_over(s, heir);
    int leads = primary_of(s);
    wait_until(s, files_say_who_follows, "written down");
    wait_until(s, is_whole, "whole again");
    reach_them(s, &speaking);

    assert_int_equal(itself.known, KNOWN_NO);
    assert_says(itself.text, " is no linked replica of ");
    assert_string_equal(there.text, "");
    assert_int_equal(there.known, KNOWN_YES);
    assert_int_equal(leads, heir);
    for (int n = 0; n < NODES; n++)
        send_command(s, n, "get kept | sed s/yes/OK/");
}

static void test_beside_a_silent_host_the_only_primary_decides_nothing(void **state)
{
    struct Scene *s = *state;
    int second = (primary_of(s) + 1) % NODES; /* it may be the one that was promoted */

    kill(s->cluster.redis[second], SIGSTOP);
    struct Last last = last_of(s);
    kill(s->cluster.redis[second], SIGCONT);

    assert_int_equal(last.primaries, 1);
    assert_null(last.host);
}

static void test_past_a_silent_primary_nobody_is_promoted(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s);

    write_to_all(s);
    kill(s->cluster.redis[primary], SIGSTOP);
    struct Heard heard = fail_over(s, &plain);
    kill(s->cluster.redis[primary], SIGCONT);

    assert_int_equal(heard.known, KNOWN_NO);
    assert_says(heard.text, " does not answer");
}

/* A loopback address that TCP finds no way to: the kernel says so at once, with or without a route.
 */
static void test_past_a_primary_that_no_way_leads_to_nobody_is_promoted(void **state)
{
    struct Scene *s = *state;
    struct Target *primary = &s->cluster.hosts[primary_of(s)];
    const char *address = primary->address;

    write_to_all(s);
    primary->address = "127.255.255.255";
    open_anew(s);
    struct Heard heard = fail_over(s, &plain);
    primary->address = address;
    open_anew(s);

    assert_int_equal(heard.known, KNOWN_NO);
    assert_says(heard.text, " does not answer");
    assert_ptr_equal(&s->cluster.hosts[primary_of(s)], primary);
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
    send_command(s, host, "shutdown nosave now force 2>/dev/null; echo OK");
    start_redis(&s->cluster, host);
}

static bool is_answered(struct Scene *s)
{
    for (int n = 0; n < NODES; n++)
        if (n != s->old_primary && standing_of(s, n).standing.rank == RANK_UNKNOWN)
            return false;
    return true;
}

static bool other_one_would_follow(struct Scene *s)
{
    char line[60];
    snprintf(line, sizeof(line), "replicaof %s ", s->cluster.address[s->new_primary]);
    return file_says(s, NODES - s->old_primary - s->new_primary, line);
}

/* Whoever asks for the ranks of all forgets the questions that are open: those that are to follow
 * do so all the same. */
static void test_a_dead_primary_is_replaced_and_follows(void **state)
{
    struct Scene *s = *state;
    struct Cluster *c = &s->cluster;
    s->old_primary = primary_of(s);
    s->new_primary = (s->old_primary + NODES - 1) % NODES;
    struct FailoverWish wish = {.to = &c->hosts[s->old_primary]};
    write_to_all(s);

    end_process(&c->redis[s->old_primary]);
    struct Heard itself = fail_over(s, &wish);
    c->hosts[s->old_primary].reach_config = &strange;
    struct Heard unsaid = fail_over(s, &plain);
    c->hosts[s->old_primary].reach_config = &stopped;
    open_anew(s); /* with the way that it had */
    wish.to = &c->hosts[s->new_primary];
    struct Heard heard = fail_over(s, &wish);
    assert_string_equal(heard.text, "");
    assert_false(file_says(s, s->new_primary, "replicaof "));
    kind->cancel(s->system);
    wait_until(s, has_moved, "promoted");
    wait_until(s, other_one_would_follow, "followed");
    assert_int_equal(itself.known, KNOWN_NO);
    assert_says(itself.text, ", which is named, could not be promoted");
    assert_int_equal(primary_of(s), s->new_primary);
    assert_int_equal(unsaid.known, KNOWN_NO);
    assert_says(unsaid.text, " does not say whether Redis runs there");
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

/* The one with most of what was acknowledged may be the one that is down. */
static void test_past_one_that_may_have_more_nobody_is_promoted(void **state)
{
    struct Scene *s = *state;
    struct Cluster *c = &s->cluster;
    s->old_primary = primary_of(s);
    int gone = (s->old_primary + 1) % NODES;

    write_to_all(s);
    end_process(&c->redis[s->old_primary]);
    end_process(&c->redis[gone]);
    struct Heard down = fail_over(s, &plain);
    start_redis(c, gone);
    wait_until(s, is_answered, "answered");
    struct Heard anew = fail_over(s, &plain);
    start_redis(c, s->old_primary);

    assert_int_equal(down.known, KNOWN_NO);
    assert_says(down.text, " does not run and may have more");
    assert_int_equal(anew.known, KNOWN_NO);
    assert_says(anew.text, " and may have more: `forced: true` promotes");
}

static void test_one_that_cannot_write_its_file_is_not_promoted(void **state)
{
    struct Scene *s = *state;
    struct Cluster *c = &s->cluster;
    s->old_primary = primary_of(s);
    char hide[200], show[200];
    snprintf(hide, sizeof(hide),
             "ping; cd %s && for n in 0 1 2; do mv redis-$n.conf $n.conf; "
             "mkdir redis-$n.conf; done; echo OK",
             c->dir);
    snprintf(show, sizeof(show),
             "ping; cd %s && for n in 0 1 2; do rmdir redis-$n.conf; "
             "mv $n.conf redis-$n.conf; done; echo OK",
             c->dir);
    int other = (s->old_primary + 1) % NODES;

    write_to_all(s);
    send_command(s, other, hide);
    end_process(&c->redis[s->old_primary]);
    struct Heard heard = fail_over(s, &plain);
    send_command(s, other, show);
    start_redis(c, s->old_primary);

    assert_int_equal(heard.known, KNOWN_NO);
    assert_says(heard.text, " cannot write down that it leads");
    wait_until(s, is_whole, "whole again");
    assert_int_equal(primary_of(s), s->old_primary);
}

/* ---- what is refused before anything is stopped ---- */

static void test_a_user_that_may_not_is_seen_beforehand(void **state)
{
    struct Scene *s = *state;
    int host = primary_of(s);

    send_command(s, host, "acl setuser default -replicaof");
    struct Heard heard = prospect_of(s);
    send_command(s, host, "acl setuser default +@all");

    assert_says(heard.text, "has no permissions to run the 'replicaof' command");
}

static void test_a_name_that_nobody_knows_is_seen_beforehand(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s), replica = (primary + 1) % NODES;
    char back[100];
    snprintf(back, sizeof(back), "replicaof %s %u", s->cluster.address[primary], s->cluster.port);

    send_command(s, replica, "replicaof localhost 1");
    struct Heard heard = prospect_of(s);
    send_command(s, replica, back);

    assert_says(heard.text, " follows localhost port 1, which is no host of role");
}

static bool is_watched(struct Scene *s)
{
    return strstr(prospect_of(s).text, "a Sentinel watches redis-") != NULL;
}

static void test_a_sentinel_that_watches_is_seen_beforehand(void **state)
{
    struct Scene *s = *state;
    char port[24];
    snprintf(port, sizeof(port), "%u", s->cluster.port);
    const char *const argv[] = {
        "redis-cli",          "-h", s->cluster.address[primary_of(s)], "-p", port, "subscribe",
        "__sentinel__:hello", NULL};
    pid_t watcher = start_process(&s->cluster, argv);

    wait_until(s, is_watched, "watched");
    end_process(&watcher);
}

static void test_what_nobody_can_start_is_not_stopped(void **state)
{
    struct Scene *s = *state;
    struct Err err;
    struct Commands commands;
    struct Role role = s->cluster.role;
    role.service = (struct Service){.exe = "/usr/bin/redis-server"};
    struct PlanInput input = {.target = &s->cluster.hosts[0], .role = &role};

    assert_false(kind->plan_rejoin(s->cluster.config, &input, s->cluster.arena, &commands, &err));
    assert_int_equal(err.code, ERR_NO_UNDO);
    assert_int_equal(commands.count, 0);
    input.leave_stopped = true;
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
        TEST(test_nobody_is_promoted_beside_a_primary_that_runs),
        TEST(test_beside_a_silent_host_the_only_primary_decides_nothing),
        TEST(test_past_a_silent_primary_nobody_is_promoted),
        TEST(test_past_a_primary_that_no_way_leads_to_nobody_is_promoted),
        TEST(test_a_dead_primary_is_replaced_and_follows),
        TEST(test_past_one_that_may_have_more_nobody_is_promoted),
        TEST(test_one_that_cannot_write_its_file_is_not_promoted),
        TEST(test_a_user_that_may_not_is_seen_beforehand),
        TEST(test_a_name_that_nobody_knows_is_seen_beforehand),
        TEST(test_a_sentinel_that_watches_is_seen_beforehand),
        TEST(test_a_primary_that_runs_hands_over),
        TEST(test_what_nobody_can_start_is_not_stopped),
    };
    return cmocka_run_group_tests_name("redis", tests, group_begin, group_end);
}
