/* systems_redis_sentinel_test.c - real Redis and Sentinels: known, or unknown in time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "systems_scene.h"

/* ---- what is known ---- */

static struct Heard detected_of(struct Scene *s)
{
    struct Heard heard = {.loop = s->loop};
    kind->ask_detected(s->system, in_ms(s->patience_ms), keep_known, &heard);
    loop_run(s->loop);
    return heard;
}

static void test_each_host_says_what_it_is(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s), replica = (primary + 1) % NODES;

    struct Heard leads = standing_of(s, primary), follows = standing_of(s, replica);

    assert_int_equal(leads.standing.rank, RANK_PRIMARY);
    assert_int_equal(leads.standing.writable, KNOWN_YES);
    assert_ptr_equal(leads.standing.host, &s->cluster.hosts[primary]);
    assert_int_equal(follows.standing.rank, RANK_REPLICA);
    assert_int_equal(follows.standing.writable, KNOWN_NO);
    assert_int_equal(strlen(leads.standing.epoch), 40);
    assert_string_equal(leads.standing.epoch, follows.standing.epoch);
    assert_int_equal(strlen(leads.standing.identity), 40);
    assert_string_not_equal(leads.standing.identity, follows.standing.identity);
    assert_true(mono_before(leads.standing.asked, leads.standing.answered));
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

static void test_whole_counts_every_replica(void **state)
{
    struct Scene *s = *state;
    int replica = (primary_of(s) + 1) % NODES;
    struct Heard before = whole_of(s);

    end_process(&s->cluster.redis[replica]);
    (void)whole_of(s); /* the connection that was kept ends */
    struct Heard after = whole_of(s);
    start_redis(&s->cluster, replica);

    assert_int_equal(before.redundancy.members, NODES);
    assert_int_equal(before.redundancy.in_sync, NODES);
    assert_int_equal(after.known, KNOWN_NO);
    if (strstr(after.text, s->cluster.hosts[replica].name) == NULL)
        fail_msg("%s", after.text);
}

static void test_whole_counts_every_sentinel(void **state)
{
    struct Scene *s = *state;

    kill(s->cluster.sentinel[2], SIGSTOP);
    s->patience_ms = 1000;
    struct Heard heard = whole_of(s);
    kill(s->cluster.sentinel[2], SIGCONT);

    assert_int_equal(heard.known, KNOWN_UNKNOWN);
    assert_string_equal(heard.text, "not all hosts and Sentinels answer");
}

static void test_prospect_reads_the_knobs(void **state)
{
    struct Scene *s = *state;

    struct Heard heard = prospect_of(s);

    assert_string_equal(heard.text, "");
    assert_int_equal(heard.prospect.failover.low_ns, (DOWN_AFTER_MS - 1000) * NS_PER_MS);
    assert_int_equal(heard.prospect.failover.high_ns, DOWN_AFTER_MS * NS_PER_MS + 5 * NS_PER_S);
    assert_int_equal(heard.prospect.cool_down_ns, 0);
    const char *version = strstr(heard.knobs, "Redis=");
    assert_non_null(version);
    assert_string_equal(strchr(version, ';'), ";appendonly=yes;save=never;"
                                              "min-replicas-to-write=0;min-replicas-max-lag=10 s;"
                                              "replica-priority=100, 100;");
    heard.knobs[version - heard.knobs] = '\0';
    assert_string_equal(heard.knobs, "down-after-milliseconds=2000;quorum=2 of 3 Sentinels;"
                                     "failover-timeout=3000;parallel-syncs=2;");
    assert_string_equal(heard.loss, "loss possible: min-replicas-to-write 0");
}

static void test_prospect_tells_persistence(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s);
    struct Heard all = prospect_of(s);

    send_command(s, primary, "flushall");
    send_command(s, primary, "config set appendonly no save ''");
    send_command(s, primary, "mset a 1 b 2 c 3");
    struct Heard none = prospect_of(s);
    send_command(s, primary, "config set save '3600 100000'");
    struct Heard snapshot = prospect_of(s);
    send_command(s, primary, "config set save '' appendonly yes");

    assert_int_equal(all.prospect.persistence, PERSIST_ALL);
    assert_int_equal(none.prospect.persistence, PERSIST_NONE);
    assert_int_equal(none.prospect.keys_at_risk, 3);
    assert_int_equal(snapshot.prospect.persistence, PERSIST_SNAPSHOT);
    assert_true(snapshot.prospect.keys_at_risk >= 3);
    assert_non_null(strstr(snapshot.knobs, "save=3600 100000;"));
}

static void test_prospect_sees_that_none_may_be_promoted(void **state)
{
    struct Scene *s = *state;

    for (int n = 0; n < NODES; n++)
        send_command(s, n, "config set replica-priority 0");
    struct Heard heard = prospect_of(s);
    for (int n = 0; n < NODES; n++)
        send_command(s, n, "config set replica-priority 100");

    assert_string_equal(heard.text, "replica-priority is 0 on every replica: none may be promoted");
}

static void test_prospect_says_what_a_sentinel_says(void **state)
{
    struct Scene *s = *state;
    struct Err err;
    void *config =
        read_config(&s->cluster, arena_printf(s->cluster.arena,
                                              "{master: other, sentinels: [redis-1], port: %u, "
                                              "sentinel_port: %u}",
                                              s->cluster.port, s->cluster.sentinel_port));
    struct Scene other = *s;
    other.system = kind->open(config, &s->cluster.role, s->loop, &err);

    struct Heard heard = prospect_of(&other);
    kind->close(other.system);

    assert_string_equal(heard.text, "Sentinel redis-1: ERR No such master with that name");
}

/* ---- unknown ---- */

static void test_silence_is_unknown_in_time(void **state)
{
    struct Scene *s = *state;
    int replica = (primary_of(s) + 1) % NODES;
    struct Heard heard = {.loop = s->loop};
    (void)standing_of(s, replica);

    kill(s->cluster.redis[replica], SIGSTOP);
    struct Mono asked = mono_now();
    kind->ask_standing(s->system, &s->cluster.hosts[replica], mono_add(asked, 100 * NS_PER_MS),
                       keep_standing, &heard);
    loop_run(s->loop);
    int64_t took_ns = mono_since(asked, mono_now());
    kill(s->cluster.redis[replica], SIGCONT);
    struct Heard again = standing_of(s, replica);

    assert_int_equal(heard.standing.rank, RANK_UNKNOWN);
    assert_int_equal(heard.standing.writable, KNOWN_UNKNOWN);
    assert_true(took_ns >= 100 * NS_PER_MS && took_ns < 15 * NS_PER_S);
    assert_int_equal(again.standing.rank, RANK_REPLICA);
}

static void test_without_a_majority_nobody_is_named(void **state)
{
    struct Scene *s = *state;
    struct Heard found = {.loop = s->loop};

    kill(s->cluster.sentinel[0], SIGSTOP);
    kill(s->cluster.sentinel[1], SIGSTOP);
    s->patience_ms = 500; /* after 2 s without turn a Sentinel does nothing for 30 s */
    struct Heard control = control_of(s), detected = detected_of(s);
    kind->find_primary(s->system, in_ms(20000), keep_address, &found);
    loop_run(s->loop);
    kill(s->cluster.sentinel[0], SIGCONT);
    kill(s->cluster.sentinel[1], SIGCONT);

    assert_int_equal(control.standing.rank, RANK_UNKNOWN);
    assert_int_equal(detected.known, KNOWN_UNKNOWN);
    assert_true(found.text[0] != '\0');
}

static void test_without_sentinels_all_is_unknown(void **state)
{
    struct Scene *s = *state;
    struct Heard found = {.loop = s->loop};

    for (int n = 0; n < NODES; n++)
        kill(s->cluster.sentinel[n], SIGSTOP);
    kind->find_primary(s->system, in_ms(100), keep_address, &found);
    loop_run(s->loop);
    s->patience_ms = 100;
    struct Heard failover = fail_over(s, &(struct FailoverWish){.forced = false});
    for (int n = 0; n < NODES; n++)
        kill(s->cluster.sentinel[n], SIGCONT);

    assert_string_equal(found.text, "");
    assert_int_equal(failover.known, KNOWN_NO);
    assert_string_equal(failover.text, "no Sentinel answers");
}

static void test_cancel_leaves_nothing(void **state)
{
    struct Scene *s = *state;
    struct Heard heard = {.loop = NULL};
    struct Mono deadline = in_ms(s->patience_ms);

    kind->ask_standing(s->system, &s->cluster.hosts[0], deadline, keep_standing, &heard);
    kind->ask_control(s->system, deadline, keep_standing, &heard);
    kind->ask_redundancy(s->system, deadline, keep_redundancy, &heard);
    kind->ask_prospect(s->system, deadline, keep_prospect, &heard);
    kind->ask_detected(s->system, deadline, keep_known, &heard);
    kind->snapshot(s->system, &s->cluster.hosts[1], deadline, keep_why, &heard);
    kind->find_primary(s->system, deadline, keep_address, &heard);
    run_turn(s->loop);
    int before = heard.times;
    kind->cancel(s->system);
    (void)standing_of(s, 0);

    assert_int_equal(heard.times, before);
}

static void test_a_sentinel_that_is_no_place_is_said(void **state)
{
    struct Scene *s = *state;
    struct Err err = {.code = ERR_OWN};
    void *config = read_config(&s->cluster, "{master: shop, sentinels: [redis-1, redis-9]}");

    assert_null(kind->open(config, &s->cluster.role, s->loop, &err));

    assert_string_equal(err.message, "sentinel 'redis-9' of role 'redis' is no host of this "
                                     "environment, and no host:port");
}

/* ---- what is done ---- */

static bool is_detected(struct Scene *s)
{
    return detected_of(s).known == KNOWN_YES;
}

/* The words of the command that undo would run. */
static const char *const *rejoin_argv(struct Scene *s, int host)
{
    struct Cluster *c = &s->cluster;
    struct Err err;
    struct Commands commands;
    void *config = read_config(
        c, arena_printf(c->arena,
                        "{master: shop, sentinels: [redis-1, redis-2, redis-3], port: %u, "
                        "sentinel_port: %u, config: %s/redis-%d.conf}",
                        c->port, c->sentinel_port, c->dir, host));
    c->role.service.start =
        arena_printf(c->arena, "redis-server %s/redis-%d.conf --daemonize yes", c->dir, host);
    struct PlanInput input = {.target = &c->hosts[host], .role = &c->role};
    assert_true(kind->plan_rejoin(config, &input, c->arena, &commands, &err));
    assert_int_equal(commands.count, 1);
    return commands.at[0].argv;
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
}

static void test_a_killed_primary_comes_back_as_a_replica(void **state)
{
    struct Scene *s = *state;
    struct Cluster *c = &s->cluster;
    s->old_primary = primary_of(s);
    assert_int_equal(detected_of(s).known, KNOWN_NO);

    end_process(&c->redis[s->old_primary]);
    wait_until(s, is_detected, "detected");
    pid_t rejoin =
        start_process(c, rejoin_argv(s, s->old_primary)); /* in the midst of the failover */
    wait_until(s, has_moved, "failed over");
    int primaries = 0, status = 0;
    while (waitpid(rejoin, &status, WNOHANG) == 0)
        primaries += standing_of(s, s->old_primary).standing.rank == RANK_PRIMARY;
    wait_until(s, is_whole, "whole again");

    assert_int_equal(status, 0);
    assert_int_equal(primaries, 0);
    assert_int_equal(standing_of(s, s->old_primary).standing.rank, RANK_REPLICA);
    send_command(s, s->old_primary, "shutdown nosave now 2>/dev/null; echo OK");
    start_redis(c, s->old_primary);
}

static void test_a_primary_that_nobody_replaced_is_started_as_it_is(void **state)
{
    struct Scene *s = *state;
    struct Cluster *c = &s->cluster;
    int primary = primary_of(s), status = 1;
    send_command(s, primary, "set kept yes");
    const char *const *argv = rejoin_argv(s, primary);

    for (int n = 0; n < NODES; n++)
        kill(c->sentinel[n], SIGSTOP); /* nobody answers */
    end_process(&c->redis[primary]);
    waitpid(start_process(c, argv), &status, 0);
    for (int n = 0; n < NODES; n++)
        kill(c->sentinel[n], SIGCONT);
    wait_until(s, is_whole, "whole again");

    assert_int_equal(status, 0);
    send_command(s, primary, "get kept | sed s/yes/OK/");
    send_command(s, primary, "shutdown nosave now 2>/dev/null; echo OK");
    start_redis(c, primary);
}

static void test_a_planned_failover_moves_the_primary(void **state)
{
    struct Scene *s = *state;
    const struct FailoverWish wish = {.forced = false};
    s->old_primary = primary_of(s);

    struct Heard accepted = fail_over(s, &wish), refused = fail_over(s, &wish);

    assert_int_equal(accepted.known, KNOWN_YES);
    if (refused.known == KNOWN_NO) /* another Sentinel may not know of it yet */
        assert_string_equal(refused.text, "INPROG Failover already in progress");
    /* Where the machine is so busy that the replicas look dead for 2 s, Sentinel gives up what
     * it has accepted, and has to be asked again. */
    for (int tries = 0; tries < 5 && !becomes(s, has_moved, 10000); tries++)
        (void)fail_over(s, &wish);
    wait_until(s, has_moved, "moved");
}

static void test_a_snapshot_is_on_disk(void **state)
{
    struct Scene *s = *state;
    const struct Target *host = &s->cluster.hosts[1];
    struct Heard saved = {.loop = s->loop}, in_the_way = {.loop = s->loop};
    char path[100];
    snprintf(path, sizeof(path), "%s/dump-1.rdb", s->cluster.dir);
    unlink(path);

    kind->snapshot(s->system, host, in_ms(30000), keep_why, &saved);
    loop_run(s->loop);
    bool there = access(path, F_OK) == 0;
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    kind->snapshot(s->system, host, in_ms(30000), keep_why, &in_the_way);
    loop_run(s->loop);
    rmdir(path);

    assert_int_equal(saved.known, KNOWN_YES);
    assert_true(there);
    assert_int_equal(in_the_way.known, KNOWN_NO);
    assert_string_equal(in_the_way.text, "Redis says rdb_last_bgsave_status:err; see its log");
}

/* ---- numbered writes ---- */

struct Numbers {
    struct Heard heard; /* first */
    enum Failure failure;
    uint64_t sum;
};

static void keep_reply(void *data, const struct Reply *reply)
{
    struct Numbers *numbers = data;
    numbers->failure = reply->failure;
    snprintf(numbers->heard.text, sizeof(numbers->heard.text), "%.399s", reply->by);
    keep_known(data, reply->outcome == OUTCOME_OK ? KNOWN_YES : KNOWN_NO);
}

static void add_number(void *data, uint32_t writer, uint64_t number)
{
    ((struct Numbers *)data)->sum += writer * 1000 + number;
}

static struct Numbers write_number(struct Scene *s, void *ledger, int host, uint32_t writer,
                                   uint64_t number)
{
    struct Numbers numbers = {.heard = {.loop = s->loop}};
    struct Endpoint to;
    kind->endpoint(s->cluster.config, &s->cluster.hosts[host], &to);
    kind->ledger->write(ledger, &(struct LedgerWrite){.to = &to,
                                                      .writer = writer,
                                                      .number = number,
                                                      .deadline = in_ms(s->patience_ms),
                                                      .done = keep_reply,
                                                      .data = &numbers});
    loop_run(s->loop);
    return numbers;
}

static void test_numbers_that_were_acknowledged_are_read_back(void **state)
{
    struct Scene *s = *state;
    int primary = primary_of(s);
    struct Err err;
    const struct LedgerInput input = {
        .config = s->cluster.config, .loop = s->loop, .run = "01abc", .probe = 2};
    void *ledger = kind->ledger->open(&input, &err);
    struct Numbers read = {.heard = {.loop = s->loop}};
    const struct LedgerRead to = {.found = add_number, .done = keep_known, .data = &read};
    struct Endpoint from;
    kind->endpoint(s->cluster.config, &s->cluster.hosts[primary], &from);

    struct Numbers first = write_number(s, ledger, primary, 1, 1);
    struct Numbers third = write_number(s, ledger, primary, 3, 7);
    struct Numbers refused = write_number(s, ledger, (primary + 1) % NODES, 1, 2);
    kind->ledger->read(ledger, &from, 3, in_ms(s->patience_ms), &to);
    loop_run(s->loop);
    bool connected = kind->ledger->connected(ledger);
    kind->ledger->cancel(ledger);
    assert_false(kind->ledger->connected(ledger));
    kind->ledger->close(ledger);

    assert_int_equal(first.heard.known, KNOWN_YES);
    assert_string_equal(first.heard.text, s->cluster.address[primary]);
    assert_int_equal(third.heard.known, KNOWN_YES);
    assert_int_equal(refused.failure, FAILURE_READ_ONLY);
    assert_true(connected);
    assert_int_equal(read.heard.known, KNOWN_YES);
    assert_int_equal(read.sum, 1001 + 3007);
    send_command(s, primary, "ttl faildrill:01abc:2:3 | sed s/86[34]../OK/");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_host_says_what_it_is),
        TEST(test_a_client_finds_the_primary),
        TEST(test_whole_counts_every_replica),
        TEST(test_whole_counts_every_sentinel),
        TEST(test_prospect_reads_the_knobs),
        TEST(test_prospect_tells_persistence),
        TEST(test_prospect_sees_that_none_may_be_promoted),
        TEST(test_prospect_says_what_a_sentinel_says),
        TEST(test_silence_is_unknown_in_time),
        TEST(test_without_a_majority_nobody_is_named),
        TEST(test_without_sentinels_all_is_unknown),
        TEST(test_cancel_leaves_nothing),
        TEST(test_a_sentinel_that_is_no_place_is_said),
        TEST(test_what_nobody_can_start_has_no_rejoin),
        TEST(test_a_killed_primary_comes_back_as_a_replica),
        TEST(test_a_primary_that_nobody_replaced_is_started_as_it_is),
        TEST(test_a_planned_failover_moves_the_primary),
        TEST(test_numbers_that_were_acknowledged_are_read_back),
        TEST(test_a_snapshot_is_on_disk),
    };
    return cmocka_run_group_tests_name("redis_sentinel", tests, group_begin, group_end);
}
