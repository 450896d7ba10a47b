/* store_lock_test.c - one run per environment, also after the holder has died. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "../../runner/store/inside.h"
#include "store_fixture.h"

static bool lock(struct Fixture *f, struct Store *store, const char *run)
{
    struct LockRow row = {.environment = "staging", .run = run, .who = "ana"};
    return store_lock(store, &row, &f->err);
}

/* A process that takes the lock for `run`, and after that may leave a fault; dead on return. */
static pid_t lock_and_die(struct Fixture *f, const char *run, bool fault)
{
    pid_t child = fork();
    if (child == 0) {
        struct Store *store = fixture_store(f);
        must(f, lock(f, store, run) && fixture_begin(f, store, run));
        must(f, !fault || fixture_arm(f, store, 1));
        _exit(0);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return child;
}

struct Race {
    int go[2], told[2], stay[2]; /* pipes: closing `go` and `stay` is the signal */
};

/* Tries when told to, says how it went, and lives until everybody has: a dead holder is set aside.
 */
static void race(struct Fixture *f, const struct Race *race, const char *run)
{
    struct Store *store = fixture_store(f);
    char c = '?';
    close(race->go[1]);
    close(race->stay[1]);
    ssize_t waited = read(race->go[0], &c, 1);
    bool got = lock(f, store, run);
    c = got ? 'y' : f->err.code == ERR_LOCKED ? 'n' : '?';
    ssize_t told = write(race->told[1], &c, 1);
    _exit(waited == 0 && told == 1 && read(race->stay[0], &c, 1) == 0 ? 0 : 1);
}

static void test_of_two_processes_exactly_one_gets_the_lock(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    store_close(store); /* the file is there */
    for (int round = 0; round < 200; round++) {
        struct Race pipes;
        assert_true(pipe(pipes.go) == 0 && pipe(pipes.told) == 0 && pipe(pipes.stay) == 0);
        pid_t children[2];
        for (int i = 0; i < 2; i++) {
            children[i] = fork();
            if (children[i] == 0)
                race(&f, &pipes, i == 0 ? "one" : "two");
        }
        char told[2];
        close(pipes.go[1]);
        assert_true(read(pipes.told[0], &told[0], 1) == 1 && read(pipes.told[0], &told[1], 1) == 1);
        close(pipes.stay[1]);
        for (int i = 0; i < 2; i++) {
            int status = 1;
            waitpid(children[i], &status, 0);
            assert_int_equal(status, 0);
        }
        close(pipes.go[0]);
        close(pipes.told[0]);
        close(pipes.told[1]);
        close(pipes.stay[0]);

        if (!((told[0] == 'y' && told[1] == 'n') || (told[0] == 'n' && told[1] == 'y')))
            fail_msg("round %d: %c %c", round, told[0], told[1]);
    }
    fixture_close(&f);
}

static void test_the_refusal_names_the_holder_and_the_way_on(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, lock(&f, store, "01aa"));

    assert_false(lock(&f, store, "01bb"));

    char text[100];
    snprintf(text, sizeof(text), "(pid %d on ", (int)getpid());
    assert_int_equal(f.err.code, ERR_LOCKED);
    assert_non_null(
        strstr(f.err.message, "environment 'staging' is held by run 01aa of ana since "));
    assert_non_null(strstr(f.err.message, text));
    assert_string_equal(f.err.hint, "Wait for it, or end it with `faildrill halt 01aa`.");
    store_close(store);
    fixture_close(&f);
}

static void test_the_holder_may_take_it_again_and_others_after_it(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);

    must(&f, lock(&f, store, "01aa"));
    must(&f, lock(&f, store, "01aa"));
    must(&f, store_unlock(store, "01bb", &f.err));
    assert_false(lock(&f, store, "01bb"));
    must(&f, store_unlock(store, "01aa", &f.err));
    must(&f, lock(&f, store, "01bb"));

    store_close(store);
    fixture_close(&f);
}

static void test_the_same_run_in_another_process_is_another_holder(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, lock(&f, store, "01aa"));

    pid_t child = fork();
    if (child == 0)
        _exit(lock(&f, fixture_store(&f), "01aa") ? 1 : 0);

    int status = 1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    store_close(store);
    fixture_close(&f);
}

static void test_a_dead_holder_is_set_aside(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    lock_and_die(&f, "01aa", false);

    struct Store *store = fixture_store(&f);

    must(&f, lock(&f, store, "01bb"));
    store_close(store);
    fixture_close(&f);
}

static void test_a_dead_holder_with_open_faults_stays_until_they_are_undone(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    lock_and_die(&f, "01aa", true);
    struct Store *store = fixture_store(&f);

    assert_false(lock(&f, store, "01bb"));

    assert_int_equal(f.err.code, ERR_LOCKED);
    assert_non_null(strstr(f.err.message, ", which died and left faults behind"));
    struct Err same;
    assert_false(store_is_free(store, "staging", &same));
    assert_string_equal(same.message, f.err.message);
    must(&f, store_is_free(store, "elsewhere", &f.err));
    assert_false(store_is_free(store, "staging", &f.err)); /* and it took nothing */
    assert_string_equal(f.err.hint, "Run `faildrill undo 01aa`; that frees the environment.");
    struct ByHand closed = {.run = "01aa", .number = 1, .clear = true, .why = "looked"};
    must(&f, undolog_close_by_hand(store, &closed, &f.err));
    must(&f, lock(&f, store, "01bb"));
    store_close(store);
    fixture_close(&f);
}

static void test_a_process_is_dead_only_where_that_can_be_known(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 64 * 1024);
    struct Process self;
    process_self(&self, arena);
    assert_int_equal(process_alive(&self), KNOWN_YES);

    struct Process other = self;
    other.started++; /* the number was given to another process */
    assert_int_equal(process_alive(&other), KNOWN_NO);
    other = self;
    other.boot_id = "another";
    assert_int_equal(process_alive(&other), KNOWN_NO);
    other = self;
    other.machine = "elsewhere";
    assert_int_equal(process_alive(&other), KNOWN_UNKNOWN);
    other = self;
    other.pid_namespace = "pid:[1]"; /* a container beside us */
    assert_int_equal(process_alive(&other), KNOWN_UNKNOWN);
    other = self;
    other.pid = 0;
    assert_int_equal(process_alive(&other), KNOWN_NO);
    arena_free(arena);
}

static void test_a_zombie_is_dead(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 64 * 1024);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct Process self;
        process_self(&self, arena);
        ssize_t wrote = write(ready[1], &self.started, sizeof(self.started));
        _exit(wrote == sizeof(self.started) ? 0 : 1);
    }
    struct Process process;
    process_self(&process, arena);
    process.pid = child;
    assert_int_equal(read(ready[0], &process.started, sizeof(process.started)), 8);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);

    assert_int_equal(process_alive(&process), KNOWN_NO);

    waitpid(child, NULL, 0);
    arena_free(arena);
}

static void test_a_halt_reaches_the_run_with_its_first_reason(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01aa"));
    struct Store *other = fixture_store(&f);
    const char *reason = "untouched";

    must(&f, store_halt_asked(store, "01aa", f.arena, &reason, &f.err));
    assert_null(reason);
    must(&f, store_request_halt(other, "01aa", "customers call", "bo", &f.err));
    must(&f, store_request_halt(other, "01aa", "again", "eve", &f.err));
    must(&f, store_halt_asked(store, "01aa", f.arena, &reason, &f.err));
    assert_string_equal(reason, "by bo: customers call");

    store_close(other);
    store_close(store);
    fixture_close(&f);
}

static void test_a_run_that_cannot_hear_is_not_halted(void **state)
{
    (void)state;
    struct Fixture f;
    fixture_open(&f);
    lock_and_die(&f, "01dead", true);
    struct Store *store = fixture_store(&f);
    must(&f, fixture_begin(&f, store, "01done") && fixture_end(&f, store, VERDICT_PASS));

    assert_false(store_request_halt(store, "nope", NULL, "bo", &f.err));
    assert_string_equal(f.err.message, "there is no run 'nope'");
    assert_false(store_request_halt(store, "01done", NULL, "bo", &f.err));
    assert_string_equal(f.err.message, "run 01done has ended already");
    assert_false(store_request_halt(store, "01dead", NULL, "bo", &f.err));
    assert_string_equal(f.err.message, "run 01dead has died and hears nothing any more");
    assert_int_equal(f.err.code, ERR_NOT_FOUND);
    assert_string_equal(f.err.hint, "Run `faildrill undo 01dead` to undo what it left.");
    store_close(store);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_two_processes_exactly_one_gets_the_lock),
        cmocka_unit_test(test_the_refusal_names_the_holder_and_the_way_on),
        cmocka_unit_test(test_the_holder_may_take_it_again_and_others_after_it),
        cmocka_unit_test(test_the_same_run_in_another_process_is_another_holder),
        cmocka_unit_test(test_a_dead_holder_is_set_aside),
        cmocka_unit_test(test_a_dead_holder_with_open_faults_stays_until_they_are_undone),
        cmocka_unit_test(test_a_process_is_dead_only_where_that_can_be_known),
        cmocka_unit_test(test_a_zombie_is_dead),
        cmocka_unit_test(test_a_halt_reaches_the_run_with_its_first_reason),
        cmocka_unit_test(test_a_run_that_cannot_hear_is_not_halted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
