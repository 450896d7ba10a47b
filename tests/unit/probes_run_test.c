/* probes_run_test.c - a command ends by itself or is ended, with all that it started. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

#include "../../runner/clients/command.h"
#include "../fakes/ended.h"
#include "../fakes/probing.h"
#include "../fakes/server.h"

#define HERE                                                                                       \
    "environment: test\n"                                                                          \
    "roles: {web: {hosts: [web-1], unit: web.service}}\n"                                          \
    "secrets: {key: {env: FD_TEST_KEY}}\n"
/* For whatever must be answered: a slow turn of a busy machine is no silence. */
#define LONG_NS (20 * NS_PER_S)

/* The first sample of one probe text. */
static struct Sample ask(const char *text, int64_t timeout_ns, char detail[120])
{
    static struct Probing probing;
    struct Err err;
    setenv("FD_TEST_KEY", "sesame-street-4711", 1);
    probing_open(&probing);
    probing_environment(&probing, HERE);
    assert_true(environment_unlock(probing.environment, NULL, &err));
    probing_add(&probing, text, 500 * NS_PER_MS, timeout_ns);
    assert_true(probing_start(&probing, &err));
    probing_take(&probing, 0, 1);
    struct Sample sample = *probing_last(&probing, 0);
    snprintf(detail, 120, "%s", probing.detail[0]);
    probing_close(&probing); /* with attempts under way */
    return sample;
}

static void test_its_end_is_judged(void **state)
{
    (void)state;
    static const struct {
        const char *probe;
        enum Outcome outcome;
        enum Failure failure;
        const char *detail;
    } rows[] = {
        {"{run: \"true\"}", OUTCOME_OK, FAILURE_NONE, ""},
        {"{run: exit 3}", OUTCOME_FAILED, FAILURE_OTHER, "exit status 3"},
        {"{run: exit 3, ok: {exit: 3}}", OUTCOME_OK, FAILURE_NONE, ""},
        {"{run: \"echo no; echo why >&2; exit 1\"}", OUTCOME_FAILED, FAILURE_OTHER,
         "exit status 1: why"},
        {"{run: \"echo no; exit 1\"}", OUTCOME_FAILED, FAILURE_OTHER, "exit status 1: no"},
        {"{run: \"echo is ready now\", ok: {stdout: ready}}", OUTCOME_OK, FAILURE_NONE, ""},
        {"{run: \"echo not yet\", ok: {stdout: ready}}", OUTCOME_FAILED, FAILURE_CONTENT,
         "the output lacks \"ready\": not yet"},
        {"{run: \"kill -9 $$\"}", OUTCOME_FAILED, FAILURE_OTHER, "ended by signal 9"},
        {"{run: \"cat; pwd\", ok: {stdout: /}}", OUTCOME_OK, FAILURE_NONE, ""},
        {"{run: \"echo $KEY\", variables: {KEY: \"${secret.key}\"}, ok: {stdout: street-4711}}",
         OUTCOME_OK, FAILURE_NONE, ""},
        {"{run: \"echo it is $KEY; false\", variables: {KEY: \"${secret.key}\"}}", OUTCOME_FAILED,
         FAILURE_OTHER, "exit status 1: it is ${secret.key}"},
        {"{run: \"echo $Q\", variables: {Q: \"it's; $(echo no)\"}, ok: {stdout: \"it's; $(echo "
         "no)\"}}",
         OUTCOME_OK, FAILURE_NONE, ""},
        {"{run: no-such-command-anywhere}", OUTCOME_BROKEN, FAILURE_NONE, NULL},
        {"{run: \"while :; do echo 0123456789abcdef; done\"}", OUTCOME_FAILED, FAILURE_OTHER,
         "it writes more than 64 KiB"},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        char detail[120];
        struct Sample sample = ask(rows[n].probe, LONG_NS, detail);
        if (rows[n].detail != NULL)
            assert_string_equal(detail, rows[n].detail);
        assert_int_equal(sample.outcome, rows[n].outcome);
        assert_int_equal(sample.failure, rows[n].failure);
    }
}

static void test_a_slow_one_is_a_timeout(void **state)
{
    (void)state;
    char detail[120];
    struct Sample sample = ask("{run: sleep 100}", 200 * NS_PER_MS, detail);
    assert_int_equal(sample.outcome, OUTCOME_TIMEOUT);
    assert_string_equal(detail, "no answer in time");
}

/* ---- what it gets of us, and what becomes of its family ---- */

static void call(const char *script, int64_t limit_ns, struct Ended *ended)
{
    struct Loop *loop = loop_new();
    struct Commands *commands = commands_open(loop);
    *ended = (struct Ended){.came = false};
    commands_call(commands, script, mono_add(mono_now(), limit_ns), keep_ended, ended);
    assert_false(ended->came); /* never within the function that begins */
    run_until(loop, &ended->came);
    commands_close(commands);
    loop_free(loop);
}

static void test_it_gets_neither_descriptors_nor_variables_of_ours(void **state)
{
    (void)state;
    struct Ended ended;
    int fd = open("/dev/null", O_RDONLY); /* no O_CLOEXEC: as a library may leave one */
    assert_true(fd >= 3);
    setenv("FD_TEST_TOKEN", "mine", 1);

    call("for f in /proc/self/fd/*; do echo \"fd $f\"; done; env; readlink /proc/$$/fd/0", LONG_NS,
         &ended);

    assert_int_equal(ended.end, CALL_ANSWERED);
    assert_null(strstr(ended.text, "FD_TEST_TOKEN"));
    assert_non_null(strstr(ended.text, "PATH="));
    assert_non_null(strstr(ended.text, "/dev/null\n"));
    char ours[40];
    snprintf(ours, sizeof(ours), "/fd/%d\n", fd);
    call("ls -l /proc/$$/fd/", LONG_NS, &ended);
    snprintf(ours, sizeof(ours), " %d -> ", fd);
    assert_null(strstr(ended.text, ours));
    close(fd);
}

static void test_no_word_of_it_stands_in_a_list_of_processes(void **state)
{
    (void)state;
    struct Ended ended;
    call("KEY=sesame; cat /proc/$$/cmdline /proc/$PPID/cmdline | tr '\\0' ' '", LONG_NS, &ended);
    assert_non_null(strstr(ended.text, "sh -c"));
    assert_null(strstr(ended.text, "sesame"));
}

/* False once the process is gone, or only waits to be reaped. */
static bool lives(pid_t pid)
{
    char path[40], text[300];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    size_t size = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[size] = '\0';
    const char *after = strrchr(text, ')');
    return after != NULL && after[2] != 'Z' && after[2] != 'X';
}

static void assert_gone(pid_t pid)
{
    struct Mono end = mono_add(mono_now(), 60 * NS_PER_S);
    while (lives(pid))
        assert_true(mono_before(mono_now(), end));
}

static pid_t number_in(const char *path)
{
    int number = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &number), 1);
    fclose(file);
    return (pid_t)number;
}

static void test_its_family_ends_with_it(void **state)
{
    (void)state;
    static const struct {
        const char *then;
        int64_t limit_ns;
        enum CallEnd end;
        const char *by;
    } rows[] = {
        {"exit 0", LONG_NS, CALL_ANSWERED, ""},     /* what it leaves in the background */
        {"wait", NS_PER_S, CALL_TIMEOUT, ""},       /* what hangs */
        {"kill -9 $$", LONG_NS, CALL_ANSWERED, ""}, /* what is left by a crash */
        {"while :; do echo xxxxxxxxxxxxxxxx; done", LONG_NS, CALL_PROTOCOL, ""},
        {"exit 0", LONG_NS, CALL_ANSWERED, "timeout 900 "}, /* which has a group of its own */
        {"wait", NS_PER_S, CALL_TIMEOUT, "timeout 900 "},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        struct Ended ended;
        char folder[] = "/tmp/faildrill-run-XXXXXX", path[64], script[300];
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/pid", folder);
        snprintf(script, sizeof(script),
                 "%ssh -c 'trap \"\" TERM HUP; echo $$ >%s; sleep 1000; :' &\n"
                 "while [ ! -s %s ]; do :; done\n%s\n",
                 rows[n].by, path, path, rows[n].then);

        call(script, rows[n].limit_ns, &ended);

        assert_int_equal(ended.end, rows[n].end);
        assert_gone(number_in(path));
        unlink(path);
        rmdir(folder);
    }
}

static void test_a_cancelled_one_says_nothing_and_is_gone(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    struct Commands *commands = commands_open(loop);
    struct Ended first = {.came = false}, second = {.came = false};
    struct Mono limit = mono_add(mono_now(), LONG_NS);

    call_cancel(commands_call(commands, "sleep 1000", limit, keep_ended, &first));
    commands_call(commands, "true", limit, keep_ended, &second);
    run_until(loop, &second.came);

    assert_false(first.came);
    commands_close(commands);
    loop_free(loop);
}

/* As many as there are slots may hang at once; more than 64 would be a load of their own. */
static void test_there_is_a_limit_to_how_many_hang(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, HERE);
    probing_add(&probing, "{run: sleep 1000}", 5 * NS_PER_MS, LONG_NS);
    assert_true(probing_start(&probing, &err));

    probing_take(&probing, 0, 3);

    assert_int_equal(probing_last(&probing, 0)->outcome, OUTCOME_BROKEN);
    assert_string_equal(probing.detail[0], "64 of these commands run already");
    probing_close(&probing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_end_is_judged),
        cmocka_unit_test(test_a_slow_one_is_a_timeout),
        cmocka_unit_test(test_it_gets_neither_descriptors_nor_variables_of_ours),
        cmocka_unit_test(test_no_word_of_it_stands_in_a_list_of_processes),
        cmocka_unit_test(test_its_family_ends_with_it),
        cmocka_unit_test(test_a_cancelled_one_says_nothing_and_is_gone),
        cmocka_unit_test(test_there_is_a_limit_to_how_many_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
