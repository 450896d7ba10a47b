/* engine_executor_test.c - nothing reaches a host but behind a guard and a synced row. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runner/engine/executor.h"
#include "../fakes/track.h"

/* A broken invariant stops the program, so it is tried in a child. */
static void test_nothing_is_fired_that_was_not_armed(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct Moment t0;
        struct Err err;
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        _exit(executor_fire(NULL, NULL, mono_now(), &t0, &err) == EFFECT_NONE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACK("chaos-mesh 2449", test_nothing_is_fired_that_was_not_armed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
