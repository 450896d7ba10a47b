/* systems_rabbitmq_test.c - who leads a quorum queue, by what nodes answer to erl_call. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/systems/rabbitmq.h"
#include "../../runner/transports/kinds.h"
#include "../fakes/server.h"

/* Two hosts, both this machine, so the first to be asked says `one` and the second `two`. */
struct Scene {
    struct Loop *loop;
    struct Arena *arena;
    struct Target hosts[2];
    const struct Target *list[2];
    struct Role role;
    void *system;
    bool came;
    struct Standing standing;
    enum Known known;
    struct Prospect prospect;
    char text[400], folder[40];
};

static const char program[] =
    "#!/bin/sh\n"
    "d=${0%/*} q=$(cat)\n"
    "echo \"$*\" >>$d/called\n"
    "case $q in\n"
    "*transfer_leadership*) printf '%s' \"$q\" >$d/moved; cat $d/move ;;\n"
    "*effective_definition*) cat $d/config ;;\n"
    "*) printf '%s' \"$q\" >$d/asked\n"
    "    if mkdir $d/first 2>/dev/null; then cat $d/one; else cat $d/two; fi ;;\n"
    "esac\n";

static void put(const struct Scene *s, const char *name, const char *text)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *get(struct Scene *s, const char *name)
{
    static char text[8000];
    char path[80];
    snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    FILE *file = fopen(path, "re");
    size_t size = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[size] = '\0';
    if (file != NULL)
        (void)fclose(file);
    return text;
}

static void anew(struct Scene *s)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/first", s->folder);
    (void)rmdir(path);
}

#define SAYS(node, state, term, index, members)                                                    \
    "{ok, \"faildrill rabbit@" node " " state " " term " " index " " members " 0\"}"

static void *read_config(struct Scene *s, struct Problems *problems, const char *yaml)
{
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, rabbitmq_system.config.size);
    return decode_record(&decode, document->root, &rabbitmq_system.config, config) ? config : NULL;
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    struct Problems *problems = problems_new();
    struct Err err = {.code = ERR_OWN};
    s->loop = loop_new();
    s->arena = arena_new("rabbitmq", 1u << 20);
    snprintf(s->folder, sizeof(s->folder), "/tmp/faildrill-rabbit-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    put(s, "erl_call", program);
    char path[80];
    snprintf(path, sizeof(path), "%s/erl_call", s->folder);
    assert_int_equal(chmod(path, 0700), 0);
    put(s, "one", SAYS("a", "leader", "7", "90", "2"));
    put(s, "two", SAYS("b", "follower", "7", "88", "2"));
    put(s, "config", "{ok, \"faildrill 3.10.8 5000 60 pause_minority 0 none\"}");
    put(s, "move", "{ok, \"faildrill ok\"}");
    void *config = read_config(s, problems,
                               arena_printf(s->arena, "{queue: \"d'\\\"s\", erl_call: %s}", path));
    assert_non_null(config);
    problems_free(problems);
    for (int n = 0; n < 2; n++) {
        s->hosts[n] = (struct Target){
            .name = n == 0 ? "one" : "two", .address = "127.0.0.1", .reach = &local_transport};
        s->list[n] = &s->hosts[n];
    }
    s->role = (struct Role){.name = "queue",
                            .hosts = s->list,
                            .host_count = 2,
                            .system = &rabbitmq_system,
                            .system_config = config};
    s->system = rabbitmq_system.open(config, &s->role, s->loop, &err);
    assert_non_null(s->system);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct Scene *s = *state;
    static const char *const names[] = {"erl_call", "called", "one",   "two",  "config",
                                        "move",     "moved",  "asked", "first"};
    rabbitmq_system.close(s->system);
    for (size_t n = 0; n < COUNT_OF(names); n++) {
        char path[80];
        snprintf(path, sizeof(path), "%s/%s", s->folder, names[n]);
        (void)remove(path);
    }
    assert_int_equal(rmdir(s->folder), 0);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

static struct Mono soon(void)
{
    return mono_add(mono_now(), 50 * NS_PER_S);
}

static void wait_for_it(struct Scene *s)
{
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

static void keep_prospect(void *data, const struct Prospect *prospect)
{
    struct Scene *s = data;
    s->prospect = *prospect;
    snprintf(s->text, sizeof(s->text), "%s", prospect->not_ready ? prospect->not_ready : "");
    s->came = true;
}

static enum Rank rank_of(struct Scene *s, const char *said)
{
    put(s, "one", said);
    anew(s);
    rabbitmq_system.ask_standing(s->system, &s->hosts[0], soon(), keep_standing, s);
    wait_for_it(s);
    return s->standing.rank;
}

static enum Known redundancy_of(struct Scene *s)
{
    anew(s);
    rabbitmq_system.ask_redundancy(s->system, soon(), keep_redundancy, s);
    wait_for_it(s);
    return s->known;
}

static const char *trap_of(struct Scene *s)
{
    anew(s);
    rabbitmq_system.ask_prospect(s->system, soon(), keep_prospect, s);
    wait_for_it(s);
    return s->text;
}

static enum Known move(struct Scene *s, const struct Target *to)
{
    anew(s);
    rabbitmq_system.failover(s->system, &(struct FailoverWish){.to = to}, soon(), keep_why, s);
    wait_for_it(s);
    return s->known;
}

/* Where the leader was at `index` a while ago. Whichever host is asked first says that it leads. */
static enum Known redundancy_after(struct Scene *s, int64_t index)
{
    struct Rabbitmq *system = s->system;
    size_t leader;
    do {
        leader = system->past[1].leader;
        system->past[0] = system->past[1] =
            (struct RabbitmqPast){.leader = leader, .index = index, .at = mono_now()};
        (void)redundancy_of(s);
    } while (system->past[1].leader != leader);
    return s->known;
}

/* However few the entries are that the drill has written. */
static void test_a_member_has_what_the_leader_had_a_while_ago(void **state)
{
    struct Scene *s = *state;
    struct RabbitmqPast past[2] = {{.index = 0}};
    const struct Mono at = {.ns = 5 * NS_PER_S};
    assert_int_equal(rabbitmq_was_at(past, 0, 70, at), -1);
    assert_int_equal(rabbitmq_was_at(past, 0, 80, mono_add(at, 9 * NS_PER_S)), -1);
    assert_int_equal(rabbitmq_was_at(past, 0, 90, mono_add(at, 10 * NS_PER_S)), 70);
    assert_int_equal(rabbitmq_was_at(past, 0, 95, mono_add(at, 19 * NS_PER_S)), 70);
    assert_int_equal(rabbitmq_was_at(past, 0, 95, mono_add(at, 20 * NS_PER_S)), 90);
    assert_int_equal(rabbitmq_was_at(past, 1, 91, mono_add(at, 30 * NS_PER_S)), -1);
    assert_int_equal(rabbitmq_was_at(past, 1, 92, mono_add(at, 40 * NS_PER_S)), 91);

    assert_int_equal(redundancy_after(s, 88), KNOWN_YES);
    assert_int_equal(redundancy_after(s, 89), KNOWN_NO);
    assert_non_null(strstr(s->text, " is 2 entries behind"));
}

static void test_its_own_raft_says_who_leads(void **state)
{
    struct Scene *s = *state;
    assert_int_equal(rank_of(s, SAYS("a", "leader", "7", "90", "2")), RANK_PRIMARY);
    assert_string_equal(s->standing.epoch, "7");
    assert_int_equal(s->standing.writable, KNOWN_UNKNOWN);
    assert_int_equal(rank_of(s, SAYS("a", "follower", "7", "90", "2")), RANK_REPLICA);
    assert_int_equal(rank_of(s, SAYS("a", "candidate", "unknown", "-1", "2")), RANK_OTHER);
    assert_string_equal(s->standing.epoch, "");
    assert_int_equal(rank_of(s, SAYS("a", "no_queue", "unknown", "-1", "0")), RANK_OTHER);
    assert_int_equal(rank_of(s, "{error, {badarg, faildrill}}"), RANK_UNKNOWN);
    assert_int_equal(rank_of(s, ""), RANK_UNKNOWN);
}

/* Names are bytes to Erlang, whatever they hold; a node's name is made on its host. */
static void test_a_name_is_no_part_of_what_is_evaluated(void **state)
{
    struct Scene *s = *state;
    (void)rank_of(s, "");
    assert_true(
        text_starts(get(s, "asked"), "R = rabbit_misc:r(<<47>>, queue, <<100,39,34,115>>), "));
    assert_non_null(strstr(get(s, "called"), " -sname rabbit@"));
    assert_null(strstr(get(s, "called"), " -c "));
}

/* A node keeps each name it ever heard. */
static void test_who_asks_twice_has_one_name(void **state)
{
    struct Scene *s = *state;
    char first[40] = "", second[40] = "";
    (void)rank_of(s, "");
    (void)rank_of(s, "");
    assert_int_equal(sscanf(get(s, "called"), "-h %39s %*[^\n]\n-h %39s", first, second), 2);
    assert_string_equal(first, second);
}

static void test_redundancy_is_all_members_none_behind(void **state)
{
    struct Scene *s = *state;
    assert_int_equal(redundancy_of(s), KNOWN_YES);
    put(s, "two", SAYS("b", "follower", "7", "-1", "2"));
    assert_int_equal(redundancy_of(s), KNOWN_UNKNOWN);
    put(s, "two", "{ok, \"faildrill rabbit@b follower 7 88 2 1\"}");
    assert_int_equal(redundancy_of(s), KNOWN_NO);
    assert_non_null(strstr(s->text, " is split from 1 of the nodes"));
    put(s, "one", SAYS("a", "leader", "7", "9000", "2"));
    put(s, "two", SAYS("b", "follower", "7", "88", "2"));
    assert_int_equal(redundancy_of(s), KNOWN_NO);
    assert_non_null(strstr(s->text, " is 8912 entries behind"));
    put(s, "one", SAYS("a", "leader", "7", "90", "3"));
    assert_int_equal(redundancy_of(s), KNOWN_NO);
    assert_string_equal(s->text, "the queue has 3 members, the role 2 hosts");
    put(s, "two", "");
    assert_int_equal(redundancy_of(s), KNOWN_UNKNOWN);
}

static void test_what_it_promises_is_read_from_the_leader(void **state)
{
    struct Scene *s = *state;
    assert_string_equal(trap_of(s), "");
    assert_int_equal(s->prospect.failover.high_ns, 12 * NS_PER_S);
    assert_int_equal(s->prospect.persistence, PERSIST_ALL);
    put(s, "config", "{ok, \"faildrill 3.10.8 5000 60 autoheal 2 none\"}");
    assert_true(text_starts(trap_of(s), "2 consumers take from the queue"));
    put(s, "config", "{ok, \"faildrill 3.10.8 5000 60 autoheal 0 max-length\"}");
    assert_string_equal(trap_of(s), "the queue loses what it acknowledged by its max-length");
    put(s, "config", "{ok, \"faildrill 3.10.8 5000 60 ignore 0 none\"}");
    assert_true(text_starts(trap_of(s), "cluster_partition_handling is `ignore`"));
    put(s, "config", "{error, {exception, undef}}");
    assert_string_equal(trap_of(s), "the leader does not say how its queue is configured");
    assert_true(s->prospect.failover.high_ns == NS_NEVER);
    put(s, "one", SAYS("a", "no_queue", "unknown", "-1", "0"));
    put(s, "two", SAYS("b", "no_queue", "unknown", "-1", "0"));
    assert_string_equal(trap_of(s), "no host says that it is the primary");
}

static void test_the_leader_is_asked_to_hand_over(void **state)
{
    struct Scene *s = *state;
    assert_true(rabbitmq_system.acts_on_hosts); /* for the gate */
    assert_int_equal(move(s, NULL), KNOWN_YES);
    assert_non_null(strstr(get(s, "moved"), /* rabbit@b */
                           "binary_to_list(<<114,97,98,98,105,116,64,98>>)"));
    put(s, "move", "{ok, \"faildrill {error,unknown_member}\"}");
    assert_int_equal(move(s, NULL), KNOWN_NO);
    assert_string_equal(s->text, "its leader says: {error,unknown_member}");
    put(s, "move", "{ok, \"faildrill {timeout,{x,y}}\"}");
    assert_int_equal(move(s, NULL), KNOWN_UNKNOWN);
    put(s, "move", "");
    assert_int_equal(move(s, NULL), KNOWN_UNKNOWN);
}

static void test_nobody_is_asked_where_nobody_follows(void **state)
{
    struct Scene *s = *state;
    put(s, "two", SAYS("b", "candidate", "7", "88", "2"));
    assert_int_equal(move(s, NULL), KNOWN_NO);
    assert_string_equal(s->text, "there is no follower that could lead");
    put(s, "one", SAYS("a", "follower", "7", "88", "2"));
    assert_int_equal(move(s, NULL), KNOWN_NO);
    assert_string_equal(s->text, "no member says that it leads");
    assert_string_equal(get(s, "moved"), "");
}

static void test_names_that_are_none_are_refused(void **state)
{
    struct Scene *s = *state;
    static const char *const bad[] = {
        "{queue: \"\"}",           "{queue: x, node: rabbit@one}", "{queue: x, node: \"a b\"}",
        "{queue: x, vhost: \"\"}", "{queue: x, user: y}",          "{}"};
    for (size_t n = 0; n < COUNT_OF(bad); n++) {
        struct Problems *problems = problems_new();
        (void)read_config(s, problems, bad[n]);
        assert_int_equal(problems_count(problems), 1);
        problems_free(problems);
    }
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        SCENE(test_a_member_has_what_the_leader_had_a_while_ago),
        SCENE(test_its_own_raft_says_who_leads),
        SCENE(test_a_name_is_no_part_of_what_is_evaluated),
        SCENE(test_who_asks_twice_has_one_name),
        SCENE(test_redundancy_is_all_members_none_behind),
        SCENE(test_what_it_promises_is_read_from_the_leader),
        SCENE(test_the_leader_is_asked_to_hand_over),
        SCENE(test_nobody_is_asked_where_nobody_follows),
        SCENE(test_names_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
