/* systems_taught_test.c - five commands are a system; what they do not say stays unknown. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/transports/kinds.h"
#include "../fakes/server.h"

static const struct SystemKind *const kind = &taught_system;

/* Two hosts, both this machine: what a host says depends on its name, $1. */
struct Scene {
    struct Loop *loop;
    struct Arena *arena;
    struct Target hosts[2];
    const struct Target *list[2];
    struct Role role;
    void *system;
    bool came;
    int times;
    struct Standing standing;
    enum Known known;
    struct Prospect prospect;
    char text[400], knobs[400];
    uint16_t port;
};

/* Opens a system with these lines as its `run:`. */
static void teach(struct Scene *s, const char *run)
{
    struct Problems *problems = problems_new();
    struct Err err = {.code = ERR_OWN};
    const char *yaml = arena_printf(s->arena, "port: 7070\nrun:\n%s", run);
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, kind->config.size);
    assert_non_null(document->root);
    assert_true(decode_record(&decode, document->root, &kind->config, config));
    problems_free(problems);
    s->role.system_config = config;
    s->system = kind->open(config, &s->role, s->loop, &err);
    assert_non_null(s->system);
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    s->loop = loop_new();
    s->arena = arena_new("taught", 16u << 20);
    for (int n = 0; n < 2; n++) {
        s->hosts[n] = (struct Target){.name = n == 0 ? "one" : "two",
                                      .address = n == 0 ? "10.0.0.1" : "10.0.0.2",
                                      .reach = &local_transport};
        s->list[n] = &s->hosts[n];
    }
    s->role = (struct Role){.name = "counter", .hosts = s->list, .host_count = 2, .system = kind};
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct Scene *s = *state;
    if (s->system != NULL)
        kind->close(s->system);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

static void came(struct Scene *s)
{
    s->came = true;
    s->times++;
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
    came(s);
}

static void keep_redundancy(void *data, const struct Redundancy *redundancy)
{
    struct Scene *s = data;
    s->known = redundancy->complete;
    snprintf(s->text, sizeof(s->text), "%s", redundancy->why);
    came(s);
}

static void keep_why(void *data, enum Known known, const char *why)
{
    struct Scene *s = data;
    s->known = known;
    snprintf(s->text, sizeof(s->text), "%s", why);
    came(s);
}

static void keep_address(void *data, const char *address, uint16_t port)
{
    struct Scene *s = data;
    snprintf(s->text, sizeof(s->text), "%s", address != NULL ? address : "");
    s->port = port;
    came(s);
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
    snprintf(s->text, sizeof(s->text), "%s|%s|%s", prospect->not_ready ? prospect->not_ready : "",
             prospect->loss ? prospect->loss : "", prospect->durable ? prospect->durable : "");
    came(s);
}

static void ask_rank(struct Scene *s, int host)
{
    kind->ask_standing(s->system, &s->hosts[host], in_ms(8000), keep_standing, s);
    wait_for_it(s);
}

/* Never an answer, and gone soon after nobody listens any more. */
#define ENDLESS "while sleep 0.1; do echo; done"
#define RANKS "  rank: 'case $1 in one) echo primary 7;; two) echo replica 7;; esac'\n"

static void test_a_host_says_its_rank_and_epoch(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS);

    ask_rank(s, 0);
    assert_int_equal(s->standing.rank, RANK_PRIMARY);
    assert_string_equal(s->standing.epoch, "7");
    assert_ptr_equal(s->standing.host, &s->hosts[0]);

    ask_rank(s, 1);
    assert_int_equal(s->standing.rank, RANK_REPLICA);
    assert_int_equal(s->standing.writable, KNOWN_NO);
}

static void test_what_is_no_word_of_the_contract_is_unknown(void **state)
{
    struct Scene *s = *state;
    teach(s, "  rank: 'case $1 in one) echo master;; two) echo primary; exit 3;; esac'\n");

    ask_rank(s, 0);
    assert_int_equal(s->standing.rank, RANK_UNKNOWN);
    ask_rank(s, 1);
    assert_int_equal(s->standing.rank, RANK_UNKNOWN);
}

static void test_silence_is_unknown_and_the_next_question_is_answered(void **state)
{
    struct Scene *s = *state;
    char folder[] = "/tmp/faildrill-taught-XXXXXX", line[200];
    assert_non_null(mkdtemp(folder));
    snprintf(line, sizeof(line),
             "  rank: 'test -e %s/asked && echo primary && exit; touch %s/asked; " ENDLESS "'\n",
             folder, folder);
    teach(s, line);

    snprintf(line, sizeof(line), "%s/asked", folder);
    while (access(line, F_OK) != 0) { /* on a slow machine it comes to nothing in time */
        kind->ask_standing(s->system, &s->hosts[0], in_ms(300), keep_standing, s);
        wait_for_it(s);
        assert_int_equal(s->standing.rank, RANK_UNKNOWN);
    }
    ask_rank(s, 0);
    assert_int_equal(s->standing.rank, RANK_PRIMARY);

    remove(line);
    remove(folder);
}

static bool gone_within(pid_t pid, int seconds)
{
    struct Mono end = mono_add(mono_now(), seconds * NS_PER_S);
    while (kill(pid, 0) == 0)
        if (!mono_before(mono_now(), end))
            return false;
        else
            (void)poll(NULL, 0, 20);
    return true;
}

/* It prints nothing, so that no pipe that nobody reads would end it. */
static void test_a_command_that_hangs_is_ended_on_its_host(void **state)
{
    struct Scene *s = *state;
    char folder[] = "/tmp/faildrill-taught-XXXXXX", line[200], digits[24] = "";
    assert_non_null(mkdtemp(folder));
    snprintf(line, sizeof(line),
             "  rank: 'echo $$ >%s/new && mv %s/new %s/pid && exec sleep 1000'\n", folder, folder,
             folder);
    teach(s, line);

    snprintf(line, sizeof(line), "%s/pid", folder);
    while (access(line, F_OK) != 0) { /* on a slow machine it is not even begun in time */
        kind->ask_standing(s->system, &s->hosts[0], in_ms(900), keep_standing, s);
        wait_for_it(s);
        assert_int_equal(s->standing.rank, RANK_UNKNOWN);
    }
    FILE *file = fopen(line, "re");
    assert_non_null(file);
    assert_non_null(fgets(digits, sizeof(digits), file));
    fclose(file);
    pid_t pid = (pid_t)strtol(digits, NULL, 10);
    assert_true(pid > 1);
    bool gone = gone_within(pid, 60);

    if (!gone)
        kill(pid, SIGKILL);
    assert_true(gone);
    remove(line);
    remove(folder);
}

static void test_the_only_primary_is_found_with_its_port(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS);

    kind->find_primary(s->system, in_ms(8000), keep_address, s);
    wait_for_it(s);

    assert_string_equal(s->text, "10.0.0.1");
    assert_int_equal(s->port, 7070);
}

static void test_of_two_primaries_the_higher_epoch_leads(void **state)
{
    struct Scene *s = *state;
    teach(s, "  rank: 'case $1 in one) echo primary 9;; two) echo primary 10;; esac'\n");

    kind->ask_control(s->system, in_ms(8000), keep_standing, s);
    wait_for_it(s);
    assert_ptr_equal(s->standing.host, &s->hosts[1]);

    kind->ask_redundancy(s->system, in_ms(8000), keep_redundancy, s);
    wait_for_it(s);
    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "2 hosts say that they are the primary");
}

static void test_two_primaries_of_one_epoch_leave_it_unknown(void **state)
{
    struct Scene *s = *state;
    teach(s, "  rank: echo primary 9\n");

    kind->ask_control(s->system, in_ms(8000), keep_standing, s);
    wait_for_it(s);

    assert_int_equal(s->standing.rank, RANK_UNKNOWN);
    assert_null(s->standing.host);
}

static void test_redundancy_is_the_primarys_own_word(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS "  redundancy: 'echo lacking $1 has nobody beside it'\n");

    kind->ask_redundancy(s->system, in_ms(8000), keep_redundancy, s);
    wait_for_it(s);

    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "lacking one has nobody beside it");
}

static void test_the_config_says_range_loss_and_knobs(void **state)
{
    struct Scene *s = *state;
    teach(s,
          RANKS "  config: 'printf \"failover 1500ms 4s\\\\nhold 2 s\\\\ndurable a file\\\\nloss "
                "some\\\\ncool_down 30s\\\\n\"'\n");

    kind->ask_prospect(s->system, in_ms(8000), keep_prospect, s);
    wait_for_it(s);

    assert_string_equal(s->text, "|some|a file");
    assert_string_equal(s->knobs, "hold=2 s;");
    assert_int_equal(s->prospect.failover.low_ns, 1500 * NS_PER_MS);
    assert_int_equal(s->prospect.failover.high_ns, 4 * NS_PER_S);
    assert_int_equal(s->prospect.cool_down_ns, 30 * NS_PER_S);
    assert_int_equal(s->prospect.persistence, PERSIST_ALL);
}

static void test_a_range_that_is_none_is_a_trap(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS "  config: echo failover soon\n");

    kind->ask_prospect(s->system, in_ms(8000), keep_prospect, s);
    wait_for_it(s);

    assert_string_equal(s->text, "its `config:` says failover soon, and not two durations||");
    assert_int_equal(s->prospect.persistence, PERSIST_UNKNOWN);
}

static void test_a_failover_is_refused_in_its_own_words(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS "  failover: 'echo $1 will not go; exit 1'\n");

    kind->failover(s->system, &(struct FailoverWish){.forced = false}, in_ms(8000), keep_why, s);
    wait_for_it(s);

    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "one will not go");
}

static void test_without_a_command_there_is_no_failover(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS);

    kind->failover(s->system, &(struct FailoverWish){.forced = false}, in_ms(8000), keep_why, s);
    wait_for_it(s);

    assert_int_equal(s->known, KNOWN_NO);
    assert_string_equal(s->text, "the system has no `failover:` command");
}

static void test_a_cancelled_question_is_never_answered(void **state)
{
    struct Scene *s = *state;
    teach(s, "  rank: " ENDLESS "\n");

    kind->ask_standing(s->system, &s->hosts[0], in_ms(60000), keep_standing, s);
    kind->ask_control(s->system, in_ms(60000), keep_standing, s);
    run_turn(s->loop);
    kind->cancel(s->system);
    kind->close(s->system);
    s->system = NULL;
    run_turn(s->loop);

    assert_int_equal(s->times, 0);
}

static void test_rejoin_stands_in_place_of_the_start(void **state)
{
    struct Scene *s = *state;
    struct Commands commands = {.at = NULL};
    struct Err err = {.code = ERR_OWN};
    teach(s, RANKS "  rejoin: start --as-replica \"$2\"\n");
    struct PlanInput input = {.target = &s->hosts[1], .role = &s->role};

    assert_true(kind->plan_rejoin(s->role.system_config, &input, s->arena, &commands, &err));
    assert_string_equal(commands_shell(&commands, s->arena),
                        "# start it as the system's `rejoin:` says\ntimeout -k 2 30 sh -c 'start "
                        "--as-replica \"$2\"' faildrill two 10.0.0.2 || exit\n");

    input.leave_stopped = true;
    assert_true(kind->plan_rejoin(s->role.system_config, &input, s->arena, &commands, &err));
    assert_int_equal(commands.count, 0);
}

static void test_it_returns_safely_by_its_rejoin_or_its_own_word(void **state)
{
    struct Scene *s = *state;
    teach(s, RANKS);
    assert_false(kind->returns_safely(s->role.system_config, false));
    kind->close(s->system);
    teach(s, RANKS "  rejoin: start --as-replica\n");
    assert_true(kind->returns_safely(s->role.system_config, false));
    assert_false(kind->returns_safely(s->role.system_config, true)); /* a boot does not run it */
    kind->close(s->system);
    teach(s, RANKS "plain_start: safe\n");
    assert_true(kind->returns_safely(s->role.system_config, false));
    assert_true(kind->returns_safely(s->role.system_config, true));
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        SCENE(test_a_host_says_its_rank_and_epoch),
        SCENE(test_what_is_no_word_of_the_contract_is_unknown),
        SCENE(test_silence_is_unknown_and_the_next_question_is_answered),
        SCENE(test_a_command_that_hangs_is_ended_on_its_host),
        SCENE(test_the_only_primary_is_found_with_its_port),
        SCENE(test_of_two_primaries_the_higher_epoch_leads),
        SCENE(test_two_primaries_of_one_epoch_leave_it_unknown),
        SCENE(test_redundancy_is_the_primarys_own_word),
        SCENE(test_the_config_says_range_loss_and_knobs),
        SCENE(test_a_range_that_is_none_is_a_trap),
        SCENE(test_a_failover_is_refused_in_its_own_words),
        SCENE(test_without_a_command_there_is_no_failover),
        SCENE(test_a_cancelled_question_is_never_answered),
        SCENE(test_rejoin_stands_in_place_of_the_start),
        SCENE(test_it_returns_safely_by_its_rejoin_or_its_own_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
