/* systems_patroni_test.c - what Patroni says is understood; what it does not say stays unknown. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "systems_patroni.h"

static void keep_standing(void *data, const struct Standing *standing)
{
    struct Scene *s = data;
    s->standing = *standing;
    s->came = true;
}

static void ask_standing(struct Scene *s, int64_t ms)
{
    s->came = false;
    kind->ask_standing(s->system, &s->host, in_ms(ms), keep_standing, s);
    assert_false(s->came);
    run_until(s->loop, &s->came);
}

static void test_a_host_says_who_it_is(void **state)
{
    struct Scene *s = *state;

    ask_standing(s, 20000);
    assert_int_equal(s->standing.rank, RANK_PRIMARY);
    assert_int_equal(s->standing.writable, KNOWN_YES);
    assert_null(strstr(s->asked, "Authorization")); /* who only looks shows no password */
    assert_string_equal(s->standing.epoch, "7");
    assert_string_equal(s->standing.identity, "72");

    snprintf(s->patroni, sizeof(s->patroni), "{\"state\": \"running\", \"role\": \"replica\"}");
    ask_standing(s, 20000);
    assert_int_equal(s->standing.rank, RANK_REPLICA);

    snprintf(s->patroni, sizeof(s->patroni), "{\"state\": \"stopped\", \"role\": \"master\"}");
    ask_standing(s, 20000);
    assert_int_equal(s->standing.rank, RANK_OTHER);
}

static void test_a_database_without_its_agent_speaks_for_itself(void **state)
{
    struct Scene *s = *state;
    s->patroni[0] = '\0'; /* Patroni is silent */

    ask_standing(s, 20000);

    assert_int_equal(s->standing.rank, RANK_PRIMARY);
    assert_int_equal(s->standing.writable, KNOWN_YES);
    assert_string_equal(s->standing.epoch, "1");
    assert_true(strlen(s->standing.identity) > 10);
}

static void test_an_agent_that_cannot_ask_its_database_says_nothing(void **state)
{
    struct Scene *s = *state;
    snprintf(s->patroni, sizeof(s->patroni), "{\"state\": \"unknown\", \"role\": \"replica\"}");

    ask_standing(s, 20000);

    assert_int_equal(s->standing.rank, RANK_PRIMARY); /* PostgreSQL itself was asked */
    assert_int_equal(s->standing.writable, KNOWN_YES);
    assert_string_equal(s->standing.epoch, "1");
}

static void test_silence_is_unknown(void **state)
{
    struct Scene *s = *state;
    s->patroni[0] = '\0';

    ask_standing(s, 100); /* too short for the database to be asked */

    assert_int_equal(s->standing.rank, RANK_UNKNOWN);
    assert_int_equal(s->standing.writable, KNOWN_UNKNOWN);
}

static void ask_control(struct Scene *s)
{
    s->came = false;
    kind->ask_control(s->system, in_ms(20000), keep_standing, s);
    run_until(s->loop, &s->came);
}

static void test_the_leader_is_who_has_the_lock(void **state)
{
    struct Scene *s = *state;

    ask_control(s);
    assert_int_equal(s->standing.rank, RANK_PRIMARY);
    assert_ptr_equal(s->standing.host, &s->host);

    snprintf(s->cluster, sizeof(s->cluster), MEMBERS, "replica");
    ask_control(s);
    assert_int_equal(s->standing.rank, RANK_UNKNOWN);
}

static void keep_known(void *data, enum Known known)
{
    struct Scene *s = data;
    s->known = known;
    s->came = true;
}

static enum Known detected(struct Scene *s)
{
    s->came = false;
    kind->ask_detected(s->system, in_ms(20000), keep_known, s);
    run_until(s->loop, &s->came);
    return s->known;
}

static void test_a_lock_that_is_gone_is_a_detection(void **state)
{
    struct Scene *s = *state;

    assert_int_equal(detected(s), KNOWN_NO);
    snprintf(s->cluster, sizeof(s->cluster), MEMBERS, "replica");
    assert_int_equal(detected(s), KNOWN_YES);
    snprintf(s->cluster, sizeof(s->cluster),
             "{\"members\": [{\"role\": \"leader\", \"host\": \"10.0.0.9\"}]}");
    assert_int_equal(detected(s), KNOWN_YES); /* another has it */
    assert_int_equal(detected(s), KNOWN_NO);
    snprintf(s->cluster, sizeof(s->cluster), "no JSON");
    assert_int_equal(detected(s), KNOWN_UNKNOWN);
}

static void keep_why(void *data, enum Known known, const char *why)
{
    struct Scene *s = data;
    snprintf(s->text, sizeof(s->text), "%s", why);
    keep_known(data, known);
}

static enum Known fail_over(struct Scene *s, int status, const char *said)
{
    s->came = false;
    s->status = status;
    snprintf(s->switchover, sizeof(s->switchover), "%s", said);
    kind->failover(s->system, &(struct FailoverWish){.forced = false},
                   in_ms(said[0] != '\0' ? 20000 : 3000), keep_why, s);
    run_until(s->loop, &s->came);
    return s->known;
}

static void test_a_switchover_of_which_nobody_knows_stays_unknown(void **state)
{
    struct Scene *s = *state;

    assert_int_equal(fail_over(s, 200, "Successfully switched over to \"b\""), KNOWN_YES);
    assert_non_null(strstr(s->asked, "{\"leader\":\"a\"}"));
    assert_non_null(strstr(s->asked, "Authorization: Basic ZHJpbGw6\r\n"));
    assert_int_equal(fail_over(s, 412, "leader name does not match"), KNOWN_NO);
    assert_string_equal(s->text, "leader name does not match");
    assert_int_equal(fail_over(s, 503, "Switchover failed"), KNOWN_NO);
    assert_int_equal(fail_over(s, 503, "Switchover status unknown"), KNOWN_UNKNOWN);
    assert_int_equal(fail_over(s, 200, "Failed over to \"c\" instead of \"b\""), KNOWN_UNKNOWN);
    assert_string_equal(s->text, "Failed over to \"c\" instead of \"b\"");
    assert_int_equal(fail_over(s, 0, ""), KNOWN_UNKNOWN);
    assert_string_equal(s->text, "it was sent, and Patroni on one did not answer");
    snprintf(s->cluster, sizeof(s->cluster), MEMBERS, "replica");
    assert_int_equal(fail_over(s, 200, "yes"), KNOWN_NO);
    assert_string_equal(s->text, "no Patroni names a leader");
}

/* The leader may be gone: it is sent to who is to take its place. */
static void test_a_forced_failover_names_who_is_to_lead(void **state)
{
    struct Scene *s = *state;
    snprintf(s->cluster, sizeof(s->cluster),
             "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"10.0.0.9\"}, "
             "{\"name\": \"c\", \"role\": \"replica\", \"state\": \"stopped\", \"host\": "
             "\"127.0.0.1\"}, {\"name\": \"b\", \"role\": \"replica\", \"state\": \"streaming\", "
             "\"host\": \"127.0.0.1\"}]}");
    s->status = 200;
    snprintf(s->switchover, sizeof(s->switchover), "Successfully failed over to \"b\"");

    kind->failover(s->system, &(struct FailoverWish){.forced = true}, in_ms(20000), keep_why, s);
    run_until(s->loop, &s->came);

    assert_int_equal(s->known, KNOWN_YES);
    assert_non_null(strstr(s->asked, "POST /failover "));
    assert_non_null(strstr(s->asked, "{\"candidate\":\"b\"}"));
}

static enum Known give_to(struct Scene *s, const struct Target *to, const char *row)
{
    s->came = false;
    s->status = 200;
    s->asked[0] = '\0';
    snprintf(s->switchover, sizeof(s->switchover), "Successfully switched over");
    snprintf(s->cluster, sizeof(s->cluster),
             "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"state\": \"running\", "
             "\"host\": \"127.0.0.1\"}, %s]}",
             row);
    kind->failover(s->system, &(struct FailoverWish){.to = to}, in_ms(20000), keep_why, s);
    run_until(s->loop, &s->came);
    return s->known;
}

#define SECOND_IS(role, state, lag)                                                                \
    "{\"name\": \"b\", \"role\": \"" role "\", \"state\": \"" state "\", \"lag\": " lag            \
    ", \"host\": \"" SECOND "\"}"

static void test_who_is_named_must_follow_and_is_the_candidate(void **state)
{
    struct Scene *s = *state;
    s->list[1] = &s->second;
    s->role.host_count = 2;

    assert_int_equal(give_to(s, &s->second, SECOND_IS("replica", "streaming", "0")), KNOWN_YES);
    assert_non_null(strstr(s->asked, "{\"leader\":\"a\",\"candidate\":\"b\"}"));
    assert_int_equal(give_to(s, &s->second, SECOND_IS("sync_standby", "running", "0")), KNOWN_YES);
    assert_int_equal(give_to(s, &s->second, SECOND_IS("replica", "starting", "\"unknown\"")),
                     KNOWN_NO);
    assert_string_equal(s->text,
                        "two does not follow the primary: it is replica, starting, of unknown lag");
    assert_null(strstr(s->asked, "POST"));
    assert_int_equal(give_to(s, &s->host, SECOND_IS("replica", "streaming", "0")), KNOWN_NO);
    assert_string_equal(s->text, "one does not follow the primary: it is leader, running");
    assert_int_equal(give_to(s, &s->second, "{\"name\": \"c\", \"role\": \"replica\"}"), KNOWN_NO);
    assert_string_equal(s->text, "Patroni knows no member at two");
}

/* Patroni itself would take it: its limit is maximum_lag_on_failover. */
static void test_by_force_nobody_is_named_who_has_less(void **state)
{
    struct Scene *s = *state;
    s->list[1] = &s->second;
    s->role.host_count = 2;
    s->status = 200;
    snprintf(s->switchover, sizeof(s->switchover), "Successfully failed over to \"b\"");
    const struct FailoverWish wish = {.to = &s->second, .forced = true};

    for (int ahead = 0; ahead < 2; ahead++) {
        s->came = false;
        snprintf(
            s->cluster, sizeof(s->cluster),
            "{\"members\": [{\"name\": \"c\", \"role\": \"replica\", \"state\": \"streaming\", "
            "\"lag\": %d, \"host\": \"127.0.0.1\"}, " SECOND_IS("replica", "streaming", "500") "]}",
            ahead == 1 ? 100 : 500);
        kind->failover(s->system, &wish, in_ms(20000), keep_why, s);
        run_until(s->loop, &s->came);
        assert_int_equal(s->known, ahead == 1 ? KNOWN_NO : KNOWN_YES);
    }

    assert_string_equal(s->text,
                        "c has more than two, which is named: what it alone has would be lost");
}

/* It may take Patroni a round until it counts as one. */
static void test_who_is_no_synchronous_standby_is_not_fit_to_lead(void **state)
{
    static const char third[] =
        ", {\"name\": \"c\", \"role\": \"sync_standby\", \"state\": \"streaming\"}";
    struct Scene *s = *state;
    s->list[1] = &s->second;
    s->role.host_count = 2;
    char row[300];
    snprintf(row, sizeof(row), "%s%s", SECOND_IS("replica", "streaming", "0"), third);

    assert_int_equal(give_to(s, &s->second, row), KNOWN_NO);
    assert_string_equal(s->text,
                        "two is no synchronous standby, as c is, and Patroni hands over to "
                        "no other: a synchronous_node_count of all replicas makes it one");
    assert_null(strstr(s->asked, "POST"));
    s->came = false;
    kind->ask_fit(s->system, &s->second, in_ms(20000), keep_why, s);
    run_until(s->loop, &s->came);
    assert_int_equal(s->known, KNOWN_NO);

    assert_int_equal(give_to(s, &s->second, SECOND_IS("sync_standby", "streaming", "0")),
                     KNOWN_YES);
    s->asked[0] = '\0';
    s->came = false;
    kind->ask_fit(s->system, &s->second, in_ms(20000), keep_why, s);
    run_until(s->loop, &s->came);
    assert_int_equal(s->known, KNOWN_YES);
    assert_null(strstr(s->asked, "POST"));
}

static void keep_prospect(void *data, const struct Prospect *prospect)
{
    struct Scene *s = data;
    struct Buf knobs = BUF(sizeof(s->knobs) - 1);
    for (size_t n = 0; n < prospect->knob_count; n++)
        buf_printf(&knobs, "%s=%s;", prospect->knobs[n].name, prospect->knobs[n].value);
    snprintf(s->knobs, sizeof(s->knobs), "%s", knobs.text);
    buf_free(&knobs);
    s->prospect = *prospect;
    snprintf(s->text, sizeof(s->text), "%s",
             prospect->not_ready != NULL ? prospect->not_ready : "");
    s->came = true;
}

static void ask_prospect(struct Scene *s)
{
    s->came = false;
    kind->ask_prospect(s->system, in_ms(20000), keep_prospect, s);
    run_until(s->loop, &s->came);
}

static void test_the_knobs_promise_a_range(void **state)
{
    struct Scene *s = *state;

    ask_prospect(s);

    assert_int_equal(s->prospect.failover.low_ns, 15 * NS_PER_S);
    assert_int_equal(s->prospect.failover.high_ns, 30 * NS_PER_S);
    assert_string_equal(
        s->knobs,
        "ttl=20 s;loop_wait=5 s;retry_timeout=10 s;maximum_lag_on_failover=1024 "
        "KiB;synchronous_mode=off;failsafe_mode=off;use_pg_rewind=off;beware=loop_wait + 2 * "
        "retry_timeout is more than ttl;");
    assert_string_equal(s->text, "there is no replica that could be promoted");
    assert_non_null(s->prospect.loss);
}

static void test_a_paused_patroni_is_a_trap(void **state)
{
    struct Scene *s = *state;
    snprintf(s->config, sizeof(s->config), "{\"pause\": true, \"synchronous_mode\": true}");

    ask_prospect(s);

    assert_string_equal(s->text, "Patroni is paused (maintenance mode): no failover will start");
    assert_null(s->prospect.loss);
}

static void keep_redundancy(void *data, const struct Redundancy *redundancy)
{
    struct Scene *s = data;
    s->redundancy = *redundancy;
    snprintf(s->text, sizeof(s->text), "%s", redundancy->why);
    s->came = true;
}

static enum Known whole(struct Scene *s)
{
    s->came = false;
    kind->ask_redundancy(s->system, in_ms(s->patroni[0] != '\0' ? 20000 : 300), keep_redundancy, s);
    run_until(s->loop, &s->came);
    return s->redundancy.complete;
}

static void test_what_does_not_answer_is_not_whole(void **state)
{
    struct Scene *s = *state;

    assert_int_equal(whole(s), KNOWN_YES);
    s->patroni[0] = '\0';
    assert_int_equal(whole(s), KNOWN_UNKNOWN);
    assert_string_equal(s->text, "not all hosts answer");
    snprintf(s->patroni, sizeof(s->patroni), "{\"state\": \"unknown\", \"role\": \"master\"}");
    assert_int_equal(whole(s), KNOWN_UNKNOWN);
    snprintf(s->patroni, sizeof(s->patroni), "{\"state\": \"stopped\", \"role\": \"master\"}");
    assert_int_equal(whole(s), KNOWN_NO);
    assert_string_equal(s->text, "no host says that it is the primary");
}

#define STREAM(name, address)                                                                      \
    "{\"application_name\": \"" name "\", \"client_addr\": \"" address                             \
    "\", \"state\": \"streaming\"}"

static enum Known whole_with(struct Scene *s, const char *streams)
{
    snprintf(s->patroni, sizeof(s->patroni),
             "{\"state\": \"running\", \"role\": \"master\", \"xlog\": {\"location\": 100}, "
             "\"timeline\": 7, \"replication\": [%s]}",
             streams);
    return whole(s);
}

static void test_only_the_hosts_of_the_role_are_replicas(void **state)
{
    struct Scene *s = *state;
    s->role.host_count = 2;

    assert_int_equal(whole_with(s, STREAM("barman", "10.0.0.7") ", " STREAM("sub", "127.0.0.1")),
                     KNOWN_NO); /* an archiver, and a subscriber on the primary's own host */
    assert_string_equal(s->text, "0 of 1 replicas stream from one");
    assert_int_equal(whole_with(s, STREAM("barman", "10.0.0.7") ", " STREAM("x", SECOND)),
                     KNOWN_YES);
    assert_int_equal(whole_with(s, STREAM("two", "10.0.0.9")), KNOWN_YES);
    assert_int_equal(whole_with(s, STREAM("b", "10.0.0.9")), KNOWN_YES); /* Patroni's name of it */
}

/* ---- the ledger, on a real PostgreSQL ---- */

struct Kept {
    bool came;
    struct Reply reply;
    char by[64], detail[200];
    enum Known complete;
    uint64_t numbers[10];
    size_t count;
};

static void keep_reply(void *data, const struct Reply *reply)
{
    struct Kept *kept = data;
    kept->reply = *reply;
    snprintf(kept->by, sizeof(kept->by), "%s", reply->by);
    snprintf(kept->detail, sizeof(kept->detail), "%s", reply->detail);
    kept->came = true;
}

static void keep_number(void *data, uint32_t writer, uint64_t number)
{
    struct Kept *kept = data;
    kept->numbers[kept->count++] = writer * 100 + number;
}

static void keep_end(void *data, enum Known complete)
{
    struct Kept *kept = data;
    kept->complete = complete;
    kept->came = true;
}

static struct Kept write_number(struct Scene *s, void *ledger, const struct Endpoint *at,
                                uint64_t number)
{
    struct Kept kept = {.came = false};
    kind->ledger->write(ledger, &(struct LedgerWrite){.to = at,
                                                      .writer = 2,
                                                      .number = number,
                                                      .deadline = in_ms(20000),
                                                      .done = keep_reply,
                                                      .data = &kept});
    run_until(s->loop, &kept.came);
    return kept;
}

static struct Kept read_back(struct Scene *s, void *ledger, const struct Endpoint *at)
{
    struct Kept kept = {.came = false};
    const struct LedgerRead to = {.found = keep_number, .done = keep_end, .data = &kept};
    kind->ledger->read(ledger, at, 2, in_ms(20000), &to);
    run_until(s->loop, &kept.came);
    return kept;
}

static void test_a_ledger_makes_its_table_and_leaves_no_row(void **state)
{
    struct Scene *s = *state;
    struct Err err = {.code = ERR_OWN};
    struct Endpoint at = {.host = NULL};
    const struct LedgerInput input = {
        .config = s->role.system_config, .loop = s->loop, .run = "01run", .probe = 3};
    const struct LedgerInput other = {
        .config = s->role.system_config, .loop = s->loop, .run = "01other", .probe = 3};
    void *ledger = kind->ledger->open(&input, &err), *beside = kind->ledger->open(&other, &err);
    kind->endpoint(s->role.system_config, &s->host, &at);

    assert_int_equal(read_back(s, ledger, &at).complete, KNOWN_YES); /* no table: nothing there */
    struct Kept first = write_number(s, ledger, &at, 5);
    assert_int_equal(first.reply.outcome, OUTCOME_OK);
    assert_string_equal(first.by, "127.0.0.1");
    assert_int_equal(write_number(s, ledger, &at, 6).reply.outcome, OUTCOME_OK);
    assert_int_equal(write_number(s, ledger, &at, 6).reply.outcome, OUTCOME_OK);
    assert_int_equal(write_number(s, beside, &at, 9).reply.outcome, OUTCOME_OK);
    struct Kept read = read_back(s, ledger, &at);
    assert_int_equal(read.complete, KNOWN_YES);
    assert_int_equal(read.count, 3); /* what was written twice is there twice */
    assert_int_equal(read.numbers[0], 205);
    assert_int_equal(read.numbers[2], 206);

    struct Kept tidied = {.came = false};
    const struct LedgerRead to = {.found = keep_number, .done = keep_end, .data = &tidied};
    kind->ledger->tidy(ledger, &at, in_ms(20000), &to);
    run_until(s->loop, &tidied.came);
    assert_int_equal(tidied.complete, KNOWN_YES);
    assert_int_equal(read_back(s, ledger, &at).count, 0);
    assert_int_equal(read_back(s, beside, &at).count, 1); /* another run's stay */

    kind->ledger->close(ledger);
    kind->ledger->close(beside);
}

/* The last one: the server is a replica from here on. */
static void test_what_a_replica_has_not_got_is_not_lost(void **state)
{
    struct Scene *s = *state;
    struct Err err = {.code = ERR_OWN};
    struct Endpoint front = {.host = NULL}, host = front;
    const struct LedgerInput input = {
        .config = s->role.system_config, .loop = s->loop, .run = "01late", .probe = 1};
    void *ledger = kind->ledger->open(&input, &err);
    kind->front(s->role.system_config, &front);
    kind->endpoint(s->role.system_config, &s->second, &host);

    assert_int_equal(write_number(s, ledger, &front, 5).reply.outcome, OUTCOME_OK);
    assert_int_equal(read_back(s, ledger, &front).complete, KNOWN_YES);
    assert_int_equal(read_back(s, ledger, &host).count, 1);
    postgres_process_demote(&postgres);
    kind->ledger->cancel(ledger); /* its connections are gone */

    struct Kept refused = write_number(s, ledger, &front, 6);
    assert_int_equal(refused.reply.failure, FAILURE_READ_ONLY); /* a client finds it as before */
    struct Kept read = read_back(s, ledger, &front);
    assert_int_equal(read.complete, KNOWN_NO);
    assert_int_equal(read.count, 0);
    assert_int_equal(read_back(s, ledger, &host).count, 1); /* for the record, it is read */

    kind->ledger->close(ledger);
}

static int group_begin(void **state)
{
    (void)state;
    postgres_process_start(&postgres);
    setenv("PGPASSWORD", "sesame", 1); /* a password must not stand in a config */
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    postgres_process_end(&postgres);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_host_says_who_it_is, begin, end),
        cmocka_unit_test_setup_teardown(test_a_database_without_its_agent_speaks_for_itself, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_an_agent_that_cannot_ask_its_database_says_nothing,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_silence_is_unknown, begin, end),
        cmocka_unit_test_setup_teardown(test_the_leader_is_who_has_the_lock, begin, end),
        cmocka_unit_test_setup_teardown(test_a_lock_that_is_gone_is_a_detection, begin, end),
        cmocka_unit_test_setup_teardown(test_a_switchover_of_which_nobody_knows_stays_unknown,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_a_forced_failover_names_who_is_to_lead, begin, end),
        cmocka_unit_test_setup_teardown(test_by_force_nobody_is_named_who_has_less, begin, end),
        cmocka_unit_test_setup_teardown(test_who_is_named_must_follow_and_is_the_candidate, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_who_is_no_synchronous_standby_is_not_fit_to_lead,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_the_knobs_promise_a_range, begin, end),
        cmocka_unit_test_setup_teardown(test_a_paused_patroni_is_a_trap, begin, end),
        cmocka_unit_test_setup_teardown(test_what_does_not_answer_is_not_whole, begin, end),
        cmocka_unit_test_setup_teardown(test_only_the_hosts_of_the_role_are_replicas, begin, end),
        cmocka_unit_test_setup_teardown(test_a_ledger_makes_its_table_and_leaves_no_row, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_what_a_replica_has_not_got_is_not_lost, begin, end),
    };
    if (postgres_process_missing()) {
        print_message("skip systems_patroni: there is no PostgreSQL server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
