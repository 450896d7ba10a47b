/* io_worker_test.c - a worker does its jobs in order and reports on the home loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "../../runner/io/worker.h"

struct Own {
    int jobs;
};

struct Scene {
    struct Loop *loop;
    struct Worker *worker;
    pthread_t home;
    int ended, order[8];
};

struct Job {
    struct Scene *scene;
    int number;
    int done_as; /* the how-manieth on the worker */
};

static void count(void *own, void *job)
{
    struct Own *mine = own;
    struct Job *it = job;
    assert_false(pthread_equal(pthread_self(), it->scene->home));
    it->done_as = ++mine->jobs;
}

static void ended(void *own, void *job)
{
    (void)own;
    struct Job *it = job;
    struct Scene *scene = it->scene;
    assert_true(pthread_equal(pthread_self(), scene->home));
    assert_int_equal(it->done_as, it->number);
    scene->order[scene->ended++] = it->number;
    if (worker_open(scene->worker) == 0)
        loop_stop(scene->loop);
}

static void test_jobs_run_in_order_and_end_at_home(void **state)
{
    (void)state;
    struct Own own = {.jobs = 0};
    struct Scene scene = {.loop = loop_new(), .home = pthread_self()};
    scene.worker = worker_new(scene.loop, &own);
    struct Job jobs[3];
    for (int n = 0; n < 3; n++) {
        jobs[n] = (struct Job){.scene = &scene, .number = n + 1};
        worker_do(scene.worker, count, ended, &jobs[n]);
    }

    loop_run(scene.loop);

    assert_int_equal(scene.ended, 3);
    for (int n = 0; n < 3; n++)
        assert_int_equal(scene.order[n], n + 1);
    worker_free(scene.worker);
    loop_free(scene.loop);
}

static void never(void *own, void *job)
{
    (void)own;
    (void)job;
    fail_msg("done came after worker_free");
}

static void test_no_done_comes_after_free(void **state)
{
    (void)state;
    struct Own own = {.jobs = 0};
    struct Scene scene = {.loop = loop_new(), .home = pthread_self()};
    scene.worker = worker_new(scene.loop, &own);
    struct Job jobs[3];
    for (int n = 0; n < 3; n++) {
        jobs[n] = (struct Job){.scene = &scene, .number = n + 1};
        worker_do(scene.worker, count, never, &jobs[n]);
    }

    worker_free(scene.worker);
    loop_free(scene.loop); /* runs what was posted */

    assert_true(own.jobs <= 3);
}

static void free_it(void *own, void *job)
{
    (void)own;
    struct Job *it = job;
    worker_free(it->scene->worker);
    loop_stop(it->scene->loop);
}

static void test_a_worker_may_be_freed_in_done(void **state)
{
    (void)state;
    struct Own own = {.jobs = 0};
    struct Scene scene = {.loop = loop_new(), .home = pthread_self()};
    scene.worker = worker_new(scene.loop, &own);
    struct Job job = {.scene = &scene, .number = 1};
    worker_do(scene.worker, count, free_it, &job);
    struct Job later = {.scene = &scene, .number = 2};
    worker_do(scene.worker, count, never, &later);

    loop_run(scene.loop);

    assert_int_equal(job.done_as, 1);
    loop_free(scene.loop);
}

static void until_dropped(void *own, void *job)
{
    (void)own;
    (void)job;
    while (!worker_dropped())
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void test_a_dropped_job_gives_up(void **state)
{
    (void)state;
    struct Scene scene = {.loop = loop_new()};
    scene.worker = worker_new(scene.loop, NULL);
    worker_do(scene.worker, until_dropped, never, NULL);

    worker_drop(scene.worker);
    worker_free(scene.worker); /* waits for the job under way, if it had begun */

    assert_false(worker_is_here());
    assert_false(worker_dropped());
    loop_free(scene.loop);
}

static void look(void *own, void *job)
{
    (void)own;
    *(bool *)job = worker_dropped();
}

static void stop(void *own, void *job)
{
    struct Loop **loop = own;
    (void)job;
    loop_stop(*loop);
}

static void test_a_job_that_comes_after_a_drop_goes_on(void **state)
{
    (void)state;
    struct Loop *loop = loop_new();
    struct Worker *worker = worker_new(loop, &loop);
    bool behind = false, later = true;
    worker_do(worker, until_dropped, NULL, NULL);
    worker_do(worker, look, NULL, &behind);

    worker_drop(worker);
    worker_do(worker, look, stop, &later);
    loop_run(loop);

    assert_true(behind);
    assert_false(later);
    worker_free(worker);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_run_in_order_and_end_at_home),
        cmocka_unit_test(test_no_done_comes_after_free),
        cmocka_unit_test(test_a_worker_may_be_freed_in_done),
        cmocka_unit_test(test_a_dropped_job_gives_up),
        cmocka_unit_test(test_a_job_that_comes_after_a_drop_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
